"""What is due in a browser: chosen with the keyboard or a finger, simulated, and nothing left to send."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import SIZES, Visit
from tests.browser.test_pages import faults
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("visit", SIZES, indirect=True)
def test_what_is_ready_is_chosen_and_simulated(visit: Visit, operator: Person) -> None:
    visit.sign_in(operator.user.username)
    visit.go("/due/")
    assert faults(visit) == []
    assert visit.overflow() <= 0
    page = visit.page
    everything = page.locator("[data-pick-all]")
    boxes = page.locator("input[name=pick]")
    chosen = page.locator("[data-picked]")
    everything.focus()
    page.keyboard.press("Space")
    assert boxes.first.is_checked()
    assert chosen.text_content() == everything.get_attribute("data-pick-all")
    boxes.first.focus()
    page.keyboard.press("Space")
    assert not everything.is_checked()
    page.keyboard.press("Space")
    assert chosen.text_content() == str(boxes.count())
    page.get_by_role("button", name="Simulate…").press("Enter")
    page.wait_for_url("**/due/send/?**")
    assert faults(visit) == []
    assert visit.overflow() <= 0
    assert page.get_by_role("heading", name="3 declarations leave").is_visible()
    page.get_by_role("button", name="Simulate now").press("Enter")
    page.wait_for_url(re.compile(r"/due/\??$"))
    assert page.get_by_text("3 declarations are sealed and leave in a moment").is_visible()
    assert visit.complaints == []
