"""Many declarations that left and wait for their answers, by set-based SQL: full files, nine of them in a set."""

from __future__ import annotations

import os
from datetime import date
from uuid import UUID

from bench.office import SENDER, insert, numbered
from channels.models import FILE, Channel, Drop, Envelope, EnvelopePart, ReservedName
from mandates.models import NISS, Employer, Worker
from mandates.numbers import make_enterprise_number, make_niss
from portal import tenancy
from portal.models import Mandataire, cipher
from submissions.models import Batch, Declaration, TrainingRecord

IN_A_FILE = 500
_PARTS = 9
_FI_SIZE, _FS_SIZE = 9_000, 2_000
"""Bytes; nobody reads these files here."""


def found(place: int, count: int) -> UUID:
    """An organisation of one client, with `count` declarations in sets that left. `place` counts the organisations."""
    quality = Mandataire.Quality.SOCIAL_SECRETARIAT
    number = make_enterprise_number(19_900_000 + place)
    mandataire = Mandataire.found(name=f"Office {place}", number=number, quality=quality).pk
    with tenancy.scope(mandataire):
        channel = Channel.objects.create(
            name="Channel",
            quality=quality,
            sender_number=str(SENDER + place),
            username="somebody",
            environment="R",
            services=["FLA"],
            is_exclusive=True,
        )
        _sets(channel, count)
        _declarations(count)
    return mandataire


def _sets(channel: Channel, count: int) -> None:
    sender, sets = channel.sender_number, -(-count // (_PARTS * IN_A_FILE))
    insert(
        ReservedName,
        f"generate_series(1, {sets}) AS i",
        channel_id=str(channel.pk),
        sender_number=f"'{sender}'",
        application_code="'FLAD'",
        day="current_date",
        environment="'R'",
        counter="i",
        sequence="'P' || lpad(i::text, 4, '0')",
    )
    insert(
        Envelope,
        f"{numbered(ReservedName, 'day, sequence')} AS n",
        channel_id=str(channel.pk),
        name_id="n.id",
        stem=f"'FLAD.{sender}.' || to_char(n.day, 'YYYYMMDD') || '.' || n.sequence || '.R'",
        environment="'R'",
        service="'FLA'",
        sealed_at="now()",
    )
    size = f"least({IN_A_FILE}, {count} - (e.i * {_PARTS} + k - 1) * {IN_A_FILE})"
    insert(
        EnvelopePart,
        f"{numbered(Envelope)} AS e, generate_series(1, {_PARTS}) AS k WHERE {size} > 0",
        cipher().seal_bytes(FILE, os.urandom(_FI_SIZE)),
        cipher().seal_bytes(FILE, os.urandom(_FS_SIZE)),
        fi_sealed="%s",
        fs_sealed="%s",
        envelope_id="e.id",
        part="k",
        forms_count=size,
        fi_sha256="repeat('0', 64)",
        fi_size=str(_FI_SIZE),
        fs_size=str(_FS_SIZE),
    )
    insert(
        Drop,
        f"{numbered(Envelope)} AS e",
        envelope_id="e.id",
        state="'confirmed'",
        started_at="now()",
        heartbeat_at="now()",
        go_intended_at="now()",
        ended_at="now()",
    )
    insert(
        Batch,
        f"{numbered(Envelope)} AS e",
        channel_id=str(channel.pk),
        envelope_id="e.id",
        service="'FLA'",
        environment="'R'",
        state="'dropped'",
        declarations_count=f"least({_PARTS * IN_A_FILE}, {count} - e.i * {_PARTS * IN_A_FILE})",
        sealed_at="now()",
        dropped_at="now()",
    )


def _declarations(count: int) -> None:
    client = Employer.objects.create(number=make_enterprise_number(19_800_000), name="Client")
    worker = Worker(employer=client, family_name="Peeters", given_name="Jan")
    worker.niss = make_niss(date(1985, 7, 30), 1)
    worker.niss_index = cipher().blind_index(NISS, worker.niss)
    worker.save()
    insert(
        TrainingRecord,
        f"generate_series(0, {count - 1}) AS r",
        employer_id=str(client.pk),
        worker_id=str(worker.pk),
        client_reference="'R-' || r",
        title="'Security ' || r % 40",
        kind="'formal'",
        starts_on="date '2025-01-06' + r % 200",
        ends_on="date '2025-01-07' + r % 200",
        duration_unit="'days'",
        duration_minutes="912",
        day_minutes="456",
        status="'followed'",
        charged_minutes="912",
        nature="'Security'",
        funding="'employer'",
    )
    in_a_set = _PARTS * IN_A_FILE
    insert(
        Declaration,
        f"{numbered(TrainingRecord)} AS r JOIN {numbered(Batch)} AS b ON b.i = r.i / {in_a_set}",
        employer_id=str(client.pk),
        record_id="r.id",
        service="'FLA'",
        # As in life, references are in no order.
        reference="'P-' || upper(substr(md5(r.id::text), 1, 15))",
        state="'sent'",
        environment="'R'",
        batch_id="b.id",
        part=f"1 + r.i % {in_a_set} / {IN_A_FILE}",
        position=f"1 + r.i % {IN_A_FILE}",
    )
