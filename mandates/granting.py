"""The life of a mandate: proposed, validated by both parties, refused, taken back, closed at the end of a quarter.

Every function runs in the transaction of its caller, locks the row it is about, and leaves an Event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mandates import conflicts, procurations
from mandates.catalogue import mandate_service
from mandates.conflicts import Period, Words
from mandates.models import Employer, Mandate, Procuration
from mandates.numbers import quarter_days, quarter_of
from mandates.procurations import Pdf
from mandates.states import MANDATE_MOVES, OPEN, MandateState, Party
from portal import audit, tenancy
from portal.models import Membership
from portal.moving import LostRace
from portal.templatetags.presenting import day

BACK, AHEAD, LATEST_END = 12, 4, 16
"""Quarters before and after the present one in which a mandate may be asked to start, and after it to end."""


class CannotGrant(ValueError):
    """The mandate cannot take this step; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


def propose(employer: Employer, code: str, starts_on: date, ends_on: date | None = None) -> Mandate:
    """Makes a mandate over whole quarters and puts it before its two parties. Raises CannotGrant on a conflict."""
    mandate = prepare(employer, code, starts_on, ends_on)
    _put_before_parties(mandate)
    return mandate


def prepare(employer: Employer, code: str, starts_on: date, ends_on: date | None = None) -> Mandate:
    """Makes a mandate over whole quarters that its parties do not see yet. Raises CannotGrant on a conflict."""
    chosen, wanted = mandate_service(code), Period(starts_on, ends_on)
    _check_quarters(wanted)
    if employer.is_own:
        raise CannotGrant(_("This is your own enterprise: no mandate is needed."))
    # Two proposals for one employer wait for each other, so that the second sees the first.
    Employer.objects.select_for_update().get(pk=employer.pk)
    _refuse_conflicts(employer, code, wanted, OPEN)
    mandate = Mandate.objects.create(
        employer=employer,
        employer_number=employer.number,
        service=chosen.code,
        is_exclusive=chosen.is_exclusive,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    _record("mandate.created", mandate)
    return mandate


def change(mandate: Mandate, starts_on: date, ends_on: date | None = None) -> None:
    """Gives a mandate that is still being prepared other quarters.

    Raises CannotGrant on a conflict, and LostRace when it is before its parties already.
    """
    wanted = Period(starts_on, ends_on)
    _check_quarters(wanted)
    Employer.objects.select_for_update().get(pk=mandate.employer_id)
    found = _locked(mandate)
    if found.state != MandateState.TO_FINALISE:
        raise LostRace(f"mandate {mandate.pk} is {found.state}")
    _refuse_conflicts(found.employer, found.service, wanted, OPEN, besides=found.pk)
    Mandate.objects.filter(pk=found.pk).update(starts_on=starts_on, ends_on=ends_on)
    mandate.starts_on, mandate.ends_on = starts_on, ends_on
    _record("mandate.changed", mandate, start=starts_on, end=ends_on)


def propose_validated(wanted: Sequence[tuple[Employer, str, Period]]) -> list[Mandate]:
    """Proposes many mandates at once, each validated for the mandataire, with the Events that each step leaves.

    The caller holds the locks on the employers, and has looked for what is in the way. Raises CannotGrant, before
    anything is made, for a period that is not made of quarters.
    """
    for _employer, _code, period in wanted:
        _check_quarters(period)
    now = timezone.now()
    made = Mandate.objects.bulk_create(
        Mandate(
            employer=employer,
            employer_number=employer.number,
            service=code,
            is_exclusive=mandate_service(code).is_exclusive,
            starts_on=period.starts_on,
            ends_on=period.ends_on,
            state=MandateState.PENDING,
            validated_by_mandataire_at=now,
        )
        for employer, code, period in wanted
    )
    audit.record_all("mandate.created", [(one, _data(one)) for one in made])
    audit.record_all(
        "mandate.proposed", [(one, _data(one, start=one.starts_on, end=one.ends_on)) for one in made]
    )
    party = Party.MANDATAIRE.value
    audit.record_all("mandate.validated", [(one, _data(one, party=party)) for one in made])
    return made


def party_of_actor() -> Party:
    """For which of the two parties the one who acts speaks: an employer user for his company, everybody else for us."""
    actor = tenancy.actor()
    if actor is None:
        return Party.MANDATAIRE
    at_client = Membership.objects.filter(
        mandataire_id=tenancy.current(), user_id=actor, employer__isnull=False
    )
    return Party.EMPLOYER if at_client.exists() else Party.MANDATAIRE


def finalise(mandate: Mandate) -> None:
    """Puts a mandate that was still being prepared before its two parties."""
    _refuse_employer(_("Only the mandataire proposes what it prepared."))
    _put_before_parties(mandate)


def validate(mandate: Mandate, party: Party, pdf: Pdf | None = None) -> None:
    """One party agrees; the mandate is active as soon as both did.

    Each agrees by the click of one of its own people: an employer user never for the mandataire, and somebody of the
    mandataire for the employer only with a procuration that he signed. Raises CannotGrant for anybody else, or when
    somebody else holds the period by then, and LostRace when the mandate waits for nobody, or this party agreed
    already: nothing is changed in either case.
    """
    by_click = party_of_actor() is Party.EMPLOYER
    if party is Party.MANDATAIRE and by_click:
        raise CannotGrant(_("Only the mandataire validates for itself."))
    if party is Party.EMPLOYER and not by_click and pdf is None:
        raise CannotGrant(_("The employer validates by a signed procuration: add it as PDF."))
    found, now = _locked(mandate), timezone.now()
    column = f"validated_by_{party.value}_at"
    if found.state != MandateState.PENDING or getattr(found, column):
        raise LostRace(f"mandate {mandate.pk} does not wait for {party.value}")
    kept = procurations.keep(found, Procuration.Purpose.VALIDATION, pdf) if pdf else None
    # By its primary key and under its lock: the same row that was just looked at.
    Mandate.objects.filter(pk=found.pk).update(**{column: now})
    setattr(found, column, now)
    setattr(mandate, column, now)
    _record(
        "mandate.accepted" if by_click else "mandate.validated",
        mandate,
        party=party.value,
        sha256=kept.sha256 if kept else None,
    )
    if found.validated_by_mandataire_at and found.validated_by_employer_at:
        _activate(mandate, found)


def refuse(mandate: Mandate, reason: str) -> None:
    """A party does not agree. Raises CannotGrant without a reason, LostRace when nothing waits any more."""
    _move(mandate, _locked(mandate), MandateState.REFUSED, reason=_given(reason))
    is_employer = party_of_actor() is Party.EMPLOYER
    _record("mandate.declined" if is_employer else "mandate.refused", mandate, reason)


def withdraw(mandate: Mandate, reason: str) -> None:
    """Takes back what is not active yet. Raises CannotGrant without a reason, LostRace when it was decided."""
    _refuse_employer(_("Only the mandataire takes a proposal back. You may refuse it."))
    _move(mandate, _locked(mandate), MandateState.CLOSED, reason=_given(reason))
    _record("mandate.withdrawn", mandate, reason)


def close(
    mandate: Mandate, ends_on: date, reason: str, *, pdf: Pdf | None = None, today: date | None = None
) -> None:
    """Ends an active mandate with a quarter, the present one at the earliest; until then it stays active.

    The employer asks by a click of his own, or by the procuration `pdf`. Raises CannotGrant for another day, and
    LostRace for a mandate that is not active. An end may come earlier, never later: longer is a new mandate, which both
    validate.
    """
    reason, today, found = _given(reason), today or timezone.localdate(), _locked(mandate)
    if found.state != MandateState.ACTIVE:
        raise LostRace(f"mandate {mandate.pk} is not active")
    if ends_on != quarter_days(quarter_of(ends_on))[1]:
        raise CannotGrant(_("A mandate ends on the last day of a quarter."))
    if ends_on < max(today, found.starts_on):
        raise CannotGrant(_("A mandate ends with the present quarter at the earliest, and after its start."))
    if found.ends_on and ends_on >= found.ends_on:
        raise CannotGrant(
            _(
                "This mandate ends on %(day)s already. To go on after that, propose a new one, which both validate."
            )
            % {"day": day(found.ends_on)}
        )
    kept = procurations.keep(found, Procuration.Purpose.CLOSURE, pdf) if pdf else None
    Mandate.objects.filter(pk=found.pk).update(ends_on=ends_on, reason=reason)
    mandate.ends_on, mandate.reason = ends_on, reason
    by_click = party_of_actor() is Party.EMPLOYER
    party = Party.EMPLOYER if pdf or by_click else Party.MANDATAIRE
    _record(
        "mandate.ended" if by_click else "mandate.closed",
        mandate,
        reason,
        end=ends_on,
        party=party.value,
        sha256=kept.sha256 if kept else None,
    )


def in_words(held: Mandate, reader: Party = Party.MANDATAIRE) -> Words:
    """What a mandate of ours says to a `reader` of either party who wants another one in its period."""
    values = {"start": day(held.starts_on), "end": day(held.ends_on)}
    if reader is Party.EMPLOYER:
        return Words(_to_employer(held), values)
    if held.state != MandateState.ACTIVE:
        sentence = gettext_noop(
            "A mandate %(service)s from %(start)s waits already: have it validated, or take it back."
        )
    elif held.ends_on is None:
        sentence = gettext_noop(
            "You hold the mandate %(service)s of this employer since %(start)s, without an end."
        )
    else:
        sentence = gettext_noop(
            "You hold the mandate %(service)s of this employer from %(start)s to %(end)s."
        )
    return Words(sentence, values)


def _to_employer(held: Mandate) -> str:
    if held.state != MandateState.ACTIVE:
        return gettext_noop(
            "A mandate %(service)s from %(start)s waits already: validate or refuse it first, or ask your mandataire."
        )
    if held.ends_on is None:
        return gettext_noop(
            "Your mandataire holds the mandate %(service)s since %(start)s, without an end: it need not be given again."
        )
    return gettext_noop(
        "Your mandataire holds the mandate %(service)s from %(start)s to %(end)s: choose a quarter after that."
    )


# --- what they share ------------------------------------------------------------------------------


def _refuse_employer(sentence: str) -> None:
    if party_of_actor() is Party.EMPLOYER:
        raise CannotGrant(sentence)


def _put_before_parties(mandate: Mandate) -> None:
    found = _locked(mandate)
    _move(mandate, found, MandateState.PENDING)
    _record("mandate.proposed", mandate, start=found.starts_on, end=found.ends_on)


def _activate(mandate: Mandate, found: Mandate) -> None:
    chosen, wanted = mandate_service(found.service), Period(found.starts_on, found.ends_on)
    conflicts.hold(found.employer_number, chosen)
    _refuse_conflicts(found.employer, found.service, wanted, ())
    _move(mandate, found, MandateState.ACTIVE)
    _record("mandate.activated", mandate, start=found.starts_on, end=found.ends_on)


def _check_quarters(wanted: Period) -> None:
    if wanted.starts_on != quarter_days(quarter_of(wanted.starts_on))[0]:
        raise CannotGrant(_("A mandate starts on the first day of a quarter."))
    if wanted.ends_on is None:
        return
    if wanted.ends_on != quarter_days(quarter_of(wanted.ends_on))[1]:
        raise CannotGrant(_("A mandate ends on the last day of a quarter."))
    if wanted.ends_on < wanted.starts_on:
        raise CannotGrant(_("A mandate ends after its start."))


def _refuse_conflicts(
    employer: Employer, code: str, wanted: Period, waiting: tuple[MandateState, ...], besides: int = 0
) -> None:
    """Raises CannotGrant when our own active mandate, one of ours that is `waiting`, or another's is in the way.

    `besides` is the id of a mandate of ours that is not asked.
    """
    overlaps = Q(ends_on=None) | Q(ends_on__gte=wanted.starts_on)
    if wanted.ends_on:
        overlaps &= Q(starts_on__lte=wanted.ends_on)
    own = Mandate.objects.filter(
        overlaps, mandataire_id=tenancy.current(), employer=employer, service=code
    ).order_by("starts_on")
    chosen = mandate_service(code)
    for held in own.filter(state__in=(MandateState.ACTIVE, *waiting)).exclude(pk=besides):
        raise CannotGrant(in_words(held, party_of_actor()).told(chosen))
    for found in conflicts.taken(employer.number, chosen, wanted):
        raise CannotGrant(conflicts.sentence(chosen, found))


def _locked(mandate: Mandate) -> Mandate:
    return (
        Mandate.objects.select_for_update(of=("self",))
        .select_related("employer")
        .get(pk=mandate.pk, mandataire_id=tenancy.current())
    )


def _move(mandate: Mandate, found: Mandate, new: MandateState, **changes: Any) -> None:
    """Moves the row as it was found under its lock; LostRace when the table of moves does not know the way."""
    if new not in MANDATE_MOVES[MandateState(found.state)]:
        raise LostRace(f"mandate {mandate.pk} is {found.state}")
    found.move(new, **changes)
    for name, value in {"state": new, **changes}.items():
        setattr(mandate, name, value)


def _given(reason: str) -> str:
    if not reason.strip():
        raise CannotGrant(_("Give a reason: it is kept in the history."))
    return reason.strip()


def _record(verb: str, mandate: Mandate, reason: str = "", **data: object) -> None:
    audit.record(verb, mandate, reason=reason.strip(), data=_data(mandate, **data))


def _data(mandate: Mandate, **data: object) -> dict[str, object]:
    shown = {name: value.isoformat() if isinstance(value, date) else value for name, value in data.items()}
    return {"service": mandate.service} | {name: value for name, value in shown.items() if value is not None}
