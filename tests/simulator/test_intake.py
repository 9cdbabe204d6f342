"""How sets are taken: renames, repeats, TD, restarts."""

import json
import threading

import paramiko
import pytest

from simulator.server import Simulator
from tests.simulator import people
from tests.simulator.conftest import Scene

GOOD = people.document(people.form())


def upload(scene: Scene, sftp: paramiko.SFTPClient, *prefixes: str, key: str) -> None:
    for prefix in prefixes:
        content = {"FI": GOOD, "FS": scene.client.signer.sign(GOOD)}.get(prefix, b"")
        suffix = "1.1" if prefix in ("FI", "FS") else "1"
        scene.client.put(sftp, f"IN/{prefix}.{key}.{suffix}", content)


def states(scene: Scene) -> list[str]:
    return [row["state"] for row in scene.simulator._store.rows("select state from sets order by id")]


@pytest.mark.parametrize("how", ["rename", "posix_rename"])
def test_a_go_that_is_renamed_into_place_counts(scene: Scene, how: str) -> None:
    key = people.key()
    sftp = scene.client.sftp()
    upload(scene, sftp, "FI", "FS", key=key)
    scene.client.put(sftp, f"IN/GO.{key}.1.part", b"")
    scene.simulator.settle()
    assert states(scene) == []
    getattr(sftp, how)(f"IN/GO.{key}.1.part", f"IN/GO.{key}.1")
    scene.simulator.settle()
    assert people.acrfs(scene.out)[0].result == "1"


def test_the_files_are_gone_before_the_client_can_look(scene: Scene) -> None:
    sftp = scene.client.sftp()
    upload(scene, sftp, "FI", "FS", "GO", key=people.key())
    assert sftp.listdir("IN") == []
    with pytest.raises(FileNotFoundError):
        sftp.stat(f"IN/GO.{people.key()}.1")


def test_files_of_another_set_stay(scene: Scene) -> None:
    sftp = scene.client.sftp()
    upload(scene, sftp, "FI", "FS", key=people.key("B0001"))
    upload(scene, sftp, "FI", "FS", "GO", key=people.key("A0001"))
    assert sorted(name[:2] for name in sftp.listdir("IN")) == ["FI", "FS"]


def test_a_repeated_upload_counts_from_its_last_time(scene: Scene) -> None:
    key = people.key()
    sftp = scene.client.sftp()
    upload(scene, sftp, "FS", "FI", "FS", "FI", "GO", key=key)
    scene.simulator.settle()
    received = json.loads((scene.archive(key) / "received.json").read_text())
    assert [(one["name"][:2], one["uploads"]) for one in received["files"]] == [
        ("FS", 2),
        ("FI", 2),
        ("GO", 1),
    ]
    moments = [one["arrived_at"] for one in received["files"]]
    assert moments == sorted(moments)


def test_a_go_that_came_first_is_seen_in_the_receipt(scene: Scene) -> None:
    scene.simulator.set_switches(leave_after_go=1)
    key = people.key()
    upload(scene, scene.client.sftp(), "GO", "FI", "FS", key=key)
    scene.simulator.settle()
    received = json.loads((scene.archive(key) / "received.json").read_text())
    assert [one["name"][:2] for one in received["files"]] == ["GO", "FI", "FS"]


def test_td_cancels_a_set_that_was_not_started(scene: Scene) -> None:
    sftp = scene.client.sftp()
    upload(scene, sftp, "FI", "FS", "TD", key=people.key())
    scene.simulator.settle()
    assert sftp.listdir("IN") == []
    assert sftp.listdir("OUT") == []
    assert states(scene) == ["cancelled"]
    assert scene.exchange(GOOD).result == "1", "the name was not used up"


def test_td_cancels_a_held_set(scene: Scene) -> None:
    scene.simulator.set_switches(hold_go=True)
    sftp = scene.client.sftp()
    upload(scene, sftp, "FI", "FS", "GO", "TD", key=people.key())
    scene.simulator.set_switches(hold_go=None)
    scene.simulator.settle()
    assert sftp.listdir("OUT") == []
    assert states(scene) == ["cancelled", "cancelled"]


def test_td_cancels_a_set_whose_go_still_lies_there(scene: Scene) -> None:
    scene.simulator.set_switches(leave_after_go=60)
    sftp = scene.client.sftp()
    upload(scene, sftp, "FI", "FS", "GO", "TD", key=people.key())
    scene.simulator.settle()
    assert sftp.listdir("IN") == []
    assert sftp.listdir("OUT") == []


