"""Answers: each applied at most once, in any order, never backwards; what cannot be read is kept and shown."""

from __future__ import annotations

from itertools import permutations

import pytest

from channels.models import Drop
from portal import tenancy
from portal.models import Event
from submissions import answering, sets
from submissions.models import Anomaly, Batch
from submissions.states import DeclarationState
from tests import factories
from tests.submissions.answers_about import (
    FILE_TICKET,
    again,
    dropped,
    go_name,
    receipt,
    receive,
    states,
    ticket_of,
    verdict,
    verdicts,
)
from tests.submissions.wire.answer_samples import ANOMALY, REMARK, acrf, acrf_form, noti, zipped

D = DeclarationState


# --- ACRF -----------------------------------------------------------------------------------------


def test_a_receipt_acknowledges_the_set(batch: Batch) -> None:
    file = receive(batch, receipt(batch))
    assert (file.state, file.kind, file.envelope_id, file.reason) == (
        "applied",
        "ACRF",
        batch.envelope_id,
        "",
    )
    assert file.applied_at
    now = again(batch)
    assert (now.state, now.ticket) == ("acknowledged", FILE_TICKET)
    assert now.acknowledged_at
    assert states(batch) == [D.ACKNOWLEDGED] * 3


@pytest.mark.parametrize("name", ["FI.{}.1.1", "GO.{}", "FI.{}.9.3", "FS.{}.1.1"])
def test_a_receipt_may_quote_any_file_of_the_set(batch: Batch, name: str) -> None:
    receive(batch, receipt(batch, name=name.format(batch.envelope.stem)))
    assert again(batch).state == "acknowledged"


def test_a_refusal_of_the_set_refuses_every_declaration(batch: Batch) -> None:
    file = receive(batch, receipt(batch, is_accepted=False, errors=("ACRF-125", "ACRF-999")))
    now = again(batch)
    assert (now.state, now.error_codes) == ("rejected", ["ACRF-125", "ACRF-999"])
    assert now.answered_at
    assert states(batch) == [D.REFUSED] * 3
    for made in factories.declarations_of(batch):
        codes = made.anomalies.values_list("code", "anomaly_class", "inbound_file_id")
        assert sorted(codes) == [("ACRF-125", "B", file.pk), ("ACRF-999", "B", file.pk)]
        assert made.answered_at


def test_the_same_receipt_twice_is_nothing_new(batch: Batch) -> None:
    receive(batch, receipt(batch))
    first = again(batch).acknowledged_at
    file = receive(batch, receipt(batch))
    assert (file.state, file.reason) == ("applied", "")
    assert again(batch).acknowledged_at == first
    assert Event.objects.filter(verb="batch.acknowledged").count() == 1


def test_a_refusal_after_a_receipt_contradicts_it(batch: Batch) -> None:
    receive(batch, receipt(batch))
    file = receive(batch, receipt(batch, is_accepted=False, errors=("ACRF-125",)))
    assert file.state == "applied"
    assert "contradict" in file.reason
    assert again(batch).state == "acknowledged"
    assert states(batch) == [D.ACKNOWLEDGED] * 3
    assert not Anomaly.objects.exists()


def test_a_receipt_after_a_refusal_contradicts_it(batch: Batch) -> None:
    receive(batch, receipt(batch, is_accepted=False, errors=("ACRF-125",)))
    file = receive(batch, receipt(batch))
    assert "contradict" in file.reason
    assert again(batch).state == "rejected"
    assert states(batch) == [D.REFUSED] * 3


@pytest.mark.parametrize("result", ["", "7", "x"])
def test_what_says_neither_yes_nor_no_moves_nothing(batch: Batch, result: str) -> None:
    file = receive(batch, acrf(acrf_form(result, name=go_name(batch))))
    assert file.state == "unmatched"
    assert again(batch).state == "dropped"


