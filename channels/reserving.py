"""Takes a file name before anything is rendered under it, so that no two sets ever share one.

Names built from the clock have collided elsewhere; a name used twice is refused (code 133). See
www.socialsecurity.be/site_fr/general/helpcentre/batch/files/directives.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.utils import timezone

from channels.models import Channel, ReservedName
from channels.naming import encode_sequence

BRUSSELS: Final = ZoneInfo("Europe/Brussels")


def today() -> date:
    """The day in Belgium: a name dated tomorrow is refused, and a server may run on another clock."""
    return timezone.localdate(timezone=BRUSSELS)


def reserve(
    channel: Channel, application_code: str, environment: str, day: date | None = None
) -> ReservedName:
    """Takes the next name of the channel's sender for `day` (today in Belgium) in `environment` (R, T or S).

    Runs in the caller's transaction and makes other reservations of the channel wait for its end; when it is
    rolled back, its name was never seen by anybody and is free again. Raises `naming.SequenceExhausted` after
    the last name of a day, `naming.BadFileName` for elements that break the rules.
    """
    day = day or today()
    Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
    # Over all first characters and application codes, so that a changed prefix never starts again at 1.
    used = ReservedName.objects.filter(
        sender_number=channel.sender_number, day=day, environment=environment
    ).aggregate(last=Max("counter"))["last"]
    counter = (used or 0) + 1
    name = ReservedName(
        channel=channel,
        sender_number=channel.sender_number,
        application_code=application_code,
        day=day,
        environment=environment,
        counter=counter,
        sequence=encode_sequence(channel.sequence_prefix, counter),
    )
    name.as_set_name()  # Raises BadFileName before the row exists.
    name.save(force_insert=True)
    return name
