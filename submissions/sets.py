"""What happens to a set as a whole: it leaves, is acknowledged, refused, parked, released or completely answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from channels import dropping
from channels.models import Drop, InboundFile
from portal import audit, tenancy
from submissions.models import Anomaly, Batch, Declaration
from submissions.states import (
    BATCH_MOVES,
    DECLARATION_MOVES,
    ON_THE_WAY,
    SETTLED,
    BatchState,
    DeclarationState,
    before,
)


class Verdict(Enum):
    """What an answer did to the set."""

    MOVED = "moved"
    REPEATED = "repeated"
    CONTRADICTED = "contradicted"


def leave(mandataire: UUID, batch_id: int, *, is_asked: bool = False) -> BatchState:
    """Drops a sealed set, or goes on with a drop that was interrupted, and lets the batch follow. Returns its state.

    `is_asked`: a person wants it, so a paused or broken channel is tried all the same. Runs outside of any
    transaction: each step of the drop is a commit of its own.
    """
    return leave_together(mandataire, [batch_id], is_asked=is_asked)[batch_id]


def leave_together(
    mandataire: UUID, batch_ids: Collection[int], *, is_asked: bool = False
) -> dict[int, BatchState]:
    """Drops the sealed sets among these, all of one channel, over one connection. Returns the state of each."""
    with tenancy.scope(mandataire):
        batches = Batch.objects.filter(pk__in=batch_ids)
        states = {batch.pk: BatchState(batch.state) for batch in batches}
        sealed = batches.filter(state=BatchState.SEALED, envelope__isnull=False)
        by_envelope = {batch.envelope_id: batch.pk for batch in sealed if batch.envelope_id}
    if by_envelope:
        dropped = dropping.drop_together(mandataire, list(by_envelope), is_asked=is_asked)
        for envelope, result in dropped.items():
            with tenancy.scope(mandataire):
                states[by_envelope[envelope]] = _follow(by_envelope[envelope], result)
    return states


def _follow(batch_id: int, result: dropping.Dropped) -> BatchState:
    """Lets a set follow what became of its envelope."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.state == BatchState.SEALED:
        if result.outcome is dropping.Outcome.CONFIRMED:
            _note_dropped(batch)
        elif result.outcome is dropping.Outcome.PARK or (
            result.outcome is dropping.Outcome.WAIT and result.is_permanent and _waited_enough(batch)
        ):
            park(batch, result.reason)
    return BatchState(batch.state)


def _waited_enough(batch: Batch) -> bool:
    """Whether the acknowledgement that was to tell if the set left is overdue: then a person has to find out."""
    overdue = timezone.now() - timedelta(seconds=settings.CONFIG.acknowledgement_overdue_after)
    return Drop.objects.filter(
        envelope=batch.envelope, state=Drop.State.UNKNOWN, go_intended_at__lt=overdue
    ).exists()


def _note_dropped(batch: Batch) -> None:
    dropped_at = _drop_time(batch)
    batch.move(BatchState.DROPPED, dropped_at=dropped_at, parked_reason="")
    _advance(batch, DeclarationState.SENT)
    audit.record("batch.dropped", batch)


def _drop_time(batch: Batch) -> datetime:
    confirmed = Drop.objects.filter(envelope=batch.envelope, state=Drop.State.CONFIRMED).first()
    return (confirmed and confirmed.ended_at) or timezone.now()


def _advance(batch: Batch, new: DeclarationState) -> int:
    """Moves every declaration of the set that may reach `new`, in one guarded update."""
    count: int = Declaration.objects.filter(batch=batch, state__in=before(DECLARATION_MOVES, new)).update(
        state=new
    )
    return count


def prove_dropped(batch: Batch) -> bool:
    """An answer about the set arrived, so it left, whatever we knew of its drop. Returns whether that can be.

    It cannot when no attempt ever came to GO: then the answer speaks of a set of other software with our name.
    """
    if batch.state not in (BatchState.SEALED, BatchState.PARKED):
        return True
    if dropping.prove(batch.envelope) is None:
        return False
    _note_dropped(batch)
    return True


def park(batch: Batch, reason: str) -> None:
    """Stops a set until a person decides: sending it again could send it twice."""
    batch.move(BatchState.PARKED, parked_reason=reason)
    audit.record("batch.parked", batch, reason=reason)


