"""What the last contact over a channel taught: for its page, and for the chain of events."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from channels import stopping
from channels.models import Channel
from portal import audit, tenancy


def note_contact(
    mandataire: UUID, channel_id: int, error: Exception | str = "", *, is_reached: bool = False
) -> None:
    """Writes down that the other side was reached, or, with `error`, why it was not or what went wrong.

    `is_reached`: the contact itself succeeded, although something in it went wrong. A channel is tried every few
    minutes: only the first failure and the recovery are Events, not each repetition. Failures are counted, and may
    stop the channel (`channels.stopping`).
    """
    sentence = str(error)
    with tenancy.scope(mandataire):
        channel = Channel.objects.select_for_update(no_key=True).get(pk=channel_id)
        before, channel.last_error = channel.last_error, sentence
        if is_reached or not sentence:
            channel.last_contact_at = timezone.now()
            stopping.note_success(channel)
        else:
            stopping.note_failure(channel, error)
        channel.save(update_fields=["last_error", "last_contact_at", *stopping.NOTED])
        if sentence and sentence != before:
            audit.record("channel.failed", channel, reason=sentence)
        elif before and not sentence:
            audit.record("channel.recovered", channel)
