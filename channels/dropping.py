"""How a set leaves: FI, FS, a look at their sizes, and GO last. Every line below is a commit.

1. `started`: FI and FS are put, and compared in size; may be repeated at will, the bytes are frozen.
2. `go_intended`: FI and FS are whole over there; from here GO may be there too.
3. GO is put, and not looked at: the server may take all away at once.
4. `confirmed`.

Several sets of a channel take these steps together, over one connection with many requests in flight.

Whoever finds an attempt that lost its worker looks at the other side before anything else (`looking.decide`).
Three outcomes exist: yes, no, and *go and look*; nothing is sent twice by machine on a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import batched, groupby
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from channels import sftp, stopping
from channels.attempting import AlreadyDropping, Attempt, earlier, live_drop, stale_before
from channels.contact import note_contact
from channels.errors import GoUncertain, TransportError
from channels.locking import ChannelBusy, ChannelLock, LockLost, channel_lock
from channels.looking import NAME_TAKEN, OUR_OWN_GO, Next, decide
from channels.models import Channel, Drop, Envelope
from channels.sftp import Session
from channels.states import DROP_MOVES
from channels.vault import MissingKey
from portal import audit, tenancy
from portal.moving import LostRace, move

TOGETHER: Final = 32
"""Sets whose steps are one commit: enough to hide the way there and back, few enough to stay alive for others."""

type Connect = Callable[[Channel], AbstractContextManager[Session]]


class Outcome(StrEnum):
    """What became of an attempt.

    CONFIRMED: it left. FAILED: it did not; try again later. PARK: a person must decide. WAIT: not known, call
    again or wait for the acknowledgement. BUSY: somebody else is at it; nothing was done. STOPPED: the channel may
    have no contact; nothing was done.
    """

    CONFIRMED = "confirmed"
    FAILED = "failed"
    PARK = "park"
    WAIT = "wait"
    BUSY = "busy"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Dropped:
    """An outcome and, unless all is well, a sentence for people.

    `is_permanent`: trying again changes nothing; for WAIT, only an answer or a person can tell.
    """

    outcome: Outcome
    reason: str = ""
    is_permanent: bool = False


class CannotRelease(ValueError):
    """The attempt is running at this moment; ``str()`` is a translated sentence."""

    permanent = False
    ambiguous = False

    def __str__(self) -> str:
        return _("The set is being sent at this very moment. Wait until that has ended, then decide.")


def drop(
    mandataire: UUID, envelope_id: int, *, is_asked: bool = False, connect: Connect = sftp.connect
) -> Dropped:
    """Drops an envelope, or goes on with an attempt that was interrupted. Calling it again is always safe.

    `is_asked`: a person wants it, so a paused or broken channel is tried all the same. Runs outside of any
    transaction, because each step is one. `connect` opens the session.
    """
    return drop_together(mandataire, [envelope_id], is_asked=is_asked, connect=connect)[envelope_id]


def drop_together(
    mandataire: UUID,
    envelope_ids: Sequence[int],
    *,
    is_asked: bool = False,
    connect: Connect = sftp.connect,
) -> dict[int, Dropped]:
    """Drops envelopes of one channel over one connection, each step for up to `TOGETHER` of them at a time.

    Every envelope has an outcome of its own, and calling it again is always safe. A step is committed for all of a
    group before any of them takes the next one.
    """
    with tenancy.scope(mandataire):
        chosen = Envelope.objects.select_related("channel", "name").filter(pk__in=envelope_ids)
        envelopes = list(chosen.order_by("environment", "pk"))
    if len({envelope.channel_id for envelope in envelopes}) != 1:
        raise ValueError("these envelopes are not of one channel")
    channel = envelopes[0].channel
    if not stopping.may_contact(channel, is_asked=is_asked):
        stopped = Dropped(Outcome.STOPPED, stopping.why(channel))
        return {envelope.pk: stopped for envelope in envelopes}
    results: dict[int, Dropped] = {}
    reason = ""
    try:
        with channel_lock(channel.pk) as lock:
            reason = _Convoy(mandataire, envelopes, lock, results).go(connect)
    except (ChannelBusy, LockLost) as busy:
        reason = str(busy)
    # Whoever was not even tried stays as he was; the next sweep comes back.
    return {envelope.pk: results.get(envelope.pk, Dropped(Outcome.BUSY, reason)) for envelope in envelopes}


def resume(mandataire: UUID, drop_id: int, *, connect: Connect = sftp.connect) -> Dropped:
    """Goes on with an attempt that lost its worker: looks at the other side, then decides."""
    with tenancy.scope(mandataire):
        envelope_id = Drop.objects.values_list("envelope_id", flat=True).get(pk=drop_id)
    return drop(mandataire, envelope_id, connect=connect)


def prove(envelope: Envelope) -> Drop | None:
    """An answer about the envelope arrived, so it left: confirms its attempt. In the caller's transaction.

    Also an attempt which a person gave up: it is then not dropped again. Returns None, and changes nothing,
    when no attempt ever came to GO: then the answer speaks of a set that other software sent.
    """
    row = live_drop(envelope.pk)
    if row is None:
        given_up = Drop.objects.filter(envelope=envelope, go_intended_at__isnull=False)
        row = given_up.order_by("-pk").first()
    if row is None or row.state == Drop.State.CONFIRMED:
        return row
    move(row, DROP_MOVES, Drop.State.CONFIRMED, ended_at=timezone.now(), error="")
    audit.record("drop.proven", row, data={"envelope": envelope.pk, "name": envelope.stem})
    return row


def release(envelope: Envelope, reason: str) -> Drop | None:
    """A person found out that the set did not leave: it may be dropped again. In the caller's transaction.

    Returns the attempt that counts as failed from now on, or None when there was none. Raises CannotRelease
    while GO is being put, ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("releasing a set needs a reason")
    row = live_drop(envelope.pk)
    if row is None:
        return None
    if row.state == Drop.State.GO_INTENDED:
        raise CannotRelease
    move(row, DROP_MOVES, Drop.State.FAILED, ended_at=timezone.now(), error=reason)
    audit.record("drop.released", row, reason=reason, data={"envelope": envelope.pk, "name": envelope.stem})
    return row


