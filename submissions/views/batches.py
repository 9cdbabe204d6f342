"""The list of sets, one set as a line of five steps, and what a person does with it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from channels.dropping import CannotRelease
from channels.models import Drop, EnvelopePart, InboundFile
from channels.naming import parse_name
from portal import audit, lists, sheets, tenancy
from portal.access import membership, mine, needs, typed
from portal.models import Application, Profile
from portal.moving import LostRace
from submissions import calling, declaring, departing, history, listings, promoting, questions, sets, tasks
from submissions.models import Batch
from submissions.promoting import Fate
from submissions.states import ON_THE_WAY, BatchState, DeclarationState
from submissions.views.asking import ask, confirmation
from submissions.views.causes import refusals_of
from submissions.views.declarations import LEFT_MEANWHILE
from submissions.views.promotion import fate_of, promotion_of
from submissions.views.steps import steps

LIST_CHIPS = (
    ("", pgettext_lazy("batches", "All")),
    (BatchState.PARKED, pgettext_lazy("batches", "To decide")),
    (BatchState.SEALED, pgettext_lazy("batches", "Waiting to leave")),
    (BatchState.DROPPED, pgettext_lazy("batches", "Without receipt")),
    (BatchState.ACKNOWLEDGED, pgettext_lazy("batches", "Awaiting answers")),
    (BatchState.REJECTED, pgettext_lazy("batches", "Refused")),
    (BatchState.ANSWERED, pgettext_lazy("batches", "Closed")),
)
ROW_CHIPS = (
    ("", pgettext_lazy("declarations", "All")),
    ("refused", pgettext_lazy("declarations", "Refused")),
    ("remarks", pgettext_lazy("declarations", "With remarks")),
    ("waiting", pgettext_lazy("declarations", "Waiting")),
    ("accepted", pgettext_lazy("declarations", "Accepted")),
)
LEFT_OUT = "left_out"
ROW_STATES: dict[str, tuple[str, ...]] = {
    "refused": (DeclarationState.REFUSED,),
    "remarks": (DeclarationState.ACCEPTED_WITH_REMARKS,),
    "waiting": ON_THE_WAY,
    "accepted": (DeclarationState.ACCEPTED,),
}


@require_safe
@needs(Profile.ENCODE, everywhere=[Application.DECLARATIONS])
def batches(request: HttpRequest) -> HttpResponse:
    """Every set, newest first: by state, and those of a channel that were dropped since a day."""
    rows, state, kept = _asked(request.GET)
    counts = dict(_batches(kept).order_by().values_list("state").annotate(count=Count("pk")))
    page = lists.page_of(request, rows.order_by("-id"))
    page.object_list = questions.batch_rows(page.object_list)
    chips = lists.chips(LIST_CHIPS, {"": sum(counts.values()), **counts}, state, kept)
    if any(kept.values()):
        label, without = _("A channel, since a day"), lists.address(state=state)
        chips.append({"label": f"{label} ×", "count": None, "url": without, "is_current": True})
    context = {"nav": "batches", "page": page, "chips": chips, "leaves": departing.announced()}
    return render(request, "submissions/batch_list.html", context | {"kept": {**kept, "state": state}})


@require_POST
@needs(Profile.ENCODE, everywhere=[Application.DECLARATIONS])
def export(request: HttpRequest) -> HttpResponseBase:
    """The list of sets, as filtered, as a file."""
    rows, state, kept = _asked(request.POST)
    return sheets.export(request, listings.batches(rows), "batches", {**kept, "state": state})


def _batches(kept: dict[str, str]) -> QuerySet[Batch]:
    rows = Batch.objects.filter(mandataire_id=tenancy.current())
    return calling.dropped(rows, kept["channel"], kept["from"])


def _asked(parameters: QueryDict) -> tuple[QuerySet[Batch], str, dict[str, str]]:
    """The sets of the filters, the one on the state, and the others."""
    kept = {name: parameters.get(name, "") for name in ("channel", "from")}
    rows, state = _batches(kept), parameters.get("state", "")
    return (rows.filter(state=state), state, kept) if state in BatchState.values else (rows, "", kept)


@require_safe
@needs(Profile.ENCODE)
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """One set. An htmx request gets the progress alone, and a refresh of the whole page when the set moved on."""
    chosen = mine(questions.with_outcomes(Batch.objects.select_related("channel")), pk=pk)
    row = questions.batch_row(chosen)
    drops = list(Drop.objects.filter(envelope=chosen.envelope_id).order_by("-id")) if chosen.envelope else []
    declarations = questions.mine().filter(batch=chosen)
    last_at = declarations.aggregate(last=Max("answered_at"))["last"]
    context: dict[str, Any] = {
        "nav": "batches",
        "batch": row,
        "steps": steps(chosen, row, last_at, drops[0] if drops else None),
        "progress": {
            **{name: row[name] for name in ("accepted", "remarks", "refused", "waiting")},
            "last_at": last_at,
        },
        "is_over": chosen.state in (BatchState.ANSWERED, BatchState.REJECTED),
    }
    if request.headers.get("HX-Request"):
        response = render(request, "submissions/batch_detail.html#progress", context)
        if request.GET.get("seen", chosen.state) != chosen.state:
            response["HX-Refresh"] = "true"
        return response
    state = request.GET.get("state", "")
    counts = {"": row["total"], **{name: row[name] for name in ROW_STATES}}
    choices: Sequence[tuple[str, str | Promise]] = ROW_CHIPS
    rows: QuerySet[Any] = declarations
    promotion = promotion_of(request, chosen)
    if promotion:
        choices = (*ROW_CHIPS, (LEFT_OUT, pgettext_lazy("declarations", "Not for production")))
        counts[LEFT_OUT] = promotion["left_out_count"]
        rows = promoting.judged(chosen)
    state = state if state in counts else ""
    if state:
        is_left_out = state == LEFT_OUT
        rows = rows.exclude(fate=Fate.GOOD) if is_left_out else rows.filter(state__in=ROW_STATES[state])
    rows = rows.order_by("part", "position")
    # What is judged carries its fate, which rows fetched by their ids would not.
    page = (
        lists.page_of(request, questions.for_rows(rows))
        if promotion
        else lists.page_of(request, rows, shown=questions.for_rows)
    )
    page.object_list = [
        {**shown, "fate": fate_of(found) if promotion else ""}
        for found, shown in zip(page.object_list, questions.declaration_rows(page.object_list), strict=True)
    ]
    files = list(_answers(chosen))
    context |= {
        "actions": _actions(request, chosen, drops),
        "promotion": promotion,
        "refusals": refusals_of(chosen),
        "parts": _parts(chosen),
        "answers": [_answer(file, chosen) for file in files],
        "drops": [
            {"started_at": drop.started_at, "state": drop.state, "detail": drop.error} for drop in drops
        ],
        "chips": lists.chips(choices, counts, state),
        "page": page,
        "events": history.of_batch(chosen, drops, files),
    }
    return render(request, "submissions/batch_detail.html", context)


def _parts(chosen: Batch) -> list[dict[str, Any]]:
    if chosen.envelope is None:
        return []
    name = parse_name(f"FI.{chosen.envelope.stem}").set_name
    rows = EnvelopePart.objects.filter(envelope=chosen.envelope_id).order_by("part")
    parts = list(rows.defer("fi_sealed"))
    return [
        {
            "number": part.part,
            "forms": part.forms_count,
            "fi": _file(part, "fi", name.fi(part.part, len(parts)), part.fi_size, part.fi_sha256),
            "fs": _file(part, "fs", name.fs(part.part, len(parts)), part.fs_size, sha256(part.fs).hexdigest())
            if part.fs_size
            else None,
        }
        for part in parts
    ]


def _file(part: EnvelopePart, kind: str, name: str, size: int, digest: str) -> dict[str, Any]:
    return {"name": name, "size": size, "sha256": digest, "url": reverse("sent_file", args=[part.pk, kind])}


def _answers(chosen: Batch) -> Any:
    if chosen.envelope is None:
        return []
    rows = InboundFile.objects.filter(mandataire_id=tenancy.current(), envelope=chosen.envelope_id)
    return rows.defer("content_sealed", "signature_sealed").order_by("id")


def _answer(file: InboundFile, chosen: Batch) -> dict[str, Any]:
    return {
        "name": file.name,
        "kind": file.kind,
        "received_at": file.received_at,
        "size": file.size,
        "sha256": file.sha256,
        "url": reverse("inbound_file", args=[file.pk]),
        "state": file.state,
        "ticket": chosen.ticket if file.kind == "ACRF" else "",
    }


def _actions(request: HttpRequest, chosen: Batch, drops: list[Drop]) -> list[dict[str, Any]]:
    """What may be done with the set now, by whoever looks at it."""
    if not membership(request).may(Profile.EXTENDED):
        return []
    collect = {
        "url": reverse("channel_collect"),
        "label": _("Collect now"),
        "fields": {"batch": str(chosen.pk)},
    }
    match chosen.state:
        case BatchState.SEALED:
            label = _("Look again") if drops and drops[0].state == Drop.State.UNKNOWN else _("Drop now")
            leave = {"url": reverse("batch_leave", args=[chosen.pk]), "label": label, "is_main": True}
            return [leave, _by_hand(chosen)]
        case BatchState.PARKED | BatchState.DROPPED if _may_be_released(chosen):
            # The reason that was given before a confirmation was asked stands there again.
            given = typed(request, reverse("batch_release", args=[chosen.pk]))
            release = {
                "typed": given.get("reason", "") if given else "",
                "url": reverse("batch_release", args=[chosen.pk]),
                "label": _("It did not leave: drop it again"),
                "reason_label": _("How do you know?"),
                "question": _(
                    "The same files leave once more under the same name. Do this only when social security, or a "
                    "look at the server, confirmed that they were not taken."
                ),
            }
            by_hand = [_by_hand(chosen)] if chosen.state == BatchState.PARKED else []
            return [collect, release, *by_hand]
        case BatchState.DROPPED | BatchState.ACKNOWLEDGED:
            return [collect]
        case BatchState.REJECTED:
            label = _("Send again in a new set")
            return [{"url": reverse("batch_again", args=[chosen.pk]), "label": label, "is_main": True}]
        case _:
            return []


def _by_hand(chosen: Batch) -> dict[str, Any]:
    return {
        "url": reverse("batch_by_hand", args=[chosen.pk]),
        "label": _("Delivered by hand"),
        "reason_label": _("How and when did it leave?"),
        "question": _(
            "The portal will not send this batch any more and waits for its receipt. Do this only when you put these "
            "very files, FI and FS first and an empty GO last, on the server yourself."
        ),
    }


def _may_be_released(chosen: Batch) -> bool:
    """A set waits for a person when it is parked, and when its acknowledgement is overdue."""
    if chosen.state == BatchState.DROPPED:
        return questions.is_overdue(chosen)
    return chosen.state == BatchState.PARKED


# --- buttons --------------------------------------------------------------------------------------


@require_POST
@needs(Profile.EXTENDED)
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Drops a sealed set now, or looks what became of an interrupted drop: what the sweep does, on demand."""
    chosen = mine(Batch.objects.select_related("channel"), pk=pk)
    if asked := confirmation(request, [chosen.environment], reverse("batch", args=[pk])):
        return asked
    if chosen.state == BatchState.SEALED:
        audit.record("batch.drop_asked", chosen)
        ask(tasks.leave_one, chosen.pk, is_asked=True)
        messages.success(request, _("On its way: this page follows what happens."))
    else:
        messages.error(request, LEFT_MEANWHILE)
    return redirect("batch", pk)


