"""Anomaly codes in words."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from submissions.wire.annexes import read
from submissions.words import BY_CODE, BY_NUMBER, NO_CAUSE, Correction, heading, is_blocking, words
from submissions.words.parties import PARTIES
from submissions.words.sets import SETS
from submissions.words.values import VALUES
from tests.submissions.wire.samples import OFFICIAL

ACKNOWLEDGEMENTS = (
    *(
        101,
        102,
        *range(107, 113),
        114,
        115,
        116,
        117,
        118,
        119,
        257,
        120,
        121,
        122,
        123,
        124,
        125,
        126,
        127,
        128,
    ),
    *(129, 130, 133, 138, 153, 154, 155, 157, 158, 172, 275, 184, 205, 280, 281, 312, 367),
)
"""Codes that a whole file comes back with, from annex 30."""

NOTIFICATIONS = (
    "00024-179", "00014-017", "00011-155", "99003-152", "99004-152", "99000-334", "99000-272", "99005-420",
    "99008-326", "00022-003",
)  # fmt: skip


@pytest.mark.parametrize("number", ACKNOWLEDGEMENTS)
def test_every_code_of_a_file_has_words(number: int) -> None:
    found = words(f"ACRF-{number:03d}")
    assert found is BY_NUMBER[f"{number:03d}"]


@pytest.mark.parametrize("code", NOTIFICATIONS)
def test_every_code_of_a_form_has_words_of_its_own(code: str) -> None:
    assert words(code) is BY_CODE[code]


@pytest.mark.parametrize("code", ["00013-155", "99999-155", "ACRF-155"])
def test_the_number_carries_the_meaning_in_any_zone(code: str) -> None:
    assert words(code) is BY_CODE["00011-155"]


@pytest.mark.parametrize("code", ["98765-999", "ACRF-999", "whatever", "-", "00011-1555"])
def test_an_unknown_code_is_shown_as_it_came(code: str) -> None:
    with translation.override("en"):
        found = words(code, "Etwas <Neues>")
        assert found.title == "Etwas <Neues>"
        assert code in str(found.what)
        assert code in str(words(code).title)


def test_each_of_the_sixty_most_frequent_codes_has_words_of_its_own() -> None:
    assert len(BY_NUMBER) >= 60
    assert len(BY_NUMBER) == len(SETS) + len(VALUES) + len(PARTIES)  # None stands in two tables.
    assert all(re.fullmatch(r"[0-9]{3}", number) for number in BY_NUMBER)


def test_every_number_with_words_exists_in_the_official_annex() -> None:
    path = OFFICIAL / "ErrorCodes2022-1_30.xml"
    if not path.exists():
        pytest.skip("the official annexes are not on this machine")
    found = read(path.name, path.read_bytes())
    assert found is not None
    numbers = {row.code for row in found.rows}
    assert set(BY_NUMBER) <= numbers
    assert {code.rpartition("-")[2] for code in BY_CODE} <= numbers


@pytest.mark.parametrize(
    ("code", "correction"),
    [
        ("00011-001", Correction.FIELD),
        ("00024-179", Correction.WORKER),
        ("00014-017", Correction.EMPLOYER),
        ("00011-155", Correction.MANDATE),
        ("00011-208", Correction.EMPLOYMENT),
        ("99000-334", Correction.OTHER),
        ("ACRF-120", Correction.SET),
        ("ACRF-111", Correction.SET),
        ("ACRF-153", Correction.CHANNEL),
        ("ACRF-312", Correction.PORTAL),
        ("00011-460", Correction.NOTHING),
        ("00011-999", Correction.UNKNOWN),
    ],
)
def test_the_correction_is_named(code: str, correction: Correction) -> None:
    assert words(code).correction is correction


def test_every_correction_is_called_for() -> None:
    called_for = {found.correction for found in (*BY_CODE.values(), *BY_NUMBER.values(), words("00011-999"))}
    assert called_for == set(Correction)


@pytest.mark.parametrize(
    ("code", "tag", "title"),
    [
        ("00011-001", "StartDate", "A value is missing: First day"),
        ("00011-001", "SomethingElse", "A value is missing: SomethingElse"),
        ("00011-001", "", "A value is missing"),
        ("99003-152", "StartDate", "Training before or outside the employment"),
        ("00024-179", "INSS", "Worker unknown to social security"),
    ],
)
def test_a_list_names_the_field_where_the_words_do_not(code: str, tag: str, title: str) -> None:
    with translation.override("en"):
        assert heading(code, "", tag) == title


def test_no_code_at_all_has_words() -> None:
    assert words("") is NO_CAUSE


@pytest.mark.parametrize("table", [BY_CODE, BY_NUMBER])
def test_words_are_sentences_and_titles_are_not(table: dict[str, object]) -> None:
    for code, found in table.items():
        with translation.override("en"):
            assert str(found.what).endswith("."), code  # type: ignore[attr-defined]
            assert str(found.todo).endswith("."), code  # type: ignore[attr-defined]
            assert not str(found.title).endswith("."), code  # type: ignore[attr-defined]
            assert not re.search(r"!|error|invalid", f"{found.title} {found.what} {found.todo}"), code  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", ["fr", "nl", "de"])
def test_words_are_translated(language: str) -> None:
    for code, found in {**BY_CODE, **BY_NUMBER}.items():
        texts = (found.title, found.what, found.todo, found.action, found.correction.value)
        with translation.override("en"):
            source = [str(text) for text in texts]
        with translation.override(language):
            for text, original in zip(texts, source, strict=True):
                assert str(text) != original, (code, original)


@pytest.mark.parametrize(
    ("anomaly_class", "expected"),
    [
        ("B", True),
        ("", True),
        ("P", True),
        ("NP", True),
        ("D", True),
        ("W", False),
        ("NB", False),
        ("I", False),
    ],
)
def test_a_class_says_whether_it_refuses(anomaly_class: str, expected: bool) -> None:
    assert is_blocking(anomaly_class) is expected
