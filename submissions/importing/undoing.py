"""Takes back what an import made, as long as nothing stands on it: what was sent or changed since is named and kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from django.db.models import F, Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mandates.models import Contract, Worker
from portal import audit, tenancy
from portal.models import Event
from portal.moving import LostRace
from submissions import rights
from submissions.importing import turns
from submissions.importing.kinds import TABLES
from submissions.importing.turns import Turn
from submissions.models import Declaration, ImportChunk, ManualRight, RegisterImport, TrainingRecord
from submissions.states import RegisterImportState

_S = RegisterImportState
MODELS: Final[dict[str, type[Model]]] = {
    "rights": ManualRight,
    "trainings": TrainingRecord,
    "contracts": Contract,
    "workers": Worker,
}
"""What an import makes, in the order in which it goes: what refers to others first."""
SENT: Final = gettext_noop("It was sent: cancel it on its page.")
CHANGED: Final = gettext_noop("Somebody changed it since.")
USED: Final = gettext_noop("Something else is about it by now.")
LEANED_ON: Final = gettext_noop("Training was counted against it since: take it back on its page.")
_ON_WORKERS: Final = ("contract.changed", "contract.ended")
"""What the history of a worker tells of a contract of his."""


def begin(found: RegisterImport) -> None:
    """Asks for it. Raises LostRace unless the import was applied, and not undone yet; an archive never is."""
    if found.kind not in TABLES:
        raise LostRace(f"import {found.pk} is an archive")
    found.move(_S.UNDOING, applied_by=tenancy.actor(), due_at=turns.later())
    audit.record("register.undo_asked", found, data={"name": found.name, "rows": found.done})


def undo(turn: Turn) -> int:
    """Takes back chunk by chunk, the last one first. Returns how many things went."""
    count = 0
    while True:
        with turn.step() as found:
            chunk = found.chunks.filter(is_undone=False).order_by("-number").first()
            if chunk is None:
                found.move(_S.UNDONE, due_at=None, ended_at=timezone.now())
                told = {"name": found.name, "rows": found.undone, "kept": found.kept}
                audit.record("register.undone", found, data=told)
                return count
            gone, declarations = _undo(chunk)
            kept = sum(map(len, chunk.kept.values()))
            RegisterImport.objects.filter(pk=found.pk).update(
                undone=F("undone") + gone, kept=F("kept") + kept, due_at=turns.later()
            )
            told = {"name": found.name, "rows": gone, "kept": kept, "last_row": chunk.through}
            told["declarations"] = declarations  # what the law of conservation looks for no longer
            audit.record("register.rows_undone", found, data=told)
            count += gone


def _undo(chunk: ImportChunk) -> tuple[int, int]:
    gone = declarations = 0
    for name, model in MODELS.items():
        pairs: list[tuple[int, int]] = chunk.made.get(name, [])
        reasons = _reasons(model, [pk for _row, pk in pairs])
        going = [pk for _row, pk in pairs if pk in reasons and not reasons[pk]]
        if model is TrainingRecord:
            rows = Declaration.objects.filter(mandataire_id=tenancy.current(), record_id__in=going)
            declarations += rows.delete()[1].get(Declaration._meta.label, 0)
        if model is ManualRight:
            # What was decided is never lost: it counts no more, and says why.
            gone += rights.take_back_many(
                going, _("The import of %(name)s was undone.") % {"name": chunk.of.name}
            )
        else:
            gone += model._default_manager.filter(pk__in=going).delete()[1].get(model._meta.label, 0)
        if kept := [[line, pk, reasons[pk]] for line, pk in pairs if reasons.get(pk)]:
            chunk.kept[name] = kept
    chunk.is_undone = True
    chunk.save(update_fields=["is_undone", "kept"])
    return gone, declarations


def _reasons(model: type[Model], pks: Sequence[int]) -> dict[int, str]:
    """For what is still there: why it stays, or nothing. Whoever sends or changes any of it meanwhile waits."""
    if model is ManualRight:
        return _of_rights(pks)
    there = model._default_manager.select_for_update().filter(pk__in=pks).order_by("pk")
    found: dict[int, str] = dict.fromkeys(there.values_list("pk", flat=True), "")
    found |= dict.fromkeys(_referred(model, found), USED)
    changed = Event.objects.filter(
        mandataire_id=tenancy.current(),
        subject_type=model._meta.model_name,
        subject_id__in=[str(pk) for pk in found],
    )
    found |= {int(pk): CHANGED for pk in changed.values_list("subject_id", flat=True)}
    if model is Contract:
        found |= dict.fromkeys(_changed_contracts(found), CHANGED)
    if model is TrainingRecord:
        declared = Declaration.objects.select_for_update().filter(
            mandataire_id=tenancy.current(), record_id__in=list(found)
        )
        states = declared.order_by("pk").values_list("record_id", "batch_id")
        found |= {record: SENT for record, batch in states if record is not None and batch is not None}
    return found


def _of_rights(pks: Sequence[int]) -> dict[int, str]:
    rows = ManualRight.objects.select_for_update().filter(
        mandataire_id=tenancy.current(), pk__in=pks, withdrawn_at=None
    )
    decided = list(rows.order_by("pk"))
    leaned_on = rights.leaned_on(decided)
    return {row.pk: LEANED_ON if row.pk in leaned_on else "" for row in decided}


def _changed_contracts(pks: Collection[int]) -> set[int]:
    """Those of these contracts of which the history of their worker tells that they were changed."""
    tenant = tenancy.current()
    workers = Contract.objects.filter(mandataire_id=tenant, pk__in=list(pks)).values_list(
        "worker_id", flat=True
    )
    told = Event.objects.filter(
        mandataire_id=tenant, subject_type=Worker._meta.model_name, verb__in=_ON_WORKERS
    ).filter(subject_id__in=[str(pk) for pk in set(workers)])
    return {data["contract"] for data in told.values_list("data", flat=True)} & set(pks)


def _referred(model: type[Model], pks: Collection[int]) -> set[int]:
    """Those that rows of any other table are about, whichever room it is in; declarations have a rule of their own."""
    found: set[int] = set()
    for relation in model._meta.related_objects:
        other: Any = relation.related_model
        if other is Declaration or other is model:
            continue
        rows = other._default_manager.filter(**{f"{relation.field.name}__in": list(pks)})
        found |= set(rows.values_list(f"{relation.field.attname}", flat=True))
    return found
