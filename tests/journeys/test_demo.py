"""The demonstration as a stranger starts it, twice, in a process and a database of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from portal.settings import database
from tests.journeys.conftest import ROOT

pytestmark = pytest.mark.journey

LAST_LINE = re.compile(
    r"(?P<declared>\d+) declared = (?P<accepted>\d+) accepted \+ (?P<remarks>\d+) accepted with remarks "
    r"\+ (?P<refused>\d+) refused \+ (?P<waiting>\d+) waiting"
)


@pytest.fixture
def environment(broker: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """An installation with an empty database and a `var/` of its own, on the servers of the tests."""
    name = f"demonstration_{os.getpid()}"
    owner = settings.DATABASES["owner"]
    with psycopg.connect(
        dbname="postgres",
        user=owner["USER"],
        password=owner["PASSWORD"] or None,
        host=owner["HOST"] or None,
        port=owner["PORT"] or None,
        autocommit=True,
    ) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        urls = {key: _with_name(os.environ[key], name) for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}
        yield {**os.environ, **urls, "REDIS_URL": broker, "PORTAL_VAR": str(tmp_path / "var")}
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_name(url: str, name: str) -> str:
    before, slash, after = url.rpartition("/")
    _old, mark, query = after.partition("?")
    changed = f"{before}{slash}{name}{mark}{query}"
    assert database(changed)["NAME"] == name
    return changed


def test_the_demonstration_ends_by_itself_and_adds_up_twice(environment: dict[str, str]) -> None:
    lines = [_run(environment), _run(environment)]
    assert lines[0] == lines[1], "the second demonstration starts over, with the same records"
    found = LAST_LINE.fullmatch(lines[0])
    assert found
    parts = {name: int(value) for name, value in found.groupdict().items()}
    assert parts["declared"] == 60 == sum(parts.values()) - 60
    assert parts["waiting"] == 0
    assert min(parts["accepted"], parts["remarks"], parts["refused"]) > 0


def _run(environment: dict[str, str]) -> str:
    demo = subprocess.Popen(
        [
            *(sys.executable, "manage.py", "demo", "--once"),
            *("--records", "60", "--employers", "4", "--seed", "3"),
        ],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _nothing = demo.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        demo.terminate()  # Asked, not killed: it stops its children.
        said, _nothing = demo.communicate()
    logs = "".join(path.read_text()[-1500:] for path in Path(environment["PORTAL_VAR"]).glob("demo/logs/*"))
    assert demo.returncode == 0, f"{said}\n{logs}"
    return said.splitlines()[-1]
