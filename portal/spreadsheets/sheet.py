"""A workbook's first sheet as text: a program of its own, so that a hostile file can only hurt this process.

    python -I sheet.py MAX_ROWS MAX_COLUMNS UNPACKED SECONDS < workbook > answer

The answer is lines of JSON: `[number, [text, ...]]` for each row that is not empty, then `{"end": rows}`; or
`{"fault": word}` for a workbook that is not read. The process bounds its own memory and time; whoever started it takes
any other end for a file that cannot be read. It imports nothing of Django and nothing of ours: it starts in a tenth of
a second.
"""

from __future__ import annotations

import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta

MEMORY = 1_000_000_000
"""Bytes of address space: a sheet of 100,000 rows and 20 columns takes half of it."""

_LOCKED = "EncryptedPackage".encode("utf-16-le")
_FORMULA = re.compile(rb"<(?:[a-z]+:)?f[\s/>]")
_PIECE = 1 << 20


def main() -> None:
    """Reads a workbook from standard input and writes the answer to standard output."""
    max_rows, max_columns, unpacked, seconds = (int(limit) for limit in sys.argv[1:5])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    for line in read(sys.stdin.buffer.read(), max_rows, max_columns, unpacked):
        sys.stdout.write(json.dumps(line) + "\n")


def read(content: bytes, max_rows: int, max_columns: int, unpacked: int) -> Iterator[object]:
    """The lines of the answer: the rows of the first visible sheet, or the word for what is wrong."""
    # Here, so that the limits hold while it is loaded.
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    if fault := _unfit(content, unpacked):
        yield {"fault": fault}
        return
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    if not names:
        yield {"fault": "empty"}
        return
    sheet = workbook.get_sheet_by_name(names[0])
    if sheet.total_width > max_columns:
        yield {"fault": "columns"}
        return
    filled = 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        row = [_text(cell) for cell in cells]
        if any(row):
            filled += 1
            if filled > max_rows + 1:
                yield {"fault": "rows"}
                return
            yield [number, row]
    yield {"end": filled}


def _unfit(content: bytes, unpacked: int) -> str:
    """Why this is no workbook to read: judged by its parts, before anything is unpacked as a whole."""
    if content[:4] == b"\xd0\xcf\x11\xe0":
        return "password" if _LOCKED in content else "kind"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if "xl/workbook.xml" not in names:
            return "kind"
        if any(part.flag_bits & 1 for part in parts):
            return "password"
        if any(name.endswith("vbaProject.bin") for name in names):
            return "macros"
        if sum(part.file_size for part in parts) > unpacked:
            return "size"
        sheets = [part for part in parts if part.filename.startswith("xl/worksheets/")]
        return "formulas" if any(_has_formula(archive, part) for part in sheets) else ""


def _has_formula(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Whether a cell of this sheet is calculated. Looks at a megabyte at a time, with a seam of 32 bytes."""
    with archive.open(part) as stream:
        seam = b""
        while piece := stream.read(_PIECE):
            if _FORMULA.search(seam + piece):
                return True
            seam = piece[-32:]
    return False


def _text(cell: object) -> str:
    """A cell as somebody would have typed it: whole numbers without a point, days as YYYY-MM-DD."""
    match cell:
        case bool():
            return str(cell)
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() if cell.hour == cell.minute == cell.second == 0:
            return cell.date().isoformat()
        case date():
            return cell.isoformat()
        case timedelta():
            minutes = round(cell.total_seconds() / 60)
            return f"{minutes // 60}:{minutes % 60:02}"
        case _:
            return str(cell).strip()


if __name__ == "__main__":
    main()
