"""The list of sets, one set, and the buttons on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.utils import timezone
from lxml import html

from channels.models import Drop
from portal.models import Event
from submissions.models import Batch, Declaration
from submissions.states import BatchState, DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.test_views_declarations import messages_after, rows
from tests.submissions.test_views_records import bare, buttons, main_text, page_of

pytestmark = pytest.mark.django_db

type Asked = list[tuple[str, list[Any]]]


@pytest.fixture
def asked() -> Iterator[Asked]:
    """Every task handed to the broker, by name, with its arguments."""
    found: Asked = []

    def note(body: tuple[list[Any], Any, Any], headers: dict[str, Any], **_: Any) -> None:
        found.append((headers["task"].rpartition(".")[2], list(body[0])))

    before_task_publish.connect(note)
    yield found
    before_task_publish.disconnect(note)


# --- the list -------------------------------------------------------------------------------------


def test_the_list_has_every_set_with_its_answers(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        batch = scenes.acknowledged(3, through=channel)
        one, two, _three = batch.declarations.all()
        scenes.answer(one, DeclarationState.ACCEPTED)
        scenes.answer(two, DeclarationState.REFUSED, [("99004-152", "ends_on")])
        scenes.parked(through=channel)
        name = f"FI.{batch.envelope.stem}.1.1"
    parked, answered = rows(operator, "/batches/")
    assert "Waits for your decision" in parked
    assert name in answered
    assert "2 of 3 answered" in answered
    assert "3804UDVFMW3Z1" in answered
    assert len(rows(operator, "/batches/?state=parked")) == 1
    assert len(rows(operator, "/batches/?state=answered")) == 0
    assert len(rows(operator, "/batches/?state=nonsense")) == 2


def test_the_list_of_the_stranger_is_empty(operator: Person, stranger: Person) -> None:
    with operator.scope():
        factories.sealed_batch()
    assert rows(stranger, "/batches/") == []


# --- one set --------------------------------------------------------------------------------------


def steps_of(tree: html.HtmlElement) -> list[str]:
    return [step.get("class").split("step-")[-1] for step in tree.xpath("//ol[@class='timeline']/li")]


@pytest.mark.parametrize(
    ("scene", "expected", "told"),
    [
        (factories.sealed_batch, ["done", "current", "todo", "todo", "todo"], "signed with “Canal d'essai”"),
        (scenes.dropped, ["done", "done", "current", "todo", "todo"], "GO last"),
        (scenes.acknowledged, ["done", "done", "done", "current", "todo"], "ticket 3804UDVFMW3Z1"),
        (scenes.rejected, ["done", "done", "failed", "todo", "done"], "ACRF-133"),
        (scenes.parked, ["done", "failed", "todo", "todo", "todo"], "The line broke after GO."),
    ],
)
def test_the_steps_tell_how_far_it_came(operator: Person, scene: Any, expected: list[str], told: str) -> None:
    with operator.scope():
        batch = scene(2, through=factories.channel(environment="T"))
    tree = page_of(operator, f"/batches/{batch.pk}/")
    assert steps_of(tree) == expected
    assert told in main_text(tree)


def test_a_simulation_says_that_it_is_not_signed(operator: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch()
    tree = page_of(operator, f"/batches/{batch.pk}/")
    assert "without signature" in main_text(tree)
    assert not tree.xpath("//a[contains(@href, '/fs/')]")


def test_a_set_shows_its_answers_and_each_filter_its_rows(operator: Person) -> None:
    with operator.scope():
        batch = scenes.acknowledged(4)
        one, two, three, _four = batch.declarations.order_by("position")
        scenes.answer(one, DeclarationState.ACCEPTED)
        scenes.answer(two, DeclarationState.REFUSED, [("00024-179", "INSS")])
        warning = [("99008-326", "charged_minutes")]
        scenes.answer(three, DeclarationState.ACCEPTED_WITH_REMARKS, warning, anomaly_class="W")
    address = f"/batches/{batch.pk}/"
    text = main_text(page_of(operator, address))
    assert "3 answered of 4" in text
    assert "FO.NOTI.999999" in text
    declared = "//table[@data-rows]/tbody/tr"
    found = {
        state: len(page_of(operator, f"{address}?state={state}").xpath(declared))
        for state in ("", "accepted", "refused", "remarks", "waiting", "nonsense")
    }
    assert found == {"": 4, "accepted": 1, "refused": 1, "remarks": 1, "waiting": 1, "nonsense": 4}
    (refused,) = page_of(operator, f"{address}?state=refused").xpath(declared)
    assert "Worker unknown to social security" in refused.text_content()
    assert "1 / 2" in refused.text_content()


def test_what_follows_the_set_gets_the_progress_alone(operator: Person) -> None:
    with operator.scope():
        batch = scenes.acknowledged()
    ask = {"HTTP_HX_REQUEST": "true"}
    same = operator.client.get(f"/batches/{batch.pk}/?seen=acknowledged", **ask)
    assert "HX-Refresh" not in same
    assert "<html" not in same.content.decode()
    assert 'id="progress"' in same.content.decode()
    assert operator.client.get(f"/batches/{batch.pk}/?seen=dropped", **ask)["HX-Refresh"] == "true"


def test_a_closed_set_stops_asking(operator: Person) -> None:
    with operator.scope():
        rejected, waiting = scenes.rejected(), scenes.dropped(through=factories.channel(quality="employer"))
    assert not page_of(operator, f"/batches/{rejected.pk}/").get_element_by_id("progress").get("hx-get")
    assert page_of(operator, f"/batches/{waiting.pk}/").get_element_by_id("progress").get("hx-get")


def test_the_files_are_linked_by_their_names(operator: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch(through=factories.channel(environment="T"))
        part = batch.envelope.parts.get()
        stem, digest = batch.envelope.stem, part.fi_sha256
    tree = page_of(operator, f"/batches/{batch.pk}/")
    links = {link.text_content(): link.get("href") for link in tree.xpath("//a[@download]")}
    assert links == {
        f"FI.{stem}.1.1": f"/files/sent/{part.pk}/fi/",
        f"FS.{stem}.1.1": f"/files/sent/{part.pk}/fs/",
    }
    assert digest in tree.text_content()


@pytest.mark.parametrize(
    ("scene", "offered"),
    [
        (factories.sealed_batch, ["by-hand", "leave"]),
        (scenes.parked, ["by-hand", "collect", "release"]),
        (scenes.dropped, ["collect"]),
        (scenes.acknowledged, ["collect"]),
        (scenes.overdue, ["collect", "release"]),
        (scenes.rejected, ["again"]),
    ],
)
def test_what_is_offered_fits_the_state_and_the_profile(
    operator: Person, colleague: Person, scene: Any, offered: list[str]
) -> None:
    with operator.scope():
        batch = scene()
    assert buttons(page_of(operator, f"/batches/{batch.pk}/")) == offered
    assert buttons(page_of(colleague, f"/batches/{batch.pk}/")) == []


# --- buttons --------------------------------------------------------------------------------------


def test_dropping_now_asks_for_the_task_of_the_sweep(
    operator: Person, asked: Asked, django_capture_on_commit_callbacks: Any
) -> None:
    with operator.scope():
        batch = factories.sealed_batch()
    with django_capture_on_commit_callbacks(execute=True):
        assert "follows" in messages_after(operator, f"/batches/{batch.pk}/leave/")
    assert asked == [("leave_one", [str(operator.mandataire.pk), batch.pk])]
    with operator.scope():
        event = Event.objects.get(verb="batch.drop_asked")
    assert (event.actor_name, event.subject_id) == ("operator", str(batch.pk))


def test_what_left_is_not_dropped_again(
    operator: Person, asked: Asked, django_capture_on_commit_callbacks: Any
) -> None:
    with operator.scope():
        batch = scenes.dropped()
    with django_capture_on_commit_callbacks(execute=True):
        assert "was faster" in messages_after(operator, f"/batches/{batch.pk}/leave/")
    assert asked == []


def test_releasing_asks_how_one_knows_and_keeps_it(
    operator: Person, asked: Asked, django_capture_on_commit_callbacks: Any
) -> None:
    with operator.scope():
        batch = scenes.parked()
    with django_capture_on_commit_callbacks(execute=True):
        assert "reason" in messages_after(operator, f"/batches/{batch.pk}/release/", reason=" ")
        assert asked == []
        assert "Released" in messages_after(operator, f"/batches/{batch.pk}/release/", reason="They said so")
    assert asked == [("leave_one", [str(operator.mandataire.pk), batch.pk])]
    with operator.scope():
        batch.refresh_from_db()
        assert batch.state == BatchState.SEALED
        assert Event.objects.get(verb="batch.released").reason == "They said so"
    assert "was faster" in messages_after(operator, f"/batches/{batch.pk}/release/", reason="Again")


def test_a_set_whose_receipt_may_still_come_is_not_released(operator: Person) -> None:
    with operator.scope():
        batch = scenes.dropped()
    assert "was faster" in messages_after(operator, f"/batches/{batch.pk}/release/", reason="I am impatient")
    with operator.scope():
        batch.refresh_from_db()
        assert batch.state == BatchState.DROPPED


def test_a_set_is_not_released_while_its_go_is_being_put(operator: Person) -> None:
    with operator.scope():
        batch = scenes.parked()
        now = timezone.now() - timedelta(seconds=1)
        Drop.objects.create(
            envelope=batch.envelope, state="go_intended", started_at=now, heartbeat_at=now, go_intended_at=now
        )
    assert "at this very moment" in messages_after(
        operator, f"/batches/{batch.pk}/release/", reason="Why not"
    )
    with operator.scope():
        batch.refresh_from_db()
    assert batch.state == BatchState.PARKED


def test_a_refused_set_is_declared_again_once(operator: Person) -> None:
    with operator.scope():
        batch = scenes.rejected(3)
    assert "Declared again: 3." in messages_after(operator, f"/batches/{batch.pk}/again/")
    assert "Declared again: 0." in messages_after(operator, f"/batches/{batch.pk}/again/")
    with operator.scope():
        assert Declaration.objects.filter(replaces__batch=batch, state="ready").count() == 3
        assert Event.objects.get(verb="batch.sent_again").data == {"count": 3}


def test_only_a_set_refused_as_a_whole_is_sent_again(operator: Person) -> None:
    with operator.scope():
        batch = scenes.acknowledged()
    assert "refused as a whole" in messages_after(operator, f"/batches/{batch.pk}/again/")


BUTTONS = ["leave", "release", "again"]


@pytest.mark.parametrize("button", BUTTONS)
def test_the_colleague_may_not(operator: Person, colleague: Person, button: str) -> None:
    with operator.scope():
        batch = scenes.parked()
    answer = colleague.client.post(f"/batches/{batch.pk}/{button}/", {"reason": "Mine"})
    assert answer.status_code == 403
    assert "Extended" in answer.content.decode()
    with operator.scope():
        assert Batch.objects.get().state == BatchState.PARKED


@pytest.mark.parametrize("button", ["", *(f"{button}/" for button in BUTTONS)])
def test_for_the_stranger_it_is_as_if_it_never_was(operator: Person, stranger: Person, button: str) -> None:
    with operator.scope():
        batch = factories.sealed_batch()
    ask = stranger.client.post if button else stranger.client.get
    hidden, absent = ask(f"/batches/{batch.pk}/{button}"), ask(f"/batches/{10**17}/{button}")
    assert hidden.status_code == absent.status_code == 404
    assert bare(hidden) == bare(absent)
