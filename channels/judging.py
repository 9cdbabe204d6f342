"""Judges a certificate, rule by rule: whoever has to mend it learns everything that is wrong at once.

Two sets of rules: for signing the files of the channel
(www.socialsecurity.be/site_fr/general/helpcentre/digital_sign/aspects/, standards), and for the account of the REST
channel (www.rest-documentation.socialsecurity.be). Nothing here reads a clock or a database, or sees a private key.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.signing import CURVES, LEAST_RSA_BITS, UnfitCertificate

WARN_AT: Final = (60, 30, 7, 1)
"""Days before its end at which a certificate asks, ever louder, for the next one."""

_GOOD_DIGESTS: Final = ("sha256", "sha384", "sha512")
_NAMES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}

CRITERIA: Final[Mapping[str, str | Promise]] = {
    "key": gettext_lazy("Kind and length of the key"),
    "digest": gettext_lazy("Signature of the issuer"),
    "usage": gettext_lazy("Key usage"),
    "starts": gettext_lazy("Valid already"),
    "ends": gettext_lazy("Not expired"),
    "match": gettext_lazy("Belongs to the private key"),
}
"""What is looked at, in this order."""


class Rules(NamedTuple):
    """What a purpose asks of a certificate.

    `rsa_bits`: the lengths that are accepted, or None for every length from 2048 bits on. `curves` are OpenSSL's names.
    `needs_signature_usage`: whether the certificate must say that it may make digital signatures; otherwise one that
    says nothing about its use passes, and non-repudiation is as good.
    """

    rsa_bits: tuple[int, ...] | None
    curves: tuple[str, ...]
    needs_signature_usage: bool


SIGNING: Final = Rules(rsa_bits=None, curves=CURVES, needs_signature_usage=False)
REST: Final = Rules(
    rsa_bits=(2048, 3072, 4096), curves=("secp384r1", "secp521r1"), needs_signature_usage=True
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One criterion: met, or with what is wrong and how to mend it, both in the reader's language."""

    criterion: str
    fault: str = ""
    remedy: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the certificate passes here."""
        return not self.fault

    @property
    def title(self) -> str:
        """What was looked at."""
        return str(CRITERIA[self.criterion])


class Unfit(UnfitCertificate):
    """A certificate that fails at least one criterion; ``str()`` is every fault with its remedy."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("%(faults)s", {"faults": " ".join(f"{one.fault} {one.remedy}" for one in findings)})
        self.findings = findings


type _Public = object


def judge(
    certificate: x509.Certificate, rules: Rules, *, now: datetime, key: _Public | None = None
) -> list[Finding]:
    """What each criterion says. With `key`, a public key, also whether the certificate is of that key."""
    found = [
        *_key(certificate, rules),
        *_digest(certificate),
        *_usage(certificate, rules),
        *_validity(certificate, now),
    ]
    if key is not None and _public_key(certificate) != key:
        found.append(
            Finding(
                "match",
                _("The certificate belongs to another private key."),
                _("Give the certificate that was issued for this key, or the two that were made together."),
            )
        )
    faults = {one.criterion: one for one in found}
    looked_at = [name for name in CRITERIA if name != "match" or key is not None]
    return [faults.get(name, Finding(name)) for name in looked_at]


def refuse_unfit(
    certificate: x509.Certificate, rules: Rules, *, now: datetime, key: _Public | None = None
) -> None:
    """Raises Unfit, with every criterion that fails, unless the certificate is fit."""
    failed = [one for one in judge(certificate, rules, now=now, key=key) if not one.is_met]
    if failed:
        raise Unfit(failed)


def warning_level(ends_at: datetime | None, now: datetime) -> int | None:
    """How loud the end of a certificate is: 0 once it has expired, else the last of 60, 30, 7 and 1 days that was
    reached, or None when there is more time, or no certificate.
    """
    if ends_at is None:
        return None
    days = days_left(ends_at, now)
    if days < 0:
        return 0
    return min((level for level in WARN_AT if days <= level), default=None)


def days_left(ends_at: datetime, now: datetime) -> int:
    """Whole days that remain; negative once it has passed."""
    return math.floor((ends_at - now).total_seconds() / 86400)


def day(moment: datetime | None) -> str:
    """A day as `21/11/2026`, in Belgian time; nothing for None."""
    return f"{timezone.localtime(moment):%d/%m/%Y}" if moment else ""


def common_name(name: x509.Name) -> str:
    """The name of a subject or an issuer, or nothing when it bears none."""
    names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


# --- the criteria ---------------------------------------------------------------------------------


def _public_key(certificate: x509.Certificate) -> _Public | None:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _key(certificate: x509.Certificate, rules: Rules) -> Iterator[Finding]:
    key = _public_key(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        if rules.rsa_bits is None and key.key_size < LEAST_RSA_BITS:
            yield Finding(
                "key",
                _("The RSA key has %(bits)d bits: at least 2048 are needed.") % {"bits": key.key_size},
                _("Ask for a certificate of a longer key; 3072 bits is a good choice."),
            )
        elif rules.rsa_bits is not None and key.key_size not in rules.rsa_bits:
            yield Finding(
                "key",
                _("The RSA key has %(bits)d bits: only %(accepted)s are accepted.")
                % {"bits": key.key_size, "accepted": ", ".join(map(str, rules.rsa_bits))},
                _("Ask for a certificate of a key of one of these lengths."),
            )
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in rules.curves:
            yield Finding(
                "key",
                _("The key is on the curve %(curve)s: only %(accepted)s are accepted.")
                % {
                    "curve": _NAMES.get(key.curve.name, key.curve.name),
                    "accepted": ", ".join(_NAMES[name] for name in rules.curves),
                },
                _("Ask for a certificate of a key on one of these curves, or of an RSA key."),
            )
    else:
        yield Finding(
            "key",
            _("The key is neither an RSA nor an EC key."),
            _("Ask for a certificate of an RSA key of 3072 bits."),
        )


def _digest(certificate: x509.Certificate) -> Iterator[Finding]:
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        digest = None
    name = digest.name if digest else ""
    if name not in _GOOD_DIGESTS:
        yield Finding(
            "digest",
            _("The certificate was issued with %(digest)s: only SHA-256, SHA-384 and SHA-512 are accepted.")
            % {"digest": name.upper() or _("an unknown algorithm")},
            _("Ask its issuer for a new one."),
        )


def _usage(certificate: x509.Certificate, rules: Rules) -> Iterator[Finding]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        is_allowed = not rules.needs_signature_usage
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        is_allowed = False
    else:
        is_allowed = usage.digital_signature or (usage.content_commitment and not rules.needs_signature_usage)
    if is_allowed:
        return
    remedy = _("Ask for a certificate for signing or authentication, not for encryption.")
    if rules.needs_signature_usage:
        yield Finding("usage", _("Its key usage does not name digital signature."), remedy)
    else:
        yield Finding(
            "usage", _("Its key usage names neither digital signature nor non-repudiation."), remedy
        )


def _validity(certificate: x509.Certificate, now: datetime) -> Iterator[Finding]:
    try:
        starts_at, ends_at = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except ValueError:
        yield Finding(
            "ends", _("The certificate is damaged, or of a kind that is not known: export it again.")
        )
        return
    if now < starts_at:
        yield Finding(
            "starts",
            _("The certificate is not valid before %(day)s.") % {"day": day(starts_at)},
            _("Give it again from that day on, or give another certificate."),
        )
    if now > ends_at:
        yield Finding(
            "ends",
            _("The certificate has expired on %(day)s.") % {"day": day(ends_at)},
            _("Renew it, and give the new one."),
        )
