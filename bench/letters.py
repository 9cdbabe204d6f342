"""`make bench NAME=letters N=1000`: the balance letters of N workers of one employer, with the time and memory taken.

Each worker has a contract of the year and three trainings in it, a third of them reads each language. The bare cost is
one PDF of the same letters laid out in one go: what it takes to do without parts.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from datetime import date
from typing import Any
from uuid import UUID

from bench.ground import analyse, start
from portal.servers import provided

_YEAR = 2025
_TRAININGS = 3
_LANGUAGES = ("fr", "nl", "de")


def main() -> None:
    """Measures both, each in a process of its own, and prints time and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=1_000)
    parser.add_argument("--per-part", type=int, default=0)
    parsed = parser.parse_args()
    with provided():
        start()
        from tests.scratch import scratch_database

        with scratch_database("bench_letters"):
            mandataire, letters = _house(parsed.n, parsed.per_part)
            analyse()
            ours = _in_a_process(_make, mandataire, letters)
            whole = _in_a_process(_whole, mandataire, letters)
    for name, (seconds, before, peak, octets) in {"parts": ours, "in one go": whole}.items():
        sys.stdout.write(
            f"{name}: {seconds:.1f} s ({1000 * seconds / parsed.n:.0f} ms a letter), memory {before} -> {peak} MB, "
            f"{octets / 1e6:.1f} MB of PDF\n"
        )


def _house(count: int, per_part: int) -> tuple[UUID, int]:
    """An employer with `count` workers and the plan of their letters."""
    from mandates.models import Contract, Worker
    from portal import tenancy
    from submissions.letters import making
    from submissions.models import TrainingRecord
    from tests import factories

    if per_part:
        making.PER_PART = per_part  # type: ignore[misc]
    tenant = factories.mandataire()
    with tenancy.scope(tenant.pk):
        employer = factories.employer(name="Grande Maison")
        factories.size(employer, _YEAR)
        sample = factories.worker(employer)
        values = {name: getattr(sample, name) for name in ("niss_sealed", "family_name", "given_name")}
        workers = Worker.objects.bulk_create(
            Worker(
                employer=employer,
                **values,
                niss_index=number.to_bytes(32, "big"),
                language=_LANGUAGES[number % len(_LANGUAGES)],
            )
            for number in range(count)
        )
        Contract.objects.bulk_create(
            Contract(worker=worker, joint_committee="200", entered_on=date(2023, 1, 1)) for worker in workers
        )
        record = factories.record(sample)
        same: dict[str, Any] = {
            **record.values(),
            "starts_on": date(_YEAR, 3, 3),
            "ends_on": date(_YEAR, 3, 4),
            "status": "followed",
        }
        TrainingRecord.objects.bulk_create(
            TrainingRecord(employer=employer, worker=worker, client_reference=f"{worker.pk}-{number}", **same)
            for worker in workers
            for number in range(_TRAININGS)
        )
        return tenant.pk, making.ask(employer, _YEAR).pk


def _in_a_process(work: Any, *arguments: Any) -> Any:
    from django.db import connections

    connections["default"].close()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(_measured, [work, *arguments])


def _measured(work: Any, *arguments: Any) -> tuple[float, int, int, int]:
    import weasyprint  # noqa: F401  loaded beforehand, as in a worker that printed before

    before = _peak()
    began = time.perf_counter()
    octets = work(*arguments)
    return time.perf_counter() - began, before, _peak(), octets


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _make(mandataire: UUID, letters: int) -> int:
    from portal import tenancy
    from submissions.letters import making
    from submissions.models import LetterPart

    while making.work(mandataire, letters):
        pass
    with tenancy.scope(mandataire):
        return sum(LetterPart.objects.values_list("size", flat=True))


def _whole(mandataire: UUID, letters: int) -> int:
    from portal import tenancy
    from submissions.letters import making, writing
    from submissions.models import BalanceLetters

    with tenancy.scope(mandataire):
        found = BalanceLetters.objects.select_related("employer").get(pk=letters)
        workers = making.employed(found.employer, found.year).select_related("employer__mandataire")
        return len(writing.pdf(writing.letters_of(list(workers), found.year), found.employer, found.year))


if __name__ == "__main__":
    main()
