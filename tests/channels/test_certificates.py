"""Keys and certificates that may sign for the channel, and those that may not."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from channels.signing import (
    BadSignature,
    CertificateSigner,
    UnfitCertificate,
    check_certificate,
    load_certificate,
    load_signer,
    new_self_signed,
    verify,
)

# cryptography warns that it will one day refuse what it reads today, such as negative serial numbers.
ignores_odd_certificates = pytest.mark.filterwarnings(
    "ignore::cryptography.utils.CryptographyDeprecationWarning"
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RSA = new_self_signed("Mandataire", 30)
STRANGER = new_self_signed("Mandataire", 30)  # the same name, another key
P256, P384, P521 = (
    new_self_signed("Mandataire", 30, curve=curve)
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
)
PAIRS = {"rsa": RSA, "p256": P256, "p384": P384, "p521": P521}
SIGNER = load_signer(*RSA)


def load_key(pair: tuple[bytes, bytes]) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pair[0], None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def key_usage(*fields: str) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
        "crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{field: field in fields for field in every.split()})


def certificate_for(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey,
    *,
    usage: x509.KeyUsage | None = None,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mandataire")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(tz=UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(tz=UTC) + timedelta(days=1))
    )
    if usage:
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def pem_of(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey,
) -> tuple[bytes, bytes]:
    return (
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        certificate_for(key).public_bytes(serialization.Encoding.PEM),
    )


@pytest.mark.parametrize("is_key_checked", [True, False])
@pytest.mark.parametrize("kind", PAIRS)
def test_keys_and_certificates_load_from_der_and_pem(kind: str, is_key_checked: bool) -> None:
    key_pem, certificate_pem = PAIRS[kind]
    key_der = serialization.load_pem_private_key(key_pem, None).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate_der = load_certificate(certificate_pem).public_bytes(serialization.Encoding.DER)
    for key in (key_pem, key_der, b"\r\n" + key_pem):
        for certificate in (certificate_pem, certificate_der):
            signer = load_signer(key, certificate, is_key_checked=is_key_checked)
            assert verify(b"x", signer.sign(b"x")) == load_certificate(certificate_pem)


def test_a_passphrase_opens_its_key_and_no_other_does() -> None:
    locked = load_key(RSA).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"correct"),
    )
    assert load_signer(locked, RSA[1], passphrase=b"correct").fingerprint == SIGNER.fingerprint
    with pytest.raises(UnfitCertificate, match="needs its passphrase"):
        load_signer(locked, RSA[1])
    with pytest.raises(UnfitCertificate, match="not the right one"):
        load_signer(locked, RSA[1], passphrase=b"wrong")
    with pytest.raises(UnfitCertificate, match="has no passphrase"):
        load_signer(RSA[0], RSA[1], passphrase=b"superfluous")


@pytest.mark.parametrize("other", [STRANGER, P256], ids=["same kind", "another kind"])
def test_a_key_signs_with_its_own_certificate_only(other: tuple[bytes, bytes]) -> None:
    with pytest.raises(UnfitCertificate, match="does not belong"):
        load_signer(RSA[0], other[1])


@pytest.mark.parametrize(
    "noise", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_cannot_be_read_is_said(noise: bytes) -> None:
    with pytest.raises(UnfitCertificate, match="cannot be read"):
        load_signer(noise, RSA[1])
    with pytest.raises(UnfitCertificate, match="no certificate"):
        load_signer(RSA[0], noise)
    with pytest.raises(UnfitCertificate):
        load_signer(RSA[1], RSA[0])


@ignores_odd_certificates
def test_every_damaged_certificate_is_unfit_or_still_a_certificate() -> None:
    der = SIGNER.certificate.public_bytes(serialization.Encoding.DER)
    for mask in (0x01, 0x02, 0x41, 0x80):
        for at in range(len(der)):
            broken = bytearray(der)
            broken[at] ^= mask
            with suppress(UnfitCertificate):
                check_certificate(load_certificate(bytes(broken)))


def test_an_extension_that_occurs_twice_is_damage() -> None:
    der = bytearray(SIGNER.certificate.public_bytes(serialization.Encoding.DER))
    key_usage_oid, basic_constraints_oid = b"\x06\x03\x55\x1d\x0f", b"\x06\x03\x55\x1d\x13"
    at = der.index(key_usage_oid)
    der[at : at + 5] = basic_constraints_oid
    with pytest.raises(UnfitCertificate, match="damaged"):
        check_certificate(load_certificate(bytes(der)))


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(UnfitCertificate, match="1024 bits"):
        load_signer(*pem_of(rsa.generate_private_key(65537, 1024)))  # noqa: S505


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP224R1()])
def test_other_curves_are_refused(curve: ec.EllipticCurve) -> None:
    with pytest.raises(UnfitCertificate, match="curve"):
        load_signer(*pem_of(ec.generate_private_key(curve)))


def test_other_kinds_of_keys_are_refused() -> None:
    with pytest.raises(UnfitCertificate, match="RSA or an EC"):
        load_signer(*pem_of(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(UnfitCertificate, match="RSA or an EC"):
        check_certificate(certificate_for(ed25519.Ed25519PrivateKey.generate()))


@pytest.mark.parametrize("curve", [None, ec.SECP384R1()], ids=["rsa", "ec"])
def test_the_days_of_a_certificate_are_looked_at(curve: ec.EllipticCurve | None) -> None:
    pair = new_self_signed("Mandataire", 10, curve=curve, now=NOW)
    for moment in (NOW - timedelta(hours=1), NOW, NOW + timedelta(days=10)):
        assert load_signer(*pair, now=moment).certificate == load_certificate(pair[1])
    with pytest.raises(UnfitCertificate, match="expired on 2026-03-12"):
        load_signer(*pair, now=NOW + timedelta(days=10, seconds=1))
    with pytest.raises(UnfitCertificate, match="not valid before 2026-03-02"):
        load_signer(*pair, now=NOW - timedelta(hours=1, seconds=1))


def test_today_counts_when_no_moment_is_given() -> None:
    with pytest.raises(UnfitCertificate, match="expired"):
        load_signer(
            *new_self_signed("Mandataire", 1, curve=ec.SECP256R1(), now=datetime(2020, 1, 1, tzinfo=UTC))
        )


def test_a_certificate_must_be_meant_for_signing() -> None:
    key = load_key(RSA)
    for field in ("digital_signature", "content_commitment"):
        check_certificate(certificate_for(key, usage=key_usage(field)))
    check_certificate(certificate_for(key))
    with pytest.raises(UnfitCertificate, match="key usage"):
        check_certificate(certificate_for(key, usage=key_usage("key_encipherment")))


def test_a_weak_certificate_proves_nothing() -> None:
    """Made past the checks of `load_signer`, as somebody else's software might."""
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505
    with pytest.raises(BadSignature, match="not accepted"):
        verify(b"x", CertificateSigner(weak, certificate_for(weak)).sign(b"x"))
