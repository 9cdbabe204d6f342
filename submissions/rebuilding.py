"""Derives the state of everything again, and compares: from what never changes, which is answers, sealed files, Events.

What a file says is read anew from its stored bytes; what follows from it is worked out here once more, and not by the
functions that apply answers (`answering`, `sets`, `outcomes.settle`). One set or one file is in memory at a time.
Whether what has not left is a draft or ready stands in no Event, so that alone is not derived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count

from channels.models import Drop, EnvelopePart, InboundFile
from portal import tenancy
from submissions import answering, outcomes
from submissions.addressing import Misdirected
from submissions.models import Batch, Declaration
from submissions.states import ON_THE_WAY, SETTLED, BatchState, DeclarationState
from submissions.wire import answers
from submissions.wire.answers import ACRF, NOTIFICATION, Notification
from submissions.wire.hostile import iter_forms
from submissions.wire.schemas import SYSTEM_FLUX
from submissions.wire.unreadable import Unreadable

_CHUNK: Final = 500
_F, _B, _D, _S = InboundFile.State, BatchState, DeclarationState, Drop.State

_FILE_VERBS: Final[Mapping[str, str]] = {
    "file.stored": _F.STORED,
    "file.replayed": _F.STORED,
    "file.applied": _F.APPLIED,
    "file.unmatched": _F.UNMATCHED,
    "file.unreadable": _F.UNREADABLE,
}
_DROP_VERBS: Final[Mapping[str, str]] = {
    "drop.started": _S.STARTED,
    "drop.restarted": _S.STARTED,
    "drop.go_intended": _S.GO_INTENDED,
    "drop.interrupted": _S.UNKNOWN,
    "drop.in_doubt": _S.UNKNOWN,
    "drop.failed": _S.FAILED,
    "drop.released": _S.FAILED,
    "drop.confirmed": _S.CONFIRMED,
    "drop.proven": _S.CONFIRMED,
    "drop.by_hand": _S.CONFIRMED,
}
_BATCH_VERBS: Final[Mapping[str, str]] = {
    "batch.sealed": _B.SEALED,
    "batch.released": _B.SEALED,
    "batch.parked": _B.PARKED,
    "batch.dropped": _B.DROPPED,
}
"""What an Event says of the state before any answer. Answers are read from their files."""


def check(mandataire: UUID) -> Iterator[str]:
    """A sentence for each difference between what is stored of a mandataire and what follows from its raw files.

    With ids, and without anything about people. All of it at one moment, so that work goes on meanwhile.
    """
    with _snapshot(mandataire):
        _make_room()
        yield from _files()
        yield from _compare_states("drop", Drop._meta.db_table, _DROP_VERBS)
        for batch in Batch.objects.exclude(state=_B.OPEN).order_by("pk").iterator(chunk_size=_CHUNK):
            yield from _places(batch)
            yield from _set(batch)
        yield from _withdrawn()


@contextmanager
def _snapshot(mandataire: UUID) -> Iterator[None]:
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with tenancy.scope(mandataire):
            yield


def _make_room() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.said")
        cursor.execute(
            "CREATE TEMP TABLE said (serial bigserial, batch bigint, declaration bigint, state text, ticket text, "
            "made text, codes text[], remarks int, at timestamptz) ON COMMIT DROP"
        )
        cursor.execute("CREATE INDEX ON said (batch, serial)")


# --- Events ---------------------------------------------------------------------------------------


def _last_events(kind: str, table: str, verbs: Mapping[str, str]) -> Iterator[tuple[int, str, str, datetime]]:
    """Id, stored state, last of `verbs` ("" for none) and its moment, of each row, in the order of the Events."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT r.id, r.state, coalesce(e.verb, ''), e.at FROM {table} r LEFT JOIN ("  # noqa: S608  names of ours
            "SELECT DISTINCT ON (subject_id) id, subject_id, verb, at FROM portal_event "
            "WHERE mandataire_id = %s AND subject_type = %s AND verb = ANY(%s) ORDER BY subject_id, id DESC"
            ") e ON e.subject_id = r.id::text WHERE r.mandataire_id = %s ORDER BY e.id",
            [tenancy.current(), kind, list(verbs), tenancy.current()],
        )
        while rows := cursor.fetchmany(2000):
            yield from rows


