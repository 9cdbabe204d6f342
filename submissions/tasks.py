"""Every task, each a few lines: Celery only wakes plain functions, and the database says what is due.

A task may be lost or run twice: the next sweep asks again, and every function it calls finds its own work done.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from django.utils import timezone

from channels import probing
from mandates.tasks import apply_import
from submissions import alarming, answering, departing, digesting, selecting, sets, sweeping
from submissions.importing import keeping
from submissions.letters import making
from submissions.sweeping import Work

log = logging.getLogger(__name__)
_SOON = 60  # Seconds after which a task that nobody took is dropped: the sweep has asked again by then.


@shared_task(expires=_SOON)
def sweep() -> None:
    """Asks the database what is due and enqueues it; the work itself is one task per channel, set or file."""
    for work, mandataire, identity in sweeping.due(timezone.now()):
        TASKS[work].delay(str(mandataire), identity)


@shared_task(expires=_SOON)
def depart(mandataire: str, channel_id: int, *, is_asked: bool = False) -> None:
    """Seals what is ready for this channel, and sends the sets on their way."""
    if departing.depart(UUID(mandataire), channel_id, is_asked=is_asked):
        leave.delay(mandataire, channel_id, is_asked=is_asked)


@shared_task(expires=_SOON)
def leave_chosen(mandataire: str, channel_id: int, environment: str, chosen: dict[str, list[int]]) -> None:
    """Seals what somebody chose, by quarter the ids of the clients, and sends the sets on their way."""
    if selecting.leave(UUID(mandataire), channel_id, environment, chosen):
        leave.delay(mandataire, channel_id, is_asked=True)


@shared_task(expires=_SOON)
def leave(mandataire: str, channel_id: int, *, is_asked: bool = False) -> None:
    """Drops the sets of a channel that wait for it, over one connection."""
    for batch, state in sweeping.leave(UUID(mandataire), channel_id, is_asked=is_asked).items():
        log.info("batch %s is %s", batch, state.value)


@shared_task(expires=_SOON)
def leave_one(mandataire: str, batch_id: int, *, is_asked: bool = False) -> None:
    """Drops one sealed set at once, or goes on where an interrupted drop stopped: what a button asks for."""
    log.info("batch %s is %s", batch_id, sets.leave(UUID(mandataire), batch_id, is_asked=is_asked).value)


@shared_task(expires=_SOON)
def collect(mandataire: str, channel_id: int, *, is_asked: bool = False) -> None:
    """Fetches what lies in OUT, and has it applied."""
    collected = sweeping.collect(UUID(mandataire), channel_id, is_asked=is_asked)
    for error in collected.errors:
        log.warning("channel %s: %s", channel_id, error)
    for file in collected.stored:
        apply.delay(mandataire, file)


@shared_task(expires=_SOON)
def apply(mandataire: str, file_id: int) -> None:
    """Applies one stored answer."""
    state = answering.apply(UUID(mandataire), file_id)
    log.info("file %s is %s", file_id, state.value if state else "taken care of already")


@shared_task(expires=_SOON)
def register(mandataire: str, import_id: int) -> None:
    """Checks, applies or undoes a file of workers or trainings, or goes on where a worker stopped."""
    log.info("import %s: %s rows", import_id, keeping.work(UUID(mandataire), import_id))


@shared_task(expires=_SOON)
def letters(mandataire: str, letters_id: int) -> None:
    """Makes the next parts of the balance letters of a year, and comes back for more after whoever waits meanwhile."""
    if making.work(UUID(mandataire), letters_id):
        letters.delay(mandataire, letters_id)


@shared_task(expires=_SOON)
def watch(mandataire: str, channel_id: int) -> None:
    """Raises, ends and tells the alarms of one channel."""
    alarming.watch(UUID(mandataire), channel_id)


@shared_task(expires=_SOON)
def tell(mandataire: str, identity: int = 0) -> None:
    """Writes the digests that are due, and mails what waits to be mailed."""
    digesting.tell(UUID(mandataire), identity)


@shared_task(expires=_SOON)
def probe(mandataire: str, channel_id: int) -> None:
    """Looks over one channel because a person asked for it."""
    probing.probe(UUID(mandataire), channel_id)


TASKS: dict[Work, Task[Any, Any]] = {
    "depart": depart,
    "leave": leave,
    "collect": collect,
    "apply": apply,
    "import": apply_import,
    "register": register,
    "letters": letters,
    "watch": watch,
    "tell": tell,
}
