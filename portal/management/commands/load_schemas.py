"""`manage.py load_schemas DIR`: keeps the official schemas by which relayed files are judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from submissions import judging
from submissions.wire.published import UnusableSchema

MOST_BYTES = 20_000_000
"""Larger than any schema the partner ever published."""


class Command(BaseCommand):
    """Reads every `*.xsd` of a directory; `<root>_<yyyyq>.xsd` names the root element and the quarter of a version."""

    help = "Load the official schemas (XSD) of a directory; files of other services are then judged by them."

    def add_arguments(self, parser: CommandParser) -> None:
        """The directory."""
        parser.add_argument(
            "directory", type=Path, help="where the published schemas lie, as they were downloaded"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Loads all of them, or says which one stands in the way and loads none."""
        directory: Path = options["directory"]
        paths = sorted(directory.glob("*.xsd"))
        if not paths:
            raise CommandError(f"{directory} holds no schema (*.xsd).")
        if too_large := [path.name for path in paths if path.stat().st_size > MOST_BYTES]:
            raise CommandError(
                f"{too_large[0]} is larger than {MOST_BYTES} bytes: this is no official schema."
            )
        try:
            loaded = judging.load({path.name: path.read_bytes() for path in paths})
        except UnusableSchema as error:
            raise CommandError(f"Nothing was loaded. {error}") from None
        for name in loaded.new:
            self.stdout.write(f"{name}: loaded")
        for name in loaded.changed:
            self.stdout.write(f"{name}: replaced, it had another content")
        self.stdout.write(
            f"{len(loaded.new)} new, {len(loaded.changed)} replaced, {len(loaded.same)} known already."
        )
