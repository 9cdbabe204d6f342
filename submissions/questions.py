"""What the pages ask of declarations and sets: every answer costs a fixed number of queries, whatever the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, overload

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce, Greatest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from channels.models import EnvelopePart, EnvironmentCode
from channels.naming import parse_name
from mandates.catalogue import services
from mandates.models import Employer
from mandates.numbers import NumberError, parse_enterprise_number
from portal import tenancy
from submissions.batching import today
from submissions.models import Anomaly, Batch, CareerDocument, Declaration, RelayedForm, TrainingRecord
from submissions.states import ACCEPTED, ON_THE_WAY, TESTS, BatchState, DeclarationState
from submissions.words import NOT_BLOCKING, heading, is_blocking, words

REMARKS: Final = "remarks"
TESTED: Final = "tested"
"""Accepted in a circuit test or a simulation, and not declared yet."""
UNDER_WAY: Final = "under_way"
"""Ready or on its way: to an employer these are one, because neither waits for him."""
TO_CORRECT: Final = "to_correct"
"""Refused and not corrected yet."""
FILTERS: Final[dict[str, tuple[str, ...]]] = {
    "draft": (DeclarationState.DRAFT,),
    "ready": (DeclarationState.READY,),
    "on_its_way": ON_THE_WAY,
    UNDER_WAY: (DeclarationState.READY, *ON_THE_WAY),
    "accepted": ACCEPTED,
    TESTED: ACCEPTED,
    REMARKS: (DeclarationState.ACCEPTED_WITH_REMARKS,),
    "refused": (DeclarationState.REFUSED,),
    TO_CORRECT: (DeclarationState.REFUSED,),
    "withdrawn": (DeclarationState.WITHDRAWN,),
}
"""The filters of a list of declarations, as they stand in the address, and the states behind each (see `filtered`)."""

_PRODUCTION: Final = EnvironmentCode.PRODUCTION
_OPEN_SETS: Final = (BatchState.SEALED, BatchState.DROPPED, BatchState.ACKNOWLEDGED, BatchState.PARKED)


def mine() -> QuerySet[Declaration]:
    """Every declaration of the current mandataire. The filter lets the indexes, which lead with the tenant, serve.

    In a limited scope it says the limit again, for the index on the employer: the wall alone would look at every row.
    """
    rows, limit = Declaration.objects.filter(mandataire_id=tenancy.current()), tenancy.limit()
    return rows if limit is None else rows.filter(employer_id__in=limit)


def to_correct() -> QuerySet[Declaration]:
    """What was refused and is not followed by a correction."""
    return Declaration.objects.to_correct().filter(mandataire_id=tenancy.current())


def filtered(rows: QuerySet[Declaration], name: str) -> QuerySet[Declaration]:
    """Those of `rows` behind a filter; accepted is what production accepted, for nothing else is declared."""
    if name == TESTED:
        return rows.tested()  # type: ignore[attr-defined, no-any-return]
    if name == TO_CORRECT:
        return rows.to_correct()  # type: ignore[attr-defined, no-any-return]
    rows = rows.filter(state__in=FILTERS[name])
    return rows.filter(environment=_PRODUCTION) if name == "accepted" else rows


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One employer and where his declarations stand. Numbers are declarations."""

    pk: int
    name: str
    number: str
    ready: int
    on_its_way: int
    to_correct: int
    accepted: int
    last_activity_at: datetime | None


def first_of_month(day: date | None = None) -> datetime:
    """The moment at which the month of `day` (today) begins in Belgium."""
    day = day or timezone.localdate()
    midnight = datetime(day.year, day.month, 1)  # noqa: DTZ001  made aware in the next line
    return timezone.make_aware(midnight)


