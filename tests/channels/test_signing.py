"""Signatures: made for openssl to verify, and read as openssl makes them."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.signing import (
    BadSignature,
    CertificateSigner,
    Signer,
    decode_fs,
    encode_fs,
    load_certificate,
    load_signer,
    new_self_signed,
    verify,
)

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")

# cryptography warns that it will one day refuse what it reads today, such as negative serial numbers.
ignores_odd_certificates = pytest.mark.filterwarnings(
    "ignore::cryptography.utils.CryptographyDeprecationWarning"
)

RSA = new_self_signed("Mandataire", 30)
STRANGER = new_self_signed("Mandataire", 30)  # the same name, another key
P256, P384, P521 = (
    new_self_signed("Mandataire", 30, curve=curve)
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
)
PAIRS = {"rsa": RSA, "p256": P256, "p384": P384, "p521": P521}
CONTENTS = {
    "xml": '<?xml version="1.0" encoding="UTF-8"?>\n<Forms>é</Forms>\n'.encode(),
    "crlf": b"one\r\ntwo\r\n",
    "mixed": b"\r\n\n\r\x00\xff\x1a",
    "empty": b"",
}
CONTENT = CONTENTS["xml"]
SIGNER = load_signer(*RSA)
SIGNATURE = SIGNER.sign(CONTENT)


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], capture_output=True, check=False)


def made_by_openssl(folder: Path, pair: tuple[bytes, bytes], content: bytes, *options: str) -> bytes:
    """What `openssl cms -sign` makes of the content, DER."""
    (folder / "key.pem").write_bytes(pair[0])
    (folder / "certificate.pem").write_bytes(pair[1])
    (folder / "content").write_bytes(content)
    result = openssl(
        "cms", "-sign", "-binary", "-outform", "DER", "-in", folder / "content", "-out", folder / "made.der",
        "-signer", folder / "certificate.pem", "-inkey", folder / "key.pem", *options,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    return (folder / "made.der").read_bytes()


# --- signing --------------------------------------------------------------------------------------


@needs_openssl
@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("name", CONTENTS)
def test_openssl_verifies_what_we_sign(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / "FI").write_bytes(CONTENTS[name])
    (tmp_path / "FS.der").write_bytes(load_signer(*PAIRS[kind]).sign(CONTENTS[name]))
    (tmp_path / "ca.pem").write_bytes(PAIRS[kind][1])
    verification = (
        "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "FS.der",
        "-content", tmp_path / "FI", "-CAfile", tmp_path / "ca.pem", "-purpose", "any",
        "-out", tmp_path / "out",
    )  # fmt: skip
    result = openssl(*verification)
    assert result.returncode == 0, result.stderr.decode()
    assert (tmp_path / "out").read_bytes() == CONTENTS[name], "not one line end translated"

    (tmp_path / "FI").write_bytes(CONTENTS[name] + b"\n")
    assert openssl(*verification).returncode != 0


@needs_openssl
def test_openssl_reads_an_fs_once_it_has_header_lines(tmp_path: Path) -> None:
    (tmp_path / "FI").write_bytes(CONTENT)
    (tmp_path / "FS.pem").write_bytes(
        b"-----BEGIN CMS-----\n" + encode_fs(SIGNATURE) + b"-----END CMS-----\n"
    )
    result = openssl(
        "cms", "-verify", "-binary", "-inform", "PEM", "-in", tmp_path / "FS.pem",
        "-content", tmp_path / "FI", "-noverify", "-out", tmp_path / "out",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()


def test_a_signature_is_detached_sha256_and_carries_its_certificate() -> None:
    signed = cms.ContentInfo.load(SIGNATURE)["content"]
    assert signed["encap_content_info"]["content"].native is None
    assert [each["digest_algorithm"]["algorithm"].native for each in signed["signer_infos"]] == ["sha256"]
    assert [each.chosen.dump() for each in signed["certificates"]] == [
        SIGNER.certificate.public_bytes(serialization.Encoding.DER)
    ]
    attributes = {each["type"].native for each in signed["signer_infos"][0]["signed_attrs"]}
    assert attributes == {"content_type", "message_digest", "signing_time"}
    assert CONTENT not in SIGNATURE


def test_the_fingerprint_is_that_of_the_der_file() -> None:
    der = SIGNER.certificate.public_bytes(serialization.Encoding.DER)
    assert SIGNER.fingerprint == hashlib.sha256(der).hexdigest()


def test_a_certificate_signer_is_a_signer() -> None:
    signer: Signer = SIGNER
    assert isinstance(signer, CertificateSigner)
    assert verify(b"x", signer.sign(b"x")) == SIGNER.certificate


# --- FS files -------------------------------------------------------------------------------------


def test_an_fs_has_lines_of_64_characters_that_end_with_crlf() -> None:
    content = encode_fs(SIGNATURE)
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    assert {len(line) for line in lines[:-1]} == {64}
    assert 0 < len(lines[-1]) <= 64
    assert b"-" not in content
    assert b"\n" not in content.replace(b"\r\n", b"")


@given(st.binary(min_size=1, max_size=300))
def test_an_fs_reads_back(der: bytes) -> None:
    assert decode_fs(encode_fs(der)) == der


@pytest.mark.parametrize("end", [b"", b"\n", b"\r", b"\r\n", b" \t"])
@pytest.mark.parametrize("columns", [64, 76, 10_000])
def test_an_fs_is_read_whatever_its_lines(end: bytes, columns: int) -> None:
    text = base64.b64encode(SIGNATURE)
    content = b"".join(text[at : at + columns] + end for at in range(0, len(text), columns))
    assert decode_fs(content) == SIGNATURE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n",
        b"AAA",
        b"AAAA=",
        b"AA==AA==",
        b"A_-A",
        b"AAAA\x00",
        b"AA\xc3\xa9A",
        SIGNATURE,
    ],
)
def test_what_is_no_base64_is_refused(content: bytes) -> None:
    with pytest.raises(BadSignature):
        decode_fs(content)


# --- verifying ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("name", CONTENTS)
def test_we_verify_what_we_sign(kind: str, name: str) -> None:
    signer = load_signer(*PAIRS[kind])
    assert verify(CONTENTS[name], signer.sign(CONTENTS[name])) == signer.certificate


@needs_openssl
@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-md", "sha384"),
        ("-md", "sha512"),
        ("-noattr",),
        ("-nosmimecap",),
        ("-cades",),
    ],
    ids=" ".join,
)
def test_we_verify_what_openssl_signs(tmp_path: Path, kind: str, options: tuple[str, ...]) -> None:
    der = made_by_openssl(tmp_path, PAIRS[kind], CONTENT, *options)
    assert verify(CONTENT, der) == load_certificate(PAIRS[kind][1])
    with pytest.raises(BadSignature):
        verify(CONTENT + b"\n", der)


@needs_openssl
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("salt", ["digest", "max", "20"])
def test_we_verify_rsa_pss(tmp_path: Path, digest: str, salt: str) -> None:
    padding = ("-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_pss_saltlen:{salt}")
    der = made_by_openssl(tmp_path, RSA, CONTENT, "-md", digest, *padding)
    assert (
        cms.ContentInfo.load(der)["content"]["signer_infos"][0]["signature_algorithm"].signature_algo
        == "rsassa_pss"
    )
    assert verify(CONTENT, der) == load_certificate(RSA[1])
    with pytest.raises(BadSignature):
        verify(CONTENT + b"\n", der)


@needs_openssl
def test_we_find_the_certificate_among_others_and_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "others.pem").write_bytes(STRANGER[1] + P256[1])
    der = made_by_openssl(tmp_path, RSA, CONTENT, "-keyid", "-certfile", str(tmp_path / "others.pem"))
    assert cms.ContentInfo.load(der)["content"]["signer_infos"][0]["sid"].name == "subject_key_identifier"
    assert verify(CONTENT, der) == SIGNER.certificate


@needs_openssl
@pytest.mark.parametrize("digest", ["sha1", "md5", "sha224"])
def test_weak_digests_are_refused(tmp_path: Path, digest: str) -> None:
    der = made_by_openssl(tmp_path, RSA, CONTENT, "-md", digest)
    with pytest.raises(BadSignature, match="digest"):
        verify(CONTENT, der)


@needs_openssl
def test_a_signature_with_its_content_inside_is_not_detached(tmp_path: Path) -> None:
    der = made_by_openssl(tmp_path, RSA, CONTENT, "-nodetach")
    with pytest.raises(BadSignature, match="detached"):
        verify(CONTENT, der)


@needs_openssl
def test_a_signature_without_certificate_tells_nobody(tmp_path: Path) -> None:
    der = made_by_openssl(tmp_path, RSA, CONTENT, "-nocerts")
    with pytest.raises(BadSignature, match="certificate"):
        verify(CONTENT, der)


@needs_openssl
def test_line_ends_must_be_those_that_were_signed(tmp_path: Path) -> None:
    """Without the binary flag openssl signs CRLF for LF: the live trap. The bytes as sent do not verify."""
    (tmp_path / "content").write_bytes(CONTENT)
    made_by_openssl(tmp_path, RSA, CONTENT)
    openssl(
        "cms", "-sign", "-outform", "DER", "-in", tmp_path / "content", "-out", tmp_path / "text.der",
        "-signer", tmp_path / "certificate.pem", "-inkey", tmp_path / "key.pem",
    )  # fmt: skip
    der = (tmp_path / "text.der").read_bytes()
    with pytest.raises(BadSignature):
        verify(CONTENT, der)
    assert verify(CONTENT.replace(b"\n", b"\r\n"), der) == load_certificate(RSA[1])


def test_unsigned_attributes_such_as_a_time_stamp_are_ignored() -> None:
    signed = cms.ContentInfo.load(SIGNATURE)
    signed["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes(
        [{"type": "1.2.840.113549.1.9.16.2.14", "values": [cms.ContentInfo.load(SIGNATURE)]}]
    )
    stamped = signed.dump(force=True)
    assert len(stamped) > len(SIGNATURE) + 500
    assert verify(CONTENT, stamped) == SIGNER.certificate


@pytest.mark.parametrize("other", [b"", CONTENT + b"\n", CONTENT[:-1], CONTENT.replace(b"\n", b"\r\n")])
def test_another_content_is_noticed(other: bytes) -> None:
    with pytest.raises(BadSignature, match="not the one that was signed"):
        verify(other, SIGNATURE)


def test_the_certificate_of_another_key_is_noticed() -> None:
    """Same names, another key: the certificate put in is the one the signature seems to ask for."""
    signed = cms.ContentInfo.load(SIGNATURE)
    stranger = cms.Certificate.load(load_certificate(STRANGER[1]).public_bytes(serialization.Encoding.DER))
    signed["content"]["certificates"] = cms.CertificateSet([cms.CertificateChoices("certificate", stranger)])
    signed["content"]["signer_infos"][0]["sid"] = cms.SignerIdentifier(
        "issuer_and_serial_number", {"issuer": stranger.issuer, "serial_number": stranger.serial_number}
    )
    with pytest.raises(BadSignature, match="does not hold"):
        verify(CONTENT, signed.dump(force=True))


def test_signed_attributes_cannot_be_changed() -> None:
    signed = cms.ContentInfo.load(SIGNATURE)
    for attribute in signed["content"]["signer_infos"][0]["signed_attrs"]:
        if attribute["type"].native == "message_digest":
            attribute["values"] = [hashlib.sha256(b"forged").digest()]
    with pytest.raises(BadSignature, match="does not hold"):
        verify(b"forged", signed.dump(force=True))


@pytest.mark.parametrize("name", ["message_digest", "content_type"])
@pytest.mark.parametrize("copies", [0, 2])
def test_the_attributes_that_count_occur_once(name: str, copies: int) -> None:
    signed = cms.ContentInfo.load(SIGNATURE)
    signer = signed["content"]["signer_infos"][0]
    kept = [each for each in signer["signed_attrs"] if each["type"].native != name]
    found = [each for each in signer["signed_attrs"] if each["type"].native == name]
    signer["signed_attrs"] = cms.CMSAttributes(kept + found * copies)
    with pytest.raises(BadSignature, match=name):
        verify(CONTENT, signed.dump(force=True))


@pytest.mark.parametrize("signers", [0, 2])
def test_one_signer_is_expected(signers: int) -> None:
    signed = cms.ContentInfo.load(SIGNATURE)
    one = signed["content"]["signer_infos"][0]
    signed["content"]["signer_infos"] = cms.SignerInfos([one] * signers)
    with pytest.raises(BadSignature, match="one signer"):
        verify(CONTENT, signed.dump(force=True))


def test_other_cms_is_no_signature() -> None:
    data = cms.ContentInfo({"content_type": "data", "content": b"hello"}).dump()
    with pytest.raises(BadSignature, match="no signature"):
        verify(b"hello", data)


@ignores_odd_certificates
@pytest.mark.parametrize("mask", [0x01, 0x41, 0x80, 0xFF])
def test_every_damaged_byte_gives_the_same_kind_of_error_or_changes_nothing_that_counts(mask: int) -> None:
    """Some bytes are free (the certificate's own signature, say). None of them may raise anything else."""
    for at in range(len(SIGNATURE)):
        broken = bytearray(SIGNATURE)
        broken[at] ^= mask
        try:
            signed_by = verify(CONTENT, bytes(broken))
        except BadSignature:
            continue
        assert signed_by.public_key() == SIGNER.certificate.public_key()


def test_every_cut_is_noticed() -> None:
    for length in range(0, len(SIGNATURE), 3):
        with pytest.raises(BadSignature):
            verify(CONTENT, SIGNATURE[:length])
    with pytest.raises(BadSignature):
        verify(CONTENT, SIGNATURE + b"\x00")


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_no_signature(noise: bytes) -> None:
    for der in (noise, b"\x30" + bytes([min(len(noise), 127)]) + noise[:127]):
        with pytest.raises(BadSignature):
            verify(CONTENT, der)


def test_nested_structures_do_not_exhaust_the_stack() -> None:
    with pytest.raises(BadSignature):
        verify(CONTENT, b"\x30\x80" * 50_000)
