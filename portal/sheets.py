"""Lists as files for spreadsheets: CSV as Excel opens it in Belgium, and XLSX.

Rows are read by chunks, each in a transaction of its own: they are never held together, and whoever reads slowly keeps
no transaction open.

CSV: UTF-8 with its mark, semicolons, decimal commas, days as dd/mm/yyyy. Nothing from the data is ever a formula
(CWE-1236), and no text loses digits: what a spreadsheet would take for a formula, a number or a day gets an apostrophe
in front in CSV, which has no types, and is a cell of text in XLSX.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import IO, Any, Final

import xlsxwriter
from django.contrib import messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal import audit, tenancy
from portal.access import membership

PER_CHUNK: Final = 1000
MOST_ROWS: Final = 1_048_575
"""What a sheet of Excel holds below its headings."""
_LONGEST: Final = 32_767
"""Characters in a cell of Excel."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_MISREAD: Final = re.compile(r"(?![1-9][0-9]{0,10}$)[0-9][0-9 .,/:eE+-]*")
"""What would come out as another number, or as a day: zeros in front, twelve digits, `1-2`, `12E5`."""

type Value = str | int | Decimal | date | datetime | None


class Format(StrEnum):
    """How a list is written."""

    CSV = "csv"
    XLSX = "xlsx"


class Code(str):
    """A number that is a name, such as `85.07.30-***.**`: written so that no spreadsheet reads a figure into it."""

    __slots__ = ()


def enterprise_code(number: str) -> Code:
    """An enterprise number as `BE 0897.223.670`: with its country, no language takes the points for thousands."""
    return Code(f"BE {number[:4]}.{number[4:7]}.{number[7:]}" if number else "")


@dataclass(frozen=True, slots=True)
class Listing[Row: Model]:
    """A list to write: its rows in order, how one is read, and its headings.

    `order` names columns that are never empty, `-` in front for descending; the last is unique. `read` turns the rows
    of one chunk into lines, with a fixed number of queries.
    """

    rows: QuerySet[Row]
    order: Sequence[str]
    headings: Callable[[], Sequence[str]]
    read: Callable[[Sequence[Row]], Iterable[Sequence[Value]]]

    def lines(self, reopen: Callable[[], AbstractContextManager[None]]) -> Iterator[Sequence[Value]]:
        """Every line, read by chunks, each in the scope that `reopen` opens."""
        language, last = translation.get_language() or "fr", None
        while True:
            with reopen(), translation.override(language):
                rows = self.rows.order_by(*self.order)
                chunk = list((rows.filter(_after(self.order, last)) if last else rows)[:PER_CHUNK])
                lines = list(self.read(chunk))
            yield from lines
            if len(chunk) < PER_CHUNK:
                return
            last = chunk[-1]


def _after(order: Sequence[str], last: Model) -> Q:
    """What comes after `last`: equal in the first columns, and beyond it in the next one."""
    steps, equal = list[Q](), Q()
    for name in order:
        column, value = name.removeprefix("-"), getattr(last, name.removeprefix("-"))
        steps.append(equal & Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value}))
        equal &= Q(**{column: value})
    return reduce(or_, steps)


def export(
    request: HttpRequest, listing: Listing[Any], name: str, asked: Mapping[str, str]
) -> HttpResponseBase:
    """The list as a file `name-yyyymmdd`, in the format that the form asks for, written while it is read.

    `asked` are the filters of the list, for the Event; a list that no sheet can hold is refused with a sentence.
    """
    chosen = Format.XLSX if request.POST.get("format") == Format.XLSX else Format.CSV
    if chosen is Format.XLSX and listing.rows.order_by()[MOST_ROWS:].exists():
        messages.error(
            request, _("A sheet of Excel holds 1 048 575 rows, and this list is longer: choose CSV.")
        )
        return redirect(request.path.removesuffix("export/"))
    filters = {name: value for name, value in asked.items() if value}
    data = {"list": name, "format": chosen.value, "filter": filters}
    audit.record("list.exported", membership(request).mandataire, data=data)
    headings, lines = list(listing.headings()), listing.lines(tenancy.reopener())
    content = as_csv(headings, lines) if chosen is Format.CSV else as_xlsx(headings, lines, name)
    kinds = {
        Format.CSV: "text/csv; charset=utf-8",
        Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
    file = f"{name}-{timezone.localdate():%Y%m%d}.{chosen}"
    return StreamingHttpResponse(
        content,
        content_type=kinds[chosen],
        headers={
            "Content-Disposition": f'attachment; filename="{file}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


class _Echo:
    """What the writer of rows takes for a file: each line comes back at once."""

    def write(self, line: str) -> str:
        return line


def as_csv(headings: Sequence[str], lines: Iterable[Sequence[Value]]) -> Iterator[str]:
    """The lines of the file; the mark in front lets spreadsheets read accents right."""
    writer = csv.writer(_Echo(), delimiter=";")
    yield "\ufeff" + writer.writerow(headings)
    for line in lines:
        yield writer.writerow([csv_cell(value) for value in line])


def csv_cell(value: Value) -> str:
    """The text of one cell of CSV."""
    match value:
        case None:
            return ""
        case datetime():
            return f"{timezone.localtime(value):%d/%m/%Y %H:%M}"
        case date():
            return f"{value:%d/%m/%Y}"
        case Decimal():
            return f"{value:f}".replace(".", ",")
        case int():
            return str(value)
        case Code():
            return value
    is_unsafe = value.lstrip(" ").startswith(_FORMULA) or _MISREAD.fullmatch(value)
    return f"'{value}" if is_unsafe else value


def as_xlsx(headings: Sequence[str], lines: Iterable[Sequence[Value]], title: str) -> Iterator[bytes]:
    """The workbook, by blocks. Rows go to a temporary file as they come: memory does not grow with them."""
    with tempfile.TemporaryFile() as file:
        _write(file, headings, lines, title)
        file.seek(0)
        while block := file.read(65536):
            yield block


def _write(file: IO[bytes], headings: Sequence[str], lines: Iterable[Sequence[Value]], title: str) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True})
        formats = {
            date: book.add_format({"num_format": "dd/mm/yyyy"}),
            datetime: book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
            Decimal: book.add_format({"num_format": "#,##0.00"}),
        }
        text = book.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headings) - 1, 20)
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, heading, bold)
        for row, line in enumerate(lines, start=1):
            for column, value in enumerate(line):
                match value:
                    case None | "":
                        pass
                    case datetime():
                        naive = timezone.localtime(value).replace(tzinfo=None)
                        sheet.write_datetime(row, column, naive, formats[datetime])
                    case date():
                        sheet.write_datetime(row, column, value, formats[date])
                    case Decimal():
                        sheet.write_number(row, column, float(value), formats[Decimal])
                    case int():
                        sheet.write_number(row, column, value)
                    case _:
                        sheet.write_string(row, column, value[:_LONGEST], text)
