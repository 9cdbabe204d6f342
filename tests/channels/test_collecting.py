"""Fetching answers: nothing is lost, nothing is stored twice, one bad file stops no other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from channels import collecting, sftp
from channels.collecting import Collected, collect
from channels.locking import channel_lock
from channels.models import FILE, Channel, InboundFile
from channels.sftp import Seen, Session
from portal import audit, tenancy
from portal.models import Mandataire, cipher
from tests.channels.conftest import Seal
from tests.channels.sftpserver import Server
from tests.channels.threads import in_thread

committed = pytest.mark.django_db(transaction=True)

ACRF = "FO.ACRF.999999.20251103.00001.R"
NOTI = "FO.NOTI.999999.20251104.00001.R"
ZIP = "CO.NOTI.999999.20251104.00002.R"

type Verbs = Callable[[str], list[str]]


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it."""


class Mortal:
    """A real session in the hands of a worker who dies before or after he deletes a certain file."""

    def __init__(self, session: Session, starts_with: str, *, is_after: bool) -> None:
        self._session, self._starts_with, self._is_after = session, starts_with, is_after

    def listing_out(self, environment: str) -> dict[str, Seen]:
        return self._session.listing_out(environment)

    def read(self, environment: str, name: str, limit: int) -> bytes:
        return self._session.read(environment, name, limit)

    def delete(self, environment: str, name: str) -> None:
        if name.startswith(self._starts_with) and not self._is_after:
            raise Killed
        self._session.delete(environment, name)
        if name.startswith(self._starts_with) and self._is_after:
            raise Killed


def dying(starts_with: str, *, is_after: bool) -> collecting.Connect:
    @contextmanager
    def connect(channel: Channel) -> Iterator[Session]:
        with sftp.connect(channel) as session:
            yield Mortal(session, starts_with, is_after=is_after)  # type: ignore[misc]

    return connect


def rows(tenant: UUID) -> list[tuple[str, bytes, bool]]:
    """Name, content, and whether it was deleted over there; oldest first."""
    with tenancy.scope(tenant):
        return [
            (row.name, row.content, row.deleted_there_at is not None)
            for row in InboundFile.objects.order_by("pk")
        ]


@committed
def test_an_answer_is_stored_then_deleted_over_there(
    channel: Channel, tenant: UUID, server: Server, verbs: Verbs
) -> None:
    server.answer(ACRF, b"<ACRF/>", signature=b"c2lnbmVk")
    collected = collect(tenant, channel.pk)
    with tenancy.scope(tenant):
        file = InboundFile.objects.get()
        assert collected == Collected(stored=[file.pk], deleted=1)
        assert (file.name, file.environment, file.state, file.size) == (ACRF, "R", "stored", 7)
        assert file.content == b"<ACRF/>"
        assert b"<ACRF/>" not in bytes(file.content_sealed)
        assert file.signature_sealed is not None
        assert cipher().open_bytes(FILE, bytes(file.signature_sealed)) == b"c2lnbmVk"
        assert file.sha256 == hashlib.sha256(b"<ACRF/>").hexdigest()
        assert file.deleted_there_at is not None
        contacted = Channel.objects.get(pk=channel.pk)
    assert contacted.last_contact_at is not None
    assert contacted.last_error == ""
    assert server.names("OUT") == set()
    assert verbs("file.") == ["file.stored", "file.deleted_there"]
    assert audit.verify(tenant)[1] is None


def test_an_empty_directory_is_no_news(channel: Channel, tenant: UUID, verbs: Verbs) -> None:
    assert collect(tenant, channel.pk) == Collected()
    assert verbs("file.") == []


def test_an_answer_without_its_go_is_left_alone(channel: Channel, tenant: UUID, server: Server) -> None:
    server.answer(ACRF, b"<AC", has_go=False)
    assert collect(tenant, channel.pk) == Collected(incomplete=1)
    assert rows(tenant) == []
    assert server.names("OUT") == {ACRF, "FS" + ACRF[2:]}


