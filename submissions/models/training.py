"""The register: what is true about a worker's trainings, whether or not anything is sent."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from mandates.models import Employer, Worker
from portal.models import TenantKey, TenantModel
from submissions.fields import FIELDS
from submissions.models.course import Course


class TrainingRecord(TenantModel):
    """One training of one worker. Names and order of the columns from `title` on are those of `submissions.fields`.

    Durations are minutes beside the length of a normal day, never days as a fraction: 7 h 36 has no exact decimal.
    """

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="training_records")
    worker = TenantKey(Worker, on_delete=models.PROTECT, related_name="training_records")
    # What was encoded together; None for what came otherwise.
    course = TenantKey(Course, on_delete=models.PROTECT, null=True, related_name="records")
    client_reference = models.CharField(_("your reference"), max_length=64)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    starts_on = models.DateField()
    ends_on = models.DateField()
    duration_unit = models.CharField(max_length=5)
    duration_minutes = models.PositiveIntegerField()
    day_minutes = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=16)
    charged_minutes = models.PositiveIntegerField(default=0)
    nature = models.CharField(max_length=100, blank=True)
    result = models.CharField(max_length=100, blank=True)
    certificate = models.CharField(max_length=200, blank=True)
    certificate_valid_until = models.DateField(null=True, blank=True)
    funding = models.CharField(max_length=16)
    provider = models.CharField(max_length=200, blank=True)
    working_hours = models.CharField(max_length=8, blank=True)
    cost_cents = models.PositiveIntegerField(null=True, blank=True)
    domain = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "employer", "client_reference"], name="one_record_per_client_reference"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="training_ends_after_it_starts"
            ),
        )
        indexes = (
            models.Index(fields=["mandataire", "worker", "starts_on"], name="training_by_worker"),
            models.Index(
                fields=["mandataire", "course"],
                condition=Q(course__isnull=False),
                name="training_by_course",
            ),
        )

    def __str__(self) -> str:
        return self.title

    def values(self) -> dict[str, Any]:
        """What is declared about the training, by the names of the field table."""
        return {field.name: getattr(self, field.name) for field in FIELDS}
