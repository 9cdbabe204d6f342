"""Makes what a channel needs: the pair with which it logs in, and the request for the certificate that signs."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import NameOID
from django.db import models
from django.utils.translation import gettext_lazy as _

REQUEST_BITS: Final = 3072


class SshKind(models.TextChoices):
    """What a generated SSH key is made of."""

    ED25519 = "ed25519", _("Ed25519: short and modern")
    RSA_3072 = "rsa-3072", _("RSA, 3072 bits: understood by every server")
    RSA_4096 = "rsa-4096", _("RSA, 4096 bits")


def new_ssh_key(kind: SshKind) -> ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey:
    """A fresh private key. RSA of 4096 bits may take some seconds."""
    if kind is SshKind.ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, int(kind.value.removeprefix("rsa-")))


def new_signing_key() -> rsa.RSAPrivateKey:
    """A fresh RSA key of 3072 bits: every issuer of qualified certificates takes one."""
    return rsa.generate_private_key(65537, REQUEST_BITS)


def certificate_request(key: rsa.RSAPrivateKey, *, name: str, organisation: str, number: str) -> bytes:
    """A certificate request (PKCS#10, PEM) for a seal of an enterprise.

    `name` becomes the common name, `number` (BCE, 10 digits) the identifier of the organisation in the form
    `NTRBE-0897223670` of ETSI EN 319 412-1. An issuer may put other words in the certificate: only the key counts.
    """
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    ) | {"digital_signature": True, "content_commitment": True}
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "BE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRBE-{number}"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(key, hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.PEM)
