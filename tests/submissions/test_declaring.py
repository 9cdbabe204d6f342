"""From the register to declarations: originals, follow-ups, corrections, and what may not be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from channels.models import InboundFile
from portal import tenancy
from portal.models import Event
from portal.moving import ForbiddenMove, LostRace
from submissions import declaring, sets
from submissions.models import Batch, Declaration, TrainingRecord
from submissions.states import ACCEPTED, ON_THE_WAY, DeclarationState
from tests import factories
from tests.people import Person
from tests.racing import race

D = DeclarationState


@pytest.fixture(autouse=True)
def _in_scope(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test here acts as the operator, but those that race."""
    if "transactional_db" in request.fixturenames:
        yield
    else:
        with request.getfixturevalue("operator").scope():
            yield


def settled(state: str, **fields: object) -> Declaration:
    """A declaration that came back with this answer, ticket `0A1B2C3D4E5F6`."""
    factories.sealed_batch()
    made = Declaration.objects.filter(state=D.BATCHED).get()
    made.move(state, ticket="0A1B2C3D4E5F6", answered_at=timezone.now(), **fields)
    return made


def verbs() -> list[str]:
    return list(Event.objects.filter(verb__startswith="declaration").values_list("verb", flat=True))


# --- originals ------------------------------------------------------------------------------------


def test_a_complete_record_is_ready_and_another_a_draft() -> None:
    somebody = factories.worker()
    complete, incomplete = factories.record(somebody), factories.record(somebody, nature="")
    assert declaring.declare([complete, incomplete], "FLA") == 2
    assert complete.declarations.get().state == D.READY
    assert incomplete.declarations.get().state == D.DRAFT
    for record in (complete, incomplete):
        made = record.declarations.get()
        assert (made.kind, made.service, made.employer_id) == ("original", "FLA", somebody.employer_id)
        assert (made.batch_id, made.replaces_id, made.earlier_ticket) == (None, None, "")


def test_nothing_to_declare_is_no_event() -> None:
    assert declaring.declare([], "FLA") == 0
    assert verbs() == []


def test_more_than_a_slice_is_declared_from_a_stream() -> None:
    """An import hands over records as it makes them: they are not gathered first."""
    factories.ready(2)
    Declaration.objects.all().delete()
    pattern = TrainingRecord.objects.order_by("pk")[0]
    records = TrainingRecord.objects.bulk_create(
        TrainingRecord(worker_id=pattern.worker_id, employer_id=pattern.employer_id, client_reference=f"S-{n}",
                       **factories.TRAINING) for n in range(1001)
    )  # fmt: skip
    before = Event.objects.count()
    assert declaring.declare(iter(records), "FLA") == 1001
    assert Declaration.objects.ready().count() == 1001
    assert len(set(Declaration.objects.values_list("reference", flat=True))) == 1001
    assert sorted(Event.objects.order_by("pk")[before:].values_list("data__count", flat=True)) == [
        1,
        500,
        500,
    ]


def test_references_can_be_read_out_loud() -> None:
    for made in factories.ready(20):
        assert len(made.reference) == 14
        assert made.reference.startswith("P-")
        assert not set(made.reference[2:]) & set("ILOU")


def test_a_record_has_one_live_declaration() -> None:
    record = factories.record()
    declaring.declare([record], "FLA")
    with pytest.raises(IntegrityError, match="one_live_declaration_per_record"), transaction.atomic():
        declaring.declare([record], "FLA")


def test_a_record_that_was_settled_may_be_declared_again() -> None:
    record = factories.record()
    declaring.declare([record], "FLA")
    declaring.withdraw(record.declarations.get(), "typed twice")
    declaring.declare([record], "FLA")
    assert sorted(record.declarations.values_list("state", flat=True)) == [D.READY, D.WITHDRAWN]


