"""The law on the individual right to training as dated data: pure. What a year's rules say is a row, not a branch.

Source: law of 3 October 2022 on various labour provisions, chapter on investing in training. A later law is a new row.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Band:
    """A size of enterprise, from `from_fte` full-time equivalents on.

    `days` of right a year for a full-timer; a sector agreement may say otherwise, but never less than `least`. Nothing
    may be agreed below the first band with a `least`.
    """

    from_fte: Fraction
    days: Fraction
    least: Fraction | None


@dataclass(frozen=True, slots=True)
class Law:
    """What holds from the calendar year `from_year` on, until the next row. Bands by size, the smallest first.

    What is left of a year goes to the next one, within a period of `period_years` calendar years. The first period
    begins in `periods_from`, or in the year of entry when that is later; what is left at its end lapses.
    """

    from_year: int
    bands: tuple[Band, ...]
    period_years: int = 5
    periods_from: int = 2024


_NONE: Final = Band(Fraction(0), Fraction(0), None)
_SMALL: Final = Band(Fraction(10), Fraction(1), Fraction(1))

LAWS: Final = (
    # The growth path of the law itself: four days in its first year, five from the second.
    Law(2023, (_NONE, _SMALL, Band(Fraction(20), Fraction(4), Fraction(2)))),
    Law(2024, (_NONE, _SMALL, Band(Fraction(20), Fraction(5), Fraction(2)))),
)


def law_of(year: int) -> Law | None:
    """The rules of a year, or None before there were any."""
    return next((law for law in reversed(LAWS) if law.from_year <= year), None)
