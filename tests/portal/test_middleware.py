"""What every request passes: the scope of its tenant, and what a failing view leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from mandates.models import Employer
from portal import tenancy
from portal.models import Event, Membership
from tests import factories
from tests.people import Person

seen: dict[str, Any] = {}


def look(request: HttpRequest) -> HttpResponse:
    """Notes who is asking, and how much he sees."""
    seen.update(
        tenant=tenancy.current_or_none(),
        actor=tenancy.actor(),
        membership=getattr(request, "membership", None),
        employers=Employer.objects.count(),
    )
    return HttpResponse("seen")


def break_down(request: HttpRequest) -> HttpResponse:
    """Writes, and fails."""
    factories.employer()
    raise LookupError("broken")


def keep(request: HttpRequest) -> HttpResponse:
    """Decides about caches by itself."""
    return HttpResponse("kept", headers={"Cache-Control": "max-age=60"})


urlpatterns = [
    path("look", look),
    path("break", break_down),
    path("keep", keep),
    path("sign-in/", look, name="login"),
    path("", look, name="home"),
]


@pytest.fixture(autouse=True)
def _addresses(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = __name__
    seen.clear()
    yield
    assert tenancy.current_or_none() is None


def test_a_request_acts_for_the_mandataire_of_its_user(operator: Person, stranger: Person) -> None:
    with operator.scope():
        factories.employer()
    for person, employers in ((operator, 1), (stranger, 0)):
        assert person.client.get("/look").status_code == 200
        assert seen["tenant"] == person.mandataire.pk
        assert seen["actor"] == person.user.pk
        assert seen["membership"].user == person.user
        assert seen["employers"] == employers


def test_a_member_of_two_acts_for_the_first(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        Membership.objects.create(user=operator.user)
    operator.client.get("/look")
    assert seen["tenant"] == operator.mandataire.pk
    assert seen["membership"].mandataire == operator.mandataire


def test_a_member_of_two_acts_for_the_one_that_did_not_block_him(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        Membership.objects.create(user=operator.user)
    factories.place(operator.mandataire, is_manager=True)
    with operator.scope():
        Membership.objects.filter(user=operator.user).update(is_blocked=True)
    operator.client.get("/look")
    assert seen["tenant"] == stranger.mandataire.pk


def test_nobody_reaches_a_view_without_a_sign_in(db: None) -> None:
    assert Client().get("/look").status_code == 302
    assert not seen


def test_after_the_sign_in_comes_the_page_of_the_button_and_not_its_address(db: None) -> None:
    def leads_to(**headers: str) -> str:
        answer = Client(headers=headers).post("/look?a=b")
        return parse_qs(urlsplit(answer["Location"]).query)["next"][0]

    assert leads_to(referer="http://testserver/keep?page=2#row") == "/keep?page=2"
    assert leads_to() == leads_to(referer="https://elsewhere.example/keep") == "/"
    assert not seen


def test_somebody_who_was_blocked_is_nobody(operator: Person) -> None:
    operator.user.is_active = False
    operator.user.save()
    assert operator.client.get("/look").status_code == 302
    assert not seen


def test_what_a_failing_view_did_is_undone(operator: Person) -> None:
    operator.client.raise_request_exception = False
    assert operator.client.get("/break").status_code == 500
    with operator.scope():
        assert not Employer.objects.exists()
        assert not Event.objects.exists()
    assert operator.client.get("/look").status_code == 200
    assert seen["tenant"] == operator.mandataire.pk


def test_answers_stay_out_of_caches_unless_the_view_says_otherwise(operator: Person) -> None:
    assert "no-store" in operator.client.get("/look")["Cache-Control"]
    assert operator.client.get("/keep")["Cache-Control"] == "max-age=60"
