"""How the channel stands: in service or not, for how long its certificate counts, what came in last."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from cryptography.x509.oid import NameOID
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone

from channels import judging
from channels.models import Alarm, Channel, Credential, InboundFile
from channels.signing import load_certificate
from channels.vault import ssh_fingerprint
from portal import tenancy

RENEW_WITHIN: Final = judging.WARN_AT[0]
"""Days before its end from which a certificate asks to be renewed: a qualified one takes weeks to get."""

WAITS_FOR_A_PERSON: Final = (InboundFile.State.UNMATCHED, InboundFile.State.UNREADABLE)


def the_channel() -> Channel | None:
    """The channel of the current mandataire (the first one, where it has several qualities), in one query.

    It carries `certificate_until`, `has_next_certificate`, `last_answer_at`, `last_answer_kind` and `files_to_look_at`
    beside its columns, and the `open_alarms` of every channel of the mandataire, each {channel: id, kind}.
    """
    answers = InboundFile.objects.filter(channel=OuterRef("pk"), mandataire_id=tenancy.current())
    latest = answers.order_by("-id")
    return (
        Channel.objects.filter(mandataire_id=tenancy.current())
        .annotate(
            certificate_until=Subquery(_signing().values("expires_at")[:1]),
            has_next_certificate=Exists(_next_signing()),
            last_answer_at=Subquery(latest.values("received_at")[:1]),
            last_answer_kind=Subquery(latest.values("kind")[:1]),
            open_alarms=ArraySubquery(
                Alarm.objects.filter(mandataire_id=tenancy.current(), ended_at=None)
                .order_by("channel")
                .values_list(JSONObject(channel="channel_id", kind="kind"))
            ),
            files_to_look_at=Coalesce(
                Subquery(
                    answers.filter(state__in=WAITS_FOR_A_PERSON)
                    .order_by()
                    .values("channel")
                    .annotate(count=Count("pk"))
                    .values("count"),
                    output_field=IntegerField(),
                ),
                0,
            ),
        )
        .order_by("id")
        .first()
    )


def channel_shown() -> Channel | None:
    """The same channel with its number and environment only, which every page shows. One small query."""
    rows = Channel.objects.filter(mandataire_id=tenancy.current())
    return rows.only("sender_number", "environment").order_by("id").first()


def _signing() -> QuerySet[Credential]:
    """The signing certificate in use."""
    return Credential.objects.filter(
        channel=OuterRef("pk"), kind=Credential.Kind.SIGNING, mandataire_id=tenancy.current()
    ).in_use(timezone.now())


def _next_signing() -> QuerySet[Credential]:
    return Credential.objects.filter(
        channel=OuterRef("pk"),
        kind=Credential.Kind.SIGNING,
        mandataire_id=tenancy.current(),
        usable_from__gt=timezone.now(),
    )


def days_until(moment: datetime | None) -> int | None:
    """Whole days that remain until `moment`; negative once it has passed, None without a moment."""
    return None if moment is None else judging.days_left(moment, timezone.now())


def state_of(channel: Channel, certificate_days: int | None) -> str:
    """One word for the channel, as in `wording`: setting_up, other_key, paused... What stops it comes first."""
    if not channel.is_set_up:
        return "setting_up"
    if channel.other_host_key:
        return "other_key"
    if channel.paused_at or (channel.is_paused and not channel.broken_at):
        return "paused"
    if channel.broken_at:
        return "broken"
    if channel.last_error:
        return "failing"
    if channel.last_contact_at is None:
        return "silent"
    has_next: bool = getattr(channel, "has_next_certificate", False)
    if certificate_days is not None and certificate_days <= RENEW_WITHIN and not has_next:
        return "expiring"
    return "working"


def card(channel: Channel) -> dict[str, object]:
    """The few facts of the home page. `channel` comes from `the_channel`."""
    days = days_until(channel.certificate_until)  # type: ignore[attr-defined]
    return {
        "state": state_of(channel, days),
        "last_contact_at": channel.last_contact_at,
        "last_answer_at": channel.last_answer_at,  # type: ignore[attr-defined]
        "last_answer_kind": channel.last_answer_kind or "",  # type: ignore[attr-defined]
        "certificate_days": days,
    }


def page(channel: Channel) -> dict[str, object]:
    """All facts of the channel's own page. `channel` comes from `the_channel`; private halves stay where they are."""
    until: datetime | None = channel.certificate_until  # type: ignore[attr-defined]
    return {
        **card(channel),
        "name": channel.name,
        "host": channel.host,
        "port": channel.port,
        "host_key": host_key_shown(channel.host_key),
        "username": channel.username,
        "sender_number": channel.sender_number,
        "environment": channel.environment,
        "drop_folder": channel.upload_directory(channel.environment),
        "collect_folder": channel.answer_directory(channel.environment),
        "certificate": certificate_name(channel),
        "certificate_until": _day(until),
        "last_error": channel.last_error,
    }


def host_key_shown(line: str) -> str:
    """The pinned key as people compare it, `SHA256:...`; what is no public key line is shown as it is."""
    try:
        return ssh_fingerprint(line)
    except (IndexError, ValueError):
        return line


def certificate_name(channel: Channel, fingerprint: str | None = None) -> str:
    """The name in the signing certificate, or "" without one, or when it is not the one with this fingerprint."""
    rows = Credential.objects.filter(channel=channel, kind=Credential.Kind.SIGNING)
    rows = rows.in_use(timezone.now()) if fingerprint is None else rows.filter(fingerprint=fingerprint)
    public = rows.values_list("public", flat=True).first()
    if public is None:
        return ""
    names = load_certificate(public.encode()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _day(moment: datetime | None) -> date | None:
    return timezone.localtime(moment).date() if moment else None
