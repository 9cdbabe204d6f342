"""Somebody who works for several organisations: for which one he acts, and how he changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html

from mandates.models import Employer
from portal import acting, tenancy
from portal.models import Event, Mandataire, Membership
from tests import factories
from tests.people import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere(operator: Person) -> Mandataire:
    """The same enterprise in another quality, where the operator works as well."""
    other = factories.mandataire(
        name="Essai <Services>",
        number=operator.mandataire.number,
        quality=Mandataire.Quality.SERVICE_PROVIDER,
    )
    factories.place(other, is_manager=True)
    with tenancy.scope(other.pk):
        Membership.objects.create(user=operator.user, is_manager=True)
        factories.employer(name="Client of the other quality")
    return other


def choose(person: Person, place: Any) -> Any:
    return person.client.post("/organisation/", {"organisation": str(place)}, follow=True)


def head(answer: Any) -> str:
    tree = html.document_fromstring(answer.content.decode())
    return " ".join(tree.find_class("tenant")[0].text_content().split())


def test_the_page_head_names_organisation_and_quality(operator: Person) -> None:
    assert head(operator.client.get("/profile/")) == "Secrétariat social A Social secretariat"


def test_who_has_one_organisation_has_nothing_to_choose(operator: Person) -> None:
    assert "Act for" not in operator.client.get("/profile/").content.decode()
    assert choose(operator, operator.mandataire.pk).status_code == 404


def test_the_menu_offers_each_and_marks_the_present_one(operator: Person, elsewhere: Mandataire) -> None:
    tree = html.document_fromstring(operator.client.get("/profile/").content.decode())
    offered = [
        (" ".join(button.text_content().split()), button.get("aria-current"))
        for button in tree.find_class("header-wide")[0].xpath(".//button[@name='organisation']")
    ]
    assert offered == [
        ("Secrétariat social A Social secretariat", "true"),
        ("Essai <Services> Service provider", None),
    ]


def test_a_choice_holds_for_every_page_that_follows(operator: Person, elsewhere: Mandataire) -> None:
    answer = choose(operator, elsewhere.pk)
    assert answer.redirect_chain == [("/", 302)]
    assert "You act for Essai &lt;Services&gt; now (Service provider)." in answer.content.decode()
    listed = operator.client.get("/employers/")
    assert head(listed) == "Essai <Services> Service provider"
    assert "Client of the other quality" in listed.content.decode()
    choose(operator, operator.mandataire.pk)
    listed = operator.client.get("/employers/")
    assert head(listed).startswith("Secrétariat social A")
    assert "Client of the other quality" not in listed.content.decode()


def test_what_is_written_lands_where_he_acts(operator: Person, elsewhere: Mandataire) -> None:
    choose(operator, elsewhere.pk)
    values = {"number": factories.new_enterprise_number(), "name": "New", "onss_number": "", "language": "fr"}
    operator.client.post("/employers/new/", values)
    with tenancy.scope(elsewhere.pk):
        assert Employer.objects.filter(name="New").exists()
        assert Event.objects.get(verb="employer.added").actor_name == "operator"
    with operator.scope():
        assert not Employer.objects.exists()
        assert not Event.objects.exists()


def test_another_browser_of_his_keeps_its_own_choice(operator: Person, elsewhere: Mandataire) -> None:
    other = Client()
    other.force_login(operator.user)
    choose(operator, elsewhere.pk)
    assert head(other.get("/profile/")).startswith("Secrétariat social A")


@pytest.mark.parametrize("wanted", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_what_is_none_of_his_is_not_found(operator: Person, elsewhere: Mandataire, wanted: str) -> None:
    assert choose(operator, wanted).status_code == 404
    assert acting.CHOSEN not in operator.client.session


def test_an_organisation_of_somebody_else_is_not_found(
    operator: Person, elsewhere: Mandataire, stranger: Person
) -> None:
    theirs, never = choose(operator, stranger.mandataire.pk), choose(operator, elsewhere.pk.hex[::-1])
    assert theirs.status_code == never.status_code == 404
    assert head(operator.client.get("/profile/")).startswith("Secrétariat social A")


def test_blocked_where_he_acts_he_goes_on_where_he_is_not(operator: Person, elsewhere: Mandataire) -> None:
    """Checked on each request: the session still asks for the one that keeps him out."""
    choose(operator, elsewhere.pk)
    with tenancy.scope(elsewhere.pk):
        Membership.objects.filter(user=operator.user).update(is_blocked=True)
    answer = operator.client.get("/employers/")
    assert head(answer).startswith("Secrétariat social A")
    assert "Client of the other quality" not in answer.content.decode()
    assert choose(operator, elsewhere.pk).status_code == 404


def test_removed_where_he_acts_he_goes_on_elsewhere(operator: Person, elsewhere: Mandataire) -> None:
    choose(operator, elsewhere.pk)
    with tenancy.scope(elsewhere.pk):
        Membership.objects.get(user=operator.user).delete()
    assert head(operator.client.get("/profile/")).startswith("Secrétariat social A")


def test_a_choice_is_made_by_post_only(operator: Person, elsewhere: Mandataire) -> None:
    assert operator.client.get("/organisation/", {"organisation": str(elsewhere.pk)}).status_code == 405
