"""Keys go in sealed, come out only for their own channel, and never show themselves."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncssh
import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from channels import signing, vault
from channels.models import Channel, Credential
from portal import tenancy
from portal.models import Event, Mandataire
from portal.secrecy import SealBroken
from tests.channels.conftest import Seal

SSH, SIGNING = Credential.Kind.SSH, Credential.Kind.SIGNING


@pytest.fixture
def bare(make_channel: Callable[..., Channel]) -> Channel:
    """A channel without any key."""
    return make_channel()


def stored(channel: Channel, kind: str) -> Credential:
    return Credential.objects.get(channel=channel, kind=kind)


# --- SSH keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem", "pkcs1-pem"])
@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "ssh-rsa"])
def test_every_usual_key_comes_back_as_the_same_key(
    kind: str, form: str, bare: Channel, tenant: UUID, rsa_pair: asyncssh.SSHKey
) -> None:
    if (kind, form) == ("ssh-ed25519", "pkcs1-pem"):
        form = "openssh"  # There is no such thing.
    pair = rsa_pair if kind == "ssh-rsa" else asyncssh.generate_private_key(kind)
    with tenancy.scope(tenant):
        credential = vault.store_ssh_key(bare, pair.export_private_key(form))
        key = vault.ssh_key(bare)
    assert key.asbytes() == pair.public_data
    assert key.can_sign()
    assert credential.public.split()[:2] == pair.export_public_key().decode().split()[:2]
    assert credential.fingerprint == pair.get_fingerprint() == key.fingerprint
    assert credential.expires_at is None


def test_a_key_made_by_the_stock_tool(bare: Channel, tenant: UUID, tmp_path: Path) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "mot de passe", "-f", path], check=True)
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", path], check=True, capture_output=True, text=True
    ).stdout
    with tenancy.scope(tenant):
        credential = vault.store_ssh_key(bare, path.read_bytes(), passphrase=b"mot de passe")
        assert isinstance(vault.ssh_key(bare), paramiko.Ed25519Key)
    assert credential.fingerprint in shown
    assert path.with_suffix(".pub").read_text().startswith(credential.public)


def test_what_cannot_log_in_is_refused_in_words(
    bare: Channel, tenant: UUID, ssh_pair: asyncssh.SSHKey
) -> None:
    short = asyncssh.generate_private_key("ssh-rsa", key_size=1024).export_private_key("pkcs8-pem")
    locked = ssh_pair.export_private_key("openssh", passphrase="secret")
    open_key = ssh_pair.export_private_key()
    strange_curve = ec.generate_private_key(ec.SECP256K1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    cases: list[tuple[bytes, bytes | None]] = [
        (b"", None),
        (b"nonsense", None),
        (ssh_pair.export_public_key(), None),
        (open_key[: len(open_key) // 2], None),
        (short, None),
        (locked, None),
        (locked, b"wrong"),
        (open_key, b"needless"),
        (strange_curve, None),
    ]
    with tenancy.scope(tenant):
        for content, passphrase in cases:
            with pytest.raises(vault.UnfitKey) as refusal:
                vault.store_ssh_key(bare, content, passphrase=passphrase)
            assert str(refusal.value)
            assert content.decode() not in str(refusal.value) or not content
        assert not Credential.objects.exists()


# --- signing keys ---------------------------------------------------------------------------------


def test_a_signing_key_signs(bare: Channel, tenant: UUID, signing_pair: tuple[bytes, bytes]) -> None:
    with tenancy.scope(tenant):
        credential = vault.store_signing_key(bare, *signing_pair)
        signer = vault.signer(bare)
    certificate = signing.verify(b"content", signer.sign(b"content"))
    assert certificate == signing.load_certificate(signing_pair[1])
    assert credential.fingerprint == signer.fingerprint
    assert credential.expires_at == certificate.not_valid_after_utc
    assert credential.public.encode() == signing_pair[1]


def test_a_signing_key_with_a_passphrase(
    bare: Channel, tenant: UUID, signing_pair: tuple[bytes, bytes]
) -> None:
    locked = serialization.load_pem_private_key(signing_pair[0], None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    with tenancy.scope(tenant):
        with pytest.raises(signing.UnfitCertificate):
            vault.store_signing_key(bare, locked, signing_pair[1])
        vault.store_signing_key(bare, locked, signing_pair[1], passphrase=b"secret")
        assert vault.signer(bare).sign(b"content")


def test_only_a_fit_pair_is_stored(bare: Channel, tenant: UUID, signing_pair: tuple[bytes, bytes]) -> None:
    other_key, other_certificate = signing.new_self_signed("Autre", days=1, curve=ec.SECP256R1())
    expired = signing.new_self_signed(
        "Passé", days=1, curve=ec.SECP256R1(), now=datetime.now(tz=UTC) - timedelta(days=9)
    )
    edwards = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with tenancy.scope(tenant):
        for pair in (
            (signing_pair[0], other_certificate),
            (other_key, signing_pair[1]),
            expired,
            (edwards, signing_pair[1]),
            (b"", b""),
        ):
            with pytest.raises(signing.UnfitCertificate):
                vault.store_signing_key(bare, *pair)
        assert not Credential.objects.exists()


def test_a_certificate_that_expired_meanwhile_signs_no_more(
    bare: Channel, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = signing.new_self_signed("Bientôt", days=1, curve=ec.SECP256R1())
    with tenancy.scope(tenant):
        vault.store_signing_key(bare, *pair)
        check = signing.check_certificate
        later = datetime.now(tz=UTC) + timedelta(days=2)
        monkeypatch.setattr(signing, "check_certificate", lambda found, **_now: check(found, now=later))
        with pytest.raises(signing.UnfitCertificate):
            vault.signer(bare)


# --- renewing, and what may be seen ---------------------------------------------------------------


def test_a_new_key_takes_over_from_the_old_one_and_leaves_a_trace(
    bare: Channel, tenant: UUID, ssh_pair: asyncssh.SSHKey
) -> None:
    renewed = asyncssh.generate_private_key("ssh-ed25519")
    with tenancy.scope(tenant):
        first = vault.store_ssh_key(bare, ssh_pair.export_private_key())
        second = vault.store_ssh_key(bare, renewed.export_private_key())
        assert vault.in_use(bare, SSH) == second != first
        assert vault.ssh_key(bare).asbytes() == renewed.public_data
        events = list(Event.objects.filter(verb="credential.stored").order_by("pk"))
    assert [event.data["replaces"] for event in events] == ["", ssh_pair.get_fingerprint()]
    assert [event.data["fingerprint"] for event in events] == [
        ssh_pair.get_fingerprint(),
        renewed.get_fingerprint(),
    ]


def test_a_sealed_key_opens_only_where_it_belongs(
    bare: Channel, make_channel: Callable[..., Channel], tenant: UUID, ssh_pair: asyncssh.SSHKey
) -> None:
    other = make_channel(quality="employer", sender_number="104218")
    newer = asyncssh.generate_private_key("ssh-ed25519")
    with tenancy.scope(tenant):
        vault.store_ssh_key(bare, ssh_pair.export_private_key())
        old = bytes(stored(bare, SSH).sealed)
        vault.store_ssh_key(other, ssh_pair.export_private_key())
        Credential.objects.filter(channel=other).update(sealed=old)
        with pytest.raises(SealBroken):
            vault.ssh_key(other)
        vault.store_ssh_key(bare, newer.export_private_key())
        Credential.objects.filter(channel=bare).update(sealed=old)
        with pytest.raises(SealBroken):
            vault.ssh_key(bare)


def test_another_mandataire_finds_no_key(bare: Channel, tenant: UUID, ssh_pair: asyncssh.SSHKey) -> None:
    with tenancy.scope(tenant):
        vault.store_ssh_key(bare, ssh_pair.export_private_key())
    stranger = Mandataire.found(name="Autre", number="0477472701", quality="employer").pk
    with tenancy.scope(stranger), pytest.raises(vault.MissingKey):
        vault.ssh_key(bare)


def test_a_missing_key_is_told_with_the_name_of_the_channel(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        with pytest.raises(vault.MissingKey) as no_ssh:
            vault.ssh_key(bare)
        with pytest.raises(vault.MissingKey) as no_signing:
            vault.signer(bare)
    assert bare.name in str(no_ssh.value)
    assert bare.name in str(no_signing.value)
    assert str(no_ssh.value) != str(no_signing.value)
    assert no_ssh.value.permanent


def test_private_halves_show_nowhere(
    channel: Channel,
    tenant: UUID,
    seal: Seal,
    ssh_pair: asyncssh.SSHKey,
    signing_pair: tuple[bytes, bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    # The middle of the base64 of each private half.
    secrets = [pem.decode().split("\n")[2] for pem in (ssh_pair.export_private_key(), signing_pair[0])]
    with tenancy.scope(tenant):
        key, signer = vault.ssh_key(channel), vault.signer(channel)
        rows = [repr(row.__dict__) for row in Credential.objects.all()]
        sealed = [bytes(row.sealed) for row in Credential.objects.all()]
        events = [repr(event.data) for event in Event.objects.all()]
    seal(channel)
    for shown in (repr(key), str(key), repr(signer), caplog.text, *rows, *events):
        assert "PRIVATE" not in shown
        assert not any(secret in shown for secret in secrets)
    assert not any(b"PRIVATE" in blob for blob in sealed)
