"""The tables of moves: complete, without dead ends by mistake, and never round the back of GO."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from channels.models import Channel, Drop, InboundFile
from channels.states import DROP_MOVES, INBOUND_MOVES
from portal import tenancy
from portal.moving import ForbiddenMove, LostRace, Moves, move
from tests.channels.conftest import Seal

S = Drop.State


@pytest.mark.parametrize(
    ("moves", "states"),
    [(DROP_MOVES, Drop.State), (INBOUND_MOVES, InboundFile.State)],
    ids=["drop", "inbound"],
)
def test_every_state_has_its_line_and_no_other(moves: Moves, states: type[Drop.State]) -> None:
    assert set(moves) == set(states)
    for old, news in moves.items():
        assert old not in news
        assert set(news) <= set(states)
    reached = {new for news in moves.values() for new in news}
    assert reached | {states.values[0]} == set(states)


def test_after_the_intention_no_machine_may_call_it_failed() -> None:
    assert S.FAILED not in DROP_MOVES[S.GO_INTENDED]
    assert S.STARTED not in DROP_MOVES[S.GO_INTENDED]


def test_an_applied_answer_stays_applied() -> None:
    assert not INBOUND_MOVES[InboundFile.State.APPLIED]


def start(tenant: UUID, channel: Channel, seal: Seal) -> Drop:
    envelope = seal(channel)
    with tenancy.scope(tenant):
        now = timezone.now()
        return Drop.objects.create(envelope=envelope, started_at=now, heartbeat_at=now)


@pytest.mark.parametrize("state", [state for state in Drop.State if state != S.FAILED])
def test_an_envelope_has_one_live_attempt(
    state: Drop.State, channel: Channel, tenant: UUID, seal: Seal
) -> None:
    row = start(tenant, channel, seal)
    with tenancy.scope(tenant):
        intended = timezone.now() if state == S.GO_INTENDED else None
        Drop.objects.filter(pk=row.pk).update(state=state, go_intended_at=intended)
        with pytest.raises(IntegrityError, match="one_live_drop"), transaction.atomic():
            Drop.objects.create(
                envelope=row.envelope, started_at=row.started_at, heartbeat_at=row.heartbeat_at
            )
        Drop.objects.filter(pk=row.pk).update(state=S.FAILED)
        Drop.objects.create(envelope=row.envelope, started_at=row.started_at, heartbeat_at=row.heartbeat_at)


def test_the_database_lets_no_attempt_start_again_after_the_intention(
    channel: Channel, tenant: UUID, seal: Seal
) -> None:
    row = start(tenant, channel, seal)
    with tenancy.scope(tenant):
        drops = Drop.objects.filter(pk=row.pk)
        with pytest.raises(IntegrityError, match="go_intended_has_time"), transaction.atomic():
            drops.update(state=S.GO_INTENDED)
        drops.update(state=S.UNKNOWN, go_intended_at=timezone.now())
        with pytest.raises(IntegrityError, match="started_before_go"), transaction.atomic():
            drops.update(state=S.STARTED)


def test_moves_are_guarded(channel: Channel, tenant: UUID, seal: Seal) -> None:
    row = start(tenant, channel, seal)
    with tenancy.scope(tenant):
        mine, other = Drop.objects.get(pk=row.pk), Drop.objects.get(pk=row.pk)
        move(mine, DROP_MOVES, S.FAILED)
        with pytest.raises(LostRace):
            move(other, DROP_MOVES, S.UNKNOWN)
        with pytest.raises(ForbiddenMove):
            move(mine, DROP_MOVES, S.STARTED)


def test_answers_are_unique_by_channel_name_and_hash(
    make_channel: Callable[..., Channel], tenant: UUID
) -> None:
    channel, other = make_channel(), make_channel(quality="employer", sender_number="104218")

    def keep(on: Channel, name: str, sha256: str) -> None:
        InboundFile.objects.create(
            channel=on,
            environment="R",
            name=name,
            sha256=sha256,
            size=1,
            content_sealed=b"x",
            received_at=timezone.now(),
        )

    with tenancy.scope(tenant):
        keep(channel, "FO.ACRF.999999.20251103.00001.R", "a" * 64)
        keep(channel, "FO.ACRF.999999.20251103.00001.R", "b" * 64)
        keep(channel, "FO.ACRF.999999.20251103.00002.R", "a" * 64)
        keep(other, "FO.ACRF.999999.20251103.00001.R", "a" * 64)
        with pytest.raises(IntegrityError, match="one_row_per_answer"), transaction.atomic():
            keep(channel, "FO.ACRF.999999.20251103.00001.R", "a" * 64)
