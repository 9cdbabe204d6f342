"""Signing off a quarter: the employer says that all its trainings are encoded and right, and may take that back.

A training belongs to the quarter in which it ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mandates.granting import party_of_actor
from mandates.models import Employer
from mandates.numbers import quarter_after, quarter_days, quarter_of
from mandates.states import Party
from portal import audit, tenancy
from portal.models import User
from portal.moving import LostRace
from portal.templatetags.presenting import person_name, quarter
from submissions import questions
from submissions.models import SignOff, TrainingRecord
from submissions.states import DeclarationState

SHOWN: Final = 4
"""Quarters that may be signed off: the present one and those just before it."""


class CannotSignOff(ValueError):
    """The quarter cannot be signed off, or opened again, as asked; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


@dataclass(frozen=True, slots=True)
class Line:
    """One quarter (`YYYYQ`) of an employer. Numbers are trainings, and declarations that wait for the employer."""

    code: str
    trainings: int
    waiting: int
    signed: SignOff | None
    outdated: SignOff | None = None
    """The last sign-off, when a training changed after it and nobody signed anew."""


def lines(employer: Employer, today: date) -> list[Line]:
    """The quarters that may be signed off, the latest first. Three queries."""
    codes = [quarter_after(quarter_of(today), -back) for back in range(SHOWN)]
    trainings = TrainingRecord.objects.filter(mandataire_id=tenancy.current(), employer=employer).aggregate(
        **{f"q{code}": Count("pk", filter=_ended_in(code)) for code in codes}
    )
    waiting = _waiting(employer).aggregate(
        **{f"q{code}": Count("pk", filter=_ended_in(code, "record__")) for code in codes}
    )
    given = SignOff.objects.filter(mandataire_id=tenancy.current(), employer=employer, quarter__in=codes)
    last = {found.quarter: found for found in given.order_by("pk")}
    return [
        Line(code, trainings[f"q{code}"], waiting[f"q{code}"], *_standing(last.get(code))) for code in codes
    ]


def _standing(last: SignOff | None) -> tuple[SignOff | None, SignOff | None]:
    """The last sign-off of a quarter as the one that counts, or as one that a change has outdated."""
    if last is None:
        return None, None
    if last.reopened_at is None:
        return last, None
    return None, last if last.is_outdated else None


def sign_off(employer: Employer, code: str) -> SignOff:
    """The employer's word for one quarter. Only his own people give it.

    Raises CannotSignOff while a declaration of the quarter waits for him, LostRace when it is signed off already.
    """
    if party_of_actor() is not Party.EMPLOYER:
        raise CannotSignOff(_("Only somebody who works at the employer signs off a quarter."))
    # Two clicks at the same moment wait for each other, so that the second sees the first.
    Employer.objects.select_for_update().get(pk=employer.pk)
    if code not in [quarter_after(quarter_of(timezone.localdate()), -back) for back in range(SHOWN)]:
        raise CannotSignOff(_("Only the present quarter and the three before it can be signed off."))
    if SignOff.objects.filter(employer=employer, quarter=code, reopened_at=None).exists():
        raise LostRace(f"{code} of employer {employer.pk} is signed off")
    if count := _waiting(employer).filter(_ended_in(code, "record__")).count():
        raise CannotSignOff(
            ngettext(
                "%(count)d declaration of %(quarter)s waits for you: complete or correct it first.",
                "%(count)d declarations of %(quarter)s wait for you: complete or correct them first.",
                count,
            )
            % {"count": count, "quarter": quarter(code)}
        )
    made = SignOff.objects.create(
        employer=employer, quarter=code, signed_at=timezone.now(), signed_by=_actor()
    )
    audit.record("quarter.signed_off", employer, data={"quarter": code})
    return made


def reopen(found: SignOff, reason: str) -> None:
    """Takes the word back: something is to be added or changed. Raises CannotSignOff without a reason, or LostRace."""
    reason = reason.strip()
    if not reason:
        raise CannotSignOff(_("Give a reason: it is kept in the history."))
    rows = SignOff.objects.filter(pk=found.pk, reopened_at=None)
    if rows.update(reopened_at=timezone.now(), reopened_by=_actor(), reason=reason) != 1:
        raise LostRace(f"sign-off {found.pk} was opened again")
    audit.record("quarter.reopened", found.employer, reason=reason, data={"quarter": found.quarter})


def note_change(record: TrainingRecord, ended_on: date | None = None) -> list[str]:
    """Ends the sign-offs that a training, changed or cancelled, makes untrue; returns their quarters (`YYYYQ`).

    `ended_on` is its last day before the change. Nobody is asked for a reason: the change itself is in the history.
    """
    # Whoever signs at the same moment waits, or was first and is seen.
    employer = Employer.objects.select_for_update().get(pk=record.employer_id)
    touched = {quarter_of(record.ends_on), quarter_of(ended_on or record.ends_on)}
    rows = SignOff.objects.filter(employer=employer, quarter__in=touched, reopened_at=None)
    codes = sorted(rows.values_list("quarter", flat=True))
    if codes:
        rows.update(reopened_at=timezone.now(), reopened_by=_actor(), is_outdated=True)
    for code in codes:
        audit.record("quarter.outdated", employer, data={"quarter": code, "record": record.pk})
    return codes


def _ended_in(code: str, prefix: str = "") -> Q:
    return Q(**{f"{prefix}ends_on__range": quarter_days(code)})


def _waiting(employer: Employer) -> Any:
    """Declarations to complete or to correct."""
    refused = Q(state=DeclarationState.REFUSED, replaced_by=None, settlements=None)
    return questions.mine().filter(Q(state=DeclarationState.DRAFT) | refused, employer=employer)


def _actor() -> str:
    """The name of who acts; nothing for the portal itself."""
    found = User.objects.filter(pk=tenancy.actor() or 0).first()
    return person_name(found) if found else ""
