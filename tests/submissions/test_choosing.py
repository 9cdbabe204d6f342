"""Choosing one client among thousands: what is meant by what was typed, and what is offered."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import html

from mandates.models import Employer
from submissions import documenting
from submissions.models import Declaration
from submissions.views import choosing
from tests import factories
from tests.people import Person
from tests.submissions import relayed_files as files
from tests.submissions.test_views_records import page_of
from tests.submissions.test_views_relays import faults, handed_in, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def clients(operator: Person) -> dict[str, Employer]:
    """Some with names that hold each other, one with a mandate for documents."""
    with operator.scope():
        files.channel()
        made = {
            "one": factories.employer(name="Garage Simon", number="0897223670"),
            "two": factories.employer(name="Garage Simon & fils <3"),
            "three": factories.employer(name="Hôtel de l'Été"),
            "four": files.client("DOCUMENTS", name="Imprimerie Simon"),
        }
    return made


def offered(answer: Any) -> list[str]:
    """The labels to choose from."""
    tree = html.document_fromstring(answer.content.decode())
    return [str(value) for value in tree.xpath("//input[@type='radio'][@name='employer']/@value")]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0897223670", "one"),
        (" BE 0897.223.670 ", "one"),
        ("garage simon", "one"),
        ("simon & F", "two"),
        ("l'été", "three"),
        ("whatever it was called (0897.223.670)", "one"),
    ],
)
def test_a_number_a_whole_name_or_a_part_that_one_client_has(
    operator: Person, clients: dict[str, Employer], typed: str, meant: str
) -> None:
    answer = handed_in(operator, employer=typed, **upload(files.an_out()))
    # The client is understood: what is missing is his mandate.
    assert clients[meant].name in faults(answer)


def test_what_an_unclear_text_finds_is_offered_and_the_choice_counts(
    operator: Person, clients: dict[str, Employer]
) -> None:
    answer = handed_in(operator, employer="simon", **upload(files.an_out()))
    assert "Several clients have this in their name" in faults(answer)
    labels = offered(answer)
    with operator.scope():
        wanted = [clients[name] for name in ("one", "two", "four")]
        assert labels == [choosing.label(employer) for employer in wanted]
        factories.active_mandate(clients["two"], service="DIMONA")
    handed_in(operator, employer=["simon", labels[1]], **upload(files.an_out()))
    with operator.scope():
        assert Declaration.objects.get().employer == clients["two"]


@pytest.mark.parametrize("typed", ["0404183512", "nobody", "(0404.183.512)", "%", "\x00"])
def test_who_is_no_client_is_nobody(operator: Person, clients: dict[str, Employer], typed: str) -> None:
    answer = handed_in(operator, employer=typed, **upload(files.an_out()))
    assert offered(answer) == []
    assert faults(answer)


def test_many_are_offered_in_part(
    operator: Person, clients: dict[str, Employer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "SHOWN", 2)
    answer = handed_in(operator, employer="simon", **upload(files.an_out()))
    assert "write more of it" in faults(answer)
    assert len(offered(answer)) == 2


def test_documents_ask_among_those_with_the_mandate(operator: Person, clients: dict[str, Employer]) -> None:
    found = operator.client.get("/documents/new/", {"client": "simon"})
    assert found["Location"] == f"/documents/new/?employer={clients['four'].pk}"
    tree = page_of(operator, "/documents/new/?client=")
    (link,) = tree.xpath("//*[contains(@class, 'field-error')]")
    assert "Write a part of the name" in link.text_content()


def test_suggestions_are_labels_that_are_understood_again(
    operator: Person, stranger: Person, clients: dict[str, Employer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(person: Person = operator, **query: str) -> Any:
        return person.client.get("/clients/", query).json()

    told = asked(q="simon")
    assert told["clients"][0] == "Garage Simon (0897.223.670)"
    assert len(told["clients"]) == 3
    assert told["status"] == "3 clients found."
    assert asked(q="simon", service=documenting.CODE)["clients"] == [choosing.label(clients["four"])]
    assert asked(stranger, q="simon")["clients"] == []
    assert asked(q="été")["status"] == "1 client found."
    monkeypatch.setattr(choosing, "SHOWN", 2)
    assert len(asked(q="simon")["clients"]) == 2


@pytest.mark.parametrize("address", ["/files/new/", "/documents/new/", "/clients/?q=a"])
def test_the_pages_ask_the_same_however_many_clients(operator: Person, address: str) -> None:
    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as found:
            size = len(operator.client.get(address).content)
        return len(found), size

    with operator.scope():
        files.channel()
        for _ in range(choosing.SHOWN + 1):
            files.client("DOCUMENTS", name="Garage")
    few = asked()
    with operator.scope():
        for _ in range(20):
            files.client("DOCUMENTS", name="Garage")
    many = asked()
    assert many == few
    assert many[0] <= 16
