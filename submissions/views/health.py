"""How each channel fares, and what a person decides about it: look, pause, resume, accept another server key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from channels import standing, stopping
from channels.models import Alarm, Channel, LeftAnswer
from channels.stopping import CannotDecide
from mandates.catalogue import services
from portal import annexes, lists, tenancy
from portal.access import membership, mine, needs
from portal.models import ChannelProfile, User
from portal.templatetags.presenting import person_name
from submissions import alarming, departing, health, tasks
from submissions.health import Health
from submissions.views.asking import ask


def _own() -> Any:
    return Channel.objects.filter(mandataire_id=tenancy.current()).order_by("name", "pk")


@require_safe
@needs(ChannelProfile.SEE)
def channels(request: HttpRequest) -> HttpResponse:
    """Every channel of the mandataire on one line each."""
    page = lists.page_of(request, _own())
    found = list(page.object_list)
    states = health.of(found)
    page.object_list = [
        {
            "pk": channel.pk,
            "name": channel.name,
            "environment": channel.environment,
            **_facts(channel, states[channel.pk]),
        }
        for channel in found
    ]
    context = {"nav": "channel", "page": page, "annexes": _annexes()}
    return render(request, "channels/health_list.html", context)


def _annexes() -> list[dict[str, Any]]:
    """The official texts of this installation: each annex that is used, and the version that counts today."""
    found = {one.number: one for one in annexes.loaded()}
    return [
        {
            "number": number,
            "title": title,
            "version": f"{found[number].version[:4]}/{found[number].version[4]}" if number in found else "",
            "loaded_at": found[number].loaded_at if number in found else None,
            "count": found[number].texts_count if number in found else 0,
        }
        for number, title in (
            (annexes.ERRORS, _("Error codes")),
            (annexes.COMMITTEES, _("Joint committees")),
            (annexes.FORMS, _("Forms")),
        )
    ]


@require_safe
@needs(ChannelProfile.SEE)
def channel(request: HttpRequest, pk: int) -> HttpResponse:
    """One channel: what is wrong, what is known, when it leaves, and what other software's answers wait over there."""
    found = mine(Channel, pk=pk)
    state = health.of([found])[found.pk]
    alarms = Alarm.objects.filter(mandataire_id=tenancy.current(), channel=found, ended_at=None)
    since = dict(alarms.values_list("kind", "since"))
    left = LeftAnswer.objects.filter(mandataire_id=tenancy.current(), channel=found)
    may_operate = membership(request).may(ChannelProfile.OPERATE)
    context = {
        "nav": "channel",
        "channel": {
            "pk": found.pk,
            "name": found.name,
            "folder": found.answer_directory(found.environment),
            "is_exclusive": found.is_exclusive,
            "stopped": stopping.why(found) if found.is_paused else "",
            "pause_reason": found.pause_reason,
            "paused_at": found.paused_at,
            "last_error": found.last_error,
            "host_key": stopping.fingerprint(found.host_key),
            "host_key_since": found.host_key_since,
            **_facts(found, state),
        },
        "other_key": _other_key(request, found, may_operate=may_operate) if found.other_host_key else None,
        "alarms": [
            {"since": since[kind], **alarming.item(found.pk, kind)}
            for kind in sorted(since, key=alarming.in_order)
        ],
        "probe": _probe(found),
        "departures": _departures(found),
        "departures_url": reverse("departures", args=[found.pk]) if may_operate else "",
        "actions": _actions(found) if may_operate else [],
        "sharing": _sharing(found) if may_operate else None,
        "page": lists.page_of(request, left.order_by("first_seen_at", "pk")),
    }
    return render(request, "channels/health_detail.html", context)


def _facts(found: Channel, state: Health) -> dict[str, Any]:
    days = standing.days_until(state.certificate_until)
    return {
        "state": standing.state_of(found, days),
        "last_contact_at": found.last_contact_at,
        "last_set_at": state.last_set_at,
        "last_answer_at": state.last_answer_at,
        "oldest_unsent_at": state.oldest_unsent_at,
        "oldest_unanswered_at": _earliest(state.oldest_unacknowledged_at, state.oldest_unanswered_at),
        "certificate_days": days,
        "failures": found.failures,
        "failing_since": found.failing_since,
    }


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


def _probe(found: Channel) -> dict[str, Any] | None:
    if not found.last_probe:
        return None
    told = found.last_probe
    return {
        "at": datetime.fromisoformat(told["at"]),
        "error": told["error"],
        "directories": list(told["directories"].items()),
    }


def _departures(found: Channel) -> list[dict[str, Any]]:
    known = services()
    return [
        {
            "service": known[code].name if code in known else code,
            "times": [f"{minute // 60:02}:{minute % 60:02}" for minute in row.minutes] if row else [],
            "is_on_working_days": row is not None and row.is_on_working_days,
            "at": at,
        }
        for code, row, at in departing.board(found, timezone.now())
    ]


