"""The order in which an answer appears, and what a crash in the middle leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.delivering import Deliverer
from simulator.store import Store

STEM = "ACRF.999999.20251015.00001.R"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite3")
    yield store
    store.close()


def answer(store: Store, *, stem: str = STEM, part: str = "", zipped: int = 0, due_at: float = 0.0) -> None:
    store.insert(
        "insert into answers"
        " (set_id, kind, username, directory, stem, part, zipped, content, signature, due_at, state)"
        " values (1, 'ACRF', 'a', 'OUT', ?, ?, ?, ?, ?, ?, 'pending')",
        stem,
        part,
        zipped,
        b"content",
        b"signature",
        due_at,
    )


def files(root: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in (root / "home" / "a" / "OUT").iterdir() if path.is_file()
    }


@pytest.mark.parametrize("failing", ["FO", "FS", "GO"])
def test_killed_in_the_middle_it_delivers_the_same_again(store: Store, tmp_path: Path, failing: str) -> None:
    """A directory where a file must go stops the delivery at that step, as a kill would."""
    answer(store)
    obstacle = tmp_path / "home" / "a" / "OUT" / f"{failing}.{STEM}"
    (obstacle / "x").mkdir(parents=True)
    with pytest.raises(OSError, match=STEM):
        Deliverer(tmp_path, store).deliver_due()
    before = {"FO": [], "FS": ["FO"], "GO": ["FO", "FS"]}[failing]
    assert sorted(files(tmp_path)) == [f"{prefix}.{STEM}" for prefix in before]

    (obstacle / "x").rmdir()
    obstacle.rmdir()
    Deliverer(tmp_path, store).deliver_due()
    assert files(tmp_path) == {f"FO.{STEM}": b"content", f"FS.{STEM}": b"signature", f"GO.{STEM}": b""}


def test_what_was_delivered_is_not_delivered_again(store: Store, tmp_path: Path) -> None:
    answer(store)
    deliverer = Deliverer(tmp_path, store)
    deliverer.deliver_due()
    for name in files(tmp_path):
        (tmp_path / "home" / "a" / "OUT" / name).unlink()
    deliverer.deliver_due()
    assert files(tmp_path) == {}


def test_the_future_waits(store: Store, tmp_path: Path) -> None:
    answer(store, due_at=4_000_000_000.0)
    Deliverer(tmp_path, store).deliver_due()
    assert not (tmp_path / "home").exists()


def test_go_carries_one_part_number_less(store: Store, tmp_path: Path) -> None:
    answer(store, part=".1.1", zipped=1)
    Deliverer(tmp_path, store).deliver_due()
    assert sorted(files(tmp_path)) == [f"CO.{STEM}.1.1", f"FS.{STEM}.1.1", f"GO.{STEM}.1"]
