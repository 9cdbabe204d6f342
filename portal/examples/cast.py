"""The people of the examples: numbers that pass every check and belong to nobody, names, contracts."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from mandates.numbers import Bis, make_niss
from portal.examples.names import FAMILY_NAMES, GIVEN_NAMES

_OLDEST = date(1962, 1, 2)
_YOUNGEST = date(2004, 12, 31)

#: Serial numbers within a day of birth, far beyond the births of one day: nobody is called by these numbers.
_SERIALS = range(900, 997)


@dataclass(slots=True)
class Contract:
    """What the client's file says, and what the national register says where the two differ."""

    employer: str
    joint_committee: str
    regime_percent: int
    day_minutes: int
    right_days: int
    entered_on: date
    left_on: date | None
    registered_until: date | None = None

    def __post_init__(self) -> None:
        if self.registered_until is None:
            self.registered_until = self.left_on

    def right(self, year: int) -> int:
        """Minutes of individual right in a year: days of a full-timer x regime x months employed / 12.

        A month that was started counts in full (law of 3 October 2022). Rounded to the nearest minute.
        """
        first = max(self.entered_on, date(year, 1, 1))
        last = min(self.left_on or date.max, date(year, 12, 31))
        if first > last:
            return 0
        months = last.month - first.month + 1
        return (2 * self.right_days * self.day_minutes * self.regime_percent * months + 1200) // 2400


@dataclass(slots=True)
class Person:
    niss: str
    born_on: date
    family_name: str
    given_name: str
    language: str
    is_known: bool = True
    contracts: list[Contract] = field(default_factory=list)
    periods: list[tuple[date, date]] = field(default_factory=list)
    charged: dict[int, int] = field(default_factory=dict)

    @property
    def adult_on(self) -> date:
        """The first day of the month after the eighteenth birthday: nobody is hired before."""
        return (self.born_on.replace(day=1, year=self.born_on.year + 18) + timedelta(days=31)).replace(day=1)

    def right(self, year: int) -> int:
        """Minutes of right of the year, over all contracts."""
        return sum(contract.right(year) for contract in self.contracts)

    def left_of_right(self, year: int) -> int:
        return self.right(year) - self.charged.get(year, 0)

    def take(self, starts_on: date, ends_on: date, charged_minutes: int) -> None:
        """Fill the days, and use the right of the year of the first of them."""
        self.periods.append((starts_on, ends_on))
        self.charged[starts_on.year] = self.charged.get(starts_on.year, 0) + charged_minutes

    def is_free(self, starts_on: date, ends_on: date) -> bool:
        return all(ends_on < start or end < starts_on for start, end in self.periods)


class Cast:
    """Invents people; no two get the same NISS."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self.people: list[Person] = []

    def invent(self, language: str, *, is_known: bool = True) -> Person:
        """A new person. One in ten has a BIS number, of either kind; one in seven was born from 2000 on."""
        rng = self._rng
        sex = rng.choice("fm")
        origin = "" if rng.random() < 0.25 else language if rng.random() < 0.85 else rng.choice(("fr", "nl"))
        family_origin = origin if rng.random() < 0.9 else ""
        born_on = _OLDEST + timedelta(days=rng.randrange((_YOUNGEST - _OLDEST).days + 1))
        if (born_on.month, born_on.day) == (1, 1):
            born_on += timedelta(
                days=1
            )  # the day given to people who do not know theirs: its numbers are used
        person = Person(
            niss=self._niss(born_on, sex),
            born_on=born_on,
            family_name=rng.choice(FAMILY_NAMES[family_origin]),
            given_name=rng.choice(GIVEN_NAMES[origin][sex]),
            language=origin or language,
            is_known=is_known,
        )
        self.people.append(person)
        return person

    def _niss(self, born_on: date, sex: str) -> str:
        """A number nobody has yet. A day of birth has room for 97 people, or 291 with both kinds of BIS."""
        rng = self._rng
        while True:
            serial = rng.choice(_SERIALS)
            if (serial % 2 == 1) != (sex == "m"):
                serial += 1 if serial < _SERIALS.stop - 1 else -1
            draw = rng.random()
            bis: Bis | None = None if draw >= 0.1 else "sex_known" if draw >= 0.04 else "sex_unknown"
            niss = make_niss(born_on, serial, bis=bis)
            if niss not in self._taken:
                self._taken.add(niss)
                return niss
