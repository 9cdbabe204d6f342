"""NISS numbers, ordinary and BIS: read, checked, written, masked."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.be import bis as stdnum_bis
from stdnum.be import nn as stdnum_nn

from mandates.numbers import (
    Bis,
    NumberError,
    birth_date,
    check_digits_niss,
    format_niss,
    is_bis,
    make_niss,
    mask_in_text,
    mask_niss,
    parse_niss,
)

TODAY = date(2026, 3, 2)

births = st.dates(min_value=date(1900, 1, 1), max_value=TODAY)
sequences = st.integers(1, 998)
bis_kinds: st.SearchStrategy[Bis | None] = st.sampled_from((None, "sex_unknown", "sex_known"))
nisses = st.builds(make_niss, births, sequences, bis=bis_kinds)


def flaw_of(text: str) -> str:
    with pytest.raises(NumberError) as caught:
        parse_niss(text)
    assert str(caught.value), "the sentence can be shown"
    return caught.value.flaw


@pytest.mark.parametrize(
    ("number", "born", "bis"),
    [
        ("85073003328", date(1985, 7, 30), False),
        ("17073003384", date(2017, 7, 30), False),
        ("29311104266", date(1929, 11, 11), True),
        ("98472899765", date(1998, 7, 28), True),
        ("01490700185", date(2001, 9, 7), True),
    ],
)
def test_published_nisses_are_right(number: str, born: date, bis: bool) -> None:
    assert parse_niss(number) == number
    assert birth_date(number) == born
    assert is_bis(number) is bis


@pytest.mark.parametrize("number", ["83053048769", "10022725355"])
def test_the_numbers_on_public_screenshots_are_wrong(number: str) -> None:
    assert flaw_of(number) == "check_digits"


@pytest.mark.parametrize(
    "text",
    [
        "85.07.30-033.28",
        "85.07.30 033 28",
        "85-07-30-033-28",
        "850730/033/28",
        " 85073003328 ",
        "85073003328.0",
    ],
)
def test_a_niss_is_read_as_people_write_it(text: str) -> None:
    assert parse_niss(text) == "85073003328"


@given(births, sequences, bis_kinds)
def test_every_niss_tells_its_birth_and_its_kind(birth: date, sequence: int, bis: Bis | None) -> None:
    number = make_niss(birth, sequence, bis=bis)
    assert parse_niss(number, today=TODAY) == number
    assert parse_niss(format_niss(number), today=TODAY) == number
    assert birth_date(number) == birth
    assert is_bis(number) is (bis is not None)


@given(st.dates(min_value=date(1910, 1, 1), max_value=TODAY), sequences, bis_kinds)
def test_a_general_library_agrees_with_what_we_accept(birth: date, sequence: int, bis: Bis | None) -> None:
    number = make_niss(birth, sequence, bis=bis)
    assert stdnum_nn.is_valid(number) if bis is None else stdnum_bis.is_valid(number)


def niss_of(stem: str, *, born_from_2000: bool = False) -> str:
    return stem + check_digits_niss(stem, born_from_2000=born_from_2000)


@pytest.mark.parametrize(
    ("stem", "born_from_2000"),
    [
        ("400000001", False),  # neither month nor day known
        ("400001001", False),  # the sequences of 00/00 were used up
        ("400700001", False),  # month known
        ("402000001", False),  # BIS, unknown month
        ("404000998", True),
        ("052700001", True),
        ("000001001", False),
    ],
)
def test_month_and_day_may_be_unknown(stem: str, born_from_2000: bool) -> None:
    number = niss_of(stem, born_from_2000=born_from_2000)
    assert parse_niss(number, today=date(2041, 1, 1)) == number
    assert birth_date(number) is None


@pytest.mark.parametrize(
    ("stem", "born_from_2000"),
    [
        ("850230001", False),  # 30 February
        ("850229001", False),  # no leap year
        ("000229001", False),  # nor was 1900
        ("850431001", False),
        ("850732001", False),
        ("851301001", False),  # between the months and the BIS months
        ("851901001", False),
        ("853301001", False),
        ("855301001", False),
        ("859901001", False),
        ("854231001", False),  # BIS, 31 February
        ("400032001", False),
        ("010229001", True),
    ],
)
def test_a_day_that_does_not_exist_is_refused(stem: str, born_from_2000: bool) -> None:
    assert flaw_of(niss_of(stem, born_from_2000=born_from_2000)) == "date"


@pytest.mark.parametrize(("stem", "born_from_2000"), [("000229001", True), ("840229001", False)])
def test_29_february_of_a_leap_year_is_a_day(stem: str, born_from_2000: bool) -> None:
    number = niss_of(stem, born_from_2000=born_from_2000)
    assert parse_niss(number) == number
    born = birth_date(number)
    assert born is not None
    assert (born.month, born.day) == (2, 29)


@pytest.mark.parametrize("sequence", ["000", "999"])
def test_a_sequence_runs_from_001_to_998(sequence: str) -> None:
    assert flaw_of(niss_of(f"850730{sequence}")) == "sequence"


def test_nobody_is_born_tomorrow() -> None:
    number = make_niss(date(2026, 3, 3), 1)
    assert parse_niss(number, today=date(2026, 3, 3)) == number
    with pytest.raises(NumberError) as caught:
        parse_niss(number, today=date(2026, 3, 2))
    assert caught.value.flaw == "date"
    assert flaw_of(make_niss(date(2099, 12, 31), 1)) == "date", "without a day, today's counts"


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "missing"),
        ("-", "missing"),
        ("8.5073E+10", "spreadsheet"),
        ("8,5073003328E10", "spreadsheet"),
        ("850730033", "length"),
        ("850730033281", "length"),
        ("8507300332B", "characters"),
        ("８５０７３００３３２８", "characters"),
        ("85073003328\n1", "characters"),
        ("85073003327", "check_digits"),
        ("85073003300", "check_digits"),
        ("58073003328", "check_digits"),
        ("+85073003328", "characters"),
        ("8507300332８", "characters"),
    ],
)
def test_what_is_no_niss(text: str, flaw: str) -> None:
    assert flaw_of(text) == flaw


def test_check_digits_above_97_are_no_aliases() -> None:
    birth = date(1985, 7, 30)
    with_97 = next(n for n in (make_niss(birth, s) for s in range(1, 998)) if n.endswith("97"))
    with_01 = next(n for n in (make_niss(birth, s) for s in range(1, 998)) if n.endswith("01"))
    assert flaw_of(with_97[:9] + "00") == "check_digits"
    assert flaw_of(with_01[:9] + "98") == "check_digits"


@given(nisses, st.integers(0, 9))
def test_two_swapped_digits_are_found(number: str, at: int) -> None:
    assume(number[at] != number[at + 1])
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    try:
        parse_niss(swapped, today=TODAY)
    except NumberError as wrong:
        assert wrong.flaw in ("check_digits", "date", "sequence")  # noqa: PT017
    else:
        # The only swap that two centuries let through: it turns a birth of one into one of the other.
        born, swapped_born = birth_date(number), birth_date(swapped)
        assert born is None or swapped_born is None or born.year // 100 != swapped_born.year // 100


@pytest.mark.parametrize(
    "text", ["85073003327", "85023003328", "85073000028", "850730033288", "85073003328B", "8.5073003328E10"]
)
def test_no_sentence_repeats_the_number(text: str) -> None:
    with pytest.raises(NumberError) as caught:
        parse_niss(text)
    for shown in (str(caught.value), repr(caught.value)):
        assert "0730" not in shown
        assert "033" not in shown


@pytest.mark.parametrize("sequence", [0, 999, -1])
def test_an_example_needs_a_sequence_that_exists(sequence: int) -> None:
    with pytest.raises(ValueError, match="sequence"):
        make_niss(date(1985, 7, 30), sequence)


@pytest.mark.parametrize("year", [1899, 2100])
def test_an_example_needs_a_year_that_two_digits_can_tell(year: int) -> None:
    with pytest.raises(ValueError, match="years"):
        make_niss(date(year, 1, 1), 1)


# --- showing and masking --------------------------------------------------------------------------


def test_a_niss_is_formatted_and_masked() -> None:
    assert format_niss("85073003328") == "85.07.30-033.28"
    assert mask_niss("85073003328") == "85.07.30-***.**"


@given(nisses, st.text(alphabet=st.characters(exclude_categories=("Nd", "Cs")), max_size=20))
def test_a_niss_never_stays_in_a_text(number: str, around: str) -> None:
    for written in (number, format_niss(number), f"{number[:6]} {number[6:9]} {number[9:]}"):
        masked = mask_in_text(f"{around}{written}{around}")
        assert masked == f"{around}{mask_niss(number)}{around}"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("", ""),
        ("nothing here", "nothing here"),
        ("INSS 85073003328 refused", "INSS 85.07.30-***.** refused"),
        ("<INSS>85073003328</INSS>", "<INSS>85.07.30-***.**</INSS>"),
        ("85073003328,17073003384", "85.07.30-***.**,17.07.30-***.**"),
        ("85073003328 17073003384", "85.07.30-***.** 17.07.30-***.**"),
        ("line 12 85.07.30-033.28", "line 12 85.07.30-***.**"),
        ("85.07.30 - 033.28", "85.07.30-***.**"),
        ("n°98472899765é", "n°98.47.28-***.**é"),
        ("85073003329", "85073003329"),  # a wrong check digit: some other number
        ("ticket 0850730033281", "ticket 0850730033281"),  # part of a longer number
        ("0897.223.670 and 130387593", "0897.223.670 and 130387593"),
        ("2026-11-22 00:34:17.123", "2026-11-22 00:34:17.123"),
    ],
)
def test_only_what_is_a_niss_is_masked(text: str, masked: str) -> None:
    assert mask_in_text(text) == masked


def test_a_number_is_found_behind_digits_that_only_look_like_its_start() -> None:
    assert mask_in_text("11 22 33 444 55 85.07.30-033.28").endswith("85.07.30-***.**")
    assert mask_in_text("30 85 07 30 033 28") == "30 85.07.30-***.**"


def test_masking_a_long_text_takes_no_time_that_grows_with_its_square() -> None:
    text = "12 " * 100_000
    assert mask_in_text(text) == text
