"""Workbooks (.xlsx) written part by part: ordinary ones, and such as nobody should be sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_FRAME = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Mandats" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    # Style 1 shows a number as a day.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
    '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
}


def column(place: int) -> str:
    """The letters of a column, from 0: A, B, ... Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell(value: object, at: str) -> str:
    """One cell: text, number or day; a text that starts with `=` is a formula that came to 1."""
    match value:
        case str() if value.startswith("="):
            return f'<c r="{at}"><f>{escape(value[1:])}</f><v>1</v></c>'
        case str():
            return f'<c r="{at}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        case date():
            return f'<c r="{at}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
        case _:
            return f'<c r="{at}"><v>{value}</v></c>'


def sheet(rows: Sequence[Sequence[object]]) -> str:
    """The part of a sheet that holds these rows from its first cell on."""
    lines = [
        f'<row r="{line}">'
        + "".join(
            cell(value, f"{column(place)}{line}") for place, value in enumerate(row) if value is not None
        )
        + "</row>"
        for line, row in enumerate(rows, start=1)
    ]
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def workbook(rows: Sequence[Sequence[object]] = (), **parts: str) -> bytes:
    """A workbook with one sheet of these rows; see `packed` for `parts`."""
    return packed({"xl/worksheets/sheet1.xml": sheet(rows)} | parts)


def packed(parts: Mapping[str, str]) -> bytes:
    """The bytes of a workbook with these parts beside, or instead of, the usual ones."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (_FRAME | dict(parts)).items():
            archive.writestr(name, text)
    return stream.getvalue()
