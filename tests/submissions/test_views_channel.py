"""The page of the channel, and the buttons that do what the sweeps do."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from channels.models import Channel, InboundFile
from portal.models import Event
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.test_views_batches import Asked, asked
from tests.submissions.test_views_declarations import messages_after, rows
from tests.submissions.test_views_records import buttons, main_text, page_of

__all__ = ["asked"]

pytestmark = pytest.mark.django_db

BUTTONS = ["channel/depart", "channel/collect", "channel/stale"]


def test_without_a_channel_the_page_says_what_is_missing(operator: Person) -> None:
    tree = page_of(operator, "/channel/")
    assert "No channel yet" in main_text(tree)
    assert buttons(tree) == []


def test_the_page_shows_public_halves_only(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel(last_contact_at=timezone.now())
    text = main_text(page_of(operator, "/channel/"))
    for expected in (
        channel.sender_number,
        "127.0.0.1:8022",
        "INTEST-S, OUTTEST-S",
        "SHA256:",
        "Canal d'essai",
    ):
        assert expected in text
    assert "In service" in text
    assert "PRIVATE" not in text


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"last_error": "Nobody answers."}, "No contact"),
        ({"is_paused": True, "last_error": "Nobody answers."}, "Paused"),
        ({}, "Not tried yet"),
    ],
)
def test_the_state_is_a_word(operator: Person, fields: dict[str, Any], word: str) -> None:
    with operator.scope():
        factories.channel(**fields)
    text = main_text(page_of(operator, "/channel/"))
    assert word in text
    assert fields.get("last_error", "") in text


def test_what_is_to_look_at_is_counted_and_leads_to_the_files(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        factories.inbound(channel, b"a", state="applied")
    assert "could be read and matched" in main_text(page_of(operator, "/channel/"))
    with operator.scope():
        for number in range(3):
            factories.inbound(channel, b"%d" % number, state="unreadable", reason="No XML.")
    tree = page_of(operator, "/channel/")
    (link,) = tree.xpath("//a[contains(normalize-space(), '3 answers to look at')]/@href")
    assert len(page_of(operator, link).xpath("//tbody/tr[td]")) == 3


@pytest.mark.parametrize(
    ("button", "task", "verb"),
    [("depart", "depart", "channel.departure_asked"), ("collect", "collect", "channel.collection_asked")],
)
def test_a_button_does_what_the_sweep_does(
    operator: Person,
    asked: Asked,
    django_capture_on_commit_callbacks: Any,
    button: str,
    task: str,
    verb: str,
) -> None:
    with operator.scope():
        channel = factories.channel()
    with django_capture_on_commit_callbacks(execute=True):
        assert "Asked" in messages_after(operator, f"/channel/{button}/")
    assert asked == [(task, [str(operator.mandataire.pk), channel.pk])]
    with operator.scope():
        assert Event.objects.get(verb=verb).actor_name == "operator"


def test_collecting_for_a_batch_returns_to_it(operator: Person, stranger: Person) -> None:
    with operator.scope():
        batch = scenes.dropped()
    with stranger.scope():
        factories.channel()
    assert (
        operator.client.post("/channel/collect/", {"batch": batch.pk})["Location"] == f"/batches/{batch.pk}/"
    )
    assert stranger.client.post("/channel/collect/", {"batch": batch.pk}).status_code == 404
    assert operator.client.post("/channel/collect/", {"batch": "//evil"})["Location"] == "/channel/"


def test_looking_after_stale_drops_takes_up_every_sealed_set(
    operator: Person, asked: Asked, django_capture_on_commit_callbacks: Any
) -> None:
    with operator.scope():
        channel = factories.channel()
        sealed = factories.sealed_batch(through=channel)
        scenes.dropped(through=channel)
        scenes.parked(through=channel)
    with django_capture_on_commit_callbacks(execute=True):
        messages_after(operator, "/channel/stale/")
    assert asked == [("leave_one", [str(operator.mandataire.pk), sealed.pk])]


def test_a_file_is_read_again(
    operator: Person, asked: Asked, django_capture_on_commit_callbacks: Any
) -> None:
    with operator.scope():
        file = factories.inbound(factories.channel(), b"?", state="unmatched", reason="Nobody's.")
    (address,) = page_of(operator, "/channel/files/").xpath("//tbody//form/@action")
    with django_capture_on_commit_callbacks(execute=True):
        assert "read again" in messages_after(operator, address)
        assert "was faster" in messages_after(operator, address)
    assert asked == [("apply", [str(operator.mandataire.pk), file.pk])]
    with operator.scope():
        assert InboundFile.objects.get().state == "stored"


@pytest.mark.parametrize("button", BUTTONS)
def test_the_colleague_may_not(operator: Person, colleague: Person, button: str) -> None:
    with operator.scope():
        factories.channel()
    assert buttons(page_of(colleague, "/channel/")) == []
    assert colleague.client.post(f"/{button}/").status_code == 403


def test_the_colleague_may_not_read_a_file_again(operator: Person, colleague: Person) -> None:
    with operator.scope():
        file = factories.inbound(factories.channel(), b"?", state="unmatched")
    assert not page_of(colleague, "/channel/files/").xpath("//tbody//form")
    assert colleague.client.post(f"/channel/files/{file.pk}/replay/").status_code == 403


def test_the_stranger_finds_neither_channel_nor_file(operator: Person, stranger: Person) -> None:
    with operator.scope():
        file = factories.inbound(factories.channel(), b"?", state="unmatched")
    assert rows(stranger, "/channel/files/") == []
    assert [stranger.client.post(f"/{button}/").status_code for button in BUTTONS] == [404] * 3
    assert stranger.client.post(f"/channel/files/{file.pk}/replay/").status_code == 404
    with operator.scope():
        assert Channel.objects.get().collects_at is None
        assert InboundFile.objects.get().state == "unmatched"
