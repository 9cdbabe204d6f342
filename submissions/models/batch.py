"""The Batch: what travels together, and how far it came."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models import Channel, Envelope, EnvironmentCode
from portal.models import TenantKey, TenantModel
from portal.moving import move
from submissions.states import BATCH_MOVES, BatchState


class BatchQuerySet(models.QuerySet["Batch"]):
    """Questions about sets."""

    def on_the_way(self) -> BatchQuerySet:
        """Sets that left or are about to leave, and whose answers are not complete."""
        return self.filter(
            state__in=[BatchState.SEALED, BatchState.DROPPED, BatchState.ACKNOWLEDGED, BatchState.PARKED]
        )


class Batch(TenantModel):
    """One set of at most 9 FI parts, sealed in one Envelope. Times are moments, None until they happened.

    `contradicted_at`: when social security last said something final about it that contradicts what it said before.
    """

    State = BatchState

    channel = TenantKey(Channel, on_delete=models.PROTECT, related_name="+")
    envelope = TenantKey(Envelope, on_delete=models.PROTECT, null=True, related_name="batches")
    service = models.CharField(max_length=16)
    environment = models.CharField(max_length=1, choices=EnvironmentCode)
    state = models.CharField(max_length=16, choices=BatchState, default=BatchState.OPEN)
    declarations_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    sealed_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    contradicted_at = models.DateTimeField(null=True)
    ticket = models.CharField(_("ticket"), max_length=13, blank=True)
    error_codes = ArrayField(models.CharField(max_length=20), default=list)
    parked_reason = models.TextField(blank=True)

    objects: ClassVar[models.Manager[Batch]] = BatchQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["mandataire", "state", "-id"], name="batch_by_state"),
            models.Index(fields=["mandataire", "dropped_at"], name="batch_by_drop"),
        )
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "envelope"], name="one_batch_per_envelope"),
            models.CheckConstraint(
                condition=models.Q(state="open") | models.Q(envelope__isnull=False, sealed_at__isnull=False),
                name="nothing_sealed_without_an_envelope",
            ),
        )

    def move(self, new: str, **changes: Any) -> None:
        """Makes one guarded move. Raises LostRace when somebody else moved the set first."""
        move(self, BATCH_MOVES, new, **changes)
