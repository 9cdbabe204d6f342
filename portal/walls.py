"""Migration operations that build the walls between tenants, and the few guarded doors through them.

`RaiseWall` puts forced row-level security on a table, makes its key composite with the tenant, and turns every
reference to another tenant table into a composite foreign key: PostgreSQL checks uniques and foreign keys without
looking at row-level security, so a plain key could point across tenants.

`KeepWithin` is the wall inside the house: a scope that is limited to some employers (`tenancy.within`) sees and writes
their rows only, and nothing that mixes employers.

`Crossing` makes one SECURITY DEFINER function for a question that spans tenants ("what is due?"). It is owned by the
gate role, which cannot log in and may read only the columns the question needs; it returns ids and dates, no content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps.registry import Apps
from django.conf import settings
from django.db import connections
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

TENANT = "(SELECT nullif(current_setting('app.mandataire', true), '')::uuid)"

# What a limited scope may do with the rows of a table, beside `of_employer` and `through`.
NOTHING, ANYTHING = "false", "true"


def _tenant_id_of(table: str) -> str:
    """The composite key of `table` that references point at, made when the first reference needs it."""
    name = f"{table}_tenant_id"
    return (
        f"DO $key$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{name}') THEN "
        f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE (mandataire_id, id); END IF; END $key$"
    )


def _reference(table: str, column: str, target: str) -> list[str]:
    """A foreign key that carries the tenant."""
    return [
        _tenant_id_of(target),
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_tenant FOREIGN KEY (mandataire_id, {column}) "
        f"REFERENCES {target} (mandataire_id, id) DEFERRABLE INITIALLY DEFERRED",
    ]


def application_role() -> str:
    """The role the application logs in with, quoted. It owns nothing and cannot bypass row-level security."""
    return connections["default"].ops.quote_name(settings.APPLICATION_ROLE)


def gate_role() -> str:
    """The role, without log-in, that owns the functions which cross tenants, quoted."""
    return connections["default"].ops.quote_name(settings.GATE_ROLE)


def let_the_application_in(using: str) -> None:
    """Lets the application role use what the migrating role is about to create; walls narrow it table by table."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"GRANT USAGE ON SCHEMA public TO {application_role()}, {gate_role()};"
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public "
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application_role()}"
        )


class RaiseWall(Operation):
    """Forces row-level security on the table of `model`, and its references, to the rows of the current tenant.

    `grants` is what the application may do: leave out UPDATE and DELETE for a table that only grows.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, model: str, grants: Sequence[str] = ("SELECT", "INSERT", "UPDATE", "DELETE")) -> None:
        self.model = model
        self.grants = tuple(grants)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """How Django writes this operation down."""
        return type(self).__qualname__, [self.model, self.grants], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Walls do not change models."""

    def describe(self) -> str:
        """One line for `migrate --plan`."""
        return f"Raise the tenant wall around {self.model}"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Builds the wall."""
        apps: Apps = to_state.apps
        model: Any = apps.get_model(app_label, self.model)
        table = model._meta.db_table
        column = "id" if table == "portal_mandataire" else "mandataire_id"
        statements = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} USING ({column} = {TENANT}) WITH CHECK ({column} = {TENANT})",
            f"REVOKE ALL ON {table} FROM {application_role()}",
            f"GRANT {', '.join(self.grants)} ON {table} TO {application_role()}",
        ]
        for field in model._meta.local_fields:
            target = field.related_model
            if target is not None and any(f.name == "mandataire" for f in target._meta.local_fields):
                statements += _reference(table, field.column, target._meta.db_table)
        for statement in statements:
            schema_editor.execute(statement)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Nothing to take down: the wall goes with its table, and a table that stays must keep it."""


