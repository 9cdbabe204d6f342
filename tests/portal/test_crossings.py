"""The guarded doors through the walls: who may use them, and that they tell ids and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from channels.models import Channel, Drop, InboundFile
from mandates.models import Employer
from portal.models import Membership
from submissions.models import Batch
from tests import factories
from tests.people import Person
from tests.portal.everything import ask, tenant_tables

HARMLESS = {"uuid", "bigint", "integer", "boolean", "date", "timestamp with time zone"}
"""What a door may tell: ids, and when. No names, no numbers of people, no content."""

LATER = datetime(2100, 1, 1, tzinfo=UTC)
EARLIER = datetime(2000, 1, 1, tzinfo=UTC)


def doors() -> list[tuple[str, str, str]]:
    """Name, what it returns, and owner of every function that runs with its owner's rights."""
    return [
        (name, result, owner)
        for name, result, owner in ask(
            "SELECT proname, pg_get_function_result(oid), pg_get_userbyid(proowner) FROM pg_proc "
            "WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY proname"
        )
    ]


def test_a_door_tells_ids_and_moments_only(db: None) -> None:
    told = {name: result for name, result, _owner in doors() if result != "trigger"}
    assert {"portal_memberships_of", "portal_mandataires", "channels_due", "portal_identity_provider"} <= set(
        told
    )
    for name, result in told.items():
        columns = re.fullmatch(r"TABLE\((.*)\)", result)
        assert columns, name
        for column in columns[1].split(", "):
            assert column.split(" ", 1)[1] in HARMLESS, (name, column)


def test_a_door_has_one_owner_a_fixed_path_and_one_user(db: None) -> None:
    """Without the fixed path a caller could put a table of his own in front of ours."""
    application = connection.settings_dict["USER"]
    assert len({owner for _name, _result, owner in doors()}) == 1
    for (name, config, grantees) in ask(
        "SELECT p.proname, p.proconfig, array(SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' "
        "ELSE pg_get_userbyid(g.grantee)::text END FROM aclexplode(p.proacl) g) FROM pg_proc p "
        "WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace"
    ):  # fmt: skip
        assert config == ["search_path=pg_catalog, public, pg_temp"], name
        assert application in grantees, name
        assert "PUBLIC" not in grantees, name


def test_the_gate_role_reads_no_content(db: None) -> None:
    """Beside the chain of events, which it writes, it may read no text, no bytes and no documents."""
    ((_name, _result, gate), *_rest) = doors()
    readable = ask(
        "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped "
        "AND has_column_privilege(%s, c.oid, a.attnum, 'SELECT')",
        tenant_tables(),
        gate,
    )
    assert readable
    content = {
        (table, column)
        for table, column, kind in readable
        if kind not in HARMLESS and table not in ("portal_event", "portal_eventchain")
    }
    assert content <= {
        ("submissions_batch", "state"),
        ("channels_drop", "state"),
        ("channels_inboundfile", "state"),
        ("portal_mandataire", "number"),
        ("mandates_mandate", "employer_number"),
        ("mandates_mandate", "service"),
        ("mandates_mandate", "state"),
        ("portal_membership", "notices"),  # what a member wants to be told
        ("submissions_notice", "kind"),
        ("submissions_notice", "key"),  # which thing it was, never what was told of it
    }


def test_the_gate_role_writes_the_chain_and_nothing_else(db: None) -> None:
    ((_name, _result, gate), *_rest) = doors()
    written = ask(
        "SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND ("
        "has_column_privilege(%s, c.oid, a.attnum, 'UPDATE') OR has_column_privilege(%s, c.oid, a.attnum, 'INSERT') "
        "OR has_table_privilege(%s, c.oid, 'DELETE'))",
        gate, gate, gate,
    )  # fmt: skip
    assert {table for (table,) in written} == {"portal_event", "portal_eventchain"}


# --- each door ------------------------------------------------------------------------------------


def test_memberships_are_found_before_a_tenant_is_known(
    operator: Person, colleague: Person, stranger: Person
) -> None:
    for person in (operator, colleague, stranger):
        found = ask("SELECT * FROM portal_memberships_of(%s)", person.user.pk)
        assert found == [(person.mandataire.pk, False)]
    assert ask("SELECT * FROM portal_memberships_of(%s)", 0) == []


