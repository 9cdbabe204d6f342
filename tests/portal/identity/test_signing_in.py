"""The way to a provider and back: who gets in, what must hold, and what a person reads when it does not."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from joserfc import jwk

from portal import entering, telling, tenancy
from portal.identity.models import IdentityLink, IdentityProvider
from portal.models import Event, Membership, User
from tests import factories
from tests.people import Person
from tests.portal.identity.conftest import SignIn, come_back, is_signed_in, provider_at, said
from tests.portal.identity.openid import SECRET, Issuer, query_of

pytestmark = pytest.mark.django_db


# --- the good way -----------------------------------------------------------------------------------


def test_who_linked_an_account_comes_in_with_it(
    sign_in: SignIn, visitor: Client, operator: Person, linked: IdentityLink
) -> None:
    answer = sign_in()
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert is_signed_in(visitor, linked.member)
    assert visitor.get("/").status_code == 200
    with operator.scope():
        event = Event.objects.get()
    assert (event.verb, event.actor_id, event.data) == (
        "identity.entered",
        operator.user.pk,
        {"name": "Compte du bureau"},
    )


def test_the_question_binds_browser_provider_and_answer(visitor: Client, provider: IdentityProvider) -> None:
    addresses = [visitor.get(f"/sign-in/with/{provider.handle}/")["Location"] for _time in range(2)]
    first, second = map(query_of, addresses)
    assert first["redirect_uri"] == f"http://testserver/sign-in/back/{provider.handle}/"
    assert first["scope"] == "openid"
    assert "acr_values" not in first
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


def test_he_goes_on_to_where_he_was_going(sign_in: SignIn, linked: IdentityLink) -> None:
    assert sign_in(onward="/batches/?state=refused")["Location"] == "/batches/?state=refused"


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_he_goes_nowhere_else(sign_in: SignIn, linked: IdentityLink, onward: str) -> None:
    assert sign_in(onward=onward)["Location"] == "/"


def test_the_pages_speak_his_language(sign_in: SignIn, visitor: Client, linked: IdentityLink) -> None:
    User.objects.update(language="nl")
    sign_in()
    assert '<html lang="nl">' in visitor.get("/").content.decode()


@pytest.mark.parametrize("vouches", [True, False])
def test_the_session_says_whether_the_provider_vouches_for_a_second_factor(
    sign_in: SignIn, visitor: Client, operator: Person, linked: IdentityLink, vouches: bool
) -> None:
    Authenticator.objects.all().delete()
    with operator.scope():
        IdentityProvider.objects.update(vouches_for_second_factor=vouches)
    sign_in()
    assert visitor.session["second_factor_vouched"] is vouches


def test_whoever_has_a_second_factor_is_asked_for_it_when_the_provider_does_not_vouch(
    sign_in: SignIn, visitor: Client, operator: Person, linked: IdentityLink
) -> None:
    with operator.scope():
        IdentityProvider.objects.update(vouches_for_second_factor=False)
    assert sign_in(onward="/batches/")["Location"] == "/sign-in/code/"
    assert not is_signed_in(visitor)
    with operator.scope():
        assert not Event.objects.exists()
    answer = visitor.post("/sign-in/code/", {"code": factories.code()})
    assert answer["Location"] == "/batches/"
    assert is_signed_in(visitor, linked.member)
    assert entering.bound_to(visitor.session) == operator.mandataire.pk
    assert "second_factor_vouched" not in visitor.session
    with operator.scope():
        told = Event.objects.get()
        provider = IdentityProvider.objects.get()
        assert (told.verb, told.data["how"], told.data["provider"]) == (
            "member.signed_in",
            "app",
            provider.label,
        )
        shown = telling.sentence(told, "Lou Essai")
        assert shown == f"Lou Essai signed in (account “{provider.label}”, then code of the app)"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_the_secret_is_shown_in_the_way_the_provider_takes_it(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer, method: str
) -> None:
    issuer.document = {"token_endpoint_auth_methods_supported": [method]}
    sign_in()
    assert is_signed_in(visitor)


def test_a_token_encrypted_for_the_secret_is_opened(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer
) -> None:
    issuer.encrypts_for = SECRET
    sign_in()
    assert is_signed_in(visitor)


def test_a_session_from_before_does_not_become_his(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, provider: IdentityProvider
) -> None:
    visitor.get(f"/sign-in/with/{provider.handle}/")
    before = visitor.session.session_key
    sign_in()
    assert visitor.session.session_key != before


def test_who_is_signed_in_is_not_sent_away(operator: Person, provider: IdentityProvider) -> None:
    for address in ("/sign-in/organisation/", f"/sign-in/with/{provider.handle}/"):
        assert operator.client.get(address)["Location"] == "/"


class In(int):
    """Seconds from the moment of the token on, which is not that of the collection of tests."""


def bent(claims: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    return {name: now + value if isinstance(value, In) else value for name, value in claims.items()}


# --- what the token must say -----------------------------------------------------------------------


def expect_refusal(answer: Any, visitor: Client, why: str) -> None:
    assert answer["Location"] == "/sign-in/"
    (sentence,) = said(answer)
    assert why in sentence
    assert "Compte du bureau" in sentence
    assert not is_signed_in(visitor)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "another"}, "it answers another question"),
        ({"nonce": None}, "it answers another question"),
        ({"aud": "somebody-else"}, "it is meant for another application"),
        ({"aud": ["portal", "other"]}, "it is meant for another application"),
        ({"azp": "other"}, "it is meant for another application"),
        ({"iss": "https://evil.example"}, "it comes from another issuer"),
        ({"exp": In(-61)}, "it has expired"),
        ({"iat": In(-90_000), "exp": In(90_000)}, "it has expired"),
        ({"iat": In(3600)}, "one of the clocks is wrong"),
        ({"exp": None}, "it does not say when it was made"),
        ({"exp": "tomorrow"}, "it does not say when it was made"),
        ({"exp": float("nan")}, "it has expired"),
        ({"sub": None}, "it does not say who you are"),
        ({"sub": ""}, "it does not say who you are"),
        ({"sub": 7}, "it does not say who you are"),
    ],
)
def test_a_token_that_does_not_hold_lets_nobody_in(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer, claims: dict[str, Any], why: str
) -> None:
    issuer.claims = bent(claims)
    expect_refusal(sign_in(), visitor, why)


@pytest.mark.parametrize("claims", [{"exp": In(-20)}, {"aud": ["portal", "x"], "azp": "portal"}])
def test_a_clock_a_little_off_and_a_list_of_audiences_are_fine(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer, claims: dict[str, Any]
) -> None:
    issuer.claims = bent(claims)
    sign_in()
    assert is_signed_in(visitor)


def test_a_token_encrypted_for_another_secret_stays_closed(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer
) -> None:
    issuer.encrypts_for = "another"
    expect_refusal(sign_in(), visitor, "it cannot be decrypted")


def test_an_encrypted_token_is_checked_like_any_other(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer
) -> None:
    """Whoever knows the secret may encrypt: only the signature inside proves who wrote it."""
    issuer.encrypts_for, issuer.signing = SECRET, jwk.RSAKey.generate_key(2048, {"kid": "one"})
    expect_refusal(sign_in(), visitor, "its signature does not hold")


def test_a_token_without_signature_lets_nobody_in(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer
) -> None:
    issuer.algorithm = "none"
    expect_refusal(sign_in(), visitor, "its signature does not hold")


def test_a_token_signed_with_what_both_know_lets_nobody_in(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer
) -> None:
    """HS256 with the client secret: the standard allows it, the portal does not."""
    issuer.signing = jwk.OctKey.import_key(SECRET * 2, {"kid": "one"})
    issuer.algorithm = "HS256"
    expect_refusal(sign_in(), visitor, "its signature does not hold")


def test_a_key_in_the_name_of_a_published_one_lets_nobody_in(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer
) -> None:
    issuer.signing = jwk.RSAKey.generate_key(2048, {"kid": "one"})
    expect_refusal(sign_in(), visitor, "its signature does not hold")


def test_a_new_key_counts_from_the_moment_it_is_published(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer
) -> None:
    issuer.signing = issuer.other_key
    expect_refusal(sign_in(), visitor, "a key that the provider does not publish")
    issuer.published = [issuer.other_key]
    sign_in()
    assert is_signed_in(visitor)


def test_the_way_of_signing_in_that_is_asked_for_has_to_be_proven(
    sign_in: SignIn, visitor: Client, operator: Person, linked: IdentityLink, issuer: Issuer
) -> None:
    with operator.scope():
        IdentityProvider.objects.update(acr_values="urn:strong urn:stronger")
    expect_refusal(sign_in(), visitor, "in the way that is asked for")
    issuer.claims = {"acr": "urn:stronger"}
    sign_in()
    assert is_signed_in(visitor)


# --- state and answer --------------------------------------------------------------------------------


def test_an_answer_works_once(visitor: Client, issuer: Issuer, linked: IdentityLink, provider: Any) -> None:
    start = visitor.get(f"/sign-in/with/{provider.handle}/")
    back = issuer.sign_in(start["Location"], "jan")
    come_back(visitor, back)
    assert is_signed_in(visitor)
    visitor.post("/sign-out/")
    answer = come_back(visitor, back)
    assert "Start again" in said(answer)[-1]
    assert not is_signed_in(visitor)


def test_an_answer_works_once_when_it_was_refused_too(
    visitor: Client, issuer: Issuer, linked: IdentityLink, provider: IdentityProvider
) -> None:
    start = visitor.get(f"/sign-in/with/{provider.handle}/")
    come_back(visitor, issuer.sign_in(start["Location"], "jan", code="guessed"))
    answer = come_back(visitor, issuer.sign_in(start["Location"], "jan"))
    assert "Start again" in said(answer)[-1]
    assert not is_signed_in(visitor)


def test_an_answer_works_in_the_browser_that_asked_only(
    visitor: Client, issuer: Issuer, linked: IdentityLink, provider: IdentityProvider
) -> None:
    start = visitor.get(f"/sign-in/with/{provider.handle}/")
    victim = Client()
    answer = come_back(victim, issuer.sign_in(start["Location"], "jan"))
    assert "another browser" in said(answer)[0]
    assert not is_signed_in(victim)


def test_an_answer_comes_within_ten_minutes(
    visitor: Client, issuer: Issuer, linked: IdentityLink, provider: IdentityProvider
) -> None:
    start = visitor.get(f"/sign-in/with/{provider.handle}/")
    with time_machine.travel(timezone.now() + timedelta(seconds=601)):
        answer = come_back(visitor, issuer.sign_in(start["Location"], "jan"))
    assert "ten minutes" in said(answer)[0]
    assert not is_signed_in(visitor)


def test_six_windows_do_not_fill_the_session(visitor: Client, provider: IdentityProvider) -> None:
    for _window in range(6):
        visitor.get(f"/sign-in/with/{provider.handle}/")
    assert len(visitor.session["identity_ways"]) == 5


@pytest.mark.parametrize(
    ("said_back", "why"),
    [
        ({"error": "access_denied", "code": ""}, "you stopped there, or may not sign in there"),
        ({"error": "server_error", "code": ""}, "it refused the question (server_error)"),
        ({"error": "<script>\n", "code": ""}, "it refused the question (?)"),
        ({"code": ""}, "it refused the question (?)"),
        ({"code": "guessed"}, "took too long or was used already"),
        ({"iss": "https://evil.example"}, "it comes from another issuer"),
    ],
)
def test_what_the_provider_refuses_is_a_sentence(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, said_back: dict[str, str], why: str
) -> None:
    expect_refusal(sign_in(**said_back), visitor, why)


def test_a_provider_that_names_itself_has_to_do_so_each_time(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer
) -> None:
    issuer.document = {"authorization_response_iss_parameter_supported": True}
    expect_refusal(sign_in(), visitor, "it comes from another issuer")
    sign_in(iss=issuer.url)
    assert is_signed_in(visitor)


def test_a_wrong_secret_is_told_as_such(
    sign_in: SignIn, visitor: Client, operator: Person, linked: IdentityLink, provider: IdentityProvider
) -> None:
    with operator.scope():
        provider.secret = "another"
        provider.save()
    expect_refusal(sign_in(), visitor, "the secret is wrong")


@pytest.mark.parametrize("token_answer", [(200, {}), (400, {"error": "strange"}), (200, {"id_token": 7})])
def test_an_exchange_without_a_token_proves_nothing(
    sign_in: SignIn, visitor: Client, linked: IdentityLink, issuer: Issuer, token_answer: Any
) -> None:
    issuer.token_answer = token_answer
    expect_refusal(sign_in(), visitor, "no proof of who you are")


def test_the_log_learns_why_and_no_token(
    sign_in: SignIn, linked: IdentityLink, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.claims = {"aud": "somebody-else"}
    code = query_of(sign_in().wsgi_request.get_full_path())["code"]
    record = next(record for record in caplog.records if record.name == "portal.views.identity")
    assert record.getMessage().endswith("did not sign in: aud")
    assert not any(word in caplog.text for word in ("eyJ", code, "a secret"))


def test_a_provider_that_cannot_be_asked_sends_nobody_away(
    visitor: Client, issuer: Issuer, provider: IdentityProvider
) -> None:
    issuer.instead["/.well-known/openid-configuration"] = (503, {}, b"")
    answer = visitor.get(f"/sign-in/with/{provider.handle}/")
    assert answer["Location"] == "/sign-in/"
    assert "cannot be asked now" in said(answer)[0]


# --- whose account it is -------------------------------------------------------------------------------


def test_an_account_that_nobody_linked_says_how_to_link_it(
    sign_in: SignIn, visitor: Client, provider: IdentityProvider
) -> None:
    (sentence,) = said(sign_in("unknown"))
    assert "not linked to a user here yet" in sentence
    assert not is_signed_in(visitor)


def test_an_equal_e_mail_address_links_nothing(
    sign_in: SignIn, visitor: Client, operator: Person, provider: IdentityProvider, issuer: Issuer
) -> None:
    User.objects.filter(pk=operator.user.pk).update(email="carine@example.be")
    issuer.claims = {"email": "carine@example.be", "email_verified": True, "preferred_username": "operator"}
    sign_in("unknown")
    assert not is_signed_in(visitor)


def test_a_blocked_member_stays_out(
    sign_in: SignIn, visitor: Client, operator: Person, linked: IdentityLink
) -> None:
    with operator.scope():
        factories.place(operator.mandataire, is_manager=True)
        Membership.objects.filter(pk=linked.member.pk).update(is_blocked=True)
    (sentence,) = said(sign_in())
    assert "blocked" in sentence
    assert not is_signed_in(visitor)


def test_an_inactive_user_stays_out(sign_in: SignIn, visitor: Client, linked: IdentityLink) -> None:
    User.objects.update(is_active=False)
    sign_in()
    assert not is_signed_in(visitor)


def test_a_provider_that_is_switched_off_is_not_there(
    visitor: Client, operator: Person, issuer: Issuer, provider: IdentityProvider, linked: IdentityLink
) -> None:
    start = visitor.get(f"/sign-in/with/{provider.handle}/")
    with operator.scope():
        IdentityProvider.objects.update(is_enabled=False)
    assert come_back(visitor, issuer.sign_in(start["Location"], "jan")).status_code == 404
    assert visitor.get(f"/sign-in/with/{provider.handle}/").status_code == 404
    assert not is_signed_in(visitor)


# --- between organisations -----------------------------------------------------------------------------


def test_the_same_account_through_another_organisation_is_nobody(
    operator: Person, stranger: Person, issuer: Issuer, linked: IdentityLink, visitor: Client
) -> None:
    """The stranger's organisation has a client at the very same issuer: its sign-in is true, and opens nothing here."""
    with stranger.scope():
        theirs = provider_at(issuer)
    start = visitor.get(f"/sign-in/with/{theirs.handle}/")
    answer = come_back(visitor, issuer.sign_in(start["Location"], "jan"))
    assert "not linked" in said(answer)[0]
    assert not is_signed_in(visitor)


