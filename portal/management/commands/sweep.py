"""`manage.py sweep`: does what is due, here and now, without broker or worker."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from submissions.sweeping import DOING, WORKS, due

log = logging.getLogger(__name__)
_FAR = timedelta(days=3650)


class Command(BaseCommand):
    """One pass over what is due: departures, drops, collections, answers, alarms, in this order."""

    help = "Depart, drop, collect, apply and watch what is due, without waiting for the worker."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and whether to wait for its time."""
        parser.add_argument("--only", choices=WORKS, help="one kind of work instead of all")
        parser.add_argument("--now", action="store_true", help="also what is not due yet")

    def handle(self, *args: Any, **options: Any) -> None:
        """Asks again before each kind of work: a departure makes sets to drop, a collection files to apply."""
        failed = 0
        moment = timezone.now() + (_FAR if options["now"] else timedelta())
        for work in [options["only"]] if options["only"] else WORKS:
            for task in [task for task in due(moment) if task.work == work]:
                try:
                    done = DOING[task.work](task.mandataire, task.identity)
                except Exception:
                    # One piece of work must not stop the others; the exit code tells that it did not end well.
                    log.exception("%s %s failed", task.work, task.identity)
                    failed += 1
                else:
                    self.stdout.write(f"{task.work} {task.identity}: {done}")
        if failed:
            raise CommandError(f"{failed} of what was due failed: see above.")
