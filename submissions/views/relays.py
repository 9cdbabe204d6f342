"""Ready-made files of other services: handing one over, what became of it, and each declaration in it."""

from __future__ import annotations

from typing import Any, Final

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
from mandates.catalogue import services
from portal import annexes, lists, sheets, tenancy
from portal.access import membership, mine, needs
from portal.models import Application, Profile
from portal.moving import LostRace
from portal.uploading import takes_files_up_to
from submissions import declaring, history, inspecting, listings, questions, relaying
from submissions.models import Declaration, RelayedFile
from submissions.states import DeclarationState
from submissions.views.choosing import ClientField
from submissions.views.declarations import LEFT_MEANWHILE
from submissions.views.records import entry

LARGEST: Final = 61_000_000
"""Bytes of a form with a file: somewhat more than the channel sends by default."""


class RelayForm(forms.Form):
    """A file, and what it does not say itself."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("The content of one FI: XML, in UTF-8 or ISO-8859-1. It is sent as it is."),
    )
    service = forms.ChoiceField(label=gettext_lazy("Service"), required=False)
    employer = ClientField(
        label=gettext_lazy("Client, for forms that name none"),
        help_text=gettext_lazy(
            "A part of the name, or the enterprise number. A Dimona OUT, for instance, may give the number of its "
            "period only."
        ),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sentence = _("Choose the file of the declaration.")
        self.fields["file"].error_messages = {
            **dict.fromkeys(("required", "missing", "invalid"), sentence),
            "empty": _("The file is empty."),
            "max_length": sentence,
        }
        known = [(service.code, service.name) for service in relaying.relayable()]
        self.fields["service"].choices = [("", _("As the file says")), *known]  # type: ignore[attr-defined]


# --- handing over ---------------------------------------------------------------------------------


@takes_files_up_to(LARGEST)
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ADMINISTRATIVE, everywhere=[Application.DECLARATIONS])
def new(request: HttpRequest) -> HttpResponse:
    """Hands over a file. What is refused is told on top of the form, and nothing of it is kept."""
    channel = standing.the_channel()
    asked = request.GET.get("corrects", "")
    corrects = mine(RelayedFile, pk=int(asked)) if asked.isascii() and asked.isdigit() else None
    initial = {"service": corrects.service if corrects else request.GET.get("service", "")}
    is_posting = request.method == "POST"
    form = RelayForm(request.POST, request.FILES) if is_posting else RelayForm(initial=initial)
    earlier: RelayedFile | None = None
    if is_posting and not request.FILES and int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        form.add_error("file", _("The file is too large to be received: split it into several files."))
    elif is_posting and form.is_valid() and channel is not None:
        try:
            with transaction.atomic():
                file = _hand_over(channel, form, corrects)
        except inspecting.Refused as refusal:
            form.add_error("file", str(refusal))
            earlier = refusal.earlier
        else:
            _tell(request, file)
            return redirect("relay", file.pk)
    context = {
        "nav": "relays",
        "has_channel": channel is not None,
        "form": form,
        "corrects": {"name": corrects.name, "url": reverse("relay", args=[corrects.pk])}
        if corrects
        else None,
        "earlier": {
            "name": earlier.name,
            "at": earlier.handed_over_at,
            "url": reverse("relay", args=[earlier.pk]),
        }
        if earlier
        else None,
    }
    return render(request, "submissions/relay_new.html", context, status=422 if form.errors else 200)


def _hand_over(channel: Channel, form: RelayForm, corrects: RelayedFile | None) -> RelayedFile:
    given = form.cleaned_data["file"]
    return relaying.hand_over(
        channel,
        given.name,
        given.read(),
        code=form.cleaned_data["service"],
        employer=form.cleaned_data["employer"],
        corrects=corrects,
    )


def _tell(request: HttpRequest, file: RelayedFile) -> None:
    messages.success(request, _("Taken over: it leaves with the next departure, byte for byte as it is."))
    if not file.schema:
        messages.info(
            request,
            _("It was not judged by an official schema: none is loaded here for the version it names."),
        )


# --- what became of it ----------------------------------------------------------------------------


def _files() -> QuerySet[RelayedFile]:
    return RelayedFile.objects.filter(mandataire_id=tenancy.current()).defer("content_sealed")


@require_safe
@needs(Profile.ENCODE, everywhere=[Application.DECLARATIONS])
def relays(request: HttpRequest) -> HttpResponse:
    """Every file that was handed over, newest first."""
    page = lists.page_of(request, _files().order_by("-id"))
    page.object_list = relaying.rows_of(list(page.object_list))
    context = {
        "nav": "relays",
        "page": page,
        "kept": {},
        "may_hand_over": membership(request).may(Profile.ADMINISTRATIVE),
    }
    return render(request, "submissions/relay_list.html", context)


@require_POST
@needs(Profile.ENCODE, everywhere=[Application.DECLARATIONS])
def export(request: HttpRequest) -> HttpResponseBase:
    """The list of files as a file of its own."""
    return sheets.export(request, listings.relays(_files()), "relays", {})


@require_safe
@needs(Profile.ENCODE, everywhere=[Application.DECLARATIONS])
def relay(request: HttpRequest, pk: int) -> HttpResponse:
    """One file: where it is, and its declarations in their order."""
    rows = RelayedFile.objects.select_related("corrects")
    file = mine(rows.defer("content_sealed", "corrects__content_sealed"), pk=pk)
    declarations = questions.mine().filter(form__file=file)
    ordered = declarations.order_by("batch_id", "part", "form__position", "pk")
    page = lists.page_of(request, ordered, shown=questions.for_rows)
    page.object_list = questions.declaration_rows(page.object_list)
    (row,) = relaying.rows_of([file])
    context = {
        "nav": "relays",
        "file": {**row, "sha256": file.sha256, "schema": file.schema},
        "corrects": file.corrects,
        "corrected_by": list(file.corrected_by.defer("content_sealed").order_by("pk")),
        "page": page,
        "actions": _actions(request, row),
        "correct_url": _correct_url(request, row),
        "events": history.of_record(file, []),
    }
    return render(request, "submissions/relay_detail.html", context)


def _actions(request: HttpRequest, row: dict[str, Any]) -> list[dict[str, Any]]:
    if not row["ready"] or not membership(request).may(Profile.ADMINISTRATIVE):
        return []
    return [
        {
            "url": reverse("relay_withdraw", args=[row["pk"]]),
            "label": _("Withdraw the file"),
            "reason_label": _("Why is it withdrawn?"),
            "question": _("Nothing of this file leaves: none of the declarations in it is made."),
        }
    ]


def _correct_url(request: HttpRequest, row: dict[str, Any]) -> str:
    """Where a corrected file is handed over, while something of this one was refused and is not followed up."""
    if not row["refused"] or not membership(request).may(Profile.ADMINISTRATIVE):
        return ""
    return reverse("relay_new") + lists.address(corrects=str(row["pk"]))


@require_POST
@needs(Profile.ADMINISTRATIVE, everywhere=[Application.DECLARATIONS])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes back a file that has not left; the reason goes into its history."""
    file = mine(RelayedFile.objects.defer("content_sealed"), pk=pk)
    try:
        with transaction.atomic():
            relaying.withdraw(file, request.POST.get("reason", ""))
    except declaring.CannotDeclare as refusal:
        messages.error(request, str(refusal))
    except LostRace:
        messages.error(request, LEFT_MEANWHILE)
    else:
        messages.success(request, _("Withdrawn: nothing of this file leaves."))
    return redirect("relay", pk)


