"""The people of one employer: who is hired when, on which contract."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from portal.examples.cast import Cast, Contract, Person
from portal.examples.sectors import Sector
from portal.examples.training import CLOSED_ON, OPENED_ON, Training, draw_training, free_day, random_day

_REGIMES = (100, 100, 100, 100, 80, 80, 50, 50, 75, 60)

#: Calendar days from the first to the last day of a training.
_SPANS = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 5, 12, 45)


@dataclass(frozen=True, slots=True)
class Employer:
    number: str
    nsso: str
    name: str
    language: str
    sector: Sector
    #: First day of the mandate, and of the trainings the client hands over.
    mandated_from: date
    #: How the client's own references start: CLT01-2025-0001.
    client_code: str


class Staff:
    """Hires for one employer. `roster` lists every person and contract of the employer's file."""

    def __init__(self, rng: random.Random, cast: Cast, employer: Employer, part_timers: list[Person]) -> None:
        self.rng = rng
        self.employer = employer
        self.opened_on = max(OPENED_ON, employer.mandated_from)
        self.roster: list[tuple[Person, Contract]] = []
        self._cast = cast
        #: Half-timers met so far, here or at other employers: some have a second job.
        self._part_timers = part_timers
        self._ordinary: list[tuple[Person, Contract]] = []

    def sign(
        self, person: Person, regime: int, entered_on: date, left_on: date | None = None
    ) -> tuple[Person, Contract]:
        """A contract of a person with this employer."""
        sector = self.employer.sector
        contract = Contract(
            employer=self.employer.number,
            joint_committee=self.rng.choice((sector.joint_committees[0], *sector.joint_committees)),
            regime_percent=regime,
            day_minutes=sector.day_minutes,
            right_days=sector.right_days,
            entered_on=entered_on,
            left_on=left_on,
        )
        person.contracts.append(contract)
        self.roster.append((person, contract))
        return person, contract

    def hire_apart(
        self, *, regime: int = 100, between: tuple[date, date] | None = None, is_known: bool = True
    ) -> tuple[Person, Contract]:
        """Somebody for a mishap, given no ordinary training; by default hired well before FLA opened."""
        person = self._cast.invent(self.employer.language, is_known=is_known)
        first, last = between or (date(2008, 1, 1), date(2023, 12, 31))
        return self.sign(person, regime, self._entry_day(person, first, last))

    def hire(self) -> tuple[Person, Contract]:
        """Somebody for ordinary trainings: a new person, or now and then one who has half a job elsewhere."""
        hired = self._hire_second_job() or self._hire_new()
        self._ordinary.append(hired)
        return hired

    def _entry_day(self, person: Person, first: date, last: date) -> date:
        return random_day(self.rng, max(first, person.adult_on), last)

    def _hire_second_job(self) -> tuple[Person, Contract] | None:
        if not self._part_timers or self.rng.random() >= 0.04:
            return None
        person = self.rng.choice(self._part_timers)
        if len(person.contracts) > 1 or person.contracts[0].employer == self.employer.number:
            return None
        return self.sign(person, 50, self._entry_day(person, date(2020, 1, 1), date(2024, 3, 31)))

    def _hire_new(self) -> tuple[Person, Contract]:
        rng = self.rng
        person = self._cast.invent(self.employer.language)
        regime = rng.choice(_REGIMES)
        draw = rng.random()
        if draw < 0.25:
            return self.sign(person, regime, self._entry_day(person, self.opened_on, date(2025, 8, 31)))
        entered_on = self._entry_day(person, date(2005, 1, 1), date(2024, 3, 31))
        if draw < 0.35:
            # Left, and came back: the contract that ended stays in the file.
            ended_on = random_day(rng, entered_on + timedelta(days=60), entered_on + timedelta(days=300))
            self.sign(person, regime, entered_on, ended_on)
            return self.sign(person, regime, ended_on + timedelta(days=rng.randint(1, 90)))
        if draw > 0.9:
            return self.sign(
                person, regime, entered_on, random_day(rng, self.opened_on + timedelta(days=90), CLOSED_ON)
            )
        if regime == 50:
            self._part_timers.append(person)
        return self.sign(person, regime, entered_on)

    def ordinary_training(self) -> Training:
        """A training that nobody objects to: known, employed, free on those days, within the right."""
        while True:
            is_new = not self._ordinary or self.rng.random() < 0.45
            person, contract = self.hire() if is_new else self.rng.choice(self._ordinary)
            span = self.rng.choice(_SPANS)
            starts_on = free_day(self.rng, person, contract, span, self.opened_on)
            if starts_on is not None:
                return draw_training(self.rng, person, contract, self.employer.language, starts_on, span)