def test_a_server_that_claims_the_issuer_of_another_organisation_is_not_asked(
    stranger: Person, issuer: Issuer, other_issuer: Issuer, linked: IdentityLink, visitor: Client
) -> None:
    """The document is fetched from the issuer itself, so a claim does not make a server somebody else's issuer."""
    other_issuer.document = {"issuer": issuer.url}
    with stranger.scope():
        theirs = provider_at(other_issuer)
    answer = visitor.get(f"/sign-in/with/{theirs.handle}/")
    assert answer["Location"] == "/sign-in/"
    assert f"belongs to the issuer “{issuer.url}”" in said(answer)[0]


def test_a_token_in_the_name_of_another_issuer_does_not_count(
    stranger: Person, issuer: Issuer, other_issuer: Issuer, linked: IdentityLink, visitor: Client
) -> None:
    with stranger.scope():
        theirs = provider_at(other_issuer)
        factories.identity(theirs, subject="jan")
    other_issuer.claims = {"iss": issuer.url}
    start = visitor.get(f"/sign-in/with/{theirs.handle}/")
    come_back(visitor, other_issuer.sign_in(start["Location"], "jan"))
    assert not is_signed_in(visitor)


def test_the_answer_of_one_provider_is_not_taken_for_that_of_another(
    stranger: Person,
    issuer: Issuer,
    other_issuer: Issuer,
    provider: IdentityProvider,
    linked: IdentityLink,
    visitor: Client,
) -> None:
    """The mix-up: the stranger's provider passes the question on to ours, and the answer comes back to our address."""
    with stranger.scope():
        theirs = provider_at(other_issuer)
    question = query_of(visitor.get(f"/sign-in/with/{theirs.handle}/")["Location"])
    passed_on = f"/sign-in/back/{provider.handle}/?code=stolen&state={question['state']}"
    answer = visitor.get(passed_on)
    assert "Start again" in said(answer)[0]
    assert "/token" not in issuer.asked + other_issuer.asked


