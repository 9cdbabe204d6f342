"""One training record: what is true, what was declared about it, and what may be done next."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from channels.models import EnvironmentCode
from channels.standing import channel_shown
from mandates.catalogue import services
from mandates.numbers import quarter_of
from portal import audit, lists, tenancy
from portal.access import membership, mine, needs
from portal.models import Membership, Profile
from portal.templatetags.presenting import quarter
from submissions import declaring, departing, history, questions, redeclaring, signing_off
from submissions.fields import BY_NAME, FIELDS, problems
from submissions.models import Declaration, FormerDeclaration, TrainingRecord
from submissions.states import ACCEPTED, LIVE, ON_THE_WAY, DeclarationState
from submissions.views.causes import anomaly, anomaly_elsewhere
from submissions.views.declarations import tell_of
from submissions.views.forms import RecordForm
from submissions.words import Text, words


def _story(record: TrainingRecord) -> list[Declaration]:
    """The declarations about a record, newest first, with their sets and anomalies."""
    rows = questions.with_tested(record.declarations.select_related("batch"))
    # Files mix employers: to a limited reader they do not exist.
    with_files = rows.prefetch_related(
        "anomalies" if tenancy.limit() is not None else "anomalies__inbound_file"
    )
    return list(with_files.order_by("-id"))


@require_safe
@needs(Profile.ENCODE)
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """The record, its story, its fields with what is wrong with them, its history."""
    chosen = mine(TrainingRecord.objects.select_related("employer", "worker", "course"), pk=pk)
    story = _story(chosen)
    latest = story[0] if story else None
    # A way to production that was taken back leaves what was tested as it was.
    tested = next((found for found in story if questions.shown_state(found) == questions.TESTED), None)
    told = tested if latest and latest.state == DeclarationState.WITHDRAWN and tested else latest
    faults = problems(chosen.values())
    context = {
        "nav": "declarations",
        "record": {
            "pk": chosen.pk,
            "title": chosen.title,
            "employer_name": chosen.employer.name,
            "employer_number": chosen.employer.number,
            "worker_name": str(chosen.worker),
            "worker_niss": chosen.worker.masked_niss,
            "state": questions.shown_state(told) if told else "",
            "environment": told.environment if told else "",
        },
        "fields": [
            {
                "field": column,
                "value": getattr(chosen, column.name),
                "faults": faults.get(column.name, []) + _refusals(latest, column.name),
            }
            for column in FIELDS
        ],
        "declarations": [entry(declaration, membership(request)) for declaration in story],
        "former": [_former(one) for one in chosen.former_declarations.order_by("-created_at", "-pk")],
        "events": history.of_record(chosen, story),
        "actions": _actions(request, chosen, latest, is_complete=not faults),
        "tested": _what_next(latest, tested),
        "leaves": departing.told(latest.service) if latest and latest.state == DeclarationState.READY else "",
        "waits": declaring.why_not(chosen) if latest and latest.state in ON_THE_WAY else "",
        "again_url": _again(request, chosen),
        "course_url": reverse("course", args=[chosen.course_id]) if chosen.course_id else "",
        "edit_url": reverse("record_edit", args=[chosen.pk]) if _may_change(latest) else "",
    }
    return render(request, "submissions/record_detail.html", context)


def _again(request: HttpRequest, chosen: TrainingRecord) -> str:
    """A new training that begins like this one."""
    asked = {"like": str(chosen.pk)}
    if membership(request).employer_id is None:
        asked = {"employer": str(chosen.employer_id), **asked}
    return reverse("course_new") + lists.address(**asked)


def _refusals(latest: Declaration | None, name: str) -> list[Text]:
    """What social security said of one field, while nothing newer was declared."""
    if latest is None or latest.state != DeclarationState.REFUSED:
        return []
    return [
        words(found.code, found.label, latest.quarter).title
        for found in latest.anomalies.all()
        if found.field == name
    ]


def _what_next(latest: Declaration | None, tested: Declaration | None) -> str:
    """How what was tested comes to be declared, as long as nothing is under way."""
    if tested is None or latest is None or latest.state in LIVE:
        return ""
    if tenancy.limit() is not None:
        return _("Tested, not yet declared: a test counts for nothing until it is sent to production.")
    return _(
        "Tested, not yet declared: it goes to production with its batch, where “Send to production” stands once all "
        "answers are there."
    )


def _may_change(latest: Declaration | None) -> bool:
    """Whether the record may be changed: not while what was declared about it awaits its answer."""
    return latest is None or latest.state not in ON_THE_WAY


def entry(declaration: Declaration, reader: Membership) -> dict[str, Any]:
    """A declaration, with its set and its anomalies, as a step of a story, for this reader."""
    batch = declaration.batch
    return {
        "pk": declaration.pk,
        "kind": declaration.kind,
        "state": questions.shown_state(declaration),
        "environment": declaration.environment,
        "at": declaration.created_at,
        "sent_at": batch.dropped_at if batch else None,
        "answered_at": declaration.answered_at,
        "ticket": declaration.ticket,
        "reference": declaration.reference,
        "batch": {"pk": batch.pk, "at": batch.sealed_at or batch.created_at} if batch else None,
        "part": declaration.part,
        "position": declaration.position,
        "anomalies": [anomaly(found, declaration, reader) for found in declaration.anomalies.all()],
    }


def _former(told: FormerDeclaration) -> dict[str, Any]:
    """A declaration of another office as a step of the story; its files stayed there."""
    columns = ("kind", "state", "environment", "sent_at", "answered_at", "ticket", "reference")
    quarter = quarter_of(told.record.starts_on)
    return {
        **{name: getattr(told, name) for name in columns},
        "pk": told.pk,
        "at": told.created_at,
        "batch": None,
        "part": None,
        "position": None,
        "origin": told.origin_name,
        "anomalies": [anomaly_elsewhere(one, quarter) for one in told.anomalies],
    }


def _actions(
    request: HttpRequest, chosen: TrainingRecord, latest: Declaration | None, *, is_complete: bool
) -> list[dict[str, Any]]:
    """What may be done now, the main thing first, for whoever looks."""
    may = membership(request).may
    state = latest.state if latest else DeclarationState.WITHDRAWN
    found: list[dict[str, Any]] = []
    if latest and state == DeclarationState.DRAFT and is_complete:
        found.append(_button(_("Make ready to leave"), "declaration_complete", latest.pk, is_main=True))
    is_on_account = declaring.standing(chosen) is not None
    if _may_be_declared(chosen, latest) and may(Profile.ADMINISTRATIVE):
        found.append(_button(_("Declare"), "record_declare", chosen.pk, is_main=True))
    if latest and state in (DeclarationState.DRAFT, DeclarationState.READY) and may(Profile.ADMINISTRATIVE):
        found.append(
            _button(_("Withdraw"), "declaration_withdraw", latest.pk)
            | {
                "reason_label": _("Why is it withdrawn?"),
                "question": _("This declaration does not leave. The training stays in the register."),
            }
        )
    if latest and state == DeclarationState.REFUSED and may(Profile.ADMINISTRATIVE):
        found.append(_button(_("Declare again"), "declaration_correct", latest.pk, is_main=True))
    if is_on_account and state not in LIVE and may(Profile.ADMINISTRATIVE):
        if state != DeclarationState.REFUSED:  # “Declare again” says the same there.
            is_main = _is_newer(chosen, latest)
            found.append(
                _button(_("Declare the present content"), "record_modify", chosen.pk, is_main=is_main)
            )
        found.append(
            _button(_("Cancel the training"), "record_cancel", chosen.pk)
            | {
                "reason_label": _("Why is it cancelled?"),
                "question": _("Social security takes the training off the worker's account."),
            }
        )
    return found


def _may_be_declared(chosen: TrainingRecord, latest: Declaration | None) -> bool:
    """Whether an original may go where the channel sends: nothing lives, and it does not stand there already.

    What a test accepted may be declared anew once the channel is in production.
    """
    state = latest.state if latest else DeclarationState.WITHDRAWN
    standing = declaring.standing(chosen)
    if declaring.was_accepted_elsewhere(chosen):
        return False
    if standing is None:
        # Cancelled by mistake, it is declared as if it never was: nothing of it is left over there.
        is_cancelled = latest is not None and latest.kind == Declaration.Kind.CANCELLATION
        return state == DeclarationState.WITHDRAWN or (is_cancelled and state in ACCEPTED)
    return standing.is_test and state in (DeclarationState.WITHDRAWN, *ACCEPTED) and _is_in_production()


def _is_in_production() -> bool:
    channel = channel_shown()
    return channel is not None and channel.environment == EnvironmentCode.PRODUCTION


def _button(label: str, name: str, pk: int, *, is_main: bool = False) -> dict[str, Any]:
    return {"url": reverse(name, args=[pk]), "label": label, "is_main": is_main}


def _is_newer(chosen: TrainingRecord, latest: Declaration | None) -> bool:
    """Whether the record was changed after what social security knows of it."""
    return latest is not None and chosen.changed_at > latest.created_at


# --- changing -------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The fields of the record, to be changed. Declaring the change is a step of its own."""
    rows = TrainingRecord.objects.select_related("employer", "worker")
    is_saving = request.method == "POST"
    chosen = mine(rows.select_for_update(of=("self",)) if is_saving else rows, pk=pk)
    latest = chosen.declarations.prefetch_related("anomalies").order_by("-id").first()
    if not _may_change(latest):
        messages.error(request, _("What was declared awaits its answer: change the training after that."))
        return redirect("record", pk)
    form = RecordForm(chosen, request.POST if is_saving else None)
    if is_saving and form.is_valid():
        _save(request, chosen, form.changes())
        return redirect("record", pk)
    context = {
        "nav": "declarations",
        "record": chosen,
        "form": form,
        "refusals": [
            {"label": BY_NAME[column.name].label, "anchor": f"id_{column.name}", "text": text}
            for column in FIELDS
            for text in _refusals(latest, column.name)
        ],
    }
    return render(request, "submissions/record_edit.html", context, status=422 if is_saving else 200)


