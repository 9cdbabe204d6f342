"""The command: what it prints, how it stops, and what survives a kill."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncssh
import paramiko
import pytest

from simulator.__main__ import main
from tests.simulator import people

pytestmark = pytest.mark.servers

PROJECT = Path(__file__).parents[2]
GOOD = people.document(people.form())


class Command:
    """`python -m simulator` in a process of its own."""

    def __init__(self, root: Path, *options: str) -> None:
        command = [sys.executable, "-m", "simulator", "--root", str(root), "--port", "0", *options]
        self.process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline().strip()
        found = re.fullmatch(
            r"simulator listening on 127\.0\.0\.1:(\d+) host-key (ssh-ed25519 [A-Za-z0-9+/=]+)", self.line
        )
        assert found, self.line
        self.port, self.host_key = int(found[1]), found[2]

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def until(condition: Callable[[], bool], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)


def send(command: Command, rsa_key: paramiko.PKey, signer: people.Signer, sequence: str = "A0001") -> None:
    client = people.Client("acme-sftp", rsa_key, signer, command.port, command.host_key)
    client.send(GOOD, key=people.key(sequence))
    client.close()


def test_it_says_where_it_listens_and_stops_when_asked(
    root: Path, rsa_key: paramiko.PKey, signer: people.Signer
) -> None:
    command = Command(root)
    out = root / "home" / "acme-sftp" / "OUT"
    send(command, rsa_key, signer)
    until(lambda: len(people.answers(out, "NOTI")) == 1 if len(list(out.iterdir())) == 6 else False)
    assert command.end(signal.SIGTERM) == 0
    again = Command(root)
    assert again.host_key == command.host_key
    assert again.end(signal.SIGINT) == 0


def test_the_host_key_may_lie_elsewhere(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "the-key"
    command = Command(root, "--host-key", str(file))
    command.end(signal.SIGTERM)
    assert not (root / "host-key").exists()
    public = asyncssh.read_private_key(file).export_public_key().decode().split()[1]
    assert public == command.host_key.split()[1]
    assert file.stat().st_mode & 0o077 == 0


def test_killed_between_acrf_and_noti_it_finishes_the_answer(
    root: Path, rsa_key: paramiko.PKey, signer: people.Signer
) -> None:
    command = Command(root, "--noti-delay", "2")
    out = root / "home" / "acme-sftp" / "OUT"
    send(command, rsa_key, signer)
    until(lambda: len(list(out.iterdir())) == 3)
    command.end(signal.SIGKILL)
    (acrf,) = people.acrfs(out)
    for path in out.iterdir():
        path.unlink()
    again = Command(root)
    until(lambda: any(path.name.startswith("GO.NOTI.") for path in out.iterdir()))
    again.end(signal.SIGTERM)
    # Killed before it noted that the ACRF had gone out, it says the same once more.
    assert {repeated.ticket for repeated in people.acrfs(out)} <= {acrf.ticket}
    (outcome,) = people.outcomes(out)
    assert outcome.file_name == acrf.file_name
    assert outcome.result == "1"


def test_killed_with_a_set_in_hand_it_answers_once(
    root: Path, rsa_key: paramiko.PKey, signer: people.Signer
) -> None:
    command = Command(root, "--hold-go")
    send(command, rsa_key, signer)
    command.end(signal.SIGKILL)
    out = root / "home" / "acme-sftp" / "OUT"
    assert list(out.iterdir()) == []
    again = Command(root)
    until(lambda: len(list(out.iterdir())) == 6)
    again.end(signal.SIGTERM)
    assert len(people.acrfs(out)) == 1
    assert people.outcomes(out)[0].anomalies == []


def test_switches_of_the_command_line(root: Path) -> None:
    command = Command(root, "--max-forms", "3", "--noti-per", "set", "--acrf-delay", "0.5", "--garbage")
    assert command.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("options", [["--noti-per", "month"], ["--max-forms", "many"], ["--no-such"]])
def test_unfit_options_are_told(root: Path, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--root", str(root), *options])
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(root: Path) -> None:
    command = Command(root)
    second = subprocess.run(
        [sys.executable, "-m", "simulator", "--root", str(root / "other"), "--port", str(command.port)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    command.end(signal.SIGTERM)
    assert second.returncode == 1
    assert "cannot listen" in second.stderr