@pytest.mark.parametrize("name", ["GO.FLAD.{}.20251001.ZZZZZ.S.1", "nonsense", ""])
def test_a_receipt_of_something_else_matches_nothing(batch: Batch, name: str) -> None:
    file = receive(batch, acrf(acrf_form("1", name=name.format(batch.channel.sender_number))))
    assert (file.state, file.envelope_id) == ("unmatched", None)
    assert "match nothing" in file.reason
    assert again(batch).state == "dropped"


def test_one_file_may_acknowledge_several_sets(batch: Batch) -> None:
    factories.ready(1)
    (second,) = factories.seal(batch.channel)
    now = second.sealed_at
    Drop.objects.create(
        envelope=second.envelope, state="unknown", started_at=now, heartbeat_at=now, go_intended_at=now
    )
    file = receive(batch, acrf(acrf_form(name=go_name(batch)), acrf_form(name=go_name(second))))
    assert (file.state, file.envelope_id) == ("applied", None)
    assert {again(each).state for each in (batch, second)} == {"acknowledged"}


# --- NOTI -----------------------------------------------------------------------------------------


def test_accepted_with_remarks_and_refused_in_one_file(batch: Batch) -> None:
    fine, remarked, refused = factories.declarations_of(batch)
    file = receive(
        batch,
        noti(
            verdict(fine),
            verdict(remarked, anomalies=REMARK),
            verdict(refused, "0", anomalies=ANOMALY),
        ),
    )
    assert (file.state, file.kind, file.envelope_id) == ("applied", "NOTI", batch.envelope_id)
    assert states(batch) == [D.ACCEPTED, D.ACCEPTED_WITH_REMARKS, D.REFUSED]
    for made in factories.declarations_of(batch):
        assert made.ticket == ticket_of(made)
        assert made.answered_at
    assert again(batch).state == "answered"


def test_an_anomaly_is_kept_as_it_came_but_for_the_number_of_the_person(batch: Batch) -> None:
    first = factories.declarations_of(batch)[0]
    file = receive(batch, noti(verdict(first, "0", anomalies=ANOMALY)))
    kept = Anomaly.objects.get()
    assert (kept.declaration, kept.inbound_file) == (first, file)
    assert (kept.code, kept.anomaly_class, kept.tag) == ("00024-179", "B", "INSS")
    assert kept.label == "Travailleur inconnu & refusé"
    assert kept.location == "1,1,8,4"
    assert "85073003328" not in kept.value
    assert kept.value.startswith("85")


def test_an_anomaly_points_at_the_field_of_the_record(batch: Batch) -> None:
    first = factories.declarations_of(batch)[0]
    report = (
        "<AnomalyReport><ErrorID>99003-152</ErrorID><TagName>StartDate</TagName>"
        "<AnomalyClass>B</AnomalyClass></AnomalyReport>"
    )
    receive(batch, noti(verdict(first, "0", anomalies=report)))
    assert Anomaly.objects.get().field == "starts_on"


def test_a_set_closes_with_its_last_answer(batch: Batch) -> None:
    first, second, third = factories.declarations_of(batch)
    receive(batch, receipt(batch))
    receive(batch, verdicts([first]))
    assert again(batch).state == "acknowledged"
    assert again(batch).answered_at is None
    receive(batch, verdicts([second, third], "0", anomalies=ANOMALY))
    assert again(batch).state == "answered"
    assert again(batch).answered_at
    assert Event.objects.filter(verb="batch.answered").count() == 1


def test_a_form_is_found_by_its_reference_even_when_no_file_is_named(batch: Batch) -> None:
    first = factories.declarations_of(batch)[0]
    receive(batch, noti(verdict(first, file_name="")))
    assert states(batch)[0] == D.ACCEPTED