class TieKey(Operation):
    """Makes the composite foreign key of a `TenantKey` that was added to a table whose wall stands already."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model: str, field: str) -> None:
        self.model, self.field = model, field

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """How Django writes this operation down."""
        return type(self).__qualname__, [self.model, self.field], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The field is in the state already."""

    def describe(self) -> str:
        """One line for `migrate --plan`."""
        return f"Tie {self.model}.{self.field} to its tenant"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Makes the key."""
        model: Any = to_state.apps.get_model(app_label, self.model)
        field = model._meta.get_field(self.field)
        for statement in _reference(model._meta.db_table, field.column, field.related_model._meta.db_table):
            schema_editor.execute(statement)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Nothing to undo: the key goes with its column."""


def of_employer(column: str) -> str:
    """The condition that a row belongs to an employer of the limited scope; `column` holds the employer's id.

    The list is read once per query, not once per row.
    """
    listed = "string_to_array(nullif(current_setting('app.employers', true), ''), ',')::bigint[]"
    return f"{column} = ANY ((SELECT {listed})::bigint[])"


def through(table: str, column: str, row: str) -> str:
    """The condition that `row`.`column` points at a row of `table` that the limited scope may read.

    The question is asked with the rights of whoever asks, so the walls of `table` answer it.
    """
    return (
        f"EXISTS (SELECT FROM {table} seen WHERE seen.mandataire_id = {row}.mandataire_id "
        f"AND seen.id = {row}.{column})"
    )


def limited(condition: str) -> str:
    """`condition`, asked in a scope that is limited to some employers only.

    Whether there is a limit is asked once per query, so that a scope without one pays nothing per row.
    """
    return f"(SELECT nullif(current_setting('app.employers', true), '') IS NULL) OR {condition}"


class KeepWithin(Operation):
    """Keeps a scope that is limited to some employers to what `reads` and `writes` say of the rows of `model`.

    Conditions are made by `of_employer` and `through`, or are NOTHING or ANYTHING; without `writes`, what may be read
    may be written. A row may refer only to rows that the limited scope may read, except to those of its own table,
    which PostgreSQL cannot ask in a policy of that table: such a reference needs a key that keeps it in place.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, model: str, reads: str, writes: str = "", inserts: str = "") -> None:
        self.model, self.reads = model, reads
        self.writes, self.inserts = writes, inserts

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """How Django writes this operation down."""
        keywords = {"writes": self.writes, "inserts": self.inserts}
        return type(self).__qualname__, [self.model, self.reads], {k: v for k, v in keywords.items() if v}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Walls do not change models."""

    def describe(self) -> str:
        """One line for `migrate --plan`."""
        return f"Keep limited scopes to their employers in {self.model}"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Builds the wall: one restrictive policy per command, which narrows the one on the tenant.

        It holds the application, which alone knows limits: the gate role answers what crosses tenants and chains the
        events as ever, and may not read the tables that a condition asks.
        """
        model = self._model(app_label, to_state)
        table = model._meta.db_table
        reads, changes = limited(self.reads), limited(self.writes or self.reads)
        sound = limited(" AND ".join([self.writes or self.reads, *_references(model)]))
        inserts = limited(self.inserts) if self.inserts else sound
        for command, clauses in {
            "SELECT": f"USING ({reads})",
            "INSERT": f"WITH CHECK ({inserts})",
            "UPDATE": f"USING ({changes}) WITH CHECK ({sound})",
            "DELETE": f"USING ({changes})",
        }.items():
            name = f"limited_{command.lower()}"
            schema_editor.execute(
                f"CREATE POLICY {name} ON {table} AS RESTRICTIVE FOR {command} TO {application_role()} {clauses}"
            )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Takes the wall down."""
        table = self._model(app_label, from_state)._meta.db_table
        for command in ("select", "insert", "update", "delete"):
            schema_editor.execute(f"DROP POLICY limited_{command} ON {table}")

    def _model(self, app_label: str, state: ProjectState) -> Any:
        """The model, which may be one of another app: `portal.Event`."""
        label = self.model if "." in self.model else f"{app_label}.{self.model}"
        return state.apps.get_model(label)


