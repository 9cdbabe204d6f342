"""Correcting what social security refused or remarked on: many at once, each with the declaration that this asks for.

After a refusal it is the same declaration again, because nothing was registered; after an acceptance a modification of
what stands on the account. Each new declaration is linked to the one that it replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import batched
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from mandates.models import NISS, Worker
from portal import audit, tenancy
from portal.models import cipher
from submissions import merging, signing_off
from submissions.fields import BY_NAME, problems
from submissions.models import Declaration, TrainingRecord
from submissions.states import LIVE, DeclarationState

_SLICE: Final = 500

TOLD: Final = frozenset({"date", "minutes", "choice", "money"})
"""Kinds of fields whose values an Event tells: what is typed freely may be about people, and stays out of it."""


@dataclass
class Outcome:
    """What became of a correction: declarations made ready, kept as drafts, left because somebody was faster.

    `wrong` are the sentences, by id of the declaration, of values that a record cannot take: those stay as they were.
    """

    declared: int = 0
    drafts: int = 0
    left: int = 0
    wrong: dict[int, str] = field(default_factory=dict)
    quarters: set[str] = field(default_factory=set)

    @property
    def made(self) -> int:
        """New declarations."""
        return self.declared + self.drafts


def told_values(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, list[Any]]:
    """What an Event may tell of changed fields (before and after): days as text, minutes, cents, choices."""
    return {
        name: [value.isoformat() if isinstance(value, date) else value for value in pair]
        for name, pair in changes.items()
        if BY_NAME[name].kind in TOLD
    }


def declare_again(
    chosen: Iterable[int],
    changes: Mapping[int, Mapping[str, Any]] | None = None,
    *,
    for_all: Mapping[str, Any] | None = None,
) -> Outcome:
    """Declares what was answered again, after changing its record. `chosen` are ids of declarations, not repeated.

    `changes` are new values by id of the declaration and name of the field; `for_all` the same ones for each. What was
    followed by another declaration meanwhile, and the forms of ready-made files, are left. In slices, set-based: the
    queries grow with the slices.
    """
    outcome = Outcome()
    for slice_ in batched(sorted(chosen), _SLICE):
        _Slice(slice_, changes or {}, for_all or {}, outcome).run()
    return outcome


class _Slice:
    """Some hundreds of declarations, locked in the order of their ids."""

    def __init__(
        self,
        ids: tuple[int, ...],
        changes: Mapping[int, Mapping[str, Any]],
        for_all: Mapping[str, Any],
        outcome: Outcome,
    ) -> None:
        self.ids, self.changes, self.for_all, self.outcome = ids, changes, for_all, outcome

    def run(self) -> None:
        """Changes the records, makes the declarations, and tells of both."""
        answered = (DeclarationState.REFUSED, DeclarationState.ACCEPTED_WITH_REMARKS)
        rows = Declaration.objects.filter(
            mandataire_id=tenancy.current(), pk__in=self.ids, state__in=answered, form=None
        )
        found = list(rows.order_by("pk").select_for_update(of=("self",)))
        done = set(
            Declaration.objects.filter(mandataire_id=tenancy.current(), replaces__in=found).values_list(
                "replaces_id", flat=True
            )
        )
        records = self._records({row.record_id for row in found if row.record_id})
        # One thing is declared once at a time, whatever was answered before.
        alive = self._alive(found)
        chosen = [
            row
            for row in found
            if row.pk not in done
            and (row.record_id or row.document_id) not in alive[bool(row.record_id)]
            and not (row.state != DeclarationState.REFUSED and row.kind == Declaration.Kind.CANCELLATION)
        ]
        self.outcome.left += len(self.ids) - len(chosen)
        changed = self._change(chosen, records)
        self._tell(changed)
        self._declare([row for row in chosen if row.pk not in self.outcome.wrong], records)

    def _records(self, ids: set[int]) -> dict[int, TrainingRecord]:
        rows = TrainingRecord.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
        return {row.pk: row for row in rows.order_by("pk").select_for_update(no_key=True)}

    def _alive(self, found: list[Declaration]) -> dict[bool, set[int]]:
        live = Declaration.objects.filter(mandataire_id=tenancy.current(), state__in=LIVE)
        records = {row.record_id for row in found if row.record_id}
        documents = {row.document_id for row in found if row.document_id}
        return {
            True: set(live.filter(record__in=records).values_list("record_id", flat=True))
            if records
            else set(),
            False: set(live.filter(document__in=documents).values_list("document_id", flat=True))
            if documents
            else set(),
        }

    def _change(
        self, chosen: list[Declaration], records: dict[int, TrainingRecord]
    ) -> list[tuple[TrainingRecord, dict[str, tuple[Any, Any]]]]:
        """Writes the new values; notes those that a record cannot take."""
        changed: list[tuple[TrainingRecord, dict[str, tuple[Any, Any]]]] = []
        for row in chosen:
            record = records.get(row.record_id or 0)
            asked = {**self.for_all, **self.changes.get(row.pk, {})}
            if record is None or not asked:
                continue
            values = record.values() | asked
            faults = [
                text for name, texts in problems(values).items() if name in _touched(asked) for text in texts
            ]
            if faults:
                self.outcome.wrong[row.pk] = faults[0]
                continue
            pairs = {name: (getattr(record, name), value) for name, value in asked.items()}
            pairs = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
            for name, (_before, after) in pairs.items():
                setattr(record, name, after)
            if pairs:
                record.changed_at = timezone.now()
                changed.append((record, pairs))
        if changed:
            names = {name for _record, pairs in changed for name in pairs}
            TrainingRecord.objects.bulk_update(
                [record for record, _pairs in changed], [*sorted(names), "changed_at"]
            )
        return changed

    def _declare(self, chosen: list[Declaration], records: dict[int, TrainingRecord]) -> None:
        made = [_following(row, records.get(row.record_id or 0)) for row in chosen]
        Declaration.objects.bulk_create(made)
        drafts = sum(row.state == DeclarationState.DRAFT for row in made)
        self.outcome.drafts += drafts
        self.outcome.declared += len(made) - drafts
        if made:
            audit.record("declaration.created", made[0], data={"count": len(made)})

    def _tell(self, changed: list[tuple[TrainingRecord, dict[str, tuple[Any, Any]]]]) -> None:
        audit.record_all(
            "record.changed",
            [(record, {"fields": sorted(pairs), "values": told_values(pairs)}) for record, pairs in changed],
        )
        # Quarters are signed off employer by employer: one record of each speaks for all of them.
        touched: dict[tuple[int, date, date], TrainingRecord] = {}
        for record, pairs in changed:
            before = pairs.get("ends_on", (record.ends_on,))[0]
            touched.setdefault((record.employer_id, before, record.ends_on), record)
        for (_employer, before, _after), record in touched.items():
            self.outcome.quarters.update(signing_off.note_change(record, before))


def _touched(asked: Mapping[str, Any]) -> set[str]:
    """The fields whose faults a change of `asked` may cause: a day and a duration are judged beside others."""
    beside = {"starts_on", "ends_on", "duration_minutes", "charged_minutes", "certificate_valid_until"}
    return set(asked) | (beside if beside & set(asked) else set())


def _following(row: Declaration, record: TrainingRecord | None) -> Declaration:
    is_refusal = row.state == DeclarationState.REFUSED
    is_complete = record is None or not problems(record.values())
    return Declaration(
        employer_id=row.employer_id,
        record_id=row.record_id,
        document_id=row.document_id,
        service=row.service,
        kind=row.kind if is_refusal else Declaration.Kind.MODIFICATION,
        replaces=row,
        environment=row.environment,
        earlier_ticket=row.earlier_ticket if is_refusal else row.ticket,
        state=DeclarationState.READY if is_complete else DeclarationState.DRAFT,
    )


def each(rows: QuerySet[Declaration]) -> Iterator[int]:
    """The ids of declarations, without their rows."""
    return rows.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=2000)


# --- the worker's number --------------------------------------------------------------------------


class CannotCorrect(ValueError):
    """The new value cannot be taken; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


def judge_number(worker: Worker, new: str) -> None:
    """Raises CannotCorrect when `new` (11 digits) is the number that he has, or that of another worker of his employer:
    then a person compares the two.
    """
    index = cipher().blind_index(NISS, new)
    if bytes(worker.niss_index) == index:
        raise CannotCorrect(_("This is the number that was refused: nothing would change."))
    rows = Worker.objects.filter(mandataire_id=tenancy.current(), employer=worker.employer_id)
    if rows.filter(niss_index=index).exists():
        raise CannotCorrect(_("Another worker of this client has this number already: compare the two."))


def correct_number(worker: Worker, new: str) -> None:
    """Gives a worker, of whom social security knows nothing, the right number; the former one goes on finding him."""
    judge_number(worker, new)
    merging.replace_number(worker, new)
