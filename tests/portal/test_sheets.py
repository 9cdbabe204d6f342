"""Lists as files: read back by other programs, with numbers intact and without a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook

from mandates.models import Employer
from portal import sheets, tenancy
from portal.sheets import Code, Listing, Value, enterprise_code
from tests import factories
from tests.people import Person

HEADINGS = ["Name", "Number", "NISS", "Day", "Moment", "Amount", "Count"]
LINE: list[Value] = [
    "Éloïse",
    enterprise_code("0897223670"),
    Code("85.07.30-***.**"),
    date(2026, 11, 21),
    datetime(2026, 7, 1, 10, 5, tzinfo=UTC),
    Decimal("1234.50"),
    7,
]
FORMULAS = ["=1+1", "+32 2 123", "-1", "@SUM(A1)", " =cmd|' /C calc'!A0", "\t=1", "\r=1", "|x", "%x"]
MISREAD = ["000123", "123456789012", "1-2", "2025-03", "12E5", "1.234", "149.01", "10:30", "3/4"]


def csv_of(lines: Sequence[Sequence[Value]]) -> list[list[str]]:
    text = "".join(sheets.as_csv(HEADINGS, lines))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";"))


def xlsx_of(lines: Sequence[Sequence[Value]]) -> list[list[object]]:
    content = b"".join(sheets.as_xlsx(HEADINGS, lines, "list"))
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return [list(row) for row in rows]


def test_csv_is_what_excel_opens_in_belgium() -> None:
    headings, line = csv_of([LINE])
    assert headings == HEADINGS
    assert line == [
        "Éloïse",
        "BE 0897.223.670",
        "85.07.30-***.**",
        "21/11/2026",
        "01/07/2026 12:05",  # Belgian time
        "1234,50",
        "7",
    ]


def test_a_workbook_holds_days_figures_and_texts() -> None:
    headings, line = xlsx_of([LINE])
    assert headings == HEADINGS
    assert line[:4] == ["Éloïse", "BE 0897.223.670", "85.07.30-***.**", date(2026, 11, 21)]
    assert line[4:] == [datetime(2026, 7, 1, 12, 5), 1234.5, 7]  # noqa: DTZ001  cells know no zone


@pytest.mark.parametrize("text", FORMULAS + MISREAD)
def test_no_text_becomes_anything_else(text: str) -> None:
    assert csv_of([[text]])[1] == [f"'{text}"]
    (cell,) = xlsx_of([[text]])[1][:1]
    assert isinstance(cell, str)
    assert cell.replace("\r", "") == text.replace("\r", "")


@pytest.mark.parametrize("text", ["Excel 2", "302", "2025", "0897.223.670 SA", 'l\'été; dit "non"', "a\nb"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert csv_of([[text]])[1] == [text]


def test_a_long_text_is_cut_to_what_a_cell_holds() -> None:
    (cell,) = xlsx_of([["x" * 40_000]])[1][:1]
    assert cell == "x" * 32_767


@pytest.mark.django_db
def test_every_row_comes_once_whatever_the_chunks(operator: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "PER_CHUNK", 3)
    with operator.scope():
        for name in ("B", "A", "B", "C", "B", "A", "B"):
            factories.employer(name=name)
        rows = Employer.objects.filter(mandataire_id=tenancy.current())
        for order in (("name", "pk"), ("-name", "pk"), ("-pk",)):
            listing = Listing(rows, order, lambda: ["pk"], lambda chunk: [[row.pk] for row in chunk])
            found = [line[0] for line in listing.lines(nullcontext)]
            assert found == list(rows.order_by(*order).values_list("pk", flat=True))
            assert len(found) == 7
