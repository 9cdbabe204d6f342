"""What stands in the register already on the days of a training that is about to be encoded.

The same training again, or more than a normal day holds. A training counts on each of its working days with an equal
part of its duration, because the register does not know its hours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from django.db.models import Exists, OuterRef, QuerySet

from mandates.models import Employer
from portal import tenancy
from submissions.holidays import is_working_day
from submissions.models import Declaration, TrainingRecord
from submissions.states import ACCEPTED, DeclarationState

TAKES_TIME = ("followed", "reserved")
"""Statuses of a training that fills, or is to fill, the worker's days."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A training by what matters here. Both days are included; `minutes` are its whole duration."""

    title: str
    starts_on: date
    ends_on: date
    minutes: int

    @property
    def a_day(self) -> Fraction:
        """Minutes on each of its days."""
        return Fraction(self.minutes, working_days(self.starts_on, self.ends_on))

    def is_same(self, other: Planned) -> bool:
        """Whether both have the same title, however it is written, and the same days."""
        return (_plain(self.title), self.starts_on, self.ends_on) == (
            _plain(other.title),
            other.starts_on,
            other.ends_on,
        )


@dataclass(slots=True)
class Clash:
    """What is in the way for one worker: the same training, and those with which a day is too full."""

    same: list[TrainingRecord] = field(default_factory=list)
    full: list[TrainingRecord] = field(default_factory=list)


def clashes(
    employer: Employer, workers: Collection[int], planned: Planned, day_minutes: int
) -> dict[int, Clash]:
    """What is in the way, by id of the worker; who is not named is free. One query.

    A day is too full when what is planned and what stands there take more than `day_minutes` together.
    """
    there: dict[int, list[TrainingRecord]] = defaultdict(list)
    rows = standing().filter(
        employer=employer,
        worker_id__in=workers,
        starts_on__lte=planned.ends_on,
        ends_on__gte=planned.starts_on,
    )
    for row in rows.order_by("starts_on", "pk"):
        there[row.worker_id].append(row)
    found: dict[int, Clash] = {}
    for worker, records in there.items():
        same = [row for row in records if planned.is_same(_planned(row))]
        full = _too_full(planned, [row for row in records if row not in same], day_minutes)
        if same or full:
            found[worker] = Clash(same, full)
    return found


def standing() -> QuerySet[TrainingRecord]:
    """The trainings that count: not those whose every declaration was withdrawn, nor those cancelled."""
    about = Declaration.objects.filter(mandataire_id=tenancy.current(), record=OuterRef("pk")).order_by()
    withdrawn = Exists(about) & ~Exists(about.exclude(state=DeclarationState.WITHDRAWN))
    cancelled = Exists(about.filter(kind=Declaration.Kind.CANCELLATION, state__in=ACCEPTED))
    return TrainingRecord.objects.filter(~withdrawn, ~cancelled, mandataire_id=tenancy.current())


def working_days(first: date, last: date) -> int:
    """Working days from `first` to `last`, both included; all days when none of them is one."""
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    return sum(map(is_working_day, days)) or len(days)


def _too_full(planned: Planned, records: Iterable[TrainingRecord], day_minutes: int) -> list[TrainingRecord]:
    """Those of `records` that share a day with `planned` on which all of them do not fit."""
    timed = [(row, _planned(row)) for row in records if row.status in TAKES_TIME]
    full: dict[int, TrainingRecord] = {}
    # The sum only grows where something starts, so these days are enough.
    for day in {max(planned.starts_on, row.starts_on) for row, _there in timed}:
        on_it = [(row, there) for row, there in timed if row.starts_on <= day <= row.ends_on]
        if planned.a_day + sum(there.a_day for _row, there in on_it) > day_minutes:
            full |= {row.pk: row for row, _there in on_it}
    return list(full.values())


def _planned(row: TrainingRecord) -> Planned:
    return Planned(row.title, row.starts_on, row.ends_on, row.duration_minutes)


def _plain(title: str) -> str:
    return " ".join(title.split()).casefold()
