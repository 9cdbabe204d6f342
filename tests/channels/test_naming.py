"""Names of files: read, written, and told apart."""

import pickle
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.naming import (
    MOST_PARTS,
    SEQUENCES_PER_PREFIX,
    BadFileName,
    Environment,
    FileName,
    Prefix,
    SequenceExhausted,
    SetName,
    decode_sequence,
    encode_sequence,
    matches,
    parse_name,
    same_set_key,
)

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

set_names = st.builds(
    SetName,
    application=st.text(ALPHABET, min_size=4, max_size=4),
    sender=st.from_regex(r"[0-9]{6}", fullmatch=True).filter(lambda sender: sender != "000000"),
    day=st.dates(),
    sequence=st.text(ALPHABET, min_size=5, max_size=5).filter(lambda sequence: sequence != "00000"),
    environment=st.sampled_from(Environment),
)


@st.composite
def file_names(draw: st.DrawFn) -> FileName:
    parts = draw(st.none() | st.integers(1, MOST_PARTS))
    part = None if parts is None else draw(st.none() | st.integers(1, parts))
    return FileName(draw(st.sampled_from(Prefix)), draw(set_names), parts, part)


@pytest.fixture
def set_name() -> SetName:
    return SetName("DMFA", "006400", date(2002, 4, 23), "00001", Environment.PRODUCTION)


# --- writing --------------------------------------------------------------------------------------


def test_a_set_names_its_files_as_the_manual_does(set_name: SetName) -> None:
    assert set_name.fi(1, 4) == "FI.DMFA.006400.20020423.00001.R.4.1"
    assert set_name.fs(4, 4) == "FS.DMFA.006400.20020423.00001.R.4.4"
    assert set_name.go(4) == "GO.DMFA.006400.20020423.00001.R.4"
    assert set_name.td(4) == "TD.DMFA.006400.20020423.00001.R.4"
    assert set_name.stem == str(set_name) == "DMFA.006400.20020423.00001.R"


def test_a_set_has_one_part_unless_told_otherwise(set_name: SetName) -> None:
    assert set_name.fi() == "FI.DMFA.006400.20020423.00001.R.1.1"
    assert set_name.fs() == "FS.DMFA.006400.20020423.00001.R.1.1"
    assert set_name.go() == "GO.DMFA.006400.20020423.00001.R.1"


@pytest.mark.parametrize(("part", "parts"), [(0, 1), (2, 1), (1, 10), (1, 0), (-1, 3), (10, 10)])
def test_a_part_outside_its_set_is_refused(set_name: SetName, part: int, parts: int) -> None:
    with pytest.raises(BadFileName):
        set_name.fi(part, parts)
    with pytest.raises(BadFileName):
        set_name.fs(part, parts)


@pytest.mark.parametrize("parts", [0, 10, -1])
def test_go_and_td_take_one_to_nine_parts(set_name: SetName, parts: int) -> None:
    with pytest.raises(BadFileName):
        set_name.go(parts)
    with pytest.raises(BadFileName):
        set_name.td(parts)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("application", "DMF"),
        ("application", "dmfa"),
        ("application", "DMFA1"),
        ("application", "DM.A"),
        ("application", "DMF\n"),
        ("application", "ÉMFA"),
        ("sender", "6400"),
        ("sender", "0064001"),
        ("sender", "00640A"),
        ("sender", "000000"),
        ("sender", "００６４００"),  # full-width digits
        ("sequence", "00000"),
        ("sequence", "0001"),
        ("sequence", "0000a"),
        ("sequence", "0000/"),
        ("environment", "X"),
        ("environment", "r"),
    ],
)
def test_a_set_cannot_have_an_element_that_breaks_the_rules(field: str, value: str) -> None:
    elements = {
        "application": "DMFA",
        "sender": "006400",
        "day": date(2002, 4, 23),
        "sequence": "00001",
        "environment": Environment.PRODUCTION,
    }
    with pytest.raises(BadFileName):
        SetName(**{**elements, field: value})  # type: ignore[arg-type]


def test_a_set_takes_the_letter_of_an_environment() -> None:
    """A letter read from the database is as good as the enumeration."""
    name = SetName("DMFA", "006400", date(2002, 4, 23), "00001", "T")  # type: ignore[arg-type]
    assert name.environment is Environment.TEST
    assert name.fi() == "FI.DMFA.006400.20020423.00001.T.1.1"


# --- reading --------------------------------------------------------------------------------------


@given(file_names())
def test_every_name_reads_back_as_it_was_written(name: FileName) -> None:
    assert parse_name(str(name)) == name
    assert str(parse_name(str(name))) == str(name)


