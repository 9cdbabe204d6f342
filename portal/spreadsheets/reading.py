"""A file as rows of text: CSV in any of the shapes that spreadsheets write, or the first sheet of a workbook.

Nothing here knows what the columns mean. Nothing here holds a whole file of text either: the bytes come in pieces, the
rows go one by one.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Timer
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

MAX_BYTES: Final = 5_000_000
MAX_ROWS: Final = 25_000
"""Beside the headings."""
MAX_COLUMNS: Final = 60
DELIMITERS: Final = ";,\t"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be; a workbook also unpacked, in bytes, and in seconds of a processor.

    Beyond `unpacked` it was packed to do harm, or is by far too large.
    """

    bytes: int = MAX_BYTES
    rows: int = MAX_ROWS
    columns: int = MAX_COLUMNS
    unpacked: int = 120_000_000
    seconds: int = 20


USUAL: Final = Limits()

type Pieces = Callable[[], Iterable[bytes]]
"""The bytes of a file, piece by piece, as often as they are asked for."""

type Numbered = tuple[int, list[str]]
"""A row with its number as a spreadsheet program shows it."""

HEADING_ROWS: Final = 20
"""Filled rows among which the headings are looked for: titles may stand above them."""

_SHEET: Final = Path(__file__).with_name("sheet.py")
_PATIENCE: Final = 60
"""Seconds after which a workbook of which nothing was read yet is given up; its process stops by itself before."""
_HEAD: Final = 65_536
"""Bytes by which the delimiter of a CSV file is found."""
_LONGEST_CELL: Final = 131_072
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)(?:\r?\n|\Z)", re.IGNORECASE)
_KEPT_AS_TEXT: Final = re.compile(r"""\A="([^"]*)"\Z|\A'(?=[-=+@0-9|%])""")
_MARKS: Final = ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"), (codecs.BOM_UTF8, "UTF-8"))
_CODECS: Final = {"UTF-8": "utf-8-sig", "UTF-16": "utf-16", "Windows-1252": "cp1252"}
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
    """A file that cannot be read as rows; `str()` is a sentence for whoever sent it.

    Kept for a reader of another language it is `sentence`, as the catalogues know it, with its `values`.
    """

    permanent = True
    ambiguous = False

    def __init__(self, sentence: str | Promise, values: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence, values)
        self.sentence, self.values = sentence, dict(values or {})

    def __str__(self) -> str:
        text = str(self.sentence)
        return text % self.values if self.values else text


@dataclass(frozen=True, slots=True)
class Shape:
    """How a CSV file is to be read, and about how many lines it has; all empty for a workbook."""

    encoding: str = ""
    delimiter: str = ""
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """What a small file holds: headings and rows of text, and how it was read.

    `rows` are (number, cells): the number is the one a spreadsheet program shows, empty rows are left out. `encoding`
    and `delimiter` are empty for a workbook.
    """

    headings: list[str]
    rows: list[Numbered]
    encoding: str = ""
    delimiter: str = ""


def read(content: bytes, knows: Callable[[str], bool], limits: Limits = USUAL) -> Table:
    """The rows of a CSV file or a workbook, with the first filled one as headings. Raises Unreadable.

    `knows` tells a heading from anything else.
    """

    def pieces() -> Iterable[bytes]:
        return (content,)

    shape = look(pieces, knows, limits)
    filled = list(records(pieces, shape, limits))
    if len(filled) < 2:
        raise Unreadable(_FAULTS["empty"])
    return Table(filled[0][1], filled[1:], shape.encoding, shape.delimiter)


