"""Linking an account and signing in with it, in a real browser, whose content policy has a say in every step."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from portal.identity.models import IdentityProvider
from tests import factories
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def window(live_server: Any, operator: Person, provider: IdentityProvider) -> Iterator[Page]:
    """A window on the portal; the rows are made before the browser starts. It trusts the certificate of the tests."""
    if not CHROMIUM.exists() and shutil.which("chromium") is None:
        pytest.skip(f"no browser: {CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS])
        context = chromium.new_context(
            base_url=live_server.url,
            ignore_https_errors=True,
            locale="en",
            viewport={"width": 1366, "height": 768},
        )
        yield context.new_page()
        chromium.close()


def test_an_account_is_linked_and_then_opens_the_portal(window: Page, operator: Person) -> None:
    complaints: list[str] = []
    window.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    window.goto("/sign-in/")
    window.fill("input[name=username]", "operator")
    window.fill("input[name=password]", factories.PASSWORD)
    window.click("main button[type=submit]")
    window.wait_for_url("**/sign-in/code/")
    window.fill("input[name=code]", factories.code())
    window.click("main .button-main")
    window.wait_for_url("**/")
    window.goto("/profile/")
    window.get_by_role("button", name="Link Compte du bureau").click()
    window.get_by_role("link", name="Go to Compte du bureau").click()
    window.get_by_text("Linked: from now on you can sign in with Compte du bureau.").wait_for()
    window.locator("summary.avatar").click()
    window.locator(".header-wide form[action='/sign-out/'] button").click()
    window.get_by_role("link", name="Sign in with your organisation's account").click()
    window.get_by_label("Enterprise number (BCE) of your organisation").fill(operator.mandataire.number)
    window.get_by_role("button", name="Continue").click()
    window.get_by_role("link", name="Compte du bureau").click()
    window.wait_for_url("**/")
    window.get_by_role("heading", level=1).wait_for()
    assert window.locator(".tenant-name").inner_text() == "Secrétariat social A"
    assert complaints == []
