"""A file of mandates as a preview: read, checked, stored with its rows; and thrown away when nobody wants it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Final

from django.utils import timezone

from mandates.importing import checking, columns
from mandates.importing.columns import Read
from mandates.models import Employer, MandateImport, MandateImportRow
from mandates.numbers import mask_in_text
from mandates.states import ImportState
from portal import audit, tenancy
from portal.moving import LostRace
from portal.spreadsheets import reading

_UNFIT_IN_NAME: Final = re.compile(r"[^\w.() -]+")
_LONGEST_NAME: Final = 120
_CHUNK: Final = 2000


def keep(name: str, content: bytes) -> MandateImport:
    """Reads, checks and stores a file with its rows; no mandate is made. Raises reading.Unreadable."""
    table = reading.read(content, columns.knows)
    by = columns.terms(table.headings, timezone.localdate())
    rows = [columns.understand(line, cells, by) for line, cells in table.rows]
    known = checking.check(rows)
    made = MandateImport(
        name=_plain(name),
        encoding=table.encoding,
        delimiter=table.delimiter,
        uploaded_at=timezone.now(),
        uploaded_by=tenancy.actor(),
        total=len(rows),
        bad=sum(bool(row.faults) for row in rows),
    )
    made.content = content
    made.save()
    MandateImportRow.objects.bulk_create(_stored(made, rows, known), batch_size=_CHUNK)
    data = {"name": made.name, "rows": made.total, "bad": made.bad, "sha256": made.sha256}
    audit.record("import.uploaded", made, data=data)
    return made


def _stored(
    made: MandateImport, rows: Iterable[Read], known: dict[str, Employer]
) -> Iterable[MandateImportRow]:
    for row in rows:
        client = known.get(row.number)
        yield MandateImportRow(
            of=made,
            line=row.line,
            state=MandateImportRow.State.BAD if row.faults else MandateImportRow.State.GOOD,
            # A personal number that somebody put here by mistake does not stay in clear.
            cells={name: mask_in_text(text) for name, text in row.cells.items()},
            faults=row.faults,
            is_new=bool(row.number) and client is None,
            number=row.number,
            name=client.name if client else mask_in_text(row.name)[:200],
            onss_number=row.onss_number,
            language=row.language,
            service=row.service,
            starts_on=row.period.starts_on if row.period else None,
            ends_on=row.period.ends_on if row.period else None,
        )


def earlier(found: MandateImport) -> MandateImport | None:
    """The last import before this one that had the same bytes, or None."""
    rows = MandateImport.objects.filter(mandataire_id=tenancy.current(), sha256=found.sha256, pk__lt=found.pk)
    return rows.defer("content_sealed").order_by("-pk").first()


def discard(found: MandateImport) -> None:
    """Throws a preview away, with its file. Raises LostRace for one that is being applied, or was."""
    locked = MandateImport.objects.select_for_update().defer("content_sealed").get(pk=found.pk)
    if locked.state != ImportState.CHECKED:
        raise LostRace(f"import {found.pk} is {locked.state}")
    audit.record("import.discarded", locked, data={"name": locked.name, "sha256": locked.sha256})
    locked.delete()


def _plain(name: str) -> str:
    """A name that can stand on a page and in the journal: no path, no quotes, no personal number."""
    plain = _UNFIT_IN_NAME.sub("_", mask_in_text(PurePath(name.replace("\\", "/")).name)).strip(" .")
    return plain[-_LONGEST_NAME:] or "import"
