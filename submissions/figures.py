"""The figures of a client over months: what was declared for it, what became of that, and how long it took.

A declaration counts in the month in which it was encoded (made), in Belgium, and stays there whatever becomes of
it: so `declared` is at all times the sum of `accepted`, `remarks`, `refused` and `waiting`. Each figure is an `Asked`,
and that is a filter of the list of declarations: whoever follows a figure finds exactly its rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from django.db.models import Count, Max, QuerySet
from django.db.models.functions import TruncDate

from channels.models import EnvironmentCode
from mandates.catalogue import services
from mandates.models import Employer
from portal import tenancy
from submissions import questions
from submissions.models import Anomaly, Declaration
from submissions.states import ACCEPTED, ON_THE_WAY, DeclarationState

DECLARED, ANSWERED, APPROVED = "declared", "answered", "approved"
PARTS: Final = ("accepted", "remarks", "refused", "waiting")
"""What `declared` falls apart into."""

STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "accepted": (DeclarationState.ACCEPTED,),
    "remarks": (DeclarationState.ACCEPTED_WITH_REMARKS,),
    "refused": (DeclarationState.REFUSED,),
    "waiting": ON_THE_WAY,
    APPROVED: ACCEPTED,
    ANSWERED: (*ACCEPTED, DeclarationState.REFUSED),
    DECLARED: (*ACCEPTED, DeclarationState.REFUSED, *ON_THE_WAY),
}
"""The states behind each figure: those of what left, for the rest was not declared yet."""

USUAL: Final = 12
"""Months that are shown where none are asked for."""
MOST: Final = 36
"""Months that are shown at most."""
CAUSES: Final = 10
"""Anomalies that are shown: the most frequent ones."""
_CENTURY: Final = 20


# --- months ---------------------------------------------------------------------------------------


def month(text: str) -> date | None:
    """The first day of the month `YYYY-MM` of this century; None for anything else."""
    with suppress(ValueError):
        found = date.fromisoformat(f"{text}-01")
        return found if len(text) == len("YYYY-MM") and found.year // 100 == _CENTURY else None
    return None


def months_on(first: date, months: int) -> date:
    """The first day of the month that is so many months after `first`; before it, for a negative number."""
    year, place = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, place + 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months, the first day of the first and of the last one."""

    first: date
    last: date

    @property
    def months(self) -> list[date]:
        """The first day of each month, in order."""
        count = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        return [months_on(self.first, place) for place in range(count)]

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The first moment of it in Belgium, and the first one after it."""
        return questions.first_of_month(self.first), questions.first_of_month(months_on(self.last, 1))


def period(first: str, last: str, today: date) -> Period:
    """The months asked for (`YYYY-MM`), in whichever order, at most `MOST`; the last `USUAL` for what is no month."""
    until = month(last) or today.replace(day=1)
    since = month(first) or months_on(until, 1 - USUAL)
    since, until = min(since, until), max(since, until)
    return Period(max(since, months_on(until, 1 - MOST)), until)


# --- what a figure stands for ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What narrows a list of declarations to those behind a figure. An empty field narrows nothing.

    `code` and `tag` are those of an anomaly; a declaration may have several.
    """

    period: Period | None = None
    service: str = ""
    environment: str = ""
    figure: str = ""
    code: str = ""
    tag: str = ""

    def of(self, rows: QuerySet[Declaration]) -> QuerySet[Declaration]:
        """Those of `rows` that it stands for."""
        if self.period is not None:
            since, until = self.period.moments
            rows = rows.filter(created_at__gte=since, created_at__lt=until)
        if self.service:
            rows = rows.filter(service=self.service)
        if self.environment:
            rows = rows.filter(environment=self.environment)
        if self.figure:
            rows = rows.filter(state__in=STATES[self.figure])
        return questions.with_cause(rows, self.code, self.tag) if self.code else rows

    @property
    def kept(self) -> dict[str, str]:
        """It as parameters of an address, the empty ones too. `asked` reads them."""
        first, last = (self.period.first, self.period.last) if self.period else (None, None)
        return {
            "from": f"{first:%Y-%m}" if first else "",
            "to": f"{last:%Y-%m}" if last else "",
            "service": self.service,
            "environment": self.environment,
            "figure": self.figure,
            "code": self.code,
            "tag": self.tag if self.code else "",
        }


