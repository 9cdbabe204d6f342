"""The list of joint committees: complete in itself, and asked in the ways that forms and pages ask it."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation

from mandates.joint_committees import check, joint_committees, known, told
from mandates.numbers import NumberError, parse_joint_committee
from portal.examples.sectors import SECTORS
from submissions import publishing
from tests.submissions.annex_files import annex

TODAY = date(2026, 1, 1)


def test_every_number_has_its_form_its_names_and_its_parent() -> None:
    found = joint_committees()
    assert len(found) > 150
    assert list(found) == sorted(found)
    for number, committee in found.items():
        assert parse_joint_committee(number) == committee.number == number
        assert set(committee.names) == {"fr", "nl", "de"}
        assert all(name == name.strip() != "" for name in committee.names.values())
        assert number.partition(".")[0] in found


def test_names_tell_committees_apart() -> None:
    for language in ("fr", "nl", "de"):
        names = [one.names[language] for one in joint_committees().values()]
        assert len(set(names)) == len(names), language


def test_the_committees_of_the_examples_are_known() -> None:
    for sectors in SECTORS.values():
        for sector in sectors:
            for number in sector.joint_committees:
                assert joint_committees()[number]


def test_a_name_is_told_in_the_language_of_the_reader() -> None:
    for language, name in {
        "fr": "302 – Industrie hôtelière",
        "nl": "302 – Hotelbedrijf",
        "de": "302 – Hotel- und Gaststättengewerbe",
        "en": "302 – Industrie hôtelière",
    }.items():
        with translation.override(language):
            assert told("302") == str(joint_committees()["302"]) == name


def test_a_subcommittee_that_is_not_listed_is_told_by_the_one_above() -> None:
    with translation.override("fr"):
        assert told("149.01.07") == "149.01.07 – Électriciens: installation et distribution"
        assert told("999") == "999"
    assert known("999") is None


@pytest.mark.django_db
def test_official_names_stand_for_ours_where_there_are_any() -> None:
    rows = [("302", "Nom officiel", "Officiële naam"), ("149.01.07", "Plus bas", "Lager")]
    publishing.load([("Comites2024-1_26.xml", annex(26, rows))])
    for language, name in {
        "fr": "302 – Nom officiel",
        "nl": "302 – Officiële naam",
        "de": "302 – Hotel- und Gaststättengewerbe",
        "en": "302 – Nom officiel",
    }.items():
        with translation.override(language):
            assert told("302") == str(joint_committees()["302"]) == name
    with translation.override("nl"):
        assert told("149.01.07") == "149.01.07 – Lager"
        assert told("149.01.08") == "149.01.08 – " + joint_committees()["149.01"].names["nl"]
        assert told("200") == "200 – " + joint_committees()["200"].names["nl"]


@pytest.mark.parametrize(
    ("text", "number"), [("200", "200"), (" 149.01 ", "149.01"), ("140.03.09", "140.03.09")]
)
def test_what_exists_is_admitted(text: str, number: str) -> None:
    assert check(text, TODAY) == number


@pytest.mark.parametrize(
    ("text", "flaw"), [("198", "kind"), ("20", "characters"), ("", "missing"), ("218", "date")]
)
def test_what_does_not_exist_is_refused(text: str, flaw: str) -> None:
    with pytest.raises(NumberError) as refusal:
        check(text, TODAY)
    assert refusal.value.flaw == flaw


def test_a_committee_that_was_replaced_holds_until_its_last_day() -> None:
    assert check("218", date(2015, 3, 31)) == "218"
    with pytest.raises(NumberError, match="replaced"):
        check("218", date(2015, 4, 1))
