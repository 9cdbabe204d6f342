"""Downloads of files as they travelled: exact bytes, an Event for each, and nothing for those who may not."""

from __future__ import annotations

import pytest

from portal.models import Event, Profile
from tests import factories
from tests.people import Person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(operator: Person) -> Person:
    """A member with the lowest profile that may see raw files."""
    return signed_in(operator.mandataire, Profile.ADMINISTRATIVE, "clerk")


@pytest.mark.parametrize("kind", ["fi", "fs"])
def test_a_sent_file_comes_byte_for_byte_under_its_name(clerk: Person, kind: str) -> None:
    with clerk.scope():
        batch = factories.sealed_batch(2, through=factories.channel(environment="T"))
        part = batch.envelope.parts.get()
        expected = getattr(part, kind)
    answer = clerk.client.get(f"/files/sent/{part.pk}/{kind}/")
    assert answer.content == expected
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    name = f"{kind.upper()}.{batch.envelope.stem}.1.1"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    with clerk.scope():
        event = Event.objects.get(verb="file.downloaded")
    assert (event.actor_name, event.data, event.subject_id) == (
        "clerk",
        {"name": name},
        str(batch.envelope_id),
    )


def test_a_received_file_comes_byte_for_byte_under_its_name(clerk: Person) -> None:
    content = "<NOTIFICATION>é\r\n</NOTIFICATION>".encode("latin-1") + b"\x00\xff"
    with clerk.scope():
        file = factories.inbound(factories.channel(), content)
    answer = clerk.client.get(f"/files/received/{file.pk}/")
    assert answer.content == content
    assert answer["Content-Disposition"] == f'attachment; filename="{file.name}"'
    with clerk.scope():
        assert Event.objects.get(verb="file.downloaded").subject_id == str(file.pk)


def test_who_only_encodes_gets_no_personal_numbers_in_clear(operator: Person, colleague: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch()
        part = batch.envelope.parts.get()
        file = factories.inbound(batch.channel, b"x")
    for address in (f"/files/sent/{part.pk}/fi/", f"/files/received/{file.pk}/"):
        answer = colleague.client.get(address)
        assert answer.status_code == 403
        assert "Administrative" in answer.content.decode()
    with operator.scope():
        assert not Event.objects.filter(verb="file.downloaded").exists()


def test_for_the_stranger_there_is_no_file(operator: Person, stranger: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch()
        part = batch.envelope.parts.get()
        file = factories.inbound(batch.channel, b"x")
    for address in (
        f"/files/sent/{part.pk}/fi/",
        f"/files/sent/{part.pk}/fs/",
        f"/files/received/{file.pk}/",
    ):
        assert stranger.client.get(address).status_code == 404


@pytest.mark.parametrize(
    "address",
    ["/files/sent/1/go/", "/files/sent/1/../fi/", f"/files/sent/{10**30}/fi/", f"/files/received/{10**30}/"],
)
def test_what_is_no_file_is_not_found(operator: Person, address: str) -> None:
    assert operator.client.get(address).status_code == 404


def test_without_a_signature_there_is_no_file_of_it(clerk: Person) -> None:
    with clerk.scope():
        part = factories.sealed_batch().envelope.parts.get()
    assert clerk.client.get(f"/files/sent/{part.pk}/fs/").status_code == 404
