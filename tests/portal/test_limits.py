"""The wall inside the house, as PostgreSQL keeps it: what a scope limited to some employers may do.

Everything is tried with raw SQL: no page and no queryset stands between the attempt and the wall.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from channels.models import Channel
from mandates import procurations
from mandates.catalogue import service
from mandates.conflicts import Period, taken
from mandates.models import Employer, Mandate
from mandates.procurations import Pdf
from portal import audit, tenancy
from portal.models import Event
from portal.walls import limited
from submissions.models import Declaration, TrainingTemplate
from tests import factories
from tests.people import Person
from tests.portal.everything import ask, make_one_of_everything, references, tenant_tables
from tests.portal.test_walls import REFUSAL, attempt, normalised
from tests.submissions import documents, register_files, relayed_files

OWN, CLOSED, READABLE, PEOPLE, EVENTS = "own", "closed", "readable", "people", "events"

DECISIONS = {
    # Rows of one employer: seen and written when he is one of the limit's.
    "mandates_employer": OWN,
    "mandates_worker": OWN,
    "mandates_contract": OWN,
    "mandates_formernumber": OWN,
    "mandates_mandate": OWN,
    "mandates_procuration": OWN,
    "submissions_trainingrecord": OWN,
    "submissions_declaration": OWN,
    "submissions_anomaly": OWN,
    "submissions_problem": OWN,
    "submissions_settlement": OWN,
    "submissions_signoff": OWN,
    "submissions_employersize": OWN,
    "submissions_balanceletters": OWN,
    "submissions_letterpart": OWN,
    "submissions_correctionrequest": OWN,
    "submissions_manualright": OWN,
    "submissions_course": OWN,
    "submissions_trainingtemplate": OWN,  # those of all clients are read, see below
    "submissions_formerdeclaration": OWN,
    "submissions_registerimport": OWN,
    "submissions_importpiece": OWN,
    "submissions_importfault": OWN,
    "submissions_importchunk": OWN,
    "portal_identitylink": OWN,
    "submissions_careerdocument": OWN,
    "submissions_relayedform": OWN,
    # What mixes employers, holds keys, or says who may do what: not there at all.
    "submissions_batch": CLOSED,
    "submissions_relayedfile": CLOSED,
    "mandates_mandateimport": CLOSED,
    "mandates_mandateimportrow": CLOSED,
    "channels_credential": CLOSED,
    "channels_reservedname": CLOSED,
    "channels_envelope": CLOSED,
    "channels_envelopepart": CLOSED,
    "channels_drop": CLOSED,
    "channels_inboundfile": CLOSED,
    "channels_leftanswer": CLOSED,
    "channels_alarm": CLOSED,
    "submissions_notice": CLOSED,
    "portal_grant": CLOSED,
    "portal_grantemployer": CLOSED,
    "portal_eventchain": CLOSED,
    # The frame of every page needs them; nobody limited changes them.
    "portal_mandataire": READABLE,
    "submissions_sectoragreement": READABLE,
    "channels_channel": READABLE,
    "channels_departure": READABLE,
    "portal_identityprovider": READABLE,
    # The people of the organisation and those of the own client; not those of another one.
    "portal_membership": PEOPLE,
    # About what one may read; and always to be added to.
    "portal_event": EVENTS,
}
"""What a limited scope may do with each table of a tenant. A new table needs its line, and its `KeepWithin`."""

EMPLOYER_OF = {
    "mandates_employer": "SELECT id, id FROM mandates_employer",
    "mandates_contract": "SELECT t.id, w.employer_id FROM mandates_contract t "
    "JOIN mandates_worker w ON w.id = t.worker_id",
    "mandates_formernumber": "SELECT t.id, w.employer_id FROM mandates_formernumber t "
    "JOIN mandates_worker w ON w.id = t.worker_id",
    "submissions_manualright": "SELECT t.id, w.employer_id FROM submissions_manualright t "
    "JOIN mandates_worker w ON w.id = t.worker_id",
    "mandates_procuration": "SELECT t.id, m.employer_id FROM mandates_procuration t "
    "JOIN mandates_mandate m ON m.id = t.mandate_id",
    "portal_identitylink": "SELECT t.id, coalesce(m.employer_id, 0) FROM portal_identitylink t "
    "JOIN portal_membership m ON m.id = t.member_id",
    **{
        f"submissions_import{name}": f"SELECT t.id, i.employer_id FROM submissions_import{name} t "
        "JOIN submissions_registerimport i ON i.id = t.of_id"
        for name in ("piece", "fault", "chunk")
    },
    "submissions_formerdeclaration": "SELECT t.id, r.employer_id FROM submissions_formerdeclaration t "
    "JOIN submissions_trainingrecord r ON r.id = t.record_id",
    "submissions_letterpart": "SELECT t.id, l.employer_id FROM submissions_letterpart t "
    "JOIN submissions_balanceletters l ON l.id = t.of_id",
    "submissions_settlement": "SELECT t.id, p.employer_id FROM submissions_settlement t "
    "JOIN submissions_problem p ON p.id = t.problem_id",
    "submissions_anomaly": "SELECT t.id, d.employer_id FROM submissions_anomaly t "
    "JOIN submissions_declaration d ON d.id = t.declaration_id",
}
"""Which row is whose, where the row itself does not say."""


def owned(*, by: int | None = None, beside: int | None = None) -> dict[str, list[int]]:
    """For each table of rows of one employer, the ids of those of one employer, or of all others."""
    return {
        table: [
            pk
            for pk, employer in ask(EMPLOYER_OF.get(table, f"SELECT id, employer_id FROM {table}"))
            if (by is not None and employer == by) or (beside is not None and employer != beside)
        ]
        for table, decision in DECISIONS.items()
        if decision == OWN
    }


@dataclass
class House:
    """Two clients of one organisation, each with a row in every table that belongs to a client."""

    ours: int
    own: dict[str, list[int]]
    others: dict[str, list[int]]


@pytest.fixture
def house(operator: Person) -> Iterator[House]:
    with operator.scope():
        make_one_of_everything()
        Declaration.objects.filter(state="ready").update(
            state="withdrawn"
        )  # so that it is in no set of the other
        make_one_of_everything(Channel.objects.get())
        # The client of the trainings, made before those of files and documents.
        ((ours,),) = ask("SELECT max(employer_id) FROM submissions_trainingrecord")
        complete(ours)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield House(ours, owned(by=ours), owned(beside=ours))


def complete(pk: int) -> None:
    """Gives a client what its trainings left out."""
    client, channel = Employer.objects.get(pk=pk), Channel.objects.get()
    procurations.keep(Mandate.objects.get(employer=client), "closure", Pdf("p.pdf", b"%PDF-1.7"))
    for code in ("DOCUMENTS", "DIMONA"):
        relayed_files.mandate(client, code)
    documents.sent(channel, factories.worker(client))
    relayed_files.handed_over(channel, relayed_files.a_dimona(client))
    factories.identity(factories.identity_provider(), factories.place(client.mandataire, employer=client))
    register_files.applied(client)


def refuses(statement: str, *parameters: object) -> bool:
    """Whether the wall refuses the statement, rather than anything else."""
    with pytest.raises((ProgrammingError, IntegrityError)) as refusal:
        attempt(statement, *parameters)
    return bool(REFUSAL.search(str(refusal.value)))


# --- what the catalogue says ----------------------------------------------------------------------


def test_every_table_has_its_decision(db: None) -> None:
    assert set(DECISIONS) == set(tenant_tables())


def test_every_table_has_a_restrictive_policy_for_each_command(db: None) -> None:
    rows = ask(
        "SELECT tablename, cmd, policyname, roles::text[], coalesce(qual, with_check) FROM pg_policies "
        "WHERE permissive = 'RESTRICTIVE'"
    )
    found = {(table, command) for table, command, *_rest in rows}
    assert found == {
        (table, c) for table in tenant_tables() for c in ("SELECT", "INSERT", "UPDATE", "DELETE")
    }
    guard = normalised(limited(""))
    application = connection.settings_dict["USER"]
    for table, command, name, roles, condition in rows:
        assert (name, roles) == (f"limited_{command.lower()}", [application]), table
        if condition != "true":
            assert guard.removesuffix("or") in normalised(condition), (table, command)


# --- what a limited scope sees --------------------------------------------------------------------


def test_the_house_has_something_to_hide(house: House) -> None:
    assert all(house.own.values())
    assert all(house.others.values())


def test_a_limited_scope_sees_the_rows_of_its_employer_and_no_others(house: House) -> None:
    with tenancy.within([house.ours]):
        for table, pks in house.own.items():
            assert sorted(pk for (pk,) in ask(f"SELECT id FROM {table}")) == sorted(pks), table


def test_what_mixes_employers_does_not_exist_and_what_the_frame_needs_does(house: House) -> None:
    whole = {table: ask(f"SELECT count(*) FROM {table}") for table in DECISIONS}
    with tenancy.within([house.ours]):
        for table, decision in DECISIONS.items():
            if decision == CLOSED:
                assert ask(f"SELECT count(*) FROM {table}") == [(0,)], table
            if decision == READABLE:
                assert ask(f"SELECT count(*) FROM {table}") == whole[table] != [(0,)], table


def test_people_of_another_client_are_not_seen(house: House, operator: Person) -> None:
    (theirs,) = house.others["mandates_employer"][:1]
    here, there = (
        factories.place(operator.mandataire, employer=Employer.objects.get(pk=pk)).pk
        for pk in (house.ours, theirs)
    )
    with tenancy.within([house.ours]):
        seen = {pk for (pk,) in ask("SELECT id FROM portal_membership")}
    assert here in seen
    assert there not in seen
    assert len(seen) > 1  # those of the organisation


def test_a_limit_to_nobody_sees_nobody(house: House) -> None:
    with tenancy.within([]):
        for table in house.own:
            assert ask(f"SELECT count(*) FROM {table}") == [(0,)], table


def test_a_template_of_all_clients_is_read_and_left_as_it_is(house: House) -> None:
    TrainingTemplate.objects.create(name="For everybody", values={})
    with tenancy.within([house.ours]):
        assert ask("SELECT name FROM submissions_trainingtemplate WHERE employer_id IS NULL") == [
            ("For everybody",)
        ]
        assert attempt("DELETE FROM submissions_trainingtemplate WHERE employer_id IS NULL") == 0
        assert refuses(
            "INSERT INTO submissions_trainingtemplate (mandataire_id, name, values) "
            "SELECT mandataire_id, 'Another', '{}' FROM mandates_employer"
        )


# --- what it can write ----------------------------------------------------------------------------


def test_rows_of_others_cannot_be_changed_or_deleted(house: House) -> None:
    with tenancy.within([house.ours]):
        for table, decision in DECISIONS.items():
            pks = house.others.get(table, [])
            where = "id = ANY(%s)" if decision == OWN else "true OR %s::bigint[] IS NULL"
            for verb, statement in (
                ("UPDATE", f"UPDATE {table} SET id = id"),
                ("DELETE", f"DELETE FROM {table}"),
            ):
                if ask("SELECT has_table_privilege(%s, %s)", table, verb) == [(True,)]:
                    assert attempt(f"{statement} WHERE {where}", pks) == 0, (table, verb)


def rows_of_others(house: House) -> dict[str, dict[str, object]]:
    """A row of each table, as JSON: another client's where rows are a client's."""
    found = {}
    for table, decision in DECISIONS.items():
        where = f"WHERE id = {house.others[table][0]}" if decision == OWN else ""
        if decision == PEOPLE:
            where = "WHERE employer_id IS NULL AND NOT is_manager"
        ((row,),) = ask(f"SELECT to_jsonb(t) FROM {table} t {where} LIMIT 1")
        found[table] = json.loads(row) if isinstance(row, str) else row
    return found


def test_no_row_can_be_made_for_another(house: House) -> None:
    copies = rows_of_others(house)
    tried = 0
    with tenancy.within([house.ours]):
        for table, row in copies.items():
            granted = ask("SELECT has_table_privilege(%s, 'INSERT')", table)
            if DECISIONS[table] == EVENTS or granted != [(True,)]:
                continue
            if table != "portal_mandataire":
                row["id"] = 2_000_000_000
            insert = f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, %s)).*"
            assert refuses(insert, json.dumps(row)), table
            tried += 1
    assert tried > 15


def test_no_row_can_be_given_to_another(house: House) -> None:
    (theirs,) = house.others["mandates_employer"][:1]
    with tenancy.within([house.ours]):
        for table in (
            "mandates_worker",
            "mandates_mandate",
            "submissions_trainingrecord",
            "submissions_signoff",
        ):
            assert refuses(
                f"UPDATE {table} SET employer_id = %s WHERE id = %s", theirs, house.own[table][0]
            ), table


def test_no_row_can_refer_to_one_of_another(house: House) -> None:
    """The wall refuses it at once; the key of a table that refers to itself refuses at the latest at commit."""
    tried = set()
    with tenancy.within([house.ours]):
        for reference in references():
            if DECISIONS[reference.table] != OWN or DECISIONS[reference.target] != OWN:
                continue
            if ask("SELECT has_table_privilege(%s, 'UPDATE')", reference.table) != [(True,)]:
                continue
            column = reference.of_the_row
            with pytest.raises(DatabaseError) as refusal, transaction.atomic():
                attempt(
                    f"UPDATE {reference.table} SET {column} = %s WHERE id = %s; SET CONSTRAINTS ALL IMMEDIATE",
                    house.others[reference.target][0],
                    house.own[reference.table][0],
                )
            is_wall = bool(REFUSAL.search(str(refusal.value)))
            assert is_wall or reference.table == reference.target, reference
            tried.add((reference.table, column))
    assert len(tried) >= 7


def test_a_set_cannot_be_referred_to(house: House) -> None:
    """Nor can what is in a set be changed: the way back from an answer stays what it was."""
    ((batch,),) = ask("SELECT max(id) FROM submissions_batch")
    ((sent,),) = ask(
        "SELECT id FROM submissions_declaration WHERE batch_id IS NOT NULL AND employer_id = %s LIMIT 1",
        house.ours,
    )
    with tenancy.within([house.ours]):
        assert refuses("UPDATE submissions_declaration SET batch_id = %s WHERE id = %s", batch, sent)
        assert refuses("UPDATE submissions_declaration SET state = 'accepted' WHERE id = %s", sent)


def test_within_its_limit_a_scope_works_as_ever(house: House) -> None:
    with tenancy.within([house.ours]):
        client = Employer.objects.get()
        (made,) = factories.ready(1, of=client)
        made.move("withdrawn")
        assert made.pk not in house.own["submissions_declaration"]
        for table, column in (
            ("mandates_employer", "name"),
            ("mandates_worker", "family_name"),
            ("mandates_mandate", "reason"),
            ("submissions_trainingrecord", "title"),
            ("submissions_signoff", "reason"),
        ):
            changed = f"UPDATE {table} SET {column} = 'changed' WHERE id = %s"
            assert attempt(changed, house.own[table][0]) == 1, table
        assert attempt("DELETE FROM submissions_declaration WHERE id = %s", made.pk) == 1


# --- events ---------------------------------------------------------------------------------------


def test_events_are_added_and_chained_in_a_limited_scope(house: House, operator: Person) -> None:
    with tenancy.within([house.ours]), connection.cursor() as cursor:
        audit.record("employer.added", Employer.objects.get())
        audit.record("member.details_changed", operator.mandataire)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    count, broken = audit.verify(operator.mandataire.pk)
    assert broken is None
    assert count == Event.objects.count()


def test_events_about_others_are_not_seen(house: House) -> None:
    (theirs,) = Employer.objects.exclude(pk=house.ours)[:1]
    for client in (theirs, Employer.objects.get(pk=house.ours)):
        audit.record("employer.added", client)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    kinds = {kind for (kind,) in ask("SELECT DISTINCT subject_type FROM portal_event")}
    assert {"batch", "envelope"} <= kinds
    with tenancy.within([house.ours]):
        seen = ask("SELECT subject_type, subject_id FROM portal_event WHERE subject_type = 'employer'")
        assert set(seen) == {("employer", str(house.ours))}
        about = {kind for (kind,) in ask("SELECT DISTINCT subject_type FROM portal_event")}
        assert about <= {"employer", "worker", "mandate", "trainingrecord", "declaration", "careerdocument"}


# --- the gate, and the way in and out -------------------------------------------------------------


def test_what_crosses_tenants_is_not_limited(house: House) -> None:
    """A limited person must hear that another mandataire is in the way, too."""
    held = Mandate.objects.filter(pk__in=house.others["mandates_mandate"], state="active", is_exclusive=True)
    number = held.order_by("pk")[0].employer_number
    wanted = Period(service("FLA").opens_on, None)
    free = taken(number, service("FLA"), wanted)
    with tenancy.within([house.ours]):
        assert taken(number, service("FLA"), wanted) == free != []


def seen() -> set[int]:
    return {pk for (pk,) in ask("SELECT id FROM mandates_employer")}


def test_limits_only_narrow_and_come_back(operator: Person) -> None:
    with operator.scope():
        one, two, three = (factories.employer().pk for _ in range(3))
        with tenancy.within([one, two]):
            assert seen() == tenancy.limit() == {one, two}
            with tenancy.within([two, three]):
                assert seen() == tenancy.limit() == {two}
                with tenancy.within([one]):
                    assert seen() == tenancy.limit() == set()
                with tenancy.within(None):
                    assert seen() == {two}
            assert seen() == {one, two}
            with suppress(LookupError), tenancy.within([one]):
                raise LookupError
            assert seen() == tenancy.limit() == {one, two}
            with suppress(IntegrityError), tenancy.within([one]):
                attempt("UPDATE mandates_employer SET name = NULL")
            assert seen() == tenancy.limit() == {one, two}
        assert tenancy.limit() is None
        assert seen() == {one, two, three}


def test_a_scope_in_a_limit_stays_limited(operator: Person) -> None:
    with operator.scope():
        one, _two = factories.employer().pk, factories.employer().pk
        with tenancy.within([one]), tenancy.scope(operator.mandataire.pk):
            assert seen() == {one}


def test_nothing_of_a_limit_stays_on_the_connection(transactional_db: None, operator: Person) -> None:
    with operator.scope():
        one, two = factories.employer().pk, factories.employer().pk
    with operator.scope(), tenancy.within([one]):
        assert seen() == {one}
    with operator.scope():
        assert seen() == {one, two}


def test_what_runs_later_has_the_same_limit(transactional_db: None, operator: Person) -> None:
    """A response that is written while it is read comes after the request, and must not show more."""
    with operator.scope():
        one, two = factories.employer().pk, factories.employer().pk
        whole = tenancy.reopener()
        with tenancy.within([one]):
            again = tenancy.reopener()
    assert tenancy.current_or_none() is None
    with again():
        assert (seen(), tenancy.actor()) == ({one}, operator.user.pk)
    with whole():
        assert seen() == {one, two}
    with pytest.raises(tenancy.NoTenant):
        tenancy.reopener()
