"""What people change about a channel: each change with its Event, in the transaction of the caller."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels import sftp, vault
from channels.models import Channel
from channels.naming import Environment
from portal import audit
from portal.models import Mandataire

TRIED: Final = frozenset(
    {"sender_number", "username", "host", "port", "host_key", "directories", "allows_ssh_rsa", "environment"}
)
"""What a verification has tried: once one of these changes, it has to be tried again."""


class CannotSetUp(ValueError):
    """A change that is not possible; ``str()`` is a translated sentence. `field` names the one to mend, if any."""

    permanent = True
    ambiguous = False

    def __init__(self, sentence: str | Promise, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field

    def __str__(self) -> str:
        return str(self.sentence)


ONE_PER_QUALITY: Final = _(
    "Social security gives one channel per quality, shared by all services and all clients: this organisation has "
    "its channel already. For another service, tick its permission in Chaman and in the settings of this channel."
)


def may_name(host: str) -> bool:
    """Whether this installation lets channels connect to `host`: nobody looks around in its network through one."""
    allowed = settings.CONFIG.channel_hosts.split(",")
    return host.lower() in {each.strip().lower() for each in allowed}


def open_channel(of: Mandataire, way: Channel.Way, name: str) -> Channel:
    """Begins the set-up of the channel of a mandataire in its quality. It stays paused until it is put in service.

    Raises CannotSetUp when there is one already.
    """
    try:
        with transaction.atomic():
            channel = Channel.objects.create(
                quality=of.quality,
                name=name,
                way=way,
                services=[],
                environment=Environment.SIMULATION.value,
                is_paused=True,
                is_set_up=False,
            )
    except IntegrityError:
        raise CannotSetUp(ONE_PER_QUALITY) from None
    audit.record("channel.opened", channel)
    return channel


def change(channel: Channel, **values: Any) -> list[str]:
    """Gives fields of the channel new values. Returns the names of those that differ; without any, nothing happens.

    Raises CannotSetUp for a sender number that another channel of this installation has.
    """
    changed = {name: value for name, value in values.items() if getattr(channel, name) != value}
    if not changed:
        return []
    before = {name: getattr(channel, name) for name in changed}
    if TRIED & set(changed):
        changed["verified_at"] = None
    for name, value in changed.items():
        setattr(channel, name, value)
    try:
        with transaction.atomic():
            channel.save(update_fields=list(changed))
    except IntegrityError:
        raise CannotSetUp(
            _(
                "Another organisation of this portal uses this sender number. "
                "Compare it with the one in Chaman; if it is yours, ask the administrator of the portal."
            ),
            "sender_number",
        ) from None
    audit.record(
        "channel.changed", channel, data={"changes": {name: [before[name], changed[name]] for name in before}}
    )
    return list(before)


def send_in(channel: Channel, environment: Environment) -> None:
    """From now on sets are made for this environment; those made before go where they were made for."""
    before = channel.environment
    if before == environment:
        return
    channel.environment, channel.verified_at = environment.value, None
    channel.save(update_fields=["environment", "verified_at"])
    audit.record("channel.environment_changed", channel, data={"before": before, "after": environment.value})


def pin(channel: Channel, line: str) -> None:
    """Keeps the key that the server showed and a person compared. Raises CannotSetUp.

    Only while the channel is being set up: once it is in service, another key is a matter for two people.
    """
    if channel.is_set_up and channel.host_key:
        raise CannotSetUp(_("The channel is in service: the key of its server is not changed here."))
    if not sftp.pinned_keys(line):
        raise CannotSetUp(_("This is no public key of a server."))
    channel.host_key, channel.verified_at = line, None
    channel.save(update_fields=["host_key", "verified_at"])
    audit.record("channel.host_key_pinned", channel, data={"fingerprint": vault.ssh_fingerprint(line)})


def note_chaman_told(channel: Channel) -> None:
    """A person says that everything stands in Chaman: only the verification can prove it."""
    channel.chaman_told_at = timezone.now()
    channel.save(update_fields=["chaman_told_at"])
    audit.record("channel.chaman_told", channel)


def note_verified(channel: Channel) -> None:
    """Every check held."""
    channel.verified_at = timezone.now()
    channel.save(update_fields=["verified_at"])
    audit.record("channel.verified", channel)


def put_in_service(channel: Channel) -> None:
    """Ends the set-up: from the next departure on the channel sends and collects. Raises CannotSetUp."""
    if channel.is_set_up:
        return
    if channel.verified_at is None:
        raise CannotSetUp(_("Verify the channel first: it goes into service once every check holds."))
    channel.is_set_up, channel.is_paused = True, False
    channel.save(update_fields=["is_set_up", "is_paused"])
    audit.record("channel.put_in_service", channel, data={"environment": channel.environment})


def account_name(channel: Channel) -> str:
    """What the account may be called in Chaman: how people there will recognise this portal."""
    return gettext("Portal %(name)s") % {"name": channel.name}
