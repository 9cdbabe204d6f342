"""Encoding a training once for many workers: one act, one transaction, one Event, and never twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mandates.catalogue import services
from mandates.models import Employer
from mandates.numbers import quarter_of
from portal import audit, tenancy
from portal.models import User
from portal.templatetags.presenting import person_name, quarter
from submissions import clashing, declaring, fields
from submissions.clashing import Planned
from submissions.models import Course, Declaration, SignOff, TrainingRecord
from submissions.states import DeclarationState
from submissions.teams import Mate, team

NOT_FOLLOWED: Final = "not_followed"
EARNED: Final = ("result", "certificate", "certificate_valid_until")
"""What only somebody who followed the training has."""
KEPT_OF_A_DRAFT: Final = frozenset(
    {"title", "starts_on", "ends_on", "duration_unit", "duration_minutes", "day_minutes"}
)
"""Without these there is no record at all; the rest of a draft may come later."""

_SLICE: Final = 1000
_LONGEST_NAME: Final = 200
_NUMBERS: Final = frozenset(item.name for item in fields.FIELDS if item.kind in ("minutes", "money", "date"))


class CannotEncode(ValueError):
    """Nothing was encoded; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One training for many workers, by their ids.

    `values` are those of the table of fields; `charged_minutes` None is the whole duration for who followed it.
    `absent` did not follow it, `free` have nothing charged, `again` get it although it stands in the register already.
    `has_own_days`: where a contract says another normal day, that one counts, and days are as long as it.
    `key` is the form's: the same form sent again makes nothing.
    """

    key: UUID
    values: Mapping[str, Any]
    workers: Collection[int]
    absent: Collection[int] = ()
    free: Collection[int] = ()
    again: Collection[int] = ()
    has_own_days: bool = True
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class Encoded:
    """What came of it: `made` and `left_out` (the same training stood there) count workers."""

    course: Course
    made: int = 0
    left_out: int = 0


def encode(employer: Employer, asked: Asked) -> Encoded:
    """Makes a record and a declaration for each worker; with a known key, only finds what was made then.

    Raises CannotEncode when a quarter is signed off, somebody is not in service on these days, or nobody is left.
    """
    # Whoever encodes for the same employer at the same moment waits here, and then sees what the first one made.
    Employer.objects.select_for_update(no_key=True).get(pk=employer.pk)
    if known := Course.objects.filter(mandataire_id=tenancy.current(), key=asked.key).first():
        return Encoded(known)
    if sentence := signed_off(employer, asked.values["ends_on"]):
        raise CannotEncode(sentence)
    mates = _chosen(employer, asked)
    twice = {pk for pk, clash in clashes(employer, asked).items() if clash.same} - set(asked.again)
    wanted = [mate for mate in mates if mate.worker.pk not in twice]
    if not wanted:
        raise CannotEncode(
            _("Nobody is left: this training stands in the register already for all of them.")
            if mates
            else _("Choose at least one worker.")
        )
    course = Course.objects.create(
        employer=employer, key=asked.key, encoded_at=timezone.now(), encoded_by=_actor()
    )
    records = TrainingRecord.objects.bulk_create(_records(course, wanted, asked), batch_size=_SLICE)
    declaring.declare(records, next(iter(services())), is_kept_back=asked.is_draft, is_told=False)
    audit.record(
        "course.encoded",
        employer,
        data={"title": asked.values["title"], "workers": len(records), "is_draft": asked.is_draft},
    )
    return Encoded(course, len(records), len(twice))


def clashes(employer: Employer, asked: Asked) -> dict[int, clashing.Clash]:
    """What stands in the register already for the workers asked for, by id. One query."""
    values = asked.values
    is_followed = values.get("status") in clashing.TAKES_TIME
    planned = Planned(
        values["title"],
        values["starts_on"],
        values["ends_on"],
        values["duration_minutes"] if is_followed else 0,
    )
    found = clashing.clashes(employer, asked.workers, planned, values["day_minutes"])
    for pk, clash in found.items():
        if pk in asked.absent or not is_followed:
            clash.full = []
    return found


def signed_off(employer: Employer, ends_on: date) -> str:
    """Why nothing can be added to the quarter of this day, or nothing."""
    code = quarter_of(ends_on)
    rows = SignOff.objects.filter(
        mandataire_id=tenancy.current(), employer=employer, quarter=code, reopened_at=None
    )
    if not rows.exists():
        return ""
    return _("%(quarter)s is signed off: have it opened again before something is added.") % {
        "quarter": quarter(code)
    }


def problems(values: Mapping[str, Any], *, is_draft: bool) -> dict[str, list[str]]:
    """What keeps a training from being encoded, by field: all that keeps it from leaving, for a draft only some."""
    found = fields.problems(charged(values))
    if is_draft:
        return {
            name: sentences
            for name, sentences in found.items()
            if name in KEPT_OF_A_DRAFT or not fields.is_empty(values.get(name))
        }
    return found


def charged(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with what is charged, where nobody said it: the whole duration, once it takes the worker's time."""
    if values.get("charged_minutes") is not None:
        return dict(values)
    takes = values.get("status") in clashing.TAKES_TIME
    return {**values, "charged_minutes": (values.get("duration_minutes") or 0) if takes else 0}


