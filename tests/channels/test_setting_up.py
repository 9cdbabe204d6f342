"""What people change about a channel, with its trace; and what they cannot."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from channels import checklist, setting_up, vault
from channels.generating import SshKind
from channels.models import Channel
from channels.naming import Environment, usual_directories
from channels.setting_up import CannotSetUp
from portal import tenancy
from portal.models import Event, Mandataire
from portal.telling import sentence
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(tenant: UUID) -> Channel:
    """A channel whose set-up has begun."""
    with tenancy.scope(tenant):
        return setting_up.open_channel(Mandataire.objects.get(), Channel.Way.NEW, "Canal")


def last_event(verb: str) -> Event:
    return Event.objects.filter(verb=verb).latest("pk")


def test_a_channel_begins_paused_in_the_simulation_and_carries_nothing(
    channel: Channel, tenant: UUID
) -> None:
    with tenancy.scope(tenant):
        channel.refresh_from_db()
        assert (channel.is_paused, channel.is_set_up, channel.environment) == (True, False, "S")
        assert (channel.services, channel.sender_number, channel.host_key) == ([], "", "")
        assert channel.directories == usual_directories()
        assert last_event("channel.opened").subject_id == str(channel.pk)


def test_there_is_one_channel_per_quality(channel: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        with pytest.raises(CannotSetUp, match="one channel per quality"):
            setting_up.open_channel(Mandataire.objects.get(), Channel.Way.EXISTING, "Autre")
        assert Channel.objects.count() == 1


def test_a_change_is_told_with_what_was_and_what_is(channel: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        changed = setting_up.change(channel, username="essai", services=["FLA"], can_list_in=False, port=8022)
        assert changed == ["username", "services", "can_list_in"]
        event = last_event("channel.changed")
        assert event.data["changes"] == {
            "username": ["", "essai"],
            "services": [[], ["FLA"]],
            "can_list_in": [True, False],
        }
        told = sentence(event, "Anne", "Canal")
    assert "Technical user name: – → essai" in told
    assert "Secured permissions: – → FLA" in told
    assert "Directory of uploads may be listed: yes → no" in told


def test_what_does_not_change_leaves_no_trace(channel: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        assert setting_up.change(channel, name="Canal", port=8022) == []
        assert not Event.objects.filter(verb="channel.changed").exists()


@pytest.mark.parametrize(
    ("values", "is_kept"),
    [
        ({"name": "Autre"}, True),
        ({"services": ["DMFA"]}, True),
        ({"host": "127.0.0.1"}, False),
        ({"port": 22}, False),
    ],
)
def test_what_a_verification_has_tried_is_tried_again_once_it_changes(
    channel: Channel, tenant: UUID, values: dict[str, object], is_kept: bool
) -> None:
    with tenancy.scope(tenant):
        setting_up.note_verified(channel)
        setting_up.change(channel, **values)
        assert (Channel.objects.get().verified_at is not None) == is_kept


def test_a_sender_number_is_of_one_channel_in_the_whole_portal(channel: Channel, tenant: UUID) -> None:
    other = factories.mandataire()
    with tenancy.scope(other.pk):
        factories.channel(sender_number="104217")
    with tenancy.scope(tenant):
        with pytest.raises(CannotSetUp, match="Another organisation") as refusal:
            setting_up.change(channel, sender_number="104217")
        assert refusal.value.field == "sender_number"
        assert Channel.objects.get().sender_number == ""


def test_channels_without_a_number_do_not_collide(channel: Channel) -> None:
    other = factories.mandataire()
    with tenancy.scope(other.pk):
        setting_up.open_channel(other, Channel.Way.NEW, "Canal")


def test_no_channel_is_in_service_without_its_number(channel: Channel, tenant: UUID) -> None:
    with (
        tenancy.scope(tenant),
        pytest.raises(IntegrityError, match="in_service_with_sender"),
        transaction.atomic(),
    ):
        Channel.objects.update(is_set_up=True)


def test_the_environment_changes_with_its_trace(channel: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        setting_up.send_in(channel, Environment.PRODUCTION)
        setting_up.send_in(channel, Environment.PRODUCTION)
        (event,) = Event.objects.filter(verb="channel.environment_changed")
        assert event.data == {"before": "S", "after": "R"}
        assert "Simulation, now Production" in sentence(event, "Anne", "Canal")


def test_the_key_of_the_server_is_pinned_until_the_channel_is_in_service(
    channel: Channel, tenant: UUID
) -> None:
    with tenancy.scope(tenant):
        setting_up.pin(channel, factories.HOST_KEY)
        assert last_event("channel.host_key_pinned").data["fingerprint"] == vault.ssh_fingerprint(
            factories.HOST_KEY
        )
        Channel.objects.update(is_set_up=True, sender_number="104217")
        channel.refresh_from_db()
        with pytest.raises(CannotSetUp, match="in service"):
            setting_up.pin(channel, factories.HOST_KEY)


def test_only_a_verified_channel_goes_into_service(channel: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        setting_up.change(channel, sender_number="104217")
        with pytest.raises(CannotSetUp, match="Verify"):
            setting_up.put_in_service(channel)
        setting_up.note_verified(channel)
        setting_up.put_in_service(channel)
        channel.refresh_from_db()
        assert (channel.is_set_up, channel.is_paused) == (True, False)
        setting_up.put_in_service(channel)
        assert Event.objects.filter(verb="channel.put_in_service").count() == 1


# --- the steps --------------------------------------------------------------------------------------


def test_the_steps_follow_what_is_there(channel: Channel, tenant: UUID) -> None:
    def done() -> list[str]:
        return [step.key for step in checklist.steps(channel) if step.is_done]

    def next_one() -> str | None:
        found = checklist.next_step(checklist.steps(channel))
        return found.key if found else None

    with tenancy.scope(tenant):
        assert (done(), next_one()) == ([], "data")
        setting_up.change(channel, username="essai", services=["FLA"])
        assert next_one() == "ssh"
        vault.generate_ssh_key(channel, SshKind.ED25519)
        assert next_one() == "certificate"
        vault.request_certificate(channel, name="Sceau", organisation="Essai", number="0897223670")
        (waiting,) = [step for step in checklist.steps(channel) if step.key == "certificate"]
        assert (waiting.is_done, waiting.action) == (False, "Upload it")
        vault.store_signing_key(channel, *factories.signing_pair())
        assert next_one() == "chaman"
        setting_up.note_chaman_told(channel)
        assert next_one() == "sender"
        setting_up.change(channel, sender_number="104217")
        assert next_one() == "server"
        setting_up.pin(channel, factories.HOST_KEY)
        assert next_one() == "verify"
        setting_up.note_verified(channel)
        assert next_one() == "service"
        setting_up.put_in_service(channel)
        assert next_one() == "first_set"


def test_a_channel_in_service_is_known_over_there(tenant: UUID) -> None:
    with tenancy.scope(tenant):
        steps = {step.key: step.is_done for step in checklist.steps(factories.channel())}
    assert steps["chaman"]
    assert not steps["verify"], "it may always be tried"


def test_an_existing_channel_has_its_number_from_the_start(channel: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        new = [step.key for step in checklist.steps(channel)]
        channel.way = Channel.Way.EXISTING
        existing = [step.key for step in checklist.steps(channel)]
    assert (new.index("sender"), existing.index("sender")) == (4, 1)
    assert set(new) == set(existing)


def test_a_key_for_later_does_not_end_its_step(channel: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        later = timezone.now() + timezone.timedelta(days=2)
        vault.generate_ssh_key(channel, SshKind.ED25519, usable_from=later)
        (step,) = [step for step in checklist.steps(channel) if step.key == "ssh"]
        assert not step.is_done
