"""A file as rows of text: CSV in any of the shapes that spreadsheets write, or the first sheet of a workbook.

Nothing here knows what the columns mean.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MAX_BYTES: Final = 5_000_000
MAX_ROWS: Final = 25_000
"""Beside the headings."""
MAX_COLUMNS: Final = 60
DELIMITERS: Final = ";,\t"

_SHEET: Final = Path(__file__).with_name("sheet.py")
_PATIENCE: Final = 60
"""Seconds after which a workbook that is still being read is given up; its process stops by itself long before."""
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_KEPT_AS_TEXT: Final = re.compile(r"""\A="([^"]*)"\Z|\A'(?=[-=+@0-9|%])""")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_UNMARKED: Final = ((b"", "utf-8", "UTF-8"), (b"", "cp1252", "Windows-1252"))
_FAULTS: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "password": gettext_lazy(
            "This workbook is protected by a password. Save it without one, then choose it again."
        ),
        "kind": gettext_lazy(
            "This is not a workbook of the kind .xlsx. Open it in your spreadsheet program and save it as .xlsx or CSV."
        ),
        "macros": gettext_lazy("This workbook holds macros. Save it as .xlsx, without them."),
        "formulas": gettext_lazy(
            "This workbook holds formulas. Copy the cells, paste them as values into a new workbook, and save that."
        ),
        "size": gettext_lazy(
            "This workbook is far too large once unpacked. Copy the rows into a new workbook, and save that."
        ),
        "empty": gettext_lazy("The file holds no rows. Fill in the template, then choose it again."),
        "damaged": gettext_lazy(
            "This workbook cannot be read: it is damaged, or unlike what spreadsheet programs write. Save it as CSV."
        ),
    }
)


class Unreadable(ValueError):
    """A file that cannot be read as rows; `str()` is a sentence for whoever sent it."""

    permanent = True
    ambiguous = False


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds: headings and rows of text, and how it was read.

    `rows` are (number, cells): the number is the one a spreadsheet program shows, empty rows are left out. `encoding`
    and `delimiter` are empty for a workbook.
    """

    headings: list[str]
    rows: list[tuple[int, list[str]]]
    encoding: str = ""
    delimiter: str = ""


def read(content: bytes, knows: Callable[[str], bool]) -> Table:
    """The rows of a CSV file or a workbook. `knows` tells a heading from anything else. Raises Unreadable.

    The delimiter of a CSV file is the one that makes most headings known.
    """
    if not content.strip():
        raise Unreadable(_FAULTS["empty"])
    if len(content) > MAX_BYTES:
        raise Unreadable(
            _("The file is too large: at most %(limit)d MB. Split it in two.")
            % {"limit": MAX_BYTES // 1_000_000}
        )
    if content.startswith(_WORKBOOKS):
        return _table(_sheet(content))
    text, encoding = _decoded(content)
    delimiter = ""
    if told := _SEPARATOR_LINE.match(text):
        # Spreadsheet programs take this line for themselves, but count it.
        delimiter, text = told[1], text[told.end() - 1 :]
    delimiter = delimiter if delimiter in tuple(DELIMITERS) else _delimiter(text, knows)
    return _table(_records(text, delimiter), encoding, delimiter)


def _table(records: list[list[str]], encoding: str = "", delimiter: str = "") -> Table:
    """The records with the first filled one as headings. Raises Unreadable beyond the limits."""
    filled = [(number, row) for number, row in enumerate(records, start=1) if any(row)]
    if len(filled) < 2:
        raise Unreadable(_FAULTS["empty"])
    if max(len(row) for _number, row in filled) > MAX_COLUMNS:
        raise _too_many_columns()
    if len(filled) > MAX_ROWS + 1:
        raise _too_many_rows()
    return Table(filled[0][1], filled[1:], encoding, delimiter)


def _too_many_rows() -> Unreadable:
    return Unreadable(_("The file holds more than %(limit)d rows. Split it in two.") % {"limit": MAX_ROWS})


def _too_many_columns() -> Unreadable:
    return Unreadable(
        _("The file holds more than %(limit)d columns. Keep those of the template, and remove the others.")
        % {"limit": MAX_COLUMNS}
    )


# --- CSV ------------------------------------------------------------------------------------------


def _decoded(content: bytes) -> tuple[str, str]:
    """The text of a file, and the name of its encoding: by its mark, else UTF-8, else what Windows writes here."""
    marked = [known for known in _MARKS if content.startswith(known[0])]
    for _mark, codec, name in marked or _UNMARKED:
        with suppress(UnicodeDecodeError):
            text = content.decode(codec)
            if "\x00" not in text:
                return text, name
    raise Unreadable(
        _("This is neither text nor a workbook. Save it as CSV (UTF-8) or .xlsx, then choose that file.")
    )


def _delimiter(text: str, knows: Callable[[str], bool]) -> str:
    def worth(delimiter: str) -> tuple[int, int]:
        first = next((row for row in _parsed(text, delimiter) if any(row)), [])
        return sum(knows(cell) for cell in first), len(first)

    return max(DELIMITERS, key=worth)


def _records(text: str, delimiter: str) -> list[list[str]]:
    records: list[list[str]] = []
    for row in _parsed(text, delimiter):
        if len(records) > 2 * MAX_ROWS:
            raise _too_many_rows()
        records.append(row)
    return records


def _parsed(text: str, delimiter: str) -> Iterator[list[str]]:
    """Record by record; without the spaces around a cell and the signs that keep it text (`="08"`, `'08`)."""
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [_KEPT_AS_TEXT.sub(r"\1", cell.strip()) for cell in row]
    except csv.Error:
        raise Unreadable(
            _("The file is not CSV: look for a quotation mark that is opened and never closed.")
        ) from None


# --- workbooks ------------------------------------------------------------------------------------


def _sheet(content: bytes) -> list[list[str]]:
    """The rows of the first sheet, read by a process that a hostile file may take down."""
    command = [sys.executable, "-I", str(_SHEET), str(MAX_ROWS), str(MAX_COLUMNS)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_PATIENCE, check=False)
        answer = json.loads(done.stdout) if done.returncode == 0 else {"fault": "damaged"}
    except (subprocess.TimeoutExpired, ValueError):
        answer = {"fault": "damaged"}
    match answer:
        case {"rows": list(rows)}:
            return rows
        case {"fault": "rows"}:
            raise _too_many_rows()
        case {"fault": "columns"}:
            raise _too_many_columns()
    raise Unreadable(_FAULTS[answer["fault"]])
