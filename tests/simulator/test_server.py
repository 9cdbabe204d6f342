"""A set goes in, ACRF and NOTI come out; who may enter; and the handle for tests."""

import json
import threading

import paramiko
import pytest

from simulator.server import Simulator
from tests.simulator import people
from tests.simulator.conftest import Scene

GOOD = people.document(people.form())


def test_a_good_set_is_acknowledged_and_every_form_is_answered(scene: Scene) -> None:
    content = people.document(people.form("OWN-1"), people.form("OWN-2", INSS=people.BRAM))

    acrf = scene.exchange(content)

    assert (acrf.result, acrf.codes) == ("1", [])
    assert acrf.file_name == f"GO.{people.key()}.1"
    assert len(acrf.ticket) == 13
    first, second = scene.outcomes()
    assert [first.own, second.own] == ["OWN-1", "OWN-2"]
    assert [first.result, second.result] == ["1", "1"]
    assert first.file_name == acrf.file_name
    assert len({acrf.ticket, first.ticket, second.ticket}) == 3


def test_the_archive_keeps_every_byte_and_the_order_of_arrival(scene: Scene) -> None:
    scene.exchange(GOOD)

    archive = scene.archive(people.key())
    assert (archive / f"FI.{people.key()}.1.1").read_bytes() == GOOD
    assert (archive / f"GO.{people.key()}.1").read_bytes() == b""
    received = json.loads((archive / "received.json").read_text())
    assert [entry["name"][:2] for entry in received["files"]] == ["FI", "FS", "GO"]
    assert received["files"][0]["bytes"] == len(GOOD)
    assert list((scene.home / "IN").iterdir()) == []


def test_a_stranger_does_not_enter(scene: Scene) -> None:
    key = paramiko.RSAKey.generate(2048)
    stranger = people.Client("acme-sftp", key, scene.client.signer, scene.client.port, scene.client.host_key)
    with pytest.raises(paramiko.AuthenticationException):
        stranger.transport()
    stranger.close()
    scene.client.username = "nobody"
    with pytest.raises(paramiko.AuthenticationException):
        scene.client.transport()
    assert not (scene.root / "home" / "nobody").exists()


def test_a_key_opens_one_door_only(scene: Scene) -> None:
    scene.client.username = "other-sftp"
    with pytest.raises(paramiko.AuthenticationException):
        scene.client.transport()


def test_passwords_are_not_taken(scene: Scene) -> None:
    transport = paramiko.Transport(("127.0.0.1", scene.simulator.port))
    scene.client.open_ones.append(transport)
    transport.start_client()
    with pytest.raises(paramiko.BadAuthenticationType) as refused:
        transport.auth_password("acme-sftp", "secret", fallback=False)
    assert refused.value.allowed_types == ["publickey"]


def test_a_new_sender_enters_without_a_restart(scene: Scene, rsa_key: paramiko.RSAKey) -> None:
    scene.senders.append(
        {
            "number": "104419",
            "username": "new-sftp",
            "ssh_keys": ["not a key", f"ssh-rsa {rsa_key.get_base64()}"],
            "certificates": [],
            "applications": [],
        }
    )
    people.write_senders(scene.root, scene.senders)
    scene.client.username = "new-sftp"
    assert sorted(scene.client.sftp().listdir(".")) == sorted(
        ["IN", "OUT", "INTEST", "OUTTEST", "INTEST-S", "OUTTEST-S"]
    )


def test_several_channels_over_one_connection(scene: Scene) -> None:
    transport = scene.client.transport()
    first = paramiko.SFTPClient.from_transport(transport)
    second = paramiko.SFTPClient.from_transport(transport)
    assert first is not None
    assert second is not None
    scene.client.put(first, f"IN/FI.{people.key()}.1.1", GOOD)
    scene.client.put(second, f"IN/FS.{people.key()}.1.1", scene.client.signer.sign(GOOD))
    scene.client.put(first, f"IN/GO.{people.key()}.1", b"")
    scene.simulator.settle()
    assert people.acrfs(scene.out)[0].result == "1"


def test_what_a_client_may_not_do(scene: Scene) -> None:
    sftp = scene.client.sftp()
    for refused in (
        lambda: sftp.open("OUT/FO.X", "wb"),
        lambda: sftp.open("x", "wb"),
        lambda: sftp.open("IN/é", "wb"),
        lambda: sftp.open("IN/a\nb", "wb"),
        lambda: sftp.mkdir("IN/x"),
        lambda: sftp.rmdir("IN"),
        lambda: sftp.symlink("/etc", "IN/x"),
        lambda: sftp.rename("IN", "OUT"),
        lambda: sftp.rename("IN", "IN/x"),
        lambda: sftp.remove("IN"),
    ):
        with pytest.raises(OSError, match=r"."):
            refused()
    with pytest.raises(FileNotFoundError):
        sftp.open("../../senders.json")


def test_stopping_does_not_wait_for_idle_clients(scene: Scene) -> None:
    sftp = scene.client.sftp()
    handle = sftp.open(f"IN/FI.{people.key()}.1.1", "wb")
    handle.write(b"half")
    stopping = threading.Thread(target=scene.simulator.stop)
    stopping.start()
    stopping.join(5)
    assert not stopping.is_alive()


def test_it_can_be_started_again(scene: Scene) -> None:
    scene.client.close()
    scene.simulator.stop()
    scene.simulator.start()
    scene.client.port = scene.simulator.port
    assert scene.exchange(GOOD).result == "1"


def test_a_taken_port_is_told_at_the_start(scene: Scene) -> None:
    with pytest.raises(OSError, match="address already in use"):
        Simulator(scene.root.parent / "other", port=scene.simulator.port).start()


def test_settle_gives_up_in_time(scene: Scene) -> None:
    scene.simulator.set_switches(acrf_delay=60)
    scene.client.send(GOOD, key=people.key())
    with pytest.raises(TimeoutError):
        scene.simulator.settle(0.2)


def test_a_broken_set_does_not_stop_the_next(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.simulator.set_switches(hold_go=True)
    scene.client.send(GOOD, key=people.key("A0001"))
    scene.client.send(people.document(people.form(Title="B")), key=people.key("A0002"))
    for path in scene.archive(people.key("A0001")).glob("FI.*"):
        path.unlink()
        path.mkdir()
    scene.simulator.set_switches(hold_go=None)
    scene.simulator.settle()
    assert [acrf.file_name for acrf in people.acrfs(scene.out)] == [f"GO.{people.key('A0002')}.1"]
    assert "could not be decided" in caplog.text
