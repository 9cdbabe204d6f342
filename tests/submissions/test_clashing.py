"""What stands in the way of a training: the same one again, and days that hold too much."""

from __future__ import annotations

from datetime import date

import pytest

from mandates.models import Employer
from submissions import clashing, declaring
from submissions.clashing import Planned, clashes
from submissions.models import Declaration
from submissions.states import DeclarationState
from tests import factories
from tests.submissions import scenes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scope")]

DAY = 456
MONDAY, TUESDAY, FRIDAY = date(2025, 3, 3), date(2025, 3, 4), date(2025, 3, 7)


@pytest.fixture
def employer(scope: None) -> Employer:
    return factories.client()


def found(
    employer: Employer, worker: int, minutes: int = DAY, last: date = MONDAY, title: str = "Other"
) -> tuple[list[str], list[str]]:
    """Titles of the same training, and of those with which a day is too full."""
    clash = clashes(employer, [worker], Planned(title, MONDAY, last, minutes), DAY).get(worker)
    if clash is None:
        return [], []
    return [row.title for row in clash.same], [row.title for row in clash.full]


@pytest.mark.parametrize("title", ["Excel avancé", "  excel   AVANCÉ "])
def test_the_same_title_on_the_same_days_is_the_same_training(employer: Employer, title: str) -> None:
    worker = factories.worker(employer)
    factories.record(worker, title="Excel avancé", ends_on=MONDAY, duration_minutes=DAY)
    assert found(employer, worker.pk, title=title) == (["Excel avancé"], [])
    same, _full = found(employer, worker.pk, title=title, last=TUESDAY, minutes=60)
    assert same == []


def test_two_halves_fit_in_a_day_and_two_days_do_not(employer: Employer) -> None:
    worker = factories.worker(employer)
    factories.record(worker, title="Morning", ends_on=MONDAY, duration_minutes=DAY // 2)
    assert found(employer, worker.pk, minutes=DAY // 2) == ([], [])
    assert found(employer, worker.pk, minutes=DAY // 2 + 1) == ([], ["Morning"])


def test_what_lasts_for_days_counts_by_working_days(employer: Employer) -> None:
    """Twelve days with ten working days at half a day each leave room for another half."""
    worker = factories.worker(employer)
    factories.record(
        worker, title="Evenings", starts_on=MONDAY, ends_on=date(2025, 3, 14), duration_minutes=5 * DAY
    )
    assert found(employer, worker.pk, minutes=DAY // 2) == ([], [])
    assert found(employer, worker.pk, minutes=DAY) == ([], ["Evenings"])


def test_three_that_only_fit_by_two_are_all_named(employer: Employer) -> None:
    worker = factories.worker(employer)
    for title in ("One", "Two"):
        factories.record(worker, title=title, starts_on=FRIDAY, ends_on=FRIDAY, duration_minutes=200)
    alone = factories.record(worker, title="Three", starts_on=TUESDAY, ends_on=TUESDAY, duration_minutes=200)
    assert found(employer, worker.pk, minutes=5 * 200, last=FRIDAY) == ([], ["One", "Two"])
    assert alone.title not in found(employer, worker.pk, minutes=5 * 200, last=FRIDAY)[1]


def test_other_days_other_workers_and_what_was_not_followed_are_free(employer: Employer) -> None:
    worker, other = factories.worker(employer), factories.worker(employer)
    factories.record(worker, starts_on=TUESDAY, ends_on=TUESDAY, duration_minutes=DAY)
    factories.record(other, ends_on=MONDAY, duration_minutes=DAY)
    factories.record(worker, ends_on=MONDAY, duration_minutes=DAY, status="not_followed")
    assert found(employer, worker.pk) == ([], [])


def test_what_was_withdrawn_or_cancelled_counts_no_more(employer: Employer) -> None:
    accepted = scenes.accepted(of=employer)
    worker = accepted.record.worker
    withdrawn = factories.declaration(
        factories.record(worker, title="Withdrawn"), state=DeclarationState.WITHDRAWN
    )
    title = accepted.record.title
    assert found(employer, worker.pk, last=TUESDAY, title=title)[0] == [title]
    assert "Withdrawn" not in found(employer, worker.pk, last=TUESDAY, title=title)[1]
    again = declaring.modify(accepted.record)
    again.move(DeclarationState.WITHDRAWN)
    assert found(employer, worker.pk, last=TUESDAY, title=title)[0] == [title]
    declaring.declare([withdrawn.record], "FLA")
    assert "Withdrawn" in found(employer, worker.pk, last=TUESDAY, title=title)[1]
    Declaration.objects.filter(pk=accepted.pk).update(kind=Declaration.Kind.CANCELLATION)
    assert found(employer, worker.pk, last=TUESDAY, title=title)[0] == []


def test_a_weekend_is_as_long_as_it_is() -> None:
    assert clashing.working_days(date(2025, 3, 1), date(2025, 3, 2)) == 2
    assert clashing.working_days(date(2025, 2, 28), MONDAY) == 2
    assert clashing.working_days(date(2025, 4, 21), date(2025, 4, 21)) == 1  # Easter Monday, by itself
    assert clashing.working_days(date(2025, 4, 21), date(2025, 4, 22)) == 1
