"""A real browser on a real server: Debian's Chromium, driven over a socket of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from portal import audit
from submissions.models import Batch
from submissions.states import DeclarationState
from tests import factories
from tests.mandates import scenes as mandates
from tests.people import Person
from tests.submissions import scenes

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SETTING_UP = (
    *("setup", "settings", "environment", "chaman", "server", "verify", "service"),
    *("keys", "keys/ssh", "keys/certificate", "keys/rest"),
)
SIZES = {"desk": (1366, 768), "telephone": (390, 844)}


@dataclass(frozen=True)
class Places:
    """Addresses of a small house in which something of everything happened."""

    addresses: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.addresses[name]


@pytest.fixture
def places(operator: Person) -> Places:
    """Makes the rows, and tells where their pages are."""
    with operator.scope():
        channel = factories.channel(environment="S", name="Canal « Exemple »")
        delvaux = factories.client(name="Boulangerie-pâtisserie artisanale Delvaux & Fils")
        meir = factories.client(name="Hotel Meir")
        batch = scenes.acknowledged(7, through=channel, of=delvaux)
        one, two, three, *_waiting = batch.declarations.order_by("position")
        audit.record("file.downloaded", batch, data={"name": f"FI.{batch.envelope.stem}.1.1"})
        refusal = scenes.answer(
            one, DeclarationState.REFUSED, [("99004-152", "ends_on"), ("00024-179", "INSS")]
        )
        scenes.answer(two, DeclarationState.ACCEPTED)
        warning = [("99008-326", "charged_minutes")]
        scenes.answer(three, DeclarationState.ACCEPTED_WITH_REMARKS, warning, anomaly_class="W")
        scenes.refused(("00011-155", "CompanyID"), through=channel, of=meir)
        parked = scenes.parked(2, through=channel)
        rejected = scenes.rejected(3, through=channel)
        factories.inbound(channel, b"<x", state="unreadable", reason="The file is not well-formed XML.")
        factories.ready(3, of=meir)
        preview = mandates.imported(mandates.rows_of("8.97E+08;Meir;;;FLA;2026Q1;", ";;;xx;?;2/2;1"))
        assert Batch.objects.count() == 4
    return Places(
        {
            "home": "/",
            "to correct": "/to-correct/",
            "declarations": "/declarations/",
            "batches": "/batches/",
            "batch": f"/batches/{batch.pk}/",
            "parked batch": f"/batches/{parked.pk}/",
            "rejected batch": f"/batches/{rejected.pk}/",
            "record": f"/records/{refusal.record_id}/",
            "change": f"/records/{refusal.record_id}/edit/",
            "new training": "/trainings/new/",
            "new training of a client": f"/trainings/new/?employer={delvaux.pk}",
            "channel": "/channel/",
            "files": "/channel/files/",
            "health": f"/health/{channel.pk}/",
            "health of all": "/health/",
            "departures": f"/health/{channel.pk}/departures/",
            "fields": "/fields/",
            "new file": "/files/new/",
            "proposal": f"/employers/{delvaux.pk}/mandates/new/",
            "imports": "/mandates/imports/",
            "import": f"/mandates/imports/{preview.pk}/",
            **{f"channel {name}": f"/channel/{name}/" for name in SETTING_UP},
        }
    )


@pytest.fixture
def chromium(live_server: Any, places: Places) -> Iterator[Browser]:
    """A browser for one test, with an empty profile.

    Playwright keeps an event loop in this thread as long as it runs, and beside one Django refuses to speak with the
    database: so the rows are made before it starts, and the database is emptied after it has stopped.
    """
    if not CHROMIUM.exists() and shutil.which("chromium") is None:
        pytest.skip(f"no browser: {CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS])
        yield browser
        browser.close()


@dataclass
class Visit:
    """One window, and everything it complained of."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def note_failure(self, failed: Request) -> None:
        """Complains of a request that failed; one that the browser gave up itself, to go elsewhere, did not fail."""
        if failed.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{failed.url}: {failed.failure}")

    def go(self, address: str) -> None:
        """Opens an address of the portal."""
        answer = self.page.goto(self.origin + address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        self.page.wait_for_load_state("load")

    def give_password(self, username: str) -> None:
        """The first step of signing in, and the only one of somebody without a second factor."""
        self.go("/sign-in/")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", factories.PASSWORD)
        self.page.click("main button[type=submit]")

    def sign_in(self, username: str) -> None:
        """Signs in as people do."""
        self.give_password(username)
        self.page.wait_for_url(self.origin + "/sign-in/code/")
        self.page.fill("input[name=code]", factories.code())
        self.page.click("main .button-main")
        self.page.wait_for_url(self.origin + "/")

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(
            self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )


@pytest.fixture
def visit(
    chromium: Browser, live_server: Any, places: Places, request: pytest.FixtureRequest
) -> Iterator[Visit]:
    """A window of the size asked for by `request.param` (a key of SIZES; `desk` without)."""
    width, height = SIZES[getattr(request, "param", "desk")]
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="fr-BE")
    page = context.new_page()
    window = Visit(page, live_server.url)
    page.on(
        "console", lambda message: window.complaints.append(message.text) if message.type != "log" else None
    )
    page.on("pageerror", lambda error: window.complaints.append(str(error)))
    page.on("requestfailed", window.note_failure)
    yield window
    context.close()
