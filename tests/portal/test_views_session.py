"""Signing in and out, the language of the pages, and the two addresses for load balancers."""

from __future__ import annotations

import socket
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLResolver, reverse
from lxml import html

from portal.urls import open_to_all
from portal.views import health
from tests import factories
from tests.people import Person, sign_in

pytestmark = pytest.mark.django_db


def language_of(answer: Any) -> str:
    return str(html.document_fromstring(answer.content.decode()).get("lang"))


# --- signing in and out ---------------------------------------------------------------------------


def test_signing_in_speaks_the_language_of_the_person() -> None:
    member = factories.member(factories.mandataire(), username="carine", language="nl")
    client = Client()
    assert sign_in(client, "Carine", next="/batches/")["Location"] == "/batches/"
    assert language_of(client.get("/batches/")) == "nl"
    assert client.session["_auth_user_id"] == str(member.pk)


def test_a_wrong_password_says_so_and_forgets_it(client: Client) -> None:
    factories.member(factories.mandataire(), username="carine")
    answer = client.post("/sign-in/", {"username": "carine", "password": "Wrong-password-1"})
    assert answer.status_code == 200
    body = answer.content.decode()
    assert 'class="error-summary"' in body
    assert "Wrong-password-1" not in body
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(client: Client, next_page: str) -> None:
    factories.member(factories.mandataire(), username="carine")
    assert sign_in(client, "carine", next=next_page)["Location"] == "/"


def test_signing_out_is_a_button(operator: Person) -> None:
    assert operator.client.get("/sign-out/").status_code == 405
    assert operator.client.post("/sign-out/")["Location"] == "/sign-in/"
    assert operator.client.get("/")["Location"] == "/sign-in/?next=/"


def test_an_expired_session_sends_a_fragment_to_the_sign_in(client: Client) -> None:
    answer = client.get("/batches/1/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/sign-in/?next=/batches/1/")


def test_a_post_without_its_token_is_refused(operator: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator.user)
    assert client.post("/channel/collect/").status_code == 403


# --- language -------------------------------------------------------------------------------------


def test_the_language_stays_with_the_person(operator: Person) -> None:
    answer = operator.client.post("/language/", {"language": "nl", "next": "/batches/"}, follow=True)
    assert language_of(answer) == "nl"
    operator.user.refresh_from_db()
    assert operator.user.language == "nl"


def test_the_language_is_chosen_before_signing_in(client: Client) -> None:
    client.post("/language/", {"language": "en", "next": "/sign-in/"})
    assert language_of(client.get("/sign-in/")) == "en"


@pytest.mark.parametrize("language", ["xx", "", "fr-be'--", "es"])
def test_a_language_that_is_not_offered_changes_nothing(operator: Person, language: str) -> None:
    operator.client.post("/language/", {"language": language})
    operator.user.refresh_from_db()
    assert operator.user.language == "en"


# --- every page -----------------------------------------------------------------------------------

PAGES = [
    "/",
    "/to-correct/",
    "/declarations/",
    "/batches/",
    "/channel/",
    "/fields/",
    "/journal/",
    "/profile/",
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_every_page_speaks_every_language_and_is_kept_in_no_cache(
    operator: Person, page: str, language: str
) -> None:
    operator.client.post("/language/", {"language": language})
    answer = operator.client.get(page)
    assert (answer.status_code, language_of(answer)) == (200, language)
    assert "no-store" in answer["Cache-Control"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_only_shows(operator: Person, page: str) -> None:
    assert operator.client.post(page).status_code == 405


def test_only_the_written_list_is_open(client: Client) -> None:
    opened = {pattern.name for pattern in open_to_all if not isinstance(pattern, URLResolver)}
    assert opened == {
        *("login", "sign_in_code", "sign_in_passkey", "passkey_options"),
        *("identity_find", "identity_start", "identity_back"),
        *("set_language", "livez", "readyz", "metrics", "choose_password"),
    }
    arguments: dict[str, dict[str, Any]] = {
        "choose_password": {"uidb64": "MQ", "token": "none"},
        "identity_start": {"handle": UUID(int=1)},
        "identity_back": {"handle": UUID(int=1)},
    }
    for name in opened - {"metrics"}:  # it is not there before somebody sets its token
        answer = client.get(reverse(name, kwargs=arguments.get(name, {})))
        # Without a password there is no second step, and without a request no way back: both lead to the sign-in. No
        # provider is at that handle.
        assert answer.status_code in (200, 302, 405, 404 if name == "identity_start" else 200), name


def test_a_page_that_is_not_there_looks_like_the_portal(operator: Person) -> None:
    answer = operator.client.get("/nothing/here/")
    assert answer.status_code == 404
    assert "Secrétariat social A" in answer.content.decode()


# --- health ---------------------------------------------------------------------------------------


def test_it_lives(client: Client) -> None:
    answer = client.get("/livez")
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.django_db(transaction=True)
def test_it_is_ready_when_both_servers_answer(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.django_db(transaction=True)
def test_it_is_not_ready_without_its_broker(client: Client, settings: Any) -> None:
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{closed_port()}/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"broker does not answer")


@pytest.mark.django_db(transaction=True)
def test_it_is_not_ready_without_its_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(health.connection.settings_dict, "PORT", str(closed_port()))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"database does not answer")


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_says_nothing_holds_nobody_up(client: Client, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        assert client.get("/readyz").status_code == 503
