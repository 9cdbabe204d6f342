"""What a test accepted goes to production: what may, what is left out and why, once and never twice."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from channels.models import Channel, Drop, Envelope, InboundFile
from portal import audit, tenancy
from portal.models import Event
from submissions import answering, conserving, declaring, departing, promoting, relaying
from submissions.models import Batch, Declaration, TrainingRecord
from submissions.promoting import CannotPromote, Fate
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.portal.test_migrations import Editor
from tests.racing import race
from tests.submissions import documents, relayed_files, scenes
from tests.submissions.answers_about import receipt, receive, verdict, verdicts
from tests.submissions.wire.answer_samples import noti

D = DeclarationState
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reopened(settings: Any) -> None:
    """FLA takes declarations in production again."""
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": True})


@pytest.fixture
def channel(scope: None) -> Channel:
    return factories.channel()


def tried(number: int, channel: Channel, *results: str) -> Batch:
    """A set of so many that was answered as a whole: with `results` (1 accepted, 0 refused), else all accepted."""
    batch = scenes.acknowledged(number, through=channel)
    made = factories.declarations_of(batch)
    results = results or ("1",) * number
    content = noti(*(verdict(each, result) for each, result in zip(made, results, strict=True)))
    assert receive_left(batch, content).state == "applied"
    batch.refresh_from_db()
    assert batch.state == "answered"
    return batch


def receive_left(batch: Batch, content: bytes) -> InboundFile:
    """An answer about a set that really left."""
    now = timezone.now()
    Drop.objects.get_or_create(
        envelope=batch.envelope,
        defaults={
            "state": "confirmed",
            "started_at": now,
            "heartbeat_at": now,
            "go_intended_at": now,
            "ended_at": now,
        },
    )
    return receive(batch, content)


def reasons(batch: Batch) -> dict[int, str]:
    return dict(promoting.judged(batch).order_by("pk").values_list("record_id", "fate"))


def in_production() -> list[Declaration]:
    return list(Declaration.objects.production().order_by("pk"))


# --- what goes ------------------------------------------------------------------------------------


def test_what_a_test_accepted_is_declared_from_the_same_records(channel: Channel) -> None:
    batch = tried(3, channel)
    before = {made.pk: made for made in factories.declarations_of(batch)}
    assert promoting.promote(batch) == {Fate.GOOD: 3}
    made = in_production()
    assert [each.promotes_id for each in made] == sorted(before)
    for each in made:
        earlier = before[each.promotes_id]
        assert (each.record_id, each.employer_id, each.service) == (
            earlier.record_id,
            earlier.employer_id,
            earlier.service,
        )
        assert (each.kind, each.state, each.earlier_ticket, each.batch_id) == ("original", D.READY, "", None)
        assert each.reference != earlier.reference
    assert Event.objects.get(verb="batch.promoted").data == {"count": 3, "left_out": {}}
    assert conserving.account(tenancy.current()).breaks == []


def test_it_leaves_for_production_while_the_channel_stays_in_the_simulation(channel: Channel) -> None:
    batch = tried(2, channel)
    promoting.promote(batch)
    factories.ready(1)
    sealed = Batch.objects.filter(pk__in=departing.depart(tenancy.current(), channel.pk, is_asked=True))
    assert {each.environment: each.declarations_count for each in sealed} == {"R": 2, "S": 1}
    for each in sealed:
        assert str(each.envelope).endswith(each.environment)
        assert bool(each.envelope.certificate) == (each.environment == "R")
        assert set(each.declarations.values_list("environment", flat=True)) == {each.environment}
    assert channel.environment == "S"


def test_the_gate_asks_for_the_mandate_again(channel: Channel) -> None:
    batch = tried(1, channel)
    promoting.promote(batch)
    (made,) = in_production()
    made.employer.mandates.update(state="closed")
    assert departing.depart(tenancy.current(), channel.pk, is_asked=True) == []
    made.refresh_from_db()
    assert made.state == D.READY


def test_a_modification_that_was_tested_becomes_an_original(channel: Channel) -> None:
    record = tried(1, channel).declarations.get().record
    change(record)
    declaring.modify(record)
    (second,) = factories.seal(channel)
    sent(second)
    promoting.promote(second)
    (made,) = in_production()
    assert (made.kind, made.earlier_ticket, made.promotes.batch) == ("original", "", second)


def sent(batch: Batch) -> None:
    receive_left(batch, receipt(batch))
    receive_left(batch, verdicts(factories.declarations_of(batch)))
    batch.refresh_from_db()
    assert batch.state == "answered"


def change(record: TrainingRecord) -> None:
    record.title = "Gestes et postures"
    record.save()


# --- what is left out -----------------------------------------------------------------------------


def test_what_is_not_good_is_left_out_with_its_reason(channel: Channel) -> None:
    batch = tried(6, channel, "1", "0", "1", "1", "1", "1")
    good, refused, changed, cancelled, modified, declared = (
        made.record for made in factories.declarations_of(batch)
    )
    change(changed)
    declaring.cancel(cancelled)
    declaring.modify(modified)
    declaring.declare([declared], "FLA", "R")
    assert reasons(batch) == {
        good.pk: Fate.GOOD,
        refused.pk: Fate.REFUSED,
        changed.pk: Fate.CHANGED,
        cancelled.pk: Fate.CANCELLED,
        modified.pk: Fate.FOLLOWED,
        declared.pk: Fate.DECLARED,
    }
    promoting.promote(batch)
    assert [made.record for made in in_production() if made.promotes_id] == [good]
    left_out = Event.objects.get(verb="batch.promoted").data["left_out"]
    assert left_out == {"refused": 1, "changed": 1, "cancelled": 1, "followed": 1, "declared": 1}
    assert conserving.account(tenancy.current()).breaks == []


def test_a_follow_up_that_was_refused_takes_nothing_away(channel: Channel) -> None:
    batch = tried(1, channel)
    declaring.cancel(batch.declarations.get().record)
    (second,) = factories.seal(channel)
    receive_left(second, receipt(second))
    receive_left(second, verdicts(factories.declarations_of(second), "0"))
    assert promoting.fates(batch) == {Fate.GOOD: 1}


@pytest.mark.parametrize("state", ["sealed", "acknowledged", "rejected"])
def test_a_set_that_is_not_answered_is_not_offered(channel: Channel, state: str) -> None:
    batch = {
        "sealed": factories.sealed_batch,
        "acknowledged": scenes.acknowledged,
        "rejected": scenes.rejected,
    }[state](1, through=channel)
    with pytest.raises(CannotPromote, match="answered completely"):
        promoting.promote(batch)
    assert in_production() == []


def test_what_production_answered_is_not_sent_there_again(channel: Channel) -> None:
    Channel.objects.update(environment="R")
    batch = tried(1, Channel.objects.get())
    assert batch.environment == "R"
    with pytest.raises(CannotPromote, match="Only a test"):
        promoting.promote(batch)


def test_a_closed_service_says_so_at_the_door(channel: Channel, settings: Any) -> None:
    batch = tried(1, channel)
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": False})
    with pytest.raises(CannotPromote, match="closed on"):
        promoting.promote(batch)
    assert in_production() == []


def test_without_a_certificate_nothing_is_promised(channel: Channel) -> None:
    batch = tried(1, channel)
    channel.credentials.filter(kind="signing").update(expires_at=timezone.now())
    with pytest.raises(CannotPromote, match="certificate has ended"):
        promoting.promote(batch)
    channel.credentials.filter(kind="signing").delete()
    with pytest.raises(CannotPromote):
        promoting.promote(batch)


# --- once -----------------------------------------------------------------------------------------


def test_twice_is_once(channel: Channel) -> None:
    batch = tried(2, channel)
    promoting.promote(batch)
    with pytest.raises(CannotPromote, match="Nothing in this batch"):
        promoting.promote(batch)
    assert len(in_production()) == 2


def test_two_at_once_send_it_once(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        batch = tried(3, factories.channel())

    def send() -> int:
        with tenancy.scope(tenant):
            return promoting.promote(batch)[Fate.GOOD]

    results = race(send, send, send)
    assert results.count(3) == 1
    assert sum(isinstance(result, CannotPromote) for result in results) == 2
    with tenancy.scope(tenant):
        assert len(in_production()) == 3
        assert Event.objects.filter(verb="batch.promoted").count() == 1
    assert conserving.account(tenant).breaks == []
    assert audit.verify(tenant)[1] is None


def test_sending_and_cancelling_at_once_never_both(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        batch = tried(1, factories.channel())
        record = batch.declarations.get().record

    def send() -> str:
        with tenancy.scope(tenant):
            promoting.promote(batch)
        return "sent"

    def cancel() -> str:
        with tenancy.scope(tenant):
            declaring.cancel(record)
        return "cancelled"

    results = race(send, cancel)
    assert sorted(isinstance(result, declaring.CannotDeclare) for result in results) == [False, True]
    with tenancy.scope(tenant):
        assert record.declarations.filter(state=D.READY).count() == 1


def test_the_database_holds_it(channel: Channel) -> None:
    batch = tried(1, channel)
    promoting.promote(batch)
    (made,) = in_production()
    values = {"record_id": made.record_id, "employer_id": made.employer_id, "service": "FLA"}
    Declaration.objects.filter(pk=made.pk).update(state=D.REFUSED, batch=batch, part=9, position=9)
    with pytest.raises(IntegrityError, match="one_promotion_per_declaration"), transaction.atomic():
        Declaration.objects.create(environment="R", promotes_id=made.promotes_id, **values)
    with pytest.raises(IntegrityError, match="promoted_to_production"), transaction.atomic():
        Declaration.objects.create(environment="S", promotes=made, **values)
    with pytest.raises(IntegrityError, match="in_a_set_of_an_environment"), transaction.atomic():
        Declaration.objects.filter(pk=made.pk).update(environment="")
    with pytest.raises(IntegrityError, match="promotion_of_that_record"), transaction.atomic():
        promote_as_if(made, factories.record())


def promote_as_if(tested: Declaration, record: TrainingRecord) -> None:
    Declaration.objects.create(
        environment="R", promotes=tested, record=record, employer_id=record.employer_id, service="FLA"
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_another_tenant_s_test_is_nobody_s(channel: Channel, operator: Person, stranger: Person) -> None:
    batch = tried(1, channel)
    with stranger.scope(), pytest.raises(Batch.DoesNotExist):
        promoting.promote(batch)


def test_what_was_taken_back_may_be_sent_after_all(channel: Channel) -> None:
    batch = tried(1, channel)
    promoting.promote(batch)
    declaring.withdraw(in_production()[0], "too early")
    assert promoting.promote(batch) == {Fate.GOOD: 1}
    assert [made.state for made in in_production()] == [D.WITHDRAWN, D.READY]


# --- one environment does not know the other ------------------------------------------------------


def promoted(channel: Channel, state: str) -> Declaration:
    """What production answered about one that was tested."""
    promoting.promote(tried(1, channel))
    (batch,) = Batch.objects.filter(pk__in=departing.depart(tenancy.current(), channel.pk, is_asked=True))
    receive_left(batch, receipt(batch))
    receive_left(batch, verdicts(factories.declarations_of(batch), "1" if state == D.ACCEPTED else "0"))
    return batch.declarations.get()


def test_follow_ups_speak_of_what_stands_in_production(channel: Channel) -> None:
    made = promoted(channel, D.ACCEPTED)
    assert declaring.standing(made.record) == made
    new = declaring.modify(made.record)
    assert (new.environment, new.earlier_ticket, new.replaces) == ("R", made.ticket, made)


def test_follow_ups_of_a_test_stay_in_the_test(channel: Channel) -> None:
    made = tried(1, channel).declarations.get()
    Channel.objects.update(environment="R")
    new = declaring.cancel(made.record)
    assert (new.environment, new.earlier_ticket) == ("S", made.ticket)
    (batch,) = Batch.objects.filter(pk__in=departing.depart(tenancy.current(), channel.pk, is_asked=True))
    assert batch.environment == "S"


def test_what_production_refused_is_corrected_there(channel: Channel) -> None:
    made = promoted(channel, D.REFUSED)
    new = declaring.correct(made)
    assert (new.environment, new.kind, new.promotes) == ("R", "original", None)


def test_a_rejected_set_is_sent_again_where_it_went(channel: Channel) -> None:
    promoting.promote(tried(2, channel))
    (batch,) = Batch.objects.filter(pk__in=departing.depart(tenancy.current(), channel.pk, is_asked=True))
    receive_left(batch, receipt(batch, is_accepted=False, errors=("ACRF-133",)))
    batch.refresh_from_db()
    assert declaring.send_again(batch) == 2
    assert set(Declaration.objects.ready().values_list("environment", flat=True)) == {"R"}


def test_an_answer_of_the_test_says_nothing_of_production(channel: Channel) -> None:
    promoting.promote(tried(1, channel))
    (batch,) = Batch.objects.filter(pk__in=departing.depart(tenancy.current(), channel.pk, is_asked=True))
    file = factories.inbound(
        channel, verdicts(factories.declarations_of(batch)), environment="S", name="FO.NOTI.999999.1.S"
    )
    assert answering.apply(tenancy.current(), file.pk) == "unmatched"
    assert batch.declarations.get().state == D.BATCHED


def test_the_law_tells_the_environments_apart(channel: Channel) -> None:
    batch = tried(2, channel)
    promoting.promote(batch)
    tenant = tenancy.current()
    account = conserving.account(tenant)
    assert account.within("S") == {D.ACCEPTED: 2}
    assert account.within("R") == {D.READY: 2}
    assert str(account) == (
        "2 declared = 0 accepted + 0 accepted with remarks + 0 refused + 2 waiting; "
        "2 sent to the simulation = 2 accepted + 0 accepted with remarks + 0 refused + 0 waiting"
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("declaration", "lies in batch"),
        ("batch", "its files for S"),
        ("tested", "was sent to production for"),
        ("twice", "stands 2 times on the account of production"),
    ],
)
def test_the_law_notices_what_was_mixed(channel: Channel, wrong: str, sentence: str) -> None:
    batch = tried(1, channel)
    promoting.promote(batch)
    ours = Declaration.objects.filter(batch=batch)
    match wrong:
        case "declaration":
            ours.update(environment="T")
        case "batch":
            Batch.objects.update(environment="R")
        case "tested":
            ours.update(state=D.REFUSED)
        case "twice":
            ours.update(environment="R")
            in_production()[-1].move(D.BATCHED, batch=batch, part=9, position=9)
            Declaration.objects.update(state=D.ACCEPTED)
    assert any(sentence in broken for broken in conserving.account(tenancy.current()).breaks)


# --- files and documents --------------------------------------------------------------------------


@pytest.fixture
def wide(scope: None) -> Channel:
    return factories.channel(services=["FLA", "DIMN", "ATDO"])


def answered(batch: Batch, *results: str) -> None:
    """A test of forms that carry no reference of ours, settled row by row."""
    made = factories.declarations_of(batch)
    now = timezone.now()
    for each, result in zip(made, results, strict=True):
        Declaration.objects.filter(pk=each.pk).update(
            state=result, ticket=f"T{each.pk:012d}", answered_at=now
        )
    Batch.objects.filter(pk=batch.pk).update(state="answered", dropped_at=now, answered_at=now)
    batch.refresh_from_db()


def test_a_ready_made_file_goes_to_production_byte_for_byte(wide: Channel) -> None:
    file = relayed_files.handed_over(wide)
    batch = relayed_files.sealed(file)
    answered(batch, *[D.ACCEPTED] * file.forms_count)
    assert promoting.promote(batch) == {Fate.GOOD: file.forms_count}
    (sealed,) = Batch.objects.filter(pk__in=departing.depart(tenancy.current(), wide.pk, is_asked=True))
    assert (sealed.environment, sealed.envelope.parts.get().fi) == ("R", file.content)
    assert Envelope.objects.filter(stem__endswith=".R").count() == 1


def test_a_file_with_a_refusal_stays_where_it_is(wide: Channel) -> None:
    file = relayed_files.handed_over(wide)
    batch = relayed_files.sealed(file)
    answered(batch, D.REFUSED, *[D.ACCEPTED] * (file.forms_count - 1))
    assert promoting.fates(batch) == {Fate.REFUSED: 1, Fate.TORN: file.forms_count - 1}
    with pytest.raises(CannotPromote, match="Nothing in this batch"):
        promoting.promote(batch)


def test_a_file_that_speaks_of_the_test_stays_there(wide: Channel) -> None:
    file = relayed_files.handed_over(wide)
    batch = relayed_files.sealed(file)
    answered(batch, *[D.ACCEPTED] * file.forms_count)
    Declaration.objects.filter(batch=batch).update(kind="modification")
    assert promoting.fates(batch) == {Fate.FOLLOWING: file.forms_count}


def test_the_way_of_a_file_to_production_may_be_taken_back(wide: Channel) -> None:
    file = relayed_files.handed_over(wide)
    batch = relayed_files.sealed(file)
    answered(batch, *[D.ACCEPTED] * file.forms_count)
    promoting.promote(batch)
    relaying.withdraw(file, "too early")
    file.refresh_from_db()
    assert not file.is_withdrawn
    assert promoting.promote(batch)[Fate.GOOD] == file.forms_count


def test_a_document_goes_to_production(wide: Channel) -> None:
    made = documents.sent(wide)
    (batch,) = Batch.objects.filter(pk__in=departing.depart(tenancy.current(), wide.pk, is_asked=True))
    answered(batch, D.ACCEPTED)
    promoting.promote(batch)
    (sealed,) = Batch.objects.filter(pk__in=departing.depart(tenancy.current(), wide.pk, is_asked=True))
    assert (sealed.environment, sealed.declarations.get().document_id) == ("R", made.document_id)


# --- what was there before ------------------------------------------------------------------------


def test_declarations_of_earlier_versions_learn_where_they_went(channel: Channel, stranger: Person) -> None:
    migration = import_module("submissions.migrations.0005_environment")
    old = tried(1, channel).declarations.get()
    correction = declaring.correct(tried(1, channel, "0").declarations.get())
    change_of = declaring.modify(old.record)
    (undecided,) = factories.ready()
    with connection.cursor() as cursor:
        # A table of the session, as it was before, hides the real one.
        cursor.execute(
            "CREATE TEMPORARY TABLE submissions_declaration AS TABLE public.submissions_declaration"
        )
        cursor.execute("UPDATE submissions_declaration SET environment = ''")
        migration.tell_where_each_went(None, Editor(connection))
        cursor.execute("SELECT id, environment FROM submissions_declaration")
        found = dict(cursor.fetchall())
        cursor.execute("DROP TABLE pg_temp.submissions_declaration")
    assert [found[made.pk] for made in (old, correction, change_of, undecided)] == ["S", "S", "S", ""]