@pytest.mark.parametrize(
    ("text", "prefix", "parts", "part"),
    [
        ("FO.ACRF.999999.20140628.00001.R", Prefix.ANSWER, None, None),
        ("GO.XXXX.123456.20120213.00001.R.1", Prefix.GO, 1, None),
        ("FI.DMFA.006400.20020423.00001.R.4.1", Prefix.DECLARATION, 4, 1),
        ("FI.DMFA.006400.20020423.00001.R", Prefix.DECLARATION, None, None),
        ("FS.NOTI.999999.20260105.0A9ZZ.T.1.1", Prefix.SIGNATURE, 1, 1),
        ("CO.FINO.999999.20260105.00001.S.1.1", Prefix.COMPRESSED_ANSWER, 1, 1),
        ("TD.FLAD.104217.20260105.A0001.R.2", Prefix.CANCELLATION, 2, None),
    ],
)
def test_six_seven_and_eight_elements_are_read(
    text: str, prefix: Prefix, parts: int | None, part: int | None
) -> None:
    name = parse_name(text)
    assert (name.prefix, name.parts, name.part) == (prefix, parts, part)
    assert str(name) == text


def test_the_elements_of_a_name() -> None:
    name = parse_name("FO.ACRF.999999.20140628.0A001.S.1.1")
    assert name.application == "ACRF"
    assert name.sender == "999999"
    assert name.day == date(2014, 6, 28)
    assert name.sequence == "0A001"
    assert name.environment is Environment.SIMULATION
    assert name.stem == "ACRF.999999.20140628.0A001.S"
    assert name.is_from_social_security
    assert not parse_name("FI.DMFA.006400.20020423.00001.R.4.1").is_from_social_security


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1 elements"),
        ("FI.DMFA.006400.20020423.00001", "5 elements"),
        ("FI.DMFA.006400.20020423.00001.R.1.1.1", "9 elements"),
        ("FI.DMFA.006400.20020423.00001.R.1.1.xml", "9 elements"),
        ("XX.DMFA.006400.20020423.00001.R", "prefix"),
        ("fi.DMFA.006400.20020423.00001.R", "prefix"),
        ("../FI.DMFA.006400.20020423.00001.R", "prefix"),
        ("/IN/FI.DMFA.006400.20020423.00001.R", "prefix"),
        ("FI.DMF.006400.20020423.00001.R", "application"),
        ("FI.DMFA.6400.20020423.00001.R", "sender"),
        ("FI.DMFA.006400.20020230.00001.R", "no day"),
        ("FI.DMFA.006400.20021301.00001.R", "no day"),
        ("FI.DMFA.006400.00000101.00001.R", "no day"),
        ("FI.DMFA.006400.2002423.00001.R", "no day"),
        ("FI.DMFA.006400.２００２０４２３.00001.R", "no day"),
        ("FI.DMFA.006400.+2002423.00001.R", "no day"),
        ("FI.DMFA.006400.20020423.00000.R", "sequence"),
        ("FI.DMFA.006400.20020423.0000.R", "sequence"),
        ("FI.DMFA.006400.20020423.00001.Q", "environment"),
        ("FI.DMFA.006400.20020423.00001.", "environment"),
        ("FI.DMFA.006400.20020423.00001.R.", "part number"),
        ("FI.DMFA.006400.20020423.00001.R.0", "part number"),
        ("FI.DMFA.006400.20020423.00001.R.10.1", "part number"),
        ("FI.DMFA.006400.20020423.00001.R.1.2", "Part 2"),
        ("FI.DMFA.006400.20020423.00001.R.1.1\n", "part number"),
        ("FI.DMFA.006400.20020423.00001.R.1.²", "part number"),
        (" FI.DMFA.006400.20020423.00001.R.1.1", "prefix"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(text: str, expected: str) -> None:
    with pytest.raises(BadFileName) as caught:
        parse_name(text)
    assert expected in str(caught.value)


def test_a_hostile_name_does_not_reach_the_sentence_as_it_came() -> None:
    with pytest.raises(BadFileName) as caught:
        parse_name("\x1b[31m\u202e" + "A" * 5000 + "%(oops)s")
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert len(sentence) < 300


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_a_bad_one(text: str) -> None:
    with suppress(BadFileName):
        assert str(parse_name(text)) == text


def test_a_refusal_survives_a_process_border() -> None:
    with pytest.raises(BadFileName) as caught:
        parse_name("nonsense")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


# --- matching -------------------------------------------------------------------------------------


def test_an_acknowledgement_is_matched_whatever_file_of_the_set_it_quotes(set_name: SetName) -> None:
    quoted = [set_name.go(4), set_name.fi(3, 4), set_name.fs(1, 4), "GO.DMFA.006400.20020423.00001.R"]
    assert {same_set_key(name) for name in quoted} == {set_name.stem}
    assert all(matches(parse_name(name), set_name) for name in quoted)
    assert same_set_key(parse_name(quoted[0])) == set_name.stem


@pytest.mark.parametrize(
    "other",
    [
        "GO.DMWA.006400.20020423.00001.R.4",
        "GO.DMFA.006401.20020423.00001.R.4",
        "GO.DMFA.006400.20020424.00001.R.4",
        "GO.DMFA.006400.20020423.00002.R.4",
        "GO.DMFA.006400.20020423.00001.T.4",
    ],
)
def test_another_set_does_not_match(set_name: SetName, other: str) -> None:
    assert not matches(parse_name(other), set_name)
    assert same_set_key(other) != set_name.stem


def test_the_key_of_nonsense_is_refused() -> None:
    with pytest.raises(BadFileName):
        same_set_key("GO")


def test_the_files_of_an_answer_are_found_from_one_another() -> None:
    answer = parse_name("CO.NOTI.999999.20260105.00012.R.1.1")
    assert str(answer.with_prefix(Prefix.ANSWER)) == "FO.NOTI.999999.20260105.00012.R.1.1"
    assert matches(parse_name("GO.NOTI.999999.20260105.00012.R.1"), answer.set_name)


@given(set_names, set_names)
def test_two_sets_share_a_stem_only_when_they_are_the_same(one: SetName, other: SetName) -> None:
    assert (one.stem == other.stem) == (one == other)


# --- environments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "upload", "answers", "signed"),
    [("R", "IN", "OUT", True), ("T", "INTEST", "OUTTEST", True), ("S", "INTEST-S", "OUTTEST-S", False)],
)
def test_the_directories_of_each_environment(letter: str, upload: str, answers: str, signed: bool) -> None:
    environment = Environment(letter)
    assert environment.upload_directory == upload
    assert environment.answer_directory == answers
    assert environment.requires_signature is signed


