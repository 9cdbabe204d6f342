"""What an installation sets: variables, files that hold secrets, and what is made on first use."""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.config import Config, local_secret
from portal.settings import database


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PORTAL_") or name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
            monkeypatch.delenv(name)


def test_with_nothing_set_there_are_defaults() -> None:
    config = Config()
    assert config.fla_application_code == "FLAD"
    assert config.fla_closes_on == date(2025, 12, 31)
    assert not any((config.debug, config.is_demo, config.fla_is_reopened))
    assert config.master_key is None


def test_variables_are_read_with_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_FLA_CLOSES_ON", "2027-12-31")
    monkeypatch.setenv("PORTAL_FLA_IS_REOPENED", "yes")
    monkeypatch.setenv("PORTAL_SWEEP_EVERY", "0.5")
    monkeypatch.setenv("DATABASE_URL", "postgresql://a@b/c")
    config = Config()
    assert config.fla_closes_on == date(2027, 12, 31)
    assert config.fla_is_reopened is True
    assert config.sweep_every == 0.5
    assert config.database_url == "postgresql://a@b/c"


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_FLA_OPENS_ON", "soon")
    monkeypatch.setenv("PORTAL_COLLECT_EVERY", "often")
    with pytest.raises(ValidationError) as faults:
        Config()
    assert {fault["loc"][0] for fault in faults.value.errors()} == {"fla_opens_on", "collect_every"}


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("ab" * 32 + "\n")
    monkeypatch.setenv("PORTAL_MASTER_KEY_FILE", str(file))
    assert Config().master_key == "ab" * 32
    monkeypatch.setenv("PORTAL_MASTER_KEY", "cd" * 32)
    assert Config().master_key == "cd" * 32


def test_a_local_secret_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    made = local_secret(tmp_path, "secret_key")
    assert len(bytes.fromhex(made)) == 32
    assert local_secret(tmp_path, "secret_key") == made
    assert local_secret(tmp_path, "master_key") != made
    file = tmp_path / "secrets" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40ss@h:5433/n", ("u", "p@ss", "h", "5433", "n")),
        ("postgresql://u@/n?host=/run/pg", ("u", "", "/run/pg", "", "n")),
        ("postgresql://u@h/n?sslmode=require", ("u", "", "h", "", "n")),
    ],
)
def test_a_database_is_named_by_its_address(url: str, expected: tuple[str, ...]) -> None:
    made = database(url)
    assert tuple(made[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")) == expected
    assert made["ATOMIC_REQUESTS"] is True
    options = made["OPTIONS"]
    assert isinstance(options, dict)
    assert ("sslmode" in options) is ("sslmode" in url)
