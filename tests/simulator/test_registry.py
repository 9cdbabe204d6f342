"""The files that play the outside world."""

import json
import os
from datetime import date
from pathlib import Path

import pytest

from simulator.registry import Period, World, read_registry, read_senders
from tests.simulator import people


def test_a_missing_file_is_an_empty_world(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.senders() == {}
    assert world.registry().workers == frozenset()


def test_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    world = World(tmp_path)
    people.write_world(tmp_path, {"workers": [{"niss": people.ANNA}]})
    people.write_senders(tmp_path, [{"number": "104217", "username": "a"}])
    assert world.registry().workers == {people.ANNA}
    assert world.senders()["a"].number == "104217"
    people.write_world(tmp_path, {"workers": [{"niss": people.ANNA}, {"niss": people.BRAM}]})
    people.write_senders(tmp_path, [])
    assert world.registry().workers == {people.ANNA, people.BRAM}
    assert world.senders() == {}


def test_nothing_is_read_twice_for_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    people.write_world(tmp_path, {"workers": [{"niss": people.ANNA}]})
    assert world.registry() is world.registry()


def test_a_half_written_file_keeps_the_world_as_it_was(tmp_path: Path) -> None:
    world = World(tmp_path)
    people.write_world(tmp_path, {"workers": [{"niss": people.ANNA}]})
    assert world.registry().workers == {people.ANNA}
    (tmp_path / "registry.json").write_text('{"workers": [')
    assert world.registry().workers == {people.ANNA}


@pytest.mark.parametrize(
    ("day", "is_covered"),
    [
        (date(2024, 12, 31), False),
        (date(2025, 1, 1), True),
        (date(2025, 3, 31), True),
        (date(2025, 4, 1), False),
    ],
)
def test_a_period_holds_its_first_and_last_day(day: date, *, is_covered: bool) -> None:
    assert Period(date(2025, 1, 1), date(2025, 3, 31)).covers(day) is is_covered


def test_an_open_period_has_no_end() -> None:
    assert Period(date(2025, 1, 1), None).covers(date(2999, 1, 1))


def test_a_worker_may_have_left_and_come_back() -> None:
    rows = [
        {"employer": people.ACME, "niss": people.ANNA, "from": "2023-01-01", "to": "2023-12-31"},
        {"employer": people.ACME, "niss": people.ANNA, "from": "2025-01-01", "to": None},
    ]
    registry = read_registry({"employments": rows})
    days = (date(2023, 6, 1), date(2024, 6, 1), date(2025, 6, 1))
    assert [registry.is_employed(people.ACME, people.ANNA, day) for day in days] == [True, False, True]
    assert not registry.is_employed(people.BAKERY, people.ANNA, days[0])


def test_employer_numbers_get_their_leading_zero_back() -> None:
    content = json.loads(json.dumps(people.world(senders=[{"number": people.SENDER}])).replace('"0', '"'))
    registry = read_registry(content)
    assert people.ACME in registry.employers
    assert registry.has_mandate(people.SENDER, people.ACME, "FLAD", date(2025, 1, 1))
    assert registry.is_employed(people.ACME, people.ANNA, date(2025, 1, 1))


def test_fingerprints_may_be_written_as_openssl_prints_them() -> None:
    row = {"number": "1", "username": "a", "certificates": ["AB:CD:EF"]}
    assert read_senders({"senders": [row]})["a"].certificates == {"abcdef"}


@pytest.mark.parametrize("username", ["", ".", "..", "../b", "a/b", ".hidden"])
def test_a_user_name_that_could_climb_is_no_user(username: str) -> None:
    assert read_senders({"senders": [{"number": "1", "username": username}]}) == {}


def test_a_file_touched_without_change_of_size_is_read_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    people.write_world(tmp_path, {"workers": [{"niss": people.ANNA}]})
    assert world.registry().workers == {people.ANNA}
    people.write_world(tmp_path, {"workers": [{"niss": people.BRAM}]})
    os.utime(tmp_path / "registry.json", ns=(1, 1))
    assert world.registry().workers == {people.BRAM}
