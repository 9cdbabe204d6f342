"""The channel, and the buttons that do what the sweeps do."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from channels import standing
from channels.models import Channel, InboundFile
from portal import audit, tenancy
from portal.access import membership, mine, needs
from portal.models import ChannelProfile
from portal.moving import LostRace
from submissions import answering, tasks
from submissions.models import Batch, Declaration
from submissions.states import BatchState
from submissions.travelled import TO_LOOK_AT
from submissions.views.asking import ask, confirmation
from submissions.views.declarations import LEFT_MEANWHILE
from submissions.views.first_set import PAGE


@require_safe
@needs(ChannelProfile.SEE)
def channel(request: HttpRequest) -> HttpResponse:
    """How the channel stands. What came through it has a page of its own."""
    found = standing.the_channel()
    context = {
        "nav": "channel",
        "channel": {**standing.page(found), "pk": found.pk} if found else None,
        "actions": _actions(found) if found and membership(request).may(ChannelProfile.OPERATE) else [],
        "may_set_up": membership(request).may(ChannelProfile.MANAGE),
        "to_look_at": found.files_to_look_at if found else 0,  # type: ignore[attr-defined]
    }
    return render(request, "channels/channel_detail.html", context)


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
    back = reverse("files") + "?state=" + TO_LOOK_AT
    if file.state not in standing.WAITS_FOR_A_PERSON:
        messages.error(request, LEFT_MEANWHILE)
        return redirect(back)
    try:
        answering.replay(file)
    except LostRace:
        messages.error(request, LEFT_MEANWHILE)
    else:
        ask(tasks.apply, file.pk)
        messages.success(request, _("The file is read again in a moment."))
    return redirect(back)
