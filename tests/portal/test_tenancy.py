"""The current tenant: in Python and in PostgreSQL alike, for one transaction, and gone after it."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from mandates.models import Employer
from portal import tenancy
from tests import factories
from tests.racing import race


def told() -> UUID | None:
    """What PostgreSQL was told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nullif(current_setting('app.mandataire', true), '')::uuid")
        ((found,),) = cursor.fetchall()
    return found  # type: ignore[no-any-return]


def both() -> tuple[UUID | None, UUID | None]:
    return tenancy.current_or_none(), told()


def test_outside_of_every_scope_there_is_none(db: None) -> None:
    assert both() == (None, None)
    with pytest.raises(tenancy.NoTenant):
        tenancy.current()
    with pytest.raises(tenancy.NoTenant):
        Employer.objects.create(number="0897223670", name="A")


def test_a_scope_tells_python_and_postgresql(db: None) -> None:
    one = uuid4()
    with tenancy.scope(one):
        assert both() == (one, one)
        assert tenancy.current() == one
    assert both() == (None, None)


def test_a_scope_in_a_scope_gives_the_first_one_back(db: None) -> None:
    one, other = uuid4(), uuid4()
    with tenancy.scope(one):
        with tenancy.scope(other):
            assert both() == (other, other)
        assert both() == (one, one)


def test_the_first_one_comes_back_after_an_exception(db: None) -> None:
    one, other = uuid4(), uuid4()
    with tenancy.scope(one):
        with suppress(LookupError), tenancy.scope(other):
            raise LookupError
        assert both() == (one, one)
    with suppress(LookupError), tenancy.scope(one):
        raise LookupError
    assert both() == (None, None)


def test_the_first_one_comes_back_after_a_refusal_of_the_database(db: None) -> None:
    tenant = factories.mandataire()
    with tenancy.scope(tenant.pk):
        factories.employer(number="0897223670")
        with suppress(IntegrityError), tenancy.scope(tenant.pk):
            factories.employer(number="0897223670")
        assert both() == (tenant.pk, tenant.pk)
        assert Employer.objects.count() == 1


def test_a_scope_that_must_roll_back_leaves_nothing(transactional_db: None) -> None:
    """Code inside may ask for a roll-back without raising."""
    tenant = factories.mandataire()
    with tenancy.scope(tenant.pk):
        factories.employer()
        transaction.set_rollback(True)
    assert both() == (None, None)
    with tenancy.scope(tenant.pk):
        assert not Employer.objects.exists()


def test_a_scope_is_a_transaction(transactional_db: None) -> None:
    tenant = factories.mandataire()
    with suppress(LookupError), tenancy.scope(tenant.pk):
        factories.employer()
        raise LookupError
    with tenancy.scope(tenant.pk):
        assert not Employer.objects.exists()


def test_what_runs_after_the_commit_has_no_tenant(transactional_db: None) -> None:
    """It has to open its own scope, as the task it starts does."""
    tenant = factories.mandataire()
    seen: list[object] = []
    with tenancy.scope(tenant.pk):
        transaction.on_commit(lambda: seen.append(both()))
    assert seen == [(None, None)]


def test_nothing_stays_on_the_connection(transactional_db: None) -> None:
    """A pooled connection is the next tenant's."""
    tenant = factories.mandataire()
    with tenancy.scope(tenant.pk):
        factories.employer()
    assert told() is None
    assert not Employer.objects.exists()
    with transaction.atomic():
        assert told() is None


def test_threads_do_not_share_a_scope(transactional_db: None) -> None:
    tenants = [factories.mandataire() for _ in range(3)]

    def look(tenant: UUID) -> tuple[UUID | None, UUID | None]:
        for _ in range(5):
            with tenancy.scope(tenant):
                found = both()
                assert found == (tenant, tenant)
        return found

    assert race(*[lambda tenant=tenant: look(tenant.pk) for tenant in tenants]) == [
        (tenant.pk, tenant.pk) for tenant in tenants
    ]


def test_the_actor_goes_along_and_comes_back(db: None) -> None:
    one, other = uuid4(), uuid4()
    assert tenancy.actor() is None
    with tenancy.scope(one, actor=7):
        assert tenancy.actor() == 7
        with tenancy.scope(other):
            assert tenancy.actor() == 7
        with tenancy.scope(one, actor=8):
            assert tenancy.actor() == 8
        with suppress(LookupError), tenancy.scope(one, actor=9):
            raise LookupError
        assert tenancy.actor() == 7
    assert tenancy.actor() is None


def test_no_policy_is_compiled(db: None) -> None:
    """The planner takes the policies for so dear that it would compile them for seconds, for a page of 50 rows."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
