"""What workers say is wrong with their training account: noted, then accepted with what was done, or declined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from mandates.models import Employer, Worker
from portal import audit, tenancy
from portal.models import User
from portal.templatetags.presenting import person_name
from submissions.models import CorrectionRequest, TrainingRecord
from submissions.states import CorrectionState


class CannotDecide(ValueError):
    """The request cannot be decided as asked; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


def requests_of(employer: Employer) -> QuerySet[CorrectionRequest]:
    """All requests of the workers of an employer."""
    return CorrectionRequest.objects.filter(mandataire_id=tenancy.current(), employer=employer)


def note(worker: Worker, values: Mapping[str, Any]) -> CorrectionRequest:
    """Notes what a worker asked: `kind`, `how`, `text`, `received_on`, and `record`, which is one of his or None."""
    made = CorrectionRequest.objects.create(
        employer_id=worker.employer_id,
        worker=worker,
        noted_at=timezone.now(),
        noted_by=_actor(),
        **values,
    )
    audit.record("correction.noted", worker, data=_told(made))
    return made


def accept(found: CorrectionRequest, outcome: TrainingRecord | None, reason: str = "") -> None:
    """The worker was right: `outcome` is the training that was corrected or made for it, `reason` what else was done.

    Raises CannotDecide when neither says what was done or the training is another worker's, LostRace when it was
    decided already.
    """
    reason = reason.strip()
    if outcome is None and not reason:
        raise CannotDecide(_("Choose the training that was corrected or added, or write what was done."))
    if outcome is not None and outcome.worker_id != found.worker_id:
        raise CannotDecide(_("This training is another worker's: choose one of this worker's."))
    _decide(found, CorrectionState.ACCEPTED, outcome=outcome, reason=reason)
    told = _told(found) | ({"outcome": outcome.pk} if outcome else {})
    audit.record("correction.accepted", found.worker, reason=reason, data=told)


def decline(found: CorrectionRequest, reason: str) -> None:
    """The account is right as it is. Raises CannotDecide without a reason, LostRace when it was decided already."""
    reason = reason.strip()
    if not reason:
        raise CannotDecide(_("Give a reason: the worker is told, and it is kept in the history."))
    _decide(found, CorrectionState.DECLINED, reason=reason)
    audit.record("correction.declined", found.worker, reason=reason, data=_told(found))


def _decide(found: CorrectionRequest, state: CorrectionState, **changes: Any) -> None:
    found.move(state, decided_at=timezone.now(), decided_by=_actor(), **changes)


def _told(found: CorrectionRequest) -> dict[str, object]:
    # What the worker wrote stays out of the journal, which is exported.
    about = {"record": found.record_id} if found.record_id else {}
    return {"correction_id": found.pk, "kind": found.kind, **about}


def _actor() -> str:
    found = User.objects.filter(pk=tenancy.actor() or 0).first()
    return person_name(found) if found else ""
