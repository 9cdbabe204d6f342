"""Messages by e-mail: the daily digest, who gets it, and that each is told once, whatever the mail server does."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.utils import timezone

from channels.models import Channel
from mandates.models import Worker
from portal.models import Event, GrantEmployer, Membership, Profile
from submissions import digesting, noticing, sweeping
from submissions.models import Batch, Declaration, Notice
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.test_views_declarations import messages_after
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 11, 20, 6, 45, tzinfo=UTC)
"""A quarter to eight in Belgium."""


@pytest.fixture
def reader(operator: Person, settings: Any) -> Person:
    """A manager who reads Dutch and wants the digest; something waits for him."""
    settings.SENDS_MAIL = True
    settings.CONFIG = settings.CONFIG.model_copy(update={"public_url": "https://portal.example"})
    operator.user.email, operator.user.language = "an@example.be", "nl"
    operator.user.save()
    with operator.scope():
        Membership.objects.filter(user=operator.user).update(notices="daily")
        client = factories.client(name="Jan Janssens Schilderwerken")
        scenes.refused(("99004-152", "ends_on"), through=factories.channel(), of=client)
        scenes.parked(through=Channel.objects.get())
    return operator


def due(at: datetime) -> list[Any]:
    """The mandataires of which mail is due."""
    return [one.mandataire for one in sweeping.due(at) if one.work == "tell"]


def tell(person: Person) -> int:
    return digesting.tell(person.mandataire.pk)


def notices(person: Person) -> list[Notice]:
    with person.scope():
        return list(Notice.objects.order_by("pk"))


def test_it_comes_once_a_day_after_the_hour(reader: Person, mailoutbox: list[EmailMessage]) -> None:
    for days, hour, minute, expected in (
        (0, 6, 29, 0),
        (0, 6, 31, 1),
        (0, 20, 0, 1),
        (1, 5, 0, 1),
        (1, 7, 0, 2),
    ):
        at = datetime(2026, 11, 20 + days, hour, minute, tzinfo=UTC)
        with time_machine.travel(at, tick=False):
            is_due = len(mailoutbox) < expected
            assert (reader.mandataire.pk in due(at)) is is_due
            tell(reader)
            tell(reader)
        assert len(mailoutbox) == expected, at
    assert [notice.key for notice in notices(reader)] == ["2026-11-20", "2026-11-21"]
    with reader.scope():
        assert Event.objects.filter(verb="notice.sent").count() == 2


def test_it_counts_and_links_in_his_language_and_names_nobody(
    reader: Person, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    with time_machine.travel(MORNING, tick=False):
        tell(reader)
    (mail,) = mailoutbox
    assert mail.to == ["an@example.be"]
    assert "20/11/2026" in mail.subject
    ((html, kind),) = mail.alternatives
    assert kind == "text/html"
    assert '<html lang="nl">' in str(html)
    with reader.scope():
        parked = Batch.objects.get(state="parked").pk
        workers = [name for worker in Worker.objects.all() for name in (worker.family_name, worker.niss)]
    for body in (mail.body, str(html)):
        assert "https://portal.example/to-correct/" in body
        assert f"https://portal.example/batches/{parked}/" in body
        assert "zending" in body
        for secret in ("Janssens", "Schilder", *workers):
            assert secret not in body + mail.subject


def test_where_nothing_waits_nothing_is_sent_and_it_is_asked_once(
    operator: Person, settings: Any, mailoutbox: list[EmailMessage]
) -> None:
    settings.SENDS_MAIL = True
    with operator.scope():
        Membership.objects.filter(user=operator.user).update(notices="both")
    with time_machine.travel(MORNING, tick=False):
        assert due(timezone.now()) == [operator.mandataire.pk]
        assert tell(operator) == 0
        assert due(timezone.now()) == []
    assert mailoutbox == []
    (notice,) = notices(operator)
    assert (notice.subject, notice.text, notice.sent_at) == ("", "", None)


def test_who_reaches_some_clients_is_told_of_those(reader: Person, mailoutbox: list[EmailMessage]) -> None:
    """And not of batches, which hold other clients too."""
    clerk = factories.place(reader.mandataire, Profile.ENCODE, email="clerk@example.be")
    with reader.scope():
        Membership.objects.filter(user=reader.user).update(notices="none")
        Membership.objects.filter(pk=clerk.pk).update(notices="daily")
        grant = clerk.grants.get()
        refused = Declaration.objects.filter(state="refused").get()
        GrantEmployer.objects.create(grant=grant, employer=refused.employer)
        scenes.answer(
            factories.declarations_of(scenes.dropped(through=refused.batch.channel))[0],
            DeclarationState.REFUSED,
        )
    with time_machine.travel(MORNING, tick=False):
        tell(reader)
    (mail,) = mailoutbox
    assert mail.to == ["clerk@example.be"]
    assert "to correct: 1" in mail.body
    assert "/batches/" not in mail.body


@pytest.mark.parametrize(
    ("wish", "is_manager", "employer", "expected"),
    [
        ("", True, False, "red"),
        ("", False, False, "none"),
        ("none", True, False, "none"),
        ("both", False, False, "both"),
        ("both", False, True, "none"),
    ],
)
def test_who_never_chose(
    operator: Person, wish: str, is_manager: bool, employer: bool, expected: str
) -> None:
    with operator.scope():
        member = Membership(notices=wish, is_manager=is_manager, employer_id=1 if employer else None)
        assert noticing.wish_of(member) == expected


# --- the mail server --------------------------------------------------------------------------------------


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A mail server that takes nothing, until `undo`."""

    def refuse(self: EmailMultiAlternatives, *args: object) -> int:
        raise smtplib.SMTPServerDisconnected("not now")

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    return monkeypatch


