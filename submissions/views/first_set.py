"""The last step of a channel's set-up: a first set that goes out in simulation and comes back with its answer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from channels import checklist, standing
from channels.models import Channel, Drop, EnvironmentCode
from channels.naming import Environment
from portal import tenancy
from portal.access import membership, mine, needs, reaching
from portal.models import Application, ChannelProfile, Membership, Profile
from submissions import questions, waiting
from submissions.models import Batch
from submissions.states import BatchState, DeclarationState
from submissions.views.steps import steps

SHOWN = 5
"""Declarations of the set that the page shows; all of them are on the page of the set."""

PAGE = "first_set"
"""What the buttons here post as `page`, so that they lead back here."""


@require_safe
@needs(ChannelProfile.MANAGE)
def first_set(request: HttpRequest) -> HttpResponse:
    """What is needed for a first set, the button that sends it, its way, and the answer. `?asked` waits for the set."""
    own = standing.the_channel()
    found = mine(Channel, pk=own.pk if own else 0)
    if not found.is_set_up:
        return redirect("channel_setup")
    me, answer = membership(request), checklist.first_answer(found)
    chosen = _set_of(found, answer.envelope_id if answer else None)
    is_under_way = chosen is not None and answer is None and chosen.state != BatchState.REJECTED
    is_asked = "asked" in request.GET and chosen is None
    context = {
        "nav": "channel",
        "channel": found,
        "is_answered": answer is not None,
        "is_moving": is_asked or is_under_way,
        "address": request.get_full_path() if is_asked else reverse("channel_first_set"),
        "set": _shown(chosen, me) if chosen else None,
        "collect": _button("channel_collect", _("Collect now")) if is_under_way else None,
        "preparing": None if answer or is_under_way else _preparing(found, me),
    }
    return render(request, "submissions/first_set.html", context)


def _set_of(channel: Channel, envelope: int | None) -> Batch | None:
    """The set that was answered first; before any was, the latest."""
    sets = Batch.objects.filter(mandataire_id=tenancy.current(), channel=channel)
    chosen = sets.filter(envelope=envelope) if envelope else sets.order_by("-id")[:1]
    rows = Batch.objects.filter(pk__in=chosen.values("pk")).select_related("channel")
    return questions.with_outcomes(rows).first()


def _shown(chosen: Batch, me: Membership) -> dict[str, Any]:
    """The set and its way; its declarations as far as the reader may see them."""
    row = questions.batch_row(chosen)
    drop = Drop.objects.filter(envelope=chosen.envelope_id).order_by("-id").first()
    rows: list[dict[str, Any]] = []
    if me.may(Profile.ENCODE):
        with reaching(me, Application.DECLARATIONS):
            declarations = questions.for_rows(questions.mine().filter(batch=chosen))
            rows = questions.declaration_rows(declarations.order_by("part", "position")[:SHOWN])
    return {**row, "environment": chosen.environment, "steps": steps(chosen, row, None, drop), "rows": rows}


def _preparing(channel: Channel, me: Membership) -> dict[str, Any]:
    """What is ready to leave over the channel, what holds the rest back, and the button when something may leave."""
    carried = set(channel.services)
    is_production = channel.environment == EnvironmentCode.PRODUCTION
    rows = questions.held_back(channel.environment)
    waits = [row for row in rows if row[0] in carried and row[1] == is_production]
    ready = sum(count for _code, _place, may_leave, *_employer, count in waits if may_leave)
    drafts, held = 0, []
    if me.may(Profile.ENCODE):
        with reaching(me, Application.DECLARATIONS):
            drafts = questions.mine().filter(state=DeclarationState.DRAFT).count()
            held = waiting.offered_to(me, waiting.held_back_items(channel))
    send = _button("channel_depart", _("Send now"), environment=channel.environment)
    return {
        "is_production": is_production,
        "environment": Environment(channel.environment).label,
        "ready": ready,
        "held_back": sum(row[-1] for row in waits) - ready,
        "held": held,
        "drafts": drafts,
        "may_hand_over": me.may(Profile.ADMINISTRATIVE) and me.reach(Application.DECLARATIONS) is None,
        "send": {**send, "is_main": True} if ready and not is_production else None,
    }


def _button(name: str, label: str, **fields: str) -> dict[str, Any]:
    return {"url": reverse(name), "label": label, "fields": {"page": PAGE, **fields}}
