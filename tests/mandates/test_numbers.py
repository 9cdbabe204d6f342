"""Numbers of people and enterprises: read, checked, written, masked."""

import pickle
from collections.abc import Callable
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.be import vat as stdnum_vat

from mandates.numbers import (
    Bis,
    NumberError,
    check_digits_enterprise,
    check_digits_onss,
    format_enterprise_number,
    format_establishment_number,
    format_onss_number,
    is_provisional_onss,
    make_enterprise_number,
    make_niss,
    make_onss_number,
    parse_enterprise_number,
    parse_establishment_number,
    parse_joint_committee,
    parse_niss,
    parse_onss_number,
    parse_quarter,
    parse_sender_number,
    quarter_days,
    quarter_of,
)

TODAY = date(2026, 3, 2)

births = st.dates(min_value=date(1900, 1, 1), max_value=TODAY)
sequences = st.integers(1, 998)
bis_kinds: st.SearchStrategy[Bis | None] = st.sampled_from((None, "sex_unknown", "sex_known"))
nisses = st.builds(make_niss, births, sequences, bis=bis_kinds)
enterprises = st.integers(1, 19_999_999).map(make_enterprise_number)


def flaw_of(parse: Callable[[str], str], text: str) -> str:
    with pytest.raises(NumberError) as caught:
        parse(text)
    assert str(caught.value), "the sentence can be shown"
    return caught.value.flaw


# --- enterprise numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["0897223670", "0477472701", "0206731645"])
def test_published_enterprise_numbers_are_right(number: str) -> None:
    assert parse_enterprise_number(number) == number


@pytest.mark.parametrize(
    "text",
    [
        "0897.223.670",
        "BE 0897.223.670",
        "BE0897223670",
        "be 0897 223 670",
        "BE-0897.223.670",
        " 0897 223 670\t",
        "0897\u00a0223\u202f670",
        "0897-223-670",
        "897223670",
        "897.223.670",
        "897223670.0",
    ],
)
def test_an_enterprise_number_is_read_as_people_write_it(text: str) -> None:
    assert parse_enterprise_number(text) == "0897223670"


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "missing"),
        ("   ", "missing"),
        ("BE", "missing"),
        ("...", "missing"),
        ("089722367", "check_digits"),  # nine digits, read as ten that lost a zero
        ("08972236", "length"),
        ("08972236700", "length"),
        ("O897223670", "characters"),
        ("0897223670x", "characters"),
        ("0897,223,670", "characters"),
        ("NL0897223670", "characters"),
        ("０８９７２２３６７０", "characters"),
        ("٠٨٩٧٢٢٣٦٧٠", "characters"),
        ("²897223670", "characters"),
        ("0897223670\u200b", "characters"),
        ("8.9722367E+08", "spreadsheet"),
        ("8,97E+08", "spreadsheet"),
        ("9E8", "spreadsheet"),
        ("0897223671", "check_digits"),
        ("0000000097", "check_digits"),
        ("8999999993", "kind"),
        ("9999999999", "kind"),
    ],
)
def test_what_is_no_enterprise_number(text: str, flaw: str) -> None:
    assert flaw_of(parse_enterprise_number, text) == flaw


@given(enterprises)
def test_every_enterprise_number_survives_its_formats(number: str) -> None:
    written = format_enterprise_number(number)
    assert written[4] == written[8] == "."
    assert parse_enterprise_number(written) == number
    assert parse_enterprise_number(f"BE {written}") == number
    assert stdnum_vat.is_valid(number) or number.startswith("00")
    if number.startswith("0"):
        assert parse_enterprise_number(number[1:]) == number


@given(enterprises, st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: str, at: int, shift: int) -> None:
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]
    assert flaw_of(parse_enterprise_number, wrong) in ("check_digits", "kind")


def test_an_enterprise_number_is_formatted_and_made() -> None:
    assert format_enterprise_number("0897223670") == "0897.223.670"
    assert make_enterprise_number("08972236") == make_enterprise_number(8972236) == "0897223670"
    assert check_digits_enterprise("08972236") == "70"
    assert check_digits_enterprise("00000097") == "97"


# --- establishment units --------------------------------------------------------------------------


def test_an_establishment_unit_number_is_read_and_written() -> None:
    assert parse_establishment_number("8999999993") == "8999999993"
    assert parse_establishment_number("8.999.999.993") == "8999999993"
    assert format_establishment_number("8999999993") == "8.999.999.993"


@given(st.integers(20_000_000, 89_999_999).map(make_enterprise_number))
def test_every_establishment_unit_number_is_no_enterprise_number(number: str) -> None:
    assert parse_establishment_number(number) == number
    assert flaw_of(parse_enterprise_number, number) == "kind"


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("0897223670", "kind"),
        ("9999999999", "kind"),
        ("8999999994", "check_digits"),
        ("899999999", "length"),
        ("", "missing"),
    ],
)
def test_what_is_no_establishment_unit_number(text: str, flaw: str) -> None:
    assert flaw_of(parse_establishment_number, text) == flaw


# --- ONSS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["130387593", "125482497", "199999934"])
def test_published_onss_numbers_are_right(number: str) -> None:
    assert parse_onss_number(number) == number
    assert not is_provisional_onss(number)


def test_an_onss_number_is_read_as_people_write_it() -> None:
    assert parse_onss_number("1303875-93") == "130387593"
    assert parse_onss_number(" 1303875 93 ") == "130387593"
    assert format_onss_number("130387593") == "1303875-93"


def test_the_highest_provisional_number_of_the_schema() -> None:
    assert parse_onss_number("5999999989") == "5999999989"
    assert is_provisional_onss("5999999989")


