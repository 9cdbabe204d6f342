"""The SFTP side seen by other clients than paramiko, and the odd things clients do."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh
import paramiko
import pytest

from tests.simulator import people
from tests.simulator.conftest import Scene

GOOD = people.document(people.form())


def with_asyncssh(
    scene: Scene, tmp_path: Path, version: int, act: Callable[[asyncssh.SFTPClient], Awaitable[None]]
) -> None:
    """Run `act` with an asyncssh client that speaks SFTP `version`."""
    key = tmp_path / "id"
    scene.client.key.write_private_key_file(str(key))
    known = asyncssh.import_known_hosts(f"* {scene.simulator.host_key}\n")

    async def run() -> None:
        async with (
            asyncssh.connect(
                "127.0.0.1",
                scene.simulator.port,
                username="acme-sftp",
                client_keys=[str(key)],
                known_hosts=known,
                config=None,
                agent_path=None,
            ) as connection,
            connection.start_sftp_client(sftp_version=version) as sftp,
        ):
            await act(sftp)

    asyncio.run(run())


@pytest.mark.parametrize("version", [3, 4, 5, 6])
def test_every_version_of_the_protocol_delivers_a_set(scene: Scene, tmp_path: Path, version: int) -> None:
    async def act(sftp: asyncssh.SFTPClient) -> None:
        for prefix, content in (("FI", GOOD), ("FS", scene.client.signer.sign(GOOD)), ("GO", b"")):
            suffix = "1" if prefix == "GO" else "1.1"
            async with sftp.open(f"IN/{prefix}.{people.key()}.{suffix}", "wb") as file:
                await file.write(content)

    with_asyncssh(scene, tmp_path, version, act)
    scene.simulator.settle()
    assert people.acrfs(scene.out)[0].result == "1"


@pytest.mark.parametrize("version", [3, 6])
def test_out_is_for_reading_in_every_version(scene: Scene, tmp_path: Path, version: int) -> None:
    scene.exchange(GOOD)
    (answer,) = scene.out.glob("FO.ACRF.*")

    async def act(sftp: asyncssh.SFTPClient) -> None:
        async with sftp.open(f"OUT/{answer.name}", "rb") as file:
            assert await file.read() == answer.read_bytes()
        for path in (f"OUT/{answer.name}", "OUT/x", "x"):
            with pytest.raises(asyncssh.SFTPError):
                await sftp.open(path, "wb")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.link(f"OUT/{answer.name}", "IN/x")

    with_asyncssh(scene, tmp_path, version, act)


def test_times_modes_and_sizes_may_be_set_without_harm(scene: Scene) -> None:
    sftp = scene.client.sftp()
    name = f"IN/FI.{people.key()}.1.1"
    with sftp.open(name, "wb") as file:
        file.write(GOOD + b"too much")
        file.chmod(0)
        file.utime((1, 1))
        file.truncate(len(GOOD))
    sftp.chmod(name, 0)
    sftp.utime(name, (1, 1))
    assert (scene.home / name).read_bytes() == GOOD
    assert (scene.home / name).stat().st_mode & 0o400
    sftp.truncate(name, 5)
    assert sftp.stat(name).st_size == 5


def test_an_upload_may_be_continued(scene: Scene) -> None:
    sftp = scene.client.sftp()
    name = f"IN/FI.{people.key()}.1.1"
    scene.client.put(sftp, name, GOOD[:100])
    with sftp.open(name, "ab") as file:
        file.write(GOOD[100:])
    assert (scene.home / name).read_bytes() == GOOD


def test_a_plain_rename_does_not_overwrite_but_the_posix_one_does(scene: Scene) -> None:
    sftp = scene.client.sftp()
    scene.client.put(sftp, "IN/a.part", b"new")
    scene.client.put(sftp, "IN/b", b"old")
    with pytest.raises(OSError, match="exists"):
        sftp.rename("IN/a.part", "IN/b")
    sftp.posix_rename("IN/a.part", "IN/b")
    assert (scene.home / "IN" / "b").read_bytes() == b"new"


def test_an_upload_may_be_taken_back(scene: Scene) -> None:
    sftp = scene.client.sftp()
    name = f"IN/FI.{people.key()}.1.1"
    scene.client.put(sftp, name, GOOD)
    sftp.remove(name)
    assert sftp.listdir("IN") == []
    assert scene.exchange(GOOD).result == "1"
    received = json.loads((scene.archive(people.key()) / "received.json").read_text())
    assert len(received["files"]) == 3


def test_files_that_are_no_exchange_files_stay_where_they_are(scene: Scene) -> None:
    sftp = scene.client.sftp()
    scene.client.put(sftp, "IN/readme.txt", b"hello")
    scene.exchange(GOOD)
    assert sftp.listdir("IN") == ["readme.txt"]


def test_a_large_file_arrives_whole(scene: Scene) -> None:
    sftp = scene.client.sftp()
    content = bytes(range(256)) * 8192
    with sftp.open("IN/big.part", "wb") as file:
        file.set_pipelined(True)
        file.write(content)
    assert (scene.home / "IN" / "big.part").read_bytes() == content


def test_other_keys_than_rsa_stay_out_when_only_ssh_rsa_enters(scene: Scene, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "ed25519")
    scene.senders[0]["ssh_keys"].append(key.export_public_key().decode().strip())
    people.write_senders(scene.root, scene.senders)
    scene.client.key = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "ed25519"))
    assert scene.client.transport().is_authenticated()
    scene.simulator.set_switches(ssh_rsa_only=True)
    with pytest.raises(paramiko.SSHException):
        scene.client.transport()


def test_no_shell_and_no_command(scene: Scene) -> None:
    transport = scene.client.transport()
    channel = transport.open_session()
    with pytest.raises(paramiko.SSHException):
        channel.exec_command("id")
    with pytest.raises(paramiko.SSHException):
        transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1))