def test_a_zip_is_kept_as_it_came_and_a_signature_may_be_missing(
    channel: Channel, tenant: UUID, server: Server
) -> None:
    server.answer(ZIP, b"PK\x03\x04...", signature=None)
    collect(tenant, channel.pk)
    assert rows(tenant) == [(ZIP, b"PK\x03\x04...", True)]
    with tenancy.scope(tenant):
        assert InboundFile.objects.get().signature_sealed is None
    assert server.names("OUT") == set()


def test_the_parts_of_an_answer_go_together(channel: Channel, tenant: UUID, server: Server) -> None:
    for part in (1, 2):
        server.answer(f"{NOTI}.2.{part}", b"part %d" % part, has_go=False)
    (server.root / "OUT" / f"GO{NOTI[2:]}.2").write_bytes(b"")
    server.faults.unreadable = {f"{NOTI}.2.2"}
    first = collect(tenant, channel.pk)
    assert (len(first.stored), first.deleted, len(first.errors)) == (1, 0, 1)
    assert f"GO{NOTI[2:]}.2" in server.names("OUT"), "the parts that are left must stay readable"
    server.faults.unreadable = set()
    second = collect(tenant, channel.pk)
    assert (len(second.stored), second.repeated, second.deleted) == (1, 1, 2)
    assert rows(tenant) == [(f"{NOTI}.2.1", b"part 1", True), (f"{NOTI}.2.2", b"part 2", True)]
    assert server.names("OUT") == set()


def test_what_is_no_answer_is_never_touched(channel: Channel, tenant: UUID, server: Server) -> None:
    strangers = {"readme.txt", "FI.DMFA.104217.20251103.00001.R.1.1", "GO.DMFA.104217.20251103.00001.R.1"}
    for name in strangers:
        (server.root / "OUT" / name).write_bytes(b"")
    server.answer(ACRF, b"<ACRF/>")
    assert collect(tenant, channel.pk).deleted == 1
    assert server.names("OUT") == strangers


def test_only_environments_that_were_used_are_visited(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=channel.pk).update(environment="S")
    channel.environment = "S"
    simulated = "FO.ACRF.999999.20251103.00001.S"
    server.answer(ACRF, b"<ACRF/>", directory="OUT")
    server.answer(simulated, b"<ACRF/>", directory="OUTTEST-S")
    collect(tenant, channel.pk)
    assert [name for name, *_rest in rows(tenant)] == [simulated]
    assert ACRF in server.names("OUT")
    seal(channel, environment="R")
    collect(tenant, channel.pk)
    assert [name for name, *_rest in rows(tenant)] == [simulated, ACRF]


def test_an_environment_that_was_closed_does_not_hide_the_others(
    channel: Channel, tenant: UUID, server: Server, seal: Seal
) -> None:
    seal(channel, environment="T")
    (server.root / "OUTTEST").rmdir()
    server.answer(ACRF, b"<ACRF/>")
    collected = collect(tenant, channel.pk)
    assert len(collected.stored) == 1
    assert len(collected.errors) == 1
    assert "OUTTEST" in collected.errors[0]


# --- again and again ------------------------------------------------------------------------------

DEATHS = [(prefix, is_after) for prefix in ("GO", "FS", "FO") for is_after in (False, True)]


@pytest.mark.parametrize(("starts_with", "is_after"), DEATHS)
def test_killed_while_deleting_it_is_stored_once_and_then_gone(
    starts_with: str, is_after: bool, channel: Channel, tenant: UUID, server: Server, verbs: Verbs
) -> None:
    server.answer(ACRF, b"<ACRF/>")
    with pytest.raises(Killed):
        collect(tenant, channel.pk, connect=dying(starts_with, is_after=is_after))
    assert rows(tenant) == [(ACRF, b"<ACRF/>", False)], "committed before anything is deleted"
    collected = collect(tenant, channel.pk)
    assert (collected.stored, collected.errors, collected.incomplete) == ([], [], 0)
    assert rows(tenant) == [(ACRF, b"<ACRF/>", True)]
    assert server.names("OUT") == set()
    assert verbs("file.") == ["file.stored", "file.deleted_there"]
    assert collect(tenant, channel.pk) == Collected()