def confirm_by_hand(envelope: Envelope, reason: str) -> Drop:
    """A person brought the files over himself: the envelope left, and is not dropped. In the caller's transaction.

    Raises CannotRelease while an attempt shows signs of life, ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("delivering a set by hand needs a reason")
    row, now = live_drop(envelope.pk), timezone.now()
    if row is None:
        try:
            with transaction.atomic():
                row = Drop.objects.create(
                    envelope=envelope,
                    state=Drop.State.CONFIRMED,
                    started_at=now,
                    heartbeat_at=now,
                    ended_at=now,
                )
        except IntegrityError as error:
            raise CannotRelease from error
    else:
        is_moving = row.state in (Drop.State.STARTED, Drop.State.GO_INTENDED)
        if is_moving and row.heartbeat_at > stale_before():
            raise CannotRelease
        move(row, DROP_MOVES, Drop.State.CONFIRMED, ended_at=now, error="")
    audit.record("drop.by_hand", row, reason=reason, data={"envelope": envelope.pk, "name": envelope.stem})
    return row


# --- the way ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Convoy:
    """Sets that leave over one connection. Each step takes those still going and returns those that go on."""

    mandataire: UUID
    envelopes: list[Envelope]
    lock: ChannelLock
    results: dict[int, Dropped]
    trouble: str = ""

    def go(self, connect: Connect) -> str:
        """Takes every set as far as it comes; returns the first thing that went wrong over there, if any did."""
        groups = self._begun()
        group = next(groups, None)
        if group is None:
            return ""
        channel = self.envelopes[0].channel
        try:
            with connect(channel) as session:
                while group is not None:
                    self._carry_out(session, group)
                    group = next(groups, None)
        except (TransportError, MissingKey) as error:
            self._break_off(group or [], error)
            note_contact(self.mandataire, channel.pk, error)
            return str(error)
        note_contact(self.mandataire, channel.pk, self.trouble, is_reached=True)
        return self.trouble

    def _begun(self) -> Iterator[list[Attempt]]:
        """The attempts, begun group by group as their turn comes; a group goes to one environment."""
        for _environment, alike in groupby(self.envelopes, key=lambda envelope: envelope.environment):
            for together in batched(alike, TOGETHER):
                with tenancy.scope(self.mandataire):
                    group = [attempt for envelope in together if (attempt := self._begin(envelope))]
                if group:
                    yield group

    def _begin(self, envelope: Envelope) -> Attempt | None:
        try:
            attempt = Attempt.begin(self.mandataire, envelope)
        except AlreadyDropping as busy:
            self.results[envelope.pk] = Dropped(Outcome.BUSY, str(busy))
            return None
        if attempt.row.state == Drop.State.CONFIRMED:
            self.results[envelope.pk] = Dropped(Outcome.CONFIRMED)
            return None
        return attempt

    def _carry_out(self, session: Session, group: list[Attempt]) -> None:
        group = self._look(session, group)
        group = self._put_files(session, group)
        self._put_go(session, self._intend(group))

    def _look(self, session: Session, group: list[Attempt]) -> list[Attempt]:
        """Settles what an earlier attempt left behind, and stops before the files of a stranger."""
        with tenancy.scope(self.mandataire):
            before = earlier(group)
        # After attempts that never came near GO there is nothing to find but what they put.
        open_questions = {
            attempt.envelope.pk
            for attempt in group
            if attempt.row.state == Drop.State.UNKNOWN
            or not before[attempt.envelope.pk]
            or any(before[attempt.envelope.pk])
        }
        if not open_questions:
            return group
        there = session.listing_in(group[0].envelope.environment)
        settle = partial(self._settle, there=there, before=before)
        with tenancy.scope(self.mandataire):
            return [
                attempt
                for attempt in group
                if attempt.envelope.pk not in open_questions or self._stepping(attempt, settle)
            ]

    def _settle(
        self, attempt: Attempt, there: AbstractSet[str] | None, before: Mapping[int, list[bool]]
    ) -> bool:
        """Returns whether the attempt goes on."""
        if attempt.row.state != Drop.State.UNKNOWN:
            stranger = _in_the_way(attempt, there, is_first=not before[attempt.envelope.pk])
            if not stranger:
                return True
            attempt.fail(str(stranger))
            self._end(attempt, Outcome.PARK, str(stranger), is_permanent=True)
            return False
        step, reason = decide(there, attempt.files, had_intended=attempt.row.go_intended_at is not None)
        if step in (Next.WAIT, Next.PARK):
            attempt.doubt(str(reason))
            outcome = Outcome.PARK if step is Next.PARK else Outcome.WAIT
            self._end(attempt, outcome, str(reason), is_permanent=True)
            return False
        if step is Next.IT_LEFT:
            attempt.confirm()
            self._end(attempt, Outcome.CONFIRMED)
            return False
        if step is Next.START_AGAIN:
            attempt.restart()
        return True

    def _put_files(self, session: Session, group: list[Attempt]) -> list[Attempt]:
        """Puts FI and FS of all who stand at the start; what is not whole over there fails its set."""
        started = [attempt for attempt in group if attempt.row.state == Drop.State.STARTED]
        owners = {name: attempt for attempt in started for name in (*attempt.files.fi, *attempt.files.fs)}
        faults: dict[int, TransportError] = {}
        files = (file for attempt in started for file in attempt.contents())
        for name, fault in session.put_all(group[0].envelope.environment, files) if started else ():
            if fault:
                faults.setdefault(owners[name].envelope.pk, fault)
        if faults:
            with tenancy.scope(self.mandataire):
                for attempt in started:
                    if fault := faults.get(attempt.envelope.pk):
                        self._stepping(attempt, partial(self._fail, error=fault))
        return [attempt for attempt in group if attempt.envelope.pk not in self.results]

    def _intend(self, group: list[Attempt]) -> list[Attempt]:
        if not group:
            return []
        with tenancy.scope(self.mandataire):
            self.lock.verify()
            return [attempt for attempt in group if self._stepping(attempt, _intend)]

    def _put_go(self, session: Session, group: list[Attempt]) -> None:
        """Puts the GOs. Of what a lost connection left unanswered, only a look or an answer can tell."""
        if not group:
            return
        waiting = {attempt.files.go: attempt for attempt in group}
        told: dict[str, TransportError | None] = {}
        lost: TransportError | None = None
        try:
            told.update(session.put_go_all(group[0].envelope.environment, list(waiting)))
        except TransportError as error:
            lost = error
        with tenancy.scope(self.mandataire):
            for name, attempt in waiting.items():
                doubt = told.get(name, lost and GoUncertain({"name": name, "detail": lost}))
                self._stepping(attempt, partial(self._conclude, doubt=doubt))
        if lost:
            raise lost

    def _conclude(self, attempt: Attempt, doubt: TransportError | None) -> bool:
        if doubt is None:
            attempt.confirm()
            self._end(attempt, Outcome.CONFIRMED)
        else:
            self._fail(attempt, doubt)
        return False

    def _break_off(self, group: Sequence[Attempt], error: TransportError | MissingKey) -> None:
        """The connection failed: every set that was on its way stops where it is."""
        with tenancy.scope(self.mandataire):
            for attempt in group:
                if attempt.envelope.pk not in self.results:
                    self._stepping(attempt, partial(self._fail, error=error))

    def _fail(self, attempt: Attempt, error: TransportError | MissingKey) -> bool:
        """Before the intention nothing is ambiguous; afterwards, or without a look, it stays to be looked at."""
        self.trouble = self.trouble or str(error)
        if attempt.row.state == Drop.State.STARTED:
            attempt.fail(str(error))
            self._end(attempt, Outcome.FAILED, str(error), is_permanent=error.permanent)
        else:
            attempt.doubt(str(error))
            self._end(attempt, Outcome.WAIT, str(error))
        return False

    def _stepping(self, attempt: Attempt, step: Callable[[Attempt], bool]) -> bool:
        """Takes one step of one set; one that a person or an answer decided meanwhile stops here, and no other."""
        try:
            return step(attempt)
        except LostRace:
            row = live_drop(attempt.envelope.pk)
            is_confirmed = row is not None and row.state == Drop.State.CONFIRMED
            self._end(attempt, Outcome.CONFIRMED if is_confirmed else Outcome.BUSY)
            return False

    def _end(
        self, attempt: Attempt, outcome: Outcome, reason: str = "", *, is_permanent: bool = False
    ) -> None:
        self.results[attempt.envelope.pk] = Dropped(outcome, reason, is_permanent)


def _in_the_way(attempt: Attempt, there: AbstractSet[str] | None, *, is_first: bool) -> str | Promise:
    """What forbids to put anything, where the directory may be listed.

    At the first attempt any file of our name is a stranger's. Later ones find what the earlier ones put; only after
    one that may have put GO is that GO in the way.
    """
    if there is None:
        return ""
    if is_first:
        return "" if there.isdisjoint(attempt.files.all()) else NAME_TAKEN
    return OUR_OWN_GO if attempt.files.go in there else ""


def _intend(attempt: Attempt) -> bool:
    attempt.intend()
    return True
