"""Handing over ready-made files: what is taken, and every reason for which nothing is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from channels.models import Channel, EnvelopePart, ReservedName
from mandates.models import Employer
from portal import tenancy
from portal.models import Event
from submissions import conserving, declaring, departing, enclosing, questions, relaying, waiting
from submissions.inspecting import Refused
from submissions.models import Batch, Declaration, RelayedFile, RelayedForm
from tests import factories
from tests.people import Person
from tests.submissions import documents
from tests.submissions import relayed_files as files

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(scope: None) -> Channel:
    return files.channel()


def kept() -> list[int]:
    """How many rows there are of everything that a hand-over writes."""
    models = (RelayedFile, RelayedForm, Declaration, Batch, ReservedName, Event)
    return [model._default_manager.count() for model in models]


# --- what is taken --------------------------------------------------------------------------------


def test_each_form_becomes_a_declaration_of_its_client(channel: Channel) -> None:
    client = files.client()
    content = files.a_dimona(client, 3, reference="PAY")
    file = relaying.hand_over(channel, "C:\\payroll\\dimona 17.xml", content)
    assert (file.name, file.service, file.forms_count, file.size) == (
        "dimona 17.xml",
        "DIMN",
        3,
        len(content),
    )
    assert file.content == content
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    declarations = Declaration.objects.order_by("form__position")
    assert {(d.employer_id, d.service, d.state, d.record_id) for d in declarations} == {
        (client.pk, "DIMN", "ready", None)
    }
    assert [d.form.reference for d in declarations] == ["PAY-1", "PAY-2", "PAY-3"]
    assert all(d.form.masked_niss.endswith("-***.**") for d in declarations)


def test_a_file_of_several_clients_gives_each_his_own(channel: Channel) -> None:
    one, other = files.client(), files.client()
    head, _, foot = files.a_dimona(one, reference="A").partition(b"</Form>")
    form = files.a_dimona(other, reference="B").split(b"<Form>")[1].split(b"</Form>")[0]
    relaying.hand_over(channel, "two.xml", head + b"</Form><Form>" + form + b"</Form>" + foot)
    assert list(Declaration.objects.order_by("form__position").values_list("employer", flat=True)) == [
        one.pk,
        other.pk,
    ]


def test_a_dmfa_about_many_workers_keeps_no_personal_number(channel: Channel) -> None:
    relaying.hand_over(channel, "dmfa.xml", files.a_dmfa(files.client()))
    form = RelayedForm.objects.get()
    assert (form.identification, form.niss_sealed, form.masked_niss) == ("DMFA", None, "")


def test_a_form_that_names_nobody_is_the_client_s_who_was_chosen(channel: Channel) -> None:
    client = files.client()
    with pytest.raises(Refused, match="names no employer"):
        relaying.hand_over(channel, "out.xml", files.an_out())
    relaying.hand_over(channel, "out.xml", files.an_out(), employer=client)
    assert Declaration.objects.get().employer == client


def test_a_dropped_zero_of_the_enterprise_number_is_put_back(channel: Channel) -> None:
    client = files.client(number="0897223670")
    relaying.hand_over(channel, "d.xml", files.a_dimona(client).replace(b"0897223670", b"897223670"))
    assert Declaration.objects.get().employer == client


def test_an_employer_may_be_known_by_his_onss_number_alone(channel: Channel) -> None:
    client = files.client()
    content = files.a_dimona(client).replace(f"<CompanyID>{client.number}</CompanyID>".encode(), b"")
    relaying.hand_over(channel, "d.xml", content)
    assert Declaration.objects.get().employer == client


def test_latin_1_is_taken_as_it_is(channel: Channel) -> None:
    text = files.a_dimona(files.client()).decode().replace("UTF-8", "ISO-8859-1")
    content = text.encode("iso-8859-1")
    assert relaying.hand_over(channel, "d.xml", content).content == content


# --- what is not ----------------------------------------------------------------------------------


def _a_file(channel: Channel) -> bytes:
    return files.a_dimona(files.client())


def _too_large(channel: Channel) -> bytes:
    channel.max_file_bytes = 100
    return _a_file(channel)


def _with_document_type(channel: Channel) -> bytes:
    return _a_file(channel).replace(b"<Dimona", b'<!DOCTYPE Dimona [<!ENTITY x "y">]><Dimona', 1)


def _cut_off(channel: Channel) -> bytes:
    return _a_file(channel)[:-30]


def _utf_16(channel: Channel) -> bytes:
    return _a_file(channel).decode().replace("UTF-8", "UTF-16").encode("utf-16")


def _windows(channel: Channel) -> bytes:
    return _a_file(channel).replace(b"UTF-8", b"windows-1252")


def _in_a_namespace(channel: Channel) -> bytes:
    return _a_file(channel).replace(b"<Dimona ", b'<Dimona xmlns="urn:other" ')


def _of_no_service(channel: Channel) -> bytes:
    return _a_file(channel).replace(b"Dimona ", b"Dimana ", 1).replace(b"</Dimona>", b"</Dimana>")


def _without_a_form(channel: Channel) -> bytes:
    return b"<Dimona/>"


def _of_another_form(channel: Channel) -> bytes:
    return _a_file(channel).replace(b">DIMONA<", b">DMFA<")


def _without_permission(channel: Channel) -> bytes:
    channel.services = ["FLA", "DMFA"]
    return _a_file(channel)


def _of_a_stranger(channel: Channel) -> bytes:
    return files.a_dimona(Employer(number="0206731645", onss_number="125482497"))


def _with_another_onss_number(channel: Channel) -> bytes:
    client = files.client()
    client.onss_number = "125482497"
    return files.a_dimona(client)


def _without_a_mandate(channel: Channel) -> bytes:
    return files.a_dimona(files.client("DMFA"))


def _with_twins(channel: Channel) -> bytes:
    client, (worker,) = files.client(), files.hired()
    return files.a_dimona(client, [worker, worker]).replace(b"-2</ReferenceNbr>", b"-1</ReferenceNbr>")


REFUSALS: dict[str, tuple[Callable[[Channel], bytes], str]] = {
    "oversized": (_too_large, r"has \d+ bytes; this channel sends files of at most 100"),
    "document type": (_with_document_type, "DOCTYPE"),
    "cut off": (_cut_off, r"not well-formed XML: see line \d+, column \d+"),
    "utf-16": (_utf_16, "not an XML document"),
    "windows": (_windows, "only UTF-8 and ISO-8859-1"),
    "namespace": (_in_a_namespace, "namespace"),
    "wrong root": (_of_no_service, "“Dimana” belongs to no service"),
    "no form": (_without_a_form, "holds no form"),
    "another form": (_of_another_form, "Form 1 .* is “DMFA”; a file “Dimona” holds forms “DIMONA”"),
    "no permission": (_without_permission, "its permission “Dimona V2” is missing"),
    "stranger": (_of_a_stranger, r"0206\.731\.645, who is no client of yours"),
    "onss number": (_with_another_onss_number, "Correct the one that is wrong"),
    "no mandate": (_without_a_mandate, "no active mandate Dimona for Boulangerie"),
    "twins": (_with_twins, "forms 1 and 2 .* could not be told apart"),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_what_is_refused_says_why_and_leaves_nothing(channel: Channel, reason: str) -> None:
    spoil, sentence = REFUSALS[reason]
    content = spoil(channel)
    before = kept()
    with pytest.raises(Refused, match=sentence):
        relaying.hand_over(channel, "d.xml", content)
    assert kept() == before


def test_the_service_that_was_chosen_must_be_that_of_the_file(channel: Channel) -> None:
    content = files.a_dimona(files.client())
    before = kept()
    with pytest.raises(Refused, match="You chose DmfA, and the root element “Dimona” is that of Dimona"):
        relaying.hand_over(channel, "d.xml", content, code="DMFA")
    assert kept() == before
    assert relaying.hand_over(channel, "d.xml", content, code="DIMN").service == "DIMN"


def test_the_same_file_is_taken_once_whatever_its_name(channel: Channel) -> None:
    content = files.a_dimona(files.client())
    first = relaying.hand_over(channel, "d.xml", content)
    before = kept()
    with pytest.raises(Refused, match="handed over before") as refusal:
        relaying.hand_over(channel, "other.xml", content)
    assert refusal.value.earlier == first
    assert kept() == before


def test_the_name_of_an_exchange_file_stands_for_one_content(channel: Channel) -> None:
    client, name = files.client(), "FI.DIMN.104123.20261122.00017.R.1.1"
    first = relaying.hand_over(channel, name, files.a_dimona(client))
    again = files.a_dimona(client)
    before = kept()
    with pytest.raises(
        Refused, match=r"FI\.DIMN\.104123\.20261122\.00017\.R\.1\.1 was used already"
    ) as refusal:
        relaying.hand_over(channel, name, again)
    assert refusal.value.earlier == first
    assert kept() == before
    relaying.hand_over(channel, "dimona.xml", again)
    relaying.hand_over(
        channel, "dimona.xml", files.a_dimona(client)
    )  # a name of nobody's rules may come back


def test_a_name_that_the_portal_gave_is_used_too(channel: Channel) -> None:
    batch = files.sealed(files.handed_over(channel))
    assert batch.envelope is not None
    with pytest.raises(Refused, match="was used already"):
        relaying.hand_over(channel, f"FI.{batch.envelope.stem}.1.1", files.a_dimona(files.client()))


def test_a_reference_of_ours_is_not_theirs_to_use(channel: Channel) -> None:
    ours = factories.declaration()
    content = files.a_dimona(files.client()).replace(b"</ReferenceNbr>", b"</ReferenceNbr>")
    content = (
        content[: content.index(b"<ReferenceNbr>") + 14]
        + ours.reference.encode()
        + content[content.index(b"</ReferenceNbr>") :]
    )
    with pytest.raises(Refused, match="one of this portal's own"):
        relaying.hand_over(channel, "d.xml", content)


def test_a_mandate_of_another_tenant_speaks_for_nobody_here(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        theirs = files.client(number="0897223670")
        content = files.a_dimona(theirs)
    with operator.scope():
        channel = files.channel()
        with pytest.raises(Refused, match="no client of yours"):
            relaying.hand_over(channel, "d.xml", content)
        factories.employer(number="0897223670", onss_number=theirs.onss_number)
        with pytest.raises(Refused, match="no active mandate"):
            relaying.hand_over(channel, "d.xml", content)


# --- leaving --------------------------------------------------------------------------------------


def test_a_file_leaves_as_a_set_of_its_own_byte_for_byte(channel: Channel) -> None:
    contents = [files.a_dimona(files.client(), 2), files.a_dimona(files.client())]
    for content in contents:
        relaying.hand_over(channel, "d.xml", content)
    batches = enclosing.seal_files(tenancy.current(), channel.pk, "DIMN")
    parts = [EnvelopePart.objects.get(envelope__batches=batch) for batch in batches]
    assert [part.fi for part in parts] == contents
    assert [part.forms_count for part in parts] == [2, 1]
    first = Declaration.objects.filter(batch=batches[0]).order_by("position")
    assert [(d.state, d.part, d.position, d.form.position) for d in first] == [
        ("batched", 1, 1, 1),
        ("batched", 1, 2, 2),
    ]
    assert Batch.objects.get(pk=batches[0]).envelope.stem.startswith("DIMN.")
    assert enclosing.seal_files(tenancy.current(), channel.pk, "DIMN") == []


def test_without_a_mandate_on_the_day_of_departure_the_whole_file_stays(channel: Channel) -> None:
    file = files.handed_over(channel)
    Declaration.objects.get(form__file=file, position=None, form__position=1).employer.mandates.update(
        state="closed"
    )
    assert enclosing.seal_files(tenancy.current(), channel.pk, "DIMN") == []
    assert set(Declaration.objects.values_list("state", flat=True)) == {"ready"}
    assert not ReservedName.objects.exists()


def test_one_file_that_cannot_be_sealed_holds_up_no_other(channel: Channel) -> None:
    large = files.handed_over(channel, files.a_dimona(files.client(), 9))
    small = files.handed_over(channel, files.a_dimona(files.client()))
    Channel.objects.filter(pk=channel.pk).update(max_file_bytes=small.size)
    (batch,) = enclosing.seal_files(tenancy.current(), channel.pk, "DIMN")
    assert Declaration.objects.get(batch=batch).form.file == small
    assert large.forms.filter(declarations__state="ready").count() == 9


def test_a_departure_takes_every_service_at_once(channel: Channel) -> None:
    factories.ready(2)
    files.handed_over(channel, files.a_dimona(files.client()))
    files.handed_over(channel, files.a_dmfa(files.client()))
    departing.depart(tenancy.current(), channel.pk)
    assert sorted(Batch.objects.values_list("service", flat=True)) == ["DIMN", "DMFA", "FLA"]
    stems = {stem.split(".")[0] for stem in Batch.objects.values_list("envelope__stem", flat=True)}
    assert stems == {"FLAD", "DIMN", "DMFA"}
    assert conserving.account(tenancy.current()).breaks == []


# --- taking back ----------------------------------------------------------------------------------


def test_a_file_is_withdrawn_whole_and_may_then_be_handed_over_again(channel: Channel) -> None:
    file = files.handed_over(channel)
    one = Declaration.objects.order_by("pk")[0]
    with pytest.raises(declaring.CannotDeclare, match="withdraw the file"):
        declaring.withdraw(one, "a mistake")
    with pytest.raises(declaring.CannotDeclare, match="Give a reason"):
        relaying.withdraw(file, " ")
    relaying.withdraw(file, "made twice")
    assert set(Declaration.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert Event.objects.get(verb="relay.withdrawn").reason == "made twice"
    again = relaying.hand_over(channel, "d.xml", file.content)
    assert again.sha256 == file.sha256
    assert conserving.account(tenancy.current()).breaks == []


def test_what_left_is_not_withdrawn(channel: Channel) -> None:
    file = files.handed_over(channel)
    files.sealed(file)
    with pytest.raises(declaring.CannotDeclare, match="has left"):
        relaying.withdraw(file, "too late")
    assert not RelayedFile.objects.get().is_withdrawn


# --- what is held back ----------------------------------------------------------------------------


def test_what_waits_for_a_mandate_is_told_by_the_mandate_of_its_service(channel: Channel) -> None:
    file = files.handed_over(channel)
    documents.sent(channel)
    held = {(row[0], row[1], row[2], row[-1]) for row in questions.held_back("S")}
    assert held == {("DIMN", False, True, 2), ("ATDO", False, True, 1)}
    Declaration.objects.filter(form__file=file)[0].employer.mandates.update(state="closed")
    held = {(row[0], row[1], row[2], row[-1]) for row in questions.held_back("S")}
    assert held == {("DIMN", False, False, 2), ("ATDO", False, True, 1)}
    (item,) = waiting.held_back_items(channel)
    assert (item["title"], item["count"]) == ("Ready, but without a mandate", 2)
