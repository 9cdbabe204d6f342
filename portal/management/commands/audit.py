"""`manage.py audit verify`: proves that no Event was changed, removed or put in between."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal import audit
from submissions.conserving import everybody


class Command(BaseCommand):
    """Recomputes the chain of events of every mandataire; exit code 1 at the first break of any."""

    help = "Verify the chains of events."

    def add_arguments(self, parser: CommandParser) -> None:
        """The one action there is."""
        parser.add_argument("action", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints one line per mandataire."""
        is_whole = True
        for mandataire in everybody():
            count, broken = audit.verify(mandataire)
            is_whole &= broken is None
            self.stdout.write(
                f"{mandataire}: {count} events hold" + (f", then {broken.reason}" if broken else "")
            )
        if not is_whole:
            sys.exit(1)
