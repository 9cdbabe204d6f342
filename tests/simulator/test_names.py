"""File names: every code of annex 30 that a name can earn."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import names
from simulator.names import Rules

TODAY = dt.date(2025, 10, 15)
RULES = Rules(today=TODAY, max_age_days=31, max_parts=9, numeric_sequence=False)


def codes(marker: str, directory: str = "IN", rules: Rules = RULES) -> list[str]:
    return [refusal.code for refusal in names.check_marker(marker, "104217", directory, rules)]


@pytest.mark.parametrize(
    ("marker", "directory"),
    [
        ("GO.FLAD.104217.20251015.A0001.R.1", "IN"),
        ("GO.FLAD.104217.20251015.A0001.R", "IN"),
        ("GO.FLAD.104217.20250914.00001.R.9", "IN"),
        ("GO.FLAD.104217.20251015.ZZZZZ.T.1", "INTEST"),
        ("GO.FLAD.104217.20251015.00001.S.1", "INTEST-S"),
    ],
)
def test_a_good_name_earns_no_code(marker: str, directory: str) -> None:
    assert codes(marker, directory) == []


@pytest.mark.parametrize(
    ("marker", "code"),
    [
        ("GO.FLAD.104217.20251015.A0001", "107"),
        ("GO.FLAD.104217.20251015.A0001.R.1.1", "107"),
        ("GO.FLADX.104217.20251015.A0001.R.1", "107"),
        ("GO.FLAD.10421.20251015.A0001.R.1", "107"),
        ("GO.FLAD.104218.20251015.A0001.R.1", "108"),
        ("GO.FLAD.104217.2025101.A0001.R.1", "109"),
        ("GO.FLAD.104217.202510150.A0001.R.1", "109"),
        ("GO.FLAD.104217.20251315.A0001.R.1", "110"),
        ("GO.FLAD.104217.2025AB15.A0001.R.1", "110"),
        ("GO.FLAD.104217.20251016.A0001.R.1", "111"),
        ("GO.FLAD.104217.20251015.A001.R.1", "112"),
        ("GO.FLAD.104217.20251015.a0001.R.1", "367"),
        ("GO.FLAD.104217.20251015.A0001.R.10", "114"),
        ("GO.FLAD.104217.20251015.A0001.R.X", "115"),
        ("GO.FLAD.104217.20251015.A0001.R.0", "116"),
        ("GO.FLAD.104217.20251015.A0001.P.1", "117"),
        ("GO.FLAD.104217.20250913.A0001.R.1", "126"),
        ("GO.FLAD.104217.20251015.00000.R.1", "127"),
    ],
)
def test_a_bad_name_earns_its_code(marker: str, code: str) -> None:
    assert codes(marker) == [code]


@pytest.mark.parametrize(
    ("environment", "directory", "code"),
    [("R", "INTEST", "118"), ("T", "IN", "119"), ("T", "INTEST-S", "119"), ("S", "IN", "257")],
)
def test_each_environment_has_its_directory(environment: str, directory: str, code: str) -> None:
    assert codes(f"GO.FLAD.104217.20251015.A0001.{environment}.1", directory) == [code]


def test_older_applications_want_digits_in_the_sequence() -> None:
    rules = Rules(today=TODAY, max_age_days=31, max_parts=4, numeric_sequence=True)
    assert codes("GO.FLAD.104217.20251015.A0001.R.1", rules=rules) == ["113"]
    assert codes("GO.FLAD.104217.20251015.00001.R.1", rules=rules) == []
    assert codes("GO.FLAD.104217.20251015.00001.R.5", rules=rules) == ["128"]


def test_all_faults_of_a_name_are_told_together() -> None:
    assert codes("GO.FLAD.999998.20251016.0.X.0") == ["108", "111", "112", "117", "116"]


def parts(*files: str, announced: int = 1, is_signed: bool = True, may_sign: bool = True) -> list[str]:
    full = [file.replace("~", "FLAD.104217.20251015.A0001.R") for file in files]
    found = names.check_parts(full, announced, is_signed=is_signed, may_sign=may_sign)
    return [refusal.code for refusal in found]


def test_complete_sets_earn_no_code() -> None:
    assert parts("FI.~.1.1", "FS.~.1.1") == []
    assert parts("FI.~", "FS.~") == []
    assert parts("FI.~.2.1", "FI.~.2.2", "FS.~.2.2", "FS.~.2.1", announced=2) == []
    assert parts("FI.~.1.1", is_signed=False) == []
    assert parts("FI.~.1.1", "FS.~.1.1", is_signed=False) == []


@pytest.mark.parametrize(
    ("files", "announced", "expected"),
    [
        ([], 1, ["120", "122"]),
        (["FI.~.1.1"], 1, ["122"]),
        (["FS.~.1.1"], 1, ["120"]),
        (["FI.~.2.1", "FS.~.2.1"], 2, ["120", "122"]),
        (["FI.~.1.1", "FI.~.1.2", "FS.~.1.1"], 1, ["120"]),
        (["FI.~.2.1", "FI.~.2.3", "FS.~.2.1", "FS.~.2.2"], 2, ["123"]),
        (["FI.~.3.1", "FI.~.2.2", "FS.~.2.1", "FS.~.2.2"], 2, ["123"]),
        (["FI.~.1.1", "FS.~.1.2"], 1, ["124"]),
        (["FI.~.1", "FS.~.1.1"], 1, ["131"]),
        (["FI.~.1.1", "FS.~.1"], 1, ["132"]),
    ],
)
def test_incomplete_sets_earn_their_codes(files: list[str], announced: int, expected: list[str]) -> None:
    assert parts(*files, announced=announced) == expected


def test_a_signature_where_none_is_wanted() -> None:
    assert parts("FI.~.1.1", "FS.~.1.1", is_signed=False, may_sign=False) == ["121"]


def test_the_files_of_a_set_are_those_with_its_key() -> None:
    key = names.key_of("GO.FLAD.104217.20251015.A0001.R.1")
    assert key == "FLAD.104217.20251015.A0001.R"
    assert names.belongs(f"FI.{key}.1.1", key)
    assert names.belongs(f"FS.{key}", key)
    assert not names.belongs(f"FI.{key}X.1.1", key)
    assert not names.belongs(f"GO.{key}.1", key)
    assert not names.belongs("FI.DIMN.104217.20251015.A0001.R.1.1", key)


def test_temporary_names_are_not_looked_at() -> None:
    assert names.is_unfinished("GO.FLAD.104217.20251015.A0001.R.1.part")
    assert names.is_unfinished(".GO.FLAD")
    assert not names.is_unfinished("GO.FLAD.104217.20251015.A0001.R.1")


@given(st.text(alphabet=".GOFISRT019AZaz_-", max_size=60))
def test_no_name_breaks_the_reader(text: str) -> None:
    marker = f"GO{text}"
    found = codes(marker)
    names.is_shaped(marker)
    assert names.key_of(marker).count(".") <= 4
    if not found:
        assert 1 <= names.parts_announced(marker) <= 9
