"""One training of one person: when there is a free day for it, and what is written about it."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal.examples.cast import Contract, Person
from portal.examples.courses import COURSES, PROVIDERS, RESULTS, Course

#: The life of the Federal Learning Account: nothing could be registered before or after.
OPENED_ON = date(2024, 4, 1)
CLOSED_ON = date(2025, 12, 31)

_IN_2025 = date(2025, 1, 1)
_RESERVED_FROM = date(2025, 12, 1)
_FUNDING = ("employer", "employer", "employer", "sector_fund", "public", "other")


@dataclass(frozen=True, slots=True)
class Training:
    """A training as the client knows it; minutes and cents as in the register, both dates included."""

    person: Person
    contract: Contract
    title: str
    kind: str
    starts_on: date
    ends_on: date
    duration_unit: str
    duration_minutes: int
    status: str
    charged_minutes: int
    nature: str
    result: str
    certificate: str
    certificate_valid_until: date | None
    funding: str
    provider: str
    working_hours: str
    cost_cents: int | None
    domain: str
    reference: str = ""

    def numbered(self, client_code: str, number: int) -> "Training":
        """The same training under the client's own reference: CLT01-2025-0001."""
        return replace(self, reference=f"{client_code}-{self.starts_on.year}-{number:04d}")


def random_day(rng: random.Random, first: date, last: date) -> date:
    """A day from `first` to `last`, both possible."""
    return first + timedelta(days=rng.randrange((last - first).days + 1))


def free_day(
    rng: random.Random, person: Person, contract: Contract, span: int, opened_on: date
) -> date | None:
    """A first day inside the contract, from `opened_on` on, with nothing else until `span` days later.

    Four trainings in five start in 2025. None when a few tries found no room.
    """
    earliest = max(opened_on, contract.entered_on)
    latest = min(CLOSED_ON, contract.left_on or CLOSED_ON) - timedelta(days=span - 1)
    if rng.random() < 0.8:
        earliest = max(earliest, _IN_2025)
    if earliest > latest:
        return None
    for _ in range(4):
        starts_on = random_day(rng, earliest, latest)
        # Short trainings run from Monday to Friday.
        starts_on -= timedelta(days=max(0, starts_on.weekday() + min(span, 5) - 5))
        if starts_on >= earliest and person.is_free(starts_on, starts_on + timedelta(days=span - 1)):
            return starts_on
    return None


def draw_training(
    rng: random.Random,
    person: Person,
    contract: Contract,
    language: str,
    starts_on: date,
    span: int,
    *,
    is_charged: bool = True,
    charged_days: int | None = None,
    is_followed: bool = False,
) -> Training:
    """A training of `span` calendar days; it takes its days and what it charges from the person.

    What is charged stays within what is left of the right, unless `charged_days` (days of a full-timer, also
    the duration then) says otherwise. `is_followed` leaves no other status.
    """
    course = rng.choice(COURSES[language])
    ends_on = starts_on + timedelta(days=span - 1)
    status = "followed" if is_followed or charged_days else _status(rng, starts_on)
    unit, minutes = _duration(rng, span, contract.day_minutes)
    charged = 0
    if charged_days:
        minutes = charged = charged_days * contract.day_minutes
    elif is_charged and status in ("followed", "reserved") and rng.random() < 0.7:
        charged = minutes if minutes <= person.left_of_right(starts_on.year) else 0
    person.take(starts_on, ends_on, charged)
    certificate, valid_until = _certificate(rng, course, ends_on) if status == "followed" else ("", None)
    is_external = course.kind == "formal" or rng.random() < 0.3
    return Training(
        person=person,
        contract=contract,
        title=course.title,
        kind=course.kind,
        starts_on=starts_on,
        ends_on=ends_on,
        duration_unit=unit,
        duration_minutes=minutes,
        status=status,
        charged_minutes=charged,
        nature=course.nature,
        result=rng.choice(RESULTS[language]) if status == "followed" and rng.random() < 0.8 else "",
        certificate=certificate,
        certificate_valid_until=valid_until,
        funding=rng.choice(_FUNDING),
        provider=rng.choice(PROVIDERS[language]) if is_external else "",
        working_hours="during" if charged else rng.choice(("during", "during", "outside", "")),
        cost_cents=rng.choice((12500, 8950, 125000, 40000, 7525)) if is_external else None,
        domain=course.domain if rng.random() < 0.9 else "",
    )


def _status(rng: random.Random, starts_on: date) -> str:
    if starts_on >= _RESERVED_FROM and rng.random() < 0.6:
        return "reserved"
    return rng.choices(("followed", "not_followed", "unsuitable"), (95, 3, 2))[0]


def _duration(rng: random.Random, span: int, day_minutes: int) -> tuple[str, int]:
    """Unit and minutes, never above `span` normal days; a long training is some hours a week."""
    if span > 5:
        return "hours", 60 * rng.choice((8, 12, 20, 24))
    if span == 1 and rng.random() < 0.4:
        return rng.choice((("days", day_minutes // 2), ("hours", 120), ("hours", 210), ("hours", 240)))
    return rng.choice(("days", "hours")), span * day_minutes


def _certificate(rng: random.Random, course: Course, ends_on: date) -> tuple[str, date | None]:
    if not course.certificate or rng.random() < 0.2:
        return "", None
    if not course.years_valid:
        return course.certificate, None
    # A training that ends on 29 February is valid until the 28th of a later one.
    last = min(ends_on.day, 28) if ends_on.month == 2 else ends_on.day
    return course.certificate, date(ends_on.year + course.years_valid, ends_on.month, last)
