"""What a new training may start from: a template, an earlier training, or what this employer usually says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from mandates.models import Employer
from portal import audit, tenancy
from submissions.fields import FIELDS
from submissions.models import TrainingRecord, TrainingTemplate
from submissions.teams import usual_day

KEPT: Final = tuple(item.name for item in FIELDS if item.kind != "date")
"""What a template holds: days never come again."""
SUGGESTED: Final = ("title", "nature", "provider", "domain")
"""Fields in which what was typed before is offered again."""

_LOOKED_AT: Final = 200
_OFFERED: Final = 20
_SHOWN: Final = 5
_HABITS: Final = ("kind", "duration_unit", "funding", "working_hours")
_FIRST: Final = {
    "kind": "formal",
    "duration_unit": "days",
    "status": "followed",
    "funding": "employer",
    "working_hours": "during",
}


class NameTaken(ValueError):
    """There is a template of this name already; the sentence says what to do."""

    permanent = True
    ambiguous = False


@dataclass(frozen=True, slots=True)
class Habits:
    """What an employer usually says: values to begin with, texts to offer by field, the latest trainings by title."""

    values: Mapping[str, Any]
    texts: Mapping[str, list[str]]
    latest: list[TrainingRecord]


def habits(employer: Employer, today: date) -> Habits:
    """The most frequent values of the employer's latest trainings. Two queries."""
    rows = TrainingRecord.objects.filter(mandataire_id=tenancy.current(), employer=employer)
    known = list(rows.order_by("-pk")[:_LOOKED_AT])
    day = usual_day(employer, today)
    values: dict[str, Any] = {**_FIRST, "day_minutes": day, "duration_minutes": day}
    for name in _HABITS:
        if most := _said(known, name).most_common(1):
            values[name] = most[0][0]
    texts = {name: [text for text, _times in _said(known, name).most_common(_OFFERED)] for name in SUGGESTED}
    latest = {row.title: row for row in reversed(known)}
    newest = sorted(latest.values(), key=lambda row: row.pk, reverse=True)
    return Habits(values, texts, newest[:_SHOWN])


def _said(known: Iterable[TrainingRecord], name: str) -> Counter[str]:
    return Counter(value for row in known if (value := getattr(row, name)))


def like(record: TrainingRecord) -> tuple[dict[str, Any], list[int]]:
    """The values of an earlier training without its days, and the ids of all workers who had the same on these days."""
    same = TrainingRecord.objects.filter(
        mandataire_id=tenancy.current(),
        employer_id=record.employer_id,
        title=record.title,
        starts_on=record.starts_on,
        ends_on=record.ends_on,
    )
    values = {name: getattr(record, name) for name in KEPT}
    # What one worker did not follow, he is not meant not to follow again.
    if record.status != "followed":
        values |= {"status": "followed", "charged_minutes": None}
    return values, list(same.values_list("worker_id", flat=True))


def templates(employer: Employer) -> QuerySet[TrainingTemplate]:
    """The templates for an employer: his own, and those of the mandataire for everybody."""
    rows = TrainingTemplate.objects.filter(mandataire_id=tenancy.current())
    return rows.filter(Q(employer=employer) | Q(employer=None)).order_by("name", "pk")


def keep(name: str, values: Mapping[str, Any], employer: Employer | None) -> TrainingTemplate:
    """A new template, of one employer or for all. Raises NameTaken."""
    try:
        with transaction.atomic():
            made = TrainingTemplate.objects.create(
                employer=employer, name=name, values={key: values[key] for key in KEPT}
            )
    except IntegrityError:
        raise NameTaken(_("There is a template of this name already: choose another name.")) from None
    audit.record("template.kept", made, data={"title": name})
    return made


def remove(template: TrainingTemplate) -> None:
    """Throws a template away; the trainings made from it stay. Who comes second does nothing."""
    gone, _tables = TrainingTemplate.objects.filter(pk=template.pk).delete()
    if gone:
        audit.record("template.removed", template, data={"title": template.name})
