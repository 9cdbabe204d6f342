"""Acts that count ask once more who it is: which, when, how, and that nothing typed is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from lxml import html

from channels.models import Channel
from portal import factors
from portal.models import Event, Grant, Membership, Profile
from tests import factories
from tests.people import Person
from tests.submissions import scenes

pytestmark = pytest.mark.django_db


def tree(answer: Any) -> Any:
    return html.document_fromstring(answer.content.decode())


@pytest.fixture
def anne(operator: Person) -> Membership:
    return factories.place(operator.mandataire, Profile.ENCODE, first_name="Anne", last_name="Claes")


@pytest.fixture
def later(operator: Person, anne: Membership) -> Iterator[None]:
    """Sixteen minutes after the operator signed in."""
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        yield


def verbs(of: Person) -> list[str]:
    with of.scope():
        return list(Event.objects.order_by("id").values_list("verb", flat=True))


def confirm(client: Client, asked: Any, **fields: str) -> Any:
    """Fills in the page to which `asked` led."""
    page = tree(client.get(asked["Location"]))
    hidden = {
        field.get("name"): field.get("value")
        for field in page.xpath("//main//form[1]//input[@type='hidden']")
    }
    return client.post("/confirm/", {**hidden, **fields})


@pytest.mark.parametrize("act", ["grants", "link", "appoint", "dismiss", "block", "unblock"])
def test_who_signed_in_a_while_ago_is_asked_first(
    operator: Person, anne: Membership, later: None, act: str
) -> None:
    asked = operator.client.post(f"/team/{anne.pk}/{act}/")
    assert asked["Location"] == f"/confirm/?why=people&next=%2Fteam%2F{anne.pk}%2F"
    assert verbs(operator) == []


@pytest.mark.parametrize("page", ["delete", "second-factor"])
def test_a_page_that_asks_is_asked_for_itself(
    operator: Person, anne: Membership, later: None, page: str
) -> None:
    address = f"/team/{anne.pk}/{page}/"
    for asked in (operator.client.get(address), operator.client.post(address)):
        assert asked.status_code == 302
        assert asked["Location"].startswith("/confirm/?why=people")
    assert confirm(operator.client, asked, password=factories.PASSWORD)["Location"] == address
    assert operator.client.get(address).status_code == 200


@pytest.mark.parametrize("page", ["/security/app/remove/", "/security/codes/", "/security/passkeys/"])
def test_ones_own_factors_are_asked_about_too(operator: Person, later: None, page: str) -> None:
    assert operator.client.post(page)["Location"].startswith("/confirm/?why=factors")


def test_looking_and_small_things_ask_nothing(operator: Person, anne: Membership, later: None) -> None:
    for page in ("/", "/team/", f"/team/{anne.pk}/", "/profile/", "/security/", "/journal/"):
        assert operator.client.get(page).status_code == 200, page
    fields = {"email": "me@example.be", "language": "en"}
    assert operator.client.post("/profile/details/", fields)["Location"] == "/profile/"


def test_after_a_confirmation_the_button_works_for_a_quarter_of_an_hour(
    operator: Person, anne: Membership, later: None
) -> None:
    address = f"/team/{anne.pk}/block/"
    asked = operator.client.post(address)
    back = confirm(operator.client, asked, password=factories.PASSWORD)
    assert back["Location"] == f"/team/{anne.pk}/"
    assert "Nothing was done yet" in tree(operator.client.get(back["Location"])).text_content()
    assert verbs(operator) == []
    operator.client.post(address)
    assert verbs(operator) == ["member.blocked"]
    with time_machine.travel(timezone.now() + timedelta(minutes=14), tick=False):
        assert operator.client.post(f"/team/{anne.pk}/unblock/")["Location"] == f"/team/{anne.pk}/"
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert operator.client.post(address)["Location"].startswith("/confirm/")


def test_a_clock_set_back_does_not_make_a_confirmation_last(operator: Person, anne: Membership) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=1), tick=False):
        assert operator.client.post(f"/team/{anne.pk}/block/")["Location"].startswith("/confirm/")


def test_the_installation_says_how_long(operator: Person, anne: Membership, settings: Any) -> None:
    settings.CONFIRM_AFTER = 0
    assert operator.client.post(f"/team/{anne.pk}/block/")["Location"].startswith("/confirm/")


def test_what_was_chosen_stands_there_again(operator: Person, anne: Membership, later: None) -> None:
    chosen = {"declarations": "administrative", "declarations_until": "2030-12-31", "users": "see"}
    asked = operator.client.post(f"/team/{anne.pk}/grants/", chosen)
    back = confirm(operator.client, asked, password=factories.PASSWORD)
    page = tree(operator.client.get(back["Location"]))
    assert page.xpath("//select[@name='declarations']/option[@selected]/@value") == ["administrative"]
    assert page.xpath("//input[@name='declarations_until']/@value") == ["2030-12-31"]
    with operator.scope():
        assert Grant.objects.get(member=anne).profile == "encode"
    again = tree(operator.client.get(back["Location"]))
    assert again.xpath("//select[@name='declarations']/option[@selected]/@value") == ["encode"]


def test_a_code_confirms_as_well_and_only_once(operator: Person, anne: Membership, later: None) -> None:
    asked = operator.client.post(f"/team/{anne.pk}/block/")
    code = factories.code()
    assert confirm(operator.client, asked, code=code).status_code == 302
    other = Client()
    other.force_login(operator.user)
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert confirm(other, other.post(f"/team/{anne.pk}/block/"), code=code).status_code == 422


def test_a_recovery_code_that_confirms_is_told(operator: Person, anne: Membership, later: None) -> None:
    codes = factors.new_recovery_codes(operator.user)
    asked = operator.client.post(f"/team/{anne.pk}/block/")
    assert confirm(operator.client, asked, code=codes[0]).status_code == 302
    assert verbs(operator) == ["recovery.used"]
    assert factors.recovery_codes_left(operator.user) == 9


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"password": "wrong"}, "not your password"),
        ({"code": "000000"}, "This code is wrong"),
        ({}, "Give your password or a code"),
        ({"credential": "{}"}, "passkey was not accepted"),
    ],
)
def test_what_confirms_nothing_is_told(
    operator: Person, anne: Membership, later: None, fields: dict[str, str], fault: str
) -> None:
    asked = operator.client.post(f"/team/{anne.pk}/block/")
    answer = confirm(operator.client, asked, **fields)
    assert answer.status_code == 422
    (summary,) = tree(answer).find_class("error-summary")
    assert fault in summary.text_content()
    assert operator.client.post(f"/team/{anne.pk}/block/")["Location"].startswith("/confirm/")


def test_guessing_is_limited(operator: Person, anne: Membership, later: None) -> None:
    asked = operator.client.post(f"/team/{anne.pk}/block/")
    answers = [confirm(operator.client, asked, password="wrong").status_code for _ in range(5)]
    assert answers == [422] * 5
    assert confirm(operator.client, asked, password=factories.PASSWORD).status_code == 429


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_it_leads_nowhere_else(operator: Person, page: str) -> None:
    fields = {"password": factories.PASSWORD, "next": page, "why": "nonsense"}
    assert operator.client.post("/confirm/", fields)["Location"] == "/"


def test_who_came_through_a_provider_signs_in_there_again(operator: Person, later: None) -> None:
    user = factories.place(operator.mandataire, has_app=False).user
    user.set_unusable_password()
    user.save()
    client = Client()
    client.force_login(user)
    page = tree(client.get("/confirm/"))
    assert not page.xpath("//input[@name='password' or @name='code']")
    assert "sign out, and sign in again" in page.text_content()


# --- sending --------------------------------------------------------------------------------------


@pytest.fixture
def batch(operator: Person, request: pytest.FixtureRequest) -> Any:
    """A sealed set in the environment asked for, as is its channel; production without."""
    environment = getattr(request, "param", "R")
    with operator.scope():
        made = factories.sealed_batch(1, through=factories.channel(environment="S"))
        # Production is closed for FLA, whose sets are the only ones here: the set moves after sealing.
        if environment == "R":
            scenes.into_production()
        Channel.objects.update(environment=environment)
        return made


def test_production_asks_first(operator: Person, batch: Any, later: None) -> None:
    for address, back in (
        (f"/batches/{batch.pk}/leave/", f"/batches/{batch.pk}/"),
        ("/channel/depart/", "/channel/"),
        ("/channel/stale/", "/channel/"),
    ):
        asked = operator.client.post(address)
        assert asked["Location"].startswith("/confirm/?why=send"), address
        page = tree(operator.client.get(asked["Location"]))
        assert page.xpath("//main//input[@name='next']/@value")[0] == back
    assert verbs(operator)[-1:] != ["batch.drop_asked"]
    asked = operator.client.post(f"/batches/{batch.pk}/leave/")
    confirm(operator.client, asked, password=factories.PASSWORD)
    operator.client.post(f"/batches/{batch.pk}/leave/")
    assert verbs(operator)[-1] == "batch.drop_asked"


def test_what_is_for_production_asks_also_while_the_channel_tests(
    operator: Person, batch: Any, later: None
) -> None:
    with operator.scope():
        Channel.objects.update(environment="S")
        factories.declaration(environment="R")
    for address in (f"/batches/{batch.pk}/leave/", "/channel/depart/", "/channel/stale/"):
        assert operator.client.post(address)["Location"].startswith("/confirm/?why=send"), address


def test_sending_a_test_to_production_asks_first(operator: Person, batch: Any, later: None) -> None:
    address = f"/batches/{batch.pk}/promote/"
    asked = operator.client.post(address)
    assert asked["Location"].startswith("/confirm/?why=send")
    back = confirm(operator.client, asked, password=factories.PASSWORD)
    assert back["Location"] == f"/batches/{batch.pk}/"


@pytest.mark.parametrize("batch", ["S", "T"], indirect=True)
def test_simulation_and_circuit_test_do_not(operator: Person, batch: Any, later: None) -> None:
    assert operator.client.post(f"/batches/{batch.pk}/leave/")["Location"] == f"/batches/{batch.pk}/"
    assert operator.client.post("/channel/depart/")["Location"] == "/channel/"
    assert {"batch.drop_asked", "channel.departure_asked"} <= set(verbs(operator))


@pytest.mark.parametrize("asking", ["/security/passkeys/options/", "/security/passkeys/"])
def test_the_name_of_a_passkey_is_not_typed_twice(operator: Person, later: None, asking: str) -> None:
    asked = operator.client.post(asking, {"name": "Clé du trousseau", "credential": ""})
    back = confirm(operator.client, asked, password=factories.PASSWORD)
    page = tree(operator.client.get(back["Location"]))
    assert page.xpath("//main//input[@name='name']/@value") == ["Clé du trousseau"]
    assert tree(operator.client.get("/security/")).xpath("//main//input[@name='name'][@value]") == []


def test_the_reason_of_a_release_is_not_typed_twice(operator: Person, later: None) -> None:
    with operator.scope():
        parked = scenes.parked(1, through=factories.channel(environment="S"))
        scenes.into_production()
    asked = operator.client.post(f"/batches/{parked.pk}/release/", {"reason": "Confirmé par téléphone"})
    back = confirm(operator.client, asked, password=factories.PASSWORD)
    page = tree(operator.client.get(back["Location"]))
    assert page.xpath("//textarea[@name='reason']/text()") == ["Confirmé par téléphone"]
    assert page.xpath("//details[@open]//textarea[@name='reason']")