def _save(request: HttpRequest, chosen: TrainingRecord, changes: dict[str, Any]) -> None:
    if not changes:
        messages.info(request, _("Nothing was changed."))
        return
    ended_on = chosen.ends_on
    before = {name: (getattr(chosen, name), value) for name, value in changes.items()}
    for name, value in changes.items():
        setattr(chosen, name, value)
    chosen.save(update_fields=[*changes, "changed_at"])
    told = redeclaring.told_values(before)
    audit.record("record.changed", chosen, data={"fields": sorted(changes), "values": told})
    messages.success(request, _("Changed. Nothing is declared yet: that is the next step."))
    for code in signing_off.note_change(chosen, ended_on):
        messages.warning(
            request,
            _("%(quarter)s had been signed off: the employer is asked to sign it off anew.")
            % {"quarter": quarter(code)},
        )


@require_POST
@needs(Profile.ADMINISTRATIVE)
def declare(request: HttpRequest, pk: int) -> HttpResponse:
    """Declares a record about which nothing lives: the first time, or after a withdrawal."""
    chosen = mine(TrainingRecord.objects.select_for_update(), pk=pk)
    latest = chosen.declarations.order_by("-id").first()
    if not _may_be_declared(chosen, latest):
        messages.error(request, _("This training is declared already."))
        return redirect("record", pk)
    code = latest.service if latest else next(iter(services()))
    # What a test accepted is declared where that counts, even if the channel goes back to testing meanwhile.
    place = EnvironmentCode.PRODUCTION.value if declaring.standing(chosen) else ""
    declaring.declare([chosen], code, place)
    tell_of(request, chosen.declarations.latest("pk"))
    return redirect("record", pk)


@require_POST
@needs(Profile.ADMINISTRATIVE)
def modify(request: HttpRequest, pk: int) -> HttpResponse:
    """Declares the present content of an accepted record."""
    chosen = mine(TrainingRecord, pk=pk)
    try:
        with transaction.atomic():
            new = declaring.modify(chosen)
    except declaring.CannotDeclare as refusal:
        messages.error(request, str(refusal))
    else:
        tell_of(request, new)
    return redirect("record", pk)


@require_POST
@needs(Profile.ADMINISTRATIVE)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Declares that an accepted record is to be taken off the account; the reason goes into its history."""
    chosen = mine(TrainingRecord, pk=pk)
    reason = request.POST.get("reason", "").strip()
    try:
        with transaction.atomic():
            if not reason:
                raise declaring.CannotDeclare(_("Give a reason: it is kept in the history."))
            new = declaring.cancel(chosen)
            audit.record("record.cancellation_asked", chosen, reason=reason)
    except declaring.CannotDeclare as refusal:
        messages.error(request, str(refusal))
    else:
        tell_of(request, new)
    return redirect("record", pk)
