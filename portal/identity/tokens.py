"""Reading an ID token (OpenID Connect Core 1.0, 3.1.3.7): who it is about, if every word of it holds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from joserfc import jwe, jwk, jws, jwt
from joserfc.errors import JoseError

from portal.identity.discovering import ALGORITHMS
from portal.identity.faults import NotTrusted

SKEW: Final = 60
"""Seconds by which the clock of a provider may differ from ours."""
LONGEST_LIFE: Final = 24 * 3600
"""Seconds after which a token is refused however long it says it holds."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say to be the answer to our question."""

    issuer: str
    client_id: str
    nonce: str
    acr_values: tuple[str, ...] = ()


class _Allowed(jws.JWSRegistry):
    """The algorithms of `ALGORITHMS`, and no other. EdDSA means Ed25519 here (RFC 9864): the same signature."""

    def get_alg(self, name: str) -> Any:
        """The algorithm of a header; raises UnsupportedAlgorithmError."""
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


_REGISTRY: Final = _Allowed(algorithms=[*ALGORITHMS, "Ed25519"], strict_check_header=False)


def opened(token: str, secret: str) -> str:
    """The signed token inside of one that is encrypted for the client `secret`; any other as it is. Raises NotTrusted.

    itsme encrypts for clients with a secret (`dir`, A256GCM); the key is the SHA-256 of the secret (OpenID Connect
    Core 1.0, 10.2). Encryption proves nothing: the signature inside is checked as always.
    """
    if token.count(".") != 4:
        return token
    key = jwk.OctKey.import_key(hashlib.sha256(secret.encode()).digest())
    try:
        found = jwe.decrypt_compact(token, key, algorithms=["dir", "A256GCM"])
        return (found.plaintext or b"").decode("ascii")
    except (JoseError, ValueError, TypeError) as error:
        raise NotTrusted(_("it cannot be decrypted"), f"decryption: {type(error).__name__}") from error


def subject_of(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected) -> str:
    """The subject of a token that is signed by one of `keys` and meant for us, now. Raises NotTrusted."""
    try:
        read = jwt.decode(token, lambda found: _key(found.headers(), keys), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError) as error:
        raise NotTrusted(
            _("its signature does not hold"), f"signature: {type(error).__name__}: {error}"
        ) from error
    claims = read.claims
    _is_for_us(claims, expected)
    _is_timely(claims)
    if expected.acr_values and claims.get("acr") not in expected.acr_values:
        raise NotTrusted(_("you did not sign in there in the way that is asked for"), "acr")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise NotTrusted(_("it does not say who you are"), "sub")
    return subject


def _key(header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> jwk.Key:
    """The key that the header names; without a name, the only one there is."""
    name, algorithm = header.get("kid"), header.get("alg")
    fit = [key for key in keys if name is None or key.get("kid") == name]
    fit = [key for key in fit if key.get("alg", algorithm) == algorithm]
    if len(fit) != 1:
        raise NotTrusted(
            _("it is signed with a key that the provider does not publish"), "unknown or unclear kid"
        )
    if fit[0].get("kty") not in ("RSA", "EC", "OKP"):
        raise NotTrusted(_("its signature does not hold"), "kty")
    return jwk.import_key(dict(fit[0]))


def _is_for_us(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise NotTrusted(_("it comes from another issuer"), "iss")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise NotTrusted(_("it is meant for another application"), "aud")
    party = claims.get("azp")
    if (party is None and len(audiences) > 1) or (party is not None and party != expected.client_id):
        raise NotTrusted(_("it is meant for another application"), "azp")
    if claims.get("nonce") != expected.nonce:
        raise NotTrusted(_("it answers another question"), "nonce")


def _is_timely(claims: Mapping[str, Any]) -> None:
    now = time.time()
    moments = [claims.get("exp"), claims.get("iat"), claims.get("nbf", now)]
    if any(isinstance(moment, bool) or not isinstance(moment, int | float) for moment in moments):
        raise NotTrusted(_("it does not say when it was made"), "exp, iat or nbf is no number")
    ends, made, starts = moments
    # Each asked as "does it hold?": what is no number to compare with, such as NaN, must not pass.
    if not (now <= ends + SKEW and now <= made + LONGEST_LIFE):
        raise NotTrusted(_("it has expired"), "exp")
    if not (made <= now + SKEW and starts <= now + SKEW):
        raise NotTrusted(_("it is dated in the future: one of the clocks is wrong"), "iat or nbf")
