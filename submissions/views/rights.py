"""The right to training of one worker in one year, step by step, and what is decided about it by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from mandates.models import Worker
from portal import tenancy
from portal.access import mine, needs
from portal.models import Profile
from portal.moving import LostRace
from submissions import rights
from submissions.models import ManualRight
from submissions.models.right import FIRST_YEAR
from submissions.right_words import amount, right_of_year, steps
from submissions.views.register_forms import DecisionForm


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def right(request: HttpRequest, pk: int, year: int) -> HttpResponse:
    """The figure of a year, every step that leads to it, and the form to decide otherwise."""
    worker = mine(Worker.objects.select_related("employer"), pk=pk)
    last = timezone.localdate().year + 1
    if not FIRST_YEAR <= year <= last:
        raise Http404
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        minutes, is_whole = form.decided()
        try:
            with transaction.atomic():
                rights.decide(worker, year, minutes, is_whole=is_whole, reason=form.cleaned_data["reason"])
        except rights.CannotGrant as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Decided. The reason is kept in the history."))
            return redirect("right", pk, year)
    found = rights.rights_of(worker, year)
    decided = ManualRight.objects.filter(mandataire_id=tenancy.current(), worker=worker, year=year)
    context = {
        "nav": "employers",
        "worker": worker,
        "year": year,
        "years": [
            {
                "label": str(one),
                "count": None,
                "url": reverse("right", args=[pk, one]),
                "is_current": one == year,
            }
            for one in range(FIRST_YEAR, last + 1)
        ],
        "right": right_of_year(found),
        "steps": steps(found),
        "decisions": [_decision(one, found.day_minutes) for one in decided.order_by("-made_at", "-pk")],
        "form": form,
    }
    return render(request, "submissions/right.html", context, status=422 if form.errors else 200)


def _decision(row: ManualRight, day_minutes: int) -> dict[str, Any]:
    return {
        "row": row,
        "amount": amount(row.minutes, day_minutes),
        "back": None
        if row.withdrawn_at
        else {
            "url": reverse("manual_right_take_back", args=[row.pk]),
            "label": _("Take back"),
            "reason_label": _("Why is it taken back?"),
            "question": _("The right is then worked out without this decision."),
        },
    }


@require_POST
@needs(Profile.ENCODE)
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """A decision by hand counts no more; the reason is kept."""
    found = mine(ManualRight.objects.select_related("worker"), pk=pk)
    try:
        with transaction.atomic():
            rights.take_back(found, request.POST.get("reason", ""))
    except rights.CannotGrant as refusal:
        messages.error(request, str(refusal))
    except LostRace:
        messages.info(request, _("This was taken back already."))
    else:
        messages.success(request, _("Taken back."))
    return redirect("right", found.worker_id, found.year)