@pytest.mark.parametrize("verb", ["file.stored", "file.deleted_there"])
@committed
def test_killed_in_a_transaction_nothing_is_lost(
    verb: str, channel: Channel, tenant: UUID, server: Server, monkeypatch: pytest.MonkeyPatch, verbs: Verbs
) -> None:
    server.answer(ACRF, b"<ACRF/>")
    record = audit.record

    def fail(done: str, *args: object, **kwargs: object) -> object:
        if done == verb:
            raise Killed
        return record(done, *args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", fail)
        with pytest.raises(Killed):
            collect(tenant, channel.pk)
    assert (ACRF in server.names("OUT")) is (verb == "file.stored")
    collect(tenant, channel.pk)
    assert rows(tenant) == [(ACRF, b"<ACRF/>", True)]
    assert server.names("OUT") == set()
    assert verbs("file.") == ["file.stored", "file.deleted_there"]


@pytest.mark.parametrize("new_has_go", [True, False])
@pytest.mark.parametrize(("starts_with", "is_after"), DEATHS)
def test_a_new_answer_under_an_old_name_is_never_taken_for_the_old_one(
    starts_with: str, is_after: bool, new_has_go: bool, channel: Channel, tenant: UUID, server: Server
) -> None:
    """The worst moment: the old one is half deleted when another one of that name is being written."""
    server.answer(ACRF, b"old")
    with pytest.raises(Killed):
        collect(tenant, channel.pk, connect=dying(starts_with, is_after=is_after))
    (server.root / "OUT" / f"GO{ACRF[2:]}").unlink(missing_ok=True)
    server.answer(ACRF, b"new", has_go=new_has_go)
    collected = collect(tenant, channel.pk)
    if not new_has_go:
        assert collected.incomplete == 1
        assert (server.root / "OUT" / ACRF).read_bytes() == b"new"
        server.answer(ACRF, b"new")
        collect(tenant, channel.pk)
    assert [content for _name, content, _deleted in rows(tenant)] == [b"old", b"new"]
    assert server.names("OUT") == set()


def test_an_answer_sent_twice_is_stored_once(
    channel: Channel, tenant: UUID, server: Server, verbs: Verbs
) -> None:
    for _twice in range(2):
        server.answer(ACRF, b"<ACRF/>")
        collected = collect(tenant, channel.pk)
        assert server.names("OUT") == set()
    assert collected == Collected(repeated=1, deleted=1)
    assert rows(tenant) == [(ACRF, b"<ACRF/>", True)]
    assert verbs("file.") == ["file.stored", "file.deleted_there", "file.repeated"]


def test_another_content_under_the_same_name_is_an_alarm(
    channel: Channel, tenant: UUID, server: Server, verbs: Verbs
) -> None:
    for content in (b"one", b"two"):
        server.answer(ACRF, content)
        collect(tenant, channel.pk)
    assert [content for _name, content, _deleted in rows(tenant)] == [b"one", b"two"]
    with tenancy.scope(tenant):
        first, second = InboundFile.objects.order_by("pk")
    assert first.reason == ""
    assert second.reason
    assert verbs("file.contradicts") == ["file.contradicts"]
    assert server.names("OUT") == set()


def test_what_could_not_be_deleted_is_deleted_the_next_time(
    channel: Channel, tenant: UUID, server: Server, verbs: Verbs
) -> None:
    server.faults.keeps_answers = True
    server.answer(ACRF, b"<ACRF/>")
    for again in range(2):
        collected = collect(tenant, channel.pk)
        assert (len(collected.stored), collected.repeated) == ((1, 0) if again == 0 else (0, 1))
        assert len(collected.errors) == 1
        assert rows(tenant) == [(ACRF, b"<ACRF/>", False)]
    server.faults.keeps_answers = False
    assert collect(tenant, channel.pk).errors == []
    assert rows(tenant) == [(ACRF, b"<ACRF/>", True)]
    assert verbs("file.") == ["file.stored", "file.deleted_there"]


# --- faults of the other side ---------------------------------------------------------------------


def test_one_unreadable_file_stops_no_other(channel: Channel, tenant: UUID, server: Server) -> None:
    server.answer(ACRF, b"<ACRF/>")
    server.answer(NOTI, b"<NOTIFICATION/>")
    server.faults.unreadable = {ACRF}
    collected = collect(tenant, channel.pk)
    assert len(collected.errors) == 1
    assert ACRF in collected.errors[0]
    assert [name for name, *_rest in rows(tenant)] == [NOTI]
    assert ACRF in server.names("OUT")
    with tenancy.scope(tenant):
        assert Channel.objects.get(pk=channel.pk).last_error == collected.errors[0]


def test_a_file_above_the_limit_is_left_there_with_a_sentence(
    channel: Channel, tenant: UUID, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "LARGEST_ANSWER", 100)
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=channel.pk).update(max_file_bytes=50)
    server.answer(ACRF, b"x" * 101)
    server.answer(NOTI, b"x" * 100)
    collected = collect(tenant, channel.pk)
    assert [name for name, *_rest in rows(tenant)] == [NOTI]
    assert "101" in collected.errors[0]
    assert ACRF in server.names("OUT")


