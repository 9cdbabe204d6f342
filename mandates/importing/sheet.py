"""A workbook's first sheet as text: a program of its own, so that a hostile file can only hurt this process.

    python -I sheet.py MAX_ROWS MAX_COLUMNS < workbook > answer

The answer is JSON: `{"rows": [[text, ...], ...]}`, or `{"fault": word}` for a workbook that is not read. The process
bounds its own memory and time; whoever started it takes any other end for a file that cannot be read. It imports
nothing of Django and nothing of ours: it starts in a tenth of a second.
"""

from __future__ import annotations

import io
import json
import re
import resource
import sys
import zipfile
from datetime import date, datetime
from itertools import islice

MEMORY = 1_000_000_000
"""Bytes of address space: a sheet at the limits takes a fifth of it."""
SECONDS = 20
"""Of processor time."""
UNPACKED = 120_000_000
"""Bytes of all parts of the workbook together; beyond, it was packed to do harm, or by far too large."""

_LOCKED = "EncryptedPackage".encode("utf-16-le")
_FORMULA = re.compile(rb"<(?:[a-z]+:)?f[\s/>]")
_PIECE = 1 << 20


def main() -> None:
    """Reads a workbook from standard input and writes the answer to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    answer = read(sys.stdin.buffer.read(), *(int(limit) for limit in sys.argv[1:3]))
    json.dump(answer, sys.stdout)


def read(content: bytes, max_rows: int, max_columns: int) -> dict[str, object]:
    """The rows of the first visible sheet, or the word for what is wrong."""
    # Here, so that the limits hold while it is loaded.
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    if fault := _unfit(content):
        return {"fault": fault}
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    if not names:
        return {"fault": "empty"}
    sheet = workbook.get_sheet_by_name(names[0])
    if sheet.total_width > max_columns:
        return {"fault": "columns"}
    rows = [[_text(cell) for cell in row] for row in islice(sheet.iter_rows(), max_rows + 2)]
    while rows and not any(rows[-1]):
        rows.pop()
    return {"fault": "rows"} if len(rows) > max_rows + 1 else {"rows": rows}


def _unfit(content: bytes) -> str:
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
        if sum(part.file_size for part in parts) > UNPACKED:
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
        case _:
            return str(cell).strip()


if __name__ == "__main__":
    main()
