"""Whatever the order on the way: the same answers end in the same state, that of the order in which they were made."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from django.db import transaction

from channels.models import Alarm, Drop, InboundFile
from mandates.models import FormerNumber, Worker
from portal import tenancy
from portal.models import Event
from submissions import alarming, answering, declaring
from submissions.models import Anomaly, Batch, Declaration
from submissions.states import DeclarationState
from tests import factories
from tests.submissions.answers_about import FILE_TICKET, dropped, receipt, ticket_of, verdict
from tests.submissions.wire.answer_samples import ANOMALY, REMARK, idflux, noti

D = DeclarationState

RIGHT_ORDER = ("receipt", "accepted", "refused", "accepted again", "number")
"""As social security made them: one answer an hour."""
OLD, NEW = "98472899765", "85073003328"


class _Undone(Exception):
    """Takes back what one order did."""


def _at(hour: int, form: str) -> str:
    return form.replace("<FormCreationHour>06:30:00.123<", f"<FormCreationHour>{hour:02}:00:00.000<")


def _said(batch: Batch) -> dict[str, bytes]:
    """The five answers: one declaration is accepted with a remark, refused an hour later, and accepted once more."""
    everything = list(factories.declarations_of(batch))
    return {
        "receipt": receipt(batch).replace(b"06:30:00.123", b"06:00:00.000"),
        "accepted": noti(*(_at(7, verdict(each, anomalies=REMARK)) for each in everything)),
        "refused": noti(*(_at(8, verdict(each, "0", anomalies=ANOMALY)) for each in everything)),
        "accepted again": noti(*(_at(9, verdict(each, anomalies=REMARK)) for each in everything)),
        "number": idflux(),
    }


def _receive(batch: Batch, letter: str, content: bytes) -> InboundFile:
    # What social security numbers does not depend on when it comes in.
    environment = "R" if letter == "number" else batch.environment
    name = f"FO.NOTI.999999.20251002.{9 - RIGHT_ORDER.index(letter):05}.{environment}"
    file = factories.inbound(batch.channel, content, name=name, environment=environment)
    answering.apply(tenancy.current(), file.pk)
    file.refresh_from_db()
    return file


def _end_state(batch: Batch) -> dict[str, Any]:
    """Everything that a person or a program could see of the set, but for when and through which row it came in."""
    batch.refresh_from_db()
    alarming.watch(tenancy.current(), batch.channel_id)
    return {
        "set": (
            batch.state,
            batch.ticket,
            batch.error_codes,
            bool(batch.acknowledged_at),
            bool(batch.answered_at),
        ),
        "declarations": list(factories.declarations_of(batch).values_list("state", "ticket", "settled_by")),
        "anomalies": sorted(
            Anomaly.objects.values_list("declaration_id", "code", "anomaly_class", "inbound_file__name")
        ),
        "drops": list(Drop.objects.values_list("state", flat=True)),
        "workers": sorted(worker.niss for worker in Worker.objects.all()),
        "former": FormerNumber.objects.count(),
        "files": sorted(InboundFile.objects.values_list("name", "state")),
        "alarms": list(Alarm.objects.filter(ended_at=None).values_list("kind", flat=True)),
    }


def _after(batch: Batch, said: dict[str, bytes], order: tuple[str, ...]) -> dict[str, Any]:
    """The end state after one order, which is then undone."""
    ends: list[dict[str, Any]] = []
    try:
        with transaction.atomic():
            for letter in order:
                _receive(batch, letter, said[letter])
            ends.append(_end_state(batch))
            raise _Undone
    except _Undone:
        return ends[0]


def _left(how_it_is_known: str) -> Batch:
    """A set of two declarations that left: the portal knows it, does not know it, or asks a person."""
    factories.worker(niss=OLD)
    if how_it_is_known == "dropped":
        return dropped(2)
    batch = factories.sealed_batch(2)
    now = batch.sealed_at
    Drop.objects.create(
        envelope=batch.envelope, state="unknown", started_at=now, heartbeat_at=now, go_intended_at=now
    )
    if how_it_is_known == "parked":
        batch.move(Batch.State.PARKED, parked_reason="The line broke after GO.")
    return batch


@pytest.fixture
def set_of_two(scope: None) -> Batch:
    return _left("dropped")


def test_every_order_ends_as_the_right_one(set_of_two: Batch) -> None:
    said = _said(set_of_two)
    right = _after(set_of_two, said, RIGHT_ORDER)
    assert right["set"] == ("answered", FILE_TICKET, [], True, True)
    assert [state for state, _ticket, _made in right["declarations"]] == [D.ACCEPTED_WITH_REMARKS] * 2
    assert [(code, name[-7:]) for _pk, code, _class, name in right["anomalies"]] == [
        ("99005-420", "00008.S")
    ] * 2
    assert (right["drops"], right["workers"].count(NEW), right["former"]) == (["confirmed"], 1, 1)
    assert OLD not in right["workers"]
    assert right["alarms"] == ["contradicted"]
    orders = list(permutations(RIGHT_ORDER))
    assert len(orders) == 120
    assert [order for order in orders if _after(set_of_two, said, order) != right] == []


@pytest.mark.parametrize("how_it_is_known", ["unknown", "parked"])
def test_every_order_ends_as_the_right_one_where_nobody_knew_that_it_left(
    scope: None, how_it_is_known: str
) -> None:
    batch = _left(how_it_is_known)
    said = _said(batch)
    right = _after(batch, said, RIGHT_ORDER[:-1])
    assert (right["set"][0], right["drops"]) == ("answered", ["confirmed"])
    orders = permutations(RIGHT_ORDER[:-1])
    assert [order for order in orders if _after(batch, said, order) != right] == []


def test_without_a_contradiction_nothing_is_told(set_of_two: Batch) -> None:
    said = _said(set_of_two)
    del said["refused"]
    for order in permutations(said):
        end = _after(set_of_two, said, order)
        assert end["alarms"] == []
        assert end["set"][0] == "answered"


def test_the_journal_tells_which_set_was_contradicted(set_of_two: Batch) -> None:
    said = _said(set_of_two)
    files = {letter: _receive(set_of_two, letter, said[letter]) for letter in ("refused", "accepted")}
    told = Event.objects.get(verb="batch.contradicted")
    assert (told.subject_id, told.data) == (
        str(set_of_two.pk),
        {"count": 2, "file": files["accepted"].pk},
    )
    assert files["refused"].reason == ""
    assert "2 answers contradict" in files["accepted"].reason


@pytest.mark.parametrize("second", ["accepted", "accepted again"])
def test_what_somebody_built_on_stays(scope: None, second: str) -> None:
    """The refusal was corrected meanwhile: that it was accepted before is told, and not undone by machine."""
    batch = dropped(1)
    said = _said(batch)
    (refused,) = factories.declarations_of(batch)
    _receive(batch, "refused", said["refused"])
    refused.refresh_from_db()
    declaring.correct(refused)
    file = _receive(batch, second, said[second])
    refused.refresh_from_db()
    assert refused.state == D.REFUSED
    assert "1 answers contradict" in file.reason
    assert set(Anomaly.objects.values_list("code", flat=True)) == {"00024-179"}


def test_an_answer_without_a_moment_never_takes_the_place_of_one_with(scope: None) -> None:
    batch = dropped(1)
    (only,) = factories.declarations_of(batch)
    _receive(batch, "refused", noti(verdict(only, "0")))
    for broken in ("", "2025-13-45", "1000", "20251001"):
        form = verdict(only).replace("<FormCreationDate>2025-10-02<", f"<FormCreationDate>{broken}<")
        file = factories.inbound(
            batch.channel, noti(form), name=f"FO.NOTI.999999.20251001.{len(broken):05}.S"
        )
        assert answering.apply(tenancy.current(), file.pk) == "applied"
    assert Declaration.objects.get().state == D.REFUSED


def test_the_refusal_of_a_whole_set_is_not_taken_back_by_an_older_answer(scope: None) -> None:
    batch = dropped(1)
    said = _said(batch)
    (only,) = factories.declarations_of(batch)
    refusal = receipt(batch, is_accepted=False, errors=("ACRF-125",))
    _receive(batch, "receipt", refusal)
    _receive(batch, "accepted", said["accepted"])
    only.refresh_from_db()
    assert (only.state, only.ticket, only.settled_by) == (D.REFUSED, "", "")
    assert ticket_of(only) not in set(Declaration.objects.values_list("ticket", flat=True))
