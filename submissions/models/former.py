"""The FormerDeclaration: what another office declared about a training, before an archive brought it here."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from portal.models import TenantKey, TenantModel
from submissions.models.training import TrainingRecord


class FormerDeclaration(TenantModel):
    """One declaration as an archive tells it: proof and history, nothing that could leave again.

    Its state, kind and environment are words of the archive's own time, so no table of moves is about them. `origin_*`
    say whose archive it was. `anomalies` are {code, anomaly_class, tag, value, label, location}.
    """

    record = TenantKey(TrainingRecord, on_delete=models.CASCADE, related_name="former_declarations")
    origin_name = models.CharField(max_length=200)
    origin_number = models.CharField(max_length=10)
    reference = models.CharField(max_length=64)
    service = models.CharField(max_length=16)
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=24)
    environment = models.CharField(max_length=1, blank=True)
    ticket = models.CharField(max_length=13, blank=True)
    earlier_ticket = models.CharField(max_length=13, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    anomalies = models.JSONField(default=list, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["mandataire", "record"], name="former_declaration_by_record"),)
