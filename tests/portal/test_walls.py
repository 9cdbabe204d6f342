"""The walls between tenants, as PostgreSQL keeps them: every table is asked for, none is listed by hand."""

from __future__ import annotations

import re

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import ForeignKey

from portal import tenancy
from portal.models import Mandataire, TenantModel
from portal.walls import TENANT
from tests import factories
from tests.people import Person
from tests.portal.everything import ask, make_one_of_everything, references, tenant_tables
from tests.racing import as_owner

MAY_SPAN_TENANTS = {
    "one_tenant_per_quality": "an enterprise has one place in the portal for each of its qualities",
    "one_channel_per_sender": "a sender number belongs to one organisation",
    "one_provider_per_handle": "the address of a sign-in names a provider before its mandataire is known",
    "one_use_of_a_name": "social security refuses a name that any user of the sender number used before",
    "one_exclusive_mandate_at_a_time": "an employer has one FLA mandataire in the whole country",
}
"""Uniques and exclusions that look at all tenants, and why."""

NEED_NOT_LEAD_WITH_THE_TENANT = {
    *MAY_SPAN_TENANTS,
    "portal_mandataire_number_like",  # Django's twin of the unique number, for LIKE
    "portal_membership_user_id",  # who signs in is looked up before the tenant is known
}
"""Indexes, beside primary keys, that do not start with the tenant. Django adds a hash to some of these names."""

WITHOUT_A_TENANT = {
    "portal_user": "a person may work for several mandataires",
    "mfa_authenticator": "second factors belong to a person",
    "usersessions_usersession": "a person has the session",
    "submissions_publishedschema": "everybody reads the same official schemas",
    **dict.fromkeys(("portal_publishedannex", "portal_annextext"), "everybody reads the same official texts"),
    "account_emailaddress": "allauth's, not used",
    "account_emailconfirmation": "allauth's, not used",
    **dict.fromkeys(("auth_group", "auth_permission", "auth_group_permissions"), "Django's, not used"),
    **dict.fromkeys(("portal_user_groups", "portal_user_user_permissions"), "Django's, not used"),
    **dict.fromkeys(("django_content_type", "django_migrations", "django_session"), "Django's"),
}
"""Tables that no mandataire owns, and why."""

REFUSAL = re.compile("row-level security|permission denied|must be owner")

ONLY_GROW = (
    "portal_event",
    "channels_reservedname",
    "channels_envelope",
    "channels_envelopepart",
    "portal_publishedannex",
    "portal_annextext",
)


@pytest.fixture
def two_tenants(operator: Person, stranger: Person) -> tuple[Person, Person]:
    """Both with a row in every table."""
    for person in (operator, stranger):
        with person.scope():
            make_one_of_everything()
            with connection.cursor() as cursor:  # so that chained events are there as well
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return operator, stranger


