"""The page of the first set: what it asks for, what it offers to whom, and when the step is done."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html

from channels import checklist
from channels.models import Channel
from portal.models import ChannelProfile, Event, Grant, GrantEmployer, MandateProfile, Profile
from submissions import declaring
from submissions.models import Batch
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.test_views_batches import Asked, asked
from tests.submissions.test_views_declarations import messages_after
from tests.submissions.test_views_records import main_text, page_of

__all__ = ["asked"]

pytestmark = pytest.mark.django_db

PAGE = "/channel/first-set/"
SEND = {"page": "first_set", "environment": "S"}


@pytest.fixture
def manager(stranger: Person) -> Person:
    """Holds everything: whoever sets up the channel."""
    return stranger


@pytest.fixture
def channel(manager: Person) -> Channel:
    """In service, in simulation; nothing left yet."""
    with manager.scope():
        return factories.channel()


def step_of(channel: Channel) -> checklist.Step:
    (found,) = [step for step in checklist.steps(channel) if step.key == "first_set"]
    return found


def buttons(page: html.HtmlElement) -> list[str]:
    return [str(action).strip("/") for action in page.xpath("//*[@id='first-set']//form/@action")]


def links(person: Person) -> list[str]:
    return [str(href) for href in page_of(person, PAGE).xpath("//main//*[@id='first-set']//a/@href")]


def test_the_page_comes_after_the_channel_is_in_service(manager: Person) -> None:
    assert manager.client.get(PAGE).status_code == 404, "there is no channel"
    with manager.scope():
        channel = factories.channel(is_set_up=False, is_paused=True)
        assert (step_of(channel).is_done, step_of(channel).action) == (False, "")
    answer = manager.client.get(PAGE)
    assert (answer.status_code, answer["Location"]) == (302, "/channel/setup/")


def test_without_anything_ready_it_leads_to_what_makes_something_ready(
    manager: Person, channel: Channel
) -> None:
    assert "Nothing is ready to leave yet" in main_text(page_of(manager, PAGE))
    assert buttons(page_of(manager, PAGE)) == []
    assert links(manager) == ["/channel/environment/", "/files/new/", "/documents/new/"]
    with manager.scope():
        declaring.declare([factories.record(factories.worker(factories.client()), title="")], "FLA")
    assert links(manager)[1] == "/declarations/?state=draft"


def test_what_is_ready_can_be_sent_and_the_page_waits_for_it(
    manager: Person, channel: Channel, asked: Asked, django_capture_on_commit_callbacks: Any
) -> None:
    with manager.scope():
        factories.ready(2)
        factories.ready(1, of=factories.employer(name="Sans mandat"))
    shown = page_of(manager, PAGE)
    assert "2 declarations are ready to leave" in main_text(shown)
    assert "Sans mandat" in main_text(shown), "held back, with what to do"
    assert buttons(shown) == ["channel/depart"]
    assert not shown.xpath("//*[@data-poll]")
    with django_capture_on_commit_callbacks(execute=True):
        answer = manager.client.post("/channel/depart/", SEND)
    assert answer["Location"] == f"{PAGE}?asked=yes"
    assert [task for task, *_rest in asked] == ["depart"]
    waiting = page_of(manager, answer["Location"])
    assert waiting.xpath("//*[@data-poll]/@hx-get") == [answer["Location"]]
    with manager.scope():
        factories.seal(channel)
    under_way = page_of(manager, answer["Location"])
    assert under_way.xpath("//*[@data-poll]/@hx-get") == [PAGE]
    assert buttons(under_way) == ["channel/collect"]
    back = manager.client.post("/channel/collect/", {"page": "first_set"})
    assert back["Location"] == PAGE


def test_nothing_leaves_for_production_from_here(
    manager: Person, channel: Channel, asked: Asked, django_capture_on_commit_callbacks: Any
) -> None:
    with manager.scope():
        factories.ready(1)
        Channel.objects.update(environment="R")
    shown = page_of(manager, PAGE)
    assert "choose the simulation before the first set" in main_text(shown)
    assert buttons(shown) == []
    with django_capture_on_commit_callbacks(execute=True):
        told = messages_after(manager, "/channel/depart/", **SEND)
    assert "was changed meanwhile" in told, "a page that was opened before the change sends nothing"
    assert asked == []
    with manager.scope():
        assert not Event.objects.filter(verb="channel.departure_asked").exists()


def test_a_receipt_is_no_answer(manager: Person, channel: Channel) -> None:
    with manager.scope():
        batch = scenes.acknowledged(1, through=channel)
        factories.inbound(channel, b"receipt", state="applied", kind="ACRF", envelope=batch.envelope)
        assert not step_of(channel).is_done
        factories.inbound(channel, b"nobody's", state="unmatched", kind="NOTI")
        assert not step_of(channel).is_done
        factories.inbound(channel, b"answer", state="applied", kind="NOTI", envelope=batch.envelope)
        assert step_of(channel).is_done
        assert checklist.first_answer(factories.channel(quality="employer")) is None, "of this channel"


def test_the_answer_stands_on_the_page(manager: Person, channel: Channel) -> None:
    with manager.scope():
        batch = scenes.acknowledged(2, through=channel)
        refused, accepted = batch.declarations.order_by("position")
        scenes.answer(refused, DeclarationState.REFUSED, [("99004-152", "ends_on")])
        scenes.answer(accepted, DeclarationState.ACCEPTED)
        factories.inbound(channel, b"answer", state="applied", kind="NOTI", envelope=batch.envelope)
        scenes.acknowledged(1, through=channel)
    shown = page_of(manager, PAGE)
    text = main_text(shown)
    assert "Social security answered" in text
    assert "1 accepted" in text
    assert "1 refused" in text
    assert shown.xpath(f"//main//a[@href='/batches/{batch.pk}/']"), (
        "the set that was answered, not the latest"
    )
    assert not shown.xpath("//*[@data-poll]")
    assert buttons(shown) == []


def test_a_set_that_was_refused_as_a_whole_says_why_and_another_may_follow(
    manager: Person, channel: Channel
) -> None:
    with manager.scope():
        scenes.rejected(1, through=channel)
        factories.ready(1)
        assert Batch.objects.count() == 1
    shown = page_of(manager, PAGE)
    assert "refused as a whole" in main_text(shown)
    assert buttons(shown) == ["channel/depart"]


def test_who_may_not_see_declarations_gets_numbers_and_no_links(
    manager: Person, channel: Channel, django_assert_max_num_queries: Any
) -> None:
    with manager.scope():
        factories.ready(2, of=factories.client(name="Client discret"))
        factories.ready(1, of=factories.employer(name="Sans mandat"))
        one = factories.employer()
        keeper = factories.place(manager.mandataire, ChannelProfile.MANAGE)
        limited = factories.place(manager.mandataire, ChannelProfile.MANAGE)
        for profile in (Profile.EXTENDED, MandateProfile.SEE):
            grant = Grant.objects.create(member=limited, application=profile.application, profile=profile)
            GrantEmployer.objects.create(grant=grant, employer=one)
    for member in (keeper, limited):
        client = Client()
        client.force_login(member.user)
        with django_assert_max_num_queries(30):
            answer = client.get(PAGE)
        text = answer.content.decode()
        assert "2 declarations are ready to leave" in text
        assert "1 more waits for the mandate" in text
        assert "Sans mandat" not in text
        assert "/files/new/" not in text
    with manager.scope():
        scenes.acknowledged(1, through=channel)
    text = client.get(PAGE).content.decode()
    assert "/batches/" not in text
    assert "Boulangerie" not in text
