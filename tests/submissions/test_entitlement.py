"""The right to training: each example was worked out by hand from the rules, as its line says, before it was run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import NamedTuple

import pytest

from submissions.entitlement import (
    Agreement,
    ByHand,
    Explanation,
    Facts,
    Term,
    agreement_for,
    explain,
    lineage,
)

F = Fraction


def term(
    regime: int = 100, since: str = "2019-01-01", until: str = "", jc: str = "200", day: int = 456
) -> Term:
    left = date.fromisoformat(until) if until else None
    return Term(jc, Fraction(regime, 100), day, date.fromisoformat(since), left)


def agreed(
    days: str, since: int = 2024, until: int | None = None, jc: str = "200", small: str = ""
) -> Agreement:
    return Agreement(jc, f"{days}/CO/{jc}", since, until, Fraction(days), Fraction(small) if small else None)


def sizes(fte: str, *years: int) -> Mapping[int, Fraction]:
    return dict.fromkeys(years or range(2023, 2036), Fraction(fte))


class Example(NamedTuple):
    """`own` and, with what was carried, `left`: minutes, worked out by hand."""

    why: str
    facts: Facts
    year: int
    own: int
    left: int


def example(why: str, facts: Facts, own: int, left: int | None = None, year: int = 2024) -> Example:
    return Example(why, facts, year, own, own if left is None else left)


BIG, MIDDLE, SMALL = sizes("50"), sizes("15"), sizes("9.99")
NEW = "2024-01-01"  # entered when the first period begins: nothing is carried into 2024

EXAMPLES = [
    # --- A x B x C
    example(
        "2 days x 50 % x 6/12 = 0.5 day; 0.5 x 456 = 228",
        Facts([term(50, "2024-07-01")], BIG, [agreed("2")]), 228,
    ),
    example("5 x 100 % x 12/12 = 5 days; 5 x 456 = 2280", Facts([term(since=NEW)], BIG), 2280),
    example("5 x 50 % = 2.5 days; 1140", Facts([term(50, NEW)], BIG), 1140),
    example("5 x 80 % = 4 days; 1824", Facts([term(80, NEW)], BIG), 1824),
    example("a day of 36 hours a week: 5 x 432 = 2160", Facts([term(since=NEW, day=432)], BIG), 2160),
    example("5 x 75 % x 4/12 = 1.25 days; 570", Facts([term(75, "2024-09-01")], BIG), 570),
    example("5 x 1/12 x 456 = 190", Facts([term(since="2024-12-01")], BIG), 190),
    # --- started months
    example("entered on the 31st: January is started; 12 months", Facts([term(since="2024-01-31")], BIG), 2280),
    example("entered on 31 December: 1 month; 190", Facts([term(since="2024-12-31")], BIG), 190),
    example("left on 1 March: 3 months; 5 x 3/12 x 456 = 570", Facts([term(since=NEW, until="2024-03-01")], BIG), 570),
    example("left on 29 February: 2 months; 380", Facts([term(since=NEW, until="2024-02-29")], BIG), 380),
    example("one day of work: 1 month; 190", Facts([term(since="2024-05-15", until="2024-05-15")], BIG), 190),
    example(
        "31 May to 1 June: 2 months; 380", Facts([term(since="2024-05-31", until="2024-06-01")], BIG), 380
    ),
    # --- size of the enterprise
    example("9.99 FTE: below 10, none", Facts([term(since=NEW)], SMALL), 0),
    example("10 FTE exactly: 1 day; 456", Facts([term(since=NEW)], sizes("10")), 456),
    example("19.99 FTE: below 20, 1 day; 456", Facts([term(since=NEW)], sizes("19.99")), 456),
    example("20 FTE exactly: 5 days; 2280", Facts([term(since=NEW)], sizes("20")), 2280),
    example("15 FTE, half time, from July: 1 x 1/2 x 1/2 x 456 = 114", Facts([term(50, "2024-07-01")], MIDDLE), 114),
    # --- sector agreement and growth path
    example("an agreement of 3 days: 3 x 456 = 1368", Facts([term(since=NEW)], BIG, [agreed("3")]), 1368),
    example("1 day agreed, the law wants 2: 912", Facts([term(since=NEW)], BIG, [agreed("1")]), 912),
    example("6 days agreed, better than the law: 2736", Facts([term(since=NEW)], BIG, [agreed("6")]), 2736),
    example(
        "of another joint committee: the 5 of the law",
        Facts([term(since=NEW)], BIG, [agreed("3", jc="302")]), 2280,
    ),
    example(
        "of the one above: 149 holds for 149.01; 1368",
        Facts([term(since=NEW, jc="149.01")], BIG, [agreed("3", jc="149")]), 1368,
    ),
    example(
        "its own before the one above: 4 x 456 = 1824",
        Facts([term(since=NEW, jc="149.01")], BIG, [agreed("3", jc="149"), agreed("4", jc="149.01")]), 1824,
    ),
    example("over since 2023: the 5 of the law", Facts([term(since=NEW)], BIG, [agreed("3", 2020, 2023)]), 2280),
    example("15 FTE and silent on them: the 1 of the law", Facts([term(since=NEW)], MIDDLE, [agreed("3")]), 456),
    example("15 FTE, 2 agreed for them: 912", Facts([term(since=NEW)], MIDDLE, [agreed("3", small="2")]), 912),
    example("below 10 FTE no agreement counts", Facts([term(since=NEW)], SMALL, [agreed("3", small="2")]), 0),
    example(
        "third step of a path 3-4-5 : 2026 has 5; 2280, with 1368 + 1824 carried",
        Facts([term(since=NEW)], BIG, [agreed("3", 2024, 2024), agreed("4", 2025, 2025), agreed("5", 2026)]),
        2280, 5472, 2026,
    ),
    example("the law's own path: 4 days in 2023; 1824", Facts([term(since="2023-01-01")], BIG), 1824, year=2023),
    example("no right before the law", Facts([term()], sizes("50", 2022)), 0, year=2022),
    # --- several contracts
    example(
        "full time to June, half time from July: 5 x 6/12 + 5 x 1/2 x 6/12 = 3.75 days; 1710",
        Facts([term(100, NEW, "2024-06-30"), term(50, "2024-07-01")], BIG), 1710,
    ),
    example(
        "changed on the 15th: July counts once, at the higher regime: 5 x 7/12 + 5 x 1/2 x 5/12 = 95/24 days; 1805",
        Facts([term(100, NEW, "2024-07-14"), term(50, "2024-07-15")], BIG), 1805,
    ),
    example("two half-time contracts at once: a full-timer; 2280", Facts([term(50, NEW), term(50, NEW)], BIG), 2280),
    example("80 % and 50 % at once: a full-timer at most; 2280", Facts([term(80, NEW), term(50, NEW)], BIG), 2280),
    example(
        "half time in 200 (5 days) and in 302 (3 days): 2.5 + 1.5 = 4 days; 1824",
        Facts([term(50, NEW), term(50, NEW, jc="302")], BIG, [agreed("3", jc="302")]), 1824,
    ),
    example(
        "left in March, back in October: 3 + 3 months; 5 x 6/12 = 2.5 days; 1140",
        Facts([term(100, NEW, "2024-03-15"), term(100, "2024-10-01")], BIG), 1140,
    ),
    example(
        "a day of 38 hours to June, of 36 from July: 2.5 x 456 + 2.5 x 432 = 2220",
        Facts([term(100, NEW, "2024-06-30"), term(100, "2024-07-01", day=432)], BIG), 2220,
    ),
    # --- rounding, once and at the end
    example("5 x 1/3 x 1/12 of 456 = 62.7: 63", Facts([Term("200", F(33, 100), 456, date(2024, 12, 1))], BIG), 63),
    example("5 x 30 % x 1/12 x 456 = 57 exactly", Facts([term(30, "2024-12-01")], BIG), 57),
    example("1 x 25 % x 5/12 x 456 = 47.5: half up, 48", Facts([term(25, "2024-08-01")], MIDDLE), 48),
    # --- carry-over
    example(
        "nothing taken in 2024: 2280 + 2280", Facts([term(since=NEW)], BIG), 2280, 4560, 2025
    ),
    example(
        "912 taken in 2024 and 456 in 2025: 2280 - 912 + 2280 - 456 = 3192",
        Facts([term(since=NEW)], BIG, used={2024: 912, 2025: 456}), 2280, 3192, 2025,
    ),
    example(
        "3000 taken in 2024, 720 more than the right: 2025 keeps its own",
        Facts([term(since=NEW)], BIG, used={2024: 3000}), 2280, 2280, 2025,
    ),
    example("the fifth year has four before it: 5 x 2280", Facts([term(since=NEW)], BIG), 2280, 11400, 2028),
    example("the period 2024-2028 is over: its own alone", Facts([term(since=NEW)], BIG), 2280, 2280, 2029),
    example("the fifth year of who entered in 2025", Facts([term(since="2025-01-01")], BIG), 2280, 11400, 2029),
    example("his period ended with 2029", Facts([term(since="2025-01-01")], BIG), 2280, 2280, 2030),
    example("2023 goes into the first period: 1824 + 2280", Facts([term(since="2023-01-01")], BIG), 2280, 4104, 2024),
    example(
        "gone for the whole of 2025: nothing is carried to 2026",
        Facts([term(100, NEW, "2024-12-31"), term(100, "2026-01-01")], BIG), 2280, 2280, 2026,
    ),
    example(
        "the enterprise shrinks below 10: no right in 2025, 2280 of 2024 stay",
        Facts([term(since=NEW)], {2024: F(50), 2025: F(8)}), 0, 2280, 2025,
    ),
    # --- by hand
    example("one day added: 2280 + 456", Facts([term(since=NEW)], BIG, by_hand=[ByHand(2024, 456, False, "x")]), 2736),
    example(
        "one taken away: 2280 - 456",
        Facts([term(since=NEW)], BIG, by_hand=[ByHand(2024, -456, False, "x")]), 1824,
    ),
    example("never below zero", Facts([term(since=NEW)], SMALL, by_hand=[ByHand(2024, -456, False, "x")]), 0),
    example("set to 3 days: 1368", Facts([term(since=NEW)], BIG, by_hand=[ByHand(2024, 1368, True, "x")]), 1368),
    example(
        "set to 3 days, then one added: 1824, whichever was written first",
        Facts([term(since=NEW)], BIG, by_hand=[ByHand(2024, 456, False, "x"), ByHand(2024, 1368, True, "y")]), 1824,
    ),
    example(
        "decided for 2024: 456 more to carry to 2025",
        Facts([term(since=NEW)], BIG, by_hand=[ByHand(2024, 456, False, "x")]), 2280, 5016, 2025,
    ),
]  # fmt: skip


def test_there_are_enough_examples_and_each_is_another() -> None:
    assert len({one.why for one in EXAMPLES}) == len(EXAMPLES) >= 31


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.why)
def test_worked_examples(one: Example) -> None:
    found = explain(one.facts, one.year)
    assert (found.own, found.remaining) == (one.own, one.left)
    assert found.missing == ()


def kinds(found: Explanation) -> list[str]:
    return [step.kind for step in found.steps]


def test_the_steps_lead_to_the_figure() -> None:
    """The example of the house, step by step."""
    found = explain(Facts([term(50, "2024-07-01")], BIG, [agreed("2")], used={2024: 60}), 2024)
    size, base, months, calculated, used, remaining = found.steps
    assert kinds(found) == ["size", "base_agreed", "months", "calculated", "used", "remaining"]
    assert size.values["fte"] == 50
    assert (base.values["days"], base.values["number"]) == (2, "2/CO/200")
    assert (months.values["first"], months.values["last"], months.values["months"]) == (7, 12, 6)
    (only,) = months.values["slices"]
    assert (only["days"], only["regime"], only["result"]) == (2, F(1, 2), F(1, 2))
    assert months.minutes == calculated.minutes == 228
    assert (used.minutes, remaining.minutes) == (60, 168)


def test_a_size_that_is_not_known_is_asked_for_and_never_guessed() -> None:
    found = explain(Facts([term(since=NEW)], {2025: F(50)}), 2025)
    assert found.missing == (2024,)
    assert (found.own, found.carried) == (2280, 0)
    assert explain(Facts([term(since=NEW)], {2024: F(50)}), 2025).missing == (2025,)
    assert "size_missing" in kinds(explain(Facts([term(since=NEW)]), 2024))


def test_a_right_set_by_hand_needs_no_size() -> None:
    found = explain(Facts([term(since=NEW)], by_hand=[ByHand(2024, 912, True, "x")]), 2024)
    assert (found.own, found.missing) == (912, ())
    assert explain(Facts([term(since=NEW)], by_hand=[ByHand(2024, 9, False, "x")]), 2024).missing == (2024,)


def test_a_size_of_a_period_that_is_over_is_not_asked_for() -> None:
    assert explain(Facts([term(since=NEW)], {2029: F(50)}), 2029).missing == ()


def test_training_beyond_the_right_is_told() -> None:
    found = explain(Facts([term(since=NEW)], BIG, used={2024: 2400}), 2024)
    assert (found.remaining, found.beyond) == (0, 120)
    assert kinds(found)[-1] == "beyond"


def test_nobody_has_a_right_without_a_contract() -> None:
    found = explain(Facts([], BIG), 2024)
    assert (found.own, kinds(found)[0]) == (0, "no_contract")
    assert explain(Facts([term(until="2022-12-31")], BIG), 2024).own == 0


def test_every_year_before_is_told() -> None:
    found = explain(Facts([term(since=NEW)], BIG, used={2024: 280}), 2026)
    told = [step.values for step in found.steps if step.kind == "year_before"]
    assert [(one["year"], one["own"], one["carried"], one["used"], one["left"]) for one in told] == [
        (2024, 2280, 0, 280, 2000), (2025, 2280, 2000, 0, 4280),
    ]  # fmt: skip
    (carried,) = [step for step in found.steps if step.kind == "carried"]
    assert (carried.minutes, carried.values["until"]) == (4280, 2028)
    over = explain(Facts([term(since=NEW)], BIG), 2029)
    (ended,) = [step for step in over.steps if step.kind == "period_ended"]
    assert (ended.values["first"], ended.values["last"], ended.values["lost"]) == (2024, 2028, 11400)


def test_joint_committees_and_those_above() -> None:
    assert list(lineage("140.03.01")) == ["140.03.01", "140.03", "140"]
    assert agreement_for([agreed("3", 2024, 2025)], "200", 2026) is None


def by_days(terms: list[Term], year: int, days: int) -> Fraction:
    """The same figure by brute force: every day of every month is looked at."""
    total = F(0)
    for month in range(1, 13):
        best, day = F(0), date(year, month, 1)
        while day.month == month:
            held = [one for one in terms if one.holds_on(day)]
            whole = sum((one.regime for one in held), F(0))
            worth = sum((one.regime * one.day_minutes for one in held), F(0)) / max(F(1), whole)
            best, day = max(best, worth), day + timedelta(days=1)
        total += best
    return total * days / 12


def test_no_day_of_a_year_is_overlooked() -> None:
    """400 histories at random, with gaps, overlaps and other lengths of a day, against the brute force."""
    chance = Random(20221003)
    for _ in range(400):
        terms = []
        for _each in range(chance.randint(1, 4)):
            since = date(2024, 1, 1) + timedelta(days=chance.randint(-200, 364))
            until = since + timedelta(days=chance.randint(0, 300)) if chance.random() < 0.7 else None
            terms.append(
                Term("200", F(chance.randint(1, 20), 20), chance.choice((432, 456, 480)), since, until)
            )
        found = explain(Facts(terms, BIG), 2024)
        assert found.calculated == int(by_days(terms, 2024, 5) + F(1, 2))