def test_memberships_come_in_the_order_in_which_they_were_given(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        Membership.objects.create(user=operator.user, is_blocked=True)
    found = ask("SELECT * FROM portal_memberships_of(%s)", operator.user.pk)
    assert found == [(operator.mandataire.pk, False), (stranger.mandataire.pk, True)]


def test_all_mandataires_are_told_by_id(operator: Person, stranger: Person) -> None:
    assert set(ask("SELECT * FROM portal_mandataires()")) == {
        (operator.mandataire.pk,),
        (stranger.mandataire.pk,),
    }


def test_a_provider_is_found_by_its_handle_before_a_tenant_is_known(
    operator: Person, stranger: Person
) -> None:
    with operator.scope():
        ours = factories.identity_provider()
    with stranger.scope():
        theirs = factories.identity_provider()
        closed = factories.identity_provider(is_enabled=False)
    for person, provider in ((operator, ours), (stranger, theirs)):
        found = ask("SELECT * FROM portal_identity_provider(%s)", provider.handle)
        assert found == [(person.mandataire.pk, provider.pk)]
    assert ask("SELECT * FROM portal_identity_provider(%s)", closed.handle) == []
    assert ask("SELECT * FROM portal_identity_provider(%s)", operator.mandataire.pk) == []


def test_the_open_providers_of_an_enterprise_are_told_by_id(operator: Person, stranger: Person) -> None:
    with operator.scope():
        first, second = factories.identity_provider(), factories.identity_provider()
        factories.identity_provider(is_enabled=False)
    with stranger.scope():
        factories.identity_provider()
    found = ask("SELECT * FROM portal_identity_providers_of(%s)", operator.mandataire.number)
    assert found == [(operator.mandataire.pk, first.pk), (operator.mandataire.pk, second.pk)]
    assert ask("SELECT * FROM portal_identity_providers_of(%s)", "0000000097") == []


def test_channels_are_due_when_their_moment_has_come(operator: Person, stranger: Person) -> None:
    now = timezone.now()
    soon, past = now + timedelta(hours=1), now - timedelta(seconds=1)
    with operator.scope():
        departs = factories.channel(has_keys=False, departs_at=past, collects_at=soon)
        factories.channel(has_keys=False, departs_at=soon, collects_at=soon, quality="employer")
        factories.channel(has_keys=False, departs_at=past, is_paused=True, quality="service_provider")
    with stranger.scope():
        never_asked = factories.channel(has_keys=False)
    assert set(ask("SELECT * FROM channels_due(%s)", now)) == {
        (operator.mandataire.pk, departs.pk, True, False),
        (stranger.mandataire.pk, never_asked.pk, True, True),
    }


def test_channels_are_watched_when_nobody_did_lately(operator: Person, stranger: Person) -> None:
    now = timezone.now()
    with operator.scope():
        paused = factories.channel(has_keys=False, watched_at=now - timedelta(minutes=2), is_paused=True)
        factories.channel(has_keys=False, watched_at=now, quality="employer")
    with stranger.scope():
        never = factories.channel(has_keys=False)
    assert ask("SELECT * FROM channels_to_watch(%s)", now - timedelta(minutes=1)) == [
        (operator.mandataire.pk, paused.pk),
        (stranger.mandataire.pk, never.pk),
    ]


def test_answers_that_nobody_applied_are_told_in_order(operator: Person, stranger: Person) -> None:
    with operator.scope():
        channel = factories.channel(has_keys=False)
        first, second = (factories.inbound(channel, content) for content in (b"1", b"2"))
        factories.inbound(channel, b"3", state=InboundFile.State.APPLIED)
    with stranger.scope():
        third = factories.inbound(factories.channel(has_keys=False), b"4")
    told = ask("SELECT * FROM channels_unapplied()")
    assert told == [
        (operator.mandataire.pk, first.pk),
        (operator.mandataire.pk, second.pk),
        (stranger.mandataire.pk, third.pk),
    ]


@pytest.mark.parametrize(
    ("state", "beat_at", "ended_at", "is_due"),
    [
        ("started", LATER, None, False),  # somebody is at it
        ("go_intended", LATER, None, False),
        ("started", EARLIER, None, True),  # its worker died
        ("go_intended", EARLIER, None, True),
        ("unknown", EARLIER, None, True),
        ("failed", EARLIER, LATER, False),  # not yet again
        ("failed", EARLIER, EARLIER, True),
    ],
)
def test_a_set_is_dropped_unless_somebody_is_at_it(
    operator: Person, state: str, beat_at: datetime, ended_at: datetime | None, is_due: bool
) -> None:
    with operator.scope():
        batch = factories.sealed_batch()
        due = [(operator.mandataire.pk, batch.pk)]
        now = timezone.now()
        assert ask("SELECT * FROM submissions_to_drop(%s, %s)", now, now) == due
        Drop.objects.create(
            envelope=batch.envelope,
            state=state,
            started_at=EARLIER,
            heartbeat_at=beat_at,
            go_intended_at=EARLIER if state == "go_intended" else None,
            ended_at=ended_at,
        )
    assert ask("SELECT * FROM submissions_to_drop(%s, %s)", now, now) == (due if is_due else [])


def test_a_set_of_a_paused_channel_or_in_another_state_is_not_dropped(operator: Person) -> None:
    now = timezone.now()
    with operator.scope():
        paused = factories.sealed_batch()
        Channel.objects.update(is_paused=True)
        channel = factories.channel(quality="employer")
        other = factories.sealed_batch(through=channel)
        other.move(Batch.State.PARKED, parked_reason="somebody has to look")
    assert ask("SELECT * FROM submissions_to_drop(%s, %s)", now, now) == []
    with operator.scope():
        Channel.objects.filter(pk=paused.channel_id).update(is_paused=False)
    assert ask("SELECT * FROM submissions_to_drop(%s, %s)", now, now) == [(operator.mandataire.pk, paused.pk)]


def test_a_door_opens_no_wider_inside_of_a_scope(operator: Person, stranger: Person) -> None:
    """Whoever calls one while acting for a tenant learns ids of others, and cannot read what they name."""
    with stranger.scope():
        theirs = factories.sealed_batch()
        assert Employer.objects.exists()
    now = timezone.now()
    with operator.scope():
        assert ask("SELECT * FROM submissions_to_drop(%s, %s)", now, now) == [
            (stranger.mandataire.pk, theirs.pk)
        ]
        assert not Batch.objects.filter(pk=theirs.pk).exists()
        assert not Employer.objects.exists()
