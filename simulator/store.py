"""What the simulator must not forget: sets, names used, answers on their way, tickets and training accounts.

One SQLite file under the simulator's directory; a restart goes on where the last run stopped.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TABLES = """
create table if not exists arrivals (
    number integer primary key autoincrement,
    username text, directory text, name text, bytes integer, arrived_at text
);
create index if not exists arrivals_of on arrivals (username, directory, name);
create table if not exists sets (
    id integer primary key, username text, sender text, directory text, marker text, key text, archive text,
    state text, taken_at text, ticket text, result integer, preset text
);
create index if not exists sets_state on sets (state);
create table if not exists used_names (sender text, key text, primary key (sender, key)) without rowid;
create table if not exists counters (name text primary key, value integer) without rowid;
create table if not exists answers (
    id integer primary key, set_id integer, kind text, username text, directory text, stem text, part text,
    zipped integer, content blob, signature blob, due_at real, state text
);
create index if not exists answers_state on answers (state);
create table if not exists trainings (
    environment text, ticket text, employer text, niss text, starts_on text, ends_on text, title text,
    status text, charged integer, replaced_by text, is_active integer, primary key (environment, ticket)
) without rowid;
create index if not exists trainings_of on trainings (environment, niss, is_active);
"""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def in_base_36(number: int, width: int) -> str:
    """`number` written in [0-9A-Z], padded with zeros to `width` characters."""
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text.rjust(width, "0")


class Store:
    """The SQLite file behind one lock: the network thread and the worker thread both write."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested in itself."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with self._lock:
            found: sqlite3.Row | None = self._db.execute(query, values).fetchone()
            return found

    def run(self, statement: str, *values: object) -> int:
        """Run a statement; the number of rows it changed."""
        with self._lock:
            return self._db.execute(statement, values).rowcount

    def insert(self, statement: str, *values: object) -> int:
        """Insert a row; its number."""
        with self._lock:
            return self._db.execute(statement, values).lastrowid or 0

    def count(self, name: str, step: int = 1) -> int:
        """Move the counter `name` by `step` and return its first new value: 1 the first time."""
        with self._lock:
            row = self._db.execute(
                "insert into counters values (?, ?)"
                " on conflict (name) do update set value = value + ? returning value",
                (name, step, step),
            ).fetchone()
            return int(row[0]) - step + 1
