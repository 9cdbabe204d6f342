"""Hostile files of every kind, as text and as a workbook: a bad cell has its sentence, and nothing comes in by half."""

from __future__ import annotations

import pytest

from mandates.models import Contract, Worker
from portal.spreadsheets.headings import headings_of
from submissions.importing import applying
from submissions.importing.kinds import KINDS
from submissions.importing.telling import told
from submissions.models import ManualRight, RegisterImport, TrainingRecord
from tests import factories
from tests.mandates.workbooks import workbook
from tests.people import Person
from tests.submissions.register_files import csv_of, row_of, uploaded, worked

LONG = "x" * 10_000_000
ABOUT_ANYBODY = (
    ({"niss": "85.07.30-033.29"}, "niss", "check digits"),
    ({"niss": "8.5E+10"}, "niss", "has rounded this number"),
    ({"niss": "#VALUE!"}, "niss", "A formula failed here"),
    ({"niss": ""}, "niss", "missing"),
    ({"employer": "0897223671"}, "employer", "check digits"),
)
OF_A_CONTRACT = (
    ({"entered_on": "30/02/2025"}, "entered_on", "does not exist"),
    ({"entered_on": "45678"}, "entered_on", "number by which a spreadsheet keeps a day"),
    ({"entered_on": "", "regime": "80"}, "entered_on", "needs its joint committee and its first day"),
    ({"left_on": "01/01/2020"}, "left_on", "before the first day"),
    ({"regime": "101"}, "regime", "a percentage of a full-timer"),
    ({"contract_day": "13 h"}, "contract_day", "from 1 to 12 hours"),
    ({"joint_committee": "999"}, "joint_committee", "No joint committee has this number"),
    ({"joint_committee": LONG}, "joint_committee", ""),
)
CELLS = {
    "workers": (*OF_A_CONTRACT, ({"family_name": LONG}, "family_name", "too long")),
    "contracts": OF_A_CONTRACT,
    "trainings": (
        ({"starts_on": "30/02/2025"}, "starts_on", "does not exist"),
        ({"title": LONG}, "title", "shorten it"),
        ({"nature": "#REF!"}, "nature", "A formula failed here"),
    ),
    "rights": (
        ({"right_year": "30/02/2025"}, "right_year", "Write a year from"),
        ({"right_minutes": "1,2E+3"}, "right_minutes", "has rounded this number"),
        ({"reason": LONG}, "reason", "shorten it"),
    ),
}
FORMULA = {"workers": "given_name", "contracts": "regime", "trainings": "title", "rights": "reason"}

kinds = pytest.mark.parametrize("kind", sorted(CELLS))


def file_of(kind: str, rows: list[dict[str, str]], form: str, *above: list[str]) -> bytes:
    """The rows as CSV or as a workbook, with what stands `above` the headings."""
    if form == "csv":
        lines = [";".join(line).encode() for line in above]
        return b"\n".join([*lines, csv_of(kind, rows)])
    columns = KINDS[kind].columns
    cells = [[row.get(name) or None for name in columns] for row in rows]
    return workbook([*above, headings_of(columns.values(), "nl"), *cells])


def in_the_register() -> dict[str, int]:
    return {
        "workers": Worker.objects.count() - 1,
        "contracts": Contract.objects.count(),
        "trainings": TrainingRecord.objects.count(),
        "rights": ManualRight.objects.count(),
    }


def made_of(kind: str) -> dict[str, int]:
    """What one good row about a known worker becomes."""
    return dict.fromkeys(("workers", "contracts", "trainings", "rights"), 0) | {
        "contracts" if kind == "workers" else kind: 1
    }


@kinds
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_each_bad_cell_has_its_sentence_and_only_the_good_row_comes_in(
    operator: Person, kind: str, form: str
) -> None:
    bad = [*ABOUT_ANYBODY, *CELLS[kind]]
    if form == "csv":
        # A cell of 10 MB makes a CSV file unreadable; a formula in a workbook makes that unreadable.
        bad = [one for one in bad if LONG not in one[0].values()]
        bad.append(({FORMULA[kind]: "=1+1"}, FORMULA[kind], "This is a formula"))
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [row_of(kind, worker, **cells) for cells, _column, _said in bad]
        made = uploaded(kind, file_of(kind, [*rows, row_of(kind, worker)], form))
    made = worked(operator, made)
    assert (made.state, made.total, made.bad) == ("checked", len(bad) + 1, len(bad))
    with operator.scope():
        assert not any(in_the_register().values())
        faults = {row.line: row.faults for row in made.faults.all()}
        for line, (_cells, column, said) in enumerate(bad, start=2):
            found = [told(fault) for fault in faults[line] if fault[0] == column]
            assert len(found) == 1, (column, faults[line])
            assert said in found[0]
            assert all(len(fault[3]) <= 80 for fault in faults[line])
        applying.begin(made, is_whole=False)
    made = worked(operator, made)
    assert (made.state, made.done) == ("applied", 1)
    with operator.scope():
        assert in_the_register() == made_of(kind)


UNREADABLE = {
    "password": (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
    "macros": (workbook([["INSZ"], ["1"]], **{"xl/vbaProject.bin": "x"}), "holds macros"),
    "formulas": (workbook([["INSZ"], ["=1+1"]]), "holds formulas"),
    "wide": (workbook([[None] * 16_383 + ["x"], ["1"]]), "more than 100 columns"),
    "wide text": (b"INSZ;Naam\n1" + b";x" * 16_384 + b"\n", "more than 100 columns"),
    "10 MB": (b"INSZ;Naam\n1;" + LONG.encode() + b"\n", "not CSV after row 1"),
    "quote": (b'INSZ;Naam\n1;"' + b"x;1\n" * 60_000, "never closed"),
    "damaged": (b"PK\x03\x04" + b"\x00" * 64, "it is damaged"),
    "binary": (b"INSZ\x00;1\n", "neither text nor a workbook"),
}


@kinds
@pytest.mark.parametrize(("content", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_is_not_read_says_why(operator: Person, kind: str, content: bytes, said: str) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        made = uploaded(kind, content, employer=worker.employer)
    made = worked(operator, made)
    assert made.state == "unreadable"
    with operator.scope():
        assert said in told(["", *made.refusal])
        assert not made.faults.exists()
        assert not any(in_the_register().values())


@kinds
@pytest.mark.parametrize("form", ["csv", "cp1252", "xlsx"])
def test_a_merged_title_above_the_headings_is_passed_over(operator: Person, kind: str, form: str) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [row_of(kind, worker)]
        content = file_of(kind, rows, "xlsx" if form == "xlsx" else "csv", ["Relevé de l’année", "", ""], [])
        if form == "cp1252":
            content = content.decode().encode("cp1252")
        made = uploaded(kind, content)
    made = worked(operator, made)
    assert (made.state, made.total, made.bad, made.heading_line) == ("checked", 1, 0, 3)
    assert made.encoding == {"csv": "UTF-8", "cp1252": "Windows-1252", "xlsx": ""}[form]


@kinds
def test_a_file_that_breaks_off_leaves_nothing(operator: Person, kind: str) -> None:
    """Its first rows are good: they are looked at, and forgotten with the rest."""
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [row_of(kind, worker)] * 3
        content = csv_of(kind, rows) + b'\n"' + b"x;1\n" * 60_000
        made = uploaded(kind, content)
    made = worked(operator, made)
    assert (made.state, made.total, made.bad) == ("unreadable", 0, 0)
    with operator.scope():
        assert not RegisterImport.objects.get(pk=made.pk).faults.exists()
        assert not any(in_the_register().values())
