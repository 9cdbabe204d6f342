"""The switches that break things: what the client sees, and what is left on the other side."""

import io
import time
import zipfile

import paramiko
import pytest

from simulator.signatures import verify_detached
from tests.simulator import people
from tests.simulator.conftest import Scene

GOOD = people.document(people.form())
BROKEN = (OSError, EOFError, paramiko.SSHException)


def names(scene: Scene, directory: str) -> list[str]:
    return sorted(path.name for path in (scene.home / directory).iterdir())


def test_the_connection_is_cut_in_the_middle_of_an_upload(scene: Scene) -> None:
    scene.simulator.set_switches(cut_after_bytes=500, times=1)
    with pytest.raises(BROKEN):
        scene.client.send(GOOD, key=people.key())
    fi = scene.home / "IN" / f"FI.{people.key()}.1.1"
    assert fi.read_bytes() == GOOD[:500]
    assert scene.exchange(GOOD).result == "1", "the switch went back by itself"


def test_bytes_are_counted_over_the_files_of_a_connection(scene: Scene) -> None:
    scene.simulator.set_switches(cut_after_bytes=len(GOOD) + 10)
    with pytest.raises(BROKEN):
        scene.client.send(GOOD, key=people.key())
    inbox = scene.home / "IN"
    assert (inbox / f"FI.{people.key()}.1.1").read_bytes() == GOOD
    assert (inbox / f"FS.{people.key()}.1.1").stat().st_size == 10


@pytest.mark.parametrize(("prefix", "left"), [("FI", []), ("FS", ["FI"]), ("GO", ["FI", "FS"])])
def test_the_connection_is_cut_before_a_file(scene: Scene, prefix: str, left: list[str]) -> None:
    scene.simulator.set_switches(cut_on_open=prefix, times=1)
    with pytest.raises(BROKEN):
        scene.client.send(GOOD, key=people.key())
    assert [name[:2] for name in names(scene, "IN")] == left
    scene.simulator.settle()
    assert people.acrfs(scene.out) == []


@pytest.mark.parametrize(("prefix", "left"), [("FI", ["FI"]), ("FS", ["FI", "FS"])])
def test_the_connection_is_cut_after_a_file(scene: Scene, prefix: str, left: list[str]) -> None:
    scene.simulator.set_switches(cut_on_close=prefix, times=1)
    with pytest.raises(BROKEN):
        scene.client.send(GOOD, key=people.key())
    assert [name[:2] for name in names(scene, "IN")] == left


def test_go_may_arrive_though_the_client_never_hears_it(scene: Scene) -> None:
    scene.simulator.set_switches(cut_on_close="GO", times=1)
    with pytest.raises(BROKEN):
        scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    assert people.acrfs(scene.out)[0].result == "1"
    assert names(scene, "IN") == []


def test_a_full_disk_says_so(scene: Scene) -> None:
    scene.simulator.set_switches(full_disk_after_bytes=100, times=1)
    sftp = scene.client.sftp()
    with pytest.raises(OSError, match="no space left"), sftp.open("IN/FI.X.1.1", "wb") as file:
        file.write(GOOD)
    assert sftp.stat("IN/FI.X.1.1").st_size == 100
    scene.client.put(sftp, "IN/FI.X.1.1", GOOD)
    assert sftp.stat("IN/FI.X.1.1").st_size == len(GOOD)


def test_a_full_disk_that_says_nothing_shows_in_the_size_only(scene: Scene) -> None:
    scene.simulator.set_switches(short_file_after_bytes=100, times=1)
    sftp = scene.client.sftp()
    scene.client.put(sftp, "IN/FI.X.1.1", GOOD)
    assert sftp.stat("IN/FI.X.1.1").st_size == 100
    scene.client.put(sftp, "IN/FI.X.1.1", GOOD)
    assert sftp.stat("IN/FI.X.1.1").st_size == len(GOOD)