def test_a_form_is_found_by_its_ticket_when_nothing_else_is_named(batch: Batch) -> None:
    """A second answer about a form that was answered before quotes the ticket at least."""
    first = factories.declarations_of(batch)[0]
    receive(batch, verdicts([first]))
    file = receive(batch, noti(verdict(first, reference="", file_name="")))
    assert (file.state, file.reason) == ("applied", "")


def test_an_answer_that_names_the_file_alone_means_its_only_declaration(scope: None) -> None:
    batch = dropped(1)
    (only,) = factories.declarations_of(batch)
    receive(batch, noti(verdict(only, reference="")))
    assert states(batch) == [D.ACCEPTED]


def test_an_answer_that_names_a_file_of_several_matches_none_of_them(batch: Batch) -> None:
    first = factories.declarations_of(batch)[0]
    file = receive(batch, noti(verdict(first, reference="")))
    assert file.state == "unmatched"
    assert states(batch) == [D.SENT] * 3


def test_an_unknown_reference_matches_nothing(batch: Batch) -> None:
    first, second, _third = factories.declarations_of(batch)
    file = receive(batch, noti(verdict(first, reference="P-ZZZZZZZZZZZZ"), verdict(second)))
    assert file.state == "applied"
    assert "1 answers match nothing" in file.reason
    assert states(batch) == [D.SENT, D.ACCEPTED, D.SENT]


def test_a_reference_in_the_file_of_another_set_matches_nothing(batch: Batch) -> None:
    """Whoever quotes our reference beside a file that it did not travel in is wrong about one of them."""
    first = factories.declarations_of(batch)[0]
    factories.ready(1)
    (other,) = factories.seal(batch.channel)
    file = receive(batch, noti(verdict(first, file_name=go_name(other))))
    assert file.state == "unmatched"
    assert states(batch)[0] == D.SENT


def test_an_answer_in_another_environment_matches_nothing(batch: Batch) -> None:
    assert batch.environment == "S"
    file = receive(batch, verdicts(factories.declarations_of(batch)), environment="T")
    assert file.state == "unmatched"
    assert states(batch) == [D.SENT] * 3


def test_an_answer_on_another_channel_matches_nothing(batch: Batch) -> None:
    other = factories.channel(has_keys=False, quality="employer")
    for content in (receipt(batch), verdicts(factories.declarations_of(batch))):
        file = factories.inbound(other, content)
        assert answering.apply(tenancy.current(), file.pk) == "unmatched"
    assert again(batch).state == "dropped"


@pytest.mark.parametrize("result", ["2", "3", "4", ""])
def test_a_result_that_is_not_final_settles_nothing(batch: Batch, result: str) -> None:
    """A proposal, a provisional answer, a time-out: the final one is still to come."""
    file = receive(batch, verdicts(factories.declarations_of(batch), result))
    assert (file.state, file.reason) == ("applied", "")
    assert states(batch) == [D.SENT] * 3
    assert again(batch).answered_at is None
    receive(batch, verdicts(factories.declarations_of(batch)))
    assert states(batch) == [D.ACCEPTED] * 3


def test_a_final_result_counts_when_one_file_says_it_after_another(batch: Batch) -> None:
    first = factories.declarations_of(batch)[0]
    file = receive(batch, noti(verdict(first, "4"), verdict(first)))
    assert states(batch)[0] == D.ACCEPTED
    assert file.reason == ""


def test_a_file_that_contradicts_itself_keeps_what_it_said_first(batch: Batch) -> None:
    first = factories.declarations_of(batch)[0]
    file = receive(batch, noti(verdict(first), verdict(first, "0", anomalies=ANOMALY)))
    assert states(batch)[0] == D.ACCEPTED
    assert "1 answers contradict" in file.reason
    assert not Anomaly.objects.exists()


# --- any order ------------------------------------------------------------------------------------

LETTERS = ("receipt", "accepted", "accepted once more", "refused")


