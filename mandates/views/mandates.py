"""The list of mandates, one mandate, and proposing one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates import granting, history, listings, questions
from mandates.catalogue import mandate_service, mandate_services
from mandates.models import Employer, Mandate
from mandates.numbers import quarter_of
from mandates.states import OPEN, STANDINGS, MandateState, standing_filter
from mandates.views.forms import ProcurationForm, ProposalForm
from portal import lists, sheets
from portal.access import membership, mine, needs
from portal.models import Application, MandateProfile
from portal.moving import LostRace

CHIPS = (
    ("", pgettext_lazy("mandates", "All")),
    ("pending", pgettext_lazy("mandates", "Pending")),
    ("to_finalise", pgettext_lazy("mandates", "To finalise")),
    ("active", pgettext_lazy("mandates", "Active")),
    ("ending", pgettext_lazy("mandates", "Ending this quarter")),
    ("upcoming", pgettext_lazy("mandates", "Yet to start")),
    ("ended", pgettext_lazy("mandates", "Closed")),
    ("refused", pgettext_lazy("mandates", "Refused")),
    ("withdrawn", pgettext_lazy("mandates", "Taken back")),
)

DECIDED_MEANWHILE = gettext_lazy("Somebody else was faster. Look at the present state and decide again.")


@require_safe
@needs(MandateProfile.SEE)
def mandates(request: HttpRequest) -> HttpResponse:
    """Every mandate of every client, newest first; those that end this quarter have their filter."""
    me = membership(request)
    today = timezone.localdate()
    rows, query, state = _asked(request.GET)
    counts = questions.mandate_counts(rows, today)
    chips = lists.chips(CHIPS, counts, state, {"q": query})
    if state:
        rows = rows.filter(standing_filter(state, today))
    page = lists.page_of(
        request,
        rows.order_by("-id"),
        total=counts[state],
        shown=lambda chosen: chosen.select_related("employer"),
    )
    page.object_list = [
        {**questions.mandate_row(row, today), "employer": row.employer} for row in page.object_list
    ]
    context = {
        "nav": "mandates",
        "chips": chips,
        "query": query,
        "state": state,
        "kept": {"q": query, "state": state},
        "page": page,
        "may_import": me.may(MandateProfile.MANAGE) and me.reach(Application.MANDATES) is None,
    }
    return render(request, "mandates/mandate_list.html", context)


def _asked(parameters: QueryDict) -> tuple[QuerySet[Mandate], str, str]:
    """The mandates that a text finds, the text, and where they should stand."""
    query, state = parameters.get("q", ""), parameters.get("state", "")
    return questions.search(questions.mine(), query), query, state if state in STANDINGS else ""


@require_POST
@needs(MandateProfile.SEE)
def export(request: HttpRequest) -> HttpResponseBase:
    """The list of mandates, as filtered, as a file."""
    today = timezone.localdate()
    rows, query, state = _asked(request.POST)
    rows = rows.filter(standing_filter(state, today)) if state else rows
    return sheets.export(request, listings.mandates(rows, today), "mandates", {"q": query, "state": state})


@require_safe
@needs(MandateProfile.SEE)
def mandate(request: HttpRequest, pk: int) -> HttpResponse:
    """One mandate: its period, who validated it, the procurations, and the next step."""
    return show(request, mine(Mandate.objects.select_related("employer"), pk=pk))


def show(request: HttpRequest, found: Mandate, form: ProcurationForm | None = None) -> HttpResponse:
    """The page of one mandate, with the form of a procuration that was refused, if any."""
    may, at_client = membership(request).may, membership(request).employer_id is not None
    is_waiting = found.state == MandateState.PENDING and found.validated_by_employer_at is None
    if form is None and is_waiting and may(MandateProfile.MANAGE) and not at_client:
        form = ProcurationForm()
    context = {
        "nav": "mandates",
        "employer": found.employer,
        "mandate": questions.mandate_row(found, timezone.localdate()),
        "is_open": found.state in OPEN,
        "form": form,
        "actions": _actions(found, at_client=at_client) if may(MandateProfile.MANAGE) else [],
        "may_edit": may(MandateProfile.MANAGE) and found.state == MandateState.TO_FINALISE and not at_client,
        # The main button is the step of who looks: his own validation first, then what the employer gave him.
        "is_ours_next": found.validated_by_mandataire_at is None,
        "may_close": may(MandateProfile.MANAGE) and is_closable(found),
        "may_download": may(MandateProfile.MANAGE),
        "procurations": list(found.procurations.defer("content_sealed").order_by("-id")),
        "events": history.of(None, [found]),
    }
    is_wrong = form is not None and bool(form.errors)
    return render(request, "mandates/mandate_detail.html", context, status=422 if is_wrong else 200)


def is_closable(found: Mandate) -> bool:
    """Whether an earlier end may still be set: with this quarter, or with its first one, at the earliest."""
    if found.state != MandateState.ACTIVE:
        return False
    earliest = max(quarter_of(timezone.localdate()), quarter_of(found.starts_on))
    return found.ends_on is None or quarter_of(found.ends_on) > earliest


def _actions(found: Mandate, *, at_client: bool) -> list[dict[str, Any]]:
    """What may be done with it now, as buttons: each party has its own."""
    if found.state not in OPEN:
        return []
    if at_client:
        return _actions_of_employer(found)
    buttons: list[dict[str, Any]] = []
    if found.state == MandateState.TO_FINALISE:
        buttons.append(_button(_("Propose the mandate"), "mandate_finalise", found.pk) | {"is_main": True})
    else:
        if found.validated_by_mandataire_at is None:
            buttons.append(_button(_("Validate for us"), "mandate_validate", found.pk) | {"is_main": True})
        buttons.append(
            _button(_("Refuse"), "mandate_refuse", found.pk)
            | {
                "reason_label": _("Why is it refused, and by whom?"),
                "question": _("The mandate does not come about. A new one may be proposed."),
            }
        )
    buttons.append(
        _button(_("Take it back"), "mandate_withdraw", found.pk)
        | {
            "reason_label": _("Why is it taken back?"),
            "question": _("The proposal ends here. A new one may be made."),
        }
    )
    return buttons


def _actions_of_employer(found: Mandate) -> list[dict[str, Any]]:
    if found.state != MandateState.PENDING:
        return []
    buttons: list[dict[str, Any]] = []
    if found.validated_by_employer_at is None:
        label = _("Validate for %(company)s") % {"company": found.employer.name}
        buttons.append(_button(label, "mandate_accept", found.pk) | {"is_main": True})
    buttons.append(
        _button(_("Refuse the mandate"), "mandate_refuse", found.pk)
        | {
            "reason_label": _("Why do you refuse it?"),
            "question": _("The mandataire may not declare for you. A new mandate may be proposed."),
        }
    )
    return buttons


def _button(label: str, name: str, pk: int) -> dict[str, Any]:
    return {"url": reverse(name, args=[pk]), "label": label}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MandateProfile.MANAGE)
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """A new mandate of one client, for the service in the address (FLA when there is none).

    It is proposed, or prepared for somebody who proposes it later.

    A conflict is told on top of the form, and what was chosen stays.
    """
    employer = mine(Employer, pk=pk)
    known = mandate_services()
    service = known.get(request.GET.get("service", "FLA")) or known["FLA"]
    form = ProposalForm(service, timezone.localdate(), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        is_prepared = "prepare" in request.POST
        make = granting.prepare if is_prepared else granting.propose
        try:
            with transaction.atomic():
                made = make(employer, service.code, *form.days())
        except granting.CannotGrant as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _prepared() if is_prepared else _proposed())
            return redirect("mandate", made.pk)
    context = {
        "nav": "employers",
        "employer": employer,
        "service": service.name,
        "chips": [
            {
                "label": one.name,
                "count": None,
                "url": lists.address(service=one.code),
                "is_current": one.code == service.code,
            }
            for one in known.values()
        ],
        "form": form,
        "mandate": None,
    }
    return render(request, "mandates/mandate_propose.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MandateProfile.MANAGE)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Other quarters for a mandate that is still being prepared; it may be proposed in the same go."""
    found = mine(Mandate.objects.select_related("employer"), pk=pk)
    if found.state != MandateState.TO_FINALISE:
        messages.error(request, _("This mandate was proposed already: its quarters do not change any more."))
        return redirect("mandate", pk)
    service = mandate_service(found.service)
    data = request.POST if request.method == "POST" else None
    form = ProposalForm(service, timezone.localdate(), data, prepared=found)
    if request.method == "POST" and form.is_valid():
        is_prepared = "prepare" in request.POST
        try:
            with transaction.atomic():
                granting.change(found, *form.days())
                if not is_prepared:
                    granting.finalise(found)
        except granting.CannotGrant as refusal:
            form.add_error(None, str(refusal))
        except LostRace:
            messages.error(request, DECIDED_MEANWHILE)
            return redirect("mandate", pk)
        else:
            messages.success(request, _prepared() if is_prepared else _proposed())
            return redirect("mandate", pk)
    context = {
        "nav": "mandates",
        "employer": found.employer,
        "service": service.name,
        "form": form,
        "mandate": found,
    }
    return render(request, "mandates/mandate_propose.html", context, status=422 if form.errors else 200)


def _prepared() -> str:
    return _("Prepared. Nobody is asked to validate it before you propose it.")


def _proposed() -> str:
    return _("Proposed. It is active once both parties have validated it.")
