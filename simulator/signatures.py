"""Detached CMS signatures: checking those that arrive, making those that leave.

Source: www.socialsecurity.be/site_fr/general/helpcentre/digital_sign/aspects/ (schema, types, standards,
verification).
"""

import base64
import binascii
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from simulator.moments import now

MINIMUM_RSA_BITS = 2048
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class BadSignature(ValueError):
    """The signature file does not sign the declaration file (annex 30, code 125)."""


def verify_detached(signature_file: bytes, content: bytes) -> str:
    """Check an FS against the bytes of its FI; the SHA-256 of the signer's certificate, in hexadecimal.

    `signature_file` is base64 without PEM lines; white space anywhere is passed over.
    Raises BadSignature for everything that does not verify.
    """
    try:
        der = base64.b64decode(b"".join(signature_file.split()), validate=True)
        info = cms.ContentInfo.load(der, strict=True)
        if info["content_type"].native != "signed_data":
            raise BadSignature(f"the CMS holds {info['content_type'].native}, not signed data")
        signed = info["content"]
        if signed["encap_content_info"]["content"].native is not None:
            raise BadSignature("the signature is not detached")
        signers = list(signed["signer_infos"])
        if len(signers) != 1:
            raise BadSignature(f"{len(signers)} signers, one expected")
        certificate = _certificate_of(signers[0], signed["certificates"])
        _verify_signer(signers[0], certificate, content)
    except BadSignature:
        raise
    except (ValueError, TypeError, KeyError, binascii.Error) as fault:
        raise BadSignature(f"unreadable signature: {fault}") from fault
    return certificate.fingerprint(hashes.SHA256()).hex()


def _certificate_of(signer: Any, certificates: Any) -> x509.Certificate:
    wanted = signer["sid"]
    for choice in certificates:
        if choice.name != "certificate":
            continue
        candidate = choice.chosen
        if wanted.name == "issuer_and_serial_number":
            is_his = (
                candidate.issuer == wanted.chosen["issuer"]
                and candidate.serial_number == wanted.chosen["serial_number"].native
            )
        else:
            is_his = candidate.key_identifier == wanted.chosen.native
        if is_his:
            return x509.load_der_x509_certificate(candidate.dump())
    raise BadSignature("the signer's certificate is not included")


def _verify_signer(signer: Any, certificate: x509.Certificate, content: bytes) -> None:
    digest_name = signer["digest_algorithm"]["algorithm"].native
    if digest_name not in _HASHES:
        raise BadSignature(f"digest {digest_name} is not accepted")
    digest = hashlib.new(digest_name, content).digest()
    attributes = signer["signed_attrs"]
    if attributes.native:
        by_type = {attribute["type"].native: attribute["values"] for attribute in attributes}
        if by_type["content_type"][0].native != "data":
            raise BadSignature("the signed content type is not data")
        if by_type["message_digest"][0].native != digest:
            raise BadSignature("the digest is not the one of the declaration file")
        # RFC 5652, 5.4: what is signed is the SET OF, not the implicitly tagged form that travels.
        message = attributes.untag().dump(force=True)
    else:
        message = content
    if not certificate.not_valid_before_utc <= now() <= certificate.not_valid_after_utc:
        raise BadSignature("the certificate is not valid today")
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < MINIMUM_RSA_BITS:
                raise BadSignature(f"RSA key of {key.key_size} bits")
            key.verify(signer["signature"].native, message, padding.PKCS1v15(), _HASHES[digest_name])
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signer["signature"].native, message, ec.ECDSA(_HASHES[digest_name]))
        else:
            raise BadSignature("only RSA and ECDSA keys are accepted")
    except InvalidSignature as fault:
        raise BadSignature("the signature does not match the key") from fault


class Seal:
    """The simulator's own signing key and certificate, made once and kept under its directory."""

    def __init__(self, directory: Path) -> None:
        key_file, certificate_file = directory / "signing-key.pem", directory / "signing-certificate.pem"
        if not (key_file.exists() and certificate_file.exists()):
            _make_seal(key_file, certificate_file)
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{key_file} does not hold an RSA key")
        self._key = key
        self.certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())

    def sign(self, content: bytes) -> bytes:
        """The bytes of an FS: base64 in lines of 76 columns ended by CRLF, no PEM header."""
        der = (
            pkcs7.PKCS7SignatureBuilder()
            .set_data(content)
            .add_signer(self.certificate, self._key, hashes.SHA256())
            .sign(
                serialization.Encoding.DER,
                [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary],
            )
        )
        return base64.encodebytes(der).replace(b"\n", b"\r\n")


def _make_seal(key_file: Path, certificate_file: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=MINIMUM_RSA_BITS)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "BE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Simulated social security"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Simulated social security: answers"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    key_file.touch(mode=0o600)
    key_file.write_bytes(pem)
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
