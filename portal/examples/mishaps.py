"""The records that the national registers will refuse or remark on, each for one reason only."""

from dataclasses import replace
from datetime import date, timedelta

from portal.examples.cast import Contract, Person
from portal.examples.plan import Fate
from portal.examples.staff import Staff
from portal.examples.training import Training, draw_training, free_day


def make(fate: Fate, staff: Staff) -> list[Training]:
    """The records of one mishap: one, or a pair of which one is accepted."""
    rng = staff.rng
    match fate:
        case Fate.NO_MANDATE:
            return [staff.ordinary_training()]
        case Fate.UNKNOWN_WORKER:
            return [_only(staff, staff.hire_apart(is_known=False), span=1)]
        case Fate.STARTS_AFTER_LEAVING:
            return [_left_earlier(staff, span=rng.choice((1, 2)), days=-rng.randint(1, 60))]
        case Fate.ENDS_AFTER_LEAVING:
            return [_left_earlier(staff, span=5, days=rng.randint(0, 3))]
        case Fate.DUPLICATE:
            training = _only(staff, staff.hire_apart(), span=rng.choice((1, 1, 2, 3)), is_charged=False)
            return [training, training]
        case Fate.OVERLAP:
            return _overlap(staff)
        case Fate.TOO_LONG:
            return [_too_long(staff)]
        case Fate.OVER_RIGHT:
            return [_over_right(staff)]
        case Fate.OVER_RIGHT_TOGETHER:
            return _over_right_together(staff)


def _only(
    staff: Staff,
    hired: tuple[Person, Contract],
    *,
    span: int,
    is_charged: bool = True,
    charged_days: int | None = None,
    year: int | None = None,
) -> Training:
    """A training that was followed to the end, on free days; in `year` where it matters."""
    person, contract = hired
    while True:
        starts_on = free_day(staff.rng, person, contract, span, staff.opened_on)
        if starts_on is not None and year in (None, starts_on.year):
            return draw_training(
                staff.rng,
                person,
                contract,
                staff.employer.language,
                starts_on,
                span,
                is_charged=is_charged,
                charged_days=charged_days,
                is_followed=True,
            )


def _left_earlier(staff: Staff, *, span: int, days: int) -> Training:
    """The client does not know that the worker left, `days` after the training's first day."""
    training = _only(staff, staff.hire_apart(), span=span)
    training.contract.registered_until = training.starts_on + timedelta(days=days)
    return training


def _overlap(staff: Staff) -> list[Training]:
    """Two trainings, the second on the last day of the first."""
    first = second = _only(staff, staff.hire_apart(), span=staff.rng.choice((1, 2, 3)), is_charged=False)
    while second.title == first.title:
        second = draw_training(
            staff.rng,
            first.person,
            first.contract,
            staff.employer.language,
            first.ends_on,
            1,
            is_charged=False,
            is_followed=True,
        )
    return [first, second]


def _too_long(staff: Staff) -> Training:
    """More than a full-timer's day on one date: a course booked on its first day, or a day without end."""
    training = _only(staff, staff.hire_apart(), span=1, is_charged=False)
    day = training.contract.day_minutes
    if staff.rng.random() < 0.5:
        minutes = staff.rng.choice((3, 4, 6)) * day // 2
        return replace(training, duration_unit="days", duration_minutes=minutes)
    return replace(
        training, duration_unit="hours", duration_minutes=day + staff.rng.choice((24, 54, 84, 144))
    )


def _over_right(staff: Staff) -> Training:
    """More is charged than the right of a whole year, or than that of a half-timer hired in the autumn."""
    if staff.rng.random() < 0.5:
        hired = staff.hire_apart(regime=50, between=(date(2025, 9, 1), date(2025, 11, 15)))
        return _only(staff, hired, span=1, charged_days=1)
    return _only(staff, staff.hire_apart(), span=45, charged_days=staff.employer.sector.right_days + 1)


def _over_right_together(staff: Staff) -> list[Training]:
    """Each within the right, both together beyond it."""
    right_days = staff.employer.sector.right_days
    if not right_days:
        # Where there is no right every charge is beyond it, alone: the companion is somebody else's.
        return [_over_right(staff), staff.ordinary_training()]
    days = right_days // 2 + 1
    hired = staff.hire_apart()
    return [_only(staff, hired, span=days, charged_days=days, year=2025) for _ in range(2)]