def _references(model: Any) -> list[str]:
    """The conditions that each reference of a row to another tenant table leads to a row that may be read."""
    table, found = model._meta.db_table, []
    for field in model._meta.local_fields:
        target = field.related_model
        if (
            target is None
            or target is model
            or not any(f.name == "mandataire" for f in target._meta.local_fields)
        ):
            continue
        there = through(target._meta.db_table, field.column, table)
        found.append(f"({table}.{field.column} IS NULL OR {there})" if field.null else there)
    return found


class Crossing(Operation):
    """Makes the function `name(arguments) RETURNS returns`, which answers one question across all tenants.

    `reads` names, per table, the columns the gate role may see for it.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(
        self, name: str, *, arguments: str = "", returns: str, reads: Mapping[str, Sequence[str]], body: str
    ) -> None:
        self.name, self.arguments, self.returns = name, arguments, returns
        self.reads, self.body = reads, body

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """How Django writes this operation down."""
        keywords = {key: getattr(self, key) for key in ("arguments", "returns", "reads", "body")}
        return type(self).__qualname__, [self.name], keywords

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Functions do not change models."""

    def describe(self) -> str:
        """One line for `migrate --plan`."""
        return f"Open the guarded door {self.name}"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Creates the function, with the least the gate role needs for it."""
        for table, columns in self.reads.items():
            open_to_gate(schema_editor, table, f"SELECT ({', '.join(columns)})")
        schema_editor.execute(
            f"CREATE FUNCTION {self.name}({self.arguments}) RETURNS {self.returns} LANGUAGE sql STABLE "
            f"SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $crossing$ {self.body} $crossing$"
        )
        hand_to_gate(schema_editor, f"{self.name}({self.arguments})")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Removes the function."""
        schema_editor.execute(f"DROP FUNCTION {self.name}")


def open_to_gate(schema_editor: BaseDatabaseSchemaEditor, table: str, privilege: str) -> None:
    """Lets the gate role do `privilege` on `table` over all tenants; the wall itself stays up for everybody else.

    The policy asks for the role itself: up to PostgreSQL 15 members of a role inherit its policies, as the owner would.
    """
    itself = f"current_user = '{settings.GATE_ROLE}'"
    schema_editor.execute(
        f"DO $gate$ BEGIN IF NOT EXISTS (SELECT FROM pg_policies WHERE tablename = '{table}' AND policyname = 'gate') "
        f"THEN CREATE POLICY gate ON {table} TO {gate_role()} USING ({itself}) WITH CHECK ({itself}); "
        f"END IF; END $gate$"
    )
    schema_editor.execute(f"GRANT {privilege} ON {table} TO {gate_role()}")


def hand_to_gate(schema_editor: BaseDatabaseSchemaEditor, signature: str) -> None:
    """Makes the gate role the owner of a function that only the application may call."""
    schema_editor.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    schema_editor.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {application_role()}")
    # PostgreSQL asks the new owner to hold CREATE on the schema, for the moment of the hand-over only.
    schema_editor.execute(f"GRANT CREATE ON SCHEMA public TO {gate_role()}")
    schema_editor.execute(f"ALTER FUNCTION {signature} OWNER TO {gate_role()}")
    schema_editor.execute(f"REVOKE CREATE ON SCHEMA public FROM {gate_role()}")


def tenants(schema_editor: BaseDatabaseSchemaEditor) -> list[str]:
    """The ids of all mandataires, for a data migration that does each in its own scope.

    Row-level security holds the migrating role too. From PostgreSQL 16 on, a member of the gate role has its rights
    only while it acts as it, so whoever may not call the function acts as the gate role for this one question.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT has_function_privilege('portal_mandataires()', 'EXECUTE')")
        (may_ask,) = cursor.fetchone()
        if not may_ask:
            cursor.execute(f"SET LOCAL ROLE {gate_role()}")
        cursor.execute("SELECT mandataire_id::text FROM portal_mandataires()")
        found = [identity for (identity,) in cursor.fetchall()]
        if not may_ask:
            cursor.execute("RESET ROLE")
    return found
