"""Every file that travelled, sent and received, as one list by day: what it is, its state, and what it caused.

Bytes stay where they are: a list of thousands reads names, sizes and moments. Only the signatures of the page that is
shown are opened, a few kilobytes each, because their hash was not kept when they were sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.models import EnvelopePart, InboundFile
from channels.naming import parse_name
from channels.standing import WAITS_FOR_A_PERSON
from portal import lists, tenancy
from portal.models import Event
from submissions.models import Batch

SENT, RECEIVED = "sent", "received"
DIRECTIONS: Final = (SENT, RECEIVED)
SENT_KINDS: Final = ("FI", "FS", "GO")
RECEIVED_KINDS: Final = ("ACRF", "NOTI", "IDFL")
OTHER: Final = "other"
"""A kind in the address: what was received and is none of the known kinds, or is not read yet."""

ALARM, TO_LOOK_AT, WAITING, LEFT = "alarm", "to_look_at", "waiting", "left"
_STATES: Final[Mapping[str, Q]] = {
    ALARM: ~Q(alarm=""),
    TO_LOOK_AT: Q(state__in=WAITS_FOR_A_PERSON),
    InboundFile.State.STORED.value: Q(state=InboundFile.State.STORED),
    InboundFile.State.APPLIED.value: Q(state=InboundFile.State.APPLIED),
}
"""States of what was received, by their name in the address."""

_OUTCOMES: Final = ("file.applied", "file.unmatched", "file.unreadable")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which files: of these days, both included, in Belgium; one direction, one kind and one state, or "" for all."""

    first: date | None = None
    last: date | None = None
    direction: str = ""
    kind: str = ""
    state: str = ""


def counts(asked: Asked) -> dict[str, int]:
    """How many files there are by state, and of all ("") that fit, whatever state is asked for. Two queries."""
    found: dict[str, int] = {}
    received = (
        _received(asked)
        .order_by()
        .aggregate(
            all=Count("pk"), **{name: Count("pk", filter=condition) for name, condition in _STATES.items()}
        )
    )
    total = received.pop("all")
    found |= received
    is_left, left = Q(left_at__isnull=False), {}
    for kind, condition in _kinds_sent(asked).items():
        left[kind] = Count("pk", filter=condition)
        left[f"{kind}_left"] = Count("pk", filter=condition & is_left)
    if left:
        sent = _sent(asked).order_by().aggregate(**left)
        all_sent = sum(sent[kind] for kind in _kinds_sent(asked))
        found[LEFT] = sum(count for name, count in sent.items() if name.endswith("_left"))
        found[WAITING] = all_sent - found[LEFT]
        total += all_sent
    return {**found, "": total}


def files(asked: Asked) -> QuerySet[Any, dict[str, Any]]:
    """What was asked for, newest first, as rows {at, source: fi, fs, go or in, pk}: for `rows`, a page at a time."""
    parts: list[QuerySet[Any, dict[str, Any]]] = []
    if asked.state not in (LEFT, WAITING):
        received = _received(asked).filter(_STATES.get(asked.state, Q()))
        parts.append(_place(received, F("received_at"), "in"))
    if asked.state in ("", LEFT, WAITING):
        sent = _sent(asked)
        if asked.state:
            sent = sent.filter(left_at__isnull=asked.state == WAITING)
        parts += [
            _place(sent.filter(condition), F("moment"), kind.lower())
            for kind, condition in _kinds_sent(asked).items()
        ]
    first, *others = parts or [_place(_received(asked).none(), F("received_at"), "in")]
    rows: QuerySet[Any, dict[str, Any]] = first.union(*others, all=True) if others else first
    in_order: QuerySet[Any, dict[str, Any]] = rows.order_by("-at", "source", "-pk")
    return in_order


def _place(rows: QuerySet[Any], at: F, source: str) -> QuerySet[Any, dict[str, Any]]:
    placed: QuerySet[Any, dict[str, Any]] = (
        rows.order_by().annotate(at=at, source=Value(source)).values("at", "source", "pk")
    )
    return placed


def _received(asked: Asked) -> QuerySet[InboundFile]:
    rows = InboundFile.objects.filter(mandataire_id=tenancy.current())
    if asked.direction == SENT or asked.kind in SENT_KINDS:
        return rows.none()
    if asked.kind:
        known = Q(kind__in=RECEIVED_KINDS)
        rows = rows.filter(~known if asked.kind == OTHER else Q(kind=asked.kind))
    return _between(rows, "received_at", asked)


def _sent(asked: Asked) -> QuerySet[Any]:
    """The parts of sets: `moment` is when they left, or were sealed as long as they have not; `left_at` only when."""
    rows: QuerySet[Any] = EnvelopePart.objects.filter(mandataire_id=tenancy.current())
    moments = rows.annotate(
        left_at=F("envelope__batches__dropped_at"),
        moment=Coalesce("envelope__batches__dropped_at", "envelope__sealed_at"),
    )
    return _between(moments, "moment", asked)


def _kinds_sent(asked: Asked) -> dict[str, Q]:
    """Which parts have a file of each kind that is asked for. A GO exists once, and only once the set has left."""
    if asked.direction == RECEIVED:
        return {}
    kinds = {"FI": Q(), "FS": Q(fs_size__gt=0), "GO": Q(part=1, left_at__isnull=False)}
    return {kind: condition for kind, condition in kinds.items() if asked.kind in ("", kind)}


def _between(rows: QuerySet[Any], name: str, asked: Asked) -> QuerySet[Any]:
    if asked.first:
        rows = rows.filter(**{f"{name}__gte": lists.start_of(asked.first)})
    if asked.last:
        rows = rows.filter(**{f"{name}__lt": lists.start_of(asked.last + timedelta(days=1))})
    return rows


