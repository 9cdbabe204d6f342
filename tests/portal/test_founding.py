"""`manage.py found`: an enterprise in one quality, its first manager, and the link for his password."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from portal import acting, audit, tenancy
from portal.management.commands.found import Command
from portal.models import Event, Mandataire, Membership, User
from portal.telling import sentence
from tests import factories
from tests.people import Person

pytestmark = pytest.mark.django_db

MANAGER = {
    "manager_username": "Anne.Martin",
    "manager_first_name": "Anne",
    "manager_last_name": "Martin",
    "manager_email": "anne@example.be",
}


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command with a NISS on its standard input; gives back what it printed."""

    def run(name: str, number: str, quality: str, *, niss: str = "", **options: Any) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO((niss or factories.new_niss()) + "\n"))
        out = io.StringIO()
        call_command("found", name, number, quality, stdout=out, stderr=out, **(MANAGER | options))
        return out.getvalue()

    return run


def place_of(username: str, number: str, quality: str) -> tuple[Mandataire, Membership]:
    """The membership of a user in one organisation, looked for in each of his."""
    user = User.objects.get(username=username)
    for identity in acting.open_to(user.pk):
        with tenancy.scope(identity):
            mandataire = Mandataire.objects.get(pk=identity)
            if (mandataire.number, mandataire.quality) == (number, quality):
                return mandataire, Membership.objects.get(user=user)
    raise AssertionError(f"{username} has no place there")


def test_an_organisation_opens_with_a_manager_who_chooses_his_password(found: Any) -> None:
    niss = factories.new_niss()
    told = found(
        "Secrétariat <Test>", "0897.223.670", "social_secretariat", niss=niss, address="https://portal.be/"
    )
    assert "Secrétariat <Test> (0897.223.670, Social secretariat) is open." in told
    assert niss not in told
    mandataire, member = place_of("anne.martin", "0897223670", "social_secretariat")
    with tenancy.scope(mandataire.pk):
        assert member.is_manager
        assert member.niss == niss
        events = list(Event.objects.order_by("id"))
        assert [event.verb for event in events] == [
            "mandataire.founded", "member.admitted", "member.appointed", "member.link_issued",
        ]  # fmt: skip
        assert all(niss not in str(event.data) for event in events)
    link = re.search(r"https://portal\.be(/new-password/\S+)", told)
    assert link
    client = Client()
    address = client.get(link[1]).headers["Location"]
    chosen = {"new_password1": factories.PASSWORD, "new_password2": factories.PASSWORD}
    assert client.post(address, chosen).headers["Location"] == "/sign-in/"
    assert client.login(username="anne.martin", password=factories.PASSWORD)
    answer = client.get("/team/", follow=True)
    assert answer.redirect_chain == [("/security/", 302)]  # a manager sets up his second factor first
    assert "Secrétariat &lt;Test&gt;" in answer.content.decode()


def test_another_quality_is_another_tenant_with_walls_of_its_own(found: Any, operator: Person) -> None:
    number = operator.mandataire.number
    told = found("A, services", number, "service_provider", manager_username="operator")
    assert "operator manages it, and signs in as before." in told
    assert "http" not in told
    mandataire, member = place_of("operator", number, "service_provider")
    assert member.is_manager
    assert mandataire.pk != operator.mandataire.pk
    with operator.scope():
        factories.employer()
        assert not Event.objects.exists()
    with tenancy.scope(mandataire.pk):
        received = Event.objects.get(verb="member.received")
        with translation.override("en"):
            assert sentence(received, "") == (
                "The portal gave Lou Essai (operator), who has a user already, a place in the organisation"
            )
    with translation.override("en"):
        assert operator.client.get("/employers/").status_code == 200
    user = User.objects.get(username="operator")
    assert user.has_usable_password()
    assert (user.first_name, user.email) == ("Lou", "")


@pytest.mark.parametrize(
    ("change", "sentence_part"),
    [
        ({"number": "0897.223.671"}, "Enterprise number: The check digits"),
        ({"niss": "85073000101"}, "NISS of the manager: The check digits"),
        ({"manager_username": "two words"}, "valid username"),
        ({"manager_email": "nobody"}, "valid email"),
        ({"manager_email": "", "manager_last_name": ""}, "A new user needs: email, last_name."),
    ],
)
def test_a_fault_is_one_sentence_and_leaves_nothing(
    found: Any, change: dict[str, str], sentence_part: str
) -> None:
    before = User.objects.count()
    values = {"name": "A", "number": "0897.223.670", "quality": "employer"} | change
    with pytest.raises(CommandError, match=f"(?i){re.escape(sentence_part)}"):
        found(**values)
    assert User.objects.count() == before
    assert found("A", "0897.223.670", "employer")  # nothing of the first try is in the way


def test_a_quality_that_is_there_already_is_refused(found: Any, operator: Person) -> None:
    with pytest.raises(CommandError, match="has a place in the portal already as social secretariat"):
        found("Twice", operator.mandataire.number, "social_secretariat")
    assert not User.objects.filter(username="anne.martin").exists()


def test_who_is_blocked_everywhere_manages_nothing(found: Any, operator: Person) -> None:
    User.objects.filter(pk=operator.user.pk).update(is_active=False)
    with pytest.raises(CommandError, match="is blocked everywhere"):
        found("A", "0897.223.670", "employer", manager_username="operator")


def test_the_chain_of_a_new_organisation_holds(transactional_db: None, found: Any) -> None:
    found("A", "0897.223.670", "employer")
    mandataire, _member = place_of("anne.martin", "0897223670", "employer")
    assert audit.verify(mandataire.pk) == (4, None)


def test_the_number_of_a_person_is_no_argument() -> None:
    """Arguments stand in the list of processes and in the history of the shell."""
    parser = Command().create_parser("manage.py", "found")
    assert not [option for option in parser._option_string_actions if "niss" in option]
