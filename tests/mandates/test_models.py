"""Employers, workers, contracts and mandates: what the database itself refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mandates.models import Contract, Employer, Mandate, Worker
from mandates.numbers import quarter_days, quarter_of
from portal import tenancy
from portal.models import Mandataire
from portal.secrecy import SealBroken
from tests import factories
from tests.people import Person
from tests.racing import race

NISS = "85073003328"


@pytest.fixture
def scope(operator: Person) -> Iterator[None]:
    with operator.scope():
        yield


def refused(constraint: str, make: Callable[[], object]) -> None:
    """`make` is refused by this constraint of the database."""
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make()


# --- employers and workers ------------------------------------------------------------------------


@pytest.mark.usefixtures("scope")
def test_a_mandataire_has_one_row_per_employer() -> None:
    factories.employer(number="0897223670")
    refused("one_row_per_employer", lambda: factories.employer(number="0897223670"))


@pytest.mark.usefixtures("scope")
def test_an_employer_has_one_row_per_person() -> None:
    """Found by the blind index: the sealed numbers themselves are never twice the same."""
    somebody = factories.worker(niss=NISS)
    elsewhere = factories.worker(niss=NISS)
    assert bytes(somebody.niss_index) == bytes(elsewhere.niss_index)
    assert bytes(somebody.niss_sealed) != bytes(elsewhere.niss_sealed)
    refused("one_row_per_worker", lambda: factories.worker(somebody.employer, niss=NISS))


@pytest.mark.usefixtures("scope")
def test_a_number_comes_back_whole_and_shows_masked() -> None:
    made = Worker.objects.get(pk=factories.worker(niss=NISS).pk)
    assert made.niss == NISS
    assert made.masked_niss == "85.07.30-***.**"


@pytest.mark.usefixtures("scope")
def test_a_number_lies_in_no_column_in_clear() -> None:
    factories.worker(niss=NISS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT w::text, encode(w.niss_sealed, 'escape') FROM mandates_worker w")
        ((row, sealed),) = cursor.fetchall()
    assert NISS not in row + sealed
    assert NISS.encode().hex() not in row


def test_two_tenants_share_no_index(operator: Person, stranger: Person) -> None:
    """Whoever reads two tenants' tables cannot tell that they know the same person."""
    indexes = set()
    for person in (operator, stranger):
        with person.scope():
            indexes.add(bytes(factories.worker(niss=NISS).niss_index))
    assert len(indexes) == 2


def test_the_number_of_another_tenant_does_not_open(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        theirs = factories.worker(niss=NISS)
    with operator.scope(), pytest.raises(SealBroken) as refusal:
        _ = theirs.niss
    assert NISS not in str(refusal.value)


# --- contracts ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scope")
@pytest.mark.parametrize("regime", ["0", "-1", "100.01"])
def test_a_regime_is_a_share_of_a_full_timer(regime: str) -> None:
    refused("contract_regime_is_a_share", lambda: factories.contract(regime=Decimal(regime)))


@pytest.mark.usefixtures("scope")
@pytest.mark.parametrize("regime", ["0.01", "50", "100"])
def test_any_share_up_to_a_full_timer_is_one(regime: str) -> None:
    factories.contract(regime=Decimal(regime))


@pytest.mark.usefixtures("scope")
def test_a_contract_ends_after_it_starts() -> None:
    day = date(2025, 5, 5)
    factories.contract(entered_on=day, left_on=day)
    refused(
        "contract_ends_after_it_starts", lambda: factories.contract(entered_on=day, left_on=date(2025, 5, 4))
    )


@pytest.mark.usefixtures("scope")
def test_contracts_go_with_their_worker() -> None:
    made = factories.contract()
    made.worker.delete()
    assert not Contract.objects.exists()


# --- mandates: quarters ---------------------------------------------------------------------------


def ends_a_quarter(day: date) -> bool:
    return quarter_days(quarter_of(day))[1] == day


def starts_a_quarter(day: date) -> bool:
    return quarter_days(quarter_of(day))[0] == day


@pytest.mark.usefixtures("scope")
@pytest.mark.parametrize("day", [date(2025, month, 1) for month in (1, 4, 7, 10)])
def test_a_mandate_starts_with_a_quarter(day: date) -> None:
    factories.active_mandate(starts_on=day)


@pytest.mark.usefixtures("scope")
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dates(date(2024, 1, 1), date(2026, 12, 31)))
def test_no_other_day_starts_one(day: date) -> None:
    if not starts_a_quarter(day):
        refused("mandate_starts_with_a_quarter", lambda: factories.active_mandate(starts_on=day))


@pytest.mark.usefixtures("scope")
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dates(date(2024, 4, 1), date(2026, 12, 31)))
def test_a_mandate_ends_with_a_quarter(day: date) -> None:
    make = lambda: factories.active_mandate(ends_on=day)  # noqa: E731
    if ends_a_quarter(day):
        make()
    else:
        refused("mandate_ends_with_a_quarter", make)


@pytest.mark.usefixtures("scope")
def test_a_mandate_does_not_end_before_it_starts() -> None:
    refused(
        "mandate_ends_with_a_quarter|range lower bound",
        lambda: factories.active_mandate(
            starts_on=date(2025, 4, 1), ends_on=date(2025, 3, 31), is_exclusive=False
        ),
    )


