"""The one door to an object, and the profile that a view asks for."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from mandates.models import Employer
from portal import tenancy
from portal.access import for_managers, for_members, membership, mine, needs
from portal.models import Membership, Profile
from tests import factories
from tests.people import Person, signed_in


def test_an_object_of_the_tenant_is_found(operator: Person) -> None:
    with operator.scope():
        client = factories.employer()
        assert mine(Employer, pk=client.pk) == client
        assert mine(Employer.objects.filter(name=client.name), number=client.number) == client


def test_an_object_of_another_is_like_one_that_never_was(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        theirs = factories.employer()
    with operator.scope():
        with pytest.raises(Http404) as foreign:
            mine(Employer, pk=theirs.pk)
        with pytest.raises(Http404) as absent:
            mine(Employer, pk=0)
    assert str(foreign.value) == str(absent.value)


def test_an_object_that_the_query_leaves_out_is_not_found(operator: Person) -> None:
    with operator.scope():
        client = factories.employer()
        with pytest.raises(Http404):
            mine(Employer.objects.none(), pk=client.pk)


def test_there_is_no_door_without_a_tenant(operator: Person) -> None:
    with pytest.raises(tenancy.NoTenant):
        mine(Employer, pk=1)


def request_of(person: Person | None) -> HttpRequest:
    request = RequestFactory().get("/")
    if person is not None:
        with person.scope():
            request.membership = Membership.objects.holding().get(user=person.user)  # type: ignore[attr-defined]
    return request


@needs(Profile.ADMINISTRATIVE)
def withdraw(request: HttpRequest, word: str = "done") -> HttpResponse:
    """A view that asks for more than encoding."""
    return HttpResponse(word)


def test_a_view_lets_in_who_has_the_profile_or_more(operator: Person) -> None:
    assert withdraw(request_of(operator), word="x").content == b"x"
    clerk = signed_in(operator.mandataire, Profile.ADMINISTRATIVE, "clerk")
    assert withdraw(request_of(clerk)).content == b"done"


def test_a_view_tells_others_which_profile_to_ask_for(colleague: Person) -> None:
    with pytest.raises(PermissionDenied, match="Administrative: also withdraw and correct"):
        withdraw(request_of(colleague))


@for_managers
def appoint(request: HttpRequest) -> HttpResponse:
    """A view that only managers use."""
    return HttpResponse("appointed")


@for_members
def look(request: HttpRequest) -> HttpResponse:
    """A view for everybody here."""
    return HttpResponse("seen")


def test_some_views_are_for_managers_and_some_for_every_member(operator: Person, colleague: Person) -> None:
    assert appoint(request_of(operator)).content == b"appointed"
    with pytest.raises(PermissionDenied, match="manager"):
        appoint(request_of(colleague))
    assert look(request_of(colleague)).content == b"seen"
    for view in (appoint, look):
        with pytest.raises(Http404):
            view(request_of(None))


def test_whoever_has_no_membership_finds_nothing(db: None) -> None:
    with pytest.raises(Http404):
        withdraw(request_of(None))
    with pytest.raises(Http404):
        membership(request_of(None))


def test_a_view_keeps_its_name() -> None:
    assert withdraw.__name__ == "withdraw"
