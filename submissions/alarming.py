"""What somebody must know about a channel: raised once, told once, ended when it is over.

The sweep watches each channel about once a minute. An alarm is a row, so that it is told once whatever is restarted;
it stands on the home page as long as it holds, and is mailed once to whoever wants to be told at once, when the
installation sends mail. So is a set that waits for a decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.models import Alarm, Channel
from portal import audit, tenancy
from portal.models import ChannelProfile, Event, Mandataire, Profile
from submissions import health, noticing
from submissions.health import Health
from submissions.models import Batch, Notice
from submissions.noticing import Line
from submissions.states import BatchState

CERTIFICATE_DAYS: Final = (1, 7, 30, 60)
"""Days before its end on which a certificate is spoken of; only the nearest one holds."""

ADVICE: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        Alarm.Kind.HOST_KEY: gettext_lazy(
            "Nothing is sent or fetched. Ask social security whether its key was renewed; then two people compare "
            "the fingerprints and accept it."
        ),
        Alarm.Kind.BROKEN: gettext_lazy(
            "Ten attempts in a row failed, for over an hour. Test the contact and read what went wrong; the channel "
            "starts again with the first success."
        ),
        Alarm.Kind.NO_CONTACT: gettext_lazy(
            "The last contact was too long ago. Test the contact and read what went wrong; if nothing is tried at "
            "all, ask your administrator whether the worker runs."
        ),
        Alarm.Kind.UNSENT: gettext_lazy(
            "Their departure has passed. See whether the channel is paused, or whether a batch waits for your decision."
        ),
        Alarm.Kind.UNANSWERED: gettext_lazy(
            "A batch left and its receipt or its answers stay away. Collect now; if nothing comes, ask the contact "
            "centre of social security, with the name of the file."
        ),
        Alarm.Kind.CONTRADICTED: gettext_lazy(
            "It gave two different final answers about the same declarations. What it said first counts here. Look at "
            "the files that contradict, and ask the contact centre of social security which answer counts."
        ),
        Alarm.Kind.NOT_FOR_HERE: gettext_lazy(
            "It is of another environment, for another sender, or differs from an earlier one of its name. Look at the "
            "file, and tell the contact centre of social security."
        ),
        **dict.fromkeys(
            (f"certificate_{days}" for days in CERTIFICATE_DAYS),
            gettext_lazy(
                "Without a valid certificate nothing can be signed. Ask for a new one now, and register it before "
                "this one ends."
            ),
        ),
        **dict.fromkeys(
            (f"rest_{days}" for days in CERTIFICATE_DAYS),
            gettext_lazy(
                "Without a valid certificate nobody gets in through the REST account. Ask for a new one, register it "
                "in Chaman, check and keep it on the page of the keys, then remove the old one there."
            ),
        ),
    }
)
"""What to do, by kind."""

CONTRADICTION_HOLDS: Final = timedelta(days=7)
"""How long a contradiction is an alarm: nothing ends it by itself, and the file goes on telling it."""

FILE_HOLDS: Final = timedelta(days=7)
"""How long an answer that was not applied is an alarm: nothing ends it by itself, and the file goes on telling it."""

_ITSELF: Final = frozenset({Alarm.Kind.HOST_KEY, Alarm.Kind.BROKEN})
"""Alarms that explain why there is no contact."""

_WARNINGS: Final = frozenset(
    {"certificate_60", "certificate_30", "rest_60", "rest_30", Alarm.Kind.UNANSWERED, Alarm.Kind.CONTRADICTED}
)


def holding(channel: Channel, state: Health, now: datetime) -> set[str]:
    """The kinds of alarm that hold for a channel at `now`."""
    config = settings.CONFIG
    kinds: set[str] = set()
    if channel.other_host_key:
        kinds.add(Alarm.Kind.HOST_KEY)
    if channel.broken_at:
        kinds.add(Alarm.Kind.BROKEN)
    last = channel.last_contact_at or channel.failing_since
    if not (kinds & _ITSELF) and not channel.is_paused and _is_over(last, config.contact_overdue_after, now):
        kinds.add(Alarm.Kind.NO_CONTACT)
    missed = channel.departs_at if state.ready else None
    if any(
        _is_over(at, config.acknowledgement_overdue_after, now) for at in (state.oldest_unsent_at, missed)
    ):
        kinds.add(Alarm.Kind.UNSENT)
    if _is_over(state.oldest_unacknowledged_at, config.acknowledgement_overdue_after, now) or _is_over(
        state.oldest_unanswered_at, config.answers_overdue_after, now
    ):
        kinds.add(Alarm.Kind.UNANSWERED)
    if state.contradicted_at and now - state.contradicted_at < CONTRADICTION_HOLDS:
        kinds.add(Alarm.Kind.CONTRADICTED)
    if state.not_for_here_at and now - state.not_for_here_at < FILE_HOLDS:
        kinds.add(Alarm.Kind.NOT_FOR_HERE)
    for name, until in (("certificate", state.certificate_until), ("rest", state.rest_until)):
        left = until - now if until else timedelta.max
        nearest = next((days for days in CERTIFICATE_DAYS if left <= timedelta(days=days)), None)
        kinds |= {f"{name}_{nearest}"} if nearest else set()
    return kinds


def _is_over(since: datetime | None, seconds: int, now: datetime) -> bool:
    return since is not None and now - since > timedelta(seconds=seconds)


def watch(mandataire: UUID, channel_id: int) -> list[str]:
    """Raises and ends the alarms of a channel, then tells the new ones. Returns the kinds that hold."""
    now = timezone.now()
    with tenancy.scope(mandataire):
        # Locked: two watchers at a time would raise the same alarm twice.
        channel = Channel.objects.select_for_update(no_key=True).get(pk=channel_id)
        kinds = holding(channel, health.of([channel])[channel.pk], now)
        rows = Alarm.objects.filter(mandataire_id=mandataire, channel=channel, ended_at=None)
        open_ones = {alarm.kind: alarm for alarm in rows}
        for kind in sorted(kinds - set(open_ones)):
            Alarm.objects.create(channel=channel, kind=kind, since=now)
            audit.record(
                "channel.alarm_raised", channel, reason=str(Alarm.Kind(kind).label), data={"alarm": kind}
            )
        for kind in sorted(set(open_ones) - kinds):
            rows.filter(pk=open_ones[kind].pk).update(ended_at=now)
            audit.record(
                "channel.alarm_ended", channel, reason=str(Alarm.Kind(kind).label), data={"alarm": kind}
            )
        Channel.objects.filter(pk=channel_id).update(watched_at=now)
    if settings.SENDS_MAIL:
        tell(mandataire, channel_id)
    return sorted(kinds)


# --- telling ----------------------------------------------------------------------------------------------


def tell(mandataire: UUID, channel_id: int) -> None:
    """Writes to whoever wants to be told at once: of each open alarm of a channel, and of each set that is parked.

    Each is told once; what is written is mailed until the server takes it (`noticing`). As long as nobody is to be
    told, nothing counts as told.
    """
    with tenancy.scope(mandataire):
        _tell_alarms(mandataire, channel_id)
        _tell_parked(mandataire, channel_id)
    noticing.deliver(mandataire)


def _tell_alarms(mandataire: UUID, channel_id: int) -> None:
    untold = Alarm.objects.select_for_update(of=("self",)).filter(
        mandataire_id=mandataire, channel=channel_id, ended_at=None, told_at=None
    )
    alarms = list(untold.select_related("channel").order_by("pk"))
    readers = noticing.readers(noticing.RED, ChannelProfile.SEE) if alarms else []
    if not readers:
        return
    name = Mandataire.objects.values_list("name", flat=True).get(pk=mandataire)
    for alarm in alarms:
        for reader in readers:
            with noticing.in_language_of(reader):
                title = str(Alarm.Kind(alarm.kind).label)
                lines = [
                    Line(
                        _("%(title)s: channel “%(channel)s” of %(mandataire)s.")
                        % {"title": title, "channel": alarm.channel.name, "mandataire": name},
                        reverse("channel_health", args=[channel_id]),
                    ),
                    Line(str(ADVICE[alarm.kind])),
                    Line(
                        _(
                            "You find it on the home page of the portal for as long as it holds. "
                            "This message comes once."
                        )
                    ),
                ]
                subject = _("Portal: %(title)s") % {"title": title}
                noticing.write(reader, Notice.Kind.RED, f"alarm:{alarm.pk}", subject, lines)
        Alarm.objects.filter(pk=alarm.pk).update(told_at=timezone.now())
        audit.record("channel.alarm_told", alarm.channel, data={"alarm": alarm.kind, "count": len(readers)})


def _tell_parked(mandataire: UUID, channel_id: int) -> None:
    """Of a set that is parked again after somebody decided, everybody is told again: each time has its Event."""
    parked = Batch.objects.filter(mandataire_id=mandataire, channel=channel_id, state=BatchState.PARKED)
    pks = list(parked.order_by("pk").values_list("pk", flat=True))
    readers = noticing.readers(noticing.RED, Profile.EXTENDED) if pks else []
    times = dict(
        Event.objects.filter(
            mandataire_id=mandataire, subject_type="batch", subject_id__in=map(str, pks), verb="batch.parked"
        )
        .order_by("id")
        .values_list("subject_id", "id")
    )
    for pk in pks if readers else ():
        for reader in readers:
            with noticing.in_language_of(reader):
                title = _("A batch waits for your decision")
                subject = _("Portal: %(title)s") % {"title": title}
                lines = [Line(title, reverse("batch", args=[pk]))]
                key = f"parked:{pk}:{times.get(str(pk), 0)}"
                noticing.write(reader, Notice.Kind.RED, key, subject, lines)


# --- showing ----------------------------------------------------------------------------------------------


def item(channel_id: int, kind: str) -> dict[str, Any]:
    """An open alarm as something that waits for a person."""
    return {
        "tone": "warn" if kind in _WARNINGS else "bad",
        "title": Alarm.Kind(kind).label,
        "sentence": ADVICE[kind],
        "count": None,
        "url": reverse("channel_health", args=[channel_id]),
        "action": _("Look at the channel"),
    }


def in_order(kind: str) -> int:
    """The place of a kind where alarms are shown: what stops everything comes first."""
    return Alarm.Kind.values.index(kind)
