"""Taking sets away from the IN directories, and keeping every byte of them in the archive.

GO is the commit marker: nothing is looked at before it. Source:
www.socialsecurity.be/site_fr/general/helpcentre/batch/ (files/goal).
"""

import hashlib
import json
import logging
import re
import threading
import time
from pathlib import Path

from simulator import names
from simulator.moments import now, today
from simulator.registry import Sender
from simulator.store import Store
from simulator.switches import Switches

log = logging.getLogger(__name__)


class Intake:
    """Watches what arrives; safe to use from the network thread and the worker thread."""

    def __init__(self, root: Path, store: Store, switches: Switches) -> None:
        self._root = root
        self._store = store
        self._switches = switches
        self._lock = threading.RLock()
        self._staying: dict[tuple[str, str, str], tuple[Sender, float]] = {}

    def home(self, username: str) -> Path:
        """The home directory of a user, made with its exchange directories when it is not there."""
        home = self._root / "home" / username
        for directory in names.DIRECTORIES:
            (home / directory).mkdir(parents=True, exist_ok=True)
        return home

    def arrived(self, sender: Sender, directory: str, name: str) -> None:
        """A file was closed in, or renamed into, one of the directories of `sender`."""
        if directory not in names.INBOX or names.is_unfinished(name):
            return
        with self._lock:
            try:
                size = (self.home(sender.username) / directory / name).stat().st_size
            except FileNotFoundError:
                return  # taken away or renamed since
            self._store.insert(
                "insert into arrivals (username, directory, name, bytes, arrived_at) values (?, ?, ?, ?, ?)",
                sender.username,
                directory,
                name,
                size,
                now().isoformat(),
            )
            prefix = names.prefix_of(name)
            if prefix == "TD":
                self._cancel(sender, directory, name)
            elif prefix == "GO":
                stays = self._switches.seconds("leave_after_go")
                if stays > 0:
                    place = (sender.username, directory, name)
                    self._staying[place] = (sender, time.monotonic() + stays)
                else:
                    self._take(sender, directory, name)
            elif prefix not in names.PREFIXES and names.is_shaped(name):
                self._take(sender, directory, name, preset="129")

    def take_due(self) -> None:
        """Take the sets whose GO was left visible for long enough."""
        with self._lock:
            for place, (sender, deadline) in list(self._staying.items()):
                if deadline <= time.monotonic():
                    del self._staying[place]
                    self._take(sender, place[1], place[2])

    def is_idle(self) -> bool:
        """True when no GO waits to be taken."""
        with self._lock:
            return not self._staying

    def sweep(self, senders: list[Sender]) -> None:
        """Take the FI and FS that waited too long for their GO (code 130)."""
        limit = self._switches.seconds("go_timeout")
        if limit <= 0:
            return
        for sender in senders:
            for directory in names.INBOX:
                with self._lock:
                    self._sweep_directory(sender, directory, time.time() - limit)

    def _sweep_directory(self, sender: Sender, directory: str, oldest: float) -> None:
        newest: dict[str, float] = {}
        announced: dict[str, str] = {}
        files = [path for path in (self.home(sender.username) / directory).iterdir() if path.is_file()]
        with_marker = {
            names.key_of(path.name) for path in files if names.prefix_of(path.name) in ("GO", "TD")
        }
        for path in files:
            if names.prefix_of(path.name) not in ("FI", "FS") or names.is_unfinished(path.name):
                continue
            key = names.key_of(path.name)
            newest[key] = max(newest.get(key, 0.0), path.stat().st_mtime)
            elements = path.name.split(".")
            announced[key] = f".{elements[6]}" if len(elements) == 8 else ""
        for key, moment in newest.items():
            if key not in with_marker and moment < oldest:
                self._take(sender, directory, f"GO.{key}{announced[key]}", preset="130")

    def resume(self, senders: list[Sender]) -> None:
        """After a start: finish what was being taken, and see what came while nobody looked."""
        by_name = {sender.username: sender for sender in senders}
        with self._lock:
            for row in self._store.rows("select * from sets where state = 'taking'"):
                if row["username"] in by_name:
                    self._take(
                        by_name[row["username"]], row["directory"], row["marker"], preset=row["preset"]
                    )
        for sender in senders:
            for directory in names.INBOX:
                for path in sorted((self.home(sender.username) / directory).iterdir()):
                    if names.prefix_of(path.name) not in ("FI", "FS"):
                        self.arrived(sender, directory, path.name)

    def _cancel(self, sender: Sender, directory: str, marker: str) -> None:
        self._store.run(
            "update sets set state = 'cancelled'"
            " where username = ? and directory = ? and key = ? and state = 'taken'",
            sender.username,
            directory,
            names.key_of(marker),
        )
        key = names.key_of(marker)
        for place in [
            place
            for place in self._staying
            if place[:2] == (sender.username, directory) and names.key_of(place[2]) == key
        ]:
            del self._staying[place]
        self._take(sender, directory, marker, preset="TD")

    def _take(self, sender: Sender, directory: str, marker: str, preset: str = "") -> None:
        key = names.key_of(marker)
        row = self._store.row(
            "select id, archive from sets"
            " where username = ? and directory = ? and marker = ? and state = 'taking'",
            sender.username,
            directory,
            marker,
        )
        if row is not None:  # the last run stopped in the middle of this
            number, archive = row["id"], self._root / row["archive"]
        else:
            archive = self._new_archive(sender.number, key)
            number = self._store.insert(
                "insert into sets"
                " (username, sender, directory, marker, key, archive, state, taken_at, preset)"
                " values (?, ?, ?, ?, ?, ?, 'taking', ?, ?)",
                sender.username,
                sender.number,
                directory,
                marker,
                key,
                str(archive.relative_to(self._root)),
                now().isoformat(),
                preset,
            )
        inbox = self.home(sender.username) / directory
        moving = [path for path in inbox.iterdir() if names.belongs(path.name, key)]
        if preset == "TD":
            moving += [path for path in inbox.iterdir() if path.name.startswith(f"GO.{key}")]
        for path in (*sorted(moving), inbox / marker):  # the marker last: a restart finds it and goes on
            if path.exists():
                path.rename(archive / path.name)
        self._write_receipt(sender, directory, archive, marker)
        self._store.run(
            "update sets set state = ? where id = ?", "cancelled" if preset == "TD" else "taken", number
        )

    def _new_archive(self, sender: str, key: str) -> Path:
        stem = re.sub(r"[^0-9A-Za-z.]", "_", key).strip(".")[:80] or "unnamed"
        parent = self._root / "archive" / sender / today().isoformat()
        parent.mkdir(parents=True, exist_ok=True)
        attempt, archive = 1, parent / stem
        while archive.exists():
            attempt += 1
            archive = parent / f"{stem}-{attempt}"
        archive.mkdir()
        return archive

    def _write_receipt(self, sender: Sender, directory: str, archive: Path, marker: str) -> None:
        """`received.json`: what came, in the order in which it was complete."""
        last: dict[str, tuple[int, str]] = {}
        uploads: dict[str, int] = {}
        files = [
            path
            for path in archive.iterdir()
            if path.suffix not in (".json", ".new") or path.name.startswith(("FI", "FS"))
        ]
        present = {path.name for path in files}
        for row in self._store.rows(
            "select number, name, arrived_at from arrivals"
            " where username = ? and directory = ? order by number",
            sender.username,
            directory,
        ):
            if row["name"] in present:
                last[row["name"]] = (row["number"], row["arrived_at"])
                uploads[row["name"]] = uploads.get(row["name"], 0) + 1
        listed = []
        for path in sorted(files, key=lambda path: last.get(path.name, (0, ""))):
            content = path.read_bytes()
            listed.append(
                {
                    "name": path.name,
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "arrived_at": last[path.name][1] if path.name in last else None,
                    "uploads": uploads.get(path.name, 0),
                }
            )
        receipt = {"marker": marker, "directory": directory, "username": sender.username, "files": listed}
        write_json(archive / "received.json", receipt)
        with self._store.transaction():
            for name in present:
                self._store.run(
                    "delete from arrivals where username = ? and directory = ? and name = ?",
                    sender.username,
                    directory,
                    name,
                )


def write_json(path: Path, content: object) -> None:
    """Write a JSON file that is either whole or not there."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    fresh.replace(path)
