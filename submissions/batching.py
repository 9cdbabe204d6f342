"""Takes what is ready and seals it into signed sets, one transaction per set, without ever holding a whole set.

Rendered bytes are stored part by part as they fill up; only identifiers and positions are kept until the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from channels import vault
from channels.enveloping import EnvelopeWriter, needs_signature
from channels.models import Channel
from channels.reserving import reserve
from channels.signing import CertificateSigner
from mandates.catalogue import Service, service
from mandates.models import NISS, Employer
from portal import audit, tenancy
from portal.models import cipher
from submissions.fields import FIELDS
from submissions.models import Batch, Declaration
from submissions.states import BatchState, DeclarationState
from submissions.wire.fla import MAX_FORMS, FlaForm, FlaWriter, InvalidForm

BRUSSELS = ZoneInfo("Europe/Brussels")
MAX_PARTS = 9  # N and M are one digit each in a file name.
_CHUNK = 2000
_COLUMNS = (
    "id",
    "reference",
    "kind",
    "earlier_ticket",
    "employer__number",
    "employer__onss_number",
    "record__worker__niss_sealed",
    "record__worker__family_name",
    "record__worker__given_name",
    *(f"record__{item.name}" for item in FIELDS),
)


class NotAllowed(ValueError):
    """A set may not be sealed now; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


def today() -> datetime:
    """Now in Belgium: the days of file names, forms and mandates are Belgian days."""
    return timezone.now().astimezone(BRUSSELS)


def bound_for(environment: str, channel: Channel) -> Q:
    """What leaves for `environment` (R, T or S): the destined, and what goes with the channel while that is there."""
    destined = Q(environment=environment)
    return destined | Q(environment="") if environment == channel.environment else destined


def seal_ready(
    mandataire: UUID, channel_id: int, code: str, environment: str = "", among: Q | None = None
) -> list[int]:
    """Seals every ready declaration of one service into as many sets as it takes. Returns the ids of the batches.

    `environment` is R, T or S; "" is that of the channel. `among` narrows what is meant, when not all of it is.
    Declarations stay ready when we may not speak for their employer today (`EmployerQuerySet.spoken_for`). Each set is
    a transaction of its own: killed in the middle, what was sealed is sealed and the rest is still ready. Raises
    NotAllowed when the service is closed or the channel does not carry it.
    """
    batches: list[int] = []
    with tenancy.scope(mandataire):
        channel = Channel.objects.get(pk=channel_id)
        chosen = service(code)
        environment = environment or channel.environment
        check_allowed(channel, chosen, environment)
        signer = vault.signer(channel) if needs_signature(channel, environment) else None
    while True:
        with tenancy.scope(mandataire):
            batch = _seal_one(channel, chosen, environment, signer, among)
        if batch is None:
            return batches
        batches.append(batch)


def check_allowed(channel: Channel, chosen: Service, environment: str) -> None:
    """Raises NotAllowed, with the sentence for the operator, when nothing of this service may leave now."""
    if not channel.is_set_up:
        raise NotAllowed(
            _("The channel “%(channel)s” is still being set up: nothing leaves before it is in service.")
            % {"channel": channel.name}
        )
    if chosen.code not in channel.services:
        raise NotAllowed(
            _(
                "The channel “%(channel)s” does not carry %(service)s. Tick the permission in Chaman, then here."
            )
            % {"channel": channel.name, "service": chosen.name}
        )
    refusal = chosen.refusal_on(today().date(), is_production=environment == "R")
    if refusal:
        raise NotAllowed(refusal)


@dataclass
class Part:
    """The FI that is being filled."""

    forms: list[bytes] = field(default_factory=list)
    size: int = 0

    def has_room_for(self, form: bytes, limit: int) -> bool:
        # A form too large for any file enters an empty one, for the envelope to refuse it by its size.
        return not self.forms or (len(self.forms) < MAX_FORMS and self.size + len(form) <= limit)

    def add(self, form: bytes) -> None:
        self.forms.append(form)
        self.size += len(form)


@dataclass
class Places:
    """Where each declaration came to lie: parallel columns, as the one UPDATE wants them."""

    ids: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def put(self, identity: int, part: int, position: int) -> None:
        self.ids.append(identity)
        self.parts.append(part)
        self.positions.append(position)


def _seal_one(
    channel: Channel, chosen: Service, environment: str, signer: CertificateSigner | None, among: Q | None
) -> int | None:
    """Seals one set, or returns None when nothing is ready. Runs in one transaction: all of it or nothing."""
    now = today()
    speaking_for = Employer.objects.spoken_for(now.date(), chosen.mandate).values("pk")
    due = Declaration.objects.ready().filter(
        bound_for(environment, channel),
        mandataire_id=tenancy.current(),
        service=chosen.code,
        employer_id__in=speaking_for,
    )
    if among is not None:
        due = due.filter(among)
    ids = _lock_in_turns(due, MAX_PARTS * MAX_FORMS)
    if not ids:
        return None
    invalid: dict[int, InvalidForm] = {}
    try:
        # A savepoint: when not a single form can be written, no name, batch or envelope shall remain.
        with tenancy.scope(tenancy.current()):
            batch = _write(channel, chosen, environment, signer, _rows(ids), invalid)
    except _NothingToSend:
        batch = None
    send_back(invalid)
    if batch is None and invalid:
        return _seal_one(channel, chosen, environment, signer, among)
    return batch.pk if batch else None


