"""Answers that may not be here: alarms, of which nothing is applied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels.models import Alarm, InboundFile
from channels.sharing import Whose
from mandates.models import Worker
from portal import tenancy
from portal.models import Event
from submissions import alarming, answering
from submissions.claiming import whose
from submissions.models import Batch
from submissions.states import DeclarationState as D
from tests import factories
from tests.submissions.answers_about import (
    again,
    dropped,
    go_name,
    receipt,
    receive,
    states,
    verdict,
    verdicts,
)
from tests.submissions.wire.answer_samples import acrf, acrf_form, idflux, noti

pytestmark = pytest.mark.django_db

OTHER_SENDER = "GO.FLAD.999998.20251001.P0001.R.1"


@pytest.fixture
def production(scope: None, settings: Any) -> Batch:
    """Two declarations that left for production."""
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": True})
    return dropped(2, through=factories.channel(environment="R"))


def is_alarm(file: InboundFile, alarm: str, batch: Batch) -> bool:
    """Whether the file is this alarm, is told as one in the journal and on the channel, and moved nothing."""
    held = alarming.watch(tenancy.current(), batch.channel_id)
    told = Event.objects.filter(verb="file.alarm", subject_id=str(file.pk), reason=file.reason)
    return (
        (file.state, file.alarm) == ("unmatched", alarm)
        and "Nothing in it was applied" in file.reason
        and Alarm.Kind.NOT_FOR_HERE in held
        and told.count() == 1
        and again(batch).state == "dropped"
        and set(states(batch)) == {D.SENT}
    )


@pytest.mark.parametrize("kind", ["receipt", "verdicts"])
def test_a_test_in_the_directory_of_production_is_an_alarm(production: Batch, kind: str) -> None:
    """All that it quotes would match: only its own name says that it is of the circuit test."""
    content = {
        "receipt": receipt(production),
        "verdicts": verdicts(factories.declarations_of(production)),
    }[kind]
    file = receive(production, content, name="FO.NOTI.999999.20251001.00001.T")
    assert is_alarm(file, "environment", production)
    assert "Circuit test" in file.reason
    assert "Production" in file.reason


def test_an_answer_about_a_test_in_the_directory_of_production_is_an_alarm(production: Batch) -> None:
    """The name of the file is in order, and the set it speaks of is one of a test; its reference is ours."""
    first, second = factories.declarations_of(production)
    of_a_test = go_name(production).replace(".R.", ".T.")
    file = receive(production, noti(verdict(first), verdict(second, file_name=of_a_test)))
    assert is_alarm(file, "environment", production)


def test_a_replaced_number_of_a_test_in_the_directory_of_production_replaces_nothing(
    production: Batch,
) -> None:
    somebody = factories.worker(niss="98472899765")
    file = receive(production, idflux(), name="FO.IDFL.999999.20251001.00001.T")
    assert is_alarm(file, "environment", production)
    assert Worker.objects.get(pk=somebody.pk).niss == "98472899765"


@pytest.mark.parametrize("kind", ["receipt", "verdict"])
def test_an_answer_for_another_sender_is_an_alarm(production: Batch, kind: str) -> None:
    """Also where a form of it has our own reference, and where another form of the file is ours."""
    first, second = factories.declarations_of(production)
    content = {
        "receipt": acrf(acrf_form("1", name=go_name(production)), acrf_form("1", name=OTHER_SENDER)),
        "verdict": noti(verdict(first), verdict(second, file_name=OTHER_SENDER)),
    }[kind]
    file = receive(production, content)
    assert is_alarm(file, "sender", production)
    assert "999998" in file.reason
    assert production.channel.sender_number in file.reason


def test_a_set_of_ours_from_before_the_channel_had_another_sender_number_is_answered(
    production: Batch,
) -> None:
    production.channel.sender_number = "654321"
    production.channel.save(update_fields=["sender_number"])
    file = receive(production, verdicts(factories.declarations_of(production)))
    assert (file.state, file.alarm) == ("applied", "")


def test_an_answer_that_differs_from_an_earlier_one_of_its_name_waits_for_a_person(production: Batch) -> None:
    """As collecting marks it. Read again by a person who compared them, it is applied."""
    content = receipt(production)
    file = factories.inbound(
        production.channel, content, alarm=InboundFile.Alarm.CONTRADICTION, reason="Sent before."
    )
    assert answering.apply(tenancy.current(), file.pk) == "unmatched"
    file.refresh_from_db()
    assert (file.alarm, file.reason) == ("contradiction", "Sent before.")
    assert again(production).state == "dropped"
    assert Alarm.Kind.NOT_FOR_HERE in alarming.watch(tenancy.current(), production.channel_id)
    answering.replay(file)
    assert answering.apply(tenancy.current(), file.pk) == "applied"
    assert again(production).state == "acknowledged"
    assert Alarm.Kind.NOT_FOR_HERE not in alarming.watch(tenancy.current(), production.channel_id)


def test_an_answer_that_contradicts_an_earlier_one_is_marked(production: Batch) -> None:
    receive(production, verdicts(factories.declarations_of(production)))
    file = receive(production, verdicts(factories.declarations_of(production), "0"))
    assert file.alarm == "contradiction"
    assert set(states(production)) == {D.ACCEPTED}


def test_reading_it_again_leaves_it_an_alarm(production: Batch) -> None:
    file = receive(production, receipt(production), name="FO.ACRF.999999.20251001.00001.S")
    answering.replay(file)
    assert answering.apply(tenancy.current(), file.pk) == "unmatched"
    file.refresh_from_db()
    assert file.alarm == "environment"


def test_the_channel_is_alarmed_for_a_week(production: Batch) -> None:
    file = receive(production, receipt(production), name="FO.ACRF.999999.20251001.00001.S")
    InboundFile.objects.filter(pk=file.pk).update(received_at=timezone.now() - timedelta(days=7))
    assert Alarm.Kind.NOT_FOR_HERE not in alarming.watch(tenancy.current(), production.channel_id)


def test_on_a_shared_channel_it_is_kept_for_a_person_and_left_there(production: Batch) -> None:
    assert (
        whose(production.channel, "R", "FO.NOTI.999999.20251001.00001.T", acrf(acrf_form("1")))
        is Whose.SHARED
    )
