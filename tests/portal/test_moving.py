"""Guarded moves: whoever finds the old state makes the move, everybody else learns that it was made."""

from __future__ import annotations

import pytest
from django.utils import timezone

from portal import tenancy
from portal.moving import ForbiddenMove, LostRace, move
from submissions.models import Declaration
from tests import factories
from tests.people import Person
from tests.racing import race

MOVES = {"draft": ("ready",), "ready": ("draft", "withdrawn"), "withdrawn": ()}


def test_a_move_changes_the_row_and_the_object(operator: Person) -> None:
    with operator.scope():
        made = factories.declaration(state="draft")
        now = timezone.now()
        move(made, MOVES, "ready", answered_at=now)
        assert (made.state, made.answered_at) == ("ready", now)
        made.refresh_from_db()
        assert (made.state, made.answered_at) == ("ready", now)


def test_a_move_that_the_table_does_not_know_changes_nothing(operator: Person) -> None:
    with operator.scope():
        made = factories.declaration(state="draft")
        with pytest.raises(ForbiddenMove, match="Declaration: draft -> withdrawn"):
            move(made, MOVES, "withdrawn")
        made.refresh_from_db()
        assert made.state == "draft"


def test_whoever_comes_second_learns_it(operator: Person) -> None:
    with operator.scope():
        made = factories.declaration(state="draft")
        stale = Declaration.objects.get(pk=made.pk)
        move(made, MOVES, "ready")
        with pytest.raises(LostRace, match="no longer draft") as lost:
            move(stale, MOVES, "ready")
        assert stale.state == "draft"
    assert lost.value.permanent
    assert not lost.value.ambiguous


def test_another_tenant_cannot_move_it(operator: Person, stranger: Person) -> None:
    with operator.scope():
        made = factories.declaration(state="draft")
    with stranger.scope(), pytest.raises(LostRace):
        move(made, MOVES, "ready")


def test_of_several_at_once_one_moves(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        made = factories.declaration(state="draft")

    def ready() -> str:
        with tenancy.scope(tenant):
            mine = Declaration.objects.get(pk=made.pk)
            mine.state = "draft"  # as it was read, before the others moved it
            move(mine, MOVES, "ready")
            return "moved"

    results = race(ready, ready, ready, ready)
    assert results.count("moved") == 1
    assert sum(isinstance(result, LostRace) for result in results) == 3
