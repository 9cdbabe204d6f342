"""`manage.py rebuild --check`: derives the state of everything again; exit code 1 when it differs."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from submissions import rebuilding
from submissions.conserving import everybody


class Command(BaseCommand):
    """Reads every stored file and every Event of every mandataire again, and tells each difference. Writes nothing."""

    help = "Derive the state of everything from the raw files and the events again, and compare."

    def add_arguments(self, parser: CommandParser) -> None:
        """Only the comparison exists: what differs is for a person to judge."""
        parser.add_argument("--check", action="store_true", required=True, help="compare, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line for each difference, and their number in the end."""
        count = 0
        for mandataire in everybody():
            for difference in rebuilding.check(mandataire):
                self.stderr.write(f"{mandataire}: {difference}")
                count += 1
        self.stdout.write(f"{count} differences")
        if count:
            sys.exit(1)
