"""Numbers, days and durations on the pages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from portal.templatetags import presenting
from submissions.fields import BY_NAME

NB = "\u00a0"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_an_enterprise_number_is_written_with_points() -> None:
    assert presenting.bce("0897223670") == "0897.223.670"
    assert presenting.bce("") == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("85073003328", "85.07.30-***.**"), ("85.07.30-***.**", "85.07.30-***.**"), ("", "–")],
)
def test_a_personal_number_is_always_masked(value: str, shown: str) -> None:
    assert presenting.niss(value) == shown


@given(st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_the_last_five_digits_of_a_personal_number_never_show(value: str) -> None:
    assert presenting.niss(value).endswith("-***.**")
    assert sum(character.isdigit() for character in presenting.niss(value)) == 6


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [
        (456, f"7{NB}h{NB}36"),
        (912, f"15{NB}h{NB}12"),
        (60, f"1{NB}h"),
        (61, f"1{NB}h{NB}01"),
        (45, f"45{NB}min"),
        (0, f"0{NB}min"),
        (-456, f"-7{NB}h{NB}36"),
        (60 * 1234, f"1{NB}234{NB}h"),
        (None, "–"),
    ],
)
def test_a_duration_is_hours_and_minutes_never_a_decimal(minutes: int | None, shown: str) -> None:
    assert presenting.duration(minutes) == shown


@given(st.integers(min_value=0, max_value=999_999))
def test_a_duration_loses_no_minute(minutes: int) -> None:
    text = presenting.duration(minutes).replace(NB, "")
    if text.endswith("min"):
        assert int(text.removesuffix("min")) == minutes
    else:
        hours, _, rest = text.partition("h")
        assert int(hours) * 60 + int(rest or 0) == minutes


def test_a_day_is_that_of_belgium() -> None:
    assert presenting.day(date(2026, 11, 21)) == "21/11/2026"
    assert presenting.day(datetime(2026, 11, 20, 23, 30, tzinfo=UTC)) == "21/11/2026"
    assert presenting.day(None) == "–"


def test_a_clock_shows_belgian_time_in_winter_and_summer() -> None:
    assert presenting.clock(datetime(2026, 11, 20, 15, 30, tzinfo=UTC)) == "16:30"
    assert presenting.clock(datetime(2026, 7, 20, 14, 30, tzinfo=UTC)) == "16:30"
    assert presenting.clock(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime(2026, 11, 21, 13, 12, tzinfo=UTC), "14:12"),
        (datetime(2026, 11, 20, 23, 5, tzinfo=UTC), "00:05"),
        (datetime(2026, 11, 20, 15, 30, tzinfo=UTC), f"20/11{NB}16:30"),
        (datetime(2025, 11, 20, 15, 30, tzinfo=UTC), f"20/11/2025{NB}16:30"),
        (None, "–"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_a_moment_is_as_short_as_it_stays_clear(value: datetime | None, shown: str) -> None:
    assert presenting.moment(value) == shown


@time_machine.travel(NOON, tick=False)
def test_a_moment_tells_its_full_date_to_who_points_at_it() -> None:
    html = presenting.when(datetime(2026, 11, 20, 15, 30, 7, tzinfo=UTC))
    assert 'datetime="2026-11-20T16:30:07+01:00"' in html
    assert 'title="20/11/2026 16:30:07"' in html
    assert presenting.when(None) == "–"


@time_machine.travel(NOON, tick=False)
def test_the_moment_of_a_title_speaks_the_language_of_the_page() -> None:
    with translation.override("fr"):
        assert presenting.full_moment(datetime(2026, 11, 20, 10, 0, tzinfo=UTC)) == "20 novembre, 11:00"
        assert presenting.full_moment(datetime(2025, 8, 1, 10, 0, tzinfo=UTC)) == "1 août 2025, 12:00"
    with translation.override("de"):
        assert presenting.full_moment(datetime(2026, 11, 20, 10, 0, tzinfo=UTC)) == "20. November, 11:00"
        assert presenting.spelled(date(2026, 11, 20), "l j F") == "Freitag, 20. November"
    assert presenting.full_moment(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (999, "999"), (12_903, f"12{NB}903"), (1_234_567, f"1{NB}234{NB}567"), (None, "–")],
)
def test_thousands_stand_apart(value: int | None, shown: str) -> None:
    assert presenting.number(value) == shown


@pytest.mark.parametrize(
    ("cents", "shown"),
    [
        (125_000, f"1{NB}250,00{NB}€"),
        (5, f"0,05{NB}€"),
        (-250, f"-2,50{NB}€"),
        (0, f"0,00{NB}€"),
        (None, "–"),
    ],
)
def test_an_amount_has_two_decimals(cents: int | None, shown: str) -> None:
    assert presenting.euros(cents) == shown


def test_a_share_has_one_decimal() -> None:
    assert presenting.percent(98.24) == f"98,2{NB}%"
    assert presenting.percent(100) == f"100,0{NB}%"
    assert presenting.percent(None) == "–"


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (0, f"0{NB}B"),
        (999, f"999{NB}B"),
        (48_211, f"48{NB}kB"),
        (999_499, f"999{NB}kB"),
        (999_500, f"1,0{NB}MB"),
        (3_201_998, f"3,2{NB}MB"),
        (None, "–"),
    ],
)
def test_a_size_has_the_unit_that_fits(octets: int | None, shown: str) -> None:
    assert presenting.size(octets) == shown


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("FI.FLAD.104217.20261120.P0042.S.2.1", "FI….P0042.S.2.1"),
        ("FO.ACRF.999999.20140628.00001.R", "FO.ACRF.999999.20140628.00001.R"),
        ("notes.txt", "notes.txt"),
        ("", ""),
    ],
)
def test_a_file_name_loses_its_middle(name: str, short: str) -> None:
    assert presenting.file_short(name) == short


@pytest.mark.parametrize(
    ("full", "user", "letters"),
    [
        ("Carine Dubois", "carine", "CD"),
        ("Jan van den Broeck", "jan", "JB"),
        ("", "stephanie", "S"),
        ("", "jan.peeters", "JP"),
        ("Élodie Été", "e", "ÉÉ"),
    ],
)
def test_somebody_has_one_or_two_letters(full: str, user: str, letters: str) -> None:
    class Somebody:
        def get_full_name(self) -> str:
            return full

        def get_username(self) -> str:
            return user

    assert presenting.initials(Somebody()) == letters
    assert presenting.person_name(Somebody()) == (full or user)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("title", "Hygiène", "Hygiène"),
        ("title", "", "–"),
        ("starts_on", date(2025, 10, 2), "02/10/2025"),
        ("duration_minutes", 456, f"7{NB}h{NB}36"),
        ("charged_minutes", 0, f"0{NB}min"),
        ("cost_cents", 0, f"0,00{NB}€"),
        ("cost_cents", None, "–"),
        ("working_hours", "", "–"),
    ],
)
def test_a_field_is_shown_as_its_kind_asks(name: str, value: object, shown: str) -> None:
    assert presenting.shown(BY_NAME[name], value) == shown


def test_a_choice_is_shown_in_words() -> None:
    with translation.override("en"):
        assert presenting.shown(BY_NAME["status"], "not_followed") == "Not followed"