def test_every_environment_has_a_label_of_its_own() -> None:
    assert len({environment.label for environment in Environment}) == 3


# --- sequences ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "counter", "sequence"),
    [("A", 1, "A0001"), ("0", 1, "00001"), ("Z", 36, "Z0010"), ("P", 35, "P000Z"), ("9", 36**4 - 1, "9ZZZZ")],
)
def test_a_counter_becomes_a_sequence(prefix: str, counter: int, sequence: str) -> None:
    assert encode_sequence(prefix, counter) == sequence
    assert decode_sequence(sequence) == (prefix, counter)


@given(st.sampled_from(ALPHABET), st.integers(1, SEQUENCES_PER_PREFIX))
def test_every_sequence_fits_a_name_and_reads_back(prefix: str, counter: int) -> None:
    sequence = encode_sequence(prefix, counter)
    assert decode_sequence(sequence) == (prefix, counter)
    SetName("FLAD", "104217", date(2026, 1, 5), sequence, Environment.TEST)


@given(st.sampled_from(ALPHABET), st.integers(1, SEQUENCES_PER_PREFIX - 1))
def test_sequences_sort_as_their_counters(prefix: str, counter: int) -> None:
    assert encode_sequence(prefix, counter) < encode_sequence(prefix, counter + 1)


@pytest.mark.parametrize("counter", [36**4, 36**4 + 1, 10**9])
def test_a_day_can_run_out_of_sequences(counter: int) -> None:
    with pytest.raises(SequenceExhausted) as caught:
        encode_sequence("A", counter)
    assert isinstance(caught.value, OverflowError)
    assert "1679615" in str(caught.value)


@pytest.mark.parametrize("counter", [0, -1])
def test_counting_starts_at_one_so_that_no_sequence_is_all_zero(counter: int) -> None:
    with pytest.raises(BadFileName):
        encode_sequence("0", counter)


@pytest.mark.parametrize("prefix", ["", "AB", "a", "É", ".", "1 "])
def test_the_first_character_is_one_digit_or_capital(prefix: str) -> None:
    with pytest.raises(BadFileName):
        encode_sequence(prefix, 1)


@pytest.mark.parametrize(
    "sequence", ["", "00000", "A001", "A00001", "a0001", "A-001", "A 001", "A+001", "A_001"]
)
def test_what_is_no_sequence_does_not_decode(sequence: str) -> None:
    with pytest.raises(BadFileName):
        decode_sequence(sequence)


def test_the_sequences_of_other_software_decode() -> None:
    assert decode_sequence("A0000") == ("A", 0)


def test_ten_thousand_sets_of_a_day_have_ten_thousand_names() -> None:
    day = date(2026, 1, 5)
    names = {
        SetName("FLAD", "104217", day, encode_sequence(prefix, counter), Environment.TEST).go()
        for prefix in "AB"
        for counter in range(1, 5001)
    }
    assert len(names) == 10_000


def test_names_order_a_directory_by_set_then_by_part(set_name: SetName) -> None:
    later = SetName("DMFA", "006400", date(2002, 4, 24), "00001", Environment.PRODUCTION)
    names = [
        parse_name(name) for name in (later.fi(1, 2), set_name.fi(2, 2), later.fi(2, 2), set_name.fi(1, 2))
    ]
    assert [str(name) for name in sorted(names)] == [
        set_name.fi(1, 2), set_name.fi(2, 2), later.fi(1, 2), later.fi(2, 2)
    ]  # fmt: skip
