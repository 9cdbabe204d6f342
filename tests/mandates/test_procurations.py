"""What passes for a signed procuration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandates import procurations
from mandates.procurations import MAX_BYTES, UnfitPdf
from tests.mandates.scenes import PDF


@pytest.mark.parametrize(
    "content",
    [
        PDF,
        b"\xef\xbb\xbf junk of a scanner " + PDF,
        PDF.replace(b"\n", b"\r\n"),
        PDF + b"\n\n\x00\x00",
        PDF.replace(b"1.7", b"2.0"),
    ],
)
def test_a_pdf_is_taken_as_it_came(content: bytes) -> None:
    assert procurations.read("a.pdf", content).content == content


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 a document of a word processor", "not a PDF"),
        (b"<html>%PDF</html>", "not a PDF"),
        (b" " * 1025 + PDF, "not a PDF"),
        (PDF[:-8], "cut off"),
        (PDF[:20], "cut off"),
        (PDF.replace(b"startxref\n9", b"startxref\n999999"), "cut off"),
        (PDF + b"MZ and a program behind it", "cut off"),
        (PDF + b"x" * MAX_BYTES, "too large"),
    ],
)
def test_anything_else_is_told_what_it_is(content: bytes, sentence: str) -> None:
    with pytest.raises(UnfitPdf, match=sentence):
        procurations.read("a.pdf", content)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Procuration signée.pdf", "Procuration signée.pdf"),
        ("C:\\Users\\me\\mandat.PDF", "mandat.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ('a"b\r\nSet-Cookie: x.pdf', "a_b_Set-Cookie_ x.pdf"),
        ("", "procuration.pdf"),
        (".pdf", "procuration.pdf"),
        ("x" * 300 + ".pdf", "x" * 120 + ".pdf"),
    ],
)
def test_a_name_is_made_harmless(name: str, kept: str) -> None:
    assert procurations.read(name, PDF).name == kept


@given(st.text())
def test_no_name_leaves_its_header(name: str) -> None:
    kept = procurations.read(name, PDF).name
    assert kept.endswith(".pdf")
    assert not set(kept) & set('"\\/\r\n;')
    assert len(kept) <= 124


@given(st.binary(max_size=200))
def test_garbage_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(UnfitPdf, match=r"\."):
        procurations.read("a.pdf", content)
