"""Looking up a client in a browser: with the keyboard, with a finger, and without scripts."""

from __future__ import annotations

import pytest

from tests.browser.conftest import SIZES, Visit
from tests.browser.test_pages import faults
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("visit", SIZES, indirect=True)
def test_a_client_is_chosen_with_the_keyboard_or_a_finger(visit: Visit, operator: Person) -> None:
    visit.sign_in(operator.user.username)
    visit.go("/files/new/")
    field = visit.page.get_by_role("combobox", name="Client", exact=False).and_(
        visit.page.locator("[data-clients]")
    )
    options = visit.page.get_by_role("listbox").get_by_role("option")
    field.press_sequentially("e")
    options.nth(1).wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    field.press("ArrowDown")
    field.press("ArrowDown")
    second = options.nth(1)
    assert field.get_attribute("aria-activedescendant") == second.get_attribute("id")
    assert second.get_attribute("aria-selected") == "true"
    assert faults(visit) == []
    assert visit.overflow() <= 0
    wanted = second.text_content()
    field.press("Enter")
    assert field.input_value() == wanted
    assert visit.page.url.endswith("/files/new/")  # Enter chose, and did not send the form.
    assert field.get_attribute("aria-expanded") == "false"
    field.fill("delv")
    options.first.wait_for()
    field.press("Escape")
    assert options.count() == 0
    assert field.input_value() == "delv"
    field.press("ArrowDown")
    options.first.wait_for()
    options.first.click()
    assert field.input_value().startswith("Boulangerie-pâtisserie artisanale Delvaux & Fils (")
    assert visit.complaints == []
