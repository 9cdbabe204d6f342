"""The three roles every database of the portal needs, laid on an embedded or on a given server.

- ``portal_owner`` owns the schema and migrates; it may create databases, which the tests do.
- ``portal_app`` is what the portal runs as: it owns nothing, is no superuser, cannot bypass row-level
  security.
- ``portal_gate`` cannot log in: it owns the functions that look across tenants. The owner may hand
  functions to it, but from PostgreSQL 16 on does not inherit what its policies show. Before 16 a member
  inherits always: a policy for the gate must ask for ``current_user = 'portal_gate'`` as well.
"""

import json
import secrets
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import errors, sql

from portal.servers.errors import ServersError
from portal.servers.places import Places

OWNER, APP, GATE = "portal_owner", "portal_app", "portal_gate"
_OPTIONS = {
    OWNER: "LOGIN CREATEDB NOCREATEROLE",
    APP: "LOGIN NOCREATEDB NOCREATEROLE",
    GATE: "NOLOGIN NOCREATEDB NOCREATEROLE",
}
_SET_OPTION_SINCE = 160_000
_TRIES = 5

Admin = psycopg.Connection[Any]


def url_of(role: str, password: str, host: str, database: str) -> str:
    """``postgres://role:password@host:port/database``."""
    return f"postgres://{quote(role, safe='')}:{quote(password, safe='')}@{host}/{quote(database, safe='')}"


def with_role(url: str, role: str, password: str | None) -> str:
    """The same server, database and parameters for another role."""
    parts = urlsplit(url)
    userinfo = quote(role, safe="") + (f":{quote(password, safe='')}" if password else "")
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in {"user", "password"}]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{userinfo}@{host}", query=urlencode(query)))


def lay_embedded(admin: Admin, database: str, passwords: Mapping[str, str]) -> None:
    """Roles and database on a server which is ours alone; repeated at every start."""
    for role in (OWNER, APP, GATE):
        if not _exists(admin, role):
            _create(admin, role, passwords.get(role))
        elif role in passwords:
            _set_password(admin, role, passwords[role])
    _lend_gate(admin, OWNER)
    if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER))
        )


def on_given_server(url: str, places: Places) -> dict[str, str]:
    """The URLs of the application role and of the owner on the server of a given ``DATABASE_URL``.

    The role of `url` makes the roles that are missing, if it may, and uses the database as it is. A
    superuser makes ``portal_owner`` too; another role that may create roles acts as the owner itself. One
    that may not is taken for the application role: the owner stays unknown, and stderr says so.

    Passwords made here are kept in ``var/secrets``, per server. A role that exists already keeps its own:
    it is used if it can log in with what is kept, or without a password. Raises `ServersError`.
    """
    try:
        admin = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise ServersError(f"The server of DATABASE_URL: {error}") from None
    with admin:
        found = admin.execute(
            "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert found is not None  # noqa: S101 - a session has a user
        name, is_superuser, may_create_roles = found
        if not (is_superuser or may_create_roles):
            sys.stderr.write(
                f"portal: {name}, the role of DATABASE_URL, may not create roles. Migrations and tests need "
                "DATABASE_OWNER_URL, the role that owns the schema: see docs/operations.md.\n"
            )
            return {"DATABASE_URL": url}
        for left in reversed(range(_TRIES)):
            try:
                return _lay(admin, url, places, acting_owner=None if is_superuser else name)
            except (errors.UniqueViolation, errors.DuplicateObject, errors.InternalError_):
                if not left:  # otherwise: another program lays the same roles at this moment
                    raise
    raise AssertionError


def _lay(admin: Admin, url: str, places: Places, *, acting_owner: str | None) -> dict[str, str]:
    info = admin.info
    path = places.own("secrets") / f"server-{info.host.strip('/').replace('/', '-')}-{info.port}.json"
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    urls = {}
    for role in (APP,) if acting_owner else (OWNER, APP):
        _refuse_power(admin, role)
        if not _exists(admin, role):
            kept[role] = secrets.token_urlsafe(24)
            places.write_secret(path, json.dumps(kept, indent=1))
            _create(admin, role, kept[role])
        urls[role] = _usable(url, role, kept.get(role))
    _refuse_power(admin, GATE)
    if not _exists(admin, GATE):
        _create(admin, GATE, None)
    owner = acting_owner or OWNER
    _lend_gate(admin, owner)
    if acting_owner is None:
        _grant(admin, info.dbname)
    may_lay_schema = admin.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [owner]).fetchone()
    if may_lay_schema != (True,):
        raise ServersError(f"{owner} may not create tables in {info.dbname}: make it the database's owner.")
    return {"DATABASE_URL": urls[APP], "DATABASE_OWNER_URL": url if acting_owner else urls[OWNER]}


def _exists(admin: Admin, role: str) -> bool:
    return admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def _create(admin: Admin, role: str, password: str | None) -> None:
    admin.execute(sql.SQL("CREATE ROLE {} " + _OPTIONS[role]).format(sql.Identifier(role)))
    if password:
        _set_password(admin, role, password)


def _set_password(admin: Admin, role: str, password: str) -> None:
    """Send the verifier only: the password itself would stand in the server's log of statements."""
    verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))


def _refuse_power(admin: Admin, role: str) -> None:
    """Row-level security means nothing to such a role, whoever made it."""
    if admin.execute(
        "SELECT 1 FROM pg_roles WHERE rolname = %s AND (rolsuper OR rolbypassrls)", [role]
    ).fetchone():
        raise ServersError(f"The role {role} of this server is a superuser or bypasses row-level security.")


def _usable(url: str, role: str, password: str | None) -> str:
    reason = None
    for attempt in dict.fromkeys((password, None)):
        candidate = with_role(url, role, attempt)
        try:
            psycopg.connect(candidate, connect_timeout=10).close()
        except psycopg.OperationalError as error:
            reason = reason or error
        else:
            return candidate
    raise ServersError(
        f"The role {role} exists on this server, with a password that is not kept in var/secrets ({reason}). "
        "Set DATABASE_URL (application role) and DATABASE_OWNER_URL (owner) yourself."
    )


def _lend_gate(admin: Admin, owner: str) -> None:
    """Let the owner make functions in the name of the gate."""
    lent = "SELECT pg_has_role(%s, %s, %s)"
    knows_set = admin.info.server_version >= _SET_OPTION_SINCE
    if admin.execute(lent, [owner, GATE, "SET" if knows_set else "MEMBER"]).fetchone() != (True,):
        admin.execute(
            sql.SQL(
                "GRANT {} TO {} WITH " + ("INHERIT FALSE, SET TRUE" if knows_set else "ADMIN OPTION")
            ).format(sql.Identifier(GATE), sql.Identifier(owner))
        )


def _grant(admin: Admin, database: str) -> None:
    """What the owner of a database would have: `database` itself keeps the owner it has."""
    owner = sql.Identifier(OWNER)
    rights = (
        "SELECT has_database_privilege(%s, %s, 'CREATE') AND has_schema_privilege(%s, 'public', 'CREATE')"
    )
    if admin.execute(rights, [OWNER, database, OWNER]).fetchone() != (True,):
        admin.execute(
            sql.SQL("GRANT ALL ON DATABASE {} TO {} WITH GRANT OPTION").format(
                sql.Identifier(database), owner
            )
        )
        admin.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {} WITH GRANT OPTION").format(owner))
