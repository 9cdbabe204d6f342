"""The tables of one client in an archive, for people: CSV as Excel opens it in Belgium, with the numbers in full."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from mandates.numbers import format_niss
from portal.sheets import Code, Value, as_csv
from submissions.archiving.layout import TABLES
from submissions.fields import FIELDS

_CONTRACT: Final = ("joint_committee", "regime", "day_minutes", "entered_on", "left_on")
_DECLARATION: Final = (
    *("reference", "service", "kind", "state", "environment", "ticket", "earlier_ticket"),
    *("created_at", "sent_at", "answered_at"),
)
_RIGHT: Final = ("year", "own", "carried", "used", "remaining")


class Tables:
    """The lines of one client's tables, packed as they come: in memory they are a tenth of what they hold."""

    def __init__(self) -> None:
        self._packed = {name: _Packed() for name in TABLES}
        for name, heads in headings().items():
            self._packed[name].add(next(as_csv(heads, [])))

    def add(self, worker: Mapping[str, Any]) -> None:
        """The lines of one worker, as `submissions.dossiers` tells him."""
        for name, lines in lines_of(worker).items():
            _heads, *written = as_csv([], lines)
            self._packed[name].add("".join(written))

    def content(self, name: str) -> Iterator[bytes]:
        """The bytes of one table, by pieces, once."""
        return self._packed[name].pieces()


class _Packed:
    def __init__(self) -> None:
        self._pack = zlib.compressobj(6)
        self._pieces: list[bytes] = []

    def add(self, text: str) -> None:
        if piece := self._pack.compress(text.encode()):
            self._pieces.append(piece)

    def pieces(self) -> Iterator[bytes]:
        self._pieces.append(self._pack.flush())
        unpack = zlib.decompressobj()
        for piece in self._pieces:
            while piece:
                yield unpack.decompress(piece, 65536)
                piece = unpack.unconsumed_tail
        yield unpack.flush()


def headings() -> dict[str, list[str]]:
    """The headings of each table, in the active language; the first three columns say who."""
    who = [_("NISS"), _("Family name"), _("Given name")]
    return {
        "workers": [*who, _("Language")],
        "contracts": [
            *who,
            _("Joint committee"),
            _("Work regime (%)"),
            _("Normal day (minutes)"),
            _("Entered on"),
            _("Left on"),
        ],
        "trainings": [*who, _("Your reference"), *[str(field.label) for field in FIELDS]],
        "declarations": [
            *who,
            _("Your reference"),
            _("Our reference"),
            _("Service"),
            _("Kind"),
            _("State"),
            _("Environment"),
            _("Ticket"),
            _("Earlier ticket"),
            _("Made on"),
            _("Sent"),
            _("Answered"),
            _("Anomalies"),
            _("Taken over from"),
        ],
        "rights": [
            *who,
            _("Year"),
            _("Right of the year (minutes)"),
            _("Carried over (minutes)"),
            _("Training taken (minutes)"),
            _("Remaining (minutes)"),
        ],
    }


def lines_of(worker: Mapping[str, Any]) -> dict[str, list[list[Value]]]:
    """The lines of one worker, by table."""
    who = [Code(format_niss(worker["niss"])), worker["family_name"], worker["given_name"]]
    trainings = worker["trainings"]

    def rows(of: Sequence[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], list[Value]]) -> list[Any]:
        return [[*who, *read(one)] for one in of]

    return {
        "workers": [[*who, worker["language"]]],
        "contracts": rows(worker["contracts"], lambda one: [one[name] for name in _CONTRACT]),
        "trainings": rows(
            trainings, lambda one: [one["client_reference"], *[one[field.name] for field in FIELDS]]
        ),
        "declarations": [
            [*who, one["client_reference"], *_declaration(declared)]
            for one in trainings
            for declared in one["declarations"]
        ],
        "rights": rows(worker["rights"], lambda one: [int(one[name]) for name in _RIGHT]),
    }


def _declaration(declared: Mapping[str, Any]) -> list[Value]:
    origin = declared["taken_over_from"]
    return [
        *[declared[name] for name in _DECLARATION],
        ", ".join(anomaly["code"] for anomaly in declared["anomalies"]),
        origin["name"] if origin else "",
    ]
