"""A set that several workers, answers and people decide about at once: it leaves once, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import connection

from channels import dropping, sftp
from channels.dropping import CannotRelease, Outcome, drop, prove, release
from channels.locking import channel_lock
from channels.looking import OUR_OWN_GO
from channels.models import Channel, Drop, Envelope
from channels.sftp import Session
from portal import tenancy
from tests.channels.conftest import Seal
from tests.channels.mortals import (
    Drops,
    Verbs,
    assert_arrived_once,
    committed,
    kill_and_make_stale,
    make_stale,
)
from tests.channels.sftpserver import Server
from tests.channels.threads import in_thread

# --- others at the same time ----------------------------------------------------------------------


@committed
def test_two_workers_at_once_send_one_set(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    server.hold("FS.")
    thread, results = in_thread(lambda: drop(tenant, envelope.pk))
    assert server.reached_gate.wait(10)
    assert drop(tenant, envelope.pk).outcome is Outcome.BUSY
    make_stale(tenant, envelope)
    assert drop(tenant, envelope.pk).outcome is Outcome.BUSY  # The channel is still held.
    server.let_go()
    thread.join()
    assert results == [dropping.Dropped(Outcome.CONFIRMED)]
    assert drops(envelope) == [("confirmed", True)]
    assert server.most_connections == 1
    assert_arrived_once(server, tenant, envelope)


@committed
def test_whoever_lost_the_channel_does_not_put_go(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    """The database drops the worker that sends; another one takes over; the first must stop before GO."""
    envelope = seal(channel)
    server.hold("FS.")
    thread, results = in_thread(lambda: drop_after_losing_its_database(tenant, envelope, server))
    assert server.reached_gate.wait(10)
    with connection.cursor() as cursor:
        # In this database only: other tests may share the server.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert cursor.rowcount == 1
    server.let_go()
    thread.join()
    assert results == ["OperationalError"]
    assert server.go_puts == []
    make_stale(tenant, envelope)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert_arrived_once(server, tenant, envelope)


def drop_after_losing_its_database(tenant: UUID, envelope: Envelope, server: Server) -> str:
    try:
        return drop(tenant, envelope.pk).outcome
    except Exception as error:  # noqa: BLE001  which one depends on the moment
        return type(error).__name__


def test_the_intention_needs_the_lock(channel: Channel, tenant: UUID, server: Server, seal: Seal) -> None:
    envelope = seal(channel)

    @contextmanager
    def losing_the_lock(of: Channel) -> Iterator[Session]:
        with sftp.connect(of) as session:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_all()")
            yield session

    assert drop(tenant, envelope.pk, connect=losing_the_lock).outcome is Outcome.BUSY
    assert server.go_puts == []
    make_stale(tenant, envelope)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert_arrived_once(server, tenant, envelope)


@committed
def test_released_while_it_is_being_sent_it_stops_before_go(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    server.hold("FI.")
    thread, results = in_thread(lambda: drop(tenant, envelope.pk))
    assert server.reached_gate.wait(10)
    with tenancy.scope(tenant):
        assert release(envelope, "Doublon vu au téléphone") is not None
    server.let_go()
    thread.join()
    assert results == [dropping.Dropped(Outcome.BUSY)]
    assert drops(envelope) == [("failed", False)]
    assert server.go_puts == []


@committed
def test_every_file_is_a_sign_of_life(channel: Channel, tenant: UUID, server: Server, seal: Seal) -> None:
    envelope = seal(channel)
    server.hold("FS.")
    thread, results = in_thread(lambda: drop(tenant, envelope.pk))
    assert server.reached_gate.wait(10)
    with tenancy.scope(tenant):
        row = Drop.objects.get(envelope=envelope)
    server.let_go()
    thread.join()
    assert results == [dropping.Dropped(Outcome.CONFIRMED)]
    assert row.heartbeat_at > row.started_at


@committed
def test_a_busy_channel_is_left_alone(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with channel_lock(channel.pk):
            held.set()
            done.wait(10)

    thread, _results = in_thread(hold)
    assert held.wait(10)
    busy = drop(tenant, envelope.pk)
    done.set()
    thread.join()
    assert busy.outcome is Outcome.BUSY
    assert busy.reason
    assert drops(envelope) == []
    assert server.connections_ever == 0


# --- answers and people decide --------------------------------------------------------------------


def test_an_answer_proves_a_drop_in_doubt(
    channel: Channel, tenant: UUID, seal: Seal, drops: Drops, verbs: Verbs
) -> None:
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "GO", is_after=True)
    with tenancy.scope(tenant):
        proven = prove(envelope)
        assert proven is not None
        assert prove(envelope) == proven
    assert drops(envelope) == [("confirmed", True)]
    assert verbs("drop.proven") == ["drop.proven"]


def test_an_answer_to_a_set_given_up_stops_it_from_leaving_again(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    server.cut("open", "GO.", is_after=True)
    assert drop(tenant, envelope.pk).outcome is Outcome.WAIT
    with tenancy.scope(tenant):
        release(envelope, "Personne ne l'a vu arriver")
        assert prove(envelope) is not None
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert drops(envelope) == [("confirmed", True)]
    assert len(server.go_puts) == 1


def test_an_answer_to_a_set_that_never_came_to_go_proves_nothing(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    envelope = seal(channel)
    with tenancy.scope(tenant):
        assert prove(envelope) is None
    server.cut("open", "FI.")
    assert drop(tenant, envelope.pk).outcome is Outcome.FAILED
    with tenancy.scope(tenant):
        assert prove(envelope) is None


def test_a_person_releases_a_set_that_did_not_leave(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops, verbs: Verbs
) -> None:
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "GO", is_after=False)
    (server.root / "IN" / f"FS.{envelope.stem}.1.1").unlink()
    assert drop(tenant, envelope.pk).outcome is Outcome.PARK
    with tenancy.scope(tenant):
        with pytest.raises(ValueError, match="reason"):
            release(envelope, " ")
        released = release(envelope, "Le centre de contact n'a rien reçu")
    assert released is not None
    assert released.error == "Le centre de contact n'a rien reçu"
    assert verbs("drop.released") == ["drop.released"]
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert drops(envelope) == [("failed", True), ("confirmed", True)]
    assert_arrived_once(server, tenant, envelope)


def test_a_confirmed_set_that_never_arrived_may_be_released_too(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    drop(tenant, envelope.pk)
    with tenancy.scope(tenant):
        release(envelope, "Jamais d'accusé de réception")
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert drops(envelope) == [("failed", True), ("confirmed", True)]


def test_a_released_set_whose_go_still_lies_there_is_not_sent_over_it(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    server.faults.takes_sets = False
    envelope = seal(channel)
    drop(tenant, envelope.pk)
    with tenancy.scope(tenant):
        release(envelope, "Jamais d'accusé de réception")
    result = drop(tenant, envelope.pk)
    assert (result.outcome, result.reason) == (Outcome.PARK, str(OUR_OWN_GO))
    assert drops(envelope) == [("failed", True), ("failed", False)]
    assert len(server.go_puts) == 1


def test_nobody_releases_a_set_while_go_is_being_put(
    channel: Channel, tenant: UUID, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "GO", is_after=False)
    with tenancy.scope(tenant), pytest.raises(CannotRelease) as refusal:
        release(envelope, "Impatience")
    assert str(refusal.value)
    assert drops(envelope) == [("go_intended", True)]


def test_releasing_what_was_never_tried_does_nothing(channel: Channel, tenant: UUID, seal: Seal) -> None:
    envelope = seal(channel)
    with tenancy.scope(tenant):
        assert release(envelope, "Rien à faire") is None
