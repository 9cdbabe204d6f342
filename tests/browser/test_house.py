"""Every page of the house in a browser, in every language: nothing overflows, and axe finds nothing."""

from __future__ import annotations

from itertools import groupby

import pytest

from tests.browser.conftest import SIZES, Places, Visit
from tests.browser.house import NEWCOMER, NOBODY, NOT_PAGES, OPERATOR, Place, asked_for, furnish
from tests.browser.test_pages import faults
from tests.people import Person
from tests.portal.matrix import MATRIX

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WALKS = [("desk", "fr", 0), ("telephone", "nl", 0), ("desk", "de", 1), ("telephone", "en", 1)]
"""Size of the window at first, language, and which half of the pages axe is asked about.

Whether a page fits depends on its words, so each is measured in every language at every size. What axe finds hardly
does, and takes longest: it is asked once of each page at each size. For the window changes once on each page: where
the French walk ends wide the Dutch one ends narrow, and so do the German and the English one on the other half.
"""


FORMS = {
    name for (name, method), line in MATRIX.items() if method == "POST" and line.expected["manager"] == 422
} - {
    *("channel_setup", "channel_server"),  # their forms are not there in the middle of setting up
    "channel_environment",  # its page shows what was chosen
}
"""Addresses that refuse a form with nothing in it, and show it again."""


@pytest.fixture
def house(operator: Person, places: Places) -> list[Place]:
    """All places, those of one person after the other. Made before the browser starts; see `chromium`."""
    return sorted(furnish(operator, places.addresses), key=lambda place: place.who)


def enter(visit: Visit, who: str, language: str) -> None:
    """Comes in as somebody else, with a cookie for the language."""
    visit.page.context.clear_cookies()
    if who == NEWCOMER:
        visit.give_password(who)
        visit.page.wait_for_url("**/security/**")
    elif who != NOBODY:
        visit.sign_in(who)
    visit.page.context.add_cookies([{"name": "django_language", "value": language, "url": visit.origin}])


def too_wide(visit: Visit) -> list[str]:
    """Says by how much the page is wider than windows of every size; leaves the window at another size."""
    found = []
    now = visit.page.viewport_size
    for name, (width, height) in sorted(
        SIZES.items(), key=lambda size: now is None or size[1][0] != now["width"]
    ):
        visit.page.set_viewport_size({"width": width, "height": height})
        if visit.overflow() > 0:
            found.append(f"{visit.overflow()} px too wide on the {name}")
    return found


@pytest.mark.parametrize(
    ("visit", "language", "half"), WALKS, indirect=["visit"], ids=["-".join(walk[:2]) for walk in WALKS]
)
def test_every_page_fits_and_is_for_everybody(
    house: list[Place], visit: Visit, language: str, half: int
) -> None:
    wrong = {}
    for who, theirs in groupby(enumerate(house), key=lambda found: found[1].who):
        enter(visit, who, language)
        for number, place in theirs:
            visit.go(place.address)
            assert visit.page.get_attribute("html", "lang") == language
            found = too_wide(visit)
            if number % 2 == half:
                found += faults(visit)
            if found:
                wrong[f"{place.name} ({place.address})"] = found
    assert wrong == {}
    assert visit.complaints == []


OWN_FORM = (
    "[...document.querySelectorAll('main form[method=post]')].find(form => form.action === location.href)"
)
EMPTIED = f"""() => {{
    const form = {OWN_FORM};
    for (const field of form.querySelectorAll("textarea, input:not([type=hidden], [type=radio])")) {{
        field.value = "";
        field.checked = false;
    }}
    HTMLFormElement.prototype.submit.call(form);
}}"""
"""Sends the form of the page to its own address with nothing in it, past what the browser itself would refuse."""


def test_a_refused_form_is_for_everybody(house: list[Place], visit: Visit) -> None:
    """One page for each address that says what is wrong with what was sent."""
    enter(visit, OPERATOR, "fr")
    wrong = {}
    for place in {
        place.view: place for place in house if place.who == OPERATOR and place.view in FORMS
    }.values():
        visit.go(place.address)
        with visit.page.expect_navigation() as answer:
            visit.page.evaluate(EMPTIED)
        assert answer.value.status == 422, place
        if found := too_wide(visit) + faults(visit):
            wrong[place] = found
    assert wrong == {}
    # That the answer is an error is no complaint.
    assert [said for said in visit.complaints if "status of 422" not in said] == []


def test_no_page_is_left_out(house: list[Place]) -> None:
    """Whoever adds a page adds it to the walk, or says why nobody looks at it."""
    assert asked_for() - {place.view for place in house} == set(NOT_PAGES)