@given(st.integers(1, 1_999_999))
def test_every_onss_number_is_96_modulo_97(stem: int) -> None:
    number = make_onss_number(stem)
    assert len(number) == 9
    assert int(number) % 97 == 96
    assert parse_onss_number(number) == number
    assert parse_onss_number(format_onss_number(number)) == number
    if number.startswith("0") and not number.startswith("00"):
        assert parse_onss_number(number[1:]) == number


@given(st.integers(50_000_000, 59_999_999))
def test_every_provisional_number_too(stem: int) -> None:
    number = make_onss_number(stem, provisional=True)
    assert len(number) == 10
    assert int(number) % 97 == 96
    assert parse_onss_number(number) == number
    assert is_provisional_onss(number)


@pytest.mark.parametrize("stem", ["1303875", "1254824", "0000096", "5999999", "0000001"])
def test_check_digits_run_from_01_to_97(stem: str) -> None:
    assert 1 <= int(check_digits_onss(stem)) <= 97


def test_check_digits_00_98_and_99_are_no_aliases() -> None:
    """00 and 97 leave the same remainder, as do 98 and 01: only one of each pair is ever given out."""
    stem_97 = next(f"{n:07d}" for n in range(1, 200) if check_digits_onss(f"{n:07d}") == "97")
    stem_01 = next(f"{n:07d}" for n in range(1, 200) if check_digits_onss(f"{n:07d}") == "01")
    assert int(stem_97 + "00") % 97 == int(stem_01 + "98") % 97 == 96
    assert flaw_of(parse_onss_number, stem_97 + "00") == "check_digits"
    assert flaw_of(parse_onss_number, stem_01 + "98") == "check_digits"


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "missing"),
        ("130387594", "check_digits"),
        ("000000096", "check_digits"),
        ("13038759", "check_digits"),
        ("1303875", "length"),
        ("13038759312", "length"),
        ("0897223670", "kind"),
        ("897223670", "kind"),
        ("13O387593", "characters"),
        ("1.30E+08", "spreadsheet"),
    ],
)
def test_what_is_no_onss_number(text: str, flaw: str) -> None:
    assert flaw_of(parse_onss_number, text) == flaw


# --- committees, quarters, senders ----------------------------------------------------------------


@pytest.mark.parametrize("text", ["200", "140.03", "329.01.02", " 118 "])
def test_a_joint_committee_has_one_to_three_groups(text: str) -> None:
    assert parse_joint_committee(text) == text.strip()


@pytest.mark.parametrize(
    "text", ["20", "2000", "140.1", "140,03", "140.03.", "140.03.01.02", "014", "PC 200", "１４０"]
)
def test_what_is_no_joint_committee(text: str) -> None:
    assert flaw_of(parse_joint_committee, text) == "characters"


def test_an_absent_joint_committee_is_missing() -> None:
    assert flaw_of(parse_joint_committee, " ") == "missing"


@pytest.mark.parametrize(
    "text", ["20261", "2026/1", "2026-Q1", "2026T1", "2026 K1", " 2026 1 ", "2026.1", "2026q1"]
)
def test_a_quarter_is_read_as_people_write_it(text: str) -> None:
    assert parse_quarter(text) == "20261"


@pytest.mark.parametrize(
    "text", ["20260", "20265", "202601", "26/1", "1/2026", "2026", "２０２６１", "2026--1"]
)
def test_what_is_no_quarter(text: str) -> None:
    assert flaw_of(parse_quarter, text) == "characters"


def test_an_absent_quarter_is_missing() -> None:
    assert flaw_of(parse_quarter, "") == "missing"


@pytest.mark.parametrize(
    ("quarter", "first", "last"),
    [
        ("20261", date(2026, 1, 1), date(2026, 3, 31)),
        ("20262", date(2026, 4, 1), date(2026, 6, 30)),
        ("20263", date(2026, 7, 1), date(2026, 9, 30)),
        ("20264", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_the_days_of_a_quarter(quarter: str, first: date, last: date) -> None:
    assert quarter_days(quarter) == (first, last)
    assert quarter_of(first) == quarter_of(last) == quarter


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(2999, 12, 31)))
def test_every_day_lies_in_its_quarter(day: date) -> None:
    first, last = quarter_days(parse_quarter(quarter_of(day)))
    assert first <= day <= last


def test_a_sender_number_keeps_its_zeros() -> None:
    assert parse_sender_number("006400") == "006400"
    assert parse_sender_number(" 104217 ") == "104217"


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("6400", "length"),
        ("0064001", "length"),
        ("", "missing"),
        ("00640A", "characters"),
        ("000000", "kind"),
        ("999999", "kind"),
    ],
)
def test_what_is_no_sender_number(text: str, flaw: str) -> None:
    assert flaw_of(parse_sender_number, text) == flaw


# --- what they share -----------------------------------------------------------------------------


def test_the_sentence_says_which_digits_changed_places() -> None:
    with pytest.raises(NumberError) as caught:
        parse_enterprise_number("0897232670")  # 0897223670
    assert "6 and 7" in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused_with_a_sentence(text: str) -> None:
    for parse in (parse_enterprise_number, parse_establishment_number, parse_onss_number, parse_niss):
        with suppress(NumberError):
            number = parse(text)
            assert number.isascii()
            assert number.isdigit()
    for parse in (parse_joint_committee, parse_quarter, parse_sender_number):
        with suppress(NumberError):
            assert parse(text).isascii()


def test_a_refusal_survives_a_process_border() -> None:
    with pytest.raises(NumberError) as caught:
        parse_niss("1234")
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert (again.flaw, str(again)) == ("length", str(caught.value))
