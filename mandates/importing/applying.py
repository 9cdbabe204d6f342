"""Makes the mandates of a preview: by the worker, chunk by chunk, each in one transaction, and never one twice.

A worker that dies leaves whole chunks and a moment after which the sweep goes on; see `mandates_imports_due`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from mandates import granting
from mandates.conflicts import Period
from mandates.importing import checking
from mandates.importing.checking import Wanted
from mandates.models import Employer, MandateImport, MandateImportRow
from mandates.states import ImportState
from portal import audit, tenancy
from portal.moving import LostRace
from portal.spreadsheets.headings import Fault

CHUNK: Final = 500
"""Rows of one transaction. Larger ones gain little, and keep other writers of the journal waiting at the commit."""

_State = MandateImportRow.State


class _Stopped(Exception):
    """All rows were wanted or none, and some cannot be applied."""

    def __init__(self, faults: dict[int, Fault]) -> None:
        super().__init__(f"{len(faults)} rows")
        self.faults = faults


def begin(found: MandateImport, *, is_whole: bool) -> None:
    """Says that the good rows are to be applied; with `is_whole` all of them or none.

    Raises LostRace when somebody said so already, and when nothing or (`is_whole`) not everything is good.
    """
    if found.state != ImportState.CHECKED:
        raise LostRace(f"import {found.pk} is {found.state}")
    if found.total == found.bad + found.done or (is_whole and found.bad):
        raise LostRace(f"import {found.pk} cannot be applied so")
    found.move(
        ImportState.APPLYING, is_whole=is_whole, applied_by=tenancy.actor(), due_at=_later(), ended_at=None
    )
    audit.record("import.started", found, data={"name": found.name, "rows": found.total - found.bad})


def resume(found: MandateImport) -> None:
    """Notes that somebody asked to go on with an import that was begun; the caller wakes the worker."""
    audit.record("import.resumed", found, data={"name": found.name})


def apply(mandataire: UUID, import_id: int) -> int:
    """Applies what is left of an import that somebody began. Returns the number of mandates this call made.

    May be called at any time, by any number of workers: whoever finds a chunk being worked on leaves it alone.
    """
    with tenancy.scope(mandataire):
        asker = MandateImport.objects.values_list("applied_by", flat=True).filter(pk=import_id).first()
    count = 0
    while True:
        with tenancy.scope(mandataire, actor=asker):
            made = _apply_some(import_id)
        if made is None:
            return count
        count += made


def _apply_some(import_id: int) -> int | None:
    """Applies one chunk; None when nothing is left, or somebody else is at it."""
    found = (
        MandateImport.objects.select_for_update(skip_locked=True)
        .defer("content_sealed")
        .filter(pk=import_id, mandataire_id=tenancy.current(), state=ImportState.APPLYING)
        .first()
    )
    if found is None:
        return None
    left = found.rows.filter(state=_State.GOOD).order_by("line")
    rows = list(left if found.is_whole else left[:CHUNK])
    if not rows:
        found.move(ImportState.APPLIED, due_at=None, ended_at=timezone.now())
        told = {"name": found.name, "mandates": found.done, "bad": found.bad}
        audit.record("import.applied", found, data=told)
        return None
    try:
        with transaction.atomic():
            faults = _apply(rows, is_whole=found.is_whole)
    except _Stopped as stopped:
        faults = stopped.faults
        _keep_faults(rows, faults)
        found.move(ImportState.CHECKED, bad=F("bad") + len(faults), due_at=None)
        audit.record("import.stopped", found, data={"name": found.name, "rows": len(faults)})
        return None
    _keep_faults(rows, faults)
    made = len(rows) - len(faults)
    MandateImport.objects.filter(pk=found.pk).update(
        done=F("done") + made, bad=F("bad") + len(faults), due_at=_later()
    )
    return made


def _apply(rows: Sequence[MandateImportRow], *, is_whole: bool) -> dict[int, Fault]:
    """Makes the mandates of these rows. Returns, by line, what stood in the way of the others since the preview.

    With `is_whole` any such row raises _Stopped; the caller undoes what was made by then.
    """
    faults = checking.in_the_way([_wanted(row) for row in rows])
    if is_whole and faults:
        raise _Stopped(faults)
    going = [row for row in rows if row.line not in faults]
    employers = _clients(going)
    # Under the lock on the employers nobody here proposes any more: what was proposed meanwhile shows now.
    meanwhile = checking.in_the_way([_wanted(row) for row in going])
    if is_whole and meanwhile:
        raise _Stopped(meanwhile)
    going = [row for row in going if row.line not in meanwhile]
    proposals = [(employers[row.number], row.service, _wanted(row).period) for row in going]
    mandates = granting.propose_validated(proposals)
    with connection.cursor() as cursor:
        # One statement with two columns: Django's own takes longer over these rows than everything else together.
        cursor.execute(
            "UPDATE mandates_mandateimportrow r SET state = 'applied', mandate_id = made.mandate "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS made (id, mandate) "
            "WHERE r.id = made.id AND r.mandataire_id = %s AND r.state = 'good'",
            [[row.pk for row in going], [mandate.pk for mandate in mandates], tenancy.current()],
        )
        if cursor.rowcount != len(going):
            raise LostRace(f"{len(going) - cursor.rowcount} rows were applied by somebody else")
    return faults | meanwhile


def _wanted(row: MandateImportRow) -> Wanted:
    if row.starts_on is None:
        raise ValueError(f"row {row.pk} is good, and has no period")
    return Wanted(row.line, row.number, row.service, Period(row.starts_on, row.ends_on))


def _clients(rows: Sequence[MandateImportRow]) -> dict[str, Employer]:
    """The clients of these rows by number, those made that were not there, all of them locked."""
    first = {row.number: row for row in reversed(rows)}
    # Numbers in order, then rows in order: two imports that meet wait for each other, and never in a circle.
    while missing := sorted(set(first) - set(checking.clients(first))):
        new = [
            Employer(
                number=number,
                name=first[number].name,
                onss_number=first[number].onss_number,
                language=first[number].language,
            )
            for number in missing
        ]
        try:
            with transaction.atomic():
                made = Employer.objects.bulk_create(new)
                audit.record_all("employer.added", [(employer, {}) for employer in made])
        except IntegrityError:
            continue  # Somebody added one of them at this very moment: now it is known.
    employers = Employer.objects.select_for_update().filter(mandataire_id=tenancy.current(), number__in=first)
    return {employer.number: employer for employer in employers.order_by("pk")}


def _keep_faults(rows: Sequence[MandateImportRow], faults: dict[int, Fault]) -> None:
    wrong = [row for row in rows if row.line in faults]
    for row in wrong:
        row.state, row.faults = _State.BAD, [faults[row.line]]
    MandateImportRow.objects.bulk_update(wrong, ["state", "faults"], batch_size=CHUNK)


def _later() -> datetime:
    """When the sweep takes this for left alone."""
    return timezone.now() + timedelta(seconds=settings.CONFIG.retry_after)