def attempt(statement: str, *parameters: object) -> int:
    """Tries a statement in a savepoint; returns how many rows it touched."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def stripped(name: str) -> str:
    """The name of an index without the hash that Django puts at its end."""
    return re.sub(r"_[0-9a-f]{8}(?=$|_)(?:_fk(?:_\w+)?|_uniq)?", "", name)


# --- what the catalogue says ----------------------------------------------------------------------


def test_every_model_of_a_tenant_has_a_table_here(db: None) -> None:
    models = {m._meta.db_table for m in apps.get_models() if issubclass(m, TenantModel)}
    assert models | {"portal_mandataire"} == set(tenant_tables())
    assert len(models) > 12


def test_every_table_belongs_to_a_tenant_or_says_why_not(db: None) -> None:
    tables = ask(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    assert {table for (table,) in tables} - set(tenant_tables()) == set(WITHOUT_A_TENANT)


@pytest.mark.parametrize("table", ["account_emailaddress", "account_emailconfirmation"])
def test_what_is_not_used_cannot_be_filled(db: None, table: str) -> None:
    for statement in (f"INSERT INTO {table} DEFAULT VALUES", f"UPDATE {table} SET id = id"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            attempt(statement)
    assert attempt(f"DELETE FROM {table}") == 0


def test_row_level_security_is_enabled_and_forced_on_every_table(db: None) -> None:
    rows = ask(
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = ANY(%s)",
        tenant_tables(),
    )
    assert len(rows) == len(tenant_tables())
    assert [row for row in rows if row[1:] != (True, True)] == []


def test_every_table_has_the_one_policy_on_the_tenant(db: None) -> None:
    policies = ask(
        "SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies "
        "WHERE tablename = ANY(%s)",
        tenant_tables(),
    )
    walls = {p[0]: p for p in policies if p[1] == "tenant"}
    assert set(walls) == set(tenant_tables())
    for table, (_table, _name, permissive, roles, command, using, check) in walls.items():
        column = "id" if table == "portal_mandataire" else "mandataire_id"
        assert (permissive, roles, command) == ("PERMISSIVE", ["public"], "ALL"), table
        assert using == check, table
        assert normalised(using) == normalised(f"({column} = {TENANT})"), table


def normalised(expression: str) -> str:
    """A policy without what PostgreSQL adds when it writes one down: casts of literals, names, brackets, spaces."""
    expression = re.sub(r'::text|AS "?nullif"?|[()\s]', "", expression, flags=re.IGNORECASE)
    return expression.lower()


def test_only_the_gate_role_has_another_policy_that_lets_in(db: None) -> None:
    ((gate,),) = ask("SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc WHERE prosecdef AND "
                     "pronamespace = 'public'::regnamespace")  # fmt: skip
    others = ask(
        "SELECT policyname, roles::text[] FROM pg_policies WHERE policyname <> 'tenant' "
        "AND permissive = 'PERMISSIVE'"
    )
    assert others
    assert {(name, *roles) for name, roles in others} == {("gate", gate)}
    assert ask("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s", gate) == [
        (False, False, False)
    ]


def test_every_unique_includes_the_tenant(db: None) -> None:
    rows = ask(
        "SELECT i.indexrelid::regclass::text, array(SELECT a.attname::text FROM pg_attribute a WHERE "
        "a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)) FROM pg_index i "
        "WHERE i.indrelid::regclass::text = ANY(%s) AND (i.indisunique OR i.indisexclusion) AND NOT i.indisprimary",
        tenant_tables(),
    )
    spanning = {stripped(name) for name, columns in rows if "mandataire_id" not in columns}
    assert spanning == set(MAY_SPAN_TENANTS)


def test_every_index_leads_with_the_tenant(db: None) -> None:
    rows = ask(
        "SELECT i.indexrelid::regclass::text, a.attname FROM pg_index i LEFT JOIN pg_attribute a "
        "ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE i.indrelid::regclass::text = ANY(%s) AND NOT i.indisprimary",
        tenant_tables(),
    )
    assert len(rows) > 20
    leading_otherwise = {stripped(name) for name, first in rows if first != "mandataire_id"}
    assert leading_otherwise <= NEED_NOT_LEAD_WITH_THE_TENANT


def test_every_reference_between_tenant_tables_carries_the_tenant(db: None) -> None:
    between = [r for r in references() if r.target in tenant_tables() and r.target != "portal_mandataire"]
    assert len(between) > 15
    for reference in between:
        pairs = list(zip(reference.columns, reference.target_columns, strict=True))
        assert ("mandataire_id", "mandataire_id") in pairs, reference
        assert "id" in reference.target_columns, reference


def test_every_foreign_key_of_a_model_exists_in_the_database(db: None) -> None:
    """TenantKey leaves Django's constraint out: a wall that was not raised would leave none at all."""
    kept = {(r.table, column, r.target) for r in references() for column in r.columns}
    for model in apps.get_models():
        if issubclass(model, TenantModel):
            for field in model._meta.local_fields:
                if isinstance(field, ForeignKey):
                    target = field.related_model._meta.db_table
                    assert (model._meta.db_table, field.column, target) in kept, field


# --- what the application can do ------------------------------------------------------------------


