"""The way to a channel in service, as steps: what is done, what comes next, and who has to act.

The order is that of the official steps (manual "CareerPro FLA: Etablir le canal batch", 27/03/2024): for a new channel
social security gives the sender number once Chaman knows everything, an existing channel has it from the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from channels import judging, vault
from channels.judging import day
from channels.models import Channel, Credential, EnvironmentCode, InboundFile
from channels.verifying import Who

_Kind = Credential.Kind

NOTIFICATION: Final = "NOTI"
"""The kind of answer that says what became of declarations; others speak of a set or of a worker."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `is_done`, or else `note` says what is missing; `url` leads to where it is done."""

    key: str
    title: str
    who: Who
    is_done: bool
    note: str
    url: str
    action: str


def steps(channel: Channel) -> list[Step]:
    """Every step of this channel's set-up, in the order in which they are taken."""
    keys = {row.kind: row for row in Credential.objects.filter(channel=channel).order_by("usable_from", "pk")}
    used = set(
        Credential.objects.filter(channel=channel).in_use(timezone.now()).values_list("kind", flat=True)
    )
    sender = _sender(channel)
    before, after = ([], [sender]) if channel.way == Channel.Way.NEW else ([sender], [])
    return [
        _data(channel),
        *before,
        _ssh(used),
        _certificate(keys, used),
        _chaman(channel),
        *after,
        *_last(channel),
    ]


def next_step(found: list[Step]) -> Step | None:
    """The first step that is not done."""
    return next((step for step in found if not step.is_done), None)


def _data(channel: Channel) -> Step:
    is_done = bool(channel.username and channel.services)
    return Step(
        "data",
        _("Data of the channel"),
        Who.HERE,
        is_done,
        f"{channel.username} · {channel.host}:{channel.port}"
        if is_done
        else _("Technical user name, services, and where the server is."),
        reverse("channel_settings"),
        _("Change") if is_done else _("Fill in"),
    )


def _sender(channel: Channel) -> Step:
    number = channel.sender_number
    return Step(
        "sender",
        _("Sender number"),
        Who.CHAMAN,
        bool(number),
        number or _("Six digits. Chaman shows it with the channel; fill it in here."),
        reverse("channel_settings"),
        _("Change") if number else _("Fill in"),
    )


def _ssh(used: set[str]) -> Step:
    is_done = _Kind.SSH in used
    return Step(
        "ssh",
        _("SSH key to log in with"),
        Who.HERE,
        is_done,
        _("Its public half goes to Chaman.")
        if is_done
        else _("Generate one here, or upload the one you have."),
        reverse("channel_keys") if is_done else reverse("channel_ssh_key"),
        _("Keys") if is_done else _("Give a key"),
    )


def _certificate(keys: dict[str, Credential], used: set[str]) -> Step:
    if _Kind.SIGNING in used:
        note, action, is_done = _until(keys[_Kind.SIGNING]), _("Keys"), True
    elif _Kind.REQUEST in keys:
        note = _("The request is made: send it to the issuer, and upload the certificate that comes.")
        action, is_done = _("Upload it"), False
    else:
        note = _("The qualified certificate that signs every file: request one, or upload the one you have.")
        action, is_done = _("Give a certificate"), False
    url = reverse("channel_keys") if is_done else reverse("channel_certificate")
    return Step("certificate", _("Signing certificate"), Who.TECHNICAL, is_done, note, url, action)


def _until(credential: Credential) -> str:
    return _("Valid until %(day)s.") % {"day": day(credential.expires_at)}


def _chaman(channel: Channel) -> Step:
    # A channel that is in service is known over there, whoever told it.
    is_done = channel.chaman_told_at is not None or channel.is_set_up
    told = _("Noted on %(day)s.") % {"day": day(channel.chaman_told_at)} if channel.chaman_told_at else ""
    return Step(
        "chaman",
        _("Fill in Chaman"),
        Who.CHAMAN,
        is_done,
        told
        if is_done
        else _("Field by field, with what to paste and upload. The local manager gives access to Chaman."),
        reverse("channel_chaman"),
        _("Look again") if is_done else _("See what to fill in"),
    )


def _last(channel: Channel) -> Iterator[Step]:
    yield Step(
        "server",
        _("Key of the server"),
        Who.TECHNICAL,
        bool(channel.host_key),
        vault.ssh_fingerprint(channel.host_key)
        if channel.host_key
        else _("Compared once by a person; from then on no other server gets anything."),
        reverse("channel_server"),
        _("See") if channel.host_key else _("Compare"),
    )
    yield Step(
        "verify",
        _("Verification"),
        Who.HERE,
        channel.verified_at is not None,
        _("Every check held on %(day)s.") % {"day": day(channel.verified_at)}
        if channel.verified_at
        else _("Log in, look at the directories, judge the certificate."),
        reverse("channel_verify"),
        _("Verify again") if channel.verified_at else _("Verify"),
    )
    yield Step(
        "service",
        _("In service"),
        Who.HERE,
        channel.is_set_up,
        "" if channel.is_set_up else _("Nothing leaves before this step."),
        reverse("channel_setup") if channel.is_set_up else reverse("channel_service"),
        "" if channel.is_set_up else _("Put it in service"),
    )
    yield _first_set(channel)


def first_answer(channel: Channel) -> InboundFile | None:
    """The first answer that said what became of declarations from here; without its bytes."""
    answers = InboundFile.objects.filter(
        channel=channel, state=InboundFile.State.APPLIED, kind=NOTIFICATION
    ).defer("content_sealed", "signature_sealed")
    return answers.order_by("pk").first()


def _first_set(channel: Channel) -> Step:
    answer = first_answer(channel)
    if answer:
        note, action = _("Answered on %(day)s.") % {"day": day(answer.applied_at)}, _("See")
    elif not channel.is_set_up:
        note, action = _("Once the channel is in service."), ""
    elif channel.environment == EnvironmentCode.PRODUCTION:
        note, action = _("Sets are made for production now: choose the simulation first."), _("See")
    else:
        note = _(
            "Checked and answered like a real one, and never registered: it shows that all holds together."
        )
        action = _("Prepare and send")
    title = _("A first set, answered")
    return Step("first_set", title, Who.HERE, answer is not None, note, reverse("channel_first_set"), action)


def certificate_warning(channel: Channel) -> dict[str, object] | None:
    """How loudly the signing certificate in use asks for the next one, or None when it has time or a successor.

    `level`: 0 (expired), 1, 7, 30 or 60; `days` that are left; `until`: its last day.
    """
    rows = list(Credential.objects.filter(channel=channel, kind=_Kind.SIGNING).order_by("usable_from", "pk"))
    now = timezone.now()
    current = next((row for row in reversed(rows) if row.usable_from <= now), None)
    if current is None or current.expires_at is None:
        return None
    level = judging.warning_level(current.expires_at, now)
    has_next = any(now < row.usable_from <= current.expires_at for row in rows)
    if level is None or (has_next and level):
        return None
    return {
        "level": level,
        "days": judging.days_left(current.expires_at, now),
        "until": current.expires_at,
    }
