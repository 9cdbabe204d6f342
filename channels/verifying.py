"""Tries a channel before it carries anything: every check by itself, with what to do and who has to do it.

The checks on the server run inside a request, so all of them together have `DEADLINE` seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import paramiko
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from channels import judging, sftp, vault
from channels.errors import (
    BadHostKey,
    ConnectionLost,
    HostKeyChanged,
    LogInRefused,
    NoCommonGround,
    TransportError,
)
from channels.judging import day
from channels.locking import ChannelBusy, channel_lock
from channels.models import Channel, Credential
from channels.signing import UnfitCertificate, load_certificate
from portal.permissions import noted, permissions_of
from portal.secrecy import SealBroken

STEP: Final = 4.0
"""Seconds for each step of a conversation with the server."""

DEADLINE: Final = 12.0
"""Seconds after which nobody waits any longer, whatever the server does."""

_Kind = Credential.Kind


class Who(StrEnum):
    """Who can mend something."""

    HERE = "here"
    CHAMAN = "chaman"
    TECHNICAL = "technical"

    @property
    def label(self) -> str:
        """As people are called in the official manuals."""
        return {
            Who.HERE: pgettext("who acts", "You, here"),
            Who.CHAMAN: pgettext("who acts", "Chaman user"),
            Who.TECHNICAL: pgettext("who acts", "Technical contact"),
        }[self]


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, what was found, and, unless it holds, what to do and who does it.

    `is_open`: it could not be looked at, because something before it does not hold.
    """

    key: str
    title: str
    found: str = ""
    fault: str = ""
    remedy: str = ""
    who: Who | None = None
    is_open: bool = False

    @property
    def holds(self) -> bool:
        """Whether it was looked at and is well."""
        return not self.fault and not self.is_open


@dataclass(slots=True)
class _Visit:
    """What a conversation with the server came to; made in a thread, told in the reader's language afterwards."""

    is_in: bool = False
    can_read_answers: bool = False
    can_list_in: bool = False
    error: TransportError | None = None


def verify(channel: Channel) -> list[Check]:
    """Every check of a channel, in the order in which things are mended. Changes nothing here nor there."""
    certificate = _certificate_checks(channel)
    key, key_check = _ssh_key(channel)
    return [
        _sender(channel),
        _permissions(channel),
        key_check,
        *certificate,
        *_server_checks(channel, key),
    ]


def ask_server_key(channel: Channel) -> str:
    """The key that the server shows, as an OpenSSH line. Raises TransportError, after `DEADLINE` at the latest."""
    return _in_time(lambda: sftp.key_of_server(channel, step=STEP))


# --- here -----------------------------------------------------------------------------------------


def _sender(channel: Channel) -> Check:
    title = _("Sender number")
    if channel.sender_number:
        return Check("sender", title, channel.sender_number)
    return Check(
        "sender",
        title,
        fault=_("The sender number is not known yet."),
        remedy=_("Chaman shows it once the channel has been created there. Fill it in in the settings."),
        who=Who.CHAMAN,
    )


def _permissions(channel: Channel) -> Check:
    title = _("Secured permissions")
    if channel.services:
        return Check("permissions", title, ", ".join(permission_labels(channel)))
    return Check(
        "permissions",
        title,
        fault=_("No service is ticked: nothing could leave."),
        remedy=_("Tick in the settings what is ticked in Chaman."),
        who=Who.HERE,
    )


def permission_labels(channel: Channel) -> list[str]:
    """The secured permissions under which the channel sends, in the words of Chaman."""
    return [str(found.name) for found in permissions_of(channel.services)]


def noted_labels(channel: Channel) -> list[str]:
    """The other permissions that the channel holds, under which nothing is sent from here."""
    return [str(found.name) for found in noted() if found.code in channel.noted_permissions]


def _ssh_key(channel: Channel) -> tuple[paramiko.PKey | None, Check]:
    title = _("SSH key")
    try:
        key = vault.ssh_key(channel)
    except vault.MissingKey as missing:
        remedy = _("Generate or upload one on the page of the keys.")
        return None, Check("ssh", title, fault=str(missing), remedy=remedy, who=Who.HERE)
    except SealBroken:
        return None, Check(
            "ssh",
            title,
            fault=_("The vault cannot open the key."),
            remedy=_(
                "The master key of the portal is not the one it was sealed with: ask its administrator."
            ),
            who=Who.TECHNICAL,
        )
    return key, Check("ssh", title, key.fingerprint)


def _certificate_checks(channel: Channel) -> Iterator[Check]:
    """One line for each criterion of the certificate in use, and whether its private key opens and is its own."""
    title = _("Signing certificate")
    credential = vault.in_use(channel, _Kind.SIGNING)
    if credential is None:
        yield Check(
            "certificate",
            title,
            fault=str(vault.MissingKey(channel, _Kind.SIGNING)),
            remedy=_("Request one, or upload the one you have, on the page of the keys."),
            who=Who.HERE,
        )
        return
    certificate = load_certificate(credential.public.encode())
    findings = judging.judge(certificate, judging.SIGNING, now=timezone.now())
    for finding in findings:
        yield Check(
            f"certificate {finding.criterion}",
            _("%(what)s: %(criterion)s") % {"what": title, "criterion": finding.title.lower()},
            _until(credential) if finding.criterion == "ends" and finding.is_met else "",
            finding.fault,
            finding.remedy,
            None if finding.is_met else Who.TECHNICAL,
        )
    criterion = str(judging.CRITERIA["match"]).lower()
    named = _("%(what)s: %(criterion)s") % {"what": title, "criterion": criterion}
    if all(finding.is_met for finding in findings):
        yield _match(channel, named)
    else:
        yield Check("certificate match", named, is_open=True)


