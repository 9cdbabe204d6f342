"""Reading annexes: every text with its quarters, or the one sentence that says what is wrong."""

from __future__ import annotations

import hashlib

import pytest

from submissions.wire.annexes import read
from submissions.wire.hostile import Unreadable
from tests.submissions.annex_files import ERRORS, NAME, annex, code
from tests.submissions.wire.samples import OFFICIAL


def test_an_annex_is_read_with_its_number_its_version_and_its_digest() -> None:
    found = read(NAME, ERRORS)
    assert found is not None
    assert (found.number, found.version, found.name) == (30, "20241", NAME)
    assert found.sha256 == hashlib.sha256(ERRORS).hexdigest()
    assert [row.code for row in found.rows] == ["998", "999", "001"]
    assert tuple(found.rows[1]) == ("999", "19001", "99994", "Encore une erreur", "Nog een fout")


def test_a_code_may_have_one_text_after_the_other() -> None:
    rows = [("998", "Avant", "Vroeger", "19001", "20234"), ("998", "Après", "Later", "20241", "99994")]
    found = read("x2024-1_30.xml", annex(30, rows))
    assert found is not None
    assert [(row.begins, row.fr) for row in found.rows] == [("19001", "Avant"), ("20241", "Après")]


def test_a_document_of_another_kind_is_left_out() -> None:
    assert read("Caracteres2024-1_24.xml", b"<admitted-characters/>") is None


ONE = ("998", "Un", "Een")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (NAME, b"", "empty"),
        (NAME, b"not XML", "not an XML document"),
        (NAME, ERRORS[:-10], "not well-formed XML"),
        (NAME, b"<!DOCTYPE error-codes><error-codes/>", "DOCTYPE"),
        (NAME, b"<error-codes/>", "holds no code"),
        ("Erreurs2024-1_26.xml", ERRORS, "annex 30; its name should end in"),
        ("Erreurs.xml", ERRORS, "such as 2022-1_30.xml"),
        ("Erreurs2024-5_30.xml", ERRORS, "such as 2022-1_30.xml"),
        (NAME, annex(30, [("98", "Un", "Een")]), "line 4: “98” is no code"),
        (NAME, annex(30, [ONE, ("1000", "Un", "Een")]), "line 5: “1000” is no code"),
        (NAME, annex(30, [("998", "Un", " ")]), "998 has no usable text"),
        (NAME, annex(30, [("998", "", "Een")]), "998 has no usable text"),
        (NAME, annex(30, [("998", "Un", "x" * 4001)]), "998 has no usable text"),
        (NAME, annex(30, [(*ONE, "20245", "99994")]), "998 has no quarters"),
        (NAME, annex(30, [(*ONE, "19001", "99-04")]), "998 has no quarters"),
        (NAME, annex(30, [(*ONE, "20242", "20241")]), "998 ends before it begins"),
        (NAME, annex(30, [ONE, ("999", "Deux", "Twee"), ONE]), "998 has two texts"),
        (
            NAME,
            annex(30, [(*ONE, "20241", "20244"), (*ONE, "20244", "99994")]),
            "998 has two texts for the same quarter",
        ),
        ("x2024-1_26.xml", annex(26, [("20", "Un", "Een")]), "“20” is no code"),
        ("x2024-1_11.xml", annex(11, [("A-B", "Un", "Een")]), "“A-B” is no code"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        read(name, content)


def test_what_has_no_description_at_all_is_refused() -> None:
    bare = code(30, *ONE).replace("<description><nl>Een</nl><fr>Un</fr></description>", "")
    with pytest.raises(Unreadable, match="no usable text"):
        read(NAME, f"<error-codes>{bare}</error-codes>".encode())


@pytest.mark.parametrize(
    ("name", "number", "version", "at_least"),
    [
        ("ErrorCodes2022-1_30.xml", 30, "20221", 450),
        ("JointCommittee2019-1_26.xml", 26, "20191", 200),
        ("FormIdentifications_2020-1_11.xml", 11, "20201", 60),
    ],
)
def test_the_official_annexes_are_read(name: str, number: int, version: str, at_least: int) -> None:
    path = OFFICIAL / name
    if not path.exists():
        pytest.skip("the official annexes are not on this machine")
    found = read(name, path.read_bytes())
    assert found is not None
    assert (found.number, found.version) == (number, version)
    assert len(found.rows) >= at_least


def test_the_official_annex_of_characters_is_left_out() -> None:
    path = OFFICIAL / "AdmittedCharacters_2017-1_24.xml"
    if not path.exists():
        pytest.skip("the official annexes are not on this machine")
    assert read(path.name, path.read_bytes()) is None
