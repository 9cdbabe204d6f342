"""The trigger that chains Events at commit, owned by the gate role: the application itself may only add events."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from portal.walls import hand_to_gate, open_to_gate

# The text under the digest is `portal.audit.CONTENT`, written out: a migration stays what it was.
_FUNCTION = """
CREATE FUNCTION portal_chain_event() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $chain$
DECLARE
    chain portal_eventchain;
    content text;
BEGIN
    INSERT INTO portal_eventchain (mandataire_id, length, head) VALUES (NEW.mandataire_id, 0, ''::bytea)
    ON CONFLICT DO NOTHING;
    SELECT * INTO chain FROM portal_eventchain c WHERE c.mandataire_id = NEW.mandataire_id FOR UPDATE;
    content := jsonb_build_array(NEW.mandataire_id, to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
        NEW.actor_id, NEW.actor_name, NEW.verb, NEW.subject_type, NEW.subject_id, NEW.reason, NEW.data)::text;
    UPDATE portal_eventchain SET length = chain.length + 1, head = sha256(chain.head || convert_to(content, 'UTF8'))
    WHERE id = chain.id;
    UPDATE portal_event SET position = chain.length + 1, previous = chain.head,
        digest = sha256(chain.head || convert_to(content, 'UTF8'))
    WHERE id = NEW.id;
    RETURN NULL;
END $chain$
"""


def chain_events(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Creates the trigger. It is deferred: writers of one mandataire wait for each other only while committing."""
    schema_editor.execute(_FUNCTION)
    open_to_gate(schema_editor, "portal_event", "SELECT, UPDATE (position, previous, digest)")
    open_to_gate(schema_editor, "portal_eventchain", "SELECT, INSERT, UPDATE")
    # Before the function changes hands: from PostgreSQL 16 on, its former owner may not call it any more.
    schema_editor.execute(
        "CREATE CONSTRAINT TRIGGER chain AFTER INSERT ON portal_event DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION portal_chain_event()"
    )
    hand_to_gate(schema_editor, "portal_chain_event()")


def unchain_events(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Removes the trigger."""
    schema_editor.execute("DROP FUNCTION portal_chain_event() CASCADE")
