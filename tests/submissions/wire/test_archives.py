"""Zip archives: one answer in each, and never more than announced."""

import struct
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submissions.wire.archives import Limits, is_zip, unzip_single
from submissions.wire.hostile import Unreadable

from .answer_samples import acrf, acrf_form, zipped

NAME = "FO.ACRF.999999.20251002.00001.R.1.1"
CONTENT = acrf(acrf_form())


def test_the_one_answer_comes_out() -> None:
    archive = zipped((NAME, CONTENT))
    assert is_zip(archive)
    assert not is_zip(CONTENT)
    assert unzip_single(archive) == (NAME, CONTENT)


def test_a_stored_answer_comes_out_too() -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        out.writestr(NAME, CONTENT)
    assert unzip_single(archive.getvalue()) == (NAME, CONTENT)


def test_an_empty_answer_is_left_to_its_reader() -> None:
    assert unzip_single(zipped((NAME, b""))) == (NAME, b"")


@pytest.mark.parametrize(
    "name",
    [
        "answer.xml",
        "FO.ACRF.999999.20251002.00001.R.1.1.xml",
        "fo.acrf.999999.20251002.00001.r",
        "FI.FLAD.104217.20251002.A0001.R.1.1",
        "FS.ACRF.999999.20251002.00001.R",
        "CO.ACRF.999999.20251002.00001.R",
        f"../{NAME}",
        f"/etc/{NAME}",
        f"sub/{NAME}",
        f"C:\\{NAME}",
        f"{NAME}/",
        f"{NAME} ",
    ],
)
def test_a_member_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(Unreadable, match="name of an answer"):
        unzip_single(zipped((name, CONTENT)))


def test_a_name_cut_by_a_nul_is_refused() -> None:
    archive = zipped((f"{NAME}Xevil", CONTENT)).replace(f"{NAME}X".encode(), f"{NAME}\0".encode())
    with pytest.raises(Unreadable):
        unzip_single(archive)


@pytest.mark.parametrize("count", [0, 2, 3, 500])
def test_any_other_number_of_members_is_refused(count: int) -> None:
    members = [(f"FO.ACRF.999999.20251002.{n:05d}.R", CONTENT) for n in range(1, count + 1)]
    with pytest.raises(Unreadable):
        unzip_single(zipped(*members))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_two_members() -> None:
    with pytest.raises(Unreadable, match="2 files"):
        unzip_single(zipped((NAME, CONTENT), (NAME, b"other")))


def test_a_bomb_is_refused_by_its_ratio() -> None:
    with pytest.raises(Unreadable, match="200 times"):
        unzip_single(zipped((NAME, b"\0" * 10_000_000)))


def test_the_sizes_are_bounded() -> None:
    archive = zipped((NAME, CONTENT))
    assert unzip_single(archive, Limits(max_zipped=len(archive), max_bytes=len(CONTENT)))[1] == CONTENT
    with pytest.raises(Unreadable, match=str(len(CONTENT) - 1)):
        unzip_single(archive, Limits(max_bytes=len(CONTENT) - 1))
    with pytest.raises(Unreadable, match=str(len(archive) - 1)):
        unzip_single(archive, Limits(max_zipped=len(archive) - 1))


@pytest.mark.parametrize("claimed", [0, 1, 1000, 2**31])
def test_a_bomb_that_lies_about_its_size_is_refused(claimed: int) -> None:
    archive = bytearray(zipped((NAME, b"\0" * 10_000_000)))
    directory = archive.rfind(b"PK\x01\x02")
    archive[directory + 24 : directory + 28] = archive[22:26] = struct.pack("<L", claimed)
    with pytest.raises(Unreadable):
        unzip_single(bytes(archive))


def test_an_encrypted_member_is_refused() -> None:
    archive = bytearray(zipped((NAME, CONTENT)))
    archive[6] |= 1
    archive[archive.rfind(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Unreadable, match="encrypted"):
        unzip_single(bytes(archive))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_refused(method: int) -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", method) as out:
        out.writestr(NAME, CONTENT)
    with pytest.raises(Unreadable, match="deflate"):
        unzip_single(archive.getvalue())


def test_an_archive_behind_something_else_is_refused() -> None:
    with pytest.raises(Unreadable):
        unzip_single(b"%PDF-1.7\n" + zipped((NAME, CONTENT)))


def test_a_directory_of_a_million_entries_is_refused_before_it_is_read() -> None:
    archive = bytearray(zipped((NAME, CONTENT)))
    end = archive.rfind(b"PK\x05\x06")
    directory = bytes(archive[archive.rfind(b"PK\x01\x02") : end])
    forged = archive[:end] + directory * 100_000 + archive[end:]
    end = forged.rfind(b"PK\x05\x06")
    forged[end + 12 : end + 16] = struct.pack("<L", len(directory) * 100_001)
    with pytest.raises(Unreadable):
        unzip_single(bytes(forged))


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 100, CONTENT])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable, match="zip archive"):
        unzip_single(content)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_archives_are_unreadable_or_give_the_answer(data: st.DataObject) -> None:
    archive = bytearray(zipped((NAME, CONTENT)))
    for _turn in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(archive) - 1))
        archive[position] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del archive[data.draw(st.integers(0, len(archive) - 1)) :]
    with suppress(Unreadable):
        assert unzip_single(bytes(archive))[1] == CONTENT