def asked(parameters: Mapping[str, str]) -> Asked:
    """What the parameters of an address ask for; what is no month, service, environment or figure narrows nothing."""
    first, last = month(parameters.get("from", "")), month(parameters.get("to", ""))
    service, environment = parameters.get("service", ""), parameters.get("environment", "")
    figure = parameters.get("figure", "")
    return Asked(
        Period(first, last) if first and last else None,
        service if service in services() else "",
        environment if environment in EnvironmentCode.values else "",
        figure if figure in STATES else "",
        parameters.get("code", ""),
        parameters.get("tag", ""),
    )


# --- the figures of a client ----------------------------------------------------------------------


@dataclass(slots=True)
class Figures:
    """What was declared over a month, or over all of a period: `counts` are declarations by figure.

    `days` counts what was accepted by the calendar days from its encoding to the acceptance.
    """

    asked: Asked
    counts: Counter[str] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)

    def add(self, state: str, count: int, days: int | None) -> None:
        """Counts `count` declarations of one state in."""
        for figure, states in STATES.items():
            if state in states:
                self.counts[figure] += count
        if days is not None and state in ACCEPTED:
            self.days[days] += count

    @property
    def rate(self) -> float | None:
        """How much of what was answered was accepted, in percent; None before the first answer."""
        answered = self.counts[ANSWERED]
        return 100 * self.counts[APPROVED] / answered if answered else None

    def within(self, share: float) -> int | None:
        """The days after which this share (0 to 1) of what was accepted had been; the median for one half."""
        left = share * self.days.total()
        for days, count in sorted(self.days.items()):
            left -= count
            if left <= 0:
                return days
        return None


@dataclass(frozen=True, slots=True)
class Cause:
    """An anomaly code at an element of the form, and how many declarations carry it."""

    asked: Asked
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All that is told of a client over a period. `services` and `environments` are those of which it has figures."""

    total: Figures
    months: list[Figures]
    causes: list[Cause]
    services: list[str]
    environments: list[str]


def dashboard(employer: Employer, over: Period, service: str = "", environment: str = "") -> Dashboard:
    """The figures of a client. Two queries.

    Without an `environment` it is production, or a test for a client of whom nothing went to production yet.
    """
    groups = list(_groups(employer, over))
    environments = [code for code in EnvironmentCode.values if any(group[1] == code for group in groups)]
    if not environment:
        environment = (
            EnvironmentCode.PRODUCTION
            if EnvironmentCode.PRODUCTION in environments or not environments
            else environments[0]
        )
    whole = Asked(over, service, environment)
    months = {first: Figures(replace(whole, period=Period(first, first))) for first in over.months}
    total = Figures(whole)
    for of_service, where, state, encoded_on, answered_on, count in groups:
        if where != environment or service not in ("", of_service):
            continue
        days = (answered_on - encoded_on).days if answered_on else None
        for figures in (total, months[encoded_on.replace(day=1)]):
            figures.add(state, count, days)
    known = sorted({group[0] for group in groups})
    return Dashboard(total, list(months.values()), _causes(employer, whole), known, environments)


type _Group = tuple[str, str, str, date, date | None, int]


def _groups(employer: Employer, over: Period) -> Iterable[_Group]:
    """What left, counted by service, environment, state, and the days of its encoding and of its answer."""
    rows = Asked(over, figure=DECLARED).of(questions.mine().filter(employer=employer))
    return (
        rows.order_by()
        .annotate(encoded_on=TruncDate("created_at"), answered_on=TruncDate("answered_at"))
        .values_list("service", "environment", "state", "encoded_on", "answered_on")
        .annotate(count=Count("pk"))
    )


def _causes(employer: Employer, whole: Asked) -> list[Cause]:
    """The anomalies that came back most for what was declared."""
    declared = replace(whole, figure=DECLARED)
    rows = declared.of(questions.mine().filter(employer=employer)).order_by()
    found = (
        Anomaly.objects.filter(mandataire_id=tenancy.current(), declaration__in=rows.values("pk"))
        .order_by()
        .values_list("code", "tag")
        .annotate(count=Count("declaration", distinct=True), label=Max("label"))
        .order_by("-count", "code", "tag")
    )
    return [
        Cause(replace(declared, code=code, tag=tag), label or "", count)
        for code, tag, count, label in found[:CAUSES]
    ]
