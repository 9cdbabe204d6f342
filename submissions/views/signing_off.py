"""The two buttons of a quarter: signed off by the employer, opened again by either."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mandates.models import Employer
from portal.access import membership, mine, needs
from portal.models import Membership, Profile
from portal.moving import LostRace
from portal.templatetags.presenting import quarter
from submissions import signing_off
from submissions.models import SignOff


@require_POST
@needs(Profile.ADMINISTRATIVE)
def sign_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody of the employer says that a quarter is complete and right."""
    employer = mine(Employer, pk=pk)
    try:
        with transaction.atomic():
            signing_off.sign_off(employer, request.POST.get("quarter", ""))
    except signing_off.CannotSignOff as refusal:
        messages.error(request, str(refusal))
    except LostRace:
        messages.info(request, _("This quarter is signed off already."))
    else:
        messages.success(request, _("Signed off. Open it again when something is to be added or changed."))
    return _back(request, pk)


@require_POST
@needs(Profile.ADMINISTRATIVE)
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Opens a quarter again; the reason is kept."""
    found = mine(SignOff.objects.select_related("employer"), pk=pk)
    try:
        with transaction.atomic():
            signing_off.reopen(found, request.POST.get("reason", ""))
    except signing_off.CannotSignOff as refusal:
        messages.error(request, str(refusal))
    except LostRace:
        messages.info(request, _("This quarter was opened again already."))
    else:
        messages.success(request, _("Open again. It is to be signed off anew."))
    return _back(request, found.employer_id)


def _back(request: HttpRequest, employer: int) -> HttpResponse:
    """To the page that has the buttons: the own company's, or the client's."""
    return redirect("home") if membership(request).employer_id is not None else redirect("employer", employer)


def quarters(member: Membership, employer: Employer) -> list[dict[str, Any]]:
    """The quarters of an employer with the buttons that the reader has: his own people sign, both open again."""
    may_act = member.may(Profile.ADMINISTRATIVE)
    may_sign = may_act and member.employer_id == employer.pk
    found = []
    for line in signing_off.lines(employer, timezone.localdate()):
        sign = {
            "url": reverse("quarter_sign_off", args=[employer.pk]),
            "label": _("Sign off %(quarter)s") % {"quarter": quarter(line.code)},
            "fields": {"quarter": line.code},
        }
        found.append(
            {
                "code": line.code,
                "trainings": line.trainings,
                "waiting": line.waiting,
                "signed": line.signed,
                "outdated": line.outdated,
                "sign": sign if may_sign and not line.signed and not line.waiting else None,
                "reopen": _reopening(line.signed) if may_act and line.signed else None,
            }
        )
    return found


def _reopening(signed: SignOff) -> dict[str, Any]:
    return {
        "url": reverse("quarter_reopen", args=[signed.pk]),
        "label": _("Open again"),
        "reason_label": _("Why is it opened again?"),
        "question": _("The quarter is not signed off any more, until somebody of the employer does so anew."),
    }
