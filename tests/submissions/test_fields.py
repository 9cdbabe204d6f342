"""The field table, and the sentences about what is wrong with a record."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils.translation import override

from submissions.fields import (
    BY_ELEMENT,
    BY_NAME,
    FIELDS,
    FIRST_DAY,
    LAST_DAY,
    has_illegal_characters,
    is_empty,
    problems,
)

from .wire.samples import BARE, FULL


def only(name: str, **changes: Any) -> str:
    """The single sentence about the single field that is wrong."""
    found = problems(FULL | changes)
    assert list(found) == [name]
    (sentence,) = found[name]
    return sentence


def test_the_order_and_the_names_of_the_table() -> None:
    assert [item.name for item in FIELDS] == [
        "title", "kind", "starts_on", "ends_on", "duration_unit", "duration_minutes", "day_minutes",
        "status", "charged_minutes", "nature", "result", "certificate", "certificate_valid_until",
        "funding", "provider", "working_hours", "cost_cents", "domain",
    ]  # fmt: skip
    assert len(BY_NAME) == len(BY_ELEMENT) == len(FIELDS)


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_every_field_can_be_shown_and_documented(item) -> None:
    assert str(item.label)
    assert str(item.hint).endswith((".", "..."))
    assert item.source
    assert (item.kind == "choice") == bool(item.choices)
    assert (item.kind == "text") == (item.max_length is not None)
    assert all(str(choice.label) and choice.wire == value.upper() for value, choice in item.choices.items())
    assert item.element.isalpha()


@pytest.mark.parametrize("record", [FULL, BARE])
def test_a_good_record_has_no_problem(record: dict[str, Any]) -> None:
    assert problems(record) == {}


def test_an_empty_record_lacks_every_required_field() -> None:
    assert list(problems({})) == [item.name for item in FIELDS if item.required]
    assert problems({}) == problems(dict.fromkeys(BY_NAME)) == problems(dict.fromkeys(BY_NAME, "   "))


def test_what_is_no_field_is_not_judged() -> None:
    assert problems(FULL | {"colour": object()}) == {}


@pytest.mark.parametrize("item", [item for item in FIELDS if item.max_length], ids=lambda item: item.name)
def test_a_text_ends_at_its_limit(item) -> None:
    assert problems(FULL | {item.name: "é" * item.max_length}) == {}
    sentence = only(item.name, **{item.name: "é" * (item.max_length + 1)})
    assert str(item.max_length) in sentence
    assert str(item.max_length + 1) in sentence


def test_a_character_that_cannot_be_sent_is_pointed_at() -> None:
    sentence = only("title", title="abc\x0bd")
    assert "4" in sentence
    assert "U+000B" in sentence


@pytest.mark.parametrize("name", ["title", "provider"])
def test_a_text_must_be_text(name: str) -> None:
    assert only(name, **{name: 12}) == "This must be text."


@pytest.mark.parametrize("value", ["2025-03-03", 20250303, datetime(2025, 3, 3, tzinfo=UTC)])
def test_a_day_must_be_a_day(value: object) -> None:
    assert only("starts_on", starts_on=value) == "This must be a day."


@pytest.mark.parametrize("day", [date(1999, 12, 31), date(25, 3, 3), date(2100, 1, 1)])
def test_a_year_out_of_range_is_a_typing_mistake(day: date) -> None:
    assert f"{day.year} cannot be right" in only("starts_on", starts_on=day)


def test_the_first_and_the_last_year_count() -> None:
    for day in (FIRST_DAY, LAST_DAY):
        days = {"starts_on": day, "ends_on": day, "certificate_valid_until": None, "duration_minutes": 480}
        assert problems(FULL | days) == {}


@pytest.mark.parametrize("value", ["FORMAL", "both", 1, ["formal"]])
def test_a_choice_names_the_admitted_values(value: object) -> None:
    assert "formal, informal" in only("kind", kind=value)


def test_a_refused_choice_is_quoted_short_and_clean() -> None:
    sentence = only("kind", kind="x" * 500 + "\x00")
    assert len(sentence) < 150
    assert not has_illegal_characters(only("kind", kind="\x00\ud800"))


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("duration_minutes", 0, "more than zero"),
        ("duration_minutes", -5, "more than zero"),
        ("duration_minutes", 1_000_000, "too much"),
        ("day_minutes", 8, "at least 60"),
        ("day_minutes", 721, "at most 720"),
        ("charged_minutes", -1, "negative"),
        ("cost_cents", -1, "negative"),
        ("cost_cents", 1_000_000_000, "9999999 euros"),
        ("duration_minutes", True, "whole number"),
        ("cost_cents", 12.5, "whole number"),
        ("charged_minutes", "12", "whole number"),
    ],
)
def test_a_number_out_of_bounds(name: str, value: object, part: str) -> None:
    assert part in only(name, **{name: value})


def test_zero_is_a_value() -> None:
    assert problems(FULL | {"charged_minutes": 0, "cost_cents": 0}) == {}
    assert not is_empty(0)


def test_the_last_day_is_not_before_the_first() -> None:
    assert "before the first day" in only("ends_on", ends_on=date(2025, 3, 2))
    assert problems(FULL | {"ends_on": FULL["starts_on"]}) == {}


def test_the_certificate_does_not_expire_before_the_training_starts() -> None:
    assert "expires before" in only("certificate_valid_until", certificate_valid_until=date(2025, 3, 2))
    assert problems(FULL | {"certificate_valid_until": FULL["starts_on"]}) == {}


def test_no_more_is_charged_than_the_training_lasts() -> None:
    assert "912" in only("charged_minutes", charged_minutes=913)
    assert problems(FULL | {"charged_minutes": 912}) == {}


def test_a_duration_must_fit_in_its_days() -> None:
    assert problems(FULL | {"duration_minutes": 2 * 24 * 60}) == {}
    sentence = only("duration_minutes", duration_minutes=2 * 24 * 60 + 1)
    assert "49 hours" in sentence
    assert "2 days" in sentence


def test_rules_between_fields_wait_until_each_is_right_by_itself() -> None:
    assert "day" in only("ends_on", ends_on="soon")
    assert list(problems(FULL | {"starts_on": None, "ends_on": date(2025, 3, 2)})) == ["starts_on"]
    assert list(problems(FULL | {"duration_minutes": -1, "charged_minutes": 5})) == ["duration_minutes"]


def test_several_problems_are_told_at_once() -> None:
    found = problems(FULL | {"title": "", "ends_on": date(2025, 1, 1), "charged_minutes": 5000})
    assert set(found) == {"title", "ends_on", "charged_minutes"}


@pytest.mark.parametrize(
    "character", ["\t", "\n", "\r", " ", "\x7f", "\x85", "\ud7ff", "\ue000", "\ufffd", "\U0001f600"]
)
def test_what_xml_can_carry_is_legal(character: str) -> None:
    assert not has_illegal_characters(character)


@pytest.mark.parametrize(
    "character", ["\x00", "\x08", "\x0b", "\x0c", "\x0e", "\x1f", "\ud800", "\ufffe", "\uffff"]
)
def test_what_xml_cannot_carry_is_illegal(character: str) -> None:
    assert has_illegal_characters(f"a{character}b")


@pytest.mark.parametrize("language", ["fr", "nl", "de"])
def test_the_sentences_can_be_asked_in_any_language(language: str) -> None:
    with override(language):
        assert set(problems({})) == {item.name for item in FIELDS if item.required}
