"""The commands that the documentation promises exist; CI's script is one that bash can read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from portal.servers.places import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".ci/run")])


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_is_the_default_and_names_what_people_need() -> None:
    helped = make("--no-print-directory")
    for target in ("demo", "demo-once", "test", "lint", "bench", "messages"):
        assert re.search(rf"^  make {target} ", helped.stdout, re.MULTILINE), target
    assert "RECORDS=200" in helped.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_make_commands_of_a_page_exist(page: Path) -> None:
    # In running text "make" is also a verb: only what stands like a command counts.
    commands = set(re.findall(r"(?:`|^ *\$? *)make ([a-z-]+)\b", page.read_text(), re.MULTILINE))
    assert commands <= TARGETS


@pytest.mark.parametrize("target", sorted(TARGETS - {"help"}))
def test_every_target_can_be_planned(target: str) -> None:
    planned = make("--dry-run", target, "NAME=seal")
    assert planned.returncode == 0, planned.stderr


def test_targets_are_not_files() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == TARGETS


def test_an_unknown_measure_is_refused_before_anything_starts() -> None:
    refused = make("bench", "NAME=nothing")
    assert refused.returncode == 2
    assert "make bench NAME=" in refused.stderr


def test_ci_is_a_script_that_stops_at_the_first_fault() -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text()
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_manage_needs_no_server_to_explain_itself() -> None:
    said = subprocess.run(
        [sys.executable, "manage.py", "version"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout.startswith("6.")
