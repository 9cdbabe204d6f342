"""The dry run of a file for the register: every cell that spreadsheets spoil gets its sentence, or is read rightly."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest

from portal import tenancy
from portal.models import Event
from submissions.importing import checking, exporting, keeping, opening
from submissions.importing.cells import Unfit, cents, day, minutes, niss, percentage
from submissions.models import ImportFault, ImportPiece, RegisterImport, TrainingRecord
from tests import factories
from tests.mandates.workbooks import packed, sheet, workbook
from tests.people import Person
from tests.submissions.register_files import TRAINING, csv_of, training, uploaded, worked

# --- cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("21/11/2025", date(2025, 11, 21)),
        ("1-2-2025", date(2025, 2, 1)),
        ("2025-02-01", date(2025, 2, 1)),
        ("2025-02-01 00:00:00", date(2025, 2, 1)),
        ("29/02/2024", date(2024, 2, 29)),
    ],
)
def test_days_are_read_as_they_are_written_here(text: str, found: date) -> None:
    assert day(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("30/02/2025", "does not exist"),
        ("03/25/2025", "month in front"),
        ("01/02/25", "four digits"),
        ("45678", "number by which a spreadsheet keeps a day"),
        ("demain", "a day that exists"),
    ],
)
def test_a_day_that_cannot_be_read_says_what_to_do(text: str, told: str) -> None:
    with pytest.raises(Unfit) as caught:
        day(text)
    assert told in caught.value.sentence


@pytest.mark.parametrize(
    ("text", "unit", "found"),
    [
        ("7 h 36", 60, 456),
        ("7:36:00", 60, 456),
        ("7u36", 60, 456),
        ("7,6", 60, 456),
        ("2", 456, 912),
        ("45 min", 60, 45),
    ],
)
def test_durations_are_whole_minutes(text: str, unit: int, found: int) -> None:
    assert minutes(text, unit) == found


def test_what_is_no_whole_minute_is_refused() -> None:
    with pytest.raises(Unfit):
        minutes("0,333", 60)


def test_amounts_and_shares() -> None:
    assert (cents("1 250,5"), cents("€ 80")) == (125050, 8000)
    assert (str(percentage("79,95 %")), str(percentage("100"))) == ("79.95", "100.0")
    for text in ("0", "101", "full"):
        with pytest.raises(Unfit):
            percentage(text)


def test_a_number_that_lost_its_zeros_says_so_and_others_do_not() -> None:
    with pytest.raises(Unfit) as other:
        niss("123456789")
    assert "dropped" in other.value.sentence
    assert "the zeros in front of this number" not in other.value.sentence
    number = factories.make_niss(date(2001, 3, 4), 17)
    assert number.startswith("01")
    with pytest.raises(Unfit) as lost:
        niss(number.lstrip("0"))
    assert "dropped the zeros" in lost.value.sentence


# --- rows -----------------------------------------------------------------------------------------

HOSTILE = {
    "wrong check digits": ({"niss": "85.07.30-033.29"}, "niss", "check digits"),
    "rounded by a spreadsheet": ({"niss": "8.5E+10"}, "niss", "has rounded this number"),
    "no number": ({"niss": ""}, "niss", "missing"),
    "nobody's worker": (
        {"niss": factories.make_niss(date(1990, 5, 5), 33)},
        "niss",
        "import the workers first",
    ),
    "not a client": ({"employer": "0897223670"}, "employer", "not a client"),
    "30 February": ({"starts_on": "30/02/2025"}, "starts_on", "does not exist"),
    "a formula": ({"title": "=HYPERLINK(A1)"}, "title", "This is a formula"),
    "a failed formula": ({"nature": "#REF!"}, "nature", "A formula failed here"),
    "a rounded reference": ({"client_reference": "2.02501E+11"}, "client_reference", "rounded this number"),
    "an unknown word": ({"status": "peut-être"}, "status", "Write one of"),
    "days without their length": ({"day_minutes": ""}, "duration_minutes", "normal day"),
    "a long cell": ({"title": "x" * 100_000}, "title", "shorten it"),
    "nothing at all": ({"title": ""}, "title", "Fill in this field"),
    "the end before the start": ({"ends_on": "01/01/2025"}, "ends_on", "before the first day"),
}


@pytest.mark.parametrize(("cells", "column", "told"), HOSTILE.values(), ids=HOSTILE)
def test_a_bad_cell_gets_its_sentence_and_the_row_beside_it_is_good(
    operator: Person, cells: dict[str, str], column: str, told: str
) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        made = uploaded("trainings", [training(worker, 1, **cells), training(worker, 2)])
    made = worked(operator, made)
    assert (made.state, made.total, made.bad) == ("checked", 2, 1)
    with operator.scope():
        row = ImportFault.objects.get()
        assert row.line == 2
        (fault,) = [fault for fault in row.faults if fault[0] == column]
        assert told in fault[1]


def test_a_personal_number_never_stands_in_a_fault(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        wrong = worker.niss[:-1] + str((int(worker.niss[-1]) + 1) % 10)
        made = uploaded("trainings", [training(worker, 1, niss=wrong, title="", result=worker.niss)])
        number = worker.niss
    made = worked(operator, made)
    with operator.scope():
        row = ImportFault.objects.get()
        assert wrong not in str(row.faults)
        assert number not in str(row.faults)
        assert {fault[0]: fault[3] for fault in row.faults}["niss"] == wrong[:6] + "*****"
        assert number.encode() not in b"".join(bytes(p.content_sealed) for p in ImportPiece.objects.all())
        assert not any(number in str(event.data) for event in Event.objects.all())


def test_one_month_in_front_casts_doubt_on_every_day_of_the_file(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [
            training(worker, 1, starts_on="03/04/2025", ends_on="04/04/2025"),
            training(worker, 2, starts_on="03/25/2025", ends_on="25/03/2025"),
            training(worker, 3, starts_on="13/04/2025", ends_on="14/04/2025"),
        ]
        made = uploaded("trainings", rows)
    made = worked(operator, made)
    assert (made.total, made.bad, made.month_first_line) == (3, 2, 3)
    with operator.scope():
        first = ImportFault.objects.get(line=2)
        assert "which of the two is the month" in first.faults[0][1]
        assert first.faults[0][2] == {"line": 3}


def test_a_title_above_merged_headings_and_cp1252(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        text = csv_of("trainings", [training(worker, 1, title="Sécurité à l’école")]).decode()
        made = uploaded("trainings", f"Liste des formations;;;;\n\n{text}".encode("cp1252"))
    made = worked(operator, made)
    assert (made.state, made.encoding, made.heading_line, made.bad) == ("checked", "Windows-1252", 3, 0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b" \n", "holds no rows"),
        (csv_of("trainings", []), "holds no rows"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (workbook([["NISS"], ["1"]], **{"xl/vbaProject.bin": "x"}), "holds macros"),
        (workbook([["NISS"], ["=1+1"]]), "holds formulas"),
        (workbook([[None] * 16_383 + ["x"], ["1"]]), "more than 100 columns"),
        (b"NISS;Titel\n1" + b";x" * 16_384 + b"\n", "more than 100 columns"),
        (b"NISS;Titel\n1;" + b"x" * 10_000_000 + b"\n", "not CSV after row 1"),
        (b'NISS;Titel\n1;"' + b"x;1\n" * 60_000, "never closed"),
    ],
    ids=["blank", "no rows", "password", "macros", "formulas", "wide", "wide text", "10 MB", "quote"],
)
def test_a_file_that_cannot_be_read_says_why(operator: Person, content: bytes, told: str) -> None:
    with operator.scope():
        made = uploaded("trainings", content, employer=factories.client())
    made = worked(operator, made)
    assert made.state == "unreadable"
    sentence, values = made.refusal
    assert told in (sentence % values if values else sentence)
    with operator.scope():
        assert not TrainingRecord.objects.exists()
        assert not ImportFault.objects.exists()


def test_a_workbook_is_read_with_its_days_and_numbers(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        values = {"niss": worker.niss, **TRAINING, "starts_on": date(2025, 3, 3), "ends_on": date(2025, 3, 4)}
        values["duration_minutes"] = 2
        heads = [opening.KINDS["trainings"].columns[name].headings["de"] for name in values]
        made = uploaded("trainings", workbook([heads, list(values.values())]), employer=worker.employer)
    made = worked(operator, made)
    with operator.scope():
        assert [row.faults for row in ImportFault.objects.all()] == []
    assert (made.state, made.total, made.delimiter) == ("checked", 1, "")


def test_a_10_mb_cell_of_a_workbook_is_a_fault_of_its_row(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        values = {"niss": worker.niss, **TRAINING, "title": "x" * 10_000_000}
        heads = [opening.KINDS["trainings"].columns[name].headings["nl"] for name in values]
        content = packed({"xl/worksheets/sheet1.xml": sheet([heads, list(values.values())])})
        assert zipfile.is_zipfile(io.BytesIO(content))
        made = uploaded("trainings", content, employer=worker.employer)
    made = worked(operator, made)
    assert (made.total, made.bad) == (1, 1)
    with operator.scope():
        (fault,) = ImportFault.objects.get().faults
        assert fault[0] == "title"
        assert len(fault[3]) <= 80


# --- columns --------------------------------------------------------------------------------------


def test_what_is_not_recognised_is_asked_once_and_remembered_for_the_client(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        lines = csv_of("trainings", [training(worker, 1)]).decode().splitlines()
        content = "\n".join([lines[0].replace("Intitulé", "Chapitre"), *lines[1:]]).encode()
        made = uploaded("trainings", content, employer=worker.employer)
    made = worked(operator, made)
    assert made.state == "mapping"
    place = made.headings.index("Chapitre")
    assert made.mapping[place] == ""
    with operator.scope():
        mapping = [*made.mapping[:place], "title", *made.mapping[place + 1 :]]
        keeping.map_columns(made, mapping)
    assert worked(operator, made).state == "checked"
    with operator.scope():
        again = uploaded("trainings", content + b"\n", employer=worker.employer)
        other = uploaded("trainings", content, employer=None)
    assert worked(operator, again).state == "checked"
    assert worked(operator, other).state == "mapping"


def test_a_file_of_one_client_needs_no_number_and_takes_no_other(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        other = factories.client()
        rows = [training(worker, 1, employer=""), training(worker, 2, employer=other.number)]
        made = uploaded("trainings", rows, employer=worker.employer)
    made = worked(operator, made)
    assert (made.state, made.bad) == ("checked", 1)
    with operator.scope():
        assert "another enterprise" in ImportFault.objects.get(line=3).faults[0][1]


# --- the file of faults ---------------------------------------------------------------------------


def test_the_rows_to_correct_come_back_as_they_were_and_can_be_imported_once_corrected(
    operator: Person,
) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [training(worker, n, **({"starts_on": "31/04/2025"} if n == 2 else {})) for n in range(1, 4)]
        made = uploaded("trainings", rows)
    made = worked(operator, made)
    with operator.scope():
        again = tenancy.reopener()
    text = "".join(exporting.bad_rows(made, again, "en"))
    lines = text.lstrip("\ufeff").splitlines()
    assert len(lines) == 2
    assert "First day: This day does not exist" in lines[1]
    with operator.scope():
        corrected = uploaded("trainings", text.replace("31/04/2025", "03/03/2025").encode())
    corrected = worked(operator, corrected)
    assert (corrected.state, corrected.total, corrected.bad) == ("checked", 1, 0)


def test_a_check_that_was_interrupted_begins_anew(operator: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [training(worker, n, title="" if n % 2 else "x") for n in range(1, 8)]
        made = uploaded("trainings", rows)
    monkeypatch.setattr(checking, "CHUNK", 2)
    real, calls = checking.keep_faults, []

    def dies(*arguments: object) -> int:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "keep_faults", dies)
    with pytest.raises(KeyboardInterrupt):
        keeping.work(operator.mandataire.pk, made.pk)
    with operator.scope():
        assert RegisterImport.objects.get().total == 4
    monkeypatch.setattr(checking, "keep_faults", real)
    made = worked(operator, made)
    assert (made.state, made.total, made.bad) == ("checked", 7, 4)
