"""The days on which Belgium does not work: pure.

The ten legal holidays are those of article 1 of the royal decree of 18 April 1974 on holidays (executing the law of
4 January 1974). Easter Sunday is computed by the anonymous Gregorian algorithm (J. Meeus, "Astronomical Algorithms",
chapter 8). Regional feasts and replacement days are an employer's own: they stop no departure.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Final

_FIXED: Final = ((1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25))
"""(month, day): New Year, Labour Day, National Day, Assumption, All Saints, Armistice, Christmas."""

_AFTER_EASTER: Final = (1, 39, 50)
"""Days: Easter Monday, Ascension, Whit Monday."""

_SATURDAY: Final = 5


def easter_sunday(year: int) -> date:
    """Easter Sunday of a year of the Gregorian calendar."""
    century, rest = divmod(year, 100)
    leaps, odd = divmod(century, 4)
    moon = (19 * (year % 19) + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * odd + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (year % 19 + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


@cache
def holidays(year: int) -> frozenset[date]:
    """The legal holidays of a year."""
    easter = easter_sunday(year)
    moving = {easter + timedelta(days=days) for days in _AFTER_EASTER}
    return frozenset(moving | {date(year, month, day) for month, day in _FIXED})


def is_working_day(day: date) -> bool:
    """Monday to Friday, holidays excepted."""
    return day.weekday() < _SATURDAY and day not in holidays(day.year)
