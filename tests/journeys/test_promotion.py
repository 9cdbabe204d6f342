"""From the simulation to production: a set is tried out, what is good is sent to production, and both are answered."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest

from channels.naming import parse_name
from portal import audit, tenancy
from submissions import promoting
from submissions.conserving import account
from submissions.models import Batch, Declaration
from submissions.promoting import Fate
from submissions.states import ACCEPTED, DeclarationState
from tests.journeys.house import House, references_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tried(house: House) -> House:
    """Everything went to the simulation, and is answered there."""
    for sender in house.tenants:
        house.channel(sender, environment="S")
    house.settle()
    return house


def _promote(house: House) -> dict[str, Counter[Fate]]:
    """Sends every set of both mandataires to production."""
    return {
        sender: sum((promoting.promote(batch) for batch in Batch.objects.order_by("pk")), Counter())
        for sender, _ in house.scopes()
    }


def _asserted_apart(house: House) -> None:
    """Each set lies where its name belongs, over there and here, and no declaration of ours went both ways."""
    for sender in house.tenants:
        places = {
            row[0]: row[1]
            for row in house.ask_simulator(
                f"select key, directory from sets where username = 'expediteur-{sender}'"
            )
        }
        assert {key[-1]: directory for key, directory in places.items()} == {"R": "IN", "S": "INTEST-S"}
        assert all(directory == {"R": "IN", "S": "INTEST-S"}[key[-1]] for key, directory in places.items())
    there: dict[str, str] = {}
    for path in house.archived():
        letter = parse_name(f"GO.{path.name}.1").environment.value
        for reference in references_in(path):
            assert there.setdefault(reference, letter) == letter
        assert bool(list(path.glob("FS.*"))) == (letter == "R"), "production is signed, the simulation is not"
    for _ in house.scopes():
        sent = dict(
            Declaration.objects.filter(batch__isnull=False)
            .order_by("pk")
            .values_list("reference", "environment")
        )
        assert sent.items() <= there.items()


def _law(mandataire: UUID) -> None:
    assert account(mandataire).breaks == []
    assert audit.verify(mandataire)[1] is None


def test_what_the_simulation_accepted_is_declared_in_production(tried: House) -> None:
    for sender, mandataire in tried.tenants.items():
        found = account(mandataire)
        assert found.within("S") == tried.expected[sender]
        assert not found.within("R")
        assert not list((tried.home(sender) / "IN").glob("*")), "nothing of the simulation touches production"
    sent = _promote(tried)
    tried.settle()
    for sender, mandataire in tried.tenants.items():
        found, expected = account(mandataire), tried.expected[sender]
        good = sum(expected[state] for state in ACCEPTED)
        assert sent[sender][Fate.GOOD] == good > 0
        assert sent[sender][Fate.REFUSED] == expected[DeclarationState.REFUSED]
        assert found.within("S") == expected, "what was tested stays as it was answered"
        # Production reads the same registers, so it accepts the same, with the same remarks.
        assert found.within("R") == Counter({state: expected[state] for state in ACCEPTED if expected[state]})
        _law(mandataire)
        with tenancy.scope(mandataire):
            assert not Declaration.objects.tested().exists()
            assert set(Batch.objects.order_by("pk").values_list("state", flat=True)) == {"answered"}
        assert tried.channel(sender).environment == "S", "the channel stays where it was"
    _asserted_apart(tried)
    assert not list(tried.simulator.root.glob("home/*/OUT*/*")), "the answers of both places are fetched"


def test_a_machine_that_dies_between_the_two_loses_nothing(tried: House) -> None:
    """Sealed for production and not left: the sweep takes it up, whichever environment the channel is in."""
    _promote(tried)
    tried.do("depart")
    for sender in tried.tenants:
        tried.channel(sender, environment="T")
    tried.settle()
    for sender, mandataire in tried.tenants.items():
        found = account(mandataire)
        good = sum(tried.expected[sender][state] for state in ACCEPTED)
        assert found.within("R").total() == good
        assert not found.within("T")
        _law(mandataire)
    _asserted_apart(tried)