class Clients(Sequence[ClientLine]):
    """Every employer with where his declarations stand: those with most to correct first, then by name.

    A page of it (a slice) is all that is ever read in full: three queries, however many employers there are.
    """

    def __init__(self) -> None:
        refusals = to_correct().order_by().values_list("employer_id", "employer__name")
        counted = refusals.annotate(count=Count("pk"), oldest=Min("answered_at"))
        # The few with something to correct; all the others follow in the order of an index.
        urgent = list(counted.order_by("-count", "employer__name", "employer_id"))
        self._urgent = [employer for employer, _name, _count, _oldest in urgent]
        self.to_correct = sum(count for _employer, _name, count, _oldest in urgent)
        self.with_refusals = len(urgent)
        self.oldest_refusal_at = min((oldest for *_others, oldest in urgent if oldest), default=None)

    @cached_property
    def _count(self) -> int:
        return self._everybody().count()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, asked: int) -> ClientLine: ...
    @overload
    def __getitem__(self, asked: slice) -> list[ClientLine]: ...

    def __getitem__(self, asked: int | slice) -> ClientLine | list[ClientLine]:
        """The lines of a page."""
        if isinstance(asked, int):
            return self[asked : asked + 1][0]
        first, last, _step = asked.indices(len(self))
        chosen = self._urgent[first:last]
        known = len(self._urgent)
        if last > known:
            others = self._everybody().exclude(pk__in=self._urgent).order_by("name", "pk")
            chosen += others.values_list("pk", flat=True)[max(first - known, 0) : last - known]
        lines = {line.pk: line for line in _lines(chosen)}
        return [lines[pk] for pk in chosen]

    @staticmethod
    def _everybody() -> QuerySet[Employer]:
        return Employer.objects.filter(mandataire_id=tenancy.current())


def _lines(employers: list[int]) -> Iterator[ClientLine]:
    state = Q(declarations__state__in=ACCEPTED, declarations__environment=_PRODUCTION)
    refused = Q(
        declarations__state=DeclarationState.REFUSED,
        declarations__replaced_by=None,
        declarations__settlements=None,
    )
    rows = (
        Employer.objects.filter(mandataire_id=tenancy.current(), pk__in=employers)
        .annotate(
            ready=Count("declarations", filter=Q(declarations__state=DeclarationState.READY)),
            on_its_way=Count("declarations", filter=Q(declarations__state__in=ON_THE_WAY)),
            to_correct=Count("declarations", filter=refused),
            accepted=Count("declarations", filter=state),
            last_activity_at=Greatest(Max("declarations__created_at"), Max("declarations__answered_at")),
        )
        .order_by("pk")
        .values_list(*ClientLine.__dataclass_fields__)
    )
    return (ClientLine(*row) for row in rows)


def totals() -> dict[str, Any]:
    """What all clients together have under way, and what production answered this month. Numbers are declarations.

    `ready_clients` are employers. `tested` were accepted as a test and are not declared yet. `accepted_lately` were
    accepted since the first day of the month; `first_tries` were answered since then and replace no earlier
    declaration; `at_first_try` of these were accepted. `ready_services` are the codes of what is ready. Two queries.
    """
    lately = Q(answered_at__gte=first_of_month(), environment=_PRODUCTION)
    ready = Q(state=DeclarationState.READY)
    found: dict[str, Any] = (
        mine()
        .filter(lately | Q(state__in=(DeclarationState.READY, *ON_THE_WAY)))
        .aggregate(
            ready=Count("pk", filter=ready),
            ready_clients=Count("employer", filter=ready, distinct=True),
            ready_services=ArrayAgg("service", filter=ready, distinct=True, default=[]),
            on_its_way=Count("pk", filter=Q(state__in=ON_THE_WAY)),
            accepted_lately=Count("pk", filter=lately & Q(state__in=ACCEPTED)),
            first_tries=Count("pk", filter=lately & Q(replaces=None)),
            at_first_try=Count("pk", filter=lately & Q(replaces=None, state__in=ACCEPTED)),
        )
    )
    return found | {TESTED: tested_count(mine())}


