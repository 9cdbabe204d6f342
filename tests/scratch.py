"""A database of its own for tests and measurements: made as the owner, used as the application's role."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.db import OperationalError, connections
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader
from django.test.utils import setup_databases, teardown_databases

KEEPS = "PORTAL_KEEPS_MIGRATED"
"""Set where the server is our own: a migrated database is kept there, and copied in place of migrating again."""

OURS = tuple(f"{name}." for name in ("portal", "mandates", "channels", "submissions"))
_KEPT = "migrated_"
_ONE_AT_A_TIME = 7_241_016
"""The advisory lock of whoever makes the kept database."""


@contextmanager
def scratch_database(name: str) -> Iterator[None]:
    """Makes an empty database `name` as the owner, and hands it over as the application's role; drops it in the end.

    So what follows runs under row-level security, with the privileges of the application and no other.
    """
    database = connections["default"].settings_dict
    application = {key: database[key] for key in ("USER", "PASSWORD")}
    owner = {key: settings.DATABASES["owner"][key] for key in ("USER", "PASSWORD")}
    database.update(owner)
    # Migrating a copy has nothing to apply, and so says that nothing is missing.
    copied = {"TEMPLATE": _migrated()} if os.environ.get(KEEPS) else {}
    made = _made(name, **copied)
    database.update(application)
    try:
        yield
    finally:
        connections["default"].close()
        database.update(owner)
        teardown_databases(made, verbosity=0)


def _made(name: str, **options: str) -> list[tuple[object, str, bool]]:
    database = connections["default"].settings_dict
    database["TEST"] = {**database.get("TEST", {}), "NAME": name, **options}
    made = setup_databases(verbosity=0, interactive=False, aliases=["default"], serialized_aliases=[])
    connections["default"].close()
    return made


def _migrated() -> str:
    """The name of an empty database with all of today's migrations, which nobody uses; made when there is none.

    It is made beside its name and renamed when it is whole, so that a kill leaves none by half. Those of other
    migrations are dropped then.
    """
    name = _KEPT + _fingerprint()
    with connections["default"]._nodb_cursor() as cursor:  # its connection, and so the lock, ends with it
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        kept = _kept(cursor)
        if name not in kept:
            teardown_databases(_made(f"{_KEPT}draft"), verbosity=0, keepdb=True)
            cursor.execute(f"ALTER DATABASE {_KEPT}draft RENAME TO {name}")
            for old in kept:
                with suppress(OperationalError):  # it is being copied: the next one drops it
                    cursor.execute(f"DROP DATABASE {old}")
    return name


def _kept(cursor: CursorWrapper) -> list[str]:
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_KEPT])
    return [name for (name,) in cursor.fetchall() if name != f"{_KEPT}draft"]


def _fingerprint() -> str:
    """Of all that makes the schema: migrations, ours and others', what they import of ours, and the roles."""
    migrations = MigrationLoader(None, ignore_no_migrations=True).disk_migrations.values()
    modules = {sys.modules[migration.__module__] for migration in migrations}
    modules |= {used for module in modules for used in _used_by(module)}
    found = hashlib.sha256(f"{settings.APPLICATION_ROLE} {settings.GATE_ROLE}".encode())
    for module in sorted(modules, key=lambda module: module.__name__):
        found.update(module.__name__.encode() + Path(str(module.__file__)).read_bytes())
    return found.hexdigest()[:16]


def _used_by(module: ModuleType) -> Iterator[ModuleType]:
    for value in vars(module).values():
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        if isinstance(name, str) and name.startswith(OURS) and name in sys.modules:
            yield sys.modules[name]
