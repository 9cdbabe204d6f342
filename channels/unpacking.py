"""Private keys out of the files in which people keep them: PKCS#12, PEM, DER and OpenSSH, with or without passphrase.

Nothing here is stored, and no message tells anything of a key.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from channels.signing import CURVES, LEAST_RSA_BITS, UnfitCertificate, load_certificate

type SshKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_NEEDS_PASSPHRASE: Final = _("The private key needs its passphrase.")
_HAS_NO_PASSPHRASE: Final = _("The private key has no passphrase: leave the passphrase empty.")
_UNREADABLE: Final = _(
    "The private key cannot be read: its file is damaged, or the passphrase is not the right one."
)
_NO_KEY: Final = _(
    "There is no private key in this file: give a PKCS#12 file (.p12, .pfx) or a private key (.pem, .key)."
)
_NO_CERTIFICATE: Final = _(
    "There is no certificate in this file: give a .cer, .crt, .pem, .p12 or .pfx file."
)


class UnfitKey(ValueError):
    """A private key that cannot be used; ``str()`` is a translated sentence that tells nothing of the key."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


class Unpacked(NamedTuple):
    """What was in a file: a private key, and its certificate where there is one."""

    key: PrivateKeyTypes
    certificate: x509.Certificate | None = None


@sensitive_variables()
def unpack(content: bytes, passphrase: bytes | None = None) -> Unpacked:
    """The private key in a file, with the certificate of that key when the file holds it too. Raises UnfitKey."""
    if b"-----BEGIN" in content:
        return _from_pem(content, passphrase)
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        return Unpacked(serialization.load_der_private_key(content, passphrase))
    return _from_pkcs12(content, passphrase)


@sensitive_variables()
def certificate_in(content: bytes, passphrase: bytes | None = None) -> x509.Certificate:
    """The certificate in a PEM, DER or PKCS#12 file, that of the account where its issuers are in it too.

    A private key beside it is left out. Raises UnfitKey, for a file that its passphrase does not open, or
    UnfitCertificate.
    """
    found: list[x509.Certificate] = []
    if b"-----BEGIN" in content:
        with suppress(ValueError):
            found = x509.load_pem_x509_certificates(content)
    else:
        with suppress(UnfitCertificate):
            return load_certificate(content)
        bundle = _open_pkcs12(content, passphrase)
        found = [each.certificate for each in (bundle.cert, *bundle.additional_certs) if each is not None]
    if not found:
        raise UnfitCertificate(_NO_CERTIFICATE)
    return next((one for one in found if not _is_issuer(one)), found[0])


def _is_issuer(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False


def check_ssh_key(key: PrivateKeyTypes) -> SshKey:
    """The key, if one may log in with it: Ed25519, ECDSA, or RSA of at least 2048 bits. Raises UnfitKey."""
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < LEAST_RSA_BITS:
            raise UnfitKey(_("The RSA key is too short: it needs at least 2048 bits."))
        return key
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return key
    raise UnfitKey(_("The key is of a kind that cannot log in here: give an Ed25519, ECDSA or RSA key."))


@sensitive_variables()
def _from_pem(content: bytes, passphrase: bytes | None) -> Unpacked:
    is_openssh = b"BEGIN OPENSSH PRIVATE KEY" in content
    if not is_openssh and b"PRIVATE KEY-----" not in content:
        raise UnfitKey(_NO_KEY)
    load = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    try:
        key = load(
            content[content.rindex(b"-----BEGIN") :] if is_openssh else _key_block(content), passphrase
        )
    except TypeError:
        raise UnfitKey(_NEEDS_PASSPHRASE if passphrase is None else _HAS_NO_PASSPHRASE) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnfitKey(_UNREADABLE) from None
    certificates: list[x509.Certificate] = []
    if b"-----BEGIN CERTIFICATE-----" in content:
        with suppress(ValueError):
            certificates = x509.load_pem_x509_certificates(content)
    return Unpacked(key, _certificate_of(key, certificates))


@sensitive_variables()
def _key_block(content: bytes) -> bytes:
    """The lines of the private key alone: a file may hold its certificate before or after it."""
    middle = content.index(b"PRIVATE KEY-----")
    start = content.rindex(b"-----BEGIN", 0, middle)
    end = content.find(b"-----END", middle)
    stop = content.find(b"KEY-----", end) if end >= 0 else -1
    return content[start : stop + len(b"KEY-----")] + b"\n" if stop >= 0 else content[start:]


@sensitive_variables()
def _open_pkcs12(content: bytes, passphrase: bytes | None) -> pkcs12.PKCS12KeyAndCertificates:
    try:
        return pkcs12.load_pkcs12(content, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnfitKey(
            _(
                "This file cannot be opened: it is no PKCS#12 file (.p12, .pfx), or its passphrase is missing or wrong."
            )
        ) from None


@sensitive_variables()
def _from_pkcs12(content: bytes, passphrase: bytes | None) -> Unpacked:
    bundle = _open_pkcs12(content, passphrase)
    if bundle.key is None:
        raise UnfitKey(_NO_KEY)
    found = [each.certificate for each in (bundle.cert, *bundle.additional_certs) if each is not None]
    return Unpacked(bundle.key, _certificate_of(bundle.key, found))


def _certificate_of(key: PrivateKeyTypes, found: list[x509.Certificate]) -> x509.Certificate | None:
    """The one of this key; without such a one the first, whose judgement will say that it belongs to another key."""
    for certificate in found:
        with suppress(ValueError, UnsupportedAlgorithm):
            if certificate.public_key() == key.public_key():
                return certificate
    return found[0] if found else None
