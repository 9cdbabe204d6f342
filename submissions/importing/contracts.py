"""Contracts in a file: of workers whom the register knows, or beside them in a file of workers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mandates import joint_committees
from mandates.employing import too_much_from
from mandates.models import Contract
from mandates.numbers import NumberError, parse_joint_committee
from portal import tenancy
from portal.spreadsheets.headings import Column
from portal.templatetags.presenting import day as shown_day
from submissions.importing.cells import day, minutes, percentage, unfit
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

SHORTEST_DAY: Final = 60
LONGEST_DAY: Final = 720
"""Minutes of a normal day."""
_REGIME: Final = Decimal(100)
_DAY: Final = 456
"""Minutes: 7 h 36, as a contract says where nothing else is said."""
NAMES: Final = ("joint_committee", "regime", "contract_day", "entered_on", "left_on")
"""The columns of a contract."""


def columns(*, is_needed: bool) -> dict[str, Column]:
    """The columns of a contract, in a file where every row has one or where some have."""
    return {
        "joint_committee": column(
            "joint_committee", _("Joint committee"), is_needed=is_needed, hint=_("Such as 200 or 140.03.")
        ),
        "regime": column("regime", _("Work regime (%)"), hint=_("100 when empty.")),
        "contract_day": column(
            "contract_day", _("Normal day"), hint=_("Such as 7 h 36, which it is when empty.")
        ),
        "entered_on": column(
            "entered_on", _("Entered on"), is_needed=is_needed, hint=_("Such as 21/11/2026 or 2026-11-21.")
        ),
        "left_on": column("left_on", _("Left on"), hint=_("Empty for who still works there.")),
    }


class Contracts:
    """One row is one contract of a worker whom the register knows: he may have several."""

    columns: Mapping[str, Column] = {**PEOPLE, **columns(is_needed=True)}
    twice = gettext_noop("Row %(line)d is about the same contract: remove one of the two.")

    def read(self, row: Row, cells: Mapping[str, str], terms: Terms) -> None:
        """See `rows.Kind`."""
        read_people(row, cells, terms)
        read(row, cells, terms)
        row.key = key(row)

    def compare(self, rows: Sequence[Row], terms: Terms, *, is_final: bool) -> None:
        """Three queries: the clients, the workers, their contracts."""
        compare(find_known(rows), is_final=is_final)

    def make(self, rows: Sequence[Row], *, declares: bool) -> dict[str, list[list[int]]]:
        """The contracts."""
        return {"contracts": make((row.line, row.values["contract"]) for row in rows)}


def key(row: Row) -> bytes:
    """What a contract is about: two rows that have it say the same contract."""
    return "|".join(
        str(row.values.get(name)) for name in (EMPLOYER, NISS, "joint_committee", "entered_on")
    ).encode()


def read(row: Row, cells: Mapping[str, str], terms: Terms) -> None:
    """Reads the columns of a contract."""
    get = cells.get
    on = partial(day, month_first_line=terms.month_first_line)
    row.read("regime", get("regime", ""), percentage)
    row.read("contract_day", get("contract_day", ""), normal_day)
    entered, left = (row.read(name, get(name, ""), on) for name in ("entered_on", "left_on"))
    row.read("joint_committee", get("joint_committee", ""), _committee)
    for name in ("joint_committee", "entered_on"):
        if not get(name):
            row.fault(name, gettext_noop("A contract needs its joint committee and its first day."))
    if entered and row.values.get("joint_committee"):
        try:
            joint_committees.check(row.values["joint_committee"], entered)
        except NumberError as error:
            row.put("joint_committee", unfit(error))
    if entered and left and left < entered:
        row.fault("left_on", gettext_noop("The last day is before the first day: correct one of the two."))
    length = row.values.get("contract_day")
    if length is not None and not SHORTEST_DAY <= length <= LONGEST_DAY:
        row.fault("contract_day", gettext_noop("A normal day lasts from 1 to 12 hours: write it as 7 h 36."))


def compare(rows: Sequence[Row], *, is_final: bool) -> None:
    """Compares contracts with those of the register and with those of the rows before. One query.

    A row without `worker_id` is about somebody new. Sound rows get their `contract`, not saved yet.
    """
    workers = {row.values["worker_id"] for row in rows if row.values["worker_id"]}
    if is_final:
        hold_workers(workers)
    held = defaultdict[object, list[Contract]](list)
    for found in Contract.objects.filter(mandataire_id=tenancy.current(), worker_id__in=workers).order_by(
        "pk"
    ):
        held[found.worker_id].append(found)
    for row in rows:
        values = row.values
        others = held[values["worker_id"] or (values["employer_id"], values["niss_index"])]
        wanted = _contract(values)
        before = next((one for one in others if _about(one) == _about(wanted)), None)
        if before:
            row.is_same = _said(before) == _said(wanted)
            if not row.is_same:
                sentence = gettext_noop(
                    "This contract is known, with another regime, normal day or last day: change it on the page "
                    "of the worker."
                )
                row.fault("entered_on", sentence)
        elif on := too_much_from(wanted, others):
            sentence = gettext_noop(
                "From %(day)s on the contracts of this worker come to more than 100 %%: end the earlier one first."
            )
            row.fault("regime", sentence, {"day": shown_day(on)})
        else:
            values["contract"] = wanted
            others.append(wanted)


def make(contracts: Any) -> list[list[int]]:
    """Saves contracts, each with the row it comes from. Returns row and id."""
    pairs = list(contracts)
    Contract.objects.bulk_create([contract for _line, contract in pairs])
    return [[line, contract.pk] for line, contract in pairs]


def _about(one: Contract) -> tuple[Any, Any]:
    return one.joint_committee, one.entered_on


def _said(one: Contract) -> tuple[Any, Any, Any]:
    return one.regime, one.day_minutes, one.left_on


def _contract(values: Mapping[str, Any]) -> Contract:
    return Contract(
        worker_id=values["worker_id"],
        joint_committee=values["joint_committee"],
        regime=values.get("regime") or _REGIME,
        day_minutes=values.get("contract_day") or _DAY,
        entered_on=values["entered_on"],
        left_on=values.get("left_on"),
    )


def _committee(text: str) -> str:
    try:
        return parse_joint_committee(text.replace(",", "."))
    except NumberError as error:
        raise unfit(error) from None


def normal_day(text: str) -> int:
    """Hours, as `7 h 36` or 7,6; bare numbers from 60 on are minutes."""
    return int(text) if text.isdigit() and int(text) >= SHORTEST_DAY else minutes(text)
