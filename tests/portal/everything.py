"""A row in every table of a tenant, and what the catalogue of PostgreSQL says about those tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from channels.models import Alarm, Channel, Departure, Drop, InboundFile, LeftAnswer
from mandates import procurations
from mandates.procurations import Pdf
from portal import audit, tenancy
from portal.models import Grant, GrantEmployer, Mandataire, Profile
from submissions import declaring
from submissions.models import (
    Anomaly,
    Course,
    Notice,
    Problem,
    Settlement,
    SignOff,
    TrainingRecord,
    TrainingTemplate,
)
from submissions.states import DeclarationState
from tests import factories
from tests.mandates import scenes
from tests.submissions import documents, letters_files, register_files, relayed_files


def make_one_of_everything(through: Channel | None = None) -> None:
    """Fills every tenant table in the open scope; the chain of events follows at commit.

    A new table without a row here fails the tests of walls.
    """
    batch = factories.sealed_batch(2, through=through or relayed_files.channel())
    refused, tested = factories.declarations_of(batch)
    refused.move(DeclarationState.REFUSED, answered_at=timezone.now())
    declaring.correct(refused)
    tested.move(DeclarationState.ACCEPTED, answered_at=timezone.now())
    factories.declaration(tested.record, environment="R", promotes=tested)
    factories.contract(refused.record.worker)
    file = factories.inbound(batch.channel, b"<NOTIFICATION/>", envelope=batch.envelope)
    Anomaly.objects.create(declaration=refused, inbound_file=file, code="00024-179")
    now = timezone.now()
    problem, _new = Problem.objects.get_or_create(employer=refused.employer, service="FLA", code="00024-179")
    Settlement.objects.create(problem=problem, declaration=refused, settled_at=now, settled_by="Lou Essai")
    Drop.objects.create(envelope=batch.envelope, started_at=now, heartbeat_at=now)
    clerk = factories.place(Mandataire.objects.get(pk=tenancy.current()), Profile.ENCODE)
    GrantEmployer.objects.create(grant=Grant.objects.get(member=clerk), employer=refused.employer)
    SignOff.objects.create(
        employer=refused.employer, quarter="20251", signed_at=timezone.now(), signed_by="Lou Essai"
    )
    Notice.objects.create(member=clerk, kind=Notice.Kind.DIGEST, key="2026-11-20", made_at=now)
    factories.size(refused.employer)
    factories.manual_right(refused.record.worker)
    factories.former_number(refused.record.worker)
    factories.former_declaration(refused.record)
    factories.agreement()
    letters_files.made(refused.employer)
    factories.correction_request(refused.record)
    course = Course.objects.create(
        employer=refused.employer, key=uuid4(), encoded_at=now, encoded_by="Lou Essai"
    )
    TrainingRecord.objects.filter(pk=refused.record_id).update(course=course)
    TrainingTemplate.objects.create(employer=refused.employer, name=f"Essai {course.pk}", values={})
    make_one_of_each_for(batch.channel, file)
    procurations.keep(factories.active_mandate(factories.employer()), "closure", Pdf("p.pdf", b"%PDF-1.7"))
    scenes.applied(scenes.rows_of(f"{factories.new_enterprise_number()};Nouveau;;;FLA;2026Q1;"))
    register_files.applied()
    factories.identity(factories.identity_provider())
    relayed_files.handed_over(batch.channel)
    documents.sent(batch.channel)
    audit.record("everything.made", batch)


def make_one_of_each_for(channel: Channel, file: InboundFile) -> None:
    """What a channel has at most one of: a second call finds the first one's."""
    now = timezone.now()
    Alarm.objects.get_or_create(channel=channel, kind=Alarm.Kind.UNSENT, defaults={"since": now})
    times = {"minutes": [990], "departs_at": now}
    Departure.objects.get_or_create(channel=channel, service="FLA", defaults=times)
    LeftAnswer.objects.get_or_create(
        channel=channel,
        environment="S",
        name="FO.NOTI.999999.20251001.0000X.S",
        defaults={"size": 1, "modified_at": 1, "looked_at": now, "first_seen_at": now, "kept": file},
    )


def ask(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """All rows of an answer."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def tenant_tables() -> list[str]:
    """Every table with a tenant column, and the table of tenants itself: asked of the database."""
    return [
        table
        for (table,) in ask(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND (c.relname = 'portal_mandataire' OR "
            "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'mandataire_id' "
            "AND NOT a.attisdropped)) ORDER BY c.relname"
        )
    ]


@dataclass(frozen=True)
class Reference:
    """A foreign key as the database has it: columns here, columns there, in the same order."""

    name: str
    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]

    @property
    def of_the_row(self) -> str:
        """The column that names the row it points at; the others narrow where that row may be."""
        return self.columns[self.target_columns.index("id")]


def references() -> list[Reference]:
    """Every foreign key that starts at a tenant table."""
    rows = ask(
        "SELECT k.conname, k.conrelid::regclass::text, k.confrelid::regclass::text, "
        "array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (n, at) "
        "JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.at), "
        "array(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (n, at) "
        "JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.at) "
        "FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid::regclass::text = ANY(%s) ORDER BY 1",
        tenant_tables(),
    )
    return [
        Reference(name, table, tuple(here), target, tuple(there)) for name, table, target, here, there in rows
    ]
