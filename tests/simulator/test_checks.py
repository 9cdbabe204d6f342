"""Sets that are refused: one over the wire for every code, with its ACRF and nothing else."""

import datetime as dt
import json

import pytest

from simulator.moments import today
from tests.simulator import people
from tests.simulator.conftest import Scene

GOOD = people.document(people.form())


def refused(scene: Scene, acrf: people.Acrf) -> list[str]:
    assert acrf.result == "0"
    assert scene.outcomes() == []
    return acrf.codes


def day(offset: int) -> str:
    return f"{today() + dt.timedelta(days=offset):%Y%m%d}"


@pytest.mark.parametrize(
    ("key", "directory", "code"),
    [
        (people.key().replace(people.SENDER, people.OTHER), "IN", "108"),
        (people.key(day="2025101"), "IN", "109"),
        (people.key(day="20251340"), "IN", "110"),
        (people.key(day=day(1)), "IN", "111"),
        (people.key("A01"), "IN", "112"),
        (people.key("a-b_c"), "IN", "367"),
        (people.key(environment="P"), "IN", "117"),
        (people.key(), "INTEST", "118"),
        (people.key(environment="T"), "IN", "119"),
        (people.key(environment="S"), "INTEST", "257"),
        (people.key(day=day(-32)), "IN", "126"),
        (people.key("00000"), "IN", "127"),
        (people.key(code="DIMN"), "IN", "154"),
    ],
)
def test_names_that_are_refused(scene: Scene, key: str, directory: str, code: str) -> None:
    scene.client.send(GOOD, key=key, directory=directory)
    scene.simulator.settle()
    outbox = scene.home / directory.replace("IN", "OUT")
    (acrf,) = people.acrfs(outbox)
    assert (acrf.result, acrf.codes) == ("0", [f"ACRF-{code}"])
    assert acrf.file_name == f"GO.{key}.1"
    assert people.outcomes(outbox) == []


@pytest.mark.parametrize(
    ("suffix", "code"), [("1.1", "107"), ("10", "114"), ("X", "115"), ("0", "116"), ("9", "120")]
)
def test_part_counts_that_are_refused(scene: Scene, suffix: str, code: str) -> None:
    acrf = scene.exchange(GOOD, marker=f"GO.{people.key()}.{suffix}")
    assert f"ACRF-{code}" in refused(scene, acrf)


def test_more_parts_than_allowed(scene: Scene) -> None:
    scene.simulator.set_switches(max_parts=1)
    assert refused(scene, scene.exchange(GOOD, GOOD)) == ["ACRF-128"]


def test_letters_in_the_sequence_where_digits_are_wanted(scene: Scene) -> None:
    scene.simulator.set_switches(numeric_sequence=True)
    assert refused(scene, scene.exchange(GOOD)) == ["ACRF-113"]


def test_a_missing_declaration_file(scene: Scene) -> None:
    assert refused(scene, scene.exchange(marker=f"GO.{people.key()}.1")) == ["ACRF-120", "ACRF-122"]


def test_a_missing_signature(scene: Scene) -> None:
    assert refused(scene, scene.exchange(GOOD, is_signed=False)) == ["ACRF-122"]


def test_a_signature_that_is_not_wanted(scene: Scene) -> None:
    scene.simulator.set_switches(unsigned="R")
    assert refused(scene, scene.exchange(GOOD)) == ["ACRF-121"]
    assert scene.exchange(GOOD, sequence="A0002", is_signed=False).result == "1"


@pytest.mark.parametrize(
    ("suffixes", "codes"),
    [
        (("FI", "1.2", "FS", "1.1"), ["ACRF-123"]),
        (("FI", "1.1", "FS", "1.2"), ["ACRF-124"]),
        (("FI", "1", "FS", "1.1"), ["ACRF-131"]),
        (("FI", "1.1", "FS", "1"), ["ACRF-132"]),
    ],
)
def test_parts_numbered_wrongly(scene: Scene, suffixes: tuple[str, ...], codes: list[str]) -> None:
    sftp = scene.client.sftp()
    scene.client.put(sftp, f"IN/{suffixes[0]}.{people.key()}.{suffixes[1]}", GOOD)
    scene.client.put(sftp, f"IN/{suffixes[2]}.{people.key()}.{suffixes[3]}", scene.client.signer.sign(GOOD))
    scene.client.put(sftp, f"IN/GO.{people.key()}.1", b"")
    scene.simulator.settle()
    assert refused(scene, people.acrfs(scene.out)[0]) == codes


def test_a_signature_over_other_bytes(scene: Scene) -> None:
    sftp = scene.client.sftp()
    scene.client.put(sftp, f"IN/FI.{people.key()}.1.1", GOOD + b"\n")
    scene.client.put(sftp, f"IN/FS.{people.key()}.1.1", scene.client.signer.sign(GOOD))
    scene.client.put(sftp, f"IN/GO.{people.key()}.1", b"")
    scene.simulator.settle()
    assert refused(scene, people.acrfs(scene.out)[0]) == ["ACRF-125"]


