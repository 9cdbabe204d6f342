"""One mandataire per employer over all tenants: the sentence, what it never tells, and the race for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from mandates import conflicts, granting
from mandates.catalogue import service
from mandates.conflicts import Period
from mandates.granting import CannotGrant
from mandates.models import Mandate
from mandates.states import MandateState, Party
from portal import tenancy
from portal.models import Event, Mandataire
from tests import factories
from tests.mandates import scenes
from tests.people import Person
from tests.racing import race

NEXT = date(2027, 1, 1)


@pytest.mark.django_db
class TestSentence:
    """What somebody learns of a mandate that is not his."""

    def conflict(self, operator: Person, stranger: Person, ends_on: date | None) -> str:
        number = factories.new_enterprise_number()
        with stranger.scope():
            scenes.granted(factories.employer(number=number, name="Very Secret Name"), ends_on=ends_on)
        with operator.scope(), pytest.raises(CannotGrant) as refusal:
            scenes.proposed(factories.employer(number=number), date(2026, 10, 1))
        return str(refusal.value)

    def test_it_tells_the_period_and_never_who(self, operator: Person, stranger: Person) -> None:
        told = self.conflict(operator, stranger, date(2026, 12, 31))
        assert told.startswith("Another mandataire holds the mandate")
        assert "from 01/04/2024 to 31/12/2026" in told
        assert stranger.mandataire.name not in told
        assert "Secret" not in told

    def test_without_an_end_it_tells_what_must_happen_first(self, operator: Person, stranger: Person) -> None:
        told = self.conflict(operator, stranger, None)
        assert "since 01/04/2024, without an end" in told
        assert "closed at the end of a quarter" in told

    def test_what_is_only_proposed_elsewhere_is_not_told(self, operator: Person, stranger: Person) -> None:
        number = factories.new_enterprise_number()
        with stranger.scope():
            scenes.proposed(factories.employer(number=number))
        with operator.scope():
            scenes.granted(factories.employer(number=number))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("starts_on", "ends_on", "is_taken"),
    [
        (date(2024, 1, 1), date(2024, 3, 31), False),
        (date(2024, 1, 1), date(2024, 6, 30), True),
        (date(2025, 1, 1), date(2025, 3, 31), True),
        (date(2026, 10, 1), None, True),
        (date(2027, 1, 1), None, False),
    ],
)
def test_periods_overlap_by_the_day(
    operator: Person, stranger: Person, starts_on: date, ends_on: date | None, is_taken: bool
) -> None:
    with stranger.scope():
        mandate = scenes.granted(ends_on=date(2026, 12, 31))
    with operator.scope():
        found = conflicts.taken(mandate.employer_number, service("FLA"), Period(starts_on, ends_on))
        assert found == ([Period(scenes.SINCE, date(2026, 12, 31))] if is_taken else [])
        assert conflicts.taken("0000000000", service("FLA"), Period(starts_on, ends_on)) == []


@pytest.mark.django_db
def test_a_service_for_several_mandataires_has_no_conflicts(operator: Person, stranger: Person) -> None:
    from dataclasses import replace

    with stranger.scope():
        mandate = scenes.granted()
    with operator.scope():
        shared = replace(service("FLA"), is_exclusive=False)
        assert conflicts.taken(mandate.employer_number, shared, Period(NEXT, None)) == []


@pytest.mark.django_db
def test_the_door_tells_days_and_nothing_else(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        mandate = scenes.granted()
    with operator.scope(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM mandates_taken(%s, 'FLA', %s, NULL)", [mandate.employer_number, NEXT])
        assert [column.name for column in cursor.description] == ["starts_on", "ends_on"]
        assert cursor.fetchall() == [(scenes.SINCE, None)]
        assert not Mandate.objects.exists()


@pytest.mark.django_db
def test_the_database_itself_refuses_what_slips_past(operator: Person, stranger: Person) -> None:
    number = factories.new_enterprise_number()
    with stranger.scope():
        scenes.granted(factories.employer(number=number))
    with (
        operator.scope(),
        pytest.raises(IntegrityError, match="one_exclusive_mandate_at_a_time"),
        transaction.atomic(),
    ):
        factories.active_mandate(factories.employer(number=number))


# --- the race -------------------------------------------------------------------------------------


def _last_step(of: Mandataire, mandate: Mandate) -> Callable[[], str]:
    def run() -> str:
        with tenancy.scope(of.pk):
            granting.validate(Mandate.objects.get(pk=mandate.pk), Party.MANDATAIRE)
        return "won"

    return run


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_of_two_tenants_that_race_for_one_employer_exactly_one_wins(attempt: int) -> None:
    number = factories.new_enterprise_number()
    tenants = [factories.mandataire(name=f"Racer {letter}") for letter in "AB"]
    waiting: list[Mandate] = []
    for tenant in tenants:
        with tenancy.scope(tenant.pk):
            mandate = scenes.proposed(factories.employer(number=number))
            granting.validate(mandate, Party.EMPLOYER, scenes.pdf())
            waiting.append(mandate)
    ends = race(*(_last_step(tenant, mandate) for tenant, mandate in zip(tenants, waiting, strict=True)))
    assert ends.count("won") == 1, ends
    (lost,) = [end for end in ends if end != "won"]
    assert isinstance(lost, CannotGrant), lost
    assert re.match(r"Another mandataire holds the mandate .* since 01/04/2024, without an end", str(lost))
    assert "Racer" not in str(lost)
    for place, tenant in enumerate(tenants):
        with tenancy.scope(tenant.pk):
            found, has_won = Mandate.objects.get(), ends[place] == "won"
            assert found.state == (MandateState.ACTIVE if has_won else MandateState.PENDING)
            assert bool(found.validated_by_mandataire_at) is has_won  # what the loser did is undone
            assert Event.objects.filter(verb="mandate.activated").exists() is has_won


@pytest.mark.django_db(transaction=True)
def test_one_tenant_that_proposes_twice_at_once_has_one_proposal() -> None:
    tenant = factories.mandataire()
    with tenancy.scope(tenant.pk):
        employer = factories.employer()

    def run() -> str:
        with tenancy.scope(tenant.pk):
            scenes.proposed(employer)
        return "won"

    ends = race(run, run)
    assert ends.count("won") == 1
    assert any(isinstance(end, CannotGrant) and "waits already" in str(end) for end in ends)
    with tenancy.scope(tenant.pk):
        assert Mandate.objects.count() == 1