def _compare_states(kind: str, table: str, verbs: Mapping[str, str]) -> Iterator[str]:
    for identity, stored, verb, _at in _last_events(kind, table, verbs):
        yield from _differs(f"{kind} {identity}", "is", stored, verbs.get(verb, "nothing"))


def _differs(what: str, verb: str, stored: object, derived: object) -> Iterator[str]:
    if stored != derived:
        yield f"{what} {verb} {stored!s}, and {derived!s} follows"


# --- files that came ------------------------------------------------------------------------------


def _files() -> Iterator[str]:
    """Compares the state of each file, and notes what those say that were applied, in the order in which they were."""
    for identity, stored, verb, at in _last_events("inboundfile", InboundFile._meta.db_table, _FILE_VERBS):
        what, derived = f"file {identity}", _FILE_VERBS.get(verb, "nothing")
        yield from _differs(what, "is", stored, derived)
        file = InboundFile.objects.get(pk=identity)
        content = file.content
        yield from _differs(what, "has the checksum", file.sha256, hashlib.sha256(content).hexdigest())
        if derived == _F.STORED:
            continue
        try:
            # A savepoint: what a file said before it turned out unreadable was not said.
            with transaction.atomic():
                kind = _note(file, answering.unpacked(file.name, content), at)
        except Unreadable:
            yield from _differs(what, "is", stored, _F.UNREADABLE)
            continue
        except Misdirected:
            yield from _differs(what, "is", stored, _F.UNMATCHED)
            continue
        if derived == _F.UNREADABLE:
            yield f"{what} is unreadable, and can be read"
        elif derived == _F.APPLIED:
            yield from _differs(what, "is of the kind", file.kind, kind)


def _note(file: InboundFile, content: bytes, at: datetime) -> str:
    """Notes the receipts and the final answers in a file; returns its kind. What was not applied is only read."""
    root = answers.root_kind(content)
    if root not in answering.KINDS:
        raise Unreadable("unknown root")
    if root == ACRF:
        for receipt in answers.acknowledgements(content):
            envelope = answering.envelope_of(file, receipt.file_name)
            if envelope and file.state == _F.APPLIED and (receipt.is_accepted or receipt.is_refused):
                batch = Batch.objects.filter(envelope=envelope).values_list("pk", flat=True).first()
                verdict = _B.ACKNOWLEDGED if receipt.is_accepted else _B.REJECTED
                ticket = answers.usable_ticket(receipt.ticket)
                codes = [code[: answers.CODE_LENGTH] for code in receipt.error_ids]
                _say([(batch, None, verdict, ticket, "", codes, 0, at)])
    elif root == NOTIFICATION:
        for chunk in batched(answering.with_envelopes(file, content), _CHUNK):
            if file.state == _F.APPLIED:
                _say([_row(*pair, file, at) for pair in outcomes.match(chunk, file)])
    else:
        for _replacement in answers.replacements(content):
            pass
    return answering.KINDS[root]


type _Row = tuple[int | None, int | None, str, str, str, list[str], int, datetime]


def _row(declaration: Declaration, answer: Notification, file: InboundFile, at: datetime) -> _Row:
    state = outcomes.state_of(answer) or ""
    made, ticket = outcomes.made(answer, file), answers.usable_ticket(answer.ticket)
    return declaration.batch_id, declaration.pk, state, ticket, made, [], len(answer.anomalies), at


