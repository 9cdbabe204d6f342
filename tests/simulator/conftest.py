"""Fixtures: a running simulator in a fresh directory and a client who may use it."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
import pytest

from simulator.server import Simulator
from simulator.signatures import Seal
from tests.simulator import people


@dataclass
class Scene:
    """A simulator, its directory and the client of the first sender."""

    root: Path
    simulator: Simulator
    client: people.Client
    senders: list[dict[str, Any]]
    world: dict[str, Any]

    @property
    def home(self) -> Path:
        return self.root / "home" / "acme-sftp"

    @property
    def out(self) -> Path:
        return self.home / "OUT"

    def archive(self, key: str) -> Path:
        found = list((self.root / "archive" / people.SENDER).glob(f"*/{key}"))
        assert len(found) == 1
        return found[0]

    def exchange(self, *parts: bytes, sequence: str = "A0001", **options: Any) -> people.Acrf:
        """Send a set, wait, and give its ACRF; what was in OUT before is removed first."""
        for path in self.out.iterdir():
            path.unlink()
        self.client.send(*parts, key=people.key(sequence), **options)
        self.simulator.settle()
        (acrf,) = people.acrfs(self.out)
        return acrf

    def wait(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        """Wait until `condition` holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "what was waited for did not happen"
            time.sleep(0.01)

    def outcomes(self) -> list[people.Outcome]:
        return people.outcomes(self.out)


@pytest.fixture(scope="session")
def rsa_key() -> paramiko.RSAKey:
    return paramiko.RSAKey.generate(2048)


@pytest.fixture(scope="session")
def signer() -> people.Signer:
    return people.make_signer()


@pytest.fixture(scope="session")
def stranger() -> people.Signer:
    """Signs well, with a certificate that nobody registered."""
    return people.make_signer()


@pytest.fixture
def senders(rsa_key: paramiko.RSAKey, signer: people.Signer) -> list[dict[str, Any]]:
    line = f"ssh-rsa {rsa_key.get_base64()} test"
    return [
        {
            "number": people.SENDER,
            "name": "Secrétariat social Acme",
            "username": "acme-sftp",
            "ssh_keys": [line],
            "certificates": [signer.fingerprint],
            "applications": ["FLAD"],
        },
        {
            "number": people.OTHER,
            "name": "Another one",
            "username": "other-sftp",
            "ssh_keys": [],
            "certificates": [],
            "applications": ["FLAD"],
        },
    ]


@pytest.fixture(scope="session")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a signing key that all simulators of the session share: making one takes time."""
    directory = tmp_path_factory.mktemp("seal")
    Seal(directory)
    return directory


@pytest.fixture
def root(tmp_path: Path, seal: Path, senders: list[dict[str, Any]]) -> Path:
    directory = tmp_path / "social-security"
    shutil.copytree(seal, directory)
    people.write_world(directory, people.world(senders=senders))
    people.write_senders(directory, senders)
    return directory


@pytest.fixture
def scene(
    root: Path, senders: list[dict[str, Any]], rsa_key: paramiko.RSAKey, signer: people.Signer
) -> Iterator[Scene]:
    with Simulator(root) as simulator:
        client = people.Client("acme-sftp", rsa_key, signer, simulator.port, simulator.host_key)
        yield Scene(root, simulator, client, senders, people.world(senders=senders))
        client.close()
