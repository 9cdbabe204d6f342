"""There and back with the simulated social security: sets leave once and answers come home, whatever it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import asyncssh
import pytest
from cryptography.hazmat.primitives import hashes

from channels import signing, vault
from channels.collecting import collect
from channels.dropping import Outcome, drop
from channels.enveloping import EnvelopeWriter
from channels.models import Channel, Envelope, InboundFile
from channels.reserving import reserve
from portal import tenancy
from portal.models import Event
from simulator.server import Simulator
from tests.simulator import people


@pytest.fixture
def social_security(
    tmp_path: Path, rsa_pair: asyncssh.SSHKey, signing_pair: tuple[bytes, bytes]
) -> Iterator[Simulator]:
    certificate = signing.load_certificate(signing_pair[1])
    sender = {
        "number": people.SENDER,
        "name": "Secrétariat social Essai",
        "username": "essai",
        "ssh_keys": [rsa_pair.export_public_key().decode().strip()],
        "certificates": [certificate.fingerprint(hashes.SHA256()).hex()],
        "applications": ["FLAD"],
    }
    root = tmp_path / "social-security"
    root.mkdir()
    people.write_world(root, people.world(senders=[sender]))
    people.write_senders(root, [sender])
    with Simulator(root) as running:
        yield running


@pytest.fixture
def line(
    social_security: Simulator,
    make_channel: Callable[..., Channel],
    tenant: UUID,
    rsa_pair: asyncssh.SSHKey,
    signing_pair: tuple[bytes, bytes],
) -> Channel:
    """The channel to it, with an RSA key: the simulator can be made to ask for the legacy signature."""
    made = make_channel(port=social_security.port, host_key=social_security.host_key)
    with tenancy.scope(tenant):
        vault.store_ssh_key(made, rsa_pair.export_private_key("pkcs8-pem"))
        vault.store_signing_key(made, *signing_pair)
    return made


@pytest.fixture
def sealed(line: Channel, tenant: UUID) -> Envelope:
    with tenancy.scope(tenant):
        writer = EnvelopeWriter.open(line, reserve(line, "FLAD", "R"), "FLA", vault.signer(line))
        for reference in ("one", "two"):
            writer.add_part(people.document(people.form(reference)), 1)
        return writer.close()


def answers(line: Channel, tenant: UUID, social_security: Simulator) -> list[tuple[str, bytes]]:
    """Kind and content of all answers, collected once social security has handled everything."""
    social_security.settle()
    assert collect(tenant, line.pk).errors == []
    with tenancy.scope(tenant):
        return [(file.name.split(".")[1], file.content) for file in InboundFile.objects.order_by("pk")]


def assert_received_once(social_security: Simulator, envelope: Envelope) -> None:
    received = list((social_security.root / "archive").rglob(f"GO.{envelope.stem}.2"))
    assert len(received) == 1
    assert len(list((social_security.root / "archive").rglob(f"FI.{envelope.stem}.2.*"))) == 2


def test_there_and_back(line: Channel, tenant: UUID, social_security: Simulator, sealed: Envelope) -> None:
    assert drop(tenant, sealed.pk).outcome is Outcome.CONFIRMED
    found = answers(line, tenant, social_security)
    assert sorted({kind for kind, _content in found}) == ["ACRF", "NOTI"]
    acknowledged = next(content for kind, content in found if kind == "ACRF")
    assert sealed.stem.encode() in acknowledged
    assert b"<ResultCode>1</ResultCode>" in acknowledged, "names, signatures and order of the files please it"
    assert_received_once(social_security, sealed)
    assert list((social_security.root / "home" / "essai" / "OUT").iterdir()) == []


@pytest.mark.parametrize("prefix", ["FI", "FS", "GO"])
@pytest.mark.parametrize("switch", ["cut_on_open", "cut_on_close"])
def test_cut_anywhere_it_arrives_once(
    switch: str,
    prefix: str,
    line: Channel,
    tenant: UUID,
    social_security: Simulator,
    sealed: Envelope,
) -> None:
    social_security.set_switches(times=1, **{switch: prefix})
    drop(tenant, sealed.pk)
    assert drop(tenant, sealed.pk).outcome is Outcome.CONFIRMED
    assert [kind for kind, _content in answers(line, tenant, social_security)].count("ACRF") == 1
    assert_received_once(social_security, sealed)


@pytest.mark.parametrize("switch", ["short_file_after_bytes", "full_disk_after_bytes", "cut_after_bytes"])
def test_a_full_disk_or_a_cut_wire_only_delays(
    switch: str, line: Channel, tenant: UUID, social_security: Simulator, sealed: Envelope
) -> None:
    social_security.set_switches(times=1, **{switch: 700})
    assert drop(tenant, sealed.pk).outcome is Outcome.FAILED
    assert drop(tenant, sealed.pk).outcome is Outcome.CONFIRMED
    assert len(answers(line, tenant, social_security)) >= 2
    assert_received_once(social_security, sealed)


def test_legacy_log_in(line: Channel, tenant: UUID, social_security: Simulator, sealed: Envelope) -> None:
    social_security.set_switches(ssh_rsa_only=True)
    refused = drop(tenant, sealed.pk)
    assert (refused.outcome, refused.is_permanent) == (Outcome.FAILED, True)
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=line.pk).update(allows_ssh_rsa=True)
    assert drop(tenant, sealed.pk).outcome is Outcome.CONFIRMED


def test_answers_as_zip_are_kept_as_they_came(
    line: Channel, tenant: UUID, social_security: Simulator, sealed: Envelope
) -> None:
    social_security.set_switches(answer_as_zip=True)
    drop(tenant, sealed.pk)
    found = answers(line, tenant, social_security)
    assert {kind for kind, _content in found} == {"ACRF", "NOTI"}
    assert all(content.startswith(b"PK") for _kind, content in found)


def test_the_same_answer_twice_is_stored_once(
    line: Channel, tenant: UUID, social_security: Simulator, sealed: Envelope
) -> None:
    social_security.set_switches(answer_twice="same_name")
    drop(tenant, sealed.pk)
    first = answers(line, tenant, social_security)
    repeated, deadline = 0, time.monotonic() + 10
    while repeated < len(first):
        assert time.monotonic() < deadline, "the answers were not sent again"
        assert answers(line, tenant, social_security) == first
        with tenancy.scope(tenant):
            repeated = Event.objects.filter(verb="file.repeated").count()
