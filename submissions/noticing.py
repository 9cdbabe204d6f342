"""Messages to members: written into a table with what they are about, and mailed from there until they are taken.

A message and the note that it is to be told are one commit, so nothing is lost; the row is locked while it is mailed,
so two workers never mail it twice. Only a worker that is killed after the mail server took a message and before that is
noted has it mailed again, under the same Message-ID, by which readers of mail know it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation

from portal import audit, tenancy
from portal.models import AnyProfile, Membership
from submissions.models import Notice

log = logging.getLogger(__name__)

GIVE_UP_AFTER: Final = timedelta(days=3)
"""How long a message that the mail server refuses is tried: older news is on the home page, or over."""

_LONGEST_WAIT: Final = timedelta(hours=1)

RED: Final = (Membership.Notices.RED, Membership.Notices.BOTH)
DAILY: Final = (Membership.Notices.DAILY, Membership.Notices.BOTH)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a message: a sentence without names, how many, and the path of its page ("" for none)."""

    title: str
    url: str = ""
    count: int | None = None


def wish_of(member: Membership) -> Membership.Notices:
    """What a member wants to be told by mail; who never chose is told of what is red when he is a manager."""
    if member.employer_id is not None:
        return Membership.Notices.NONE
    if member.notices:
        return Membership.Notices(member.notices)
    return Membership.Notices.RED if member.is_manager else Membership.Notices.NONE


def readers(wishes: Collection[str], profile: AnyProfile | None = None) -> list[Membership]:
    """Members who want this, can be written to, and hold `profile` for all clients, if one is asked for."""
    members = Membership.objects.filter(
        mandataire_id=tenancy.current(), is_blocked=False, employer=None, user__is_active=True
    ).exclude(user__email="")
    found = members.select_related("user").holding().order_by("pk")
    return [
        member
        for member in found
        if wish_of(member) in wishes
        and (profile is None or (member.may(profile) and member.reach(profile.application) is None))
    ]


def write(member: Membership, kind: Notice.Kind, key: str, subject: str, lines: Collection[Line]) -> bool:
    """Keeps a message to be mailed, unless this member was told `key` before. Without lines that is noted alone.

    The caller has switched to the language of the member (`in_language_of`). Says whether something is to be mailed.
    """
    context = {
        "subject": subject,
        "lines": [
            {
                "title": line.title,
                "count": line.count,
                "url": settings.CONFIG.public_url + line.url if line.url else "",
            }
            for line in lines
        ],
        "profile_url": settings.CONFIG.public_url + "/profile/",
    }
    now = timezone.now()
    _notice, is_new = Notice.objects.get_or_create(
        mandataire_id=tenancy.current(),
        member=member,
        kind=kind,
        key=key,
        defaults={
            "subject": subject if lines else "",
            "text": render_to_string("mail/notice.txt", context) if lines else "",
            "html": render_to_string("mail/notice.html", context) if lines else "",
            "made_at": now,
            "due_at": now if lines else None,
        },
    )
    return is_new and bool(lines)


def in_language_of(member: Membership) -> translation.override:
    """The language in which he reads."""
    return translation.override(member.user.language)


def deliver(mandataire: UUID) -> int:
    """Mails what is due, each in a transaction of its own. Returns how many messages the server took."""
    with tenancy.scope(mandataire):
        waiting = list(_due(timezone.now()).order_by("pk").values_list("pk", flat=True))
    return sum(_deliver(mandataire, pk) for pk in waiting)


def _due(now: datetime) -> QuerySet[Notice]:
    return Notice.objects.filter(mandataire_id=tenancy.current(), due_at__lte=now)


def _deliver(mandataire: UUID, pk: int) -> bool:
    with tenancy.scope(mandataire):
        now = timezone.now()
        notice = _due(now).select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
        if notice is None:
            return False
        member = Membership.objects.select_related("user").get(pk=notice.member_id)
        if member.is_blocked or not (member.user.is_active and member.user.email):
            _move(notice, due_at=None)
            return False
        try:
            _mail(notice, member.user.email).send()
        except OSError:  # What smtplib raises, and what the network does.
            log.warning("notice %s could not be mailed; it is tried again", pk, exc_info=True)
            if not notice.tries:
                audit.record("notice.failed", member, data={"kind": notice.kind})
            wait = min(timedelta(minutes=2**notice.tries), _LONGEST_WAIT)
            is_over = now - notice.made_at > GIVE_UP_AFTER
            _move(notice, due_at=None if is_over else now + wait, tries=notice.tries + 1)
            return False
        _move(notice, due_at=None, sent_at=now, tries=notice.tries + 1)
        audit.record("notice.sent", member, data={"kind": notice.kind})
        return True


def _move(notice: Notice, **changes: object) -> None:
    Notice.objects.filter(mandataire_id=tenancy.current(), pk=notice.pk).update(**changes)


def _mail(notice: Notice, address: str) -> EmailMultiAlternatives:
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    mail = EmailMultiAlternatives(
        subject=notice.subject,
        body=notice.text,
        to=[address],
        headers={"Message-ID": f"<notice-{notice.mandataire_id}-{notice.pk}@{sender}>"},
    )
    mail.attach_alternative(notice.html, "text/html")
    return mail
