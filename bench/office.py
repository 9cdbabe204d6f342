"""A large office, by set-based SQL: clients with mandates, declarations, sets, answers, people and events."""

from __future__ import annotations

import os
from datetime import date
from typing import Any

from django.db import connection, models

from channels.models import FILE, Channel, Envelope, EnvelopePart, InboundFile, ReservedName
from mandates.models import NISS, Employer, Mandate, Worker
from mandates.numbers import make_niss
from portal.models import Event, Grant, Membership, User, cipher
from submissions.models import Anomaly, Batch, Declaration, TrainingRecord

SENDER = 104217
"""Of the first office; the next ones count on."""
IN_A_SET = 50
_FI_SIZE, _FS_SIZE = 90_000, 2_000
_WORDS = {
    "trade": "Boulangerie Garage Imprimerie Clinique Menuiserie Hôtel Transports Brasserie Bouwbedrijf Slagerij",
    "family": "Peeters Janssens Maes Jacobs Mertens Willems Claes Goossens Wouters Dubois Lambert Dupont Simon",
    "given": "Marie Jean Luc Anne An Els Jan Koen Zoë Noémie Pieter Sofie",
    "title": "Secourisme Hygiène Sécurité Excel Néerlandais Soudure Conduite Management Ergonomie",
}


def _pick(name: str, by: str) -> str:
    """One word of a list, chosen by an SQL number."""
    words = _WORDS[name].split()
    return f"(ARRAY{words!r})[1 + ({by}) % {len(words)}]"


def insert(model: type[models.Model], source: str, *given: Any, **columns: str) -> None:
    """INSERT .. SELECT .. FROM `source`: an SQL expression per column; what is left out has the model's default.

    `given` are the parameters of the expressions, in the order of the columns as named.
    """
    names, expressions, parameters = list(columns), list(columns.values()), list(given)
    for field in model._meta.local_concrete_fields:
        if field.primary_key or field.attname in columns:
            continue
        names.append(field.attname)
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            expressions.append("now()")
        else:
            expressions.append("%s")
            parameters.append(field.get_db_prep_save(field.get_default(), connection))
    sql = f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) SELECT {', '.join(expressions)} FROM {source}"
    with connection.cursor() as cursor:
        cursor.execute(
            sql.replace("%", "%%").replace("%%s", "%s"), parameters
        )  # % is an operator everywhere else


def numbered(model: type[models.Model], columns: str = "") -> str:
    """The rows of a table with their ids, counted from 0 as `i`."""
    wanted = f"id, {columns}" if columns else "id"
    return f"(SELECT {wanted}, row_number() OVER (ORDER BY id) - 1 AS i FROM {model._meta.db_table})"


