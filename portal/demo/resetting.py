"""Emptying what an earlier demonstration left, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.apps import apps
from django.db import connection, connections

from portal import tenancy
from portal.models import Mandataire
from submissions.conserving import everybody


class NotADemo(RuntimeError):
    """The database holds mandataires that are not the demonstration's: it is not ours to empty."""


def is_empty() -> bool:
    """Whether no mandataire was ever founded in this database."""
    return not everybody()


def reset(state: Path, numbers: set[str]) -> None:
    """Empties the database and the simulator's directory. `numbers` are the BCE numbers the demonstration founds.

    Raises NotADemo when any other mandataire is there.
    """
    for identity in everybody():
        with tenancy.scope(identity):
            if Mandataire.objects.get(pk=identity).number not in numbers:
                raise NotADemo(
                    "This database holds mandataires that are not the demonstration's. "
                    "Give the demonstration a database of its own with DATABASE_URL."
                )
    tables = [model._meta.db_table for model in apps.get_models() if not model._meta.proxy]
    kept = {"django_content_type", "auth_permission"}
    with connections["owner"].cursor() as cursor:
        quote = connection.ops.quote_name
        cursor.execute(f"TRUNCATE {', '.join(quote(table) for table in tables if table not in kept)} CASCADE")
    shutil.rmtree(state / "simulator", ignore_errors=True)
