"""The training accounts, compared with a plain list over random histories."""

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.accounts import Accounts
from simulator.content import Training
from simulator.store import Store
from tests.simulator import people


def training(
    title: str = "T",
    start: int = 1,
    end: int = 1,
    status: str = "FOLLOWED",
    charged: int = 0,
    niss: str = people.ANNA,
) -> Training:
    return Training(
        people.ACME, niss, title, date(2025, 3, start), date(2025, 3, end), 456, 456, status, charged
    )


@dataclass
class Line:
    """One line of the plain list that the accounts are compared with."""

    ticket: str
    training: Training


steps = st.lists(
    st.tuples(
        st.sampled_from(["register", "replace", "cancel"]),
        st.sampled_from(["A", "B"]),
        st.integers(1, 6),
        st.integers(0, 3),
        st.sampled_from(["FOLLOWED", "NOT_FOLLOWED"]),
        st.sampled_from([people.ANNA, people.BRAM]),
        st.integers(0, 20),
    ),
    max_size=15,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_accounts_agree_with_a_plain_list(history: list[tuple[str, str, int, int, str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = Store(Path(directory) / "state.sqlite3")
        accounts, plain, moved = Accounts(store, "R"), list[Line](), dict[str, str]()
        tickets: list[str] = []
        for number, (move, title, start, length, status, niss, pick) in enumerate(history):
            one = training(title, start, start + length, status, charged=start, niss=niss)
            ticket = f"T{number}"
            quoted = tickets[pick % len(tickets)] if tickets else "unknown"
            current = quoted
            while current in moved:
                current = moved[current]
            expected = current if any(line.ticket == current for line in plain) else None
            assert accounts.current_ticket(quoted, people.ACME) == expected
            others = [
                line.training for line in plain if line.training.niss == niss and line.ticket != expected
            ]
            assert accounts.has_same(one, expected) == any(
                (other.title, other.starts_on, other.ends_on) == (one.title, one.starts_on, one.ends_on)
                for other in others
            )
            assert accounts.has_overlap(one, expected) == (
                status == "FOLLOWED"
                and any(
                    other.status == "FOLLOWED"
                    and other.starts_on <= one.ends_on
                    and one.starts_on <= other.ends_on
                    for other in others
                )
            )
            assert accounts.charged(niss, 2025, expected) == sum(other.charged for other in others)
            if move == "register":
                accounts.register(ticket, one, None)
                plain.append(Line(ticket, one))
                tickets.append(ticket)
            elif expected is not None:
                plain = [line for line in plain if line.ticket != expected]
                if move == "cancel":
                    accounts.cancel(expected)
                else:
                    accounts.register(ticket, one, expected)
                    plain.append(Line(ticket, one))
                    moved[expected] = ticket
                    tickets.append(ticket)
        store.close()


def test_a_year_counts_by_the_start_of_the_training(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite3")
    accounts = Accounts(store, "R")
    over = Training(
        people.ACME, people.ANNA, "T", date(2024, 12, 31), date(2025, 1, 2), 456, 456, "FOLLOWED", 100
    )
    accounts.register("T1", over, None)
    assert accounts.charged(people.ANNA, 2024, None) == 100
    assert accounts.charged(people.ANNA, 2025, None) == 0
    assert accounts.charged(people.BRAM, 2024, None) == 0
    store.close()


def test_environments_have_accounts_of_their_own(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite3")
    Accounts(store, "T").register("T1", training(), None)
    assert Accounts(store, "T").has_same(training(), None)
    assert not Accounts(store, "R").has_same(training(), None)
    assert Accounts(store, "R").current_ticket("T1", people.ACME) is None
    Accounts(store, "R").cancel("T1")
    assert Accounts(store, "T").current_ticket("T1", people.ACME) == "T1"
    store.close()
