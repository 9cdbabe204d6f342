"""A ``var/`` for each test, programs that use the servers, and what can be seen of them from outside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from portal.servers import VARIABLES
from portal.servers.places import ROOT, Places

WITHIN_S = 30.0


def until(is_true: Callable[[], object], what: str) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline = time.monotonic() + WITHIN_S
    while not is_true():
        assert time.monotonic() < deadline, f"not within {WITHIN_S:.0f} s: {what}"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process of this pid runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def environment(var: Path, **more: str) -> dict[str, str]:
    """Ours without any server, and with this ``var/``."""
    ours = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return {**ours, "PORTAL_VAR": str(var), **more}


@dataclass
class Program:
    """A running ``python -m portal.servers`` whose command waits until it is told to end."""

    var: Path
    process: subprocess.Popen[str]
    urls: dict[str, str]

    def ask(self, question: str, role: str = "DATABASE_URL") -> object:
        """The first column of the first row of the answer of PostgreSQL."""
        with psycopg.connect(self.urls[role], autocommit=True) as session:
            answered = session.execute(question)  # type: ignore[call-overload]
            row = answered.fetchone() if answered.description else None
        return row and row[0]

    def end(self) -> None:
        self.process.communicate("\n", timeout=WITHIN_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Seen:
    """What the files of a ``var/`` say about its servers."""

    var: Path

    def keeper(self, name: str = "postgres") -> int:
        return int(json.loads((self.var / "run" / f"{name}.json").read_text())["pid"])

    @property
    def pid_file(self) -> Path:
        return self.var / "postgres/data/postmaster.pid"

    @property
    def postmaster(self) -> int:
        return int(self.pid_file.read_text().splitlines()[0])

    def processes(self) -> list[int]:
        """Every process whose command line names this ``var/``, the keepers and PostgreSQL."""
        marks = (str(self.var), str((self.var / "postgres").resolve()))
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                pid = int(entry.parent.name)
                if (
                    any(mark in line for mark in marks)
                    and "portal.servers --" not in line
                    and is_running(pid)
                ):
                    found.append(pid)
        return found

    def is_at_rest(self) -> bool:
        return not self.processes()


@pytest.fixture
def places_made() -> Iterator[Callable[[], Path]]:
    """Makes directories that every account can reach, unlike pytest's own, and removes them."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="portal-servers-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for var in made:
        seen = Seen(var)
        for pid in seen.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(seen.is_at_rest, f"the servers of {var} are gone")
        for name in ("postgres", "valkey"):
            Places(var).forget(name)
        shutil.rmtree(var)


@pytest.fixture
def var(places_made: Callable[[], Path], cluster: Path) -> Path:
    """A ``var/`` with a cluster, copied: to make one takes more than a second."""
    copy = places_made()
    subprocess.run(["cp", "-a", f"{cluster}/.", str(copy)], check=True)
    return copy


@pytest.fixture
def empty_var(places_made: Callable[[], Path]) -> Path:
    return places_made()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="portal-cluster-"))
    made.chmod(0o755)
    subprocess.run(
        [sys.executable, "-m", "portal.servers", "--", "true"], env=environment(made), cwd=ROOT, check=True
    )
    until(Seen(made).is_at_rest, "the servers of the first cluster are gone")
    yield made
    shutil.rmtree(made)


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Starts programs; those still running at the end of the test are killed."""
    processes: list[subprocess.Popen[str]] = []

    def start_one(var: Path, *, launcher: tuple[str, ...] = (), **more: str) -> Program:
        tell = f"import os; print(*(os.environ[name] for name in {VARIABLES}), flush=True); input()"
        process = subprocess.Popen(
            [*launcher, sys.executable, "-m", "portal.servers", "--", sys.executable, "-c", tell],
            env=environment(var, **more),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        said = process.stdout.readline().split()
        assert len(said) == len(VARIABLES), "the program did not start"
        return Program(var, process, dict(zip(VARIABLES, said, strict=True)))

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()
