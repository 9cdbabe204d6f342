"""A set that a person brought over himself: it left, nothing is sent again, and its receipt is awaited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels.dropping import CannotRelease
from channels.models import Drop
from portal import tenancy
from portal.models import Event
from submissions import answering, sets
from submissions.conserving import account
from submissions.models import Batch
from submissions.states import BatchState, DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.answers_about import receipt
from tests.submissions.test_views_declarations import messages_after

pytestmark = pytest.mark.django_db


def drop_of(batch: Batch, state: str, *, beat: timedelta = timedelta(), intended: bool = False) -> Drop:
    now = timezone.now()
    return Drop.objects.create(
        envelope=batch.envelope,
        state=state,
        started_at=now,
        heartbeat_at=now - beat,
        go_intended_at=now if intended else None,
    )


@pytest.mark.parametrize("scene", [factories.sealed_batch, scenes.parked])
def test_it_left_and_the_law_holds(operator: Person, scene: Any) -> None:
    with operator.scope():
        batch = scene(2)
        sets.deliver_by_hand(batch, "with the client of the IT department, at 11:20")
        batch.refresh_from_db()
        assert batch.state == BatchState.DROPPED
        assert batch.dropped_at is not None
        assert {row.state for row in batch.declarations.all()} == {DeclarationState.SENT}
        assert Drop.objects.get().state == Drop.State.CONFIRMED
        for verb in ("drop.by_hand", "batch.delivered_by_hand"):
            assert "11:20" in Event.objects.get(verb=verb).reason
    assert account(operator.mandataire.pk).breaks == []
    assert sets.leave(operator.mandataire.pk, batch.pk) == BatchState.DROPPED


def test_its_receipt_is_taken_as_any_other(operator: Person) -> None:
    with operator.scope():
        batch = scenes.parked()
        sets.deliver_by_hand(batch, "by hand")
        file = factories.inbound(batch.channel, receipt(batch), environment=batch.environment)
        assert answering.apply(tenancy.current(), file.pk) == "applied"
        batch.refresh_from_db()
        assert batch.state == BatchState.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("state", "intended", "beat", "is_moving"),
    [
        ("started", False, timedelta(), True),
        ("go_intended", True, timedelta(), True),
        ("started", False, timedelta(days=1), False),
        ("go_intended", True, timedelta(days=1), False),
        ("unknown", True, timedelta(), False),
        ("failed", False, timedelta(), False),
    ],
)
def test_not_while_it_is_being_sent(
    operator: Person, state: str, intended: bool, beat: timedelta, is_moving: bool
) -> None:
    with operator.scope():
        batch = factories.sealed_batch()
        drop_of(batch, state, beat=beat, intended=intended)
        if is_moving:
            with pytest.raises(CannotRelease):
                sets.deliver_by_hand(batch, "by hand")
        else:
            sets.deliver_by_hand(batch, "by hand")
        assert Drop.objects.filter(state="confirmed").exists() is not is_moving


def test_the_page_asks_how_and_keeps_the_answer(operator: Person) -> None:
    with operator.scope():
        batch = scenes.parked()
    address = f"/batches/{batch.pk}/by-hand/"
    assert "reason" in messages_after(operator, address)
    assert "receipt is awaited" in messages_after(
        operator, address, reason="on a disk, to the contact centre"
    )
    assert "was faster" in messages_after(operator, address, reason="again")
    body = operator.client.get(f"/batches/{batch.pk}/").content.decode()
    assert "Delivered by hand" in body
    assert "on a disk, to the contact centre" in body


def test_the_page_says_when_it_is_being_sent(operator: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch()
        drop_of(batch, "started")
    told = messages_after(operator, f"/batches/{batch.pk}/by-hand/", reason="by hand")
    assert "at this very moment" in told


@pytest.mark.parametrize("scene", [scenes.dropped, scenes.acknowledged, scenes.rejected])
def test_what_left_is_not_delivered_once_more(operator: Person, scene: Any) -> None:
    with operator.scope():
        batch = scene()
    assert "was faster" in messages_after(operator, f"/batches/{batch.pk}/by-hand/", reason="by hand")
    with operator.scope():
        assert not Event.objects.filter(verb="batch.delivered_by_hand").exists()
