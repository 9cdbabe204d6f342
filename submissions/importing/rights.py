"""Files of rights that were decided by hand: one row is one decision about a worker and a year, with its reason."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from portal import tenancy
from portal.spreadsheets.headings import Column, named
from submissions import rights
from submissions.fields import BY_NAME
from submissions.importing.cells import Unfit, minutes, word
from submissions.importing.contracts import LONGEST_DAY, SHORTEST_DAY, normal_day
from submissions.importing.rows import (
    EMPLOYER,
    NISS,
    PEOPLE,
    Row,
    Terms,
    column,
    find_known,
    hold_workers,
    read_people,
)
from submissions.models import ManualRight
from submissions.models.right import FIRST_YEAR, LONGEST_REASON, MOST_MINUTES, Decision

DECISION: Final = "decision"
_YEAR: Final = re.compile(r"[12][0-9]{3}")
_BARE: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_HOUR: Final = 60


class Rights:
    """One row is one decision: minutes more or less, or the whole right of a year."""

    columns: Mapping[str, Column] = {
        **PEOPLE,
        "right_year": column("right_year", _("Year"), is_needed=True, hint=_("Of the right, such as 2025.")),
        DECISION: column(
            DECISION,
            _("What is decided"),
            is_needed=True,
            hint=_("add, take (away), or whole: the right of the year is then set."),
        ),
        "right_minutes": column(
            "right_minutes",
            _("How much"),
            is_needed=True,
            hint=_("Such as 7 h 36, 7:36 or 456 min; a bare number needs “Counted in”."),
        ),
        "duration_unit": column(
            "duration_unit", _("Counted in"), hint=_("hours or days; for bare numbers only.")
        ),
        "day_minutes": column("day_minutes", _("Normal day"), hint=_("Such as 7 h 36; for days only.")),
        "reason": column("reason", _("Reason"), is_needed=True, hint=_("It is kept in the history.")),
    }
    twice = gettext_noop("Row %(line)d decides the same for this worker and year: remove one of the two.")

    def read(self, row: Row, cells: Mapping[str, str], terms: Terms) -> None:
        """See `rows.Kind`."""
        read_people(row, cells, terms)
        get = cells.get
        if row.read("right_year", get("right_year", ""), _year) is None:
            row.fault("right_year", gettext_noop("The year is missing."))
        decision = row.read(DECISION, get(DECISION, ""), partial(word, known=_decisions()))
        if decision is None:
            row.fault(DECISION, gettext_noop("Say what is decided: add, take or whole."))
        unit = row.read("duration_unit", get("duration_unit", ""), partial(word, known=_units()))
        length = row.read("day_minutes", get("day_minutes", ""), normal_day)
        if length is not None and not SHORTEST_DAY <= length <= LONGEST_DAY:
            row.fault(
                "day_minutes", gettext_noop("A normal day lasts from 1 to 12 hours: write it as 7 h 36.")
            )
        amount = row.read("right_minutes", get("right_minutes", ""), partial(_amount, unit=unit, day=length))
        if amount is None:
            row.fault("right_minutes", gettext_noop("Say how much, such as 7 h 36."))
        elif amount > MOST_MINUTES:
            row.fault("right_minutes", gettext_noop("At most 1 000 hours: look at the figure again."))
        elif not amount and decision != Decision.WHOLE:
            row.fault("right_minutes", gettext_noop("This changes nothing: say how much."))
        self._read_reason(row, get("reason", ""))
        if not row.faults:
            row.values["minutes"] = -(amount or 0) if decision == Decision.TAKE else amount
            row.values["is_whole"] = decision == Decision.WHOLE
            row.key = _key(row)

    def _read_reason(self, row: Row, text: str) -> None:
        if row.read("reason", text, str) is None:
            row.fault("reason", gettext_noop("Give a reason: it is kept in the history."))
        elif len(text) > LONGEST_REASON:
            sentence = gettext_noop("This text has %(length)d characters: shorten it to at most %(limit)d.")
            row.fault("reason", sentence, {"length": len(text), "limit": LONGEST_REASON})

    def compare(self, rows: Sequence[Row], terms: Terms, *, is_final: bool) -> None:
        """Three queries: the clients, the workers, what was decided for them and counts."""
        sound = find_known(rows)
        workers = {row.values["worker_id"] for row in sound}
        if is_final:
            hold_workers(workers)
        known = defaultdict[object, set[object]](set)
        decided = ManualRight.objects.filter(
            mandataire_id=tenancy.current(),
            worker_id__in=workers,
            year__in={row.values["right_year"] for row in sound},
            withdrawn_at=None,
        )
        columns = ("worker_id", "year", "minutes", "is_whole", "reason")
        for worker, year, *said in decided.values_list(*columns).order_by("pk").iterator():
            known[worker, year] |= {tuple(said), said[1]}
        for row in sound:
            values = row.values
            there = known[values["worker_id"], values["right_year"]]
            row.is_same = (values["minutes"], values["is_whole"], values["reason"]) in there
            if not row.is_same and values["is_whole"] and True in there:
                sentence = gettext_noop(
                    "The right of this year was set by hand already: take that back first."
                )
                row.fault(DECISION, sentence)

    def make(self, rows: Sequence[Row], *, declares: bool) -> dict[str, list[list[int]]]:
        """The decisions, in the name of whoever had the file imported."""
        made = rights.decide_many(
            ManualRight(
                worker_id=row.values["worker_id"],
                year=row.values["right_year"],
                minutes=row.values["minutes"],
                is_whole=row.values["is_whole"],
                reason=row.values["reason"],
            )
            for row in rows
        )
        return {"rights": [[row.line, one.pk] for row, one in zip(rows, made, strict=True)]}


def _key(row: Row) -> bytes:
    """What a decision is about: a year has one whole right, and several that add or take away."""
    values = row.values
    said = "whole" if values["is_whole"] else f"{values['minutes']}|{values['reason']}"
    return f"{values[EMPLOYER]}|{values[NISS]}|{values['right_year']}|{said}".encode()


@cache
def _decisions() -> dict[str, str]:
    return named({choice.value: choice.label for choice in Decision})


@cache
def _units() -> dict[str, str]:
    return named({code: choice.label for code, choice in BY_NAME["duration_unit"].choices.items()})


def _year(text: str) -> int:
    last = timezone.localdate().year + 1
    if not _YEAR.fullmatch(text) or not FIRST_YEAR <= int(text) <= last:
        raise Unfit(
            gettext_noop("Write a year from %(first)d to %(last)d."), {"first": FIRST_YEAR, "last": last}
        )
    return int(text)


def _amount(text: str, unit: str | None, day: int | None) -> int:
    """Minutes. A bare number counts in the unit that the row says; without one nobody knows."""
    if not _BARE.fullmatch(text):
        return minutes(text)
    if unit is None:
        raise Unfit(
            gettext_noop(
                "Nobody knows whether this is hours or days: write 7 h 36, or say what it is counted in."
            )
        )
    if unit == "days" and day is None:
        raise Unfit(gettext_noop("A number of days says nothing without the normal day."))
    return minutes(text, day if unit == "days" and day else _HOUR)
