"""The lists of declarations, sets, ready-made files and workers, as files.

Personal numbers are masked, as the pages show them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from channels.models import EnvironmentCode
from mandates.models import Worker
from portal import tenancy
from portal.sheets import Code, Listing, Value, enterprise_code
from portal.templatetags.wording import KINDS, STATES
from submissions import questions, relaying, rights
from submissions.entitlement import Facts, explain
from submissions.models import Batch, Declaration, RelayedFile

_HUNDREDTHS = Decimal("0.01")


def declarations(rows: QuerySet[Declaration], *, order: Sequence[str]) -> Listing[Declaration]:
    """The declarations `rows` in this order."""

    def read(chunk: Sequence[Declaration]) -> list[list[Value]]:
        shown = questions.declaration_rows(chunk)
        return [_declaration(*pair) for pair in zip(chunk, shown, strict=True)]

    def headings() -> list[str]:
        return [
            _("Employer"),
            _("Enterprise number"),
            _("Worker"),
            _("NISS"),
            _("Declaration"),
            _("Detail"),
            _("Kind"),
            _("First day"),
            _("Last day"),
            _("Duration (hours)"),
            _("Batch"),
            _("Part"),
            _("Position"),
            _("Answer"),
            _("Code"),
            _("Cause"),
            _("What to do"),
            _("What to correct"),
            _("Our reference"),
            _("Ticket"),
        ]

    return Listing(questions.for_rows(rows), order, headings, read)


def _declaration(row: Declaration, shown: dict[str, Any]) -> list[Value]:
    minutes = row.record.duration_minutes if row.record else None
    return [
        row.employer.name,
        enterprise_code(row.employer.number),
        shown["worker_name"],
        Code(shown["worker_niss"]),
        shown["title"],
        shown["note"],
        str(KINDS[row.kind]),
        shown["starts_on"],
        shown["ends_on"],
        None if minutes is None else _decimal(Fraction(minutes, 60)),
        shown["batch_at"],
        row.part,
        row.position,
        str(STATES["declaration"][shown["state"]].word),
        Code(shown["cause_code"]),
        *(str(shown[name]) for name in ("cause", "todo", "correction")),
        row.reference,
        row.ticket,
    ]


def batches(rows: QuerySet[Batch]) -> Listing[Batch]:
    """The sets `rows`, newest first."""

    def read(chunk: Sequence[Batch]) -> list[list[Value]]:
        these = Batch.objects.filter(mandataire_id=tenancy.current(), pk__in=[row.pk for row in chunk])
        return [_batch(questions.batch_row(row)) for row in questions.with_outcomes(these).order_by("-pk")]

    def headings() -> list[str]:
        return [
            _("Batch"),
            _("File"),
            _("State"),
            _("Environment"),
            _("Declarations"),
            _("Clients"),
            _("Accepted"),
            _("With remarks"),
            _("Refused"),
            _("Waiting"),
            _("Ticket"),
        ]

    return Listing(rows, ("-pk",), headings, read)


def _batch(shown: dict[str, Any]) -> list[Value]:
    counts = ("total", "employers", "accepted", "remarks", "refused", "waiting")
    return [
        shown["at"],
        shown["name"],
        str(STATES["batch"][shown["state"]].word),
        str(EnvironmentCode(shown["environment"]).label),
        *[shown[name] for name in counts],
        shown["ticket"],
    ]


def relays(rows: QuerySet[RelayedFile]) -> Listing[RelayedFile]:
    """The ready-made files `rows`, newest first."""

    def read(chunk: Sequence[RelayedFile]) -> list[list[Value]]:
        return [_relay(shown) for shown in relaying.rows_of(chunk)]

    def headings() -> list[str]:
        return [
            _("File"),
            _("Size (bytes)"),
            _("Service"),
            _("Handed over"),
            _("Forms"),
            _("Clients"),
            _("Withdrawn"),
            _("Refused"),
            _("Accepted"),
            _("On its way"),
            _("Ready to leave"),
        ]

    return Listing(rows, ("-pk",), headings, read)


def _relay(shown: dict[str, Any]) -> list[Value]:
    columns = ("name", "size", "service", "at", "forms", "employers")
    withdrawn = _("yes") if shown["is_withdrawn"] else _("no")
    counts = ("refused", "accepted", "waiting", "ready")
    return [*[shown[name] for name in columns], withdrawn, *[shown[name] for name in counts]]


def workers(rows: QuerySet[Worker], today: date) -> Listing[Worker]:
    """The workers `rows` by name, with their contract on the day `today` and the right of its year, in days."""

    def read(chunk: Sequence[Worker]) -> list[list[Value]]:
        facts = rights.facts_of(chunk)
        return [_worker(row, facts[row.pk], today) for row in chunk]

    def headings() -> list[str]:
        return [
            _("Family name"),
            _("Given name"),
            _("NISS"),
            _("Employer"),
            _("Enterprise number"),
            _("Joint committee"),
            _("Work regime (%)"),
            _("Year"),
            _("Right of the year (days)"),
            _("Carried over (days)"),
            _("Training taken (days)"),
            _("Remaining (days)"),
        ]

    return Listing(rows.select_related("employer"), ("family_name", "given_name", "pk"), headings, read)


def _worker(row: Worker, facts: Facts, today: date) -> list[Value]:
    held = [term for term in facts.terms if term.holds_on(today)]
    found = explain(facts, today.year)
    figures = (
        (found.own, today.year in found.missing),
        (found.carried, bool(set(found.missing) - {today.year})),
        (found.used, False),
        (found.remaining, bool(found.missing)),
    )
    # What rests on a size that is not known is no figure, and a zero would be one.
    shown = [
        None if is_empty else _decimal(Fraction(count, found.day_minutes)) for count, is_empty in figures
    ]
    return [
        row.family_name,
        row.given_name,
        Code(row.masked_niss),
        row.employer.name,
        enterprise_code(row.employer.number),
        ", ".join(sorted({term.joint_committee for term in held})),
        _decimal(sum((term.regime for term in held), Fraction(0)) * 100) if held else None,
        today.year,
        *shown,
    ]


def _decimal(value: Fraction) -> Decimal:
    """Two decimals, half up."""
    return (Decimal(int(value * 100 + Fraction(1, 2))) / 100).quantize(_HUNDREDTHS)
