"""Certificates that break one rule at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_USES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
]
_WITH_SHA256, _WITH_SHA1 = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05"))


@cache
def key(kind: str) -> Any:
    """A private key: `rsa2048`, `p256`, `p384`, `p521`, `secp256k1` or `ed25519`; one of each per process."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    curves: dict[str, ec.EllipticCurve] = {
        "p256": ec.SECP256R1(),
        "p384": ec.SECP384R1(),
        "p521": ec.SECP521R1(),
        "secp256k1": ec.SECP256K1(),
    }
    return ec.generate_private_key(curves[kind])


def certificate(
    kind: str = "rsa2048",
    *,
    digest: hashes.HashAlgorithm | None = None,
    is_sha1: bool = False,
    uses: tuple[str, ...] | None = ("digital_signature",),
    starts: datetime = NOW - timedelta(days=1),
    ends: datetime = NOW + timedelta(days=365),
    name: str = "Mandataire",
) -> x509.Certificate:
    """A certificate of the key of this kind, from an issuer with an RSA key. No `uses`: no key usage at all."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuer")]))
        .public_key(key(kind).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
    )
    if uses is not None:
        usage = x509.KeyUsage(**{use: use in uses for use in _USES})
        builder = builder.add_extension(usage, critical=True)
    made = builder.sign(key("rsa3072"), digest or hashes.SHA256())
    # Nothing signs with SHA-1 any more, so its name is put in the place of the other.
    return x509.load_der_x509_certificate(der(made).replace(_WITH_SHA256, _WITH_SHA1)) if is_sha1 else made


def pem(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.PEM)


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.DER)


def private_pem(of: PrivateKeyTypes, passphrase: bytes | None = None) -> bytes:
    """PKCS#8, locked when a passphrase is given."""
    lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase)
    return of.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
