"""The SignOff: an employer's word that a quarter's trainings are encoded and right."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from mandates.models import Employer
from portal.models import TenantKey, TenantModel


class SignOff(TenantModel):
    """One quarter (`YYYYQ`) that somebody of the employer signed off; it counts until it is opened again.

    It also ends when a training of the quarter changes afterwards: `is_outdated`, and what was signed is not what is.
    People are kept by name: the sentence must stay readable when their user is gone.
    """

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="sign_offs")
    quarter = models.CharField(max_length=5)
    signed_at = models.DateTimeField()
    signed_by = models.CharField(max_length=200)
    reopened_at = models.DateTimeField(null=True)
    reopened_by = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    is_outdated = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "employer", "quarter"],
                condition=Q(reopened_at=None),
                name="one_sign_off_per_quarter",
            ),
            models.CheckConstraint(
                condition=Q(reopened_at=None) | ~Q(reason="") | Q(is_outdated=True),
                name="opened_again_with_a_reason",
            ),
        )
