"""Applies the lines of a NOTI to the declarations they answer: a chunk at a time, set-based, exceptions one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.utils import timezone

from channels.models import InboundFile
from mandates.numbers import mask_in_text
from portal import tenancy
from submissions import recognising, sets
from submissions.fields import BY_ELEMENT
from submissions.models import Anomaly, Batch, Declaration
from submissions.states import DECLARATION_MOVES, DeclarationState, before
from submissions.wire.answers import AnomalyReport, Notification

if TYPE_CHECKING:
    from submissions.answering import Effect

REFUSED, ACCEPTED = (
    0,
    1,
)  # HandlingResult / ResultCode; 2 proposal, 3 provisional and 4 time-out are not final.
_BEFORE: Final = before(DECLARATION_MOVES, DeclarationState.ACCEPTED)


def state_of(answer: Notification) -> DeclarationState | None:
    """The final state an answer asks for, or None for a result that is not final."""
    if answer.result_code == REFUSED:
        return DeclarationState.REFUSED
    if answer.result_code == ACCEPTED:
        return DeclarationState.ACCEPTED_WITH_REMARKS if answer.anomalies else DeclarationState.ACCEPTED
    return None


def settle(chunk: Sequence[tuple[Notification, int | None]], file: InboundFile, effect: Effect) -> None:
    """Applies one chunk of answers, each with the envelope its file name speaks of, counting into `effect`."""
    found = _proven(_match(chunk, file), effect)
    effect.unmatched += len(chunk) - len(found)
    firsts: dict[int, tuple[Declaration, Notification]] = {}
    # What is final comes first, so that a time-out told before it in the same file does not hide it.
    for declaration, answer in sorted(found, key=lambda pair: state_of(pair[1]) is None):
        firsts.setdefault(declaration.pk, (declaration, answer))
    moved = _move([(d, a) for d, a in firsts.values() if state_of(a) is not None])
    effect.moved += len(moved)
    rest = [(d, a) for d, a in found if d.pk not in moved or a is not firsts[d.pk][1]]
    # Read again: what did not move was settled before, or by another file at this very moment.
    settled = dict(Declaration.objects.filter(pk__in={d.pk for d, _a in rest}).values_list("pk", "state"))
    for declaration, answer in rest:
        _compare(settled[declaration.pk], answer, effect)
    _keep_anomalies([firsts[identity] for identity in moved], file)


def _compare(settled: str, answer: Notification, effect: Effect) -> None:
    """Counts an answer that changed nothing: said before, not final yet, or against a final answer."""
    new = state_of(answer)
    if new is None or settled == new:
        effect.repeated += 1
    else:
        effect.contradicted += 1


type _Found = list[tuple[Declaration, Notification]]


def _match(chunk: Sequence[tuple[Notification, int | None]], file: InboundFile) -> _Found:
    """Finds the declaration of each answer; answers that match nothing are left out.

    Our own reference comes first, then the ticket of the form; an answer that quotes a file and nothing else can
    only mean the one declaration of that set. The forms of ready-made files are known by what their makers wrote in
    them (`recognising`). What went out in another environment never matches.
    """
    declarations = (
        Declaration.objects.filter(
            mandataire_id=tenancy.current(),
            batch__environment=file.environment,
            batch__channel_id=file.channel_id,
        )
        .only("id", "state", "reference", "ticket", "batch_id", "batch__envelope_id", "record_id")
        .select_related("batch")
    )
    by_reference = {
        d.reference: d for d in declarations.filter(reference__in=[a.own_reference for a, _e in chunk])
    }
    rest = [a.ticket for a, _e in chunk if a.own_reference not in by_reference and a.ticket]
    by_ticket = {d.ticket: d for d in declarations.filter(ticket__in=rest)} if rest else {}
    found: _Found = []
    relayed = recognising.Relayed(declarations, chunk)
    for answer, envelope in chunk:
        declaration = by_reference.get(answer.own_reference or "") or by_ticket.get(answer.ticket or "")
        declaration = declaration or relayed.find(answer, envelope)
        if declaration is None and answer.own_reference is None and envelope is not None:
            alone = list(declarations.filter(batch__envelope_id=envelope)[:2])
            declaration = alone[0] if len(alone) == 1 else None
        if declaration is not None and envelope in (None, declaration.batch.envelope_id):
            found.append((declaration, answer))
    return found


def _proven(found: _Found, effect: Effect) -> _Found:
    """Keeps the answers about sets that left. A NOTI proves it, even when neither the drop nor an ACRF said so yet."""
    envelopes = {declaration.batch.envelope_id for declaration, _answer in found}
    never_left = {
        batch.envelope_id
        for batch in Batch.objects.select_for_update().filter(envelope_id__in=envelopes - effect.envelopes)
        if not sets.prove_dropped(batch)
    }
    effect.envelopes |= envelopes - never_left
    return [(d, a) for d, a in found if d.batch.envelope_id not in never_left]


def _move(final: Sequence[tuple[Declaration, Notification]]) -> set[int]:
    """Moves the declarations to their final states in one guarded UPDATE; returns the ids that moved."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE submissions_declaration d SET state = a.state, ticket = a.ticket, answered_at = %s "
            "FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS a (id, state, ticket) "
            "WHERE d.id = a.id AND d.mandataire_id = %s AND d.state = ANY(%s) RETURNING d.id",
            [
                timezone.now(),
                [declaration.pk for declaration, _answer in final],
                [state_of(answer) for _declaration, answer in final],
                [answer.ticket or "" for _declaration, answer in final],
                tenancy.current(),
                _BEFORE,
            ],
        )
        return {identity for (identity,) in cursor.fetchall()}


def _keep_anomalies(moved: Sequence[tuple[Declaration, Notification]], file: InboundFile) -> None:
    Anomaly.objects.bulk_create(
        (_anomaly(declaration, report, file) for declaration, answer in moved for report in answer.anomalies),
        batch_size=1000,
    )


def _anomaly(declaration: Declaration, report: AnomalyReport, file: InboundFile) -> Anomaly:
    field = BY_ELEMENT.get(report.tag or "") if declaration.record_id else None
    place = report.location or report.path or ""
    if not declaration.record_id and report.line:
        place = (
            f"{report.line}" + (f":{report.column}" if report.column else "") + (f" {place}" if place else "")
        )
    return Anomaly(
        declaration_id=declaration.pk,
        inbound_file=file,
        code=report.code,
        anomaly_class=report.klass or "",
        tag=(report.tag or "")[:100],
        value=mask_in_text(report.value or "")[:200],
        label=(report.label or "")[:300],
        location=place[:200],
        field=field.name if field else "",
    )
