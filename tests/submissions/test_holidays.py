"""The holidays of Belgium, against dates copied by hand from the calendars of these years."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from submissions.holidays import easter_sunday, holidays, is_working_day

MOVING = {
    # year: Easter Monday, Ascension, Whit Monday
    2008: ((3, 24), (5, 1), (5, 12)),  # Ascension on Labour Day
    2019: ((4, 22), (5, 30), (6, 10)),
    2024: ((4, 1), (5, 9), (5, 20)),
    2025: ((4, 21), (5, 29), (6, 9)),
    2026: ((4, 6), (5, 14), (5, 25)),
    2027: ((3, 29), (5, 6), (5, 17)),
    2028: ((4, 17), (5, 25), (6, 5)),
    2030: ((4, 22), (5, 30), (6, 10)),
}
FIXED = ((1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25))


@pytest.mark.parametrize("year", MOVING)
def test_the_legal_holidays_of_a_year(year: int) -> None:
    assert holidays(year) == {date(year, month, day) for month, day in (*FIXED, *MOVING[year])}


@pytest.mark.parametrize(
    "easter",
    [
        *(date(1818, 3, 22), date(1943, 4, 25), date(1954, 4, 18), date(1981, 4, 19)),
        *(date(2000, 4, 23), date(2038, 4, 25), date(2049, 4, 18), date(2076, 4, 19)),
    ],
)
def test_the_earliest_the_latest_and_the_odd_easters(easter: date) -> None:
    assert easter_sunday(easter.year) == easter


def test_easter_is_a_sunday_in_spring() -> None:
    for year in range(1900, 2200):
        easter = easter_sunday(year)
        assert easter.weekday() == 6
        assert date(year, 3, 22) <= easter <= date(year, 4, 25)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 20), True),  # a Friday
        (date(2026, 11, 21), False),  # Saturday
        (date(2026, 11, 22), False),  # Sunday
        (date(2026, 11, 11), False),  # Armistice, a Wednesday
        (date(2026, 12, 24), True),
        (date(2026, 12, 25), False),
        (date(2026, 12, 26), False),  # no holiday, but a Saturday
        (date(2026, 5, 15), True),  # the Friday after Ascension is a bridge, no holiday
        (date(2026, 4, 3), True),  # nor is Good Friday
        (date(2026, 7, 11), False),  # a Saturday; the feast of the Flemish Community is none
        (date(2025, 7, 11), True),
    ],
)
def test_working_days(day: date, works: bool) -> None:
    assert is_working_day(day) is works


def test_no_row_of_days_off_is_longer_than_five() -> None:
    """What `departing` relies on when it looks ahead for a working day."""
    day, row = date(2020, 1, 1), 0
    while day < date(2060, 1, 1):
        row = 0 if is_working_day(day) else row + 1
        assert row <= 5, day
        day += timedelta(days=1)
