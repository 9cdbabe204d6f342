"""The tables of moves: every state can be reached, none can be reached again, an answer skips forward."""

from __future__ import annotations

from itertools import product

import pytest
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from portal.moving import Moves
from submissions.states import (
    ACCEPTED,
    BATCH_MOVES,
    DECLARATION_MOVES,
    LIVE,
    ON_THE_WAY,
    SETTLED,
    BatchState,
    DeclarationState,
    before,
)

D, B = DeclarationState, BatchState
TABLES = [
    pytest.param(DeclarationState, DECLARATION_MOVES, D.DRAFT, id="declaration"),
    pytest.param(BatchState, BATCH_MOVES, B.OPEN, id="batch"),
]
# The ways back that people take: a draft that is taken out of the queue again, a set that is let go again although it
# was parked, or although it was dropped and its acknowledgement stayed away.
SET_LOOP = {B.SEALED, B.PARKED, B.DROPPED}
LOOPS = [{D.DRAFT, D.READY}, {D.BATCHED, D.SENT}, SET_LOOP]


def reachable(moves: Moves, start: str) -> set[str]:
    """All states after `start`, by one move or more."""
    found: set[str] = set()
    edge = {start}
    while edge:
        edge = {new for state in edge for new in moves[state]} - found
        found |= edge
    return found


@pytest.mark.parametrize(("states", "moves", "first"), TABLES)
def test_every_state_has_its_row_and_can_be_reached(
    states: type[models.TextChoices], moves: Moves, first: str
) -> None:
    assert set(moves) == set(states)
    assert reachable(moves, first) | {first} == set(states)


@pytest.mark.parametrize(("states", "moves", "first"), TABLES)
def test_there_is_no_way_back(states: type[models.TextChoices], moves: Moves, first: str) -> None:
    for one, other in product(states, states):
        if one != other and other in reachable(moves, one) and one in reachable(moves, other):
            assert any({one, other} <= loop for loop in LOOPS)


@pytest.mark.parametrize("state", SETTLED)
def test_what_is_settled_stays(state: str) -> None:
    assert not DECLARATION_MOVES[state]


@pytest.mark.parametrize("state", [B.REJECTED, B.ANSWERED])
def test_an_answered_set_stays(state: str) -> None:
    assert not BATCH_MOVES[state]


@pytest.mark.parametrize(("old", "new"), [*product(ON_THE_WAY, (*ACCEPTED, D.REFUSED))])
def test_an_answer_settles_whatever_is_on_the_way(old: str, new: str) -> None:
    """A NOTI may overtake its ACRF, and either may overtake our own note that the set was dropped."""
    assert new in DECLARATION_MOVES[old]


@pytest.mark.parametrize("state", [B.SEALED, B.PARKED, B.DROPPED, B.ACKNOWLEDGED])
def test_any_set_that_may_have_left_can_be_answered(state: str) -> None:
    assert B.ANSWERED in BATCH_MOVES[state]


def test_what_has_left_is_never_taken_back_by_a_click() -> None:
    for state in ON_THE_WAY:
        assert not {D.WITHDRAWN, D.DRAFT, D.READY} & set(DECLARATION_MOVES[state])


def test_an_acknowledged_set_is_neither_refused_nor_sent_again() -> None:
    assert set(BATCH_MOVES[B.ACKNOWLEDGED]) == {B.ANSWERED}


def test_live_and_settled_are_all_there_is() -> None:
    assert {*LIVE, *SETTLED} == set(DeclarationState)
    assert not set(LIVE) & set(SETTLED)


@given(st.sampled_from(list(DeclarationState)))
def test_before_turns_the_table_around(state: DeclarationState) -> None:
    found = before(DECLARATION_MOVES, state)
    assert {old for old in DeclarationState if state in DECLARATION_MOVES[old]} == set(found)


@pytest.mark.parametrize("states", [DeclarationState, BatchState])
def test_every_state_has_words_of_its_own(states: type[models.TextChoices]) -> None:
    labels = [str(label) for label in states.labels]
    assert len(set(labels)) == len(labels)
    assert all(label[0].islower() for label in labels)
