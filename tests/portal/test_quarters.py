"""The time line of mandates: every bar where its quarters are, and its words where they can be read."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation
from lxml import html

from mandates.states import STANDINGS
from portal.templatetags.quarters import AFTER, BEFORE, QUARTER, lanes, ticks
from portal.templatetags.wording import STATES

TODAY = date(2026, 11, 20)
FIRST, COUNT = "20261", BEFORE + 1 + AFTER


def mandate(starts_on: date, ends_on: date | None = None, standing: str = "active") -> dict[str, Any]:
    return {"starts_on": starts_on, "ends_on": ends_on, "standing": standing, "service": "FLA <x>"}


def draw(*mandates: dict[str, Any], language: str = "en") -> html.HtmlElement:
    with translation.override(language):
        source = Template("{% load quarters %}{% mandate_timeline mandates today %}")
        return html.fromstring(source.render(Context({"mandates": list(mandates), "today": TODAY})))


def test_the_present_quarter_is_marked_and_years_are_named_once() -> None:
    drawn = ticks(FIRST, COUNT, "20264")
    assert [tick.is_now for tick in drawn].index(True) == BEFORE
    assert [tick.year for tick in drawn if tick.year] == ["2026", "2027", "2028"]
    assert [tick.x for tick in drawn] == [place * QUARTER for place in range(COUNT)]


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "first", "last"),
    [
        (date(2026, 1, 1), date(2026, 3, 31), 0, 1),
        (date(2026, 10, 1), date(2027, 6, 30), 3, 6),
        (date(2028, 10, 1), date(2028, 12, 31), 11, 12),
    ],
)
def test_a_bar_covers_exactly_its_quarters(starts_on: date, ends_on: date, first: int, last: int) -> None:
    (lane,) = lanes([mandate(starts_on, ends_on)], FIRST, COUNT)
    assert (lane.x, lane.x + lane.width) == (first * QUARTER, last * QUARTER)


def test_what_goes_on_beyond_the_drawing_runs_over_its_edges() -> None:
    (lane,) = lanes([mandate(date(2024, 4, 1))], FIRST, COUNT)
    assert lane.x < 0
    assert lane.x + lane.width > COUNT * QUARTER
    assert lane.text_x > 0


def test_a_word_stands_beside_a_bar_of_which_too_little_is_seen() -> None:
    (lane,) = lanes([mandate(date(2024, 4, 1), date(2026, 3, 31), "withdrawn")], FIRST, COUNT)
    assert lane.text_x > lane.x + lane.width


def test_bars_name_their_service_when_there_are_several() -> None:
    one, other = mandate(date(2026, 1, 1)), mandate(date(2026, 4, 1)) | {"service": "Dimona"}
    assert [lane.word for lane in lanes([one, one], FIRST, COUNT)] == ["Active", "Active"]
    assert [lane.word for lane in lanes([one, other], FIRST, COUNT)] == ["FLA <x>: Active", "Dimona: Active"]


def test_what_lies_outside_of_the_drawing_is_left_to_the_table() -> None:
    outside = [mandate(date(2024, 4, 1), date(2025, 12, 31)), mandate(date(2029, 1, 1))]
    assert lanes(outside, FIRST, COUNT) == []


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("place", range(COUNT))
def test_the_word_of_a_bar_stays_inside_the_drawing(standing: str, place: int) -> None:
    year, quarter = divmod(place, 4)
    starts_on = date(2026 + year, quarter * 3 + 1, 1)
    ends_on = date(2026 + year, quarter * 3 + 3, 30 if quarter in (1, 2) else 31)
    (lane,) = lanes([mandate(starts_on, ends_on, standing)], FIRST, COUNT)
    assert lane.text_x >= 0
    assert lane.text_x + 20 + len(lane.word) * 7 <= COUNT * QUARTER


def test_a_state_is_a_word_a_sign_and_a_colour() -> None:
    drawn = draw(*(mandate(date(2026, 1, 1), None, standing) for standing in STANDINGS))
    for standing, word in zip(STANDINGS, drawn.find_class("lane-word"), strict=True):
        wording = STATES["mandate"][standing]
        assert word.text_content() == str(wording.word)
        group = word.getparent()
        assert f"lane-{wording.tone}" in group.get("class").split()
        assert ("lane-open" in group.get("class")) == (standing in ("pending", "to_finalise"))
        assert group.find_class("lane-sign")[0].xpath("./*")
        assert group.findtext("title").startswith("FLA <x>: ")


def test_the_drawing_has_a_name_and_takes_the_focus_to_be_scrolled() -> None:
    box = draw(mandate(date(2026, 1, 1)))
    assert box.get("tabindex") == "0"
    assert box.find("svg").get("role") == "img"
    assert "table below" in box.find("svg").get("aria-label")
