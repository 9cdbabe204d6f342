"""A channel is tried against a real server: each fault at its own line, with what to do and who does it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncssh
import pytest

from channels import vault, verifying
from channels.errors import ConnectionLost
from channels.locking import channel_lock
from channels.models import Channel, Credential
from channels.verifying import Check, Who
from portal import keys, tenancy
from portal.secrecy import LocalKeyProvider
from tests import factories
from tests.channels.certificates import certificate, pem
from tests.channels.sftpserver import Server

SERVER = ("server", "host key", "log-in", "answers", "uploads")


def verify(channel: Channel, tenant: UUID, **changes: Any) -> dict[str, Check]:
    with tenancy.scope(tenant):
        Channel.objects.filter(pk=channel.pk).update(**{"host": "127.0.0.1", **changes})
        channel.refresh_from_db()
        return {check.key: check for check in verifying.verify(channel)}


def only_fault(checks: dict[str, Check]) -> Check:
    (fault,) = [check for check in checks.values() if check.fault]
    assert fault.remedy
    assert fault.who is not None
    return fault


def test_a_channel_that_is_in_order_holds_at_every_line(channel: Channel, tenant: UUID) -> None:
    checks = verify(channel, tenant)
    assert [check for check in checks.values() if not check.holds] == []
    assert [name for name in checks if name in SERVER] == list(SERVER)
    assert checks["answers"].found == "OUT"
    assert checks["uploads"].found == "IN"
    assert checks["certificate match"].holds


def test_what_is_missing_here_is_told_and_the_server_left_alone(
    make_channel: Callable[..., Channel], tenant: UUID
) -> None:
    checks = verify(make_channel(is_set_up=False, sender_number="", services=[]), tenant)
    faults = {name: check.who for name, check in checks.items() if check.fault}
    assert faults == {
        "sender": Who.CHAMAN,
        "permissions": Who.HERE,
        "ssh": Who.HERE,
        "certificate": Who.HERE,
        "host key": Who.HERE,
    }
    assert all(checks[name].is_open for name in SERVER if name != "host key")


def test_another_host_key_is_no_server_of_ours(channel: Channel, tenant: UUID, server: Server) -> None:
    checks = verify(channel, tenant, host_key=factories.HOST_KEY)
    assert only_fault(checks).key == "host key"
    assert vault.ssh_fingerprint(server.host_key_line) in checks["host key"].fault
    assert checks["server"].holds
    assert checks["log-in"].is_open


def test_a_key_that_chaman_does_not_know_is_refused(channel: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        vault.generate_ssh_key(channel, vault.SshKind.ED25519)
    checks = verify(channel, tenant)
    fault = only_fault(checks)
    assert (fault.key, fault.who) == ("log-in", Who.CHAMAN)
    assert checks["answers"].is_open


@pytest.mark.parametrize(("directory", "line"), [("OUT", "answers"), ("IN", "uploads")])
def test_a_directory_that_is_not_there(
    channel: Channel, tenant: UUID, server: Server, directory: str, line: str
) -> None:
    (server.root / directory).rmdir()
    fault = only_fault(verify(channel, tenant))
    assert (fault.key, fault.who) == (line, Who.CHAMAN)
    assert directory in fault.fault


def test_the_directories_are_those_of_the_channel(channel: Channel, tenant: UUID, server: Server) -> None:
    (server.root / "OUT").rename(server.root / "UIT")
    directories = {**channel.directories, "R": ["IN", "UIT"]}
    checks = verify(channel, tenant, directories=directories)
    assert checks["answers"].found == "UIT"
    assert checks["answers"].holds


def test_an_account_that_may_not_list_its_uploads_is_in_order(
    channel: Channel, tenant: UUID, server: Server
) -> None:
    server.faults.is_in_listable = False
    checks = verify(channel, tenant)
    assert checks["uploads"].holds
    assert "may not list" in checks["uploads"].found


def test_nobody_at_the_door(channel: Channel, tenant: UUID) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        fault = only_fault(verify(channel, tenant, port=port))
    assert (fault.key, fault.who) == ("server", Who.TECHNICAL)


def test_a_server_that_says_nothing_does_not_hold_the_page(
    channel: Channel, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepts the connection, and stays silent; the name look-up of a bad resolver would do the same."""
    monkeypatch.setattr(verifying, "DEADLINE", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        since = time.monotonic()
        checks = verify(channel, tenant, port=silent.getsockname()[1])
        assert time.monotonic() - since < verifying.STEP
        assert "no answer within" in only_fault(checks).fault
        with pytest.raises(ConnectionLost), tenancy.scope(tenant):
            verifying.ask_server_key(channel)


def test_the_server_shows_its_key_to_whoever_asks(channel: Channel, tenant: UUID, server: Server) -> None:
    with tenancy.scope(tenant):
        channel.host_key = ""
        assert verifying.ask_server_key(channel) == " ".join(server.host_key_line.split()[:2])
    assert server.signatures_seen == [], "asking is no log-in"


def test_an_old_server_with_an_rsa_host_key_shows_it(tmp_path: Path, channel: Channel, ssh_pair: Any) -> None:
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    with Server(tmp_path / "rsa", ssh_pair.export_public_key().decode(), host_key=rsa) as old:
        channel.port = old.port
        assert verifying.ask_server_key(channel) == " ".join(old.host_key_line.split()[:2])


def test_a_server_that_speaks_only_ssh_rsa_needs_the_switch(
    tmp_path: Path, channel: Channel, tenant: UUID, rsa_pair: asyncssh.SSHKey
) -> None:
    """As the live server was seen to do: the page of the verification leads from the refusal to a whole channel."""
    with tenancy.scope(tenant):
        vault.store_ssh_key(channel, rsa_pair.export_private_key())
    public = rsa_pair.export_public_key().decode()
    with Server(tmp_path / "legacy", public, signature_algs=("ssh-rsa",)) as old:
        place = {"port": old.port, "host_key": old.host_key_line}
        fault = only_fault(verify(channel, tenant, **place))
        assert fault.key == "log-in"
        assert "ssh-rsa switch" in fault.remedy
        checks = verify(channel, tenant, **place, allows_ssh_rsa=True)
    assert [check for check in checks.values() if not check.holds] == []


def test_a_key_that_the_vault_cannot_open(
    channel: Channel, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "provider", lambda: LocalKeyProvider(b"another master key, of another day"))
    checks = verify(channel, tenant)
    assert {name for name, check in checks.items() if check.fault} == {"ssh", "certificate match"}
    assert "vault" in checks["ssh"].fault


def test_a_certificate_that_expired_meanwhile_is_told_once(channel: Channel, tenant: UUID) -> None:
    yesterday = datetime.now(tz=UTC) - timedelta(days=1)
    expired = certificate("rsa2048", starts=yesterday - timedelta(days=9), ends=yesterday)
    with tenancy.scope(tenant):
        Credential.objects.filter(kind=Credential.Kind.SIGNING).update(public=pem(expired).decode())
    checks = verify(channel, tenant)
    assert only_fault(checks).key == "certificate ends"
    assert checks["certificate match"].is_open


def test_a_certificate_beside_the_key_of_another_is_found(channel: Channel, tenant: UUID) -> None:
    """Nothing here stores such a pair: a row that somebody changed by hand."""
    today = datetime.now(tz=UTC)
    other = certificate("p384", starts=today - timedelta(days=1), ends=today + timedelta(days=9))
    with tenancy.scope(tenant):
        Credential.objects.filter(kind=Credential.Kind.SIGNING).update(public=pem(other).decode())
    checks = verify(channel, tenant)
    assert [name for name, check in checks.items() if check.fault] == ["certificate match"]
    assert "does not belong" in checks["certificate match"].fault


def test_the_channel_is_not_tried_while_it_is_in_use(
    transactional_db: None, channel: Channel, tenant: UUID
) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        from django.db import connection

        with channel_lock(channel.pk):
            held.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        fault = only_fault(verify(channel, tenant))
    finally:
        done.set()
        thread.join()
    assert fault.remedy == "Verify again in a minute."


def test_verifying_changes_nothing(channel: Channel, tenant: UUID, server: Server) -> None:
    with tenancy.scope(tenant):
        before = list(Credential.objects.order_by("pk").values()), list(Channel.objects.values())
    verify(channel, tenant)
    with tenancy.scope(tenant):
        assert (list(Credential.objects.order_by("pk").values()), list(Channel.objects.values())) == before
    assert server.puts == []
