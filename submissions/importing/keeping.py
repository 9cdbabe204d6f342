"""Taking in a file: its bytes are kept sealed, and the worker is told. Nothing of it is read in the request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final
from uuid import UUID

from django.utils import timezone

from mandates.models import Employer
from mandates.numbers import mask_in_text
from portal import audit, tenancy
from portal.moving import LostRace
from submissions.importing import applying, checking, opening, turns, undoing
from submissions.models import RegisterImport
from submissions.states import RegisterImportState

_S = RegisterImportState
_UNFIT_IN_NAME: Final = re.compile(r"[^\w.() -]+")
_LONGEST_NAME: Final = 120


def keep(
    name: str, chunks: Iterable[bytes], kind: str, *, employer: Employer | None = None, declares: bool = False
) -> RegisterImport:
    """Stores a file to be checked by the worker. All its rows are about `employer` when one is given."""
    made = RegisterImport(
        name=_plain(name),
        kind=kind,
        employer=employer,
        declares=declares,
        uploaded_at=timezone.now(),
        uploaded_by=tenancy.actor(),
        due_at=turns.later(),
    )
    made.keep(chunks)
    data = {"name": made.name, "kind": made.kind, "sha256": made.sha256, "size": made.size}
    audit.record("register.uploaded", made, data=data)
    return made


def earlier(found: RegisterImport) -> RegisterImport | None:
    """The last import before this one that had the same bytes, or None."""
    rows = RegisterImport.objects.filter(
        mandataire_id=tenancy.current(), sha256=found.sha256, kind=found.kind, pk__lt=found.pk
    )
    return rows.exclude(state=_S.DISCARDED).order_by("-pk").first()


def map_columns(found: RegisterImport, mapping: Sequence[str]) -> None:
    """Says which column each heading is, and has the file checked by it. Raises LostRace once it is being applied."""
    if len(mapping) != len(found.headings) or any(opening.faults_of(found, mapping)):
        raise ValueError("a mapping is checked before it is kept")
    found.move(_S.CHECKING, mapping=list(mapping), due_at=turns.later(), month_first_line=None)
    audit.record("register.mapped", found, data={"name": found.name})


def resume(found: RegisterImport) -> None:
    """Notes that somebody asked to go on with an import at which nobody is; the caller wakes the worker."""
    audit.record("register.resumed", found, data={"name": found.name})


def discard(found: RegisterImport) -> None:
    """Throws a file away that was not applied, bytes and faults. What its headings mean stays remembered."""
    found.move(_S.DISCARDED, ended_at=timezone.now())
    found.sealed_pieces.all().delete()
    found.faults.all().delete()
    audit.record("register.discarded", found, data={"name": found.name, "sha256": found.sha256})


def work(mandataire: UUID, import_id: int) -> int:
    """Does whatever the worker has to do for an import: checks, applies or undoes it. Returns of how many rows.

    May be called at any time, by any number of workers: the last one has the turn, and the others stop.
    """
    turn = turns.take(mandataire, import_id)
    if turn is None:
        return 0
    try:
        return _DOING[_S(turn.state)](turn)
    except LostRace:
        return 0


_DOING: Final = {_S.CHECKING: checking.check, _S.APPLYING: applying.apply, _S.UNDOING: undoing.undo}


def _plain(name: str) -> str:
    """A name that can stand on a page and in the journal: no path, no quotes, no personal number."""
    plain = _UNFIT_IN_NAME.sub("_", mask_in_text(PurePath(name.replace("\\", "/")).name)).strip(" .")
    return plain[-_LONGEST_NAME:] or "import"
