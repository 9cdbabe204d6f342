"""FS files: a detached CMS signature over the exact bytes of an FI, and the reading of such signatures.

The FS is PKCS#7/CMS ``SignedData``, detached, binary, SHA-256, with the certificate of the signer inside, in
base64 without header lines: www.socialsecurity.be/site_fr/general/helpcentre/digital_sign/aspects/ (schema,
types, standards). The bytes signed are the bytes sent: a signature made without the binary flag holds only
for files whose lines end with CRLF.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, cast

# Importing tsp teaches cms the attributes of CAdES.
from asn1crypto import cms, tsp  # noqa: F401
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

type SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

LEAST_RSA_BITS: Final = 2048
CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
"""P-256, P-384 and P-521."""

_COLUMNS: Final = 64
_DIGESTS: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_OPTIONS: Final = [
    pkcs7.PKCS7Options.DetachedSignature,
    pkcs7.PKCS7Options.Binary,
    # What ciphers a mail program would like for the reply is of no interest here.
    pkcs7.PKCS7Options.NoCapabilities,
]
# What cryptography raises, at the first look, for parts of a certificate that are damaged or unknown to it.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_WHITE_SPACE: Final = re.compile(rb"[ \t\r\n]+")


class BadSignature(ValueError):
    """A signature that cannot be read, or does not hold for the content. Trying again never helps."""


class UnfitCertificate(ValueError):
    """A key or certificate that cannot sign for the channel; ``str()`` is a translated sentence."""

    def __init__(self, sentence: str | Promise, values: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence, values)
        self.sentence = sentence
        self.values = dict(values or {})

    def __str__(self) -> str:
        return str(self.sentence) % self.values


# --- signing --------------------------------------------------------------------------------------


class Signer(Protocol):
    """Whatever signs: a key in memory today, a token or a remote service tomorrow."""

    def sign(self, content: bytes) -> bytes:
        """The detached CMS signature, DER, over exactly these bytes."""
        ...


class CertificateSigner:
    """Signs with a key held in memory. Made by `load_signer`, once per task: loading a key costs a hundred
    signatures.
    """

    __slots__ = ("_private_key", "certificate")

    def __init__(self, private_key: SigningKey, certificate: x509.Certificate) -> None:
        self._private_key = private_key
        self.certificate = certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate's DER, in hexadecimal: what the channel registered."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def sign(self, content: bytes) -> bytes:
        """The detached CMS signature, DER, with the certificate of the signer in it."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        signed = builder.add_signer(self.certificate, self._private_key, hashes.SHA256())
        return signed.sign(serialization.Encoding.DER, _OPTIONS)


def encode_fs(der: bytes) -> bytes:
    """The content of an FS file: base64 in lines of 64 characters that end with CRLF, no header lines."""
    text = base64.b64encode(der)
    return b"".join(text[at : at + _COLUMNS] + b"\r\n" for at in range(0, len(text), _COLUMNS))


def decode_fs(content: bytes) -> bytes:
    """The DER of an FS file, whatever the length and the ends of its lines; raise `BadSignature`."""
    try:
        der = base64.b64decode(_WHITE_SPACE.sub(b"", content), validate=True)
    except binascii.Error as error:
        raise BadSignature(f"the signature file is not base64: {error}") from None
    if not der:
        raise BadSignature("the signature file is empty")
    return der


# --- keys and certificates ------------------------------------------------------------------------


@sensitive_variables()
def load_signer(
    key: bytes,
    certificate: bytes,
    *,
    passphrase: bytes | None = None,
    is_key_checked: bool = False,
    now: datetime | None = None,
) -> CertificateSigner:
    """A signer from a private key and a certificate, each PEM or DER; raise `UnfitCertificate`.

    `is_key_checked` skips the arithmetic on an RSA key (30 ms): for keys that were loaded without it once,
    and kept sealed since. `now` is the moment at which the certificate must be valid.
    """
    private_key = load_key(key, passphrase, is_key_checked=is_key_checked)
    _check_strength(private_key)
    loaded = load_certificate(certificate)
    check_certificate(loaded, now=now)
    if loaded.public_key() != private_key.public_key():
        raise UnfitCertificate(
            _("The private key does not belong to this certificate. Give the two that were made together.")
        )
    return CertificateSigner(private_key, loaded)


