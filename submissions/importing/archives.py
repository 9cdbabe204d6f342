"""Archives of a register, as `submissions.archiving` writes them: each row is a client, or a worker with all of his.

What an archive says is added to what is here, and nothing here is changed by it: what is known and the same is left
alone, what is known and different is a fault. Trainings come in as records; what was declared about them comes in as
history and is never declared again. Left out, because they are between other people or follow from the rest:
mandates, sign-offs, sector agreements, rights as they were worked out, documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from portal.spreadsheets.headings import Column
from portal.spreadsheets.reading import Numbered, Pieces
from submissions.archiving import reading
from submissions.importing import archived_rows
from submissions.importing.archived_rows import PARTS
from submissions.importing.archived_values import client_of, person_of
from submissions.importing.cells import Unfit
from submissions.importing.rows import EMPLOYER, TWICE, Row, Terms

HEAD, WORKER, PERSON = "head", "worker", "person"
CELLS: Final = (EMPLOYER, HEAD, WORKER, PERSON, *PARTS)
"""What a row of an archive consists of: number, both texts, and in each of the others the place where they stand."""
_DEEP: Final = gettext_noop("This line cannot be read: it was changed after the archive was made.")


def _column(label: Any) -> Column:
    return Column(label, MappingProxyType({}))


class Archives:
    """A row is the head of a client, or one of its workers with contracts, trainings and all that hangs on them."""

    columns: Mapping[str, Column] = MappingProxyType(
        {
            EMPLOYER: _column(_("Enterprise number")),
            PERSON: _column(_("Worker")),
            "contracts": _column(_("Contracts")),
            "trainings": _column(_("Trainings")),
            "manual_rights": _column(_("Rights decided by hand")),
            "former_numbers": _column(_("Former numbers")),
        }
    )
    twice = TWICE

    def read(self, row: Row, cells: Mapping[str, str], terms: Terms) -> None:
        """See `rows.Kind`."""
        number = cells.get(EMPLOYER, "")
        row.values[EMPLOYER], row.values["client"] = number, None
        row.key = f"{number}|".encode()
        try:
            row.values["client"] = _client(number, cells.get(HEAD, ""))
        except Unfit as error:
            row.fault(PERSON, error.sentence, error.values)
            return
        if terms.employer is not None and number != terms.employer.number:
            sentence = gettext_noop(
                "This file is about %(name)s alone, and this is another enterprise: leave the row out."
            )
            row.fault(EMPLOYER, sentence, {"name": terms.employer.name})
            return
        if text := cells.get(WORKER, ""):
            self._read_worker(row, text)

    def _read_worker(self, row: Row, text: str) -> None:
        try:
            told = _parsed(text)
        except Unfit as error:
            row.fault(PERSON, error.sentence, error.values)
            return
        person, faults = person_of(told)
        for column, fault in faults:
            row.fault(column if column in self.columns else PERSON, fault.sentence, fault.values)
        row.values["person"] = person
        row.key += str(person.get("niss", row.line)).encode()

    def compare(self, rows: Sequence[Row], terms: Terms, *, is_final: bool) -> None:
        """See `rows.Kind`."""
        archived_rows.compare(rows, is_final=is_final)

    def make(self, rows: Sequence[Row], *, declares: bool) -> dict[str, list[list[int]]]:
        """Clients that are not known yet, then workers and what they lack. Nothing is declared, whatever is asked."""
        return archived_rows.make(rows)


def rows_of(pieces: Pieces) -> Iterator[Numbered]:
    """The rows of an archive, from 1 on. Raises Unreadable."""
    for number, line in enumerate(reading.lines(pieces), start=1):
        yield number, [line.number, line.head, line.worker, *[line.place] * (len(PARTS) + 1)]


@lru_cache(maxsize=4)
def _client(number: str, head: str) -> dict[str, Any]:
    """The client of a head. It stands beside each of its workers, one after the other."""
    return client_of(number, _parsed(head))


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unfit(_DEEP) from None
    if not isinstance(found, dict):
        raise Unfit(_DEEP)
    return found
