"""A file for the register, checked, applied and undone: every good row once, whatever happens to the worker."""

from __future__ import annotations

import pytest

from mandates.models import Contract, Worker
from portal import audit
from portal.models import Event
from portal.moving import LostRace
from submissions.importing import applying, keeping, undoing
from submissions.models import Declaration, RegisterImport, TrainingRecord
from tests import factories
from tests.people import Person
from tests.submissions.register_files import person, training, uploaded, worked


def stands(made: RegisterImport) -> tuple[str, int, int, int, int]:
    return made.state, made.total, made.bad, made.same, made.done


def checked(operator: Person, kind: str, rows: list[dict[str, str]]) -> RegisterImport:
    with operator.scope():
        made = uploaded(kind, rows)
    return worked(operator, made)


def applied(operator: Person, made: RegisterImport, *, is_whole: bool = False) -> RegisterImport:
    with operator.scope():
        applying.begin(made, is_whole=is_whole)
    return worked(operator, made)


def test_workers_with_contracts_then_their_trainings(operator: Person) -> None:
    with operator.scope():
        client = factories.client()
    twin = person(client)
    rows = [person(client, left_on="31/12/2024", regime="80"), twin, twin | {"joint_committee": "140.03"}]
    rows.append(person(client, joint_committee="", entered_on=""))
    made = checked(operator, "workers", rows)
    assert stands(made) == ("checked", 4, 0, 0, 0)
    with operator.scope():
        assert not Worker.objects.exists()
    made = applied(operator, made)
    assert stands(made) == ("applied", 4, 0, 0, 4)
    with operator.scope():
        assert (Worker.objects.count(), Contract.objects.count()) == (3, 3)
        first = Contract.objects.order_by("pk")[0]
        assert (str(first.regime), first.day_minutes, str(first.left_on)) == ("80.00", 456, "2024-12-31")
        worker = Worker.objects.select_related("employer").get(
            niss_index=Worker(niss=twin["niss"]).niss_index
        )
        assert worker.niss == twin["niss"]
        made = uploaded("trainings", [training(worker, 1), training(worker)])
    made = worked(operator, made)
    assert stands(made) == ("checked", 2, 0, 0, 0)
    made = applied(operator, made, is_whole=True)
    assert stands(made) == ("applied", 2, 0, 0, 2)
    with operator.scope():
        record = TrainingRecord.objects.get(client_reference="R-1")
        assert (record.duration_minutes, record.charged_minutes, record.day_minutes) == (912, 912, 456)
        assert Declaration.objects.ready().count() == 2
        told = Event.objects.get(verb="register.rows_imported", subject_id=str(made.pk))
        assert (told.actor_name, told.data["rows"]) == ("operator", 2)
        assert (told.data["first_row"], told.data["last_row"]) == (2, 3)
        assert made.chunks.get().made["trainings"][0] == [2, record.pk]


def test_what_the_register_says_already_is_left_alone(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows, more = [training(worker, 1), training(worker)], training(worker, 2)
    made = applied(operator, checked(operator, "trainings", rows))
    again = checked(operator, "trainings", [*rows, more])
    assert stands(again) == ("checked", 3, 0, 2, 0)
    assert stands(applied(operator, again)) == ("applied", 3, 0, 2, 1)
    with operator.scope():
        assert keeping.earlier(again) is None
        same = uploaded("trainings", rows)
        assert keeping.earlier(same) == made
    same = worked(operator, same)
    assert stands(same) == ("checked", 2, 0, 2, 0)
    with operator.scope(), pytest.raises(LostRace):
        applying.begin(same, is_whole=False)


def test_a_bad_row_says_why_and_stops_nothing_else(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [training(worker, 1), training(worker, 2, starts_on="30/02/2025"), training(worker, 1)]
    made = checked(operator, "trainings", rows)
    assert stands(made) == ("checked", 3, 2, 0, 0)
    with operator.scope():
        faults = {row.line: row.faults for row in made.faults.all()}
        assert [fault[0] for fault in faults[3]] == ["starts_on"]
        assert "does not exist" in faults[3][0][1]
        assert faults[4][0][2] == {"line": 2}
        with pytest.raises(LostRace):
            applying.begin(made, is_whole=True)
    assert stands(applied(operator, made)) == ("applied", 3, 2, 0, 1)


def test_all_or_none_leaves_none_when_one_cannot(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [training(worker, n) for n in range(1, 4)]
    made = checked(operator, "trainings", rows)
    with operator.scope():
        factories.record(worker, client_reference="R-3")
    made = applied(operator, made, is_whole=True)
    assert stands(made) == ("checked", 3, 1, 0, 0)
    with operator.scope():
        assert TrainingRecord.objects.count() == 1
        assert Event.objects.get(verb="register.stopped").data["rows"] == 1
    assert stands(applied(operator, made)) == ("applied", 3, 1, 0, 2)


def test_undoing_takes_back_what_was_not_sent_and_names_the_rest(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        channel = factories.channel()
        rows = [training(worker, n) for n in range(1, 4)]
    made = applied(operator, checked(operator, "trainings", rows))
    with operator.scope():
        one, two, three = TrainingRecord.objects.order_by("pk")
        Declaration.objects.exclude(record=one).update(state="draft")
        factories.seal(channel)
        audit.record("record.changed", two, data={"fields": ["title"]})
        undoing.begin(made)
    made = worked(operator, made)
    assert (made.state, made.undone, made.kept) == ("undone", 1, 2)
    with operator.scope():
        assert set(TrainingRecord.objects.values_list("pk", flat=True)) == {one.pk, two.pk}
        assert not Declaration.objects.filter(record_id=three.pk).exists()
        kept = made.chunks.get().kept["trainings"]
        assert kept == [[2, one.pk, undoing.SENT], [3, two.pk, undoing.CHANGED]]


def test_undoing_workers_keeps_whoever_has_trainings(operator: Person) -> None:
    with operator.scope():
        client = factories.client()
    made = applied(operator, checked(operator, "workers", [person(client), person(client)]))
    with operator.scope():
        kept, gone = Worker.objects.order_by("pk")
        factories.record(kept)
        undoing.begin(made)
    made = worked(operator, made)
    assert (made.state, made.undone, made.kept) == ("undone", 3, 1)
    with operator.scope():
        assert list(Worker.objects.all()) == [kept]
        assert made.chunks.get().kept == {"workers": [[2, kept.pk, undoing.USED]]}
        assert not Contract.objects.exists()
        assert gone.pk
