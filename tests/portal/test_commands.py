"""The commands of an administrator: what they print, and how they end."""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from channels.models import Channel
from mandates.models import Mandate
from portal import tenancy
from portal.models import Event
from submissions import sweeping
from submissions.models import Batch, Declaration
from submissions.sweeping import due
from tests import factories
from tests.people import Person
from tests.racing import as_owner
from tests.submissions import scenes

pytestmark = pytest.mark.django_db


def said(*command: str, **options: object) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_a_sweep_seals_what_is_ready(operator: Person) -> None:
    with operator.scope():
        factories.channel()
        factories.ready(3)
    assert "depart" in said("sweep", "--only", "depart")
    with operator.scope():
        assert Batch.objects.get().declarations_count == 3
        assert Channel.objects.get().departs_at is not None


def test_what_is_not_due_waits_unless_told_now(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel(departs_at=timezone.now() + timedelta(hours=1))
        factories.ready(1)
    assert said("sweep", "--only", "depart") == ""
    assert said("sweep", "--only", "depart", "--now").startswith(f"depart {channel.pk}")


def test_the_sets_of_a_channel_leave_together(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        sealed = [factories.sealed_batch(through=channel) for _ in range(3)]
        scenes.dropped(through=channel)
    leaving = [task for task in due(timezone.now()) if task.work == "leave"]
    assert leaving == [("leave", operator.mandataire.pk, channel.pk)]
    with operator.scope():
        Channel.objects.update(port=1, host="127.0.0.1")  # nobody listens there
    states = sweeping.leave(operator.mandataire.pk, channel.pk)
    assert states == {batch.pk: "sealed" for batch in sealed}
    assert not [task for task in due(timezone.now()) if task.work == "leave"], "each is tried again later"


def test_a_paused_channel_is_never_due(operator: Person) -> None:
    with operator.scope():
        factories.channel(is_paused=True)
        factories.ready(1)
    assert [task for task in due(timezone.now()) if task.work == "depart"] == []


@pytest.fixture
def reopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """FLA may be declared in production, whatever today is."""
    monkeypatch.setattr("django.conf.settings.CONFIG.fla_is_reopened", True)


@pytest.mark.usefixtures("reopened")
def test_one_tenant_that_fails_does_not_stop_another(operator: Person, stranger: Person) -> None:
    """The first one's key is damaged, so nothing of his can be signed; the other's set is sealed."""
    for person in (operator, stranger):
        with person.scope():
            factories.channel(environment="R")
            factories.ready(1)
    with operator.scope():
        channel = Channel.objects.get()
        channel.credentials.update(sealed=b"broken")
    with pytest.raises(CommandError, match="1 of what was due failed"):
        said("sweep", "--only", "depart")
    with operator.scope():
        assert Declaration.objects.get().state == "ready"
    with stranger.scope():
        assert Declaration.objects.get().state == "batched"


@pytest.mark.usefixtures("reopened")
def test_a_channel_without_a_certificate_holds_nothing_up(operator: Person) -> None:
    """Production wants a signature: without a key nothing is sealed, and the next departure is set all the same."""
    with operator.scope():
        factories.channel(environment="R", has_keys=False)
        factories.ready(1)
    said("sweep", "--only", "depart")
    with operator.scope():
        assert Declaration.objects.get().state == "ready"
        assert Channel.objects.get().departs_at is not None


def test_the_law_holds_and_is_told(operator: Person) -> None:
    with operator.scope():
        factories.sealed_batch(2)
    nothing = "0 declared = 0 accepted + 0 accepted with remarks + 0 refused + 0 waiting"
    tested = "2 sent to the simulation = 0 accepted + 0 accepted with remarks + 0 refused + 2 waiting"
    assert said("conserve") == f"{nothing}; {tested}\n"


def test_a_broken_law_ends_with_an_error(operator: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch(2)
        batch.declarations.update(state="sent")
    with pytest.raises(SystemExit):
        said("conserve")


def test_what_was_sealed_without_a_mandate_breaks_the_law(operator: Person) -> None:
    with operator.scope():
        factories.sealed_batch(2)
        Mandate.objects.update(ends_on=date(2024, 6, 30))
    with pytest.raises(SystemExit):
        said("conserve")


def test_what_an_enterprise_sealed_for_itself_keeps_the_law(operator: Person) -> None:
    with operator.scope():
        factories.sealed_batch(2, of=factories.employer(number=operator.mandataire.number))
    assert said("conserve").endswith("2 waiting\n")


def test_a_lost_declaration_breaks_the_law(operator: Person) -> None:
    with operator.scope():
        factories.ready(2)
        Declaration.objects.order_by("pk").last().delete()
    with pytest.raises(SystemExit):
        said("conserve")


def test_the_chain_of_events_is_proven(transactional_db: None) -> None:
    tenant = factories.mandataire()
    with tenancy.scope(tenant.pk):
        factories.ready(1)
        count = Event.objects.count()
    assert f"{tenant.pk}: {count} events hold" in said("audit", "verify")


def test_a_changed_event_ends_with_an_error(transactional_db: None) -> None:
    tenant = factories.mandataire()
    with tenancy.scope(tenant.pk):
        factories.ready(1)
    with as_owner(tenant.pk) as cursor:
        cursor.execute("UPDATE portal_event SET reason = 'never mind'")
    with pytest.raises(SystemExit):
        said("audit", "verify")


def test_a_file_is_described_by_its_name_alone() -> None:
    text = said("describe", "GO.FLAD.104217.20251001.P0001.R.1")
    assert "104217" in text
    assert "P0001" in text


def test_a_file_that_is_none_ends_with_an_error(tmp_path: Path) -> None:
    path = tmp_path / "FO.NOTI.999999.20251001.00001.R"
    path.write_bytes(b"<NOTIFICATION>")
    with pytest.raises(SystemExit):
        said("describe", str(path))
