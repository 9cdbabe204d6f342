"""Employers, their workers and contracts, and the mandates that let a mandataire speak for them."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from mandates.numbers import mask_niss
from mandates.states import IMPORT_MOVES, MANDATE_MOVES, ImportState, MandateState
from portal import tenancy
from portal.models import Mandataire, TenantKey, TenantModel, cipher
from portal.moving import move

NISS = "niss"
PROCURATION = "procuration"
IMPORT = "mandate import"


class EmployerQuerySet(models.QuerySet["Employer"]):
    """Questions about clients."""

    def spoken_for(self, day: date, service: str) -> EmployerQuerySet:
        """Clients for whom the mandataire may declare `service` on `day`: the rule at the gate, in its one place.

        Either a mandate is active, or the client is the mandataire's own enterprise. An enterprise always speaks for
        itself: FLA knows at most one *mandataire* per employer, and a mandate given to another one takes nothing from
        the employer, so nobody else's mandate is looked at here.
        """
        tenant = tenancy.current()
        own = Mandataire.objects.filter(pk=tenant).values("number")
        held = MandateQuerySet(Mandate).filter(mandataire_id=tenant).active_on(day, service)
        return self.filter(Q(number__in=own) | Q(pk__in=held.values("employer_id")), mandataire_id=tenant)


class Employer(TenantModel):
    """A client: the enterprise under whose BCE number data are declared."""

    number = models.CharField(_("enterprise number"), max_length=10)
    onss_number = models.CharField(_("ONSS number"), max_length=10, blank=True)
    name = models.CharField(_("name"), max_length=200)
    language = models.CharField(_("language"), max_length=2, default="fr")

    objects: ClassVar[models.Manager[Employer]] = EmployerQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["mandataire", "number"], name="one_row_per_employer"),)
        indexes = (models.Index(fields=["mandataire", "name", "id"], name="employer_by_name"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_own(self) -> bool:
        """Whether this is the mandataire's own enterprise, which needs no mandate. Fetch `mandataire` with the row."""
        return self.number == self.mandataire.number


class Worker(TenantModel):
    """A person who works, or worked, for one employer. The NISS is sealed; `niss_index` finds it by equality."""

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="workers")
    niss_sealed = models.BinaryField()
    niss_index = models.BinaryField(max_length=32)
    family_name = models.CharField(_("family name"), max_length=100)
    given_name = models.CharField(_("given name"), max_length=100)
    language = models.CharField(_("language"), max_length=2, default="fr")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "employer", "niss_index"], name="one_row_per_worker"
            ),
        )
        indexes = (models.Index(fields=["mandataire", "niss_index"], name="worker_by_niss"),)

    def __str__(self) -> str:
        return f"{self.family_name}, {self.given_name}"

    @property
    def niss(self) -> str:
        """The full number, 11 digits. For the wire and for an audited reveal; pages show `masked_niss`."""
        return cipher().open_text(NISS, bytes(self.niss_sealed))

    @niss.setter
    def niss(self, number: str) -> None:
        self.niss_sealed = cipher().seal_text(NISS, number)
        self.niss_index = cipher().blind_index(NISS, number)

    @property
    def masked_niss(self) -> str:
        """The number as pages show it: `85.07.30-***.**`."""
        return mask_niss(self.niss)


class FormerNumber(TenantModel):
    """A number that a worker had before another replaced it, such as a BIS before its NISS. Sealed, and found like it.

    `merged_id` is the id of a second row of the same person, when there was one: its contracts and trainings are now
    the worker's, and what happened to it is still told under that id. `undone_at`: the replacement was a mistake, and
    the worker has this number again.
    """

    worker = TenantKey(Worker, on_delete=models.PROTECT, related_name="former_numbers")
    niss_sealed = models.BinaryField()
    niss_index = models.BinaryField(max_length=32)
    merged_id = models.BigIntegerField(null=True)
    replaced_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["mandataire", "niss_index"], name="former_number_by_niss"),
            models.Index(fields=["mandataire", "worker"], name="former_number_by_worker"),
        )

    @property
    def masked_niss(self) -> str:
        """The number as pages show it: `85.07.30-***.**`."""
        return mask_niss(cipher().open_text(NISS, bytes(self.niss_sealed)))


class Contract(TenantModel):
    """One period of work: joint committee, regime (percentage of a full-timer) and length of a normal day."""

    worker = TenantKey(Worker, on_delete=models.CASCADE, related_name="contracts")
    joint_committee = models.CharField(_("joint committee"), max_length=9)
    regime = models.DecimalField(_("work regime (%)"), max_digits=5, decimal_places=2, default=100)
    day_minutes = models.PositiveSmallIntegerField(_("minutes of a normal day"), default=456)
    entered_on = models.DateField(_("entered on"))
    left_on = models.DateField(_("left on"), null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(regime__gt=0, regime__lte=100), name="contract_regime_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(left_on__gte=F("entered_on")),
                name="contract_ends_after_it_starts",
            ),
        )
        indexes = (models.Index(fields=["mandataire", "worker", "entered_on"], name="contract_by_worker"),)


class MandateQuerySet(models.QuerySet["Mandate"]):
    """Questions about mandates."""

    def active_on(self, day: date, service: str) -> MandateQuerySet:
        """Mandates that allow declarations of `service` on `day`."""
        return self.filter(
            Q(ends_on=None) | Q(ends_on__gte=day),
            service=service,
            state=Mandate.State.ACTIVE,
            starts_on__lte=day,
        )


