"""Files of trainings. The columns are those of `submissions.fields`, with the client, the worker and a reference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Final

from django.db import connection
from django.db.models.query import RawQuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mandates.catalogue import services
from mandates.numbers import quarter_of
from portal import tenancy
from portal.models import cipher
from portal.spreadsheets.headings import Column, named
from submissions import declaring
from submissions.fields import BY_NAME, FIELDS, Field, flaws, judge
from submissions.importing.cells import Unfit, cents, day, minutes, spoiled, word
from submissions.importing.rows import (
    EMPLOYER,
    NISS,
    PEOPLE,
    TWICE,
    Row,
    Terms,
    find_known,
    hold_employers,
    read_people,
)
from submissions.importing.words import HEADINGS, OTHERS
from submissions.models import SignOff, TrainingRecord

REFERENCE: Final = "client_reference"
_LONGEST_REFERENCE: Final = TrainingRecord._meta.get_field(REFERENCE).max_length or 0
_OURS: Final = "I-"
"""How a reference begins that the file left out: then what the training says is its name."""
_HINTS: Final = {
    "date": _("Such as 21/11/2026 or 2026-11-21."),
    "minutes": _("Such as 7 h 36, 7:36 or 456 min; a bare number counts in what “Counted in” says."),
    "money": _("Such as 1250,00."),
}
_IN_UNITS: Final = ("duration_minutes", "charged_minutes")
"""Durations whose bare numbers count in what the row says; those of a normal day are hours, or minutes from 60 on."""
_UNITLESS: Final = tuple(name for name in BY_NAME if name not in _IN_UNITS)


def _columns() -> dict[str, Column]:
    columns = {
        **PEOPLE,
        REFERENCE: Column(
            _("Your reference"),
            HEADINGS[REFERENCE],
            OTHERS[REFERENCE],
            hint=_("Yours; the same one is never imported twice. Without it, what the row says counts."),
        ),
    }
    for item in FIELDS:
        hint = _HINTS.get(item.kind) or item.hint
        others = (item.element, item.name, *OTHERS.get(item.name, ()))
        columns[item.name] = Column(item.label, HEADINGS[item.name], others, item.required, hint)
    return columns


class Trainings:
    """One row is one training of a worker whom the register knows."""

    columns: Mapping[str, Column] = _columns()
    twice = TWICE

    def read(self, row: Row, cells: Mapping[str, str], terms: Terms) -> None:
        """See `rows.Kind`."""
        read_people(row, cells, terms)
        month_first_line, get = terms.month_first_line, cells.get
        for name in _UNITLESS:
            if text := get(name):
                row.put(name, _cell(name, text, 60, month_first_line))
        unit = row.values.get("day_minutes", 0) if row.values.get("duration_unit") == "days" else 60
        for name in _IN_UNITS:
            if text := get(name):
                row.put(name, _cell(name, text, unit, 0))
        for name, flaw in flaws(row.values, are_judged=True).items():
            row.fault(name, flaw.sentence, flaw.values)
        reference = get(REFERENCE, "")
        if len(reference) > _LONGEST_REFERENCE:
            sentence = gettext_noop("This text has %(length)d characters: shorten it to at most %(limit)d.")
            row.fault(REFERENCE, sentence, {"length": len(reference), "limit": _LONGEST_REFERENCE})
        row.read(REFERENCE, reference, str)
        if not row.faults:
            _name(row)

    def compare(self, rows: Sequence[Row], terms: Terms, *, is_final: bool) -> None:
        """Four queries: the clients, the workers, the references, the quarters that were signed off."""
        sound = find_known(rows)
        if is_final:
            hold_employers(sound)
        known = {(found.employer_id, found.client_reference): found for found in _known(sound)}
        signed = _signed_off(sound)
        for row in sound:
            values = row.values
            if before := known.get((values["employer_id"], values[REFERENCE])):
                row.is_same = _is_same(row, before)
                if not row.is_same:
                    sentence = gettext_noop(
                        "This reference is that of another training, or of this one as it was: "
                        "give another reference, or change the training on its page."
                    )
                    row.fault(REFERENCE, sentence)
            elif (values["employer_id"], code := quarter_of(values["ends_on"])) in signed:
                # What was signed is what is: nothing is added to it unseen.
                sentence = gettext_noop(
                    "%(quarter)s is signed off: have it opened again before something is added."
                )
                row.fault("ends_on", sentence, {"quarter": code})

    def make(self, rows: Sequence[Row], *, declares: bool) -> dict[str, list[list[int]]]:
        """The trainings, and with `declares` their declarations, ready to leave."""
        if not rows:
            return {}
        made = _insert(rows)
        if declares:
            owners = {pk: employer for (employer, _reference), pk in made.items()}
            declaring.declare_complete(owners, next(iter(services())))
        return {
            "trainings": [[row.line, made[row.values["employer_id"], row.values[REFERENCE]]] for row in rows]
        }


def _signed_off(rows: Sequence[Row]) -> set[tuple[int, str]]:
    """Clients of these rows, each with a quarter (`YYYYQ`) that was signed off."""
    clients = {row.values["employer_id"] for row in rows}
    found = SignOff.objects.filter(mandataire_id=tenancy.current(), employer__in=clients, reopened_at=None)
    return set(found.values_list("employer_id", "quarter"))


def _known(rows: Sequence[Row]) -> RawQuerySet[TrainingRecord]:
    """The trainings of the register that have the reference of one of these rows.

    Each is looked up by its unique key; see `rows.find_workers` for why the tenant is no constant.
    """
    return TrainingRecord.objects.raw(
        "SELECT r.* FROM unnest(%s::uuid[], %s::bigint[], %s::text[]) AS said (tenant, employer, reference) "
        "CROSS JOIN LATERAL (SELECT * FROM submissions_trainingrecord t WHERE t.mandataire_id = said.tenant "
        "AND t.employer_id = said.employer AND t.client_reference = said.reference OFFSET 0) r",
        [
            [tenancy.current()] * len(rows),
            [row.values["employer_id"] for row in rows],
            [row.values[REFERENCE] for row in rows],
        ],
    )


@cache
def _words(name: str) -> dict[str, str]:
    """The words of a choice in every language, and as they go over the wire."""
    choices = BY_NAME[name].choices
    wires = {choice.wire.casefold(): code for code, choice in choices.items()}
    return named({code: choice.label for code, choice in choices.items()}) | wires


@lru_cache(maxsize=20_000)
def _cell(name: str, text: str, unit: int, month_first_line: int) -> object:
    """What a filled cell says, judged by itself, or Unfit. The same ones come back thousands of times."""
    item = BY_NAME[name]
    try:
        spoiled(text)
        value = _parsed(item, text, unit, month_first_line)
    except Unfit as error:
        return error
    flaw = judge(item, value)
    return Unfit(flaw.sentence, flaw.values) if flaw else value


def _parsed(item: Field, text: str, unit: int, month_first_line: int) -> object:
    match item.kind:
        case "text":
            return text
        case "date":
            return day(text, month_first_line=month_first_line)
        case "choice":
            return word(text, _words(item.name))
        case "money":
            return cents(text)
        case "minutes" if item.name == "day_minutes" and text.isdigit() and int(text) >= 60:
            return int(text)
        case "minutes" if not unit and text.replace(",", "").replace(".", "").isdigit():
            raise Unfit(gettext_noop("A number of days says nothing without the normal day."))
        case "minutes":
            return minutes(text, unit)


def _name(row: Row) -> None:
    """Gives the row its key, and a reference when the file has none: what it says, in a digest that tells nothing."""
    values = row.values
    if not values.get(REFERENCE):
        said = "|".join(str(values.get(name, "")) for name in (EMPLOYER, NISS, *BY_NAME))
        values[REFERENCE] = _OURS + cipher().blind_index("training", said)[:16].hex()
    row.key = f"{values[EMPLOYER]}|{values[REFERENCE]}".encode()


def _is_same(row: Row, before: TrainingRecord) -> bool:
    empty = (None, "")
    return before.worker_id == row.values["worker_id"] and all(
        (said == row.values.get(name)) or (said in empty and row.values.get(name) in empty)
        for name, said in before.values().items()
    )


_MADE: Final = ("employer_id", "worker_id", REFERENCE, *BY_NAME)


def _insert(rows: Sequence[Row]) -> dict[tuple[int, str], int]:
    """One statement for all of them: Django's own takes longer than everything else together. Returns ids by reference.

    What a row leaves empty is empty text, or nothing where the column has no text.
    """
    fields = {name: TrainingRecord._meta.get_field(name.removesuffix("_id")) for name in _MADE}
    empty = {name: None if field.null else "" for name, field in fields.items()}
    said = [{name: row.values.get(name, empty[name]) for name in _MADE} for row in rows]
    columns = ", ".join(_MADE)
    types = ", ".join(f"{name} {field.db_type(connection)}" for name, field in fields.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO submissions_trainingrecord (mandataire_id, {columns}, created_at, changed_at) "  # noqa: S608
            f"SELECT %s, {columns}, now(), now() FROM json_to_recordset(%s::json) AS said ({types}) "
            f"RETURNING employer_id, {REFERENCE}, id",
            [tenancy.current(), json.dumps(said, default=str)],
        )
        return {(employer, reference): pk for employer, reference, pk in cursor.fetchall()}
