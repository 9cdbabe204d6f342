"""An employer encodes one training for forty workers: with how many fields and clicks, and without scripts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date

import pytest

from mandates.models import Employer
from portal.models import Profile, User
from tests import factories
from tests.browser.conftest import SIZES, Places, Visit
from tests.browser.test_pages import faults
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORKERS = 40


@pytest.fixture
def somebody(places: Places, operator: Person) -> User:
    """Works at the client, whose forty workers are in two joint committees; one of them had a training already."""
    with operator.scope():
        client = Employer.objects.get(name__startswith="Boulangerie-p")
        for place in range(WORKERS):
            worker = factories.worker(client, family_name="Peeters", given_name=f"Zoë {place:02}")
            factories.contract(worker, joint_committee="200" if place % 4 else "302")
        factories.record(
            worker,
            title="Accueil",
            starts_on=date(2026, 3, 9),
            ends_on=date(2026, 3, 9),
            duration_minutes=456,
        )
    return factories.place(operator.mandataire, Profile.ENCODE, employer=client, username="employer").user


@dataclass
class Hands:
    """What somebody does with a page, counted: fields filled in and clicks."""

    visit: Visit
    fields: list[str] = field(default_factory=list)
    clicks: list[str] = field(default_factory=list)

    def fill(self, label: str, text: str) -> None:
        self.fields.append(label)
        self.visit.page.get_by_label(label, exact=True).fill(text)

    def click(self, selector: str) -> None:
        self.clicks.append(selector)
        self.visit.page.locator(selector).click()


@pytest.mark.parametrize("visit", SIZES, indirect=True)
def test_forty_workers_are_three_fields_and_five_clicks(
    somebody: User, visit: Visit, places: Places, operator: Person
) -> None:
    visit.sign_in(somebody.username)
    page, hands, began = visit.page, Hands(visit), time.monotonic()
    hands.click(".page-head .button-main")
    hands.fill("Title", "Premiers secours")
    hands.fill("Nature", "Sécurité")
    hands.fill("First day", "09/03/2026")
    assert faults(visit) == []
    assert visit.overflow() <= 0
    hands.click(".form-bar .button-main")
    page.wait_for_selector("[data-pick-all]")
    assert faults(visit) == []
    hands.click("[data-pick-all]")
    assert page.inner_text("[data-picked]") == str(
        WORKERS + 1
    )  # one without any contract came with the places
    assert visit.overflow() <= 0
    hands.click(".form-bar .button-main")
    page.wait_for_selector("text=Day too full")
    assert faults(visit) == []
    assert visit.overflow() <= 0
    hands.click(".form-bar .button-main")
    page.wait_for_selector(".message-success")
    took = time.monotonic() - began
    assert faults(visit) == []
    assert visit.overflow() <= 0
    assert hands.fields == ["Title", "Nature", "First day"]
    assert len(hands.clicks) == 5
    assert took < 60
    assert visit.complaints == []
    assert f"{WORKERS + 1} workers" in page.inner_text("#rows-title")


def test_a_group_and_a_name_narrow_the_choice(
    somebody: User, visit: Visit, places: Places, operator: Person
) -> None:
    visit.sign_in(somebody.username)
    visit.go("/trainings/new/")
    for label, text in {"Title": "Hygiène", "Nature": "Hygiène", "First day": "09/03/2026"}.items():
        visit.page.get_by_label(label, exact=True).fill(text)
    visit.page.click(".form-bar .button-main")
    visit.page.check("[data-pick-group][value='jc:302']")
    assert visit.page.inner_text("[data-picked]") == "10"
    visit.page.fill("#search", "zoë 01")
    assert visit.page.locator("[data-pick-row]:visible").count() == 1
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("Space")
    assert visit.page.inner_text("[data-picked]") == "11"
    visit.page.fill("#search", "zoë 00")
    visit.page.uncheck("[data-pick-row]:visible input")
    assert visit.page.inner_text("[data-picked]") == "10"
    assert not visit.page.is_checked("[data-pick-group][value='jc:302']")
    visit.page.click(".form-bar .button-main")
    assert visit.page.locator("tbody tr").count() == 10
    assert visit.complaints == []


def test_without_scripts_nobody_is_lost(
    somebody: User, visit: Visit, places: Places, operator: Person
) -> None:
    browser = visit.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = Visit(context.new_page(), visit.origin)
    plain.sign_in(somebody.username)
    plain.go("/trainings/new/")
    for label, text in {"Title": "Hygiène", "Nature": "Hygiène", "First day": "09/03/2026"}.items():
        plain.page.get_by_label(label, exact=True).fill(text)
    plain.page.click(".form-bar .button-main")
    plain.page.check("[name=worker] >> nth=3")
    plain.page.fill("#search", "zoë 01")
    plain.page.click(".search .button")
    assert plain.page.locator("[data-pick-row]").count() == 1
    plain.page.check("[name=everybody]")
    plain.page.check("[name=group] >> nth=0")
    plain.page.click(".form-bar .button-main")
    names = plain.page.locator("tbody th").all_inner_texts()
    assert len(names) >= 11
    plain.page.check("[name=absent] >> nth=0")
    plain.page.click(".form-bar .button >> nth=1")
    plain.page.wait_for_selector(".message-success")
    assert plain.page.locator("tbody tr").count() == len(names)
    assert "Not followed" in plain.page.inner_text("tbody")
    context.close()
