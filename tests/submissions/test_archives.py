"""The rescue archive: whole, true, readable elsewhere; hostile ones are refused before anything is made."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mandates.models import Contract, Employer, Mandate, Worker
from portal.models import Event
from portal.moving import LostRace
from submissions.archiving import reading
from submissions.conserving import account
from submissions.importing import keeping, undoing
from submissions.importing.telling import told
from submissions.models import Declaration, FormerDeclaration, ImportFault, RegisterImport, TrainingRecord
from tests import factories
from tests.people import Person
from tests.submissions.archived import (
    applied,
    brought,
    changed,
    comparable,
    files_of,
    register,
    taken,
    zipped,
)
from tests.submissions.register_files import worked

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(operator: Person) -> bytes:
    with operator.scope():
        register()
    return taken(operator)


def stands(made: RegisterImport) -> tuple[str, int, int, int, int]:
    return made.state, made.total, made.bad, made.same, made.done


def why(person: Person, made: RegisterImport) -> str:
    with person.scope():
        return " ".join(told(fault) for row in ImportFault.objects.filter(of=made) for fault in row.faults)


def test_an_archive_is_whole_and_says_what_is_in_it(operator: Person, archive: bytes) -> None:
    files = files_of(archive)
    manifest = json.loads(files.pop("manifest.json"))
    assert (manifest["format"], manifest["version"]) == ("mandataire.archive", 1)
    assert (manifest["employers"], manifest["workers"]) == (2, 2)
    assert {one["name"]: one["sha256"] for one in manifest["files"]} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
    with operator.scope():
        worker = Worker.objects.select_related("employer").get(given_name="Zoé")
        events = list(Event.objects.filter(verb="archive.completed").values_list("data", flat=True))
        niss = worker.niss
    assert [event["workers"] for event in events] == [2]
    assert not any(niss in name for name in files)
    folder = worker.employer.number
    text = files[f"{folder}/trainings.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert rows[0]["NISS"].replace(".", "").replace("-", "") == niss
    assert (rows[0]["Family name"], rows[0]["Your reference"]) == ("'=O'Connor", "'0001")
    assert rows[0]["Title"] == 'Sécurité "1"\n2'
    declared = files[f"{folder}/declarations.csv"].decode()
    assert "'0123456789ABC" in declared or "0123456789ABC" in declared
    assert "Bureau d'avant" in declared


def test_another_office_reads_it_and_its_own_archive_says_the_same(
    operator: Person, stranger: Person, archive: bytes
) -> None:
    made = brought(stranger, archive)
    assert stands(made) == ("checked", 4, 0, 0, 0), why(stranger, made)
    with stranger.scope():
        assert not Employer.objects.exists()
    assert stands(applied(stranger, made)) == ("applied", 4, 0, 0, 4)
    here, there = comparable(taken(stranger)), comparable(archive)
    assert here.keys() == there.keys()
    for name, found in here.items():
        assert found["employer"] == there[name]["employer"]
        for mine, theirs in zip(found["workers"], there[name]["workers"], strict=True):
            # What somebody asked at the other office is told in its archive, and is not asked here again.
            assert len(theirs["correction_requests"]) == bool(theirs["trainings"])
            assert mine.pop("correction_requests") == []
            for part, value in mine.items():
                assert value == theirs[part], part
    with stranger.scope():
        # Nothing leaves for it: no mandate, and what was declared is history.
        assert not Declaration.objects.exists()
        assert not Mandate.objects.exists()
        origins = dict(FormerDeclaration.objects.values_list("ticket", "origin_name").order_by("-pk"))
        assert FormerDeclaration.objects.count() == 2
        assert set(origins.values()) <= {operator.mandataire.name, "Bureau d'avant"}
        assert Event.objects.filter(verb="register.rows_imported").exists()
        with pytest.raises(LostRace):
            undoing.begin(RegisterImport.objects.get(pk=made.pk))
    assert not account(stranger.mandataire.pk).breaks


def test_the_same_archive_twice_changes_nothing(operator: Person, stranger: Person, archive: bytes) -> None:
    assert stands(brought(operator, archive)) == ("checked", 4, 0, 4, 0)
    applied(stranger, brought(stranger, archive))
    again = brought(stranger, archive)
    assert stands(again) == ("checked", 4, 0, 4, 0)


def test_what_is_missing_is_added_and_what_differs_is_named(
    operator: Person, stranger: Person, archive: bytes
) -> None:
    applied(stranger, brought(stranger, archive))
    with stranger.scope():
        worker = Worker.objects.get(given_name="Zoé")
        Contract.objects.filter(worker=worker).delete()
        Worker.objects.filter(family_name="Abts").delete()
    made = brought(stranger, archive)
    assert stands(made) == ("checked", 4, 0, 2, 0)
    assert stands(applied(stranger, made))[4] == 2
    with stranger.scope():
        assert Contract.objects.filter(worker=worker).count() == 1
        TrainingRecord.objects.filter(client_reference="0001").update(title="Autre")
        Contract.objects.filter(worker=worker).update(regime=50)
    made = brought(stranger, archive)
    assert stands(made) == ("checked", 4, 1, 3, 0)
    assert "This reference is that of another training" in why(stranger, made)
    assert "This contract is known" in why(stranger, made)


def edited(worker: dict[str, Any]) -> list[dict[str, Any]]:
    """One bad copy of a worker for each thing that may be wrong."""

    def bad(**values: Any) -> dict[str, Any]:
        return {**worker, **values}

    def training(**values: Any) -> dict[str, Any]:
        return bad(trainings=[{**worker["trainings"][0], **values}])

    (contract,) = worker["contracts"]
    return [
        bad(niss="85073003329"),
        bad(niss=85073003328),
        bad(family_name="x" * 101),
        bad(given_name="\u0000"),
        bad(language="xx"),
        bad(contracts=[{**contract, "regime": "1e999"}]),
        bad(contracts=[{**contract, "regime": "NaN"}]),
        bad(contracts=[{**contract, "joint_committee": "999999"}]),
        bad(contracts=[{**contract, "left_on": "1999-01-01"}]),
        bad(contracts="none"),
        bad(manual_rights=[{}]),
        bad(former_numbers=[{"niss": worker["niss"]}]),
        training(starts_on="2025-02-30"),
        training(duration_minutes=-1),
        training(duration_minutes=True),
        training(kind="other"),
        training(client_reference=""),
        training(declarations=[{}]),
        training(declarations=[{**worker["trainings"][0]["declarations"][0], "ticket": "x" * 14}]),
    ]


def test_every_line_that_was_tampered_with_is_named_by_its_place(
    operator: Person, stranger: Person, archive: bytes
) -> None:
    with operator.scope():
        folder = Worker.objects.select_related("employer").get(given_name="Zoé").employer.number
    name = f"{folder}/dossier.json"
    bad_count = 0

    def spoil(files: dict[str, bytes]) -> None:
        nonlocal bad_count
        head, *_rest = files[name].decode().split("\n")
        worker = next(one for one in json.loads(files[name])["workers"] if one["trainings"])
        lines = [json.dumps(one) for one in edited(worker)] + ["[" * 90_000, "[1]", "{"]
        bad_count = len(lines)
        files[name] = (head + "\n" + ",\n".join(lines) + "\n]}\n").encode()

    made = brought(stranger, changed(archive, spoil))
    with stranger.scope():
        faults = list(ImportFault.objects.filter(of=made).order_by("line"))
    assert len(faults) == made.bad == bad_count
    assert all(f"{name}:" in fault[3] for row in faults for fault in row.faults)
    with stranger.scope(), pytest.raises(LostRace):
        undoing.begin(made)
    made = applied(stranger, made, is_whole=False)
    with stranger.scope():
        assert not Worker.objects.exists()
        assert Employer.objects.count() == 2


def test_a_reference_that_two_workers_share_stops_all_or_none(
    operator: Person, stranger: Person, archive: bytes
) -> None:
    def share(files: dict[str, bytes]) -> None:
        for name in [name for name in files if name.endswith("dossier.json")]:
            told = json.loads(files[name])
            if len(told["workers"]) == 2:
                told["workers"][1]["trainings"] = told["workers"][0]["trainings"]
                workers = [json.dumps(one) for one in told.pop("workers")]
                head = json.dumps(told).removesuffix("}") + ', "workers": ['
                files[name] = (head + "\n" + ",\n".join(workers) + "\n]}\n").encode()

    made = brought(stranger, changed(archive, share))
    assert stands(made) == ("checked", 4, 1, 0, 0)
    assert "Two trainings of this archive" in why(stranger, made)


def hostile(archive: bytes) -> dict[str, bytes]:
    """Archives that are to be refused as a whole."""
    files = files_of(archive)
    folder = next(name for name in files if name.endswith("dossier.json")).partition("/")[0]
    dossier = f"{folder}/dossier.json"

    def outside(found: dict[str, bytes]) -> None:
        found["../../etc/passwd"] = b""

    def longer(found: dict[str, bytes]) -> None:
        found[dossier] += b" "

    def bomb(found: dict[str, bytes]) -> None:
        found[f"{folder}/rights.csv"] = bytes(50_000_000)

    def long_line(found: dict[str, bytes]) -> None:
        found[dossier] = bytes(range(1, 10)) + found[dossier][:100] + b'"' + b"x" * 600_000

    manifest = json.loads(files["manifest.json"])
    return {
        "no zip": b"PK\x03\x04" + b"x" * 100,
        "empty": b"",
        "a name that leads out": changed(archive, outside),
        "a file that was changed": changed(archive, longer, is_signed=False),
        "a file too much": zipped({**files, f"{folder}/workers.csv.exe": b""}),
        "no manifest": zipped({name: data for name, data in files.items() if name != "manifest.json"}),
        "cut off": archive[: len(archive) // 2],
        "a bomb": changed(archive, bomb),
        "a line without an end": changed(archive, long_line),
        "another version": zipped(
            {**files, "manifest.json": json.dumps({**manifest, "version": 99}).encode()}
        ),
        "a manifest that is none": zipped({**files, "manifest.json": b"[]"}),
        "a manifest without files": zipped(
            {**files, "manifest.json": json.dumps({**manifest, "files": 1}).encode()}
        ),
        "a deep manifest": zipped({**files, "manifest.json": b"[" * 100_000}),
    }


def test_a_hostile_archive_is_refused_as_a_whole(stranger: Person, archive: bytes) -> None:
    for name, content in hostile(archive).items():
        made = brought(stranger, content)
        assert (made.state, made.total) == ("unreadable", 0), name
        assert made.refusal[0], name
    with stranger.scope():
        assert not Employer.objects.exists()


def test_too_many_files_are_refused_before_they_are_listed(
    archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_FILES", 3)
    with pytest.raises(reading.Unreadable):
        reading.check(lambda: [archive])


def test_one_client_s_file_takes_no_other_client(operator: Person, stranger: Person, archive: bytes) -> None:
    with operator.scope():
        client = Worker.objects.select_related("employer").get(given_name="Zoé").employer
    with stranger.scope():
        mine = factories.employer(number=client.number)
        made = keeping.keep("archive.zip", [archive], RegisterImport.Kind.ARCHIVE, employer=mine)
    made = worked(stranger, made)
    assert (made.total, made.bad) == (4, 1)
    assert "about" in why(stranger, made)
    applied(stranger, made, is_whole=False)
    with stranger.scope():
        assert Employer.objects.count() == 1
        assert Worker.objects.filter(employer=mine).count() == 2


def test_the_queries_of_a_chunk_do_not_grow_with_its_rows(operator: Person, stranger: Person) -> None:
    def asked() -> int:
        content = taken(operator)
        with CaptureQueriesContext(connection) as queries:
            brought(stranger, content)
        return len(queries)

    with operator.scope():
        worker = register()
    asked()
    one = asked()
    with operator.scope():
        for number in range(8):
            other = factories.contract(factories.worker(worker.employer)).worker
            factories.declaration(factories.record(other, client_reference=f"R-{number}"))
    assert asked() == one
