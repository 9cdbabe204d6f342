"""What is wrong with rows that are sound in themselves: beside each other, our clients, and who holds what.

Every question is asked once for all rows, so that twenty thousand cost as many queries as two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from django.utils.translation import gettext_noop

from mandates import conflicts, granting
from mandates.conflicts import Period, Words
from mandates.importing.columns import NAME, NUMBER, STARTS, Read
from mandates.models import Employer, Mandate
from mandates.states import OPEN, MandateState
from portal import tenancy
from portal.spreadsheets.headings import Fault

_IN_THE_WAY: Final = (MandateState.ACTIVE, *OPEN)


class Wanted(NamedTuple):
    """A mandate that a row asks for."""

    line: int
    number: str
    service: str
    period: Period


def check(rows: Sequence[Read]) -> dict[str, Employer]:
    """Adds to the rows what is wrong with them in this house. Returns the clients they are about, by number."""
    known = clients(row.number for row in rows if row.number)
    wanted: list[Wanted] = []
    seen: dict[tuple[str, str], list[Read]] = defaultdict(list)
    for row in rows:
        if row.number and row.number not in known and not row.name:
            sentence = gettext_noop("This enterprise is not a client yet: give its name, and it is added.")
            row.faults.append(Fault(NAME, sentence))
        if not (row.number and row.service and row.period):
            continue
        before = seen[row.number, row.service]
        if fault := _repeats(row, before):
            row.faults.append(fault)
        before.append(row)
        wanted.append(Wanted(row.line, row.number, row.service, row.period))
    faults = in_the_way(wanted)
    for row in rows:
        if row.line in faults:
            row.faults.append(faults[row.line])
    return known


def clients(numbers: Iterable[str]) -> dict[str, Employer]:
    """Our clients with these numbers, by number."""
    rows = Employer.objects.filter(mandataire_id=tenancy.current(), number__in=set(numbers))
    return {employer.number: employer for employer in rows.order_by("pk")}


def _repeats(row: Read, before: Iterable[Read]) -> Fault | None:
    """The fault of a row whose period overlaps that of an earlier row for the same client and service."""
    for other in before:
        if other.period and row.period and _overlap(other.period, row.period):
            if (other.period, other.cells) == (row.period, row.cells):
                return Fault(
                    NUMBER,
                    gettext_noop("This is row %(line)d once more: remove one of them."),
                    {"line": other.line},
                )
            sentence = gettext_noop("The period overlaps that of row %(line)d for the same enterprise.")
            return Fault(STARTS, sentence, {"line": other.line})
    return None


def _overlap(one: Period, other: Period) -> bool:
    starts_before_end = other.ends_on is None or one.starts_on <= other.ends_on
    return starts_before_end and (one.ends_on is None or other.starts_on <= one.ends_on)


def in_the_way(wanted: Sequence[Wanted]) -> dict[int, Fault]:
    """By line: what a wanted mandate overlaps, a mandate of ours or the period of another mandataire.

    Three queries, however many are wanted.
    """
    faults = _ours(wanted)
    others = [one for one in wanted if one.line not in faults]
    for place, found in conflicts.taken_by_place([(one.number, one.service, one.period) for one in others]):
        faults[others[place].line] = _fault(conflicts.in_words(found), others[place].service)
    return faults


def _ours(wanted: Sequence[Wanted]) -> dict[int, Fault]:
    held: dict[tuple[str, str], list[Mandate]] = defaultdict(list)
    mandates = Mandate.objects.filter(
        mandataire_id=tenancy.current(),
        employer_id__in=[employer.pk for employer in clients(one.number for one in wanted).values()],
        state__in=_IN_THE_WAY,
    )
    for mandate in mandates.order_by("starts_on", "pk"):
        held[mandate.employer_number, mandate.service].append(mandate)
    faults: dict[int, Fault] = {}
    for one in wanted:
        for mandate in held[one.number, one.service]:
            if _overlap(Period(mandate.starts_on, mandate.ends_on), one.period):
                faults[one.line] = _fault(granting.in_words(mandate), one.service)
                break
    return faults


def _fault(words: Words, service: str) -> Fault:
    return Fault(STARTS, words.sentence, words.values | {"service": service})
