"""The same sets go to a stock OpenSSH server with `internal-sftp`, and from its disk into the simulator's hands."""

from __future__ import annotations

import getpass
import hashlib
import shutil

import asyncssh
import pytest
from django.utils import timezone

from channels import vault
from channels.models import Channel, Credential, EnvelopePart
from tests import factories
from tests.channels.conftest import rsa_pair
from tests.channels.test_openssh import SPEAKS, OpenSsh, openssh
from tests.journeys.house import House

__all__ = ["openssh", "rsa_pair"]

pytestmark = [pytest.mark.journey, pytest.mark.needs_openssh, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ssh_pair(request: pytest.FixtureRequest, rsa_pair: asyncssh.SSHKey) -> asyncssh.SSHKey:
    """The key of every channel in these tests: the server lets it in."""
    way = request.node.callspec.params["openssh"]
    return asyncssh.import_private_key(factories.ssh_private_key()) if way == "ed25519" else rsa_pair


def carry(house: House, key: asyncssh.SSHKey) -> None:
    """Every channel logs in with this key from now on; one it had before comes back."""
    fingerprint = vault.ssh_fingerprint(key.export_public_key().decode())
    for _sender, _mandataire in house.scopes():
        known = Credential.objects.filter(kind="ssh", fingerprint=fingerprint).first()
        if known:
            vault.switch(known, timezone.now())
        else:
            vault.store_ssh_key(Channel.objects.get(), key.export_private_key("pkcs8-pem"))


@pytest.mark.parametrize("openssh", SPEAKS, indirect=True)
def test_the_sets_arrive_whole_and_social_security_takes_them_from_there(
    house: House, openssh: OpenSsh, ssh_pair: asyncssh.SSHKey, request: pytest.FixtureRequest
) -> None:
    is_legacy = request.node.callspec.params["openssh"] == "only ssh-rsa"
    ports = {}
    for sender in house.tenants:
        ports[sender] = house.channel(sender)
        house.channel(sender, port=openssh.port, host_key=openssh.host_key_line, username=getpass.getuser())
    carry(house, ssh_pair)
    house.do("depart", "leave")
    if is_legacy:
        assert not list((openssh.home / "IN").iterdir()), "SHA-1 is used only where the channel says so"
        for sender in house.tenants:
            house.channel(sender, allows_ssh_rsa=True)
        house.do("leave")
    there = {path.name: path for path in (openssh.home / "IN").iterdir()}
    assert [house.drops(sender)[-1] for sender in house.tenants] == ["confirmed", "confirmed"]
    wanted: dict[str, str] = {}
    for _ in house.scopes():
        for part in EnvelopePart.objects.select_related("envelope__name").order_by("pk"):
            name = part.envelope.name.as_set_name()
            parts = EnvelopePart.objects.filter(envelope=part.envelope).count()
            wanted[name.fi(part.part, parts)] = part.fi_sha256
            wanted[name.fs(part.part, parts)] = hashlib.sha256(part.fs).hexdigest()
            wanted[name.go(parts)] = hashlib.sha256(b"").hexdigest()
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items()} == wanted

    house.simulator.stop()
    for sender, before in ports.items():
        inbox = house.home(sender) / "IN"
        inbox.mkdir(parents=True, exist_ok=True)
        for name, path in there.items():
            if f".{sender}." in name:
                shutil.move(path, inbox / name)
        house.channel(sender, port=before.port, host_key=before.host_key, username=before.username)
    carry(house, asyncssh.import_private_key(factories.ssh_private_key()))
    house.simulator.start()
    house.settle()
    house.assert_all_is_well()
