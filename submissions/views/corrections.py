"""Requests of workers for a correction of their account: the list of an employer, one to note, one to decide."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates.models import Employer, Worker
from mandates.views.mandates import DECIDED_MEANWHILE
from portal import lists, tenancy
from portal.access import membership, mine, needs
from portal.models import Profile
from portal.moving import LostRace
from submissions import correcting
from submissions.models import CorrectionRequest
from submissions.states import CorrectionState
from submissions.views.correction_forms import AcceptForm, CorrectionForm

CHIPS: Final = (
    ("", pgettext_lazy("corrections", "All")),
    ("open", pgettext_lazy("corrections", "To decide")),
    ("accepted", pgettext_lazy("corrections", "Accepted")),
    ("declined", pgettext_lazy("corrections", "Declined")),
)
ON_THE_ACCOUNT: Final = 10


@require_safe
@needs(Profile.ENCODE)
def corrections(request: HttpRequest, pk: int) -> HttpResponse:
    """The requests of the workers of an employer, or of one of them, those to decide first."""
    employer = mine(Employer, pk=pk)
    state, of = request.GET.get("state", ""), request.GET.get("worker", "")
    state = state if state in CorrectionState else ""
    rows = correcting.requests_of(employer)
    worker = mine(Worker, pk=int(of), employer=employer) if of.isascii() and of.isdigit() else None
    if worker:
        rows = rows.filter(worker=worker)
    counts = dict(rows.order_by().values_list("state").annotate(count=Count("pk")))
    counts[""] = sum(counts.values())
    kept = {"worker": str(worker.pk)} if worker else {}
    shown = rows.filter(state=state) if state else rows
    shown = shown.select_related("worker", "record").order_by("-received_on", "-pk")
    page = lists.page_of(request, shown, total=counts.get(state, 0))
    page.object_list = [_shown(row) for row in page.object_list]
    context = {
        "nav": "employers",
        "employer": employer,
        "worker": worker,
        "chips": lists.chips(CHIPS, counts, state, kept),
        "page": page,
    }
    return render(request, "submissions/correction_list.html", context)


def latest_of(worker: Worker) -> list[dict[str, Any]]:
    """The latest requests of one worker, for the page of his account. One query."""
    rows = CorrectionRequest.objects.filter(mandataire_id=tenancy.current(), worker=worker)
    latest = rows.select_related("worker", "record").order_by("-received_on", "-pk")
    return [_shown(row) for row in latest[:ON_THE_ACCOUNT]]


def _shown(row: CorrectionRequest) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "worker": str(row.worker),
        "kind": CorrectionRequest.Kind(row.kind).label,
        "how": CorrectionRequest.How(row.how).label,
        "record": row.record.title if row.record else "",
        "record_url": reverse("record", args=[row.record_id]) if row.record_id else "",
        "text": row.text,
        "received_on": row.received_on,
        "state": row.state,
        "reason": row.reason,
        "noted_at": row.noted_at,
        "noted_by": row.noted_by,
        "decided_at": row.decided_at,
        "decided_by": row.decided_by,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """A request to note. It may come from the page of a training, which is then filled in."""
    worker = mine(Worker.objects.select_related("employer"), pk=pk)
    is_sent = request.method == "POST"
    form = CorrectionForm(worker, request.POST if is_sent else None, record=request.GET.get("record", ""))
    if is_sent and form.is_valid():
        with transaction.atomic():
            made = correcting.note(worker, form.cleaned_data)
        messages.success(request, _("Noted. Decide once you have looked at it."))
        return redirect("correction", made.pk)
    context = {"nav": "employers", "worker": worker, "form": form}
    return render(request, "submissions/correction_new.html", context, status=422 if form.errors else 200)


def _mine(pk: int) -> CorrectionRequest:
    return mine(CorrectionRequest.objects.select_related("worker", "employer", "record", "outcome"), pk=pk)


@require_safe
@needs(Profile.ENCODE)
def correction(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what was asked, what to do, and what became of it."""
    found = _mine(pk)
    return _page(request, found, AcceptForm(found) if found.state == CorrectionState.OPEN else None)


def _page(request: HttpRequest, found: CorrectionRequest, form: AcceptForm | None) -> HttpResponse:
    encode_url = ""
    if form and found.kind == CorrectionRequest.Kind.MISSING:
        # Somebody of the employer encodes for his own company, and is not asked for which.
        asked = {"employer": str(found.employer_id)} if membership(request).employer_id is None else {}
        encode_url = reverse("course_new") + lists.address(**asked)
    context = {
        "nav": "employers",
        "employer": found.employer,
        "worker": found.worker,
        "request_": _shown(found),
        "outcome": {"title": found.outcome.title, "url": reverse("record", args=[found.outcome_id])}
        if found.outcome
        else None,
        "form": form,
        "encode_url": encode_url,
        "decline": {
            "url": reverse("correction_decline", args=[found.pk]),
            "label": _("Decline"),
            "reason_label": _("Why is the account right as it is?"),
            "question": _("The worker is told why; the reason is kept."),
        }
        if form
        else None,
    }
    return render(
        request, "submissions/correction_detail.html", context, status=422 if form and form.errors else 200
    )


@require_POST
@needs(Profile.ENCODE)
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """The worker was right: which training was corrected or made, or what else was done."""
    found = _mine(pk)
    form = AcceptForm(found, request.POST)
    if found.state == CorrectionState.OPEN and form.is_valid():
        try:
            with transaction.atomic():
                correcting.accept(found, form.cleaned_data["outcome"], form.cleaned_data["reason"])
        except correcting.CannotDecide as refusal:
            form.add_error("outcome", str(refusal))
        except LostRace:
            messages.error(request, DECIDED_MEANWHILE)
        else:
            messages.success(request, _("Accepted. Tell the worker what was done."))
    elif found.state != CorrectionState.OPEN:
        messages.error(request, DECIDED_MEANWHILE)
        return redirect("correction", pk)
    return _page(request, found, form) if form.errors else redirect("correction", pk)


@require_POST
@needs(Profile.ENCODE)
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    """The account is right as it is; the reason is kept, and told to the worker."""
    found = _mine(pk)
    try:
        if found.state != CorrectionState.OPEN:
            raise LostRace(f"request {pk} is {found.state}")
        with transaction.atomic():
            correcting.decline(found, request.POST.get("reason", ""))
    except correcting.CannotDecide as refusal:
        messages.error(request, str(refusal))
    except LostRace:
        messages.error(request, DECIDED_MEANWHILE)
    else:
        messages.success(request, _("Declined. Tell the worker why."))
    return redirect("correction", pk)
