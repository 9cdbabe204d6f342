"""The daily digest: what waits for a member, counted, from the same source as his home page.

Counts and links only. No worker, no number, and no client either: the name of a client may be that of a person who
works for himself, and mail travels in clear.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from channels import standing
from portal import tenancy
from portal.access import reaching
from portal.models import Application, Membership, Profile
from portal.templatetags.presenting import day
from submissions import noticing, problems, questions, waiting
from submissions.models import Notice
from submissions.noticing import Line


def tell(mandataire: UUID, _identity: int = 0) -> int:
    """Writes the digests of today that are due, then mails all that waits. Returns how many mails were taken."""
    now = timezone.now()
    if is_time(now):
        with tenancy.scope(mandataire):
            without = list(
                Membership.objects.filter(
                    _no_digest_of(key_of(now)),
                    mandataire_id=mandataire,
                    employer=None,
                    notices__in=noticing.DAILY,
                )
                .order_by("pk")
                .values_list("pk", flat=True)
            )
        for pk in without:
            with tenancy.scope(mandataire):  # One by one: a worker that is killed loses one at most.
                member = Membership.objects.select_related("user").holding().filter(pk=pk).first()
                if member:
                    write(member, key_of(now))
    return noticing.deliver(mandataire)


def _no_digest_of(key: str) -> Q:
    written = Notice.objects.filter(
        mandataire_id=tenancy.current(), member=OuterRef("pk"), kind=Notice.Kind.DIGEST, key=key
    )
    return Q(~Exists(written))


def is_time(now: datetime) -> bool:
    """Whether the hour of the digest has come today, in Belgium."""
    return timezone.localtime(now).time() >= settings.CONFIG.digest_at


def key_of(now: datetime) -> str:
    """The day in Belgium of which a digest tells."""
    return timezone.localdate(now).isoformat()


def write(member: Membership, key: str) -> bool:
    """Keeps the digest of a member to be mailed; says whether there was anything to tell."""
    with noticing.in_language_of(member):
        can_be_told = member.user.is_active and member.user.email and not member.is_blocked
        lines = lines_of(member) if can_be_told else []
        subject = _("Portal: what waits on %(day)s") % {"day": day(timezone.localdate())}
        return noticing.write(member, Notice.Kind.DIGEST, key, subject, lines)


def lines_of(member: Membership) -> list[Line]:
    """What waits for this member, in his language if that is the active one, as far as he may open it."""
    channel = standing.the_channel()  # Before the limit: how it stands is no client's matter.
    if not member.may(Profile.ENCODE):
        found = [
            *waiting.alarm_items(channel),
            *waiting.certificate_items(channel),
            *waiting.file_items(channel),
        ]
        return _lines(member, found)
    with reaching(member, Application.DECLARATIONS):
        rows = sum(len(cause.keys) for cause in problems.causes())
        # Without an item for each cause, which names clients and quotes what social security wrote.
        found = waiting.items([], questions.open_sets(), channel, questions.totals()["ready_services"])
    lines = _lines(member, found)
    if rows:
        lines.append(Line(_("Problems to correct"), reverse("to_correct"), rows))
    return lines


def _lines(member: Membership, found: list[waiting.Item]) -> list[Line]:
    return [
        Line(str(item["title"]), item["url"], item["count"])
        for item in found
        if member.may(item.get("needs") or Profile.ENCODE)
    ]
