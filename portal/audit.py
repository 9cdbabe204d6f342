"""Events: writing them, and proving that none was changed, removed or put in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from portal import tenancy
from portal.models import Event, User

# What the digest covers, as PostgreSQL writes it: the trigger and the proof must read the same text.
CONTENT = (
    "jsonb_build_array(mandataire_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), actor_id, "
    "actor_name, verb, subject_type, subject_id, reason, data)::text"
)


def record(
    verb: str, subject: models.Model, *, reason: str = "", data: Mapping[str, object] | None = None
) -> Event:
    """Adds an Event to the current transaction: `verb` happened to `subject`, by the actor of the scope.

    `verb` is `object.past_participle` (`batch.sealed`). `data` must hold neither NISS nor secrets: events are shown
    and exported.
    """
    actor = tenancy.actor()
    name = User.objects.filter(pk=actor).values_list("username", flat=True).first() if actor else None
    return Event.objects.create(
        at=timezone.now(),
        actor_id=actor,
        actor_name=name or "",
        verb=verb,
        subject_type=subject._meta.model_name or "",
        subject_id=str(subject.pk),
        reason=reason,
        data=dict(data or {}),
    )


def record_all(verb: str, happened: Iterable[tuple[models.Model, Mapping[str, object]]]) -> None:
    """As `record`, for many objects to which the same happened: each with the data of its Event."""
    actor, now = tenancy.actor(), timezone.now()
    name = User.objects.filter(pk=actor).values_list("username", flat=True).first() if actor else None
    Event.objects.bulk_create(
        Event(
            at=now,
            actor_id=actor,
            actor_name=name or "",
            verb=verb,
            subject_type=subject._meta.model_name or "",
            subject_id=str(subject.pk),
            data=dict(data),
        )
        for subject, data in happened
    )


@dataclass(frozen=True)
class Break:
    """The first place where a chain does not hold."""

    position: int
    reason: str


def verify(mandataire: UUID) -> tuple[int, Break | None]:
    """Recomputes the chain of a mandataire. Returns the number of events that hold and the first break, if any.

    Head and events are read by one query, so that what others commit meanwhile is either in both or in neither.
    """
    with tenancy.scope(mandataire), connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT c.length, c.head, e.id, position, previous, digest, {CONTENT} FROM portal_event e "  # noqa: S608
            "FULL JOIN portal_eventchain c USING (mandataire_id) ORDER BY position"
        )
        length, head, previous, count = 0, b"", b"", 0
        while rows := cursor.fetchmany(2000):
            for chain_length, chain_head, event, position, stored_previous, digest, content in rows:
                length, head = chain_length or 0, bytes(chain_head or b"")
                if event is None:  # A head, and not a single event.
                    continue
                if position != count + 1:
                    return count, Break(count + 1, f"event {count + 1} is missing")
                expected = hashlib.sha256(previous + content.encode()).digest()
                if bytes(stored_previous) != previous or bytes(digest) != expected:
                    return count, Break(position, f"event {position} was changed")
                previous, count = expected, position
        if count != length or previous != head:
            return count, Break(count + 1, f"the chain holds {count} events, its head says {length}")
        return count, None