@sensitive_variables()
def load_key(content: bytes, passphrase: bytes | None = None, *, is_key_checked: bool = False) -> SigningKey:
    """A private key, PEM or DER; raise `UnfitCertificate`. Whether it is strong enough is for the caller to ask.

    `is_key_checked` as in `load_signer`.
    """
    is_pem = content.lstrip().startswith(b"-----BEGIN")
    load = serialization.load_pem_private_key if is_pem else serialization.load_der_private_key
    try:
        key = load(content, passphrase, unsafe_skip_rsa_key_validation=is_key_checked)
    except TypeError:
        raise UnfitCertificate(
            _("The private key needs its passphrase.")
            if passphrase is None
            else _("The private key has no passphrase: leave the passphrase empty.")
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnfitCertificate(
            _("The private key cannot be read: its file is damaged, or the passphrase is not the right one.")
        ) from None
    return cast(SigningKey, key)


def load_certificate(content: bytes) -> x509.Certificate:
    """A certificate, PEM or DER (.cer, .crt); raise `UnfitCertificate`."""
    try:
        if content.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except _UNREADABLE:
        raise UnfitCertificate(
            _("This is no certificate that can be read: give a .cer, .crt or .pem file with one certificate.")
        ) from None


def check_certificate(certificate: x509.Certificate, *, now: datetime | None = None) -> None:
    """Raise `UnfitCertificate` unless this certificate can sign for the channel at this moment."""
    now = now or datetime.now(tz=UTC)
    try:
        starts_at, ends_at = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        public_key, usage = certificate.public_key(), _key_usage(certificate)
    except _UNREADABLE:
        raise UnfitCertificate(
            _("The certificate is damaged, or of a kind that is not known: export it again.")
        ) from None
    if now < starts_at:
        raise UnfitCertificate(
            _("The certificate is not valid before %(day)s. Wait for that day, or give another certificate."),
            {"day": starts_at.date().isoformat()},
        )
    if now > ends_at:
        raise UnfitCertificate(
            _("The certificate has expired on %(day)s. Renew it, and register the new one for the channel."),
            {"day": ends_at.date().isoformat()},
        )
    _check_strength(public_key)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise UnfitCertificate(
            _("The certificate may not sign: its key usage has no digital signature nor non-repudiation.")
        )


def new_self_signed(
    common_name: str, days: int, *, curve: ec.EllipticCurve | None = None, now: datetime | None = None
) -> tuple[bytes, bytes]:
    """A private key and a certificate, both PEM, for demonstrations, simulations and tests.

    RSA 2048 unless a `curve` is given; valid from an hour before `now`, for `days` days.
    """
    private_key: SigningKey = (
        ec.generate_private_key(curve) if curve else rsa.generate_private_key(65537, LEAST_RSA_BITS)
    )
    now = now or datetime.now(tz=UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    usage = {
        field: field in ("digital_signature", "content_commitment")
        for field in (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        )
    }
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private_key.public_key()), critical=False)
        .sign(private_key, hashes.SHA256())
    )
    key_pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key_pem, certificate.public_bytes(serialization.Encoding.PEM)


def _key_usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _check_strength(key: object) -> None:
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        if key.key_size < LEAST_RSA_BITS:
            raise UnfitCertificate(
                _("The RSA key has %(bits)d bits and is refused by social security: it needs at least 2048."),
                {"bits": key.key_size},
            )
    elif isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        if key.curve.name not in CURVES:
            raise UnfitCertificate(
                _("The key is on the curve %(curve)s: only P-256, P-384 and P-521 are accepted."),
                {"curve": key.curve.name},
            )
    else:
        raise UnfitCertificate(_("The key is of a kind that cannot sign here: give an RSA or an EC key."))


# --- verifying ------------------------------------------------------------------------------------


def verify(content: bytes, der: bytes) -> x509.Certificate:
    """The certificate of who signed `content`; raise `BadSignature`.

    Reads plain detached CMS, and CAdES as social security sends it, whose time stamp is ignored. Whether the
    certificate is the expected one, and still valid, is for the caller to say: this says that its key signed.
    """
    try:
        return _verify(content, der)
    except BadSignature:
        raise
    except InvalidSignature:
        raise BadSignature("the signature does not hold: it or the content was changed") from None
    except (*_UNREADABLE, KeyError, IndexError, AttributeError) as error:
        # asn1crypto reads lazily: any look at a damaged structure may raise any of these.
        raise BadSignature(f"the signature cannot be read: {error}") from error