def test_an_empty_disk_of_zero_bytes(scene: Scene) -> None:
    scene.simulator.set_switches(short_file_after_bytes=0)
    sftp = scene.client.sftp()
    scene.client.put(sftp, "IN/FI.X.1.1", GOOD)
    assert sftp.stat("IN/FI.X.1.1").st_size == 0


def test_log_in_is_refused(scene: Scene) -> None:
    scene.simulator.set_switches(refuse_login=True, times=1)
    with pytest.raises(paramiko.AuthenticationException):
        scene.client.transport()
    assert scene.exchange(GOOD).result == "1"


def test_only_the_legacy_signature_logs_in(scene: Scene) -> None:
    modern_only = {"pubkeys": ["ssh-rsa"]}
    legacy_only = {"pubkeys": ["rsa-sha2-256", "rsa-sha2-512"]}
    scene.simulator.set_switches(ssh_rsa_only=True)
    with pytest.raises(paramiko.SSHException):
        scene.client.transport(**modern_only)
    assert scene.client.transport(**legacy_only).is_authenticated()
    scene.simulator.set_switches(ssh_rsa_only=None)
    assert scene.client.transport(**modern_only).is_authenticated()


def test_the_server_says_which_signatures_it_takes(scene: Scene) -> None:
    scene.simulator.set_switches(ssh_rsa_only=True)
    assert scene.client.transport().server_extensions["server-sig-algs"] == b"ssh-rsa"


@pytest.mark.parametrize("is_legacy", [True, False])
def test_a_client_that_does_not_ask_is_checked_all_the_same(scene: Scene, *, is_legacy: bool) -> None:
    """Clients that know nothing of `server-sig-algs` sign as they like: the signature itself is looked at."""
    transport = paramiko.Transport(("127.0.0.1", scene.simulator.port))
    scene.client.open_ones.append(transport)
    scene.simulator.set_switches(ssh_rsa_only=is_legacy)
    transport.disabled_algorithms = {"pubkeys": ["ssh-rsa"]}
    transport.start_client()
    transport.server_extensions.clear()
    if is_legacy:
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_publickey("acme-sftp", scene.client.key)
    else:
        assert transport.auth_publickey("acme-sftp", scene.client.key) == []


def test_in_cannot_be_listed_but_out_can(scene: Scene) -> None:
    scene.simulator.set_switches(no_listing=True)
    sftp = scene.client.sftp()
    with pytest.raises(OSError, match="cannot be listed"):
        sftp.listdir("IN")
    assert sftp.listdir("OUT") == []


def test_go_stays_visible(scene: Scene) -> None:
    scene.simulator.set_switches(leave_after_go=600)
    scene.client.send(GOOD, key=people.key())
    assert [name[:2] for name in names(scene, "IN")] == ["FI", "FS", "GO"]


def test_go_is_taken_after_a_while(scene: Scene) -> None:
    scene.simulator.set_switches(leave_after_go=0.2)
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    assert names(scene, "IN") == []
    archive = scene.archive(people.key())
    arrived = (archive / f"GO.{people.key()}.1").stat().st_mtime
    assert (archive / "received.json").stat().st_mtime - arrived >= 0.2
    assert people.acrfs(scene.out)[0].result == "1"


def test_a_held_set_is_processed_when_released(scene: Scene) -> None:
    scene.simulator.set_switches(hold_go=True)
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    assert names(scene, "IN") == []
    assert names(scene, "OUT") == []
    scene.simulator.set_switches(hold_go=None)
    scene.simulator.settle()
    assert people.acrfs(scene.out)[0].result == "1"


def written(scene: Scene, kind: str) -> float:
    """When the FO of that kind was written, in seconds."""
    (path,) = scene.out.glob(f"FO.{kind}.*")
    return path.stat().st_mtime


def test_answers_can_be_late(scene: Scene) -> None:
    scene.simulator.set_switches(acrf_delay=0.2, noti_delay=0.3)
    before = time.time()
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    assert written(scene, "ACRF") - before >= 0.2
    assert written(scene, "NOTI") > written(scene, "ACRF")
    assert written(scene, "NOTI") - before >= 0.5


