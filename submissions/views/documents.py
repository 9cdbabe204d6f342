"""CareerPro documents: the list of those sent, and sending one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from channels import standing
from channels.models import Channel
from mandates.catalogue import service
from mandates.models import Employer, Worker
from portal import lists, sheets
from portal.access import membership, mine, needs
from portal.models import Application, Profile
from submissions import documenting, listings, questions
from submissions.declaring import CannotDeclare
from submissions.models import Declaration
from submissions.views.choosing import ClientField, spoken_for
from submissions.views.document_form import DocumentDataForm
from submissions.wire.generic import InvalidForm


class ClientForm(forms.Form):
    """The first question."""

    client = ClientField(
        service=documenting.CODE,
        label=gettext_lazy("Client"),
        help_text=gettext_lazy("A part of the name, or the enterprise number."),
        error_messages={"required": gettext_lazy("Write a part of the name, or the enterprise number.")},
    )


@require_safe
@needs(Profile.ENCODE, everywhere=[Application.DECLARATIONS])
def documents(request: HttpRequest) -> HttpResponse:
    """Every declaration of a document, newest first."""
    page = lists.page_of(request, _rows().order_by("-id"), shown=questions.for_rows)
    page.object_list = questions.declaration_rows(page.object_list)
    context = {
        "nav": "documents",
        "page": page,
        "kept": {},
        "may_send": membership(request).may(Profile.ADMINISTRATIVE),
    }
    return render(request, "submissions/document_list.html", context)


@require_POST
@needs(Profile.ENCODE, everywhere=[Application.DECLARATIONS])
def export(request: HttpRequest) -> HttpResponseBase:
    """The list of documents as a file."""
    listing = listings.declarations(_rows(), order=("-pk",))
    return sheets.export(request, listing, "documents", {})


def _rows() -> QuerySet[Declaration]:
    return questions.mine().filter(document__isnull=False)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ADMINISTRATIVE, everywhere=[Application.DECLARATIONS])
def new(request: HttpRequest) -> HttpResponse:
    """Sends a document in three questions: of which client, of which worker, which document."""
    channel = standing.the_channel()
    employer = _chosen(request, "employer", Employer)
    worker = _chosen(request, "worker", Worker, employer=employer) if employer else None
    asked = ClientForm(request.GET if "client" in request.GET else None)
    if employer is None and asked.is_valid():
        return redirect(
            reverse("document_new") + lists.address(employer=str(asked.cleaned_data["client"].pk))
        )
    is_posting = request.method == "POST"
    form = None
    if worker:
        worker.employer = employer
        form = DocumentDataForm(worker, request.POST or None, request.FILES or None)
        if is_posting and channel and form.is_valid() and (sent := _send(channel, worker, form)):
            messages.success(request, _("Kept and declared: it leaves with the next departure."))
            return redirect("declaration", sent.pk)
    context = {
        "nav": "documents",
        "refusal": _refusal(channel, employer),
        "employer": employer,
        "worker": worker,
        "asked": asked,
        "has_clients": employer is None and spoken_for(service(documenting.CODE))("").exists(),
        "workers": list(employer.workers.order_by("family_name", "given_name", "pk"))
        if employer and not worker
        else [],
        "form": form,
    }
    status = 422 if form and form.errors else 200
    return render(request, "submissions/document_new.html", context, status=status)


def _chosen(request: HttpRequest, name: str, model: Any, **lookup: Any) -> Any:
    """The row that the address names, None without one; of somebody else it is like one that never was."""
    asked = request.GET.get(name, "")
    if not asked:
        return None
    return mine(model, pk=int(asked) if asked.isascii() and asked.isdigit() else 0, **lookup)


def _refusal(channel: Channel | None, employer: Employer | None) -> str:
    """Why nothing can be sent now, or nothing."""
    if channel is None:
        return _("There is no channel yet: nothing can be sent.")
    try:
        documenting.check_may_send(channel, service(documenting.CODE), employer)
    except CannotDeclare as refusal:
        return str(refusal)
    return ""


def _send(channel: Channel, worker: Worker, form: DocumentDataForm) -> Declaration | None:
    try:
        with transaction.atomic():
            return documenting.send(channel, worker, form.cleaned_data["pdf"], form.values())
    except CannotDeclare as refusal:
        form.add_error(None, str(refusal))
    except InvalidForm as invalid:
        for name, sentences in invalid.problems.items():
            form.add_error(name if name in form.fields else None, sentences)
    return None
