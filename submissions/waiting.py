"""What waits for a person, as items with one action each: the heart of the home page, and of the page "To correct".

An item that leads to a page of another application says in `needs` which profile opens that page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels import judging
from channels.models import Channel
from mandates.catalogue import services
from mandates.numbers import format_enterprise_number
from portal.models import ChannelProfile, MandateProfile, Membership, Profile
from portal.templatetags.presenting import day, full_moment
from submissions import alarming, problems, questions
from submissions.batching import today
from submissions.models import Batch
from submissions.problems import Cause
from submissions.states import BatchState
from submissions.words import heading, words

type Item = dict[str, Any]

NAMED = 3
"""Employers that an item names before it counts the others."""


def names_of(employers: Sequence[tuple[str, str]]) -> str:
    """Whose declarations they are: one with its number, some by name, many as "and 12 others"."""
    if len(employers) == 1:
        name, number = employers[0]
        return f"{name} ({format_enterprise_number(number)})"
    named, others = [name for name, _number in employers[:NAMED]], len(employers) - NAMED
    if others > 0:
        return ngettext("%(names)s and %(count)d other", "%(names)s and %(count)d others", others) % {
            "names": ", ".join(named),
            "count": others,
        }
    return _("%(names)s and %(last)s") % {"names": ", ".join(named[:-1]), "last": named[-1]}


def cause_item(cause: Cause) -> Item:
    """One cause of refusals, leading to its declarations."""
    wording = words(cause.code, cause.label)
    return {
        "tone": "bad",
        "title": heading(cause.code, cause.label, cause.tag),
        "sentence": _("%(employers)s. %(todo)s")
        % {"employers": names_of(cause.employers), "todo": wording.todo},
        "count": cause.count,
        "url": cause_url(cause),
        "action": wording.action,
    }


def cause_url(cause: Cause) -> str:
    """The page of the problem, or the list of the problems that this cause makes for several clients."""
    if len(cause.keys) == 1:
        return cause.keys[0].url()
    query = urlencode({"code": cause.code or problems.NO_CODE, **({"tag": cause.tag} if cause.tag else {})})
    return f"{reverse('to_correct')}?{query}"


def batch_item(batch: Batch) -> Item | None:
    """A set that a person must decide about, or whose acknowledgement stays away; None for one that goes well."""
    at = full_moment(batch.sealed_at)
    item = {"count": batch.declarations_count, "url": reverse("batch", args=[batch.pk])}
    if batch.state == BatchState.PARKED:
        return {
            **item,
            "tone": "warn",
            "title": _("A batch waits for your decision"),
            "sentence": _("The batch of %(at)s. %(reason)s") % {"at": at, "reason": batch.parked_reason},
            "action": _("Decide"),
        }
    if not questions.is_overdue(batch):
        return None
    if batch.state == BatchState.SEALED:
        title, sentence = _("A batch has not left"), _("The batch of %(at)s is sealed and does not leave.")
    else:
        title = _("A receipt is overdue")
        sentence = _("The batch of %(at)s was dropped, and social security has not acknowledged it.")
    return {
        **item,
        "tone": "wait",
        "title": title,
        "sentence": sentence % {"at": at},
        "action": _("Open the batch"),
    }


def file_items(channel: Channel | None) -> list[Item]:
    """Answers that the portal could not read, or that match nothing it sent."""
    count = channel.files_to_look_at if channel else 0  # type: ignore[attr-defined]
    if not count:
        return []
    sentence = ngettext(
        "%(count)d answer matches nothing that was sent from here, or cannot be read.",
        "%(count)d answers match nothing that was sent from here, or cannot be read.",
        count,
    )
    return [
        {
            "tone": "warn",
            "title": _("Answers to look at"),
            "sentence": sentence % {"count": count},
            "count": None,
            "url": reverse("files") + "?state=to_look_at",
            "needs": ChannelProfile.SEE,
            "action": _("Look at the files"),
        }
    ]


def alarm_items(channel: Channel | None) -> list[Item]:
    """What is wrong with the channels themselves. `channel` comes from `the_channel`."""
    found = channel.open_alarms if channel else []  # type: ignore[attr-defined]
    # The end of the certificate is told by `certificate_items`, which knows whether the next one is there.
    found = [alarm for alarm in found if not alarm["kind"].startswith("certificate_")]
    in_order = sorted(found, key=lambda alarm: alarming.in_order(alarm["kind"]))
    return [
        {**alarming.item(alarm["channel"], alarm["kind"]), "needs": ChannelProfile.SEE} for alarm in in_order
    ]


def certificate_items(channel: Channel | None) -> list[Item]:
    """The signing certificate that ends within 60, 30, 7 or 1 days, or has ended, and has no successor yet."""
    until: datetime | None = channel.certificate_until if channel else None  # type: ignore[attr-defined]
    level = judging.warning_level(until, timezone.now())
    if level is None or until is None or channel is None or (channel.has_next_certificate and level):  # type: ignore[attr-defined]
        return []
    days = judging.days_left(until, timezone.now())
    if level:
        sentence = ngettext(
            "It signs every file and ends in %(days)d day, on %(day)s. A qualified certificate takes weeks to get.",
            "It signs every file and ends in %(days)d days, on %(day)s. A qualified certificate takes weeks to get.",
            days,
        ) % {"days": days, "day": day(until)}
    else:
        sentence = _("It ended on %(day)s: nothing that is signed can leave.") % {"day": day(until)}
    return [
        {
            "tone": "bad" if level <= judging.WARN_AT[-2] else "warn",
            "title": _("The signing certificate is to be renewed")
            if level
            else _("The signing certificate has expired"),
            "sentence": sentence,
            "count": None,
            "url": reverse("channel_keys"),
            "needs": ChannelProfile.MANAGE,
            "action": _("See the keys"),
        }
    ]


def held_back_items(channel: Channel | None, ready: Iterable[str] | None = None) -> list[Item]:
    """Ready declarations that no departure will take: a closed service, or no mandate on this day.

    `ready` are the services of which something is ready, if they are known.
    """
    without: dict[tuple[str, bool], list[tuple[int, str, str, int]]] = defaultdict(list)
    totals: dict[tuple[str, bool], int] = defaultdict(int)
    rows = questions.held_back(channel.environment if channel else "", ready)
    for code, is_production, may_leave, employer, name, number, count in rows:
        totals[code, is_production] += count
        if not may_leave:
            without[code, is_production].append((employer, name, number, count))
    known, items = services(), []
    ready_url = reverse("declarations") + "?state=ready"
    for (code, is_production), total in totals.items():
        service = known.get(code)
        refusal = service.refusal_on(today().date(), is_production=is_production) if service else None
        if refusal:
            items.append(
                _held_back(_("Nothing of this service can leave"), refusal, total, ready_url, _("See them"))
            )
        elif held := without[code, is_production]:
            items.append(_without_mandate(held))
    return items


def _without_mandate(held: list[tuple[int, str, str, int]]) -> Item:
    """Leads to the page of the client, which says what is missing; of several, to the list of those without."""
    sentence = _("%(employers)s. These declarations leave as soon as a mandate is active.") % {
        "employers": names_of([(name, number) for _pk, name, number, _count in held])
    }
    if len(held) == 1:
        url, action = reverse("employer", args=[held[0][0]]), _("See what is missing")
    else:
        url, action = reverse("employers") + "?state=without", _("See these clients")
    count = sum(count for _pk, _name, _number, count in held)
    item = _held_back(_("Ready, but without a mandate"), sentence, count, url, action)
    return {**item, "needs": MandateProfile.SEE}


def _held_back(title: str, sentence: str, count: int, url: str, action: str) -> Item:
    return {
        "tone": "warn",
        "title": title,
        "sentence": sentence,
        "count": count,
        "url": url,
        "action": action,
    }


def offered_to(member: Membership, found: Iterable[Item]) -> list[Item]:
    """The same items, without the way to a page that this member may not open."""
    return [
        item if member.may(item.get("needs") or Profile.ENCODE) else {**item, "url": ""} for item in found
    ]


def items(
    causes: Iterable[Cause],
    batches: Iterable[Batch],
    channel: Channel | None,
    ready: Iterable[str] | None = None,
) -> list[Item]:
    """Everything that waits for a person: alarms first, then refusals, decisions, and what is late.

    `ready` are the services of which something is ready, if they are known.
    """
    decisions = [item for item in map(batch_item, batches) if item]
    decisions.sort(key=lambda item: item["tone"] != "warn")
    alarms, certificate = alarm_items(channel), certificate_items(channel)
    return [
        *alarms,
        *[item for item in certificate if item["tone"] == "bad"],
        *map(cause_item, causes),
        *decisions,
        *[item for item in certificate if item["tone"] != "bad"],
        *held_back_items(channel, ready),
        *file_items(channel),
    ]
