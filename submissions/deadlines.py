"""The deadline calendar as dated data: pure. By which day something is to be declared is a row, not a branch.

Sources: the law of 20 October 2023 creating the Federal Learning Account, the postponement of its first deadline to
1 September 2025, and the law of 14 January 2026, which repealed it: since 1 January 2026 nothing can be registered
there. A later rule is a new row. What no public text confirms is named in `Rule.inferred`; a row that `is_ours`
rests on no law at all.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mandates.numbers import quarter_days, quarter_of
from submissions.holidays import is_working_day

SERVICE: Final = "FLA"
"""The service whose calendar is known; a row of another one makes it known too."""


class Subject(Enum):
    """What is to be declared. The value is the sentence that tells from when the days are counted."""

    TRAINING = _("a training, from the end of the quarter in which it ended")
    RIGHT = _("the rights of a year, from 1 January")
    HIRE = _("a worker who enters service, from the first day")
    LEAVER = _("a worker who leaves, from the last day")


class FreeDay(Enum):
    """What becomes of a last day on which nobody works."""

    STAYS = "stays"
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Rule:
    """By when `subject` is to be declared to `service`, for what happened from `from_day` to `until`, both inclusive.

    The last day is `months` or `days` after the day from which it counts (see `Subject`), but never before
    `not_before` nor after `not_after`. `is_ours`: no law asks for it, the house keeps it. `inferred` names the facts
    of the row that were concluded, not read.
    """

    service: str
    subject: Subject
    from_day: date
    until: date | None
    source: str | Promise
    months: int = 0
    days: int = 0
    not_before: date = date.min
    not_after: date = date.max
    on_free_day: FreeDay = FreeDay.STAYS
    is_ours: bool = False
    inferred: frozenset[str] = frozenset()

    @property
    def told(self) -> str | Promise:
        """What is to be declared, and from when the days are counted."""
        return self.subject.value

    def last_day(self, happened_on: date) -> date:
        """The last day to declare what happened on this day (for a training: on which it ended)."""
        start = self._counted_from(happened_on)
        found = _months_after(start, self.months) + timedelta(days=self.days)
        found = min(max(found, self.not_before), self.not_after)
        return _on_a_working_day(found, self.on_free_day)

    def _counted_from(self, happened_on: date) -> date:
        match self.subject:
            case Subject.TRAINING:
                return quarter_days(quarter_of(happened_on))[1]
            case Subject.RIGHT:
                return date(happened_on.year, 1, 1)
            case _:
                return happened_on


_ACCOUNT: Final = _("Law of 20 October 2023 creating the Federal Learning Account")
_NO_SHIFT: Final = frozenset({"on_free_day"})
"""No text says that a last day on which nobody works moves: so it stays, and the pages tell the working day before."""

RULES: Final = (
    Rule(
        SERVICE,
        Subject.TRAINING,
        date(2024, 1, 1),
        date(2025, 6, 30),
        _("Law of 20 October 2023, its first deadline postponed to 1 September 2025"),
        months=1,
        not_before=date(2025, 9, 1),
        inferred=_NO_SHIFT | {"until"},
    ),
    Rule(
        SERVICE,
        Subject.TRAINING,
        date(2025, 7, 1),
        date(2025, 12, 31),
        _("Law of 20 October 2023; nothing is registered after 31 December 2025 (law of 14 January 2026)"),
        months=1,
        not_after=date(2025, 12, 31),
        inferred=_NO_SHIFT,
    ),
    Rule(
        SERVICE,
        Subject.TRAINING,
        date(2026, 1, 1),
        None,
        _("No law: the earlier term, so that each worker's training account stays up to date"),
        months=1,
        is_ours=True,
    ),
    *(
        Rule(SERVICE, subject, date(2024, 4, 1), date(2025, 12, 31), _ACCOUNT, days=days, inferred=_NO_SHIFT)
        for subject, days in ((Subject.HIRE, 60), (Subject.RIGHT, 30), (Subject.LEAVER, 30))
    ),
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day to declare something, and the rule that says so."""

    day: date
    rule: Rule

    @property
    def working_day(self) -> date:
        """The last day on which somebody works, not after the last day."""
        return _on_a_working_day(self.day, FreeDay.EARLIER)

    def days_left(self, today: date) -> int:
        """Days from `today` to the last day: 0 on the day itself, negative once it is over."""
        return (self.day - today).days


def deadline_of(subject: Subject, happened_on: date, service: str = SERVICE) -> Deadline | None:
    """By when to declare what happened on this day; None where no rule speaks of it."""
    for rule in RULES:
        if (rule.service, rule.subject) == (service, subject) and (
            rule.from_day <= happened_on <= (rule.until or date.max)
        ):
            return Deadline(rule.last_day(happened_on), rule)
    return None


def of_quarter(quarter: str, service: str = SERVICE) -> Deadline | None:
    """By when the trainings that ended in a quarter (`YYYYQ`) are to be declared; None where no rule says so."""
    return deadline_of(Subject.TRAINING, quarter_days(quarter)[1], service)


def _months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month stays the last of the month."""
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, length if is_last else min(day.day, length))


def _on_a_working_day(day: date, on_free_day: FreeDay) -> date:
    step = {FreeDay.STAYS: 0, FreeDay.EARLIER: -1, FreeDay.LATER: 1}[on_free_day]
    while step and not is_working_day(day):
        day += timedelta(days=step)
    return day
