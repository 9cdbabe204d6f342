"""The traps every test runs under, and the people every view test walks in as.

Beside what stands here: warnings are errors (`pyproject.toml`), tests run in random order (pytest-randomly),
and all of them run as the application's database role, under row-level security.
"""

from __future__ import annotations

import gc
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.core.cache import caches
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models.expressions import OrderBy
from django.db.models.functions import Random
from django.db.models.sql.compiler import SQLCompiler
from django.test import override_settings
from django.utils import translation
from django.utils.translation import trans_real

from portal import annexes, tenancy
from tests.hashing import Argon2InAnInstant
from tests.people import colleague, operator, stranger
from tests.racing import as_owner
from tests.scratch import scratch_database

__all__ = ["colleague", "operator", "stranger"]

LOOPBACK = "127.0.0.1,::1,localhost"

NEED_NOT_BE_DEFINED = frozenset[str]()
"""Template variables that may be missing outside of `{% if %}`, each with a reason. There is none."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Lets sockets reach this machine only: no test may talk to the partner, or depend on the network."""
    config.option.allow_hosts = LOOPBACK
    config.option.allow_unix_socket = True


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not walk through it ever again."""
    gc.collect()
    gc.freeze()


# --- the database ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any, request: pytest.FixtureRequest) -> Iterator[None]:
    """One database for all tests of this process; tests reach it through the blocker only."""
    worker = getattr(request.config, "workerinput", {}).get("workerid")
    name = f"test_{connections['default'].settings_dict['NAME']}" + (f"_{worker}" if worker else "")
    database = ExitStack()
    with django_db_blocker.unblock():
        database.enter_context(scratch_database(name))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DatabaseOperations, "execute_sql_flush", _empty_as_owner)
        yield
    with django_db_blocker.unblock():
        database.close()


def _empty_as_owner(operations: DatabaseOperations, sql_list: list[str]) -> None:
    """Empties the tables after a test that committed, in place of the TRUNCATE of `sql_list`.

    The application may not delete everywhere; the owner may, in the scope of each tenant in turn. Truncating
    costs ten times as much, for new files of every table and index.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT mandataire_id FROM portal_mandataires()")
        tenants = cursor.fetchall()
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
            "AND pg_relation_size(oid) > 0 AND relname <> ALL(%s)",
            [["django_migrations", "django_content_type", "auth_permission"]],
        )
        tables = [table for (table,) in cursor.fetchall()]
    with as_owner() as owner:
        owner.execute("SET CONSTRAINTS ALL DEFERRED")
        for tenant in [*tenants, ("",)]:
            owner.execute("SELECT set_config('app.mandataire', %s, true)", [str(*tenant)])
            for table in tables:
                owner.execute(f"DELETE FROM {table}")


@pytest.fixture(autouse=True, scope="session")
def unordered_rows_come_in_any_order() -> Iterator[None]:
    """Shuffles the rows of every query that asks for no order.

    PostgreSQL gives small tables back in the order of insertion, until one day it does not. Left alone are
    queries in which one more expression to order by would change the meaning: distinct, grouped, combined and
    inner ones.
    """
    in_order = SQLCompiler.get_order_by

    def get_order_by(self: SQLCompiler) -> Any:
        asked = in_order(self)
        query = self.query
        if asked or query.distinct or query.group_by is not None or query.combinator or query.subquery:
            return asked
        if not self.select or any(annotation.contains_aggregate for annotation in query.annotations.values()):
            return asked
        any_order = OrderBy(Random())
        sql, params = self.compile(any_order)
        return [(any_order, (sql, params, False))]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SQLCompiler, "get_order_by", get_order_by)
        yield


# --- the passwords --------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def passwords_are_hashed_in_an_instant() -> Iterator[None]:
    """With the portal's own algorithm, so that all who look at a hash find what they know."""
    hasher = f"{Argon2InAnInstant.__module__}.{Argon2InAnInstant.__qualname__}"
    with override_settings(PASSWORD_HASHERS=[hasher, *settings.PASSWORD_HASHERS[1:]]):
        yield


# --- the tenant -----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_tenant_from_before() -> None:
    """A tenant left open by an earlier test would hide a missing scope."""
    assert tenancy.current_or_none() is None


@pytest.fixture(autouse=True, scope="session")
def tasks_start_without_a_tenant() -> Iterator[None]:
    """Runs each task as a worker does, in no scope at all, even when a test runs it from inside of one."""
    left_open: list[Any] = []

    def forget(**_: object) -> None:
        before = tenancy.current_or_none()
        left_open.append((before, tenancy._mandataire.set(None), tenancy._actor.set(None)))
        if before:
            tenancy._tell_postgres(None)

    def remember(**_: object) -> None:
        before, mandataire, actor = left_open.pop()
        tenancy._actor.reset(actor)
        tenancy._mandataire.reset(mandataire)
        if before:
            tenancy._tell_postgres(before)

    task_prerun.connect(forget)
    task_postrun.connect(remember)
    yield
    task_prerun.disconnect(forget)
    task_postrun.disconnect(remember)


@pytest.fixture(autouse=True)
def no_annex_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process knows of the official texts outlives a test: each starts with none."""
    monkeypatch.setattr(annexes, "_kept", annexes.Kept(float("inf"), (0, 0), {}))


# --- what is counted -------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nobody_has_tried_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts are counted in the cache, which the tests share: each test counts under a prefix of its own."""
    monkeypatch.setattr(caches["default"], "key_prefix", secrets.token_hex(8))


# --- what the fast tests leave out -----------------------------------------------------------------

REAL_SERVERS = {("channels", "server"), ("simulator", "scene")}
"""Fixtures that start an SFTP server, by the folder of the tests."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever speaks to a real SFTP server is marked as such, wherever it stands."""
    for item in items:
        if REAL_SERVERS & {(item.path.parent.name, name) for name in getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.servers)


# --- the words -------------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def sentences_are_the_ones_in_the_code() -> Iterator[None]:
    """Nobody's language is set in most tests: they read English, whether or not a catalogue is compiled."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(settings, "LANGUAGE_CODE", "en")
        trans_real._default = None
        yield


@pytest.fixture(autouse=True)
def nobody_leaves_his_language_behind() -> Iterator[None]:
    """A request activates the language of its user for the whole thread."""
    yield
    translation.deactivate()


# --- the pages ------------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def static_files_have_a_directory() -> None:
    """WhiteNoise warns of a missing one, and warnings are errors; nothing is collected for tests."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


class Undefined(str):
    """What a template shows for a variable that nobody gave it: a fault. `{% if %}` may still ask for it."""

    __slots__ = ()

    def __contains__(self, item: object) -> bool:
        return item == "%s"

    def __mod__(self, name: object) -> str:
        if str(name) in NEED_NOT_BE_DEFINED:
            return ""
        raise AssertionError(f"a template uses “{name}”, which is not defined")


@pytest.fixture(autouse=True, scope="session")
def undefined_template_variables_fail() -> Iterator[None]:
    """Sets the trap before the first template is loaded."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(settings.TEMPLATES[0]["OPTIONS"], "string_if_invalid", Undefined("%s"))
        yield
