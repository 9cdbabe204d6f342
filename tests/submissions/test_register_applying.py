"""A file for the register, checked, applied and undone: every good row once, whatever happens to the worker."""

from __future__ import annotations

import io
import os
import signal
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from mandates.models import Contract, Worker
from mandates.numbers import quarter_of
from portal import audit, tenancy
from portal.models import Event, Profile
from portal.moving import LostRace
from submissions import signing_off, sweeping
from submissions.conserving import account
from submissions.importing import applying, checking, keeping, turns, undoing
from submissions.importing.telling import told
from submissions.models import Declaration, RegisterImport, SignOff, TrainingRecord
from tests import factories
from tests.people import Person
from tests.racing import beside, wait_until_one_waits
from tests.submissions.register_files import csv_of, person, training, uploaded, worked


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
    twin = person(client, regime="60")
    other = {"joint_committee": "140.03", "regime": "40"}
    rows = [person(client, left_on="31/12/2024", regime="80"), twin, twin | other]
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


def test_nothing_is_added_to_a_quarter_that_was_signed_off(operator: Person) -> None:
    """Signed off after the dry run it counts as well; opened again it does not."""
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [training(worker, 1), training(worker, 2, starts_on="01/04/2025", ends_on="02/04/2025")]
    made = checked(operator, "trainings", rows)
    assert stands(made) == ("checked", 2, 0, 0, 0)
    with operator.scope():
        opened = {"employer": worker.employer, "signed_at": timezone.now(), "signed_by": "Lou Essai"}
        SignOff.objects.create(quarter="20252", reopened_at=timezone.now(), reason="Oublié", **opened)
        SignOff.objects.create(quarter="20251", **opened)
    made = applied(operator, made)
    assert stands(made) == ("applied", 2, 1, 0, 1)
    with operator.scope():
        assert [row.client_reference for row in TrainingRecord.objects.all()] == ["R-2"]
        (fault,) = made.faults.get().faults
        assert told(fault) == "Q1 2025 is signed off: have it opened again before something is added."


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_whole", [False, True])
def test_a_sign_off_that_is_being_made_is_waited_for(operator: Person, is_whole: bool) -> None:
    """Signed after the rows were looked at and before they are made: they would stand in a quarter that is signed."""
    with operator.scope():
        client = factories.client()
        today = timezone.localdate().strftime("%d/%m/%Y")
        row = training(factories.worker(client), 1, starts_on=today, ends_on=today)
    made = checked(operator, "trainings", [row])
    assert stands(made) == ("checked", 1, 0, 0, 0)
    with operator.scope():
        applying.begin(made, is_whole=is_whole)
        signer = factories.place(operator.mandataire, Profile.ENCODE, employer=client).user
    with ExitStack() as stack:
        with tenancy.scope(operator.mandataire.pk, actor=signer.pk), tenancy.within((client.pk,)):
            signing_off.sign_off(client, quarter_of(timezone.localdate()))
            work = stack.enter_context(beside(lambda: keeping.work(operator.mandataire.pk, made.pk)))
            wait_until_one_waits()
        assert work.result(timeout=10) == 0
    with operator.scope():
        now = RegisterImport.objects.get(pk=made.pk)
        assert stands(now) == ("checked" if is_whole else "applied", 1, 1, 0, 0)
        assert "is signed off" in now.faults.get().faults[0][1]
        assert not TrainingRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_whoever_signs_off_waits_for_the_rows_that_are_being_made(operator: Person) -> None:
    with operator.scope():
        client = factories.client()
        today = timezone.localdate().strftime("%d/%m/%Y")
        row = training(factories.worker(client), 1, starts_on=today, ends_on=today)
    made = checked(operator, "trainings", [row])
    with operator.scope():
        applying.begin(made, is_whole=False)
        signer = factories.place(operator.mandataire, Profile.ENCODE, employer=client).user
    code = quarter_of(timezone.localdate())

    def sign() -> int:
        with tenancy.scope(operator.mandataire.pk, actor=signer.pk), tenancy.within((client.pk,)):
            signing_off.sign_off(client, code)
            return signing_off.lines(client, timezone.localdate())[0].trainings

    with ExitStack() as stack:
        with operator.scope():
            assert keeping.work(operator.mandataire.pk, made.pk) == 1
            signing = stack.enter_context(beside(sign))
            wait_until_one_waits()
        assert signing.result(timeout=10) == 1, "what is signed is what is there"


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
    assert account(operator.mandataire.pk).breaks == [], "what went is no loss"
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


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_worker_that_dies_leaves_whole_chunks_and_the_next_one_goes_on(
    operator: Person, monkeypatch: pytest.MonkeyPatch, is_whole: bool
) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [training(worker, n) for n in range(1, 8)]
    made = checked(operator, "trainings", rows)
    with operator.scope():
        applying.begin(made, is_whole=is_whole)
    monkeypatch.setattr(applying, "CHUNK", 2)
    real = audit.record

    def dies(verb: str, *arguments: Any, **keywords: Any) -> Any:
        if verb == "register.rows_imported" and keywords["data"]["first_row"] == 6:
            raise KeyboardInterrupt  # after everything of the third chunk was made, before its commit
        return real(verb, *arguments, **keywords)

    monkeypatch.setattr(audit, "record", dies)
    with pytest.raises(KeyboardInterrupt):
        keeping.work(operator.mandataire.pk, made.pk)
    monkeypatch.setattr(audit, "record", real)
    with operator.scope():
        assert TrainingRecord.objects.count() == Declaration.objects.count() == (0 if is_whole else 4)
        now = RegisterImport.objects.get(pk=made.pk)
        assert (now.state, now.done) == ("applying", 0 if is_whole else 4)
        later = timezone.now() + timedelta(hours=1)
    assert ("register", operator.mandataire.pk, made.pk) in list(sweeping.due(later))
    made = worked(operator, made)
    assert stands(made) == ("applied", 7, 0, 0, 7)
    with operator.scope():
        assert TrainingRecord.objects.count() == Declaration.objects.count() == 7
        lines = [line for chunk in made.chunks.order_by("number") for line, _pk in chunk.made["trainings"]]
        assert lines == list(range(2, 9))


