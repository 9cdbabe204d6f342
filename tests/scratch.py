"""A database of its own for tests and measurements: made as the owner, used as the application's role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections
from django.test.utils import setup_databases, teardown_databases


@contextmanager
def scratch_database(name: str) -> Iterator[None]:
    """Makes an empty database `name` as the owner, and hands it over as the application's role; drops it in the end.

    So what follows runs under row-level security, with the privileges of the application and no other.
    """
    database = connections["default"].settings_dict
    application = {key: database[key] for key in ("USER", "PASSWORD")}
    owner = {key: settings.DATABASES["owner"][key] for key in ("USER", "PASSWORD")}
    database.update(owner)
    database["TEST"] = {**database.get("TEST", {}), "NAME": name}
    made = setup_databases(verbosity=0, interactive=False, aliases=["default"], serialized_aliases=[])
    connections["default"].close()
    database.update(application)
    try:
        yield
    finally:
        connections["default"].close()
        database.update(owner)
        teardown_databases(made, verbosity=0)
