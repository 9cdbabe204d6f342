"""`migrate`, as the role that owns the schema: the application's own role may not change it."""

from __future__ import annotations

from django.core.management.base import CommandParser
from django.core.management.commands.migrate import Command as Migrate


class Command(Migrate):
    """Django's command with another default database."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Makes `owner` the database to migrate."""
        super().add_arguments(parser)
        parser.set_defaults(database="owner")
