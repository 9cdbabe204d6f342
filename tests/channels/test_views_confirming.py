"""The channel and its keys are changed by who has just proven who he is; looking asks nothing, and no secret waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from lxml import html

from channels import vault
from channels.models import Channel, Credential
from portal.models import Event
from tests import factories
from tests.channels.test_views_setup import settings_of
from tests.people import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(operator: Person) -> Channel:
    """A channel with one key, and no Event yet."""
    with operator.scope():
        made = factories.channel(has_keys=False)
        vault.store_ssh_key(made, factories.ssh_private_key())
        return made


@pytest.fixture
def later(operator: Person, channel: Channel) -> Iterator[None]:
    """Sixteen minutes after the operator signed in."""
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        yield


def confirm(operator: Person) -> None:
    """Proves who he is, as the page to which he was led asks."""
    answer = operator.client.post("/confirm/", {"password": factories.PASSWORD, "why": "keys", "next": "/"})
    assert answer.status_code == 302


def events(operator: Person) -> int:
    with operator.scope():
        return Event.objects.count()


@pytest.mark.parametrize("page", ["setup", "chaman", "verify", "keys"])
def test_looking_asks_nothing(operator: Person, later: None, page: str) -> None:
    assert operator.client.get(f"/channel/{page}/").status_code == 200


def test_a_public_half_is_given_without_asking(operator: Person, later: None) -> None:
    with operator.scope():
        pk = Credential.objects.get().pk
    assert operator.client.get(f"/channel/keys/{pk}/file/").status_code == 200


@pytest.mark.parametrize(
    "page",
    ["settings", "environment", "server", "service", "keys/ssh", "keys/certificate", "keys/{pk}/remove"],
)
def test_a_page_with_a_form_asks_before_the_form(operator: Person, later: None, page: str) -> None:
    with operator.scope():
        address = f"/channel/{page.format(pk=Credential.objects.get().pk)}/"
    before = events(operator)
    for asked in (operator.client.get(address), operator.client.post(address)):
        assert asked.status_code == 302
        assert asked["Location"].startswith("/confirm/?why=keys&next=%2Fchannel%2F")
    assert events(operator) == before
    confirm(operator)
    assert operator.client.get(address).status_code == 200


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/channel/setup/", "setup"),
        ("/channel/chaman/", "chaman"),
        ("/channel/verify/", "verify"),
        ("/channel/keys/{pk}/switch/", "keys"),
    ],
)
def test_a_button_leads_back_to_its_page(operator: Person, later: None, address: str, page: str) -> None:
    with operator.scope():
        address = address.format(pk=Credential.objects.get().pk)
    before = events(operator)
    asked = operator.client.post(address)
    assert asked["Location"] == f"/confirm/?why=keys&next=%2Fchannel%2F{page}%2F"
    reason = operator.client.get(asked["Location"]).content.decode()
    assert "You are about to change the channel or its keys." in reason
    assert events(operator) == before


def test_settings_that_were_typed_stand_there_again(operator: Person, channel: Channel, later: None) -> None:
    typed: dict[str, Any] = settings_of(channel, name="Autre canal", permissions=["FLA", "DOCUMENTS"])
    operator.client.post("/channel/settings/", typed)
    confirm(operator)
    page = html.document_fromstring(operator.client.get("/channel/settings/").content.decode())
    assert page.xpath("//input[@name='name']/@value") == ["Autre canal"]
    assert page.xpath("//input[@name='permissions'][@checked]/@value") == ["FLA", "DOCUMENTS"]
    with operator.scope():
        assert Channel.objects.get().name != "Autre canal"


def test_neither_passphrase_nor_key_waits_in_the_session(operator: Person, later: None) -> None:
    private = factories.ssh_private_key()
    answer = operator.client.post(
        "/channel/keys/ssh/",
        {"way": "upload", "passphrase": "phrase-secrete", "file": SimpleUploadedFile("key.pem", private)},
    )
    assert answer["Location"].startswith("/confirm/?why=keys")
    kept = str(dict(operator.client.session))
    assert "way=upload" in kept, "the rest of the form waits"
    assert "phrase-secrete" not in kept
    assert "PRIVATE" not in kept
