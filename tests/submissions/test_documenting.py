"""CareerPro documents: the page that sends one, the set they travel in, and what comes back."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from lxml import etree, html

from channels.models import Channel, EnvelopePart
from mandates.procurations import Pdf
from portal import tenancy
from portal.models import Event
from submissions import conserving, declaring, departing, documenting, enclosing
from submissions.models import Batch, CareerDocument, Declaration
from submissions.states import DeclarationState
from submissions.wire.generic import InvalidForm
from submissions.wire.schemas import SYSTEM_FLUX
from tests import factories
from tests.people import Person
from tests.submissions import documents
from tests.submissions import relayed_files as files
from tests.submissions.documents import PDF, values_of
from tests.submissions.test_views_declarations import messages_after, rows
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(scope: None) -> Channel:
    return files.channel()


# --- keeping and sealing --------------------------------------------------------------------------


def test_a_document_is_sealed_at_rest_and_declared(channel: Channel) -> None:
    declaration = documents.sent(channel)
    document = CareerDocument.objects.get()
    assert (declaration.state, declaration.service, declaration.document) == ("ready", "ATDO", document)
    assert document.content == PDF
    assert PDF not in bytes(document.content_sealed)
    assert Event.objects.get(verb="document.added").data["sha256"] == document.sha256


def test_documents_travel_together_one_form_each(channel: Channel) -> None:
    one, other = documents.sent(channel), documents.sent(channel, category="PAYSLIP")
    departing.depart(tenancy.current(), channel.pk)
    batch = Batch.objects.get()
    part = EnvelopePart.objects.get(envelope=batch.envelope)
    assert part.forms_count == 2
    tree = etree.fromstring(part.fi)
    references = tree.xpath("//f:ReferenceNbr/text()", namespaces={"f": SYSTEM_FLUX})
    assert references == [one.reference, other.reference]
    texts = tree.xpath("//f:DocumentBase64/text()", namespaces={"f": SYSTEM_FLUX})
    assert [base64.b64decode(text) for text in texts] == [PDF, PDF]
    assert batch.envelope.stem.startswith("ATDO.")
    assert conserving.account(tenancy.current()).breaks == []


def test_large_documents_fill_several_files(channel: Channel) -> None:
    worker = documents.worker()
    pdf = Pdf("large.pdf", PDF + b" " * 3000 + PDF)
    for _ in range(3):
        documenting.send(channel, worker, pdf, values_of())
    Channel.objects.filter(pk=channel.pk).update(max_file_bytes=8_000)
    (batch,) = enclosing.seal_documents(tenancy.current(), channel.pk, "ATDO")
    placed = Declaration.objects.filter(batch=batch).order_by("part").values_list("part", "position")
    assert list(placed) == [(1, 1), (2, 1), (3, 1)]


def test_without_a_mandate_or_a_permission_nothing_is_kept(channel: Channel) -> None:
    with pytest.raises(declaring.CannotDeclare, match="no active mandate CareerPro Documents"):
        documents.sent(channel, factories.worker(files.client("DIMONA")))
    channel.services = ["FLA"]
    with pytest.raises(declaring.CannotDeclare, match="does not carry CareerPro Documents"):
        documents.sent(channel, documents.worker())
    channel.services, channel.max_file_bytes = files.SERVICES, 1000
    with pytest.raises(declaring.CannotDeclare, match="this channel sends files of at most 1000"):
        documents.sent(channel, documents.worker())
    assert not CareerDocument.objects.exists()
    assert not Declaration.objects.exists()


def test_what_cannot_be_written_is_refused_before_it_is_kept(channel: Channel) -> None:
    with pytest.raises(InvalidForm):
        documents.sent(channel, dimona_period="12")
    assert not CareerDocument.objects.exists()


def test_a_mandate_that_ended_holds_the_document_back(channel: Channel) -> None:
    declaration = documents.sent(channel)
    declaration.employer.mandates.update(state="closed")
    assert enclosing.seal_documents(tenancy.current(), channel.pk, "ATDO") == []
    assert not Batch.objects.exists()


def test_one_that_turns_out_unwritable_is_sent_back_and_leaves_the_others(channel: Channel) -> None:
    bad, good = documents.sent(channel), documents.sent(channel)
    bad.employer.onss_number = "x"
    bad.employer.save()
    (batch,) = enclosing.seal_documents(tenancy.current(), channel.pk, "ATDO")
    bad.refresh_from_db()
    assert bad.state == "draft"
    assert Declaration.objects.get(batch=batch) == good
    with pytest.raises(declaring.CannotDeclare, match="withdraw it"):
        declaring.complete(bad)


def test_when_none_can_be_written_no_set_and_no_name_remain(channel: Channel) -> None:
    bad = documents.sent(channel)
    bad.employer.onss_number = "x"
    bad.employer.save()
    assert enclosing.seal_documents(tenancy.current(), channel.pk, "ATDO") == []
    assert not Batch.objects.exists()
    assert not channel.names.exists()


def test_a_refused_document_is_sent_again_as_it_is(channel: Channel) -> None:
    declaration = documents.sent(channel)
    enclosing.seal_documents(tenancy.current(), channel.pk, "ATDO")
    declaration.refresh_from_db()
    declaration.move(DeclarationState.REFUSED)
    again = declaring.correct(declaration)
    assert (again.document, again.state, again.replaces) == (declaration.document, "ready", declaration)


# --- the page -------------------------------------------------------------------------------------

FORM = {
    "category": "PAYSLIP",
    "document_on": "01/10/2026",
    "language": "2",
    "sign_status": "0",
    "duration_code": "0",
    "starts_on": "01/01/2023",
    "contract_type": "1",
    "mean_hours": "19,5",
    "reference_hours": "38",
}


def sent_by(person: Person, address: str, pdf: bytes = PDF, **changes: str) -> Any:
    file = SimpleUploadedFile("Fiche de paie.pdf", pdf, content_type="application/pdf")
    return person.client.post(address, {**FORM, **changes, "pdf": file})


def test_client_worker_and_document_are_chosen_in_turn(operator: Person) -> None:
    with operator.scope():
        files.channel()
        worker = documents.worker(family_name="D'Haese")
        factories.contract(worker, regime=50, left_on=None)
        other = files.client("DIMONA")
        masked = worker.masked_niss
    tree = page_of(operator, "/documents/new/")
    assert tree.xpath("//form[@method='get']//input/@name") == ["client"]
    answer = operator.client.get("/documents/new/", {"client": worker.employer.number})
    assert answer["Location"] == f"/documents/new/?employer={worker.employer_id}"
    text = main_text(page_of(operator, f"/documents/new/?client={other.number}"))
    assert "No client here has this name or number." in text
    tree = page_of(operator, f"/documents/new/?employer={worker.employer_id}")
    assert tree.xpath("//select/option/@value") == [str(worker.pk)]
    assert masked in main_text(tree)
    address = f"/documents/new/?employer={worker.employer_id}&worker={worker.pk}"
    tree = page_of(operator, address)
    assert tree.xpath("//input[@name='mean_hours']/@value") == ["19,00"]
    assert tree.xpath("//input[@name='reference_hours']/@value") == ["38,00"]
    answer = sent_by(operator, address)
    with operator.scope():
        declaration = Declaration.objects.get()
        document = declaration.document
        assert (document.mean_hours, document.reference_hours, document.name) == (
            1950,
            3800,
            "Fiche de paie.pdf",
        )
    assert answer["Location"] == f"/declarations/{declaration.pk}/"
    assert "Fiche de paie.pdf" in main_text(page_of(operator, answer["Location"]))
    (row,) = rows(operator, "/documents/")
    assert "D'Haese" in row
    assert "Payslip" in row
    text = main_text(page_of(operator, f"/documents/new/?employer={other.pk}"))
    assert "no active mandate CareerPro Documents" in text


@pytest.mark.parametrize(
    ("changes", "anchor", "sentence"),
    [
        ({"mean_hours": "a lot"}, "#id_mean_hours", "Write hours a week"),
        ({"mean_hours": "200"}, "#id_mean_hours", "168 hours"),
        ({"document_on": "31/02/2026"}, "#id_document_on", "a day that exists"),
        ({"ends_on": "31/12/2022"}, "#id_ends_on", "ends before it starts"),
        ({"duration_code": "1"}, "#id_ends_on", "A fixed term has an end"),
        ({"dimona_period": "12"}, "#id_dimona_period", "12 digits"),
        ({"using_employer_number": "0897223671"}, "#id_using_employer_number", ""),
        ({"category": "LETTER"}, "#id_category", ""),
    ],
)
def test_a_fault_stands_at_its_field(
    operator: Person, changes: dict[str, str], anchor: str, sentence: str
) -> None:
    with operator.scope():
        files.channel()
        worker = documents.worker()
    answer = sent_by(operator, f"/documents/new/?employer={worker.employer_id}&worker={worker.pk}", **changes)
    assert answer.status_code == 422
    (link,) = html.document_fromstring(answer.content.decode()).xpath("//*[@role='alert']//a")
    assert link.get("href") == anchor
    assert sentence in link.text_content()
    with operator.scope():
        assert not CareerDocument.objects.exists()


def test_what_is_no_pdf_is_not_taken(operator: Person) -> None:
    with operator.scope():
        files.channel()
        worker = documents.worker()
    address = f"/documents/new/?employer={worker.employer_id}&worker={worker.pk}"
    answer = sent_by(operator, address, pdf=b"GIF89a")
    assert "This is not a PDF" in answer.content.decode()


def test_a_document_is_withdrawn_while_it_waits(operator: Person) -> None:
    with operator.scope():
        declaration = documents.sent()
    address = f"/declarations/{declaration.pk}/withdraw/"
    assert "does not leave" in messages_after(operator, address, reason="the wrong month")
    with operator.scope():
        assert Declaration.objects.get().state == "withdrawn"


def test_the_worker_of_another_client_or_tenant_is_nobody(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        theirs = documents.worker()
    with operator.scope():
        files.channel()
        one, other = documents.worker(), documents.worker()
    for employer, worker in (
        (theirs.employer_id, theirs.pk),
        (one.employer_id, other.pk),
        (one.employer_id, "x"),
    ):
        address = f"/documents/new/?employer={employer}&worker={worker}"
        assert operator.client.get(address).status_code == 404
