"""The lists of declarations, and the buttons on one of them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import html

from mandates.numbers import format_enterprise_number
from portal.models import Event
from submissions import questions
from submissions.models import Declaration
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes

pytestmark = pytest.mark.django_db


def rows(person: Person, address: str) -> list[str]:
    answer = person.client.get(address)
    assert answer.status_code == 200, address
    tree = html.document_fromstring(answer.content.decode())
    return [" ".join(row.text_content().split()) for row in tree.xpath("//tbody/tr")]


def messages_after(person: Person, address: str, **data: str) -> str:
    """Presses a button and reads what the next page says."""
    answer = person.client.post(address, data, follow=True)
    assert answer.status_code == 200
    tree = html.document_fromstring(answer.content.decode())
    return " ".join(found.text_content().strip() for found in tree.find_class("message"))


# --- lists ----------------------------------------------------------------------------------------


def test_a_list_shows_whose_training_it_is_and_never_a_whole_number(operator: Person) -> None:
    with operator.scope():
        client = factories.client(name="Hôtel & Fils <3")
        worker = factories.worker(client, family_name="D'Haese", given_name="Zoë")
        factories.declaration(factories.record(worker, title="Hygiène « HACCP »"))
        niss = worker.niss
    (row,) = rows(operator, "/declarations/")
    assert "Hôtel & Fils <3" in row
    assert format_enterprise_number(client.number) in row
    assert "D'Haese, Zoë" in row
    assert f"{niss[:2]}.{niss[2:4]}.{niss[4:6]}-***.**" in row
    assert "Hygiène « HACCP »" in row
    assert "03/03/2025 – 04/03/2025, 15 h 12" in row.replace("\u00a0", " ")
    assert niss not in operator.client.get("/declarations/").content.decode()


def test_each_state_has_its_filter(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        factories.declaration(state=DeclarationState.WITHDRAWN)
        factories.declaration(state=DeclarationState.DRAFT)
        scenes.refused(through=channel)
        scenes.accepted(through=channel)
        (remarked,) = scenes.acknowledged(through=channel).declarations.all()
        scenes.answer(
            remarked,
            DeclarationState.ACCEPTED_WITH_REMARKS,
            [("99005-420", "duration_minutes")],
            anomaly_class="W",
        )
        scenes.dropped(2, through=channel)
        factories.ready(3)
    expected = {
        "": 10, "draft": 1, "ready": 3, "on_its_way": 2, "accepted": 0, "tested": 2, "remarks": 1, "refused": 1,
        "withdrawn": 1, "no-such-state": 10,
    }  # fmt: skip
    found = {state: len(rows(operator, f"/declarations/?state={state}")) for state in expected}
    assert found == expected
    with operator.scope():
        told = questions.state_counts(questions.mine())
    assert {name: told[name] for name in expected if name in told} == {
        name: count for name, count in expected.items() if name in told
    }
    assert "Longer than the days allow" in rows(operator, "/declarations/?state=remarks")[0]


@pytest.mark.parametrize(
    "asked",
    ["boulang", "BOULANGERIE DELV", "hygi", "number", "dotted number", "reference", "client reference"],
)
def test_search_finds_by_employer_title_and_reference(operator: Person, asked: str) -> None:
    with operator.scope():
        wanted = factories.client(name="Boulangerie Delvaux")
        record = factories.record(factories.worker(wanted), title="Hygiène HACCP", client_reference="REF/1")
        declaration = factories.declaration(record)
        factories.declaration(
            factories.record(factories.worker(factories.client(name="Other")), title="Excel")
        )
    asked = {
        "number": wanted.number,
        "dotted number": format_enterprise_number(wanted.number),
        "reference": declaration.reference.lower(),
        "client reference": "ref/1",
    }.get(asked, asked)
    (row,) = rows(operator, f"/declarations/?q={asked}")
    assert "Boulangerie Delvaux" in row


@pytest.mark.parametrize("written", ["{}", "nobody {} here", "dotted"])
def test_a_personal_number_is_not_searched_and_leaves_the_address(operator: Person, written: str) -> None:
    niss = factories.new_niss()
    dotted = f"{niss[:2]}.{niss[2:4]}.{niss[4:6]}-{niss[6:9]}.{niss[9:]}"
    answer = operator.client.get(
        "/declarations/", {"q": dotted if written == "dotted" else written.format(niss)}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/declarations/")
    assert "Personal numbers are never searched" in operator.client.get("/declarations/").content.decode()


def test_a_list_of_one_employer_says_so_and_leads_back(operator: Person) -> None:
    with operator.scope():
        one, other = factories.client(name="One"), factories.client(name="Two")
        factories.ready(2, of=one)
        factories.ready(1, of=other)
    address = f"/declarations/?employer={one.pk}&state=ready"
    assert len(rows(operator, address)) == 2
    tree = html.document_fromstring(operator.client.get(address).content.decode())
    (back,) = tree.xpath("//p[contains(@class, 'page-subtitle')]/a/@href")
    assert len(rows(operator, f"/declarations/{back}")) == 3
    assert [field.get("value") for field in tree.xpath("//main//form[@role='search']/input[@type='hidden']")] == [
        str(one.pk), "ready",
    ]  # fmt: skip


@pytest.mark.parametrize("employer", ["0", "x", "²", "99999999999999999999999", "-1"])
def test_a_list_of_no_employer_is_not_found(operator: Person, employer: str) -> None:
    assert operator.client.get(f"/declarations/?employer={employer}").status_code == 404


@pytest.mark.parametrize("month", ["x", "2026-13", "0000-00", "2026-1", "9999-12", "2025-W1"])
def test_a_month_that_is_none_filters_nothing(operator: Person, month: str) -> None:
    with operator.scope():
        factories.ready()
    assert len(rows(operator, f"/declarations/?month={month}")) == 1


def test_a_list_has_pages_of_fifty(operator: Person) -> None:
    with operator.scope():
        factories.ready(51)
    assert len(rows(operator, "/declarations/?state=ready")) == 50
    assert len(rows(operator, "/declarations/?state=ready&page=2")) == 1
    assert len(rows(operator, "/declarations/?state=ready&page=99")) == 1


@pytest.mark.parametrize("address", ["/declarations/", "/to-correct/"])
def test_a_list_asks_the_same_however_many_rows(operator: Person, address: str) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.client.get(address).status_code == 200
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    with operator.scope():
        channel = factories.channel()
        scenes.refused(through=channel)
        scenes.refused(through=channel)
    few = asked()
    with operator.scope():
        for _ in range(6):
            scenes.refused(through=channel)
    assert asked() == few
    assert few <= 14


def test_the_stranger_sees_nothing_and_finds_no_employer(operator: Person, stranger: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
    assert rows(stranger, "/declarations/") == rows(stranger, "/to-correct/") == []
    assert stranger.client.get(f"/declarations/?employer={refusal.employer_id}").status_code == 404


# --- buttons --------------------------------------------------------------------------------------


def test_declaring_again_makes_one_new_declaration(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
    told = messages_after(operator, f"/declarations/{refusal.pk}/correct/")
    assert told == "Declared. It leaves within a minute."
    with operator.scope():
        new = Declaration.objects.get(replaces=refusal)
        assert new.state == DeclarationState.READY
        event = Event.objects.filter(verb="declaration.created", subject_id=str(new.pk)).get()
        assert event.actor_name == "operator"
    assert "corrected already" in messages_after(operator, f"/declarations/{refusal.pk}/correct/")
    with operator.scope():
        assert Declaration.objects.filter(replaces=refusal).count() == 1


def test_declaring_an_incomplete_record_again_keeps_a_draft(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        type(refusal.record).objects.filter(pk=refusal.record_id).update(nature="")
    assert "draft" in messages_after(operator, f"/declarations/{refusal.pk}/correct/")
    with operator.scope():
        draft = Declaration.objects.get(replaces=refusal)
    assert draft.state == DeclarationState.DRAFT
    assert "missing or wrong" in messages_after(operator, f"/declarations/{draft.pk}/complete/")
    with operator.scope():
        type(refusal.record).objects.filter(pk=refusal.record_id).update(nature="Safety")
    assert "Ready to leave. It leaves" in messages_after(operator, f"/declarations/{draft.pk}/complete/")


def test_withdrawing_asks_for_a_reason_and_keeps_it(operator: Person) -> None:
    with operator.scope():
        (declaration,) = factories.ready()
    address = f"/declarations/{declaration.pk}/withdraw/"
    assert "reason" in messages_after(operator, address, reason="  ")
    assert "Withdrawn" in messages_after(operator, address, reason="Typed twice")
    with operator.scope():
        declaration.refresh_from_db()
        assert declaration.state == DeclarationState.WITHDRAWN
        assert Event.objects.get(verb="declaration.withdrawn").reason == "Typed twice"


def test_what_has_left_is_not_withdrawn(operator: Person) -> None:
    with operator.scope():
        (declaration,) = scenes.dropped().declarations.all()
    assert "has left" in messages_after(
        operator, f"/declarations/{declaration.pk}/withdraw/", reason="Too late"
    )
    with operator.scope():
        declaration.refresh_from_db()
    assert declaration.state == DeclarationState.SENT


@pytest.mark.parametrize("button", ["correct", "withdraw"])
def test_the_colleague_may_not(operator: Person, colleague: Person, button: str) -> None:
    with operator.scope():
        refusal = scenes.refused()
        events = Event.objects.count()
    answer = colleague.client.post(f"/declarations/{refusal.pk}/{button}/", {"reason": "Mine"})
    assert answer.status_code == 403
    assert "Administrative" in answer.content.decode()
    with operator.scope():
        assert Event.objects.count() == events


def test_the_colleague_may_complete_what_he_encoded(operator: Person, colleague: Person) -> None:
    with operator.scope():
        draft = factories.declaration(state=DeclarationState.DRAFT)
    assert "Ready" in messages_after(colleague, f"/declarations/{draft.pk}/complete/")


@pytest.mark.parametrize("button", ["correct", "withdraw", "complete"])
def test_for_the_stranger_it_does_not_exist(operator: Person, stranger: Person, button: str) -> None:
    with operator.scope():
        refusal = scenes.refused()
    answer = stranger.client.post(f"/declarations/{refusal.pk}/{button}/", {"reason": "Mine"})
    assert answer.status_code == 404
    with operator.scope():
        refusal.refresh_from_db()
        assert refusal.state == DeclarationState.REFUSED


@pytest.mark.parametrize("button", ["correct", "withdraw", "complete"])
def test_a_button_is_no_link(operator: Person, button: str) -> None:
    with operator.scope():
        refusal = scenes.refused()
    assert operator.client.get(f"/declarations/{refusal.pk}/{button}/").status_code == 405
