"""No two sets ever share a name, however many reserve at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
import time_machine
from django.db import IntegrityError, transaction

from channels.models import Channel, ReservedName
from channels.naming import SEQUENCES_PER_PREFIX, BadFileName, SequenceExhausted, parse_name
from channels.reserving import reserve, today
from portal import tenancy
from tests.channels.threads import in_thread

DAY = date(2025, 11, 3)


@pytest.fixture
def bare(make_channel: Callable[..., Channel]) -> Channel:
    return make_channel()


def sequences(tenant: UUID) -> list[str]:
    with tenancy.scope(tenant):
        return list(ReservedName.objects.order_by("pk").values_list("sequence", flat=True))


def test_names_are_counted_from_one_in_the_channel_s_own_series(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        names = [reserve(bare, "FLAD", "R", DAY) for _ in range(38)]
    assert [name.sequence for name in names[:2]] == ["P0001", "P0002"]
    assert names[35].sequence == "P0010"
    assert names[37].counter == 38
    assert parse_name(names[0].as_set_name().fi()).stem == "FLAD.104217.20251103.P0001.R"


def test_each_day_and_environment_counts_for_itself_services_do_not(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        reserve(bare, "FLAD", "R", DAY)
        assert reserve(bare, "FLAD", "T", DAY).counter == 1
        assert reserve(bare, "FLAD", "R", date(2025, 11, 4)).counter == 1
        assert reserve(bare, "ATDO", "R", DAY).counter == 2


def test_a_changed_prefix_goes_on_counting(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        reserve(bare, "FLAD", "R", DAY)
        bare.sequence_prefix = "Q"
        assert reserve(bare, "FLAD", "R", DAY).sequence == "Q0002"


def test_two_mandataires_count_apart(
    bare: Channel, make_channel: Callable[..., Channel], tenant: UUID
) -> None:
    other = make_channel(quality="employer", sender_number="104218")
    with tenancy.scope(tenant):
        assert reserve(bare, "FLAD", "R", DAY).counter == 1
        assert reserve(other, "FLAD", "R", DAY).counter == 1


@time_machine.travel("2025-11-03T23:30:00+00:00", tick=False)
def test_the_day_is_the_belgian_one(bare: Channel, tenant: UUID) -> None:
    assert today() == date(2025, 11, 4)
    with tenancy.scope(tenant):
        assert reserve(bare, "FLAD", "S").day == date(2025, 11, 4)


def test_after_the_last_name_of_a_day_there_is_none(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        last = reserve(bare, "FLAD", "R", DAY)
        ReservedName.objects.create(
            channel=bare,
            sender_number=last.sender_number,
            application_code="FLAD",
            day=DAY,
            environment="R",
            counter=SEQUENCES_PER_PREFIX,
            sequence="PZZZZ",
        )
        with pytest.raises(SequenceExhausted):
            reserve(bare, "FLAD", "R", DAY)


@pytest.mark.parametrize(("application", "environment"), [("fla", "R"), ("FLADX", "R"), ("FLAD", "X")])
def test_a_bad_element_reserves_nothing(
    application: str, environment: str, bare: Channel, tenant: UUID
) -> None:
    with tenancy.scope(tenant), pytest.raises((BadFileName, ValueError)):
        reserve(bare, application, environment, DAY)
    assert sequences(tenant) == []


def test_the_database_itself_refuses_a_name_twice(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        name = reserve(bare, "FLAD", "R", DAY)
        name.pk = None
        name.application_code = "ATDO"
        with pytest.raises(IntegrityError), transaction.atomic():
            name.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_all_get_their_own(bare: Channel, tenant: UUID) -> None:
    def take_five() -> list[str]:
        taken = []
        for _ in range(5):
            with tenancy.scope(tenant):
                taken.append(reserve(bare, "FLAD", "R", DAY).sequence)
        return taken

    workers = [in_thread(take_five) for _ in range(4)]
    for thread, _results in workers:
        thread.join()
    taken = [sequence for _thread, results in workers for sequence in results[0]]  # type: ignore[attr-defined]
    assert sorted(taken) == sorted(set(taken)) == sorted(sequences(tenant))
    assert len(taken) == 20


@pytest.mark.django_db(transaction=True)
def test_rolled_back_a_name_is_free_again(bare: Channel, tenant: UUID) -> None:
    def give_up_after_reserving() -> None:
        with tenancy.scope(tenant):
            reserve(bare, "FLAD", "R", DAY)
            raise RuntimeError("never mind")

    with pytest.raises(RuntimeError, match="never mind"):
        give_up_after_reserving()
    with tenancy.scope(tenant):
        assert reserve(bare, "FLAD", "R", DAY).sequence == "P0001"
