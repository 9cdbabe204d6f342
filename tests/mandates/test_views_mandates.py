"""The list of mandates, one mandate, and the steps people take on it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html

from mandates import granting
from mandates.models import Mandate, Procuration
from mandates.numbers import quarter_after, quarter_days, quarter_of
from portal.models import Event, MandateProfile
from tests import factories
from tests.mandates import scenes
from tests.people import Person
from tests.submissions.test_views_declarations import messages_after, rows
from tests.submissions.test_views_records import buttons, main_text, page_of

pytestmark = pytest.mark.django_db


def upload(content: bytes = scenes.PDF, name: str = "Procuration signée.pdf") -> Any:
    return SimpleUploadedFile(name, content, "application/pdf")


def this_quarter() -> str:
    return quarter_of(timezone.localdate())


# --- the list -------------------------------------------------------------------------------------


def test_the_list_filters_by_how_they_stand_and_by_employer(operator: Person) -> None:
    with operator.scope():
        factories.active_mandate(factories.employer(name="Alpha"))
        factories.active_mandate(factories.employer(name="Beta"), ends_on=quarter_days(this_quarter())[1])
        scenes.proposed(factories.employer(name="Gamma"))
        factories.active_mandate(factories.employer(name="Delta"), ends_on=date(2024, 6, 30))
    chips = [" ".join(c.text_content().split()) for c in page_of(operator, "/mandates/").find_class("chip")]
    assert chips == ["All 4", "Pending 1", "Active 1", "Ending this quarter 1", "Closed 1"]
    for query, expected in {
        "": ["Delta", "Gamma", "Beta", "Alpha"],
        "?state=ending": ["Beta"],
        "?state=ended": ["Delta"],
        "?state=pending": ["Gamma"],
        "?q=alph": ["Alpha"],
        "?q=alph&state=pending": [],
        "?state=nonsense": ["Delta", "Gamma", "Beta", "Alpha"],
    }.items():
        assert [row.split()[0] for row in rows(operator, f"/mandates/{query}")] == expected, query


def test_the_stranger_sees_none(operator: Person, stranger: Person) -> None:
    with operator.scope():
        scenes.granted()
    assert rows(stranger, "/mandates/") == []


def test_fifty_a_page_and_the_same_questions_however_many_rows(operator: Person) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, "/mandates/")
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    def fill(number: int) -> None:
        with operator.scope():
            for _ in range(number):
                factories.client()

    fill(2)
    few = asked()
    fill(50)
    assert asked() == few <= 11
    assert len(rows(operator, "/mandates/")) == 50


# --- proposing ------------------------------------------------------------------------------------


def test_a_proposal_is_made_of_quarters(operator: Person) -> None:
    with operator.scope():
        employer = factories.employer()
    now = this_quarter()
    tree = page_of(operator, f"/employers/{employer.pk}/mandates/new/")
    starts = tree.xpath("//select[@name='starts']/option/@value")
    assert now in starts
    assert min(starts) >= "20242"
    assert max(starts) == quarter_after(now, 4)
    ends = quarter_after(now, 1)
    answer = operator.client.post(f"/employers/{employer.pk}/mandates/new/", {"starts": now, "ends": ends})
    with operator.scope():
        mandate = Mandate.objects.get()
        assert (mandate.starts_on, mandate.ends_on) == (quarter_days(now)[0], quarter_days(ends)[1])
        assert mandate.state == "pending"
    assert answer["Location"] == f"/mandates/{mandate.pk}/"


@pytest.mark.parametrize(
    ("typed", "anchor", "sentence"),
    [
        ({"starts": "", "ends": ""}, "#id_starts", "This is needed"),
        ({"starts": "19001", "ends": ""}, "#id_starts", "valid choice"),
        ({"starts": "next", "ends": "now"}, "#id_ends", "comes before"),
    ],
)
def test_a_fault_stands_at_its_field(
    operator: Person, typed: dict[str, str], anchor: str, sentence: str
) -> None:
    with operator.scope():
        employer = factories.employer()
    named = {"next": quarter_after(this_quarter()), "now": this_quarter()}
    values = {name: named.get(value, value) for name, value in typed.items()}
    answer = operator.client.post(f"/employers/{employer.pk}/mandates/new/", values)
    assert answer.status_code == 422
    tree = html.document_fromstring(answer.content.decode())
    assert anchor in tree.xpath("//*[contains(@class, 'error-summary')]//a/@href")
    assert sentence in tree.get_element_by_id(anchor[1:] + "_error").text_content()


def test_a_conflict_is_told_on_the_form_without_a_name(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        theirs = scenes.granted()
    with operator.scope():
        employer = factories.employer(number=theirs.employer_number)
    answer = operator.client.post(
        f"/employers/{employer.pk}/mandates/new/", {"starts": this_quarter(), "ends": ""}
    )
    assert answer.status_code == 422
    text = html.document_fromstring(answer.content.decode()).text_content()
    assert "Another mandataire holds the mandate" in text
    assert stranger.mandataire.name not in text
    with operator.scope():
        assert not Mandate.objects.exists()


# --- one mandate ----------------------------------------------------------------------------------


def test_both_parties_validate_on_the_page(operator: Person) -> None:
    with operator.scope():
        mandate = scenes.proposed()
    address = f"/mandates/{mandate.pk}/"
    assert buttons(page_of(operator, address)) == ["refuse", "validate", "withdraw"]
    assert "once the employer" in messages_after(operator, f"{address}validate/")
    assert buttons(page_of(operator, address)) == ["refuse", "withdraw"]
    answer = operator.client.post(f"{address}procuration/", {"procuration": upload()}, follow=True)
    tree = html.document_fromstring(answer.content.decode())
    assert "the mandate is granted" in tree.find_class("message")[0].text_content()
    assert buttons(tree) == ["close"]
    assert "Procuration signée.pdf" in main_text(tree)
    events = [one.text_content().strip() for one in tree.xpath("//ol[@class='events']//div/p[1]")]
    assert events == [
        "Mandate active from 01/04/2024",
        "Mandate validated by the employer, by a signed procuration",
        "Mandate validated by the mandataire",
        "Mandate proposed from 01/04/2024",
        "Mandate prepared",
    ]
    assert "was faster" in messages_after(operator, f"{address}validate/")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "Choose the signed procuration"),
        ({"procuration": b""}, "Choose the signed procuration"),
        ({"procuration": b"PK not a pdf"}, "This is not a PDF"),
        ({"procuration": scenes.PDF + b" " * 5_000_000}, "too large"),
        ({"procuration": scenes.PDF + b" " * 6_000_000}, "Choose the signed procuration"),
    ],
)
def test_what_is_no_procuration_is_told_at_its_field(
    operator: Person, files: dict[str, bytes], sentence: str
) -> None:
    with operator.scope():
        mandate = scenes.proposed()
    data = {name: upload(content) for name, content in files.items()}
    answer = operator.client.post(f"/mandates/{mandate.pk}/procuration/", data)
    assert answer.status_code == 422
    tree = html.document_fromstring(answer.content.decode())
    assert sentence in tree.get_element_by_id("id_procuration_error").text_content()
    with operator.scope():
        assert not Procuration.objects.exists()
        assert Mandate.objects.get().validated_by_employer_at is None


def test_refusing_and_taking_back_ask_for_a_reason(operator: Person) -> None:
    with operator.scope():
        refused, withdrawn = scenes.proposed(), scenes.proposed()
    assert "reason" in messages_after(operator, f"/mandates/{refused.pk}/refuse/", reason=" ")
    assert "does not come about" in messages_after(
        operator, f"/mandates/{refused.pk}/refuse/", reason="He <signs> nothing"
    )
    assert "Taken back" in messages_after(operator, f"/mandates/{withdrawn.pk}/withdraw/", reason="Mine")
    tree = page_of(operator, f"/mandates/{refused.pk}/")
    assert "He <signs> nothing" in main_text(tree)
    assert buttons(tree) == []
    with operator.scope():
        assert Event.objects.get(verb="mandate.refused").actor_name == "operator"


def test_what_is_prepared_is_proposed_by_a_button(operator: Person) -> None:
    with operator.scope():
        mandate = factories.active_mandate(state="to_finalise")
    assert buttons(page_of(operator, f"/mandates/{mandate.pk}/")) == ["edit", "finalise", "withdraw"]
    assert "Proposed" in messages_after(operator, f"/mandates/{mandate.pk}/finalise/")


def test_a_mandate_may_be_prepared_changed_and_then_proposed(operator: Person) -> None:
    with operator.scope():
        employer = factories.employer()
    now = this_quarter()
    told = messages_after(
        operator, f"/employers/{employer.pk}/mandates/new/", starts=now, ends="", prepare="1"
    )
    assert "before you propose it" in told
    with operator.scope():
        mandate = Mandate.objects.get()
        assert mandate.state == "to_finalise"
    edit = f"/mandates/{mandate.pk}/edit/"
    assert edit in page_of(operator, f"/mandates/{mandate.pk}/").xpath("//main//a/@href")
    later = quarter_after(now)
    assert "Prepared" in messages_after(operator, edit, starts=later, ends=later, prepare="1")
    chosen = page_of(operator, edit).xpath("//option[@selected]/@value")
    assert chosen == [later, later]
    assert "Proposed" in messages_after(operator, edit, starts=now, ends=later)
    with operator.scope():
        mandate.refresh_from_db()
        assert (mandate.state, mandate.starts_on) == ("pending", quarter_days(now)[0])
        assert mandate.ends_on == quarter_days(later)[1]
    assert "do not change any more" in messages_after(operator, edit, starts=later, ends="")
    assert edit not in page_of(operator, f"/mandates/{mandate.pk}/").xpath("//main//a/@href")


def test_other_quarters_meet_the_same_conflicts_and_not_their_own_mandate(operator: Person) -> None:
    now = this_quarter()
    first, last = quarter_days(now)
    with operator.scope():
        employer = factories.employer()
        scenes.granted(employer, ends_on=quarter_days(quarter_after(now, -1))[1])
        mandate = granting.prepare(employer, "FLA", first, last)
    edit = f"/mandates/{mandate.pk}/edit/"
    before = {"starts": quarter_after(now, -1), "ends": "", "prepare": "1"}
    assert "You hold the mandate" in operator.client.post(edit, before).content.decode()
    assert "Prepared" in messages_after(operator, edit, starts=now, ends="", prepare="1")
    with operator.scope():
        mandate.refresh_from_db()
        assert (mandate.state, mandate.starts_on, mandate.ends_on) == ("to_finalise", first, None)


def test_the_main_button_is_the_next_step_of_who_looks(operator: Person) -> None:
    with operator.scope():
        mandate = scenes.proposed()
    address = f"/mandates/{mandate.pk}/"

    def main() -> list[str]:
        found = page_of(operator, address).xpath("//main//button[contains(@class, 'button-main')]")
        shown = [one for one in found if not one.xpath("ancestor::details")]
        return [one.text_content().strip() for one in shown]

    assert main() == ["Validate for us"]
    operator.client.post(f"{address}validate/")
    assert main() == ["Add the procuration"]


def test_a_conflict_at_the_last_step_undoes_it(operator: Person, stranger: Person) -> None:
    with operator.scope():
        mandate = scenes.proposed()
        number = mandate.employer_number
    operator.client.post(f"/mandates/{mandate.pk}/validate/")
    with stranger.scope():
        scenes.granted(factories.employer(number=number))
    answer = operator.client.post(
        f"/mandates/{mandate.pk}/procuration/", {"procuration": upload()}, follow=True
    )
    told = html.document_fromstring(answer.content.decode()).find_class("message")
    assert "Another mandataire holds the mandate" in told[-1].text_content()
    with operator.scope():
        assert Mandate.objects.get().state == "pending"
        assert not Procuration.objects.exists()
        assert not Event.objects.filter(verb="mandate.activated").exists()


# --- closing --------------------------------------------------------------------------------------


def test_it_is_closed_by_a_form_that_offers_quarters(operator: Person) -> None:
    with operator.scope():
        mandate = scenes.granted()
    address, now = f"/mandates/{mandate.pk}/close/", this_quarter()
    offered = page_of(operator, address).xpath("//select[@name='ends']/option/@value")
    assert offered[0] == now
    wrong = operator.client.post(address, {"ends": now, "reason": ""})
    assert wrong.status_code == 422
    assert "This is needed" in wrong.content.decode()
    told = messages_after(operator, address, ends=now, reason="The client leaves")
    assert "Until then you go on declaring" in told
    with operator.scope():
        assert Mandate.objects.get().ends_on == quarter_days(now)[1]
    assert buttons(page_of(operator, f"/mandates/{mandate.pk}/")) == []
    later = messages_after(operator, address, ends=quarter_after(now), reason="Longer")
    assert "no earlier quarter" in later
    with operator.scope():
        assert Mandate.objects.get().ends_on == quarter_days(now)[1]


def test_an_end_comes_earlier_and_never_later(operator: Person) -> None:
    now = this_quarter()
    with operator.scope():
        mandate = scenes.granted(ends_on=quarter_days(quarter_after(now, 2))[1])
    address = f"/mandates/{mandate.pk}/close/"
    offered = page_of(operator, address).xpath("//select[@name='ends']/option/@value")
    assert offered == [now, quarter_after(now)]
    later = operator.client.post(address, {"ends": quarter_after(now, 3), "reason": "Longer"})
    assert later.status_code == 422


def test_it_is_closed_by_a_procuration(operator: Person) -> None:
    with operator.scope():
        mandate = scenes.granted()
    address, now = f"/mandates/{mandate.pk}/close/", this_quarter()
    bad = operator.client.post(address, {"ends": now, "reason": "Asked", "procuration": upload(b"no")})
    assert "This is not a PDF" in bad.content.decode()
    operator.client.post(address, {"ends": now, "reason": "Asked", "procuration": upload()})
    text = main_text(page_of(operator, f"/mandates/{mandate.pk}/"))
    assert "by a procuration of the employer" in text
    assert "Closure of the mandate" in text


def test_what_is_not_active_is_not_closed(operator: Person) -> None:
    with operator.scope():
        mandate = scenes.proposed()
    answer = operator.client.get(f"/mandates/{mandate.pk}/close/", follow=True)
    assert "no earlier quarter" in answer.content.decode()


# --- the procuration ------------------------------------------------------------------------------


def test_a_procuration_comes_back_byte_for_byte_and_leaves_an_event(operator: Person) -> None:
    with operator.scope():
        mandate = scenes.granted()
        kept = Procuration.objects.get()
    answer = operator.client.get(f"/mandates/procurations/{kept.pk}/")
    assert answer.content == scenes.PDF
    assert answer["Content-Disposition"] == 'attachment; filename="procuration.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    with operator.scope():
        event = Event.objects.get(verb="procuration.downloaded")
        assert (event.subject_id, event.data) == (str(mandate.pk), {"sha256": kept.sha256})
    assert "Procuration downloaded" in main_text(page_of(operator, f"/mandates/{mandate.pk}/"))


# --- who may --------------------------------------------------------------------------------------


def test_who_may_not_is_told_which_profile_to_ask_for(colleague: Person, operator: Person) -> None:
    """The statuses of every address stand in `tests/portal/matrix.py`; here is what the refusal says."""
    with operator.scope():
        mandate = scenes.granted()
    answer = colleague.client.post(f"/mandates/{mandate.pk}/withdraw/")
    assert answer.status_code == 403
    assert MandateProfile.MANAGE.label.split(":")[0] in answer.content.decode()


@pytest.mark.parametrize(
    "page", ["/employers/", "/employers/{employer}/", "/mandates/", "/mandates/{mandate}/"]
)
def test_the_colleague_sees_no_button_he_may_not_press(
    operator: Person, colleague: Person, page: str
) -> None:
    with operator.scope():
        mandate = scenes.granted()
    answer = colleague.client.get(page.format(employer=mandate.employer_id, mandate=mandate.pk))
    assert answer.status_code == 200
    tree = html.document_fromstring(answer.content.decode())
    # What the list shows he may also take along.
    assert not tree.xpath("//main//form[@method='post'][not(contains(@action, '/export/'))]")
    assert not tree.xpath("//main//a[contains(@href, '/mandates/new/') or contains(@href, '/close/')]")
    assert not tree.xpath("//main//a[contains(@href, '/procurations/')]")


def test_a_mandate_for_another_service_is_proposed_beside_that_of_others(
    operator: Person, stranger: Person
) -> None:
    with stranger.scope():
        factories.active_mandate(
            factories.employer(number="0897223670"), service="DIMONA", is_exclusive=False
        )
    with operator.scope():
        employer = factories.employer(number="0897223670")
    address = f"/employers/{employer.pk}/mandates/new/"
    chosen = page_of(operator, address).xpath("//a[@aria-current='true']/@href")
    assert chosen == ["?service=FLA"]
    tree = page_of(operator, f"{address}?service=DIMONA")
    assert "Dimona" in "".join(tree.xpath("//h1/following-sibling::p//text()"))
    operator.client.post(f"{address}?service=DIMONA", {"starts": this_quarter(), "ends": ""})
    with operator.scope():
        mandate = Mandate.objects.get()
        assert (mandate.service, mandate.is_exclusive, mandate.state) == ("DIMONA", False, "pending")
    assert "Dimona" in operator.client.get("/mandates/").content.decode()
    said = operator.client.get(f"/employers/{employer.pk}/").content.decode()
    assert "The mandate Dimona waits" in said
    assert "mandate DmfA" not in said
