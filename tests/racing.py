"""Several database connections at once: races, waiting for a lock, and being killed while waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, connections


def race[Result](*runners: Callable[[], Result]) -> list[Result | Exception]:
    """Runs each on a connection of its own, all at the same moment; gives back what each returned or raised."""
    start = Barrier(len(runners))

    def run(runner: Callable[[], Result]) -> Result | Exception:
        try:
            connection.ensure_connection()
            start.wait(timeout=10)
            return runner()
        except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(runners)) as pool:
        return list(pool.map(run, runners))


@contextmanager
def beside(runner: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Runs on a connection of its own beside the test, which goes on; waits for the end on the way out."""

    def run() -> Any:
        try:
            return runner()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


@contextmanager
def as_owner(mandataire: object = None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the role that owns the tables, which no grant holds back; in a tenant's scope if given.

    Forced row-level security holds the owner as well, so without a tenant it may see nothing.
    """
    database = connection.settings_dict
    owner = settings.DATABASES["owner"]
    with psycopg.connect(
        dbname=database["NAME"],
        host=database["HOST"],
        port=database["PORT"] or None,
        user=owner["USER"],
        password=owner["PASSWORD"],
    ) as made:
        if mandataire is not None:
            made.execute("SELECT set_config('app.mandataire', %s, false)", [str(mandataire)])
            made.commit()
        yield made


def waiting_for_a_lock() -> list[int]:
    """The processes of other connections of this database that wait for a lock."""
    with connection.cursor() as cursor:
        # A transaction that stays open would be told what it was told before.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def wait_until_one_waits(timeout: float = 10.0) -> int:
    """Returns the process of the connection that waits for a lock, as soon as there is one. Seconds."""
    deadline = time.monotonic() + timeout
    while not (waiting := waiting_for_a_lock()):
        assert time.monotonic() < deadline, "no connection came to wait for a lock"
        time.sleep(0.01)
    return waiting[0]


def kill(process: int) -> None:
    """Ends a connection from the outside, as the death of its worker would."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [process])
        assert cursor.fetchone() == (True,)
