"""Admitting people, changing what they may do, seeing them out: who may, what it leaves, and who is never missing."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from portal import admitting, factors, tenancy
from portal.models import (
    AnyProfile,
    Application,
    ChannelProfile,
    Event,
    Grant,
    Mandataire,
    Membership,
    Profile,
    User,
    UserProfile,
)
from tests import factories
from tests.people import Person
from tests.racing import race

pytestmark = pytest.mark.django_db

NISS = "85073003328"


def me(person: Person) -> Membership:
    return Membership.objects.holding().get(user=person.user)


def admit(**fields: str) -> Membership:
    values = {
        "niss": NISS,
        "first_name": "Anne",
        "last_name": "Claes",
        "email": "anne@example.be",
        "language": "nl",
    }
    return admitting.admit(**(values | fields))


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


def checked(act: Any) -> None:
    """Does something, and asks the deferred triggers about it."""
    with transaction.atomic():
        act()
        check_now()


def check_now() -> None:
    """Lets the deferred triggers speak before the test ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


# --- creating and changing ------------------------------------------------------------------------


def test_who_is_admitted_may_nothing_and_has_no_password(operator: Person) -> None:
    with operator.scope():
        member = admit()
        assert member.held == {}
        assert not member.is_manager
        assert not member.user.has_usable_password()
        (event,) = Event.objects.all()
    assert (event.verb, event.actor_name, event.subject_id) == ("member.admitted", "operator", str(member.pk))
    assert event.data == {"who": "Anne Claes"}


def test_who_is_admitted_has_a_name_that_says_nothing_and_nobody_else_has(operator: Person) -> None:
    with operator.scope():
        users = [admit(niss=factories.new_niss()).user for _ in range(20)]
    assert not any(user.has_chosen_name for user in users)
    assert all(re.fullmatch("new-[A-Z2-9]{6}", user.username) for user in users)
    assert len({user.username for user in users}) == 20


def test_the_number_is_sealed_and_found_by_equality(operator: Person) -> None:
    with operator.scope():
        member = admit()
        assert NISS.encode() not in bytes(member.niss_sealed or b"")
        found = Membership.objects.get(niss_index=Membership.index_of(NISS))
        assert (found.pk, found.niss) == (member.pk, NISS)
        assert NISS not in str(list(Event.objects.values_list("data", flat=True)))


def test_two_tenants_may_have_the_same_person_and_cannot_tell(operator: Person, stranger: Person) -> None:
    with operator.scope():
        here = bytes(admit().niss_index or b"")
    with stranger.scope():
        there = bytes(admit().niss_index or b"")
    assert here != there


def test_a_number_is_taken_once(operator: Person) -> None:
    with operator.scope():
        admit()
        with pytest.raises(IntegrityError), transaction.atomic():
            admit()


def test_a_name_is_taken_once_whatever_its_capitals(operator: Person) -> None:
    factories.place(operator.mandataire, username="anne.claes")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.place(operator.mandataire, username="ANNE.claes")


@pytest.mark.parametrize(
    "change", [{"username": "boss"}, {"username": "Colleague"}, {"has_chosen_name": False}]
)
def test_the_database_keeps_a_name_that_was_chosen(colleague: Person, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="stays"), transaction.atomic():
        User.objects.filter(pk=colleague.user.pk).update(**change)


def test_a_second_factor_that_is_lost_goes_with_the_sessions(operator: Person, colleague: Person) -> None:
    with operator.scope():
        member = Membership.objects.get(user=colleague.user)
        factors.new_recovery_codes(colleague.user)
        admitting.reset_factors(member)
        assert verbs() == ["factor.reset"]
    assert not Authenticator.objects.filter(user=colleague.user).exists()
    assert Authenticator.objects.filter(user=operator.user).exists()
    assert colleague.client.get("/profile/").status_code == 302


def test_a_change_tells_which_fields_and_not_what(operator: Person) -> None:
    with operator.scope():
        member = admit()
        details = {"first_name": "Anna", "last_name": "Claes", "email": "anne@example.be", "language": "fr"}
        changed = admitting.change(member, niss=factories.new_niss(), **details)
        assert changed == ["first_name", "language", "niss"]
        assert admitting.change(member, **details) == []
        event = Event.objects.get(verb="member.changed")
        assert event.data == {"who": "Anna Claes", "fields": changed}
        member.user.refresh_from_db()
        assert member.user.first_name == "Anna"


