"""Profiles: ordered within their application, read on each request, ended by their day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.models import (
    PROFILES,
    AnyProfile,
    Application,
    ChannelProfile,
    Grant,
    Membership,
    Profile,
    UserProfile,
)
from portal.profiles import profile_of, usual
from tests import factories
from tests.people import Person

pytestmark = pytest.mark.django_db

ALL = [profile for kind in PROFILES.values() for profile in kind]


@pytest.mark.parametrize("kind", PROFILES.values())
def test_each_profile_includes_those_before_it(kind: type[AnyProfile]) -> None:
    order = list(kind)
    for place, profile in enumerate(order):
        assert [profile.includes(other) for other in order] == [at <= place for at in range(len(order))]


@pytest.mark.parametrize("profile", ALL, ids=lambda p: f"{p.application}-{p.value}")
def test_a_profile_is_found_by_its_stored_name(profile: AnyProfile) -> None:
    assert profile_of(profile.application.value, profile.value) is profile


def test_a_profile_of_another_application_is_none() -> None:
    with pytest.raises(ValueError, match="encode"):
        profile_of("channels", "encode")


def test_what_is_usual_gives_one_profile_per_application() -> None:
    for profile in Profile:
        given = usual(profile)
        assert given[Application.DECLARATIONS] is profile
        assert all(one.application is application for application, one in given.items())
    assert Application.USERS not in usual(Profile.ADMINISTRATIVE)
    assert usual(Profile.EXTENDED)[Application.CHANNELS] is ChannelProfile.OPERATE


# --- members --------------------------------------------------------------------------------------


def test_a_member_may_what_he_holds_and_what_that_includes(operator: Person) -> None:
    held = {Profile.ADMINISTRATIVE, ChannelProfile.SEE}
    with operator.scope():
        member = factories.place(operator.mandataire, *held)
        may = {profile for profile in ALL if member.may(profile)}
    assert may == {Profile.ENCODE, *held}


def test_a_manager_may_everything_without_any_grant(operator: Person) -> None:
    with operator.scope():
        member = factories.place(operator.mandataire, is_manager=True)
        assert all(member.may(profile) for profile in ALL)


def test_a_grant_ends_with_its_last_day(operator: Person) -> None:
    today = timezone.localdate()
    with operator.scope():
        member = factories.place(operator.mandataire, Profile.ENCODE)
        for ends_on, may in ((today, True), (today - timedelta(days=1), False), (None, True)):
            Grant.objects.update(ends_on=ends_on)
            (read,) = Membership.objects.holding().filter(pk=member.pk)
            assert read.may(Profile.ENCODE) is may
            assert Membership.objects.get(pk=member.pk).may(Profile.ENCODE) is may


def test_what_is_held_comes_with_the_member_in_one_query(
    operator: Person, django_assert_num_queries: object
) -> None:
    with operator.scope():
        factories.place(operator.mandataire, Profile.ENCODE, UserProfile.SEE)
        with django_assert_num_queries(1):  # type: ignore[operator]
            for member in Membership.objects.holding():
                member.may(UserProfile.SEE)


def test_one_application_has_one_profile(operator: Person) -> None:
    with operator.scope():
        member = factories.place(operator.mandataire, Profile.ENCODE)
        with pytest.raises(IntegrityError, match="one_profile_per_application"), transaction.atomic():
            Grant.objects.create(member=member, application="declarations", profile="extended")


@pytest.mark.parametrize(
    ("application", "profile"),
    [("declarations", "see"), ("channels", "encode"), ("users", "encode"), ("x", "see")],
)
def test_the_database_knows_which_profile_is_whose(operator: Person, application: str, profile: str) -> None:
    with operator.scope():
        member = factories.place(operator.mandataire)
        with pytest.raises(IntegrityError, match="grant_profile_is_of_its_application"), transaction.atomic():
            Grant.objects.create(member=member, application=application, profile=profile)


def test_the_database_knows_every_profile_there_is(operator: Person) -> None:
    for profile in ALL:
        with operator.scope():
            member = factories.place(operator.mandataire, profile)
            assert member.may(profile)


def test_a_grant_holds_from_the_next_page(operator: Person, colleague: Person) -> None:
    assert colleague.client.get("/journal/").status_code == 403
    with operator.scope():
        Grant.objects.filter(member__user=colleague.user, application="declarations").update(
            profile="extended"
        )
    assert colleague.client.get("/journal/").status_code == 200
    with operator.scope():
        Grant.objects.filter(member__user=colleague.user).delete()
    assert colleague.client.get("/declarations/").status_code == 403
    assert colleague.client.get("/")["Location"] == "/team/"
    assert colleague.client.get("/team/").status_code == 200
