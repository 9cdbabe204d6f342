"""Files as rows of text: every shape a spreadsheet writes, and files that were made to do harm."""

from __future__ import annotations

import codecs
from datetime import date

import pytest

from mandates.importing import columns
from portal.spreadsheets import reading
from portal.spreadsheets.reading import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, Table, Unreadable
from tests.mandates.workbooks import packed, sheet, workbook

HEADINGS = ["Numéro d'entreprise", "Nom", "Service", "Premier trimestre"]
ROW = ["0897223670", "Café « Été »", "FLA", "2026Q1"]


def read(content: bytes) -> Table:
    return reading.read(content, columns.knows)


def fault_of(content: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read(content)
    return str(caught.value)


# --- CSV ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize(
    ("encoding", "mark", "told"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", codecs.BOM_UTF8, "UTF-8"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("cp1252", b"", "Windows-1252"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_and_encoding_are_found(
    delimiter: str, encoding: str, mark: bytes, told: str, end: str
) -> None:
    text = end.join([delimiter.join(HEADINGS), delimiter.join(ROW), ""])
    table = read(mark + text.encode(encoding))
    assert (table.headings, table.rows) == (HEADINGS, [(2, ROW)])
    assert (table.encoding, table.delimiter) == (told, delimiter)


def test_the_delimiter_is_the_one_that_makes_headings_known() -> None:
    """A name full of commas does not turn the file into one of commas."""
    table = read(b"Naam;Ondernemingsnummer;A,B,C,D,E,F\nX, Y, Z, Q;1;\n")
    assert table.delimiter == ";"


def test_the_line_that_excel_writes_for_itself_is_taken_at_its_word() -> None:
    table = read(b"sep=,\r\nName;x,Service\r\nA;b,FLA\r\n")
    assert (table.headings, table.rows) == (["Name;x", "Service"], [(3, ["A;b", "FLA"])])


def test_rows_keep_the_number_that_a_spreadsheet_shows() -> None:
    table = read(b'Name;Service\n\n;\n"A\nB";FLA\nC;FLA\n')
    assert table.rows == [(4, ["A\nB", "FLA"]), (5, ["C", "FLA"])]


@pytest.mark.parametrize(
    ("typed", "found"),
    [('="0897223670"', "0897223670"), ("'0897223670", "0897223670"), ("'s-Gravenwezel", "'s-Gravenwezel")],
)
def test_the_signs_that_keep_a_number_text_are_taken_off(typed: str, found: str) -> None:
    assert read(f"Name;Service\n{typed};FLA\n".encode()).rows == [(2, [found, "FLA"])]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no rows"),
        (b" \r\n \n", "holds no rows"),
        (b"Name;Service\n", "holds no rows"),
        (b"Name\n" + b"x" * MAX_BYTES, "too large: at most 5 MB"),
        (b"Name\n" + b"x\n" * (MAX_ROWS + 1), "more than 25000 rows"),
        (b"Name" + b";" * MAX_COLUMNS + b"\nx\n", "more than 60 columns"),
        (b"Name\nx\x00y\n", "neither text nor a workbook"),
        (b"%PDF-1.7\n\x81\x8d\n", "neither text nor a workbook"),
        (b'Name;Service\n"' + b"x" * 200_000 + b"\n", "never closed"),
    ],
)
def test_a_text_that_cannot_be_read_gets_a_sentence(content: bytes, told: str) -> None:
    assert told in fault_of(content)


def test_the_largest_file_is_read() -> None:
    assert len(read(b"Name\n" + b"x\n" * MAX_ROWS).rows) == MAX_ROWS


# --- workbooks ------------------------------------------------------------------------------------


def test_cells_of_a_workbook_are_read_as_they_were_typed() -> None:
    """A number without a point, a day as a day, and no zero that was never there."""
    table = read(
        workbook([HEADINGS, [897223670, "Été & Fils", "FLA", date(2026, 1, 1)], [], [8.5, None, "x"]])
    )
    assert table.headings == HEADINGS
    assert table.rows == [(2, ["897223670", "Été & Fils", "FLA", "2026-01-01"]), (4, ["8.5", "", "x", ""])]
    assert (table.encoding, table.delimiter) == ("", "")


def test_empty_rows_above_the_headings_are_counted() -> None:
    table = read(workbook([[], [], HEADINGS, ROW]))
    assert (table.headings, table.rows) == (HEADINGS, [(4, ROW)])


BILLION_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
LAUGHING = sheet([HEADINGS, ["a", "&c;", "FLA", "2026Q1"]]).replace("&amp;c;", "&c;")
FAR_CELL = sheet([HEADINGS, ROW]).replace(
    "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (b"\xd0\xcf\x11\xe0" + b"an old .xls", "not a workbook of the kind .xlsx"),
        (workbook([HEADINGS, ROW]).replace(b"xl/workbook.xml", b"xl/workbook.bin"), "not a workbook of the kind"),
        (workbook([HEADINGS, ROW], **{"xl/vbaProject.bin": "x"}), "holds macros"),
        (workbook([HEADINGS, ["=CMD()", "x", "FLA", "2026Q1"]]), "holds formulas"),
        (workbook([HEADINGS, ROW], **{"xl/media/a.bin": "0" * 121_000_000}), "far too large once unpacked"),
        (workbook([[None] * 16_383 + ["x"], ROW]), "more than 60 columns"),
        (packed({"xl/worksheets/sheet1.xml": FAR_CELL}), "damaged"),
        (workbook([["Name"]] + [["x"]] * (MAX_ROWS + 1)), "more than 25000 rows"),
        (workbook([HEADINGS, ROW])[:700], "damaged"),
        (b"PK\x03\x04 and nothing else", "damaged"),
        (packed({"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row"}), "damaged"),
        (packed({"xl/worksheets/sheet1.xml": BILLION_LAUGHS + LAUGHING}), "damaged"),
        (workbook([]), "holds no rows"),
    ],
    ids=[
        "password", "old", "binary", "macros", "formulas", "bomb", "wide", "far", "long", "cut", "no zip", "no xml",
        "entities", "empty",
    ],
)  # fmt: skip
def test_a_workbook_that_is_not_read_gets_a_sentence(content: bytes, told: str) -> None:
    assert told in fault_of(content)
