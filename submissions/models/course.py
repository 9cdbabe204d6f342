"""The Course: one training encoded once for many workers; and the TrainingTemplate it may start from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from mandates.models import Employer
from portal.models import TenantKey, TenantModel


class Course(TenantModel):
    """What was encoded in one act. Its records say what is true; here is only who made them, when, and once.

    `key` comes with the form: the same form sent twice makes nothing twice. The person is kept by name: the sentence
    must stay readable when the user is gone.
    """

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="courses")
    key = models.UUIDField()
    encoded_at = models.DateTimeField()
    encoded_by = models.CharField(max_length=200)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["mandataire", "key"], name="one_course_per_form"),)


class TrainingTemplate(TenantModel):
    """A training to start from, by name: of one employer, or of the mandataire for all his clients (no employer).

    `values` are those of the table of fields, without days: dates as they never recur are left out.
    """

    employer = TenantKey(Employer, on_delete=models.PROTECT, null=True, related_name="training_templates")
    name = models.CharField(_("name"), max_length=100)
    values = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "employer", "name"],
                name="one_template_per_name",
                nulls_distinct=False,
            ),
        )

    def __str__(self) -> str:
        return self.name
