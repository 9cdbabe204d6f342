"""The pages of health: what they tell, who may decide, and that two people accept a key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html

from channels import stopping
from channels.models import Alarm, Channel, Departure, LeftAnswer
from portal.models import ChannelProfile, Event
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.test_views_batches import Asked, asked
from tests.submissions.test_views_declarations import messages_after
from tests.submissions.test_views_records import buttons, main_text, page_of

__all__ = ["asked"]

pytestmark = pytest.mark.django_db

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDaJQVu0i0mcfgoPF3xDR5xv1lQrVFrEPAgKKdXsPpQZ"


@pytest.fixture
def channel(operator: Person) -> Channel:
    with operator.scope():
        return factories.channel(last_contact_at=timezone.now())


@pytest.fixture
def second(operator: Person) -> Person:
    """Somebody who operates channels and does nothing else."""
    user = factories.place(operator.mandataire, ChannelProfile.OPERATE, username="second").user
    client = Client()
    client.force_login(user)
    return Person(user, operator.mandataire, client)


def fresh(channel: Channel, person: Person) -> Channel:
    with person.scope():
        return Channel.objects.get(pk=channel.pk)


def told(person: Person, channel: Channel, act: str, **data: str) -> str:
    return messages_after(person, f"/health/{channel.pk}/{act}/", **data)


def offered(person: Person, channel: Channel) -> set[str]:
    prefix = f"/health/{channel.pk}/"
    tree = page_of(person, prefix)
    return {url.removeprefix(prefix).strip("/") for url in tree.xpath("//main//form/@action")}


# --- what they tell -------------------------------------------------------------------------------------


def test_the_page_tells_what_waits_the_longest(operator: Person, channel: Channel) -> None:
    with operator.scope():
        factories.sealed_batch(through=channel)
        scenes.dropped(through=channel)
        Alarm.objects.create(channel=channel, kind="unsent", since=timezone.now())
        Channel.objects.filter(pk=channel.pk).update(
            last_probe={
                "at": timezone.now().isoformat(),
                "seconds": 0.4,
                "directories": {"INTEST-S": None, "OUTTEST-S": 12},
                "error": "",
            }
        )
    text = " ".join(main_text(page_of(operator, f"/health/{channel.pk}/")).split())
    for expected in (
        "Declarations have not left",
        stopping.fingerprint(channel.host_key),
        "INTEST-S may not be listed · OUTTEST-S 12 files",
        "Federal Learning Account every few minutes",
        "Answers of others in OUTTEST-S",
        "only answers to what this portal sent are deleted",
    ):
        assert expected in text, expected


def test_the_list_has_every_channel_and_leads_to_it(operator: Person, channel: Channel) -> None:
    with operator.scope():
        other = factories.channel(name="Second channel", quality="employer", has_keys=False)
    tree = page_of(operator, "/health/")
    assert set(tree.xpath("//tbody//th/a/@href")) == {f"/health/{pk}/" for pk in (channel.pk, other.pk)}
    text = main_text(tree)
    assert "In service" in text
    assert "Not tried yet" in text


def test_a_beginner_has_no_channel(operator: Person) -> None:
    assert "No channel yet" in main_text(page_of(operator, "/health/"))


def test_answers_that_were_left_are_listed_page_by_page(operator: Person, channel: Channel) -> None:
    now = timezone.now()
    with operator.scope():
        file = factories.inbound(channel, b"both")
        LeftAnswer.objects.bulk_create(
            LeftAnswer(
                channel=channel,
                environment="S",
                name=f"FO.ACRF.999999.20251103.{number:05d}.S",
                size=1200 + number,
                modified_at=1,
                looked_at=now,
                first_seen_at=now - timedelta(minutes=60 - number),
                kept=file if number == 0 else None,
            )
            for number in range(60)
        )
    tree = page_of(operator, f"/health/{channel.pk}/")
    shown = tree.xpath("//section[@aria-labelledby='shared-title']//tbody/tr")
    assert len(shown) == 50
    assert "Copied here" in shown[0].text_content()
    assert "Left alone" in shown[1].text_content()
    rest = page_of(operator, f"/health/{channel.pk}/?page=2")
    assert len(rest.xpath("//section[@aria-labelledby='shared-title']//tbody/tr")) == 10


@pytest.mark.parametrize("address", ["/health/", "/health/{pk}/"])
def test_a_page_asks_as_much_however_many_rows(operator: Person, channel: Channel, address: str) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, address.format(pk=channel.pk))
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    def fill(times: int) -> None:
        with operator.scope():
            for kind in Alarm.Kind.values[:times]:
                Alarm.objects.get_or_create(channel=channel, kind=kind, defaults={"since": timezone.now()})
            for _ in range(times):
                scenes.dropped(through=channel)

    fill(1)
    few = questions()
    fill(5)
    assert questions() == few
    assert few <= 16


def test_channel_page_and_home_lead_there(operator: Person, channel: Channel) -> None:
    assert page_of(operator, "/channel/").xpath(f"//main//a[@href='/health/{channel.pk}/']")


# --- buttons --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("act", "task"), [("probe", "probe"), ("depart", "depart"), ("collect", "collect")])
def test_a_button_asks_for_its_task(
    operator: Person,
    channel: Channel,
    asked: Asked,
    django_capture_on_commit_callbacks: Any,
    act: str,
    task: str,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = operator.client.post(f"/health/{channel.pk}/{act}/")
    assert answer["Location"] == f"/health/{channel.pk}/"
    assert asked == [(task, [str(operator.mandataire.pk), channel.pk])]


def test_pausing_asks_why_and_resuming_too(operator: Person, channel: Channel) -> None:
    assert offered(operator, channel) == {"probe", "depart", "collect", "pause", "exclusive"}
    assert "reason" in told(operator, channel, "pause")
    assert not fresh(channel, operator).is_paused
    assert "Paused" in told(operator, channel, "pause", reason="maintenance until noon")
    assert "maintenance until noon" in main_text(page_of(operator, f"/health/{channel.pk}/"))
    assert offered(operator, channel) == {"probe", "depart", "collect", "resume", "exclusive"}
    assert "In service again" in told(operator, channel, "resume", reason="over")
    assert not fresh(channel, operator).is_paused
    with operator.scope():
        reasons = Event.objects.filter(verb__in=["channel.paused", "channel.resumed"]).order_by("pk")
        assert [(event.reason, event.actor_name) for event in reasons] == [
            ("maintenance until noon", "operator"),
            ("over", "operator"),
        ]


def test_a_broken_channel_is_closed_by_a_person(operator: Person, channel: Channel) -> None:
    with operator.scope():
        Channel.objects.filter(pk=channel.pk).update(
            broken_at=timezone.now(),
            is_paused=True,
            failures=12,
            failing_since=timezone.now(),
            last_error="Nobody.",
        )
    text = main_text(page_of(operator, f"/health/{channel.pk}/"))
    assert "Stopped trying" in text
    assert "12 failures in a row" in text
    assert "resume" in offered(operator, channel)
    told(operator, channel, "resume", reason="their server is back")
    assert fresh(channel, operator).broken_at is None


def test_who_else_collects_is_declared_with_a_reason(operator: Person, channel: Channel) -> None:
    assert "reason" in told(operator, channel, "exclusive", is_exclusive="yes")
    assert not fresh(channel, operator).is_exclusive
    told(operator, channel, "exclusive", is_exclusive="yes", reason="the old software is gone")
    assert fresh(channel, operator).is_exclusive
    assert "faster" in told(operator, channel, "exclusive", is_exclusive="yes", reason="twice")
    told(operator, channel, "exclusive", is_exclusive="", reason="it is back")
    assert not fresh(channel, operator).is_exclusive
    with operator.scope():
        verbs = Event.objects.filter(verb__startswith="channel.made").order_by("pk")
        assert [event.verb for event in verbs] == ["channel.made_exclusive", "channel.made_shared"]


# --- another server key ---------------------------------------------------------------------------------


@pytest.fixture
def changed(operator: Person, channel: Channel) -> Channel:
    with operator.scope():
        Channel.objects.filter(pk=channel.pk).update(
            other_host_key=OTHER_KEY, other_host_key_at=timezone.now(), is_paused=True
        )
    return fresh(channel, operator)


def test_two_people_accept_another_key(operator: Person, second: Person, changed: Channel) -> None:
    new = stopping.fingerprint(OTHER_KEY)
    text = main_text(page_of(operator, f"/health/{changed.pk}/"))
    assert new in text
    assert stopping.fingerprint(changed.host_key) in text
    assert offered(operator, changed) == {"probe", "pause", "exclusive", "key/propose", "key/keep"}
    told(operator, changed, "key/propose", fingerprint=new, reason="the contact centre read it out")
    assert "key/accept" not in offered(operator, changed)
    assert "somebody else has to accept" in main_text(page_of(operator, f"/health/{changed.pk}/"))
    assert "second person" in told(operator, changed, "key/accept", fingerprint=new)
    assert fresh(changed, operator).is_paused
    page = main_text(page_of(second, f"/health/{changed.pk}/"))
    assert "Lou Essai" in page
    assert "the contact centre read it out" in page
    assert "Accepted" in told(second, changed, "key/accept", fingerprint=new)
    found = fresh(changed, operator)
    assert (found.host_key, found.other_host_key, found.is_paused) == (OTHER_KEY, "", False)
    with operator.scope():
        event = Event.objects.get(verb="channel.host_key_accepted")
    assert (event.actor_name, event.data["shown"]) == ("second", new)


def test_what_was_not_compared_is_not_accepted(operator: Person, second: Person, changed: Channel) -> None:
    new = stopping.fingerprint(OTHER_KEY)
    told(operator, changed, "key/propose", fingerprint=new, reason="the contact centre")
    assert "compare" in told(second, changed, "key/accept", fingerprint="SHA256:something else")
    assert fresh(changed, operator).is_paused


def test_one_person_keeps_the_old_key(operator: Person, changed: Channel) -> None:
    new = stopping.fingerprint(OTHER_KEY)
    assert "reason" in told(operator, changed, "key/keep", fingerprint=new)
    told(operator, changed, "key/keep", fingerprint=new, reason="nothing was renewed, they say")
    found = fresh(changed, operator)
    assert (found.other_host_key, found.is_paused) == ("", False)
    assert found.host_key == changed.host_key


# --- departures -----------------------------------------------------------------------------------------


def test_cutoffs_are_typed_as_people_write_them(operator: Person, channel: Channel) -> None:
    address = f"/health/{channel.pk}/departures/"
    answer = operator.client.post(address, {"times_FLA": "16h30; 9:05,12.00", "working_FLA": "on"})
    assert answer["Location"] == f"/health/{channel.pk}/"
    with operator.scope():
        row = Departure.objects.get()
    assert (row.minutes, row.is_on_working_days) == ([545, 720, 990], True)
    form = page_of(operator, address)
    assert form.xpath("//input[@name='times_FLA']/@value") == ["09:05, 12:00, 16:30"]
    assert "09:05, 12:00, 16:30 (on working days)" in " ".join(
        main_text(page_of(operator, f"/health/{channel.pk}/")).split()
    )
    operator.client.post(address, {"times_FLA": "", "working_FLA": "on"})
    with operator.scope():
        assert not Departure.objects.exists()


@pytest.mark.parametrize("times", ["25:00", "10:60", "at noon", "10:30 - 16:30", "<b>"])
def test_what_is_no_time_is_named_and_nothing_changes(operator: Person, channel: Channel, times: str) -> None:
    answer = operator.client.post(f"/health/{channel.pk}/departures/", {"times_FLA": times})
    assert answer.status_code == 422
    summary = html.document_fromstring(answer.content.decode()).find_class("error-summary")[0].text_content()
    assert "Federal Learning Account" in summary
    assert "no time of day" in summary
    with operator.scope():
        assert not Departure.objects.exists()


# --- who may --------------------------------------------------------------------------------------------

DECISIONS = (
    *("probe", "depart", "collect", "pause", "resume", "exclusive", "departures"),
    *("key/propose", "key/accept", "key/keep"),
)


@pytest.mark.parametrize("act", DECISIONS)
def test_who_only_sees_decides_nothing(
    operator: Person, colleague: Person, stranger: Person, changed: Channel, act: str
) -> None:
    assert colleague.client.post(f"/health/{changed.pk}/{act}/", {"reason": "x"}).status_code == 403
    assert stranger.client.post(f"/health/{changed.pk}/{act}/", {"reason": "x"}).status_code == 404
    assert buttons(page_of(colleague, f"/health/{changed.pk}/")) == []
    assert stranger.client.get(f"/health/{changed.pk}/").status_code == 404
    assert str(changed.pk) not in str(page_of(stranger, "/health/").xpath("//main//a/@href"))
    with operator.scope():
        assert not Event.objects.filter(verb__startswith="channel.").exists()