def _other_key(request: HttpRequest, found: Channel, *, may_operate: bool) -> dict[str, Any]:
    """The two fingerprints, who proposed, and what this person may do about it."""
    shown = stopping.fingerprint(found.other_host_key)
    proposer = User.objects.filter(pk=found.host_key_proposed_by or 0).first()
    is_own = found.host_key_proposed_by == request.user.pk
    fields = {"fingerprint": shown}
    actions: list[dict[str, Any]] = []
    if may_operate and not found.host_key_proposed_by:
        actions.append(
            {
                "url": reverse("host_key_propose", args=[found.pk]),
                "label": _("Propose to accept the new key"),
                "fields": fields,
                "reason_label": _("How do you know that it is genuine?"),
                "question": _("A second person has to accept it before anything is sent."),
            }
        )
    if may_operate and found.host_key_proposed_by and not is_own:
        label = _("Accept the new key")
        url = reverse("host_key_accept", args=[found.pk])
        actions.append({"url": url, "label": label, "fields": fields, "is_main": True})
    if may_operate:
        actions.append(
            {
                "url": reverse("host_key_keep", args=[found.pk]),
                "label": _("Keep the old key"),
                "fields": fields,
                "reason_label": _("Why?"),
                "question": _(
                    "The channel tries again with the old key, and stops again if the server shows another one."
                ),
            }
        )
    return {
        "shown": shown,
        "seen_at": found.other_host_key_at,
        "proposer": person_name(proposer) if proposer else "",
        "proposed_at": found.host_key_proposed_at,
        "reason": found.host_key_reason,
        "is_own": is_own,
        "actions": actions,
    }


def _actions(found: Channel) -> list[dict[str, Any]]:
    pk = found.pk
    actions: list[dict[str, Any]] = [
        {"url": reverse("channel_probe", args=[pk]), "label": _("Test the contact"), "is_main": True}
    ]
    if not found.other_host_key:
        actions += [
            {"url": reverse("health_depart", args=[pk]), "label": _("Send now")},
            {"url": reverse("health_collect", args=[pk]), "label": _("Collect now")},
        ]
    if found.is_paused and (found.paused_at or found.broken_at or not found.other_host_key):
        actions.append(
            {
                "url": reverse("channel_resume", args=[pk]),
                "label": _("Put in service again"),
                "reason_label": _("Why?"),
                "question": _("What is ready leaves, and answers are collected, at once."),
            }
        )
    if not found.paused_at:
        actions.append(
            {
                "url": reverse("channel_pause", args=[pk]),
                "label": _("Pause"),
                "reason_label": _("Why?"),
                "question": _("Nothing leaves and nothing is collected by itself until somebody resumes."),
            }
        )
    return actions


def _sharing(found: Channel) -> dict[str, Any]:
    """The button that changes who else collects here."""
    action = {"url": reverse("channel_exclusive", args=[found.pk]), "reason_label": _("How do you know?")}
    if found.is_exclusive:
        return {
            **action,
            "fields": {"is_exclusive": ""},
            "label": _("Declare that other software collects here too"),
            "question": _("From now on only answers to what this portal sent are taken away."),
        }
    return {
        **action,
        "fields": {"is_exclusive": "yes"},
        "label": _("Declare that only this portal collects here"),
        "question": _(
            "From now on every answer is taken and deleted on the server. Other software that still uses this "
            "account would never see its answers."
        ),
    }


# --- buttons --------------------------------------------------------------------------------------


@require_POST
@needs(ChannelProfile.OPERATE)
def probe(request: HttpRequest, pk: int) -> HttpResponse:
    """Connects and lists, and says what it saw; also on a stopped channel."""
    ask(tasks.probe, mine(Channel, pk=pk).pk)
    messages.success(request, _("Asked: reload this page in a moment to read what was seen."))
    return redirect("channel_health", pk)


def _decide(request: HttpRequest, pk: int, done: str, decide: Callable[[Channel], None]) -> HttpResponse:
    """Takes a decision and says how it went; what a refused one did is undone."""
    found = mine(Channel, pk=pk)
    try:
        with transaction.atomic():
            decide(found)
    except CannotDecide as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("channel_health", pk)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:500]


def _fingerprint(request: HttpRequest) -> str:
    return request.POST.get("fingerprint", "")


@require_POST
@needs(ChannelProfile.OPERATE)
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends all contact that nobody asks for."""
    done = _("Paused: nothing leaves or is collected by itself.")
    return _decide(request, pk, done, lambda found: stopping.pause(found, _reason(request)))


@require_POST
@needs(ChannelProfile.OPERATE)
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a pause, and closes the breaker."""
    done = _("In service again: what is ready leaves, and answers are collected.")
    return _decide(request, pk, done, lambda found: stopping.resume(found, _reason(request)))


@require_POST
@needs(ChannelProfile.OPERATE)
def exclusive(request: HttpRequest, pk: int) -> HttpResponse:
    """Says whether this portal alone collects through the channel."""
    is_exclusive = bool(request.POST.get("is_exclusive"))
    done = (
        _("Noted: every answer is collected from now on.")
        if is_exclusive
        else _("Noted: answers to others stay where they are.")
    )
    return _decide(
        request, pk, done, lambda found: stopping.set_exclusive(found, is_exclusive, _reason(request))
    )


@require_POST
@needs(ChannelProfile.OPERATE)
def propose_key(request: HttpRequest, pk: int) -> HttpResponse:
    """The first of the two people who accept another server key."""
    done = _("Proposed: a second person has to accept the new key on this page.")
    return _decide(
        request,
        pk,
        done,
        lambda found: stopping.propose_host_key(found, _fingerprint(request), _reason(request)),
    )


@require_POST
@needs(ChannelProfile.OPERATE)
def accept_key(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person."""
    done = _("Accepted: the channel is in service again with the new key.")
    return _decide(request, pk, done, lambda found: stopping.accept_host_key(found, _fingerprint(request)))


@require_POST
@needs(ChannelProfile.OPERATE)
def keep_key(request: HttpRequest, pk: int) -> HttpResponse:
    """The other key is not accepted."""
    done = _("The old key is kept: the channel tries again.")
    return _decide(
        request,
        pk,
        done,
        lambda found: stopping.keep_host_key(found, _fingerprint(request), _reason(request)),
    )