def tested_count(rows: QuerySet[Declaration]) -> int:
    """How many of `rows` were accepted as a test and are not declared yet. One query, or two where there are any."""
    return filtered(rows, TESTED).order_by().count() if has_tests(rows) else 0


def has_tests(rows: QuerySet[Declaration]) -> bool:
    """Whether a test accepted any of `rows`. One query, asked before those for what is only tested.

    Most offices have none, and that question costs PostgreSQL ten times as much to plan as to answer.
    """
    return rows.filter(environment__in=TESTS, state__in=ACCEPTED).order_by().exists()


def with_cause(rows: QuerySet[Declaration], code: str, tag: str) -> QuerySet[Declaration]:
    """Those of `rows` refused for an anomaly of this code at this element; an empty code: for none at all."""
    blocking = Anomaly.objects.filter(declaration=OuterRef("pk")).exclude(anomaly_class__in=NOT_BLOCKING)
    return rows.filter(Exists(blocking.filter(code=code, tag=tag)) if code else ~Exists(blocking))


def held_back(
    environment: str, codes: Iterable[str] | None = None
) -> list[tuple[str, bool, bool, int, str, str, int]]:
    """Ready declarations by service, environment, whether we may speak for their employer today, and employer.

    `environment` is that of the channel, "" without one. Each row: service, for production, may leave today, id, name
    and number of the employer, number of declarations. `codes` are the services of which something is ready, for who
    knows them: each mandate that they need is looked up for all clients. One query.
    """
    meant = Q(environment__in=[_PRODUCTION, ""] if environment == _PRODUCTION else [_PRODUCTION])
    day, speaking, known = today().date(), Q(pk__in=()), services()
    for mandate in {known[code].mandate for code in (known if codes is None else codes) if code in known}:
        carried = [one.code for one in known.values() if one.mandate == mandate]
        employers = Employer.objects.spoken_for(day, mandate)
        speaking |= Q(service__in=carried, employer__in=employers.values("pk"))
    return list(
        mine()
        .filter(state=DeclarationState.READY)
        .annotate(
            may_leave=ExpressionWrapper(speaking, output_field=BooleanField()),
            for_production=ExpressionWrapper(meant, output_field=BooleanField()),
        )
        .order_by("service", "for_production", "employer__name")
        .values_list(
            "service", "for_production", "may_leave", "employer_id", "employer__name", "employer__number"
        )
        .annotate(count=Count("pk"))
    )


# --- sets -----------------------------------------------------------------------------------------


def open_sets() -> list[Batch]:
    """Sets without all their answers, oldest first. One query; there are as many as left since the last answers."""
    return list(Batch.objects.filter(mandataire_id=tenancy.current(), state__in=_OPEN_SETS).order_by("id"))


def is_overdue(batch: Batch) -> bool:
    """Whether the acknowledgement of a set should have come by now, or the set should have left."""
    since = batch.dropped_at or batch.sealed_at
    if batch.state not in (BatchState.SEALED, BatchState.DROPPED) or since is None:
        return False
    return timezone.now() - since > timedelta(seconds=settings.CONFIG.acknowledgement_overdue_after)


def _answers(state: Q) -> Count:
    return Count("declarations", filter=state)