@require_POST
@needs(Profile.EXTENDED)
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """A person has found out that a parked set did not leave; the reason goes into its history."""
    chosen = mine(Batch.objects.select_related("envelope", "channel"), pk=pk)
    if asked := confirmation(request, [chosen.environment], reverse("batch", args=[pk])):
        return asked
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Give a reason: it is kept in the history."))
    elif not _may_be_released(chosen):
        messages.error(request, LEFT_MEANWHILE)
    else:
        try:
            with transaction.atomic():
                sets.release(chosen, reason)
        except CannotRelease as refusal:
            messages.error(request, str(refusal))
        except LostRace:
            messages.error(request, LEFT_MEANWHILE)
        else:
            ask(tasks.leave_one, chosen.pk, is_asked=True)
            messages.success(request, _("Released: the set leaves again under the same name."))
    return redirect("batch", pk)


@require_POST
@needs(Profile.EXTENDED)
def by_hand(request: HttpRequest, pk: int) -> HttpResponse:
    """A person brought the files of a set that has not left over himself; the reason goes into its history."""
    chosen = mine(Batch.objects.select_related("envelope"), pk=pk)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Give a reason: it is kept in the history."))
    elif chosen.state not in (BatchState.SEALED, BatchState.PARKED):
        messages.error(request, LEFT_MEANWHILE)
    else:
        try:
            with transaction.atomic():
                sets.deliver_by_hand(chosen, reason)
        except CannotRelease as refusal:
            messages.error(request, str(refusal))
        except LostRace:
            messages.error(request, LEFT_MEANWHILE)
        else:
            messages.success(request, _("Noted: the batch left, and its receipt is awaited."))
    return redirect("batch", pk)


@require_POST
@needs(Profile.EXTENDED)
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Declares everything of a set that was refused as a whole again; it leaves with the next departure."""
    # Locked, so that a second click finds everything declared again already.
    chosen = mine(Batch.objects.select_for_update(), pk=pk)
    try:
        with transaction.atomic():
            count = declaring.send_again(chosen)
    except declaring.CannotDeclare as refusal:
        messages.error(request, str(refusal))
    else:
        if count:
            audit.record("batch.sent_again", chosen, data={"count": count})
        messages.success(
            request, _("Declared again: %(count)d. They leave with the next departure.") % {"count": count}
        )
    return redirect("batch", pk)
