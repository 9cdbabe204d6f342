"""Correcting many at once: the right new declaration of each, linked to what it replaces, once."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mandates.models import Worker
from portal.models import Event
from submissions import declaring, history, redeclaring
from submissions.models import Declaration, SignOff, TrainingRecord
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes

pytestmark = pytest.mark.django_db

LEFT = [("99004-152", "ends_on")]


def refuse(number: int, **of: object) -> list[Declaration]:
    batch = scenes.acknowledged(number, **of)  # type: ignore[arg-type]
    return [scenes.answer(one, DeclarationState.REFUSED, LEFT) for one in batch.declarations.order_by("pk")]


def test_all_get_one_value_and_are_declared_again(operator: Person) -> None:
    with operator.scope():
        refused = refuse(3)
        outcome = redeclaring.declare_again(
            [one.pk for one in refused], for_all={"ends_on": date(2025, 3, 5)}
        )
        assert (outcome.declared, outcome.drafts, outcome.left, outcome.wrong) == (3, 0, 0, {})
        for one in refused:
            new = Declaration.objects.get(replaces=one)
            assert (new.state, new.kind, new.record_id) == ("ready", "original", one.record_id)
            assert new.environment == one.environment
            record = TrainingRecord.objects.get(pk=one.record_id)
            assert record.ends_on == date(2025, 3, 5)
            assert record.changed_at > one.created_at
        events = Event.objects.filter(verb="record.changed")
        assert events.count() == 3
        assert events[0].data == {"fields": ["ends_on"], "values": {"ends_on": ["2025-03-04", "2025-03-05"]}}
        made = Event.objects.filter(verb="declaration.created", data__count=3)
        assert made.latest("pk").subject_id == str(Declaration.objects.get(replaces=refused[0]).pk)


def test_each_gets_its_own_value_and_what_cannot_take_it_stays(operator: Person) -> None:
    with operator.scope():
        one, two, three = refuse(3)
        changes = {
            one.pk: {"ends_on": date(2025, 3, 6)},
            two.pk: {"ends_on": date(2025, 1, 1)},  # before its first day
            three.pk: {},
        }
        outcome = redeclaring.declare_again(changes, changes)
        assert outcome.declared == 2
        assert set(outcome.wrong) == {two.pk}
        assert "before the first day" in outcome.wrong[two.pk]
        assert not Declaration.objects.filter(replaces=two).exists()
        assert TrainingRecord.objects.get(pk=two.record_id).ends_on == date(2025, 3, 4)
        assert Event.objects.filter(verb="record.changed").count() == 1


def test_what_is_typed_freely_is_named_and_not_told(operator: Person) -> None:
    with operator.scope():
        (one,) = refuse(1)
        redeclaring.declare_again([one.pk], for_all={"title": "Of Zoë Peeters"})
        assert Event.objects.get(verb="record.changed").data == {"fields": ["title"], "values": {}}


def test_after_an_acceptance_it_is_a_modification(operator: Person) -> None:
    with operator.scope():
        (one,) = scenes.acknowledged().declarations.all()
        remark = [("99005-420", "duration_minutes")]
        scenes.answer(one, DeclarationState.ACCEPTED_WITH_REMARKS, remark, anomaly_class="W")
        assert redeclaring.declare_again([one.pk], for_all={"duration_minutes": 1000}).declared == 1
        new = Declaration.objects.get(replaces=one)
        assert (new.kind, new.earlier_ticket) == ("modification", one.ticket)


def test_a_refused_modification_is_a_modification_again(operator: Person) -> None:
    with operator.scope():
        accepted = scenes.accepted()
        assert accepted.record
        modification = declaring.modify(accepted.record)
        assert accepted.batch
        (sent,) = scenes.acknowledged(0, through=accepted.batch.channel).declarations.all()
        assert sent == modification
        scenes.answer(sent, DeclarationState.REFUSED, LEFT)
        assert redeclaring.declare_again([modification.pk]).declared == 1
        new = Declaration.objects.get(replaces=modification)
        assert (new.kind, new.earlier_ticket) == ("modification", accepted.ticket)


def test_twice_makes_one(operator: Person) -> None:
    with operator.scope():
        refused = refuse(2)
        chosen = [one.pk for one in refused]
        assert redeclaring.declare_again(chosen).made == 2
        again = redeclaring.declare_again(chosen, for_all={"ends_on": date(2025, 3, 9)})
        assert (again.made, again.left) == (0, 2)
        assert Declaration.objects.filter(replaces__in=chosen).count() == 2
        assert not Event.objects.filter(verb="record.changed").exists()


def test_what_lives_already_and_what_is_accepted_is_left(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        (one,) = refuse(1, through=channel)
        fine = scenes.accepted(through=channel)
        factories.declaration(one.record, state=DeclarationState.READY)
        outcome = redeclaring.declare_again([one.pk, fine.pk])
        assert (outcome.made, outcome.left) == (0, 2)


def test_what_is_incomplete_is_kept_as_a_draft(operator: Person) -> None:
    with operator.scope():
        (one,) = refuse(1)
        TrainingRecord.objects.filter(pk=one.record_id).update(nature="")
        outcome = redeclaring.declare_again([one.pk], for_all={"ends_on": date(2025, 3, 5)})
        assert (outcome.declared, outcome.drafts) == (0, 1)


def test_a_quarter_that_was_signed_off_is_opened_and_told(operator: Person) -> None:
    with operator.scope():
        refused = refuse(2)
        employers = {one.employer_id for one in refused}
        for employer in employers:
            SignOff.objects.create(
                employer_id=employer, quarter="20251", signed_at=timezone.now(), signed_by="Zoë"
            )
        outcome = redeclaring.declare_again(
            [one.pk for one in refused], for_all={"ends_on": date(2025, 3, 5)}
        )
        assert outcome.quarters == {"20251"}
        assert not SignOff.objects.filter(reopened_at=None).exists()


def test_the_queries_grow_with_the_slices_and_not_with_the_declarations(operator: Person) -> None:
    with operator.scope():
        channel, client = factories.channel(), factories.client()
        few, many = refuse(2, through=channel, of=client), refuse(9, through=channel, of=client)

        def asked(rows: list[Declaration]) -> int:
            with CaptureQueriesContext(connection) as queries:
                redeclaring.declare_again([one.pk for one in rows], for_all={"ends_on": date(2025, 3, 5)})
            return len(queries)

        assert asked(few) == asked(many)


def test_a_number_is_corrected_and_the_former_one_goes_on_finding_him(operator: Person) -> None:
    with operator.scope():
        (one,) = refuse(1)
        assert one.record
        worker, new = one.record.worker, factories.new_niss()
        other = factories.worker(worker.employer)
        with pytest.raises(redeclaring.CannotCorrect, match="Another worker"):
            redeclaring.correct_number(worker, other.niss)
        with pytest.raises(redeclaring.CannotCorrect, match="nothing would change"):
            redeclaring.correct_number(worker, worker.niss)
        redeclaring.correct_number(worker, new)
        assert Worker.objects.get(pk=worker.pk).niss == new
        told = Event.objects.get(verb="worker.number_replaced")
        assert new not in str(told.data)


def test_the_history_of_a_record_reads_as_a_story(operator: Person) -> None:
    with operator.scope():
        (one,) = refuse(1)
        redeclaring.declare_again([one.pk], for_all={"ends_on": date(2025, 3, 5), "title": "Typed anew"})
        new = Declaration.objects.get(replaces=one)
        assert one.record
        assert one.batch
        scenes.acknowledged(0, through=one.batch.channel)
        new.refresh_from_db()
        scenes.answer(new, DeclarationState.ACCEPTED)
        story = list(
            one.record.declarations.select_related("batch").prefetch_related("anomalies").order_by("-pk")
        )
        lines = history.of_record(one.record, story)
    told = [line["text"] for line in lines]
    assert told[-4:] == [
        "Changed: Last day 04/03/2025 → 05/03/2025; Title",
        "Declared again: Original",
        "Simulation: sent",
        "Simulation: accepted",
    ]
    assert "Simulation: refused: Training after the worker left" in told
    assert told.index("Declared: Original") < told.index(
        "Simulation: refused: Training after the worker left"
    )
    assert [line["actor"] for line in lines][-4] == "Lou Essai"
    assert lines[-1]["url"] == f"#declaration-{new.pk}"
