"""The list of clients, and adding one."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html

from mandates.models import Employer
from mandates.numbers import format_enterprise_number, quarter_days, quarter_of
from portal.models import Event
from tests import factories
from tests.mandates import scenes
from tests.people import Person
from tests.submissions.test_views_declarations import messages_after, rows
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db


def names(person: Person, query: str = "") -> list[str]:
    return [link.text_content() for link in page_of(person, f"/employers/{query}").xpath("//tbody/tr/th/a")]


def chips(person: Person, query: str = "") -> list[str]:
    tree = page_of(person, f"/employers/{query}")
    return [" ".join(chip.text_content().split()) for chip in tree.find_class("chip")]


def end_of_this_quarter() -> date:
    return quarter_days(quarter_of(timezone.localdate()))[1]


@pytest.fixture
def clients(operator: Person) -> None:
    with operator.scope():
        factories.active_mandate(factories.employer(name="Active"))
        factories.active_mandate(factories.employer(name="Ending"), ends_on=end_of_this_quarter())
        factories.active_mandate(factories.employer(name="Ended"), ends_on=date(2024, 6, 30))
        factories.active_mandate(factories.employer(name="Refused"), state="refused")
        scenes.proposed(factories.employer(name="Pending"))
        factories.employer(name="Bare")


def test_each_client_has_the_mandate_that_says_most(operator: Person, clients: None) -> None:
    with operator.scope():
        scenes.proposed(Employer.objects.get(name="Ended"), date(2026, 1, 1))
    found = {row.split()[0]: row for row in rows(operator, "/employers/")}
    assert list(found) == ["Active", "Bare", "Ended", "Ending", "Pending", "Refused"]
    for name, word in {
        "Active": "Active since 01/04/2024, without an end",
        "Bare": "None –",
        "Ended": "Pending since 01/01/2026",
        "Ending": f"Ends this quarter from 01/04/2024 to {end_of_this_quarter():%d/%m/%Y}",
        "Pending": "Pending since",
        "Refused": "Refused since",
    }.items():
        assert word in found[name], name


def test_filters_count_exactly_the_rows_they_lead_to(operator: Person, clients: None) -> None:
    assert chips(operator) == [
        "All 6",
        "With an active mandate 2",
        "Without an active mandate 4",
        "Ending this quarter 1",
    ]
    assert names(operator, "?state=with") == ["Active", "Ending"]
    assert names(operator, "?state=without") == ["Bare", "Ended", "Pending", "Refused"]
    assert names(operator, "?state=ending") == ["Ending"]
    assert len(names(operator, "?state=nonsense")) == 6


def test_a_client_is_found_by_name_or_number_in_any_spelling(operator: Person, clients: None) -> None:
    with operator.scope():
        number = Employer.objects.get(name="Bare").number
    assert names(operator, "?q=end") == ["Ended", "Ending", "Pending"]
    assert names(operator, "?q=end&state=with") == ["Ending"]
    for asked in (number, format_enterprise_number(number), f"BE {number}"):
        assert names(operator, f"?q={asked}") == ["Bare"]
    assert "No client here" in main_text(page_of(operator, "/employers/?q=nowhere"))
    search = page_of(operator, "/employers/?q=end&state=with").find_class("search")[0]
    assert search.xpath(".//input/@value") == ["with", "end"]


def test_the_stranger_and_the_beginner_see_an_empty_list(
    operator: Person, stranger: Person, clients: None
) -> None:
    assert names(stranger) == []
    assert "Add a client, then propose a mandate." in main_text(page_of(stranger, "/employers/"))


def test_only_who_may_add_is_offered_it(operator: Person, colleague: Person) -> None:
    assert page_of(operator, "/employers/").xpath("//main//a[@href='/employers/new/']")
    assert not page_of(colleague, "/employers/").xpath("//main//a[@href='/employers/new/']")


def test_fifty_a_page_and_the_same_questions_however_many_rows(operator: Person) -> None:
    def fill(number: int) -> None:
        with operator.scope():
            for _ in range(number):
                employer = factories.employer()
                factories.active_mandate(employer, ends_on=date(2024, 6, 30))
                factories.active_mandate(employer, starts_on=date(2024, 7, 1))

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, "/employers/")
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    fill(3)
    few = asked()
    fill(52)
    assert asked() == few <= 12
    assert len(names(operator)) == 50
    assert len(names(operator, "?page=2")) == 5


# --- adding ---------------------------------------------------------------------------------------


FORM = {"name": "Garage & Fils", "onss_number": "1303875-93", "language": "nl"}


def test_a_client_is_added_by_the_numbers_people_write(operator: Person) -> None:
    number = factories.new_enterprise_number()
    told = messages_after(
        operator, "/employers/new/", number=f"BE {format_enterprise_number(number)}", **FORM
    )
    assert "before a mandate is active" in told
    with operator.scope():
        made = Employer.objects.get()
        assert (made.number, made.onss_number, made.name, made.language) == (
            number, "130387593", "Garage & Fils", "nl",
        )  # fmt: skip
        assert Event.objects.get(verb="employer.added").subject_id == str(made.pk)


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("number", "", "This is needed"),
        ("number", "0897.223.671", "check digits"),
        ("number", "2143678935", "establishment"),
        ("name", "", "This is needed"),
        ("onss_number", "123", "9 digits"),
        ("language", "xx", "valid choice"),
    ],
)
def test_a_fault_stands_at_its_field_and_what_was_typed_stays(
    operator: Person, field: str, typed: str, sentence: str
) -> None:
    typed_form = {"number": factories.new_enterprise_number(), **FORM, field: typed}
    answer = operator.client.post("/employers/new/", typed_form)
    assert answer.status_code == 422
    tree = html.document_fromstring(answer.content.decode())
    assert tree.xpath("//*[contains(@class, 'error-summary')]//a/@href") == [f"#id_{field}"]
    assert sentence in tree.get_element_by_id(f"id_{field}_error").text_content()
    assert tree.get_element_by_id("id_name").get("value", "") == typed_form["name"]
    with operator.scope():
        assert not Employer.objects.exists()


def test_a_client_is_added_once_and_by_each_tenant_for_itself(operator: Person, stranger: Person) -> None:
    number = factories.new_enterprise_number()
    assert operator.client.post("/employers/new/", {"number": number, **FORM}).status_code == 302
    again = operator.client.post("/employers/new/", {"number": number, **FORM})
    assert again.status_code == 422
    assert "one of your clients already" in again.content.decode()
    assert stranger.client.post("/employers/new/", {"number": number, **FORM}).status_code == 302
    with operator.scope():
        assert Event.objects.filter(verb="employer.added").count() == 1


def test_the_own_enterprise_stands_with_those_that_may_leave(operator: Person, clients: None) -> None:
    with operator.scope():
        factories.employer(name="Own", number=operator.mandataire.number)
    assert names(operator, "?state=with") == ["Active", "Ending", "Own"]
    assert "Own" not in names(operator, "?state=without")
    found = {row.split()[0]: row for row in rows(operator, "/employers/")}
    assert "Your own enterprise" in found["Own"]


def test_adding_the_own_enterprise_says_that_it_needs_nothing(operator: Person) -> None:
    values = {"number": operator.mandataire.number, "name": "Us", "onss_number": "", "language": "fr"}
    assert "no mandate is needed" in messages_after(operator, "/employers/new/", **values)
