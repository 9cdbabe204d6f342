"""Alarms: raised once, mailed once to each manager in his language, ended when it is over."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.utils import timezone

from channels import stopping
from channels.models import Alarm, Channel, Credential
from portal import audit
from portal.models import Event, Membership, Profile
from submissions import alarming
from submissions.models import Batch, Notice
from tests import factories
from tests.people import Person
from tests.submissions import scenes

pytestmark = pytest.mark.django_db

type Watch = Callable[[], list[str]]


@pytest.fixture
def channel(operator: Person) -> Iterator[Channel]:
    """In contact, with a certificate that is good for long."""
    with operator.scope():
        made = factories.channel(name="Canal d'essai", last_contact_at=timezone.now())
        Credential.objects.filter(channel=made).update(expires_at=timezone.now() + timedelta(days=400))
        yield made


@pytest.fixture
def watch(channel: Channel) -> Watch:
    return lambda: alarming.watch(channel.mandataire_id, channel.pk)


def change(channel: Channel, **fields: Any) -> None:
    Channel.objects.filter(pk=channel.pk).update(**fields)


def hours_ago(hours: float) -> Any:
    return timezone.now() - timedelta(hours=hours)


def test_a_channel_that_fares_well_raises_none(channel: Channel, watch: Watch) -> None:
    scenes.accepted(through=channel)
    scenes.dropped(through=channel)
    factories.sealed_batch(through=channel)
    assert watch() == []
    channel.refresh_from_db()
    assert channel.watched_at is not None
    assert not Alarm.objects.exists()


def test_each_cause_raises_its_alarm_once_and_ends_it(channel: Channel, watch: Watch) -> None:
    sealed = factories.sealed_batch(through=channel)
    Batch.objects.filter(pk=sealed.pk).update(sealed_at=hours_ago(2))
    for _again in range(3):
        assert watch() == ["unsent"]
    assert Alarm.objects.count() == 1
    sets_left = Batch.objects.filter(pk=sealed.pk)
    sets_left.update(state="dropped", dropped_at=hours_ago(2))
    for _again in range(2):
        assert watch() == ["unanswered"]
    sets_left.update(state="acknowledged", acknowledged_at=hours_ago(2))
    assert watch() == []
    sets_left.update(acknowledged_at=hours_ago(24 * 3))
    assert watch() == ["unanswered"]
    assert [(alarm.kind, alarm.ended_at is None) for alarm in Alarm.objects.order_by("pk")] == [
        ("unsent", False),
        ("unanswered", False),
        ("unanswered", True),
    ]
    verbs = Event.objects.filter(verb__startswith="channel.alarm").order_by("pk")
    assert [(event.verb.rpartition("_")[2], event.data["alarm"]) for event in verbs] == [
        ("raised", "unsent"),
        ("raised", "unanswered"),
        ("ended", "unsent"),
        ("ended", "unanswered"),
        ("raised", "unanswered"),
    ]


def test_what_is_ready_and_missed_its_departure_has_not_left(channel: Channel, watch: Watch) -> None:
    change(channel, departs_at=hours_ago(2))
    assert watch() == [], "nothing was ready"
    factories.ready(1, of=factories.employer())
    assert watch() == [], "without a mandate no departure takes it"
    factories.ready(1)
    assert watch() == ["unsent"]
    change(channel, departs_at=hours_ago(0.5))
    assert watch() == []


@pytest.mark.parametrize(
    ("days", "kinds"),
    [
        (61, []),
        (59, ["certificate_60"]),
        (30, ["certificate_30"]),
        (8, ["certificate_30"]),
        (6.9, ["certificate_7"]),
        (0.9, ["certificate_1"]),
        (-3, ["certificate_1"]),
    ],
)
def test_the_certificate_is_spoken_of_at_four_thresholds(
    channel: Channel, watch: Watch, days: float, kinds: list[str]
) -> None:
    until = timezone.now() + timedelta(days=days)
    Credential.objects.filter(channel=channel, kind="signing").update(expires_at=until)
    assert watch() == kinds


@pytest.mark.parametrize(
    ("days", "kinds"), [(61, []), (59, ["rest_60"]), (30, ["rest_30"]), (6.9, ["rest_7"]), (-3, ["rest_1"])]
)
def test_the_first_certificate_of_a_rest_account_to_end_is_spoken_of(
    channel: Channel, watch: Watch, days: float, kinds: list[str]
) -> None:
    for name, left in (("later", 400), ("first", days)):
        until = timezone.now() + timedelta(days=left)
        Credential.objects.create(
            channel=channel, kind="rest", sealed=b"", public="", fingerprint=name, expires_at=until
        )
    assert watch() == kinds
    Credential.objects.filter(fingerprint="first").delete()
    assert watch() == [], "removed: nobody needs it any more"


def test_silence_is_an_alarm_unless_something_explains_it(channel: Channel, watch: Watch) -> None:
    change(channel, last_contact_at=hours_ago(2))
    assert watch() == ["no_contact"]
    stopping.pause(channel, "maintenance")
    assert watch() == []
    stopping.resume(channel, "over")
    change(channel, broken_at=hours_ago(1), is_paused=True)
    assert watch() == ["broken"]
    change(channel, broken_at=None, other_host_key=factories.HOST_KEY)
    assert watch() == ["host_key"]
    change(channel, other_host_key="", is_paused=False, last_contact_at=None)
    assert watch() == [], "never tried yet"
    change(channel, failing_since=hours_ago(2))
    assert watch() == ["no_contact"]


# --- mail -----------------------------------------------------------------------------------------------


@pytest.fixture
def mailing(settings: Any, channel: Channel, operator: Person) -> Person:
    settings.SENDS_MAIL = True
    operator.user.email, operator.user.language = "an@example.be", "nl"
    operator.user.save()
    return operator


def break_down(channel: Channel) -> None:
    change(channel, broken_at=timezone.now(), is_paused=True)


def test_each_manager_gets_one_mail_in_his_language(
    mailing: Person, channel: Channel, watch: Watch, mailoutbox: list[EmailMessage]
) -> None:
    factories.place(mailing.mandataire, is_manager=True, email="lou@example.be", language="en")
    factories.place(mailing.mandataire, is_manager=True, email="")
    factories.place(mailing.mandataire, is_manager=True, is_active=False, email="gone@example.be")
    factories.member(mailing.mandataire, email="no.manager@example.be")
    break_down(channel)
    for _again in range(3):
        watch()
    assert sorted(mail.to[0] for mail in mailoutbox) == ["an@example.be", "lou@example.be"]
    english = next(mail for mail in mailoutbox if mail.to == ["lou@example.be"])
    assert english.subject == "Portal: The channel stopped trying"
    assert "Canal d'essai" in english.body
    assert "Secrétariat social A" in english.body
    assert Alarm.objects.get().told_at is not None
    assert Event.objects.get(verb="channel.alarm_told").data == {"alarm": "broken", "count": 2}


def test_the_mail_names_no_client_no_worker_and_no_file(
    mailing: Person, channel: Channel, watch: Watch, mailoutbox: list[EmailMessage]
) -> None:
    batch = factories.sealed_batch(through=channel, of=factories.client(name="Secret Client"))
    Batch.objects.filter(pk=batch.pk).update(sealed_at=hours_ago(2))
    watch()
    (mail,) = mailoutbox
    declaration = batch.declarations.get()
    for secret in ("Secret Client", declaration.record.worker.family_name, batch.envelope.stem):
        assert secret not in mail.body + mail.subject


def test_nothing_is_mailed_where_no_server_is_set_and_it_is_told_once_there_is_one(
    mailing: Person, channel: Channel, watch: Watch, mailoutbox: list[EmailMessage], settings: Any
) -> None:
    settings.SENDS_MAIL = False
    break_down(channel)
    assert watch() == ["broken"]
    assert mailoutbox == []
    settings.SENDS_MAIL = True
    watch()
    assert len(mailoutbox) == 1


def test_a_server_that_refuses_is_asked_again(
    mailing: Person,
    channel: Channel,
    watch: Watch,
    mailoutbox: list[EmailMessage],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: EmailMultiAlternatives, *args: object) -> int:
        raise smtplib.SMTPServerDisconnected("not now")

    break_down(channel)
    with monkeypatch.context() as broken:
        broken.setattr(EmailMultiAlternatives, "send", refuse)
        assert watch() == ["broken"]
    watch()
    assert mailoutbox == [], "not at every watch: the server is given a minute"
    Notice.objects.update(due_at=timezone.now())
    for _again in range(2):
        watch()
    assert len(mailoutbox) == 1


def test_an_alarm_that_comes_back_is_told_again(
    mailing: Person, channel: Channel, watch: Watch, mailoutbox: list[EmailMessage]
) -> None:
    for _twice in range(2):
        break_down(channel)
        watch()
        stopping.resume(channel, "try again")
        watch()
    assert len(mailoutbox) == 2


def test_a_set_that_is_parked_is_told_once_each_time(
    mailing: Person, channel: Channel, watch: Watch, mailoutbox: list[EmailMessage]
) -> None:
    clerk = factories.place(mailing.mandataire, Profile.ENCODE, email="clerk@example.be")
    Membership.objects.filter(pk=clerk.pk).update(notices="both")
    batch = scenes.parked(through=channel)
    for number in (1, 2):
        for _again in range(2):
            watch()
        assert [mail.to for mail in mailoutbox] == [["an@example.be"]] * number
        audit.record("batch.parked", batch)
    assert f"/batches/{batch.pk}/" in mailoutbox[0].body


# --- shown ----------------------------------------------------------------------------------------------


def test_every_kind_has_its_advice_and_its_item(channel: Channel) -> None:
    for kind in Alarm.Kind.values:
        found = alarming.item(channel.pk, kind)
        assert found["title"]
        assert str(found["sentence"])
        assert found["url"] == f"/health/{channel.pk}/"


def test_the_home_page_shows_it_first_as_long_as_it_holds(
    operator: Person, channel: Channel, watch: Watch
) -> None:
    scenes.refused(through=channel)
    break_down(channel)
    watch()
    body = operator.client.get("/").content.decode()
    assert body.index("The channel stopped trying") < body.index("Training after the worker left")
    stopping.resume(channel, "try again")
    watch()
    assert "The channel stopped trying" not in operator.client.get("/").content.decode()


def test_the_home_page_shows_those_of_every_channel(operator: Person, channel: Channel, watch: Watch) -> None:
    second = factories.channel(quality="employer", has_keys=False)
    break_down(second)
    alarming.watch(second.mandataire_id, second.pk)
    assert f'href="/health/{second.pk}/"' in operator.client.get("/").content.decode()


def test_the_alarms_of_others_are_not_shown(operator: Person, stranger: Person, channel: Channel) -> None:
    break_down(channel)
    alarming.watch(channel.mandataire_id, channel.pk)
    with stranger.scope():
        factories.channel()
    assert "stopped trying" not in stranger.client.get("/").content.decode()
