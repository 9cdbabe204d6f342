"""The turn of a quarter: the old mandataire goes, the new one takes over past, present and future."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mandates import granting
from mandates.granting import CannotGrant
from mandates.models import Mandate
from portal import tenancy
from submissions import batching, declaring
from submissions.models import Declaration, TrainingRecord
from tests import factories
from tests.mandates import scenes
from tests.people import Person

LAST_DAY, FIRST_DAY = date(2026, 12, 31), date(2027, 1, 1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the gate see another day of sending."""

    def set_day(day: date) -> None:
        now = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("Europe/Brussels"))
        monkeypatch.setattr(batching, "today", lambda: now)

    return set_day


@pytest.fixture
def handed_over(operator: Person, stranger: Person) -> str:
    """The operator's client goes to the stranger at the end of the year. Returns the number of the employer."""
    number = factories.new_enterprise_number()
    with operator.scope():
        old = scenes.granted(factories.employer(number=number))
    with stranger.scope():
        theirs = factories.employer(number=number)
        with pytest.raises(CannotGrant, match="without an end"):
            scenes.proposed(theirs, FIRST_DAY)
    with operator.scope():
        granting.close(old, LAST_DAY, "Handover", pdf=scenes.pdf(), today=date(2026, 11, 20))
    with stranger.scope():
        with pytest.raises(CannotGrant, match="to 31/12/2026"):
            scenes.proposed(theirs, date(2026, 10, 1))
        scenes.granted(theirs, FIRST_DAY)
    return number


def ready_of(number: str, **training: Any) -> list[Declaration]:
    """A ready declaration of a worker of this employer, in the open scope."""
    employer = Mandate.objects.get().employer
    assert employer.number == number
    record = factories.record(factories.worker(employer), **training)
    declaring.declare([record], "FLA")
    return list(record.declarations.all())


def seal(person: Person) -> int:
    """How many declarations leave now."""
    with person.scope():
        channel = factories.channel()
        mandataire = tenancy.current()
    batches = batching.seal_ready(mandataire, channel.pk, "FLA")
    with person.scope():
        return Declaration.objects.filter(batch__in=batches).count()


def test_until_the_last_day_the_old_one_declares_and_the_new_one_does_not(
    operator: Person, stranger: Person, handed_over: str, on: Any
) -> None:
    on(LAST_DAY)
    for person, expected in ((operator, 1), (stranger, 0)):
        with person.scope():
            ready_of(handed_over)
        assert seal(person) == expected


def test_from_the_first_day_the_new_one_takes_over_past_present_and_future(
    operator: Person, stranger: Person, handed_over: str, on: Any
) -> None:
    on(FIRST_DAY)
    with stranger.scope():
        for first in (date(2024, 5, 2), date(2026, 12, 30), date(2027, 2, 1)):
            ready_of(handed_over, starts_on=first, ends_on=first, title=f"Training of {first}")
    with operator.scope():
        ready_of(handed_over)
    assert seal(stranger) == 3
    assert seal(operator) == 0


def test_the_old_one_keeps_reading_what_it_declared(
    operator: Person, stranger: Person, handed_over: str, on: Any
) -> None:
    on(LAST_DAY)
    with operator.scope():
        (declaration,) = ready_of(handed_over)
    seal(operator)
    on(FIRST_DAY)
    with operator.scope():
        found = Declaration.objects.select_related("record__worker").get()
        assert found.record.worker.niss
        assert found.state == "batched"
        employer = found.employer_id
    for address in (
        f"/records/{declaration.record_id}/",
        f"/employers/{employer}/",
        f"/declarations/?employer={employer}",
        f"/batches/{found.batch_id}/",
    ):
        assert operator.client.get(address).status_code == 200, address
        assert stranger.client.get(address).status_code == 404, address
    with stranger.scope():
        assert not TrainingRecord.objects.exists()
