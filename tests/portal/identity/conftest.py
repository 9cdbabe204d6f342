"""A real provider on the loopback, the portal told to trust its certificate, and people who come through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.test import Client

from portal.identity.models import IdentityLink, IdentityProvider
from portal.models import Membership
from tests import factories
from tests.people import Person
from tests.portal.identity.openid import CLIENT, SECRET, Issuer, OpenId


@pytest.fixture(scope="session")
def openid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenId]:
    """The server, for all tests."""
    server = OpenId(tmp_path_factory.mktemp("openid"))
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _inside_is_allowed(openid: OpenId, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an installation with a provider of its own would have it: address and authority are set."""
    monkeypatch.setattr(settings.CONFIG, "identity_allow_private", True)
    monkeypatch.setenv("SSL_CERT_FILE", str(openid.authority))


@pytest.fixture
def issuer(openid: OpenId) -> Iterator[Issuer]:
    """An issuer that behaves, until the test says otherwise."""
    openid["first"].behave()
    yield openid["first"]
    openid["first"].behave()


@pytest.fixture
def other_issuer(openid: OpenId) -> Iterator[Issuer]:
    openid["second"].behave()
    yield openid["second"]
    openid["second"].behave()


def provider_at(issuer: Issuer, **fields: Any) -> IdentityProvider:
    """A provider of the open scope at this issuer, with the right client id and secret."""
    made = factories.identity_provider(
        issuer=issuer.url, client_id=CLIENT, label="Compte du bureau", **fields
    )
    made.secret = SECRET
    made.save()
    return made


@pytest.fixture
def provider(operator: Person, issuer: Issuer) -> IdentityProvider:
    """The provider of the operator's organisation, which asks everybody for a second factor itself."""
    with operator.scope():
        return provider_at(issuer, vouches_for_second_factor=True)


@pytest.fixture
def linked(operator: Person, provider: IdentityProvider) -> IdentityLink:
    """The operator is `jan` over there."""
    with operator.scope():
        return factories.identity(provider, subject="jan")


@pytest.fixture
def visitor() -> Client:
    """Nobody yet."""
    return Client()


type SignIn = Callable[..., Any]


@pytest.fixture
def sign_in(visitor: Client, issuer: Issuer, provider: IdentityProvider) -> SignIn:
    """Walks all the way, as `subject`, and returns the portal's last answer."""

    def walk(subject: str = "jan", onward: str = "", **bent: str) -> Any:
        start = visitor.get(f"/sign-in/with/{provider.handle}/", {"next": onward} if onward else {})
        assert start.status_code == 302
        return come_back(visitor, issuer.sign_in(start["Location"], subject, **bent))

    return walk


def come_back(client: Client, address: str) -> Any:
    """The browser follows the provider's redirect to the portal, and stops there."""
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("http", "testserver")
    return client.get(f"{parts.path}?{parts.query}")


def said(answer: Any) -> list[str]:
    """The messages that the next page shows."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def is_signed_in(client: Client, member: Membership | None = None) -> bool:
    found = client.session.get("_auth_user_id")
    return found is not None and (member is None or found == str(member.user_id))
