"""Making the balance letters of a year: asked for in the request, made by the worker part by part, kept for a while.

What is written is written once: a part has its bytes or it is still to be made. A worker that dies leaves whole parts
and a moment after which the sweep goes on with the first one that is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from mandates.models import Contract, Employer, Worker
from portal import audit, tenancy
from portal.moving import LostRace
from submissions.letters import writing
from submissions.models import BalanceLetters, LetterPart
from submissions.models.right import FIRST_YEAR
from submissions.states import LettersState

log = logging.getLogger(__name__)

PER_PART: Final = 50
"""Letters of one PDF: some ten seconds of work, and under 100 MB of memory (`bench/letters.py`)."""
PARTS_PER_TURN: Final = 4
"""After so many the worker lets others have their turn; the sweep, or the task itself, comes back."""
MOST_TRIES: Final = 3
"""Times that a worker may fail or die over the same part before a person is asked."""

PATIENCE: Final = timedelta(seconds=30)
"""For so long after they are due, letters are not called left alone: others may be before them."""

_S = LettersState
_LIVE: Final = (_S.DUE, _S.RUNNING)


class CannotMake(ValueError):
    """The letters cannot be made as asked; the attribute `is_live` says whether they are being made already."""

    permanent = True
    ambiguous = False

    def __init__(self, *, is_live: bool) -> None:
        super().__init__("being made already" if is_live else "nobody was employed in this year")
        self.is_live = is_live


def employed(employer: Employer, year: int) -> QuerySet[Worker]:
    """Everybody who worked for an employer on some day of a calendar year: to all of them the balance is told."""
    tenant = tenancy.current()
    terms = Contract.objects.filter(
        Q(left_on=None) | Q(left_on__gte=date(year, 1, 1)),
        mandataire_id=tenant,
        worker=OuterRef("pk"),
        entered_on__lte=date(year, 12, 31),
    )
    return Worker.objects.filter(Exists(terms), mandataire_id=tenant, employer=employer)


def missing_year(employer: Employer, today: date) -> int | None:
    """Last year, as long as it had workers whose letters were not made yet: from January on they are due."""
    year = today.year - 1
    made = BalanceLetters.objects.filter(
        mandataire_id=tenancy.current(), employer=employer, year=year
    ).exclude(state=_S.FAILED)
    if year < FIRST_YEAR or not employed(employer, year).filter(~Exists(made)).exists():
        return None
    return year


def ask(employer: Employer, year: int) -> BalanceLetters:
    """Plans the letters to everybody who was employed in `year`; the caller wakes the worker.

    Raises CannotMake when nobody was, or when they are being made already.
    """
    rows = employed(employer, year).order_by("family_name", "given_name", "pk")
    workers = list(rows.values_list("pk", flat=True))
    if not workers:
        raise CannotMake(is_live=False)
    now = timezone.now()
    try:
        with transaction.atomic():
            made = BalanceLetters.objects.create(
                employer=employer,
                year=year,
                total=len(workers),
                asked_at=now,
                asked_by=tenancy.actor(),
                due_at=now,
            )
    except IntegrityError:
        raise CannotMake(is_live=True) from None
    LetterPart.objects.bulk_create(
        LetterPart(of=made, number=number, worker_ids=list(chunk))
        for number, chunk in enumerate(batched(workers, PER_PART))
    )
    audit.record("letters.asked", employer, data=_told(made, made.total))
    return made


def resume(found: BalanceLetters) -> None:
    """Has the worker go on with letters that failed, or at which nobody is. Raises LostRace for any others."""
    now = timezone.now()
    if found.state == _S.FAILED:
        try:
            with transaction.atomic():
                found.move(_S.DUE, due_at=now, tries=0, ended_at=None)
        except IntegrityError:
            raise LostRace("others of this year are being made") from None
    elif found.state in _LIVE and found.due_at is not None and found.due_at <= now:
        found.tries = 0
        found.save(update_fields=["tries"])
    else:
        raise LostRace(f"letters {found.pk} are {found.state}")
    audit.record("letters.resumed", found.employer, data=_told(found, found.total - found.done))


def work(mandataire: UUID, letters_id: int) -> bool:
    """Makes the next parts, or deletes what was kept long enough. Returns whether there is more to make at once.

    May be called at any time, by any number of workers: the last one has the turn, and the others stop.
    """
    turn = _take(mandataire, letters_id)
    if turn is None:
        return False
    try:
        for _part in range(PARTS_PER_TURN):
            if not _make_next(turn):
                return False
    except LostRace:
        return False
    except Exception:
        # Whatever is wrong with a letter must not keep the worker from what others wait for.
        log.exception("letters %s: a part could not be made", letters_id)
        _yield_turn(turn, timezone.now() + timedelta(seconds=settings.CONFIG.retry_after))
        return False
    return _yield_turn(turn, timezone.now())


@dataclass(frozen=True, slots=True)
class _Turn:
    """Whoever took the letters last has the turn."""

    mandataire: UUID
    letters_id: int
    attempt: int
    actor: int | None
    employer_id: int

    def rows(self) -> QuerySet[BalanceLetters]:
        return BalanceLetters.objects.filter(
            mandataire_id=self.mandataire, pk=self.letters_id, attempt=self.attempt, state=_S.RUNNING
        )


def _take(mandataire: UUID, letters_id: int) -> _Turn | None:
    now = timezone.now()
    with tenancy.scope(mandataire):
        rows = BalanceLetters.objects.select_for_update(of=("self",)).select_related("employer")
        found = rows.filter(pk=letters_id, mandataire_id=mandataire, due_at__lte=now).first()
        if found is None:
            return None
        if found.state in (_S.DONE, _S.FAILED):
            _delete(found)
            return None
        if found.tries >= MOST_TRIES:
            _fail(found, now)
            return None
        if found.state == _S.DUE:
            found.move(_S.RUNNING)
        found.attempt, found.tries, found.due_at = found.attempt + 1, found.tries + 1, _later(now)
        found.save(update_fields=["attempt", "tries", "due_at"])
        return _Turn(mandataire, found.pk, found.attempt, found.asked_by, found.employer_id)


def _make_next(turn: _Turn) -> bool:
    """Makes the first part that is missing, or ends the job. Returns whether there was one.

    Laying a part out takes seconds, so no transaction is open meanwhile: it reads in one, and keeps in another.
    """
    with tenancy.scope(turn.mandataire, actor=turn.actor), tenancy.within([turn.employer_id]):
        found = turn.rows().select_related("employer").first()
        if found is None:
            raise LostRace(f"somebody else is at letters {turn.letters_id}")
        part = found.parts.filter(content_sealed=None).order_by("number").first()
        if part is None:
            _end(turn)
            return False
        letters = writing.letters_of(_workers(found, part.worker_ids), found.year)
    content = writing.pdf(letters, found.employer, found.year) if letters else b""
    with tenancy.scope(turn.mandataire, actor=turn.actor), tenancy.within([turn.employer_id]):
        part.content, part.letters = content, len(letters)
        part.save(update_fields=["content_sealed", "size", "letters"])
        kept = turn.rows().update(
            done=F("done") + len(part.worker_ids), tries=0, due_at=_later(timezone.now())
        )
        if kept != 1:
            raise LostRace(f"somebody else is at letters {turn.letters_id}")
    return True


def _workers(found: BalanceLetters, pks: Sequence[int]) -> list[Worker]:
    """Those of the plan who are still in the register, in its order."""
    rows = employed(found.employer, found.year).filter(pk__in=pks)
    by_pk = rows.select_related("employer__mandataire").in_bulk()
    return [by_pk[pk] for pk in pks if pk in by_pk]


def _end(turn: _Turn) -> None:
    now = timezone.now()
    found = turn.rows().select_for_update(of=("self",)).select_related("employer").get()
    found.move(_S.DONE, ended_at=now, due_at=now + kept_for(), tries=0)
    written = sum(found.parts.values_list("letters", flat=True))
    audit.record("letters.made", found.employer, data=_told(found, written))


def _fail(found: BalanceLetters, now: datetime) -> None:
    if found.state == _S.DUE:
        found.move(_S.RUNNING)
    found.move(_S.FAILED, ended_at=now, due_at=now + kept_for())
    audit.record("letters.failed", found.employer, data=_told(found, found.done))


def _delete(found: BalanceLetters) -> None:
    """What was kept long enough goes: the register can write the letters again at any time."""
    found.parts.all().delete()
    found.move(_S.DELETED, due_at=None)
    audit.record("letters.deleted", found.employer, data=_told(found, found.done))


def _yield_turn(turn: _Turn, due_at: datetime) -> bool:
    """Lets whoever comes next go on from `due_at`. Returns whether the turn was still ours."""
    with tenancy.scope(turn.mandataire):
        return bool(turn.rows().update(due_at=due_at))


def _later(now: datetime) -> datetime:
    """When the sweep takes letters for left alone: never before a part can be made on a busy machine."""
    return now + timedelta(seconds=max(settings.CONFIG.retry_after, _SLOWEST_PART))


_SLOWEST_PART: Final = 120


def kept_for() -> timedelta:
    """How long letters may be downloaded."""
    return timedelta(days=settings.CONFIG.letters_kept_days)


def _told(found: BalanceLetters, letters: int) -> dict[str, object]:
    return {"letters_id": found.pk, "year": found.year, "letters": letters}
