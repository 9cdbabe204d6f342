"""Who may follow a training at an employer: those in service on its days, with what their contract says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from mandates.models import Contract, Employer, Worker
from portal import tenancy

FULL_TIME: Final = Decimal(100)
USUAL_DAY: Final = 456
"""Minutes of a normal day in a week of 38 hours, where no contract says another one."""


@dataclass(frozen=True, slots=True)
class Mate:
    """A worker on the first day of a training. Without any contract in the register, the three facts are None."""

    worker: Worker
    joint_committee: str | None = None
    regime: Decimal | None = None
    day_minutes: int | None = None

    @property
    def groups(self) -> list[str]:
        """The groups by which he may be chosen: `jc:200`, and `full` or `part` time."""
        if self.joint_committee is None or self.regime is None:
            return []
        return [f"jc:{self.joint_committee}", "full" if self.regime == FULL_TIME else "part"]


def team(employer: Employer, first: date, last: date) -> list[Mate]:
    """The workers in service on the first and on the last day, by name. Two queries, however many they are.

    Social security looks at these two days. Who has no contract in the register at all is one of them: the register
    may simply not know it.
    """
    tenant = tenancy.current()
    terms: dict[int, list[Contract]] = defaultdict(list)
    for contract in Contract.objects.filter(mandataire_id=tenant, worker__employer=employer):
        terms[contract.worker_id].append(contract)
    workers = Worker.objects.filter(mandataire_id=tenant, employer=employer)
    mates = []
    for worker in workers.order_by("family_name", "given_name", "pk"):
        if worker.pk not in terms:
            mates.append(Mate(worker))
        elif (on_first := _on(terms[worker.pk], first)) and _on(terms[worker.pk], last):
            mates.append(
                Mate(worker, on_first.joint_committee, on_first.regime.normalize(), on_first.day_minutes)
            )
    return mates


def usual_day(employer: Employer, day: date) -> int:
    """The normal day, in minutes, that most contracts of the employer on `day` have."""
    rows = Contract.objects.filter(
        mandataire_id=tenancy.current(), worker__employer=employer, entered_on__lte=day
    )
    lengths = Counter(
        minutes
        for minutes, left_on in rows.values_list("day_minutes", "left_on")
        if left_on is None or left_on >= day
    )
    return lengths.most_common(1)[0][0] if lengths else USUAL_DAY


def groups(mates: Iterable[Mate]) -> dict[str, int]:
    """How many are in each group, joint committees first; nothing where all are in the same groups."""
    found = Counter(group for mate in mates for group in mate.groups)
    committees = sorted(group for group in found if group.startswith("jc:"))
    regimes = [group for group in ("full", "part") if found[group]]
    chosen = [*(committees if len(committees) > 1 else ()), *(regimes if len(regimes) > 1 else ())]
    return {group: found[group] for group in chosen}


def found_by(mates: Sequence[Mate], text: str) -> list[Mate]:
    """Those whose name holds every word of `text`, in any order and case."""
    words = text.casefold().split()
    return [mate for mate in mates if all(word in str(mate.worker).casefold() for word in words)]


def _on(contracts: Iterable[Contract], day: date) -> Contract | None:
    """The contract of that day; of several the one that was entered last."""
    held = [
        contract
        for contract in contracts
        if contract.entered_on <= day and (contract.left_on is None or contract.left_on >= day)
    ]
    return max(held, key=lambda contract: (contract.entered_on, contract.pk), default=None)
