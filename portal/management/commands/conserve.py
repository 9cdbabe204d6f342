"""`manage.py conserve`: the conservation law over everything; exit code 1 when it is broken."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from submissions.conserving import Account, account, everybody


class Command(BaseCommand):
    """Counts every declaration of every mandataire, and checks that each is where it says it is."""

    help = "Check that nothing is lost and nothing is counted twice, over all mandataires."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints one line in all, and one line for each break."""
        total = sum((account(mandataire) for mandataire in everybody()), Account(Counter()))
        for sentence in total.breaks:
            self.stderr.write(sentence)
        self.stdout.write(str(total))
        if total.breaks:
            sys.exit(1)
