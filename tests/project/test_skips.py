"""A machine that is meant to have every program allows no skip: the plugin is tried on tests of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from portal.servers import VARIABLES
from portal.servers.places import ROOT

pytestmark = pytest.mark.servers

TRIED = """
import pytest

def test_that_passes(): ...
def test_that_skips(): pytest.skip("no Chromium")
@pytest.mark.skipif(True, reason="no sshd")
def test_that_is_marked(): ...
@pytest.mark.xfail(reason="known")
def test_that_is_known_to_fail(): assert False
"""
MODULE = "import pytest\npytest.skip('no soffice', allow_module_level=True)\n"


def outcome(folder: Path, *arguments: str, **environ: str) -> tuple[str, dict[str, int]]:
    """What pytest says of the tests in `folder`, and its counts."""
    servers = dict.fromkeys(VARIABLES, "given")
    plugins = ("tests.servers_plugin", "no:django", "no:cacheprovider")
    options = ("-c", os.devnull, "--rootdir", str(folder), "-rA", *(f"-p{name}" for name in plugins))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments, str(folder)],
        cwd=ROOT,
        env={**os.environ, **servers, "PORTAL_NO_SKIP": "0", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.strip().splitlines()[-1]
    return done.stdout, {
        word: int(count) for count, word in re.findall(r"(\d+) (\w+)", last.partition(" in ")[0])
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_tried.py").write_text(TRIED)
    return tmp_path


def test_a_skip_is_a_skip_on_a_fresh_machine(folder: Path) -> None:
    assert outcome(folder)[1] == {"passed": 1, "skipped": 2, "xfailed": 1}


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_a_skip_is_a_failure_where_none_is_allowed(folder: Path, workers: tuple[str, ...]) -> None:
    said, counts = outcome(folder, *workers, PORTAL_NO_SKIP="1")
    assert counts == {"passed": 1, "failed": 1, "error": 1, "xfailed": 1}  # a mark works before the test
    assert "no Chromium" in said
    assert "no sshd" in said


def test_a_skipped_module_is_an_error_where_none_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "test_module.py").write_text(MODULE)
    assert outcome(tmp_path)[1] == {"skipped": 1}
    said, counts = outcome(tmp_path, PORTAL_NO_SKIP="1")
    assert counts == {"error": 1}
    assert "no soffice" in said
