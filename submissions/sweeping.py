"""What is due, asked of the database over all tenants: the one list that tasks, commands and buttons work from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from channels import collecting
from mandates.importing import applying
from portal import tenancy
from submissions import alarming, answering, claiming, departing, digesting, sets
from submissions.importing import keeping
from submissions.letters import making
from submissions.models import Batch
from submissions.states import BatchState

type Work = Literal["depart", "leave", "collect", "apply", "import", "register", "letters", "watch", "tell"]
WORKS: tuple[Work, ...] = get_args(Work.__value__)


class Due(NamedTuple):
    """One piece of work: a channel departs, drops, collects or is watched, a file is applied or imported.

    `import` is about mandates, `register` about workers and trainings, `letters` about balance letters to be made or
    deleted. `tell`, about mail, is of the whole mandataire: its identity is 0.
    """

    work: Work
    mandataire: UUID
    identity: int


def _ask(question: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Calls one of the guarded doors across tenants; each answers with ids only."""
    with connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(arguments))
        cursor.execute(f"SELECT * FROM {question}({places})", arguments)  # noqa: S608  a name of ours
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def due(now: datetime) -> Iterator[Due]:
    """Everything that is due at `now`. Asking changes nothing: whoever does the work finds out if it was done."""
    for mandataire, channel, departs, collects in _ask("channels_due", now):
        if departs:
            yield Due("depart", mandataire, channel)
        if collects:
            yield Due("collect", mandataire, channel)
    for mandataire, batches in _to_drop(now).items():
        with tenancy.scope(mandataire):
            channels = set(Batch.objects.filter(pk__in=batches).values_list("channel_id", flat=True))
        for channel in sorted(channels):
            yield Due("leave", mandataire, channel)
    for mandataire, file in _ask("channels_unapplied"):
        yield Due("apply", mandataire, file)
    for mandataire, mandates in _ask("mandates_imports_due", now):
        yield Due("import", mandataire, mandates)
    for mandataire, file in _ask("submissions_imports_due", now):
        yield Due("register", mandataire, file)
    for mandataire, letters in _ask("submissions_letters_due", now):
        yield Due("letters", mandataire, letters)
    quiet = now - timedelta(seconds=settings.CONFIG.watch_every)
    for mandataire, channel in _ask("channels_to_watch", quiet):
        yield Due("watch", mandataire, channel)
    if settings.SENDS_MAIL:
        day = digesting.key_of(now) if digesting.is_time(now) else ""
        for (mandataire,) in _ask("submissions_notices_due", now, day):
            yield Due("tell", mandataire, 0)


def _to_drop(now: datetime) -> dict[UUID, list[int]]:
    """The sets that are to be dropped at `now`: never tried, interrupted, or failed long enough ago."""
    stale = now - timedelta(seconds=settings.CONFIG.stale_after)
    retry = now - timedelta(seconds=settings.CONFIG.retry_after)
    found: dict[UUID, list[int]] = {}
    for mandataire, batch in _ask("submissions_to_drop", stale, retry):
        found.setdefault(mandataire, []).append(batch)
    return found


def leave(mandataire: UUID, channel_id: int, *, is_asked: bool = False) -> dict[int, BatchState]:
    """Drops every set of a channel that is to be dropped, over one connection. Returns the state of each.

    `is_asked`: a person wants it, so every sealed set is tried, also on a channel that is paused.
    """
    waiting = _to_drop(timezone.now()).get(mandataire, [])
    with tenancy.scope(mandataire):
        sealed = Batch.objects.filter(channel_id=channel_id, state=BatchState.SEALED)
        chosen = sealed if is_asked else sealed.filter(pk__in=waiting)
        batches = list(chosen.values_list("pk", flat=True))
    return sets.leave_together(mandataire, batches, is_asked=is_asked)


def collect(mandataire: UUID, channel_id: int, *, is_asked: bool = False) -> collecting.Collected:
    """Fetches what lies in OUT and is ours, and plans the next time."""
    collected = collecting.collect(mandataire, channel_id, judge=claiming.whose, is_asked=is_asked)
    departing.plan_next_collection(mandataire, channel_id)
    return collected


DOING: dict[Work, Callable[[UUID, int], object]] = {
    "depart": departing.depart,
    "leave": leave,
    "collect": collect,
    "apply": answering.apply,
    "import": applying.apply,
    "register": keeping.work,
    "letters": making.work,
    "watch": alarming.watch,
    "tell": digesting.tell,
}