def _say(rows: list[_Row]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO said (batch, declaration, state, ticket, made, codes, remarks, at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


# --- sets -----------------------------------------------------------------------------------------


def _places(batch: Batch) -> Iterator[str]:
    """Whether each declaration of a set lies where the bytes that were sent say."""
    rows = Declaration.objects.filter(batch=batch).values_list(
        "part", "position", "reference", "form__reference", "form_id"
    )
    # In a set nothing is without a place: a constraint holds it.
    stored: dict[tuple[int, int], str] = {
        (part or 0, at or 0): theirs if form else ours for part, at, ours, theirs, form in rows
    }
    sent: dict[tuple[int, int], str | None] = {}
    for part in (
        EnvelopePart.objects.filter(envelope=batch.envelope_id).order_by("part").iterator(chunk_size=1)
    ):
        content = part.fi
        what = f"part {part.part} of batch {batch.pk}"
        yield from _differs(what, "has the checksum", part.fi_sha256, hashlib.sha256(content).hexdigest())
        here = f"{{{SYSTEM_FLUX}}}" if answers.root_kind(content) == answers.GENERIC else ""
        for at, form in enumerate(iter_forms(content, f"{here}Form"), 1):
            sent[part.part, at] = _own_reference(form, here)
    for place in sorted(stored.keys() ^ sent.keys()):
        has, lacks = ("a declaration", "form") if place in stored else ("a form", "declaration")
        yield f"batch {batch.pk}: {has} is in part {place[0]} at {place[1]}, and no {lacks}"
    for place in sorted(stored.keys() & sent.keys()):
        if stored[place] != (sent[place] or ""):
            yield f"batch {batch.pk} holds another declaration than was sent, in part {place[0]} at {place[1]}"


def _own_reference(form: Any, here: str) -> str | None:
    for reference in form.iterfind(f"{here}Reference"):
        kind, origin, number = (
            reference.findtext(f"{here}Reference{name}") for name in ("Type", "Origin", "Nbr")
        )
        if (kind, origin) == ("1", "1"):
            return str(number or "").strip()
    return None


@dataclass(slots=True)
class _Fate:
    """What follows for one declaration. `built_on_at`: when something was first declared because of its state."""

    state: str
    ticket: str = ""
    made: str = ""
    remarks: int = 0
    built_on_at: datetime | None = None
    is_ordered: bool = True


@dataclass(slots=True)
class _Derived:
    """What follows for one set."""

    state: str
    fates: dict[int, _Fate]
    ticket: str = ""
    codes: list[str] = field(default_factory=list)
    is_acknowledged: bool = False

    def hear(self, row: _Row) -> None:
        """Takes one answer into account."""
        _batch, declaration, state, ticket, made, codes, remarks, at = row
        if state == _B.ACKNOWLEDGED:
            self._acknowledge(ticket)
        elif state == _B.REJECTED:
            self._reject(ticket, codes)
        elif declaration in self.fates and state:
            fate = self.fates[declaration]
            is_first = fate.state in ON_THE_WAY
            if is_first or self._takes_the_place(fate, made, at):
                fate.state, fate.ticket, fate.remarks = state, ticket, remarks
                fate.made = made if fate.is_ordered else ""

    def _takes_the_place(self, fate: _Fate, made: str, at: datetime) -> bool:
        return made < fate.made and (fate.built_on_at is None or fate.built_on_at > at)

    def _acknowledge(self, ticket: str) -> None:
        if self.is_acknowledged:
            return
        self.is_acknowledged, self.ticket, self.state = True, ticket, _B.ACKNOWLEDGED
        for fate in self.fates.values():
            if fate.state in ON_THE_WAY:
                fate.state = _D.ACKNOWLEDGED

    def _reject(self, ticket: str, codes: list[str]) -> None:
        if self.is_acknowledged or any(fate.state in SETTLED for fate in self.fates.values()):
            return
        self.is_acknowledged, self.ticket, self.state, self.codes = True, ticket, _B.REJECTED, codes
        for fate in self.fates.values():
            fate.state, fate.remarks = _D.REFUSED, len(codes)

    def close(self) -> None:
        """The set is answered when nothing in it waits."""
        is_waiting = any(fate.state in ON_THE_WAY for fate in self.fates.values())
        if self.state != _B.REJECTED and self.fates and not is_waiting:
            self.state = _B.ANSWERED


def _set(batch: Batch) -> Iterator[str]:
    """Compares a set and its declarations with what its Events and the answers about it come to."""
    known = {"mandataire_id": tenancy.current(), "batch": batch}
    columns = ("pk", "state", "ticket", "settled_by", "remarks")
    rows = list(
        Declaration.objects.filter(**known).annotate(remarks=Count("anomalies")).values_list(*columns)
    )
    derived = _derive(batch, {pk: made for pk, _state, _ticket, made, _remarks in rows})
    what = f"batch {batch.pk}"
    yield from _differs(what, "is", batch.state, derived.state)
    yield from _differs(what, "has the ticket", batch.ticket, derived.ticket)
    yield from _differs(what, "has the codes", batch.error_codes, derived.codes)
    for pk, state, ticket, made, remarks in rows:
        what, fate = f"declaration {pk}", derived.fates[pk]
        yield from _differs(what, "is", state, fate.state)
        yield from _differs(what, "has the ticket", ticket, fate.ticket)
        yield from _differs(what, "was settled by", made, fate.made)
        yield from _differs(what, "has this many remarks:", remarks, fate.remarks)


def _derive(batch: Batch, made: Mapping[int, str]) -> _Derived:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT verb FROM portal_event WHERE mandataire_id = %s AND subject_type = 'batch' AND subject_id = %s "
            "AND verb = ANY(%s) ORDER BY id DESC LIMIT 1",
            [tenancy.current(), str(batch.pk), list(_BATCH_VERBS)],
        )
        (verb,) = cursor.fetchone() or ("",)
        cursor.execute(
            "SELECT coalesce(p.replaces_id, p.promotes_id), p.created_at FROM submissions_declaration p "
            "WHERE p.mandataire_id = %s AND (p.replaces_id = ANY(%s) OR p.promotes_id = ANY(%s))",
            [tenancy.current(), list(made), list(made)],
        )
        built: dict[int, datetime] = {}
        for identity, at in cursor.fetchall():
            built[identity] = min(built.get(identity, at), at)
        base = _BATCH_VERBS.get(verb, "nothing")
        way = _D.SENT if base == _B.DROPPED else _D.BATCHED
        # What was settled before answers were ordered stays as its first final answer left it.
        fates = {
            pk: _Fate(way, built_on_at=built.get(pk), is_ordered=bool(text)) for pk, text in made.items()
        }
        derived = _Derived(base, fates)
        cursor.execute(
            "SELECT batch, declaration, state, ticket, made, codes, remarks, at FROM said WHERE batch = %s "
            "ORDER BY serial",
            [batch.pk],
        )
        for row in cursor.fetchall():
            derived.hear(row)
    derived.close()
    return derived


# --- what has not left ----------------------------------------------------------------------------

_WITHDRAWN: Final = """
    SELECT d.id, d.state, CASE WHEN e.is_told THEN 'withdrawn' ELSE 'not withdrawn' END
    FROM submissions_declaration d LEFT JOIN submissions_relayedform f
        ON f.mandataire_id = d.mandataire_id AND f.id = d.form_id
    CROSS JOIN LATERAL (SELECT EXISTS (
        SELECT FROM portal_event e WHERE e.mandataire_id = d.mandataire_id AND (
            e.verb = 'declaration.withdrawn' AND e.subject_type = 'declaration' AND e.subject_id = d.id::text
            OR e.verb = 'relay.withdrawn' AND e.subject_type = 'relayedfile' AND e.subject_id = f.file_id::text))
    ) AS e (is_told)
    WHERE d.mandataire_id = %s AND d.batch_id IS NULL
      AND ((d.state = 'withdrawn') <> e.is_told) AND NOT (d.form_id IS NOT NULL AND d.state <> 'withdrawn')"""


def _withdrawn() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAWN, [tenancy.current()])
        for identity, stored, derived in cursor.fetchall():
            yield f"declaration {identity} is {stored}, and {derived} follows"