# --- the rows of one page ---------------------------------------------------------------------------------


def rows(page: Iterable[Mapping[str, Any]], *, may_replay: bool) -> list[dict[str, Any]]:
    """The rows of one page of `files` with all that the page shows, in at most six queries."""
    found = list(page)
    received = _received_rows([row["pk"] for row in found if row["source"] == "in"])
    sent = _sent_rows([(row["pk"], row["source"]) for row in found if row["source"] != "in"])
    envelopes = {row["envelope"] for row in (*received.values(), *sent.values()) if row["envelope"]}
    batches = {
        batch.envelope_id: {"pk": batch.pk, "at": batch.sealed_at, "state": batch.state}
        for batch in Batch.objects.filter(mandataire_id=tenancy.current(), envelope_id__in=envelopes)
    }
    shown = []
    for place in found:
        pk, source = place["pk"], place["source"]
        row = received[pk] if source == "in" else sent[pk, source]
        row |= {
            "at": place["at"],
            "day": timezone.localdate(place["at"]),
            "batch": batches.get(row["envelope"]),
        }
        if source == "in" and may_replay and row["state"] in WAITS_FOR_A_PERSON:
            row["replay"] = {"url": reverse("file_replay", args=[pk]), "label": _("Read again")}
        shown.append(row)
    return shown


def _received_rows(pks: list[int]) -> dict[int, dict[str, Any]]:
    if not pks:
        return {}
    tenant = tenancy.current()
    caused: dict[str, dict[str, Any]] = dict(
        Event.objects.filter(
            mandataire_id=tenant, subject_type="inboundfile", subject_id__in=map(str, pks), verb__in=_OUTCOMES
        )
        .order_by("id")  # The last one counts: it may have been read again.
        .values_list("subject_id", "data")
    )
    files = InboundFile.objects.filter(mandataire_id=tenant, pk__in=pks)
    return {
        file.pk: {
            "direction": RECEIVED,
            "name": file.name,
            "kind": file.kind,
            "environment": file.environment,
            "size": file.size,
            "sha256": file.sha256,
            "url": reverse("inbound_file", args=[file.pk]),
            "state": file.state,
            "alarm": InboundFile.Alarm(file.alarm).label if file.alarm else "",
            "reason": file.reason,
            "caused": _caused(file, caused.get(str(file.pk), {})),
            "envelope": file.envelope_id,
            "replay": None,
        }
        for file in files.defer("content_sealed", "signature_sealed")
    }


def _caused(file: InboundFile, told: Mapping[str, Any]) -> list[str]:
    """What a file moved, in sentences; nothing for one that moved nothing."""
    moved, repeated = told.get("moved", 0), told.get("repeated", 0)
    if file.state != InboundFile.State.APPLIED:
        return []
    sentences = []
    if moved and file.kind == "ACRF":
        sentences.append(ngettext("Receipt of %(count)d batch.", "Receipt of %(count)d batches.", moved))
    elif moved and file.kind == "IDFL":
        sentences.append(
            ngettext(
                "Replaced the number of %(count)d worker.", "Replaced the number of %(count)d workers.", moved
            )
        )
    elif moved:
        sentences.append(
            ngettext("Answered %(count)d declaration.", "Answered %(count)d declarations.", moved)
        )
    shown = [sentence % {"count": moved} for sentence in sentences]
    if repeated:
        shown.append(
            ngettext("Said %(count)d thing again.", "Said %(count)d things again.", repeated)
            % {"count": repeated}
        )
    return shown


def _sent_rows(wanted: list[tuple[int, str]]) -> dict[tuple[int, str], dict[str, Any]]:
    if not wanted:
        return {}
    tenant = tenancy.current()
    rows = EnvelopePart.objects.filter(mandataire_id=tenant, pk__in={pk for pk, _source in wanted})
    parts = {
        part.pk: part for part in rows.select_related("envelope").defer("fi_sealed", "fs_sealed").order_by()
    }
    totals = dict(
        EnvelopePart.objects.filter(
            mandataire_id=tenant, envelope_id__in={part.envelope_id for part in parts.values()}
        )
        .order_by()
        .values_list("envelope_id")
        .annotate(count=Count("pk"))
    )
    signatures = {pk for pk, source in wanted if source == "fs"}
    signed = rows.filter(pk__in=signatures).only("fs_sealed", "fs_size") if signatures else ()
    hashes = {part.pk: sha256(part.fs).hexdigest() for part in signed}
    return {
        (pk, source): _sent_row(parts[pk], source, totals[parts[pk].envelope_id], hashes.get(pk, ""))
        for pk, source in wanted
    }


def _sent_row(part: EnvelopePart, source: str, parts: int, signature_hash: str) -> dict[str, Any]:
    name = parse_name(f"FI.{part.envelope.stem}").set_name
    row: dict[str, Any] = {
        "direction": SENT,
        "kind": source.upper(),
        "environment": part.envelope.environment,
        "url": reverse("sent_file", args=[part.pk, source]),
        "state": "",
        "alarm": "",
        "reason": "",
        "caused": [],
        "envelope": part.envelope_id,
        "replay": None,
    }
    match source:
        case "fi":
            carried = ngettext("%(count)d form", "%(count)d forms", part.forms_count)
            row["caused"] = [carried % {"count": part.forms_count}]
            return row | {"name": name.fi(part.part, parts), "size": part.fi_size, "sha256": part.fi_sha256}
        case "fs":
            return row | {
                "name": name.fs(part.part, parts),
                "size": part.fs_size,
                "sha256": signature_hash,
            }
        case _:
            return row | {"name": name.go(parts), "size": 0, "sha256": sha256(b"").hexdigest()}
