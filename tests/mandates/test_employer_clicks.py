"""Two clicks by two parties: an employer user speaks for his company, never for the mandataire, nor the reverse."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mandates import granting
from mandates.models import Employer, Mandate
from mandates.numbers import quarter_days
from mandates.states import MandateState, Party
from portal import tenancy
from portal.models import Event, MandateProfile, Membership
from tests import factories
from tests.mandates import scenes
from tests.people import Person
from tests.submissions.test_views_declarations import messages_after
from tests.submissions.test_views_records import main_text, page_of


@pytest.fixture
def company(operator: Person) -> Employer:
    with operator.scope():
        return factories.employer(name="Boulangerie Zoé")


@pytest.fixture
def boss(operator: Person, company: Employer) -> Person:
    """Works at the company."""
    return person_at(operator, company, MandateProfile.MANAGE, "boss")


def person_at(operator: Person, company: Employer, profile: MandateProfile, username: str) -> Person:
    member = factories.place(operator.mandataire, profile, employer=company, username=username)
    client = Client()
    client.force_login(member.user)
    return Person(member.user, operator.mandataire, client)


def address(name: str, mandate: Mandate) -> str:
    return reverse(f"mandate_{name}", args=[mandate.pk])


def validated(operator: Person, mandate: Mandate) -> tuple[bool, bool]:
    """By the mandataire, by the employer."""
    with operator.scope():
        mandate.refresh_from_db()
    return bool(mandate.validated_by_mandataire_at), bool(mandate.validated_by_employer_at)


def verbs(operator: Person) -> list[tuple[str, str]]:
    with operator.scope():
        events = Event.objects.filter(verb__startswith="mandate.").order_by("pk")
        return [(event.verb, event.actor_name) for event in events]


def test_two_clicks_make_a_mandate(operator: Person, boss: Person, company: Employer) -> None:
    with operator.scope():
        mandate = scenes.proposed(company)
    operator.client.post(address("validate", mandate))
    assert validated(operator, mandate) == (True, False)
    assert "granted" in messages_after(boss, address("accept", mandate))
    assert validated(operator, mandate) == (True, True)
    assert mandate.state == MandateState.ACTIVE
    assert verbs(operator)[-2:] == [("mandate.accepted", "boss"), ("mandate.activated", "boss")]
    assert "Mandate validated by the employer" in main_text(page_of(operator, f"/mandates/{mandate.pk}/"))


def test_nobody_clicks_for_the_other_party(operator: Person, boss: Person, company: Employer) -> None:
    with operator.scope():
        mandate = scenes.proposed(company)
    assert "signed procuration" in messages_after(operator, address("accept", mandate))
    assert "Only the mandataire validates" in messages_after(boss, address("validate", mandate))
    assert validated(operator, mandate) == (False, False)
    for name in ("finalise", "withdraw"):
        assert "Only the mandataire" in messages_after(boss, address(name, mandate), reason="No")
    with operator.scope():
        mandate.refresh_from_db()
        assert mandate.state == MandateState.PENDING


def test_the_function_refuses_as_the_page_does(operator: Person, boss: Person, company: Employer) -> None:
    """Whoever calls it: who acts is asked, not who is said to act."""
    with operator.scope():
        mandate = scenes.proposed(company)
        with pytest.raises(granting.CannotGrant):
            granting.validate(mandate, Party.EMPLOYER)
    with boss.scope(), pytest.raises(granting.CannotGrant):
        granting.validate(mandate, Party.MANDATAIRE)
    with tenancy.scope(operator.mandataire.pk), pytest.raises(granting.CannotGrant):
        granting.validate(mandate, Party.EMPLOYER)  # the portal itself
    assert validated(operator, mandate) == (False, False)


def test_his_buttons_say_what_they_mean(operator: Person, boss: Person, company: Employer) -> None:
    with operator.scope():
        mandate = scenes.proposed(company)
    page = main_text(page_of(boss, f"/mandates/{mandate.pk}/"))
    assert "Validate for Boulangerie Zoé" in page
    assert "Refuse the mandate" in page
    assert "Validate for us" not in page
    assert "procuration" not in page
    assert "A mandate waits for your agreement" in main_text(page_of(boss, "/"))
    seen = person_at(operator, company, MandateProfile.SEE, "onlooker")
    assert "Validate for" not in main_text(page_of(seen, f"/mandates/{mandate.pk}/"))
    assert seen.client.post(address("accept", mandate)).status_code == 403


def test_he_refuses_with_a_reason(operator: Person, boss: Person, company: Employer) -> None:
    with operator.scope():
        mandate = scenes.proposed(company)
    assert "Give a reason" in messages_after(boss, address("refuse", mandate), reason=" ")
    messages_after(boss, address("refuse", mandate), reason="We declare ourselves")
    with operator.scope():
        mandate.refresh_from_db()
        event = Event.objects.get(verb="mandate.declined")
    assert (mandate.state, event.reason, event.actor_name) == ("refused", "We declare ourselves", "boss")


def test_he_proposes_and_the_mandataire_validates(operator: Person, boss: Person, company: Employer) -> None:
    page = page_of(boss, reverse("mandate_propose", args=[company.pk]))
    now = page.xpath("//select[@name='starts']/option/@value")[0]
    boss.client.post(reverse("mandate_propose", args=[company.pk]), {"starts": now, "ends": ""})
    with operator.scope():
        mandate = Mandate.objects.get(employer=company)
    messages_after(boss, address("accept", mandate))
    assert validated(operator, mandate) == (False, True)
    operator.client.post(address("validate", mandate))
    assert validated(operator, mandate) == (True, True)


def test_he_closes_at_the_end_of_a_quarter_without_a_procuration(
    operator: Person, boss: Person, company: Employer
) -> None:
    with operator.scope():
        mandate = scenes.granted(company)
    page = page_of(boss, address("close", mandate))
    assert page.xpath("//input[@type='file']") == []
    now = page.xpath("//select[@name='ends']/option/@value")[0]
    told = messages_after(boss, address("close", mandate), ends=now, reason="We change")
    assert "the mandataire goes on declaring" in told
    with operator.scope():
        mandate.refresh_from_db()
        event = Event.objects.get(verb="mandate.ended")
    assert mandate.ends_on == quarter_days(now)[1]
    assert (event.actor_name, event.data["party"]) == ("boss", "employer")


def test_who_is_blocked_clicks_no_more(operator: Person, boss: Person, company: Employer) -> None:
    with operator.scope():
        mandate = scenes.proposed(company)
        Membership.objects.filter(user=boss.user).update(is_blocked=True)
    assert boss.client.post(address("accept", mandate)).status_code == 404
    assert validated(operator, mandate) == (False, False)