def with_outcomes(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    """`batches`, each with what became of its declarations: give it few rows, it counts them all.

    Adds `accepted` (without remarks), `remarks`, `refused`, `waiting`, `employers` and `files` (parts).
    """
    parts = EnvelopePart.objects.filter(envelope=OuterRef("envelope")).order_by().values("envelope")
    files = Subquery(parts.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
    return batches.select_related("envelope").annotate(
        accepted=_answers(Q(declarations__state=DeclarationState.ACCEPTED)),
        remarks=_answers(Q(declarations__state=DeclarationState.ACCEPTED_WITH_REMARKS)),
        refused=_answers(Q(declarations__state=DeclarationState.REFUSED)),
        waiting=_answers(Q(declarations__state__in=ON_THE_WAY)),
        employers=Count("declarations__employer", distinct=True),
        files=Coalesce(files, 0),
    )


def batch_rows(chosen: Any) -> list[dict[str, Any]]:
    """The few sets of `chosen` (a slice of a queryset, or a page) as the pages show them, newest first. One query."""
    rows = Batch.objects.filter(mandataire_id=tenancy.current(), pk__in=chosen.values("pk"))
    return [batch_row(batch) for batch in with_outcomes(rows).order_by("-id")]


def batch_row(batch: Any) -> dict[str, Any]:
    """One set, which carries its outcomes, as the pages show it."""
    return {
        "pk": batch.pk,
        "at": batch.sealed_at or batch.created_at,
        "name": first_name(batch),
        "state": batch.state,
        "environment": batch.environment,
        "employers": batch.employers,
        "files": batch.files,
        "total": batch.declarations_count,
        "accepted": batch.accepted,
        "remarks": batch.remarks,
        "refused": batch.refused,
        "waiting": batch.waiting,
        "ticket": batch.ticket,
        "reason": batch.parked_reason,
    }


def first_name(batch: Any) -> str:
    """The name of the first FI of a set, "" before it is sealed."""
    if batch.envelope is None:
        return ""
    return parse_name(f"FI.{batch.envelope.stem}").set_name.fi(1, max(batch.files, 1))


# --- declarations ---------------------------------------------------------------------------------


def search(rows: QuerySet[Declaration], text: str) -> QuerySet[Declaration]:
    """Those of `rows` whose employer, title or reference holds `text`; an enterprise number in any spelling."""
    text = text.strip()
    if not text:
        return rows
    clients = Q(name__icontains=text)
    with suppress(NumberError):
        clients |= Q(number=parse_enterprise_number(text))
    # Each table is read once by itself: a join of all of them would be read row by row, three times per page.
    tenant = tenancy.current()
    records = TrainingRecord.objects.filter(
        Q(title__icontains=text) | Q(client_reference__iexact=text), mandataire_id=tenant
    )
    forms = RelayedForm.objects.filter(reference__iexact=text, mandataire_id=tenant)
    documents = CareerDocument.objects.filter(name__icontains=text, mandataire_id=tenant)
    found = (
        Q(employer__in=Employer.objects.filter(clients, mandataire_id=tenant).values("pk"))
        | Q(record__in=records.values("pk"))
        | Q(form__in=forms.order_by().values("pk"))
        | Q(document__in=documents.order_by().values("pk"))
        # Both are written in capitals: to turn those of every row into capitals costs more than all the rest.
        | Q(reference__in={text, text.upper()})
        | Q(ticket__in={text, text.upper()})
    )
    return rows.filter(found)


def state_counts(rows: QuerySet[Declaration]) -> dict[str, int]:
    """How many of `rows` are behind each filter, and "" for all. One query, and one more when there are tests.

    What is to be corrected is not counted: that takes a look at each refusal.
    """
    found = rows.order_by().values_list("state", "environment").annotate(count=Count("pk"))
    counts: Counter[str] = Counter()
    tests = 0
    for state, environment, count in found:
        counts[state] += count
        tests += count if state in ACCEPTED and environment != _PRODUCTION else 0
    totals = {name: sum(counts[state] for state in states) for name, states in FILTERS.items()}
    del totals[TO_CORRECT]
    totals["accepted"] -= tests
    totals[TESTED] = tested_count(rows) if tests else 0
    return {"": counts.total(), **totals}


def declaration_rows(page: Iterable[Declaration]) -> list[dict[str, Any]]:
    """The declarations of one page as the lists show them, each with its first cause in words.

    One query, and none where nothing was accepted as a test: asked of each row in the query of the list, it cost
    more to plan than all the rest.
    """
    rows = list(page)
    asked = [row.pk for row in rows if row.is_test and row.state in ACCEPTED]
    tested = Declaration.objects.tested().filter(mandataire_id=tenancy.current(), pk__in=asked)
    found = set(tested.values_list("pk", flat=True)) if asked else set()
    for row in rows:
        row.is_only_tested = row.pk in found  # type: ignore[attr-defined]
    return [_declaration_row(declaration) for declaration in rows]


def with_tested(rows: QuerySet[Declaration]) -> QuerySet[Declaration]:
    """`rows`, each with `is_only_tested`: accepted as a test and not declared yet, for `shown_state`."""
    tested = Declaration.objects.tested().filter(pk=OuterRef("pk"))
    return rows.annotate(is_only_tested=Exists(tested))


def for_rows(rows: QuerySet[Declaration]) -> QuerySet[Declaration]:
    """`rows` with all that a list shows of them: at most five queries for a page, whatever its length.

    What a declaration is about is read by itself: joined too, seven tables behind walls cost PostgreSQL longer to plan
    than to read.
    """
    records = TrainingRecord.objects.select_related("worker")
    documents = CareerDocument.objects.select_related("worker").defer("content_sealed")
    return rows.select_related("employer", "batch").prefetch_related(
        Prefetch("record", records), "form", Prefetch("document", documents), "anomalies"
    )


def address_of(declaration: Declaration) -> str:
    """The page that tells what became of a declaration: that of its training, or its own."""
    if declaration.record_id is not None:
        return reverse("record", args=[declaration.record_id])
    return reverse("declaration", args=[declaration.pk])


def _about(declaration: Declaration) -> dict[str, Any]:
    """What a declaration is about: worker, title, and days and duration as far as it has them."""
    record, form, document = declaration.record, declaration.form, declaration.document
    shown: dict[str, Any] = {
        "url": address_of(declaration),
        "worker_name": "",
        "worker_niss": "",
        "starts_on": None,
        "ends_on": None,
        "duration_minutes": None,
        "note": "",
    }
    if record is not None:
        worker, shown["title"] = record.worker, record.title
        shown |= {name: getattr(record, name) for name in ("starts_on", "ends_on", "duration_minutes")}
    elif document is not None:
        worker, shown["title"] = document.worker, document.get_category_display()
        shown |= {"starts_on": document.document_on, "ends_on": document.document_on, "note": document.name}
    else:
        found = services().get(declaration.service)
        return shown | {
            "title": str(found.name) if found else declaration.service,
            "worker_niss": form.masked_niss,
            "note": " ".join(filter(None, (form.identification, form.reference))),
        }
    return shown | {"worker_name": str(worker), "worker_niss": worker.masked_niss}


def shown_state(declaration: Declaration) -> str:
    """The state as pages tell it: what a test alone accepted is no accepted declaration. Of a row `with_tested`."""
    return TESTED if getattr(declaration, "is_only_tested", False) else declaration.state


def _declaration_row(declaration: Declaration) -> dict[str, Any]:
    batch = declaration.batch
    anomalies = sorted(declaration.anomalies.all(), key=lambda found: not is_blocking(found.anomaly_class))
    return {
        "pk": declaration.pk,
        **_about(declaration),
        "employer_name": declaration.employer.name,
        "employer_number": declaration.employer.number,
        "kind": declaration.kind,
        "batch_pk": batch.pk if batch else None,
        "batch_at": (batch.sealed_at or batch.created_at) if batch else None,
        "part": declaration.part,
        "position": declaration.position,
        "state": shown_state(declaration),
        "environment": declaration.environment,
        **_cause(declaration, anomalies[0] if anomalies else None),
    }


def _cause(declaration: Declaration, found: Anomaly | None) -> dict[str, Any]:
    """The first cause of a row: its code, its title, what to do and what to correct; empty without one."""
    if found is None:
        return dict.fromkeys(("cause_code", "cause", "todo", "correction"), "")
    told = words(found.code, found.label, declaration.quarter)
    return {
        "cause_code": found.code,
        "cause": heading(found.code, found.label, found.tag, declaration.quarter),
        "todo": told.todo,
        "correction": told.correction.value,
    }
