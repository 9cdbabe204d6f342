"""One training for many workers: who may follow it, what is made of it, and that it is made once."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from mandates.models import Contract, Employer, Worker
from portal.models import Event
from submissions import encoding, templating
from submissions.conserving import account
from submissions.encoding import Asked, CannotEncode, encode
from submissions.models import Course, Declaration, SignOff, TrainingRecord, TrainingTemplate
from submissions.teams import groups, team, usual_day
from tests import factories
from tests.people import Person
from tests.racing import race

pytestmark = pytest.mark.django_db

VALUES = {
    **factories.TRAINING,
    "charged_minutes": None,
    **dict.fromkeys(("result", "certificate", "provider", "working_hours", "domain"), ""),
    **dict.fromkeys(("certificate_valid_until", "cost_cents")),
}
FIRST, LAST = VALUES["starts_on"], VALUES["ends_on"]


@pytest.fixture
def employer(scope: None) -> Employer:
    return factories.client()


def people(employer: Employer, number: int = 3, **contract: Any) -> list[int]:
    made = [factories.worker(employer, given_name=f"Zoë {place}") for place in range(number)]
    for worker in made:
        factories.contract(worker, **contract)
    return [worker.pk for worker in made]


def asked(workers: list[int], changes: dict[str, Any] | None = None, **more: Any) -> Asked:
    return Asked(**{"key": uuid4(), "values": {**VALUES, **(changes or {})}, "workers": workers, **more})


def records(course: Course) -> list[TrainingRecord]:
    return list(course.records.order_by("pk"))


# --- who ------------------------------------------------------------------------------------------


def test_in_service_is_who_has_a_contract_on_the_first_and_the_last_day(employer: Employer) -> None:
    def hired(name: str, *periods: tuple[date, date | None]) -> Worker:
        worker = factories.worker(employer, family_name=name)
        for entered_on, left_on in periods:
            factories.contract(worker, entered_on=entered_on, left_on=left_on)
        return worker

    hired("always", (date(2023, 1, 1), None))
    hired("first day only", (date(2023, 1, 1), FIRST))
    hired("last day only", (LAST, None))
    hired("both by two", (date(2023, 1, 1), FIRST), (LAST, None))
    hired("long gone", (date(2020, 1, 1), date(2021, 1, 1)))
    hired("unknown")
    factories.contract(factories.worker(factories.client()))
    found = [mate.worker.family_name for mate in team(employer, FIRST, LAST)]
    assert found == ["always", "both by two", "unknown"]


def test_groups_are_those_that_differ(employer: Employer) -> None:
    people(employer, 2, joint_committee="200")
    assert groups(team(employer, FIRST, LAST)) == {}
    people(employer, 1, joint_committee="302", regime=50)
    assert groups(team(employer, FIRST, LAST)) == {"jc:200": 2, "jc:302": 1, "full": 2, "part": 1}


def test_the_usual_day_is_that_of_most_contracts_of_the_day(employer: Employer) -> None:
    assert usual_day(employer, FIRST) == 456
    people(employer, 2, day_minutes=432)
    people(employer, 1)
    people(employer, 4, day_minutes=480, left_on=date(2024, 1, 1))
    assert usual_day(employer, FIRST) == 432


# --- what is made ---------------------------------------------------------------------------------


def test_each_worker_gets_a_record_that_is_ready_and_the_act_one_event(employer: Employer) -> None:
    workers = people(employer)
    made = encode(employer, asked(workers))
    assert (made.made, made.left_out) == (3, 0)
    rows = records(made.course)
    assert {row.worker_id for row in rows} == set(workers)
    assert {(row.title, row.charged_minutes, row.employer_id) for row in rows} == {
        (VALUES["title"], 912, employer.pk)
    }
    assert len({row.client_reference for row in rows}) == 3
    assert [declaration.state for declaration in Declaration.objects.all()] == ["ready"] * 3
    (event,) = Event.objects.filter(verb__in=["course.encoded", "declaration.created"])
    assert (event.verb, event.subject_id) == ("course.encoded", str(employer.pk))
    assert event.data == {"title": VALUES["title"], "workers": 3, "is_draft": False}
    assert account(employer.mandataire_id).breaks == [], "the law of conservation counts what was encoded"


def test_the_queries_do_not_grow_with_the_workers(
    employer: Employer, django_assert_max_num_queries: Any
) -> None:
    workers = people(employer, 150)
    with django_assert_max_num_queries(20):
        assert encode(employer, asked(workers)).made == 150


def test_the_same_form_makes_nothing_twice(employer: Employer) -> None:
    form = asked(people(employer))
    first, again = encode(employer, form), encode(employer, form)
    assert (again.course, again.made) == (first.course, 0)
    assert TrainingRecord.objects.count() == 3


def test_the_same_training_is_left_out_unless_it_is_wanted(employer: Employer) -> None:
    workers = people(employer)
    encode(employer, asked(workers[:1]))
    made = encode(employer, asked(workers))
    assert (made.made, made.left_out) == (2, 1)
    with pytest.raises(CannotEncode, match="Nobody is left"):
        encode(employer, asked(workers))
    assert encode(employer, asked(workers, again=workers[:1])).made == 1


def test_exceptions_did_not_follow_or_are_not_charged(employer: Employer) -> None:
    absent, free, plain = people(employer)
    values = {"result": "Passed", "certificate": "VCA", "certificate_valid_until": date(2030, 1, 1)}
    rows = records(
        encode(employer, asked([absent, free, plain], values, absent={absent}, free={free})).course
    )
    found = {
        row.worker_id: (row.status, row.charged_minutes, row.certificate, row.certificate_valid_until)
        for row in rows
    }
    assert found == {
        absent: ("not_followed", 0, "", None),
        free: ("followed", 0, "VCA", date(2030, 1, 1)),
        plain: ("followed", 912, "VCA", date(2030, 1, 1)),
    }
    assert {row.result for row in rows} == {"", "Passed"}


@pytest.mark.parametrize(
    ("has_own_days", "unit", "expected"),
    [
        (True, "days", (432, 864, 864)),
        (True, "hours", (432, 912, 912)),
        (False, "days", (456, 912, 912)),
    ],
)
def test_a_day_is_as_long_as_the_contract_says(
    employer: Employer, has_own_days: bool, unit: str, expected: tuple[int, int, int]
) -> None:
    (worker,) = people(employer, 1, day_minutes=432)
    form = asked([worker], {"duration_unit": unit}, has_own_days=has_own_days)
    (row,) = records(encode(employer, form).course)
    assert (row.day_minutes, row.duration_minutes, row.charged_minutes) == expected


def test_a_draft_may_miss_something_and_is_made_ready_later(employer: Employer) -> None:
    workers = people(employer)
    form = asked(workers, {"nature": ""}, is_draft=True)
    course = encode(employer, form).course
    assert {row.state for row in Declaration.objects.all()} == {"draft"}
    assert encoding.make_ready(course) == (0, 3)
    TrainingRecord.objects.filter(worker__in=workers[:2]).update(nature="Sécurité")
    assert encoding.make_ready(course) == (2, 1)
    assert sorted(row.state for row in Declaration.objects.all()) == ["draft", "ready", "ready"]
    assert Event.objects.get(verb="course.completed").data["workers"] == 2


def test_what_misses_something_is_never_ready(employer: Employer) -> None:
    with pytest.raises(CannotEncode, match="Fill in this field"):
        encode(employer, asked(people(employer), {"nature": ""}))
    assert not TrainingRecord.objects.exists()


def test_who_is_not_in_service_is_not_taken(employer: Employer) -> None:
    workers = people(employer, 1)
    gone = people(employer, 1, left_on=date(2024, 1, 1))
    elsewhere = people(factories.client(), 1)
    for more in (gone, elsewhere):
        with pytest.raises(CannotEncode, match="1 worker you chose is not in service"):
            encode(employer, asked(workers + more))
    with pytest.raises(CannotEncode, match="at least one worker"):
        encode(employer, asked([]))


def test_nothing_is_added_to_a_quarter_that_is_signed_off(employer: Employer) -> None:
    SignOff.objects.create(
        employer=employer, quarter="20251", signed_at=timezone.now(), signed_by="Lou Essai"
    )
    form = asked(people(employer))
    with pytest.raises(CannotEncode, match="Q1 2025 is signed off"):
        encode(employer, form)
    SignOff.objects.update(reopened_at=timezone.now(), reason="One more")
    assert encode(employer, form).made == 3


# --- what it may start from -----------------------------------------------------------------------


def test_habits_are_what_was_said_most(employer: Employer) -> None:
    worker = factories.worker(employer)
    for place, funding in enumerate(["sector_fund", "employer", "sector_fund"]):
        factories.record(worker, funding=funding, kind="informal", nature="Langues", title=f"T{place}")
    habits = templating.habits(employer, FIRST)
    assert (habits.values["funding"], habits.values["kind"]) == ("sector_fund", "informal")
    assert habits.texts["nature"] == ["Langues"]
    assert [row.title for row in habits.latest] == ["T2", "T1", "T0"]


def test_again_like_last_time_knows_the_workers_and_forgets_the_days(employer: Employer) -> None:
    workers = people(employer)
    course = encode(employer, asked(workers, {"provider": "L'École"}, absent=workers[:1])).course
    for record in records(course):
        values, chosen = templating.like(record)
        assert set(chosen) == set(workers)
        assert (values["provider"], values["status"]) == ("L'École", "followed")
        assert not {"starts_on", "ends_on", "certificate_valid_until"} & set(values)


def test_a_template_is_of_one_employer_or_for_all(employer: Employer) -> None:
    other = factories.client()
    templating.keep("HACCP", VALUES, employer)
    templating.keep("HACCP", VALUES, None)
    templating.keep("Elsewhere", VALUES, other)
    assert [row.employer_id for row in templating.templates(employer)].count(None) == 1
    assert {row.name for row in templating.templates(employer)} == {"HACCP"}
    for owner in (employer, None):
        with pytest.raises(templating.NameTaken):
            templating.keep("HACCP", VALUES, owner)
    mine = templating.templates(employer).get(employer=employer)
    assert mine.values["duration_minutes"] == 912
    assert "starts_on" not in mine.values
    templating.remove(mine)
    templating.remove(mine)
    assert TrainingTemplate.objects.count() == 2
    assert Event.objects.filter(verb="template.removed").count() == 1


def test_a_contract_is_not_needed_where_none_is_known(employer: Employer) -> None:
    worker = factories.worker(employer)
    assert not Contract.objects.exists()
    assert encode(employer, asked([worker.pk])).made == 1


def test_two_clicks_at_the_same_moment_make_it_once(transactional_db: None, operator: Person) -> None:
    with operator.scope():
        employer = factories.client()
        form = asked(people(employer))

    def click() -> int:
        with operator.scope():
            return encode(employer, form).made

    assert sorted(race(click, click, click), key=str) == [0, 0, 3]
    with operator.scope():
        assert (Course.objects.count(), TrainingRecord.objects.count()) == (1, 3)


def test_two_forms_at_the_same_moment_do_not_make_the_same_training(
    transactional_db: None, operator: Person
) -> None:
    with operator.scope():
        employer = factories.client()
        workers = people(employer)

    def click() -> int:
        with operator.scope():
            return encode(employer, asked(workers)).made

    results = race(click, click)
    assert results.count(3) == 1
    assert [type(result) for result in results if result != 3] == [CannotEncode]
    with operator.scope():
        assert TrainingRecord.objects.count() == 3
