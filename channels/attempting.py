"""The steps of one attempt to drop a set. Each is committed before the next begins: a kill leaves the truth behind.

They run in the scope of their caller, so that the same step of several sets is one commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from channels.looking import SetFiles
from channels.models import Drop, Envelope, EnvelopePart
from channels.pipelining import Content
from channels.states import DROP_MOVES
from portal import audit, tenancy
from portal.moving import move


class AlreadyDropping(RuntimeError):
    """Another attempt at this envelope shows signs of life."""

    permanent = False
    ambiguous = False


def stale_before() -> datetime:
    """A live drop without a heartbeat since then has lost its worker."""
    return timezone.now() - timedelta(seconds=settings.CONFIG.stale_after)


def live_drop(envelope_id: int) -> Drop | None:
    """The attempt of this envelope that has not failed: there is at most one."""
    return Drop.objects.exclude(state=Drop.State.FAILED).filter(envelope_id=envelope_id).first()


@dataclass(slots=True)
class Attempt:
    """One row of Drop and the right to move it. Moves are guarded: an attempt that was taken over stops."""

    mandataire: UUID
    envelope: Envelope
    files: SetFiles
    row: Drop

    @classmethod
    def begin(cls, mandataire: UUID, envelope: Envelope) -> Attempt:
        """Starts an attempt, or takes over the live one that lost its worker. For the holder of the channel.

        Raises AlreadyDropping while another one is alive.
        """
        parts = EnvelopePart.objects.filter(envelope=envelope)
        sizes = list(parts.order_by("part").values_list("fs_size", flat=True))
        files = SetFiles.of(envelope.name.as_set_name(), len(sizes), is_signed=all(sizes))
        found = live_drop(envelope.pk)
        attempt = cls(mandataire, envelope, files, found or _insert(envelope))
        if found is None:
            attempt._record("drop.started")
        elif found.state in (Drop.State.STARTED, Drop.State.GO_INTENDED):
            if found.heartbeat_at > stale_before():
                raise AlreadyDropping(envelope.stem)
            attempt._move(Drop.State.UNKNOWN, "drop.interrupted")
        return attempt

    def contents(self) -> Iterator[tuple[str, Content]]:
        """Every FI, then every FS, by name. May be put again and again: the bytes are frozen."""
        for column, names in (("fi", self.files.fi), ("fs", self.files.fs)):
            for part, name in enumerate(names, start=1):
                yield name, partial(self._content, column, part)

    def intend(self) -> None:
        """From here FI and FS are whole over there, and GO may be. The channel must still be ours."""
        now = timezone.now()
        self._move(Drop.State.GO_INTENDED, "drop.go_intended", go_intended_at=now, heartbeat_at=now)

    def restart(self) -> None:
        """Starts again after a look that found no GO."""
        self._move(Drop.State.STARTED, "drop.restarted", heartbeat_at=timezone.now())

    def confirm(self) -> None:
        """It left."""
        self._move(Drop.State.CONFIRMED, "drop.confirmed", ended_at=timezone.now(), error="")

    def fail(self, error: str) -> None:
        """It did not leave, and nothing is ambiguous about it."""
        self._move(Drop.State.FAILED, "drop.failed", reason=error, ended_at=timezone.now(), error=error)

    def doubt(self, error: str) -> None:
        """It may have left: only a look, an answer or a person can tell."""
        if self.row.state != Drop.State.UNKNOWN:
            self._move(Drop.State.UNKNOWN, "drop.in_doubt", reason=error, error=error)
        elif self.row.error != error:
            Drop.objects.filter(pk=self.row.pk, state=Drop.State.UNKNOWN).update(error=error)
            self._record("drop.in_doubt", error)

    def _content(self, column: str, part: int) -> bytes | None:
        """The bytes of one file, fetched with the heartbeat; None when somebody ended this attempt meanwhile."""
        with tenancy.scope(self.mandataire):
            alive = Drop.objects.filter(pk=self.row.pk, state=Drop.State.STARTED)
            if not alive.update(heartbeat_at=timezone.now()):
                return None
            row = EnvelopePart.objects.only("mandataire", f"{column}_sealed", f"{column}_size").get(
                envelope=self.envelope, part=part
            )
            content: bytes = getattr(row, column)
            return content

    def _move(self, state: Drop.State, verb: str, *, reason: str = "", **changes: Any) -> None:
        move(self.row, DROP_MOVES, state, **changes)
        self._record(verb, reason)

    def _record(self, verb: str, reason: str = "") -> None:
        data = {"envelope": self.envelope.pk, "name": self.envelope.stem}
        audit.record(verb, self.row, reason=reason, data=data)


def earlier(attempts: Sequence[Attempt]) -> dict[int, list[bool]]:
    """By envelope, the attempts given up that began to put it: for each, whether it may have put GO. One query."""
    found: dict[int, list[bool]] = {attempt.envelope.pk: [] for attempt in attempts}
    # The heart beats at each file that is put.
    began = Q(heartbeat_at__gt=F("started_at")) | Q(go_intended_at__isnull=False)
    rows = Drop.objects.filter(began, envelope_id__in=list(found), state=Drop.State.FAILED).order_by("pk")
    for envelope, moment in rows.values_list("envelope_id", "go_intended_at"):
        found[envelope].append(moment is not None)
    return found


def _insert(envelope: Envelope) -> Drop:
    now = timezone.now()
    try:
        with transaction.atomic():
            return Drop.objects.create(envelope=envelope, started_at=now, heartbeat_at=now)
    except IntegrityError as error:
        # The constraint on live attempts: somebody else was faster, although we hold the channel.
        raise AlreadyDropping(envelope.stem) from error
