"""Answers to ready-made files: each finds the form it speaks of by whatever it repeats, or finds nothing."""

from __future__ import annotations

import pytest
from django.utils import timezone

from channels.models import Channel, Drop, InboundFile
from mandates.numbers import make_niss
from submissions import declaring, relaying
from submissions.models import Batch, Declaration
from submissions.states import DeclarationState
from tests.submissions import relayed_files as files
from tests.submissions.answers_about import FILE_TICKET, receipt, receive
from tests.submissions.wire.answer_samples import ANOMALY, HEADER, noti

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(scope: None) -> Channel:
    return files.channel()


def left(channel: Channel, content: bytes) -> Batch:
    """The set of a file, dropped."""
    batch = files.sealed(files.handed_over(channel, content))
    now = timezone.now()
    times = {"started_at": now, "heartbeat_at": now, "go_intended_at": now, "ended_at": now}
    Drop.objects.create(envelope=batch.envelope, state="confirmed", **times)
    batch.move(Batch.State.DROPPED, dropped_at=now)
    batch.declarations.update(state=DeclarationState.SENT)
    return batch


def answer(
    batch: Batch,
    *,
    reference: str = "",
    is_named: bool = True,
    company: str = "",
    niss: str = "",
    moment: str = "",
    result: str = "1",
    anomalies: str = "",
    ticket: str = "2632700000001",
    file_ticket: str = "",
) -> str:
    """One form of a NOTI that repeats what is given, and nothing else."""
    named = (
        f"<FileReference><FileName>GO.{batch.envelope.stem}.1</FileName></FileReference>" if is_named else ""
    )
    handled = (
        "<HandledOriginalForm><Identification>DIMONA</Identification><FormCreationDate>2026-10-05</FormCreationDate>"
        f"<FormCreationHour>{moment}</FormCreationHour></HandledOriginalForm>"
    )
    own = (
        "<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        f"<ReferenceNbr>{reference}</ReferenceNbr></Reference>"
    )
    file = (
        "<Reference><ReferenceType>4</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>"
        f"<ReferenceNbr>{file_ticket}</ReferenceNbr></Reference>"
    )
    return (
        f"<Form>{HEADER.format(identification='NOTI001', type_form='FA')}{named}{handled if moment else ''}"
        f"{own if reference else ''}{file if file_ticket else ''}"
        + (f"<EmployerId><CompanyID>{company}</CompanyID></EmployerId>" if company else "")
        + (f"<NaturalPerson><INSS>{niss}</INSS></NaturalPerson>" if niss else "")
        + "<HandledReference><ReferenceType>1</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>"
        f"<ReferenceNbr>{ticket}</ReferenceNbr></HandledReference>"
        f"<HandlingResult><ResultCode>{result}</ResultCode>{anomalies}</HandlingResult></Form>"
    )


def states(batch: Batch) -> list[str]:
    return list(batch.declarations.order_by("position").values_list("state", flat=True))


def test_by_the_reference_of_its_makers(channel: Channel) -> None:
    batch = left(channel, files.a_dimona(files.client(), 2, reference="PAY"))
    file = receive(batch, noti(answer(batch, reference="PAY-2")))
    assert states(batch) == ["sent", "accepted"]
    assert file.state == InboundFile.State.APPLIED
    assert batch.declarations.get(position=2).ticket == "2632700000001"


def test_without_a_file_name_the_reference_is_enough(channel: Channel) -> None:
    batch = left(channel, files.a_dimona(files.client(), 2, reference="PAY"))
    receive(batch, noti(answer(batch, reference="PAY-1", is_named=False)))
    assert states(batch) == ["accepted", "sent"]


def test_the_same_reference_in_another_set_is_another_form(channel: Channel) -> None:
    one = left(channel, files.a_dimona(files.client(), reference="PAY"))
    other = left(channel, files.a_dimona(files.client(), reference="PAY"))
    receive(other, noti(answer(other, reference="PAY-1")))
    assert (states(one), states(other)) == (["sent"], ["accepted"])
    file = receive(one, noti(answer(one, reference="PAY-1", is_named=False, ticket="2632700000009")))
    assert file.state == InboundFile.State.APPLIED, "one of the two waits, the other is answered"
    assert states(one) == ["accepted"]


