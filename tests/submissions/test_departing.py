"""Cut-off times on the clocks of Belgium, through holidays and nights of summer time, and who leaves first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from channels import stopping
from channels.models import Channel, Departure
from portal.models import Event
from submissions import batching, departing
from submissions.departing import next_cutoff
from submissions.models import Batch, Declaration
from tests import factories
from tests.people import Person

pytestmark = pytest.mark.django_db

BRUSSELS = ZoneInfo("Europe/Brussels")
MORNING, AFTERNOON = 10 * 60 + 30, 16 * 60 + 30


def at(text: str) -> datetime:
    """A moment on the clocks of Belgium, `2026-11-20 16:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS).astimezone(ZoneInfo("UTC"))


@pytest.fixture
def channel(operator: Person) -> Iterator[Channel]:
    with operator.scope():
        yield factories.channel()


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-11-20 09:00", "2026-11-20 10:30"),
        ("2026-11-20 10:30", "2026-11-20 16:30"),  # this one has just left
        ("2026-11-20 16:31", "2026-11-23 10:30"),  # Friday afternoon
        ("2026-11-10 17:00", "2026-11-12 10:30"),  # Armistice
        ("2026-12-24 17:00", "2026-12-28 10:30"),  # Christmas on a Friday
        ("2027-03-26 17:00", "2027-03-30 10:30"),  # Easter, in the week-end of summer time
    ],
)
def test_the_next_cutoff_on_working_days(now: str, then: str) -> None:
    found = next_cutoff(at(now), [AFTERNOON, MORNING], is_on_working_days=True)
    assert found == at(then)
    assert f"{found.astimezone(BRUSSELS):%H:%M}" == then[-5:]


def test_every_day_knows_no_holiday() -> None:
    assert next_cutoff(at("2026-12-24 17:00"), [AFTERNOON], is_on_working_days=False) == at(
        "2026-12-25 16:30"
    )


@pytest.mark.parametrize(
    ("night", "minute", "moments"),
    [
        # On 28 March 2027 the clock goes from 02:00 to 03:00: 02:30 does not exist, and is taken as 03:30.
        ("2027-03-27 12:00", 150, ["2027-03-28T01:30Z", "2027-03-29T00:30Z", "2027-03-30T00:30Z"]),
        # On 31 October 2027 it goes from 03:00 back to 02:00: 02:30 comes twice, and counts once.
        ("2027-10-30 12:00", 150, ["2027-10-31T00:30Z", "2027-11-01T01:30Z", "2027-11-02T01:30Z"]),
        # 16:30 stays 16:30.
        ("2027-03-27 12:00", 990, ["2027-03-27T15:30Z", "2027-03-28T14:30Z", "2027-03-29T14:30Z"]),
        ("2027-10-30 12:00", 990, ["2027-10-30T14:30Z", "2027-10-31T15:30Z", "2027-11-01T15:30Z"]),
    ],
)
def test_nights_of_summer_time(night: str, minute: int, moments: list[str]) -> None:
    found, now = [], at(night)
    for _departure in moments:
        now = next_cutoff(now, [minute], is_on_working_days=False)
        found.append(f"{now:%Y-%m-%dT%H:%MZ}")
    assert found == moments


@pytest.mark.parametrize("minute", [0, 119, 120, 150, 180, 1439])
def test_the_cutoff_is_always_ahead_and_never_farther_than_a_day(minute: int) -> None:
    for start in (at("2027-03-27 00:00"), at("2027-10-30 00:00")):
        for quarters in range(4 * 48):
            now = start + timedelta(minutes=15 * quarters)
            ahead = next_cutoff(now, [minute], is_on_working_days=False) - now
            assert timedelta() < ahead <= timedelta(hours=25), now


# --- of a channel ---------------------------------------------------------------------------------------


def test_without_cutoffs_it_follows_the_rhythm_of_the_installation(channel: Channel) -> None:
    with time_machine.travel(at("2026-11-20 09:04"), tick=False):
        departing.depart(channel.mandataire_id, channel.pk)
        channel.refresh_from_db()
        assert channel.departs_at == at("2026-11-20 09:15")
        assert departing.departs_at(channel, "FLA", timezone.now()) == at("2026-11-20 09:15")
        assert departing.told("FLA") == "It leaves at 09:15 today."


def test_what_is_ready_waits_for_its_cutoff(channel: Channel) -> None:
    with time_machine.travel(at("2026-11-20 09:00"), tick=False):
        departing.set_cutoffs(channel, "FLA", [AFTERNOON, MORNING])
        factories.ready(2)
        assert departing.depart(channel.mandataire_id, channel.pk) == []
        channel.refresh_from_db()
        assert channel.departs_at == at("2026-11-20 10:30")
    with time_machine.travel(at("2026-11-20 10:30"), tick=False):
        assert len(departing.depart(channel.mandataire_id, channel.pk)) == 1
        assert Departure.objects.get().departs_at == at("2026-11-20 16:30")
    with time_machine.travel(at("2026-11-20 11:00"), tick=False):
        factories.ready(1)
        assert departing.depart(channel.mandataire_id, channel.pk) == []
        assert len(departing.depart(channel.mandataire_id, channel.pk, is_asked=True)) == 1, "a person may"
    with time_machine.travel(at("2026-11-23 08:00"), tick=False):
        departing.depart(channel.mandataire_id, channel.pk)
        channel.refresh_from_db()
        assert channel.departs_at == at("2026-11-23 10:30"), "the missed one of Friday left nobody behind"


def test_only_its_own_service_waits(channel: Channel) -> None:
    Channel.objects.filter(pk=channel.pk).update(services=["FLA", "OTHER"])
    channel.refresh_from_db()
    with time_machine.travel(at("2026-11-20 09:04"), tick=False):
        departing.set_cutoffs(channel, "FLA", [AFTERNOON])
        channel.refresh_from_db()
        assert departing.departs_at(channel, "FLA", timezone.now()) == at("2026-11-20 16:30")
        assert departing.departs_at(channel, "OTHER", timezone.now()) == at("2026-11-20 09:15")
        assert channel.departs_at == at("2026-11-20 09:15")


def test_a_stopped_channel_seals_nothing_unless_asked(channel: Channel) -> None:
    factories.ready(1)
    stopping.pause(channel, "maintenance")
    assert departing.depart(channel.mandataire_id, channel.pk) == []
    assert departing.told("FLA") == "It leaves once the channel is in service again."
    assert len(departing.depart(channel.mandataire_id, channel.pk, is_asked=True)) == 1


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        ("2026-11-20 16:00", "It leaves at 16:30 today."),
        ("2026-11-20 16:29:30", "It leaves within a minute."),
        ("2026-11-18 17:00", "It leaves tomorrow at 16:30."),
        ("2026-11-20 17:00", "It leaves on Monday 23 November at 16:30."),
    ],
)
def test_when_it_leaves_is_a_sentence(channel: Channel, now: str, sentence: str) -> None:
    with time_machine.travel(at(now), tick=False):
        departing.set_cutoffs(channel, "FLA", [AFTERNOON])
        assert departing.told("FLA") == sentence


def test_without_a_channel_nothing_is_promised(operator: Person) -> None:
    with operator.scope():
        assert departing.told("FLA") == "It leaves once a channel carries this service."


def test_cutoffs_are_changed_and_taken_away_with_an_event(channel: Channel) -> None:
    departing.set_cutoffs(channel, "FLA", [990, 630, 990], is_on_working_days=False)
    row = Departure.objects.get()
    assert (row.minutes, row.is_on_working_days) == ([630, 990], False)
    departing.set_cutoffs(channel, "FLA", [])
    assert not Departure.objects.exists()
    told = [event.data["times"] for event in Event.objects.filter(verb="channel.cutoffs_set").order_by("pk")]
    assert told == [["10:30", "16:30"], []]


# --- who leaves first -----------------------------------------------------------------------------------


def test_nobody_waits_behind_the_many_of_another_client(channel: Channel, monkeypatch: Any) -> None:
    """A set has room for some of them: each client has his turn, with his oldest first."""
    monkeypatch.setattr(batching, "MAX_PARTS", 1)
    monkeypatch.setattr(batching, "MAX_FORMS", 6)
    many = factories.ready(20, of=factories.client(name="Many"))
    few = factories.ready(2, of=factories.client(name="Few"))
    one = factories.ready(1, of=factories.client(name="One"))
    taken = set(Declaration.objects.filter(batch=sealed_first(channel)).values_list("pk", flat=True))
    assert taken == {row.pk for row in [*many[:3], *few, *one]}


def sealed_first(channel: Channel) -> Batch:
    return Batch.objects.get(pk=departing.depart(channel.mandataire_id, channel.pk)[0])


def test_what_leaves_early_lies_in_front_where_bytes_are_scarce(channel: Channel) -> None:
    """A file that is full before the set is leaves out the last turns, not the last clients."""
    many = factories.ready(30, of=factories.client(name="Many"))
    few = factories.ready(1, of=factories.client(name="Few"))
    first = sealed_first(channel)
    places = dict(first.declarations.values_list("pk", "position"))
    assert places[many[0].pk] == 1
    assert places[few[0].pk] == 2
    assert [places[row.pk] for row in many[1:]] == list(range(3, 32))
