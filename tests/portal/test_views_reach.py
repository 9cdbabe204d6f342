"""Choosing the clients of a grant, and bringing in the people of a client."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from mandates.models import Employer
from mandates.numbers import format_enterprise_number
from portal import admitting
from portal.models import (
    Application,
    ChannelProfile,
    Event,
    GrantEmployer,
    MandateProfile,
    Membership,
    Profile,
    UserProfile,
)
from portal.views.reach import FOUND
from tests import factories
from tests.people import Person
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def clients(operator: Person) -> list[Employer]:
    with operator.scope():
        return [factories.employer(name=name) for name in ("Alpha", "Bravo", "Charlie", "Delta")]


@pytest.fixture
def clerk(operator: Person) -> Membership:
    return factories.place(operator.mandataire, Profile.ENCODE)


def address(member: Membership, application: str = "declarations") -> str:
    return reverse("member_grant", args=[member.pk, application])


def send(person: Person, member: Membership, do: str, *employers: Employer, **data: object) -> str:
    given = {"profile": "encode", "until": "", "whose": "only", "q": "", **data}
    answer = person.client.post(
        address(member), {**given, "do": do, "employers": [employer.pk for employer in employers]}
    )
    return answer.content.decode() if answer.status_code != 302 else ""


def limits(person: Person, member: Membership) -> set[str]:
    with person.scope():
        rows = GrantEmployer.objects.filter(grant__member=member)
        return set(rows.values_list("employer__name", flat=True))


def test_clients_are_found_ticked_and_kept(
    operator: Person, clerk: Membership, clients: list[Employer]
) -> None:
    alpha, bravo, *_others = clients
    found = send(operator, clerk, "search", alpha, q="brav")
    assert f'value="{alpha.pk}" checked' in found
    assert f'value="{bravo.pk}"' in found
    assert "Charlie" not in found
    assert "Bravo" in send(operator, clerk, "search", q=format_enterprise_number(bravo.number))
    assert limits(operator, clerk) == set()  # a search grants nothing
    assert send(operator, clerk, "keep", alpha, bravo) == ""
    assert limits(operator, clerk) == {"Alpha", "Bravo"}
    page = main_text(page_of(operator, reverse("member", args=[clerk.pk])))
    assert "for Alpha, Bravo" in page
    assert "for declarations of Alpha, Bravo to “Encode”" in page


def test_the_event_names_some_and_counts_the_others(
    operator: Person, clerk: Membership, clients: list[Employer]
) -> None:
    send(operator, clerk, "keep", *clients)
    with operator.scope():
        event = Event.objects.get(verb="grant.changed")
    assert (event.data["employers"], event.data["others"]) == (["Alpha", "Bravo", "Charlie"], 1)
    assert "of Alpha, Bravo, Charlie and 1 other" in main_text(page_of(operator, "/journal/"))


def test_nothing_wide_is_granted_by_a_slip(
    operator: Person, clerk: Membership, clients: list[Employer]
) -> None:
    send(operator, clerk, "keep", clients[0])
    assert "Tick at least one client" in send(operator, clerk, "keep")
    assert "You ticked clients" in send(operator, clerk, "keep", clients[0], whose="all")
    assert limits(operator, clerk) == {"Alpha"}
    # The short form of the user's page changes the profile, and leaves the clients as they are.
    operator.client.post(reverse("member_grants", args=[clerk.pk]), {"declarations": "extended"})
    assert limits(operator, clerk) == {"Alpha"}
    assert send(operator, clerk, "keep", whose="all") == ""
    assert limits(operator, clerk) == set()


def test_a_new_grant_for_some_is_never_one_for_all(operator: Person, clients: list[Employer]) -> None:
    nobody = factories.place(operator.mandataire)
    page = page_of(operator, address(nobody))
    assert page.xpath("//input[@name='whose'][@checked]/@value") == ["only"]
    send(operator, nobody, "keep", clients[1])
    assert limits(operator, nobody) == {"Bravo"}


def test_nobody_grants_wider_than_he_holds(operator: Person, clients: list[Employer]) -> None:
    alpha, bravo, *_others = clients
    delegate = factories.place(operator.mandataire, UserProfile.MANAGE, Profile.ENCODE)
    other = factories.place(operator.mandataire)
    with operator.scope():
        delegate.grants.get(application="declarations").limits.create(employer=alpha)
        actor = Membership.objects.holding().get(pk=delegate.pk)
        for employers in ([], [bravo], [alpha, bravo]):
            with pytest.raises(admitting.Refused):
                admitting.grant(actor, other, Application.DECLARATIONS, Profile.ENCODE, None, employers)
        assert admitting.grant(actor, other, Application.DECLARATIONS, Profile.ENCODE, None, [alpha])
        assert admitting.may_administer(actor, other)
        wide = factories.place(operator.mandataire, Profile.ENCODE)
        assert not admitting.may_administer(actor, wide)
    client = Client()
    client.force_login(delegate.user)
    page = client.get(address(other)).content.decode()
    assert "Alpha" in page
    assert "Bravo" not in page
    assert "All clients" not in page
    assert client.get(address(wide)).status_code == 403


def test_only_what_is_about_clients_can_be_limited(
    operator: Person, clerk: Membership, clients: list[Employer]
) -> None:
    for application in ("channels", "users", "nothing"):
        assert operator.client.get(address(clerk, application)).status_code == 404
    with operator.scope():
        actor = Membership.objects.get(user=operator.user)
    with operator.scope(), pytest.raises(admitting.Refused, match="can be limited"):
        admitting.grant(actor, clerk, Application.CHANNELS, ChannelProfile.SEE, None, clients)


def test_thousands_of_clients_make_no_long_page(operator: Person, clerk: Membership) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page = page_of(operator, address(clerk))
        assert len(page.xpath("//input[@name='employers']")) <= FOUND
        return len(queries)

    with operator.scope():
        factories.employer()
    few = asked()
    with operator.scope():
        for _ in range(FOUND + 5):
            factories.employer()
    assert asked() == few <= 20


# --- people of a client ---------------------------------------------------------------------------


def test_a_user_of_a_client_is_created_there(operator: Person, clients: list[Employer]) -> None:
    alpha = clients[0]
    form = page_of(operator, reverse("client_person_new", args=[alpha.pk]))
    assert "Works at Alpha" in main_text(form)
    given = {"first_name": "Zoé", "last_name": "Maes", "niss": factories.new_niss()}
    given |= {"email": "zoe@example.be", "language": "fr", "username": "zoe.maes"}
    operator.client.post(reverse("client_person_new", args=[alpha.pk]), given)
    with operator.scope():
        made = Membership.objects.get(employer=alpha)
        assert Event.objects.get(verb="member.admitted").data["of"] == "Alpha"
    page = page_of(operator, reverse("member", args=[made.pk]))
    assert "works at Alpha" in main_text(page)
    assert {"declarations", "mandates"} == set(page.xpath("//form//select/@name"))
    assert "Zoé Maes" in main_text(page_of(operator, reverse("employer", args=[alpha.pk])))
    assert "works at Alpha" in main_text(page_of(operator, "/team/"))
    found = operator.client.post("/team/", {"client": "alph"}).content.decode()
    assert "Zoé Maes" in found
    assert "Zoé Maes" not in operator.client.post("/team/", {"client": "bravo"}).content.decode()


def test_who_works_at_a_client_gets_nothing_of_the_house(operator: Person, clients: list[Employer]) -> None:
    boss = factories.place(operator.mandataire, employer=clients[0])
    with operator.scope():
        actor = Membership.objects.get(user=operator.user)
        with pytest.raises(admitting.Refused, match="declarations and mandates only"):
            admitting.grant(actor, boss, Application.USERS, UserProfile.SEE, None)
        with pytest.raises(admitting.Refused, match="does not manage"):
            admitting.appoint(boss)
        with pytest.raises(IntegrityError, match="no_employer_user_manages"), transaction.atomic():
            Membership.objects.filter(pk=boss.pk).update(is_manager=True)
        assert admitting.grant(actor, boss, Application.MANDATES, MandateProfile.MANAGE, None)
    assert operator.client.get(address(boss)).status_code == 404


def test_his_house_has_his_own_words(operator: Person, clients: list[Employer]) -> None:
    boss = factories.place(operator.mandataire, Profile.ENCODE, MandateProfile.SEE, employer=clients[0])
    client = Client()
    client.force_login(boss.user)
    with operator.scope():
        factories.ready(2, of=clients[0])
    for at in ("/", "/declarations/", "/to-correct/", "/mandates/", "/team/", "/profile/"):
        answer = client.get(at)
        assert answer.status_code == 200
        page = html.fromstring(answer.content.decode())
        words = set(re.findall(r"\w+", page.body.text_content().lower()))
        foreign = words & {"batch", "batches", "fi", "fs", "acrf", "noti", "journal", "channel"}
        assert foreign == set(), at
        links = " ".join(page.xpath("//@href"))
        assert not re.search(r"/(batches|channel|journal|files|fields)/|/employers/(?!\d)", links), at
    assert "To complete" in client.get("/").content.decode()
    assert client.get(reverse("employer", args=[clients[0].pk]))["Location"] == "/"
