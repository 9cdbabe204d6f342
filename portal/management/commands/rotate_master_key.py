"""`manage.py rotate_master_key`: puts every sealed key under the present master key; `--check` only counts."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal import keys, rewrapping
from submissions.conserving import everybody


class Command(BaseCommand):
    """Rewraps what former master keys wrap. Safe to kill and to repeat; afterwards the former keys are not needed."""

    help = "Put every sealed key under the present master key, so that former ones can be forgotten."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to count only."""
        parser.add_argument(
            "--check", action="store_true", help="count what is left; exit code 1 when anything is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints one line per mandataire, then what is left, by column."""
        if not options["check"]:
            for mandataire in everybody():
                count = rewrapping.rewrap_mandataire(mandataire)
                self.stdout.write(f"{mandataire}: {count} values put under the present key")
            self.stdout.write(f"shared: {rewrapping.rewrap_shared()} values put under the present key")
        left = rewrapping.remaining(everybody())
        for found in left:
            self.stdout.write(f"{found.place}: {found.count} values still under the key {found.key_id.hex()}")
        if left:
            sys.exit(1)
        known, present = len(keys.provider().older_ids), keys.provider().key_id.hex()
        self.stdout.write(
            f"Nothing is left under the {known} former keys that are given; the present one is {present}."
        )
