"""Two files play the outside world: `senders.json` (who may send) and `registry.json` (the registers).

Both are read again when they change, so that a demonstration can move a worker or a mandate while the
simulator runs.
"""

import json
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sender:
    """A channel as the government's channel service knows it.

    `certificates`: SHA-256 of the DER, in lower-case hexadecimal.
    """

    number: str
    name: str
    username: str
    ssh_keys: tuple[str, ...]
    certificates: frozenset[str]
    applications: frozenset[str]


@dataclass(frozen=True)
class Employer:
    """An enterprise. With `only_sender`, files of any other sender that name it are refused whole (101)."""

    number: str
    nsso: str
    name: str
    only_sender: str


@dataclass(frozen=True)
class Period:
    """Days from `start` to `end` included; no end = still running."""

    start: date
    end: date | None

    def covers(self, day: date) -> bool:
        """True when the period contains `day`."""
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True)
class Registry:
    """The registers at one moment."""

    employers: dict[str, Employer] = field(default_factory=dict)
    workers: frozenset[str] = frozenset()
    employments: dict[tuple[str, str], list[Period]] = field(default_factory=dict)
    mandates: dict[tuple[str, str, str], list[Period]] = field(default_factory=dict)
    rights: dict[tuple[str, int], int] = field(default_factory=dict)

    def is_employed(self, employer: str, niss: str, day: date) -> bool:
        """True when the worker was employed there on that day."""
        return any(period.covers(day) for period in self.employments.get((employer, niss), ()))

    def has_mandate(self, sender: str, employer: str, application: str, day: date) -> bool:
        """True when the sender may speak for the employer in that application on that day."""
        return any(period.covers(day) for period in self.mandates.get((sender, employer, application), ()))


def _period(row: dict[str, Any]) -> Period:
    return Period(date.fromisoformat(row["from"]), date.fromisoformat(row["to"]) if row.get("to") else None)


def read_registry(content: dict[str, Any]) -> Registry:
    """The registers from the content of `registry.json`."""
    employments: dict[tuple[str, str], list[Period]] = defaultdict(list)
    for row in content.get("employments", ()):
        employments[row["employer"].zfill(10), row["niss"]].append(_period(row))
    mandates: dict[tuple[str, str, str], list[Period]] = defaultdict(list)
    for row in content.get("mandates", ()):
        mandates[row["sender"], row["employer"].zfill(10), row["application"]].append(_period(row))
    return Registry(
        employers={
            row["number"].zfill(10): Employer(
                row["number"].zfill(10),
                row.get("nsso") or "",
                row.get("name", ""),
                row.get("only_sender", ""),
            )
            for row in content.get("employers", ())
        },
        workers=frozenset(row["niss"] for row in content.get("workers", ())),
        employments=dict(employments),
        mandates=dict(mandates),
        rights={(row["niss"], int(row["year"])): int(row["minutes"]) for row in content.get("rights", ())},
    )


def read_senders(content: dict[str, Any]) -> dict[str, Sender]:
    """The senders by user name, from the content of `senders.json`."""
    return {
        row["username"]: Sender(
            number=row["number"],
            name=row.get("name", ""),
            username=row["username"],
            ssh_keys=tuple(row.get("ssh_keys", ())),
            certificates=frozenset(print_.lower().replace(":", "") for print_ in row.get("certificates", ())),
            applications=frozenset(row.get("applications", ())),
        )
        for row in content.get("senders", ())
        if _is_plain(row["username"])
    }


def _is_plain(username: str) -> bool:
    """A user name is also the name of a directory: one that could climb out of it is no user."""
    return bool(username) and not username.startswith(".") and "/" not in username and "\0" not in username


class World:
    """`senders.json` and `registry.json` as they are now. A missing file is an empty world."""

    def __init__(self, directory: Path) -> None:
        self._senders_file = directory / "senders.json"
        self._registry_file = directory / "registry.json"
        self._senders_stamp: tuple[int, int] | None = None
        self._registry_stamp: tuple[int, int] | None = None
        self._senders: dict[str, Sender] = {}
        self._registry = Registry()

    def senders(self) -> dict[str, Sender]:
        """The senders, by user name."""
        stamp = _stamp(self._senders_file)
        if stamp != self._senders_stamp:
            self._senders_stamp = stamp
            content = _content(self._senders_file)
            if content is not None:
                self._senders = read_senders(content)
        return self._senders

    def registry(self) -> Registry:
        """The national registers."""
        stamp = _stamp(self._registry_file)
        if stamp != self._registry_stamp:
            self._registry_stamp = stamp
            content = _content(self._registry_file)
            if content is not None:
                self._registry = read_registry(content)
        return self._registry


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def _content(path: Path) -> dict[str, Any] | None:
    """The content of a JSON file; None when it is being written at this moment."""
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as fault:
        log.warning("%s was not understood and changes nothing: %s", path.name, fault)
        return None
    return content
