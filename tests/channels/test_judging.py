"""Each rule by itself: a certificate that passes it, and one that fails it and nothing else."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from channels import judging
from channels.judging import REST, SIGNING, Rules
from tests.channels.certificates import NOW, certificate, key

NONE: tuple[str, ...] | None = None
TABLE: list[tuple[Rules, str, dict[str, Any], str, str]] = [
    # rules, kind of key, how the certificate is made, the criterion that fails ("" for none), a word of its sentence
    (SIGNING, "rsa2048", {}, "", ""),
    (SIGNING, "rsa3072", {}, "", ""),
    (SIGNING, "p256", {}, "", ""),
    (SIGNING, "p521", {}, "", ""),
    (SIGNING, "rsa1024", {}, "key", "1024"),
    (SIGNING, "secp256k1", {}, "key", "secp256k1"),
    (SIGNING, "ed25519", {}, "key", "neither"),
    (SIGNING, "rsa2048", {"digest": hashes.SHA512()}, "", ""),
    (SIGNING, "rsa2048", {"is_sha1": True}, "digest", "SHA1"),
    (SIGNING, "rsa2048", {"uses": ("content_commitment",)}, "", ""),
    (SIGNING, "rsa2048", {"uses": NONE}, "", ""),
    (SIGNING, "rsa2048", {"uses": ("key_encipherment",)}, "usage", "non-repudiation"),
    (SIGNING, "rsa2048", {"starts": NOW}, "", ""),
    (SIGNING, "rsa2048", {"starts": NOW + timedelta(days=2)}, "starts", "04/03/2026"),
    (SIGNING, "rsa2048", {"ends": NOW}, "", ""),
    (SIGNING, "rsa2048", {"ends": NOW - timedelta(hours=3)}, "ends", "02/03/2026"),
    (REST, "rsa2048", {}, "", ""),
    (REST, "rsa4096", {}, "", ""),
    (REST, "p384", {}, "", ""),
    (REST, "p521", {}, "", ""),
    (REST, "rsa2560", {}, "key", "2048, 3072, 4096"),
    (REST, "rsa1024", {}, "key", "1024"),
    (REST, "p256", {}, "key", "P-384, P-521"),
    (REST, "rsa2048", {"digest": hashes.SHA384()}, "", ""),
    (REST, "rsa2048", {"is_sha1": True}, "digest", "SHA-256"),
    (REST, "rsa2048", {"uses": NONE}, "usage", "digital signature"),
    (REST, "rsa2048", {"uses": ("content_commitment",)}, "usage", "digital signature"),
    (REST, "rsa2048", {"ends": NOW - timedelta(hours=9)}, "ends", "expired"),
    (REST, "rsa2048", {"starts": NOW + timedelta(days=9)}, "starts", "not valid before"),
]


def made(kind: str, how: dict[str, Any]) -> x509.Certificate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cryptography warns of what is weak
        return certificate(kind, **how)


def failed(found: list[judging.Finding]) -> list[judging.Finding]:
    return [one for one in found if not one.is_met]


@pytest.mark.parametrize(("rules", "kind", "how", "criterion", "word"), TABLE)
def test_each_rule_fails_alone(
    rules: Rules, kind: str, how: dict[str, Any], criterion: str, word: str
) -> None:
    found = judging.judge(made(kind, how), rules, now=NOW)
    wrong = failed(found)
    assert [one.criterion for one in wrong] == ([criterion] if criterion else [])
    assert [one.criterion for one in found] == ["key", "digest", "usage", "starts", "ends"]
    for one in wrong:
        assert word in one.fault
        assert one.remedy
        assert one.title


@pytest.mark.parametrize("other", ["rsa3072", "p256"])
def test_the_key_is_its_own_or_it_is_not(other: str) -> None:
    good = certificate("rsa2048")
    own = judging.judge(good, SIGNING, now=NOW, key=key("rsa2048").public_key())
    assert failed(own) == []
    assert own[-1].criterion == "match"
    (wrong,) = failed(judging.judge(good, SIGNING, now=NOW, key=key(other).public_key()))
    assert wrong.criterion == "match"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    bad = made("rsa1024", {"is_sha1": True, "uses": ("key_encipherment",), "ends": NOW - timedelta(hours=1)})
    with pytest.raises(judging.Unfit) as refusal:
        judging.refuse_unfit(bad, REST, now=NOW, key=key("p384").public_key())
    assert [one.criterion for one in refusal.value.findings] == ["key", "digest", "usage", "ends", "match"]
    for one in refusal.value.findings:
        assert one.fault in str(refusal.value)
        assert one.remedy in str(refusal.value)


def test_a_fit_one_is_not_refused() -> None:
    judging.refuse_unfit(certificate("p384"), REST, now=NOW, key=key("p384").public_key())


@pytest.mark.parametrize(
    ("left", "level"),
    [
        (timedelta(days=61), None),
        (timedelta(days=60, hours=23), 60),
        (timedelta(days=31), 60),
        (timedelta(days=30), 30),
        (timedelta(days=8), 30),
        (timedelta(days=7), 7),
        (timedelta(days=2), 7),
        (timedelta(days=1), 1),
        (timedelta(minutes=1), 1),
        (timedelta(seconds=-1), 0),
        (timedelta(days=-90), 0),
    ],
)
def test_the_warning_grows_louder(left: timedelta, level: int | None) -> None:
    assert judging.warning_level(NOW + left, NOW) == level


def test_without_a_certificate_there_is_no_warning() -> None:
    assert judging.warning_level(None, NOW) is None
