"""Files of workers, each with a contract or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mandates.models import NISS as NISS_PURPOSE
from mandates.models import Worker
from portal.models import cipher
from portal.spreadsheets.headings import Column, named
from submissions.importing import contracts
from submissions.importing.cells import word
from submissions.importing.rows import (
    NISS,
    PEOPLE,
    TWICE,
    Row,
    Terms,
    column,
    find_employers,
    find_workers,
    read_people,
)

_NAMES: Final = ("family_name", "given_name")
_LONGEST_NAME: Final = Worker._meta.get_field("family_name").max_length or 0


class Workers:
    """One row is a worker, or one period of work of his. Workers known here keep their names."""

    columns: Mapping[str, Column] = {
        **PEOPLE,
        "family_name": column("family_name", _("Family name"), is_needed=True, hint=_("Of new workers.")),
        "given_name": column("given_name", _("Given name"), is_needed=True, hint=_("Of new workers.")),
        "language": column("language", _("Language"), hint=_("Such as fr or nl.")),
        **contracts.columns(is_needed=False),
    }
    twice = TWICE

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
        if any(get(name) for name in contracts.NAMES):
            contracts.read(row, cells, terms)
        row.key = contracts.key(row)

    def compare(self, rows: Sequence[Row], terms: Terms, *, is_final: bool) -> None:
        """Three queries: the clients, the workers, their contracts."""
        sound = find_employers(rows)
        workers = find_workers(sound)
        with_contract = []
        for row in sound:
            values = row.values
            values["worker_id"] = workers.get((values["employer_id"], values["niss_index"]))
            if "entered_on" in values:
                with_contract.append(row)
            else:
                row.is_same = values["worker_id"] is not None
        contracts.compare(with_contract, is_final=is_final)

    def make(self, rows: Sequence[Row], *, declares: bool) -> dict[str, list[list[int]]]:
        """Workers who are not known yet, each once, and the contracts."""
        new: dict[tuple[int, bytes], tuple[int, Worker]] = {}
        for row in rows:
            values = row.values
            key = values["employer_id"], values["niss_index"]
            if values["worker_id"] is None and key not in new:
                new[key] = row.line, _worker(values)
        made = Worker.objects.bulk_create([worker for _line, worker in new.values()])
        signed = [(row, row.values["contract"]) for row in rows if "contract" in row.values]
        for row, contract in signed:
            if row.values["worker_id"] is None:
                contract.worker_id = new[row.values["employer_id"], row.values["niss_index"]][1].pk
        return {
            "workers": [[line, worker.pk] for (line, _new), worker in zip(new.values(), made, strict=True)],
            "contracts": contracts.make((row.line, contract) for row, contract in signed),
        }


@cache
def _languages() -> dict[str, str]:
    return named(dict(settings.LANGUAGES))


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