def test_two_at_once_declare_a_record_once(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        record = factories.record()

    def declare() -> int:
        with tenancy.scope(tenant):
            return declaring.declare([record], "FLA")

    results = race(declare, declare, declare)
    assert results.count(1) == 1
    assert sum(isinstance(result, IntegrityError) for result in results) == 2
    with tenancy.scope(tenant):
        assert Declaration.objects.count() == 1


def test_a_draft_becomes_ready_when_nothing_is_missing() -> None:
    record = factories.record(nature="", title="")
    declaring.declare([record], "FLA")
    draft = record.declarations.get()
    assert set(declaring.complete(draft)) == {"nature", "title"}
    assert draft.state == D.DRAFT
    TrainingRecord.objects.filter(pk=record.pk).update(nature="Langues", title="Anglais")
    draft = Declaration.objects.get(pk=draft.pk)
    assert declaring.complete(draft) == {}
    draft.refresh_from_db()
    assert draft.state == D.READY
    assert "declaration.completed" in verbs()


# --- withdrawing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [D.DRAFT, D.READY])
def test_what_has_not_left_can_be_withdrawn(state: str) -> None:
    made = factories.declaration(state=state)
    declaring.withdraw(made, "the client asked")
    made.refresh_from_db()
    assert made.state == D.WITHDRAWN
    assert Event.objects.get(verb="declaration.withdrawn").reason == "the client asked"


@pytest.mark.parametrize("state", [*ON_THE_WAY, *ACCEPTED, D.REFUSED])
def test_what_has_left_cannot_be_withdrawn(state: str) -> None:
    batch = factories.sealed_batch()
    made = batch.declarations.get()
    Declaration.objects.filter(pk=made.pk).update(state=state)
    made.refresh_from_db()
    with pytest.raises(declaring.CannotDeclare, match="has left"):
        declaring.withdraw(made, "")


def test_withdrawing_loses_against_a_departure_in_the_meantime() -> None:
    """The page was opened before the set was sealed."""
    (made,) = factories.ready()
    factories.seal(factories.channel())
    with pytest.raises(LostRace):
        declaring.withdraw(made, "")
    made.refresh_from_db()
    assert made.state == D.BATCHED


def test_withdrawing_and_sealing_at_once(transactional_db: None) -> None:
    """Exactly one of them has it."""
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        channel = factories.channel()
    for _ in range(5):
        with tenancy.scope(tenant):
            (made,) = factories.ready()

        def withdraw(made: Declaration = made) -> str:
            with tenancy.scope(tenant):
                declaring.withdraw(made, "")
                return "withdrawn"

        def seal() -> str:
            with tenancy.scope(tenant):
                return "batched" if factories.seal(channel) else "nothing"

        results = race(withdraw, seal)
        with tenancy.scope(tenant):
            made.refresh_from_db()
        assert made.state in results
        assert len({"withdrawn", "batched"} & set(map(str, results))) == 1


# --- after an answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ACCEPTED)
@pytest.mark.parametrize("kind", ["modification", "cancellation"])
def test_what_was_accepted_can_be_modified_or_cancelled(state: str, kind: str) -> None:
    accepted = settled(state)
    make = {"modification": declaring.modify, "cancellation": declaring.cancel}[kind]
    made = make(accepted.record)
    assert (made.kind, made.state) == (kind, D.READY)
    assert made.earlier_ticket == "0A1B2C3D4E5F6"
    assert made.replaces == accepted
    assert made.reference != accepted.reference
    assert accepted.record == made.record


@pytest.mark.parametrize(
    ("state", "sentence"),
    [(D.DRAFT, "not left yet"), (D.READY, "not left yet"), (D.WITHDRAWN, "on its account")],
)
def test_what_never_left_cannot_be_modified_or_cancelled(state: str, sentence: str) -> None:
    made = factories.declaration(state=state)
    for follow_up in (declaring.modify, declaring.cancel):
        with pytest.raises(declaring.CannotDeclare, match=sentence):
            follow_up(made.record)


def test_what_was_refused_or_waits_cannot_be_modified() -> None:
    refused = settled(D.REFUSED)
    waiting = factories.sealed_batch(through=Batch.objects.get().channel).declarations.get()
    for made, sentence in ((refused, "on its account"), (waiting, "awaits its answer")):
        with pytest.raises(declaring.CannotDeclare, match=sentence):
            declaring.modify(made.record)


def test_a_record_without_any_declaration_cannot_be_cancelled() -> None:
    with pytest.raises(declaring.CannotDeclare):
        declaring.cancel(factories.record())


def test_what_is_off_the_account_cannot_be_modified() -> None:
    accepted = settled(D.ACCEPTED)
    cancellation = declaring.cancel(accepted.record)
    factories.seal(Batch.objects.get().channel)
    cancellation.refresh_from_db()
    cancellation.move(D.ACCEPTED, ticket="0A1B2C3D4E5F7")
    for follow_up in (declaring.modify, declaring.cancel):
        with pytest.raises(declaring.CannotDeclare):
            follow_up(accepted.record)


def test_a_modification_refers_to_the_form_before_it() -> None:
    """The ticket is that of the latest accepted form, not of the first."""
    accepted = settled(D.ACCEPTED)
    first = declaring.modify(accepted.record)
    factories.seal(Batch.objects.get().channel)
    first.refresh_from_db()
    first.move(D.ACCEPTED_WITH_REMARKS, ticket="0A1B2C3D4E5F7")
    second = declaring.modify(accepted.record)
    assert second.earlier_ticket == "0A1B2C3D4E5F7"
    assert second.replaces == first


def test_a_modification_of_an_incomplete_record_is_a_draft() -> None:
    accepted = settled(D.ACCEPTED)
    TrainingRecord.objects.filter(pk=accepted.record_id).update(nature="")
    assert declaring.modify(TrainingRecord.objects.get(pk=accepted.record_id)).state == D.DRAFT


def test_a_refused_original_is_corrected_by_an_original() -> None:
    refused = settled(D.REFUSED)
    made = declaring.correct(refused)
    assert (made.kind, made.state, made.earlier_ticket) == ("original", D.READY, "")
    assert made.replaces == refused
    assert not Declaration.objects.to_correct().exists()


def test_a_refused_modification_is_corrected_by_one_about_the_same_form() -> None:
    accepted = settled(D.ACCEPTED)
    modification = declaring.modify(accepted.record)
    factories.seal(Batch.objects.get().channel)
    modification.refresh_from_db()
    modification.move(D.REFUSED, ticket="0A1B2C3D4E5F7")
    made = declaring.correct(modification)
    assert (made.kind, made.earlier_ticket) == ("modification", "0A1B2C3D4E5F6")


def test_after_a_refused_modification_the_accepted_form_still_stands() -> None:
    """It can be cancelled without correcting what was refused first, and that is settled with it."""
    accepted = settled(D.ACCEPTED)
    modification = declaring.modify(accepted.record)
    factories.seal(Batch.objects.get().channel)
    modification.refresh_from_db()
    modification.move(D.REFUSED, ticket="0A1B2C3D4E5F7")
    made = declaring.cancel(accepted.record)
    assert (made.kind, made.earlier_ticket) == ("cancellation", "0A1B2C3D4E5F6")
    assert made.replaces == modification
    assert not Declaration.objects.to_correct().exists()


def test_after_a_withdrawn_modification_the_accepted_form_still_stands() -> None:
    accepted = settled(D.ACCEPTED)
    for _ in range(2):
        modification = declaring.modify(accepted.record)
        declaring.withdraw(modification, "the client changed his mind")
    assert declaring.standing(accepted.record) == accepted
    made = declaring.cancel(accepted.record)
    assert (made.kind, made.earlier_ticket) == ("cancellation", "0A1B2C3D4E5F6")


def test_while_a_modification_waits_there_is_no_second_one() -> None:
    accepted = settled(D.ACCEPTED)
    declaring.modify(accepted.record)
    for follow_up in (declaring.modify, declaring.cancel):
        with pytest.raises(declaring.CannotDeclare):
            follow_up(accepted.record)


def test_two_at_once_modify_an_accepted_form_once(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        accepted = settled(D.ACCEPTED)

    def modify() -> str:
        with tenancy.scope(tenant):
            return declaring.modify(accepted.record).kind

    results = race(modify, modify, modify)
    assert results.count("modification") == 1
    assert sum(isinstance(result, declaring.CannotDeclare) for result in results) == 2


@pytest.mark.parametrize("state", [D.DRAFT, D.READY, D.WITHDRAWN, D.REFUSED])
def test_nothing_stands_before_it_was_accepted(state: str) -> None:
    made = settled(D.REFUSED) if state == D.REFUSED else factories.declaration(state=state)
    assert declaring.standing(made.record) is None


def test_a_refused_declaration_is_corrected_once() -> None:
    refused = settled(D.REFUSED)
    declaring.correct(refused)
    with pytest.raises(declaring.CannotDeclare, match="corrected already"):
        declaring.correct(refused)


@pytest.mark.parametrize("state", ACCEPTED)
def test_what_was_not_refused_is_not_corrected(state: str) -> None:
    with pytest.raises(declaring.CannotDeclare):
        declaring.correct(settled(state))


def test_two_at_once_correct_a_refusal_once(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        refused = settled(D.REFUSED)

    def correct() -> str:
        with tenancy.scope(tenant):
            return declaring.correct(refused).kind

    results = race(correct, correct, correct)
    assert results.count("original") == 1
    assert sum(isinstance(result, declaring.CannotDeclare) for result in results) == 2


# --- a whole set again ----------------------------------------------------------------------------


def rejected(number: int = 3) -> Batch:
    batch = factories.sealed_batch(number)
    file: InboundFile = factories.inbound(batch.channel, b"<ACRF/>")
    assert sets.reject(batch, "", ["ACRF-125"], file) is sets.Verdict.MOVED
    return batch


def test_a_set_that_was_refused_as_a_whole_is_declared_again(operator: Person) -> None:
    batch = rejected(3)
    refused = list(factories.declarations_of(batch))
    assert declaring.send_again(batch) == 3
    again = {made.replaces_id: made for made in Declaration.objects.ready()}
    assert set(again) == {made.pk for made in refused}
    for old in refused:
        new = again[old.pk]
        assert (new.kind, new.service, new.record_id, new.employer_id) == (
            old.kind,
            old.service,
            old.record_id,
            old.employer_id,
        )
        assert new.reference != old.reference
        assert new.mandataire_id == operator.mandataire.pk
    assert len({made.reference for made in again.values()}) == 3
    assert not Declaration.objects.to_correct().exists()


def test_sending_again_twice_declares_once() -> None:
    batch = rejected(2)
    assert declaring.send_again(batch) == 2
    assert declaring.send_again(batch) == 0
    assert Declaration.objects.ready().count() == 2


def test_what_was_corrected_by_hand_is_left_out() -> None:
    batch = rejected(3)
    declaring.correct(factories.declarations_of(batch)[0])
    assert declaring.send_again(batch) == 2


def test_a_modification_keeps_its_earlier_ticket() -> None:
    accepted = settled(D.ACCEPTED)
    declaring.modify(accepted.record)
    (batch,) = factories.seal(Batch.objects.get().channel)
    sets.reject(batch, "", ["ACRF-102"], factories.inbound(batch.channel, b"<ACRF/>"))
    assert declaring.send_again(batch) == 1
    new = Declaration.objects.ready().get()
    assert (new.kind, new.earlier_ticket) == ("modification", "0A1B2C3D4E5F6")


@pytest.mark.parametrize("state", ["sealed", "dropped", "acknowledged", "answered", "parked"])
def test_no_other_set_is_sent_again(state: str) -> None:
    batch = factories.sealed_batch()
    Batch.objects.filter(pk=batch.pk).update(state=state)
    batch.refresh_from_db()
    with pytest.raises(declaring.CannotDeclare, match="refused as a whole"):
        declaring.send_again(batch)


def test_what_is_sent_again_arrives_under_another_name() -> None:
    batch = rejected(2)
    declaring.send_again(batch)
    (again,) = factories.seal(batch.channel)
    assert again.envelope.stem != batch.envelope.stem
    assert again.declarations_count == 2


def test_a_move_that_the_table_does_not_know_is_refused() -> None:
    made = factories.declaration()
    with pytest.raises(ForbiddenMove, match="ready -> accepted"):
        made.move(D.ACCEPTED)