def _verify(content: bytes, der: bytes) -> x509.Certificate:
    envelope = cms.ContentInfo.load(der, strict=True)
    if envelope["content_type"].native != "signed_data":
        raise BadSignature("the file is no signature (CMS SignedData)")
    signed_data = envelope["content"]
    encapsulated = signed_data["encap_content_info"]
    if encapsulated["content"].native is not None:
        raise BadSignature("the signature is not detached: it holds a content of its own")
    if len(signed_data["signer_infos"]) != 1:
        raise BadSignature(f"one signer is expected, not {len(signed_data['signer_infos'])}")
    signer = signed_data["signer_infos"][0]
    certificate = _certificate_of(signer, signed_data["certificates"])
    digest_name = signer["digest_algorithm"]["algorithm"].native
    digest = _digest(digest_name)

    attributes = signer["signed_attrs"]
    if not attributes:
        _check_signature(certificate, signer, content, digest_name)
        return certificate
    if _only(attributes, "content_type").native != encapsulated["content_type"].native:
        raise BadSignature("the signed attributes name another type of content")
    hashed = hashes.Hash(digest)
    hashed.update(content)
    if not hmac.compare_digest(hashed.finalize(), _only(attributes, "message_digest").native):
        raise BadSignature("the content is not the one that was signed")
    # Signed as a SET of their own, not with the implicit tag which they bear inside.
    _check_signature(certificate, signer, attributes.untag().dump(), digest_name)
    return certificate


def _certificate_of(signer: Any, certificates: Any) -> x509.Certificate:
    wanted = signer["sid"]
    for choice in certificates:
        if choice.name != "certificate":
            continue
        candidate = choice.chosen
        if wanted.name == "issuer_and_serial_number":
            is_wanted = (
                candidate.issuer == wanted.chosen["issuer"]
                and candidate.serial_number == wanted.chosen["serial_number"].native
            )
        else:
            is_wanted = candidate.key_identifier == wanted.chosen.native
        if is_wanted:
            return x509.load_der_x509_certificate(candidate.dump())
    raise BadSignature("the certificate of the signer is not in the signature")


def _only(attributes: Any, name: str) -> Any:
    values = [value for each in attributes if each["type"].native == name for value in each["values"]]
    if len(values) != 1:
        raise BadSignature(f"one signed attribute {name} is expected, not {len(values)}")
    return values[0]


def _digest(name: str) -> hashes.HashAlgorithm:
    try:
        return _DIGESTS[name]()
    except KeyError:
        raise BadSignature(f"the digest algorithm {name} is not accepted") from None


def _check_signature(certificate: x509.Certificate, signer: Any, signed: bytes, digest_name: str) -> None:
    public_key = certificate.public_key()
    algorithm = signer["signature_algorithm"]
    signature = signer["signature"].native
    kind = algorithm.signature_algo
    if isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size >= LEAST_RSA_BITS:
        if kind == "rsassa_pss":
            parameters = algorithm["parameters"]
            mask = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
            pss = padding.PSS(padding.MGF1(_digest(mask)), parameters["salt_length"].native)
            public_key.verify(
                signature, signed, pss, _digest(parameters["hash_algorithm"]["algorithm"].native)
            )
            return
        if kind == "rsassa_pkcs1v15":
            public_key.verify(
                signature, signed, padding.PKCS1v15(), _digest(_hash_of(algorithm, digest_name))
            )
            return
    if (
        isinstance(public_key, ec.EllipticCurvePublicKey)
        and public_key.curve.name in CURVES
        and kind == "ecdsa"
    ):
        public_key.verify(signature, signed, ec.ECDSA(_digest(_hash_of(algorithm, digest_name))))
        return
    raise BadSignature(f"the signature algorithm {kind} with the key of this certificate is not accepted")


def _hash_of(algorithm: Any, digest_name: str) -> str:
    """The digest that an algorithm such as sha256WithRSAEncryption names, or else that of the signer."""
    name = algorithm["algorithm"].native
    return digest_name if name in ("rsassa_pkcs1v15", "ecdsa") else str(algorithm.hash_algo)