def look(pieces: Pieces, knows: Callable[[str], bool], limits: Limits = USUAL) -> Shape:
    """How the file is to be read. Raises Unreadable for what is neither text nor a workbook, or holds nothing.

    The delimiter of a CSV file is the one that makes most headings known.
    """
    head, size, lines, is_blank = b"", 0, 0, True
    for piece in pieces():
        head = head or piece[:_HEAD]
        size += len(piece)
        lines += piece.count(b"\n")
        is_blank = is_blank and not piece.strip()
    if is_blank:
        raise Unreadable(_FAULTS["empty"])
    if size > limits.bytes:
        sentence = gettext_lazy("The file is too large: at most %(limit)d MB. Split it in two.")
        raise Unreadable(sentence, {"limit": limits.bytes // 1_000_000})
    if head.startswith(_WORKBOOKS):
        return Shape()
    encoding = _encoding(pieces, head)
    text = codecs.getincrementaldecoder(_CODECS[encoding])().decode(head)
    told = _SEPARATOR_LINE.match(text)
    delimiter = told[1] if told else ""
    if delimiter not in tuple(DELIMITERS):
        delimiter = _delimiter(text[told.end() :] if told else text, knows)
    return Shape(encoding, delimiter, lines)


def records(pieces: Pieces, shape: Shape, limits: Limits = USUAL) -> Iterator[Numbered]:
    """The filled rows of a file, headings and all, one by one. Raises Unreadable where they cannot be read any further.

    Without the spaces around a cell and the signs that keep it text (`="08"`, `'08`).
    """
    rows = _parsed(_Stream(pieces()), shape) if shape.encoding else _sheet(pieces, limits)
    filled = 0
    for number, row in rows:
        if not any(row):
            continue
        filled += 1
        if len(row) > limits.columns:
            raise _too_many_columns(limits)
        if filled > limits.rows + 1:
            raise _too_many_rows(limits)
        yield number, row


def _too_many_rows(limits: Limits) -> Unreadable:
    sentence = gettext_lazy("The file holds more than %(limit)d rows. Split it in two.")
    return Unreadable(sentence, {"limit": limits.rows})


def _too_many_columns(limits: Limits) -> Unreadable:
    sentence = gettext_lazy(
        "The file holds more than %(limit)d columns. Keep those of the template, and remove the others."
    )
    return Unreadable(sentence, {"limit": limits.columns})


# --- CSV ------------------------------------------------------------------------------------------


class _Stream(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._left = iter(pieces), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands in
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def _encoding(pieces: Pieces, head: bytes) -> str:
    """By its mark, else UTF-8, else what Windows writes here."""
    marked = [name for mark, name in _MARKS if head.startswith(mark)]
    for name in marked[:1] or ["UTF-8", "Windows-1252"]:
        decoder = codecs.getincrementaldecoder(_CODECS[name])()
        with suppress(UnicodeDecodeError):
            if any("\x00" in decoder.decode(piece) for piece in pieces()):
                continue
            decoder.decode(b"", final=True)
            return name
    raise Unreadable(
        gettext_lazy(
            "This is neither text nor a workbook. Save it as CSV (UTF-8) or .xlsx, then choose that file."
        )
    )


def _delimiter(text: str, knows: Callable[[str], bool]) -> str:
    def worth(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        known = widest = 0
        with suppress(csv.Error):
            for row in islice(filter(any, rows), HEADING_ROWS):
                known = max(known, sum(knows(cell) for cell in row))
                widest = max(widest, len(row))
                if known:
                    break
        return known, widest

    return max(DELIMITERS, key=worth)


def _parsed(stream: io.RawIOBase, shape: Shape) -> Iterator[Numbered]:
    lines = io.TextIOWrapper(io.BufferedReader(stream), _CODECS[shape.encoding], newline="")
    number = 0
    with closing(lines):
        try:
            for number, row in enumerate(csv.reader(lines, delimiter=shape.delimiter), start=1):
                # Spreadsheet programs take the line `sep=;` for themselves, but count it.
                if number == 1 and _SEPARATOR_LINE.fullmatch(shape.delimiter.join(row)):
                    continue
                yield number, [_cell(cell.strip()) for cell in row]
        except csv.Error:
            sentence = gettext_lazy(
                "The file is not CSV after row %(line)d: look for a quotation mark that is opened and never closed, "
                "or a cell of more than %(limit)d characters."
            )
            raise Unreadable(sentence, {"line": number, "limit": _LONGEST_CELL}) from None


def _cell(text: str) -> str:
    return _KEPT_AS_TEXT.sub(r"\1", text) if text[:1] in ("=", "'") else text


# --- workbooks ------------------------------------------------------------------------------------


def _sheet(pieces: Pieces, limits: Limits) -> Iterator[Numbered]:
    """The rows of the first sheet, read by a process that a hostile file may take down."""
    bounds = (limits.rows, limits.columns, limits.unpacked, limits.seconds)
    command = [sys.executable, "-I", str(_SHEET), *map(str, bounds)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    timer = Timer(_PATIENCE, process.kill)
    timer.start()
    with process:
        try:
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("both pipes were asked for")
            with suppress(BrokenPipeError), process.stdin:
                for piece in pieces():
                    process.stdin.write(piece)
            yield from _answered(process.stdout, timer, limits)
        finally:
            timer.cancel()
            process.kill()


def _answered(lines: Iterable[bytes], timer: Timer, limits: Limits) -> Iterator[Numbered]:
    """What the process tells, line by line. Any other end than its own word is that of a damaged file."""
    for line in lines:
        timer.cancel()
        try:
            answer = json.loads(line)
        except ValueError:
            break
        match answer:
            case [int(number), list(row)]:
                yield number, row
            case {"end": int()}:
                return
            case {"fault": "rows"}:
                raise _too_many_rows(limits)
            case {"fault": "columns"}:
                raise _too_many_columns(limits)
            case {"fault": str(fault)}:
                raise Unreadable(_FAULTS[fault])
    raise Unreadable(_FAULTS["damaged"])
