"""A row as it was understood, and what every kind of file has to know about its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.db import connection
from django.utils.translation import gettext_noop

from mandates.models import NISS as NISS_PURPOSE
from mandates.models import Employer
from mandates.numbers import NumberError, parse_enterprise_number
from portal import tenancy
from portal.models import cipher
from portal.spreadsheets.headings import Column, Fault
from submissions.importing.cells import MonthFirst, Unfit, niss, spoiled, unfit

EMPLOYER, NISS = "employer", "niss"
"""The two columns that every kind has: whose worker a row is about."""

type Where = Mapping[str, int]
"""Where the columns of a file stand, from 0."""


@dataclass(slots=True)
class Row:
    """One row: its values as far as they are sound, and its faults.

    `key` is what it is about, the same for two rows that say the same thing twice in one file. `is_same` is set when
    the register says so already: there is nothing to do.
    """

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    key: bytes = b""
    is_same: bool = False
    has_month_first: bool = False

    def read[Value](self, name: str, text: str, parse: Callable[[str], Value]) -> Value | None:
        """What a cell says, or None when it is empty, or unfit: then its fault is noted."""
        if not text:
            return None
        try:
            spoiled(text)
            found = parse(text)
        except Unfit as error:
            self.put(name, error)
            return None
        self.values[name] = found
        return found

    def put(self, name: str, found: object) -> None:
        """Takes what a cell says; of one that is Unfit its fault."""
        if isinstance(found, Unfit):
            self.has_month_first |= isinstance(found, MonthFirst)
            self.fault(name, found.sentence, found.values)
        else:
            self.values[name] = found

    def fault(self, name: str, sentence: str, values: Mapping[str, object] | None = None) -> None:
        """Notes what is wrong in a field; the first fault of a field is enough."""
        if not any(fault.column == name for fault in self.faults):
            self.faults.append(Fault(name, sentence, dict(values or {})))


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rows of one file are read by: the one client they are about, if any, and which days to doubt."""

    employer: Employer | None
    month_first_line: int = 0


class Kind(Protocol):
    """A kind of file. `rights` would be one more: a module with a class like these, and a line in `kinds.KINDS`."""

    columns: Mapping[str, Column]

    def read(self, row: Row, cells: Mapping[str, str], terms: Terms) -> None:
        """Reads the cells of one row into its values and faults. Asks the database nothing."""

    def compare(self, rows: Sequence[Row], terms: Terms) -> None:
        """Compares sound rows with the register, with as many queries for a thousand as for one.

        Notes faults, says which rows are in the register already, and finds the objects that rows refer to.
        """

    def make(self, rows: Sequence[Row], *, declares: bool) -> dict[str, list[list[int]]]:
        """Makes what sound rows ask for. Returns, by what was made, the row and the id of each."""


def read_people(row: Row, cells: Mapping[str, str], terms: Terms) -> None:
    """The two columns that every kind has."""
    number = row.read(EMPLOYER, cells.get(EMPLOYER, ""), _number)
    if terms.employer is None:
        if not cells.get(EMPLOYER):
            row.fault(EMPLOYER, gettext_noop("The number is missing."))
    elif number and number != terms.employer.number:
        sentence = gettext_noop(
            "This file is about %(name)s alone, and this is another enterprise: leave the row out."
        )
        row.fault(EMPLOYER, sentence, {"name": terms.employer.name})
    elif not cells.get(EMPLOYER):
        row.values[EMPLOYER] = terms.employer.number
    if row.read(NISS, cells.get(NISS, ""), niss) is None:
        row.fault(NISS, gettext_noop("The number is missing."))


def _number(text: str) -> str:
    try:
        return parse_enterprise_number(text)
    except NumberError as error:
        raise unfit(error) from None


def find_employers(rows: Sequence[Row]) -> list[Row]:
    """Puts the id of its client into each sound row; returns those that have one. One query."""
    numbers = {row.values[EMPLOYER] for row in rows if not row.faults}
    known = dict(
        Employer.objects.filter(mandataire_id=tenancy.current(), number__in=numbers).values_list(
            "number", "pk"
        )
    )
    found = []
    for row in rows:
        if row.faults:
            continue
        if pk := known.get(row.values[EMPLOYER]):
            row.values["employer_id"] = pk
            found.append(row)
        else:
            sentence = gettext_noop("This enterprise is not a client: add it first, or correct the number.")
            row.fault(EMPLOYER, sentence)
    return found


def find_workers(rows: Sequence[Row]) -> dict[tuple[int, bytes], int]:
    """Puts the blind index of its number into each row; returns the ids of known workers by client and index.

    One query, each look-up by its index. The tenant is no constant in it: of one who is newer than its statistics
    PostgreSQL believes to have next to no rows, and would read all of them each time.
    """
    for row in rows:
        row.values["niss_index"] = cipher().blind_index(NISS_PURPOSE, row.values[NISS])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.employer_id, w.niss_index, w.id FROM unnest(%s::uuid[], %s::bytea[]) AS said (tenant, index) "
            "CROSS JOIN LATERAL (SELECT * FROM mandates_worker k WHERE k.mandataire_id = said.tenant "
            "AND k.niss_index = said.index OFFSET 0) w",
            [[tenancy.current()] * len(rows), [row.values["niss_index"] for row in rows]],
        )
        return {(employer, bytes(index)): pk for employer, index, pk in cursor.fetchall()}


EMPLOYER_COLUMN: Final[dict[str, Any]] = {
    "headings": {
        "en": "Enterprise number",
        "fr": "Numéro d'entreprise",
        "nl": "Ondernemingsnummer",
        "de": "Unternehmensnummer",
    },
    "others": (
        "Company number", "N° d'entreprise", "Numéro BCE", "N° BCE", "BCE", "KBO", "KBO-nummer", "ZUD", "ZDU",
        "ZDU-Nummer", "CompanyID", "Employeur", "Werkgever", "Employer", "Arbeitgeber",
    ),
}  # fmt: skip
NISS_COLUMN: Final[dict[str, Any]] = {
    "headings": {"en": "NISS", "fr": "NISS", "nl": "INSZ", "de": "ENSS"},
    "others": (
        "INSS", "SSIN", "Registre national", "Numéro de registre national", "N° registre national", "Numéro national",
        "NRN", "RN", "Rijksregisternummer", "Rijksregister", "RRN", "Nationalregisternummer", "Nationalregister",
        "ENSS-Nummer", "INSZ-nummer", "Numéro NISS", "National number",
    ),
}  # fmt: skip
