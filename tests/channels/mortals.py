"""Workers who die at a chosen step, and what must have arrived all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from channels import dropping, sftp
from channels.errors import TransportError
from channels.models import Channel, Drop, Envelope, EnvelopePart
from channels.pipelining import Content
from channels.sftp import Session
from portal import tenancy
from tests.channels.sftpserver import Server

committed = pytest.mark.django_db(transaction=True)

type Drops = Callable[[Envelope], list[tuple[str, bool]]]
type Told = tuple[str, TransportError | None]
type Verbs = Callable[[str], list[str]]


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it."""


class Mortal:
    """A real session in the hands of a worker who dies before or after one of its steps."""

    def __init__(self, session: Session, *, dies_at: str, is_after: bool) -> None:
        self._session, self._dies_at, self._is_after = session, dies_at, is_after

    def put_all(self, environment: str, files: Iterable[tuple[str, Content]]) -> Iterator[Told]:
        for name, content in files:
            yield from self._step(name, self._session.put_all(environment, [(name, content)]))

    def put_go_all(self, environment: str, names: Iterable[str]) -> Iterator[Told]:
        for name in names:
            yield from self._step(name, self._session.put_go_all(environment, [name]))

    def listing_in(self, environment: str) -> set[str] | None:
        return self._session.listing_in(environment)

    def _step(self, name: str, done: Iterator[Told]) -> list[Told]:
        if name.startswith(self._dies_at) and not self._is_after:
            raise Killed
        told = list(done)
        if name.startswith(self._dies_at) and self._is_after:
            raise Killed
        return told


def dying(dies_at: str, *, is_after: bool) -> dropping.Connect:
    @contextmanager
    def connect(channel: Channel) -> Iterator[Session]:
        with sftp.connect(channel) as session:
            yield Mortal(session, dies_at=dies_at, is_after=is_after)  # type: ignore[misc]

    return connect


def make_stale(tenant: UUID, envelope: Envelope) -> None:
    with tenancy.scope(tenant):
        Drop.objects.filter(envelope=envelope).update(heartbeat_at=timezone.now() - timedelta(days=1))


def expected_files(tenant: UUID, envelope: Envelope) -> dict[str, bytes]:
    with tenancy.scope(tenant):
        name, parts = envelope.name.as_set_name(), list(EnvelopePart.objects.filter(envelope=envelope))
        files = {name.fi(part.part, len(parts)): part.fi for part in parts}
        files |= {name.fs(part.part, len(parts)): part.fs for part in parts if part.fs_size}
    return files | {name.go(len(parts)): b""}


def assert_arrived_once(server: Server, tenant: UUID, envelope: Envelope) -> None:
    files = expected_files(tenant, envelope)
    assert {path.name: path.read_bytes() for path in (server.root / "taken").iterdir()} == files
    assert server.go_puts == [name for name in files if name.startswith("GO.")]
    assert not server.names("IN")


def kill_and_make_stale(tenant: UUID, envelope: Envelope, dies_at: str, *, is_after: bool) -> None:
    with pytest.raises(Killed):
        dropping.drop(tenant, envelope.pk, connect=dying(dies_at, is_after=is_after))
    make_stale(tenant, envelope)
