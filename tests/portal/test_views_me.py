"""What everybody may change of himself, and that it is nothing else."""

from __future__ import annotations

import pytest
from django.test import Client

from portal.models import Event, Membership, User
from tests import factories
from tests.people import Person

pytestmark = pytest.mark.django_db

NEW = "a much longer sentence"


def verbs(of: Person) -> list[str]:
    with of.scope():
        return list(Event.objects.order_by("id").values_list("verb", flat=True))


def test_email_and_language_are_his_own(colleague: Person) -> None:
    forged = {
        "username": "boss",
        "first_name": "Other",
        "is_manager": "on",
        "is_superuser": "on",
        "niss": "1",
    }
    answer = colleague.client.post(
        "/profile/details/", {"email": "me@example.be", "language": "nl", **forged}
    )
    assert answer["Location"] == "/profile/"
    user = User.objects.get(pk=colleague.user.pk)
    assert (user.email, user.language) == ("me@example.be", "nl")
    assert (user.username, user.first_name, user.is_superuser) == ("colleague", "Lou", False)
    with colleague.scope():
        assert not Membership.objects.get(user=user).is_manager
    assert b'<html lang="nl">' in colleague.client.get("/profile/").content
    assert verbs(colleague) == ["member.details_changed"]


def test_the_same_again_changes_nothing(colleague: Person) -> None:
    User.objects.filter(pk=colleague.user.pk).update(email="me@example.be")
    colleague.client.post("/profile/details/", {"email": "me@example.be", "language": "en"})
    assert verbs(colleague) == []


@pytest.mark.parametrize("wrong", [{"email": ""}, {"email": "nowhere"}, {"language": "es"}])
def test_faulty_data_are_told(colleague: Person, wrong: dict[str, str]) -> None:
    answer = colleague.client.post("/profile/details/", {"email": "me@example.be", "language": "en", **wrong})
    assert answer.status_code == 422
    assert b"error-summary" in answer.content
    assert verbs(colleague) == []


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(colleague: Person) -> None:
    other = Client()
    other.force_login(colleague.user)
    fields = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert colleague.client.post("/profile/password/", fields).status_code == 422
    fields["old_password"] = factories.PASSWORD
    assert colleague.client.post("/profile/password/", fields)["Location"] == "/profile/"
    assert colleague.client.get("/profile/").status_code == 200
    assert other.get("/profile/")["Location"].startswith("/sign-in/")
    assert Client().post("/sign-in/", {"username": "colleague", "password": NEW}).status_code == 302
    assert verbs(colleague) == ["member.password_changed"]


def test_the_old_password_cannot_be_guessed(colleague: Person) -> None:
    right = {"old_password": factories.PASSWORD, "new_password1": NEW, "new_password2": NEW}
    # Faults of the new password do not count.
    for _ in range(6):
        assert (
            colleague.client.post("/profile/password/", {**right, "new_password2": "other"}).status_code
            == 422
        )
    for _ in range(5):
        assert colleague.client.post("/profile/password/", {**right, "old_password": "x"}).status_code == 422
    answer = colleague.client.post("/profile/password/", right, follow=True)
    assert "Try again in 5 minutes" in answer.content.decode()
    assert verbs(colleague) == []


def test_other_sessions_end_and_this_one_stays(colleague: Person, operator: Person) -> None:
    other = Client()
    other.force_login(colleague.user)
    assert other.get("/profile/").status_code == 200
    colleague.client.post("/profile/sessions/")
    assert colleague.client.get("/profile/").status_code == 200
    assert other.get("/profile/")["Location"].startswith("/sign-in/")
    assert operator.client.get("/profile/").status_code == 200
    assert verbs(colleague) == ["member.sessions_ended"]