def test_a_session_through_a_provider_reaches_that_organisation_only(
    operator: Person, stranger: Person, sign_in: SignIn, visitor: Client, linked: IdentityLink
) -> None:
    """He works for both; the provider of the one does not speak for the other."""
    with stranger.scope():
        Membership.objects.create(user=operator.user, is_manager=True)
    sign_in()
    assert "Secrétariat social A" in visitor.get("/team/").content.decode()
    with operator.scope():
        factories.place(operator.mandataire, is_manager=True)
        Membership.objects.filter(user=operator.user).update(is_blocked=True)
    assert visitor.get("/team/").status_code == 404
    assert operator.client.get("/team/").status_code == 200  # with the password he goes on over there


def test_a_session_through_a_provider_may_be_for_the_second_place(
    operator: Person, stranger: Person, issuer: Issuer, visitor: Client
) -> None:
    """Whoever signs in without one acts for the first place he was given."""
    with stranger.scope():
        theirs = provider_at(issuer, vouches_for_second_factor=True)
        second = Membership.objects.create(user=operator.user, is_manager=True)
    with tenancy.scope(stranger.mandataire.pk):
        factories.identity(theirs, second, "jan")
    start = visitor.get(f"/sign-in/with/{theirs.handle}/")
    come_back(visitor, issuer.sign_in(start["Location"], "jan"))
    page = visitor.get("/team/").content.decode()
    assert "Sociaal secretariaat B" in page
    assert "Secrétariat social A" not in page
