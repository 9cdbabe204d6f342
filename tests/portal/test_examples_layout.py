"""What a client writes in a cell, there and back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.examples import layout

LANGUAGES = ("fr", "nl")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_has_a_heading_of_its_own(language: str) -> None:
    for fields in (layout.WORKER_FIELDS, layout.TRAINING_FIELDS):
        headings = [layout.HEADINGS[language][field] for field in fields]
        assert len(set(headings)) == len(headings)


def test_both_languages_name_the_same_columns_and_values() -> None:
    assert set(layout.HEADINGS["fr"]) == set(layout.HEADINGS["nl"])
    assert {*layout.WORKER_FIELDS, *layout.TRAINING_FIELDS} == set(layout.HEADINGS["fr"])
    for field, words in layout.WORDS["fr"].items():
        assert set(words) == set(layout.WORDS["nl"][field])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_stands_for_two_values(language: str) -> None:
    for words in layout.WORDS[language].values():
        assert len(set(words.values())) == len(words)


@pytest.mark.parametrize(
    ("minutes", "unit", "day_minutes", "french", "dutch"),
    [
        (456, "hours", 456, "7:36", "7:36"),
        (0, "hours", 456, "0:00", "0:00"),
        (125, "hours", 456, "2:05", "2:05"),
        (0, "days", 456, "0 jour", "0 dagen"),
        (228, "days", 456, "0,5 jour", "0,5 dag"),
        (432, "days", 432, "1 jour", "1 dag"),
        (648, "days", 432, "1,5 jour", "1,5 dagen"),
        (2280, "days", 456, "5 jours", "5 dagen"),
    ],
)
def test_durations(minutes: int, unit: str, day_minutes: int, french: str, dutch: str) -> None:
    for language, text in (("fr", french), ("nl", dutch)):
        assert layout.write_duration(minutes, unit, day_minutes, language) == text
        assert layout.read_duration(text, day_minutes, language) == (minutes, unit)


@given(
    halves=st.integers(0, 200),
    day_minutes=st.sampled_from((432, 450, 456, 480)),
    language=st.sampled_from(LANGUAGES),
)
def test_days_come_back_as_they_were_written(halves: int, day_minutes: int, language: str) -> None:
    minutes = halves * day_minutes // 2
    text = layout.write_duration(minutes, "days", day_minutes, language)
    assert layout.read_duration(text, day_minutes, language) == (minutes, "days")


@given(minutes=st.integers(0, 100_000))
def test_hours_come_back_as_they_were_written(minutes: int) -> None:
    assert layout.read_duration(layout.write_hours(minutes), 456, "fr") == (minutes, "hours")


def test_minutes_that_are_no_half_days_are_not_written_as_days() -> None:
    with pytest.raises(ValueError, match="no half days"):
        layout.write_duration(100, "days", 456, "fr")


@pytest.mark.parametrize(
    "text", ["", "7", "7:6", "7:60", "7:366", "1 dag", "0,25 jour", "un jour", "jour", ":"]
)
def test_a_cell_that_is_no_french_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        layout.read_duration(text, 456, "fr")


@given(cents=st.none() | st.integers(0, 10**8))
def test_amounts_come_back(cents: int | None) -> None:
    assert layout.read_amount(layout.write_amount(cents)) == cents


@pytest.mark.parametrize("text", ["125", "125.00", "125,0", "125,000", "1.250,00", "€ 5,00"])
def test_a_cell_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        layout.read_amount(text)


@given(day=st.none() | st.dates(date(1950, 1, 1), date(2049, 12, 31)))
def test_dates_come_back(day: date | None) -> None:
    assert layout.read_date(layout.write_date(day)) == day


@pytest.mark.parametrize("text", ["2025-12-31", "31/13/2025", "29/02/2025", "vrijdag"])
def test_a_cell_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        layout.read_date(text)


@pytest.mark.parametrize("text", ["85.07.30-033.28", "85073003328", " 85 07 30 033 28"])
def test_a_niss_is_read_however_it_is_written(text: str) -> None:
    assert layout.read_niss(text) == "85073003328"
