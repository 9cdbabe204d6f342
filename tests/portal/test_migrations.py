"""What the migrations of existing installations do to the rows they find."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from portal import tenancy
from tests import factories
from tests.people import Person

pytestmark = pytest.mark.django_db

moved = import_module("portal.migrations.0003_grants_from_profiles")


class Editor:
    """As far as a data migration knows a schema editor."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection


@pytest.fixture
def old_column(operator: Person, stranger: Person) -> list[UUID]:
    """Members as they were before: a profile each, no grants, no managers. Undone with the test's transaction."""
    profiles = {
        operator.mandataire: ["encode", "extended", "extended"],
        stranger.mandataire: ["administrative", "encode"],
        factories.mandataire(): [],
    }
    return [mandataire.pk for mandataire in profiles if set_back(mandataire.pk, profiles[mandataire])]


def set_back(mandataire: UUID, profiles: list[str]) -> bool:
    """Gives the mandataire members without grants, in a table of the session that hides the real one."""
    with tenancy.scope(mandataire), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS portal_membership "
            "(id serial, mandataire_id uuid, profile text, is_manager boolean DEFAULT false)"
        )
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS portal_grant "
            "(mandataire_id uuid, member_id bigint, application text, profile text)"
        )
        for table in ("portal_membership", "portal_grant"):
            cursor.execute(
                f"SELECT count(*) FROM pg_policies WHERE tablename = '{table}' AND schemaname LIKE 'pg_temp%'"
            )
            if cursor.fetchone() == (0,):
                for statement in ("ENABLE", "FORCE"):
                    cursor.execute(f"ALTER TABLE pg_temp.{table} {statement} ROW LEVEL SECURITY")
                cursor.execute(
                    f"CREATE POLICY tenant ON pg_temp.{table} USING "
                    "(mandataire_id = nullif(current_setting('app.mandataire', true), '')::uuid)"
                )
        for profile in profiles:
            cursor.execute(
                "INSERT INTO portal_membership (mandataire_id, profile) VALUES (%s, %s)",
                [mandataire, profile],
            )
    return True


def rows(mandataire: UUID) -> list[tuple[Any, ...]]:
    with tenancy.scope(mandataire), connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.profile, m.is_manager, array_agg(g.application || ':' || g.profile ORDER BY g.application) "
            "FROM portal_membership m JOIN portal_grant g ON g.member_id = m.id GROUP BY m.id, m.profile, m.is_manager "
            "ORDER BY m.id"
        )
        return cursor.fetchall()


def test_every_member_keeps_what_he_could_do_and_somebody_decides(old_column: list[UUID]) -> None:
    moved.give_grants(None, Editor(connection))
    first, second, empty = old_column
    all_of_it = ["channels:operate", "declarations:extended", "mandates:manage", "users:manage"]
    assert rows(first) == [
        ("encode", False, ["channels:see", "declarations:encode", "mandates:see"]),
        ("extended", True, all_of_it),
        ("extended", False, all_of_it),
    ]
    assert rows(second) == [
        ("administrative", True, ["channels:see", "declarations:administrative", "mandates:see"]),
        ("encode", False, ["channels:see", "declarations:encode", "mandates:see"]),
    ]
    assert rows(empty) == []


def test_the_way_back_gives_the_profiles_again(old_column: list[UUID]) -> None:
    moved.give_grants(None, Editor(connection))
    first = old_column[0]
    with tenancy.scope(first), connection.cursor() as cursor:
        cursor.execute("UPDATE portal_membership SET profile = 'encode'")
    moved.restore_profiles(None, Editor(connection))
    with tenancy.scope(first), connection.cursor() as cursor:
        cursor.execute("SELECT profile, is_manager FROM portal_membership ORDER BY id")
        assert cursor.fetchall() == [("encode", False), ("extended", False), ("extended", False)]
        cursor.execute("SELECT count(*) FROM portal_grant")
        assert cursor.fetchone() == (0,)


def test_counts_that_do_not_add_up_stop_the_migration() -> None:
    with pytest.raises(RuntimeError, match="nothing was changed"):
        moved.expect(False, "a tenant")
