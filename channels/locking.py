"""One connection per channel at a time: a lock in PostgreSQL that ends with the worker who holds it.

The lock belongs to the database session, not to a transaction, because every step of a drop is a commit of
its own. It therefore needs a connection of its own per worker: a pooler that hands out a connection per
transaction would break it, which `ChannelLock.verify` finds out before anything that cannot be undone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext_lazy as _

log = logging.getLogger(__name__)


class ChannelBusy(RuntimeError):
    """Another worker uses the channel: nothing was done, the next sweep will."""

    permanent = False
    ambiguous = False

    def __str__(self) -> str:
        return str(_("Another task is using this channel; this one will be tried again."))


class LockLost(RuntimeError):
    """The database connection that held the lock is gone: another worker may be using the channel by now."""

    permanent = False
    ambiguous = False

    def __str__(self) -> str:
        return str(_("The portal lost its hold on the channel and stopped before doing anything twice."))


@dataclass(frozen=True, slots=True)
class ChannelLock:
    """The lock, as its holder sees it. `key` is the 64-bit number that PostgreSQL locks."""

    key: int

    def verify(self) -> None:
        """Raises LockLost unless this very database session still holds the lock.

        Django replaces a broken connection silently; the lock does not come along.
        """
        with connection.cursor() as cursor:
            # PostgreSQL shows the upper half of the key as classid, the lower as objid, and 1 for one number.
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() "
                "AND granted AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = %s)",
                [self.key],
            )
            (is_held,) = cursor.fetchone()
        if not is_held:
            raise LockLost


@contextmanager
def channel_lock(channel_id: int) -> Iterator[ChannelLock]:
    """Holds the channel for the length of the block, or raises ChannelBusy at once: nobody queues for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hashtextextended(%s, 0)", [f"channels.channel:{channel_id}"])
        (key,) = cursor.fetchone()
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise ChannelBusy
    try:
        yield ChannelLock(key)
    finally:
        _unlock(key)


def _unlock(key: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
    except (InterfaceError, OperationalError):
        # The session is gone, and the lock went with it; the next query opens a new one.
        log.warning("The database connection that held a channel was lost", exc_info=True)
        connection.close()
