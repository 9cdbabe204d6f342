"""What waits for somebody: asked of the answers, in whichever order they were applied, beside what people decided."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mandates.models import Employer
from portal import tenancy
from portal.models import Event, Profile
from submissions import deciding, declaring, problems, questions, redeclaring
from submissions.deciding import CannotDecide
from submissions.models import Anomaly, Declaration, Problem, Settlement
from submissions.problems import Key
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import answers_about, scenes
from tests.submissions.wire.answer_samples import noti

pytestmark = pytest.mark.django_db

LEFT = ("99004-152", "ends_on")


def key_of(declaration: Declaration) -> Key:
    return Key(declaration.employer_id, "FLA", "99004-152", "EndDate")


def counts() -> dict[str, int]:
    return {item.key.code: item.count for item in problems.items()}


def test_equal_answers_of_a_client_are_one_item(operator: Person) -> None:
    with operator.scope():
        channel, one, other = factories.channel(), factories.client(name="A"), factories.client(name="B")
        for client in (one, one, one, other):
            scenes.refused(LEFT, through=channel, of=client)
        scenes.refused(("00024-179", "INSS"), through=channel, of=one)
        found = problems.items()
    assert [(item.employer_name, item.key.code, item.key.tag, item.count) for item in found] == [
        ("A", "99004-152", "EndDate", 3),
        ("B", "99004-152", "EndDate", 1),
        ("A", "00024-179", "INSS", 1),
    ]
    assert {item.deadline for item in found} == {date(2025, 9, 1)}  # as the calendar says (test_deadlines)


def test_a_refusal_of_which_nothing_blocks_is_one_without_a_cause(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused(LEFT)
        refusal.anomalies.update(anomaly_class="W")
        (item,) = problems.items()
        assert item.key.code == ""
        assert list(problems.refused(item.key)) == [refusal]
        assert questions.to_correct().count() == 1


def test_what_is_corrected_is_gone_and_what_comes_again_is_back(operator: Person) -> None:
    with operator.scope():
        client = factories.client()
        refusal = scenes.refused(of=client)
        key = key_of(refusal)
        deciding.comment(key, "Asked the client.")
        declaring.correct(refusal)
        assert problems.items() == []
        assert problems.decided(key) is not None
        assert refusal.batch
        (again,) = scenes.acknowledged(0, through=refusal.batch.channel).declarations.all()
        scenes.answer(again, DeclarationState.REFUSED, [LEFT])
        (item,) = problems.items()
        assert (item.key, item.count) == (key, 1)
        assert list(problems.refused(key)) == [again]


def test_closing_covers_what_was_seen_and_nothing_later(operator: Person) -> None:
    with operator.scope():
        client = factories.client()
        first = scenes.refused(of=client)
        key = key_of(first)
        with pytest.raises(CannotDecide, match="reason"):
            deciding.close(key, "  ")
        assert deciding.close(key, "The training never took place.") == 1
        assert problems.items() == []
        assert questions.to_correct().count() == 0
        assert questions.Clients().to_correct == 0
        later = scenes.refused(of=client, through=first.batch.channel)  # type: ignore[union-attr]
        assert list(problems.refused(key)) == [later]
        with pytest.raises(CannotDecide, match="faster"):
            deciding.accept(key)
        assert deciding.reopen(key) == 1
        assert counts() == {"99004-152": 2}
        verbs = (
            Event.objects.filter(subject_type="problem").order_by("pk").values_list("verb", "reason", "data")
        )
        assert list(verbs) == [
            ("problem.closed", "The training never took place.", {"count": 1}),
            ("problem.reopened", "", {"count": 1}),
        ]
        row = Event.objects.get(verb="problem.closed")
        assert (row.actor_name, row.subject_id) == ("operator", str(Problem.objects.get().pk))


def test_a_closed_refusal_can_still_be_corrected(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        deciding.close(key_of(refusal), "No.")
        assert declaring.correct(refusal).replaces == refusal


def test_remarks_stay_as_they_are_when_somebody_has_seen_them(operator: Person) -> None:
    with operator.scope():
        client = factories.client()
        batch = scenes.acknowledged(3, of=client)
        for declaration in batch.declarations.all():
            scenes.answer(
                declaration,
                DeclarationState.ACCEPTED_WITH_REMARKS,
                [("99005-420", "duration_minutes")],
                anomaly_class="W",
            )
        assert problems.items() == []
        (item,) = problems.items(of_refusals=False)
        assert (item.count, item.is_refusal, item.deadline) == (3, False, None)
        assert problems.remarked(item.key).count() == 3
        assert deciding.accept(item.key) == 3
        assert problems.items(of_refusals=False) == []
        assert Declaration.objects.filter(state=DeclarationState.ACCEPTED_WITH_REMARKS).count() == 3


def test_a_remark_on_what_was_modified_since_is_no_longer_there(operator: Person) -> None:
    with operator.scope():
        (declaration,) = scenes.acknowledged().declarations.all()
        remark = [("99005-420", "duration_minutes")]
        scenes.answer(declaration, DeclarationState.ACCEPTED_WITH_REMARKS, remark, anomaly_class="W")
        assert len(problems.items(of_refusals=False)) == 1
        assert declaration.record
        declaring.modify(declaration.record)
        assert problems.items(of_refusals=False) == []


def test_put_off_until_a_day_and_back_on_it(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        key, today = key_of(refusal), timezone.localdate()
        for day in (today, today - timedelta(days=1), today + timedelta(days=367)):
            with pytest.raises(CannotDecide, match="Choose a day"):
                deciding.snooze(key, day)
        deciding.snooze(key, today + timedelta(days=3))
        (item,) = problems.items()
        assert item.is_snoozed(today)
        assert item.is_snoozed(today + timedelta(days=2))
        assert not item.is_snoozed(today + timedelta(days=3))
        assert problems.causes() == []
        deciding.wake(key)
        assert [cause.count for cause in problems.causes()] == [1]
        deciding.wake(key)  # nothing to bring back, and nothing to tell
        assert Event.objects.filter(verb="problem.woken").count() == 1


def test_an_owner_is_somebody_of_the_office_and_may_leave_it(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        key = key_of(refusal)
        clerk = factories.place(operator.mandataire, Profile.ADMINISTRATIVE)
        outside = factories.place(operator.mandataire, Profile.ADMINISTRATIVE, employer=refusal.employer)
        encoder = factories.place(operator.mandataire, Profile.ENCODE)
        with pytest.raises(CannotDecide, match="office"):
            deciding.assign(key, outside)
        deciding.assign(key, clerk)
        deciding.assign(key, clerk)
        assert Event.objects.filter(verb="problem.assigned").count() == 1
        people = problems.colleagues()
        assert clerk in people
        assert outside not in people
        assert encoder not in people
        clerk.delete()
        (item,) = problems.items()
        assert item.owner is None


def test_the_list_is_the_same_in_whichever_order_answers_come(operator: Person) -> None:
    """Answers and decisions in twenty random orders: what waits is always what was refused and is not settled."""
    with operator.scope():
        channel, client = factories.channel(), factories.client()
        for seed in range(20):
            dice = random.Random(seed)
            batch = scenes.acknowledged(4, through=channel, of=client)
            waiting = list(batch.declarations.order_by("pk"))
            dice.shuffle(waiting)
            acts = [*waiting, "close", "comment", "reopen"]
            dice.shuffle(acts)
            for act in acts:
                match act:
                    case "close" if counts():
                        deciding.close(Key(client.pk, "FLA", *LEFT_KEY), "Not now.")
                    case "comment":
                        deciding.comment(Key(client.pk, "FLA", *LEFT_KEY), "Look.")
                    case "reopen" if Settlement.objects.exists():
                        deciding.reopen(Key(client.pk, "FLA", *LEFT_KEY))
                    case Declaration():
                        scenes.answer(act, DeclarationState.REFUSED, [LEFT])
                settled = set(Settlement.objects.values_list("declaration_id", flat=True))
                refused = set(Declaration.objects.filter(state="refused").values_list("pk", flat=True))
                found = problems.refused(Key(client.pk, "FLA", *LEFT_KEY))
                assert set(found.values_list("pk", flat=True)) == refused - settled
                assert sum(counts().values()) == len(refused - settled)


LEFT_KEY = ("99004-152", "EndDate")


@pytest.mark.django_db(
    transaction=True
)  # what was just written has no place in the chain, and is read by its writer
def test_a_limited_reader_finds_his_clients_alone(operator: Person) -> None:
    with operator.scope():
        channel, one, other = factories.channel(), factories.client(name="A"), factories.client(name="B")
        refusal = scenes.refused(through=channel, of=one)
        scenes.refused(through=channel, of=other)
        deciding.comment(key_of(refusal), "Of A.")
        deciding.comment(Key(other.pk, "FLA", *LEFT_KEY), "Of B.")
        with tenancy.within({one.pk}):
            assert [item.employer_name for item in problems.items()] == ["A"]
            assert Problem.objects.count() == 1
            assert Employer.objects.count() == 1
        reader = factories.place(operator.mandataire, Profile.ENCODE, employer=one)
    with tenancy.scope(operator.mandataire.pk, actor=reader.user_id), tenancy.within({one.pk}):
        told = Event.objects.filter(subject_type="problem").values_list("reason", flat=True)
        assert list(told) == ["Of A."]


def test_the_stranger_finds_nothing(operator: Person, stranger: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        deciding.comment(key_of(refusal), "Ours.")
    with stranger.scope():
        assert problems.items() == []
        assert problems.decided(key_of(refusal)) is None


def test_one_query_whatever_there_is(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        for _ in range(5):
            scenes.refused(through=channel)
        with CaptureQueriesContext(connection) as queries:
            assert len(problems.items()) == 5
        assert len(queries) == 1


def test_a_real_answer_makes_an_item_and_its_correction_ends_it(operator: Person) -> None:
    with operator.scope():
        batch = answers_about.dropped(2)
        first, second = batch.declarations.order_by("position")
        report = (
            "<AnomalyReport><ErrorID>99004-152</ErrorID><TagName>EndDate</TagName>"
            "<AnomalyClass>B</AnomalyClass></AnomalyReport>"
        )
        content = noti(
            answers_about.verdict(first, "0", anomalies=report), answers_about.verdict(second, "1")
        )
        answers_about.receive(batch, content)
        answers_about.receive(batch, answers_about.receipt(batch))  # overtaken by what it announces
        (item,) = problems.items()
        assert (item.count, item.key) == (1, key_of(first))
        outcome = redeclaring.declare_again([first.pk], for_all={"ends_on": date(2025, 3, 3)})
        assert outcome.declared == 1
        assert problems.items() == []
        assert Anomaly.objects.count() == 1
