"""Where an answer speaks of one declaration: the right element, its line, and no personal number in full."""

from __future__ import annotations

import time

import pytest

from submissions.wire.finding import raw_line
from tests.submissions.wire.answer_samples import ANOMALY, REMARK, noti, noti_form, zipped

NISS = "85073003328"


def answer(*numbers: str) -> bytes:
    return noti(*(f"\n{noti_form(number, '0', ANOMALY + REMARK)}" for number in numbers))


def test_the_anomaly_of_this_declaration_and_its_line() -> None:
    content = answer("P-ONE", "P-TWO", "P-THREE")
    found = raw_line(content, "P-TWO", "00024-179", "INSS")
    assert found
    assert found.text.startswith("<AnomalyReport>")
    assert "<ErrorID>00024-179</ErrorID>" in found.text
    assert "Travailleur inconnu &amp; refusé" in found.text
    assert content.splitlines()[found.line - 1].count(b"P-TWO") == 1


@pytest.mark.parametrize(("code", "tag"), [("00024-179", "INSS"), ("11111-111", "")])
def test_no_personal_number_is_shown_in_full(code: str, tag: str) -> None:
    found = raw_line(answer("P-ONE"), "P-ONE", code, tag)
    assert found
    assert NISS not in found.text
    assert "85.07.30-***.**" in found.text


def test_a_wrong_number_in_a_value_is_somebody_s_as_well() -> None:
    wrong = answer("P-ONE").replace(NISS.encode(), b"85073003399")
    found = raw_line(wrong, "P-ONE", "00024-179", "INSS")
    assert found
    assert "85073003399" not in found.text


def test_the_whole_form_where_it_has_no_such_anomaly() -> None:
    found = raw_line(answer("P-ONE"), "P-ONE", "11111-111", "")
    assert found
    assert found.text.startswith("<Form>")
    assert "P-ONE" in found.text


def test_an_anomaly_without_an_element() -> None:
    found = raw_line(answer("P-ONE"), "P-ONE", "99005-420", "")
    assert found
    assert "<AnomalyClass>W</AnomalyClass>" in found.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<x",
        b">P-ONE<",
        b"<Form><FormCreationDate>P-ONE</FormCreationDate>",
        b"<FormCreationDate>P-ONE</FormCreationDate></Form>",
        b"<Form><a:b>P-ONE</a:b></Form>",
        b"<!DOCTYPE x><Form>&x;<a>P-ONE</a></Form>",
        zipped(("FO.NOTI.X", b"<Form><a>P-ONE</a></Form>")),
    ],
)
def test_what_cannot_be_read_is_not_found(content: bytes) -> None:
    assert raw_line(content, "P-ONE", "00024-179", "INSS") is None


def test_no_number_is_in_no_file() -> None:
    assert raw_line(answer(""), "", "00024-179", "INSS") is None
    assert raw_line(answer("P-ONE"), "P-TWO", "00024-179", "INSS") is None


def test_latin_letters_are_read_as_the_file_says() -> None:
    text = answer("P-ONE").decode().replace("UTF-8", "ISO-8859-1")
    found = raw_line(text.encode("iso-8859-1"), "P-ONE", "00024-179", "INSS")
    assert found
    assert "refusé" in found.text


def test_a_large_file_is_searched_and_not_read() -> None:
    content = answer(*(f"P-{number:06}" for number in range(20_000)))
    assert len(content) > 30_000_000
    began = time.perf_counter()
    found = raw_line(content, "P-019999", "00024-179", "INSS")
    assert time.perf_counter() - began < 1
    assert found
    assert found.line == 20_001
