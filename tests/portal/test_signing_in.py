"""Signing in, step by step: what is asked, what is answered to whom, how often, and what the journal tells of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from django.utils import timezone

from portal import factors, tenancy
from portal.models import Event, Membership, User
from tests import factories
from tests.people import Person, sign_in

pytestmark = pytest.mark.django_db

WRONG = "Wrong-password-1"


def events(of: Person) -> list[tuple[str, str]]:
    with of.scope():
        return [(event.verb, event.data.get("how", "")) for event in Event.objects.order_by("id")]


def try_password(client: Client, username: str, password: str = WRONG, **extra: Any) -> Any:
    return client.post("/sign-in/", {"username": username, "password": password}, **extra)


def try_code(client: Client, code: str) -> Any:
    return client.post("/sign-in/code/", {"code": code})


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


@pytest.fixture
def halfway(colleague: Person, client: Client) -> Client:
    """A browser in which the colleague has given the password."""
    assert try_password(client, "colleague", factories.PASSWORD)["Location"] == "/sign-in/code/"
    return client


# --- the password ---------------------------------------------------------------------------------


@pytest.fixture
def hashed() -> Iterator[list[str]]:
    """What the hasher of passwords did, call by call."""
    calls: list[str] = []
    encode, verify = Argon2PasswordHasher.encode, Argon2PasswordHasher.verify

    def encoding(self: Any, *args: Any) -> str:
        calls.append("hash")
        return encode(self, *args)

    def verifying(self: Any, *args: Any) -> bool:
        calls.append("hash")
        return verify(self, *args)

    with patch.multiple(Argon2PasswordHasher, encode=encoding, verify=verifying):
        yield calls


def test_unknown_blocked_and_known_get_the_same_answer_for_the_same_work(
    operator: Person, colleague: Person, hashed: list[str]
) -> None:
    locked, invited = (factories.place(operator.mandataire).user for _ in range(2))
    User.objects.filter(pk=locked.pk).update(is_active=False)
    invited.set_unusable_password()
    invited.save()
    cases = [
        ("colleague", WRONG),
        ("nobody.here", WRONG),
        (locked.username, WRONG),
        (locked.username, factories.PASSWORD),
        (invited.username, WRONG),
    ]
    answers, work = set(), []
    for username, password in cases:
        hashed.clear()
        answer = try_password(Client(), username, password)
        body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
        answers.add((answer.status_code, body.replace(username, "")))
        work.append(len(hashed))
    assert len(answers) == 1
    assert work == [1] * len(cases)


def test_the_password_alone_opens_nothing(halfway: Client) -> None:
    assert "_auth_user_id" not in halfway.session
    assert halfway.get("/")["Location"].startswith("/sign-in/")


def test_who_has_no_second_factor_comes_in_and_is_led_to_set_one_up(operator: Person) -> None:
    factories.place(operator.mandataire, username="new.here", has_app=False)
    client = Client()
    assert try_password(client, "new.here", factories.PASSWORD)["Location"] == "/"
    assert client.get("/")["Location"] == "/security/"
    assert events(operator) == [("member.signed_in", "password")]


# --- the code -------------------------------------------------------------------------------------


def test_the_code_of_the_app_opens_the_page_that_was_asked_for(operator: Person, client: Client) -> None:
    assert sign_in(client, "operator", next="/team/")["Location"] == "/team/"
    assert is_in(client)
    assert events(operator) == [("member.signed_in", "app")]


def test_a_code_is_good_once(colleague: Person, halfway: Client) -> None:
    code = factories.code()
    assert try_code(halfway, code).status_code == 302
    other = Client()
    try_password(other, "colleague", factories.PASSWORD)
    refused = try_code(other, code)
    assert refused.status_code == 422
    assert "used already" in refused.content.decode()
    assert not is_in(other)


@pytest.mark.parametrize(("moves", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_of_half_a_minute_ago_or_ahead_counts_and_no_other(
    halfway: Client, moves: int, is_good: bool
) -> None:
    assert (try_code(halfway, factories.code(halves_ago=moves)).status_code == 302) is is_good


def test_a_code_before_the_one_that_was_used_is_refused(colleague: Person, halfway: Client) -> None:
    """Somebody who looked over a shoulder half a minute ago."""
    assert try_code(halfway, factories.code()).status_code == 302
    other = Client()
    try_password(other, "colleague", factories.PASSWORD)
    assert try_code(other, factories.code(halves_ago=1)).status_code == 422


@pytest.mark.parametrize("code", ["", "000", "abcdef", "١٢٣٤٥٦", "1" * 21])
def test_what_is_no_code_is_refused(halfway: Client, colleague: Person, code: str) -> None:
    assert try_code(halfway, code).status_code == 422
    assert not is_in(halfway)


def test_a_code_may_be_typed_with_spaces(halfway: Client) -> None:
    code = factories.code()
    assert try_code(halfway, f" {code[:3]} {code[3:]} ").status_code == 302


def test_a_recovery_code_is_good_once_and_counted(colleague: Person, halfway: Client) -> None:
    codes = factors.new_recovery_codes(colleague.user)
    assert len(set(codes)) == factors.recovery_codes_left(colleague.user) == 10
    assert try_code(halfway, codes[3]).status_code == 302
    assert factors.recovery_codes_left(colleague.user) == 9
    other = Client()
    try_password(other, "colleague", factories.PASSWORD)
    assert try_code(other, codes[3]).status_code == 422
    assert try_code(other, codes[4]).status_code == 302
    assert [how for verb, how in events(colleague) if verb == "member.signed_in"] == ["recovery", "recovery"]


def test_the_secret_is_sealed_where_it_is_kept(colleague: Person) -> None:
    factors.new_recovery_codes(colleague.user)
    kept = str(list(Authenticator.objects.filter(user=colleague.user).values_list("data", flat=True)))
    assert factories.SECRET not in kept
    app = Authenticator.objects.get(user=colleague.user, type=factors.APP)
    assert factors.Adapter().decrypt(app.data["secret"]) == factories.SECRET


def test_the_second_step_waits_ten_minutes(halfway: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=9), tick=False):
        assert halfway.get("/sign-in/code/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        assert halfway.get("/sign-in/code/")["Location"] == "/sign-in/"
        assert try_code(halfway, factories.code())["Location"] == "/sign-in/"
        assert not is_in(halfway)


@pytest.mark.parametrize("change", ["block", "end_sessions", "password"])
def test_the_second_step_is_void_when_the_user_changed_meanwhile(
    colleague: Person, halfway: Client, change: str
) -> None:
    user = colleague.user
    if change == "block":
        User.objects.filter(pk=user.pk).update(is_active=False)
    elif change == "end_sessions":
        user.end_sessions()
    else:
        user.set_password("quite another sentence")
        user.save()
    assert try_code(halfway, factories.code())["Location"] == "/sign-in/"
    assert not is_in(halfway)


def test_there_is_no_second_step_without_the_first(client: Client, colleague: Person) -> None:
    assert client.get("/sign-in/code/")["Location"] == "/sign-in/"
    assert try_code(client, factories.code())["Location"] == "/sign-in/"


def test_the_session_is_a_new_one_after_each_step(halfway: Client) -> None:
    """A session that somebody planted before must not become a signed-in one."""
    before = halfway.session.session_key
    try_code(halfway, factories.code())
    assert halfway.session.session_key != before


# --- limits ---------------------------------------------------------------------------------------


def test_the_sixth_attempt_has_to_wait_even_with_the_right_password(colleague: Person) -> None:
    for _ in range(5):
        assert try_password(Client(), "colleague").status_code == 200
    stopped = try_password(Client(), "Colleague", factories.PASSWORD)
    assert stopped.status_code == 429
    assert "Try again in 5 minutes." in stopped.content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=3), tick=False):
        stopped = try_password(Client(), "colleague", factories.PASSWORD)
        assert "Try again in 2 minutes." in stopped.content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        assert try_password(Client(), "colleague", factories.PASSWORD)["Location"] == "/sign-in/code/"


def test_a_limit_locks_out_nobody_else(operator: Person, colleague: Person) -> None:
    for _ in range(6):
        try_password(Client(), "colleague")
    # A neighbour behind the same address, and the same user from another place.
    assert try_password(Client(), "operator", factories.PASSWORD).status_code == 302
    elsewhere = try_password(Client(), "colleague", factories.PASSWORD, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 302


def test_one_address_cannot_try_many_names(operator: Person) -> None:
    answers = [try_password(Client(), f"guess{number}").status_code for number in range(101)]
    assert answers == [200] * 100 + [429]
    assert try_password(Client(), "operator", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_those_who_succeed_use_nothing_up(colleague: Person) -> None:
    for _ in range(7):
        assert try_password(Client(), "colleague", factories.PASSWORD).status_code == 302


def test_an_unknown_name_is_limited_with_the_same_words(db: None) -> None:
    answers = [try_password(Client(), "nobody.here") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "Try again in 5 minutes." in answers[-1].content.decode()


def test_codes_are_limited_wherever_they_are_tried(colleague: Person, halfway: Client) -> None:
    for number in range(5):
        answer = halfway.post("/sign-in/code/", {"code": "1"}, REMOTE_ADDR=f"192.0.2.{number + 1}")
        assert answer.status_code == 422
    stopped = try_code(halfway, factories.code())
    assert stopped.status_code == 429
    assert "Try again in" in stopped.content.decode()


# --- what is told ---------------------------------------------------------------------------------


def test_failed_attempts_are_told_without_what_was_typed(colleague: Person, halfway: Client) -> None:
    try_password(Client(), "COLLEAGUE")
    try_code(halfway, "123123")
    assert events(colleague) == [("member.sign_in_failed", "password"), ("member.sign_in_failed", "app")]
    with colleague.scope():
        everything = str(list(Event.objects.values()))
        assert Event.objects.filter(actor_id__isnull=False).count() == 0
    assert WRONG not in everything
    assert "123123" not in everything


def test_a_failure_is_told_at_each_organisation_and_a_sign_in_at_the_current_one(
    operator: Person, stranger: Person
) -> None:
    with stranger.scope():
        Membership.objects.create(user=operator.user)
    try_password(Client(), "operator")
    sign_in(Client(), "operator")
    assert events(operator) == [("member.sign_in_failed", "password"), ("member.signed_in", "app")]
    assert events(stranger) == [("member.sign_in_failed", "password")]


def test_a_failure_is_told_at_five_organisations_at_most(operator: Person) -> None:
    others = [factories.mandataire(name=f"Other {number}") for number in range(6)]
    for other in others:
        factories.place(other)
        with tenancy.scope(other.pk):
            Membership.objects.create(user=operator.user)
    try_password(Client(), "operator")
    told = 0
    for one in (operator.mandataire, *others):
        with tenancy.scope(one.pk):
            told += Event.objects.filter(verb="member.sign_in_failed").count()
    assert told == 5


def test_signing_out_is_told_and_read_as_sentences(operator: Person, client: Client) -> None:
    try_password(Client(), "operator")
    sign_in(client, "operator")
    client.post("/sign-out/")
    body = operator.client.get("/journal/").content.decode()
    for sentence in (
        "An attempt to sign in as Lou Essai failed (password)",
        "Lou Essai signed in (code of the app)",
        "Lou Essai signed out",
    ):
        assert sentence in body
