"""The CorrectionRequest: what a worker, through his employer, says is wrong with his training account."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mandates.models import Employer, Worker
from portal.models import TenantKey, TenantModel
from portal.moving import move
from submissions.models.training import TrainingRecord
from submissions.states import CORRECTION_MOVES, CorrectionState


class CorrectionRequest(TenantModel):
    """One request, noted by somebody of the employer or the mandataire, open until it is accepted or declined.

    `outcome` is the training that was corrected or made; a request about something else has its outcome in `reason`.
    People are kept by name: the sentence must stay readable when their user is gone.
    """

    State = CorrectionState

    class Kind(models.TextChoices):
        """What is wrong."""

        MISSING = "missing", _("A training is missing")
        FIGURES = "figures", _("The figures are wrong")
        NOT_MINE = "not_mine", _("A training is not the worker's")
        OTHER = "other", _("Something else")

    class How(models.TextChoices):
        """How the worker asked."""

        IN_PERSON = "in_person", _("In person")
        PHONE = "phone", _("By telephone")
        EMAIL = "email", _("By e-mail")
        LETTER = "letter", _("By letter")

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="correction_requests")
    worker = TenantKey(Worker, on_delete=models.PROTECT, related_name="correction_requests")
    record = TenantKey(
        TrainingRecord, on_delete=models.PROTECT, null=True, related_name="correction_requests"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    how = models.CharField(max_length=10, choices=How)
    text = models.TextField()
    received_on = models.DateField()
    noted_at = models.DateTimeField()
    noted_by = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=CorrectionState, default=CorrectionState.OPEN)
    outcome = TenantKey(TrainingRecord, on_delete=models.PROTECT, null=True, related_name="corrected_for")
    reason = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(text=""), name="correction_says_what"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None)
                | Q(state="accepted", decided_at__isnull=False) & (Q(outcome__isnull=False) | ~Q(reason=""))
                | Q(state="declined", decided_at__isnull=False, outcome=None) & ~Q(reason=""),
                name="correction_decided_with_its_outcome",
            ),
        )
        indexes = (
            models.Index(fields=["mandataire", "employer", "state"], name="correction_by_employer"),
            models.Index(fields=["mandataire", "worker"], name="correction_by_worker"),
            models.Index(
                fields=["mandataire", "record"],
                name="correction_by_record",
                condition=Q(record__isnull=False),
            ),
            models.Index(
                fields=["mandataire", "outcome"],
                name="correction_by_outcome",
                condition=Q(outcome__isnull=False),
            ),
        )

    def move(self, new: CorrectionState, **changes: Any) -> None:
        """Moves to `new`, or raises LostRace when somebody else moved it first. The caller records the Event."""
        move(self, CORRECTION_MOVES, new, **changes)
