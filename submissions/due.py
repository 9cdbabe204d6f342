"""What is due: per client and quarter, what stands between its trainings and their being declared, and by when.

A declaration counts in the quarter in which its training ended. Each figure is that of a filter of the list of
declarations (`questions.FILTERS`), so that it opens exactly its rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When
from django.db.models.functions import ExtractQuarter, ExtractYear

from mandates.models import Employer
from mandates.numbers import quarter_after, quarter_days, quarter_of
from portal import tenancy
from submissions import deadlines, questions
from submissions.deadlines import SERVICE, Deadline
from submissions.models import SignOff
from submissions.signing_off import SHOWN
from submissions.states import LIVE, DeclarationState

OPEN: Final = ("draft", "refused", "ready", questions.TESTED)
"""Figures that wait for somebody; for what is on its way nobody can do anything."""

FIGURES: Final = (*OPEN, "on_its_way")

UNSIGNED, DECLARED = "unsigned", "declared"

type Key = tuple[int, str]
"""The id of an employer and a quarter (`YYYYQ`)."""


@dataclass(slots=True)
class Line:
    """One client and one quarter (`YYYYQ`). Figures are declarations; `refused` are not corrected yet.

    `is_unsigned`: the quarter is over, somebody of the client signs in here, and nobody signed it off. What is only
    known of the rows of a page is filled by `complete`: `declared`, accepted in production, `signed`, and whether
    production takes anything of this client today (`may_leave`).
    """

    employer: int
    name: str
    number: str
    quarter: str
    figures: Counter[str] = field(default_factory=Counter)
    is_unsigned: bool = False
    declared: int = 0
    signed: SignOff | None = None
    may_leave: bool = True

    @property
    def key(self) -> Key:
        """What names the line in a choice."""
        return self.employer, self.quarter

    @property
    def deadline(self) -> Deadline | None:
        """By when its trainings are to be declared."""
        return deadlines.of_quarter(self.quarter)

    @property
    def is_open(self) -> bool:
        """Whether somebody has something to do for it."""
        return self.is_unsigned or any(self.figures[name] for name in OPEN)

    def is_behind(self, state: str) -> bool:
        """Whether the filter `state` shows it: "" for what is to be done, a figure, `UNSIGNED` or `DECLARED`."""
        if state == UNSIGNED:
            return self.is_unsigned
        if state == DECLARED:
            return not self.is_open and not self.figures["on_its_way"]
        return bool(self.figures[state]) if state else self.is_open


def lines(today: date, *, employer: Employer | None = None, quarter: str = "") -> list[Line]:
    """Every line of which anything is open or on its way, the most urgent first. Six queries.

    `employer` and `quarter` narrow it.
    """
    found: dict[Key, Line] = {}
    for name, rows in _open(employer, quarter):
        for line, count in _grouped(rows, name):
            kept = found.setdefault(line.key, line)
            for figure, number in count.items():
                kept.figures[figure] += number
    for line in _unsigned(today, employer, quarter):
        found.setdefault(line.key, line).is_unsigned = True
    return in_order(found.values())


def declared_lines(today: date, still_open: Iterable[Line], *, quarter: str = "") -> list[Line]:
    """The lines of which everything is declared and signed off: of one quarter, or of those shown. One query.

    `still_open` are the `lines` that are not.
    """
    is_open = {line.key for line in still_open}
    rows = questions.filtered(_about(None, quarter), "accepted")
    if not quarter:
        rows = rows.filter(record__ends_on__gte=quarter_days(quarters(today)[-1])[0])
    return in_order(line for line, _count in _grouped(rows, DECLARED) if line.key not in is_open)


def in_order(found: Iterable[Line]) -> list[Line]:
    """The earliest quarter first, for its last day comes first; then by name."""
    return sorted(found, key=lambda line: (line.quarter, line.name.casefold(), line.employer))


def quarters(today: date) -> list[str]:
    """The quarters that may be signed off, the latest first."""
    return [quarter_after(quarter_of(today), -back) for back in range(SHOWN)]


def complete(page: Collection[Line], today: date) -> None:
    """Fills in what is only known of the lines of one page. Three queries."""
    if not page:
        return
    employers = {line.employer for line in page}
    where = among([line.key for line in page])
    accepted = questions.filtered(_about(None, ""), "accepted").filter(where)
    declared = {line.key: sum(count.values()) for line, count in _grouped(accepted, DECLARED)}
    given = _given(Q(employer__in=employers, quarter__in={line.quarter for line in page}))
    signed = {(row.employer_id, row.quarter): row for row in given}
    speaking = Employer.objects.filter(pk__in=employers).spoken_for(today, SERVICE)
    may = set(speaking.values_list("pk", flat=True))
    for line in page:
        line.declared, line.signed = declared.get(line.key, 0), signed.get(line.key)
        line.may_leave = line.employer in may


def among(keys: Iterable[Key]) -> Q:
    """Declarations of these clients about trainings that ended in these quarters; nothing for no key at all."""
    by_quarter: dict[str, set[int]] = {}
    for employer, quarter in keys:
        by_quarter.setdefault(quarter, set()).add(employer)
    found = Q(pk__in=())
    for quarter, employers in sorted(by_quarter.items()):
        found |= Q(employer__in=sorted(employers), record__ends_on__range=quarter_days(quarter))
    return found


def counted(found: Iterable[Line]) -> dict[str, int]:
    """How many lines are behind each filter."""
    counts: Counter[str] = Counter()
    for line in found:
        counts.update(state for state in ("", UNSIGNED, *FIGURES) if line.is_behind(state))
    return counts


def _about(employer: Employer | None, quarter: str) -> QuerySet[Any]:
    rows = questions.mine().filter(service=SERVICE)
    if employer:
        rows = rows.filter(employer=employer)
    return rows.filter(record__ends_on__range=quarter_days(quarter)) if quarter else rows


def _open(employer: Employer | None, quarter: str) -> Iterator[tuple[str, QuerySet[Any]]]:
    rows = _about(employer, quarter)
    yield "", rows.filter(state__in=LIVE)
    yield "refused", questions.filtered(rows, questions.TO_CORRECT)
    if questions.has_tests(rows):
        yield questions.TESTED, questions.filtered(rows, questions.TESTED)


_FIGURE: Final = Case(
    When(state=DeclarationState.DRAFT, then=Value("draft")),
    When(state=DeclarationState.READY, then=Value("ready")),
    default=Value("on_its_way"),
    output_field=CharField(),
)


def _grouped(rows: QuerySet[Any], name: str) -> Iterator[tuple[Line, Mapping[str, int]]]:
    """The lines of `rows` with a count under `name`, or under the figure of their state for no name."""
    groups = (
        rows.order_by()
        .annotate(
            figure=Value(name, output_field=CharField()) if name else _FIGURE,
            in_year=ExtractYear("record__ends_on"),
            in_quarter=ExtractQuarter("record__ends_on"),
        )
        .values_list("employer_id", "employer__name", "employer__number", "in_year", "in_quarter", "figure")
        .annotate(count=Count("pk"))
    )
    for employer, shown, number, year, part, figure, count in groups:
        yield Line(employer, shown, number, f"{year:04d}{part}"), {figure: count}


def _unsigned(today: date, employer: Employer | None, quarter: str) -> Iterator[Line]:
    """Quarters that are over and that nobody signed off, of the clients whose people sign in here. Two queries."""
    over = [code for code in quarters(today)[1:] if quarter in ("", code)]
    if not over:
        return
    clients = Employer.objects.filter(
        mandataire_id=tenancy.current(), members__is_blocked=False, members__mandataire_id=tenancy.current()
    )
    if employer:
        clients = clients.filter(pk=employer.pk)
    signing = list(clients.order_by().values_list("pk", "name", "number").distinct())
    whose = Q(employer__in=[pk for pk, _name, _number in signing], quarter__in=over)
    given = set(_given(whose).values_list("employer_id", "quarter")) if signing else set()
    for pk, name, number in signing:
        yield from (Line(pk, name, number, code) for code in over if (pk, code) not in given)


def _given(whose: Q) -> QuerySet[SignOff]:
    """The sign-offs that count."""
    return SignOff.objects.filter(whose, mandataire_id=tenancy.current(), reopened_at=None)
