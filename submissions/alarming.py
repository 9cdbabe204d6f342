"""What somebody must know about a channel: raised once, told once, ended when it is over.

The sweep watches each channel about once a minute. An alarm is a row, so that it is told once whatever is restarted;
it stands on the home page as long as it holds, and is mailed once to each manager when the installation sends mail.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.models import Alarm, Channel
from portal import audit, tenancy
from portal.models import Mandataire, Membership
from submissions import health
from submissions.health import Health

log = logging.getLogger(__name__)

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


def tell(mandataire: UUID, channel_id: int) -> int:
    """Mails each open alarm of a channel that was not told yet to the managers. Returns how many were mailed.

    Noted as told before it is mailed: killed in between, it stands on the home page without a mail, and nobody gets
    two. A mail server that refuses is asked again at the next watch.
    """
    count = 0
    with tenancy.scope(mandataire):
        untold = Alarm.objects.filter(
            mandataire_id=mandataire, channel=channel_id, ended_at=None, told_at=None
        )
        waiting = list(untold.select_related("channel").order_by("pk"))
        readers = _readers()
        name = Mandataire.objects.values_list("name", flat=True).get(pk=mandataire)
    for alarm in waiting if readers else ():
        mails = [_mail(alarm, name, language, address) for address, language in readers]
        with tenancy.scope(mandataire):
            if not Alarm.objects.filter(pk=alarm.pk, told_at=None).update(told_at=timezone.now()):
                continue
            audit.record("channel.alarm_told", alarm.channel, data={"alarm": alarm.kind, "count": len(mails)})
        count += _send(mandataire, alarm, mails)
    return count


def _readers() -> list[tuple[str, str]]:
    """Address and language of each manager who can be written to."""
    managers = Membership.objects.managers().filter(mandataire_id=tenancy.current(), user__is_active=True)
    rows = managers.exclude(user__email="").order_by("pk")
    return list(rows.values_list("user__email", "user__language"))


def _mail(alarm: Alarm, mandataire: str, language: str, address: str) -> EmailMessage:
    """In the reader's language, and without anything about clients or workers: mail travels in clear."""
    with translation.override(language):
        title = str(Alarm.Kind(alarm.kind).label)
        lines = [
            _("%(title)s: channel “%(channel)s” of %(mandataire)s.")
            % {"title": title, "channel": alarm.channel.name, "mandataire": mandataire},
            str(ADVICE[alarm.kind]),
            _("You find it on the home page of the portal for as long as it holds. This message comes once."),
        ]
        subject = _("Portal: %(title)s") % {"title": title}
    return EmailMessage(subject=subject, body="\n\n".join(lines), to=[address])


def _send(mandataire: UUID, alarm: Alarm, mails: list[EmailMessage]) -> int:
    sent = 0
    try:
        for mail in mails:
            sent += mail.send()
    except OSError:  # What smtplib raises, and what the network does.
        log.warning("alarm %s could not be mailed; it is tried again", alarm.pk, exc_info=True)
        if not sent:
            with tenancy.scope(mandataire), transaction.atomic():
                Alarm.objects.filter(pk=alarm.pk).update(told_at=None)
    return int(bool(sent))


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
