"""PostgreSQL and Valkey without set-up: what `provided` does before Django reads its settings.

Three variables say where the servers are. What is set is used; what is not set is provided:

- ``DATABASE_URL``: the application role, which owns nothing and cannot pass row-level security;
- ``DATABASE_OWNER_URL``: the role that owns the schema and migrates;
- ``REDIS_URL``: broker and cache.

The embedded servers are for demo, development and tests. Their state is in ``var/`` (``PORTAL_VAR``
moves it). They start with the first program that needs them and stop with the last, also when that one
was killed: see `portal.servers.locks`. Nothing in this package may import Django.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from portal.servers.errors import ServersError
from portal.servers.places import Places
from portal.servers.roles import on_given_server
from portal.servers.using import Use

__all__ = ["VARIABLES", "ServersError", "provided", "settled"]

VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


@contextmanager
def provided(environ: MutableMapping[str, str] = os.environ) -> Iterator[dict[str, str]]:
    """Give `environ` the three variables for as long as the context lasts, and yield them.

    Raises `ServersError`, see `settled`.
    """
    urls, uses = settled(environ)
    before = {name: environ.get(name) for name in VARIABLES}
    environ.update(urls)
    try:
        yield urls
    finally:
        for name, value in before.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value
        for use in reversed(uses):
            use.leave()


def settled(environ: Mapping[str, str]) -> tuple[dict[str, str], list[Use]]:
    """The three variables, and the embedded servers used for those that `environ` lacks.

    A variable that is set to the empty string counts as not set. ``DATABASE_OWNER_URL`` stays absent,
    with a message on stderr, when the role of a given ``DATABASE_URL`` may not create roles.

    Raises `ServersError` when a server cannot be started or reached, or when only the owner's URL is set.
    """
    urls = {name: environ[name] for name in VARIABLES if environ.get(name)}
    places = Places.of(environ)
    wanted = []
    if "DATABASE_URL" not in urls:
        if "DATABASE_OWNER_URL" in urls:
            raise ServersError("DATABASE_OWNER_URL is set but DATABASE_URL is not: set both or neither.")
        wanted.append("postgres")
    elif "DATABASE_OWNER_URL" not in urls:
        urls |= on_given_server(urls["DATABASE_URL"], places)
    if "REDIS_URL" not in urls:
        wanted.append("valkey")
    uses: list[Use] = []
    try:
        for name in wanted:
            uses.append(Use(name, places))
            urls |= uses[-1].variables
    except BaseException:
        for use in reversed(uses):
            use.leave()
        raise
    return urls, uses
