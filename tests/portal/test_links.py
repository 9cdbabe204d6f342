"""No page offers a way that its reader may not go: whoever follows any link of any page arrives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from lxml import html

from channels.models import Credential
from mandates.models import Employer
from portal.models import (
    ChannelProfile,
    Grant,
    GrantEmployer,
    MandateProfile,
    Membership,
    Profile,
    UserProfile,
)
from portal.profiles import OF_CLIENTS, usual
from tests import factories
from tests.people import Person
from tests.portal.everything import make_one_of_everything
from tests.submissions import relayed_files, scenes

pytestmark = [pytest.mark.walk, pytest.mark.django_db]

LEADS_AWAY = {"set_language", "logout"}
AT_MOST = 2
"""Pages of one kind that are opened: those of a list are alike."""


@pytest.fixture
def ours(operator: Person) -> Employer:
    """A house in which something of everything happened and some things wait; one of its clients."""
    with operator.scope():
        channel = relayed_files.channel()
        found = scenes.refused(through=channel)
        scenes.parked(1, through=channel)
        make_one_of_everything(channel)
        relayed_files.mandate(found.employer, "DIMONA")
        relayed_files.handed_over(channel, relayed_files.a_dimona(found.employer))
        factories.inbound(channel, b"<x", state="unreadable", reason="No XML.")
        in_20_days = timezone.now() + timezone.timedelta(days=20)
        Credential.objects.filter(kind="signing").update(expires_at=in_20_days)
        return found.employer


type Somebody = Callable[[Person, Employer], Membership]


def with_all_that_is_usual(profile: Profile) -> Somebody:
    return lambda operator, _ours: factories.place(operator.mandataire, *usual(profile).values())


def with_only(*profiles: Profile | ChannelProfile | MandateProfile | UserProfile) -> Somebody:
    return lambda operator, _ours: factories.place(operator.mandataire, *profiles)


def limited(profile: Profile) -> Somebody:
    """Somebody of the house who has this client only, in what is about clients, and the rest as usual."""

    def made(operator: Person, ours: Employer) -> Membership:
        member = factories.place(operator.mandataire, *usual(profile).values())
        with operator.scope():
            for grant in Grant.objects.filter(member=member, application__in=OF_CLIENTS):
                GrantEmployer.objects.create(grant=grant, employer=ours)
        return member

    return made


def at_the_client(operator: Person, ours: Employer) -> Membership:
    return factories.place(operator.mandataire, Profile.EXTENDED, MandateProfile.MANAGE, employer=ours)


PEOPLE: dict[str, Somebody] = {
    **{f"usual {profile}": with_all_that_is_usual(profile) for profile in Profile},
    **{f"limited {profile}": limited(profile) for profile in Profile},
    "declares only": with_only(Profile.ADMINISTRATIVE),
    "journal only": with_only(Profile.EXTENDED),
    "mandates only": with_only(MandateProfile.SEE),
    "channel only": with_only(ChannelProfile.MANAGE),
    "users only": with_only(UserProfile.MANAGE),
    "at the client": at_the_client,
}


@pytest.mark.parametrize("name", PEOPLE)
def test_every_link_of_every_page_may_be_followed(name: str, operator: Person, ours: Employer) -> None:
    client = Client()
    client.force_login(PEOPLE[name](operator, ours).user)
    seen, opened = {"/"}, dict[str, int]()
    waiting = deque([("/", "the start")])
    dead = []
    while waiting:
        address, shown_on = waiting.popleft()
        kind = resolve(urlsplit(address).path).url_name or address
        if kind in LEADS_AWAY or opened.get(kind, 0) >= AT_MOST:
            continue
        opened[kind] = opened.get(kind, 0) + 1
        answer = client.get(address, follow=True)
        if answer.status_code != 200:
            dead.append((answer.status_code, address, shown_on))
        elif answer.headers["Content-Type"].startswith("text/html"):
            for link in html.fromstring(answer.content).xpath("//a/@href | //@hx-get"):
                target = urlsplit(str(link))
                absolute = (target.path or urlsplit(address).path) + (
                    f"?{target.query}" if target.query else ""
                )
                if not target.netloc and target.path not in seen and absolute not in seen:
                    seen.add(absolute)
                    waiting.append((absolute, address))
    assert len(opened) > 5, "this person sees something at all"
    assert dead == []
