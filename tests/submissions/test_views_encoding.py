"""Encoding a training in the pages: what is carried, what is explained, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from mandates.models import Employer, Worker
from portal.models import Event, Profile
from submissions import templating
from submissions.models import Course, Declaration, SignOff, TrainingRecord, TrainingTemplate
from tests import factories
from tests.people import Person
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db

NEW = "/trainings/new/"
TYPED = {
    "draft": "",
    "title": "Premiers secours",
    "nature": "Sécurité",
    "kind": "formal",
    "status": "followed",
    "starts_on": "10/03/2025",
    "ends_on": "",
    "duration_minutes": "1",
    "duration_unit": "days",
    "day_minutes": "7 h 36",
    "has_own_days": "on",
    "funding": "employer",
}


@pytest.fixture
def employer(operator: Person) -> Employer:
    with operator.scope():
        return factories.client(name="Boulangerie Delvaux")


def people(operator: Person, employer: Employer, number: int = 3, **contract: Any) -> list[int]:
    with operator.scope():
        made = [factories.worker(employer, given_name=f"Zoë {place:03}") for place in range(number)]
        for worker in made:
            factories.contract(worker, **contract)
    return [worker.pk for worker in made]


def address(employer: Employer) -> str:
    return f"{NEW}?employer={employer.pk}"


def post(
    client: Client, to: str, changes: Mapping[str, Any] | None = None, status: int = 200
) -> html.HtmlElement:
    """The page that answers what was typed, with some of it changed."""
    answer = client.post(to, {"key": str(uuid4()), **TYPED, **(changes or {})})
    assert answer.status_code == status, answer.content.decode()[-3000:]
    return html.document_fromstring(answer.content.decode())


def save(client: Client, to: str, workers: list[int], go: str = "ready", **changes: Any) -> html.HtmlElement:
    """The page after the last button."""
    sent = {"key": str(uuid4()), **TYPED, "chosen": ",".join(map(str, workers)), "go": go, **changes}
    answer = client.post(to, sent, follow=True)
    assert answer.status_code == 200
    return html.document_fromstring(answer.content.decode())


def faults_of(tree: html.HtmlElement) -> list[str]:
    return [" ".join(link.text_content().split()) for link in tree.xpath("//*[@class='error-summary']//li")]


def carried(tree: html.HtmlElement) -> dict[str, str]:
    return {field.get("name"): field.get("value") for field in tree.xpath("//main//input[@type='hidden']")}


# --- of which client ------------------------------------------------------------------------------


def test_an_operator_looks_the_client_up_and_an_employer_user_has_his_own(
    operator: Person, employer: Employer
) -> None:
    with operator.scope():
        factories.client(name="Hotel Meir")
    rows = page_of(operator, f"{NEW}?q=delvaux").xpath("//tbody//a/@href")
    assert rows == [address(employer)]
    own = Client()
    own.force_login(factories.place(operator.mandataire, Profile.ENCODE, employer=employer).user)
    tree = html.document_fromstring(own.get(NEW).content.decode())
    assert tree.xpath("//input[@name='title']")
    assert "Hotel Meir" not in tree.text_content()


def test_a_client_out_of_reach_does_not_exist(operator: Person, stranger: Person, employer: Employer) -> None:
    assert stranger.client.get(address(employer)).status_code == 404
    with operator.scope():
        other = factories.client()
        user = factories.place(operator.mandataire, Profile.ENCODE, only=[other]).user
    limited = Client()
    limited.force_login(user)
    assert limited.get(address(employer)).status_code == 404
    assert limited.post(address(employer), TYPED).status_code == 404
    assert limited.get(address(other)).status_code == 200


# --- which training -------------------------------------------------------------------------------


def test_the_page_begins_with_what_is_usual(operator: Person, employer: Employer) -> None:
    people(operator, employer, 2, day_minutes=432)
    with operator.scope():
        factories.record(factories.worker(employer), funding="sector_fund", nature="Langues")
    tree = page_of(operator, address(employer))
    assert tree.get_element_by_id("id_day_minutes").get("value") == "7 h 12"
    assert tree.get_element_by_id("id_duration_minutes").get("value") == "1"
    assert tree.xpath("//select[@name='funding']/option[@selected]/@value") == ["sector_fund"]
    assert tree.xpath("//datalist[@id='nature_texts']/option/@value") == ["Langues"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title": ""}, "Title: Fill in this field"),
        ({"starts_on": "31/02/2025"}, "First day: Write a day that exists"),
        ({"ends_on": "09/03/2025"}, "Last day: The last day is before the first day"),
        ({"duration_minutes": "a day"}, "Duration: Write a number, such as 1 or 1,5"),
        ({"duration_minutes": "25", "duration_unit": "hours"}, "Duration: 25 hours do not fit in 1 days"),
        ({"charged_minutes": "2"}, "Charged to the individual right: More is charged"),
        ({"key": "?"}, "Form: Open the page of a new training again"),
    ],
)
def test_what_is_wrong_is_explained_once_and_what_was_typed_stays(
    operator: Person, employer: Employer, changes: dict[str, str], told: str
) -> None:
    tree = post(operator.client, address(employer), {"provider": "L'École", "chosen": "7", **changes}, 422)
    (fault,) = faults_of(tree)
    assert fault.startswith(told)
    assert tree.get_element_by_id("id_provider").get("value") == "L'École"
    assert carried(tree)["chosen"] == "7"


def test_a_signed_off_quarter_is_told_before_any_worker_is_chosen(
    operator: Person, employer: Employer
) -> None:
    with operator.scope():
        SignOff.objects.create(
            employer=employer, quarter="20251", signed_at=timezone.now(), signed_by="Lou Essai"
        )
    (fault,) = faults_of(post(operator.client, address(employer), status=422))
    assert fault.startswith("Last day: Q1 2025 is signed off")


@pytest.mark.parametrize(
    ("typed", "unit", "minutes"),
    [
        ("1,5", "days", 684),
        ("2", "hours", 120),
        ("7 h 36", "days", 456),
        ("45 min", "hours", 45),
        ("0.33", "days", 150),
    ],
)
def test_a_duration_is_read_as_people_write_it(
    operator: Person, employer: Employer, typed: str, unit: str, minutes: int
) -> None:
    workers = people(operator, employer, 1)
    save(
        operator.client, address(employer), workers,
        duration_minutes=typed, duration_unit=unit, ends_on="11/03/2025",
    )  # fmt: skip
    with operator.scope():
        row = TrainingRecord.objects.get()
    assert (row.duration_minutes, row.charged_minutes) == (minutes, minutes)


# --- who ------------------------------------------------------------------------------------------


def test_those_in_service_are_listed_with_what_was_said_before(operator: Person, employer: Employer) -> None:
    workers = people(operator, employer)
    people(operator, employer, 1, left_on=date(2024, 1, 1))
    tree = post(operator.client, address(employer), {"chosen": f"{workers[1]},999"})
    assert tree.xpath("//input[@name='worker']/@value") == [str(pk) for pk in workers]
    assert tree.xpath("//input[@name='worker'][@checked]/@value") == [str(workers[1])]
    assert "1 worker chosen before is not in service" in main_text(tree)
    assert carried(tree)["title"] == "Premiers secours"
    assert carried(tree)["has_own_days"] == "True"


def test_a_search_keeps_who_was_ticked_and_everybody_is_who_was_found(
    operator: Person, employer: Employer
) -> None:
    workers = people(operator, employer)
    to = address(employer)
    tree = post(operator.client, to, {"q": "zoë 001", "worker": workers[0]})
    assert tree.xpath("//input[@name='worker']/@value") == [str(workers[1])]
    assert carried(tree)["chosen"] == str(workers[0])
    sent = {"chosen": carried(tree)["chosen"], "searched": "zoë 001", "everybody": "1", "go": "check"}
    checked = post(operator.client, to, sent)
    assert carried(checked)["chosen"] == f"{workers[0]},{workers[1]}"


def test_groups_take_their_members_along(operator: Person, employer: Employer) -> None:
    many, few = people(operator, employer, 3), people(operator, employer, 2, joint_committee="302", regime=50)
    tree = post(operator.client, address(employer), {"group": ["jc:302"], "worker": many[0], "go": "check"})
    assert set(carried(tree)["chosen"].split(",")) == {str(pk) for pk in [many[0], *few]}


def test_nobody_is_no_choice(operator: Person, employer: Employer) -> None:
    people(operator, employer)
    tree = post(operator.client, address(employer), {"go": "check"}, 422)
    assert faults_of(tree) == ["Choose at least one worker."]
    assert len(tree.xpath("//input[@name='worker']")) == 3


def test_a_house_of_hundreds_costs_no_more_questions(
    operator: Person, employer: Employer, django_assert_max_num_queries: Any
) -> None:
    workers = people(operator, employer, 300)
    sent = {"key": str(uuid4()), **TYPED, "chosen": ",".join(map(str, workers))}
    for go, budget in (("workers", 20), ("check", 24), ("ready", 34)):
        with django_assert_max_num_queries(budget):
            answer = operator.client.post(address(employer), {**sent, "go": go})
        assert answer.status_code in (200, 302)
    with operator.scope():
        course = Course.objects.get()
    with django_assert_max_num_queries(18):
        page = operator.client.get(f"/trainings/{course.pk}/")
    assert "300 workers" in page.content.decode()


# --- is it right ----------------------------------------------------------------------------------


def test_duplicates_and_full_days_are_named_before_anything_is_made(
    operator: Person, employer: Employer
) -> None:
    same, full, _free = workers = people(operator, employer)
    with operator.scope():
        times = {"starts_on": date(2025, 3, 10), "ends_on": date(2025, 3, 10), "duration_minutes": 456}
        twice = factories.record(Worker.objects.get(pk=same), title="premiers SECOURS", **times)
        other = factories.record(Worker.objects.get(pk=full), title="Excel", **times)
    sent = {"chosen": ",".join(map(str, workers)), "go": "check"}
    tree = post(operator.client, address(employer), sent)
    assert tree.xpath("//tbody//a/@href") == [f"/records/{twice.pk}/", f"/records/{other.pk}/"]
    assert tree.xpath("//input[@name='again']/@value") == [str(same)]
    assert "Charged to the individual right 7 h 36" in main_text(tree)
    assert "1 has the same training" in main_text(tree)
    assert "1 has more training on one day" in main_text(tree)
    after = save(operator.client, address(employer), workers)
    assert "Declared for 2 workers." in main_text(after)
    assert "1 was left out" in main_text(after)
    refused = operator.client.post(
        address(employer), {"key": str(uuid4()), **TYPED, "chosen": str(same), "go": "ready"}
    )
    assert refused.status_code == 422
    assert "Declared for 1 worker." in main_text(save(operator.client, address(employer), [same], again=same))


def test_the_client_for_whom_nothing_leaves_is_told(operator: Person) -> None:
    with operator.scope():
        silent = factories.employer()
    workers = people(operator, silent, 1)
    tree = post(operator.client, address(silent), {"chosen": str(workers[0]), "go": "check"})
    assert "There is no mandate" in main_text(tree)


def test_the_last_page_leads_back_with_everything(operator: Person, employer: Employer) -> None:
    workers = people(operator, employer)
    sent = {"chosen": f"{workers[0]},{workers[2]}", "go": "check", "provider": "L'École"}
    tree = post(operator.client, address(employer), sent)
    key = carried(tree)["key"]
    back = {name: value for name, value in carried(tree).items() if name != "csrfmiddlewaretoken"}
    first = post(operator.client, address(employer), {**back, "go": "training"})
    assert first.get_element_by_id("id_provider").get("value") == "L'École"
    assert (carried(first)["chosen"], carried(first)["key"]) == (f"{workers[0]},{workers[2]}", key)
    assert faults_of(first) == []


# --- saving ---------------------------------------------------------------------------------------


def test_what_was_encoded_has_a_page_that_says_when_it_leaves(operator: Person, employer: Employer) -> None:
    with operator.scope():
        factories.channel(departs_at=timezone.now())
    absent, *_others = workers = people(operator, employer)
    text = main_text(save(operator.client, address(employer), workers, absent=absent))
    assert "Declared for 3 workers. It leaves" in text
    assert "Not followed" in text
    assert text.count("Ready to leave") == 3
    with operator.scope():
        (event,) = Event.objects.filter(verb__startswith="course.")
        assert Declaration.objects.filter(state="ready").count() == 3
        record = TrainingRecord.objects.latest("pk")
    assert event.actor_name == "operator"
    tree = page_of(operator, f"/records/{record.pk}/")
    assert f"/trainings/{record.course_id}/" in tree.xpath("//main//a/@href")
    events = [" ".join(line.text_content().split()) for line in tree.xpath("//ol[@class='events']/li")]
    assert any(line.endswith("Encoded for several workers Lou Essai") for line in events)


def test_a_form_sent_twice_makes_nothing_twice(operator: Person, employer: Employer) -> None:
    workers, key = people(operator, employer), str(uuid4())
    first = main_text(save(operator.client, address(employer), workers, key=key))
    again = main_text(save(operator.client, address(employer), workers, key=key))
    assert "Declared for 3 workers" in first
    assert "nothing was made twice" in again
    with operator.scope():
        assert TrainingRecord.objects.count() == 3


def test_a_draft_may_miss_something_and_all_are_made_ready_at_once(
    colleague: Person, operator: Person, employer: Employer
) -> None:
    workers = people(operator, employer)
    to = address(employer)
    assert faults_of(post(colleague.client, to, {"nature": ""}, 422))
    tree = post(colleague.client, to, {"nature": "", "draft": "1", "chosen": str(workers[0]), "go": "check"})
    assert tree.xpath("//button[@name='go']/@value") == ["training", "workers", "draft"]
    text = main_text(save(colleague.client, to, workers, "draft"))
    assert "Kept as drafts for 3 workers." in text
    with operator.scope():
        course = Course.objects.get()
    answer = colleague.client.post(f"/trainings/{course.pk}/ready/", follow=True).content.decode()
    assert "3 are ready to leave." in answer
    assert (
        "Nothing waits"
        in colleague.client.post(f"/trainings/{course.pk}/ready/", follow=True).content.decode()
    )


# --- starting from something ----------------------------------------------------------------------


def test_again_like_this_one_comes_from_the_page_of_a_record(operator: Person, employer: Employer) -> None:
    workers = people(operator, employer)
    save(operator.client, address(employer), workers, provider="L'École", duration_minutes="0,5")
    with operator.scope():
        record = TrainingRecord.objects.latest("pk")
    again = page_of(operator, f"/records/{record.pk}/").xpath("//a[text()='Again like this one']/@href")
    tree = page_of(operator, again[0])
    assert tree.get_element_by_id("id_provider").get("value") == "L'École"
    assert tree.get_element_by_id("id_duration_minutes").get("value") == "0,5"
    assert not tree.get_element_by_id("id_starts_on").get("value")
    assert set(carried(tree)["chosen"].split(",")) == {str(pk) for pk in workers}
    with operator.scope():
        other = factories.client()
    assert operator.client.get(f"{address(other)}&like={record.pk}").status_code == 404


def test_a_template_is_kept_with_the_training_used_and_removed(operator: Person, employer: Employer) -> None:
    workers = people(operator, employer, 2)
    to = address(employer)
    save(operator.client, to, workers[:1], template_name="HACCP", nature="Hygiène")
    taken = operator.client.post(
        to, {"key": str(uuid4()), **TYPED, "chosen": str(workers[1]), "template_name": "HACCP", "go": "ready"}
    )
    assert taken.status_code == 422
    assert "template of this name" in taken.content.decode()
    with operator.scope():
        template = TrainingTemplate.objects.get()
        assert TrainingRecord.objects.count() == 1
    tree = page_of(operator, f"{to}&template={template.pk}")
    assert tree.get_element_by_id("id_nature").get("value") == "Hygiène"
    operator.client.post(f"/training-templates/{template.pk}/remove/", {"employer": employer.pk})
    with operator.scope():
        assert not TrainingTemplate.objects.exists()


def test_a_template_for_all_is_used_by_an_employer_user_and_not_removed(
    operator: Person, employer: Employer
) -> None:
    workers = people(operator, employer, 1)
    save(operator.client, address(employer), workers, template_name="For all", template_for_all="1")
    with operator.scope():
        template = TrainingTemplate.objects.get(employer=None)
        foreign = templating.keep("Elsewhere", template.values, factories.client())
    own = Client()
    own.force_login(factories.place(operator.mandataire, Profile.ENCODE, employer=employer).user)
    page = own.get(NEW).content.decode()
    assert "For all" in page
    assert "Elsewhere" not in page
    assert own.get(f"{NEW}?template={template.pk}").status_code == 200
    assert own.get(f"{NEW}?template={foreign.pk}").status_code == 404
    told = own.post(f"/training-templates/{template.pk}/remove/", follow=True).content.decode()
    assert "for all clients" in told
    save(own, NEW, workers, starts_on="12/03/2025", template_name="Mine", template_for_all="1")
    with operator.scope():
        assert TrainingTemplate.objects.filter(pk=template.pk).exists()
        assert TrainingTemplate.objects.get(name="Mine").employer_id == employer.pk
