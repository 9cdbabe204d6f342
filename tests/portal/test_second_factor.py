"""Setting up, using and losing a second factor; who must have one; and the own sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import etree, html

from portal import factors, sessions
from portal.models import Event, Membership, User
from tests import factories
from tests.people import Person, sign_in

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1"


def verbs(of: Person) -> list[str]:
    with of.scope():
        return list(Event.objects.order_by("id").values_list("verb", flat=True))


def main(answer: Any) -> str:
    return " ".join(html.document_fromstring(answer.content.decode()).find(".//main").text_content().split())


@pytest.fixture
def bare(operator: Person) -> Person:
    """Somebody who works beside the operator and has no second factor yet."""
    user = factories.place(operator.mandataire, username="bare", has_app=False).user
    client = Client()
    client.force_login(user)
    return Person(user, operator.mandataire, client)


# --- who must -------------------------------------------------------------------------------------


def test_without_a_second_factor_there_is_one_page(bare: Person) -> None:
    for page in ("/", "/profile/", "/team/", "/batches/", "/employers/1/"):
        assert bare.client.get(page)["Location"] == "/security/", page
    assert (
        bare.client.post("/profile/details/", {"email": "x@example.be", "language": "nl"}).status_code == 302
    )
    assert not User.objects.get(pk=bare.user.pk).email
    fragment = bare.client.get("/batches/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/security/")


def test_on_that_page_nothing_of_the_organisation_is_shown(bare: Person) -> None:
    page = html.document_fromstring(bare.client.get("/security/").content.decode())
    assert not page.find_class("sidebar")
    links = {link.get("href") for link in page.xpath("//body//a[@href]")}
    assert links <= {"/", "#content", "/security/app/"}


def test_it_does_not_keep_anybody_from_language_and_sign_out(bare: Person) -> None:
    bare.client.post("/language/", {"language": "nl"})
    assert User.objects.get(pk=bare.user.pk).language == "nl"
    assert bare.client.post("/sign-out/")["Location"] == "/sign-in/"


def test_a_provider_may_vouch_for_a_second_factor(bare: Person) -> None:
    session = bare.client.session
    session[factors.VOUCHED] = True
    session.save()
    assert bare.client.get("/profile/").status_code == 200


@pytest.mark.parametrize("claim", ["true", 1, False, None])
def test_nothing_else_in_a_session_vouches(bare: Person, claim: object) -> None:
    session = bare.client.session
    session[factors.VOUCHED] = claim
    session.save()
    assert bare.client.get("/profile/").status_code == 302


def test_an_installation_may_ask_for_none(bare: Person, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    assert bare.client.get("/profile/").status_code == 200


def test_recovery_codes_alone_are_no_second_factor(bare: Person) -> None:
    factors.new_recovery_codes(bare.user)
    assert bare.client.get("/profile/").status_code == 302
    assert bare.client.post("/security/codes/")["Location"] == "/security/"


# --- the app --------------------------------------------------------------------------------------


def secret_of(page: Any) -> str:
    (code,) = html.document_fromstring(page.content.decode()).find_class("secret")
    return str(code.text_content()).replace(" ", "")


def test_an_app_is_set_up_with_its_first_code(
    bare: Person, monkeypatch: pytest.MonkeyPatch, operator: Person
) -> None:
    secret = secret_of(bare.client.get("/security/app/"))
    assert secret_of(bare.client.get("/security/app/")) == secret
    monkeypatch.setattr(factories, "SECRET", secret)
    wrong = bare.client.post("/security/app/", {"code": "000000"})
    assert (wrong.status_code, secret_of(wrong)) == (422, secret)
    code = factories.code()
    shown = bare.client.post("/security/app/", {"code": code})
    codes = html.document_fromstring(shown.content.decode()).xpath(
        "//ol[contains(@class, 'codes')]/li/text()"
    )
    assert len(codes) == 10
    assert verbs(operator) == ["factor.added", "recovery.made"]
    assert bare.client.get("/profile/").status_code == 200
    # The code that set it up is used; the next one signs in.
    other = Client()
    other.post("/sign-in/", {"username": "bare", "password": factories.PASSWORD})
    assert other.post("/sign-in/code/", {"code": code}).status_code == 422
    assert other.post("/sign-in/code/", {"code": factories.code(halves_ago=-1)}).status_code == 302


def test_the_secret_being_set_up_is_shown_to_nobody_else_and_kept_sealed(
    bare: Person, operator: Person
) -> None:
    assert bare.client.get("/security/app/qr.svg")["Location"] == "/security/app/"
    secret = secret_of(bare.client.get("/security/app/"))
    assert secret not in str(dict(bare.client.session))
    picture = bare.client.get("/security/app/qr.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert "no-store" in picture["Cache-Control"]
    drawing = etree.fromstring(picture.content)
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert not drawing.xpath("//@style | //*[local-name()='style' or local-name()='script']")
    other = Client()
    other.force_login(bare.user)
    assert other.get("/security/app/qr.svg").status_code == 302
    assert secret_of(other.get("/security/app/")) != secret


def test_who_has_an_app_sets_up_no_second_one(colleague: Person) -> None:
    assert colleague.client.get("/security/app/")["Location"] == "/security/"


def test_the_only_factor_stays_until_there_is_another(colleague: Person, settings: Any) -> None:
    answer = colleague.client.post("/security/app/remove/", follow=True)
    assert "only second factor" in main(answer)
    assert factors.held_by(colleague.user)
    settings.SECOND_FACTOR_REQUIRED = False
    colleague.client.post("/security/app/remove/")
    assert factors.held_by(colleague.user) == []
    assert verbs(colleague) == ["factor.removed"]


def test_new_recovery_codes_are_shown_once_and_end_the_old_ones(colleague: Person) -> None:
    old = factors.new_recovery_codes(colleague.user)
    shown = colleague.client.post("/security/codes/")
    page = html.document_fromstring(shown.content.decode())
    codes = page.xpath("//ol[contains(@class, 'codes')]/li/text()")
    (link,) = page.xpath("//a[@download]/@href")
    assert all(code in unquote(link) for code in codes)
    assert not factors.check_recovery_code(colleague.user, old[0])
    assert factors.check_recovery_code(colleague.user, codes[0])
    later = colleague.client.get("/security/")
    assert "9 codes left" in main(later)
    assert not any(code in later.content.decode() for code in codes)
    assert verbs(colleague) == ["recovery.made"]


def test_what_is_no_passkey_is_refused(colleague: Person, client: Client) -> None:
    for credential in ("", "{}", "[]", "no json", '{"id": "AA", "response": {"userHandle": "MQ"}}'):
        fields = {"name": "Key", "credential": credential}
        assert colleague.client.post("/security/passkeys/", fields).status_code == 422, credential
        assert client.post("/sign-in/passkey/", fields)["Location"] == "/sign-in/", credential
    assert not Authenticator.objects.filter(type=factors.PASSKEY).exists()


# --- lost -----------------------------------------------------------------------------------------


def test_a_manager_resets_what_was_lost(operator: Person, colleague: Person) -> None:
    with operator.scope():
        pk = Membership.objects.get(user=colleague.user).pk
    assert "App on a telephone" in main(operator.client.get(f"/team/{pk}/"))
    asked = main(operator.client.get(f"/team/{pk}/second-factor/"))
    assert "App on a telephone" in asked
    assert factors.held_by(colleague.user)
    operator.client.post(f"/team/{pk}/second-factor/")
    assert factors.held_by(colleague.user) == []
    assert colleague.client.get("/profile/")["Location"].startswith("/sign-in/")
    assert sign_in(Client(), "colleague")["Location"] == "/"
    assert "Lou Essai took away the second factor of Lou Essai" in main(operator.client.get("/journal/"))


# --- own sessions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (EDGE, "Edge on Windows"),
        (SAFARI, "Safari on iPhone"),
        ("curl/8.0", "Unknown device"),
        ("", "Unknown device"),
        ("Linux", "Linux"),
    ],
)
def test_a_device_has_a_name_in_words(user_agent: str, words: str) -> None:
    assert sessions.device(user_agent) == words


@pytest.fixture
def browsers(colleague: Person) -> tuple[Client, Client]:
    """The colleague with Firefox at the office, and with a telephone elsewhere."""
    office = Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="192.0.2.1")
    telephone = Client(headers={"User-Agent": SAFARI}, REMOTE_ADDR="192.0.2.2")
    sign_in(office, "colleague")
    telephone.post("/sign-in/", {"username": "colleague", "password": factories.PASSWORD})
    telephone.post("/sign-in/code/", {"code": factories.code(halves_ago=-1)})
    return office, telephone


def shown(client: Client) -> list[str]:
    page = html.document_fromstring(client.get("/profile/").content.decode())
    return [" ".join(row.text_content().split()) for row in page.xpath("//ul[@class='sessions']/li")]


def test_own_sessions_are_listed_and_nobody_elses(
    browsers: tuple[Client, Client], colleague: Person, operator: Person
) -> None:
    rows = shown(browsers[0])
    assert len(rows) == 3  # with the one of the fixture
    (this,) = [row for row in rows if "This one" in row]
    assert "Firefox on Windows" in this
    assert "192.0.2.1" in this
    assert sum("Safari on iPhone" in row and "192.0.2.2" in row for row in rows) == 1
    assert len(shown(operator.client)) == 1


def test_one_session_is_ended_and_no_other(browsers: tuple[Client, Client], colleague: Person) -> None:
    office, telephone = browsers
    lost = UserSession.objects.get(ip="192.0.2.2")
    answer = office.post(f"/profile/sessions/{lost.pk}/end/", follow=True)
    assert "Safari on iPhone" in main(answer)
    assert telephone.get("/profile/")["Location"].startswith("/sign-in/")
    assert office.get("/profile/").status_code == colleague.client.get("/profile/").status_code == 200
    assert verbs(colleague)[-1] == "member.session_ended"


def test_nobody_ends_the_session_of_somebody_else_nor_this_one(
    operator: Person, browsers: tuple[Client, Client]
) -> None:
    pk = UserSession.objects.get(ip="192.0.2.1").pk
    assert operator.client.post(f"/profile/sessions/{pk}/end/").status_code == 404
    assert browsers[0].post(f"/profile/sessions/{pk}/end/").status_code == 404
    assert browsers[0].get("/profile/").status_code == 200


def test_ending_all_others_leaves_one_in_the_list(browsers: tuple[Client, Client]) -> None:
    office, telephone = browsers
    office.post("/profile/sessions/")
    (row,) = shown(office)
    assert "This one" in row
    assert telephone.get("/profile/").status_code == 302


def test_signing_out_takes_the_session_from_the_list(browsers: tuple[Client, Client]) -> None:
    office, telephone = browsers
    telephone.post("/sign-out/")
    assert not any("Safari" in row for row in shown(office))


def test_a_session_is_noted_once_a_minute(colleague: Person) -> None:
    def writes() -> int:
        with CaptureQueriesContext(connection) as asked:
            colleague.client.get("/security/")
        return sum('UPDATE "usersessions' in query["sql"] for query in asked.captured_queries)

    now = timezone.now()
    assert writes() == 0
    with time_machine.travel(now + timedelta(seconds=90), tick=False):
        assert [writes(), writes()] == [1, 0]
    row = UserSession.objects.get(user=colleague.user)
    assert abs((row.last_seen_at - now).total_seconds() - 90) < 5


def test_noting_a_session_does_not_prolong_it(colleague: Person) -> None:
    start = timezone.now()
    for hours in (2, 5, 7.9):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            assert colleague.client.get("/security/").status_code == 200
    with time_machine.travel(start + timedelta(hours=8.1), tick=False):
        assert colleague.client.get("/security/")["Location"].startswith("/sign-in/")
