"""The file of an import, opened: which row names the columns, which column each heading is, and the rows below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from django.utils.translation import gettext_lazy as _

from portal import tenancy
from portal.spreadsheets.headings import by_heading, plain
from portal.spreadsheets.reading import HEADING_ROWS, Limits, Numbered, Shape, Unreadable, look, records
from submissions.archiving import reading
from submissions.importing import archives
from submissions.importing.kinds import KINDS, TABLES
from submissions.importing.rows import EMPLOYER, Terms
from submissions.models import RegisterImport
from submissions.states import RegisterImportState

LIMITS: Final = Limits(bytes=50_000_000, rows=100_000, columns=100, unpacked=400_000_000, seconds=120)
NO_ROWS: Final = _("The file holds no rows. Fill in the template, then choose it again.")
_UNDECIDED: Final = (
    RegisterImportState.CHECKING,
    RegisterImportState.MAPPING,
    RegisterImportState.UNREADABLE,
)


def look_at(found: RegisterImport) -> None:
    """Finds out how the file is read, where its headings are and what they mean. Saves nothing. Raises Unreadable."""
    if found.kind not in TABLES:
        contents = reading.check(found.pieces)
        found.headings = found.mapping = list(archives.CELLS)
        found.lines = contents.employers + contents.workers
        return
    known = by_heading(KINDS[found.kind].columns)

    def knows(text: str) -> bool:
        return plain(text) in known

    shape = look(found.pieces, knows, LIMITS)
    found.encoding, found.delimiter, found.lines = shape.encoding, shape.delimiter, shape.lines
    first = list(islice(records(found.pieces, shape, LIMITS), HEADING_ROWS + 1))
    if len(first) < 2:
        raise Unreadable(NO_ROWS)
    # Titles may stand above the headings; where nothing is recognised, they are in the fullest row.
    found.heading_line, headings = max(
        first[:-1], key=lambda row: (sum(map(knows, row[1])), sum(map(bool, row[1])))
    )
    if found.headings != headings:
        found.headings = headings
        remembered = _remembered(found)
        found.mapping = [
            remembered.get(plain(heading), known.get(plain(heading), "")) if plain(heading) else ""
            for heading in headings
        ]


def _remembered(found: RegisterImport) -> dict[str, str]:
    """What the headings of the last such file of the same client, or of all clients, were said to be."""
    rows = RegisterImport.objects.filter(
        mandataire_id=tenancy.current(), employer=found.employer, kind=found.kind
    ).exclude(pk=found.pk)
    last = rows.exclude(state__in=_UNDECIDED).order_by("-pk").first()
    if last is None:
        return {}
    columns = KINDS[found.kind].columns
    return {
        plain(heading): name
        for heading, name in zip(last.headings, last.mapping, strict=True)
        if name in columns and plain(heading)
    }


def faults_of(found: RegisterImport, mapping: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns that are missing from a mapping, and those that are there twice."""
    columns = KINDS[found.kind].columns
    if found.kind not in TABLES:
        return [], []
    needed = [name for name, column in columns.items() if column.is_needed]
    if found.employer_id is None:
        needed.insert(0, EMPLOYER)
    twice = sorted({name for name in mapping if name and mapping.count(name) > 1})
    return [name for name in needed if name not in mapping], twice


def terms_of(found: RegisterImport) -> Terms:
    """What its rows are read by."""
    return Terms(found.employer, found.month_first_line or 0)


def rows_at_once(found: RegisterImport, usual: int) -> int:
    """How many rows are read and kept in memory together: a row of an archive is a worker with all of his."""
    return usual if found.kind in TABLES else usual // 20


def where(found: RegisterImport) -> dict[str, int]:
    """The place of each column that was found."""
    return {name: place for place, name in enumerate(found.mapping) if name}


def rows_below(found: RegisterImport, after: int = 0) -> Iterator[Numbered]:
    """The rows below the headings, beginning after row `after`. To be read while the scope of the import is open."""
    if found.kind not in TABLES:
        return (row for row in archives.rows_of(found.pieces) if row[0] > after)
    from_here = max(found.heading_line, after)
    rows = records(found.pieces, Shape(found.encoding, found.delimiter), LIMITS)
    return ((number, cells) for number, cells in rows if number > from_here)
