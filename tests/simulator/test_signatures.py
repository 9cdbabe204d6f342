"""Signatures: what verifies, what does not, and what the simulator makes itself."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from simulator.signatures import BadSignature, Seal, verify_detached
from tests.simulator import people

CONTENT = b"<a>\nbytes as they are\r\n</a>"


def test_a_good_signature_tells_the_certificate(signer: people.Signer) -> None:
    assert verify_detached(signer.sign(CONTENT), CONTENT) == signer.fingerprint


def test_base64_may_be_folded_in_any_way(signer: people.Signer) -> None:
    flat = signer.sign(CONTENT)
    folded = b"\r\n".join(flat[start : start + 64] for start in range(0, len(flat), 64)) + b"\r\n"
    assert verify_detached(folded, CONTENT) == signer.fingerprint


def test_a_signature_without_attributes_verifies(signer: people.Signer) -> None:
    der = signer.der(CONTENT, pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.NoAttributes)
    assert verify_detached(base64.b64encode(der), CONTENT) == signer.fingerprint


def test_elliptic_curves_verify() -> None:
    signer = people.make_signer(ec.generate_private_key(ec.SECP384R1()))
    assert verify_detached(signer.sign(CONTENT), CONTENT) == signer.fingerprint


def test_one_changed_byte_is_seen(signer: people.Signer) -> None:
    with pytest.raises(BadSignature, match="digest"):
        verify_detached(signer.sign(CONTENT), CONTENT.replace(b"\r\n", b"\n"))


def test_a_changed_signature_is_seen(signer: people.Signer) -> None:
    der = bytearray(signer.der(CONTENT))
    der[-1] ^= 1
    with pytest.raises(BadSignature, match="does not match"):
        verify_detached(base64.b64encode(bytes(der)), CONTENT)


def test_a_signature_that_holds_its_content_is_not_detached(signer: people.Signer) -> None:
    der = signer.der(CONTENT, pkcs7.PKCS7Options.Binary)
    with pytest.raises(BadSignature, match="detached"):
        verify_detached(base64.b64encode(der), CONTENT)


def test_the_certificate_must_be_included(signer: people.Signer) -> None:
    der = signer.der(CONTENT, pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.NoCerts)
    with pytest.raises(BadSignature, match="certificate"):
        verify_detached(base64.b64encode(der), CONTENT)


def test_short_keys_and_old_certificates_are_refused() -> None:
    short = people.make_signer(rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505
    with pytest.raises(BadSignature, match="1024"):
        verify_detached(short.sign(CONTENT), CONTENT)
    old = people.make_signer(days=(-30, -1))
    with pytest.raises(BadSignature, match="not valid today"):
        verify_detached(old.sign(CONTENT), CONTENT)


@pytest.mark.parametrize(
    "garbage", [b"", b"not base64 !", base64.b64encode(b"not DER"), base64.b64encode(b"\x30\x03\x06\x01\x2a")]
)
def test_garbage_is_a_bad_signature_and_nothing_else(garbage: bytes) -> None:
    with pytest.raises(BadSignature):
        verify_detached(garbage, CONTENT)


def test_a_truncated_signature_is_a_bad_signature(signer: people.Signer) -> None:
    der = signer.der(CONTENT)
    for length in range(0, len(der), 37):
        with pytest.raises(BadSignature):
            verify_detached(base64.b64encode(der[:length]), CONTENT)


def test_the_seal_is_made_once_and_verifies(tmp_path: Path) -> None:
    signature = Seal(tmp_path).sign(CONTENT)
    again = Seal(tmp_path)
    lines = signature.split(b"\r\n")
    assert max(map(len, lines)) == 76
    assert lines[-1] == b""
    assert verify_detached(signature, CONTENT) == verify_detached(again.sign(CONTENT), CONTENT)
    assert (tmp_path / "signing-key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl program is not installed")
def test_openssl_verifies_the_seal(tmp_path: Path) -> None:
    (tmp_path / "signature").write_bytes(base64.b64decode(Seal(tmp_path).sign(CONTENT)))
    (tmp_path / "content").write_bytes(CONTENT)
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "signature", "-noverify"]
    result = subprocess.run([*command, "-content", "content"], cwd=tmp_path, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == CONTENT
