"""From “something was refused” to “sent again”: in a browser, by somebody who never saw the portal, in a few clicks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.conf import settings
from playwright.sync_api import Page, sync_playwright

from portal import tenancy
from portal.models import Mandataire, Profile
from submissions import history, problems
from submissions.models import Declaration
from submissions.states import ACCEPTED, DeclarationState
from tests.browser.conftest import CHROMIUM, FLAGS, Visit
from tests.journeys.conftest import SHIPPED
from tests.journeys.house import House
from tests.people import signed_in

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FEWER_THAN = 6
"""Clicks, from the home page on."""

AFTER_LEAVING = ("99004-152", "EndDate")


class Refusal(NamedTuple):
    """A declaration that was refused because the worker had left, and the day on which he did."""

    mandataire: UUID
    declaration: int
    url: str
    left_on: date


@pytest.fixture
def refusal(shipped: House) -> Refusal:
    """Everything was sent and answered. One training began while the worker was there, and ended after he left."""
    shipped.settle()
    known = json.loads((SHIPPED / "registry.json").read_text("utf-8"))["employments"]
    for _sender, mandataire in shipped.scopes():
        for item in problems.items():
            if (item.key.code, item.key.tag) != AFTER_LEAVING:
                continue
            for found in problems.refused(item.key).select_related("record__worker", "employer"):
                record = found.record
                assert record
                for term in known:
                    whose = (term["employer"], term["niss"]) == (found.employer.number, record.worker.niss)
                    last = date.fromisoformat(term["to"]) if whose and term["to"] else None
                    began = date.fromisoformat(term["from"])
                    if last and began <= record.starts_on <= last < record.ends_on:
                        return Refusal(mandataire, found.pk, item.key.url(), last)
    raise AssertionError("the examples have no training that goes on after the worker left")


@pytest.fixture
def session(refusal: Refusal) -> str:
    """The session of somebody new at that mandataire."""
    with tenancy.scope(refusal.mandataire):
        person = signed_in(Mandataire.objects.get(pk=refusal.mandataire), Profile.EXTENDED, "newcomer")
    return person.client.cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def newcomer(origin: str, session: str) -> Iterator[Visit]:
    """Somebody new, signed in, on the home page. As long as this is open, nothing here asks the database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS])
        visit = Visit(browser.new_page(viewport={"width": 1366, "height": 768}), origin)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": origin}
        visit.page.context.add_cookies([cookie])  # type: ignore[list-item]
        visit.go("/")
        yield visit
        browser.close()


def correct(page: Page, refusal: Refusal) -> int:
    """Does what the pages say, from the home page on; returns the clicks it took."""
    clicks = 0

    def click(selector: str) -> None:
        nonlocal clicks
        clicks += 1
        page.locator(selector).first.click()

    click(".todo:has-text('Training after the worker left') .todo-action")
    page.wait_for_url("**/to-correct/**")
    if not page.locator("[name=how]").count():  # several clients have the same problem: they stand in a list
        click(f"tbody a[href='{refusal.url}']")
    field = page.locator(f"[name=value_{refusal.declaration}]")
    field.wait_for()
    assert page.locator("[name^=value_]").first.evaluate("it => it === document.activeElement")
    told = page.inner_text("main")
    assert "the worker was no longer employed there" in told
    assert "If the last day is wrong, correct it." in told
    assert "99004-152" in page.inner_text("pre")
    field.fill(f"{refusal.left_on:%d/%m/%Y}")
    click("[name=how][value=each]")
    page.wait_for_selector(".message-success")
    return clicks


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is not installed")
def test_refused_corrected_and_sent_again_in_under_six_clicks(
    shipped: House, refusal: Refusal, session: str, live_server: Any
) -> None:
    with newcomer(live_server.url, session) as visit:
        assert correct(visit.page, refusal) < FEWER_THAN
        assert visit.complaints == []
    shipped.settle()
    with tenancy.scope(refusal.mandataire):
        old = Declaration.objects.get(pk=refusal.declaration)
        again = Declaration.objects.select_related("record").get(replaces=old)
        assert old.state == DeclarationState.REFUSED
        assert again.state in ACCEPTED
        assert again.record
        assert again.record.ends_on == refusal.left_on
        declarations = again.record.declarations.select_related("batch").prefetch_related("anomalies")
        told = [line["text"] for line in history.of_record(again.record, list(declarations.order_by("-pk")))]
    starts = ("Declared: ", "Sent", "Refused: Training after the", "Changed: Last day", "Declared again: ")
    places = [next(place for place, text in enumerate(told) if text.startswith(start)) for start in starts]
    assert places == sorted(places)
    assert told[-2] == "Sent"
    assert told[-1].startswith("Accepted")
