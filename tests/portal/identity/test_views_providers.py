"""The providers of an organisation: what its managers enter, and what never comes out again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from lxml import html

from portal.identity.models import IdentityProvider
from portal.models import Event
from portal.secrecy import SealBroken
from tests import factories
from tests.people import Person
from tests.portal.identity.conftest import provider_at
from tests.portal.identity.openid import CLIENT, SECRET, Issuer

pytestmark = pytest.mark.django_db

WELL_KNOWN = "/.well-known/openid-configuration"


def text(answer: Any) -> str:
    return " ".join(html.document_fromstring(answer.content.decode()).find(".//main").text_content().split())


def entered(at: Issuer, /, **fields: str) -> dict[str, str]:
    values = {"label": "Compte du bureau", "issuer": at.url, "scopes": "openid"}
    return values | fields


def told(person: Person) -> list[tuple[str, dict[str, Any]]]:
    with person.scope():
        return list(Event.objects.order_by("id").values_list("verb", "data"))


def the(person: Person) -> IdentityProvider:
    with person.scope():
        return IdentityProvider.objects.get()


def test_from_nothing_to_switched_on(operator: Person, issuer: Issuer) -> None:
    """Name and issuer first: the address to register there is known only then."""
    page = operator.client.post("/team/providers/new/", entered(issuer), follow=True)
    provider = the(operator)
    assert f"http://testserver/sign-in/back/{provider.handle}/" in text(page)
    assert "To complete" in text(page)
    address = f"/team/providers/{provider.pk}/"
    refused = operator.client.post(f"{address}on/", follow=True)
    assert "Fill in the client id and the client secret first." in text(refused)
    assert not the(operator).is_enabled
    operator.client.post(f"{address}edit/", entered(issuer, client_id=CLIENT, secret=SECRET))
    page = operator.client.post(f"{address}on/", follow=True)
    assert "Compte du bureau is switched on" in text(page)
    assert the(operator).is_enabled
    assert [verb for verb, _data in told(operator)] == [
        "provider.added",
        "provider.changed",
        "provider.tested",
        "provider.switched_on",
    ]
    assert told(operator)[1][1] == {"name": "Compte du bureau", "fields": ["client_id", "secret"]}


def test_the_secret_is_written_and_never_read(operator: Person, issuer: Issuer) -> None:
    operator.client.post("/team/providers/new/", entered(issuer, client_id=CLIENT, secret=SECRET))
    provider = the(operator)
    address = f"/team/providers/{provider.pk}/"
    for page in (address, f"{address}edit/", "/team/providers/", "/journal/"):
        assert SECRET not in operator.client.get(page).content.decode()
    assert SECRET not in str(told(operator))
    with operator.scope():
        provider = the(operator)
        assert SECRET.encode() not in bytes(provider.secret_sealed or b"")
        assert provider.secret == SECRET
    operator.client.post(f"{address}edit/", entered(issuer, client_id=CLIENT, secret="", label="Autre nom"))
    with operator.scope():
        assert the(operator).secret == SECRET


def test_a_secret_that_was_typed_is_not_shown_again_beside_a_fault(operator: Person, issuer: Issuer) -> None:
    answer = operator.client.post("/team/providers/new/", entered(issuer, label="", secret=SECRET))
    assert answer.status_code == 422
    assert SECRET not in html.document_fromstring(answer.content.decode()).xpath("//input/@value")


def test_a_secret_is_sealed_for_its_own_provider(operator: Person, issuer: Issuer) -> None:
    with operator.scope():
        one, two = provider_at(issuer), factories.identity_provider()
        two.secret_sealed = one.secret_sealed
        with pytest.raises(SealBroken):
            _opened = two.secret


def test_another_issuer_never_gets_the_secret(operator: Person, issuer: Issuer, other_issuer: Issuer) -> None:
    """Whoever may choose where the secret goes would get to read it."""
    with operator.scope():
        provider = provider_at(issuer)
    address = f"/team/providers/{provider.pk}/"
    page = operator.client.post(f"{address}edit/", entered(other_issuer, client_id=CLIENT), follow=True)
    assert "type the secret for the new issuer" in text(page)
    changed = the(operator)
    assert (changed.secret_sealed, changed.is_enabled) == (None, False)
    operator.client.post(f"{address}edit/", entered(issuer, client_id=CLIENT, secret="of the new one"))
    with operator.scope():
        assert the(operator).secret == "of the new one"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"issuer": "http://sso.example.be"}, "an address starts with https://"),
        ({"issuer": "sso.example.be"}, "an address starts with https://"),
        ({"issuer": "https://sso.example.be/#x"}, "an address starts with https://"),
        ({"scopes": "profile email"}, "Add the word “openid”"),
        ({"label": "COMPTE DU BUREAU"}, "a provider of this name already"),
        ({"label": ""}, "This field is required"),
    ],
)
def test_a_fault_says_which_field_and_what_to_do(
    operator: Person, issuer: Issuer, fields: dict[str, str], fault: str
) -> None:
    with operator.scope():
        provider_at(issuer)
    answer = operator.client.post("/team/providers/new/", entered(issuer, **{"label": "Autre", **fields}))
    assert answer.status_code == 422
    assert fault in text(answer)
    with operator.scope():
        assert IdentityProvider.objects.count() == 1


def test_the_name_may_stay_what_it_is(operator: Person, issuer: Issuer) -> None:
    with operator.scope():
        provider = provider_at(issuer)
    answer = operator.client.post(
        f"/team/providers/{provider.pk}/edit/", entered(issuer, client_id=CLIENT, scopes="openid  profile")
    )
    assert answer.status_code == 302
    assert the(operator).scopes == "openid profile"


def test_a_provider_in_use_keeps_its_client_id(operator: Person, issuer: Issuer) -> None:
    with operator.scope():
        provider = provider_at(issuer)
    answer = operator.client.post(f"/team/providers/{provider.pk}/edit/", entered(issuer, client_id=""))
    assert "Switch it off first" in text(answer)


def test_nothing_changed_is_no_event(operator: Person, issuer: Issuer) -> None:
    with operator.scope():
        provider = provider_at(issuer)
    operator.client.post(f"/team/providers/{provider.pk}/edit/", entered(issuer, client_id=CLIENT))
    assert told(operator) == []


def test_a_test_shows_what_was_found(operator: Person, issuer: Issuer) -> None:
    with operator.scope():
        provider = provider_at(issuer)
    shown = text(operator.client.post(f"/team/providers/{provider.pk}/test/"))
    assert "The provider answers as it should" in shown
    for place in ("authorize", "token", "keys"):
        assert f"{issuer.url}/{place}" in shown
    assert told(operator) == [("provider.tested", {"name": "Compte du bureau", "is_fit": True})]


def test_a_test_asks_now(operator: Person, issuer: Issuer) -> None:
    with operator.scope():
        provider = provider_at(issuer)
    operator.client.post(f"/team/providers/{provider.pk}/test/")
    issuer.document = {"issuer": "https://evil.example"}
    shown = text(operator.client.post(f"/team/providers/{provider.pk}/test/"))
    assert "The test failed" in shown
    assert "belongs to the issuer “https://evil.example”" in shown
    assert told(operator)[1] == ("provider.tested", {"name": "Compte du bureau", "is_fit": False})


def test_a_provider_without_keys_fails_the_test(operator: Person, issuer: Issuer) -> None:
    issuer.published = []
    with operator.scope():
        provider = provider_at(issuer, is_enabled=False)
    shown = text(operator.client.post(f"/team/providers/{provider.pk}/on/", follow=True))
    assert "publishes no key" in shown
    assert not the(operator).is_enabled


def test_switching_off_asks_and_keeps_the_accounts(operator: Person, issuer: Issuer) -> None:
    with operator.scope():
        provider = provider_at(issuer)
        factories.identity(provider)
    address = f"/team/providers/{provider.pk}/off/"
    assert "1 linked account no longer signs anybody in" in text(operator.client.get(address))
    assert the(operator).is_enabled
    operator.client.post(address)
    assert not the(operator).is_enabled
    assert told(operator)[-1][0] == "provider.switched_off"
    with operator.scope():
        assert operator.user.memberships.get().identities.count() == 1


def test_the_journal_tells_it_with_a_link(operator: Person, issuer: Issuer) -> None:
    operator.client.post("/team/providers/new/", entered(issuer))
    page = operator.client.get("/journal/?kind=people")
    assert "Lou Essai entered the provider Compte du bureau for signing in" in text(page)
    assert f'href="/team/providers/{the(operator).pk}/"' in page.content.decode()


def test_the_list_takes_the_same_queries_however_long_it_is(
    operator: Person, issuer: Issuer, django_assert_max_num_queries: Any
) -> None:
    with operator.scope():
        for _number in range(60):
            factories.identity(factories.identity_provider())
    with django_assert_max_num_queries(14):
        page = operator.client.get("/team/providers/")
    assert len(html.document_fromstring(page.content.decode()).xpath("//main//tbody/tr")) == 50
    assert "1 to 50 of 60" in text(page)


def test_the_first_one_is_asked_for(operator: Person) -> None:
    assert "No provider yet" in text(operator.client.get("/team/providers/"))


def test_the_database_keeps_an_open_provider_from_losing_its_secret(operator: Person, issuer: Issuer) -> None:
    with operator.scope():
        provider_at(issuer)
        for lost in ({"secret_sealed": None}, {"client_id": ""}):
            with pytest.raises(IntegrityError), transaction.atomic():
                IdentityProvider.objects.update(**lost)
