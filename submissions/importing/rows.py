"""A row as it was understood, and what every kind of file has to know about its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.db import connection
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mandates.models import NISS as NISS_PURPOSE
from mandates.models import Employer, Worker
from mandates.numbers import NumberError, parse_enterprise_number
from portal import tenancy
from portal.models import cipher
from portal.spreadsheets.headings import Column, Fault
from submissions.importing.cells import MonthFirst, Unfit, niss, spoiled, unfit
from submissions.importing.words import HEADINGS, OTHERS

EMPLOYER, NISS = "employer", "niss"
"""The two columns that every kind has: whose worker a row is about."""
TWICE: Final = gettext_noop(
    "Row %(line)d says the same, or has the same reference: remove one of the two, or number them."
)

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
    """A kind of file. One more is a module with a class like these, and a line in `kinds.KINDS`.

    `twice` is what is wrong with a row whose key another row of the file has, in row `line`.
    """

    columns: Mapping[str, Column]
    twice: str

    def read(self, row: Row, cells: Mapping[str, str], terms: Terms) -> None:
        """Reads the cells of one row into its values and faults. Asks the database nothing."""

    def compare(self, rows: Sequence[Row], terms: Terms, *, is_final: bool) -> None:
        """Compares sound rows with the register, with as many queries for a thousand as for one.

        Notes faults, says which rows are in the register already, and finds the objects that rows refer to. What is
        found `is_final` when the rows are made next: then it is held as it is until the end of the transaction.
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


def find_known(rows: Sequence[Row]) -> list[Row]:
    """Puts the ids of its client and its worker into each sound row; returns those that have both. Two queries."""
    sound = find_employers(rows)
    workers = find_workers(sound)
    found = []
    for row in sound:
        if pk := workers.get((row.values["employer_id"], row.values["niss_index"])):
            row.values["worker_id"] = pk
            found.append(row)
        else:
            sentence = gettext_noop("No worker of this client has this number: import the workers first.")
            row.fault(NISS, sentence)
    return found


def hold_employers(rows: Sequence[Row]) -> None:
    """Lets nobody sign off a quarter of these clients before the end of the transaction.

    Who signs off locks the client: he waits for these rows, or was first, and then what he signed is seen. Those who
    import for the same client do not wait for each other.
    """
    clients = sorted({row.values["employer_id"] for row in rows})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM mandates_employer WHERE mandataire_id = %s AND id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [tenancy.current(), clients],
        )


def hold_workers(workers: Iterable[int]) -> None:
    """Lets nobody else give these workers (ids) a contract, or a right from a file, until the transaction ends."""
    rows = Worker.objects.select_for_update(no_key=True).filter(
        mandataire_id=tenancy.current(), pk__in=set(workers)
    )
    list(rows.order_by("pk").values_list("pk", flat=True))


def column(name: str, label: Any, *, is_needed: bool = False, hint: Any = "") -> Column:
    """A column whose headings stand in `words`."""
    return Column(label, HEADINGS[name], OTHERS.get(name, ()), is_needed, hint)


_EMPLOYER_COLUMN: Final[dict[str, Any]] = {
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
_NISS_COLUMN: Final[dict[str, Any]] = {
    "headings": {"en": "NISS", "fr": "NISS", "nl": "INSZ", "de": "ENSS"},
    "others": (
        "INSS", "SSIN", "Registre national", "Numéro de registre national", "N° registre national", "Numéro national",
        "NRN", "RN", "Rijksregisternummer", "Rijksregister", "RRN", "Nationalregisternummer", "Nationalregister",
        "ENSS-Nummer", "INSZ-nummer", "Numéro NISS", "National number",
    ),
}  # fmt: skip
PEOPLE: Final[Mapping[str, Column]] = {
    EMPLOYER: Column(_("Enterprise number"), **_EMPLOYER_COLUMN, hint=_("Ten digits, such as 0897.223.670.")),
    NISS: Column(_("NISS"), **_NISS_COLUMN, is_needed=True, hint=_("Eleven digits, in a column of text.")),
}
"""The columns of `EMPLOYER` and `NISS`, with which every template begins."""
