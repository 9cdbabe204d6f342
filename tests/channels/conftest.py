"""A channel with its keys, a server on the other side, and sets to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import asyncssh
import pytest

from channels import vault
from channels.enveloping import EnvelopeWriter, needs_signature
from channels.models import Channel, Drop, Envelope
from channels.reserving import reserve
from channels.signing import new_self_signed
from portal import tenancy
from portal.models import Event, Mandataire
from tests import factories
from tests.channels.sftpserver import Server

FI = b"<GenericXmlDocument>\xc3\xa9\r\n</GenericXmlDocument>"

type Seal = Callable[..., Envelope]


@pytest.fixture(scope="session")
def ssh_pair() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519", comment="tests")


@pytest.fixture(scope="session")
def rsa_pair() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-rsa", key_size=2048)


@pytest.fixture(scope="session")
def signing_pair() -> tuple[bytes, bytes]:
    """A private key and a certificate, PEM."""
    return new_self_signed("Secrétariat d'essai", days=30)


@pytest.fixture
def server(tmp_path: Path, ssh_pair: asyncssh.SSHKey) -> Iterator[Server]:
    with Server(tmp_path / "account", ssh_pair.export_public_key().decode()) as running:
        yield running


@pytest.fixture
def tenant(db: None) -> UUID:
    """A mandataire. Tests with threads, or about commits, ask for `django_db(transaction=True)`."""
    return Mandataire.found(name="Essai", number="0897223670", quality="service_provider").pk


@pytest.fixture
def make_channel(tenant: UUID) -> Callable[..., Channel]:
    """Makes a channel of the tenant; fields may be given."""

    def make(**fields: object) -> Channel:
        values: dict[str, object] = {
            "quality": "service_provider",
            "name": "Canal d'essai",
            "sender_number": "104217",
            "username": "essai",
            "host": "127.0.0.1",
            "host_key": "",
            "services": ["FLA"],
            "environment": "R",
            "is_exclusive": True,
        }
        with tenancy.scope(tenant):
            return Channel.objects.create(**{**values, **fields})

    return make


@pytest.fixture
def channel(
    make_channel: Callable[..., Channel],
    tenant: UUID,
    server: Server,
    ssh_pair: asyncssh.SSHKey,
    signing_pair: tuple[bytes, bytes],
) -> Channel:
    """A channel with both keys, pinned to `server`."""
    made = make_channel(port=server.port, host_key=server.host_key_line)
    with tenancy.scope(tenant):
        vault.store_ssh_key(made, ssh_pair.export_private_key())
        factories.keep_signing_key(made, *signing_pair)
    return made


@pytest.fixture
def seal(tenant: UUID) -> Seal:
    """Seals a set of a channel: `seal(channel, parts=2, environment="R")`."""

    def make(channel: Channel, *, parts: int = 1, environment: str = "R", content: bytes = FI) -> Envelope:
        with tenancy.scope(tenant):
            name = reserve(channel, "FLAD", environment)
            signer = vault.signer(channel) if needs_signature(channel, environment) else None
            writer = EnvelopeWriter.open(channel, name, "FLA", signer)
            for part in range(parts):
                writer.add_part(content + b"<!-- %d -->" % part, 3)
            return writer.close()

    return make


@pytest.fixture
def drops(tenant: UUID) -> Callable[[Envelope], list[tuple[str, bool]]]:
    """The attempts at an envelope, in order: state, and whether GO was intended."""

    def read(envelope: Envelope) -> list[tuple[str, bool]]:
        with tenancy.scope(tenant):
            rows = Drop.objects.filter(envelope=envelope).order_by("pk")
            return [(row.state, row.go_intended_at is not None) for row in rows]

    return read


@pytest.fixture
def verbs(tenant: UUID) -> Callable[[str], list[str]]:
    """The verbs of all Events that start so, in order."""

    def read(start: str = "") -> list[str]:
        with tenancy.scope(tenant):
            return list(
                Event.objects.filter(verb__startswith=start).order_by("pk").values_list("verb", flat=True)
            )

    return read
