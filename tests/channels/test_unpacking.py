"""Keys come out of every file in which people keep them; what cannot be opened says why, and nothing of the key."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from channels.unpacking import UnfitKey, check_ssh_key, unpack
from tests.channels.certificates import certificate, der, key, pem, private_pem

SECRET = "mot de passe é".encode()


def bundle(passphrase: bytes | None = SECRET, *, kind: str = "rsa2048", chain: bool = True) -> bytes:
    lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase)
    return pkcs12.serialize_key_and_certificates(
        b"seal", key(kind), certificate(kind), [certificate("rsa3072")] if chain else None, lock
    )


FILES = {
    "pkcs12": (bundle(), SECRET, True),
    "pkcs12 without passphrase": (bundle(None), None, True),
    "pem": (private_pem(key("rsa2048")), None, False),
    "locked pem": (private_pem(key("rsa2048"), SECRET), SECRET, False),
    "pem with both": (private_pem(key("rsa2048")) + pem(certificate("rsa2048")), None, True),
    "pem, certificate first": (
        pem(certificate("rsa3072")) + pem(certificate("rsa2048")) + private_pem(key("rsa2048")),
        None,
        True,
    ),
    "der": (
        key("rsa2048").private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ),
        None,
        False,
    ),
    "openssh": (
        key("rsa2048").private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.BestAvailableEncryption(SECRET),
        ),
        SECRET,
        False,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_every_usual_file_opens(name: str) -> None:
    content, passphrase, has_certificate = FILES[name]
    found = unpack(content, passphrase)
    assert isinstance(found.key, rsa.RSAPrivateKey)
    assert found.key.private_numbers() == key("rsa2048").private_numbers()
    assert (found.certificate is not None) == has_certificate
    if found.certificate:
        assert found.certificate.public_key() == key("rsa2048").public_key()


def test_a_bundle_made_by_the_stock_tool(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(private_pem(key("p384")))
    (tmp_path / "certificate").write_bytes(pem(certificate("p384")))
    command = "openssl pkcs12 -export -inkey key -in certificate -out bundle -passout pass:secret"
    subprocess.run(command.split(), cwd=tmp_path, check=True)
    found = unpack((tmp_path / "bundle").read_bytes(), b"secret")
    assert isinstance(found.key, ec.EllipticCurvePrivateKey)
    assert found.certificate == x509_of(tmp_path)


def x509_of(folder: Path) -> object:
    from channels.signing import load_certificate

    return load_certificate((folder / "certificate").read_bytes())


@pytest.mark.parametrize(
    ("content", "passphrase", "words"),
    [
        (b"", None, "no PKCS#12 file"),
        (b"nonsense", None, "no PKCS#12 file"),
        (bundle(), None, "passphrase is missing or wrong"),
        (bundle(), b"mauvais", "passphrase is missing or wrong"),
        (bundle()[:400], SECRET, "no PKCS#12 file"),
        (pem(certificate()), None, "no private key"),
        (der(certificate()), None, "no PKCS#12 file"),
        (private_pem(key("rsa2048"), SECRET), None, "needs its passphrase"),
        (private_pem(key("rsa2048"), SECRET), b"mauvais", "not the right one"),
        (private_pem(key("rsa2048")), b"needless", "has no passphrase"),
        (private_pem(key("rsa2048"))[:300], None, "cannot be read"),
    ],
)
def test_what_does_not_open_says_why(content: bytes, passphrase: bytes | None, words: str) -> None:
    with pytest.raises(UnfitKey) as refusal:
        unpack(content, passphrase)
    assert words in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert not content or content.decode("latin-1") not in str(refusal.value)


def test_a_certificate_of_another_key_is_handed_over_to_be_judged() -> None:
    content = private_pem(key("rsa2048")) + pem(certificate("p384"))
    assert unpack(content).certificate == unpack(content).certificate
    found = unpack(content)
    assert found.certificate is not None
    assert found.certificate.public_key() != found.key.public_key()


@pytest.mark.parametrize("kind", ["rsa2048", "ed25519", "p256", "p521"])
def test_keys_that_may_log_in(kind: str) -> None:
    assert check_ssh_key(key(kind)) is key(kind)


@pytest.mark.parametrize("kind", ["rsa1024", "secp256k1"])
def test_keys_that_may_not(kind: str) -> None:
    with pytest.raises(UnfitKey):
        check_ssh_key(key(kind))
