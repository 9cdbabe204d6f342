"""A look over a channel that a person asks for: connects, lists, and says what it saw. Nothing is sent or fetched."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from django.utils import timezone

from channels import sftp
from channels.collecting import Connect
from channels.contact import note_contact
from channels.errors import TransportError
from channels.locking import ChannelBusy, channel_lock
from channels.models import Channel
from channels.naming import Environment
from channels.vault import MissingKey
from portal import audit, tenancy


def probe(mandataire: UUID, channel_id: int, *, connect: Connect = sftp.connect) -> dict[str, Any]:
    """Connects and lists both directories of the channel's environment. Returns, and keeps on the channel, what it saw.

    `at`: ISO 8601; `seconds` it took; `directories`: name -> number of files, None for one that may not be listed;
    `error`: the sentence for the operator, or "". Also on a stopped channel: a success closes the breaker. Runs
    outside of any transaction.
    """
    with tenancy.scope(mandataire):
        channel = Channel.objects.get(pk=channel_id)
    place, started = Environment(channel.environment), time.monotonic()
    seen: dict[str, int | None] = {}
    error: Exception | str = ""
    try:
        with channel_lock(channel.pk), connect(channel) as session:
            there = session.listing_in(place)
            seen[channel.upload_directory(place)] = None if there is None else len(there)
            seen[channel.answer_directory(place)] = len(session.listing_out(place))
    except (ChannelBusy, TransportError, MissingKey) as failure:
        error = failure
    if not isinstance(error, ChannelBusy):  # Then somebody else is in contact and notes it.
        note_contact(mandataire, channel_id, error)
    told: dict[str, Any] = {
        "at": timezone.now().isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started, 1),
        "directories": seen,
        "error": str(error),
    }
    with tenancy.scope(mandataire):
        Channel.objects.filter(pk=channel_id).update(last_probe=told)
        audit.record("channel.probed", channel, reason=told["error"])
    return told
