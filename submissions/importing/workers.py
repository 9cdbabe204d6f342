"""Files of workers, each with a contract or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache, partial
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mandates.models import NISS as NISS_PURPOSE
from mandates.models import Contract, Worker
from mandates.numbers import NumberError, parse_joint_committee
from portal import tenancy
from portal.models import cipher
from portal.spreadsheets.headings import Column, named
from submissions.importing.cells import day, minutes, percentage, unfit, word
from submissions.importing.rows import (
    EMPLOYER,
    EMPLOYER_COLUMN,
    NISS,
    NISS_COLUMN,
    Row,
    Terms,
    find_employers,
    find_workers,
    read_people,
)
from submissions.importing.words import HEADINGS, OTHERS

_NAMES: Final = ("family_name", "given_name")
_LONGEST_NAME: Final = Worker._meta.get_field("family_name").max_length or 0
_SHORTEST_DAY, _LONGEST_DAY = 60, 720
_REGIME: Final = Decimal(100)
_DAY: Final = 456
"""Minutes: 7 h 36, as a contract says where nothing else is said."""
_CONTRACT: Final = ("joint_committee", "regime", "contract_day", "entered_on", "left_on")


def _column(name: str, label: Any, *, is_needed: bool = False, hint: Any = "") -> Column:
    return Column(label, HEADINGS[name], OTHERS[name], is_needed, hint)


class Workers:
    """One row is a worker, or one period of work of his. Workers known here keep their names."""

    columns: Mapping[str, Column] = {
        EMPLOYER: Column(
            _("Enterprise number"), **EMPLOYER_COLUMN, hint=_("Ten digits, such as 0897.223.670.")
        ),
        NISS: Column(_("NISS"), **NISS_COLUMN, is_needed=True, hint=_("Eleven digits, in a column of text.")),
        "family_name": _column("family_name", _("Family name"), is_needed=True, hint=_("Of new workers.")),
        "given_name": _column("given_name", _("Given name"), is_needed=True, hint=_("Of new workers.")),
        "language": _column("language", _("Language"), hint=_("Such as fr or nl.")),
        "joint_committee": _column("joint_committee", _("Joint committee"), hint=_("Such as 200 or 140.03.")),
        "regime": _column("regime", _("Work regime (%)"), hint=_("100 when empty.")),
        "contract_day": _column(
            "contract_day", _("Normal day"), hint=_("Such as 7 h 36, which it is when empty.")
        ),
        "entered_on": _column("entered_on", _("Entered on"), hint=_("Such as 21/11/2026 or 2026-11-21.")),
        "left_on": _column("left_on", _("Left on"), hint=_("Empty for who still works there.")),
    }

    def read(self, row: Row, cells: Mapping[str, str], terms: Terms) -> None:
        """See `rows.Kind`."""
        read_people(row, cells, terms)
        get = cells.get
        for name in _NAMES:
            if row.read(name, get(name, ""), str) is None:
                row.fault(name, gettext_noop("The name is missing."))
            elif len(get(name, "")) > _LONGEST_NAME:
                sentence = gettext_noop("The name is too long: at most %(limit)d signs.")
                row.fault(name, sentence, {"limit": _LONGEST_NAME})
        row.read("language", get("language", ""), partial(word, known=_languages()))
        if any(get(name) for name in _CONTRACT):
            self._read_contract(row, get("joint_committee", ""), cells, terms)
        values = row.values
        row.key = "|".join(
            str(values.get(name)) for name in (EMPLOYER, NISS, "joint_committee", "entered_on")
        ).encode()

    def _read_contract(self, row: Row, committee: str, cells: Mapping[str, str], terms: Terms) -> None:
        get = cells.get
        on = partial(day, month_first_line=terms.month_first_line)
        row.read("joint_committee", committee, _committee)
        row.read("regime", get("regime", ""), percentage)
        row.read("contract_day", get("contract_day", ""), _normal_day)
        entered, left = (row.read(name, get(name, ""), on) for name in ("entered_on", "left_on"))
        for name in ("joint_committee", "entered_on"):
            if not get(name):
                row.fault(name, gettext_noop("A contract needs its joint committee and its first day."))
        if entered and left and left < entered:
            row.fault(
                "left_on", gettext_noop("The last day is before the first day: correct one of the two.")
            )
        length = row.values.get("contract_day")
        if length is not None and not _SHORTEST_DAY <= length <= _LONGEST_DAY:
            row.fault(
                "contract_day", gettext_noop("A normal day lasts from 1 to 12 hours: write it as 7 h 36.")
            )

    def compare(self, rows: Sequence[Row], terms: Terms) -> None:
        """Three queries: the clients, the workers, their contracts."""
        sound = find_employers(rows)
        workers = find_workers(sound)
        contracts = {
            (found.worker_id, found.joint_committee, found.entered_on): found
            for found in Contract.objects.filter(
                mandataire_id=tenancy.current(), worker_id__in=list(workers.values())
            ).order_by("pk")
        }
        for row in sound:
            values = row.values
            worker = workers.get((values["employer_id"], values["niss_index"]))
            values["worker_id"] = worker
            if worker is None:
                continue
            if "entered_on" not in values:
                row.is_same = True
            elif before := contracts.get((worker, values["joint_committee"], values["entered_on"])):
                row.is_same = _said(values) == (before.regime, before.day_minutes, before.left_on)
                if not row.is_same:
                    sentence = gettext_noop(
                        "This contract is known, with another regime, normal day or last day: change it on the page "
                        "of the worker."
                    )
                    row.fault("entered_on", sentence)

    def make(self, rows: Sequence[Row], *, declares: bool) -> dict[str, list[list[int]]]:
        """Workers who are not known yet, each once, and the contracts."""
        new: dict[tuple[int, bytes], tuple[int, Worker]] = {}
        for row in rows:
            values = row.values
            key = values["employer_id"], values["niss_index"]
            if values["worker_id"] is None and key not in new:
                new[key] = row.line, _worker(values)
        made = Worker.objects.bulk_create([worker for _line, worker in new.values()])
        contracts = [
            (row.line, _contract(row.values, new)) for row in rows if row.values.get("entered_on") is not None
        ]
        Contract.objects.bulk_create([contract for _line, contract in contracts])
        return {
            "workers": [[line, worker.pk] for (line, _new), worker in zip(new.values(), made, strict=True)],
            "contracts": [[line, contract.pk] for line, contract in contracts],
        }


@cache
def _languages() -> dict[str, str]:
    return named(dict(settings.LANGUAGES))


def _committee(text: str) -> str:
    try:
        return parse_joint_committee(text.replace(",", "."))
    except NumberError as error:
        raise unfit(error) from None


def _normal_day(text: str) -> int:
    """Hours, as `7 h 36` or 7,6; bare numbers from 60 on are minutes."""
    return int(text) if text.isdigit() and int(text) >= _SHORTEST_DAY else minutes(text)


def _said(values: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    regime = values.get("regime") or _REGIME
    return regime, values.get("contract_day") or _DAY, values.get("left_on")


def _worker(values: Mapping[str, Any]) -> Worker:
    made = Worker(
        employer_id=values["employer_id"],
        niss_sealed=cipher().seal_text(NISS_PURPOSE, values[NISS]),
        niss_index=values["niss_index"],
        family_name=values["family_name"],
        given_name=values["given_name"],
    )
    if values.get("language"):
        made.language = values["language"]
    return made


def _contract(values: Mapping[str, Any], new: Mapping[tuple[int, bytes], tuple[int, Worker]]) -> Contract:
    worker = values["worker_id"] or new[values["employer_id"], values["niss_index"]][1].pk
    regime, day_minutes, left_on = _said(values)
    return Contract(
        worker_id=worker,
        joint_committee=values["joint_committee"],
        regime=regime,
        day_minutes=day_minutes,
        entered_on=values["entered_on"],
        left_on=left_on,
    )