def make_ready(course: Course) -> tuple[int, int]:
    """Makes the complete drafts of a course ready to leave. Returns how many, and how many stay incomplete."""
    drafts = Declaration.objects.filter(
        mandataire_id=tenancy.current(), record__course=course, state=DeclarationState.DRAFT
    )
    rows = list(drafts.select_related("record").order_by("pk"))
    complete = [row.pk for row in rows if row.record and not fields.problems(row.record.values())]
    made = drafts.filter(pk__in=complete).update(state=DeclarationState.READY)
    if made:
        title = next(row.record.title for row in rows if row.record)
        audit.record("course.completed", course.employer, data={"title": title, "workers": made})
    return made, len(rows) - len(complete)


def _chosen(employer: Employer, asked: Asked) -> list[Mate]:
    wanted = set(asked.workers)
    mates = team(employer, asked.values["starts_on"], asked.values["ends_on"])
    chosen = [mate for mate in mates if mate.worker.pk in wanted]
    if gone := len(wanted) - len(chosen):
        raise CannotEncode(
            ngettext(
                "%(count)d worker you chose is not in service on these days: choose the workers again.",
                "%(count)d workers you chose are not in service on these days: choose the workers again.",
                gone,
            )
            % {"count": gone}
        )
    return chosen


def _records(course: Course, mates: Sequence[Mate], asked: Asked) -> Iterator[TrainingRecord]:
    by_day: dict[int, dict[str, Any]] = {}
    stem = course.key.hex[:12].upper()
    for number, mate in enumerate(mates, start=1):
        day = (asked.has_own_days and mate.day_minutes) or asked.values["day_minutes"]
        if day not in by_day:
            by_day[day] = _at(asked, day)
        values = dict(by_day[day])
        if mate.worker.pk in asked.absent:
            values |= {"status": NOT_FOLLOWED, "charged_minutes": 0}
            values |= {name: None if name in _NUMBERS else "" for name in EARNED}
        elif mate.worker.pk in asked.free:
            values["charged_minutes"] = 0
        yield TrainingRecord(
            employer_id=course.employer_id,
            worker=mate.worker,
            course=course,
            client_reference=f"N-{stem}-{number}",
            **values,
        )


def _at(asked: Asked, day: int) -> dict[str, Any]:
    """The values for a worker whose normal day has `day` minutes: what is counted in days is as long as these."""
    values, usual = dict(asked.values), asked.values["day_minutes"]
    if day != usual:
        values["day_minutes"] = day
        if values["duration_unit"] == "days":
            for name in ("duration_minutes", "charged_minutes"):
                if values[name] is not None:
                    values[name] = (values[name] * day * 2 + usual) // (usual * 2)  # half up
    values = charged(values)
    if faults := problems(values, is_draft=asked.is_draft):
        raise CannotEncode(" ".join(sentence for sentences in faults.values() for sentence in sentences))
    return {name: "" if value is None and name not in _NUMBERS else value for name, value in values.items()}


def _actor() -> str:
    found = User.objects.filter(pk=tenancy.actor() or 0).first()
    return person_name(found)[:_LONGEST_NAME] if found else ""
