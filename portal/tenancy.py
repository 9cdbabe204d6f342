"""The current tenant: set for one transaction at a time, enforced by row-level security in PostgreSQL.

The setting `app.mandataire` is always local to a transaction, never to a session: a pooled connection that kept it
would show one tenant's rows to the next.

Inside a scope, `within` narrows what is seen and written to some employers: the setting `app.employers`, which the
walls of `walls.KeepWithin` read. It only ever narrows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction

_mandataire: ContextVar[UUID | None] = ContextVar("mandataire", default=None)
_actor: ContextVar[int | None] = ContextVar("actor", default=None)
_employers: ContextVar[frozenset[int] | None] = ContextVar("employers", default=None)

_NOBODY = "0"
"""Stands for a limit to no employer at all: the empty setting means that there is no limit."""


class NoTenant(RuntimeError):
    """Code that needs a tenant ran outside of every scope: a programming error, never a user's."""


def _tell_postgres(mandataire: UUID | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.mandataire', %s, true)", [str(mandataire or "")])


@contextmanager
def scope(mandataire: UUID, *, actor: int | None = None) -> Iterator[None]:
    """Opens a transaction (or a savepoint) that sees and writes the rows of one mandataire only.

    `actor` is the id of the user in whose name Events are written; without it the enclosing scope's actor stays, and
    none at all means the portal itself. The previous tenant comes back on exit: after an exception by the roll-back
    of the savepoint, which takes the setting along.
    """
    with transaction.atomic():
        previous = _mandataire.get()
        _tell_postgres(mandataire)
        tenant_token = _mandataire.set(mandataire)
        actor_token = _actor.set(actor if actor is not None else _actor.get())
        try:
            yield
        finally:
            _actor.reset(actor_token)
            _mandataire.reset(tenant_token)
        if not connection.needs_rollback:
            _tell_postgres(previous)


def _tell_limit(employers: frozenset[int] | None) -> None:
    listed = "" if employers is None else ",".join(map(str, sorted(employers))) or _NOBODY
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.employers', %s, true)", [listed])


@contextmanager
def within(employers: Collection[int] | None) -> Iterator[None]:
    """Narrows the open scope to the rows of these employers (ids); None leaves it as it is.

    A limit in a limit is what both allow. What mixes employers, such as a set or an answer, does not exist inside. The
    previous limit comes back on exit: after an exception by the roll-back of the savepoint.
    """
    previous = _employers.get()
    if employers is None:
        yield
        return
    narrowed = frozenset(employers) if previous is None else previous & frozenset(employers)
    with transaction.atomic():
        _tell_limit(narrowed)
        token = _employers.set(narrowed)
        try:
            yield
        finally:
            _employers.reset(token)
        if not connection.needs_rollback:
            _tell_limit(previous)


def limit() -> frozenset[int] | None:
    """The ids of the employers to which the open scope is limited, or None without a limit."""
    return _employers.get()


def reopener() -> Callable[[], AbstractContextManager[None]]:
    """What opens the scope of this moment again, limit and actor included.

    For what runs after the request is over: a response that is written while it is read, a call after the commit.
    """
    mandataire, who, employers = current(), actor(), limit()

    @contextmanager
    def again() -> Iterator[None]:
        with scope(mandataire, actor=who), within(employers):
            yield

    return again


def current() -> UUID:
    """The id of the mandataire whose scope is open. Raises NoTenant outside of every scope."""
    mandataire = _mandataire.get()
    if mandataire is None:
        raise NoTenant("No tenant: open tenancy.scope(mandataire) first.")
    return mandataire


def current_or_none() -> UUID | None:
    """The id of the mandataire whose scope is open, or None."""
    return _mandataire.get()


def actor() -> int | None:
    """The id of the user who acts, or None when the portal acts by itself."""
    return _actor.get()