def test_noti_before_acrf(scene: Scene) -> None:
    scene.simulator.set_switches(out_of_order=True, noti_delay=0.3, times=1)
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    assert written(scene, "NOTI") < written(scene, "ACRF")
    assert people.acrfs(scene.out)[0].result == people.outcomes(scene.out)[0].result == "1"


def test_answers_as_zip(scene: Scene) -> None:
    scene.simulator.set_switches(answer_as_zip=True, times=1)
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    packed = [path for path in scene.out.iterdir() if path.name.startswith("CO.")]
    assert len(packed) == 2
    assert not [path for path in scene.out.iterdir() if path.name.startswith("FO.")]
    for path in packed:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            (inside,) = archive.namelist()
            assert inside == f"FO{path.name[2:]}"
            signature = scene.out / f"FS{path.name[2:]}"
            verify_detached(signature.read_bytes(), archive.read(inside))


def test_every_answer_twice_under_another_name(scene: Scene) -> None:
    scene.simulator.set_switches(answer_twice="other_name", times=1)
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    first, second = people.acrfs(scene.out)
    assert (first.file_name, first.ticket) == (second.file_name, second.ticket)
    assert first.name != second.name
    assert len({outcome.ticket for outcome in people.outcomes(scene.out)}) == 1
    assert len(people.outcomes(scene.out)) == 2


def test_every_answer_twice_under_the_same_name_once_it_was_removed(scene: Scene) -> None:
    scene.simulator.set_switches(answer_twice="same_name", times=1)
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    before = {path.name: path.read_bytes() for path in scene.out.iterdir()}
    assert len(before) == 6
    sftp = scene.client.sftp()
    for name in before:
        sftp.remove(f"OUT/{name}")
    scene.wait(lambda: len(names(scene, "OUT")) == 6)
    assert {path.name: path.read_bytes() for path in scene.out.iterdir()} == before
    for name in before:
        sftp.remove(f"OUT/{name}")
    scene.simulator.set_switches()
    scene.simulator.settle()
    assert names(scene, "OUT") == []


def test_garbage_besides_the_right_answers(scene: Scene) -> None:
    scene.simulator.set_switches(garbage=True, times=1)
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    answers = [path for path in scene.out.iterdir() if path.name.startswith("FO.")]
    unreadable = [path for path in answers if b"\x00" in path.read_bytes()]
    assert (len(answers), len(unreadable)) == (3, 1)


@pytest.mark.parametrize("kind", ["ACRF", "NOTI"])
def test_garbage_in_the_place_of_one_answer(scene: Scene, kind: str) -> None:
    scene.simulator.set_switches(garbage_only=kind, times=1)
    scene.client.send(GOOD, key=people.key())
    scene.simulator.settle()
    answers = [path for path in scene.out.iterdir() if path.name.startswith("FO.")]
    assert len(answers) == 2
    (unreadable,) = [path for path in answers if b"\x00" in path.read_bytes()]
    assert unreadable.name.startswith(f"FO.{kind}.")


def test_one_noti_per_part_or_per_set(scene: Scene) -> None:
    first = people.document(people.form("OWN-1"))
    second = people.document(people.form("OWN-2", INSS=people.BRAM))
    scene.exchange(first, second)
    assert [(one.own, one.name[-3:]) for one in scene.outcomes()] == [("OWN-1", "1.1"), ("OWN-2", "1.1")]
    assert len({one.name for one in scene.outcomes()}) == 2
    scene.simulator.set_switches(noti_per="set")
    scene.exchange(first, second, sequence="A0002")
    assert [one.own for one in scene.outcomes()] == ["OWN-1", "OWN-2"]
    assert len({one.name for one in scene.outcomes()}) == 1


def test_noti_without_file_reference_repeats_the_ticket(scene: Scene) -> None:
    scene.simulator.set_switches(no_file_reference=True)
    acrf = scene.exchange(GOOD)
    (outcome,) = scene.outcomes()
    assert outcome.file_name is None
    assert ("4", "2", acrf.ticket) in outcome.references
    assert outcome.own == "OWN-1"
