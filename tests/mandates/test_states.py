"""The table of moves, and how a mandate stands on a day: in Python and in the database the same."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from mandates.models import Mandate
from mandates.numbers import quarter_after, quarter_days, quarter_of
from mandates.states import MANDATE_MOVES, STANDINGS, MandateState, standing, standing_filter
from portal.moving import ForbiddenMove, LostRace
from portal.templatetags.wording import STATES
from tests import factories
from tests.people import Person

TODAY = date(2026, 11, 20)


def test_every_state_has_its_moves_and_none_leads_back() -> None:
    assert set(MANDATE_MOVES) == set(MandateState)
    order = list(MandateState)
    for old, reachable in MANDATE_MOVES.items():
        assert all(order.index(MandateState(new)) > order.index(MandateState(old)) for new in reachable)


def test_every_standing_has_its_words() -> None:
    assert set(STATES["mandate"]) == set(STANDINGS)


@pytest.mark.parametrize(
    ("number", "quarter", "expected"),
    [(0, "20264", "20264"), (1, "20264", "20271"), (-1, "20261", "20254"), (9, "20262", "20283")],
)
def test_quarters_are_counted_over_the_turn_of_a_year(number: int, quarter: str, expected: str) -> None:
    assert quarter_after(quarter, number) == expected


def test_the_quarter_after_begins_the_day_after() -> None:
    for place in range(40):
        quarter = quarter_after("20231", place)
        first, last = quarter_days(quarter)
        assert quarter_of(first) == quarter_of(last) == quarter
        assert quarter_days(quarter_after(quarter))[0] == last + timedelta(days=1)


CASES = [
    ({"state": "to_finalise"}, "to_finalise"),
    ({"state": "pending"}, "pending"),
    ({"state": "refused"}, "refused"),
    ({"state": "closed"}, "withdrawn"),
    ({}, "active"),
    ({"ends_on": date(2027, 3, 31)}, "active"),
    ({"ends_on": date(2026, 12, 31)}, "ending"),
    ({"ends_on": date(2026, 9, 30)}, "ended"),
    ({"starts_on": date(2027, 1, 1)}, "upcoming"),
    ({"starts_on": date(2027, 1, 1), "ends_on": date(2027, 3, 31)}, "upcoming"),
]


@pytest.mark.django_db
def test_the_database_and_the_pages_agree_on_how_it_stands(operator: Person) -> None:
    with operator.scope():
        expected = {factories.active_mandate(**fields).pk: name for fields, name in CASES}
        assert {row.pk: standing(row, TODAY) for row in Mandate.objects.all()} == expected
        for name in STANDINGS:
            found = set(Mandate.objects.filter(standing_filter(name, TODAY)).values_list("pk", flat=True))
            assert found == {pk for pk, other in expected.items() if other == name}, name
    assert set(expected.values()) == set(STANDINGS)


@pytest.mark.django_db
@pytest.mark.parametrize("day", [date(2026, 10, 1), date(2026, 12, 31)])
def test_the_first_and_the_last_day_belong_to_the_mandate(operator: Person, day: date) -> None:
    with operator.scope():
        mandate = factories.active_mandate(starts_on=date(2026, 10, 1), ends_on=date(2026, 12, 31))
        assert standing(mandate, day) == "ending"
        assert Mandate.objects.active_on(day, "FLA").exists()


@pytest.mark.django_db
def test_a_move_is_guarded(operator: Person) -> None:
    with operator.scope():
        mandate = factories.active_mandate(state=MandateState.PENDING)
        same = Mandate.objects.get()
        mandate.move(MandateState.REFUSED)
        with pytest.raises(LostRace):
            same.move(MandateState.ACTIVE)
        with pytest.raises(ForbiddenMove):
            mandate.move(MandateState.ACTIVE)
