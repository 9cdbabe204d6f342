"""The ground a measurement stands on: generated example clients in a scratch database, and its statistics."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import django
from django.conf import settings
from django.db import connections


def start() -> None:
    """Sets Django up, with FLA reopened: a measurement must not depend on today's date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ["PORTAL_FLA_IS_REOPENED"] = "true"
    django.setup()


def fill(records: int) -> list[tuple[UUID, int]]:
    """Loads `records` ready declarations of generated clients, in a process of its own so that its memory is not ours.

    Returns mandataire and channel of each tenant.
    """
    connections["default"].close()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(_fill, [records])


def _fill(records: int) -> list[tuple[UUID, int]]:
    from channels.models import Channel
    from portal import examples, tenancy
    from portal.demo import loading

    tenants = []
    with tempfile.TemporaryDirectory() as folder:
        examples.write(Path(folder), seed=1, records=records, employers=max(2, min(500, records // 50)))
        for path in sorted(Path(folder).glob("*/mandataire.json")):
            mandataire = loading.load(path.parent, "a password for nobody")
            sender = path.read_text().split('"sender": "')[1][:6]
            loading.connect(mandataire, sender, port=1, host_key="ssh-ed25519 none")
            with tenancy.scope(mandataire):
                tenants.append((mandataire, Channel.objects.get().pk))
    connections["default"].close()
    return tenants


@contextmanager
def as_owner() -> Iterator[None]:
    """Speaks to the database as the role that owns the tables."""
    database = connections["default"].settings_dict
    application = {key: database[key] for key in ("USER", "PASSWORD")}
    connections["default"].close()
    database.update({key: settings.DATABASES["owner"][key] for key in ("USER", "PASSWORD")})
    try:
        yield
    finally:
        connections["default"].close()
        database.update(application)


def analyse() -> None:
    """Lets PostgreSQL count the rows, as autovacuum would have done by the time of a real run."""
    with as_owner(), connections["default"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def in_a_worker[T](work: Callable[..., T], *arguments: object) -> T:
    """What `work` returns of a process that does only this, in the same database."""
    there = connections["default"].settings_dict["NAME"]
    with multiprocessing.get_context("spawn").Pool(1, _start_at, [there]) as pool:
        return pool.apply(work, arguments)


def _start_at(database: str) -> None:
    start()
    connections["default"].settings_dict["NAME"] = database


def peak() -> float:
    """The most memory that this process ever had, in megabytes."""
    # What getrusage tells begins with the peak of the process that started this one.
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024
