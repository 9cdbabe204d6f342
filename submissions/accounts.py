"""The individual training account that an employer keeps of each worker, whether or not anything is sent.

The law of 3 October 2022 says what it holds: who the worker is, work regime, joint committee, training credit, days
followed and days that remain, and the growth path.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from mandates import joint_committees
from mandates.models import Worker
from submissions import rights
from submissions.entitlement import Facts, Term, explain, last_year_to_take
from submissions.models import TrainingRecord
from submissions.right_words import PATH, amount, percent, right_of_year, steps


def account(worker: Worker, first: int, last: int) -> dict[str, Any]:
    """The account of one worker over calendar years, as pages and prints show it. Six queries.

    Fetch `employer` with the worker.
    """
    return accounts([worker], first, last)[worker.pk]


def accounts(workers: Collection[Worker], first: int, last: int) -> dict[int, dict[str, Any]]:
    """As `account`, by the id of each worker: six queries, however many. Give it a chunk."""
    facts = rights.facts_of(workers)
    taken = defaultdict[int, list[TrainingRecord]](list)
    rows = rights.followed([worker.pk for worker in workers])
    for row in rows.filter(ends_on__year__gte=first, ends_on__year__lte=last).order_by("ends_on", "pk"):
        taken[row.worker_id].append(row)
    years = range(first, last + 1)
    return {worker.pk: _account(worker, facts[worker.pk], taken[worker.pk], years) for worker in workers}


def _account(worker: Worker, facts: Facts, taken: Collection[TrainingRecord], years: range) -> dict[str, Any]:
    terms = [term for term in facts.terms if _touches(term, years)]
    by_year = defaultdict[int, list[TrainingRecord]](list)
    for row in taken:
        by_year[row.ends_on.year].append(row)
    shown = [
        year for year in years if by_year[year] or any(_touches(t, range(year, year + 1)) for t in terms)
    ]
    return {
        "worker": worker,
        "employer": worker.employer,
        "niss": worker.masked_niss,
        "first": years[0],
        "last": years[-1],
        "contracts": [_contract(term) for term in terms],
        "years": [_year(facts, year, by_year) for year in reversed(shown)],
    }


def _touches(term: Term, years: range) -> bool:
    """Whether a contract held on some day of these years."""
    return term.entered_on.year <= years[-1] and (term.left_on is None or term.left_on.year >= years[0])


def _contract(term: Term) -> dict[str, Any]:
    return {
        "committee": joint_committees.told(term.joint_committee),
        "regime": percent(term.regime),
        "day_minutes": term.day_minutes,
        "entered_on": term.entered_on,
        "left_on": term.left_on,
    }


def _year(facts: Facts, year: int, taken: Mapping[int, Collection[TrainingRecord]]) -> dict[str, Any]:
    found = explain(facts, year)
    return {
        **right_of_year(found),
        "until": last_year_to_take(facts, year),
        "path": steps(found, PATH),
        "trainings": [
            {
                "title": row.title,
                "provider": row.provider,
                "starts_on": row.starts_on,
                "ends_on": row.ends_on,
                "duration_minutes": row.duration_minutes,
                "charged": amount(row.charged_minutes, row.day_minutes),
            }
            for row in taken.get(year, ())
        ],
    }


def range_of(first: str, last: str, *, today: date, earliest: int) -> tuple[int, int]:
    """The years asked for, as they were typed, in order and within those that exist; the last five otherwise."""

    def within(text: str, usual: int) -> int:
        year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else usual
        return min(max(year, earliest), today.year)

    years = within(first, today.year - 4), within(last, today.year)
    return min(years), max(years)