@pytest.mark.usefixtures("scope")
@pytest.mark.parametrize(
    ("day", "is_active"),
    [
        (date(2025, 3, 31), False),
        (date(2025, 4, 1), True),
        (date(2025, 9, 30), True),
        (date(2025, 10, 1), False),
    ],
)
def test_a_mandate_is_active_from_its_first_day_to_its_last(day: date, is_active: bool) -> None:
    factories.active_mandate(starts_on=date(2025, 4, 1), ends_on=date(2025, 9, 30))
    assert Mandate.objects.active_on(day, "FLA").exists() is is_active
    assert not Mandate.objects.active_on(day, "DMFA").exists()


@pytest.mark.usefixtures("scope")
@pytest.mark.parametrize("state", sorted(set(Mandate.State) - {Mandate.State.ACTIVE}))
def test_only_an_active_mandate_speaks(state: str) -> None:
    factories.active_mandate(state=state)
    assert not Mandate.objects.active_on(date(2025, 5, 5), "FLA").exists()


@pytest.mark.usefixtures("scope")
def test_the_number_in_a_mandate_is_that_of_its_employer() -> None:
    """Repeated there for the exclusion over all tenants, so it must never be another one."""
    client, other = factories.employer(), factories.employer()

    def lie() -> None:
        factories.active_mandate(client, employer_number=other.number)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    refused("mandate_of_that_number", lie)


# --- mandates: one at a time, over all tenants ----------------------------------------------------


def give(person: Person, **fields: Any) -> Mandate:
    with person.scope():
        client = Employer.objects.filter(number="0897223670").first() or factories.employer(
            number="0897223670"
        )
        return factories.active_mandate(client, **fields)


def test_one_mandataire_per_employer_over_all_tenants(operator: Person, stranger: Person) -> None:
    give(operator)
    refused("one_exclusive_mandate_at_a_time", lambda: give(stranger))


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (date(2025, 1, 1), None),
        (date(2025, 7, 1), date(2025, 9, 30)),
        (date(2024, 7, 1), date(2025, 3, 31)),
        (date(2024, 7, 1), None),
    ],
)
def test_not_even_for_a_quarter(
    operator: Person, stranger: Person, starts_on: date, ends_on: date | None
) -> None:
    give(operator, starts_on=date(2025, 1, 1), ends_on=date(2025, 9, 30))
    refused("one_exclusive", lambda: give(stranger, starts_on=starts_on, ends_on=ends_on))


def test_it_moves_at_the_turn_of_a_quarter(operator: Person, stranger: Person) -> None:
    give(operator, starts_on=date(2025, 1, 1), ends_on=date(2025, 3, 31))
    give(stranger, starts_on=date(2025, 4, 1))
    give(operator, starts_on=date(2024, 7, 1), ends_on=date(2024, 12, 31))


@pytest.mark.parametrize(
    "fields",
    [
        {"service": "DMFA", "is_exclusive": False},
        {"state": Mandate.State.PENDING},
        {"state": Mandate.State.CLOSED},
    ],
)
def test_what_excludes_nobody_may_overlap(operator: Person, stranger: Person, fields: dict[str, Any]) -> None:
    give(operator, **fields)
    give(stranger, **fields)
    give(stranger)


def test_a_pending_mandate_cannot_become_active_beside_another(operator: Person, stranger: Person) -> None:
    give(operator)
    waiting = give(stranger, state=Mandate.State.PENDING)
    with stranger.scope():
        refused(
            "one_exclusive",
            lambda: Mandate.objects.filter(pk=waiting.pk).update(state=Mandate.State.ACTIVE),
        )


def test_who_holds_it_does_not_show(operator: Person, stranger: Person) -> None:
    give(operator)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        give(stranger)
    assert str(operator.mandataire.pk) not in str(refusal.value)
    assert operator.mandataire.name not in str(refusal.value)
    with stranger.scope():
        assert not Mandate.objects.exists()
        assert not Employer.objects.filter(mandates__isnull=False).exists()


def test_of_two_tenants_at_once_exactly_one_wins(transactional_db: None) -> None:
    """Each on a connection of its own, neither able to see the other's row."""
    tenants = [factories.mandataire() for _ in range(3)]
    clients = {}
    for tenant in tenants:
        with tenancy.scope(tenant.pk):
            clients[tenant.pk] = factories.employer(number="0897223670")
    for first_day in (date(2024, 4, 1), date(2024, 7, 1), date(2024, 10, 1)):
        last_day = quarter_days(quarter_of(first_day))[1]

        def take(tenant: Mandataire, starts_on: date = first_day, ends_on: date = last_day) -> str:
            with tenancy.scope(tenant.pk):
                factories.active_mandate(clients[tenant.pk], starts_on=starts_on, ends_on=ends_on)
                return "won"

        results = race(*[lambda tenant=tenant: take(tenant) for tenant in tenants])
        assert results.count("won") == 1, results
        # Without the lock that `conflicts.hold` takes, PostgreSQL may end one of them as a deadlock.
        assert sum(isinstance(result, IntegrityError | OperationalError) for result in results) == 2
    held = 0
    for tenant in tenants:
        with tenancy.scope(tenant.pk):
            held += Mandate.objects.count()
    assert held == 3
