"""The trigger that leaves no mandataire without a manager, owned by the gate role so that it sees every member."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from portal.walls import hand_to_gate, open_to_gate

# The table is named with its schema: a temporary table of the same name would come first in every search path.
# The lock makes transactions that take managers away wait for each other at their commit: the later one then counts
# what the earlier one left. A mandataire whose last member goes as well is being closed, and needs nobody.
_FUNCTION = """
CREATE FUNCTION portal_keep_a_manager() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $keep$
DECLARE
    tenant uuid := COALESCE(NEW.mandataire_id, OLD.mandataire_id);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('portal_keep_a_manager ' || tenant, 0));
    IF EXISTS (SELECT FROM public.portal_membership m WHERE m.mandataire_id = tenant) AND NOT EXISTS (
        SELECT FROM public.portal_membership m WHERE m.mandataire_id = tenant AND m.is_manager AND NOT m.is_blocked
    ) THEN
        RAISE EXCEPTION 'no manager would be left'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'never_without_manager';
    END IF;
    RETURN NULL;
END $keep$
"""


def keep_a_manager(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Creates the trigger. It is deferred: one manager may be put in the place of another in one transaction."""
    schema_editor.execute(_FUNCTION)
    open_to_gate(schema_editor, "portal_membership", "SELECT (mandataire_id, is_manager, is_blocked)")
    schema_editor.execute(
        "CREATE CONSTRAINT TRIGGER keep_a_manager AFTER INSERT OR UPDATE OR DELETE ON portal_membership "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portal_keep_a_manager()"
    )
    # Last: from PostgreSQL 16 on, its former owner may not call it, nor make a trigger of it, any more.
    hand_to_gate(schema_editor, "portal_keep_a_manager()")


def let_managers_go(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Removes the trigger."""
    schema_editor.execute("DROP FUNCTION portal_keep_a_manager() CASCADE")
