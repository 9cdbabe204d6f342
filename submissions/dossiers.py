"""The complete file of a worker or of an employer: all that the register holds, as JSON that outlives the portal.

Personal numbers stand in it in full. Durations are minutes, money is euro cents, days and moments are ISO 8601.
`rights` are worked out at that moment; everything else is as it was kept. Documents are named and not included.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from mandates.models import NISS, Employer, Mandate, Worker
from portal import tenancy
from portal.models import Mandataire, cipher
from submissions import rights
from submissions.entitlement import Facts, explain
from submissions.models import (
    CareerDocument,
    Declaration,
    EmployerSize,
    FormerDeclaration,
    SignOff,
    TrainingRecord,
)
from submissions.models.right import FIRST_YEAR

FORMAT: Final = "mandataire.dossier"
VERSION: Final = 2
"""2: declarations have their environment, and say from whose archive they were taken over."""
PER_CHUNK: Final = 200
"""Workers read at once, each chunk in a transaction of its own."""

type Reopen = Callable[[], AbstractContextManager[None]]


def of_worker(worker: Worker, reopen: Reopen) -> Iterator[str]:
    """The file of one worker, by pieces."""
    return _file(worker.employer, Worker.objects.filter(pk=worker.pk), reopen)


def of_employer(employer: Employer, reopen: Reopen) -> Iterator[str]:
    """The file of one employer with all his workers, by pieces."""
    return _file(employer, Worker.objects.filter(employer=employer), reopen)


def _file(employer: Employer, rows: QuerySet[Worker], reopen: Reopen) -> Iterator[str]:
    """The head, then the workers one by one."""
    with reopen():
        head = head_of(employer)
    return written(head, workers_of(rows, reopen))


def written(head: dict[str, Any], workers: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The text of a file: its head in the first line, then one worker a line, so that it may be read line by line."""
    yield _text(head).removesuffix("}") + ', "workers": ['
    between = "\n"
    for one in workers:
        yield between + _text(one)
        between = ",\n"
    yield "\n]}\n"


def workers_of(rows: QuerySet[Worker], reopen: Reopen, per_chunk: int = 0) -> Iterator[dict[str, Any]]:
    """All that is kept of `rows`, one by one. The request is over by then, so each chunk opens the scope again."""
    last, size = 0, per_chunk or PER_CHUNK
    while True:
        with reopen():
            found = rows.filter(mandataire_id=tenancy.current(), pk__gt=last).order_by("pk")
            chunk = list(_whole(found)[:size])
            told = list(_workers(chunk))
        yield from told
        if len(chunk) < size:
            return
        last = chunk[-1].pk


def _text(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _whole(rows: QuerySet[Worker]) -> QuerySet[Worker]:
    """`rows` with all that a file tells of them: a fixed number of queries for a chunk."""
    declarations = Declaration.objects.select_related("batch").prefetch_related("anomalies").order_by("pk")
    return rows.prefetch_related(
        "former_numbers",
        "contracts",
        "manual_rights",
        "correction_requests",
        Prefetch(
            "training_records",
            queryset=TrainingRecord.objects.order_by("pk").prefetch_related(
                Prefetch("declarations", queryset=declarations), "former_declarations"
            ),
        ),
    )


def head_of(employer: Employer) -> dict[str, Any]:
    """All that is kept of the employer himself. To be asked in an open scope."""
    tenant = tenancy.current()
    mandataire = Mandataire.objects.get(pk=tenant)
    sizes = EmployerSize.objects.filter(mandataire_id=tenant, employer=employer).order_by("year")
    mandates = Mandate.objects.filter(mandataire_id=tenant, employer=employer).order_by("pk")
    signed = SignOff.objects.filter(mandataire_id=tenant, employer=employer).order_by("pk")
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": timezone.now(),
        "mandataire": {"name": mandataire.name, "number": mandataire.number},
        "employer": {
            **_columns(employer, ("number", "onss_number", "name", "language")),
            "sizes": [_columns(row, ("year", "fte")) for row in sizes],
            "mandates": [
                _columns(row, ("service", "starts_on", "ends_on", "state", "reason")) for row in mandates
            ],
            "sign_offs": [
                _columns(row, ("quarter", "signed_at", "signed_by", "reopened_at", "reopened_by", "reason"))
                for row in signed
            ],
        },
        "agreements": [
            {
                "joint_committee": one.joint_committee,
                "number": one.number,
                "from_year": one.from_year,
                "until_year": one.until_year,
                "days": float(one.days),
                "small_days": None if one.small_days is None else float(one.small_days),
            }
            for one in rights.agreements()
        ],
    }


