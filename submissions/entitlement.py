"""The individual right to training of one worker in one year, with every step that leads to it: pure.

A year's right is A x B x C: days of a full-timer (law, size of the enterprise, sector agreement) x work regime x
months employed / 12, where a started month counts in full. A day is one normal day of a full-timer, so all is counted
in minutes. Figures stay exact until the end of a year and are then rounded once, to the nearest minute, half up. The
law names no rounding: this one is ours, and so are these readings where the law is silent:

- a month counts at the best of its days: a regime that changes within it counts once, in the worker's favour;
- contracts at the same time add up, to a full-timer at most;
- minutes carried over stay minutes when the length of a normal day changes;
- training beyond the right takes nothing from a later year;
- a calendar year without any contract ends what was carried; who comes back begins a period anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any, Final

from submissions.training_law import Band, law_of

USUAL_DAY: Final = 456
"""Minutes of a normal day in a week of 38 hours; for a year that has no contract to ask."""
_MONTHS: Final = range(1, 13)


@dataclass(frozen=True, slots=True)
class Term:
    """A contract: `regime` is a share of a full-timer, above 0 and at most 1; both days are included."""

    joint_committee: str
    regime: Fraction
    day_minutes: int
    entered_on: date
    left_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the worker was employed under it on `day`."""
        return self.entered_on <= day and (self.left_on is None or day <= self.left_on)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One step of the growth path of a sector agreement: days a year for a full-timer from 20 FTE on.

    `small_days` are those from 10 to 19 FTE, None when the agreement does not speak of them.
    """

    joint_committee: str
    number: str
    from_year: int
    until_year: int | None
    days: Fraction
    small_days: Fraction | None = None


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person decided: minutes that are added (or, below zero, taken away), or the whole right of the year."""

    year: int
    minutes: int
    is_whole: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the right of one worker follows from. `sizes` are FTE by year, `used` minutes of training by year."""

    terms: Sequence[Term] = ()
    sizes: Mapping[int, Fraction] = field(default_factory=dict)
    agreements: Sequence[Agreement] = ()
    by_hand: Sequence[ByHand] = ()
    used: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One step in its order. `kind` has its sentence in `right_words`; `minutes` is the figure that it leads to."""

    kind: str
    values: Mapping[str, Any]
    minutes: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The right of one year, in minutes. `missing` are the years whose size of enterprise is needed and not known."""

    year: int
    steps: tuple[Step, ...]
    calculated: int
    own: int
    carried: int
    used: int
    missing: tuple[int, ...]
    day_minutes: int

    @property
    def available(self) -> int:
        """The right of the year with what was carried over."""
        return self.own + self.carried

    @property
    def remaining(self) -> int:
        """What is left to take."""
        return max(0, self.available - self.used)

    @property
    def beyond(self) -> int:
        """Training given beyond the right."""
        return max(0, self.used - self.available)


def explain(facts: Facts, year: int) -> Explanation:
    """The right of `year` (a calendar year), with what earlier years of the period leave to it."""
    first = _first_year(facts, year)
    carried, history, missing = 0, list[Step](), list[int]()
    for earlier in range(first, year):
        found = _year(facts, earlier)
        missing += found.missing
        used = facts.used.get(earlier, 0)
        left = max(0, found.own + carried - used)
        values = {"year": earlier, "own": found.own, "carried": carried, "used": used, "left": left}
        history.append(Step("year_before", values, Fraction(left)))
        carried = left
        if (period := _period_ending(first, earlier)) is not None:
            history = [Step("period_ended", {"first": period, "last": earlier, "lost": left}, Fraction(0))]
            carried, missing = 0, []
    found = _year(facts, year)
    used = facts.used.get(year, 0)
    steps = [*found.steps, *history]
    if history:
        steps.append(Step("carried", {"until": _period_end(first, year)}, Fraction(carried)))
    left = found.own + carried - used
    steps.append(Step("used", {"used": used}, Fraction(used)))
    steps.append(Step("remaining" if left >= 0 else "beyond", {"beyond": -left}, Fraction(max(0, left))))
    return Explanation(
        year=year,
        steps=tuple(steps),
        calculated=found.calculated,
        own=found.own,
        carried=carried,
        used=used,
        missing=(*missing, *found.missing),
        day_minutes=_day_of(facts, year),
    )


def lineage(joint_committee: str) -> Iterator[str]:
    """A joint committee and those above it: `149.01`, then `149`."""
    parts = joint_committee.split(".")
    while parts:
        yield ".".join(parts)
        parts.pop()


def agreement_for(agreements: Sequence[Agreement], joint_committee: str, year: int) -> Agreement | None:
    """The step of the growth path that holds in `year`: of the joint committee itself before one above it."""
    for code in lineage(joint_committee):
        for found in agreements:
            is_due = found.from_year <= year and (found.until_year is None or year <= found.until_year)
            if is_due and found.joint_committee == code:
                return found
    return None


# --- one year by itself ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Year:
    """The right that one year gives by itself."""

    steps: tuple[Step, ...]
    calculated: int
    own: int
    missing: tuple[int, ...] = ()


def _year(facts: Facts, year: int) -> _Year:
    steps, missing = list[Step](), tuple[int, ...]()
    law, size = law_of(year), facts.sizes.get(year)
    exact = Fraction(0)
    if law is None:
        steps.append(Step("before_the_law", {"year": year}, exact))
    elif not _terms_of(facts, year):
        steps.append(Step("no_contract", {"year": year}, exact))
    elif size is None:
        steps.append(Step("size_missing", {"year": year}))
        missing = (year,)
    else:
        band = next(band for band in reversed(law.bands) if band.from_fte <= size)
        steps.append(Step("size", {"year": year, "fte": size, "least": band.from_fte, "days": band.days}))
        if band.least is not None:
            parts = list(_parts(facts, band, year))
            exact = sum((part.minutes or Fraction(0) for part in parts), Fraction(0))
            steps += [*_bases(parts), *(part for part in parts if part.kind == "months")]
        if len(steps) > 2:
            steps.append(Step("calculated", {"exact": exact}, Fraction(_rounded(exact))))
    calculated = own = _rounded(exact)
    for decided in sorted(
        (one for one in facts.by_hand if one.year == year), key=lambda one: not one.is_whole
    ):
        own = max(0, decided.minutes if decided.is_whole else own + decided.minutes)
        values = {"minutes": decided.minutes, "reason": decided.reason}
        steps.append(Step("whole_by_hand" if decided.is_whole else "by_hand", values, Fraction(own)))
        missing = () if decided.is_whole else missing
    return _Year(tuple(steps), calculated, own, missing)


def _bases(parts: Sequence[Step]) -> list[Step]:
    """A of the formula, once for each joint committee."""
    found = dict[str, Step]()
    for part in parts:
        for slice_ in part.values["slices"]:
            found.setdefault(slice_["base"].values["joint_committee"], slice_["base"])
    return list(found.values())


def _parts(facts: Facts, band: Band, year: int) -> Iterator[Step]:
    """The months of the year, those next to each other that count the same together."""
    terms = _terms_of(facts, year)
    bases = {code: _base(facts, band, code, year) for code in {term.joint_committee for term in terms}}
    months = [(month, _best(terms, bases, year, month)) for month in _MONTHS]
    for best, run in groupby(months, key=lambda pair: pair[1]):
        numbers = [month for month, _best in run]
        if not best:
            continue
        share = Fraction(len(numbers), 12)
        slices = [
            {
                "base": bases[code],
                "days": bases[code].values["days"],
                "regime": regime,
                "day_minutes": day_minutes,
                "result": bases[code].values["days"] * regime * share,
            }
            for code, regime, day_minutes in best
        ]
        minutes = sum((one["result"] * one["day_minutes"] for one in slices), Fraction(0))
        values = {"first": numbers[0], "last": numbers[-1], "months": len(numbers), "slices": slices}
        yield Step("months", values, minutes)


def _base(facts: Facts, band: Band, code: str, year: int) -> Step:
    """The days of a full-timer: those of the law, or of the sector agreement as far as the law lets it."""
    values = {"joint_committee": code, "days": band.days, "law": band.days, "least": band.least, "number": ""}
    agreement = agreement_for(facts.agreements, code, year)
    agreed = None
    if agreement is not None:
        agreed = agreement.days if band.from_fte >= 20 else agreement.small_days
    if agreement is None or agreed is None or band.least is None:
        return Step("base_law", values)
    values |= {"days": max(agreed, band.least), "agreed": agreed, "number": agreement.number}
    values |= {"from_year": agreement.from_year}
    return Step("base_raised" if agreed < band.least else "base_agreed", values)


type _Slice = tuple[str, Fraction, int]


def _best(terms: Sequence[Term], bases: Mapping[str, Step], year: int, month: int) -> tuple[_Slice, ...]:
    """What counts for a month: the contracts of its best day, cut back to a full-timer; () when nobody is employed.

    What is held changes with an entry and after a leaving, so those days and the first of the month are all to look at.
    """
    turns = {term.entered_on for term in terms}
    turns |= {term.left_on + timedelta(days=1) for term in terms if term.left_on}
    found = list[tuple[_Slice, ...]]()
    for day in sorted({date(year, month, 1)} | {t for t in turns if (t.year, t.month) == (year, month)}):
        held = [term for term in terms if term.holds_on(day)]
        cut = max(Fraction(1), sum((term.regime for term in held), Fraction(0)))
        found.append(
            tuple(sorted((term.joint_committee, term.regime / cut, term.day_minutes) for term in held))
        )
    return max(found, key=lambda slices: (_worth(slices, bases), sum(regime for _c, regime, _d in slices)))


def _worth(slices: Sequence[_Slice], bases: Mapping[str, Step]) -> Fraction:
    return sum(
        (bases[code].values["days"] * regime * minutes for code, regime, minutes in slices), Fraction(0)
    )


def _terms_of(facts: Facts, year: int) -> list[Term]:
    return [
        term
        for term in facts.terms
        if term.entered_on.year <= year and (term.left_on is None or term.left_on.year >= year)
    ]


def _rounded(minutes: Fraction) -> int:
    """To the nearest minute, half up. `minutes` is not below zero."""
    return int(minutes + Fraction(1, 2))


def _day_of(facts: Facts, year: int) -> int:
    """The normal day in which a year is told: that of the last contract by then."""
    terms = [term for term in facts.terms if term.entered_on.year <= year]
    return max(terms, key=lambda term: term.entered_on).day_minutes if terms else USUAL_DAY


# --- periods --------------------------------------------------------------------------------------


def _first_year(facts: Facts, year: int) -> int:
    """The year from which something can have been carried to `year`: the first without a gap of a whole year."""
    first = year
    while _terms_of(facts, first - 1) and law_of(first - 1) is not None:
        first -= 1
    return first


def _start(first: int) -> int:
    law = law_of(first)
    return max(first, law.periods_from) if law else first


def _length(first: int) -> int:
    law = law_of(first)
    return law.period_years if law else 1


def _period_end(first: int, year: int) -> int:
    """The last year of the period in which `year` lies."""
    start, length = _start(first), _length(first)
    return start + length - 1 if year < start else year + length - 1 - (year - start) % length


def last_year_to_take(facts: Facts, year: int) -> int:
    """The calendar year by whose end what remains of `year` is to be taken: the last one of its period."""
    return _period_end(_first_year(facts, year), year)


def _period_ending(first: int, year: int) -> int | None:
    """The first year of the period that ends with `year`, or None when none does."""
    if _period_end(first, year) != year:
        return None
    start = year - _length(first) + 1
    return first if start == _start(first) else start
