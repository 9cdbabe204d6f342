"""Faults at random, one after the other and on top of each other. In the end nothing is lost and nothing went twice.

PORTAL_ROUNDS=500 makes more rounds, PORTAL_FIRST_ROUND=1000 other ones; a round that fails is its number alone:
`PORTAL_ROUNDS=1 PORTAL_FIRST_ROUND=1017`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.server import Simulator
from submissions.sweeping import WORKS
from tests.journeys import house as houses
from tests.journeys.conftest import Mortal
from tests.journeys.house import House
from tests.journeys.mortal import POINTS
from tests.journeys.test_wire import ANSWERS, BREAKS

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

ROUNDS = int(os.environ.get("PORTAL_ROUNDS", "25"))
FIRST = int(os.environ.get("PORTAL_FIRST_ROUND", "1"))

ONE_FORM = 2_000
"""Bytes of a file that holds one form: more than nine of them make a second set."""


class Round:
    """One sequence of faults, made by one seed."""

    def __init__(self, house: House, mortal: Mortal, seed: int) -> None:
        self.house, self.mortal, self.random = house, mortal, random.Random(seed)
        self.told: list[str] = []

    def play(self) -> None:
        """Between four and ten acts, drawn with their weights."""
        acts: dict[Callable[[], str], int] = {
            self.work: 5,
            self.kill: 5,
            self.break_the_wire: 3,
            self.answer_strangely: 2,
            self.restart: 1,
            self.pause: 1,
        }
        for act in self.random.choices(list(acts), list(acts.values()), k=self.random.randint(4, 10)):
            self.told.append(act())
        self.calm_down()

    def work(self) -> str:
        """Somebody does one kind of work without any fault of his own."""
        work = self.random.choice(WORKS)
        self.house.do(work)
        return work

    def kill(self) -> str:
        """A worker is killed, if it comes to that point."""
        point = self.random.choice(list(POINTS))
        self.house.bring_to(POINTS[point].work)
        is_dead = self.mortal.dies(point)
        return f"killed {point}" if is_dead else f"not reached {point}"

    def break_the_wire(self) -> str:
        """Something will break the next time, or the next three times."""
        return self._switch({**BREAKS, "garbage": {"garbage": True}}, self.random.randint(1, 3))

    def answer_strangely(self) -> str:
        """The next set, or the next two, are answered in a way of its own."""
        return self._switch(ANSWERS, self.random.randint(1, 2))

    def _switch(self, choices: dict[str, dict[str, Any]], times: int) -> str:
        name = self.random.choice(list(choices))
        for switch, value in choices[name].items():
            # Delays and the number of NOTI are manners, not events: they cannot be counted.
            counted = None if switch in ("noti_delay", "noti_per") else times
            self.house.simulator.set_switches(counted, **{switch: value})
        return f"{name} x {times}"

    def restart(self) -> str:
        """The other side goes away, somebody works all the same, and it comes back."""
        self.house.simulator.stop()
        self.house.do(*self.random.sample(WORKS, 2))
        self.house.simulator.start()
        return "restarted"

    def pause(self) -> str:
        """Sets are taken and not processed for a while."""
        self.house.simulator.set_switches(hold_go=True)
        self.house.do("depart", "leave", "collect")
        self.house.simulator.set_switches(hold_go=None)
        return "paused"

    def calm_down(self) -> None:
        """Nothing breaks any more."""
        usual = {switch: None for choice in (*BREAKS.values(), *ANSWERS.values()) for switch in choice}
        self.house.simulator.set_switches(**usual)


@pytest.fixture
def house(db: None, simulator: Simulator, few: Path) -> House:
    """Both mandataires, each file with one form only, so that there are several sets.

    Their channels are their own: on a shared one, garbage is left where it lies.
    """
    built = houses.build(few, simulator, max_file_bytes=ONE_FORM)
    for sender in built.tenants:
        built.channel(sender, is_exclusive=True)
    return built


@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
def test_whatever_happens(house: House, mortal: Mortal, seed: int) -> None:
    played = Round(house, mortal, seed)
    try:
        played.play()
        house.settle()
        house.assert_all_is_well()
    except BaseException as error:
        error.add_note("\n".join(played.told))
        raise


def test_there_are_several_sets(house: House) -> None:
    house.settle()
    house.assert_all_is_well()
    assert len(house.archived()) > len(house.tenants)