def test_a_channel_that_sends_small_files_may_be_answered_in_larger_ones(
    channel: Channel, tenant: UUID, server: Server
) -> None:
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=channel.pk).update(max_file_bytes=100)
    server.answer(NOTI, b"x" * 5_000)
    assert collect(tenant, channel.pk).errors == []
    assert [name for name, *_rest in rows(tenant)] == [NOTI]


REMOVALS = ("GO.ACRF", "FS.ACRF", "FO.ACRF")


@pytest.mark.parametrize(
    ("operation", "starts_with", "stored", "is_after"),
    [
        ("list", "OUT", 0, False),
        *(("open", name, 0, is_after) for name in ("FO.ACRF", "FS.ACRF") for is_after in (False, True)),
        *(("remove", name, 1, is_after) for name in REMOVALS for is_after in (False, True)),
        ("open", "FO.NOTI", 1, False),
    ],
)
def test_a_lost_connection_keeps_what_was_stored_and_loses_nothing(
    operation: str,
    starts_with: str,
    stored: int,
    is_after: bool,
    channel: Channel,
    tenant: UUID,
    server: Server,
) -> None:
    server.answer(ACRF, b"<ACRF/>")
    server.answer(NOTI, b"<NOTIFICATION/>")
    server.cut(operation, starts_with, is_after=is_after)
    first = collect(tenant, channel.pk)
    assert not server.faults.cuts, "the fault must have happened"
    assert len(first.stored) == stored
    assert len(first.errors) == 1
    second = collect(tenant, channel.pk)
    assert second.errors == []
    assert rows(tenant) == [(ACRF, b"<ACRF/>", True), (NOTI, b"<NOTIFICATION/>", True)]
    assert server.names("OUT") == set()


def test_a_server_that_does_not_let_us_in_is_told_on_the_channel(
    channel: Channel, tenant: UUID, server: Server, verbs: Verbs
) -> None:
    server.faults.refuses_everybody = True
    for _again in range(2):
        assert len(collect(tenant, channel.pk).errors) == 1
    server.faults.refuses_everybody = False
    assert collect(tenant, channel.pk).errors == []
    assert verbs("channel.") == ["channel.failed", "channel.recovered"]


@committed
def test_a_busy_channel_is_left_alone(channel: Channel, tenant: UUID, server: Server) -> None:
    server.answer(ACRF, b"<ACRF/>")
    with channel_lock(channel.pk):
        thread, results = in_thread(lambda: collect(tenant, channel.pk))
        thread.join()
    assert results == [Collected(is_busy=True)]
    assert server.connections_ever == 0


def test_another_mandataire_collects_nothing_here(channel: Channel, tenant: UUID, server: Server) -> None:
    stranger = Mandataire.found(name="Autre", number="0477472701", quality="service_provider").pk
    server.answer(ACRF, b"<ACRF/>")
    with pytest.raises(Channel.DoesNotExist):
        collect(stranger, channel.pk)
    assert server.connections_ever == 0
