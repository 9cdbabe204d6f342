"""Ready-made files that were handed over, the forms in them, and the official schemas they are judged by."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models import FILE, Channel
from mandates.models import NISS, Employer
from mandates.numbers import mask_niss
from portal.models import TenantKey, TenantModel, cipher


class RelayedFile(TenantModel):
    """One ready-made FI of another service, sealed at rest. Its bytes are never written again: they travel as
    they came.

    `name` is what its makers called it; `exchange_name` what follows `FI.` when that is the name of an exchange file,
    which stands for one content only. `schema` is the official schema that judged it, "" when none was loaded.
    `corrects` is the earlier file whose refused forms it declares again.
    """

    channel = TenantKey(Channel, on_delete=models.PROTECT, related_name="+")
    service = models.CharField(max_length=16)
    name = models.CharField(_("file"), max_length=200)
    exchange_name = models.CharField(max_length=40, blank=True)
    schema = models.CharField(max_length=100, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_sealed = models.BinaryField()
    forms_count = models.PositiveIntegerField()
    corrects = TenantKey("self", on_delete=models.PROTECT, null=True, related_name="corrected_by")
    is_withdrawn = models.BooleanField(default=False)
    handed_over_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "sha256"], condition=Q(is_withdrawn=False), name="one_relay_per_content"
            ),
            models.UniqueConstraint(
                fields=["mandataire", "exchange_name"],
                condition=Q(is_withdrawn=False) & ~Q(exchange_name=""),
                name="one_relay_per_name",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def content(self) -> bytes:
        """The exact bytes that were handed over."""
        return cipher().open_bytes(FILE, bytes(self.content_sealed))


class RelayedForm(TenantModel):
    """One form of a relayed file, as far as its answer and the pages need it.

    `position` counts from 1, `line` is where the form starts. `reference` is its makers' own number. `created_on` and
    `created_hour` are the texts of the form, because an answer repeats them. The worker's number is kept only when the
    form is about one worker: sealed, with an index that finds it by equality.
    """

    file = TenantKey(RelayedFile, on_delete=models.PROTECT, related_name="forms")
    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    identification = models.CharField(max_length=20)
    reference = models.CharField(max_length=64, blank=True)
    created_on = models.CharField(max_length=10, blank=True)
    created_hour = models.CharField(max_length=20, blank=True)
    niss_sealed = models.BinaryField(null=True)
    niss_index = models.BinaryField(max_length=32, null=True)

    class Meta:
        ordering = ("file", "position")
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "file", "position"], name="one_row_per_relayed_form"
            ),
        )
        indexes = (models.Index(fields=["mandataire", "reference"], name="relayed_form_by_reference"),)

    def __str__(self) -> str:
        return f"{self.identification} {self.reference or self.position}"

    @property
    def masked_niss(self) -> str:
        """The number of the one worker as pages show it, "" when there is none or are many."""
        if self.niss_sealed is None:
            return ""
        return mask_niss(cipher().open_text(NISS, bytes(self.niss_sealed)))


class PublishedSchema(models.Model):
    """One official schema that an administrator loaded. Of no tenant: everybody reads the same publications.

    `root` and `version` (a quarter, `YYYYQ`) are those of its name; both are "" for one that others include.
    """

    name = models.CharField(max_length=100, unique=True)
    root = models.CharField(max_length=60, blank=True)
    version = models.CharField(max_length=5, blank=True)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    loaded_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
