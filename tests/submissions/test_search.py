"""The search in the frame: what it finds for whom, and that a personal number stays out of addresses."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mandates.models import Worker
from mandates.numbers import format_enterprise_number, format_niss, format_onss_number, make_niss
from portal.models import Application, Membership, Profile
from submissions import searching
from submissions.models import Declaration
from tests import factories
from tests.people import Person
from tests.submissions import relayed_files
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db
NISS = make_niss(date(1985, 7, 30), 33)
SEARCH = "/search/"


def found(person: Person, text: str) -> str:
    """The page to which a search by the field of the frame leads."""
    answer = person.client.post(SEARCH, {"q": text})
    assert answer.status_code == 302, answer.content.decode()
    return main_text(page_of(person, answer["Location"]))


@pytest.fixture
def worker(operator: Person) -> Worker:
    with operator.scope():
        employer = factories.client(name="Hôtel & Fils", onss_number="130387593")
        return factories.worker(employer, niss=NISS, family_name="O'Connor", given_name="Síle")


def test_clients_are_found_by_name_and_by_both_numbers(operator: Person, worker: Worker) -> None:
    number = format_enterprise_number(worker.employer.number)
    for text in ("hôtel", number, worker.employer.number, format_onss_number("130387593")):
        page = found(operator, text)
        assert "Employers" in page
        assert number in page
    assert "Nothing found" in found(operator, "Auberge")


def test_workers_are_found_by_name_over_all_clients(operator: Person, worker: Worker) -> None:
    with operator.scope():
        factories.worker(family_name="Connors", given_name="Jan")
    page = found(operator, "connor")
    assert "O'Connor, Síle" in page
    assert "Connors, Jan" in page
    assert "Connors" not in found(operator, "connor síle")
    assert NISS not in page
    assert "85.07.30-***.**" in page


@pytest.mark.parametrize("typed", [NISS, format_niss(NISS), f" {format_niss(NISS)} "])
def test_a_personal_number_finds_the_person_without_an_address(
    operator: Person, worker: Worker, typed: str
) -> None:
    answer = operator.client.post(SEARCH, {"q": typed})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert reverse("worker", args=[worker.pk]) in page
    assert NISS not in page
    assert format_niss(NISS) not in page
    assert "Found for 85.07.30-***.**" in page


def test_a_former_number_finds_the_person_until_it_is_undone(operator: Person, worker: Worker) -> None:
    with operator.scope():
        former = factories.former_number(worker)
        number = make_niss(date(1970, 1, 2), 5)
        former.niss_index = Worker(niss=number).niss_index
        former.save(update_fields=["niss_index"])
    address = reverse("worker", args=[worker.pk])
    assert address in operator.client.post(SEARCH, {"q": number}).content.decode()
    with operator.scope():
        former.undone_at = former.replaced_at
        former.save(update_fields=["undone_at"])
    assert address not in operator.client.post(SEARCH, {"q": number}).content.decode()


@pytest.mark.parametrize("typed", ["85073003329", "850730-0332", "8507300332", NISS + "1"])
def test_what_may_be_a_personal_number_never_becomes_an_address(operator: Person, typed: str) -> None:
    answer = operator.client.post(SEARCH, {"q": typed})
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        assert typed not in answer.content.decode()


def test_a_personal_number_in_an_address_is_not_searched(operator: Person, worker: Worker) -> None:
    for text in (NISS, f"Síle {format_niss(NISS)}"):
        answer = operator.client.get(SEARCH, {"q": text})
        assert (answer.status_code, answer["Location"]) == (302, SEARCH)
        assert "does not belong in an address" in str([*get_messages(answer.wsgi_request)][-1])


def test_declarations_trainings_and_sets_are_found_by_reference(operator: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch(2)
        batch.ticket = "123456789012A"
        batch.save(update_fields=["ticket"])
        declaration, other = factories.declarations_of(batch)
        Declaration.objects.filter(pk=other.pk).update(ticket="2025A00000012")
        record = declaration.record
        name = f"FI.{batch.envelope.stem}.1.1"
    assert "Declarations" in found(operator, declaration.reference.lower())
    assert other.reference in found(operator, "2025a00000012")
    assert record.client_reference in found(operator, record.client_reference)
    for text in (name, name.replace("FI.", "GO."), batch.ticket):
        page = operator.client.get(SEARCH, {"q": text}).content.decode()
        assert reverse("batch", args=[batch.pk]) in page, text


def test_answers_and_ready_made_files_are_found_by_name(operator: Person) -> None:

    with operator.scope():
        channel = relayed_files.channel()
        relay = relayed_files.handed_over(channel)
        lost = factories.inbound(channel, b"<NOTIFICATION/>")
    assert relay.name in found(operator, relay.name[3:12])
    assert lost.name in found(operator, lost.name)


def test_a_limited_grant_finds_its_own_clients_only(operator: Person, worker: Worker) -> None:
    with operator.scope():
        other = factories.worker(factories.client(name="Auberge"), niss=NISS, family_name="O'Connor")
        clerk = factories.place(operator.mandataire, Profile.ENCODE)
        clerk.grants.get(application=Application.DECLARATIONS).limits.create(employer=other.employer)
        name = f"FI.{factories.sealed_batch(1).envelope.stem}"
    client = Client()
    client.force_login(clerk.user)
    for answer in (client.post(SEARCH, {"q": NISS}), client.get(SEARCH, {"q": "connor"})):
        page = answer.content.decode()
        assert reverse("worker", args=[other.pk]) in page
        assert reverse("worker", args=[worker.pk]) not in page
    assert "Nothing found" in client.get(SEARCH, {"q": name}).content.decode()


def test_an_employer_user_searches_his_company(operator: Person, worker: Worker) -> None:
    with operator.scope():
        other = factories.worker(factories.client(name="Auberge"), niss=NISS)
        member = factories.place(operator.mandataire, Profile.ENCODE, employer=worker.employer)
        assert Membership.objects.get(pk=member.pk).employer_id == worker.employer_id
    client = Client()
    client.force_login(member.user)
    page = client.post(SEARCH, {"q": NISS}).content.decode()
    assert reverse("worker", args=[worker.pk]) in page
    assert reverse("worker", args=[other.pk]) not in page
    assert "Nothing found" in client.get(SEARCH, {"q": "Auberge"}).content.decode()


def test_the_stranger_finds_nothing(operator: Person, worker: Worker, stranger: Person) -> None:
    assert "Nothing found" in stranger.client.post(SEARCH, {"q": NISS}).content.decode()
    for text in ("Hôtel", "O'Connor", worker.employer.number):
        assert "Nothing found" in found(stranger, text)


def test_a_long_group_is_cut_off_and_leads_to_all_of_it(operator: Person, worker: Worker) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page = operator.client.get(SEARCH, {"q": "Peeters"})
        assert page.status_code == 200
        return len(queries)

    with operator.scope():
        factories.worker(worker.employer, family_name="Peeters")
    few = asked()
    with operator.scope():
        for place in range(60):
            factories.worker(worker.employer, family_name="Peeters", given_name=f"Jan {place:02}")
    assert asked() == few
    page = page_of(operator, f"{SEARCH}?q=Peeters")
    assert len(page.xpath("//a[contains(@class, 'row-link')]")) == searching.AT_MOST
    (whole,) = page.xpath("//a[starts-with(text(), 'Show all')]/@href")
    first = page_of(operator, whole)
    assert len(first.xpath("//a[contains(@class, 'row-link')]")) == 50
    second = page_of(operator, f"{whole}&page=2")
    assert len(second.xpath("//a[contains(@class, 'row-link')]")) == 11


def test_odd_texts_are_answered(operator: Person) -> None:
    for text in ("", "\0", "%", "'; --", "é" * 500, "١٢٣٤٥٦٧٨٩٠١"):
        answer = operator.client.post(SEARCH, {"q": text}, follow=True)
        assert answer.status_code in (200, 422), text
