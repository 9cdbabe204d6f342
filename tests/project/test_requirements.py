"""What is locked: every version, every hash, no address; what is asked for: a lower bound and a reason."""

import re
from pathlib import Path

import pytest

from portal.servers.places import ROOT

FOLDER = ROOT / "requirements"
LOCKED = sorted(FOLDER.glob("*.txt"))
ASKED = sorted(FOLDER.glob("*.in"))


def by_name(path: Path) -> str:
    return path.name


def asked_for(path: Path) -> dict[str, str]:
    """Name (normalised) and bounds of every requirement of an .in file."""
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    matches = [
        re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z,]+\])?(.*)", line) for line in lines if line[:1].isalpha()
    ]
    return {match[1]: match[2] for match in matches if match}


def locked_in(path: Path) -> dict[str, tuple[int, ...]]:
    found = re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([0-9.]+)", path.read_text(), re.MULTILINE)
    return {name: tuple(map(int, version.strip(".").split("."))) for name, version in found}


def test_there_are_pairs() -> None:
    assert {path.stem for path in LOCKED} == {path.stem for path in ASKED} == {"base", "dev"}


@pytest.mark.parametrize("path", LOCKED, ids=by_name)
def test_every_version_is_exact_and_has_hashes(path: Path) -> None:
    blocks = re.split(r"\n(?=\S)", path.read_text())
    entries = [block for block in blocks if block[:1].isalnum()]
    assert len(entries) > 40
    for entry in entries:
        assert re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("path", LOCKED + ASKED, ids=by_name)
def test_no_address_of_an_index_and_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"--(extra-)?index|--find-links|--trusted-host| @ ", text)
    assert not re.search(r"(^|\s)/\w", text, re.MULTILINE)


@pytest.mark.parametrize("path", ASKED, ids=by_name)
def test_what_is_asked_for_has_a_lower_bound_and_is_locked_above_it(path: Path) -> None:
    locked = locked_in(path.with_suffix(".txt"))
    for name, bounds in asked_for(path).items():
        lower = re.match(r">=([0-9.]+)", bounds)
        assert lower, f"{name} has no lower bound"
        assert locked[name] >= tuple(map(int, lower[1].split("."))), name


def test_both_locks_agree() -> None:
    base, dev = (locked_in(FOLDER / name) for name in ("base.txt", "dev.txt"))
    assert base.items() <= dev.items()


def test_paramiko_still_has_ssh_rsa() -> None:
    assert locked_in(FOLDER / "base.txt")["paramiko"][0] == 4


@pytest.mark.parametrize("path", ASKED, ids=by_name)
def test_every_package_has_its_reason(path: Path) -> None:
    reasons = (ROOT / "docs/dependencies.md").read_text().lower()
    assert not [name for name in asked_for(path) if not re.search(rf"`{name}`", reasons)]
