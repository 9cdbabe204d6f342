"""What happens to a set as a whole, and who decides when nobody can know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from channels.dropping import CannotRelease
from channels.models import Drop
from portal.models import Event
from portal.moving import ForbiddenMove
from submissions import conserving, sets
from submissions.models import Batch, Declaration
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person

D = DeclarationState


@pytest.fixture
def batch(operator: Person) -> Iterator[Batch]:
    """Sealed, with an attempt of which nobody knows whether it came to GO."""
    with operator.scope():
        yield factories.sealed_batch(2)


def attempt(batch: Batch, state: str) -> Drop:
    now = timezone.now()
    return Drop.objects.create(
        envelope=batch.envelope,
        state=state,
        started_at=now,
        heartbeat_at=now,
        go_intended_at=now if state != "started" else None,
        ended_at=now if state in ("confirmed", "failed") else None,
    )


def test_a_parked_set_waits_with_its_reason(batch: Batch) -> None:
    sets.park(batch, "FI is there, FS is not")
    batch.refresh_from_db()
    assert (batch.state, batch.parked_reason) == ("parked", "FI is there, FS is not")
    assert Event.objects.get(verb="batch.parked").reason == "FI is there, FS is not"
    assert set(batch.declarations.values_list("state", flat=True)) == {D.BATCHED}


def test_a_person_who_looked_may_release_it(batch: Batch) -> None:
    given_up = attempt(batch, "unknown")
    sets.park(batch, "no receipt")
    name = batch.envelope.stem
    sets.release(batch, "nothing is there, I looked")
    batch.refresh_from_db()
    given_up.refresh_from_db()
    assert (batch.state, batch.parked_reason, batch.envelope.stem) == ("sealed", "", name)
    assert (given_up.state, given_up.error) == ("failed", "nothing is there, I looked")
    assert Event.objects.get(verb="batch.released").reason == "nothing is there, I looked"


def test_a_dropped_set_without_acknowledgement_may_be_released(batch: Batch) -> None:
    """GO went into the void: the person who found out lets it go again, and its declarations wait with it."""
    lost = attempt(batch, "confirmed")
    Batch.objects.filter(pk=batch.pk).update(state="dropped", dropped_at=timezone.now())
    batch.declarations.update(state=D.SENT)
    batch.refresh_from_db()
    sets.release(batch, "social security has no trace of it")
    batch.refresh_from_db()
    lost.refresh_from_db()
    assert (batch.state, batch.dropped_at, lost.state) == ("sealed", None, "failed")
    assert set(batch.declarations.values_list("state", flat=True)) == {D.BATCHED}


def test_without_a_reason_it_is_not_released(batch: Batch) -> None:
    attempt(batch, "unknown")
    sets.park(batch, "no receipt")
    with pytest.raises(ValueError, match="reason"):
        sets.release(batch, "  ")
    batch.refresh_from_db()
    assert batch.state == "parked"


def test_while_go_is_being_put_it_is_not_released(batch: Batch) -> None:
    attempt(batch, "go_intended")
    sets.park(batch, "no receipt")
    with pytest.raises(CannotRelease):
        sets.release(batch, "I am impatient")


def test_a_set_that_was_answered_is_not_parked(batch: Batch) -> None:
    attempt(batch, "confirmed")
    assert sets.prove_dropped(batch)
    sets.acknowledge(batch, "0A1B2C3D4E5F6")
    with pytest.raises(ForbiddenMove):
        sets.park(batch, "too late")


@pytest.mark.parametrize("state", ["unknown", "go_intended", "confirmed"])
def test_an_answer_proves_a_drop_that_came_to_go(batch: Batch, state: str) -> None:
    made = attempt(batch, state)
    assert sets.prove_dropped(batch)
    made.refresh_from_db()
    assert made.state == "confirmed"
    assert batch.state == "dropped"
    assert set(batch.declarations.values_list("state", flat=True)) == {D.SENT}
    assert sets.prove_dropped(batch)
    assert Event.objects.filter(verb="batch.dropped").count() == 1


def test_no_answer_proves_what_was_never_tried(batch: Batch) -> None:
    assert not sets.prove_dropped(batch)
    batch.refresh_from_db()
    assert batch.state == "sealed"


def test_a_set_with_a_form_that_waits_is_not_closed(batch: Batch) -> None:
    attempt(batch, "confirmed")
    sets.prove_dropped(batch)
    first, second = factories.declarations_of(batch)
    first.move(D.ACCEPTED)
    sets.close_answered([batch.envelope_id])
    batch.refresh_from_db()
    assert batch.state == "dropped"
    second.move(D.REFUSED)
    sets.close_answered([batch.envelope_id])
    batch.refresh_from_db()
    assert batch.state == "answered"
    sets.close_answered([batch.envelope_id])
    assert Event.objects.filter(verb="batch.answered").count() == 1


def test_other_sets_are_not_closed_along(batch: Batch) -> None:
    attempt(batch, "confirmed")
    sets.prove_dropped(batch)
    for made in factories.declarations_of(batch):
        made.move(D.ACCEPTED)
    sets.close_answered([])
    batch.refresh_from_db()
    assert batch.state == "dropped"


def test_everything_is_where_it_says_it_is(batch: Batch, operator: Person) -> None:
    """And the law notices when it is not."""
    account = conserving.account(operator.mandataire.pk)
    assert account.breaks == []
    assert account.by_state == {D.BATCHED: 2}
    Declaration.objects.filter(pk=factories.declarations_of(batch)[0].pk).update(state=D.ACCEPTED)
    assert conserving.account(operator.mandataire.pk).breaks
