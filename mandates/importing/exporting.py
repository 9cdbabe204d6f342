"""Files that people open in spreadsheets: the empty template, and the rows to correct with the reason beside."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mandates.importing.columns import COLUMNS, told
from mandates.models import MandateImport, MandateImportRow
from portal.spreadsheets.headings import headings_of
from portal.spreadsheets.writing import cell


def template() -> str:
    """The headings in the reader's language, as CSV."""
    return _file([])


def bad_rows(found: MandateImport) -> str:
    """The rows to correct as they stand in the file, with their number and what is wrong, as CSV.

    The headings are those of the template, so that the file, once corrected, can be imported as it is.
    """
    rows = found.rows.filter(state=MandateImportRow.State.BAD).order_by("line")
    return _file(
        [
            [
                *(row.cells.get(name, "") for name in COLUMNS),
                str(row.line),
                " ".join(f"{COLUMNS[column].label}: {told(column, *fault)}" for column, *fault in row.faults),
            ]
            for row in rows.iterator(chunk_size=2000)
        ]
    )


def _file(rows: Iterable[Iterable[str]]) -> str:
    language = get_language() or "en"
    headings = headings_of(COLUMNS.values(), language)
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=";")
    # The mark lets spreadsheets read accents right.
    lines.write("\ufeff")
    writer.writerow([*headings, _("Row of the file"), _("What is wrong")] if rows else headings)
    writer.writerows([cell(value) for value in row] for row in rows)
    return lines.getvalue()
