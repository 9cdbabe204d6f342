"""A set is sealed once: what is stored is what was signed, and is what travels."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import signing, vault
from channels.enveloping import CannotSeal, EnvelopeWriter, needs_signature
from channels.models import Channel, Envelope, EnvelopePart
from channels.reserving import reserve
from portal import tenancy
from portal.models import Event, cipher
from portal.secrecy import SealBroken
from tests.channels.conftest import FI, Seal


@pytest.fixture
def signer(channel: Channel, tenant: UUID) -> signing.CertificateSigner:
    with tenancy.scope(tenant):
        return vault.signer(channel)


def test_a_part_is_signed_hashed_and_sealed(
    channel: Channel, tenant: UUID, signer: signing.CertificateSigner
) -> None:
    with tenancy.scope(tenant):
        name = reserve(channel, "FLAD", "R")
        writer = EnvelopeWriter.open(channel, name, "FLA", signer)
        assert writer.add_part(FI, 500) == 1
        part = EnvelopePart.objects.get(envelope=writer.envelope)
        assert part.fi == FI
        assert (part.fi_size, part.forms_count) == (len(FI), 500)
        assert part.fi_sha256 == hashlib.sha256(FI).hexdigest()
        assert FI not in bytes(part.fi_sealed)
        assert part.fs_size == len(part.fs)
        certificate = signing.verify(FI, signing.decode_fs(part.fs))
        assert certificate == signer.certificate
        assert (writer.envelope.stem, writer.envelope.environment) == (name.as_set_name().stem, "R")
        assert writer.envelope.certificate == signer.fingerprint


def test_the_stock_tool_agrees_with_the_signature(
    channel: Channel, tenant: UUID, seal: Seal, tmp_path: Path, signing_pair: tuple[bytes, bytes]
) -> None:
    envelope = seal(channel)
    with tenancy.scope(tenant):
        part = EnvelopePart.objects.get(envelope=envelope)
        (tmp_path / "fi").write_bytes(part.fi)
        (tmp_path / "fs").write_bytes(signing.decode_fs(part.fs))
    (tmp_path / "certificate").write_bytes(signing_pair[1])
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "fs", "-content", "fi"]
    done = subprocess.run(
        [*command, "-CAfile", "certificate", "-purpose", "any", "-out", "out"],
        cwd=tmp_path,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == (tmp_path / "fi").read_bytes()


@given(content=st.binary(min_size=1, max_size=2_000))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_come_back_as_they_were(
    channel: Channel, tenant: UUID, signer: signing.CertificateSigner, content: bytes
) -> None:
    with tenancy.scope(tenant):
        writer = EnvelopeWriter.open(channel, reserve(channel, "FLAD", "R"), "FLA", signer)
        writer.add_part(content, 1)
        part = EnvelopePart.objects.get(envelope=writer.envelope)
        assert part.fi == content
        assert signing.verify(content, signing.decode_fs(part.fs))


@pytest.mark.parametrize(
    ("environment", "signs_tests", "expected"),
    [("R", True, True), ("R", False, True), ("T", True, True), ("T", False, False), ("S", True, False)],
)
def test_where_a_signature_is_wanted(
    environment: str,
    signs_tests: bool,
    expected: bool,
    channel: Channel,
    tenant: UUID,
    signer: signing.CertificateSigner,
) -> None:
    channel.signs_tests = signs_tests
    assert needs_signature(channel, environment) is expected
    with tenancy.scope(tenant):
        writer = EnvelopeWriter.open(channel, reserve(channel, "FLAD", environment), "FLA", signer)
        writer.add_part(FI, 1)
        part = EnvelopePart.objects.get(envelope=writer.envelope)
        assert bool(part.fs) is bool(part.fs_size) is expected
        assert bool(writer.envelope.certificate) is expected


def test_without_a_certificate_nothing_that_needs_one_is_sealed(
    make_channel: Callable[..., Channel], tenant: UUID
) -> None:
    bare = make_channel()
    with tenancy.scope(tenant):
        with pytest.raises(CannotSeal):
            EnvelopeWriter.open(bare, reserve(bare, "FLAD", "R"), "FLA", None)
        assert not Envelope.objects.exists()
        simulated = EnvelopeWriter.open(bare, reserve(bare, "FLAD", "S"), "FLA", None)
        assert simulated.add_part(FI, 1) == 1


def test_nine_parts_and_no_more(channel: Channel, tenant: UUID, signer: signing.CertificateSigner) -> None:
    with tenancy.scope(tenant):
        writer = EnvelopeWriter.open(channel, reserve(channel, "FLAD", "R"), "FLA", signer)
        assert [writer.add_part(FI, 1) for _ in range(9)] == list(range(1, 10))
        with pytest.raises(CannotSeal, match="9"):
            writer.add_part(FI, 1)
        assert EnvelopePart.objects.filter(envelope=writer.envelope).count() == 9


def test_the_size_limit_of_the_channel(
    channel: Channel, tenant: UUID, signer: signing.CertificateSigner
) -> None:
    channel.max_file_bytes = len(FI)
    with tenancy.scope(tenant):
        writer = EnvelopeWriter.open(channel, reserve(channel, "FLAD", "R"), "FLA", signer)
        with pytest.raises(CannotSeal, match=str(len(FI) + 1)):
            writer.add_part(FI + b" ", 1)
        assert writer.add_part(FI, 1) == 1, "a refused part takes no number"


@pytest.mark.parametrize(("content", "forms"), [(b"", 1), (FI, 0)])
def test_nothing_empty_is_sealed(
    content: bytes, forms: int, channel: Channel, tenant: UUID, signer: signing.CertificateSigner
) -> None:
    with tenancy.scope(tenant):
        writer = EnvelopeWriter.open(channel, reserve(channel, "FLAD", "R"), "FLA", signer)
        with pytest.raises(CannotSeal):
            writer.add_part(content, forms)
        with pytest.raises(CannotSeal):
            writer.close()


def test_closing_writes_the_hashes_into_the_chain(channel: Channel, tenant: UUID, seal: Seal) -> None:
    envelope = seal(channel, parts=2)
    with tenancy.scope(tenant):
        event = Event.objects.get(verb="envelope.sealed")
        parts = EnvelopePart.objects.filter(envelope=envelope).order_by("part")
        expected = [
            {"part": part.part, "forms": 3, "size": part.fi_size, "sha256": part.fi_sha256} for part in parts
        ]
    assert event.data == {"name": envelope.stem, "certificate": envelope.certificate, "files": expected}
    assert event.subject_id == str(envelope.pk)


@pytest.mark.parametrize("model", [Envelope, EnvelopePart])
def test_what_is_sealed_is_never_changed_nor_removed(
    model: type[Envelope] | type[EnvelopePart], channel: Channel, tenant: UUID, seal: Seal
) -> None:
    seal(channel)
    with tenancy.scope(tenant):
        for statement in (
            f"UPDATE {model._meta.db_table} SET id = id",
            f"DELETE FROM {model._meta.db_table}",
        ):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                model.objects.raw(statement)._fetch_all()


def test_a_name_holds_one_envelope(channel: Channel, tenant: UUID, seal: Seal) -> None:
    envelope = seal(channel)
    with tenancy.scope(tenant), pytest.raises(IntegrityError), transaction.atomic():
        EnvelopeWriter.open(channel, envelope.name, "FLA", vault.signer(channel))


def test_bytes_do_not_open_for_another_purpose(channel: Channel, tenant: UUID, seal: Seal) -> None:
    seal(channel)
    with tenancy.scope(tenant):
        part = EnvelopePart.objects.get()
        with pytest.raises(SealBroken):
            cipher().open_bytes("niss", bytes(part.fi_sealed))
