"""What happened to a record, a set and all that belongs to them, in the reader's words, newest first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from channels.models import Drop, EnvironmentCode, InboundFile
from mandates.models import FormerNumber, Worker
from portal import telling, tenancy
from portal.models import Event
from portal.tellings import SHORT, TELLINGS
from submissions.fields import BY_NAME
from submissions.models import Batch, CareerDocument, Declaration, RelayedFile, TrainingRecord
from submissions.states import DeclarationState

MOST: Final = 100
"""Events shown; the whole chain is in the journal."""

LABELS: Final = {name: field.label for name, field in BY_NAME.items()}

IN_THE_ROW: Final = frozenset({"declaration.created"})
"""What a declaration's own row tells, for each declaration and not only for the first of many."""


def of_record(
    record: TrainingRecord | RelayedFile | CareerDocument | Declaration, declarations: Collection[Declaration]
) -> list[dict[str, Any]]:
    """What happened to a record, a file or a document, and to the declarations about it. Two queries.

    What happened to many declarations at once has one Event, kept with their set or with the first of them: here each
    tells of itself, from its own row.
    """
    told = _told(_about(record) | _about(*declarations), SHORT - IN_THE_ROW)
    if isinstance(record, TrainingRecord) and record.course:
        told.append(
            _line(record.course.encoded_at, _("Encoded for several workers"), record.course.encoded_by)
        )
    for declaration in declarations:
        told.append(_line(declaration.created_at, _declared(declaration)))
        if declaration.batch and declaration.batch.dropped_at:
            told.append(_line(declaration.batch.dropped_at, _placed(declaration, DeclarationState.SENT)))
        if declaration.answered_at:
            answer = DeclarationState(declaration.state)
            told.append(_line(declaration.answered_at, _placed(declaration, answer)))
    return sorted(told, key=lambda line: line["at"], reverse=True)[:MOST]


def _line(at: datetime, text: str | Promise, actor: str = "") -> dict[str, Any]:
    return {"at": at, "text": capfirst(str(text)), "actor": actor, "reason": ""}


def _placed(declaration: Declaration, state: DeclarationState) -> str:
    """A state, and where it was reached when that was a test."""
    if not declaration.is_test:
        return str(state.label)
    place = EnvironmentCode(declaration.environment).label
    return _("%(what)s: %(detail)s") % {"what": place, "detail": state.label}


def _declared(declaration: Declaration) -> str:
    kind = Declaration.Kind(declaration.kind).label
    return _("%(what)s: %(detail)s") % {"what": TELLINGS["declaration.created"].short, "detail": kind}


def of_batch(batch: Batch, drops: Collection[Drop], files: Collection[InboundFile]) -> list[dict[str, Any]]:
    """What happened to a set, to the attempts to send it and to its answers. Two queries."""
    subjects = _about(batch) | _about(*drops) | _about(*files)
    if batch.envelope:
        subjects |= _about(batch.envelope)
    return _told(subjects, SHORT)


def of_worker(worker: Worker, former: Collection[FormerNumber]) -> list[dict[str, Any]]:
    """What happened to a worker, and to rows that became one with his. Two queries."""
    merged = [str(number.merged_id) for number in former if number.merged_id]
    return _told(_about(worker) | Q(subject_type="worker", subject_id__in=merged), SHORT)


def _about(*subjects: Any) -> Q:
    if not subjects:
        return Q(pk__in=[])
    return Q(
        subject_type=subjects[0]._meta.model_name, subject_id__in=[str(subject.pk) for subject in subjects]
    )


def _told(subjects: Q, verbs: Collection[str]) -> list[dict[str, Any]]:
    told = Event.objects.filter(subjects, mandataire_id=tenancy.current(), verb__in=verbs)
    events = list(told.order_by("-id")[:MOST])
    actors = telling.actors_of(events)
    return [
        {
            "at": event.at,
            "text": telling.short(event, LABELS),
            "actor": telling.actor_name(event, actors),
            "reason": event.reason,
        }
        for event in events
    ]
