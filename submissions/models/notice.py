"""The Notice: one message to one member, kept before it is mailed, so that it is neither lost nor told twice."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.models import Membership, TenantKey, TenantModel


class Notice(TenantModel):
    """What one member is told by mail, in his language as it was then. It names no client and no worker.

    `key` says what it is about: a member is told each thing once, the digest of a day (ISO) by itself. Without a
    `subject` there was nothing to say, and nothing is mailed. `due_at`: when it is tried next, None once that is over:
    because it was sent, or because it was refused for so long that the news is old.
    """

    class Kind(models.TextChoices):
        """Why it was written."""

        DIGEST = "digest", _("daily digest")
        RED = "red", _("urgent message")

    member = TenantKey(Membership, on_delete=models.CASCADE, related_name="notices_sent")
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "member", "kind", "key"], name="each_thing_told_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["mandataire", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name="notices_to_send",
            ),
        )
