"""When things leave and when answers are looked for: the clock of a channel, kept in its rows.

A service leaves at its cut-off times (`channels.models.Departure`) or, without any, in the rhythm of the installation.
Times are those of Belgium: 16:30 is 16:30 on both sides of a change to summer time.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from channels import stopping
from channels.enveloping import CannotSeal
from channels.models import Channel, Departure
from channels.vault import MissingKey
from mandates.catalogue import Source, services
from portal import audit, tenancy
from portal.templatetags.presenting import clock, spelled
from submissions.batching import BRUSSELS, NotAllowed, seal_ready
from submissions.enclosing import seal_documents, seal_files
from submissions.holidays import is_working_day
from submissions.models import Declaration

log = logging.getLogger(__name__)

_SEALING: Final[Mapping[Source, Callable[[UUID, int, str, str], list[int]]]] = {
    Source.RECORDS: seal_ready,
    Source.FILES: seal_files,
    Source.DOCUMENTS: seal_documents,
}

_DAYS_AHEAD = 15
"""Far enough for a working day to come: the longest row of days off in Belgium is five."""


def next_departure(now: datetime, every: int) -> datetime:
    """The first moment after `now` that is a whole number of `every` seconds into the UTC day's epoch."""
    return datetime.fromtimestamp((math.floor(now.timestamp() / every) + 1) * every, UTC)


def next_cutoff(now: datetime, minutes: Iterable[int], *, is_on_working_days: bool) -> datetime:
    """The first cut-off after `now`, in UTC. `minutes` count from midnight on the clocks of Belgium; not empty.

    A time that the night of summer time leaves out is taken an hour later by the clock, one that the night of
    winter time has twice is taken once, the first time.
    """
    today = now.astimezone(BRUSSELS).date()
    for day in (today + timedelta(days=ahead) for ahead in range(_DAYS_AHEAD)):
        if is_on_working_days and not is_working_day(day):
            continue
        for minute in sorted(minutes):
            local = datetime(day.year, day.month, day.day, *divmod(minute, 60), tzinfo=BRUSSELS)
            # Compared in UTC: two moments on the same clock are compared by what it shows.
            moment = local.astimezone(UTC)
            if moment > now:
                return moment
    raise ValueError("no cut-off at all")


def departs_at(channel: Channel, service: str, now: datetime) -> datetime | None:
    """When what is ready of a service leaves over a channel, not before `now`; None while the channel is stopped."""
    row = Departure.objects.filter(mandataire_id=tenancy.current(), channel=channel, service=service).first()
    return _next_of(channel, row, now)


def board(channel: Channel, now: datetime) -> list[tuple[str, Departure | None, datetime | None]]:
    """The services of a channel with their cut-off times, if any, and when each leaves next. One query."""
    rows = {row.service: row for row in _rows(channel)}
    return [
        (code, rows.get(code), _next_of(channel, rows.get(code), now)) for code in sorted(channel.services)
    ]


def _next_of(channel: Channel, row: Departure | None, now: datetime) -> datetime | None:
    if channel.is_paused:
        return None
    planned = row.departs_at if row else channel.departs_at
    return max(planned, now) if planned else now


def told(service: str, now: datetime | None = None) -> str:
    """When what is ready of a service leaves, as a sentence for whoever made it ready. Two queries."""
    now = now or timezone.now()
    carriers = Channel.objects.filter(mandataire_id=tenancy.current(), services__contains=[service])
    channel = carriers.order_by("id").first()
    if channel is None:
        return _("It leaves once a channel carries this service.")
    return _sentence(departs_at(channel, service, now), now)


def announced(now: datetime | None = None) -> list[str]:
    """When what is ready leaves, for the lists: a sentence for each service. One query, and one for each channel."""
    now = now or timezone.now()
    channels = Channel.objects.filter(mandataire_id=tenancy.current()).order_by("id")
    leaving: dict[str, str] = {}
    for channel in channels:
        for code, _row, at in board(channel, now):
            leaving.setdefault(code, _sentence(at, now))
    known = services()
    found = [(known[code].name if code in known else code, sentence) for code, sentence in leaving.items()]
    if len(found) == 1:
        return [_("What is ready: %(leaves)s") % {"leaves": found[0][1]}]
    return [
        _("%(service)s, what is ready: %(leaves)s") % {"service": name, "leaves": sentence}
        for name, sentence in sorted(found, key=lambda pair: str(pair[0]))
    ]


