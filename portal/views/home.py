"""The home page: the work to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from channels import standing
from channels.models import Channel
from portal import tenancy
from portal.access import for_members, membership, reaching
from portal.models import Application, Membership, Profile
from portal.views import frame
from portal.views.company import company
from submissions import problems, questions, waiting
from submissions.models import Batch
from submissions.questions import ClientLine, Clients
from submissions.states import BatchState

SHOWN = 6
LATEST = 4
PER_PAGE = 50


@require_safe
@for_members
def home(request: HttpRequest) -> HttpResponse:
    """Counters, what waits for somebody, clients, channel and latest batches.

    For who works at a client his company; for who declares nothing the team.
    """
    me = membership(request)
    if me.employer_id is not None:
        return company(request, me)
    if not me.may(Profile.ENCODE):
        return redirect("team")
    channel = standing.the_channel()  # Before the limit: how it stands is no client's matter.
    frame.note_channel(request, channel)
    with reaching(me, Application.DECLARATIONS):
        return _work(request, me, channel)


def _work(request: HttpRequest, me: Membership, channel: Channel | None) -> HttpResponse:
    clients = questions.Clients()
    batches = questions.open_sets()
    totals = questions.totals()
    counters = _counters(totals, clients, batches)
    frame.note_todo_count(request, counters["to_correct"]["count"])
    items = waiting.items(problems.causes(), batches, channel, totals["ready_services"])
    todo = waiting.offered_to(me, items)
    latest = Batch.objects.filter(mandataire_id=tenancy.current()).order_by("-id")[:LATEST]
    page = Paginator(clients, PER_PAGE).get_page(request.GET.get("page"))
    is_moving = bool(counters["ready"]["count"] or counters["on_its_way"]["count"])
    context = {
        "nav": "home",
        "is_moving": is_moving,
        "today": timezone.localdate(),
        "next_departure": _next_departure(channel),
        "counters": counters,
        "todo": todo[:SHOWN],
        "todo_total": counters["to_correct"]["count"],
        "channel": standing.card(channel) if channel else None,
        "sees_batches": tenancy.limit() is None,
        "latest_batches": questions.batch_rows(latest),
        "clients_count": len(clients),
        "clients_page": page,
        "clients": [_client(line) for line in page],
    }
    response = render(request, "portal/home.html", context)
    if request.headers.get("HX-Request") and not is_moving:
        response.headers["HX-Refresh"] = "true"  # All is settled: the whole page follows, and asks no more.
    return response


def _counters(found: dict[str, Any], clients: Clients, batches: list[Batch]) -> dict[str, dict[str, Any]]:
    oldest, first_tries = clients.oldest_refusal_at, found["first_tries"]
    return {
        "to_correct": {
            "count": clients.to_correct,
            "clients": clients.with_refusals,
            "oldest_days": (timezone.now() - oldest).days if oldest else 0,
        },
        "ready": {"count": found["ready"], "clients": found["ready_clients"]},
        "on_its_way": {
            "count": found["on_its_way"],
            "batches": len(batches),
            "acknowledged": sum(batch.state == BatchState.ACKNOWLEDGED for batch in batches),
        },
        "accepted": {
            "count": found["accepted_lately"],
            "first_time": 100 * found["at_first_try"] / first_tries if first_tries else None,
            "tested": found[questions.TESTED],
            "query": f"?state=accepted&month={timezone.localdate():%Y-%m}",
        },
    }


def _next_departure(channel: Channel | None) -> dict[str, object] | None:
    if channel is None or channel.departs_at is None or channel.is_paused:
        return None
    left = max(channel.departs_at - timezone.now(), timedelta())
    return {"at": channel.departs_at, "minutes": int(left.total_seconds() // 60)}


def _client(line: ClientLine) -> dict[str, object]:
    return {
        "name": line.name,
        "number": line.number,
        "url": f"{reverse('declarations')}?employer={line.pk}",
        "ready": line.ready,
        "on_its_way": line.on_its_way,
        "to_correct": line.to_correct,
        "accepted": line.accepted,
        "last_activity_at": line.last_activity_at,
    }