@pytest.mark.parametrize("order", list(permutations(LETTERS)), ids="-".join)
def test_in_any_order_the_first_final_answer_stays(scope: None, order: tuple[str, ...]) -> None:
    """And the contradiction is told, exactly where it is."""
    batch = dropped(2)
    everything = list(factories.declarations_of(batch))
    content = {
        "receipt": receipt(batch),
        "accepted": verdicts(everything),
        "accepted once more": verdicts(everything),
        "refused": verdicts(everything, "0", anomalies=ANOMALY),
    }
    first_final = next(letter for letter in order if letter != "receipt")
    said_otherwise = set()
    for letter in order:
        file = receive(batch, content[letter])
        assert file.state == "applied"
        if "contradict" in file.reason:
            said_otherwise.add(letter)
    accepted = {"accepted", "accepted once more"}
    if first_final == "refused":
        assert states(batch) == [D.REFUSED] * 2
        assert said_otherwise == accepted
        assert Anomaly.objects.count() == 2
    else:
        assert states(batch) == [D.ACCEPTED] * 2
        assert said_otherwise == {"refused"}
        assert not Anomaly.objects.exists()
    now = again(batch)
    assert (now.state, now.ticket) == ("answered", FILE_TICKET)
    assert now.acknowledged_at
    verbs = Event.objects.filter(verb__in=["batch.acknowledged", "batch.answered"]).values_list(
        "verb", flat=True
    )
    assert sorted(verbs) == ["batch.acknowledged", "batch.answered"]


@pytest.mark.parametrize("order", list(permutations(["no", "accepted"])), ids="-".join)
def test_a_refused_set_and_an_accepted_form_contradict_each_other(
    scope: None, order: tuple[str, ...]
) -> None:
    batch = dropped(1)
    content = {
        "no": receipt(batch, is_accepted=False, errors=("ACRF-125",)),
        "accepted": verdicts(factories.declarations_of(batch)),
    }
    files = [receive(batch, content[letter]) for letter in order]
    assert files[0].reason == ""
    assert "contradict" in files[1].reason
    assert states(batch) == ([D.REFUSED] if order[0] == "no" else [D.ACCEPTED])


@pytest.mark.parametrize("result", ["0", "1"])
def test_one_form_that_was_handled_proves_that_the_set_was_taken_in(batch: Batch, result: str) -> None:
    """A refusal of the whole set after that is a contradiction, not a refusal of the rest."""
    first = factories.declarations_of(batch)[0]
    receive(batch, noti(verdict(first, result)))
    file = receive(batch, receipt(batch, is_accepted=False, errors=("ACRF-125",)))
    assert "contradict" in file.reason
    assert again(batch).state == "dropped"
    assert states(batch)[1:] == [D.SENT] * 2


def test_an_answer_proves_that_the_set_left(scope: None) -> None:
    """We never learned whether GO arrived: the answer says so, and its set is done."""
    batch = factories.sealed_batch(2)
    now = batch.sealed_at
    Drop.objects.create(
        envelope=batch.envelope, state="unknown", started_at=now, heartbeat_at=now, go_intended_at=now
    )
    receive(batch, verdicts(factories.declarations_of(batch)))
    assert again(batch).state == "answered"
    assert again(batch).dropped_at
    assert Drop.objects.get().state == "confirmed"
    assert states(batch) == [D.ACCEPTED] * 2


def test_a_parked_set_that_is_answered_needs_no_decision_any_more(scope: None) -> None:
    batch = factories.sealed_batch(1)
    now = batch.sealed_at
    Drop.objects.create(
        envelope=batch.envelope, state="unknown", started_at=now, heartbeat_at=now, go_intended_at=now
    )
    sets.park(batch, "FI is there, FS is not")
    receive(batch, receipt(batch))
    assert (again(batch).state, again(batch).parked_reason) == ("acknowledged", "")


