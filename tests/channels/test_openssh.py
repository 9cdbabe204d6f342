"""The same way of sending against a stock OpenSSH server with `internal-sftp`: nothing leans on our own server."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncssh
import pytest

from channels import sftp, signing, vault
from channels.collecting import collect
from channels.dropping import Outcome, drop
from channels.errors import HostKeyChanged, LogInRefused, MissingDirectory, NotThere, TooLarge
from channels.models import Channel, EnvelopePart, InboundFile
from portal import tenancy
from tests.channels.conftest import Seal
from tests.channels.sftpserver import DIRECTORIES

pytestmark = pytest.mark.needs_openssh

SSHD = shutil.which("sshd") or next(
    (path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if Path(path).exists()), None
)
FO = "FO.ACRF.999999.20251103.00001.R"


@dataclass(frozen=True)
class OpenSsh:
    """A running server: the directory its only user sees, its port and its key."""

    home: Path
    port: int
    host_key_line: str


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.skip(f"the OpenSSH server does not start here: {log.read_text()[-300:]}")


SPEAKS = {
    "ed25519": ("ssh-ed25519", "ssh-ed25519"),
    "rsa-sha2": ("rsa-sha2-512,rsa-sha2-256", "rsa-sha2-512"),
    "only ssh-rsa": ("ssh-rsa", "ssh-rsa"),
}
"""How users, and the server itself, prove who they are."""


@pytest.fixture
def openssh(tmp_path: Path, ssh_pair: asyncssh.SSHKey, request: pytest.FixtureRequest) -> Iterator[OpenSsh]:
    """A server that speaks as `request.param` says (a key of SPEAKS; `ed25519` without)."""
    if SSHD is None:
        pytest.skip("no OpenSSH server (sshd) on this machine")
    of_users, of_host = SPEAKS[getattr(request, "param", "ed25519")]
    home, port = tmp_path / "home", free_port()
    for directory in DIRECTORIES:
        (home / directory).mkdir(parents=True)
    host_key = asyncssh.generate_private_key("ssh-ed25519" if of_host == "ssh-ed25519" else "ssh-rsa")
    (tmp_path / "host_key").touch(mode=0o600)
    (tmp_path / "host_key").write_bytes(host_key.export_private_key())
    (tmp_path / "authorized_keys").write_bytes(ssh_pair.export_public_key())
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\n"
        "ListenAddress 127.0.0.1\n"
        f"HostKey {tmp_path}/host_key\n"
        f"AuthorizedKeysFile {tmp_path}/authorized_keys\n"
        f"PubkeyAcceptedAlgorithms {of_users}\n"
        f"HostKeyAlgorithms {of_host}\n"
        "AuthenticationMethods publickey\n"
        "PermitRootLogin prohibit-password\n"
        # The directories of a test are not owned as a home should be.
        "StrictModes no\n"
        "UsePAM no\n"
        "PidFile none\n"
        f"Subsystem sftp internal-sftp -d {home}\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stdin=subprocess.DEVNULL, stderr=errors
        )
    try:
        wait_until_it_listens(process, port, log)
        yield OpenSsh(home, port, host_key.export_public_key().decode())
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def open_channel(
    openssh: OpenSsh,
    make_channel: Callable[..., Channel],
    tenant: UUID,
    ssh_pair: asyncssh.SSHKey,
    signing_pair: tuple[bytes, bytes],
) -> Channel:
    made = make_channel(port=openssh.port, host_key=openssh.host_key_line, username=getpass.getuser())
    with tenancy.scope(tenant):
        vault.store_ssh_key(made, ssh_pair.export_private_key())
        vault.store_signing_key(made, *signing_pair)
    return made


def test_a_set_arrives_whole(open_channel: Channel, tenant: UUID, openssh: OpenSsh, seal: Seal) -> None:
    envelope = seal(open_channel, parts=2, content=b"x" * 3_000_000)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    stem = envelope.stem
    there = {path.name: path for path in (openssh.home / "IN").iterdir()}
    assert set(there) == {
        *(f"{prefix}.{stem}.2.{part}" for prefix in ("FI", "FS") for part in (1, 2)),
        f"GO.{stem}.2",
    }
    assert there[f"GO.{stem}.2"].read_bytes() == b""
    # Not strictly later: a file system's clock may tick every few milliseconds only.
    put_at = {name: path.stat().st_mtime_ns for name, path in there.items()}
    assert put_at[f"GO.{stem}.2"] == max(put_at.values())
    with tenancy.scope(tenant):
        for part in EnvelopePart.objects.filter(envelope=envelope):
            content = there[f"FI.{stem}.2.{part.part}"].read_bytes()
            assert content == part.fi
            assert signing.verify(content, signing.decode_fs(there[f"FS.{stem}.2.{part.part}"].read_bytes()))


def test_answers_are_fetched_and_deleted(open_channel: Channel, tenant: UUID, openssh: OpenSsh) -> None:
    out = openssh.home / "OUT"
    for prefix, content in (("FO", b"<ACRF/>" * 50_000), ("FS", b"c2lnbmVk"), ("GO", b"")):
        (out / (prefix + FO[2:])).write_bytes(content)
    collected = collect(tenant, open_channel.pk)
    assert (len(collected.stored), collected.deleted, collected.errors) == (1, 1, [])
    assert list(out.iterdir()) == []
    with tenancy.scope(tenant):
        assert InboundFile.objects.get().content == b"<ACRF/>" * 50_000


def test_what_is_missing_is_called_by_its_name(open_channel: Channel, openssh: OpenSsh) -> None:
    (openssh.home / "INTEST").rmdir()
    (openssh.home / "OUTTEST").rmdir()
    (openssh.home / "OUT" / FO).write_bytes(b"12345")
    with sftp.connect(open_channel) as session:
        ((_name, fault),) = session.put_all("T", [("FI.FLAD.104217.20251103.P0001.T.1.1", lambda: b"x")])
        assert isinstance(fault, MissingDirectory)
        with pytest.raises(MissingDirectory):
            session.listing_in("T")
        with pytest.raises(MissingDirectory):
            session.listing_out("T")
        with pytest.raises(TooLarge):
            session.read("R", FO, 4)
        session.delete("R", FO)
        session.delete("R", FO)
        with pytest.raises(NotThere):
            session.read("R", FO, 4)
        assert session.listing_out("R") == {}


def test_strangers_are_told_apart(open_channel: Channel, tenant: UUID, ssh_pair: asyncssh.SSHKey) -> None:
    mine = open_channel.host_key
    open_channel.host_key = ssh_pair.export_public_key().decode()
    with pytest.raises(HostKeyChanged), sftp.connect(open_channel):
        pytest.fail("connected to a stranger")
    open_channel.host_key = mine
    with tenancy.scope(tenant):
        vault.store_ssh_key(open_channel, asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    with pytest.raises(LogInRefused), sftp.connect(open_channel):
        pytest.fail("logged in with an unknown key")
