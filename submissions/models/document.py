"""CareerPro documents: contracts and payslips of workers, sent as PDF with what is said of them."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from mandates.models import Contract, Employer, Worker
from portal.models import TenantKey, TenantModel, cipher

DOCUMENT: Final = "document"


class CareerDocument(TenantModel):
    """One PDF and its data, as the manual "CareerPro Documents, envoi par batch" (01/09/2021) wants them.

    Hours are hundredths of hours a week (3800 = 38 h), days are inclusive. `contract` is the contract in the register
    that the data were taken from. The bytes are sealed at rest and open for this worker's documents only.
    """

    class Category(models.TextChoices):
        """DocumentCategory."""

        CONTRACT = "CONTRACT_BASE", _("Employment contract")
        AMENDMENT = "CONTRACT_AMENDMENT", _("Amendment to a contract")
        PAYSLIP = "PAYSLIP", _("Payslip")

    class Language(models.IntegerChoices):
        """Codes of the languages of the document."""

        DUTCH = 1, _("Dutch")
        FRENCH = 2, _("French")
        GERMAN = 3, _("German")
        ENGLISH = 4, _("English")

    class Signing(models.IntegerChoices):
        """SignStatus. 1 and 2 stand in the manual without a meaning that anybody published."""

        SIGNED = 0, _("Signed already")
        ONE = 1, _("Status 1")
        TWO = 2, _("Status 2")

    class Duration(models.IntegerChoices):
        """ContractDurationCode."""

        OPEN = 0, _("Without an end")
        FIXED = 1, _("Fixed term")
        WORK = 2, _("For a defined work")
        REPLACEMENT = 3, _("Replacement")

    class Time(models.IntegerChoices):
        """ContractType."""

        FULL = 0, _("Full-time")
        PART = 1, _("Part-time")

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="documents")
    worker = TenantKey(Worker, on_delete=models.PROTECT, related_name="documents")
    contract = TenantKey(Contract, on_delete=models.PROTECT, null=True, related_name="documents")
    category = models.CharField(max_length=20, choices=Category)
    document_on = models.DateField()
    language = models.PositiveSmallIntegerField(choices=Language)
    sign_status = models.PositiveSmallIntegerField(choices=Signing, default=Signing.SIGNED)
    sign_until = models.DateField(null=True)
    sign_email = models.CharField(max_length=250, blank=True)
    using_employer_number = models.CharField(max_length=10, blank=True)
    duration_code = models.PositiveSmallIntegerField(choices=Duration)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    contract_type = models.PositiveSmallIntegerField(choices=Time)
    mean_hours = models.PositiveSmallIntegerField()
    reference_hours = models.PositiveSmallIntegerField()
    dimona_period = models.CharField(max_length=12, blank=True)
    name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_sealed = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["mandataire", "worker"], name="document_by_worker"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="document_contract_ends_after_it_starts",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def content(self) -> bytes:
        """The exact bytes of the PDF."""
        return cipher().open_bytes(DOCUMENT, bytes(self.content_sealed), subject=f"worker {self.worker_id}")
