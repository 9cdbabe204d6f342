"""The steps of one mandate: put before its parties, validated, refused, taken back, closed; and its procurations."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates import granting, questions
from mandates.models import Mandate, Procuration
from mandates.states import MandateState, Party
from mandates.views.forms import ClosureForm, ProcurationForm
from mandates.views.mandates import DECIDED_MEANWHILE, is_closable, show
from portal import audit
from portal.access import membership, mine, needs
from portal.models import MandateProfile
from portal.moving import LostRace


def _step(request: HttpRequest, pk: int, done: str, step: Callable[[Mandate], None]) -> HttpResponse:
    """Takes a step and says how it went; what a failing step did is undone."""
    found = mine(Mandate, pk=pk)
    try:
        with transaction.atomic():
            step(found)
    except granting.CannotGrant as refusal:
        messages.error(request, str(refusal))
    except LostRace:
        messages.error(request, DECIDED_MEANWHILE)
    else:
        messages.success(request, _now_active() if found.state == MandateState.ACTIVE else done)
    return redirect("mandate", pk)


def _now_active() -> str:
    return _("Both parties have validated: the mandate is granted.")


@require_POST
@needs(MandateProfile.MANAGE)
def finalise(request: HttpRequest, pk: int) -> HttpResponse:
    """Puts a prepared mandate before its two parties."""
    return _step(
        request, pk, _("Proposed. It is active once both parties have validated it."), granting.finalise
    )


@require_POST
@needs(MandateProfile.MANAGE)
def validate(request: HttpRequest, pk: int) -> HttpResponse:
    """The mandataire agrees, by the click of an operator."""
    done = _("Validated for us. It is active once the employer has validated it too.")
    return _step(request, pk, done, lambda found: granting.validate(found, Party.MANDATAIRE))


@require_POST
@needs(MandateProfile.MANAGE)
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """The employer agrees, by the click of one of his own people."""
    done = _("Validated for your company. The mandate is active once the mandataire has validated it too.")
    return _step(request, pk, done, lambda found: granting.validate(found, Party.EMPLOYER))


@require_POST
@needs(MandateProfile.MANAGE)
def procuration(request: HttpRequest, pk: int) -> HttpResponse:
    """The employer agrees, by a procuration he signed."""
    form = ProcurationForm(request.POST, request.FILES)
    if not form.is_valid():
        return show(request, mine(Mandate.objects.select_related("employer"), pk=pk), form)
    pdf = form.cleaned_data["procuration"]
    done = _("The procuration is kept. The mandate is active once you have validated it too.")
    return _step(request, pk, done, lambda found: granting.validate(found, Party.EMPLOYER, pdf))


@require_POST
@needs(MandateProfile.MANAGE)
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """A party does not agree; the reason is kept."""
    reason = request.POST.get("reason", "")
    return _step(
        request, pk, _("Refused: the mandate does not come about."), lambda m: granting.refuse(m, reason)
    )


@require_POST
@needs(MandateProfile.MANAGE)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes back what is not active yet; the reason is kept."""
    reason = request.POST.get("reason", "")
    return _step(request, pk, _("Taken back."), lambda found: granting.withdraw(found, reason))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MandateProfile.MANAGE)
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends an active mandate with a quarter."""
    found = mine(Mandate.objects.select_related("employer"), pk=pk)
    today, is_closing = timezone.localdate(), request.method == "POST"
    if not is_closable(found):
        messages.error(
            request, _("There is no earlier quarter with which this mandate could end: nothing was changed.")
        )
        return redirect("mandate", pk)
    form = ClosureForm(found, today, *((request.POST, request.FILES) if is_closing else ()))
    done = _("Closed at the end of the quarter. Until then you go on declaring.")
    if membership(request).employer_id is not None:
        del form.fields["procuration"]  # His own click says that the employer wants it.
        form.fields["ends"].help_text = _("Until that day the mandataire goes on declaring.")
        done = _("Closed at the end of the quarter. Until then the mandataire goes on declaring.")
    if is_closing and form.is_valid():
        given = form.cleaned_data
        try:
            with transaction.atomic():
                granting.close(found, form.ends_on(), given["reason"], pdf=given.get("procuration"))
        except (granting.CannotGrant, LostRace) as refusal:
            form.add_error(None, str(DECIDED_MEANWHILE) if isinstance(refusal, LostRace) else str(refusal))
        else:
            messages.success(request, done)
            return redirect("mandate", pk)
    context = {
        "nav": "mandates",
        "employer": found.employer,
        "mandate": questions.mandate_row(found, today),
        "form": form,
    }
    return render(request, "mandates/mandate_close.html", context, status=422 if form.errors else 200)


@require_safe
@needs(MandateProfile.MANAGE)
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """A procuration, byte for byte as it was given; it holds a signature, so each download leaves an Event."""
    kept = mine(Procuration.objects.select_related("mandate"), pk=pk)
    audit.record("procuration.downloaded", kept.mandate, data={"sha256": kept.sha256})
    # The name was brought into a harmless form when the file came in: nothing in it needs quoting.
    return HttpResponse(
        kept.content,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{kept.name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