def test_an_answer_about_a_set_that_never_left_moves_nothing(scope: None) -> None:
    """It was sealed and nobody tried to drop it: whoever answers it speaks of something else."""
    batch = factories.sealed_batch(1)
    for content in (receipt(batch), verdicts(factories.declarations_of(batch))):
        file = receive(batch, content)
        assert file.state == "unmatched"
    assert again(batch).state == "sealed"
    assert states(batch) == [D.BATCHED]


# --- what cannot be read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"<NOTIFICATION>",
        b"<NOTIFICATION/>",
        b"<Surprise><Form/></Surprise>",
        b"\xff\xfe\x00",
        b'<!DOCTYPE a [<!ENTITY b "c">]><ACRF><Form>&b;</Form></ACRF>',
    ],
    ids=["empty", "garbage", "cut", "no form", "another root", "binary", "doctype"],
)
def test_garbage_is_kept_and_shown_and_stops_nothing(batch: Batch, content: bytes) -> None:
    file = receive(batch, content)
    assert file.state == "unreadable"
    assert file.reason
    assert file.content == content
    assert again(batch).state == "dropped"
    receive(batch, receipt(batch))
    assert again(batch).state == "acknowledged"


def test_a_file_that_is_damaged_in_the_middle_leaves_nothing_of_its_first_half(batch: Batch) -> None:
    whole = verdicts(factories.declarations_of(batch), "0", anomalies=ANOMALY)
    file = receive(batch, whole[: len(whole) * 2 // 3])
    assert file.state == "unreadable"
    assert states(batch) == [D.SENT] * 3
    assert not Anomaly.objects.exists()


def test_a_compressed_answer_is_opened(batch: Batch) -> None:
    name = "NOTI.999999.20251001.00001.S"
    content = zipped((f"FO.{name}", verdicts(factories.declarations_of(batch))))
    file = receive(batch, content, name=f"CO.{name}")
    assert file.state == "applied"
    assert file.content == content
    assert states(batch) == [D.ACCEPTED] * 3


def test_a_compressed_answer_that_holds_two_files_is_not_opened(batch: Batch) -> None:
    name = "NOTI.999999.20251001.00001.S"
    inside = verdicts(factories.declarations_of(batch))
    file = receive(batch, zipped((f"FO.{name}", inside), ("FO.other", inside)), name=f"CO.{name}")
    assert file.state == "unreadable"
    assert states(batch) == [D.SENT] * 3


TOO_LONG = "X" * 30


@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_receipt_with_a_ticket_and_codes_that_cannot_be_is_applied(batch: Batch, is_accepted: bool) -> None:
    content = receipt(batch, is_accepted=is_accepted, errors=(TOO_LONG,)).replace(
        FILE_TICKET.encode(), TOO_LONG.encode()
    )
    assert receive(batch, content).state == "applied"
    assert (again(batch).state, again(batch).ticket) == ("acknowledged" if is_accepted else "rejected", "")


def test_an_answer_with_a_ticket_and_a_code_that_cannot_be_is_applied(batch: Batch) -> None:
    first = factories.declarations_of(batch)[0]
    report = ANOMALY.replace("00024-179", TOO_LONG).replace(">B<", f">{TOO_LONG}<")
    assert receive(batch, noti(verdict(first, "0", anomalies=report, ticket=TOO_LONG))).state == "applied"
    first.refresh_from_db()
    assert (first.state, first.ticket) == (D.REFUSED, "")
    assert Anomaly.objects.get().code == TOO_LONG[:20]


def test_a_reference_beside_the_file_of_somebody_else_matches_nothing(batch: Batch) -> None:
    first = factories.declarations_of(batch)[0]
    other = "GO.FLAD.999998.20251001.ZZZZZ.S.1"
    assert receive(batch, noti(verdict(first, file_name=other))).state == "unmatched"
    assert states(batch)[0] == D.SENT
    assert receive(batch, noti(verdict(first, file_name="no name of a file"))).state == "applied"
    assert states(batch)[0] == D.ACCEPTED
