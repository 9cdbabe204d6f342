"""The pages of the team: who sees whom, the search that leaves no address, and what a manager does for a user."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from lxml import html

from portal import admitting
from portal.models import Event, Grant, Membership, Profile, User, UserProfile
from portal.views.people_forms import FirstPasswordForm
from tests import factories
from tests.people import Person, sign_in, signed_in

pytestmark = pytest.mark.django_db

NISS = "85073003328"
NEW = "a much longer sentence"


def tree(answer: Any) -> Any:
    return html.document_fromstring(answer.content.decode())


def text(answer: Any) -> str:
    return " ".join(tree(answer).find(".//main").text_content().split())


def named(answer: Any) -> list[str]:
    """The users that the list shows, in its order."""
    return [link.text_content() for link in tree(answer).xpath("//main//a[@class='row-link']")]


@pytest.fixture
def anne(operator: Person) -> Membership:
    return factories.place(
        operator.mandataire,
        Profile.ENCODE,
        username="anne.claes",
        first_name="Anne",
        last_name="Claes",
        email="anne@example.be",
        niss=NISS,
    )


@pytest.fixture
def delegate(operator: Person) -> Person:
    """Manages users without being a manager, and holds no more than encode himself."""
    person = signed_in(operator.mandataire, Profile.ENCODE, "delegate")
    with operator.scope():
        member = Membership.objects.get(user=person.user)
        Grant.objects.create(member=member, application="users", profile="manage")
    return person


def verbs(of: Person) -> list[str]:
    with of.scope():
        return list(Event.objects.order_by("id").values_list("verb", flat=True))


# --- the list -------------------------------------------------------------------------------------


def test_everybody_sees_who_the_managers_are_and_nothing_of_the_others(
    operator: Person, colleague: Person, anne: Membership
) -> None:
    User.objects.filter(pk=operator.user.pk).update(
        first_name="Carine", last_name="Dubois", email="c@example.be"
    )
    seen = text(colleague.client.get("/team/"))
    assert "Your managers" in seen
    assert "Carine Dubois" in seen
    assert "c@example.be" in seen
    assert "Anne" not in seen
    assert colleague.client.post("/team/", {"last_name": "Claes"}).status_code == 403


def test_the_list_shows_everybody_of_this_organisation_and_nobody_else(
    operator: Person, stranger: Person, anne: Membership
) -> None:
    User.objects.filter(pk=stranger.user.pk).update(last_name="Vreemd")
    answer = operator.client.get("/team/")
    assert named(answer) == ["Anne Claes", "Lou Essai"]
    assert "Vreemd" not in answer.content.decode()
    assert NISS not in answer.content.decode()


SEARCHES: list[tuple[dict[str, str], set[str]]] = [
    ({"first_name": "ann"}, {"Anne Claes"}),
    ({"last_name": "CLA"}, {"Anne Claes"}),
    ({"niss": "85.07.30-033.28"}, {"Anne Claes"}),
    ({"niss": factories.new_niss()}, set()),
    ({"blocked": "yes"}, {"Bram Block"}),
    ({"blocked": "no"}, {"Anne Claes", "Lou Essai"}),
    ({"application": "declarations"}, {"Anne Claes", "Lou Essai"}),
    ({"application": "users"}, {"Lou Essai"}),
    ({"application": "declarations", "last_name": "Claes"}, {"Anne Claes"}),
    ({}, {"Anne Claes", "Bram Block", "Lou Essai"}),
]


@pytest.mark.parametrize(("asked", "found"), SEARCHES)
def test_a_search_finds_who_matches_and_the_complementary_one_all_others(
    operator: Person, anne: Membership, asked: dict[str, str], found: set[str]
) -> None:
    factories.place(operator.mandataire, first_name="Bram", last_name="Block")
    with operator.scope():
        Membership.objects.filter(user__last_name="Block").update(is_blocked=True)
    everybody = {"Anne Claes", "Bram Block", "Lou Essai"}
    assert set(named(operator.client.post("/team/", asked))) == found
    assert set(named(operator.client.post("/team/", {**asked, "others": "on"}))) == everybody - found


def test_a_number_is_searched_by_post_only_and_a_wrong_one_is_told(
    operator: Person, anne: Membership
) -> None:
    found = operator.client.get("/team/", {"niss": NISS, "last_name": "nobody"})
    assert named(found) == ["Anne Claes", "Lou Essai"]
    form = tree(found).get_element_by_id("search-users")
    assert form.get("method") == "post"
    wrong = operator.client.post("/team/", {"niss": "85.07.30-033.29"})
    assert "error-summary" in wrong.content.decode()


def test_a_long_list_has_pages_and_a_search_turns_them_by_posting(operator: Person) -> None:
    for place in range(60):
        factories.place(operator.mandataire, first_name="U", last_name=f"Unit{place:02}")
    first = operator.client.get("/team/")
    assert len(named(first)) == 50
    assert len(named(operator.client.get("/team/?page=2"))) == 11
    second = operator.client.post("/team/", {"last_name": "Unit", "page": "2"})
    assert len(named(second)) == 10
    (button,) = tree(second).xpath("//nav[@class='pagination']//button")
    assert (button.get("form"), button.get("name"), button.get("value")) == ("search-users", "page", "1")


def test_the_list_asks_the_same_number_of_queries_for_one_and_for_fifty(
    operator: Person, django_assert_max_num_queries: Any
) -> None:
    for place in range(50):
        factories.place(operator.mandataire, Profile.ENCODE, UserProfile.SEE, last_name=f"Unit{place:02}")
    with django_assert_max_num_queries(16):
        assert len(named(operator.client.get("/team/"))) == 50


# --- one user -------------------------------------------------------------------------------------


def test_creating_leads_to_the_grants(operator: Person) -> None:
    fields = {
        "first_name": "Bram",
        "last_name": "Peeters",
        "niss": "85.07.30-033.28",
        "email": "bram@example.be",
        "language": "nl",
    }
    answer = operator.client.post("/team/new/", fields)
    with operator.scope():
        made = Membership.objects.select_related("user").get(user__last_name="Peeters")
        assert made.niss == NISS
    assert not made.user.has_chosen_name
    assert answer["Location"] == f"/team/{made.pk}/"
    assert verbs(operator) == ["member.admitted"]
    page = operator.client.get(answer["Location"])
    assert "85.07.30-***.**" in text(page)
    assert "No user name chosen yet" in text(page)
    assert made.user.username not in page.content.decode()
    assert NISS not in page.content.decode()


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"niss": NISS}, "exists already"),
        ({"niss": ""}, "NISS"),
        ({"niss": "123"}, "11 digits"),
        ({"email": "nowhere"}, "e"),
        ({"language": "es"}, "e"),
    ],
)
def test_a_faulty_user_is_not_created(
    operator: Person, anne: Membership, wrong: dict[str, str], fault: str
) -> None:
    fields = {
        "first_name": "Bram",
        "last_name": "Peeters",
        "niss": factories.new_niss(),
        "email": "bram@example.be",
        "language": "nl",
    }
    answer = operator.client.post("/team/new/", {**fields, **wrong})
    assert answer.status_code == 422
    (summary,) = tree(answer).find_class("error-summary")
    assert fault in summary.text_content()
    assert verbs(operator) == []


def test_modifying_cannot_reach_the_user_name(operator: Person, anne: Membership) -> None:
    page = operator.client.get(f"/team/{anne.pk}/edit/")
    assert not tree(page).xpath("//input[@name='username']")
    fields = {
        "first_name": "Anna",
        "last_name": "Claes",
        "email": "a@example.be",
        "language": "fr",
        "niss": "",
    }
    operator.client.post(f"/team/{anne.pk}/edit/", {**fields, "username": "boss"})
    user = User.objects.get(pk=anne.user_id)
    assert (user.username, user.first_name, user.email) == ("anne.claes", "Anna", "a@example.be")
    with operator.scope():
        assert Membership.objects.get(pk=anne.pk).niss == NISS


def test_the_grants_screen_gives_and_takes(operator: Person, anne: Membership) -> None:
    page = operator.client.get(f"/team/{anne.pk}/")
    assert tree(page).xpath("//select[@name='declarations']/option[@selected]/@value") == ["encode"]
    chosen = {"declarations": "", "channels": "operate", "channels_until": "2030-12-31", "users": "see"}
    answer = operator.client.post(f"/team/{anne.pk}/grants/", chosen)
    assert answer["Location"] == f"/team/{anne.pk}/"
    with operator.scope():
        held = {
            grant.application: (grant.profile, str(grant.ends_on))
            for grant in Grant.objects.filter(member=anne)
        }
    assert held == {"channels": ("operate", "2030-12-31"), "users": ("see", "None")}
    assert sorted(verbs(operator)) == ["grant.given", "grant.given", "grant.withdrawn"]
    history = text(operator.client.get(f"/team/{anne.pk}/"))
    assert "Lou Essai granted Anne Claes the profile “Operate” for channels, until 31/12/2030" in history


@pytest.mark.parametrize(
    "wrong", [{"declarations": "see"}, {"declarations": "encode", "declarations_until": "2020-01-01"}]
)
def test_a_grant_that_makes_no_sense_is_refused_as_a_whole(
    operator: Person, anne: Membership, wrong: dict[str, str]
) -> None:
    answer = operator.client.post(f"/team/{anne.pk}/grants/", {"users": "see", **wrong})
    assert answer.status_code == 422
    assert verbs(operator) == []


def test_a_delegate_is_offered_only_what_he_holds_and_gets_no_further_by_hand(
    operator: Person, delegate: Person, anne: Membership
) -> None:
    page = delegate.client.get(f"/team/{anne.pk}/")
    assert tree(page).xpath("//select[@name='declarations']/option/@value") == ["", "encode"]
    forged = delegate.client.post(f"/team/{anne.pk}/grants/", {"declarations": "extended"})
    assert forged.status_code == 422
    assert delegate.client.post(f"/team/{anne.pk}/appoint/").status_code == 403
    assert verbs(operator) == []


def test_a_delegate_takes_over_nobody_who_may_do_more(operator: Person, delegate: Person) -> None:
    stronger = factories.place(operator.mandataire, Profile.EXTENDED)
    with operator.scope():
        targets = [
            stronger.pk,
            *Membership.objects.filter(user__in=[operator.user, delegate.user]).values_list("pk", flat=True),
        ]
    for pk in targets:
        assert delegate.client.get(f"/team/{pk}/").status_code == 200
        assert delegate.client.get(f"/team/{pk}/edit/").status_code == 403
        for act in ("link", "block", "grants", "delete", "unblock", "appoint", "dismiss"):
            assert delegate.client.post(f"/team/{pk}/{act}/").status_code == 403, act
    assert verbs(operator) == []


def test_a_manager_leaves_the_post_but_not_the_last_one(operator: Person, anne: Membership) -> None:
    with operator.scope():
        own = Membership.objects.get(user=operator.user).pk
    refused = operator.client.post(f"/team/{own}/dismiss/", follow=True)
    assert "appoint another one first" in text(refused)
    for act in ("block", "delete", "grants", "appoint"):
        assert operator.client.post(f"/team/{own}/{act}/").status_code == 403, act
    operator.client.post(f"/team/{anne.pk}/appoint/")
    assert operator.client.post(f"/team/{own}/dismiss/")["Location"] == "/team/"
    assert operator.client.post(f"/team/{anne.pk}/appoint/").status_code == 403
    assert verbs(operator) == ["member.appointed", "member.dismissed"]


# --- blocking -------------------------------------------------------------------------------------


def test_a_block_ends_sessions_at_once_and_for_good(operator: Person, colleague: Person) -> None:
    with operator.scope():
        pk = Membership.objects.get(user=colleague.user).pk
    other_browser = Client()
    credentials = {"username": "colleague", "password": factories.PASSWORD}
    assert other_browser.post("/sign-in/", credentials).status_code == 302
    operator.client.post(f"/team/{pk}/block/")
    for browser in (colleague.client, other_browser):
        assert browser.get("/")["Location"].startswith("/sign-in/")
    assert Client().post("/sign-in/", credentials).status_code == 200
    operator.client.post(f"/team/{pk}/unblock/")
    assert other_browser.get("/")["Location"].startswith("/sign-in/")
    assert Client().post("/sign-in/", credentials).status_code == 302
    assert verbs(operator) == ["member.blocked", "member.unblocked"]


def test_a_blocked_user_gets_the_same_answer_as_a_wrong_password(operator: Person, colleague: Person) -> None:
    with operator.scope():
        pk = Membership.objects.get(user=colleague.user).pk
    operator.client.post(f"/team/{pk}/block/")

    def answer(username: str, password: str) -> str:
        body = Client().post("/sign-in/", {"username": username, "password": password}).content.decode()
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body).replace(username, "")

    blocked = answer("colleague", factories.PASSWORD)
    assert blocked == answer("colleague", "wrong") == answer("nobody.here", factories.PASSWORD)


def test_deleting_first_shows_what_goes_and_what_stays(operator: Person, anne: Membership) -> None:
    seen = text(operator.client.get(f"/team/{anne.pk}/delete/"))
    assert "Delete Anne Claes?" in seen
    assert "1 profile" in seen
    assert "0 acts in the journal" in seen
    assert verbs(operator) == []
    assert operator.client.post(f"/team/{anne.pk}/delete/")["Location"] == "/team/"
    assert operator.client.get(f"/team/{anne.pk}/").status_code == 404
    assert not User.objects.filter(pk=anne.user_id).exists()
    assert "Lou Essai deleted the user Anne Claes (anne.claes)" in text(operator.client.get("/journal/"))


# --- the link -------------------------------------------------------------------------------------


def link_of(operator: Person, member: Membership) -> str:
    answer = operator.client.post(f"/team/{member.pk}/link/")
    shown = tree(answer).get_element_by_id("address").text_content().strip()
    assert shown.startswith("http://testserver/new-password/")
    assert "no-store" in answer["Cache-Control"]
    return str(shown).removeprefix("http://testserver")


def choose(browser: Client, link: str, password: str = "a much longer sentence") -> Any:
    page = browser.get(link, follow=True)
    if not page.redirect_chain:
        return page
    return browser.post(page.redirect_chain[-1][0], {"new_password1": password, "new_password2": password})


def test_a_link_chooses_the_first_password_once(operator: Person, anne: Membership) -> None:
    link = link_of(operator, anne)
    browser = Client()
    page = browser.get(link, follow=True)
    assert "anne.claes" in text(page)
    assert link.split("/")[-2] not in page.redirect_chain[-1][0]
    assert choose(browser, link)["Location"] == "/sign-in/"
    credentials = {"username": "anne.claes", "password": "a much longer sentence"}
    assert sign_in(browser, **credentials)["Location"] == "/"
    assert "no longer works" in text(Client().get(link))
    assert verbs(operator) == ["member.link_issued", "member.password_chosen", "member.signed_in"]
    with operator.scope():
        chosen = Event.objects.get(verb="member.password_chosen")
    assert (chosen.actor_id, chosen.subject_id) == (anne.user_id, str(anne.pk))


@pytest.fixture
def newcomer(operator: Person) -> Membership:
    """Somebody who was created a moment ago and has the first link."""
    with operator.scope():
        return admitting.admit(
            niss=factories.new_niss(),
            first_name="Bram",
            last_name="Peeters",
            email="b@example.be",
            language="en",
        )


def choose_name(browser: Client, link: str, username: str, again: str = "", password: str = NEW) -> Any:
    address = browser.get(link, follow=True).redirect_chain[-1][0]
    fields = {"username": username, "username_again": again or username}
    return browser.post(address, {**fields, "new_password1": password, "new_password2": password})


def test_the_first_link_asks_for_a_name_of_ones_own(operator: Person, newcomer: Membership) -> None:
    link, browser = link_of(operator, newcomer), Client()
    page = browser.get(link, follow=True)
    assert "it stays" in text(page)
    assert newcomer.user.username not in page.content.decode()
    assert choose_name(browser, link, "Bram.Peeters", "bram.PEETERS")["Location"] == "/sign-in/"
    user = User.objects.get(pk=newcomer.user_id)
    assert (user.username, user.has_chosen_name) == ("bram.peeters", True)
    assert browser.post("/sign-in/", {"username": "Bram.Peeters", "password": NEW})["Location"] == "/"
    assert verbs(operator)[2:] == ["member.name_chosen", "member.password_chosen", "member.signed_in"]
    assert "Bram Peeters chose the user name bram.peeters" in text(operator.client.get("/journal/"))
    # The next link is about the password alone.
    again = Client().get(link_of(operator, newcomer), follow=True)
    assert not tree(again).xpath("//input[@name='username_again']")


@pytest.mark.parametrize(
    ("username", "again", "fault"),
    [
        ("bram.peeters", "bram.peters", "not the same"),
        ("Anne.Claes", "", "taken"),
        ("bram peeters", "", "valid"),
        ("new-bram", "", "given by the portal"),
        ("", "", "required"),
        ("a.much.longer.sentence", "", "too similar"),
    ],
)
def test_a_name_that_cannot_stay_is_told(
    operator: Person, anne: Membership, newcomer: Membership, username: str, again: str, fault: str
) -> None:
    answer = choose_name(Client(), link_of(operator, newcomer), username, again, "a.much.longer.sentence")
    (summary,) = tree(answer).find_class("error-summary")
    assert fault in summary.text_content()
    user = User.objects.get(pk=newcomer.user_id)
    assert (user.username, user.has_chosen_name) == (newcomer.user.username, False)
    assert not user.has_usable_password()


def test_a_name_taken_in_the_same_moment_is_told_too(
    operator: Person, newcomer: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form saw it free; the constraint did not."""
    link = link_of(operator, newcomer)
    look = FirstPasswordForm.clean_username

    def just_before(form: FirstPasswordForm) -> str:
        free = look(form)
        factories.place(operator.mandataire, username="BRAM.peeters")
        return free

    monkeypatch.setattr(FirstPasswordForm, "clean_username", just_before)
    answer = choose_name(Client(), link, "bram.peeters")
    assert "This user name is taken" in text(answer)
    assert not User.objects.get(pk=newcomer.user_id).has_chosen_name


