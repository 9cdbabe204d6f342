"""Signatures: which are taken, and which key counts."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwk, jwt

from portal.identity.discovering import ALGORITHMS
from portal.identity.faults import NotTrusted
from portal.identity.tokens import Expected, subject_of

EXPECTED = Expected(issuer="https://sso.example.be", client_id="portal", nonce="n")
RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
P256 = jwk.ECKey.generate_key("P-256", {"kid": "p256"})
P384 = jwk.ECKey.generate_key("P-384", {"kid": "p384"})
ED = jwk.OKPKey.generate_key("Ed25519", {"kid": "ed"})


def token(key: Any, algorithm: str, header: dict[str, Any] | None = None) -> str:
    now = int(time.time())
    claims = {
        "iss": EXPECTED.issuer,
        "aud": EXPECTED.client_id,
        "nonce": EXPECTED.nonce,
        "sub": "jan",
        "iat": now,
        "exp": now + 60,
    }
    said = {"alg": algorithm} | ({"kid": key.kid} if header is None else header)
    if algorithm == "EdDSA":  # the name that providers use, for the signature that the library calls Ed25519
        return renamed(claims, key, said)
    return jwt.encode(said, claims, key, algorithms=[algorithm])


def renamed(claims: dict[str, Any], key: Any, header: dict[str, Any]) -> str:
    """A token whose header says EdDSA: the library warns of that name, and warnings are errors here."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(key.private_key.sign(signed.encode()))}"


def published(*keys: Any, **extra: str) -> list[dict[str, Any]]:
    return [key.as_dict(private=False) | extra for key in keys]


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS256"), (P256, "ES256"), (ED, "EdDSA"), (ED, "Ed25519")],
)
def test_these_signatures_are_taken(key: Any, algorithm: str) -> None:
    assert subject_of(token(key, algorithm), published(RSA, P256, ED), EXPECTED) == "jan"


def test_every_algorithm_that_is_announced_was_tried() -> None:
    assert set(ALGORITHMS) == {"RS256", "PS256", "ES256", "EdDSA"}


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS384"), (RSA, "PS512"), (P384, "ES384")])
def test_no_other_is(key: Any, algorithm: str) -> None:
    with pytest.raises(NotTrusted, match="its signature does not hold"):
        subject_of(token(key, algorithm), published(RSA, P384), EXPECTED)


def test_a_key_made_for_another_algorithm_does_not_count() -> None:
    with pytest.raises(NotTrusted, match="does not publish"):
        subject_of(token(RSA, "RS256"), published(RSA, alg="PS256"), EXPECTED)


def test_a_key_of_another_kind_under_the_same_name_does_not_hold() -> None:
    other = jwk.ECKey.generate_key("P-256", {"kid": "rsa"})
    with pytest.raises(NotTrusted, match="its signature does not hold"):
        subject_of(token(RSA, "RS256"), published(other), EXPECTED)


def test_a_shared_secret_among_the_keys_does_not_count() -> None:
    shared = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "kid": "rsa"}
    with pytest.raises(NotTrusted, match="its signature does not hold"):
        subject_of(token(RSA, "RS256"), [shared], EXPECTED)


def test_a_key_that_makes_no_sense_does_not_hold() -> None:
    with pytest.raises(NotTrusted, match="its signature does not hold"):
        subject_of(token(RSA, "RS256"), [{"kty": "RSA", "kid": "rsa", "n": "?", "e": 7}], EXPECTED)


def test_without_a_name_the_only_key_counts_and_two_are_unclear() -> None:
    nameless = token(RSA, "RS256", header={})
    assert subject_of(nameless, published(RSA), EXPECTED) == "jan"
    with pytest.raises(NotTrusted, match="does not publish"):
        subject_of(nameless, published(RSA, P256), EXPECTED)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "..", "é.é.é", "a.b.c.d.e", "x" * 200_000])
def test_what_is_no_token_is_not_trusted(text: str) -> None:
    with pytest.raises(NotTrusted):
        subject_of(text, published(RSA), EXPECTED)
