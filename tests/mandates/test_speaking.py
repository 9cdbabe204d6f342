"""Why nothing leaves for a client, and what to do."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from mandates import granting
from mandates.catalogue import service
from mandates.models import Employer, Mandate
from mandates.speaking import silence
from tests import factories
from tests.people import Person

TODAY = date(2026, 11, 20)
PENDING = {"state": "pending"}
ENDED = {"starts_on": date(2025, 1, 1), "ends_on": date(2026, 9, 30)}
UPCOMING = {"starts_on": date(2027, 1, 1)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mandates", "told"),
    [
        ([], "There is no mandate"),
        ([{"state": "refused"}], "There is no mandate"),
        ([{}], None),
        ([{"ends_on": date(2026, 12, 31)}], None),
        ([ENDED], "ended on 30/09/2026"),
        ([UPCOMING], "starts on 01/01/2027"),
        ([ENDED, UPCOMING], "starts on 01/01/2027"),
        ([{"state": "to_finalise"}], "is prepared"),
        ([PENDING], "waits for both parties"),
        ([ENDED, PENDING], "waits for both parties"),
        ([PENDING | {"validated_by_mandataire_at": timezone.now()}], "waits for the employer"),
        ([PENDING | {"validated_by_employer_at": timezone.now()}], "waits for you"),
        ([{"service": "DMFA"}], "There is no mandate"),
    ],
)
def test_the_sentence_says_what_is_missing(
    operator: Person, mandates: list[dict[str, Any]], told: str | None
) -> None:
    with operator.scope():
        employer = factories.employer()
        for fields in mandates:
            factories.active_mandate(employer, **fields)
        found = silence(employer, Mandate.objects.order_by("pk"), service("FLA"), TODAY)
        may_leave = Employer.objects.spoken_for(TODAY, "FLA").exists()
    assert (found is None) is may_leave
    assert found is None if told is None else told in str(found)


@pytest.mark.parametrize("mandates", [[], [ENDED], [PENDING], [{}]])
def test_its_own_enterprise_is_never_silent(operator: Person, mandates: list[dict[str, Any]]) -> None:
    with operator.scope():
        own = factories.employer(number=operator.mandataire.number)
        factories.employer()  # somebody else, for whom nothing may leave
        for fields in mandates:
            factories.active_mandate(own, **fields)
        assert silence(own, Mandate.objects.order_by("pk"), service("FLA"), TODAY) is None
        assert Employer.objects.spoken_for(TODAY, "FLA").get() == own


def test_an_enterprise_speaks_for_itself_whoever_else_does(operator: Person, stranger: Person) -> None:
    """At most one mandataire holds FLA of an employer; the employer is none, and stays entitled beside it."""
    with operator.scope():
        own = factories.employer(number=operator.mandataire.number)
    with stranger.scope():
        as_mandataire = factories.employer(number=own.number)
        factories.active_mandate(as_mandataire)
        assert Employer.objects.spoken_for(TODAY, "FLA").get() == as_mandataire
    with operator.scope():
        assert Employer.objects.spoken_for(TODAY, "FLA").get() == own


def test_the_number_of_another_mandataire_is_no_entitlement(operator: Person, stranger: Person) -> None:
    with operator.scope():
        theirs = factories.employer(number=stranger.mandataire.number)
        assert "There is no mandate" in str(silence(theirs, [], service("FLA"), TODAY))
        assert not Employer.objects.spoken_for(TODAY, "FLA").exists()


def test_nobody_mandates_himself(operator: Person) -> None:
    with operator.scope():
        own = factories.employer(number=operator.mandataire.number)
        with pytest.raises(granting.CannotGrant, match="your own enterprise"):
            granting.propose(own, "FLA", date(2024, 4, 1))
        assert not Mandate.objects.exists()
