"""Whose an answer is: by the set, the reference or the ticket that it quotes, whatever its kind."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from django.utils import timezone

from channels.models import Drop
from channels.sharing import Whose
from submissions import sets
from submissions.claiming import whose
from submissions.models import Batch, Declaration
from tests import factories
from tests.people import Person
from tests.submissions.answers_about import FILE_TICKET, go_name, receipt, ticket_of, verdict
from tests.submissions.wire.answer_samples import HEADER, acrf, acrf_form, noti

pytestmark = pytest.mark.django_db

THEIR_FILE = "GO.DIMN.104217.20260105.00001.R.1"
NOBODY = "29311104266"


@pytest.fixture
def judged(batch: Batch) -> Callable[[bytes], Whose]:
    return lambda content: whose(batch.channel, batch.environment, "FO.NOTI.999999.20260105.0000A.S", content)


def theirs(reference: str = "DIMONA-1", file_name: str = THEIR_FILE) -> str:
    return (
        f"<Form>{HEADER}<FileReference><FileName>{file_name}</FileName></FileReference>"
        f"<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        f"<ReferenceNbr>{reference}</ReferenceNbr></Reference>"
        "<HandlingResult><ResultCode>1</ResultCode></HandlingResult></Form>"
    )


def first(batch: Batch) -> Declaration:
    return batch.declarations.order_by("pk")[0]


def test_a_receipt_is_of_who_sent_the_file(judged: Callable[[bytes], Whose], batch: Batch) -> None:
    assert judged(receipt(batch)) is Whose.OURS
    assert judged(receipt(batch, name=f"FI.{batch.envelope.stem}.1.1")) is Whose.OURS
    assert judged(receipt(batch, name=THEIR_FILE)) is Whose.ANOTHERS
    both = acrf(acrf_form("1", (), name=go_name(batch)) + acrf_form("1", (), name=THEIR_FILE))
    assert judged(both) is Whose.SHARED


def test_a_notification_is_ours_by_file_by_reference_or_by_ticket(
    judged: Callable[[bytes], Whose], batch: Batch
) -> None:
    declaration = first(batch)
    assert judged(noti(verdict(declaration))) is Whose.OURS
    assert judged(noti(verdict(declaration, reference=""))) is Whose.OURS
    assert judged(noti(verdict(declaration, file_name=""))) is Whose.OURS
    nothing_but_a_ticket = noti(theirs(reference=FILE_TICKET, file_name="?"))
    assert judged(nothing_but_a_ticket) is Whose.ANOTHERS
    sets.acknowledge(batch, FILE_TICKET)
    assert judged(nothing_but_a_ticket) is Whose.OURS, "the receipt taught the ticket"
    Declaration.objects.filter(pk=declaration.pk).update(ticket=ticket_of(declaration))
    assert judged(noti(theirs(reference=ticket_of(declaration), file_name="?"))) is Whose.OURS
    assert judged(noti(theirs())) is Whose.ANOTHERS
    assert judged(noti(verdict(declaration) + theirs())) is Whose.SHARED


def test_a_kind_that_the_portal_does_not_know_is_judged_in_the_same_way(
    judged: Callable[[bytes], Whose], batch: Batch
) -> None:
    assert judged(f"<DMNO001>{theirs()}</DMNO001>".encode()) is Whose.ANOTHERS
    assert judged(b"<DMNO001/>") is Whose.ANOTHERS
    assert judged(f"<DMNO001>{verdict(first(batch))}</DMNO001>".encode()) is Whose.OURS


def test_what_cannot_be_read_is_nobodys_to_delete(judged: Callable[[bytes], Whose], batch: Batch) -> None:
    whole = noti(verdict(first(batch)))
    for content in (b"", b"nobody's business", whole[:-30], b"<!DOCTYPE x><ACRF/>", b"<ACRF/>", b"<IDFLUX/>"):
        assert judged(content) is Whose.SHARED, content


def test_a_zip_is_looked_into(batch: Batch) -> None:
    def zipped(content: bytes) -> Whose:
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w") as archive:
            archive.writestr("FO.NOTI.999999.20260105.0000A.S", content)
        name = "CO.NOTI.999999.20260105.0000A.S"
        return whose(batch.channel, batch.environment, name, box.getvalue())

    assert zipped(noti(verdict(first(batch)))) is Whose.OURS
    assert zipped(noti(theirs())) is Whose.ANOTHERS


def test_another_environment_is_another_world(batch: Batch) -> None:
    for content in (receipt(batch), noti(verdict(first(batch)))):
        assert whose(batch.channel, "R", "FO.NOTI.999999.20260105.0000A.R", content) is Whose.ANOTHERS


def test_a_set_of_our_name_that_never_left_is_not_ours(scope: None) -> None:
    """Other software used the name: its answer is not ours to take away."""
    batch = factories.sealed_batch()
    content = receipt(batch)
    assert whose(batch.channel, batch.environment, "FO.ACRF.1", content) is Whose.ANOTHERS
    now = timezone.now()
    Drop.objects.create(
        envelope=batch.envelope, state="unknown", started_at=now, heartbeat_at=now, go_intended_at=now
    )
    assert whose(batch.channel, batch.environment, "FO.ACRF.1", content) is Whose.OURS


def test_a_replaced_number_is_copied_by_who_knows_the_worker_and_left_for_the_others(
    judged: Callable[[bytes], Whose], batch: Batch
) -> None:
    def replaced(old: str, new: str) -> bytes:
        return (
            f"<IDFLUX><Form>{HEADER}<IdfluxInformation><OutdatedSituation><INSS>{old}</INSS></OutdatedSituation>"
            f"<ValidSituation><INSS>{new}</INSS></ValidSituation></IdfluxInformation></Form></IDFLUX>"
        ).encode()

    ours = first(batch).record.worker.niss
    assert judged(replaced(ours, NOBODY)) is Whose.SHARED
    assert judged(replaced(NOBODY, ours)) is Whose.SHARED
    assert judged(replaced(NOBODY, "98472899765")) is Whose.ANOTHERS


def test_the_declarations_of_another_mandataire_say_nothing(batch: Batch, stranger: Person) -> None:
    content = noti(verdict(first(batch), file_name=""))
    with stranger.scope():
        channel = factories.channel(environment=batch.environment)
        assert whose(channel, batch.environment, "FO.NOTI.1", content) is Whose.ANOTHERS
