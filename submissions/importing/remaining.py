"""What an undo left, row by row, as a list that pages ask for in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, overload

from django.db import connection
from django.urls import reverse

from portal import tenancy
from submissions.models import ManualRight, RegisterImport


class Remain(NamedTuple):
    """One thing that stays: the row of the file, what it is (see `undoing.MODELS`), its id, and why in English."""

    line: int
    what: str
    pk: int
    reason: str


class Remains(Sequence[Remain]):
    """All that the undo of an import left, in the order of the file. One query for each piece."""

    def __init__(self, found: RegisterImport) -> None:
        self._found = found

    def __len__(self) -> int:
        return self._found.kept

    @overload
    def __getitem__(self, wanted: int) -> Remain: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[Remain]: ...
    def __getitem__(self, wanted: int | slice) -> Remain | list[Remain]:
        if isinstance(wanted, int):
            return self._piece(wanted, 1)[0]
        first, last, _step = wanted.indices(len(self))
        return self._piece(first, max(0, last - first))

    def _piece(self, first: int, count: int) -> list[Remain]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (item ->> 0)::int AS line, what, (item ->> 1)::bigint, item ->> 2 "
                "FROM submissions_importchunk c CROSS JOIN LATERAL jsonb_each(c.kept) AS each (what, items) "
                "CROSS JOIN LATERAL jsonb_array_elements(items) AS item "
                "WHERE c.mandataire_id = %s AND c.of_id = %s AND c.kept <> '{}' "
                "ORDER BY line, what, item OFFSET %s LIMIT %s",
                [tenancy.current(), self._found.pk, first, count],
            )
            return [Remain(*row) for row in cursor.fetchall()]


_PAGES = {"trainings": "record", "contracts": "contract", "workers": "worker"}


def addresses(remains: Sequence[Remain]) -> list[str]:
    """The page of each; nothing where it is gone by now. One query when there are rights among them."""
    pks = {one.pk for one in remains if one.what == "rights"}
    rows = ManualRight.objects.filter(mandataire_id=tenancy.current(), pk__in=pks) if pks else ()
    rights = {row.pk: reverse("right", args=[row.worker_id, row.year]) for row in rows}
    return [
        rights.get(one.pk, "") if one.what == "rights" else reverse(_PAGES[one.what], args=[one.pk])
        for one in remains
    ]