def test_without_a_tenant_every_table_is_empty(two_tenants: tuple[Person, Person]) -> None:
    for table in tenant_tables():
        assert ask(f"SELECT count(*) FROM {table}") == [(0,)], table


def test_a_tenant_sees_its_own_rows_and_no_others(two_tenants: tuple[Person, Person]) -> None:
    for person in two_tenants:
        with person.scope():
            for table in tenant_tables():
                column = "id" if table == "portal_mandataire" else "mandataire_id"
                seen = ask(f"SELECT DISTINCT {column} FROM {table}")
                assert seen == [(person.mandataire.pk,)], f"{table}: make one in tests/portal/everything.py"


def test_a_tenant_that_does_not_exist_sees_nothing(two_tenants: tuple[Person, Person]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.mandataire', gen_random_uuid()::text, true)")
        for table in tenant_tables():
            assert ask(f"SELECT count(*) FROM {table}") == [(0,)], table


def test_a_row_cannot_be_given_to_another_tenant(two_tenants: tuple[Person, Person]) -> None:
    operator, stranger = two_tenants
    with operator.scope():
        for table in tenant_tables():
            column = "id" if table == "portal_mandataire" else "mandataire_id"
            with pytest.raises(ProgrammingError, match=REFUSAL):
                attempt(f"UPDATE {table} SET {column} = %s", stranger.mandataire.pk)


def test_a_row_cannot_be_made_for_another_tenant(two_tenants: tuple[Person, Person]) -> None:
    """A copy of an own row, but for the tenant and the primary key."""
    operator, stranger = two_tenants
    with operator.scope():
        for table in tenant_tables():
            columns = [name for (name,) in ask(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND NOT attisdropped AND attname <> 'id'", table)]  # fmt: skip
            if table == "portal_mandataire":
                values, columns = ["gen_random_uuid()", *columns], ["id", *columns]
            else:
                values = [f"'{stranger.mandataire.pk}'" if c == "mandataire_id" else c for c in columns]
            with pytest.raises(ProgrammingError, match=REFUSAL):
                attempt(
                    f"INSERT INTO {table} ({', '.join(columns)}) "
                    f"SELECT {', '.join(values)} FROM {table} LIMIT 1"
                )


def test_rows_of_another_tenant_cannot_be_changed_or_deleted(two_tenants: tuple[Person, Person]) -> None:
    """Naming their ids does not help: no row is found."""
    operator, stranger = two_tenants
    for table in tenant_tables():
        with stranger.scope():
            identities = [identity for (identity,) in ask(f"SELECT id FROM {table}")]
        with operator.scope():
            for verb, statement in (
                ("UPDATE", f"UPDATE {table} SET id = id"),
                ("DELETE", f"DELETE FROM {table}"),
            ):
                if ask("SELECT has_table_privilege(%s, %s)", table, verb) == [(True,)]:
                    assert attempt(f"{statement} WHERE id = ANY(%s)", identities) == 0, table


def test_the_database_refuses_a_reference_to_another_tenant(
    transactional_db: None, operator: Person, stranger: Person
) -> None:
    """Even when the owner of the tables writes it, whom no policy holds: the key itself carries the tenant."""
    theirs: dict[str, int] = {}
    with stranger.scope():
        make_one_of_everything()
    with operator.scope():
        make_one_of_everything()
    with stranger.scope():
        for table in tenant_tables():
            ((theirs[table],),) = ask(f"SELECT id FROM {table} ORDER BY id LIMIT 1")
    tried = 0
    with as_owner(operator.mandataire.pk) as owner:
        for reference in references():
            if reference.target not in theirs or reference.target == "portal_mandataire":
                continue
            column = reference.of_the_row
            # A manager works at no client: his row would be refused for that.
            at_all = "AND NOT is_manager" if reference.table == "portal_membership" else ""
            with owner.transaction(force_rollback=True):
                changed = owner.execute(
                    f"UPDATE {reference.table} SET {column} = %s "
                    # A row that has such a reference: another may be forbidden to have one at all.
                    f"WHERE id = (SELECT id FROM {reference.table} WHERE mandataire_id = %s {at_all} "
                    f"ORDER BY {column} IS NULL, id LIMIT 1)",
                    [theirs[reference.target], operator.mandataire.pk],
                )
                assert changed.rowcount == 1
                with pytest.raises(psycopg.errors.ForeignKeyViolation):
                    owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
            tried += 1
    assert tried > 15


@pytest.mark.parametrize("table", ONLY_GROW)
def test_what_was_sealed_or_proven_cannot_be_changed_by_the_application(
    two_tenants: tuple[Person, Person], table: str
) -> None:
    operator, _stranger = two_tenants
    with operator.scope():
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                attempt(statement)


@pytest.mark.parametrize("table", ["channels_drop", "channels_inboundfile"])
def test_what_was_tried_and_received_cannot_be_deleted(
    two_tenants: tuple[Person, Person], table: str
) -> None:
    operator, _stranger = two_tenants
    with operator.scope(), pytest.raises(ProgrammingError, match="permission denied"):
        attempt(f"DELETE FROM {table}")


def test_the_length_of_the_chain_is_not_for_the_application_to_write(
    two_tenants: tuple[Person, Person],
) -> None:
    with two_tenants[0].scope():
        for statement in (
            "UPDATE portal_eventchain SET length = 0",
            "DELETE FROM portal_eventchain",
            "INSERT INTO portal_eventchain (mandataire_id, length, head) "
            "SELECT mandataire_id, 0, '' FROM portal_eventchain",
        ):
            with pytest.raises(ProgrammingError, match="permission denied"):
                attempt(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE {owner}",
        "SET ROLE {gate}",
        "SET SESSION AUTHORIZATION {owner}",
        "ALTER TABLE portal_event NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE portal_event DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY hole ON portal_event USING (true)",
        "DROP POLICY tenant ON portal_event",
        "ALTER TABLE portal_event DISABLE TRIGGER chain",
        "SET session_replication_role = replica",
        "DROP FUNCTION portal_memberships_of(bigint)",
        "CREATE TABLE public.hole (id int)",
    ],
)
def test_the_application_cannot_take_the_walls_down(db: None, statement: str) -> None:
    ((owner,),) = ask("SELECT tableowner FROM pg_tables WHERE tablename = 'portal_event'")
    ((gate,),) = ask("SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc WHERE prosecdef AND "
                     "pronamespace = 'public'::regnamespace")  # fmt: skip
    with pytest.raises(DatabaseError, match=REFUSAL):
        attempt(statement.format(owner=owner, gate=gate))


def test_nothing_is_granted_to_everybody(db: None) -> None:
    rows = ask(
        "SELECT c.relname, g.privilege_type FROM pg_class c, aclexplode(c.relacl) g WHERE g.grantee = 0 "
        "AND c.relnamespace = 'public'::regnamespace"
    )
    assert rows == []


def test_row_security_cannot_be_switched_off_to_see_more(two_tenants: tuple[Person, Person]) -> None:
    """PostgreSQL refuses the query then, instead of answering it without the policies."""
    with two_tenants[0].scope(), transaction.atomic():
        ask("SELECT set_config('row_security', 'off', true)")
        with pytest.raises(DatabaseError, match="affected by row-level security"), transaction.atomic():
            ask("SELECT count(*) FROM portal_event")
        ask("SELECT set_config('row_security', 'on', true)")


def test_two_tenants_may_have_the_same_client_and_the_same_references(
    operator: Person, stranger: Person
) -> None:
    """Uniques carry the tenant: what another one has does not show in a refusal."""
    for person in (operator, stranger):
        with person.scope():
            same = factories.employer(number="0897223670")
            somebody = factories.worker(same, niss="85073003328")
            factories.record(somebody, client_reference="2025/1")
    with operator.scope(), pytest.raises(IntegrityError), transaction.atomic():
        factories.employer(number="0897223670")


def test_a_mandataire_sees_only_itself(operator: Person, stranger: Person) -> None:
    with operator.scope():
        assert Mandataire.objects.get() == operator.mandataire
        assert tenancy.current() == operator.mandataire.pk
