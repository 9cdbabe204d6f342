"""The house of somebody who works at a client: his company, in his own words, and nothing of any other."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from mandates import questions as mandates
from mandates.models import Employer
from mandates.states import MandateState
from portal.access import mine
from portal.lists import address
from portal.models import MandateProfile, Membership, Profile
from portal.views import frame
from submissions import questions, waiting
from submissions.views import letters, signing_off

LATEST = 10
SHOWN = 6


def company(request: HttpRequest, me: Membership) -> HttpResponse:
    """What is to complete, to correct, on its way and accepted; what waits for him; and the quarters to sign off.

    Runs inside the limit of the employer user, which the middleware opened: nothing here filters by employer.
    """
    employer = mine(Employer, pk=me.employer_id)
    may_see = me.may(Profile.ENCODE)
    context: dict[str, Any] = {
        "nav": "home",
        "employer": employer,
        "may_see": may_see,
        "todo": _mandates_to_decide(me),
        "counters": [],
        "rows": [],
        "quarters": [],
        "told": None,
    }
    if may_see:
        to_correct = questions.to_correct().count()
        frame.note_todo_count(request, to_correct)
        latest = list(questions.for_rows(questions.mine().order_by("-id"))[:LATEST])
        causes = [waiting.cause_item(cause) for cause in questions.causes()]
        context |= {
            "todo": [*context["todo"], *causes][:SHOWN],
            "counters": _counters(to_correct),
            "rows": questions.declaration_rows(latest),
            "quarters": signing_off.quarters(me, employer),
            "told": letters.workers_told(employer),
        }
    return render(request, "portal/company.html", context)


def _counters(to_correct: int) -> list[dict[str, Any]]:
    counts, whole = questions.state_counts(questions.mine()), reverse("declarations")
    tested = _counter(
        pgettext("declarations", "Tested, not yet declared"),
        counts[questions.TESTED],
        whole + address(state=questions.TESTED),
        "warn",
    )
    return [
        _counter(
            pgettext("declarations", "To complete"), counts["draft"], whole + address(state="draft"), "warn"
        ),
        _counter(_("To correct"), to_correct, reverse("to_correct"), "bad"),
        _counter(
            _("On its way"), counts[questions.UNDER_WAY], whole + address(state=questions.UNDER_WAY), "wait"
        ),
        *([tested] if counts[questions.TESTED] else []),
        _counter(_("Accepted"), counts["accepted"], whole + address(state="accepted"), "ok"),
    ]


def _counter(label: str, count: int, url: str, tone: str) -> dict[str, Any]:
    return {"label": label, "count": count, "url": url, "tone": tone}


def _mandates_to_decide(me: Membership) -> list[dict[str, Any]]:
    """Mandates that wait for the employer's agreement, as things to do."""
    if not me.may(MandateProfile.SEE):
        return []
    rows = mandates.mine().filter(state=MandateState.PENDING, validated_by_employer_at=None).order_by("pk")
    sentence = _("%(mandataire)s asks whether it may declare for you.") % {"mandataire": me.mandataire.name}
    return [
        {
            "tone": "warn",
            "title": _("A mandate waits for your agreement"),
            "sentence": sentence,
            "count": None,
            "url": reverse("mandate", args=[pk]),
            "action": _("Decide"),
        }
        for pk in rows.values_list("pk", flat=True)
    ]