def _workers(chunk: Collection[Worker]) -> Iterable[dict[str, Any]]:
    facts = rights.facts_of(chunk)
    documents = defaultdict[int, list[dict[str, Any]]](list)
    rows = CareerDocument.objects.filter(
        mandataire_id=tenancy.current(), worker__in=[row.pk for row in chunk]
    )
    for row in rows.defer("content_sealed").order_by("pk"):
        documents[row.worker_id].append(_columns(row, ("name", "category", "document_on", "created_at")))
    return [_worker(row, facts[row.pk]) | {"documents": documents[row.pk]} for row in chunk]


def _worker(worker: Worker, facts: Facts) -> dict[str, Any]:
    contract = ("joint_committee", "regime", "day_minutes", "entered_on", "left_on")
    decided = ("year", "minutes", "is_whole", "reason", "made_at", "made_by", "withdrawn_at", "withdrawn_by")
    noted = ("kind", "how", "text", "received_on", "noted_at", "noted_by")
    asked = (*noted, "state", "reason", "decided_at", "decided_by")
    years = [explain(facts, year) for year in range(FIRST_YEAR, timezone.localdate().year + 1)]
    return {
        "niss": worker.niss,
        **_columns(worker, ("family_name", "given_name", "language")),
        "former_numbers": [
            {
                "niss": cipher().open_text(NISS, bytes(row.niss_sealed)),
                **_columns(row, ("replaced_at", "undone_at")),
            }
            for row in worker.former_numbers.all()
        ],
        "contracts": [_columns(row, contract) for row in worker.contracts.all()],
        "manual_rights": [
            _columns(row, (*decided, "withdrawn_reason")) for row in worker.manual_rights.all()
        ],
        "rights": [
            {
                **{
                    name: getattr(found, name)
                    for name in ("year", "own", "carried", "used", "remaining", "beyond")
                },
                "years_without_a_size": found.missing,
            }
            for found in years
        ],
        "correction_requests": [_columns(row, asked) for row in worker.correction_requests.all()],
        "trainings": [_training(row) for row in worker.training_records.all()],
    }


def _training(record: TrainingRecord) -> dict[str, Any]:
    return {
        "client_reference": record.client_reference,
        **record.values(),
        **_columns(record, ("created_at", "changed_at")),
        "declarations": [
            *[_former(row) for row in record.former_declarations.all()],
            *[_declaration(row) for row in record.declarations.all()],
        ],
    }


_DECLARATION: Final = (
    *("reference", "service", "kind", "state", "environment"),
    *("ticket", "earlier_ticket", "created_at", "answered_at"),
)


def _former(row: FormerDeclaration) -> dict[str, Any]:
    return {
        **_columns(row, (*_DECLARATION, "sent_at", "anomalies")),
        "taken_over_from": {"name": row.origin_name, "number": row.origin_number},
    }


def _declaration(row: Declaration) -> dict[str, Any]:
    anomaly = ("code", "anomaly_class", "tag", "value", "label", "location")
    return {
        **_columns(row, _DECLARATION),
        "sent_at": row.batch.dropped_at if row.batch else None,
        "anomalies": [_columns(one, anomaly) for one in row.anomalies.all()],
        "taken_over_from": None,
    }


def _columns(row: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
