"""The durable state: transactions, counters, tickets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.store import Store, in_base_36


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite3")
    yield store
    store.close()


def test_counters_never_give_a_number_twice(store: Store, tmp_path: Path) -> None:
    assert [store.count("a"), store.count("a"), store.count("b")] == [1, 2, 1]
    again = Store(tmp_path / "state.sqlite3")
    assert again.count("a") == 3
    again.close()


def test_a_step_reserves_a_range(store: Store) -> None:
    assert store.count("a", 10) == 1
    assert store.count("a") == 11


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            store.run("insert into used_names values ('1', 'K')")
            with store.transaction():
                store.count("a")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert store.rows("select * from used_names") == []
    assert store.count("a") == 1


def test_a_transaction_that_ends_well_stays(store: Store, tmp_path: Path) -> None:
    with store.transaction():
        store.run("insert into used_names values ('1', 'K')")
    again = Store(tmp_path / "state.sqlite3")
    assert again.row("select key from used_names")["key"] == "K"  # type: ignore[index]
    assert again.row("select key from used_names where key = 'L'") is None
    again.close()


@given(st.integers(0, 36**8 - 1))
def test_base_36_can_be_read_back(number: int) -> None:
    text = in_base_36(number, 8)
    assert len(text) == 8
    assert int(text, 36) == number


def test_base_36_is_padded() -> None:
    assert in_base_36(35, 5) == "0000Z"
    assert in_base_36(36, 5) == "00010"
    assert in_base_36(0, 5) == "00000"