def test_what_the_server_refuses_is_tried_again_and_arrives_once(
    reader: Person, refusing: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    waits = []
    with time_machine.travel(MORNING, tick=False) as clock:
        assert tell(reader) == 0
        for _again in range(8):
            assert due(timezone.now()) == [], "it has just been tried"
            (notice,) = notices(reader)
            assert notice.due_at is not None
            waits.append((notice.due_at - timezone.now()).total_seconds() / 60)
            clock.move_to(notice.due_at)
            assert due(timezone.now()) == [reader.mandataire.pk]
            assert tell(reader) == 0
        refusing.undo()
        clock.shift(timedelta(hours=1))
        assert [tell(reader), tell(reader)] == [1, 0]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(mailoutbox) == 1
    (notice,) = notices(reader)
    assert (notice.tries, notice.due_at) == (10, None)
    assert (
        mailoutbox[0].extra_headers["Message-ID"].startswith(f"<notice-{reader.mandataire.pk}-{notice.pk}@")
    )
    with reader.scope():
        verbs = Event.objects.filter(verb__startswith="notice.").order_by("pk").values_list("verb", flat=True)
        assert list(verbs) == ["notice.failed", "notice.sent"]


def test_old_news_is_given_up(reader: Person, refusing: pytest.MonkeyPatch) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        tell(reader)
        clock.shift(timedelta(days=3, minutes=1))
        tell(reader)
    first = notices(reader)[0]
    assert (first.sent_at, first.due_at) == (None, None)


def test_who_may_not_enter_any_more_gets_nothing(
    reader: Person, refusing: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        tell(reader)
        refusing.undo()
        reader.user.is_active = False
        reader.user.save()
        clock.shift(timedelta(hours=1))
        assert tell(reader) == 0
    assert mailoutbox == []


def test_the_installation_without_a_mail_server_writes_nothing(reader: Person, settings: Any) -> None:
    settings.SENDS_MAIL = False
    assert due(MORNING) == []


# --- the page ---------------------------------------------------------------------------------------------


def test_one_chooses_on_the_own_page(operator: Person, settings: Any) -> None:
    settings.SENDS_MAIL = True
    tree = page_of(operator, "/profile/")
    assert tree.xpath("//select[@name='notices']/option[@selected]/@value") == ["red"]
    assert "Changed." in messages_after(operator, "/profile/notices/", notices="both")
    assert operator.client.post("/profile/notices/", {"notices": "sometimes"}).status_code == 422
    with operator.scope():
        assert Membership.objects.get(user=operator.user).notices == "both"
        assert Event.objects.get(verb="member.notices_changed").data == {"notices": "both"}


def test_the_digest_is_sent_at_a_button(reader: Person, mailoutbox: list[EmailMessage]) -> None:
    with time_machine.travel(MORNING, tick=False):
        assert "on its way to an@example.be" in messages_after(reader, "/profile/digest/")
        assert "no message is sent" in messages_after(reader, "/profile/digest/"), "one a minute"
        (asked,) = notices(reader)
        noticing.deliver(reader.mandataire.pk)
    assert asked.key == "asked:2026-11-20T06:45"
    assert len(mailoutbox) == 1


def test_without_mail_the_page_says_so(operator: Person) -> None:
    assert "sends no mail" in main_text(page_of(operator, "/profile/"))
    assert "sends no mail" in messages_after(operator, "/profile/digest/")
