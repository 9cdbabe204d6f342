"""The home page: what it counts, where its figures lead, what it asks of the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html

from mandates.models import Mandate
from portal.models import Profile
from submissions.models import Batch
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes

pytestmark = pytest.mark.django_db


def page_of(person: Person, address: str = "/") -> html.HtmlElement:
    answer = person.client.get(address)
    assert answer.status_code == 200
    return html.document_fromstring(answer.content.decode())


def counters(tree: html.HtmlElement) -> dict[str, tuple[str, str]]:
    """Label -> (figure, where it leads)."""
    return {
        card.xpath(".//h2/a")[0].text_content(): (
            card.find_class("counter-number")[0].text_content(),
            card.xpath(".//h2/a/@href")[0],
        )
        for card in tree.find_class("counter")
    }


def titles(tree: html.HtmlElement) -> list[str]:
    return [found.text_content() for found in tree.find_class("todo-title")]


def test_nobody_who_did_not_sign_in_sees_it(client: object) -> None:
    answer = client.get("/")  # type: ignore[attr-defined]
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/")


def test_a_beginner_is_told_that_nothing_waits(operator: Person) -> None:
    tree = page_of(operator)
    assert [figure for figure, _url in counters(tree).values()] == ["0", "0", "0", "0"]
    assert "Nothing waits for you" in tree.text_content()
    assert "No channel yet" in tree.text_content()
    assert "No departure is planned" in tree.text_content()


def test_every_figure_leads_to_exactly_the_rows_it_counts(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        for _ in range(2):
            scenes.refused(through=channel)
        scenes.accepted(through=channel)
        earlier = scenes.accepted(through=channel)
        type(earlier).objects.filter(pk=earlier.pk).update(answered_at=timezone.now() - timedelta(days=40))
        scenes.into_production()
        scenes.accepted(through=channel)
        scenes.dropped(3, through=channel)
        factories.ready(4)
    shown = counters(page_of(operator))
    assert [int(figure) for figure, _url in shown.values()] == [2, 4, 3, 1]
    for figure, url in shown.values():
        rows = page_of(operator, url).xpath("//table[contains(@class, 'table-cards')]/tbody/tr")
        assert len(rows) == int(figure), url


def test_the_share_of_first_tries_counts_refusals_too(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        assert "%" not in page_of(operator).find_class("counters")[0].text_content()
        for _ in range(3):
            scenes.accepted(through=channel)
        scenes.refused(through=channel)
        scenes.into_production()
    assert "75,0\u00a0% at the first try" in page_of(operator).text_content()


def test_a_test_is_not_counted_as_declared(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        scenes.accepted(through=channel)
        scenes.into_production()
        for _ in range(2):
            scenes.accepted(through=channel)
        scenes.refused(through=channel)
    page = page_of(operator)
    assert [int(figure) for figure, _url in counters(page).values()] == [1, 0, 0, 1]
    assert "2 tested, not yet declared" in page.find_class("counters")[0].text_content()


def test_a_correction_takes_its_refusal_off_the_list(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
    assert counters(page_of(operator))["To correct"][0] == "1"
    operator.client.post(f"/declarations/{refusal.pk}/correct/")
    shown = counters(page_of(operator))
    assert (shown["To correct"][0], shown["Ready to leave"][0]) == ("0", "1")


def test_causes_are_grouped_and_name_at_most_three_employers(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        for letter in "ABCDE":
            scenes.refused(through=channel, of=factories.client(name=f"Employer {letter}"))
        scenes.refused(("00011-155", "CompanyID"), through=channel, of=factories.client(name="Alone"))
    tree = page_of(operator)
    assert titles(tree) == ["Training after the worker left", "No active mandate for the service"]
    sentences = [found.text_content() for found in tree.find_class("todo-sentence")]
    assert sentences[0].startswith("Employer A, Employer B, Employer C and 2 others. ")
    assert sentences[1].startswith("Alone (1")
    assert "5 declarations" in tree.find_class("todo-count")[0].text_content()
    leads_to = tree.xpath("//a[contains(@class, 'todo-action')]/@href")
    several, alone = (page_of(operator, url) for url in leads_to)
    assert len(several.xpath("//tbody/tr")) == 5
    # What only one client has leads to the problem itself.
    assert len(alone.find_class("problem-row")) == 1


def test_a_remark_beside_a_refusal_is_no_cause(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        file = refusal.anomalies.get().inbound_file
        scenes.answer(
            refusal,
            DeclarationState.REFUSED,
            [("99008-326", "charged_minutes")],
            file=file,
            anomaly_class="W",
        )
    assert titles(page_of(operator)) == ["Training after the worker left"]


def test_a_refusal_without_any_cause_is_still_listed(operator: Person) -> None:
    with operator.scope():
        (declaration,) = scenes.acknowledged().declarations.all()
        scenes.answer(declaration, DeclarationState.REFUSED)
    tree = page_of(operator)
    assert titles(tree) == ["Refused without a cause"]
    url = tree.xpath("//a[contains(@class, 'todo-action')]/@href")[0]
    assert len(page_of(operator, url).find_class("problem-row")) == 1


def test_decisions_and_late_receipts_are_things_to_do(operator: Person, settings: object) -> None:
    with operator.scope():
        channel = factories.channel()
        scenes.parked(through=channel)
        late = scenes.dropped(through=channel)
        scenes.dropped(through=channel)
        Batch.objects.filter(pk=late.pk).update(dropped_at=timezone.now() - timedelta(hours=2))
    tree = page_of(operator)
    assert titles(tree) == ["A batch waits for your decision", "A receipt is overdue"]
    assert "The line broke after GO." in tree.find_class("todo-sentence")[0].text_content()


def test_answers_that_match_nothing_are_things_to_do(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        factories.inbound(channel, b"?", state="unreadable")
        factories.inbound(channel, b"!", state="unmatched")
        factories.inbound(channel, b".", state="applied")
    tree = page_of(operator)
    assert titles(tree) == ["Answers to look at"]
    assert "2 answers" in tree.find_class("todo-sentence")[0].text_content()
    url = tree.xpath("//a[contains(@class, 'todo-action')]/@href")[0]
    assert len(page_of(operator, url).xpath("//tbody/tr[not(contains(@class, 'day-row'))]")) == 2


def test_ready_without_a_mandate_is_a_thing_to_do(operator: Person) -> None:
    with operator.scope():
        factories.ready(2)
        alone = factories.employer(name="Without mandate")
        factories.ready(3, of=alone)
        factories.active_mandate(factories.employer(), state=Mandate.State.CLOSED)
    tree = page_of(operator)
    assert titles(tree) == ["Ready, but without a mandate"]
    assert "Without mandate" in tree.find_class("todo-sentence")[0].text_content()
    assert "3 declarations" in tree.find_class("todo-count")[0].text_content()


def test_what_the_own_enterprise_declares_waits_for_no_mandate(operator: Person) -> None:
    with operator.scope():
        factories.ready(2, of=factories.employer(number=operator.mandataire.number))
    assert titles(page_of(operator)) == []


def test_a_closed_service_says_why_nothing_leaves(operator: Person) -> None:
    with operator.scope():
        factories.channel(environment="R")
        factories.ready()
    tree = page_of(operator)
    assert titles(tree) == ["Nothing of this service can leave"]
    assert "closed on" in tree.find_class("todo-sentence")[0].text_content()
    assert not tree.find_class("environment")


def test_a_simulation_has_its_bar_and_its_next_departure(operator: Person) -> None:
    with operator.scope():
        factories.channel(environment="S", departs_at=timezone.now() + timedelta(minutes=135))
    tree = page_of(operator)
    assert "Simulation" in tree.find_class("environment")[0].text_content()
    assert "in 2\u00a0h\u00a014" in tree.find_class("page-subtitle")[0].text_content()


def test_a_demonstration_says_so(operator: Person, settings: object) -> None:
    settings.IS_DEMO = True  # type: ignore[attr-defined]
    assert (
        "a simulated social security answers" in page_of(operator).find_class("environment")[0].text_content()
    )


def test_clients_are_fifty_a_page_those_with_most_to_correct_first(operator: Person) -> None:
    with operator.scope():
        for place in range(51):
            factories.employer(name=f"Employer {place:02}")
        scenes.refused(of=factories.client(name="Zebra"))
    first, second = page_of(operator), page_of(operator, "/?page=2")
    names = [name.text_content() for name in first.xpath("//tbody/tr/th/a")]
    assert (len(names), names[0], names[1]) == (50, "Zebra", "Employer 00")
    assert len(second.xpath("//tbody/tr/th/a")) == 2
    assert "52 clients" in first.text_content()


def test_nothing_of_somebody_else_is_counted_or_named(operator: Person, stranger: Person) -> None:
    with operator.scope():
        scenes.refused(of=factories.client(name="Secret Client"))
        factories.ready(2)
    tree = page_of(stranger)
    assert [figure for figure, _url in counters(tree).values()] == ["0", "0", "0", "0"]
    assert "Secret Client" not in tree.text_content()


def test_the_colleague_sees_the_same_work(operator: Person, colleague: Person) -> None:
    with operator.scope():
        scenes.refused()
    assert titles(page_of(colleague)) == titles(page_of(operator))


def test_a_user_without_a_mandataire_finds_no_page(client: object, operator: Person) -> None:
    with operator.scope():
        user = factories.member(operator.mandataire, Profile.ENCODE)
        user.memberships.all().delete()
    client.force_login(user)  # type: ignore[attr-defined]
    assert client.get("/").status_code == 404  # type: ignore[attr-defined]


def test_it_asks_eighteen_questions_however_many_rows(operator: Person) -> None:
    def fill(times: int) -> None:
        with operator.scope():
            for _ in range(times):
                scenes.refused(through=channel)
                scenes.parked(through=channel)
                scenes.accepted(through=channel)
                factories.inbound(channel, f"{timezone.now()}".encode(), state="unmatched")
                factories.ready(2, of=factories.employer())

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator)
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    with operator.scope():
        channel = factories.channel()
    fill(2)
    few = asked()
    fill(6)
    assert asked() == few
    assert few <= 18  # small ones: a single one over all clients and declarations takes a quarter of a second
