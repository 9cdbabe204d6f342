"""A channel that fails for long, or meets another server key, stops by itself; people and successes start it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncssh
import pytest
import time_machine

from channels import stopping
from channels.collecting import Collected, collect
from channels.contact import note_contact
from channels.dropping import Outcome, drop
from channels.models import Channel
from channels.probing import probe
from channels.stopping import CannotDecide
from portal import tenancy
from portal.models import Event
from tests.channels.conftest import Seal
from tests.channels.sftpserver import Server

NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
ANNE, BERT = 7, 8
"""Ids of users."""

type Verbs = Callable[[str], list[str]]


@pytest.fixture
def bare(make_channel: Callable[..., Channel]) -> Channel:
    return make_channel(
        host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDaJQVu0i0mcfgoPF3xDR5xv1lQrVFrEPAgKKdXsPpQY"
    )


def fresh(channel: Channel, tenant: UUID) -> Channel:
    with tenancy.scope(tenant):
        return Channel.objects.get(pk=channel.pk)


def fail(channel: Channel, tenant: UUID, times: int, *, every: timedelta, start: datetime = NOON) -> None:
    for count in range(times):
        with time_machine.travel(start + every * count, tick=False):
            note_contact(tenant, channel.pk, "no route")


@contextmanager
def acting(tenant: UUID, actor: int) -> Iterator[None]:
    with tenancy.scope(tenant, actor=actor):
        yield


# --- the breaker ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "minutes", "is_open"),
    [
        (10, 6, False),  # ten, but the first was 54 minutes ago
        (10, 7, True),
        (9, 60, False),  # long, but only nine
        (40, 1, False),
        (62, 1, True),
    ],
)
def test_the_breaker_opens_after_ten_failures_in_a_row_and_over_an_hour(
    bare: Channel, tenant: UUID, times: int, minutes: int, is_open: bool, verbs: Verbs
) -> None:
    fail(bare, tenant, times, every=timedelta(minutes=minutes))
    channel = fresh(bare, tenant)
    assert (channel.broken_at is not None, channel.is_paused, channel.failures) == (is_open, is_open, times)
    assert channel.failing_since == NOON
    assert verbs("channel.breaker") == (["channel.breaker_opened"] if is_open else [])


def test_a_success_in_between_begins_the_row_anew(bare: Channel, tenant: UUID) -> None:
    fail(bare, tenant, 9, every=timedelta(minutes=10))
    note_contact(tenant, bare.pk)
    fail(bare, tenant, 9, every=timedelta(minutes=10), start=NOON + timedelta(hours=2))
    channel = fresh(bare, tenant)
    assert (channel.failures, channel.broken_at) == (9, None)


def test_one_bad_file_is_no_failed_contact(bare: Channel, tenant: UUID) -> None:
    for hour in range(12):
        with time_machine.travel(NOON + timedelta(hours=hour), tick=False):
            note_contact(tenant, bare.pk, "FO... is too large", is_reached=True)
    channel = fresh(bare, tenant)
    assert (channel.failures, channel.is_paused) == (0, False)
    assert channel.last_contact_at == NOON + timedelta(hours=11)
    assert channel.last_error == "FO... is too large"


def test_a_success_closes_the_breaker_but_not_a_pause(bare: Channel, tenant: UUID, verbs: Verbs) -> None:
    fail(bare, tenant, 12, every=timedelta(minutes=10))
    with tenancy.scope(tenant):
        stopping.pause(bare, "maintenance over there")
    note_contact(tenant, bare.pk)
    channel = fresh(bare, tenant)
    assert (channel.broken_at, channel.is_paused) == (None, True)
    with tenancy.scope(tenant):
        stopping.resume(bare, "it is over")
    assert not fresh(bare, tenant).is_paused
    assert verbs("channel.breaker") == ["channel.breaker_opened", "channel.breaker_closed"]
    assert verbs("channel.")[-2:] == ["channel.recovered", "channel.resumed"]


def test_a_person_closes_the_breaker_and_both_clocks_are_due(bare: Channel, tenant: UUID) -> None:
    fail(bare, tenant, 12, every=timedelta(minutes=10))
    with tenancy.scope(tenant):
        Channel.objects.update(departs_at=NOON + timedelta(days=9), collects_at=NOON + timedelta(days=9))
        stopping.resume(bare, "their server is back")
        assert Event.objects.get(verb="channel.resumed").reason == "their server is back"
    channel = fresh(bare, tenant)
    assert (channel.is_paused, channel.failures, channel.departs_at, channel.collects_at) == (
        False,
        0,
        None,
        None,
    )


def test_pausing_and_resuming_need_a_reason_and_a_state(bare: Channel, tenant: UUID, verbs: Verbs) -> None:
    with tenancy.scope(tenant):
        for act in (stopping.pause, stopping.resume):
            with pytest.raises(CannotDecide):
                act(bare, " ")
        with pytest.raises(CannotDecide):
            stopping.resume(bare, "why not")
        stopping.pause(bare, "holidays")
        with pytest.raises(CannotDecide):
            stopping.pause(bare, "again")
    assert fresh(bare, tenant).pause_reason == "holidays"
    assert verbs("channel.") == ["channel.paused"]


# --- what a stopped channel does ------------------------------------------------------------------------


def test_a_stopped_channel_has_no_contact_unless_a_person_asks(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    envelope = seal(channel)
    with tenancy.scope(tenant):
        stopping.pause(channel, "maintenance")
    dropped = drop(tenant, envelope.pk)
    assert (dropped.outcome, bool(dropped.reason)) == (Outcome.STOPPED, True)
    assert collect(tenant, channel.pk) == Collected(is_stopped=True)
    assert server.connections_ever == 0
    assert drop(tenant, envelope.pk, is_asked=True).outcome is Outcome.CONFIRMED
    assert collect(tenant, channel.pk, is_asked=True) == Collected()
    assert fresh(channel, tenant).is_paused, "what was asked for does not end the pause"


def test_a_probe_says_what_it_saw_and_closes_the_breaker(
    channel: Channel, tenant: UUID, server: Server, verbs: Verbs
) -> None:
    server.faults.refuses_everybody = True
    for count in range(12):
        with time_machine.travel(NOON + timedelta(minutes=10 * count)):
            assert collect(tenant, channel.pk).is_stopped is (count > 9)
    told = probe(tenant, channel.pk)
    assert "essai" in told["error"]
    assert fresh(channel, tenant).is_paused
    server.faults.refuses_everybody = False
    server.answer("FO.ACRF.999999.20251103.00001.R", b"<ACRF/>")
    told = probe(tenant, channel.pk)
    assert (told["error"], told["directories"]) == ("", {"IN": 0, "OUT": 3})
    found = fresh(channel, tenant)
    assert (found.is_paused, found.last_probe) == (False, told)
    assert verbs("channel.breaker") == ["channel.breaker_opened", "channel.breaker_closed"]
    assert len(server.names("OUT")) == 3, "a look takes nothing"


def test_a_probe_tells_a_directory_that_may_not_be_listed(
    channel: Channel, tenant: UUID, server: Server
) -> None:
    server.faults.is_in_listable = False
    assert probe(tenant, channel.pk)["directories"] == {"IN": None, "OUT": 0}


# --- another server key ---------------------------------------------------------------------------------


@pytest.fixture
def changed(channel: Channel, tenant: UUID, server: Server) -> Channel:
    """The server shows its true key, and the channel had pinned another."""
    earlier = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=channel.pk).update(host_key=earlier)
    assert len(collect(tenant, channel.pk).errors) == 1
    return fresh(channel, tenant)


def shown(channel: Channel) -> str:
    return stopping.fingerprint(channel.other_host_key)


def test_another_key_stops_the_channel_at_once_even_for_buttons(
    changed: Channel, tenant: UUID, server: Server, seal: Seal, verbs: Verbs
) -> None:
    assert changed.is_paused
    assert changed.other_host_key.split()[:2] == server.host_key_line.split()[:2]
    before = server.connections_ever
    assert collect(tenant, changed.pk, is_asked=True).is_stopped
    assert drop(tenant, seal(changed).pk, is_asked=True).outcome is Outcome.STOPPED
    assert server.connections_ever == before
    assert probe(tenant, changed.pk)["error"], "a look is allowed, and sees it again"
    with tenancy.scope(tenant):
        event = Event.objects.get(verb="channel.host_key_changed")
    assert event.data == {"pinned": stopping.fingerprint(changed.host_key), "shown": shown(changed)}
    with tenancy.scope(tenant), pytest.raises(CannotDecide):
        stopping.resume(changed, "let us go on")


def test_two_people_accept_it_and_everything_goes_on(
    changed: Channel, tenant: UUID, server: Server, verbs: Verbs
) -> None:
    with acting(tenant, ANNE):
        stopping.propose_host_key(changed, shown(changed), "read out by the contact centre")
    assert fresh(changed, tenant).is_paused
    with acting(tenant, BERT):
        stopping.accept_host_key(changed, shown(changed))
    found = fresh(changed, tenant)
    assert (found.is_paused, found.other_host_key, found.host_key_proposed_by) == (False, "", None)
    assert found.host_key_since is not None
    assert collect(tenant, changed.pk) == Collected()
    assert verbs("channel.host_key") == [
        "channel.host_key_changed",
        "channel.host_key_proposed",
        "channel.host_key_accepted",
    ]


def test_one_person_alone_cannot(changed: Channel, tenant: UUID) -> None:
    with acting(tenant, ANNE), pytest.raises(CannotDecide):
        stopping.accept_host_key(changed, shown(changed))
    with acting(tenant, ANNE):
        stopping.propose_host_key(changed, shown(changed), "I know it")
    with acting(tenant, ANNE), pytest.raises(CannotDecide, match="second person"):
        stopping.accept_host_key(changed, shown(changed))
    with acting(tenant, BERT), pytest.raises(CannotDecide):
        stopping.propose_host_key(changed, shown(changed), "so do I")
    found = fresh(changed, tenant)
    assert (found.is_paused, found.host_key) == (True, changed.host_key)


def test_a_third_key_ends_the_proposal_and_is_not_what_was_agreed_on(changed: Channel, tenant: UUID) -> None:
    compared = shown(changed)
    with acting(tenant, ANNE):
        stopping.propose_host_key(changed, compared, "the contact centre")
    third = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    with tenancy.scope(tenant):
        channel = Channel.objects.get(pk=changed.pk)
        stopping._note_other_key(channel, third)
        channel.save()
    for said in (compared, stopping.fingerprint(third)):
        with acting(tenant, BERT), pytest.raises(CannotDecide):
            stopping.accept_host_key(changed, said)
    assert fresh(changed, tenant).host_key == changed.host_key


def test_keeping_the_old_key_tries_again_and_stops_again(
    changed: Channel, tenant: UUID, verbs: Verbs
) -> None:
    with acting(tenant, ANNE):
        stopping.keep_host_key(changed, shown(changed), "they say that nothing was renewed")
    assert not fresh(changed, tenant).is_paused
    assert len(collect(tenant, changed.pk).errors) == 1
    assert fresh(changed, tenant).is_paused
    assert verbs("channel.host_key") == [
        "channel.host_key_changed",
        "channel.host_key_kept",
        "channel.host_key_changed",
    ]


def test_a_pause_outlives_an_accepted_key(changed: Channel, tenant: UUID) -> None:
    with acting(tenant, ANNE):
        stopping.pause(changed, "until Monday")
        stopping.propose_host_key(changed, shown(changed), "the contact centre")
    with acting(tenant, BERT):
        stopping.accept_host_key(changed, shown(changed))
    assert fresh(changed, tenant).is_paused
