"""Passkeys in a real browser: Chromium with a virtual authenticator, which knows its user as a telephone does."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models import Profile
from tests import factories
from tests.browser.conftest import SIZES, Visit
from tests.browser.test_pages import faults
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def newcomer(operator: Person) -> Person:
    """Somebody who has a password and no second factor yet. Made before the browser starts, see `chromium`."""
    user = factories.place(operator.mandataire, Profile.ENCODE, username="newcomer", has_app=False).user
    return Person(user, operator.mandataire, operator.client)


def plug_in(visit: Visit, **changes: Any) -> tuple[Any, str]:
    """Gives the browser an authenticator; returns the wire to it, and its id."""
    wire = visit.page.context.new_cdp_session(visit.page)
    wire.send("WebAuthn.enable")
    made = wire.send("WebAuthn.addVirtualAuthenticator", {"options": {**AUTHENTICATOR, **changes}})
    return wire, made["authenticatorId"]


def add_passkey(visit: Visit, name: str = "My laptop") -> None:
    visit.go("/security/")
    visit.page.fill("input[name=name]", name)
    visit.page.click("form[data-passkey=create] button[type=submit]")
    visit.page.wait_for_selector(".codes")


def sign_out(visit: Visit) -> None:
    visit.page.click(".header-wide summary")
    visit.page.click(".header-wide form[action='/sign-out/'] button")
    visit.page.wait_for_url(visit.origin + "/sign-in/")


def use_passkey(visit: Visit) -> None:
    visit.page.click("form[data-passkey=get] button[type=submit]")


def test_a_passkey_is_made_and_signs_in_alone_and_after_the_password(
    visit: Visit, operator: Person, settings: Any
) -> None:
    plug_in(visit)
    visit.sign_in(operator.user.username)
    add_passkey(visit)
    assert len(visit.page.query_selector_all(".codes li")) == 10
    with visit.page.expect_download() as download:
        visit.page.click("a[download]")
    assert download.value.suggested_filename == "recovery-codes.txt"

    sign_out(visit)
    use_passkey(visit)
    visit.page.wait_for_url(visit.origin + "/")

    sign_out(visit)
    visit.page.fill("input[name=username]", operator.user.username)
    visit.page.fill("input[name=password]", factories.PASSWORD)
    visit.page.click("main .button-main")
    visit.page.wait_for_url(visit.origin + "/sign-in/code/")
    use_passkey(visit)
    visit.page.wait_for_url(visit.origin + "/")

    settings.CONFIRM_AFTER = 0
    visit.go("/confirm/?why=people&next=/team/")
    use_passkey(visit)
    visit.page.wait_for_url(visit.origin + "/team/")
    settings.CONFIRM_AFTER = 900

    visit.go("/security/")
    assert "My laptop" in visit.page.inner_text("main")
    visit.page.click("button[aria-label$='My laptop']")
    visit.page.wait_for_selector(".message-success")
    assert visit.complaints == []


def test_a_passkey_that_was_removed_opens_nothing(visit: Visit, operator: Person) -> None:
    plug_in(visit)
    visit.sign_in(operator.user.username)
    add_passkey(visit)
    visit.go("/security/")
    visit.page.click("button[aria-label$='My laptop']")
    visit.page.wait_for_selector(".message-success")
    sign_out(visit)
    use_passkey(visit)
    visit.page.wait_for_selector(".message-error")
    assert visit.page.url == visit.origin + "/sign-in/"


def test_a_device_that_does_not_know_who_is_there_makes_no_passkey(visit: Visit, operator: Person) -> None:
    """It would open the portal to whoever holds it, without a password."""
    plug_in(visit, hasUserVerification=False, isUserVerified=False)
    visit.sign_in(operator.user.username)
    visit.go("/security/")
    visit.page.fill("input[name=name]", "Found on the street")
    visit.page.click("form[data-passkey=create] button[type=submit]")
    visit.page.wait_for_selector("[data-passkey-fault]:not([hidden])")


@pytest.mark.parametrize("visit", SIZES, indirect=True)
def test_the_pages_of_signing_in_are_for_everybody(visit: Visit, operator: Person) -> None:
    plug_in(visit)
    visit.go("/sign-in/")
    visit.page.fill("input[name=username]", operator.user.username)
    visit.page.fill("input[name=password]", factories.PASSWORD)
    visit.page.click("main .button-main")
    visit.page.wait_for_url("**/sign-in/code/")
    wrong = {"second step": faults(visit)}
    visit.page.fill("input[name=code]", factories.code())
    visit.page.click("main .button-main")
    visit.page.wait_for_url(visit.origin + "/")
    for address in ("/security/", "/profile/", "/confirm/?why=send&next=/"):
        visit.go(address)
        wrong[address] = faults(visit)
        if visit.overflow() > 0:
            wrong[address].append("too wide")
    visit.go("/security/")
    visit.page.click("form[action='/security/codes/'] button")
    visit.page.wait_for_selector(".codes")
    wrong["codes"] = faults(visit)
    assert not any(wrong.values()), wrong
    assert visit.complaints == []


def test_somebody_without_a_second_factor_sets_one_up_by_passkey(newcomer: Person, visit: Visit) -> None:
    plug_in(visit)
    visit.go("/sign-in/")
    visit.page.fill("input[name=username]", newcomer.user.username)
    visit.page.fill("input[name=password]", factories.PASSWORD)
    visit.page.click("main .button-main")
    visit.page.wait_for_url(visit.origin + "/security/")
    assert faults(visit) == []
    visit.page.click("a[href='/security/app/']")
    visit.page.wait_for_url("**/security/app/")  # with its pictures
    assert visit.page.evaluate("document.querySelector('.qr').naturalWidth") > 0
    assert faults(visit) == []
    add_passkey(visit, "Telephone")
    visit.page.click(".button-main")
    visit.page.wait_for_url(visit.origin + "/")
    assert visit.complaints == []