def _match(channel: Channel, title: str) -> Check:
    """Whether the private key opens, and belongs to a certificate that is otherwise fit."""
    try:
        vault.signer(channel)
    except SealBroken:
        return Check(
            "certificate match",
            title,
            fault=_("The vault cannot open the key."),
            remedy=_(
                "The master key of the portal is not the one it was sealed with: ask its administrator."
            ),
            who=Who.TECHNICAL,
        )
    except UnfitCertificate as unfit:
        return Check("certificate match", title, fault=str(unfit), who=Who.TECHNICAL)
    return Check("certificate match", title)


def _until(credential: Credential) -> str:
    return _("until %(day)s") % {"day": day(credential.expires_at)}


# --- over there -----------------------------------------------------------------------------------


def _server_checks(channel: Channel, key: paramiko.PKey | None) -> Iterator[Check]:
    titles = {
        "server": _("The server answers"),
        "host key": _("Key of the server"),
        "log-in": _("Log-in with the SSH key"),
        "answers": _("Directory of answers"),
        "uploads": _("Directory of uploads"),
    }
    if key is None or not channel.host_key:
        if not channel.host_key:
            yield Check(
                "host key",
                titles["host key"],
                fault=_("The key of the server has not been accepted yet."),
                remedy=_("Ask the server for its key, compare it, and accept it."),
                who=Who.HERE,
            )
        for name in titles:
            if channel.host_key or name != "host key":
                yield Check(name, titles[name], is_open=True)
        return
    try:
        with channel_lock(channel.pk):
            visit = _in_time(lambda: _visit(channel, key))
    except ChannelBusy as busy:
        yield Check(
            "server", titles["server"], fault=str(busy), remedy=_("Verify again in a minute."), who=Who.HERE
        )
        return
    except TransportError as error:
        visit = _Visit(error=error)
    stages = _stages(channel, key, visit)
    for name, title in titles.items():
        yield stages.get(name, Check(name, title, is_open=True))


def _stages(channel: Channel, key: paramiko.PKey, visit: _Visit) -> dict[str, Check]:
    """The checks that were come to: all before the one that failed hold."""
    environment = channel.environment
    found = {
        "server": Check("server", _("The server answers"), f"{channel.host}:{channel.port}"),
        "host key": Check("host key", _("Key of the server"), _("the one that was accepted")),
        "log-in": Check("log-in", _("Log-in with the SSH key"), channel.username),
        "answers": Check("answers", _("Directory of answers"), channel.answer_directory(environment)),
        "uploads": Check("uploads", _("Directory of uploads"), _uploads(channel, visit)),
    }
    if visit.error is None:
        return found
    failed, remedy, who = _mended_by(visit)
    if failed == "log-in" and key.get_name() == "ssh-rsa" and not channel.allows_ssh_rsa:
        remedy = f"{remedy} {_('An old server may need the ssh-rsa switch in the settings.')}"
    broken = Check(failed, found[failed].title, fault=str(visit.error), remedy=remedy, who=who)
    names = list(found)
    return {name: found[name] for name in names[: names.index(failed)]} | {failed: broken}


def _uploads(channel: Channel, visit: _Visit) -> str:
    directory = channel.upload_directory(channel.environment)
    if visit.can_list_in:
        return directory
    return _("%(directory)s, which this account may not list") % {"directory": directory}


def _mended_by(visit: _Visit) -> tuple[str, str, Who]:
    """Which check failed, what to do, and who does it."""
    match visit.error:
        case HostKeyChanged() | BadHostKey():
            return (
                "host key",
                _("Do not accept it before social security has confirmed the renewal."),
                Who.TECHNICAL,
            )
        case LogInRefused():
            return (
                "log-in",
                _(
                    "In Chaman, compare the technical user name, and the public SSH key with the one on the page of "
                    "the keys. A change there takes some time to count."
                ),
                Who.CHAMAN,
            )
        case NoCommonGround():
            return "server", _("An old server may need the ssh-rsa switch in the settings."), Who.TECHNICAL
        case ConnectionLost() if not visit.is_in:
            return (
                "server",
                _(
                    "Compare host and port in the settings; the network of the portal must let the connection out."
                ),
                Who.TECHNICAL,
            )
    where = "uploads" if visit.can_read_answers else "answers"
    return where, _("In Chaman, see whether the channel is open for this environment."), Who.CHAMAN


def _visit(channel: Channel, key: paramiko.PKey) -> _Visit:
    visit = _Visit()
    try:
        with sftp.open_session(channel, key, step=STEP, answer=STEP) as session:
            visit.is_in = True
            session.listing_out(channel.environment)
            visit.can_read_answers = True
            visit.can_list_in = session.listing_in(channel.environment) is not None
    except TransportError as error:
        visit.error = error
    return visit


def _in_time[Result](work: Callable[[], Result]) -> Result:
    """What `work` returns, or ConnectionLost after `DEADLINE`: name look-ups and rude servers know no time-out.

    Work that is given up ends by itself; it must not use the database.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="verifying")
    try:
        return pool.submit(work).result(DEADLINE)
    except TimeoutError:
        raise ConnectionLost(
            {"detail": _("no answer within %(seconds)d seconds") % {"seconds": DEADLINE}}
        ) from None
    finally:
        pool.shutdown(wait=False)
