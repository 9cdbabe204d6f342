"""How a set leaves, broken at every step: the same end, and never a second GO."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from channels import dropping
from channels.dropping import Outcome, drop, prove, resume
from channels.looking import CANNOT_LIST, HALF_A_SET, STRANGE_GO
from channels.models import Channel, Drop
from portal import audit, tenancy
from tests.channels.conftest import Seal
from tests.channels.mortals import (
    Drops,
    Killed,
    Verbs,
    assert_arrived_once,
    committed,
    dying,
    expected_files,
    kill_and_make_stale,
    make_stale,
)
from tests.channels.sftpserver import Server

# --- the straight way -----------------------------------------------------------------------------


@committed
def test_a_set_leaves(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops, verbs: Verbs
) -> None:
    envelope = seal(channel, parts=2)
    assert drop(tenant, envelope.pk) == dropping.Dropped(Outcome.CONFIRMED)
    assert_arrived_once(server, tenant, envelope)
    stem = envelope.stem
    order = [f"FI.{stem}.2.1", f"FI.{stem}.2.2", f"FS.{stem}.2.1", f"FS.{stem}.2.2", f"GO.{stem}.2"]
    assert server.puts == order
    assert drops(envelope) == [("confirmed", True)]
    assert verbs("drop.") == ["drop.started", "drop.go_intended", "drop.confirmed"]
    assert server.connections_ever == 1
    assert audit.verify(tenant)[1] is None


def test_a_confirmed_set_is_never_dropped_again(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    envelope = seal(channel)
    drop(tenant, envelope.pk)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert_arrived_once(server, tenant, envelope)
    assert server.connections_ever == 1


@pytest.mark.parametrize(("environment", "directory"), [("T", "INTEST"), ("S", "INTEST-S")])
def test_each_environment_has_its_directory(
    environment: str, directory: str, channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    server.faults.takes_sets = False
    envelope = seal(channel, environment=environment)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert server.names(directory) == set(expected_files(tenant, envelope))
    assert any(name.startswith("FS.") for name in server.names(directory)) is (environment == "T")
    assert not server.names("IN")


# --- crash points ---------------------------------------------------------------------------------

CRASHES = [
    ("FI", False),
    ("FI", True),
    ("FS", False),
    ("FS", True),
    ("GO", False),
    ("GO", True),
]


@pytest.mark.parametrize("takes_sets", [True, False])
@pytest.mark.parametrize(("dies_at", "is_after"), CRASHES)
def test_killed_anywhere_and_run_again_it_leaves_once(
    dies_at: str,
    is_after: bool,
    takes_sets: bool,
    channel: Channel,
    tenant: UUID,
    server: Server,
    seal: Seal,
    drops: Drops,
) -> None:
    server.faults.takes_sets = takes_sets
    envelope = seal(channel, parts=2)
    with pytest.raises(Killed):
        drop(tenant, envelope.pk, connect=dying(dies_at, is_after=is_after))
    assert drop(tenant, envelope.pk).outcome is Outcome.BUSY  # Its heartbeat is fresh.
    make_stale(tenant, envelope)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert drops(envelope) == [("confirmed", True)]
    assert server.go_puts == [f"GO.{envelope.stem}.2"]
    there = server.root / ("taken" if takes_sets else "IN")
    files = expected_files(tenant, envelope)
    assert {path.name: path.read_bytes() for path in there.iterdir()} == files


@committed
@pytest.mark.parametrize("verb", ["drop.started", "drop.go_intended", "drop.confirmed"])
def test_killed_in_any_transaction_and_run_again_it_leaves_once(
    verb: str,
    channel: Channel,
    tenant: UUID,
    server: Server,
    seal: Seal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A step is rolled back with its Event: as if the power failed just before its commit."""
    envelope = seal(channel)
    record = audit.record

    def fail(done: str, *args: object, **kwargs: object) -> object:
        if done == verb:
            raise Killed
        return record(done, *args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", fail)
        with pytest.raises(Killed):
            drop(tenant, envelope.pk)
    make_stale(tenant, envelope)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert_arrived_once(server, tenant, envelope)


def test_a_second_crash_changes_nothing(channel: Channel, tenant: UUID, server: Server, seal: Seal) -> None:
    envelope = seal(channel)
    for dies_at, is_after in CRASHES:
        make_stale(tenant, envelope)
        with pytest.raises(Killed):
            drop(tenant, envelope.pk, connect=dying(dies_at, is_after=is_after))
    make_stale(tenant, envelope)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert_arrived_once(server, tenant, envelope)


def test_resume_by_the_id_of_the_drop(channel: Channel, tenant: UUID, server: Server, seal: Seal) -> None:
    envelope = seal(channel)
    with pytest.raises(Killed):
        drop(tenant, envelope.pk, connect=dying("FS", is_after=True))
    make_stale(tenant, envelope)
    with tenancy.scope(tenant):
        identity = Drop.objects.get(envelope=envelope).pk
    assert resume(tenant, identity).outcome is Outcome.CONFIRMED
    assert_arrived_once(server, tenant, envelope)


# --- what the look may find -----------------------------------------------------------------------


def test_a_go_that_we_did_not_put_parks_the_set(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "FS", is_after=True)
    (server.root / "IN" / f"GO.{envelope.stem}.1").write_bytes(b"")
    result = drop(tenant, envelope.pk)
    assert (result.outcome, result.reason) == (Outcome.PARK, str(STRANGE_GO))
    assert drops(envelope) == [("unknown", False)]
    assert server.go_puts == []


def test_signatures_gone_while_declarations_stay_parks_the_set(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "GO", is_after=False)
    (server.root / "IN" / f"FS.{envelope.stem}.1.1").unlink()
    for _again in range(2):
        result = drop(tenant, envelope.pk)
        assert (result.outcome, result.reason) == (Outcome.PARK, str(HALF_A_SET))
    assert drops(envelope) == [("unknown", True)]
    assert server.go_puts == []


def test_declarations_gone_means_that_it_left(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "GO", is_after=False)
    server.take(f"GO.{envelope.stem}.1", "IN")
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert server.go_puts == []


@pytest.mark.parametrize("is_told_beforehand", [True, False])
def test_where_nothing_can_be_listed_the_acknowledgement_decides(
    is_told_beforehand: bool,
    channel: Channel,
    tenant: UUID,
    server: Server,
    seal: Seal,
    drops: Drops,
) -> None:
    if is_told_beforehand:
        with tenancy.scope(tenant):
            Channel.objects.filter(pk=channel.pk).update(can_list_in=False)
    server.faults.is_in_listable = False
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "GO", is_after=False)
    result = drop(tenant, envelope.pk)
    assert (result.outcome, result.reason) == (Outcome.WAIT, str(CANNOT_LIST))
    assert drops(envelope) == [("unknown", True)]
    assert server.go_puts == []
    with tenancy.scope(tenant):
        proven = prove(envelope)
    assert proven is not None
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED


def test_before_the_intention_no_listing_is_needed_to_start_again(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    server.faults.is_in_listable = False
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "FS", is_after=False)
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert_arrived_once(server, tenant, envelope)


# --- faults of the other side ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "starts_with", "is_after"),
    [
        ("open", "FI.", False),
        ("open", "FI.", True),
        ("write", "FI.", False),
        ("close", "FI.", False),
        ("close", "FI.", True),
        ("stat", "FI.", False),
        ("open", "FS.", False),
        ("write", "FS.", False),
        ("stat", "FS.", False),
    ],
)
def test_a_connection_lost_before_go_is_a_plain_failure(
    operation: str,
    starts_with: str,
    is_after: bool,
    channel: Channel,
    tenant: UUID,
    server: Server,
    seal: Seal,
    drops: Drops,
) -> None:
    envelope = seal(channel)
    server.cut(operation, starts_with, is_after=is_after)
    failed = drop(tenant, envelope.pk)
    assert (failed.outcome, failed.is_permanent) == (Outcome.FAILED, False)
    assert failed.reason
    assert not server.faults.cuts, "the fault must have happened"
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert drops(envelope) == [("failed", False), ("confirmed", True)]
    assert_arrived_once(server, tenant, envelope)


@pytest.mark.parametrize("takes_sets", [True, False])
@pytest.mark.parametrize(
    ("operation", "is_after", "arrived"),
    [("open", False, False), ("open", True, True), ("close", False, True), ("close", True, True)],
)
def test_a_connection_lost_around_go_is_looked_at(
    operation: str,
    is_after: bool,
    arrived: bool,
    takes_sets: bool,
    channel: Channel,
    tenant: UUID,
    server: Server,
    seal: Seal,
    drops: Drops,
) -> None:
    server.faults.takes_sets = takes_sets
    envelope = seal(channel)
    server.cut(operation, "GO.", is_after=is_after)
    first = drop(tenant, envelope.pk)
    assert not server.faults.cuts, "the fault must have happened"
    assert bool(server.go_puts) is arrived
    if first.outcome is not Outcome.CONFIRMED:  # The answer to the last close may be lost without any harm.
        assert first.outcome is Outcome.WAIT
        assert drops(envelope) == [("unknown", True)]
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert drops(envelope) == [("confirmed", True)]
    assert server.go_puts == [f"GO.{envelope.stem}.1"]


def test_a_connection_lost_while_looking_leaves_all_as_it_was(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    envelope = seal(channel)
    kill_and_make_stale(tenant, envelope, "GO", is_after=False)
    server.cut("list", "IN")
    assert drop(tenant, envelope.pk).outcome is Outcome.WAIT
    assert drops(envelope) == [("unknown", True)]
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert_arrived_once(server, tenant, envelope)


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_full_disk_never_gets_a_go(
    is_silent: bool, channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    if is_silent:
        server.faults.short_after = 10
    else:
        server.faults.is_disk_full = True
    envelope = seal(channel)
    failed = drop(tenant, envelope.pk)
    assert (failed.outcome, failed.is_permanent) == (Outcome.FAILED, False)
    assert server.go_puts == []
    server.faults.short_after, server.faults.is_disk_full = None, False
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    assert drops(envelope) == [("failed", False), ("confirmed", True)]
    assert_arrived_once(server, tenant, envelope)


def test_a_failure_is_told_on_the_channel_once_and_recovers(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, verbs: Verbs
) -> None:
    envelope = seal(channel)
    server.faults.refuses_everybody = True
    for _again in range(3):
        failed = drop(tenant, envelope.pk)
        assert (failed.outcome, failed.is_permanent) == (Outcome.FAILED, True)
    with tenancy.scope(tenant):
        told = Channel.objects.get(pk=channel.pk)
    assert told.last_error == failed.reason
    assert told.last_contact_at is None
    server.faults.refuses_everybody = False
    drop(tenant, envelope.pk)
    with tenancy.scope(tenant):
        told = Channel.objects.get(pk=channel.pk)
    assert told.last_error == ""
    assert told.last_contact_at is not None
    assert verbs("channel.") == ["channel.failed", "channel.recovered"]


def test_a_channel_without_ssh_key_fails_with_a_sentence(
    make_channel: Callable[..., Channel], tenant: UUID, server: Server, seal: Seal
) -> None:
    bare = make_channel(port=server.port, host_key=server.host_key_line, environment="S")
    failed = drop(tenant, seal(bare, environment="S").pk)
    assert (failed.outcome, failed.is_permanent) == (Outcome.FAILED, True)
    assert bare.name in failed.reason
