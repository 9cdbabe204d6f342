"""Who is limited to some clients, on the pages: an employer user, and a clerk with grants for some clients only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from channels.models import Channel
from mandates.models import Employer, Mandate
from portal import tenancy
from portal.models import Application, Event, MandateProfile, Membership, Profile, UserProfile
from submissions import declaring
from submissions.models import Declaration, SignOff, TrainingRecord
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.portal.everything import make_one_of_everything
from tests.portal.test_every_url import OBJECTS, walk

THEIRS, OURS = "Autre Client SA", "Boulangerie Zoé"


@dataclass
class House:
    """Two clients, with a record each of every kind; `ours` is the one that the limited person has."""

    ours: Employer
    theirs: Employer
    theirs_of: dict[str, int]


def open_page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


@pytest.fixture
def house(operator: Person) -> House:
    with operator.scope():
        make_one_of_everything()
        theirs = Declaration.objects.latest("pk").employer
        Employer.objects.filter(pk=theirs.pk).update(name=THEIRS)
        for declaration in Declaration.objects.filter(employer=theirs):
            TrainingRecord.objects.filter(pk=declaration.record_id).update(title="Titre de l'autre")
        factories.place(operator.mandataire, employer=theirs)
        theirs_of = {name: newest(model, theirs) for name, model in OBJECTS.items()}
        Declaration.objects.filter(state="ready").update(state="withdrawn")
        ours = factories.client(name=OURS)
        batch = factories.sealed_batch(2, through=Channel.objects.get(), of=ours)
        refused = factories.declarations_of(batch)[0]
        refused.move(DeclarationState.REFUSED, answered_at=timezone.now())
        factories.ready(1, of=ours)
        return House(ours, theirs, theirs_of)


def newest(model: type[Model], employer: Employer) -> int:
    """An object of this employer, or one that mixes employers."""
    if model is Employer:
        return employer.pk
    if model is Mandate:
        return Mandate.objects.get(employer=employer).pk
    return model._default_manager.latest("pk").pk


def signed_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def boss(house: House, operator: Person) -> Client:
    """Works at our client, with all that he may be given there."""
    held = (Profile.EXTENDED, MandateProfile.MANAGE)
    return signed_in(factories.place(operator.mandataire, *held, employer=house.ours, username="boss"))


@pytest.fixture
def clerk(house: House, operator: Person) -> Client:
    """Works at the organisation; his declarations and mandates are of our client only."""
    held = (Profile.EXTENDED, MandateProfile.MANAGE)
    return signed_in(factories.place(operator.mandataire, *held, only=[house.ours], username="clerk"))


@pytest.fixture(params=["boss", "clerk"])
def limited(request: pytest.FixtureRequest) -> Client:
    found: Client = request.getfixturevalue(request.param)
    return found


OF_NO_CLIENT = {"identity_link"}
"""Objects of the house that are for each of its people: the way in through its provider."""


def answers(client: Client, address: Any, pk: int) -> dict[str, int]:
    return {m: getattr(client, m)(address.path(pk)).status_code for m in ("get", "post")}


@pytest.mark.walk
def test_objects_of_another_client_are_like_objects_that_never_were(limited: Client, house: House) -> None:
    """At every address about an object; what he may not enter at all is refused as ever."""
    seen: set[int] = set()
    for address in walk(get_resolver().url_patterns):
        if "pk" in address.arguments and address.name not in OF_NO_CLIENT:
            found = answers(limited, address, house.theirs_of[address.name])
            assert found == answers(limited, address, 10**9), address
            assert set(found.values()) <= {403, 404, 405}, address
            seen |= set(found.values())
    assert 404 in seen


@pytest.mark.walk
def test_nothing_of_another_client_was_changed(limited: Client, house: House, operator: Person) -> None:
    def everything() -> list[Any]:
        with operator.scope():
            models = (Employer, Mandate, TrainingRecord, Declaration, SignOff)
            return [
                list(model._default_manager.filter(**whose(model)).order_by("pk").values())
                for model in models
            ]

    def whose(model: type[Model]) -> dict[str, Any]:
        return {"pk": house.theirs.pk} if model is Employer else {"employer": house.theirs}

    before = everything()
    for address in walk(get_resolver().url_patterns):
        if "pk" in address.arguments:
            limited.post(address.path(house.theirs_of[address.name]), {"reason": "No"})
    assert everything() == before


def pages() -> Iterator[str]:
    for name in ("home", "to_correct", "declarations", "mandates", "employers", "team", "profile"):
        yield reverse(name)
    yield reverse("declarations") + "?q=autre"
    yield reverse("declarations") + "?q=titre"
    yield reverse("mandates") + "?q=autre"
    yield reverse("employers") + "?q=autre"


def test_no_list_and_no_search_names_another_client(limited: Client) -> None:
    for address in pages():
        page = open_page(limited, address)
        assert THEIRS not in page, address
        assert "Titre de l" not in page, address


def test_counters_are_of_the_own_client(limited: Client, house: House) -> None:
    """Ours has one to correct; the other one would make it more."""
    for address in (reverse("home"), reverse("team")):
        page = open_page(limited, address)
        assert '<span class="nav-count">1</span>' in page, address


def test_a_page_that_refuses_tells_no_number_either(limited: Client) -> None:
    """The frame of a 403 and of a 404 counts as every page does."""
    assert '<span class="nav-count">1</span>' in open_page(limited, reverse("journal"), 403)
    assert '<span class="nav-count">1</span>' in open_page(limited, reverse("record", args=[10**9]), 404)


@pytest.mark.parametrize("name", ["journal", "batches", "employer_add"])
def test_what_is_about_all_clients_is_closed_and_says_why(limited: Client, name: str) -> None:
    assert "limited to some" in open_page(limited, reverse(name), 403)
    assert reverse(name) not in open_page(limited, reverse("declarations"))


def test_the_journal_is_not_exported_for_him_either(limited: Client, operator: Person) -> None:
    assert limited.post(reverse("journal_export")).status_code == 403
    with operator.scope():
        assert not Event.objects.filter(verb="journal.exported").exists()


def test_the_filter_by_another_client_finds_no_such_client(limited: Client, house: House) -> None:
    assert limited.get(reverse("declarations"), {"employer": house.theirs.pk}).status_code == 404


def test_a_record_leads_to_no_set_and_no_file(limited: Client, house: House, operator: Person) -> None:
    with operator.scope():
        record = Declaration.objects.filter(employer=house.ours, state="refused").get().record
        other = Declaration.objects.filter(employer=house.ours, batch__isnull=False).first()
    page = open_page(limited, reverse("record", args=[record.pk]))
    assert record.title.replace("&", "&amp;") in page
    for address in (reverse("batch", args=[other.batch_id]), "/files/received/"):
        assert address not in page
    assert "/batches/" not in open_page(limited, reverse("declarations"))


def test_within_his_client_he_works_as_ever(limited: Client, house: House, operator: Person) -> None:
    with operator.scope():
        ready = Declaration.objects.get(employer=house.ours, state="ready")
        refused = Declaration.objects.get(employer=house.ours, state="refused")
    limited.post(reverse("declaration_withdraw", args=[ready.pk]), {"reason": "Twice"})
    limited.post(reverse("declaration_correct", args=[refused.pk]))
    with operator.scope():
        ready.refresh_from_db()
        assert ready.state == "withdrawn"
        assert Declaration.objects.filter(replaces=refused, state="ready").exists()
        told = Event.objects.filter(subject_type="declaration", subject_id=str(ready.pk)).latest("pk")
        assert (told.verb, told.reason) == ("declaration.withdrawn", "Twice")


def test_each_application_has_its_own_limit(house: House, operator: Person) -> None:
    """Declarations of one client, mandates of all: the other one's page shows mandates, and not one declaration."""
    member = factories.place(operator.mandataire, Profile.ENCODE, only=[house.ours])
    with operator.scope():
        member.grants.create(application="mandates", profile="manage")
    client = signed_in(member)
    assert THEIRS in open_page(client, reverse("employers"))
    page = open_page(client, reverse("employer", args=[house.theirs.pk]))
    assert THEIRS in page
    assert 'id="declarations-title"' not in page
    assert 'id="declarations-title"' in open_page(client, reverse("employer", args=[house.ours.pk]))
    assert THEIRS not in open_page(client, reverse("declarations"))
    assert '<span class="nav-count">1</span>' in open_page(client, reverse("employers"))
    assert client.get(reverse("employer_add")).status_code == 200