def test_a_link_works_for_72_hours(
    operator: Person, anne: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from portal.admitting import password_link

    link = link_of(operator, anne)
    now = password_link._now()  # type: ignore[attr-defined]
    for hours, works in ((71.9, True), (72.1, False)):
        monkeypatch.setattr(password_link, "_now", lambda hours=hours: now + timedelta(hours=hours))
        assert ("no longer works" not in text(Client().get(link, follow=True))) is works


@pytest.mark.parametrize("after", ["block", "sign_in", "other_user"])
def test_a_link_dies_with_what_it_was_for(operator: Person, anne: Membership, after: str) -> None:
    link = link_of(operator, anne)
    match after:
        case "block":
            operator.client.post(f"/team/{anne.pk}/block/")
        case "sign_in":
            sign_in(Client(), "anne.claes")
        case _:
            head, _, token = link.rstrip("/").rpartition("/")
            link = f"{head.rpartition('/')[0]}/MQ/{token}/"
    assert "no longer works" in text(Client().get(link, follow=True))


def test_a_weak_password_is_refused(operator: Person, anne: Membership) -> None:
    answer = choose(Client(), link_of(operator, anne), "anne.claes")
    assert answer.status_code == 200
    assert tree(answer).find_class("error-summary")
    assert verbs(operator) == ["member.link_issued"]
