"""A mandate from its proposal to its end: who may take which step, and what every step leaves behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from mandates import granting
from mandates.granting import CannotGrant
from mandates.models import PROCURATION, Employer, Mandate, Procuration
from mandates.states import MandateState, Party
from portal import tenancy
from portal.models import Event, MandateProfile, cipher
from portal.moving import LostRace
from portal.secrecy import SealBroken
from tests import factories
from tests.mandates import scenes
from tests.people import Person

TODAY = date(2026, 11, 20)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_scope(operator: Person) -> Iterator[None]:
    with operator.scope():
        yield


def told() -> list[tuple[str, str, str]]:
    """Every event so far: verb, reason and who agreed."""
    return [(event.verb, event.reason, event.data.get("party", "")) for event in Event.objects.order_by("id")]


def stored(mandate: Mandate) -> Mandate:
    return Mandate.objects.get(pk=mandate.pk)


# --- both parties ---------------------------------------------------------------------------------


def test_a_proposal_waits_for_both_parties_and_allows_nothing() -> None:
    mandate = scenes.proposed()
    assert stored(mandate).state == mandate.state == MandateState.PENDING
    assert not Mandate.objects.active_on(TODAY, "FLA").exists()
    assert told() == [("mandate.created", "", ""), ("mandate.proposed", "", "")]


@pytest.mark.parametrize("order", [(Party.MANDATAIRE, Party.EMPLOYER), (Party.EMPLOYER, Party.MANDATAIRE)])
def test_it_is_active_once_both_have_validated_in_any_order(order: tuple[Party, Party]) -> None:
    mandate = scenes.proposed()
    for party, expected in zip(order, (MandateState.PENDING, MandateState.ACTIVE), strict=True):
        granting.validate(mandate, party, scenes.pdf() if party is Party.EMPLOYER else None)
        assert stored(mandate).state == mandate.state == expected
    found = stored(mandate)
    assert found.validated_by_mandataire_at
    assert found.validated_by_employer_at
    assert Mandate.objects.active_on(TODAY, "FLA").get() == mandate
    assert told()[2:] == [
        ("mandate.validated", "", order[0]),
        ("mandate.validated", "", order[1]),
        ("mandate.activated", "", ""),
    ]


def test_the_employer_validates_by_something_signed() -> None:
    mandate = scenes.proposed()
    with pytest.raises(CannotGrant, match="signed procuration"):
        granting.validate(mandate, Party.EMPLOYER)
    assert stored(mandate).validated_by_employer_at is None


def test_a_procuration_is_sealed_and_its_event_names_its_digest() -> None:
    mandate = scenes.proposed()
    granting.validate(mandate, Party.EMPLOYER, scenes.pdf("Signé.PDF"))
    kept = Procuration.objects.get()
    assert (kept.name, kept.size, kept.purpose) == ("Signé.pdf", len(scenes.PDF), "validation")
    assert kept.sha256 == hashlib.sha256(scenes.PDF).hexdigest()
    assert b"%PDF" not in bytes(kept.content_sealed)
    assert kept.content == scenes.PDF
    assert Event.objects.get(verb="mandate.validated").data["sha256"] == kept.sha256


def test_a_procuration_opens_for_its_mandate_only() -> None:
    granting.validate(scenes.proposed(), Party.EMPLOYER, scenes.pdf())
    kept = Procuration.objects.get()
    with pytest.raises(SealBroken):
        cipher().open_bytes(PROCURATION, bytes(kept.content_sealed), subject=f"mandate {kept.mandate_id + 1}")


@pytest.mark.parametrize("party", list(Party))
def test_a_party_validates_once(party: Party) -> None:
    mandate = scenes.proposed()
    proof = scenes.pdf() if party is Party.EMPLOYER else None
    granting.validate(mandate, party, proof)
    with pytest.raises(LostRace):
        granting.validate(mandate, party, proof)
    assert Procuration.objects.count() == (1 if proof else 0)


# --- what may follow what -------------------------------------------------------------------------


def test_refused_or_taken_back_it_stays_so() -> None:
    refused, withdrawn = scenes.proposed(), scenes.proposed()
    granting.refuse(refused, " The client signs nothing ")
    granting.withdraw(withdrawn, "Wrong client")
    assert stored(refused).state == MandateState.REFUSED
    assert (stored(refused).reason, stored(withdrawn).reason) == ("The client signs nothing", "Wrong client")
    assert stored(withdrawn).state == MandateState.CLOSED
    assert told()[4:] == [
        ("mandate.refused", "The client signs nothing", ""),
        ("mandate.withdrawn", "Wrong client", ""),
    ]
    for mandate in (refused, withdrawn):
        for step in (
            lambda one: granting.refuse(one, "Again"),
            lambda one: granting.withdraw(one, "Again"),
            lambda one: granting.validate(one, Party.MANDATAIRE),
            lambda one: granting.close(one, date(2026, 12, 31), "Again", today=TODAY),
            lambda one: granting.finalise(one),
        ):
            with pytest.raises(LostRace):
                step(mandate)


@pytest.mark.parametrize("step", [granting.refuse, granting.withdraw])
def test_an_active_one_is_neither_refused_nor_taken_back(step: Any) -> None:
    mandate = scenes.granted()
    with pytest.raises(LostRace):
        step(mandate, "Too late")
    assert stored(mandate).state == MandateState.ACTIVE


@pytest.mark.parametrize("step", [granting.refuse, granting.withdraw])
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_reason_is_needed(step: Any, reason: str) -> None:
    mandate = scenes.proposed()
    with pytest.raises(CannotGrant, match="reason"):
        step(mandate, reason)
    assert stored(mandate).state == MandateState.PENDING


def test_what_is_prepared_may_be_proposed_or_taken_back() -> None:
    employer = factories.employer()
    one, two = (
        factories.active_mandate(employer, state=MandateState.TO_FINALISE, starts_on=starts_on)
        for starts_on in (date(2026, 1, 1), date(2026, 4, 1))
    )
    granting.finalise(one)
    granting.withdraw(two, "Twice the same")
    assert [stored(one).state, stored(two).state] == [MandateState.PENDING, MandateState.CLOSED]
    with pytest.raises(LostRace):
        granting.finalise(one)


# --- quarters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "sentence"),
    [
        (date(2026, 10, 2), None, "first day of a quarter"),
        (date(2026, 11, 1), None, "first day of a quarter"),
        (date(2026, 10, 1), date(2026, 12, 30), "last day of a quarter"),
        (date(2026, 10, 1), date(2026, 9, 30), "after its start"),
    ],
)
def test_a_mandate_is_made_of_whole_quarters(starts_on: date, ends_on: date | None, sentence: str) -> None:
    with pytest.raises(CannotGrant, match=sentence):
        scenes.proposed(starts_on=starts_on, ends_on=ends_on)
    assert not Mandate.objects.exists()


def test_it_is_closed_at_the_end_of_a_quarter_and_active_until_then() -> None:
    mandate = scenes.granted()
    granting.close(mandate, date(2026, 12, 31), "The client leaves", today=TODAY)
    found = stored(mandate)
    assert (found.ends_on, found.reason, found.state) == (date(2026, 12, 31), "The client leaves", "active")
    assert Mandate.objects.active_on(date(2026, 12, 31), "FLA").exists()
    assert not Mandate.objects.active_on(date(2027, 1, 1), "FLA").exists()
    event = Event.objects.get(verb="mandate.closed")
    assert (event.reason, event.data["end"], event.data["party"]) == (
        "The client leaves", "2026-12-31", "mandataire",
    )  # fmt: skip


def test_it_is_closed_by_the_procuration_of_the_employer() -> None:
    mandate = scenes.granted()
    granting.close(mandate, date(2026, 12, 31), "He asked", pdf=scenes.pdf(), today=TODAY)
    assert Procuration.objects.filter(purpose="closure").get().mandate == mandate
    assert told()[-1] == ("mandate.closed", "He asked", "employer")


@pytest.mark.parametrize(
    ("ends_on", "sentence"),
    [
        (date(2026, 12, 30), "last day of a quarter"),
        (date(2026, 11, 30), "last day of a quarter"),
        (date(2026, 9, 30), "present quarter at the earliest"),
        (date(2027, 9, 30), "ends on 30/06/2027 already"),
        (date(2027, 6, 30), "ends on 30/06/2027 already"),
    ],
)
def test_no_other_day_closes_it(ends_on: date, sentence: str) -> None:
    mandate = scenes.granted(ends_on=date(2027, 6, 30))
    with pytest.raises(CannotGrant, match=sentence):
        granting.close(mandate, ends_on, "Why not", today=TODAY)
    assert stored(mandate).ends_on == date(2027, 6, 30)


def test_one_that_is_yet_to_start_ends_after_its_start() -> None:
    mandate = scenes.granted(starts_on=date(2027, 1, 1))
    with pytest.raises(CannotGrant, match="after its start"):
        granting.close(mandate, date(2026, 12, 31), "Changed his mind", today=TODAY)
    granting.close(mandate, date(2027, 3, 31), "Changed his mind", today=TODAY)


# --- our own conflicts ----------------------------------------------------------------------------


def test_a_second_proposal_for_the_same_quarters_is_refused() -> None:
    employer = factories.employer()
    first = scenes.proposed(employer, date(2026, 10, 1))
    with pytest.raises(CannotGrant, match="01/10/2026 waits already"):
        scenes.proposed(employer, date(2027, 1, 1), date(2027, 3, 31))
    scenes.proposed(employer, date(2026, 1, 1), date(2026, 9, 30))
    granting.withdraw(first, "Wrong quarter")
    scenes.proposed(employer, date(2027, 1, 1))


def test_our_own_active_one_is_in_the_way_and_says_so() -> None:
    employer = factories.employer()
    mandate = scenes.granted(employer)
    with pytest.raises(CannotGrant, match=r"You hold the mandate .* since 01/04/2024, without an end"):
        scenes.proposed(employer, date(2027, 1, 1))
    granting.close(mandate, date(2026, 12, 31), "A new contract", today=TODAY)
    with pytest.raises(CannotGrant, match=r"You hold the mandate .* from 01/04/2024 to 31/12/2026"):
        scenes.proposed(employer, date(2026, 10, 1))
    scenes.granted(employer, date(2027, 1, 1))


def test_an_employer_reads_who_holds_it_from_where_he_stands(operator: Person) -> None:
    employer = factories.client()
    boss = factories.place(operator.mandataire, MandateProfile.MANAGE, employer=employer)
    mandate = Mandate.objects.get(employer=employer)
    with tenancy.scope(operator.mandataire.pk, actor=boss.user_id):
        with pytest.raises(
            CannotGrant, match=r"^Your mandataire holds the mandate .* since .*without an end"
        ):
            granting.propose(employer, "FLA", date(2027, 1, 1))
        Mandate.objects.filter(pk=mandate.pk).update(ends_on=date(2027, 3, 31))
        with pytest.raises(
            CannotGrant, match=r"^Your mandataire holds .* to 31/03/2027: choose a quarter after"
        ):
            granting.propose(employer, "FLA", date(2027, 1, 1))
        granting.propose(employer, "FLA", date(2027, 4, 1))
        with pytest.raises(CannotGrant, match=r"01/04/2027 waits already: validate or refuse it"):
            granting.propose(employer, "FLA", date(2027, 4, 1))


def test_another_employer_is_in_nobodys_way() -> None:
    scenes.granted(factories.employer())
    scenes.granted(factories.employer())
    assert Mandate.objects.active_on(TODAY, "FLA").count() == 2


def test_a_client_of_somebody_else_is_not_to_be_had(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        theirs = scenes.granted()
    with pytest.raises(Mandate.DoesNotExist):
        granting.validate(theirs, Party.MANDATAIRE)
    with pytest.raises(Employer.DoesNotExist):
        granting.propose(theirs.employer, "FLA", date(2027, 1, 1))
