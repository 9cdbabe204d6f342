"""The way of a tested set to production, as the pages show it to those who work here and at the client."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.models import Channel
from mandates.models import Employer
from portal.models import Profile
from submissions.models import Batch, Declaration
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person, signed_in
from tests.submissions import scenes
from tests.submissions.test_promoting import change, tried
from tests.submissions.test_signing_off import at
from tests.submissions.test_views_records import main_text, page_of

D = DeclarationState


@pytest.fixture(autouse=True)
def reopened(settings: Any) -> None:
    """FLA takes declarations in production again."""
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": True})


@pytest.fixture
def batch(operator: Person) -> Batch:
    """Two that are good, one refused, one changed since."""
    with operator.scope():
        made = tried(4, factories.channel(), "1", "1", "0", "1")
        change(factories.declarations_of(made)[3].record)
        return made


def promote(person: Person, batch: Batch) -> str:
    answer = person.client.post(f"/batches/{batch.pk}/promote/", follow=True)
    assert answer.status_code == 200
    return main_text(page_of(person, f"/batches/{batch.pk}/")) + answer.content.decode()


def test_the_page_says_what_goes_and_what_is_left_out(operator: Person, batch: Batch) -> None:
    page = page_of(operator, f"/batches/{batch.pk}/")
    text = main_text(page)
    assert "2 declarations were accepted here, are unchanged since, and can be sent to production." in text
    assert "Refused in the test (1) Correct it and declare it again" in text
    assert "Changed since it was tested (1) Declare its present content" in text
    assert page.xpath("//form[@action=$url]//button", url=f"/batches/{batch.pk}/promote/")
    assert "Simulation" in [badge.text_content() for badge in page.find_class("badge-environment")]
    left_out = page_of(operator, f"/batches/{batch.pk}/?state=left_out")
    rows = [" ".join(row.text_content().split()) for row in left_out.xpath("//table[@data-rows]/tbody/tr")]
    assert len(rows) == 2
    assert "Not for production: refused in the test" in rows[0]
    assert "Not for production: changed since it was tested" in rows[1]


def test_the_button_declares_for_production_once(operator: Person, batch: Batch) -> None:
    assert "Declared for production: 2." in promote(operator, batch)
    text = promote(operator, batch)
    assert "Nothing of this batch is left to send to production." in text
    with operator.scope():
        assert Declaration.objects.production().count() == 2


def test_who_may_not_send_sees_what_is_tested_and_no_button(operator: Person, batch: Batch) -> None:
    clerk = signed_in(operator.mandataire, Profile.ADMINISTRATIVE, "clerk")
    page = page_of(clerk, f"/batches/{batch.pk}/")
    assert "can be sent to production" in main_text(page)
    assert not page.xpath("//form[@action=$url]", url=f"/batches/{batch.pk}/promote/")
    assert clerk.client.post(f"/batches/{batch.pk}/promote/").status_code == 403


def test_what_stands_in_the_way_is_told_instead_of_the_button(
    operator: Person, batch: Batch, settings: Any
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": False})
    page = page_of(operator, f"/batches/{batch.pk}/")
    assert "social security registers nothing any more" in main_text(page)
    assert not page.xpath("//form[@action=$url]", url=f"/batches/{batch.pk}/promote/")


def test_a_page_of_many_asks_no_more_than_one_of_few(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        few, many = tried(2, channel), tried(30, channel)

    def asked(batch: Batch) -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, f"/batches/{batch.pk}/")
        return len(queries)

    assert asked(many) == asked(few) <= 34


def story(person: Person, declaration: Declaration) -> str:
    return main_text(page_of(person, f"/records/{declaration.record_id}/"))


def test_a_training_that_was_only_tested_is_not_declared(operator: Person, batch: Batch) -> None:
    with operator.scope():
        tested = factories.declarations_of(batch)[0]
    page = page_of(operator, f"/records/{tested.record_id}/")
    title = page.find_class("page-title")[0]
    assert [badge.text_content().strip() for badge in title.find_class("badge")] == [
        "Tested, not yet declared",
        "Simulation",
    ]
    assert "it goes to production with its batch" in main_text(page)
    assert "Simulation: accepted" in page.xpath("string(//section[@aria-labelledby='events-title'])")
    promote(operator, batch)
    page = page_of(operator, f"/records/{tested.record_id}/")
    title = page.find_class("page-title")[0]
    assert [badge.text_content().strip() for badge in title.find_class("badge")] == [
        "Ready to leave",
        "Production",
    ]
    assert "it goes to production with its batch" not in main_text(page)


def test_once_production_accepts_it_it_is_declared(operator: Person, batch: Batch) -> None:
    promote(operator, batch)
    with operator.scope():
        made = Declaration.objects.production().order_by("pk")[0]
        (sealed,) = factories.seal(Channel.objects.get(), environment="R")
        Declaration.objects.filter(batch=sealed).update(state=D.ACCEPTED, ticket="0A1B2C3D4E5F6")
    assert "not yet declared" not in story(operator, made)
    rows = page_of(operator, "/declarations/?state=accepted").xpath("//table[@data-rows]/tbody/tr")
    assert len(rows) == 2


def test_a_channel_in_production_declares_what_was_tested_one_by_one(operator: Person, batch: Batch) -> None:
    clerk = signed_in(operator.mandataire, Profile.ADMINISTRATIVE, "clerk")
    with operator.scope():
        tested = factories.declarations_of(batch)[3]
    url = f"/records/{tested.record_id}/declare/"
    assert not page_of(clerk, f"/records/{tested.record_id}/").xpath("//form[@action=$url]", url=url)
    assert "declared already" in clerk.client.post(url, follow=True).content.decode()
    with operator.scope():
        Channel.objects.update(environment="R")
    assert page_of(clerk, f"/records/{tested.record_id}/").xpath("//form[@action=$url]", url=url)
    clerk.client.post(url)
    with operator.scope():
        made = Declaration.objects.production().get()
        assert (made.record_id, made.kind, made.earlier_ticket) == (tested.record_id, "original", "")


# --- at the client --------------------------------------------------------------------------------


@pytest.fixture
def company(operator: Person) -> Employer:
    with operator.scope():
        return factories.client()


def test_an_employer_is_told_plainly_that_nothing_is_declared(operator: Person, company: Employer) -> None:
    boss = at(operator, company)
    with operator.scope():
        tested = scenes.accepted(of=company)
    page = page_of(boss, "/")
    figures = {
        card.findtext(".//a"): card.find_class("counter-number")[0].text_content()
        for card in page.find_class("counter")
    }
    assert (figures["Tested, not yet declared"], figures["Accepted"]) == ("1", "0")
    (row,) = page.xpath("//table[@data-rows]/tbody/tr")
    assert "Tested, not yet declared" in row.text_content()
    listed = page_of(boss, "/declarations/?state=tested").xpath("//table[@data-rows]/tbody/tr")
    assert len(listed) == 1
    text = story(boss, tested)
    assert "a test counts for nothing until it is sent to production" in text
    assert "with its batch" not in text


def test_an_employer_whose_trainings_are_declared_hears_of_no_test(
    operator: Person, company: Employer
) -> None:
    boss = at(operator, company)
    with operator.scope():
        declared = scenes.accepted(of=company)
        scenes.into_production()
    assert "Tested" not in main_text(page_of(boss, "/"))
    assert "Tested" not in story(boss, declared)
