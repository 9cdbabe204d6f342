"""The one matrix: every address, method and person, against the table in `matrix.py`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import translation
from lxml import html

from mandates.models import Employer
from portal.models import Event, MandateProfile, Profile, UserProfile
from portal.profiles import usual
from tests import factories
from tests.people import Person, signed_in
from tests.portal.everything import make_one_of_everything
from tests.portal.matrix import MATRIX, SENT, WHO, Line
from tests.portal.test_every_url import OBJECTS, OPEN_TO_ALL, Address, walk
from tests.submissions.test_views_records import bare

pytestmark = pytest.mark.walk

METHODS = ("GET", "POST")
NEVER = 10**9
"""The id of an object that never was."""

HELD = {
    "encode": tuple(usual(Profile.ENCODE).values()),
    "administrative": tuple(usual(Profile.ADMINISTRATIVE).values()),
    "extended": tuple(usual(Profile.EXTENDED).values()),
    "onlooker": (UserProfile.SEE,),
    "delegate": (UserProfile.MANAGE,),
}
HELD_AT_A_CLIENT = (Profile.ADMINISTRATIVE, MandateProfile.MANAGE)


@dataclass(frozen=True)
class World:
    """One organisation with one of everything, and everybody who may come to its door."""

    manager: Person
    cookies: dict[str, str]
    objects: dict[str, int]
    addresses: dict[str, Address]
    events_before: int

    def ask(self, who: str, line: Line, pk: int | None = None) -> Any:
        """The answer to one request, in a browser that comes for the first time but for its session."""
        client = Client()
        client.cookies = SimpleCookie(self.cookies[who])
        path = self.addresses[line.name].path(pk or self.objects.get(line.name, 1))
        with translation.override("en"):
            return getattr(client, line.method.lower())(path, SENT.get(line[:2], {}))

    def events(self) -> int:
        """How many acts the organisation remembers."""
        with self.manager.scope():
            return Event.objects.count()


@contextmanager
def undone() -> Iterator[None]:
    """Takes back what happens inside, so that each request finds the same world."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once: only what is asked differs from test to test, and nothing of it stays."""
    with django_db_blocker.unblock(), undone():
        manager = signed_in(factories.mandataire(), Profile.EXTENDED, "manager")
        stranger = signed_in(factories.mandataire(), Profile.EXTENDED, "stranger")
        clients = {"anonymous": Client(), "manager": manager.client, "stranger": stranger.client}
        for who, held in HELD.items():
            clients[who] = Client()
            clients[who].force_login(factories.place(manager.mandataire, *held).user)
        with stranger.scope():
            make_one_of_everything()
        with manager.scope():
            make_one_of_everything()
            house = Employer.objects.latest("pk")
            person = factories.place(manager.mandataire, *HELD_AT_A_CLIENT, employer=house)
            clients["employer"] = Client()
            clients["employer"].force_login(person.user)
            # Somebody who may do nothing, so that whoever manages users may change him.
            factories.place(manager.mandataire)
            Client().force_login(manager.user)  # in another browser: a session that he may end
            before = Event.objects.count()
            objects = {name: model._default_manager.latest("pk").pk for name, model in OBJECTS.items()}
        cookies = {who: client.cookies.output(header="", sep=";") for who, client in clients.items()}
        yield World(manager, cookies, objects, {found.name: found for found in addresses()}, before)


def addresses() -> list[Address]:
    return list(walk(get_resolver().url_patterns))


def test_no_address_is_missing_and_none_is_superfluous() -> None:
    assert {name for name, _method in MATRIX} == {found.name for found in addresses()}


def test_every_line_answers_everybody() -> None:
    assert [
        line for line in MATRIX.values() if set(line.expected) != set(WHO) or 0 in line.expected.values()
    ] == []


@pytest.mark.parametrize("line", MATRIX.values(), ids=lambda line: f"{line.method} {line.name}")
def test_everybody_gets_the_answer_of_the_table(world: World, line: Line) -> None:
    """Who is refused leaves nothing behind."""
    answers = {}
    for who in WHO:
        with undone():
            answer = world.ask(who, line)
            answers[who] = answer.status_code
            assert answer.status_code not in (403, 404) or world.events() == world.events_before, who
        if who == "anonymous" and not world.addresses[line.name].is_open:
            assert answer["Location"].startswith(reverse("login"))
    assert answers == line.expected


@pytest.mark.parametrize("name", sorted({name for name, _method in MATRIX} - OPEN_TO_ALL))
def test_any_other_method_is_refused(world: World, name: str) -> None:
    known = {method for method in METHODS if (name, method) in MATRIX}
    for method in {*METHODS, "DELETE"} - known:
        assert world.ask("manager", Line(name, method, {})).status_code == 405, method


ABOUT_OBJECTS = [line for line in MATRIX.values() if line.name in OBJECTS]


@pytest.mark.parametrize("line", ABOUT_OBJECTS, ids=lambda line: f"{line.method} {line.name}")
def test_an_object_of_another_organisation_is_like_one_that_never_was(world: World, line: Line) -> None:
    """Byte for byte, without the token and the address that was asked."""
    pk = world.objects[line.name]
    theirs, never = world.ask("stranger", line), world.ask("stranger", line, NEVER)
    assert theirs.status_code == never.status_code == 404
    assert _scrubbed(theirs, pk) == _scrubbed(never, NEVER)


def _scrubbed(answer: Any, pk: int) -> str:
    return bare(answer).replace(f"/{pk}/", "/#/")


LIMITED = ("encode", "employer")
"""Who may least of those who work with declarations, at the organisation and at a client."""


@pytest.mark.parametrize(
    ("who", "line"),
    [
        pytest.param(who, line, id=f"{who} {line.name}")
        for who in LIMITED
        for line in MATRIX.values()
        if line.method == "GET" and line.expected[who] == 200
    ],
)
def test_nobody_sees_a_form_that_would_be_refused(world: World, who: str, line: Line) -> None:
    """What the lowest profile is shown, it may press; and an employer user is led nowhere in vain."""
    if line.name in ("login", "livez", "readyz"):
        return
    names = {found.path(world.objects.get(found.name, 1)): found.name for found in addresses()}
    answer = world.ask(who, line)
    if not answer["Content-Type"].startswith("text/html"):
        return  # a document has neither forms nor links of the portal
    tree = html.document_fromstring(answer.content.decode())
    for form in tree.xpath("//form[@method='post'][@action]"):
        name = names.get(form.get("action"))
        if name is not None:
            assert MATRIX[name, "POST"].expected[who] != 403, name
    for link in tree.xpath("//a/@href") if who == "employer" else ():
        name = names.get(link.partition("?")[0])
        if (name, "GET") in MATRIX:
            assert MATRIX[name, "GET"].expected[who] not in (403, 404), name
