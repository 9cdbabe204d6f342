"""The three people of every view test.

The operator may do everything; the colleague works at the same mandataire and only encodes; the stranger may
do everything too, but at another mandataire, so to him nothing here exists.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from django.http import HttpResponse
from django.test import Client

from portal import tenancy
from portal.models import Mandataire, Profile, User
from tests import factories


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in with a browser of his own."""

    user: User
    mandataire: Mandataire
    client: Client

    def scope(self) -> AbstractContextManager[None]:
        """Acts for his mandataire, in his name: `with operator.scope(): factories.record()`."""
        return tenancy.scope(self.mandataire.pk, actor=self.user.pk)


def signed_in(of: Mandataire, profile: Profile, username: str) -> Person:
    """A member of a mandataire, in front of the portal."""
    user = factories.member(of, profile, username=username)
    client = Client()
    client.force_login(user)
    return Person(user, of, client)


def sign_in(client: Client, username: str, password: str = factories.PASSWORD, **fields: str) -> HttpResponse:
    """Both steps of signing in; the answer of the second one, or of the first when that was refused."""
    answer = client.post("/sign-in/", {"username": username, "password": password, **fields})
    if answer.headers.get("Location") != "/sign-in/code/":
        return answer
    return client.post("/sign-in/code/", {"code": factories.code()})


@pytest.fixture
def operator(db: None) -> Person:
    """Works at a social secretariat, with the extended profile."""
    return signed_in(factories.mandataire(name="Secrétariat social A"), Profile.EXTENDED, "operator")


@pytest.fixture
def colleague(operator: Person) -> Person:
    """Works beside the operator and may only encode."""
    return signed_in(operator.mandataire, Profile.ENCODE, "colleague")


@pytest.fixture
def stranger(db: None) -> Person:
    """Has the extended profile at another mandataire."""
    other = factories.mandataire(name="Sociaal secretariaat B", quality=Mandataire.Quality.SERVICE_PROVIDER)
    return signed_in(other, Profile.EXTENDED, "stranger")
