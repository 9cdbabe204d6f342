"""The deadline calendar, by days that were worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations

import pytest

from submissions.deadlines import RULES, Deadline, FreeDay, Rule, Subject, deadline_of, of_quarter


@pytest.mark.parametrize(
    ("quarter", "day"),
    [
        ("20234", None),  # before there was an account
        ("20241", date(2025, 9, 1)),  # 30 April 2024, postponed
        ("20252", date(2025, 9, 1)),  # 31 July 2025, postponed
        ("20253", date(2025, 10, 31)),
        ("20254", date(2025, 12, 31)),  # 31 January 2026, when nothing is registered any more
        ("20261", date(2026, 4, 30)),
        ("20262", date(2026, 7, 31)),
        ("20264", date(2027, 1, 31)),
    ],
)
def test_trainings_are_declared_within_a_month_after_their_quarter(quarter: str, day: date | None) -> None:
    found = of_quarter(quarter)
    assert (found and found.day) == day


@pytest.mark.parametrize(
    ("subject", "happened_on", "day"),
    [
        (Subject.HIRE, date(2025, 3, 3), date(2025, 5, 2)),  # 28 days of March, 30 of April, 2 of May
        (Subject.HIRE, date(2024, 12, 31), date(2025, 3, 1)),  # 31 + 28 days, and one
        (Subject.RIGHT, date(2025, 1, 1), date(2025, 1, 31)),
        (Subject.RIGHT, date(2025, 6, 15), date(2025, 1, 31)),
        (Subject.LEAVER, date(2025, 1, 31), date(2025, 3, 2)),  # 28 days of February, and two
        (Subject.LEAVER, date(2026, 1, 31), None),
        (Subject.HIRE, date(2024, 3, 31), None),
        (Subject.TRAINING, date(2025, 7, 1), date(2025, 10, 31)),
    ],
)
def test_the_other_deadlines_count_days(subject: Subject, happened_on: date, day: date | None) -> None:
    found = deadline_of(subject, happened_on)
    assert (found and found.day) == day


def test_another_service_has_no_calendar_yet() -> None:
    assert of_quarter("20253", "DMFA") is None


def test_days_are_left_until_the_last_one() -> None:
    found = of_quarter("20253")
    assert found
    assert found.days_left(date(2025, 10, 1)) == 30
    assert found.days_left(date(2025, 10, 31)) == 0
    assert found.days_left(date(2025, 11, 2)) == -2


def test_what_rests_on_no_law_is_marked_as_ours() -> None:
    found, earlier = of_quarter("20263"), of_quarter("20253")
    assert found
    assert earlier
    assert found.rule.is_ours
    assert not earlier.rule.is_ours


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2025, 10, 31), date(2025, 10, 31)),  # a Friday
        (date(2025, 8, 31), date(2025, 8, 29)),  # a Sunday
        (date(2026, 5, 1), date(2026, 4, 30)),  # Labour Day, a Friday
        (date(2027, 1, 1), date(2026, 12, 31)),  # New Year, a Friday
        (date(2026, 4, 6), date(2026, 4, 3)),  # Easter Monday: back over the weekend to Good Friday
    ],
)
def test_the_working_day_before_is_told(day: date, working: date) -> None:
    assert Deadline(day, RULES[0]).working_day == working


@pytest.mark.parametrize(
    ("on_free_day", "day"),
    [
        (FreeDay.STAYS, date(2026, 1, 31)),  # a Saturday
        (FreeDay.EARLIER, date(2026, 1, 30)),
        (FreeDay.LATER, date(2026, 2, 2)),
    ],
)
def test_a_rule_may_move_a_day_on_which_nobody_works(on_free_day: FreeDay, day: date) -> None:
    rule = Rule("X", Subject.TRAINING, date(2025, 1, 1), None, "", months=1, on_free_day=on_free_day)
    assert rule.last_day(date(2025, 12, 5)) == day


def test_a_month_after_the_end_of_february_is_the_end_of_march() -> None:
    rule = Rule("X", Subject.LEAVER, date(2025, 1, 1), None, "", months=1)
    assert rule.last_day(date(2025, 2, 28)) == date(2025, 3, 31)
    assert rule.last_day(date(2024, 2, 28)) == date(2024, 3, 28)
    assert replace(rule, months=13).last_day(date(2025, 1, 30)) == date(2026, 2, 28)


def test_no_two_rules_speak_of_the_same_day() -> None:
    for one, other in combinations(RULES, 2):
        if (one.service, one.subject) == (other.service, other.subject):
            assert (one.until or date.max) < other.from_day or (other.until or date.max) < one.from_day
