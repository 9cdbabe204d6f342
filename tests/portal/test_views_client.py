"""The page of one client, and why nothing leaves for it: there and on the home page."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mandates import granting
from tests import factories
from tests.mandates import scenes
from tests.people import Person
from tests.submissions import scenes as declared
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db


def test_it_shows_who_it_is_and_every_mandate(operator: Person) -> None:
    with operator.scope():
        employer = factories.employer(
            name="Hôtel & Fils <3", number="0897223670", onss_number="130387593", language="nl"
        )
        factories.active_mandate(employer, ends_on=date(2024, 6, 30))
        granting.refuse(scenes.proposed(employer, date(2026, 1, 1)), "Not <now>")
        scenes.granted(employer, date(2024, 7, 1))
    tree = page_of(operator, f"/employers/{employer.pk}/")
    text = main_text(tree)
    for part in ("Hôtel & Fils <3", "0897.223.670", "1303875-93", "Dutch", "Not <now>"):
        assert part in text
    states = [badge.text_content().strip() for badge in tree.xpath("//tbody//*[contains(@class, 'badge')]")]
    assert states == ["Refused", "Active", "Closed"]
    (drawing,) = tree.find_class("quarters")
    assert [one.text_content() for one in drawing.find_class("lane-word")] == ["Active"]


def test_counts_lead_to_exactly_the_rows_they_count(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        employer = factories.client()
        declared.accepted(through=channel, of=employer)
        declared.refused(through=channel, of=employer)
        declared.into_production()
        for _ in range(2):
            declared.accepted(through=channel, of=employer)
        factories.ready(2, of=employer)
        factories.ready(4, of=factories.client())
    lines = page_of(operator, f"/employers/{employer.pk}/").xpath("//dl[@class='facts']/div")
    counts = {
        line.find("dt").text_content(): line.xpath("string(dd)").split(":")[0].strip() for line in lines
    }
    assert counts == {
        "All": "6", "To complete": "0", "Ready": "2", "On their way": "0",
        "Accepted": "1", "Tested, not yet declared": "2", "Refused": "1", "Withdrawn": "0",
    }  # fmt: skip
    for line in lines:
        for url in line.xpath(".//a/@href"):
            found = page_of(operator, url).xpath("//tbody/tr")
            assert len(found) == int(counts[line.find("dt").text_content()]), url


def test_the_own_enterprise_needs_no_mandate_and_says_so(operator: Person) -> None:
    with operator.scope():
        own = factories.employer(number=operator.mandataire.number)
    tree = page_of(operator, f"/employers/{own.pk}/")
    assert "This is your own enterprise: no mandate is needed." in main_text(tree)
    assert not tree.find_class("card-warn")
    assert not tree.xpath("//main//a[contains(@href, '/mandates/new/')]")
    refused = operator.client.post(f"/employers/{own.pk}/mandates/new/", {"starts": "20264", "ends": ""})
    assert refused.status_code == 422
    assert "This is your own enterprise" in refused.content.decode()


def test_a_client_that_may_not_leave_says_why_and_leads_to_the_cure(operator: Person) -> None:
    with operator.scope():
        bare, waiting, free = (factories.employer(), factories.employer(), factories.client())
        mandate = scenes.proposed(waiting)
    tree = page_of(operator, f"/employers/{bare.pk}/")
    assert "There is no mandate" in tree.find_class("card-warn")[0].text_content()
    assert tree.xpath("//main//a[contains(@class, 'button-main')]/@href") == [
        f"/employers/{bare.pk}/mandates/new/"
    ]
    tree = page_of(operator, f"/employers/{waiting.pk}/")
    assert "waits for both parties" in tree.find_class("card-warn")[0].text_content()
    assert f"/mandates/{mandate.pk}/" in tree.find_class("card-warn")[0].xpath(".//a/@href")
    assert not page_of(operator, f"/employers/{free.pk}/").find_class("card-warn")


def test_home_leads_to_the_client_that_is_held_back_or_to_all_of_them(operator: Person) -> None:
    with operator.scope():
        alone = factories.employer()
        factories.ready(3, of=alone)
    action = "//a[contains(@class, 'todo-action')]/@href"
    assert page_of(operator, "/").xpath(action) == [f"/employers/{alone.pk}/"]
    with operator.scope():
        factories.ready(1, of=factories.employer(name="Another"))
        factories.client(name="Not concerned")
    (url,) = page_of(operator, "/").xpath(action)
    assert len(page_of(operator, url).xpath("//tbody/tr")) == 2


def test_the_history_reads_as_sentences_with_names_and_reasons(operator: Person) -> None:
    with operator.scope():
        employer = factories.employer()
        granting.withdraw(scenes.proposed(employer), "Wrong <client>")
    text = main_text(page_of(operator, f"/employers/{employer.pk}/"))
    assert "Proposal of the mandate taken back Lou Essai · Wrong <client>" in text
    assert "Mandate proposed from 01/04/2024" in text


def test_it_asks_the_same_however_many_mandates_and_events(operator: Person) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, f"/employers/{employer.pk}/")
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    with operator.scope():
        employer = factories.employer()
        scenes.proposed(employer)
        factories.ready(of=employer)
    few = asked()
    with operator.scope():
        for year in (2024, 2025):
            scenes.granted(factories.employer(), date(year, 4, 1))
            granting.withdraw(employer.mandates.filter(state="pending").get(), "Again")
            scenes.proposed(employer)
        factories.ready(5, of=employer)
    assert asked() == few <= 26
