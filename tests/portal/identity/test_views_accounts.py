"""Finding the provider of one's organisation, and linking an account to oneself."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from lxml import html

from portal.identity import linking
from portal.identity.models import IdentityLink, IdentityProvider
from portal.models import Event, Membership
from tests import factories
from tests.people import Person
from tests.portal.identity.conftest import come_back, is_signed_in, provider_at, said
from tests.portal.identity.openid import Issuer

pytestmark = pytest.mark.django_db


def text(answer: Any) -> str:
    return " ".join(html.document_fromstring(answer.content.decode()).find(".//main").text_content().split())


def links(person: Person) -> list[tuple[int, str, str]]:
    with person.scope():
        rows = IdentityLink.objects.order_by("pk")
        return list(rows.values_list("member__user_id", "issuer", "subject"))


# --- finding ------------------------------------------------------------------------------------------


def asked(number: str, **fields: str) -> Any:
    return Client().post("/sign-in/organisation/", {"number": number, **fields})


def test_the_number_of_an_organisation_leads_to_its_provider(
    operator: Person, provider: IdentityProvider
) -> None:
    number = operator.mandataire.number
    for written in (number, f"{number[:4]}.{number[4:7]}.{number[7:]}", f"BE {number}"):
        page = html.document_fromstring(asked(written, next="/batches/").content.decode())
        assert page.xpath("//main//a[contains(@class, 'button-main')]/@href") == [
            f"/sign-in/with/{provider.handle}/?next=/batches/"
        ]


def test_every_provider_that_is_switched_on_is_offered_and_no_other(
    operator: Person, stranger: Person, provider: IdentityProvider
) -> None:
    with operator.scope():
        factories.identity_provider(label="Deuxième")
        factories.identity_provider(label="Éteint", is_enabled=False)
    with stranger.scope():
        factories.identity_provider(label="Ailleurs")
    page = text(asked(operator.mandataire.number))
    assert "Compte du bureau" in page
    assert "Deuxième" in page
    assert "Éteint" not in page
    assert "Ailleurs" not in page


def test_an_unknown_number_and_one_without_provider_get_the_same_answer(
    operator: Person, stranger: Person, django_assert_num_queries: Any
) -> None:
    with stranger.scope():
        factories.identity_provider(is_enabled=False)
    bodies = set()
    for number in (factories.new_enterprise_number(), operator.mandataire.number, stranger.mandataire.number):
        with django_assert_num_queries(3):  # a savepoint, the one question, its release
            answer = asked(number)
        assert answer.status_code == 200
        body = answer.content.decode().replace(number, "")
        bodies.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body))
    assert len(bodies) == 1
    assert "There is no such account for this number." in bodies.pop()


def test_a_number_that_cannot_be_one_says_why() -> None:
    answer = asked("0897.223.671")
    assert answer.status_code == 422
    assert "There is no such account" not in text(answer)


def test_the_sign_in_page_leads_there(client: Client) -> None:
    page = client.get("/sign-in/?next=/batches/").content.decode()
    assert 'href="/sign-in/organisation/?next=/batches/"' in page


def test_a_provider_of_nobody_is_not_there(client: Client, db: None) -> None:
    assert client.get("/sign-in/with/00000000-0000-0000-0000-000000000001/").status_code == 404
    assert client.get("/sign-in/with/1/").status_code == 404


# --- linking -------------------------------------------------------------------------------------------


def begin(person: Person, provider: IdentityProvider) -> str:
    """Presses the button on the own page; returns where the link on the next page leads."""
    answer = person.client.post(f"/profile/accounts/{provider.pk}/link/")
    (address,) = html.document_fromstring(answer.content.decode()).xpath(
        "//main//a[contains(@class, 'button-main')]/@href"
    )
    return str(address)


def test_an_account_is_linked_by_signing_in_with_it_once(
    operator: Person, issuer: Issuer, provider: IdentityProvider
) -> None:
    assert "Link Compte du bureau" in text(operator.client.get("/profile/"))
    answer = come_back(operator.client, issuer.sign_in(begin(operator, provider), "jan"))
    assert answer["Location"] == "/profile/"
    assert links(operator) == [(operator.user.pk, issuer.url, "jan")]
    page = text(operator.client.get("/profile/"))
    assert "Linked on" in page
    assert "Link Compte du bureau" not in page
    with operator.scope():
        event = Event.objects.get()
    assert (event.verb, event.data) == ("identity.linked", {"name": "Compte du bureau"})


def test_linking_twice_is_once(operator: Person, issuer: Issuer, provider: IdentityProvider) -> None:
    for _time in range(2):
        come_back(operator.client, issuer.sign_in(begin(operator, provider), "jan"))
    assert len(links(operator)) == 1
    with operator.scope():
        assert Event.objects.count() == 1


def test_an_account_signs_in_one_person_only(
    operator: Person, colleague: Person, issuer: Issuer, provider: IdentityProvider, linked: IdentityLink
) -> None:
    answer = come_back(colleague.client, issuer.sign_in(begin(colleague, provider), "jan"))
    assert "signs in another user here" in said(answer)[0]
    assert links(operator) == [(operator.user.pk, issuer.url, "jan")]


def test_two_who_link_one_account_at_once_make_one_link(
    operator: Person, colleague: Person, provider: IdentityProvider, linked: IdentityLink
) -> None:
    with colleague.scope():
        other = Membership.objects.get(user=colleague.user)
        with pytest.raises(linking.Taken):
            linking.link(other, provider, "jan")


def test_the_same_account_may_be_somebody_else_at_another_organisation(
    operator: Person, stranger: Person, issuer: Issuer, linked: IdentityLink
) -> None:
    """Nothing of one organisation shows at another, not even by a refusal."""
    with stranger.scope():
        theirs = provider_at(issuer)
    answer = come_back(stranger.client, issuer.sign_in(begin(stranger, theirs), "jan"))
    assert "Linked" in said(answer)[0]
    assert links(stranger) == [(stranger.user.pk, issuer.url, "jan")]


def test_an_account_is_linked_to_who_began(
    operator: Person, colleague: Person, issuer: Issuer, provider: IdentityProvider
) -> None:
    back = issuer.sign_in(begin(operator, provider), "jan")
    operator.client.logout()
    operator.client.force_login(colleague.user)
    come_back(operator.client, back)
    assert links(operator) == []


def test_who_signed_out_meanwhile_is_neither_linked_nor_signed_in(
    operator: Person, issuer: Issuer, provider: IdentityProvider
) -> None:
    back = issuer.sign_in(begin(operator, provider), "jan")
    session = operator.client.session
    for key in ("_auth_user_id", "_auth_user_backend", "_auth_user_hash"):
        del session[key]
    session.save()
    answer = come_back(operator.client, back)
    assert "Nothing was linked" in said(answer)[0]
    assert links(operator) == []
    assert not is_signed_in(operator.client)


def test_a_way_begun_to_sign_in_links_nothing(
    operator: Person, issuer: Issuer, provider: IdentityProvider
) -> None:
    """A link that somebody sends could otherwise end with his account linked to whoever follows it."""
    visitor = Client()
    start = visitor.get(f"/sign-in/with/{provider.handle}/")
    back = issuer.sign_in(start["Location"], "mallory")
    visitor.force_login(operator.user)
    assert come_back(visitor, back)["Location"] == "/"
    assert links(operator) == []


def test_a_link_does_not_begin_by_an_address(operator: Person, provider: IdentityProvider) -> None:
    assert operator.client.get(f"/profile/accounts/{provider.pk}/link/").status_code == 405


def test_a_provider_that_is_switched_off_or_elsewhere_links_nothing(
    operator: Person, stranger: Person, provider: IdentityProvider
) -> None:
    assert stranger.client.post(f"/profile/accounts/{provider.pk}/link/").status_code == 404
    with operator.scope():
        IdentityProvider.objects.update(is_enabled=False)
    assert operator.client.post(f"/profile/accounts/{provider.pk}/link/").status_code == 404


def test_what_goes_wrong_is_told_on_the_own_page(
    operator: Person, issuer: Issuer, provider: IdentityProvider
) -> None:
    answer = come_back(
        operator.client, issuer.sign_in(begin(operator, provider), "jan", error="access_denied", code="")
    )
    assert answer["Location"] == "/profile/"
    assert "you stopped there" in said(answer)[0]


# --- unlinking -------------------------------------------------------------------------------------------


def test_unlinking_asks_and_then_the_account_opens_nothing(
    operator: Person, sign_in: Any, visitor: Client, linked: IdentityLink
) -> None:
    address = f"/profile/accounts/{linked.pk}/unlink/"
    assert "Unlink Compte du bureau?" in text(operator.client.get(address))
    assert len(links(operator)) == 1
    operator.client.post(address)
    assert links(operator) == []
    sign_in()
    assert not is_signed_in(visitor)
    with operator.scope():
        event = Event.objects.get()
    assert (event.verb, event.data) == ("identity.unlinked", {"name": "Compte du bureau"})


def test_nobody_unlinks_for_another(colleague: Person, stranger: Person, linked: IdentityLink) -> None:
    for person in (colleague, stranger):
        assert person.client.post(f"/profile/accounts/{linked.pk}/unlink/").status_code == 404


def test_an_account_of_a_provider_that_moved_shows_its_address(
    operator: Person, provider: IdentityProvider, linked: IdentityLink
) -> None:
    with operator.scope():
        IdentityProvider.objects.update(issuer="https://elsewhere.example.be", is_enabled=False)
    page = text(operator.client.get("/profile/"))
    assert linked.issuer in page
    assert "Switched off by your managers" in page


def test_a_deleted_member_leaves_no_account_behind(
    operator: Person, colleague: Person, provider: IdentityProvider
) -> None:
    with operator.scope():
        member = Membership.objects.get(user=colleague.user)
        factories.identity(provider, member)
    operator.client.post(f"/team/{member.pk}/delete/")
    assert links(operator) == []