def test_who_is_at_home_elsewhere_too_belongs_to_nobody_alone(operator: Person, stranger: Person) -> None:
    """A manager of one organisation must not take over, or lock out, an account that opens another."""
    with operator.scope():
        member = admit()
    with stranger.scope():
        Membership.objects.create(user=member.user)
    with operator.scope():
        for attempt in (
            lambda: admitting.issue_link(member),
            lambda: admitting.change(member, email="x@example.be"),
            lambda: admitting.reset_factors(member),
        ):
            with pytest.raises(admitting.Refused, match="another organisation"):
                attempt()
        admitting.block(member)
        member.user.refresh_from_db()
        assert member.user.is_active
        admitting.remove(member)
    assert User.objects.filter(pk=member.user_id).exists()
    with stranger.scope():
        assert Membership.objects.filter(user=member.user).exists()


# --- granting -------------------------------------------------------------------------------------


def test_granting_changing_and_withdrawing_each_leave_a_trace(operator: Person) -> None:
    with operator.scope():
        boss, member = me(operator), admit()
        give = lambda *args: admitting.grant(boss, member, Application.DECLARATIONS, *args)  # noqa: E731
        assert give(Profile.ENCODE, None)
        assert not give(Profile.ENCODE, None)
        assert give(Profile.EXTENDED, date(2030, 6, 30))
        assert give(None, None)
        assert not give(None, None)
        facts = [event.data for event in Event.objects.filter(verb__startswith="grant.").order_by("id")]
        assert verbs()[1:] == ["grant.given", "grant.changed", "grant.withdrawn"]
        assert [(f["profile"], f.get("until")) for f in facts] == [
            ("encode", ""),
            ("extended", "2030-06-30"),
            ("extended", None),
        ]
        assert not Grant.objects.filter(member=member).exists()


@pytest.mark.parametrize(
    ("wanted", "ends_in", "is_given"),
    [
        (Profile.ENCODE, 5, True),
        (Profile.ADMINISTRATIVE, 10, True),
        (Profile.ADMINISTRATIVE, 11, False),
        (Profile.ADMINISTRATIVE, None, False),
        (Profile.EXTENDED, 5, False),
        (ChannelProfile.SEE, 5, False),
        (UserProfile.MANAGE, None, True),
    ],
)
def test_nobody_grants_what_he_lacks_nor_for_longer(
    operator: Person, wanted: AnyProfile, ends_in: int | None, is_given: bool
) -> None:
    today = timezone.localdate()
    with operator.scope():
        delegate = factories.place(operator.mandataire, Profile.ADMINISTRATIVE, UserProfile.MANAGE)
        Grant.objects.filter(member=delegate, application="declarations").update(
            ends_on=today + timedelta(days=10)
        )
        member = admit()
        until = today + timedelta(days=ends_in) if ends_in else None
        if is_given:
            assert admitting.grant(delegate, member, wanted.application, wanted, until)
        else:
            with pytest.raises(admitting.Refused, match="do not hold"):
                admitting.grant(delegate, member, wanted.application, wanted, until)
        assert Grant.objects.filter(member=member).exists() is is_given


def test_who_may_administer_whom(operator: Person) -> None:
    with operator.scope():
        boss = me(operator)
        second = factories.place(operator.mandataire, is_manager=True)
        delegate = factories.place(operator.mandataire, Profile.ENCODE, UserProfile.MANAGE)
        weaker = factories.place(operator.mandataire, Profile.ENCODE)
        stronger = factories.place(operator.mandataire, Profile.EXTENDED)
        lapsed = factories.place(operator.mandataire, Profile.EXTENDED)
        Grant.objects.filter(member=lapsed).update(ends_on=date(2024, 1, 1))
        everybody = [boss, second, delegate, weaker, stronger, lapsed]
        may = lambda actor: [admitting.may_administer(actor, other) for other in everybody]  # noqa: E731
        assert may(boss) == [False, True, True, True, True, True]
        assert may(delegate) == [False, False, False, True, False, False]
        assert may(weaker) == [False] * 6


# --- blocking and deleting ------------------------------------------------------------------------


def test_who_is_blocked_stays_in_the_list_with_his_grants(operator: Person, colleague: Person) -> None:
    with operator.scope():
        member = Membership.objects.get(user=colleague.user)
        admitting.block(member)
        member = Membership.objects.get(user=colleague.user)
        assert member.is_blocked
        assert member.may(Profile.ENCODE)
        with pytest.raises(admitting.Refused, match="Unblock"):
            admitting.issue_link(member)
        with pytest.raises(admitting.Refused, match="Unblock"):
            admitting.appoint(member)
        admitting.unblock(member)
        assert verbs() == ["member.blocked", "member.unblocked"]
    colleague.user.refresh_from_db()
    assert colleague.user.is_active


