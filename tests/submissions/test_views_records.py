"""The page of one training record, changing it, and declaring the change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from lxml import html

from portal.models import Event
from submissions.models import Declaration
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.test_views_declarations import messages_after

pytestmark = pytest.mark.django_db


def page_of(person: Person, address: str, status: int = 200) -> html.HtmlElement:
    answer = person.client.get(address)
    assert answer.status_code == status
    return html.document_fromstring(answer.content.decode())


def main_text(tree: html.HtmlElement) -> str:
    return " ".join(tree.get_element_by_id("content").text_content().split()).replace("\u00a0", " ")


def buttons(tree: html.HtmlElement) -> list[str]:
    """What is offered about the record on top of the page, links included; another one like it always is."""
    (head,) = tree.find_class("page-head")
    found = head.xpath(".//form/@action | .//div[contains(@class, 'actions')]/a/@href")
    return sorted(address.strip("/").split("/")[-1] for address in found if "like=" not in address)


def form_of(person: Person, record: int) -> dict[str, str]:
    """The fields of the form as a browser would send them back unchanged."""
    form = page_of(person, f"/records/{record}/edit/").xpath("//form[contains(@class, 'form-columns')]")[0]
    return {name: value or "" for name, value in form.form_values() if name != "csrfmiddlewaretoken"}


# --- the page -------------------------------------------------------------------------------------


def test_a_refusal_is_told_in_four_parts(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused(("99004-152", "ends_on"))
    tree = page_of(operator, f"/records/{refusal.record_id}/")
    text = main_text(tree)
    assert "Training after the worker left" in text
    assert "What happened" in text
    assert "If the last day is wrong, correct it." in text
    assert "ErrorID 99004-152" in text
    assert "TagName EndDate" in text
    (end,) = [row for row in tree.xpath("//dl/div") if row.xpath("./dt[text()='Last day']")]
    assert "Training after the worker left" in end.text_content()
    assert refusal.reference in text
    assert refusal.ticket in text


def test_an_unknown_code_is_shown_as_it_came(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused(("98765-999", "WhoKnows"))
        refusal.anomalies.update(label="Something <new>")
    text = main_text(page_of(operator, f"/records/{refusal.record_id}/"))
    assert "Something <new>" in text
    assert "98765-999" in text
    assert "annex 30" in text


def test_the_number_of_the_worker_is_masked(operator: Person) -> None:
    with operator.scope():
        record = factories.record()
        niss = record.worker.niss
    body = operator.client.get(f"/records/{record.pk}/").content.decode()
    assert niss not in body
    assert f"{niss[:2]}.{niss[2:4]}.{niss[4:6]}-***.**" in body


@pytest.mark.parametrize(
    ("state", "offered", "to_the_colleague"),
    [
        ("none", ["declare", "edit"], ["edit"]),
        ("draft", ["complete", "edit", "withdraw"], ["complete", "edit"]),
        ("ready", ["edit", "withdraw"], ["edit"]),
        ("sent", [], []),
        ("refused", ["correct", "edit"], ["edit"]),
        ("accepted", ["cancel", "edit", "modify"], ["edit"]),
        ("withdrawn", ["declare", "edit"], ["edit"]),
    ],
)
def test_what_is_offered_fits_the_state_and_the_profile(
    operator: Person, colleague: Person, state: str, offered: list[str], to_the_colleague: list[str]
) -> None:
    with operator.scope():
        match state:
            case "none":
                record = factories.record()
            case "draft" | "ready" | "withdrawn":
                record = factories.declaration(state=state).record
            case "sent":
                record = scenes.dropped().declarations.get().record
            case "refused":
                record = scenes.refused().record
            case _:
                record = scenes.accepted().record
    assert buttons(page_of(operator, f"/records/{record.pk}/")) == offered
    assert buttons(page_of(colleague, f"/records/{record.pk}/")) == to_the_colleague


def test_the_history_says_who_did_what(operator: Person) -> None:
    with operator.scope():
        (declaration,) = factories.ready()
    operator.client.post(f"/declarations/{declaration.pk}/withdraw/", {"reason": "Typed twice"})
    tree = page_of(operator, f"/records/{declaration.record_id}/")
    events = [" ".join(event.text_content().split()) for event in tree.xpath("//ol[@class='events']/li")]
    assert len(events) == 2
    assert "Declared: Original" in events[0]
    assert events[1].endswith("Withdrawn Lou Essai · Typed twice")


# --- changing -------------------------------------------------------------------------------------


def test_a_form_sent_back_unchanged_changes_nothing(operator: Person) -> None:
    with operator.scope():
        record = factories.record(
            cost_cents=125_050, certificate_valid_until=date(2027, 1, 1), provider="L'École"
        )
    data = form_of(operator, record.pk)
    assert (data["duration_minutes"], data["cost_cents"]) == ("15 h 12", "1250,50")
    assert messages_after(operator, f"/records/{record.pk}/edit/", **data) == "Nothing was changed."
    with operator.scope():
        assert not Event.objects.filter(verb="record.changed").exists()


def test_a_change_is_kept_with_its_fields_and_no_text_that_was_typed(colleague: Person) -> None:
    with colleague.scope():
        record = factories.record()
    data = form_of(colleague, record.pk) | {
        "ends_on": "05/03/2025",
        "duration_minutes": "22:48",
        "title": "Café",
    }
    assert "next step" in messages_after(colleague, f"/records/{record.pk}/edit/", **data)
    with colleague.scope():
        record.refresh_from_db()
        event = Event.objects.get(verb="record.changed")
    assert (record.title, record.ends_on, record.duration_minutes) == ("Café", date(2025, 3, 5), 1368)
    values = {"duration_minutes": [912, 1368], "ends_on": ["2025-03-04", "2025-03-05"]}
    assert event.data == {"fields": ["duration_minutes", "ends_on", "title"], "values": values}
    assert event.actor_name == "colleague"


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("title", "", "Fill in this field"),
        ("ends_on", "01/03/2025", "before the first day"),
        ("duration_minutes", "8", "Write hours and minutes"),
        ("duration_minutes", "7 h 75", "Write hours and minutes"),
        ("ends_on", "31/02/2025", "Write a day that exists"),
        ("cost_cents", "ten", "Write an amount"),
        ("charged_minutes", "99 h", "More is charged"),
        ("status", "", "Fill in this field"),
    ],
)
def test_what_is_wrong_is_told_on_top_and_beside_the_field(
    operator: Person, field: str, typed: str, told: str
) -> None:
    with operator.scope():
        record = factories.record()
    data = form_of(operator, record.pk) | {field: typed, "nature": "Typed and kept"}
    answer = operator.client.post(f"/records/{record.pk}/edit/", data)
    assert answer.status_code == 422
    tree = html.document_fromstring(answer.content.decode())
    (summary,) = tree.find_class("error-summary")
    (link,) = summary.xpath(".//a")
    assert told in link.text_content()
    control = tree.get_element_by_id(link.get("href").removeprefix("#"))
    assert control.get("name") == field
    assert told in tree.get_element_by_id(f"id_{field}_error").text_content()
    assert tree.get_element_by_id("id_nature").get("value") == "Typed and kept"
    if control.tag == "input":
        assert (control.get("value") or "") == typed
    with operator.scope():
        record.refresh_from_db()
        assert record.nature == "Sécurité"


def test_a_change_over_somebody_elses_change_is_refused(operator: Person, colleague: Person) -> None:
    with operator.scope():
        record = factories.record()
    mine, his = form_of(operator, record.pk), form_of(colleague, record.pk)
    colleague.client.post(f"/records/{record.pk}/edit/", his | {"title": "His"})
    answer = operator.client.post(f"/records/{record.pk}/edit/", mine | {"title": "Mine"})
    assert answer.status_code == 422
    assert "Somebody else changed this training" in answer.content.decode()
    with operator.scope():
        record.refresh_from_db()
    assert record.title == "His"


def test_what_awaits_its_answer_is_not_changed(operator: Person) -> None:
    with operator.scope():
        record = scenes.dropped().declarations.get().record
    assert "awaits its answer" in messages_after(operator, f"/records/{record.pk}/edit/", title="Other")
    with operator.scope():
        record.refresh_from_db()
    assert record.title == factories.TRAINING["title"]


def test_the_form_shows_what_was_refused_and_leads_to_the_field(operator: Person) -> None:
    with operator.scope():
        record = scenes.refused(("99004-152", "ends_on")).record
    tree = page_of(operator, f"/records/{record.pk}/edit/")
    (link,) = tree.xpath("//section[contains(@class, 'card-bad')]//a")
    assert (link.get("href"), link.text_content()) == (
        "#id_ends_on",
        "Last day: Training after the worker left",
    )


# --- declaring ------------------------------------------------------------------------------------


def latest(person: Person, record: int) -> Declaration:
    with person.scope():
        return Declaration.objects.filter(record_id=record).latest("pk")


def test_a_change_of_an_accepted_record_is_declared_as_a_modification(operator: Person) -> None:
    with operator.scope():
        accepted = scenes.accepted()
    data = form_of(operator, accepted.record_id) | {"title": "Better"}
    operator.client.post(f"/records/{accepted.record_id}/edit/", data)
    assert "Declared" in messages_after(operator, f"/records/{accepted.record_id}/modify/")
    new = latest(operator, accepted.record_id)
    assert (new.kind, new.earlier_ticket, new.state) == (
        "modification",
        accepted.ticket,
        DeclarationState.READY,
    )


def test_a_cancellation_asks_for_a_reason(operator: Person) -> None:
    with operator.scope():
        accepted = scenes.accepted()
    address = f"/records/{accepted.record_id}/cancel/"
    assert "reason" in messages_after(operator, address)
    assert latest(operator, accepted.record_id) == accepted
    assert "Declared" in messages_after(operator, address, reason="Never took place")
    assert latest(operator, accepted.record_id).kind == "cancellation"
    with operator.scope():
        assert Event.objects.get(verb="record.cancellation_asked").reason == "Never took place"


@pytest.mark.parametrize("button", ["modify", "cancel"])
def test_what_is_not_on_the_account_is_neither_modified_nor_cancelled(operator: Person, button: str) -> None:
    with operator.scope():
        refusal = scenes.refused()
    told = messages_after(operator, f"/records/{refusal.record_id}/{button}/", reason="Wrong")
    assert "on its account" in told
    assert latest(operator, refusal.record_id) == refusal


def test_a_record_is_declared_once(operator: Person) -> None:
    with operator.scope():
        record = factories.record()
    address = f"/records/{record.pk}/declare/"
    assert "Declared" in messages_after(operator, address)
    assert "already" in messages_after(operator, address)
    with operator.scope():
        assert Declaration.objects.filter(record=record).count() == 1


# --- people ---------------------------------------------------------------------------------------

WRITES = ["declare", "modify", "cancel"]


@pytest.mark.parametrize("button", WRITES)
def test_the_colleague_may_not_declare(operator: Person, colleague: Person, button: str) -> None:
    with operator.scope():
        record = factories.record()
    assert colleague.client.post(f"/records/{record.pk}/{button}/").status_code == 403
    with operator.scope():
        assert not Declaration.objects.exists()


def bare(answer: Any) -> str:
    """A page without what differs at each request: the token, and the address that was asked."""
    tree = html.document_fromstring(answer.content.decode())
    for token in tree.xpath("//input[@name='csrfmiddlewaretoken' or @name='next']"):
        token.drop_tree()
    return html.tostring(tree).decode()


@pytest.mark.parametrize("page", ["", "edit/", *(f"{button}/" for button in WRITES)])
def test_for_the_stranger_it_is_as_if_it_never_was(operator: Person, stranger: Person, page: str) -> None:
    with operator.scope():
        record = factories.record()
    ask = stranger.client.post if page.strip("/") in WRITES else stranger.client.get
    hidden, absent = ask(f"/records/{record.pk}/{page}"), ask(f"/records/{10**17}/{page}")
    assert hidden.status_code == absent.status_code == 404
    assert bare(hidden) == bare(absent)
    assert ask(f"/records/{10**30}/{page}").status_code == 404
