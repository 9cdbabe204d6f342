"""The Declaration: one Form sent about something, and the Anomalies that came back for it."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels.models import EnvironmentCode, InboundFile
from mandates.models import Employer
from mandates.numbers import quarter_of
from portal.models import TenantKey, TenantModel
from portal.moving import move
from submissions.models.batch import Batch
from submissions.models.document import CareerDocument
from submissions.models.relayed import RelayedForm
from submissions.models.training import TrainingRecord
from submissions.states import ACCEPTED, DECLARATION_MOVES, LIVE, ON_THE_WAY, TESTS, DeclarationState

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """A reference of ours: 14 characters that can be read out loud, 60 random bits.

    It comes back in each answer (Reference, origin 1) and is the surest way home, so it says nothing about anybody.
    """
    return "P-" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


class DeclarationQuerySet(models.QuerySet["Declaration"]):
    """Questions about declarations."""

    def ready(self) -> DeclarationQuerySet:
        """Complete, and waiting for a departure."""
        return self.filter(state=DeclarationState.READY)

    def on_the_way(self) -> DeclarationQuerySet:
        """In a set without a final answer."""
        return self.filter(state__in=ON_THE_WAY)

    def accepted(self) -> DeclarationQuerySet:
        """Accepted, with remarks or without."""
        return self.filter(state__in=ACCEPTED)

    def production(self) -> DeclarationQuerySet:
        """Made or destined for production: all that ever counts as declared."""
        return self.filter(environment=EnvironmentCode.PRODUCTION)

    def tested(self) -> DeclarationQuerySet:
        """Accepted as a test and not declared yet: neither followed by a later test nor accepted in production."""
        accepted = Declaration.objects.filter(
            Q(record=OuterRef("record")) | Q(form=OuterRef("form")) | Q(document=OuterRef("document")),
            Q(environment=EnvironmentCode.PRODUCTION)
            | Q(environment=OuterRef("environment"), pk__gt=OuterRef("pk")),
            mandataire_id=OuterRef("mandataire_id"),
            state__in=ACCEPTED,
        )
        rows = self.exclude(kind=Declaration.Kind.CANCELLATION)
        return rows.filter(~Exists(accepted), environment__in=TESTS, state__in=ACCEPTED)

    def to_correct(self) -> DeclarationQuerySet:
        """Refused, neither followed by a correction yet nor settled by somebody's decision."""
        # The corrections are few: PostgreSQL looks through them once, instead of joining every declaration to itself.
        corrections = Declaration.objects.filter(
            mandataire_id=OuterRef("mandataire_id"), replaces=OuterRef("pk"), replaces__isnull=False
        )
        return self.filter(~Exists(corrections), state=DeclarationState.REFUSED, settlements=None)

    def remarked(self) -> DeclarationQuerySet:
        """Accepted with remarks, neither followed by another declaration nor settled by somebody's decision."""
        followed = Declaration.objects.filter(
            mandataire_id=OuterRef("mandataire_id"), replaces=OuterRef("pk"), replaces__isnull=False
        )
        rows = self.filter(state=DeclarationState.ACCEPTED_WITH_REMARKS, settlements=None)
        return rows.filter(~Exists(followed)).exclude(kind=Declaration.Kind.CANCELLATION)