def _sentence(at: datetime | None, now: datetime) -> str:
    if at is None:
        return _("It leaves once the channel is in service again.")
    local = at.astimezone(BRUSSELS)
    days = (local.date() - now.astimezone(BRUSSELS).date()).days
    if at - now < timedelta(minutes=1):
        return _("It leaves within a minute.")
    if days == 0:
        return _("It leaves at %(at)s today.") % {"at": clock(at)}
    if days == 1:
        return _("It leaves tomorrow at %(at)s.") % {"at": clock(at)}
    return _("It leaves on %(day)s at %(at)s.") % {"day": spelled(local, "l j F"), "at": clock(at)}


def depart(mandataire: UUID, channel_id: int, *, is_asked: bool = False) -> list[int]:
    """Seals what is ready, allowed and due on this channel, then plans its next departure. Returns the batches.

    What is destined for an environment goes there in sets of its own, whichever the channel is in.

    `is_asked`: a person wants it, so cut-off times are not waited for, and a paused or broken channel is used all the
    same. The next departure is written last: a worker killed before it leaves the channel due, and the sweep comes
    back.
    """
    now = timezone.now()
    with tenancy.scope(mandataire):
        channel = Channel.objects.get(pk=channel_id)
        if not stopping.may_contact(channel, is_asked=is_asked):
            return []
        waiting = {
            (service, environment or channel.environment)
            for service, environment in Declaration.objects.ready()
            .filter(mandataire_id=tenancy.current())
            .values_list("service", "environment")
            .distinct()
        }
        later = set() if is_asked else {row.service for row in _rows(channel) if row.departs_at > now}
    sealed: list[int] = []
    leaving = set(channel.services) & set(services()) - later
    for code, environment in sorted(place for place in waiting if place[0] in leaving):
        try:
            sealed += _SEALING[services()[code].source](mandataire, channel_id, code, environment)
        except (NotAllowed, CannotSeal, MissingKey) as refusal:
            log.warning("channel %s, service %s, %s: %s", channel_id, code, environment, refusal)
    with tenancy.scope(mandataire):
        _plan(channel, timezone.now())
    return sealed


def _rows(channel: Channel) -> list[Departure]:
    return list(Departure.objects.filter(channel=channel).order_by("service"))


def _plan(channel: Channel, now: datetime) -> None:
    """Writes the next moment of each service that has cut-off times, and the first of all on the channel."""
    every = next_departure(now, settings.CONFIG.departure_every)
    rows = _rows(channel)
    for row in rows:
        row.departs_at = next_cutoff(now, row.minutes, is_on_working_days=row.is_on_working_days)
        row.save(update_fields=["departs_at"])
    is_timed = set(channel.services) <= {row.service for row in rows}
    moments = [row.departs_at for row in rows if row.service in channel.services]
    Channel.objects.filter(pk=channel.pk).update(
        departs_at=min(moments) if moments and is_timed else min([every, *moments])
    )


def set_cutoffs(
    channel: Channel, service: str, minutes: Sequence[int], *, is_on_working_days: bool = True
) -> None:
    """Gives a service its cut-off times over a channel; without any it follows the rhythm of the installation."""
    now = timezone.now()
    found = Departure.objects.filter(channel=channel, service=service)
    wanted = sorted(set(minutes))
    if wanted:
        planned = next_cutoff(now, wanted, is_on_working_days=is_on_working_days)
        Departure.objects.update_or_create(
            channel=channel,
            service=service,
            defaults={
                "minutes": wanted,
                "is_on_working_days": is_on_working_days,
                "departs_at": planned,
            },
        )
    else:
        found.delete()
    _plan(channel, now)
    times = [f"{minute // 60:02}:{minute % 60:02}" for minute in wanted]
    audit.record(
        "channel.cutoffs_set",
        channel,
        data={"service": service, "times": times, "is_on_working_days": is_on_working_days},
    )


def plan_next_collection(mandataire: UUID, channel_id: int) -> None:
    """Sets when OUT is looked at again. Gentle: nobody knows how often social security wants to be asked."""
    with tenancy.scope(mandataire):
        collects_at = timezone.now() + timedelta(seconds=settings.CONFIG.collect_every)
        Channel.objects.filter(pk=channel_id).update(collects_at=collects_at)
