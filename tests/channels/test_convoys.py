"""Several sets over one connection: each has its own end, none waits for another, none leaves twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from channels import dropping, sftp
from channels.dropping import Outcome, drop_together
from channels.models import Channel, Drop, Envelope
from channels.pipelining import Content
from portal import tenancy
from tests.channels.conftest import Seal
from tests.channels.mortals import (
    Drops,
    Killed,
    Mortal,
    Told,
    Verbs,
    committed,
    dying,
    expected_files,
    make_stale,
)
from tests.channels.sftpserver import Server


def outcomes(tenant: UUID, envelopes: list[Envelope], **connect: dropping.Connect) -> list[Outcome]:
    dropped = drop_together(tenant, [envelope.pk for envelope in envelopes], **connect)
    return [dropped[envelope.pk].outcome for envelope in envelopes]


def assert_each_arrived_once(server: Server, tenant: UUID, envelopes: list[Envelope]) -> None:
    files = {
        name: content for envelope in envelopes for name, content in expected_files(tenant, envelope).items()
    }
    assert {path.name: path.read_bytes() for path in (server.root / "taken").iterdir()} == files
    assert sorted(server.go_puts) == sorted(name for name in files if name.startswith("GO."))
    assert not server.names("IN")


def test_they_leave_over_one_connection(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "TOGETHER", 3)
    envelopes = [seal(channel, parts=1 + number % 2) for number in range(8)]
    assert set(outcomes(tenant, envelopes)) == {Outcome.CONFIRMED}
    assert server.connections_ever == 1
    assert_each_arrived_once(server, tenant, envelopes)
    assert set(outcomes(tenant, envelopes)) == {Outcome.CONFIRMED}
    assert len(server.go_puts) == 8, "what left is left alone"


def test_every_go_comes_after_all_files_of_its_set(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    envelopes = [seal(channel, parts=2) for _ in range(5)]
    outcomes(tenant, envelopes)
    for envelope in envelopes:
        puts = [name for name in server.puts if envelope.stem in name]
        assert [name[:2] for name in puts] == ["FI", "FI", "FS", "FS", "GO"]


def test_each_environment_gets_its_own(channel: Channel, tenant: UUID, server: Server, seal: Seal) -> None:
    server.faults.takes_sets = False
    envelopes = [seal(channel, environment=environment) for environment in "RSRTS"]
    assert set(outcomes(tenant, envelopes)) == {Outcome.CONFIRMED}
    for directory, environment in (("IN", "R"), ("INTEST", "T"), ("INTEST-S", "S")):
        mine = [envelope for envelope in envelopes if envelope.environment == environment]
        assert server.names(directory) == {name for one in mine for name in expected_files(tenant, one)}


def test_one_that_is_refused_stops_no_other(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops, verbs: Verbs
) -> None:
    envelopes = [seal(channel) for _ in range(3)]
    server.faults.unreadable.add(f"FS.{envelopes[1].stem}.1.1")
    assert outcomes(tenant, envelopes) == [Outcome.CONFIRMED, Outcome.FAILED, Outcome.CONFIRMED]
    assert drops(envelopes[1]) == [("failed", False)]
    assert verbs("drop.failed") == ["drop.failed"]
    server.faults.unreadable.clear()
    assert outcomes(tenant, envelopes[1:2]) == [Outcome.CONFIRMED]


def test_a_short_file_fails_only_its_own_set(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    server.faults.short_after = 5_000
    small, large = seal(channel), seal(channel, content=b"<a>" + b"x" * 9_000 + b"</a>")
    assert outcomes(tenant, [small, large]) == [Outcome.CONFIRMED, Outcome.FAILED]
    assert server.go_puts == [f"GO.{small.stem}.1"]


def test_a_connection_lost_among_the_files_fails_all_plainly(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "TOGETHER", 2)
    envelopes = [seal(channel) for _ in range(3)]
    server.cut("open", f"FS.{envelopes[1].stem}")
    assert outcomes(tenant, envelopes) == [Outcome.FAILED, Outcome.FAILED, Outcome.BUSY]
    assert [drops(envelope) for envelope in envelopes] == [[("failed", False)], [("failed", False)], []]
    assert server.go_puts == []
    assert set(outcomes(tenant, envelopes)) == {Outcome.CONFIRMED}
    assert_each_arrived_once(server, tenant, envelopes)


def test_a_connection_lost_among_the_gos_leaves_each_where_it_is(
    channel: Channel, tenant: UUID, server: Server, seal: Seal, drops: Drops
) -> None:
    """The first was answered, the second is there without an answer, the third never was: the look tells them apart."""
    envelopes = [seal(channel) for _ in range(3)]
    server.cut("open", f"GO.{envelopes[1].stem}", is_after=True)
    dropped = outcomes(tenant, envelopes)
    assert dropped[1:] == [Outcome.WAIT, Outcome.WAIT]
    assert drops(envelopes[1]) == [("unknown", True)]
    assert set(outcomes(tenant, envelopes)) == {Outcome.CONFIRMED}
    assert sorted(server.go_puts) == [f"GO.{envelope.stem}.1" for envelope in envelopes]


@committed
@pytest.mark.parametrize(("dies_at", "is_after"), [("FI", True), ("FS", False), ("GO", False), ("GO", True)])
def test_a_worker_killed_among_them_leaves_the_truth_behind(
    dies_at: str, is_after: bool, channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    envelopes = [seal(channel, parts=2) for _ in range(3)]
    dies_at = f"{dies_at}.{envelopes[1].stem}"
    with pytest.raises(Killed):
        outcomes(tenant, envelopes, connect=dying(dies_at, is_after=is_after))
    for envelope in envelopes:
        make_stale(tenant, envelope)
    assert set(outcomes(tenant, envelopes)) == {Outcome.CONFIRMED}
    assert_each_arrived_once(server, tenant, envelopes)


class Meddled(Mortal):
    """A session during which a person ends one attempt, just before its files are put."""

    ends: int

    def put_all(self, environment: str, files: Iterable[tuple[str, Content]]) -> Iterator[Told]:
        assert Drop.objects.filter(envelope_id=self.ends, state="started").update(state="failed") == 1
        return self._session.put_all(environment, files)


def test_one_that_a_person_decided_stops_no_other(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    """Its files are not even fetched: the attempt they belong to is over."""
    envelopes = [seal(channel) for _ in range(2)]

    @contextmanager
    def meddling(of: Channel) -> Iterator[sftp.Session]:
        with sftp.connect(of) as session, tenancy.scope(tenant):
            meddled = Meddled(session, dies_at="never", is_after=False)
            meddled.ends = envelopes[1].pk
            yield meddled  # type: ignore[misc]

    assert outcomes(tenant, envelopes, connect=meddling) == [Outcome.CONFIRMED, Outcome.BUSY]
    assert server.go_puts == [f"GO.{envelopes[0].stem}.1"]
    assert not any(envelopes[1].stem in name for name in server.puts)


def test_sets_of_two_channels_are_not_mixed(
    channel: Channel, tenant: UUID, seal: Seal, make_channel: Callable[..., Channel]
) -> None:
    envelopes = [
        seal(channel),
        seal(make_channel(quality="employer", sender_number="104218"), environment="S"),
    ]
    with pytest.raises(ValueError, match="one channel"):
        outcomes(tenant, envelopes)