def test_by_the_worker_when_there_is_no_reference(channel: Channel) -> None:
    workers = files.hired(2)
    content = files.a_dimona(files.client(), workers)
    for number in (b"-1", b"-2"):
        start = content.rindex(b"<Reference>", 0, content.index(number + b"</ReferenceNbr>"))
        content = content[:start] + content[content.index(b"</Reference>", start) + len(b"</Reference>") :]
    assert b"Reference" not in content
    batch = left(channel, content)
    assert receive(batch, noti(answer(batch, moment="08:30:00.000"))).state == InboundFile.State.UNMATCHED
    receive(batch, noti(answer(batch, niss=workers[1].niss)))
    assert states(batch) == ["sent", "accepted"]


def test_by_the_employer_and_the_ticket_of_the_file(channel: Channel) -> None:
    one, other = files.client(), files.client()
    head, _, foot = files.a_dimona(one, reference="A").partition(b"</Form>")
    form = files.a_dimona(other, reference="B").split(b"<Form>")[1].split(b"</Form>")[0]
    batch = left(channel, head + b"</Form><Form>" + form + b"</Form>" + foot)
    receive(batch, receipt(batch))
    receive(batch, noti(answer(batch, is_named=False, file_ticket=FILE_TICKET, company=other.number)))
    assert states(batch) == ["acknowledged", "accepted"]
    assert batch.declarations.get(state="accepted").employer == other


def test_what_contradicts_the_form_finds_nothing(channel: Channel) -> None:
    batch = left(channel, files.a_dimona(files.client(), reference="PAY"))
    somebody = make_niss(files.MADE_ON.replace(year=1970), 17)
    for wrong in (
        {"moment": "09:00:00.000"},
        {"company": "0206731645"},
        {"niss": somebody},
        {"reference": "OTHER"},
    ):
        file = receive(batch, noti(answer(batch, **{"reference": "PAY-1", **wrong})))
        assert file.state == InboundFile.State.UNMATCHED, wrong
    assert states(batch) == ["sent"]


def test_a_refusal_keeps_element_and_line_and_is_corrected_by_a_new_file(channel: Channel) -> None:
    client, workers = files.client(), files.hired(2)
    batch = left(channel, files.a_dimona(client, workers, reference="PAY"))
    bad = answer(batch, reference="PAY-1", result="0", anomalies=ANOMALY)
    receive(batch, noti(bad, answer(batch, reference="PAY-2", ticket="2632700000002")))
    refused = batch.declarations.get(position=1)
    anomaly = refused.anomalies.get()
    assert (anomaly.code, anomaly.tag, anomaly.location, anomaly.field) == (
        "00024-179",
        "INSS",
        "1:2048 1,1,8,4",
        "",
    )
    assert Batch.objects.get(pk=batch.pk).state == "answered"
    with pytest.raises(declaring.CannotDeclare, match="handing over a corrected file"):
        declaring.correct(refused)
    corrected = relaying.hand_over(
        channel, "again.xml", files.a_dimona(client, workers[:1], reference="NEW"), corrects=refused.form.file
    )
    assert Declaration.objects.get(form__file=corrected).replaces == refused
    assert not Declaration.objects.to_correct().exists()


def test_a_set_refused_as_a_whole_leaves_again_with_the_same_bytes(channel: Channel) -> None:
    file = files.handed_over(channel)
    batch = files.sealed(file)
    now = timezone.now()
    times = {"started_at": now, "heartbeat_at": now, "go_intended_at": now, "ended_at": now}
    Drop.objects.create(envelope=batch.envelope, state="confirmed", **times)
    receive(batch, receipt(batch, is_accepted=False, errors=("ACRF-133",)))
    batch = Batch.objects.get(pk=batch.pk)
    assert batch.state == "rejected"
    assert declaring.send_again(batch) == 2
    again = files.sealed(file)
    assert again.envelope.stem != batch.envelope.stem
    assert [part.fi for part in again.envelope.parts.all()] == [file.content]