# --- one declaration ------------------------------------------------------------------------------


@require_safe
@needs(Profile.ENCODE)
def declaration(request: HttpRequest, pk: int) -> HttpResponse:
    """One declaration from a file or about a document; one about a training is told on the page of the training."""
    rows = questions.for_rows(Declaration.objects.select_related("replaces", "form__file"))
    rows = rows.defer("document__content_sealed", "form__file__content_sealed")
    found = mine(rows.prefetch_related("anomalies__inbound_file", "replaced_by"), pk=pk)
    if found.record_id is not None:
        return redirect("record", found.record_id)
    (row,) = questions.declaration_rows([found])
    known = services().get(found.service)
    # Whoever is limited to some clients finds the form, and not the file in which it came with those of others.
    file = found.form.file if found.form and tenancy.limit() is None else None
    subject = file or found.document or found
    context = {
        "nav": "declarations",
        "declaration": {
            **row,
            **entry(found, membership(request)),
            "service": known.name if known else found.service,
        },
        "form": found.form,
        "form_name": _form_name(found),
        "file": {"name": file.name, "url": reverse("relay", args=[file.pk])} if file else None,
        "document": found.document,
        "replaces": found.replaces,
        "replaced_by": next(iter(found.replaced_by.all()), None),
        "actions": _declaration_actions(request, found),
        "correct_url": _correction_of(request, found),
        "events": history.of_record(subject, [found]),
    }
    return render(request, "submissions/declaration_detail.html", context)


def _form_name(found: Declaration) -> str:
    """What annex 11 calls the kind of form, when it is loaded."""
    official = annexes.text(annexes.FORMS, found.form.identification, found.quarter) if found.form else None
    return official.for_reader() if official else ""


def _declaration_actions(request: HttpRequest, found: Declaration) -> list[dict[str, Any]]:
    if found.document_id is None or not membership(request).may(Profile.ADMINISTRATIVE):
        return []
    if found.state in (DeclarationState.DRAFT, DeclarationState.READY):
        return [
            {
                "url": reverse("declaration_withdraw", args=[found.pk]),
                "label": _("Withdraw"),
                "reason_label": _("Why is it withdrawn?"),
                "question": _("This document does not leave."),
            }
        ]
    if found.state == DeclarationState.REFUSED and not found.replaced_by.all():
        url = reverse("declaration_correct", args=[found.pk])
        return [{"url": url, "label": _("Send the same document again")}]
    return []


def _correction_of(request: HttpRequest, found: Declaration) -> str:
    """Where something better is handed over, when this was refused and nothing followed yet."""
    is_open = found.state == DeclarationState.REFUSED and not found.replaced_by.all()
    me = membership(request)
    if not is_open or not me.may(Profile.ADMINISTRATIVE) or me.reach(Application.DECLARATIONS) is not None:
        return ""
    if found.form:
        return reverse("relay_new") + lists.address(corrects=str(found.form.file_id))
    address = lists.address(employer=str(found.employer_id), worker=str(found.document.worker_id))
    return reverse("document_new") + address
