"""The balance letters of an employer's workers for one year: the job that makes them, and its parts."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from mandates.models import Employer
from portal.models import TenantKey, TenantModel, cipher
from portal.moving import move
from submissions.states import LETTERS_MOVES, LettersState

_PURPOSE: Final = "balance letters"


class BalanceLetters(TenantModel):
    """One job: a letter to everybody who was employed in `year`, made part by part by the worker.

    `due_at` is when the worker has to look next: now, once a worker that took it must have died (`attempt` counts who
    took it, `tries` how often in vain for the same part), or at last when the letters are deleted.
    """

    State = LettersState

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="balance_letters")
    year = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=LettersState, default=LettersState.DUE)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField()
    asked_by = models.BigIntegerField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state="deleted", due_at=None) | ~Q(state="deleted") & Q(due_at__isnull=False),
                name="letters_due_until_deleted",
            ),
            models.UniqueConstraint(
                fields=["mandataire", "employer", "year"],
                condition=Q(state__in=["due", "running"]),
                name="letters_of_a_year_made_once_at_a_time",
            ),
        )
        indexes = (
            models.Index(fields=["mandataire", "employer", "year"], name="letters_by_employer"),
            models.Index(fields=["mandataire", "due_at"], name="letters_by_turn"),
        )

    def move(self, new: LettersState, **changes: Any) -> None:
        """Moves to `new`, or raises LostRace when somebody else moved it first. The caller records the Event."""
        move(self, LETTERS_MOVES, new, **changes)


class LetterPart(TenantModel):
    """Some of the letters, in the order of the workers' names: planned with the job, and made when it has its bytes.

    The PDF is sealed at rest and opens in its own place only.
    """

    of = TenantKey(BalanceLetters, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    worker_ids = ArrayField(models.BigIntegerField())
    # Fewer than planned when a worker is no longer in the register.
    letters = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField(default=0)
    content_sealed = models.BinaryField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "of", "number"], name="one_letter_part_per_number"),
        )

    @property
    def content(self) -> bytes:
        """The exact bytes of the PDF, of a part that was made."""
        return cipher().open_bytes(_PURPOSE, bytes(self.content_sealed or b""), subject=self._place)

    @content.setter
    def content(self, content: bytes) -> None:
        self.size = len(content)
        self.content_sealed = cipher().seal_bytes(_PURPOSE, content, subject=self._place)

    @property
    def _place(self) -> str:
        return f"{self.of_id}.{self.number}"