def test_a_certificate_that_is_not_the_senders(scene: Scene, stranger: people.Signer) -> None:
    assert refused(scene, scene.exchange(GOOD, signer=stranger)) == ["ACRF-153"]


def test_an_unknown_prefix(scene: Scene) -> None:
    sftp = scene.client.sftp()
    scene.client.put(sftp, f"IN/GX.{people.key()}.1", b"")
    scene.simulator.settle()
    (acrf,) = people.acrfs(scene.out)
    assert refused(scene, acrf) == ["ACRF-129"]
    assert acrf.file_name == f"GX.{people.key()}.1"


def test_files_whose_go_never_comes(scene: Scene) -> None:
    sftp = scene.client.sftp()
    scene.client.put(sftp, f"IN/FI.{people.key()}.1.1", GOOD)
    scene.simulator.settle()
    assert people.acrfs(scene.out) == []
    scene.simulator.set_switches(go_timeout=0.05)
    scene.wait(lambda: bool(people.acrfs(scene.out)))
    (acrf,) = people.acrfs(scene.out)
    assert refused(scene, acrf) == ["ACRF-130"]
    assert acrf.file_name == f"GO.{people.key()}.1"
    assert list((scene.home / "IN").iterdir()) == []


def test_a_name_may_be_used_once_even_after_a_refusal(scene: Scene) -> None:
    assert scene.exchange(b"<broken").codes == ["ACRF-102"]
    assert refused(scene, scene.exchange(GOOD)) == ["ACRF-133"]
    assert scene.exchange(GOOD, sequence="A0002").result == "1"
    assert refused(scene, scene.exchange(GOOD, sequence="A0002")) == ["ACRF-133"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (GOOD[:-5], "102"),
        (b"", "102"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + GOOD.partition(b"?>")[2], "102"),
        (GOOD.replace(b"UTF-8", b"windows-1252", 1), "138"),
        (GOOD.decode().encode("utf-16"), "138"),
        (people.document(), "157"),
        (people.document(people.form(identification="ATDO001")), "158"),
        (GOOD.replace(b"GenericXmlDocument", b"OtherDocument"), "158"),
        (people.document(people.form(), "<Note/>"), "205"),
        (people.document(people.form(Title=None)), "312"),
        (people.document(people.form(payload='<Other xmlns="urn:other"/>')), "312"),
        (people.document(people.form(StartDate="2025-02-30")), "312"),
        (people.document(people.form(Cost="12.5")), "312"),
        (people.document(people.form(payload="<!-- nothing -->")), "312"),
    ],
)
def test_content_that_is_refused(scene: Scene, content: bytes, code: str) -> None:
    assert refused(scene, scene.exchange(content)) == [f"ACRF-{code}"]


def test_too_many_forms_in_a_file_and_in_a_set(scene: Scene) -> None:
    scene.simulator.set_switches(max_forms=2, max_forms_per_set=3)
    three = people.document(*(people.form(f"OWN-{number}") for number in range(3)))
    assert refused(scene, scene.exchange(three)) == ["ACRF-275"]
    two = people.document(people.form("OWN-1"), people.form("OWN-2"))
    assert refused(scene, scene.exchange(two, two, sequence="A0002")) == ["ACRF-172"]


def test_more_than_500_forms(scene: Scene) -> None:
    many = people.document(*(people.form(f"OWN-{number}") for number in range(501)))
    assert refused(scene, scene.exchange(many)) == ["ACRF-275"]


def test_a_file_above_the_size_limit(scene: Scene) -> None:
    scene.simulator.set_switches(max_file_bytes=len(GOOD) - 1)
    assert refused(scene, scene.exchange(GOOD)) == ["ACRF-184"]


def test_an_employer_reserved_to_another_sender(scene: Scene) -> None:
    scene.world["employers"][0]["only_sender"] = people.OTHER
    people.write_world(scene.root, scene.world)
    assert refused(scene, scene.exchange(GOOD)) == ["ACRF-101"]


def test_the_reason_is_kept_beside_the_files(scene: Scene) -> None:
    scene.exchange(people.document(people.form(Title=None)))
    decision = json.loads((scene.archive(people.key()) / "decided.json").read_text())
    assert decision["result"] == 0
    assert decision["refusals"][0]["code"] == "312"
    assert "Title" in decision["refusals"][0]["why"]


@pytest.mark.parametrize("is_signed", [True, False])
def test_simulation_takes_files_with_and_without_signature(scene: Scene, *, is_signed: bool) -> None:
    key = people.key(environment="S")
    scene.client.send(GOOD, key=key, directory="INTEST-S", is_signed=is_signed)
    scene.simulator.settle()
    (acrf,) = people.acrfs(scene.home / "OUTTEST-S")
    assert acrf.result == "1"


def test_a_test_without_signature_is_refused(scene: Scene) -> None:
    scene.client.send(GOOD, key=people.key(environment="T"), directory="INTEST", is_signed=False)
    scene.simulator.settle()
    (acrf,) = people.acrfs(scene.home / "OUTTEST")
    assert acrf.codes == ["ACRF-122"]
