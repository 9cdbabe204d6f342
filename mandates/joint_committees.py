"""The joint committees of Belgium, by number, with short names in French, Dutch and German: data, see the `.csv`.

Numbers and competence are those published by the Federal Public Service Employment, Labour and Social Dialogue; the
short names are ours. State of the list: 1 January 2026. `until` is the last day of a committee that exists no more.
Where the installation has loaded annex 26 of social security, its names stand for ours in French and in Dutch.
Only subcommittees of the second level are listed in part: a number below a known one is admitted, and told by that one.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from mandates.numbers import NumberError, parse_joint_committee
from portal import annexes

_FILE: Final = Path(__file__).with_suffix(".csv")
_LANGUAGES: Final = ("fr", "nl", "de")


@dataclass(frozen=True, slots=True)
class JointCommittee:
    """A joint committee or subcommittee: its number, its names by language, and its last day if it has one."""

    number: str
    names: Mapping[str, str]
    until: date | None

    @property
    def name(self) -> str:
        """Its name in the reader's language; in French for English readers, because it has no English one.

        The official one where annex 26 is loaded; a German reader keeps our short one, for there is no official one.
        """
        language = (get_language() or "fr")[:2]
        official = annexes.text(annexes.COMMITTEES, self.number) if language != "de" else None
        if official is not None:
            return str(official.for_reader())
        return self.names.get(language, self.names["fr"])

    def __str__(self) -> str:
        return f"{self.number} – {self.name}"


@cache
def joint_committees() -> Mapping[str, JointCommittee]:
    """All of them by number, in order."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return MappingProxyType(
        {
            row["number"]: JointCommittee(
                row["number"],
                MappingProxyType({language: row[language] for language in _LANGUAGES}),
                date.fromisoformat(row["until"]) if row["until"] else None,
            )
            for row in rows
        }
    )


def known(number: str) -> JointCommittee | None:
    """The joint committee of this number, or the nearest one above it: `140` for `140.09`; None when there is none."""
    while number:
        if found := joint_committees().get(number):
            return found
        number = number.rpartition(".")[0]
    return None


def told(number: str) -> str:
    """A number with its name for the reader; the number alone when nobody knows it.

    A subcommittee that annex 26 alone knows has the name it has there, not that of the one above it.
    """
    found = known(number)
    official = None if found and found.number == number else annexes.text(annexes.COMMITTEES, number)
    if official is not None:
        return f"{number} – {official.for_reader()}"
    return f"{number} – {found.name}" if found else number


def check(text: str, on: date) -> str:
    """The number of a joint committee that exists on `on`, as `999`, `999.99` or `999.99.99`; raises `NumberError`."""
    number = parse_joint_committee(text)
    found = known(number)
    if found is None:
        raise NumberError("kind", _("No joint committee has this number: choose one of the list."))
    if found.until is not None and found.until < on:
        raise NumberError(
            "date", _("This joint committee existed no more on that day: choose the one that replaced it.")
        )
    return number
