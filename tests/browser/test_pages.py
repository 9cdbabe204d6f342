"""Pages in a browser: signing in, the content policy, the keyboard, and what works without JavaScript."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import SIZES, Places, Visit
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# axe is injected by the driver, which the content policy of the page does not concern.
# Its `preload` would copy the style sheets into the page, where their relative imports lead nowhere.
# The size of targets is the one rule of WCAG 2.2 AA that axe leaves out unless asked.
RULES = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": True}}}


def faults(visit: Visit) -> list[str]:
    """What axe finds, one line for each rule."""
    found = Axe().run(visit.page, options=RULES).response["violations"]
    return [f"{rule['id']}: {[node['html'][:160] for node in rule['nodes'][:3]]}" for rule in found]


@pytest.mark.parametrize("visit", SIZES, indirect=True)
def test_signing_in_is_for_everybody(visit: Visit, operator: Person) -> None:
    visit.go("/sign-in/")
    assert faults(visit) == []
    assert visit.overflow() <= 0
    visit.page.click("main button[type=submit]")
    visit.page.wait_for_selector(".error-summary")
    assert faults(visit) == []
    visit.give_password(operator.user.username)
    visit.page.wait_for_url("**/sign-in/code/")
    assert faults(visit) == []
    assert visit.overflow() <= 0
    assert visit.complaints == []


def test_the_content_policy_holds(visit: Visit, operator: Person) -> None:
    """The policy is enforced, not only sent: an inline script does not run."""
    visit.sign_in(operator.user.username)
    visit.page.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = 'window.ran = 1'; "
        "document.body.append(script) }"
    )
    assert visit.page.evaluate("() => window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in visit.complaints)


def test_the_keyboard_goes_where_the_mouse_goes(visit: Visit, places: Places, operator: Person) -> None:
    visit.sign_in(operator.user.username)
    visit.page.keyboard.press("g")
    visit.page.keyboard.press("d")
    visit.page.wait_for_url("**/declarations/")
    visit.page.keyboard.press("/")
    assert visit.page.evaluate("document.activeElement.id") == "search"
    visit.page.keyboard.press("Escape")
    visit.page.evaluate("document.activeElement.blur()")
    visit.page.keyboard.press("j")
    first = visit.page.evaluate("document.activeElement.getAttribute('href')")
    assert first.startswith("/records/")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url(f"**{first}")
    assert visit.complaints == []


def test_a_reason_is_asked_before_a_parked_batch_leaves(
    visit: Visit, places: Places, operator: Person
) -> None:
    visit.sign_in(operator.user.username)
    visit.go(places["parked batch"])
    visit.page.click(".actions summary")
    visit.page.fill(".actions textarea[name=reason]", "Confirmé par téléphone")
    visit.page.click(".actions details button[type=submit]")
    visit.page.wait_for_selector(".message-success")
    assert visit.complaints == []


def test_the_batch_page_follows_what_happens(visit: Visit, places: Places, operator: Person) -> None:
    visit.sign_in(operator.user.username)
    visit.go(places["batch"])
    with visit.page.expect_response(lambda answer: "seen=acknowledged" in answer.url) as asked:
        pass
    assert asked.value.ok
    assert visit.complaints == []


def test_without_javascript_the_main_things_work(visit: Visit, places: Places, operator: Person) -> None:
    browser = visit.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = Visit(context.new_page(), visit.origin)
    plain.sign_in(operator.user.username)
    plain.go(places["change"])
    plain.page.fill("input[name=title]", "")
    plain.page.click("main button.button-main")
    plain.page.click(".error-summary a")
    plain.page.fill("input[name=title]", "Sécurité au travail")
    plain.page.click("main button.button-main")
    plain.page.wait_for_selector(".message-success")
    assert plain.page.inner_text("h1") == "Sécurité au travail"
    context.close()
