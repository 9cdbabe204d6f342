"""A worker is killed with SIGKILL at a named point; the sweeps repair it, and nobody can tell afterwards."""

from __future__ import annotations

import pytest

from submissions.sweeping import WORKS
from tests.journeys.conftest import Mortal
from tests.journeys.house import House
from tests.journeys.mortal import POINTS

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_every_kind_of_work_has_points() -> None:
    """Imports, balance letters and mail are no part of a record's way: their workers are killed elsewhere."""
    assert {point.work for point in POINTS.values()} == set(WORKS) - {"import", "register", "letters", "tell"}


@pytest.mark.parametrize("point", POINTS)
def test_killed_once(house: House, mortal: Mortal, point: str) -> None:
    house.bring_to(POINTS[point].work)
    if POINTS[point].work == "watch":
        house.let_certificates_end()
    assert mortal.dies(point), "the step never came to this point"
    house.settle()
    house.assert_all_is_well()


@pytest.mark.parametrize("point", ["leaving: after FI", "leaving: after GO", "collecting: GO is deleted"])
def test_killed_at_the_same_point_again_and_again(house: House, mortal: Mortal, point: str) -> None:
    house.bring_to(POINTS[point].work)
    deaths = 0
    while deaths < 3 and mortal.dies(point):
        deaths += 1
    assert deaths
    house.settle()
    house.assert_all_is_well()
