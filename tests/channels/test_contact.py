"""A channel that fails tells it once, not every few minutes, and tells when it works again."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
import time_machine

from channels.contact import note_contact
from channels.models import Channel
from portal import tenancy
from portal.models import Event, Mandataire


@pytest.fixture
def bare(make_channel: Callable[..., Channel]) -> Channel:
    return make_channel()


def told(tenant: UUID) -> list[tuple[str, str]]:
    with tenancy.scope(tenant):
        events = Event.objects.filter(verb__startswith="channel.").order_by("pk")
        return [(event.verb, event.reason) for event in events]


def test_only_changes_are_events(bare: Channel, tenant: UUID) -> None:
    for error in ("", "", "no route", "no route", "refused", "", "", "no route"):
        note_contact(tenant, bare.pk, error)
    assert told(tenant) == [
        ("channel.failed", "no route"),
        ("channel.failed", "refused"),
        ("channel.recovered", ""),
        ("channel.failed", "no route"),
    ]


def test_a_failure_keeps_the_time_of_the_last_good_contact(bare: Channel, tenant: UUID) -> None:
    with time_machine.travel("2025-11-03T10:00:00+00:00", tick=False):
        note_contact(tenant, bare.pk)
    with time_machine.travel("2025-11-03T11:00:00+00:00", tick=False):
        note_contact(tenant, bare.pk, "no route")
    with tenancy.scope(tenant):
        channel = Channel.objects.get(pk=bare.pk)
    assert channel.last_contact_at is not None
    assert channel.last_contact_at.hour == 10
    assert channel.last_error == "no route"


def test_nothing_else_of_the_channel_is_written(bare: Channel, tenant: UUID) -> None:
    """Somebody may be changing the channel at the same time: his change must stay."""
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=bare.pk).update(is_paused=True, name="Renommé")
    note_contact(tenant, bare.pk, "no route")
    with tenancy.scope(tenant):
        channel = Channel.objects.get(pk=bare.pk)
    assert (channel.is_paused, channel.name) == (True, "Renommé")


def test_a_channel_of_somebody_else_is_not_found(bare: Channel, tenant: UUID) -> None:
    stranger = Mandataire.found(name="Autre", number="0477472701", quality="employer").pk
    with pytest.raises(Channel.DoesNotExist):
        note_contact(stranger, bare.pk)
