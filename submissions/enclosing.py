"""Puts ready-made files and documents in sets, and signs them: in the worker, where the keys are.

A file is a set of its own, its bytes as they came. Documents travel together, one form each.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from django.utils import timezone

from channels import vault
from channels.enveloping import CannotSeal, EnvelopeWriter, needs_signature
from channels.models import Channel
from channels.reserving import reserve
from channels.signing import CertificateSigner
from mandates.catalogue import Service, service
from portal import audit, tenancy
from submissions.batching import MAX_PARTS, Part, Places, bound_for, check_allowed, place, send_back, today
from submissions.documenting import form_of
from submissions.inspecting import speaking_for
from submissions.models import Batch, Declaration, RelayedFile
from submissions.states import BatchState
from submissions.wire.atdo import DocumentWriter
from submissions.wire.generic import MAX_FORMS, InvalidForm

log = logging.getLogger(__name__)


def seal_files(mandataire: UUID, channel_id: int, code: str, environment: str = "") -> list[int]:
    """Seals every ready file of one service, a set and a transaction for each. Returns the ids of the batches.

    `environment` is R, T or S; "" is that of the channel. A file leaves whole or not at all: without an active mandate
    today for each of its employers it stays. One that cannot be sealed is logged and stays too, and holds up no other.
    Raises NotAllowed like `batching.seal_ready`.
    """
    with tenancy.scope(mandataire):
        channel = Channel.objects.get(pk=channel_id)
        chosen = service(code)
        environment = environment or channel.environment
        check_allowed(channel, chosen, environment)
        signer = vault.signer(channel) if needs_signature(channel, environment) else None
        ready = Declaration.objects.ready().filter(mandataire_id=tenancy.current(), service=code)
        ready = ready.filter(bound_for(environment, channel), form__file__channel=channel)
        waiting = sorted(set(ready.values_list("form__file_id", flat=True)))
    batches: list[int] = []
    for file in waiting:
        try:
            with tenancy.scope(mandataire):
                batch = _seal(channel, chosen, environment, signer, file)
        except CannotSeal as refusal:
            log.warning("file %s: %s", file, refusal)
        else:
            batches += [batch.pk] if batch else []
    return batches


def _seal(
    channel: Channel, chosen: Service, environment: str, signer: CertificateSigner | None, file_id: int
) -> Batch | None:
    """Seals one file, or returns None when it may not leave today or is being taken by somebody else."""
    rows = list(
        Declaration.objects.ready()
        .filter(bound_for(environment, channel), mandataire_id=tenancy.current(), form__file=file_id)
        .select_for_update(of=("self",), skip_locked=True)
        .values_list("pk", "form__position", "employer_id")
    )
    file = RelayedFile.objects.get(pk=file_id)
    if len(rows) != file.forms_count or {employer for _pk, _position, employer in rows} - speaking_for(
        chosen
    ):
        return None
    batch, envelope = _open(channel, chosen, environment, signer)
    part = envelope.add_part(file.content, file.forms_count)
    places = Places()
    for identity, position, _employer in rows:
        places.put(identity, part, position)
    return _close(batch, envelope, places)


def _open(
    channel: Channel, chosen: Service, environment: str, signer: CertificateSigner | None
) -> tuple[Batch, EnvelopeWriter]:
    name = reserve(channel, chosen.application_code, environment, today().date())
    batch = Batch.objects.create(channel=channel, service=chosen.code, environment=environment)
    return batch, EnvelopeWriter.open(channel, name, chosen.code, signer)


def _close(batch: Batch, envelope: EnvelopeWriter, places: Places) -> Batch:
    place(batch, places)
    count = len(places.ids)
    batch.move(
        BatchState.SEALED, envelope=envelope.close(), sealed_at=timezone.now(), declarations_count=count
    )
    audit.record("batch.sealed", batch, data={"declarations": count, "name": str(batch.envelope)})
    return batch


# --- documents ------------------------------------------------------------------------------------


def seal_documents(mandataire: UUID, channel_id: int, code: str, environment: str = "") -> list[int]:
    """Seals every ready document into as many sets as it takes, a transaction for each. Returns the ids of the batches.

    `environment` is R, T or S; "" is that of the channel. Documents of employers without an active mandate today stay
    ready. Raises NotAllowed like `batching.seal_ready`.
    """
    with tenancy.scope(mandataire):
        channel = Channel.objects.get(pk=channel_id)
        chosen = service(code)
        environment = environment or channel.environment
        check_allowed(channel, chosen, environment)
        signer = vault.signer(channel) if needs_signature(channel, environment) else None
    batches: list[int] = []
    while True:
        with tenancy.scope(mandataire):
            found = _seal_documents(channel, chosen, environment, signer)
        if found is None:
            return batches
        batches += [found.pk] if found else []


def _seal_documents(
    channel: Channel, chosen: Service, environment: str, signer: CertificateSigner | None
) -> Batch | Literal[False] | None:
    """Seals one set of documents. None when nothing is ready, False when what was ready could not be written."""
    ready = list(
        Declaration.objects.ready()
        .filter(
            bound_for(environment, channel),
            mandataire_id=tenancy.current(),
            service=chosen.code,
            document__isnull=False,
            employer_id__in=speaking_for(chosen),
        )
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")
        .values_list("pk", flat=True)[: MAX_PARTS * MAX_FORMS]
    )
    if not ready:
        return None
    writer = DocumentWriter(form_code=chosen.form_code, namespace=chosen.namespace, created_at=today())
    invalid: dict[int, InvalidForm] = {}
    places = Places()
    try:
        # A savepoint: when not a single form can be written, no name, batch or envelope shall remain.
        with tenancy.scope(tenancy.current()):
            batch, envelope = _open(channel, chosen, environment, signer)
            _write_documents(envelope, writer, ready, channel.max_file_bytes, places, invalid)
            if not places.ids:
                raise _NothingToSend
            sealed = _close(batch, envelope, places)
    except _NothingToSend:
        send_back(invalid)
        return False
    send_back(invalid)
    return sealed


class _NothingToSend(Exception):
    pass


def _write_documents(
    envelope: EnvelopeWriter,
    writer: DocumentWriter,
    ready: Sequence[int],
    limit: int,
    places: Places,
    invalid: dict[int, InvalidForm],
) -> None:
    """Renders document after document, one PDF in memory beside the part that is being filled."""
    limit -= len(writer.head) + len(writer.foot)
    part, number = Part(), 1
    for identity in ready:
        declaration = Declaration.objects.select_related("employer", "document__worker").get(pk=identity)
        try:
            form = writer.form(form_of(declaration.document, declaration.employer, declaration.reference))
        except InvalidForm as error:
            invalid[identity] = error
            continue
        if not part.has_room_for(form, limit):
            if number == MAX_PARTS:
                break
            _add(envelope, writer, part)
            part, number = Part(), number + 1
        part.add(form)
        places.put(identity, number, len(part.forms))
    if part.forms:
        _add(envelope, writer, part)


def _add(envelope: EnvelopeWriter, writer: DocumentWriter, part: Part) -> None:
    envelope.add_part(b"".join((writer.head, *part.forms, writer.foot)), len(part.forms))
