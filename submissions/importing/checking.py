"""The dry run: every row read and compared with the register, its faults kept, nothing made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from django.db.models import F
from django.utils.translation import override

from mandates.numbers import mask_in_text
from portal import audit
from portal.spreadsheets.reading import Numbered, Unreadable
from submissions.importing import opening, turns
from submissions.importing.kinds import KINDS
from submissions.importing.rows import NISS, Row
from submissions.importing.turns import Turn
from submissions.models import ImportFault, RegisterImport
from submissions.states import RegisterImportState

CHUNK: Final = 2000
"""Rows of one transaction: about a second, after which the page shows how far it is."""
_LONGEST_TYPED: Final = 80
_BIRTH: Final = 6
"""Digits of a personal number that may be shown: the day of birth."""

_S = RegisterImportState


def check(turn: Turn) -> int:
    """Checks the whole file, from its first row on. Returns how many rows it holds.

    A worker that dies leaves faults that the next one throws away. Raises LostRace when somebody else took the turn.
    """
    with turn.step() as found:
        found.faults.all().delete()
        found.total = found.bad = found.same = 0
        try:
            opening.look_at(found)
        except Unreadable as fault:
            return _refuse(found, fault)
        found.save()
        if any(opening.faults_of(found, found.mapping)):
            found.move(_S.MAPPING, due_at=None)
            return 0
        rows = opening.rows_below(found)
    seen: dict[int, int] = {}
    month_first_line = 0
    while True:
        with turn.step() as found:
            try:
                chunk = list(islice(rows, opening.rows_at_once(found, CHUNK)))
            except Unreadable as fault:
                return _refuse(found, fault)
            if not chunk:
                if month_first_line and not found.month_first_line:
                    # Once more, with no day trusted that could be read both ways.
                    found.month_first_line = month_first_line
                    found.save(update_fields=["month_first_line"])
                    break
                return _end(found)
            judged = judge(found, chunk, seen)
            month_first_line = month_first_line or next(
                (row.line for row in judged if row.has_month_first), 0
            )
            bad = keep_faults(found, judged, chunk)
            same = sum(row.is_same for row in judged)
            RegisterImport.objects.filter(pk=found.pk).update(
                total=F("total") + len(judged),
                bad=F("bad") + bad,
                same=F("same") + same,
                due_at=turns.later(),
            )
    return check(turn)


def judge(found: RegisterImport, chunk: Sequence[Numbered], seen: dict[int, int] | None = None) -> list[Row]:
    """The rows as they are understood, compared with each other (by `seen`, which it adds to) and with the register.

    Without `seen` they were compared with each other before, and are made next.
    """
    kind, terms, where = KINDS[found.kind], opening.terms_of(found), opening.where(found)
    rows = []
    for line, cells in chunk:
        row = Row(line)
        kind.read(row, _named(cells, where), terms)
        rows.append(row)
        if seen is not None and not row.faults:
            # Eight bytes instead of the key: a hundred thousand of them stay in memory.
            before = seen.setdefault(hash(row.key), line)
            if before != line:
                row.fault(NISS, kind.twice, {"line": before})
    kind.compare(rows, terms, is_final=seen is None)
    return rows


def _named(cells: Sequence[str], where: Mapping[str, int]) -> dict[str, str]:
    length = len(cells)
    return {name: cells[place] for name, place in where.items() if place < length}


def keep_faults(found: RegisterImport, rows: Sequence[Row], chunk: Sequence[Numbered]) -> int:
    """Keeps the faults of these rows with what stands there, masked. Returns how many rows have any."""
    where = opening.where(found)
    wrong = [
        (row, _named(cells, where)) for row, (_line, cells) in zip(rows, chunk, strict=True) if row.faults
    ]
    ImportFault.objects.bulk_create(
        ImportFault(
            of=found,
            line=row.line,
            faults=[
                [fault.column, fault.sentence, _masked(fault.values), typed(fault.column, cells)]
                for fault in row.faults
            ],
        )
        for row, cells in wrong
    )
    return len(wrong)


def _masked(values: Mapping[str, object]) -> dict[str, object]:
    return {name: mask_in_text(value) if isinstance(value, str) else value for name, value in values.items()}


def typed(column: str, cells: Mapping[str, str]) -> str:
    """What stands in a cell, as a page may show it: a mistyped personal number is nearly one."""
    text = cells.get(column, "")[:_LONGEST_TYPED]
    if column == NISS:
        return _shown_birth(text)
    return mask_in_text(text)


def _shown_birth(text: str) -> str:
    """The first six digits, with whatever stands between them; stars for those that follow."""
    digits = 0
    shown = []
    for sign in text:
        digits += sign.isdigit()
        shown.append("*" if sign.isdigit() and digits > _BIRTH else sign)
    return "".join(shown)


def _refuse(found: RegisterImport, fault: Unreadable) -> int:
    with override(None):
        sentence = str(fault.sentence)
    found.faults.all().delete()
    found.move(_S.UNREADABLE, refusal=[sentence, fault.values], due_at=None, total=0, bad=0, same=0)
    audit.record("register.refused", found, data={"name": found.name, "sha256": found.sha256})
    return 0


def _end(found: RegisterImport) -> int:
    if not found.total:
        return _refuse(
            found,
            Unreadable(opening.NO_ROWS),
        )
    found.move(_S.CHECKED, due_at=None)
    audit.record("register.checked", found, data={"name": found.name, "rows": found.total, "bad": found.bad})
    return found.total
