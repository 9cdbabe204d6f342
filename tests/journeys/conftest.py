"""What every journey needs: examples, a running simulator, the house, and processes that may be killed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings as django_settings
from django.db import connection

from portal import examples
from simulator.server import Simulator
from simulator.signatures import Seal
from tests.journeys import house as houses
from tests.journeys.house import House

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "examples"

HURRIED = {
    "fla_is_reopened": True,
    "stale_after": 0,
    "retry_after": 0,
    "collect_every": 0,
    "departure_every": 1,
}
"""The installation of the journeys: FLA reopened, and whoever stopped is taken for dead at once."""


@pytest.fixture(autouse=True)
def hurried(settings: Any) -> None:
    """Settings for one test at a time."""
    settings.CONFIG = django_settings.CONFIG.model_copy(update=HURRIED)


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Examples of 24 records of 4 employers, of both mandataires."""
    folder = tmp_path_factory.mktemp("few")
    examples.write(folder, seed=7, records=24, employers=4)
    return folder


@pytest.fixture(scope="session")
def their_seal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a signing key that all simulators share: making one takes time."""
    directory = tmp_path_factory.mktemp("seal")
    Seal(directory)
    return directory


@pytest.fixture
def simulator(tmp_path: Path, their_seal: Path) -> Iterator[Simulator]:
    """A running simulator in a fresh directory."""
    root = tmp_path / "social-security"
    root.mkdir()
    for path in their_seal.iterdir():
        (root / path.name).write_bytes(path.read_bytes())
    with Simulator(root) as running:
        yield running


@pytest.fixture
def house(db: None, simulator: Simulator, few: Path) -> House:
    """Both mandataires with few records and small files: one set each, of several parts."""
    return houses.build(few, simulator, max_file_bytes=SMALL)


@pytest.fixture
def shipped(db: None, simulator: Simulator) -> House:
    """The house with the example files that come with the project: 200 records of 12 employers."""
    return houses.build(SHIPPED, simulator)


SMALL = 6_000
"""Bytes of a file that holds three or four forms."""


# --- other processes ------------------------------------------------------------------------------


def variables(**more: object) -> dict[str, str]:
    """The environment in which another process is the same installation, on the database of the tests."""
    place = connection.settings_dict
    parts = {key: quote(str(place[key]), safe="") for key in ("USER", "PASSWORD", "NAME")}
    where = f"{parts['USER']}:{parts['PASSWORD']}@" if parts["PASSWORD"] else f"{parts['USER']}@"
    query = {key: value for key, value in place["OPTIONS"].items() if key != "options"}
    if place["HOST"].startswith("/"):
        query["host"] = place["HOST"]
    else:
        where += f"{place['HOST']}:{place['PORT']}"
    config = HURRIED | more
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://{where}/{parts['NAME']}" + (f"?{urlencode(query)}" if query else ""),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_MASTER_KEY": django_settings.MASTER_KEY,
        "PORTAL_VAR": str(django_settings.CONFIG.var),
        "PYTHONUNBUFFERED": "1",
        **{f"PORTAL_{name.upper()}": str(value) for name, value in config.items()},
    }


@dataclass
class Mortal:
    """Runs steps in processes that are killed half way (`tests.journeys.mortal`)."""

    process: subprocess.Popen[str]
    log: Path

    def dies(self, point: str) -> bool:
        """Does the work of `point`; whether it was killed there. Anything else than that or success fails."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{point}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer in ("0", str(-signal.SIGKILL)), f"{answer!r}: {self.log.read_text()[-3000:]}"
        return answer != "0"


@pytest.fixture(scope="session")
def _mortal(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Mortal]]:
    """One process for the whole session, started when the first test asks for it."""
    log = tmp_path_factory.mktemp("mortal") / "log"
    running: list[Mortal] = []

    def start() -> Mortal:
        if not running:
            with log.open("w") as stderr:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.journeys.mortal"],
                    cwd=ROOT,
                    env=variables(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    text=True,
                )
            running.append(Mortal(process, log))
        return running[0]

    yield start
    for each in running:
        each.process.communicate(timeout=30)


@pytest.fixture
def mortal(db: None, _mortal: Callable[[], Mortal]) -> Mortal:
    """Runs steps that are killed half way."""
    return _mortal()


@pytest.fixture
def broker() -> Iterator[str]:
    """The broker of the tests, emptied, for one test at a time: also of tests in other processes."""
    import redis

    url = django_settings.CONFIG.redis_url
    with (Path(django_settings.CONFIG.var) / "broker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = redis.Redis.from_url(url)
        client.flushdb()
        yield url
        client.flushdb()
        client.close()
