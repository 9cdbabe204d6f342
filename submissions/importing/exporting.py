"""Files that people open in spreadsheets: the empty template, and the rows to correct with the reason beside."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from portal.spreadsheets.headings import headings_of
from portal.spreadsheets.reading import Numbered
from portal.spreadsheets.writing import cell
from submissions.importing import opening
from submissions.importing.kinds import KINDS
from submissions.importing.telling import sentence
from submissions.models import ImportFault, RegisterImport

_CHUNK: Final = 500


def template(kind: str) -> str:
    """The headings in the reader's language, as CSV."""
    return _lines([headings_of(KINDS[kind].columns.values(), get_language() or "en")], has_mark=True)


def bad_rows(
    found: RegisterImport, again: Callable[[], AbstractContextManager[None]], language: str
) -> Iterator[str]:
    """The rows to correct as they stand in the file, with their number and what is wrong, as CSV, some at a time.

    The headings are those of the file, so that it can be imported as it is once it is corrected. It is written while
    it is read, after the request: `again` opens its scope, for each chunk anew.
    """
    with override(language):
        yield _lines([[*found.headings, _("Row of the file"), _("What is wrong")]], has_mark=True)
    rows = opening.rows_below(found)
    after = 0
    while True:
        with again(), override(language):
            faults = list(found.faults.filter(line__gt=after).order_by("line")[:_CHUNK])
            chunk = _lines(_beside(found, row, rows) for row in faults)
        if not faults:
            return
        yield chunk
        after = faults[-1].line


def _beside(found: RegisterImport, row: ImportFault, rows: Iterator[Numbered]) -> list[str]:
    cells = next((cells for number, cells in rows if number == row.line), [])
    # A row may be shorter or longer than the headings.
    width = len(found.headings)
    told = " ".join(sentence(found.kind, fault) for fault in row.faults)
    return [*cells[:width], *[""] * (width - len(cells)), str(row.line), told]


def _lines(rows: Iterable[Iterable[str]], *, has_mark: bool = False) -> str:
    lines = io.StringIO()
    if has_mark:
        lines.write("\ufeff")  # It lets spreadsheets read accents right.
    csv.writer(lines, delimiter=";").writerows([cell(value) for value in row] for row in rows)
    return lines.getvalue()