def release(batch: Batch, reason: str) -> None:
    """A person has looked and says that the set did not leave: it may be dropped again, same name and same bytes.

    For a parked set, and for one that was dropped and whose acknowledgement stays away.
    """
    dropping.release(batch.envelope, reason)
    batch.move(BatchState.SEALED, parked_reason="", dropped_at=None)
    Declaration.objects.filter(batch=batch, state=DeclarationState.SENT).update(
        state=DeclarationState.BATCHED
    )
    audit.record("batch.released", batch, reason=reason)


def deliver_by_hand(batch: Batch, reason: str) -> None:
    """A person brought the files of a set over himself, outside of this portal: it left, and its receipt is awaited.

    For a set that has not left. Its ACRF proves it or, when it stays away, asks for a person like any other.
    """
    dropping.confirm_by_hand(batch.envelope, reason)
    _note_dropped(batch)
    audit.record("batch.delivered_by_hand", batch, reason=reason)


def acknowledge(batch: Batch, ticket: str) -> Verdict:
    """A positive ACRF. After a NOTI it only completes what is known."""
    if batch.state == BatchState.REJECTED:
        return Verdict.CONTRADICTED
    if batch.acknowledged_at is not None:
        return Verdict.REPEATED
    changes = {"acknowledged_at": timezone.now(), "ticket": ticket}
    if BatchState.ACKNOWLEDGED in BATCH_MOVES[batch.state]:
        batch.move(BatchState.ACKNOWLEDGED, **changes)
        _advance(batch, DeclarationState.ACKNOWLEDGED)
    else:
        Batch.objects.filter(pk=batch.pk).update(**changes)
    audit.record("batch.acknowledged", batch, data={"ticket": ticket})
    return Verdict.MOVED


def reject(batch: Batch, ticket: str, codes: list[str], file: InboundFile) -> Verdict:
    """A negative ACRF: nothing of the set was read, so every declaration in it counts as refused, with the codes."""
    if batch.state == BatchState.REJECTED:
        return Verdict.REPEATED
    # A single form that was handled proves that the set was taken in.
    is_handled = Declaration.objects.filter(batch=batch, state__in=SETTLED).exists()
    if is_handled or BatchState.REJECTED not in BATCH_MOVES[batch.state]:
        return Verdict.CONTRADICTED
    now = timezone.now()
    batch.move(BatchState.REJECTED, ticket=ticket, error_codes=codes, acknowledged_at=now, answered_at=now)
    refused = Declaration.objects.filter(
        batch=batch, state__in=before(DECLARATION_MOVES, DeclarationState.REFUSED)
    )
    identities = list(refused.values_list("pk", flat=True))
    refused.update(state=DeclarationState.REFUSED, answered_at=now)
    Anomaly.objects.bulk_create(
        (
            Anomaly(declaration_id=identity, inbound_file=file, code=code, anomaly_class="B")
            for identity in identities
            for code in codes
        ),
        batch_size=1000,
    )
    audit.record("batch.rejected", batch, data={"codes": codes, "declarations": len(identities)})
    return Verdict.MOVED


def close_answered(envelopes: Collection[int]) -> None:
    """Closes the sets of these envelopes in which no declaration waits for an answer any more."""
    waiting = Declaration.objects.filter(batch=OuterRef("pk"), state__in=ON_THE_WAY)
    for batch in Batch.objects.filter(
        ~Exists(waiting),
        envelope_id__in=envelopes,
        state__in=before(BATCH_MOVES, BatchState.ANSWERED),
    ):
        batch.move(BatchState.ANSWERED, answered_at=timezone.now())
        audit.record("batch.answered", batch)


def note_contradictions(counts: Mapping[int, int], file: InboundFile) -> None:
    """Notes which sets (by id, with how many answers) a file contradicts: an alarm tells it (`alarming.holding`)."""
    now = timezone.now()
    for batch in Batch.objects.filter(pk__in=counts).order_by("pk"):
        Batch.objects.filter(pk=batch.pk).update(contradicted_at=now)
        audit.record("batch.contradicted", batch, data={"count": counts[batch.pk], "file": file.pk})
