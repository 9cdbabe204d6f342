"""What the right to training follows from, beside contracts and trainings. The right itself is never stored.

It is worked out anew whenever it is asked for (`submissions.rights`), so it can never be older than a contract.
"""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import IntegerRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from mandates.models import Employer, Worker
from portal.models import TenantKey, TenantModel

FIRST_YEAR: Final = 2023
LAST_YEAR: Final = 2099
MOST_MINUTES: Final = 60_000
"""Of one decision by hand: a thousand hours. More is a typing mistake."""
LONGEST_REASON: Final = 500


class EmployerSize(TenantModel):
    """The size of an enterprise that decides the rights of a year.

    `fte` is the average number of full-time equivalents over the four quarters from the fourth of year n-2 to the third
    of year n-1.
    """

    employer = TenantKey(Employer, on_delete=models.PROTECT, related_name="sizes")
    year = models.PositiveSmallIntegerField(_("year"))
    fte = models.DecimalField(_("full-time equivalents"), max_digits=8, decimal_places=2)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "employer", "year"], name="one_size_per_year"),
            models.CheckConstraint(
                condition=Q(year__gte=FIRST_YEAR, year__lte=LAST_YEAR, fte__gte=0), name="size_of_a_year"
            ),
        )


class SectorAgreement(TenantModel):
    """One step of the growth path of a sector agreement: from which year to which, and how many days.

    It holds for every client whose workers come under the joint committee. `small_days` are for enterprises of 10 to 19
    FTE; empty where the agreement does not speak of them.
    """

    joint_committee = models.CharField(_("joint committee"), max_length=9)
    number = models.CharField(_("registration number"), max_length=30)
    from_year = models.PositiveSmallIntegerField(_("from the year"))
    until_year = models.PositiveSmallIntegerField(_("to the year"), null=True, blank=True)
    days = models.DecimalField(_("days a year from 20 FTE on"), max_digits=4, decimal_places=2)
    small_days = models.DecimalField(
        _("days a year from 10 to 19 FTE"), max_digits=4, decimal_places=2, null=True, blank=True
    )

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="one_agreement_at_a_time",
                expressions=[
                    ("mandataire", RangeOperators.EQUAL),
                    ("joint_committee", RangeOperators.EQUAL),
                    (
                        Func(
                            F("from_year"),
                            F("until_year"),
                            Value("[]"),
                            function="INT4RANGE",
                            output_field=IntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
            models.CheckConstraint(
                condition=Q(from_year__gte=2000, from_year__lte=LAST_YEAR)
                & (Q(until_year=None) | Q(until_year__gte=F("from_year"), until_year__lte=LAST_YEAR)),
                name="agreement_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(days__gte=0) & (Q(small_days=None) | Q(small_days__gte=0)),
                name="agreement_gives_days",
            ),
        )

    def __str__(self) -> str:
        return self.number


class Decision(models.TextChoices):
    """What somebody may decide by hand about the right of a year."""

    ADD = "add", _("Add to the right")
    TAKE = "take", _("Take away from the right")
    WHOLE = "whole", _("Set the right of the year")


class ManualRight(TenantModel):
    """What a person decided about the right of one worker in one year, and why; it counts until it is taken back.

    `minutes` are added to the right, or taken away when below zero; `is_whole` makes them the right of the year
    instead. People are kept by name: the sentence must stay readable when their user is gone.
    """

    worker = TenantKey(Worker, on_delete=models.PROTECT, related_name="manual_rights")
    year = models.PositiveSmallIntegerField(_("year"))
    minutes = models.IntegerField()
    is_whole = models.BooleanField(default=False)
    reason = models.TextField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=200, blank=True)
    withdrawn_reason = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "worker", "year"],
                condition=Q(withdrawn_at=None, is_whole=True),
                name="one_whole_right_by_hand",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="right_by_hand_has_a_reason"),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | ~Q(withdrawn_reason=""),
                name="right_taken_back_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(is_whole=False) | Q(minutes__gte=0), name="whole_right_is_not_below_zero"
            ),
        )
        indexes = (models.Index(fields=["mandataire", "worker", "year"], name="manual_right_by_worker"),)
