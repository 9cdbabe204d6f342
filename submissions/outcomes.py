"""Applies the lines of a NOTI to the declarations they answer: a chunk at a time, set-based.

The first final answer counts, in the order in which social security made them and not in which they came in: so the
same answers end in the same state whatever their order on the way. What contradicts it is counted and told, and changes
nothing. An answer that was made before the one that settled a declaration takes its place, unless something was done
since (a correction, a modification, a declaration in production): then only a person can tell what is right.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import connection
from django.utils import timezone

from channels.models import InboundFile
from mandates.numbers import mask_in_text
from portal import tenancy
from submissions import recognising, sets
from submissions.fields import BY_ELEMENT
from submissions.models import Anomaly, Batch, Declaration
from submissions.states import ACCEPTED as ACCEPTED_STATES
from submissions.states import DECLARATION_MOVES, DeclarationState, before
from submissions.wire.answers import CODE_LENGTH, AnomalyReport, Notification, usable_ticket

if TYPE_CHECKING:
    from submissions.answering import Effect

# HandlingResult / ResultCode; 2 proposal, 3 provisional and 4 time-out are not final.
REFUSED, ACCEPTED = 0, 1
_BEFORE: Final = before(DECLARATION_MOVES, DeclarationState.ACCEPTED)
_FINAL: Final = (*ACCEPTED_STATES, DeclarationState.REFUSED)
_HOUR: Final = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?")


def state_of(answer: Notification) -> DeclarationState | None:
    """The final state an answer asks for, or None for a result that is not final."""
    if answer.result_code == REFUSED:
        return DeclarationState.REFUSED
    if answer.result_code == ACCEPTED:
        return DeclarationState.ACCEPTED_WITH_REMARKS if answer.anomalies else DeclarationState.ACCEPTED
    return None


def made(answer: Notification, file: InboundFile) -> str:
    """When social security made an answer, as text in that order: the moment of its form, then its file.

    What says no moment comes after all that does. Of one moment, the name of the file decides, which social security
    numbers; of one name, the content.
    """
    day, hour = answer.header.created_on, answer.header.created_hour or ""
    moment = f"{day or '9999-99-99'}T{hour if _HOUR.fullmatch(hour) else '99'}"
    return f"{moment} {file.name.partition('.')[2]} {file.sha256[:8]}"


def settle(chunk: Sequence[tuple[Notification, int | None]], file: InboundFile, effect: Effect) -> None:
    """Applies one chunk of answers, each with the envelope its file name speaks of, counting into `effect`."""
    found = _proven(match(chunk, file), effect)
    effect.unmatched += len(chunk) - len(found)
    finals: dict[int, _Final] = {}
    for declaration, answer in found:
        state = state_of(answer)
        if state is not None:
            this = _Final(declaration, answer, state, made(answer, file))
            finals[declaration.pk] = min(finals.get(declaration.pk, this), this, key=lambda one: one.made)
    moved = _move(list(finals.values()))
    late = [one for one in finals.values() if one.declaration.pk not in moved]
    before_us = _states_of({declaration.pk for declaration, _answer in found} - moved)
    earlier = _take_the_place(late)
    if earlier:
        Anomaly.objects.filter(mandataire_id=tenancy.current(), declaration_id__in=earlier).delete()
    effect.moved += len(moved)
    for declaration, answer in found:
        if declaration.pk in moved and answer is finals[declaration.pk].answer:
            continue
        known = finals[declaration.pk].state if declaration.pk in moved else before_us[declaration.pk]
        _compare(known, declaration, answer, effect)
    _keep_anomalies([finals[pk] for pk in moved | earlier], file)


class _Final(NamedTuple):
    """What a file says of a declaration in the end; `made` as `outcomes.made` has it."""

    declaration: Declaration
    answer: Notification
    state: DeclarationState
    made: str


def _compare(known: str, declaration: Declaration, answer: Notification, effect: Effect) -> None:
    """Counts an answer that moved nothing on: said before, not final yet, or against another final answer."""
    new = state_of(answer)
    if new is None or known == new:
        effect.repeated += 1
    else:
        effect.contradict(declaration.batch_id)


type _Found = list[tuple[Declaration, Notification]]


def match(chunk: Sequence[tuple[Notification, int | None]], file: InboundFile) -> _Found:
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


def _states_of(declarations: Collection[int]) -> dict[int, str]:
    """The states as they are now: what did not move was settled before, or by another file at this very moment."""
    if not declarations:
        return {}
    rows = Declaration.objects.filter(mandataire_id=tenancy.current(), pk__in=declarations)
    return dict(rows.values_list("pk", "state"))


_MOVE: Final = """
    UPDATE submissions_declaration d SET state = a.state, ticket = a.ticket, settled_by = a.made, answered_at = %s
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS a (id, state, ticket, made)
    WHERE d.id = a.id AND d.mandataire_id = %s AND d.state = ANY(%s)"""
_WAS_MADE_EARLIER: Final = """
    AND a.made < d.settled_by AND NOT EXISTS (
        SELECT FROM submissions_declaration f WHERE f.mandataire_id = d.mandataire_id AND f.replaces_id = d.id)
    AND NOT EXISTS (
        SELECT FROM submissions_declaration f WHERE f.mandataire_id = d.mandataire_id AND f.promotes_id = d.id)"""


def _move(finals: Sequence[_Final], states: Sequence[str] = _BEFORE, condition: str = "") -> set[int]:
    """Moves declarations that are in one of `states` in one guarded UPDATE; returns the ids that moved."""
    if not finals:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_MOVE} {condition} RETURNING d.id",
            [
                timezone.now(),
                [one.declaration.pk for one in finals],
                [one.state for one in finals],
                [usable_ticket(one.answer.ticket) for one in finals],
                [one.made for one in finals],
                tenancy.current(),
                list(states),
            ],
        )
        return {identity for (identity,) in cursor.fetchall()}


def _take_the_place(late: Sequence[_Final]) -> set[int]:
    """Lets answers that were made before those that settled their declarations take their place; returns the ids.

    Not where something followed: a declaration that replaces or promotes it was made because of the state it was in.
    """
    return _move(late, _FINAL, _WAS_MADE_EARLIER)


def _keep_anomalies(finals: Sequence[_Final], file: InboundFile) -> None:
    Anomaly.objects.bulk_create(
        (_anomaly(one.declaration, report, file) for one in finals for report in one.answer.anomalies),
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
        code=report.code[:CODE_LENGTH],
        anomaly_class=(report.klass or "")[:4],
        tag=(report.tag or "")[:100],
        value=mask_in_text(report.value or "")[:200],
        label=(report.label or "")[:300],
        location=place[:200],
        field=field.name if field else "",
    )
