"""A second worker: a thread with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection


def in_thread(act: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Starts `act` beside the test. The list holds its result once the thread has ended."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(act())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results
