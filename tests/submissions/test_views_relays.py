"""The pages of ready-made files: handing one over, what became of it, its declarations, and taking it back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import html

from portal.models import Event
from submissions import relaying
from submissions.models import Declaration, RelayedFile
from submissions.states import DeclarationState
from submissions.views import relays
from tests import factories
from tests.people import Person, signed_in
from tests.submissions import relayed_files as files
from tests.submissions.test_views_declarations import messages_after, rows
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db


def upload(content: bytes, name: str = "dimona.xml") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, content, content_type="text/xml")}


def handed_in(person: Person, address: str = "/files/new/", **data: Any) -> Any:
    return person.client.post(address, {"service": "", "employer": "", **data})


def faults(answer: Any) -> str:
    assert answer.status_code == 422
    (summary,) = html.document_fromstring(answer.content.decode()).find_class("error-summary")
    return " ".join(summary.text_content().split())


def test_a_file_is_handed_over_and_followed(operator: Person) -> None:
    with operator.scope():
        files.channel()
        client = files.client(name="Hôtel & Fils <3")
        content = files.a_dimona(client, 2, reference="PAY")
    answer = handed_in(operator, **upload(content))
    with operator.scope():
        file = RelayedFile.objects.get()
        event = Event.objects.get(verb="relay.handed_over")
    assert answer["Location"] == f"/files/{file.pk}/"
    assert event.actor_id == operator.user.pk
    text = main_text(page_of(operator, answer["Location"]))
    assert "PAY-1" in text
    assert "Hôtel & Fils <3" in text
    assert "2 ready to leave" in text
    assert file.sha256 in text
    assert "none is loaded here" in text
    (row,) = rows(operator, "/files/")
    assert "dimona.xml" in row
    assert "Dimona" in row
    listed = rows(operator, "/declarations/")
    assert len(listed) == 2
    assert all("Dimona" in one and "DIMONA PAY-" in one for one in listed)


def test_a_refusal_keeps_the_form_and_stores_nothing(operator: Person) -> None:
    with operator.scope():
        files.channel(services=["FLA"])
        content = files.a_dimona(files.client())
    answer = handed_in(operator, **upload(content))
    assert "its permission “Dimona V2” is missing" in faults(answer)
    with operator.scope():
        assert not RelayedFile.objects.exists()
        assert not Declaration.objects.exists()


def test_a_file_that_was_handed_over_before_is_linked(operator: Person) -> None:
    with operator.scope():
        file = files.handed_over()
        content = file.content
    answer = handed_in(operator, **upload(content, "again.xml"))
    assert "handed over before" in faults(answer)
    assert html.document_fromstring(answer.content.decode()).xpath(f"//a[@href='/files/{file.pk}/']")


@pytest.mark.parametrize(("name", "content"), [("", b""), ("empty.xml", b"")])
def test_without_a_file_nothing_is_asked(operator: Person, name: str, content: bytes) -> None:
    with operator.scope():
        files.channel()
    answer = handed_in(operator, **(upload(content, name) if name else {}))
    assert ("The file is empty." if name else "Choose the file of the declaration.") in faults(answer)


def test_a_file_above_what_is_received_says_so(operator: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with operator.scope():
        files.channel()
    monkeypatch.setattr(relays, "LARGEST", 1000)
    monkeypatch.setattr(relays.new, "largest_upload", 1000)
    assert "too large to be received" in faults(handed_in(operator, **upload(b"<Dimona/>" + b" " * 2000)))


def test_this_page_takes_larger_files_than_the_others(operator: Person, settings: Any) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    with operator.scope():
        files.channel()
        content = files.a_dimona(files.client(), 3)
    assert len(content) > 1000
    assert handed_in(operator, **upload(content)).status_code == 302


def test_the_client_of_forms_that_name_none_is_chosen(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        theirs = files.client()
    with operator.scope():
        files.channel()
        client = files.client()
    assert "names no employer" in faults(handed_in(operator, **upload(files.an_out())))
    wrong = handed_in(operator, employer=theirs.number, **upload(files.an_out()))
    assert "No client here has this name or number." in faults(wrong)
    handed_in(operator, employer=client.number, **upload(files.an_out()))
    with operator.scope():
        assert Declaration.objects.get().employer == client


def refused(person: Person) -> Declaration:
    """A declaration of a file that came back refused."""
    with person.scope():
        batch = files.sealed(files.handed_over())
        declaration = batch.declarations.order_by("position")[0]
        batch.declarations.update(state=DeclarationState.SENT)
        declaration.refresh_from_db()
        declaration.move(DeclarationState.REFUSED, ticket="2632700000001")
        file = factories.inbound(batch.channel, b"<NOTIFICATION/>", envelope=batch.envelope)
        declaration.anomalies.create(
            inbound_file=file, code="00024-179", anomaly_class="B", tag="INSS", location="7:12 1,1,2"
        )
    return declaration


def test_a_refused_form_tells_element_and_line_and_leads_to_a_corrected_file(operator: Person) -> None:
    declaration = refused(operator)
    tree = page_of(operator, f"/declarations/{declaration.pk}/")
    text = main_text(tree)
    with operator.scope():
        file = declaration.form.file
        assert declaration.form.masked_niss in text
    for shown in ("00024-179", "INSS", "7:12 1,1,2", "2632700000001", declaration.form.reference, file.name):
        assert shown in text
    (link,) = tree.xpath(f"//a[contains(@href, '/files/new/?corrects={file.pk}')]/@href")
    assert main_text(page_of(operator, link)).count(file.name) == 1
    with operator.scope():
        worker = files.hired()
        again = files.a_dimona(declaration.employer, worker, reference=declaration.form.reference[:-2])
    assert handed_in(operator, link, **upload(again)).status_code == 302
    with operator.scope():
        assert Declaration.objects.get(replaces=declaration).form.reference == declaration.form.reference
    assert rows(operator, "/to-correct/") == []
    assert not page_of(operator, f"/declarations/{declaration.pk}/").xpath("//a[contains(@href, 'corrects')]")


def test_the_colleague_may_look_and_not_hand_over(operator: Person, colleague: Person) -> None:
    declaration = refused(operator)
    assert colleague.client.get("/files/new/").status_code == 403
    assert not page_of(colleague, "/files/").xpath("//a[@href='/files/new/']")
    assert not page_of(colleague, f"/declarations/{declaration.pk}/").xpath(
        "//a[contains(@href, 'corrects')]"
    )


def test_a_declaration_of_a_training_is_told_on_its_record(operator: Person) -> None:
    with operator.scope():
        declaration = factories.declaration()
    answer = operator.client.get(f"/declarations/{declaration.pk}/")
    assert answer["Location"] == f"/records/{declaration.record_id}/"


def test_a_file_is_withdrawn_with_a_reason(operator: Person) -> None:
    with operator.scope():
        file = files.handed_over()
    address = f"/files/{file.pk}/withdraw/"
    assert "Give a reason" in messages_after(operator, address, reason=" ")
    assert "nothing of this file leaves" in messages_after(operator, address, reason="made twice")
    assert "has left, or was withdrawn" in messages_after(operator, address, reason="again")
    with operator.scope():
        assert set(Declaration.objects.values_list("state", flat=True)) == {"withdrawn"}
    (row,) = rows(operator, "/files/")
    assert "withdrawn" in row


def test_the_stranger_sees_no_file(operator: Person, stranger: Person) -> None:
    with operator.scope():
        file = files.handed_over()
    assert rows(stranger, "/files/") == []
    assert stranger.client.get(f"/files/new/?corrects={file.pk}").status_code == 404


def test_lists_ask_the_same_questions_however_many_rows(operator: Person) -> None:
    def questions(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert operator.client.get(address).status_code == 200
        return len(asked)

    with operator.scope():
        channel = files.channel()
        file = files.handed_over(channel, files.a_dimona(files.client(), 1))
    addresses = ("/files/", f"/files/{file.pk}/", "/declarations/")
    few = [questions(address) for address in addresses]
    with operator.scope():
        for _ in range(4):
            file = files.handed_over(channel, files.a_dimona(files.client(), 5))
    many = [questions(address) for address in ("/files/", f"/files/{file.pk}/", "/declarations/")]
    assert many == few
    assert max(many) <= 22


DOORS = [
    # address, method, encode, administrative, extended, another tenant
    ("/files/", "get", 200, 200, 200, 200),
    ("/files/new/", "get", 403, 200, 200, 200),
    ("/files/new/", "post", 403, 422, 422, 422),
    ("/files/{file}/", "get", 200, 200, 200, 404),
    ("/files/{file}/withdraw/", "post", 403, 302, 302, 404),
    ("/declarations/{declaration}/", "get", 200, 200, 200, 404),
    ("/documents/", "get", 200, 200, 200, 200),
    ("/clients/", "get", 200, 200, 200, 200),
    ("/documents/new/", "get", 403, 200, 200, 200),
    ("/documents/new/", "post", 403, 200, 200, 200),
]


def test_every_door_lets_in_who_may_and_nobody_else(
    operator: Person, colleague: Person, stranger: Person
) -> None:
    clerk = signed_in(operator.mandataire, factories.Profile.ADMINISTRATIVE, "clerk")
    with stranger.scope():
        files.channel()
    with operator.scope():
        file = files.handed_over()
        pks = {"file": file.pk, "declaration": file.forms.all()[0].declarations.get().pk}
    for address, method, *expected in DOORS:
        found = [
            getattr(person.client, method)(address.format(**pks)).status_code
            for person in (colleague, clerk, operator, stranger)
        ]
        assert found == expected, (address, method)


def test_what_is_kept_of_a_correction_is_only_what_it_answers(operator: Person) -> None:
    """A corrected file about somebody else leaves the refusal to be corrected."""
    declaration = refused(operator)
    with operator.scope():
        other = files.a_dimona(files.client(), reference="OTHER")
        relaying.hand_over(declaration.batch.channel, "x.xml", other, corrects=declaration.form.file)
        assert not Declaration.objects.filter(replaces=declaration).exists()
    assert len(rows(operator, "/to-correct/")) == 1