class Declaration(TenantModel):
    """One Form: the original, a modification or a cancellation.

    It is about one thing: a training record (FLA), a form of a ready-made file, or a document.
    `earlier_ticket` is the ticket of the accepted form that a modification or cancellation speaks of. `replaces` links
    a correction to what it corrects. `environment` (R, T or S) is where it goes or went; "" goes with the channel,
    and is settled when it is sealed. `promotes` is the one that was accepted as a test, of which this one is for
    production. `part` and `position` count from 1 and are the way back from an anomaly. `settled_by` says which
    answer settled it, as text in the order in which social security made its answers (`outcomes.made`); "" when none
    did, or the refusal of the whole set.
    """

    State = DeclarationState

    class Kind(models.TextChoices):
        """AttestationStatus 0, 1 and 3."""

        ORIGINAL = "original", _("Original")
        MODIFICATION = "modification", _("Modification")
        CANCELLATION = "cancellation", _("Cancellation")

    ATTESTATION: ClassVar[dict[str, int]] = {Kind.ORIGINAL: 0, Kind.MODIFICATION: 1, Kind.CANCELLATION: 3}

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="declarations")
    record = TenantKey(TrainingRecord, on_delete=models.PROTECT, null=True, related_name="declarations")
    form = TenantKey(RelayedForm, on_delete=models.PROTECT, null=True, related_name="declarations")
    document = TenantKey(CareerDocument, on_delete=models.PROTECT, null=True, related_name="declarations")
    service = models.CharField(max_length=16)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.ORIGINAL)
    reference = models.CharField(max_length=64, default=new_reference)
    state = models.CharField(max_length=24, choices=DeclarationState, default=DeclarationState.DRAFT)
    replaces = TenantKey("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    earlier_ticket = models.CharField(max_length=13, blank=True)
    environment = models.CharField(max_length=1, choices=EnvironmentCode, blank=True)
    promotes = TenantKey("self", on_delete=models.PROTECT, null=True, related_name="promoted_as")
    batch = TenantKey(Batch, on_delete=models.PROTECT, null=True, related_name="declarations")
    part = models.PositiveSmallIntegerField(null=True)
    position = models.PositiveSmallIntegerField(null=True)
    ticket = models.CharField(max_length=13, blank=True)
    settled_by = models.CharField(max_length=100, blank=True, default="", db_default="", db_collation="C")
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Declaration]] = DeclarationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "reference"], name="one_declaration_per_reference"),
            models.UniqueConstraint(fields=["mandataire", "replaces"], name="one_correction_per_declaration"),
            # Taken back before it left, it may be sent to production after all.
            models.UniqueConstraint(
                fields=["mandataire", "promotes"],
                condition=~Q(state="withdrawn"),
                name="one_promotion_per_declaration",
            ),
            models.CheckConstraint(
                condition=Q(promotes=None) | Q(environment="R", kind="original"),
                name="promoted_to_production",
            ),
            models.CheckConstraint(
                condition=Q(batch=None) | ~Q(environment=""), name="in_a_set_of_an_environment"
            ),
            models.UniqueConstraint(
                fields=["mandataire", "batch", "part", "position"], name="one_declaration_per_position"
            ),
            models.UniqueConstraint(
                fields=["mandataire", "record"],
                condition=Q(state__in=LIVE),
                name="one_live_declaration_per_record",
            ),
            models.UniqueConstraint(
                fields=["mandataire", "form"],
                condition=Q(state__in=LIVE),
                name="one_live_declaration_per_form",
            ),
            models.UniqueConstraint(
                fields=["mandataire", "document"],
                condition=Q(state__in=LIVE),
                name="one_live_declaration_per_document",
            ),
            models.CheckConstraint(
                condition=Q(service="FLA", record__isnull=False, form=None, document=None)
                | ~Q(service="FLA")
                & (
                    Q(record=None, form__isnull=False, document=None)
                    | Q(record=None, form=None, document__isnull=False)
                ),
                name="about_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "ready", "withdrawn"], batch=None, part=None, position=None)
                | ~Q(state__in=["draft", "ready", "withdrawn"])
                & Q(batch__isnull=False, part__isnull=False, position__isnull=False),
                name="in_a_set_exactly_when_it_left",
            ),
        )
        indexes = (
            models.Index(fields=["mandataire", "state", "id"], name="declaration_by_state"),
            models.Index(fields=["mandataire", "employer", "state"], name="declaration_by_employer"),
            models.Index(fields=["mandataire", "record", "id"], name="declaration_by_record"),
            models.Index(fields=["mandataire", "form"], name="declaration_by_form"),
            models.Index(fields=["mandataire", "document"], name="declaration_by_document"),
            # Who is to be called is read from it alone, however many were refused over the years.
            models.Index(
                fields=["mandataire", "employer", "answered_at", "id"],
                condition=Q(state="refused"),
                name="declaration_refused",
            ),
            # Few among all that was ever accepted, and counted on every home page.
            models.Index(
                fields=["mandataire", "id"],
                condition=Q(environment__in=TESTS, state__in=ACCEPTED),
                name="declaration_tested",
            ),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def is_test(self) -> bool:
        """Whether it went, or goes, where nothing counts as declared."""
        return self.environment in TESTS

    @property
    def quarter(self) -> str:
        """The quarter (YYYYQ) of the first day of what it is about, or in which it was made where that has no day.

        It reads the record or the document: fetch them along.
        """
        if self.record_id is not None:
            first = self.record.starts_on
        else:
            first = self.document.document_on if self.document_id is not None else None
        return quarter_of(first or timezone.localdate(self.created_at))

    def move(self, new: str, **changes: Any) -> None:
        """Makes one guarded move. Raises LostRace when somebody else moved the declaration first."""
        move(self, DECLARATION_MOVES, new, **changes)


class Anomaly(TenantModel):
    """One remark of social security about one declaration, as it came; `field` is ours, where it points in the record.

    `value` is kept masked: an anomaly on the worker's number quotes the number. The raw file has it as it came.
    """

    declaration = TenantKey(Declaration, on_delete=models.CASCADE, related_name="anomalies")
    inbound_file = TenantKey(InboundFile, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=20)
    anomaly_class = models.CharField(max_length=4, blank=True)
    tag = models.CharField(max_length=100, blank=True)
    value = models.CharField(max_length=200, blank=True)
    label = models.CharField(max_length=300, blank=True)
    location = models.CharField(max_length=200, blank=True)
    field = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=["mandataire", "declaration"], name="anomaly_by_declaration"),
            models.Index(fields=["mandataire", "code", "tag"], name="anomaly_by_cause"),
        )