def _lock_in_turns(due: QuerySet[Declaration], count: int) -> list[int]:
    """Locks up to `count` of what is due and returns the ids, one of each employer in turn, his oldest first.

    So nobody waits behind another client's ten thousand. A declaration knows no legal deadline of its own: the one
    made first is the most urgent of its employer. Skipping what another worker holds lets two of them seal two
    different sets at once.
    """
    turn = Window(RowNumber(), partition_by=F("employer_id"), order_by=F("id").asc())
    turns, parameters = due.annotate(turn=turn).order_by("id").values("id", "turn").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.id FROM submissions_declaration d "  # noqa: S608  written by Django, with parameters
            f"JOIN ({turns}) AS t ON t.id = d.id "
            "WHERE d.mandataire_id = %s AND d.state = %s ORDER BY t.turn, d.id LIMIT %s "
            "FOR UPDATE OF d SKIP LOCKED",
            [*parameters, tenancy.current(), DeclarationState.READY, count],
        )
        return [identity for (identity,) in cursor.fetchall()]


def _rows(ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """The columns of these declarations, in this order, a chunk in memory at a time."""
    for chunk in batched(ids, _CHUNK):
        found = {row[0]: row for row in Declaration.objects.filter(pk__in=chunk).values_list(*_COLUMNS)}
        yield from (found[identity] for identity in chunk)


class _NothingToSend(Exception):
    pass


def _write(
    channel: Channel,
    chosen: Service,
    environment: str,
    signer: CertificateSigner | None,
    rows: Iterator[tuple[Any, ...]],
    invalid: dict[int, InvalidForm],
) -> Batch:
    """Writes one set under a fresh name. Collects into `invalid` what cannot be written."""
    now = today()
    name = reserve(channel, chosen.application_code, environment, now.date())
    batch = Batch.objects.create(channel=channel, service=chosen.code, environment=environment)
    envelope = EnvelopeWriter.open(channel, name, chosen.code, signer)
    writer = FlaWriter(form_code=chosen.form_code, namespace=chosen.namespace, created_at=now)
    places = _fill(envelope, writer, rows, channel.max_file_bytes, invalid)
    if not places.ids:
        raise _NothingToSend
    place(batch, places)
    batch.move(
        BatchState.SEALED,
        envelope=envelope.close(),
        sealed_at=timezone.now(),
        declarations_count=len(places.ids),
    )
    audit.record("batch.sealed", batch, data={"declarations": len(places.ids), "name": str(batch.envelope)})
    return batch


def _fill(
    envelope: EnvelopeWriter,
    writer: FlaWriter,
    rows: Iterator[tuple[Any, ...]],
    limit: int,
    invalid: dict[int, InvalidForm],
) -> Places:
    """Renders row after row into parts of at most 500 forms and `limit` bytes, handing each full part over."""
    limit -= len(writer.head) + len(writer.foot)
    open_text = cipher().open_text
    places = Places()
    part, number = Part(), 1
    for identity, reference, kind, ticket, company, onss, niss, family, given, *values in rows:
        try:
            form = writer.form(
                FlaForm(
                    reference=reference,
                    attestation=Declaration.ATTESTATION[kind],
                    earlier_ticket=ticket or None,
                    company_id=company,
                    nsso=onss or None,
                    inss=open_text(NISS, bytes(niss)),
                    family_name=family,
                    given_name=given,
                    values=tuple(values),
                )
            )
        except InvalidForm as error:
            invalid[identity] = error
            continue
        if not part.has_room_for(form, limit):
            if number == MAX_PARTS:
                break
            _close(envelope, writer, part)
            part, number = Part(), number + 1
        part.add(form)
        places.put(identity, number, len(part.forms))
    if part.forms:
        _close(envelope, writer, part)
    return places


def _close(envelope: EnvelopeWriter, writer: FlaWriter, part: Part) -> None:
    envelope.add_part(b"".join((writer.head, *part.forms, writer.foot)), len(part.forms))


def place(batch: Batch, places: Places) -> None:
    """Moves every rendered declaration into the batch and its environment, at its place, in one guarded UPDATE."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE submissions_declaration d SET state = %s, batch_id = %s, environment = %s, part = p.part, "
            "position = p.position "
            "FROM unnest(%s::bigint[], %s::smallint[], %s::smallint[]) AS p (id, part, position) "
            "WHERE d.id = p.id AND d.state = %s AND d.mandataire_id = %s",
            [
                DeclarationState.BATCHED,
                batch.pk,
                batch.environment,
                places.ids,
                places.parts,
                places.positions,
                DeclarationState.READY,
                tenancy.current(),
            ],
        )
        if cursor.rowcount != len(places.ids):
            raise RuntimeError(f"{cursor.rowcount} of {len(places.ids)} declarations could be placed")


def send_back(invalid: dict[int, InvalidForm]) -> None:
    """Takes what cannot be written out of the queue, so that one bad row never holds up the others."""
    for declaration in Declaration.objects.filter(pk__in=invalid).order_by("pk"):
        declaration.move(DeclarationState.DRAFT)
        audit.record(
            "declaration.sent_back", declaration, data={"fields": sorted(invalid[declaration.pk].problems)}
        )
