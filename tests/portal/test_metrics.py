"""What a monitoring system reads: ages per channel, behind a token, without the name of anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from channels import stopping
from channels.models import Alarm, Channel, Credential
from submissions.models import Batch
from tests import factories
from tests.people import Person
from tests.submissions import scenes

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def scraping(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"metrics_token": TOKEN})


def scrape(token: str = TOKEN) -> Any:
    return Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})


def samples(channel: Channel) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(scrape().content.decode()):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            if sample.labels == {"channel": str(channel.pk), "environment": channel.environment}:
                found[sample.name.removeprefix("portal_channel_")] = sample.value
    return found


def test_without_a_token_there_is_no_such_address(operator: Person) -> None:
    assert scrape().status_code == 404
    assert operator.client.get("/metrics").status_code == 404


@pytest.mark.parametrize("token", ["", "wrong", "é", TOKEN + "x"])
def test_another_token_is_refused(scraping: None, token: str) -> None:
    assert scrape(token).status_code == 403
    assert Client().get("/metrics").status_code == 403
    assert Client().get(f"/metrics?token={TOKEN}").status_code == 403, "an address is kept in too many places"


def test_ages_and_counts_of_a_channel(scraping: None, operator: Person) -> None:
    now = timezone.now()
    with operator.scope():
        channel = factories.channel(last_contact_at=now - timedelta(minutes=5), failures=3)
        Credential.objects.filter(kind="signing").update(expires_at=now + timedelta(days=30))
        sealed = factories.sealed_batch(through=channel)
        Batch.objects.filter(pk=sealed.pk).update(sealed_at=now - timedelta(hours=2))
        waiting = scenes.dropped(through=channel)
        Batch.objects.filter(pk=waiting.pk).update(dropped_at=now - timedelta(hours=1))
        scenes.parked(through=channel)
        factories.ready(4)
        Alarm.objects.create(channel=channel, kind="unsent", since=now)
        Alarm.objects.create(channel=channel, kind="broken", since=now, ended_at=now)
    found = samples(channel)
    for name, seconds in (
        ("last_contact_age_seconds", 300),
        ("oldest_unsent_age_seconds", 7200),
        ("oldest_unacknowledged_age_seconds", 3600),
        ("last_set_age_seconds", 3600),
        ("certificate_seconds", 30 * 86_400),
    ):
        assert found.pop(name) == pytest.approx(seconds, abs=120), name
    assert found == {
        "sets_unsent": 1,
        "sets_parked": 1,
        "declarations_ready": 4,
        "failures": 3,
        "paused": 0,
        "broken": 0,
        "host_key_changed": 0,
        "alarms": 1,
    }


def test_a_stopped_channel_says_so(scraping: None, operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        stopping.pause(channel, "maintenance")
    assert samples(channel)["paused"] == 1


def test_every_mandataire_is_there_and_nobody_is_named(
    scraping: None, operator: Person, stranger: Person
) -> None:
    made = []
    for person in (operator, stranger):
        with person.scope():
            made.append(factories.channel(name=f"Channel of {person.user.username}"))
            factories.ready(1, of=factories.client(name="Secret Client"))
    for channel in made:
        assert samples(channel)["declarations_ready"] == 1
    body = scrape().content.decode()
    for channel in made:
        assert channel.sender_number not in body
        assert channel.name not in body
    assert "Secret" not in body
    assert "Secrétariat" not in body


def test_it_asks_as_much_however_many_rows_there_are(scraping: None, operator: Person) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert scrape().status_code == 200
        return len(queries)

    with operator.scope():
        channel = factories.channel()
        scenes.dropped(through=channel)
    few = asked()
    with operator.scope():
        for _ in range(4):
            scenes.dropped(through=channel)
            factories.ready(2)
    assert asked() == few
