"""The page of one client: who it is, its mandates, and where its declarations stand."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from mandates import history, speaking
from mandates.catalogue import mandate_services
from mandates.models import Employer
from mandates.questions import mandate_row
from portal import admitting, tenancy
from portal.access import membership, mine, needs
from portal.lists import address
from portal.models import Application, MandateProfile, Membership, Profile, UserProfile
from submissions import questions
from submissions.views import due, letters, signing_off

DRAWN_NOT = ("refused", "withdrawn")
"""Mandates that never had a period: they are in the table, not on the time line."""

PEOPLE = 50

COUNTED = (
    ("", pgettext_lazy("declarations", "All")),
    ("draft", pgettext_lazy("declarations", "To complete")),
    ("ready", pgettext_lazy("declarations", "Ready")),
    ("on_its_way", pgettext_lazy("declarations", "On their way")),
    ("accepted", pgettext_lazy("declarations", "Accepted")),
    (questions.TESTED, pgettext_lazy("declarations", "Tested, not yet declared")),
    ("refused", pgettext_lazy("declarations", "Refused")),
    ("withdrawn", pgettext_lazy("declarations", "Withdrawn")),
)


@require_safe
@needs(MandateProfile.SEE)
def client(request: HttpRequest, pk: int) -> HttpResponse:
    """Identity, time line, declarations by state, and why nothing leaves when nothing may."""
    employer, me = mine(Employer.objects.select_related("mandataire"), pk=pk), membership(request)
    if me.employer_id is not None:
        return redirect("home")  # There his company is shown in his own words.
    today = timezone.localdate()
    mandates = list(employer.mandates.order_by("-starts_on", "-pk"))
    rows = [mandate_row(mandate, today) for mandate in mandates]
    waiting = [row for row in rows if row["standing"] in ("pending", "to_finalise")]
    declarations = _declarations(me, employer)
    context = {
        "nav": "employers",
        "employer": employer,
        "language": dict(settings.LANGUAGES).get(employer.language, employer.language),
        "today": today,
        "silences": [
            sentence
            for service in mandate_services().values()
            # Nearly every client has FLA declared; of the other services only what is asked for can be missing.
            if service.is_exclusive or any(mandate.service == service.code for mandate in mandates)
            if (sentence := speaking.silence(employer, mandates, service, today))
        ],
        "waiting_mandate": waiting[0] if waiting else None,
        "mandates": rows,
        "drawn": [row for row in reversed(rows) if row["standing"] not in DRAWN_NOT],
        "declarations": declarations,
        "due": due.of_client(employer) if declarations else [],
        "quarters": signing_off.quarters(me, employer) if declarations else [],
        "told": letters.workers_told(employer) if declarations else None,
        "may_propose": not employer.is_own and me.may(MandateProfile.MANAGE),
        "may_see_people": me.may(UserProfile.SEE),
        "may_admit": admitting.may_admit_for(me, employer.pk),
        "people": _people(employer) if me.may(UserProfile.SEE) else [],
        "events": history.of(employer, mandates),
    }
    return render(request, "portal/client.html", context)


def _people(employer: Employer) -> list[Membership]:
    """Who works there and may sign in here, by name: the first fifty; all of them are in the team."""
    rows = Membership.objects.filter(mandataire_id=tenancy.current(), employer=employer)
    return list(rows.select_related("user").order_by("user__last_name", "user__first_name", "pk")[:PEOPLE])


def _declarations(me: Membership, employer: Employer) -> list[dict[str, Any]]:
    """How many declarations are behind each filter of their list, with its address; all of them first.

    Nothing at all for who may not see them: mandates and declarations are granted apart, each for its own clients.
    """
    reach = me.reach(Application.DECLARATIONS)
    if not me.may(Profile.ENCODE) or (reach is not None and employer.pk not in reach):
        return []
    counts = questions.state_counts(questions.mine().filter(employer=employer))
    whole = reverse("declarations")
    return [
        {
            "state": state,
            "label": label,
            "count": counts[state],
            "url": whole + address(employer=str(employer.pk), state=state),
        }
        for state, label in COUNTED
        if state != questions.TESTED or counts[state]
    ]
