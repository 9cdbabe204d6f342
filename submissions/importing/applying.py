"""Makes what a checked file asks for: chunk by chunk, each in one transaction with its Event, and never one twice.

A worker that dies leaves whole chunks and a moment after which the sweep goes on. *All or none* is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from portal import audit, tenancy
from portal.moving import LostRace
from portal.spreadsheets.reading import Numbered
from submissions.importing import checking, opening, turns
from submissions.importing.kinds import KINDS
from submissions.importing.rows import Row
from submissions.importing.turns import Turn
from submissions.models import ImportChunk, RegisterImport
from submissions.states import RegisterImportState

CHUNK: Final = 1000
"""Rows of one transaction. Larger ones gain little, and keep other writers of the journal waiting at the commit."""
_TRIES: Final = 3

_S = RegisterImportState


class _Stopped(Exception):
    """All rows were wanted or none, and these cannot be applied."""

    def __init__(self, rows: Sequence[Row], chunk: Sequence[Numbered]) -> None:
        super().__init__(f"{len(rows)} rows")
        self.rows, self.chunk = rows, chunk


def begin(found: RegisterImport, *, is_whole: bool) -> None:
    """Says that the good rows are to be applied; with `is_whole` all of them or none.

    Raises LostRace when somebody said so already, and when nothing or (`is_whole`) not everything is good.
    """
    if found.state != _S.CHECKED:
        raise LostRace(f"import {found.pk} is {found.state}")
    if found.total == found.bad + found.same or (is_whole and found.bad):
        raise LostRace(f"import {found.pk} cannot be applied so")
    rows = found.total - found.bad - found.same
    found.move(_S.APPLYING, is_whole=is_whole, applied_by=tenancy.actor(), due_at=turns.later())
    audit.record("register.started", found, data={"name": found.name, "rows": rows})


def apply(turn: Turn) -> int:
    """Applies what is left of the file. Returns how many rows became something by this call."""
    with turn.step() as found:
        last = found.chunks.order_by("-number").first()
        rows = opening.rows_below(found, last.through if last else 0)
    count = 0
    while True:
        with turn.step() as found:
            if found.is_whole:
                return _apply_all(found, rows)
            chunk = list(islice(rows, opening.rows_at_once(found, CHUNK)))
            if not chunk:
                _end(found)
                return count
            count += _apply(found, chunk)


def _apply_all(found: RegisterImport, rows: Iterator[Numbered]) -> int:
    try:
        with transaction.atomic():
            count = 0
            while chunk := list(islice(rows, opening.rows_at_once(found, CHUNK))):
                count += _apply(found, chunk)
    except _Stopped as stopped:
        bad = checking.keep_faults(found, stopped.rows, stopped.chunk)
        found.move(_S.CHECKED, due_at=None, bad=F("bad") + bad)
        audit.record("register.stopped", found, data={"name": found.name, "rows": bad})
        return 0
    _end(found)
    return count


def _apply(found: RegisterImport, chunk: Sequence[Numbered]) -> int:
    """Makes what the good rows of a chunk ask for, and notes which row became what. Returns how many did."""
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                return _try(found, chunk)
        except IntegrityError:
            # Somebody made the same worker or the same reference at this very moment: now it is known.
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def _try(found: RegisterImport, chunk: Sequence[Numbered]) -> int:
    first, through = chunk[0][0], chunk[-1][0]
    bad = set(found.faults.filter(line__range=(first, through)).values_list("line", flat=True))
    wanted = [each for each in chunk if each[0] not in bad]
    judged = checking.judge(found, wanted)
    # What stood in nobody's way at the dry run may do so now.
    new = [row for row in judged if row.faults]
    if new and found.is_whole:
        raise _Stopped(judged, wanted)
    checking.keep_faults(found, judged, wanted)
    good = [row for row in judged if not row.faults and not row.is_same]
    made = KINDS[found.kind].make(good, declares=found.declares)
    number = found.chunks.count()
    ImportChunk.objects.create(of=found, number=number, through=through, made=made)
    if good:
        data = {"name": found.name, "rows": len(good), "first_row": good[0].line, "last_row": good[-1].line}
        audit.record("register.rows_imported", found, data=data | _ids(made))
    RegisterImport.objects.filter(pk=found.pk).update(
        done=F("done") + len(good),
        bad=F("bad") + len(new),
        due_at=turns.later(),
    )
    return len(good)


def _ids(made: dict[str, list[list[int]]]) -> dict[str, object]:
    """For the journal: of what was made, the first and the last id; each of them stands in the chunk."""
    return {
        f"{name}_ids": [min(pk for _line, pk in pairs), max(pk for _line, pk in pairs)]
        for name, pairs in made.items()
        if pairs
    }


def _end(found: RegisterImport) -> None:
    found.refresh_from_db()
    # Somebody else may have made some of them since the dry run: they are in the register already as well.
    same = found.total - found.bad - found.done
    found.move(_S.APPLIED, due_at=None, ended_at=timezone.now(), same=same)
    told = {"name": found.name, "rows": found.done, "bad": found.bad}
    audit.record("register.applied", found, data=told)