def test_whoever_lost_the_turn_stops_at_once(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        made = uploaded("trainings", [training(worker, 1)])
    first = turns.take(operator.mandataire.pk, made.pk)
    assert first is not None
    assert turns.take(operator.mandataire.pk, made.pk) is not None
    with pytest.raises(LostRace), first.step():
        pass


def test_an_employer_user_imports_for_his_own_company_only(operator: Person) -> None:
    with operator.scope():
        own, other = factories.client(), factories.client()
        mine, theirs = factories.worker(own), factories.worker(other)
        rows = [training(mine, 1), training(theirs, 2)]
        whole = uploaded("trainings", rows)
    client = Client()
    client.force_login(factories.place(operator.mandataire, Profile.ENCODE, employer=own).user)
    refused = client.post("/imports/", {"kind": "trainings", "file": io.BytesIO(csv_of("trainings", rows))})
    assert refused.status_code == 422
    for employer, status in ((other, 422), (own, 302)):
        file = io.BytesIO(csv_of("trainings", rows))
        file.name = "mine.csv"
        answer = client.post("/imports/", {"kind": "trainings", "employer": employer.pk, "file": file})
        assert answer.status_code == status
    assert client.get(f"/imports/{whole.pk}/").status_code == 404
    with operator.scope():
        made = RegisterImport.objects.latest("pk")
    made = worked(operator, made)
    assert (made.employer_id, made.total, made.bad) == (own.pk, 2, 1)
    shown = client.get(f"/imports/{made.pk}/")
    assert "another enterprise" in shown.content.decode()
    saved = b"".join(client.post(f"/imports/{made.pk}/to-correct/").streaming_content).decode()
    assert "R-2" in saved
    assert "R-1" not in saved


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", ["checking", "applying", "undoing"])
def test_killed_in_the_middle_it_goes_on_and_nothing_is_there_twice(
    operator: Person, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    for module in (checking, applying):
        monkeypatch.setattr(module, "CHUNK", 2)
    with operator.scope():
        worker = factories.worker(factories.client())
        made = uploaded("trainings", [training(worker, n) for n in range(1, 10)])
    if work != "checking":
        worked(operator, made)
        with operator.scope():
            applying.begin(RegisterImport.objects.get(pk=made.pk), is_whole=False)
    if work == "undoing":
        worked(operator, made)
        with operator.scope():
            undoing.begin(RegisterImport.objects.get(pk=made.pk))
    assert killed_at_third_chunk(operator, made) == -signal.SIGKILL
    with operator.scope():
        now = RegisterImport.objects.get(pk=made.pk)
        assert now.state == work
        assert {"checking": now.total, "applying": now.done, "undoing": now.undone}[work] in (3, 4)
        there = {"checking": 0, "applying": 4, "undoing": 6}[work]
        assert TrainingRecord.objects.count() == Declaration.objects.count() == there
    made = worked(operator, made)
    assert stands(made) == (
        {"checking": "checked", "applying": "applied", "undoing": "undone"}[work],
        *(9, 0, 0, 0 if work == "checking" else 9),
    )
    with operator.scope():
        assert (
            TrainingRecord.objects.count() == Declaration.objects.count() == (9 if work == "applying" else 0)
        )
    assert audit.verify(operator.mandataire.pk)[1] is None


def killed_at_third_chunk(operator: Person, made: RegisterImport) -> int:
    """Works on the import in a process that dies inside the third of its transactions about rows."""
    connection.close()
    child = os.fork()
    if not child:
        try:
            calls = count(1)
            real = turns.later

            def dies() -> Any:
                # Asked once when the turn is taken, then in each chunk, with all of it made and nothing committed.
                if next(calls) == 4:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real()

            turns.later = dies
            keeping.work(operator.mandataire.pk, made.pk)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