def furnish(
    channel: Channel, mandates: int, place: int, *, declarations: int = 0, file_size: int = _FI_SIZE
) -> None:
    """Fills an office, in its open scope, with `mandates` over a quarter as many clients, and all the rest to scale.

    `place` counts the offices: their clients and sender numbers differ. `declarations` are as many as mandates unless
    given; `file_size` is that of a sealed file, in bytes.
    """
    declarations = declarations or mandates
    _clients(mandates, 10_000_000 + place * 1_000_000)
    _people(max(20, mandates // 66), place)
    _sets(channel, declarations * 94 // 100 // IN_A_SET, str(SENDER + place), file_size)
    _declarations(declarations)


def _clients(mandates: int, base: int) -> None:
    number = f"lpad(({base} + i)::text, 8, '0') || lpad((97 - ({base} + i) % 97)::text, 2, '0')"
    insert(
        Employer,
        f"generate_series(1, {mandates // 4}) AS i",
        number=number,
        name=f"{_pick('trade', 'i')} || ' ' || {_pick('family', 'i / 7')} || ' ' || i",
        onss_number="''",
        language="CASE i % 2 WHEN 0 THEN 'fr' ELSE 'nl' END",
    )
    quarter = "date_trunc('quarter', current_date)"
    starts = "CASE k WHEN 0 THEN -24 WHEN 1 THEN -12 WHEN 2 THEN -3 ELSE 3 END"
    ends = "CASE k WHEN 0 THEN -12 WHEN 1 THEN -3 WHEN 2 THEN CASE WHEN i % 20 = 0 THEN 3 END END"
    insert(
        Mandate,
        f"{numbered(Employer, 'number')} AS e, generate_series(0, 3) AS k",
        employer_id="e.id",
        employer_number="e.number",
        service="'FLA'",
        is_exclusive="true",
        starts_on=f"({quarter} + ({starts}) * interval '1 month')::date",
        ends_on=f"({quarter} + ({ends}) * interval '1 month' - interval '1 day')::date",
        state="CASE WHEN k < 2 THEN 'active' WHEN k = 2 THEN CASE WHEN i % 10 = 1 THEN 'refused' ELSE 'active' END "
        "WHEN i % 10 = 0 THEN 'pending' WHEN i % 10 < 4 THEN 'refused' ELSE 'closed' END",
        validated_by_mandataire_at="now() - interval '100 days'",
    )


def _people(count: int, place: int) -> None:
    User.objects.bulk_create(
        User(
            username=f"office{place}.user{serial}",
            first_name=_WORDS["given"].split()[serial % 12],
            last_name=_WORDS["family"].split()[serial % 13],
            email=f"user{serial}@example.be",
            password="!",
        )
        for serial in range(count)
    )
    insert(
        Membership,
        f"{numbered(User)} AS u WHERE u.id IN (SELECT id FROM portal_user WHERE username LIKE 'office{place}.%')",
        user_id="u.id",
        is_manager="i % 60 = 5",
        is_blocked="i % 20 = 19",
    )
    applications = (
        "(VALUES ('declarations', 'encode'), ('channels', 'see'), ('mandates', 'see'), ('users', 'see'))"
    )
    insert(
        Grant,
        f"{numbered(Membership)} AS m, {applications} AS a (application, profile) "
        "WHERE NOT EXISTS (SELECT FROM portal_grant g WHERE g.member_id = m.id)",
        member_id="m.id",
        application="a.application",
        profile="a.profile",
    )


def _sets(channel: Channel, count: int, sender: str, file_size: int) -> None:
    # Four sets a day, or so many that they fill two years.
    day = f"(current_date - ((b.count - i) / {max(4, count // 720)})::int)"
    source = f"(SELECT i, {count} AS count FROM generate_series(1, {count}) AS i) AS b"
    insert(
        ReservedName,
        source,
        channel_id=str(channel.pk),
        sender_number=f"'{sender}'",
        application_code="'FLAD'",
        day=day,
        environment="'R'",
        counter="i",
        sequence="'P' || lpad((i % 10000)::text, 4, '0')",
    )
    insert(
        Envelope,
        f"{numbered(ReservedName, 'day, sequence')} AS n",
        channel_id=str(channel.pk),
        name_id="n.id",
        stem=f"'FLAD.{sender}.' || to_char(n.day, 'YYYYMMDD') || '.' || n.sequence || '.R'",
        environment="'R'",
        service="'FLA'",
        sealed_at="n.day + interval '9 hours'",
    )
    insert(
        EnvelopePart,
        f"{numbered(Envelope)} AS e",
        cipher().seal_bytes(FILE, os.urandom(file_size)),
        cipher().seal_bytes(FILE, os.urandom(_FS_SIZE)),
        fi_sealed="%s",
        fs_sealed="%s",
        envelope_id="e.id",
        part="1",
        forms_count=str(IN_A_SET),
        fi_sha256="repeat('0', 64)",
        fi_size=str(file_size),
        fs_size=str(_FS_SIZE),
    )
    state = (
        f"CASE WHEN e.i >= {count} - 2 THEN 'sealed' WHEN e.i >= {count} - 4 THEN 'dropped' "
        f"WHEN e.i >= {count} - 6 THEN 'acknowledged' WHEN e.i = {count} - 7 THEN 'parked' ELSE 'answered' END"
    )
    insert(
        Batch,
        f"{numbered(Envelope, 'sealed_at')} AS e",
        channel_id=str(channel.pk),
        envelope_id="e.id",
        service="'FLA'",
        environment="'R'",
        state=state,
        declarations_count=str(IN_A_SET),
        sealed_at="e.sealed_at",
        dropped_at="e.sealed_at + interval '1 minute'",
        acknowledged_at="e.sealed_at + interval '9 minutes'",
        answered_at="e.sealed_at + interval '2 hours'",
        ticket="'T' || lpad(e.i::text, 12, '0')",
    )
    insert(
        InboundFile,
        f"{numbered(Envelope, 'stem, sealed_at')} AS e, generate_series(1, 3) AS k",
        channel_id=str(channel.pk),
        envelope_id="e.id",
        environment="'R'",
        name="'FO.' || CASE k WHEN 1 THEN 'ACRF' ELSE 'NOTI' END || '.' || e.stem || '.' || k",
        kind="CASE k WHEN 1 THEN 'ACRF' ELSE 'NOTI' END",
        sha256="md5(e.stem || k) || md5(e.stem)",
        size="4000",
        content_sealed="'\\x00'::bytea",
        state="CASE WHEN k = 3 AND e.i % 100 = 7 THEN 'unmatched' ELSE 'applied' END",
        received_at="e.sealed_at + k * interval '20 minutes'",
    )


def _declarations(count: int) -> None:
    seals = [(cipher().seal_text(NISS, niss), cipher().blind_index(NISS, niss)) for niss in _nisses()]
    insert(
        Worker,
        f"{numbered(Employer)} AS e, generate_series(1, 2) AS k",
        [sealed for sealed, _index in seals],
        [index for _sealed, index in seals],
        niss_sealed="(%s::bytea[])[k]",
        niss_index="(%s::bytea[])[k]",
        employer_id="e.id",
        family_name=_pick("family", "e.i * 2 + k"),
        given_name=_pick("given", "e.i + k"),
    )
    workers = Worker.objects.count()
    insert(
        TrainingRecord,
        f"generate_series(0, {count - 1}) AS r JOIN {numbered(Worker, 'employer_id')} AS w ON w.i = r * 7 % {workers}",
        employer_id="w.employer_id",
        worker_id="w.id",
        client_reference="'R-' || r",
        title=f"{_pick('title', 'r')} || ' ' || r % 40",
        kind="'formal'",
        starts_on="date '2025-01-06' + r % 200",
        ends_on="date '2025-01-07' + r % 200",
        duration_unit="'days'",
        duration_minutes="912",
        day_minutes="456",
        status="'followed'",
        charged_minutes="912",
        nature="'Sécurité'",
        funding="'employer'",
    )
    settled = "CASE WHEN r.i % 25 = 3 THEN 'refused' WHEN r.i % 25 = 9 THEN 'accepted_with_remarks' ELSE 'accepted' END"
    state = (
        f"CASE b.state WHEN 'sealed' THEN 'batched' WHEN 'parked' THEN 'batched' WHEN 'dropped' THEN 'sent' "
        f"WHEN 'acknowledged' THEN 'acknowledged' WHEN 'answered' THEN {settled} "
        "ELSE CASE r.i % 6 WHEN 0 THEN 'draft' WHEN 1 THEN 'withdrawn' ELSE 'ready' END END"
    )
    insert(
        Declaration,
        f"{numbered(TrainingRecord, 'employer_id')} AS r "
        f"LEFT JOIN {numbered(Batch, 'state, sealed_at')} AS b ON b.i = r.i / {IN_A_SET}",
        employer_id="r.employer_id",
        record_id="r.id",
        service="'FLA'",
        reference="'P-' || lpad(r.i::text, 12, '0')",
        state=state,
        batch_id="b.id",
        environment="CASE WHEN b.id IS NOT NULL THEN 'R' ELSE '' END",
        part="CASE WHEN b.id IS NOT NULL THEN 1 END",
        position=f"CASE WHEN b.id IS NOT NULL THEN 1 + r.i % {IN_A_SET} END",
        ticket="CASE WHEN b.state = 'answered' THEN 'T' || lpad(r.i::text, 12, '0') ELSE '' END",
        created_at="coalesce(b.sealed_at, now()) - interval '1 hour'",
        answered_at="CASE WHEN b.state = 'answered' THEN b.sealed_at + interval '2 hours' END",
    )
    # A third of the refusals is corrected already, and leaves with the next departure.
    insert(
        Declaration,
        "submissions_declaration AS d WHERE d.state = 'refused' AND d.id % 3 = 0",
        employer_id="d.employer_id",
        record_id="d.record_id",
        service="'FLA'",
        reference="'C' || d.reference",
        state="'ready'",
        replaces_id="d.id",
    )
    insert(
        Anomaly,
        "submissions_declaration d JOIN submissions_batch b ON b.id = d.batch_id "
        "JOIN channels_inboundfile f ON f.envelope_id = b.envelope_id AND f.kind = 'ACRF' "
        "WHERE d.state IN ('refused', 'accepted_with_remarks')",
        declaration_id="d.id",
        inbound_file_id="f.id",
        code="(ARRAY['00024-179', '00011-155', '90017-008', '00032-012'])[1 + d.id % 4]",
        anomaly_class="CASE d.state WHEN 'refused' THEN 'B' ELSE 'NB' END",
        tag="(ARRAY['INSS', 'CompanyID', 'StartDate', 'Title'])[1 + d.id % 4]",
        label="'Remark of social security'",
    )


def _nisses() -> list[str]:
    return [make_niss(date(1985, 7, 30), 1), make_niss(date(1990, 2, 14), 2)]


def happen() -> None:
    """Writes what a year of this office leaves in the journal, in its open scope: over four events for each mandate.

    As the owner: the chain is left out of it. The application would chain each of them at commit; in this database
    nobody verifies the chain, and nothing more is written.
    """
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE portal_event DISABLE TRIGGER chain")
    mandates = Mandate.objects.count()
    sets, files = mandates // 50, mandates * 3 // 50
    kinds = (
        *(
            (Mandate, "mandate", f"mandate.{verb}", _MANDATE, mandates)
            for verb in ("created", "proposed", "validated")
        ),
        (Employer, "employer", "employer.added", "{}", mandates // 4),
        (Declaration, "declaration", "declaration.created", '{"count": 1}', mandates * 6 // 10),
        (Batch, "batch", "batch.sealed", '{"declarations": 50}', sets),
        *((Batch, "batch", f"batch.{verb}", "{}", sets) for verb in ("dropped", "acknowledged", "answered")),
        (InboundFile, "inboundfile", "file.stored", "{}", files),
        (Membership, "membership", "grant.given", _GRANT, mandates // 10),
    )
    happened = " UNION ALL ".join(
        f"SELECT n, s.id AS subject, '{kind}' AS kind, '{verb}' AS verb, '{data}'::jsonb AS data, "
        f"now() - ({count} - n) * interval '1 year' / {count} AS at "
        f"FROM generate_series(0, {count - 1}) AS n "
        f"JOIN {numbered(model)} AS s ON s.i = n % (SELECT count(*) FROM {model._meta.db_table})"
        for model, kind, verb, data, count in kinds
    )
    actors = f"(SELECT array_agg(user_id) AS ids FROM {Membership._meta.db_table})"
    insert(
        Event,
        f"({happened}) AS e, {actors} AS actors ORDER BY e.at",
        at="e.at",
        actor_id="CASE WHEN e.n % 4 > 0 THEN actors.ids[1 + e.n % array_length(actors.ids, 1)] END",
        actor_name="CASE WHEN e.n % 4 > 0 THEN 'somebody' ELSE '' END",
        verb="e.verb",
        subject_type="e.kind",
        subject_id="e.subject::text",
        data="e.data",
    )


_MANDATE = '{"service": "FLA", "start": "2026-01-01", "party": "mandataire"}'
_GRANT = '{"who": "Anne Martin", "application": "declarations", "profile": "encode", "until": ""}'
