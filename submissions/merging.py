"""Numbers that replace others: a BIS that becomes a NISS, and the two rows that one person may have had by then."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from mandates.models import NISS, FormerNumber, Worker
from portal import audit, tenancy
from portal.models import cipher
from submissions.models import CareerDocument, CorrectionRequest, ManualRight, TrainingRecord
from submissions.models.document import DOCUMENT

_TERMS = ("joint_committee", "regime", "day_minutes", "entered_on", "left_on")


class CannotSeparate(ValueError):
    """Two rows were made one because of this replacement: a person sorts out what is whose."""

    permanent = True
    ambiguous = False


def replace_number(worker: Worker, new: str, *, source: str = "") -> Worker:
    """Gives `worker` his new number (11 digits), and returns the row that has it from now on.

    When his employer has a row with that number already, the two are one person: contracts, trainings, documents and
    rights go to that row, and the other one ends. The former number stays, sealed, and goes on finding the person; a
    number that comes back undoes its replacement. `source` names the file that said so. Raises CannotSeparate when
    what is to be undone made one row of two.
    """
    index = cipher().blind_index(NISS, new)
    tenant = tenancy.current()
    rows = Worker.objects.filter(mandataire_id=tenant, employer=worker.employer_id)
    # In the order of their ids, so that two answers about the same people wait for each other.
    locked = list(
        (rows.filter(pk=worker.pk) | rows.filter(niss_index=index)).order_by("pk").select_for_update()
    )
    worker = next(row for row in locked if row.pk == worker.pk)
    other = next((row for row in locked if row.pk != worker.pk), None)
    undone = FormerNumber.objects.filter(
        mandataire_id=tenant, worker=worker, niss_index=index, undone_at=None
    ).first()
    if undone is not None and undone.merged_id is not None:
        raise CannotSeparate(_("Two workers were made one by this number: separate them by hand."))
    if undone is not None:
        undone.undone_at = timezone.now()
        undone.save(update_fields=["undone_at"])
    else:
        _keep(worker, other or worker, merged_id=worker.pk if other else None)
    if other is None:
        worker.niss = new
        worker.save(update_fields=["niss_sealed", "niss_index"])
        audit.record("worker.number_replaced", worker, data={"file": source})
        return worker
    moved = _move(worker, other)
    worker.delete()
    audit.record("worker.merged", other, data={"file": source, **moved})
    return other


def _keep(worker: Worker, holder: Worker, *, merged_id: int | None) -> None:
    """Keeps the present number of `worker` as a former one of `holder`."""
    FormerNumber.objects.create(
        worker=holder,
        niss_sealed=worker.niss_sealed,
        niss_index=worker.niss_index,
        merged_id=merged_id,
        replaced_at=timezone.now(),
    )


def _move(old: Worker, new: Worker) -> dict[str, int]:
    """Gives all that is about `old` to `new`; counts it. A contract that both rows have is kept once."""
    known = {tuple(getattr(row, name) for name in _TERMS): row for row in new.contracts.all()}
    contracts = 0
    for row in old.contracts.all():
        twin = known.get(tuple(getattr(row, name) for name in _TERMS))
        if twin is not None:
            row.documents.update(contract=twin)
            row.delete()
            continue
        row.worker = new
        row.save(update_fields=["worker"])
        contracts += 1
    for document in CareerDocument.objects.filter(worker=old):
        content = document.content  # sealed for the old row
        document.worker = new
        document.content_sealed = cipher().seal_bytes(DOCUMENT, content, subject=f"worker {new.pk}")
        document.save(update_fields=["worker", "content_sealed"])
    decided = ManualRight.objects.filter(worker=old)
    settled = ManualRight.objects.filter(worker=new, is_whole=True, withdrawn_at=None).values("year")
    decided.filter(is_whole=True, withdrawn_at=None, year__in=settled).update(
        withdrawn_at=timezone.now(),
        withdrawn_reason=_("Two rows of one person, each with a right of its own"),
    )
    decided.update(worker=new)
    FormerNumber.objects.filter(worker=old).update(worker=new)
    CorrectionRequest.objects.filter(worker=old).update(worker=new)
    trainings = TrainingRecord.objects.filter(worker=old).update(worker=new)
    return {"contracts": contracts, "trainings": trainings}
