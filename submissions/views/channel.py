"""The channel, the files that came through it, and the buttons that do what the sweeps do."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from channels import standing
from channels.models import Channel, InboundFile
from portal import audit, lists, tenancy
from portal.access import membership, mine, needs
from portal.models import ChannelProfile
from portal.moving import LostRace
from submissions import answering, tasks
from submissions.models import Batch, Declaration
from submissions.states import BatchState
from submissions.views.asking import ask, confirmation
from submissions.views.declarations import LEFT_MEANWHILE
from submissions.views.first_set import PAGE

TO_LOOK_AT = "to_look_at"
CHIPS = (
    ("", pgettext_lazy("files", "All")),
    (TO_LOOK_AT, pgettext_lazy("files", "To look at")),
    (InboundFile.State.STORED.value, pgettext_lazy("files", "Received")),
    (InboundFile.State.APPLIED.value, pgettext_lazy("files", "Processed")),
)


@require_safe
@needs(ChannelProfile.SEE)
def channel(request: HttpRequest) -> HttpResponse:
    """How the channel stands, and every file it brought, newest first."""
    found = standing.the_channel()
    rows = InboundFile.objects.filter(mandataire_id=tenancy.current())
    counts: dict[str, int] = dict(rows.order_by().values_list("state").annotate(count=Count("pk")))
    looked_at = {**counts, "": sum(counts.values())}
    looked_at[TO_LOOK_AT] = sum(counts.get(state, 0) for state in standing.WAITS_FOR_A_PERSON)
    state = request.GET.get("state", "")
    if state == TO_LOOK_AT:
        rows = rows.filter(state__in=standing.WAITS_FOR_A_PERSON)
    elif state in InboundFile.State.values:
        rows = rows.filter(state=state)
    else:
        state = ""
    page = lists.page_of(request, rows.defer("content_sealed", "signature_sealed").order_by("-id"))
    page.object_list = _rows(request, list(page.object_list))
    context = {
        "nav": "channel",
        "channel": {**standing.page(found), "pk": found.pk} if found else None,
        "actions": _actions(found) if found and membership(request).may(ChannelProfile.OPERATE) else [],
        "may_set_up": membership(request).may(ChannelProfile.MANAGE),
        "chips": lists.chips(CHIPS, looked_at, state),
        "page": page,
    }
    return render(request, "channels/channel_detail.html", context)


def _rows(request: HttpRequest, files: list[InboundFile]) -> list[dict[str, Any]]:
    """The files of one page; their sets in one query."""
    envelopes = {file.envelope_id for file in files if file.envelope_id}
    batches = {
        batch.envelope_id: {"pk": batch.pk, "at": batch.sealed_at}
        for batch in Batch.objects.filter(mandataire_id=tenancy.current(), envelope_id__in=envelopes)
    }
    may_replay = membership(request).may(ChannelProfile.OPERATE)
    return [_row(file, batches.get(file.envelope_id), may_replay=may_replay) for file in files]


def _row(file: InboundFile, batch: dict[str, Any] | None, *, may_replay: bool) -> dict[str, Any]:
    replay = None
    if may_replay and file.state in standing.WAITS_FOR_A_PERSON:
        replay = {"url": reverse("file_replay", args=[file.pk]), "label": _("Read again")}
    return {
        "pk": file.pk,
        "name": file.name,
        "kind": file.kind,
        "received_at": file.received_at,
        "size": file.size,
        "state": file.state,
        "reason": file.reason,
        "url": reverse("inbound_file", args=[file.pk]),
        "batch": batch,
        "replay": replay,
    }


def _actions(found: Channel) -> list[dict[str, Any]]:
    if found.is_paused or not found.is_set_up:
        return []
    return [
        {"url": reverse("channel_depart"), "label": _("Let everything ready leave now")},
        {"url": reverse("channel_collect"), "label": _("Collect now")},
        {"url": reverse("channel_stale"), "label": _("Look after interrupted drops")},
    ]


# --- buttons --------------------------------------------------------------------------------------


def _mine(pk: int | None = None) -> Channel:
    """The channel asked for, or the one of the mandataire; 404 before one is opened."""
    found = standing.the_channel() if pk is None else None
    return mine(Channel, pk=(found.pk if found else 0) if pk is None else pk)


def _page(request: HttpRequest, pk: int | None) -> str:
    if request.POST.get("page") == PAGE:
        return reverse("channel_first_set")
    return reverse("channel") if pk is None else reverse("channel_health", args=[pk])


@require_POST
@needs(ChannelProfile.OPERATE)
def depart(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Seals what is ready and sends it: the next departure, now. Returns to the page that asked."""
    found = _mine(pk)
    back = _page(request, pk)
    if request.POST.get("environment", found.environment) != found.environment:
        messages.error(
            request,
            _("The environment of the channel was changed meanwhile: look again before anything leaves."),
        )
        return redirect(back)
    ready = Declaration.objects.ready().filter(mandataire_id=tenancy.current())
    destined = ready.order_by().values_list("environment", flat=True).distinct()
    if asked := confirmation(request, [found.environment, *destined], back):
        return asked
    audit.record("channel.departure_asked", found)
    ask(tasks.depart, found.pk, is_asked=True)
    messages.success(request, _("Asked: what is ready is sealed and leaves. New batches appear in a moment."))
    return redirect(back + "?asked=yes" if request.POST.get("page") == PAGE else back)


@require_POST
@needs(ChannelProfile.OPERATE)
def collect(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Fetches the answers that wait, now. Returns to the page that asked, a batch or the channel."""
    found = _mine(pk)
    audit.record("channel.collection_asked", found)
    ask(tasks.collect, found.pk, is_asked=True)
    messages.success(request, _("Asked: answers that wait are fetched and processed in a moment."))
    asked_by = request.POST.get("batch", "")
    if asked_by.isascii() and asked_by.isdigit():
        return redirect("batch", mine(Batch, pk=int(asked_by)).pk)
    return redirect(_page(request, pk))


@require_POST
@needs(ChannelProfile.OPERATE)
def stale(request: HttpRequest) -> HttpResponse:
    """Takes up every set that is sealed and has not left: an interrupted drop is looked at before anything else."""
    found = _mine()
    waiting = dict(
        Batch.objects.filter(
            mandataire_id=tenancy.current(), channel=found, state=BatchState.SEALED
        ).values_list("pk", "environment")
    )
    if asked := confirmation(request, [found.environment, *waiting.values()], reverse("channel")):
        return asked
    audit.record("channel.check_asked", found, data={"batches": len(waiting)})
    for batch in waiting:
        ask(tasks.leave_one, batch, is_asked=True)
    messages.success(
        request,
        _("Asked: every batch that has not left is looked at.") if waiting else _("No batch waits to leave."),
    )
    return redirect("channel")


@require_POST
@needs(ChannelProfile.OPERATE)
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Reads a file again after whatever stood in its way was mended."""
    file = mine(InboundFile, pk=pk)
    if file.state not in standing.WAITS_FOR_A_PERSON:
        messages.error(request, LEFT_MEANWHILE)
        return redirect("channel")
    try:
        answering.replay(file)
    except LostRace:
        messages.error(request, LEFT_MEANWHILE)
    else:
        ask(tasks.apply, file.pk)
        messages.success(request, _("The file is read again in a moment."))
    return redirect("channel")
