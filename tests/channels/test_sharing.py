"""One directory for several programs: only what is ours is taken away, and nothing is fetched again and again."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from channels import collecting, sharing
from channels.collecting import Collected, collect
from channels.dropping import Outcome, drop
from channels.models import Channel, Drop, InboundFile, LeftAnswer
from channels.sharing import Whose
from portal import tenancy
from tests.channels.conftest import Seal
from tests.channels.sftpserver import Server

OURS = "FO.ACRF.999999.20251103.00001.R"
THEIRS = "FO.ACRF.999999.20251103.00002.R"
BOTH = "FO.NOTI.999999.20251103.00003.R"

type Verbs = Callable[[str], list[str]]


def judge(channel: Channel, environment: str, name: str, content: bytes) -> Whose:
    """Says what the content says."""
    return Whose(content.decode())


@pytest.fixture
def shared(channel: Channel, tenant: UUID) -> Channel:
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=channel.pk).update(is_exclusive=False)
    return channel


@pytest.fixture
def visit(shared: Channel, tenant: UUID) -> Callable[[], Collected]:
    return lambda: collect(tenant, shared.pk, judge=judge)


def stored(tenant: UUID) -> list[tuple[str, bool]]:
    with tenancy.scope(tenant):
        rows = InboundFile.objects.order_by("name")
        return [(row.name, row.deleted_there_at is not None) for row in rows]


def left(tenant: UUID) -> list[tuple[str, int, int, bool]]:
    with tenancy.scope(tenant):
        rows = LeftAnswer.objects.order_by("name")
        return [(row.name, row.size, row.looks, row.kept_id is not None) for row in rows]


def reads(server: Server) -> list[str]:
    """The names of the answers that were opened so far."""
    return [name for name in server.opened if name.startswith("FO.")]


def test_ours_is_taken_anothers_is_left_and_what_is_both_is_copied(
    visit: Callable[[], Collected], tenant: UUID, server: Server, verbs: Verbs
) -> None:
    for name, whose in ((OURS, "ours"), (THEIRS, "anothers"), (BOTH, "shared")):
        server.answer(name, whose.encode())
    collected = visit()
    assert (len(collected.stored), collected.deleted, collected.left, collected.errors) == (2, 1, 2, [])
    assert stored(tenant) == [(OURS, True), (BOTH, False)]
    assert left(tenant) == [(THEIRS, 8, 1, False), (BOTH, 6, 1, True)]
    assert server.names("OUT") == {
        f"{prefix}.{name[3:]}" for name in (THEIRS, BOTH) for prefix in ("FO", "FS", "GO")
    }
    assert verbs("file.") == ["file.stored", "file.stored", "file.deleted_there"]


def test_without_a_judge_nothing_is_ours(shared: Channel, tenant: UUID, server: Server) -> None:
    server.answer(OURS, b"ours")
    assert collect(tenant, shared.pk) == Collected(left=1)
    assert stored(tenant) == []


def test_what_was_left_is_looked_into_once_more_and_then_never_again(
    visit: Callable[[], Collected], tenant: UUID, server: Server
) -> None:
    server.answer(THEIRS, b"anothers")
    start = timezone.now()
    for minutes, looks in ((0, 1), (2, 1), (59, 1), (62, 2), (64, 2), (60 * 24 * 30, 2)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert visit().left == 1
        assert len(reads(server)) == looks
    assert [looks for _name, _size, looks, _kept in left(tenant)] == [2]


def test_an_answer_that_turns_out_to_be_ours_is_taken_at_the_second_look(
    shared: Channel, tenant: UUID, server: Server
) -> None:
    server.answer(THEIRS, b"who knows")
    collect(tenant, shared.pk)
    with time_machine.travel(timezone.now() + sharing.LOOK_AGAIN_AFTER + timedelta(minutes=1)):
        assert collect(tenant, shared.pk, judge=lambda *_: Whose.OURS).deleted == 1
        collect(tenant, shared.pk)
    assert stored(tenant) == [(THEIRS, True)]
    assert left(tenant) == []
    assert server.names("OUT") == set()


def test_another_content_under_a_name_that_was_left_is_looked_into(
    visit: Callable[[], Collected], tenant: UUID, server: Server
) -> None:
    server.answer(THEIRS, b"anothers")
    visit()
    server.answer(THEIRS, b"ours")
    assert visit().deleted == 1
    assert stored(tenant) == [(THEIRS, True)]


def test_another_time_is_another_file_though_the_size_is_the_same(
    visit: Callable[[], Collected], server: Server
) -> None:
    server.answer(THEIRS, b"anothers")
    visit()
    path = server.root / "OUT" / THEIRS
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 60))
    visit()
    assert len(reads(server)) == 2


def test_what_others_take_away_is_forgotten_and_our_copy_stays(
    visit: Callable[[], Collected], tenant: UUID, server: Server, verbs: Verbs
) -> None:
    server.answer(THEIRS, b"anothers")
    server.answer(BOTH, b"shared")
    visit()
    for path in (server.root / "OUT").iterdir():
        path.unlink()
    visit()
    assert left(tenant) == []
    assert stored(tenant) == [(BOTH, True)]
    assert verbs("file.") == ["file.stored", "file.taken_there"]


@pytest.mark.parametrize("gone", ["GO", "FS"])
def test_what_others_are_taking_away_is_not_finished_for_them(
    visit: Callable[[], Collected], tenant: UUID, server: Server, gone: str
) -> None:
    """A missing GO is what our own interrupted deletion looks like, too."""
    server.answer(BOTH, b"shared")
    visit()
    (server.root / "OUT" / f"{gone}.{BOTH[3:]}").unlink()
    visit()
    assert BOTH in server.names("OUT")
    assert stored(tenant) == [(BOTH, False)]


def test_one_foreign_part_keeps_the_whole_set_there(
    visit: Callable[[], Collected], tenant: UUID, server: Server
) -> None:
    server.answer(f"{BOTH}.2.1", b"ours", has_go=False)
    server.answer(f"{BOTH}.2.2", b"anothers", has_go=False)
    (server.root / "OUT" / f"GO{BOTH[2:]}.2").write_bytes(b"")
    before = server.names("OUT")
    assert visit().left == 2
    assert visit().left == 2
    assert server.names("OUT") == before
    assert stored(tenant) == [(f"{BOTH}.2.1", False)]


def test_what_is_too_large_is_told_once_and_not_at_each_visit(
    visit: Callable[[], Collected], tenant: UUID, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "LARGEST_ANSWER", 100)
    with tenancy.scope(tenant):
        Channel.objects.update(max_file_bytes=50)
    server.answer(THEIRS, b"x" * 101)
    server.answer(OURS, b"ours")
    first = visit()
    assert (len(first.errors), first.deleted, first.left) == (1, 1, 1)
    assert "101" in first.errors[0]
    assert visit() == Collected(left=1)
    assert [(name, size) for name, size, *_rest in left(tenant)] == [(THEIRS, 101)]


def test_what_its_owner_takes_during_our_visit_is_no_fault(
    shared: Channel, tenant: UUID, server: Server
) -> None:
    server.answer(OURS, b"ours")
    server.answer(THEIRS, b"anothers")

    def slow(channel: Channel, environment: str, name: str, content: bytes) -> Whose:
        for path in (server.root / "OUT").glob(f"*{THEIRS[3:]}"):
            path.unlink()
        return judge(channel, environment, name, content)

    collected = collect(tenant, shared.pk, judge=slow)
    assert (collected.deleted, collected.left, collected.errors) == (1, 0, [])


def test_an_exclusive_channel_takes_everything_also_what_it_left_before(
    visit: Callable[[], Collected], shared: Channel, tenant: UUID, server: Server
) -> None:
    server.answer(THEIRS, b"anothers")
    visit()
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=shared.pk).update(is_exclusive=True)
    assert visit().deleted == 1
    visit()
    assert (stored(tenant), left(tenant)) == ([(THEIRS, True)], [])


def test_ours_that_was_being_deleted_is_deleted_to_the_end(
    visit: Callable[[], Collected], tenant: UUID, server: Server
) -> None:
    server.answer(OURS, b"ours")
    server.cut("remove", "FS.ACRF")
    assert len(visit().errors) == 1
    assert f"GO.{OURS[3:]}" not in server.names("OUT")
    assert visit().errors == []
    assert (stored(tenant), server.names("OUT")) == ([(OURS, True)], set())


# --- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["FI", "FS", "GO"])
def test_nothing_is_put_over_a_file_of_others(
    shared: Channel, tenant: UUID, server: Server, seal: Seal, prefix: str
) -> None:
    envelope = seal(shared)
    theirs = {
        "FI": f"FI.{envelope.stem}.1.1",
        "FS": f"FS.{envelope.stem}.1.1",
        "GO": f"GO.{envelope.stem}.1",
    }[prefix]
    (server.root / "IN" / theirs).write_bytes(b"theirs")
    for _again in range(2):
        dropped = drop(tenant, envelope.pk)
        assert dropped.outcome is Outcome.PARK
        assert "other software" in dropped.reason
    assert server.puts == []
    assert (server.root / "IN" / theirs).read_bytes() == b"theirs"
    (server.root / "IN" / theirs).unlink()
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED


def test_what_an_attempt_of_ours_left_behind_is_put_again(
    shared: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    envelope = seal(shared)
    server.cut("open", "FS.")
    assert drop(tenant, envelope.pk).outcome is Outcome.FAILED
    assert any(name.startswith("FI.") for name in server.names("IN"))
    assert drop(tenant, envelope.pk).outcome is Outcome.CONFIRMED
    with tenancy.scope(tenant):
        assert Drop.objects.filter(state="confirmed").count() == 1


def test_where_nothing_can_be_listed_the_reserved_name_is_trusted(
    shared: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    server.faults.is_in_listable = False
    assert drop(tenant, seal(shared).pk).outcome is Outcome.CONFIRMED
