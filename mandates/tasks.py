"""The task of this room, a few lines: Celery only wakes a plain function, and the sweep asks again when it is lost."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import shared_task

from mandates.importing import applying

log = logging.getLogger(__name__)
_SOON = 60  # Seconds after which a task that nobody took is dropped: the sweep asks again by then.


@shared_task(expires=_SOON)
def apply_import(mandataire: str, import_id: int) -> None:
    """Makes the mandates of an import, or goes on where a worker stopped."""
    log.info("import %s: %s mandates", import_id, applying.apply(UUID(mandataire), import_id))
