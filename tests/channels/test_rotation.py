"""The next key beside the present one: it takes over on its day, or at once, and the earlier one may return."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from channels import checklist, signing, vault
from channels.generating import SshKind
from channels.judging import Unfit
from channels.models import Channel, Credential
from channels.unpacking import UnfitKey
from portal import tenancy
from portal.models import Event
from tests.channels import certificates
from tests.channels.certificates import certificate, key, pem, private_pem

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SOON = NOON + timedelta(days=10)
SSH, SIGNING, REQUEST, _REST = Credential.Kind


@pytest.fixture
def bare(make_channel: Callable[..., Channel]) -> Channel:
    return make_channel()


def pair(kind: str, **how: object) -> tuple[bytes, bytes]:
    return private_pem(key(kind)), pem(certificate(kind, **how))  # type: ignore[arg-type]


def signs_with(channel: Channel) -> x509.Certificate:
    return signing.verify(b"x", vault.signer(channel).sign(b"x"))


def test_the_next_certificate_takes_over_on_its_day(bare: Channel, tenant: UUID) -> None:
    old, new = certificate("rsa2048"), certificate("p384")
    with time_machine.travel(NOON, tick=False), tenancy.scope(tenant):
        vault.store_signing_key(bare, private_pem(key("rsa2048")), pem(old))
        vault.store_signing_key(bare, private_pem(key("p384")), pem(new), usable_from=SOON)
        assert signs_with(bare) == old
    with time_machine.travel(SOON - timedelta(seconds=1), tick=False), tenancy.scope(tenant):
        assert signs_with(bare) == old
    with time_machine.travel(SOON, tick=False), tenancy.scope(tenant):
        assert signs_with(bare) == new
        assert Credential.objects.count() == 2, "the earlier one stays until somebody removes it"


def test_the_next_ssh_key_takes_over_on_its_day(bare: Channel, tenant: UUID) -> None:
    with time_machine.travel(NOON, tick=False), tenancy.scope(tenant):
        first = vault.generate_ssh_key(bare, SshKind.ED25519)
        second = vault.generate_ssh_key(bare, SshKind.ED25519, usable_from=SOON)
        assert vault.ssh_key(bare).fingerprint == first.fingerprint
    with time_machine.travel(SOON, tick=False), tenancy.scope(tenant):
        assert vault.ssh_key(bare).fingerprint == second.fingerprint


def test_a_key_is_switched_to_at_once_and_back_again(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        first = vault.generate_ssh_key(bare, SshKind.ED25519)
        later = datetime.now(tz=UTC) + timedelta(days=9)
        second = vault.generate_ssh_key(bare, SshKind.RSA_3072, usable_from=later)
        for chosen in (second, first):
            Channel.objects.update(verified_at=datetime.now(tz=UTC))
            vault.switch(chosen, datetime.now(tz=UTC))
            assert vault.ssh_key(bare).fingerprint == chosen.fingerprint
            assert Channel.objects.get().verified_at is None, "what changed is to be tried again"
        events = Event.objects.filter(verb="credential.switched").order_by("pk")
        assert [event.data["fingerprint"] for event in events] == [second.fingerprint, first.fingerprint]


def test_a_certificate_must_be_valid_on_the_day_it_takes_over(bare: Channel, tenant: UUID) -> None:
    future = pair("rsa2048", starts=SOON - timedelta(days=1), ends=SOON + timedelta(days=90))
    brief = pair("p384", ends=SOON - timedelta(days=1))
    with time_machine.travel(NOON, tick=False), tenancy.scope(tenant):
        with pytest.raises(Unfit, match="not valid before"):
            vault.store_signing_key(bare, *future)
        with pytest.raises(Unfit, match="expired"):
            vault.store_signing_key(bare, *brief, usable_from=SOON)
        kept = vault.store_signing_key(bare, *future, usable_from=SOON)
        with pytest.raises(Unfit, match="not valid before"):
            vault.switch(kept, NOON)
        assert Credential.objects.get().usable_from == SOON


def test_one_key_is_given_once(bare: Channel, tenant: UUID) -> None:
    with time_machine.travel(NOON, tick=False), tenancy.scope(tenant):
        for _ in range(2):
            made = pair("rsa2048")
            vault.store_signing_key(bare, *made)  # another certificate of the same key is another one
        with pytest.raises(UnfitKey, match="already"):
            vault.store_signing_key(bare, *made)
        assert Credential.objects.count() == 2


def test_the_key_in_use_is_not_removed_beside_another(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        first = vault.generate_ssh_key(bare, SshKind.ED25519)
        second = vault.generate_ssh_key(bare, SshKind.ED25519)
        with pytest.raises(UnfitKey, match="in use"):
            vault.remove(second)
        vault.remove(first)
        vault.remove(second)
        with pytest.raises(vault.MissingKey):
            vault.ssh_key(bare)
        removed = Event.objects.filter(verb="credential.removed").count()
    assert removed == 2


# --- the certificate request ------------------------------------------------------------------------


def ask(channel: Channel) -> Credential:
    return vault.request_certificate(channel, name="Sceau", organisation="Secrétariat", number="0897223670")


def issue(request: Credential, **how: object) -> bytes:
    asked = x509.load_pem_x509_csr(request.public.encode())
    made = certificates.certificate("rsa2048", **how)  # type: ignore[arg-type]
    builder = (
        x509.CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(made.issuer)
        .public_key(asked.public_key())
        .serial_number(made.serial_number)
        .not_valid_before(made.not_valid_before_utc)
        .not_valid_after(made.not_valid_after_utc)
    )
    return builder.sign(key("rsa3072"), made.signature_hash_algorithm).public_bytes(
        serialization.Encoding.DER
    )


def test_a_request_says_whose_it_is_and_proves_its_key(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        request = ask(bare)
    asked = x509.load_pem_x509_csr(request.public.encode())
    assert asked.is_signature_valid
    assert asked.subject.rfc4514_string() == "CN=Sceau,2.5.4.97=NTRBE-0897223670,O=Secrétariat,C=BE"
    assert asked.public_key().key_size == 3072  # type: ignore[union-attr]
    assert "PRIVATE" not in request.public


def test_the_certificate_that_comes_is_joined_to_its_key(bare: Channel, tenant: UUID) -> None:
    with time_machine.travel(NOON, tick=False), tenancy.scope(tenant):
        request = ask(bare)
        with pytest.raises(vault.MissingKey):
            vault.signer(bare)
        content = issue(request)
        stored = vault.answer_request(request, content)
        assert signs_with(bare) == signing.load_certificate(content)
        assert list(Credential.objects.values_list("kind", flat=True)) == [SIGNING]
        assert vault.common_name(stored) == "Sceau"


def test_a_certificate_of_another_key_leaves_the_request_waiting(bare: Channel, tenant: UUID) -> None:
    with time_machine.travel(NOON, tick=False), tenancy.scope(tenant):
        request = ask(bare)
        for content, word in (
            (pem(certificate("rsa2048")), "another private key"),
            (issue(request, ends=NOON - timedelta(hours=1)), "expired"),
            (b"nonsense", "no certificate"),
        ):
            with pytest.raises(signing.UnfitCertificate, match=word):
                vault.answer_request(request, content)
        assert Credential.objects.get().kind == REQUEST


def test_one_request_waits_at_a_time(bare: Channel, tenant: UUID) -> None:
    with tenancy.scope(tenant):
        first = ask(bare)
        with pytest.raises(UnfitKey, match="waiting"):
            ask(bare)
        vault.remove(first)
        ask(bare)


# --- asking for the next one ------------------------------------------------------------------------


def test_the_channel_asks_for_the_next_certificate_until_it_has_one(bare: Channel, tenant: UUID) -> None:
    ends = NOON + timedelta(days=25)
    with time_machine.travel(NOON, tick=False), tenancy.scope(tenant):
        assert checklist.certificate_warning(bare) is None
        vault.store_signing_key(bare, *pair("rsa2048", ends=ends))
        assert checklist.certificate_warning(bare) == {"level": 30, "days": 25, "until": ends}
        vault.store_signing_key(bare, *pair("p384"), usable_from=ends - timedelta(days=1))
        assert checklist.certificate_warning(bare) is None