def test_a_limit_holds_from_the_next_page(house: House, operator: Person) -> None:
    member = factories.place(operator.mandataire, Profile.ENCODE)
    client = signed_in(member)
    assert THEIRS in open_page(client, reverse("declarations"))
    operator.client.post(
        reverse("member_grant", args=[member.pk, "declarations"]),
        {"do": "keep", "profile": "encode", "whose": "only", "employers": [house.ours.pk]},
    )
    assert THEIRS not in open_page(client, reverse("declarations"))


def test_limits_cost_no_query_for_who_has_none(house: House, operator: Person, clerk: Client) -> None:
    def asked(client: Client) -> int:
        with CaptureQueriesContext(connection) as queries:
            open_page(client, reverse("declarations"))
        return len(queries)

    free = asked(operator.client)
    assert asked(operator.client) == free
    assert (
        asked(clerk) - free <= 8
    )  # a savepoint and two settings, for the page and for the counter of the frame


# --- who reaches what -----------------------------------------------------------------------------


def test_reach_is_what_the_grant_and_the_place_both_allow(house: House, operator: Person) -> None:
    with operator.scope():
        one, two = house.ours, house.theirs
        free = factories.place(operator.mandataire, Profile.ENCODE)
        listed = factories.place(operator.mandataire, Profile.ENCODE, only=[one, two])
        at_client = factories.place(operator.mandataire, Profile.ENCODE, employer=one)
        both = factories.place(operator.mandataire, Profile.ENCODE, employer=one, only=[two])
        expected = [(free, None), (listed, {one.pk, two.pk}), (at_client, {one.pk}), (both, set())]
        for member, reach in expected:
            for read in (member, Membership.objects.holding().get(pk=member.pk)):
                assert read.reach(Application.DECLARATIONS) == reach
        assert at_client.reach(Application.CHANNELS) == {one.pk}
        assert listed.reach(Application.MANDATES) is None
        assert Membership.objects.get(user=operator.user).reach(Application.DECLARATIONS) is None


def test_declarations_made_in_a_limit_are_of_the_own_client(house: House, operator: Person) -> None:
    with operator.scope(), tenancy.within([house.ours.pk]):
        record = TrainingRecord.objects.filter(employer=house.ours).order_by("-pk").first()
        Declaration.objects.filter(record=record, state="ready").update(state="withdrawn")
        assert declaring.declare([record], "FLA") == 1


def test_users_are_managed_for_all_clients_or_not_at_all(house: House, operator: Person) -> None:
    """Whoever manages users reaches a client's people only as far as he reaches the client."""
    held = (UserProfile.MANAGE, Profile.ENCODE)
    member = factories.place(operator.mandataire, *held)
    with operator.scope():
        grant = member.grants.get(application="declarations")
        grant.limits.create(employer=house.ours)
    client = signed_in(member)
    assert client.get(reverse("client_person_new", args=[house.ours.pk])).status_code == 200
    assert client.get(reverse("client_person_new", args=[house.theirs.pk])).status_code == 403