def test_td_comes_too_late(scene: Scene) -> None:
    scene.exchange(GOOD)
    upload(scene, scene.client.sftp(), "TD", key=people.key())
    scene.simulator.settle()
    assert len(people.acrfs(scene.out)) == 1
    assert states(scene) == ["decided", "cancelled"]


def test_td_of_one_set_leaves_the_next(scene: Scene) -> None:
    scene.simulator.set_switches(hold_go=True)
    sftp = scene.client.sftp()
    upload(scene, sftp, "FI", "FS", "GO", key=people.key("A0001"))
    upload(scene, sftp, "FI", "FS", "GO", key=people.key("A0002"))
    upload(scene, sftp, "TD", key=people.key("A0001"))
    scene.simulator.set_switches(hold_go=None)
    scene.simulator.settle()
    assert [acrf.file_name for acrf in people.acrfs(scene.out)] == [f"GO.{people.key('A0002')}.1"]


def test_environments_have_their_own_registers(scene: Scene) -> None:
    for environment, inbox, outbox in (
        ("R", "IN", "OUT"),
        ("T", "INTEST", "OUTTEST"),
        ("S", "INTEST-S", "OUTTEST-S"),
    ):
        scene.client.send(GOOD, key=people.key(environment=environment), directory=inbox)
        scene.simulator.settle()
        (outcome,) = people.outcomes(scene.home / outbox)
        assert (outcome.result, outcome.anomalies) == ("1", [])


def test_several_clients_at_once(scene: Scene) -> None:
    def send(number: int) -> None:
        content = people.document(people.form(f"OWN-{number}", Title=f"T{number}"))
        scene.client.send(content, key=people.key(f"A{number:04d}"))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scene.simulator.settle()
    assert [acrf.result for acrf in people.acrfs(scene.out)] == ["1"] * 5
    tickets = [outcome.ticket for outcome in people.outcomes(scene.out)]
    assert len(set(tickets)) == 5


def test_a_restart_remembers_names_tickets_and_trainings(scene: Scene) -> None:
    scene.exchange(GOOD)
    (first,) = scene.outcomes()
    scene.client.close()
    scene.simulator.stop()
    with Simulator(scene.root) as again:
        assert again.host_key == scene.simulator.host_key
        scene.simulator, scene.client.port = again, again.port
        assert scene.exchange(GOOD).codes == ["ACRF-133"]
        scene.exchange(people.document(people.form("OWN-2")), sequence="A0002")
        (second,) = scene.outcomes()
        assert second.anomalies[0][0] == "99000-272"
        assert second.ticket > first.ticket
        cancel = people.document(people.form("OWN-3", status="3", earlier=first.ticket))
        scene.exchange(cancel, sequence="A0003")
        assert scene.outcomes()[0].result == "1"
        scene.client.close()


def test_a_go_that_came_while_nobody_looked_is_seen_at_the_start(scene: Scene) -> None:
    scene.client.close()
    scene.simulator.stop()
    key = people.key()
    (scene.home / "IN" / f"FI.{key}.1.1").write_bytes(GOOD)
    (scene.home / "IN" / f"FS.{key}.1.1").write_bytes(scene.client.signer.sign(GOOD))
    (scene.home / "IN" / f"GO.{key}.1").write_bytes(b"")
    with Simulator(scene.root) as again:
        again.settle()
        assert people.acrfs(scene.out)[0].result == "1"


def test_a_set_half_taken_is_taken_to_the_end(scene: Scene) -> None:
    """Killed between two moves: FI is in the archive, FS and GO still lie in IN."""
    scene.client.close()
    key = people.key()
    archive = scene.root / "archive" / people.SENDER / "2025-10-15" / key
    scene.simulator._store.insert(
        "insert into sets (username, sender, directory, marker, key, archive, state, taken_at, preset)"
        " values ('acme-sftp', ?, 'IN', ?, ?, ?, 'taking', '2025-10-15', '')",
        people.SENDER,
        f"GO.{key}.1",
        key,
        str(archive.relative_to(scene.root)),
    )
    scene.simulator.stop()
    archive.mkdir(parents=True)
    (archive / f"FI.{key}.1.1").write_bytes(GOOD)
    (scene.home / "IN" / f"FS.{key}.1.1").write_bytes(scene.client.signer.sign(GOOD))
    (scene.home / "IN" / f"GO.{key}.1").write_bytes(b"")
    with Simulator(scene.root) as again:
        again.settle()
        (acrf,) = people.acrfs(scene.out)
        assert (acrf.result, acrf.codes) == ("1", [])
        assert sorted(path.name[:2] for path in archive.iterdir()) == ["FI", "FS", "GO", "de", "re"]
