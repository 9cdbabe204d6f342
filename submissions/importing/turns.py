"""The worker's turn at an import: many short transactions, and nobody else at it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from portal import tenancy
from portal.moving import LostRace
from submissions.models import RegisterImport


@dataclass(frozen=True, slots=True)
class Turn:
    """Whoever took the import last has the turn; `employers` is the limit in which it is worked on, or None."""

    mandataire: UUID
    import_id: int
    attempt: int
    state: str
    actor: int | None
    employers: tuple[int, ...] | None

    @contextmanager
    def step(self) -> Iterator[RegisterImport]:
        """One transaction in the name of who asked, with the import locked. Raises LostRace when the turn was lost."""
        with tenancy.scope(self.mandataire, actor=self.actor), tenancy.within(self.employers):
            with connection.cursor() as cursor:
                # The plans by which PostgreSQL checks foreign keys are kept for the whole session: one that was made
                # while a table was nearly empty reads all of it, for each of a hundred thousand rows.
                cursor.execute("SET LOCAL enable_seqscan = off")
            rows = RegisterImport.objects.select_for_update(of=("self",)).select_related("employer")
            found = rows.filter(pk=self.import_id, attempt=self.attempt, state=self.state).first()
            if found is None:
                raise LostRace(f"somebody else is at import {self.import_id}")
            yield found


def take(mandataire: UUID, import_id: int) -> Turn | None:
    """Takes the turn, also from whoever had it before; None when there is nothing to do."""
    with tenancy.scope(mandataire):
        rows = RegisterImport.objects.filter(pk=import_id, mandataire_id=mandataire, due_at__isnull=False)
        if not rows.update(attempt=F("attempt") + 1, due_at=later()):
            return None
        found = rows.get()
        actor = found.uploaded_by if found.state == RegisterImport.State.CHECKING else found.applied_by
        limit = None if found.employer_id is None else (found.employer_id,)
        return Turn(mandataire, import_id, found.attempt, found.state, actor, limit)


def later() -> datetime:
    """When the sweep takes an import for left alone."""
    return timezone.now() + timedelta(seconds=settings.CONFIG.retry_after)
