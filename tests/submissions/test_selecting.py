"""What somebody chose leaves for the test or production that he said, once, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from channels.models import Channel
from mandates.models import Employer
from portal import tenancy
from portal.models import Event
from submissions import declaring, departing, due, promoting, selecting
from submissions.models import Batch, Declaration
from submissions.selecting import CannotSend, Fate
from submissions.states import DeclarationState
from tests import factories
from tests.racing import race
from tests.submissions import scenes
from tests.submissions.test_promoting import tried

D = DeclarationState
QUARTER = "20251"
"""That of every training of the factories."""


@pytest.fixture(autouse=True)
def reopened(settings: Any) -> None:
    """FLA takes declarations in production again."""
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": True})


@pytest.fixture(autouse=True)
def _in_scope(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test here acts as the operator, but those that race."""
    if "transactional_db" in request.fixturenames:
        yield
    else:
        with request.getfixturevalue("operator").scope():
            yield


@pytest.fixture
def channel() -> Channel:
    return factories.channel()


def keys(*employers: Employer) -> list[due.Key]:
    return [(employer.pk, QUARTER) for employer in employers]


def sent(channel: Channel, chosen: list[due.Key], environment: str) -> list[Batch]:
    """What is chosen, taken and sealed as the request and the worker do one after the other."""
    _report, parcels = selecting.take(channel, chosen, environment)
    sealed = selecting.leave(tenancy.current(), channel.pk, environment, parcels)
    return list(Batch.objects.filter(pk__in=sealed).order_by("pk"))


@pytest.mark.parametrize("environment", ["S", "T", "R"])
@pytest.mark.parametrize("stands_in", ["S", "R"])
def test_only_what_was_chosen_leaves_wherever_the_channel_stands(environment: str, stands_in: str) -> None:
    channel = factories.channel(environment=stands_in)
    chosen, other = factories.client(), factories.client()
    mine, theirs = factories.ready(2, of=chosen), factories.ready(1, of=other)
    (batch,) = sent(channel, keys(chosen), environment)
    assert (batch.environment, batch.state) == (environment, "sealed")
    assert {row.pk for row in batch.declarations.all()} == {row.pk for row in mine}
    untouched = Declaration.objects.get(pk=theirs[0].pk)
    assert (untouched.state, untouched.environment) == (D.READY, "")


def test_only_the_chosen_quarter_leaves(channel: Channel) -> None:
    of = factories.client()
    factories.ready(1, of=of)
    later = factories.declaration(
        factories.record(factories.worker(of), starts_on=date(2025, 4, 1), ends_on=date(2025, 4, 1))
    )
    (batch,) = sent(channel, keys(of), "S")
    assert batch.declarations_count == 1
    assert Declaration.objects.get(pk=later.pk).state == D.READY


def test_nothing_is_sent_twice(channel: Channel) -> None:
    of = factories.client()
    factories.ready(2, of=of)
    _report, parcels = selecting.take(channel, keys(of), "S")
    tenant = tenancy.current()
    assert len(selecting.leave(tenant, channel.pk, "S", parcels)) == 1
    assert selecting.leave(tenant, channel.pk, "S", parcels) == []
    with pytest.raises(CannotSend, match="Nothing of what you chose is ready"):
        selecting.take(channel, keys(of), "S")
    assert Batch.objects.count() == 1


