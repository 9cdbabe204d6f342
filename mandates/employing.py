"""Workers and their contracts: taken on, changed, ended. Each with its Event, in the transaction of the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from mandates.models import NISS, Contract, Employer, FormerNumber, Worker
from portal import audit, tenancy
from portal.models import cipher
from portal.templatetags.presenting import day

WHOLE = Decimal(100)
"""The regime of a full-timer, in percent."""


class CannotEmploy(ValueError):
    """The worker or contract cannot be kept as asked; the sentence says why and what to do. `field` may be empty."""

    permanent = True
    ambiguous = False

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def find(employer: Employer, niss: str) -> Worker | None:
    """The worker of an employer by his number (11 digits), or by one that he had before."""
    index = cipher().blind_index(NISS, niss)
    rows = Worker.objects.filter(mandataire_id=tenancy.current(), employer=employer)
    former = FormerNumber.objects.filter(mandataire_id=tenancy.current(), niss_index=index, undone_at=None)
    return rows.filter(niss_index=index).first() or rows.filter(pk__in=former.values("worker_id")).first()


def take_on(employer: Employer, niss: str, values: Mapping[str, str]) -> Worker:
    """A new worker: `niss` is 11 digits, `values` are his names and language. Raises CannotEmploy for a known one."""
    # Two people who add the same worker at the same moment wait for each other.
    Employer.objects.select_for_update().get(pk=employer.pk)
    if find(employer, niss) is not None:
        raise CannotEmploy(
            _("Somebody with this number, now or before, is a worker of this employer already."), "niss"
        )
    made = Worker(employer=employer, **values)
    made.niss = niss
    made.save()
    audit.record("worker.added", made)
    return made


def rename(worker: Worker, values: Mapping[str, str]) -> list[str]:
    """Corrects names or language of a worker; returns what changed. What left under the old name stays as it left."""
    row = Worker.objects.select_for_update().get(pk=worker.pk)
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    if not changed:
        return []
    for name in changed:
        setattr(row, name, values[name])
    row.save(update_fields=changed)
    audit.record("worker.changed", row, data={"fields": changed})
    return changed


def sign(worker: Worker, values: Mapping[str, Any], *, ends: Contract | None = None) -> Contract:
    """A new contract; `ends`, an open one, ends on the day before. Raises CannotEmploy above 100 %."""
    Worker.objects.select_for_update().get(pk=worker.pk)
    if ends is not None:
        if values["entered_on"] <= ends.entered_on:
            raise CannotEmploy(
                _("The contract that this one follows began on %(day)s: begin later.")
                % {"day": day(ends.entered_on)},
                "entered_on",
            )
        end(ends, values["entered_on"] - timedelta(days=1))
    made = Contract(worker=worker, **values)
    _check(made)
    made.save()
    audit.record("contract.signed", worker, data={"contract": made.pk})
    return made


def change(contract: Contract, values: Mapping[str, Any]) -> list[str]:
    """Corrects a contract; returns the names of the columns that changed. Raises CannotEmploy as `sign` does."""
    Worker.objects.select_for_update().get(pk=contract.worker_id)
    changed = sorted(name for name, value in values.items() if getattr(contract, name) != value)
    if not changed:
        return []
    for name in changed:
        setattr(contract, name, values[name])
    _check(contract)
    contract.save(update_fields=changed)
    audit.record("contract.changed", contract.worker, data={"contract": contract.pk, "fields": changed})
    return changed


def end(contract: Contract, on: date) -> None:
    """The last day of a contract. Raises CannotEmploy for a day before its first."""
    if on < contract.entered_on:
        raise CannotEmploy(
            _("The contract began on %(day)s: it cannot end before.") % {"day": day(contract.entered_on)},
            "left_on",
        )
    contract.left_on = on
    contract.save(update_fields=["left_on"])
    audit.record("contract.ended", contract.worker, data={"contract": contract.pk, "end": on.isoformat()})


def too_much_from(wanted: Contract, others: Iterable[Contract]) -> date | None:
    """The day from which a contract and the `others` of the same worker come to more than a full-timer, or None.

    It is a day on which the wanted one holds.
    """
    rows = [*others, wanted]
    for turn in sorted(row.entered_on for row in rows):
        held = [
            row for row in rows if row.entered_on <= turn and (row.left_on is None or turn <= row.left_on)
        ]
        if wanted in held and sum((row.regime for row in held), Decimal(0)) > WHOLE:
            return turn
    return None


def _check(wanted: Contract) -> None:
    """Contracts at the same time make a full-timer at most: more is a contract that somebody forgot to end."""
    others = Contract.objects.filter(mandataire_id=tenancy.current(), worker=wanted.worker_id)
    if turn := too_much_from(wanted, others.exclude(pk=wanted.pk)):
        raise CannotEmploy(
            _(
                "From %(day)s on the contracts of this worker come to more than 100 %%: end the earlier one first."
            )
            % {"day": day(turn)},
            "regime",
        )
