"""`manage.py describe FILE`: what any file of the batch channel is, in columns or JSON. Needs no database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from submissions.describing import describe


class Command(BaseCommand):
    """Describes an FI, FS, GO, an answer (FO or CO), or a name alone; exit code 1 when something is wrong with it."""

    help = "Say what a file of the batch channel is: its name, forms, references, results and every anomaly."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and how to show it."""
        parser.add_argument("file", help="a file, or the name of one")
        parser.add_argument("--json", action="store_true", help="everything, for a program")
        parser.add_argument("--reveal", action="store_true", help="show numbers of people in full")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the description, in English like its columns and keys, whatever the language of the pages."""
        path = Path(options["file"])
        content = path.read_bytes() if path.is_file() else None
        with translation.override("en"):
            description = describe(path.name, content, reveal=options["reveal"])
            self.stdout.write(description.as_json() if options["json"] else description.as_columns())
        if description.problems:
            sys.exit(1)
