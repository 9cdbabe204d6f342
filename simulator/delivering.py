"""Putting answers into the OUT directories: FO (or CO), FS, and GO last."""

import os
import sqlite3
import time
from pathlib import Path

from simulator.store import Store

KEPT_CONTENT = "update answers set state = 'delivered', content = null, signature = null where id = ?"


class Deliverer:
    """Delivers what is due. Delivering the same answer again after a crash writes the same bytes."""

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._store = store
        self._desk = root / "desk"
        self._desk.mkdir(exist_ok=True)

    def deliver_due(self) -> None:
        """Deliver every answer whose time has come, and the repeats of those that were removed."""
        for row in self._store.rows(
            "select * from answers where state = 'pending' and due_at <= ? order by due_at, id", time.time()
        ):
            self._deliver(row)
        for row in self._store.rows(
            "select * from answers where state = 'repeat' and not exists (select 1 from answers as first"
            " where first.stem = answers.stem and first.state = 'pending') order by id"
        ):
            if not any(path.exists() for path, _ in self._files(row)):
                self._deliver(row)

    def _files(self, row: sqlite3.Row) -> list[tuple[Path, bytes]]:
        """The triple in the order in which it must appear."""
        directory = self._root / "home" / row["username"] / row["directory"]
        main = "CO" if row["zipped"] else "FO"
        stem, part = row["stem"], row["part"]
        return [
            (directory / f"{main}.{stem}{part}", row["content"]),
            (directory / f"FS.{stem}{part}", row["signature"]),
            (directory / f"GO.{stem}{part[:2]}", b""),
        ]

    def _deliver(self, row: sqlite3.Row) -> None:
        for path, content in self._files(row):
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._desk / path.name
            fresh.write_bytes(content)
            os.replace(fresh, path)
        self._store.run(KEPT_CONTENT, row["id"])
