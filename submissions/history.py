"""What happened to a record, a set and all that belongs to them, in the reader's words.

A record's history is a story, from its beginning: declared, refused because of this, corrected by somebody from this to
that, accepted. Of sets and workers the newest comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, Final, cast

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from channels.models import Drop, EnvironmentCode, InboundFile
from mandates.models import FormerNumber, Worker
from portal import telling, tenancy
from portal.models import Event
from portal.tellings import SHORT, TELLINGS
from portal.templatetags.presenting import Column, shown
from submissions.fields import BY_NAME, Field
from submissions.models import (
    Batch,
    CareerDocument,
    Declaration,
    Problem,
    RelayedFile,
    Settlement,
    TrainingRecord,
)
from submissions.states import DeclarationState
from submissions.words import heading

MOST: Final = 100
"""Events shown; the whole chain is in the journal."""

LABELS: Final = {name: field.label for name, field in BY_NAME.items()}

IN_THE_ROW: Final = frozenset({"declaration.created"})
"""What a declaration's own row tells, for each declaration and not only for the first of many."""


def of_record(
    record: TrainingRecord | RelayedFile | CareerDocument | Declaration, declarations: Collection[Declaration]
) -> list[dict[str, Any]]:
    """What happened to a record, a file or a document, and to the declarations about it, in order. Three queries.

    What happened to many declarations at once has one Event, kept with their set or with the first of them: here each
    tells of itself, from its own row.
    """
    told = _told(_about(record) | _about(*declarations), SHORT - IN_THE_ROW)
    if isinstance(record, TrainingRecord) and record.course:
        told.append(
            _line(record.course.encoded_at, _("Encoded for several workers"), record.course.encoded_by)
        )
    for declaration in declarations:
        told += _told_by(declaration)
    if declarations:
        told += _settled(declarations)
    # The newest are kept, and read in order; of the same moment, what was done before what it caused.
    return sorted(told, key=lambda line: line["at"])[-MOST:]


def _told_by(declaration: Declaration) -> Iterator[dict[str, Any]]:
    """What a declaration's own row says: when it was made, sent and answered, with the way to each."""
    here = f"#declaration-{declaration.pk}"
    yield _line(declaration.created_at, _declared(declaration), url=here)
    batch = declaration.batch
    if batch and batch.dropped_at:
        # Files mix employers: to a limited reader they do not exist.
        url = reverse("batch", args=[batch.pk]) if tenancy.limit() is None else ""
        yield _line(batch.dropped_at, _placed(declaration, DeclarationState.SENT), url=url)
    if declaration.answered_at:
        text = _placed(declaration, DeclarationState(declaration.state))
        # An answer without remarks is asked for no anomalies.
        found = [] if declaration.state == DeclarationState.ACCEPTED else declaration.anomalies.all()
        causes = list(
            dict.fromkeys(str(heading(one.code, one.label, one.tag, declaration.quarter)) for one in found)
        )
        if causes:
            text = _("%(what)s: %(detail)s") % {"what": text, "detail": ", ".join(causes)}
        yield _line(declaration.answered_at, text, url=here)


def _settled(declarations: Collection[Declaration]) -> Iterator[dict[str, Any]]:
    """Where somebody decided that nothing more is to be done about an answer. One query."""
    for row in Settlement.objects.filter(mandataire_id=tenancy.current(), declaration__in=declarations):
        yield {**_line(row.settled_at, _("Left as it is"), row.settled_by), "reason": row.reason}


def _line(at: datetime, text: str | Promise, actor: str = "", *, url: str = "") -> dict[str, Any]:
    return {"at": at, "text": capfirst(str(text)), "actor": actor, "reason": "", "url": url}


def _placed(declaration: Declaration, state: DeclarationState) -> str:
    """A state, and where it was reached when that was a test."""
    if not declaration.is_test:
        return str(state.label)
    place = EnvironmentCode(declaration.environment).label
    return _("%(what)s: %(detail)s") % {"what": place, "detail": state.label}


def _declared(declaration: Declaration) -> str:
    kind = Declaration.Kind(declaration.kind).label
    if declaration.replaces_id:
        return _("Declared again: %(kind)s") % {"kind": kind}
    return _("%(what)s: %(detail)s") % {"what": TELLINGS["declaration.created"].short, "detail": kind}


def _changed(event: Event) -> str:
    """The fields that a change touched, each with what it was and what it is as far as the Event tells that."""
    values = event.data.get("values", {})
    told = []
    for name in event.data.get("fields", ()):
        column = BY_NAME.get(name)
        if column is None or name not in values:
            told.append(str(LABELS.get(name, name)))
            continue
        before, after = (_value(column, value) for value in values[name])
        told.append(f"{column.label} {before} → {after}")
    return _("%(what)s: %(detail)s") % {"what": TELLINGS[event.verb].short, "detail": "; ".join(told)}


def _value(column: Field, value: Any) -> str:
    """A value as an Event keeps it (`redeclaring.told_values`), in words."""
    if column.kind == "date" and isinstance(value, str):
        value = date.fromisoformat(value)
    if column.kind == "choice" and value not in column.choices:
        return str(value or "–")
    return shown(cast("Column", column), value)


def of_batch(batch: Batch, drops: Collection[Drop], files: Collection[InboundFile]) -> list[dict[str, Any]]:
    """What happened to a set, to the attempts to send it and to its answers. Two queries."""
    subjects = _about(batch) | _about(*drops) | _about(*files)
    if batch.envelope:
        subjects |= _about(batch.envelope)
    return _told(subjects, SHORT)


def of_problem(problem: Problem | None) -> list[dict[str, Any]]:
    """What people decided and said about a problem, newest first. Two queries, none before the first decision."""
    return _told(_about(problem), SHORT) if problem else []


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
            "text": _changed(event) if event.verb == "record.changed" else telling.short(event, LABELS),
            "actor": telling.actor_name(event, actors),
            "reason": event.reason,
            "url": "",
        }
        for event in events
    ]