def test_deleting_takes_everything_but_the_journal(operator: Person) -> None:
    with operator.scope():
        boss, member = me(operator), admit()
        admitting.grant(boss, member, Application.DECLARATIONS, Profile.ENCODE, None)
        key, username = member.pk, member.user.username
        admitting.remove(member)
        assert not Membership.objects.filter(pk=key).exists()
        assert not Grant.objects.filter(member_id=key).exists()
        assert not User.objects.filter(username=username).exists()
        last = Event.objects.order_by("id").last()
        assert last is not None
        assert (last.verb, last.data["who"], last.data["username"]) == (
            "member.removed",
            "Anne Claes",
            username,
        )


# --- never without a manager ----------------------------------------------------------------------

PARTINGS = [admitting.dismiss, admitting.block, admitting.remove]


@pytest.mark.parametrize("part", PARTINGS, ids=lambda f: f.__name__)
def test_the_last_manager_cannot_go(operator: Person, colleague: Person, part: Any) -> None:
    with operator.scope():
        with pytest.raises(admitting.Refused, match="appoint another"):
            part(me(operator))
        other = Membership.objects.get(user=colleague.user)
        admitting.appoint(other)
        part(me(operator))
        assert list(Membership.objects.managers()) == [other]
        check_now()


def test_a_blocked_manager_does_not_count(operator: Person) -> None:
    with operator.scope():
        factories.place(operator.mandataire, is_manager=True, username="second")
        admitting.block(Membership.objects.get(user__username="second"))
        with pytest.raises(admitting.Refused):
            admitting.dismiss(me(operator))


@pytest.mark.parametrize("change", [{"is_manager": False}, {"is_blocked": True}])
def test_the_database_refuses_what_the_code_would_let_through(
    operator: Person, change: dict[str, bool]
) -> None:
    factories.place(operator.mandataire)
    with operator.scope():
        mine = Membership.objects.filter(user=operator.user)
        with pytest.raises(IntegrityError, match="no manager"):
            checked(lambda: mine.update(**change))


def test_the_database_refuses_a_first_member_who_is_no_manager(db: None) -> None:
    made = factories.mandataire()
    alone = User.objects.create(username="alone")
    with tenancy.scope(made.pk), pytest.raises(IntegrityError, match="no manager"):
        checked(lambda: Membership.objects.create(user=alone))


def test_one_manager_may_be_put_in_the_place_of_another_in_one_transaction(operator: Person) -> None:
    with operator.scope():
        Membership.objects.filter(user=operator.user).update(is_manager=False)
        factories.place(operator.mandataire, is_manager=True)
        check_now()


def test_an_organisation_may_lose_its_last_member(operator: Person) -> None:
    with operator.scope():
        Membership.objects.all().delete()
        check_now()


@pytest.mark.parametrize("part", PARTINGS, ids=lambda f: f.__name__)
@pytest.mark.django_db(transaction=True)
def test_two_managers_removed_at_the_same_moment_leave_one(part: Any) -> None:
    mandataire, (first, second) = two_managers()

    def removal(pk: int) -> Any:
        def run() -> None:
            with tenancy.scope(mandataire.pk):
                part(Membership.objects.select_related("user").get(pk=pk))

        return run

    ended = race(removal(first.pk), removal(second.pk))
    assert sorted(type(end).__name__ for end in ended) == ["NoneType", "Refused"]
    with tenancy.scope(mandataire.pk):
        assert Membership.objects.managers().count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_trigger_alone_keeps_one_of_two_as_well() -> None:
    """Code that forgets the lock: each transaction sees the other's manager, and the later commit is refused."""
    mandataire, (first, second) = two_managers()

    def removal(pk: int) -> Any:
        def run() -> int:
            with tenancy.scope(mandataire.pk):
                return Membership.objects.filter(pk=pk).update(is_manager=False)

        return run

    ended = race(removal(first.pk), removal(second.pk))
    assert sorted(type(end).__name__ for end in ended) == ["IntegrityError", "int"]
    with tenancy.scope(mandataire.pk):
        assert Membership.objects.managers().count() == 1


def two_managers() -> tuple[Mandataire, list[Membership]]:
    mandataire = factories.mandataire()
    members = [factories.place(mandataire, is_manager=True) for _ in range(2)]
    factories.place(mandataire)
    return mandataire, members


def test_a_table_of_the_session_does_not_stand_in_for_the_members(operator: Person) -> None:
    """The trigger runs with rights of its own: whoever speaks to it must not choose what it reads."""
    with operator.scope():
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE portal_membership (LIKE public.portal_membership) ON COMMIT DROP"
            )
        with pytest.raises(IntegrityError, match="no manager"):
            checked(take_managers_away)


def take_managers_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE public.portal_membership SET is_manager = false")