def test_two_who_send_the_same_at_once_send_it_once(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        channel, of = factories.channel(), factories.client()
        factories.ready(3, of=of)

    def send() -> int:
        with tenancy.scope(tenant):
            _report, parcels = selecting.take(channel, keys(of), "S")
        return len(selecting.leave(tenant, channel.pk, "S", parcels))

    results = race(send, send, send)
    assert any(isinstance(result, int) and result for result in results)
    assert all(isinstance(result, (int, CannotSend)) for result in results)
    with tenancy.scope(tenant):
        assert Declaration.objects.filter(state=D.BATCHED, environment="S").count() == 3
        assert sum(Batch.objects.values_list("declarations_count", flat=True)) == 3


def test_should_nobody_seal_it_the_next_departure_sends_it_where_it_was_to_go() -> None:
    channel = factories.channel(environment="R")
    of = factories.client()
    factories.ready(1, of=of)
    selecting.take(channel, keys(of), "S")
    (sealed,) = departing.depart(tenancy.current(), channel.pk, is_asked=True)
    assert Batch.objects.get(pk=sealed).environment == "S"


def test_what_is_left_out_is_told_with_its_reason(channel: Channel) -> None:
    of, unspoken = factories.client(), factories.employer()
    scenes.refused(of=of, through=channel)
    scenes.accepted(of=of, through=channel)
    scenes.dropped(3, through=channel, of=of)
    modified = scenes.accepted(of=of, through=channel)
    declaring.modify(modified.record)
    factories.declaration(factories.record(factories.worker(of)), state=D.DRAFT)
    factories.declaration(factories.record(factories.worker(of)), state=D.WITHDRAWN)
    factories.declaration(factories.record(factories.worker(unspoken)))
    factories.ready(2, of=of)
    told = selecting.report(keys(of, unspoken), "R")
    assert told.declarations == {
        Fate.GOOD: 2,
        Fate.DRAFT: 1,
        Fate.REFUSED: 1,
        Fate.UNSPOKEN: 1,
        Fate.ELSEWHERE: 1,  # a modification of what stands in the simulation
        Fate.TESTED: 1,  # that of the modification is under way already
        Fate.ON_ITS_WAY: 3,
    }
    assert told.clients[Fate.GOOD] == told.clients[Fate.UNSPOKEN] == 1
    (batch,) = sent(channel, keys(of, unspoken), "R")
    assert (batch.declarations_count, batch.environment) == (2, "R")
    event = Event.objects.get(verb="channel.selection_asked")
    assert event.data["count"] == 2
    assert event.data["left_out"] == {
        "draft": 1, "refused": 1, "unspoken": 1, "elsewhere": 1, "tested": 1, "on_its_way": 3
    }  # fmt: skip
    # The modification leaves when it is sent where it belongs.
    (batch,) = sent(channel, keys(of), "S")
    assert [row.kind for row in batch.declarations.all()] == ["modification"]


def test_a_client_without_a_mandate_is_not_moved_either(channel: Channel) -> None:
    unspoken = factories.employer()
    made = factories.declaration(factories.record(factories.worker(unspoken)))
    with pytest.raises(CannotSend):
        selecting.take(channel, keys(unspoken), "S")
    made.refresh_from_db()
    assert (made.state, made.environment) == (D.READY, "")


def test_what_is_not_signed_off_stays_here(channel: Channel) -> None:
    signed, unsigned = factories.client(), factories.client()
    factories.ready(1, of=signed)
    factories.ready(2, of=unsigned)
    told, parcels = selecting.take(channel, keys(signed, unsigned), "R", keys(unsigned))
    assert (told.taken, told.declarations[Fate.UNSIGNED]) == (1, 2)
    assert parcels == {QUARTER: [signed.pk]}
    (sealed,) = selecting.leave(tenancy.current(), channel.pk, "R", parcels)
    assert Batch.objects.get(pk=sealed).declarations_count == 1
    assert set(Declaration.objects.ready().values_list("environment", flat=True)) == {""}


def test_what_was_destined_for_a_test_may_go_to_production_after_all(channel: Channel) -> None:
    of = factories.client()
    factories.ready(1, of=of)
    selecting.take(channel, keys(of), "S")
    (batch,) = sent(channel, keys(of), "R")
    assert batch.environment == "R"


def test_a_promotion_is_not_simulated_again(channel: Channel) -> None:
    batch = tried(1, channel)
    promoting.promote(batch)
    chosen = keys(*Employer.objects.filter(pk=factories.declarations_of(batch)[0].employer_id))
    assert selecting.report(chosen, "S").declarations == {Fate.ELSEWHERE: 1}
    (batch,) = sent(channel, chosen, "R")
    assert batch.declarations_count == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"services": ["DMFA"]}, "does not carry"),
        ({"has_keys": False}, "certificate"),
        ({"environment": "R", "is_set_up": False}, "being set up"),
        ({"other_host_key": "ssh-ed25519 AAAA", "is_paused": True}, "another key"),
    ],
)
def test_what_stands_in_the_way_is_said_before_anything_is_moved(
    fields: dict[str, Any], sentence: str
) -> None:
    channel = factories.channel(**fields)
    of = factories.client()
    factories.ready(1, of=of)
    with pytest.raises(CannotSend, match=sentence):
        selecting.take(channel, keys(of), "R")
    assert Declaration.objects.get().environment == ""


def test_a_closed_service_takes_no_declaration_but_a_test(channel: Channel, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": False})
    of = factories.client()
    factories.ready(1, of=of)
    with pytest.raises(CannotSend, match="registers nothing any more"):
        selecting.take(channel, keys(of), "R")
    (batch,) = sent(channel, keys(of), "S")
    assert batch.environment == "S"


def test_without_a_channel_nothing_is_sent() -> None:
    assert selecting.channel() is None
    with pytest.raises(CannotSend, match="No channel"):
        selecting.check(None, "S")


def test_a_form_that_cannot_be_written_holds_up_no_other(channel: Channel) -> None:
    of = factories.client()
    bad, good = factories.ready(2, of=of)
    type(bad.record).objects.filter(pk=bad.record_id).update(nature="")
    (batch,) = sent(channel, keys(of), "S")
    assert [row.pk for row in batch.declarations.all()] == [good.pk]
    assert Declaration.objects.get(pk=bad.pk).state == D.DRAFT


def test_a_channel_that_stops_meanwhile_keeps_it_ready(channel: Channel) -> None:
    of = factories.client()
    factories.ready(1, of=of)
    _report, parcels = selecting.take(channel, keys(of), "S")
    Channel.objects.update(is_paused=True, other_host_key="ssh-ed25519 AAAA")
    assert selecting.leave(tenancy.current(), channel.pk, "S", parcels) == []
    assert Declaration.objects.get().state == D.READY