class Mandate(TenantModel):
    """The right to declare one service for one employer, by whole quarters, as the service MAHIS keeps it.

    FLA allows one mandataire per employer at any time in the whole country: the exclusion constraint holds over all
    tenants, because PostgreSQL checks constraints without looking at row-level security.
    """

    State = MandateState

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="mandates")
    # Repeated from the employer, and held equal to it by a composite key: the exclusion must not depend on the tenant.
    employer_number = models.CharField(max_length=10)
    service = models.CharField(max_length=16)
    is_exclusive = models.BooleanField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=MandateState, default=MandateState.TO_FINALISE)
    validated_by_mandataire_at = models.DateTimeField(null=True, blank=True)
    validated_by_employer_at = models.DateTimeField(null=True, blank=True)
    # Why it was refused, taken back or closed: the last of them; every reason stays in its Event.
    reason = models.TextField(blank=True)

    objects: ClassVar[models.Manager[Mandate]] = MandateQuerySet.as_manager()

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="one_exclusive_mandate_at_a_time",
                expressions=[
                    ("employer_number", RangeOperators.EQUAL),
                    ("service", RangeOperators.EQUAL),
                    (
                        Func(
                            F("starts_on"),
                            F("ends_on"),
                            Value("[]"),
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(is_exclusive=True, state="active"),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__day=1, starts_on__month__in=[1, 4, 7, 10]),
                name="mandate_starts_with_a_quarter",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None)
                | Q(ends_on__month__in=[3, 12], ends_on__day=31, ends_on__gt=F("starts_on"))
                | Q(ends_on__month__in=[6, 9], ends_on__day=30, ends_on__gt=F("starts_on")),
                name="mandate_ends_with_a_quarter",
            ),
        )
        indexes = (
            models.Index(fields=["mandataire", "employer", "service"], name="mandate_by_employer"),
            models.Index(fields=["mandataire", "state", "ends_on"], name="mandate_by_state"),
        )

    def move(self, new: MandateState, **changes: Any) -> None:
        """Moves to `new`, or raises LostRace when somebody else moved it first. The caller records the Event."""
        move(self, MANDATE_MOVES, new, **changes)


class Procuration(TenantModel):
    """A procuration the employer signed, as PDF: the proof that he validated a mandate, or wants it closed.

    The bytes are sealed at rest and open for this mandate only; rows are only ever added.
    """

    class Purpose(models.TextChoices):
        """What the employer signed for."""

        VALIDATION = "validation", _("validation of the mandate")
        CLOSURE = "closure", _("closure of the mandate")

    mandate = TenantKey(Mandate, on_delete=models.PROTECT, related_name="procurations")
    purpose = models.CharField(max_length=12, choices=Purpose)
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_sealed = models.BinaryField()
    received_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["mandataire", "mandate"], name="procuration_by_mandate"),)

    @property
    def content(self) -> bytes:
        """The exact bytes of the PDF."""
        return cipher().open_bytes(
            PROCURATION, bytes(self.content_sealed), subject=f"mandate {self.mandate_id}"
        )


class MandateImport(TenantModel):
    """A file of mandates: first looked at, row by row, then applied by the worker or thrown away.

    The bytes are sealed at rest and open for this import only. `due_at` is set while rows wait to be applied: the
    sweep takes what nobody worked on since.
    """

    State = ImportState

    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_sealed = models.BinaryField()
    # How a CSV file was read; empty for a workbook.
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.BigIntegerField(null=True)
    state = models.CharField(max_length=12, choices=ImportState, default=ImportState.CHECKED)
    # All rows in one transaction, or good rows in as many as it takes.
    is_whole = models.BooleanField(default=False)
    applied_by = models.BigIntegerField(null=True)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField()
    bad = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = (
            models.Index(fields=["mandataire", "sha256"], name="import_by_content"),
            models.Index(fields=["mandataire", "due_at"], name="import_by_turn"),
        )

    @property
    def content(self) -> bytes:
        """The exact bytes of the file."""
        return cipher().open_bytes(IMPORT, bytes(self.content_sealed), subject=self.sha256)

    @content.setter
    def content(self, content: bytes) -> None:
        self.size, self.sha256 = len(content), hashlib.sha256(content).hexdigest()
        self.content_sealed = cipher().seal_bytes(IMPORT, content, subject=self.sha256)

    def move(self, new: ImportState, **changes: Any) -> None:
        """Moves to `new`, or raises LostRace when somebody else moved it first. The caller records the Event."""
        move(self, IMPORT_MOVES, new, **changes)


class MandateImportRow(TenantModel):
    """One row of such a file: its cells as they stand there, what they mean as far as sound, and its faults.

    `faults` are [column, English sentence, values], told by `importing.columns.told`.
    """

    class State(models.TextChoices):
        """Whether it may be applied, and whether it was."""

        GOOD = "good"
        BAD = "bad"
        APPLIED = "applied"

    of = TenantKey(MandateImport, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State)
    cells = models.JSONField()
    faults = models.JSONField(default=list)
    is_new = models.BooleanField(default=False)
    number = models.CharField(max_length=10, blank=True)
    name = models.CharField(max_length=200, blank=True)
    onss_number = models.CharField(max_length=10, blank=True)
    language = models.CharField(max_length=2, blank=True)
    service = models.CharField(max_length=16, blank=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    mandate = TenantKey(Mandate, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "of", "line"], name="one_row_per_line"),
            # What makes "never twice" hold: a row is applied exactly when it made a mandate.
            models.CheckConstraint(
                condition=Q(state="applied", mandate__isnull=False)
                | (~Q(state="applied") & Q(mandate__isnull=True)),
                name="applied_row_has_its_mandate",
            ),
            models.UniqueConstraint(fields=["mandataire", "mandate"], name="one_row_per_mandate"),
        )
        indexes = (models.Index(fields=["mandataire", "of", "state", "line"], name="row_by_state"),)
