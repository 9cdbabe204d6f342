"""Reading a declaration file: hostile input included."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.content import location_of, read_part
from tests.simulator import people

GOOD = people.document(people.form())


def codes(content: bytes, application: str = "FLAD") -> list[str]:
    forms, refusals = read_part(content, application, 500)
    assert bool(forms) != bool(refusals)
    return [refusal.code for refusal in refusals]


def test_a_form_is_read_with_its_references_and_its_training() -> None:
    content = people.document(people.form("OWN <1>", status="1", earlier="2532600000042", Title="É & <b>"))
    (form,), refusals = read_part(content, "FLAD", 500)
    assert refusals == []
    assert (form.identification, form.status, form.type_form) == ("FLAD001", "1", "SU")
    assert [(one.kind, one.origin, one.number) for one in form.references] == [
        ("1", "1", "OWN <1>"),
        ("3", "2", "2532600000042"),
    ]
    earlier = form.earlier()
    assert earlier is not None
    assert earlier.number == "2532600000042"
    assert form.training is not None
    assert (form.training.title, form.training.charged, form.training.day) == ("É & <b>", 912, 456)


def test_white_space_comments_and_instructions_change_nothing() -> None:
    loose = GOOD.replace(b"><", b">\n\t<").replace(b"2025-03-03", b" 2025-<!-- c -->03-<?x y?>03\n")
    (form,), refusals = read_part(loose, "FLAD", 500)
    assert refusals == []
    assert form.training is not None
    assert form.training.starts_on.isoformat() == "2025-03-03"


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", "iso-8859-1"])
def test_the_usual_encodings_are_read(encoding: str) -> None:
    text = GOOD.decode().replace('encoding="UTF-8"', f'encoding="{encoding}"')
    (form,), _ = read_part(text.encode(encoding), "FLAD", 500)
    assert form.find("FamilyName").text == "D'Haese-Müller"


def test_a_byte_order_mark_is_no_fault() -> None:
    assert codes(b"\xef\xbb\xbf" + GOOD) == []


@pytest.mark.parametrize(
    "attack",
    [
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>',
        b"<a>" * 5000 + b"</a>" * 5000,
        b"\x00",
        b"\xff\xff\xff",
        b"<?xml version='1.0'?>",
    ],
)
def test_attacks_are_bad_syntax(attack: bytes) -> None:
    assert codes(attack) == ["102"]


def test_a_year_without_calendar_is_not_valid() -> None:
    assert codes(people.document(people.form(StartDate="0000-01-01"))) == ["312"]


def test_digits_of_other_scripts_are_not_digits() -> None:
    arabic = people.ANNA.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert codes(people.document(people.form(INSS=arabic))) == ["312"]


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("Title", "x" * 201),
        ("Title", ""),
        ("TrainingType", "formal"),
        ("Status", "DONE"),
        ("DurationUnit", "WEEKS"),
        ("DurationMinutes", "-1"),
        ("ChargedMinutes", "1.5"),
        ("DayMinutes", "0"),
        ("DayMinutes", "1441"),
        ("Funding", "NOBODY"),
        ("Nature", None),
        ("WorkingHours", "ALWAYS"),
        ("CompanyID", "2897223670"),
        ("CompanyID", "897223670"),
        ("Domain", "x" * 101),
        ("Unknown", "x"),
    ],
)
def test_every_field_has_its_limits(tag: str, value: str | None) -> None:
    assert codes(people.document(people.form(**{tag: value}))) == ["312"]


def test_optional_fields_may_stay_out() -> None:
    assert codes(people.document(people.form(Cost=None))) == []


def test_another_namespace_is_another_payload() -> None:
    assert codes(GOOD.replace(b"urn:portal:fla:1", b"urn:portal:fla:2")) == ["312"]
    assert codes(GOOD.replace(b"systemFlux", b"systemFlax")) == ["158"]


def test_the_location_counts_elements_only() -> None:
    (form,), _ = read_part(GOOD.replace(b"<Form>", b"<!-- c -->\n<Form>"), "FLAD", 500)
    assert location_of(form.element) == "1,1"
    assert location_of(form.find("FormCreationDate")) == "1,1,2"


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=6), st.integers(0, 30))
def test_no_damage_breaks_the_reader(place: int, inserted: bytes, removed: int) -> None:
    codes(GOOD[:place] + inserted + GOOD[place + removed :])


GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("FI.FLAD.*.xml"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_what_the_portal_writes_can_be_read_here(path: Path) -> None:
    """Two schemas written apart: where they disagree, one of them is wrong."""
    forms, refusals = read_part(path.read_bytes(), "FLAD", 500)
    assert refusals == []
    assert all(form.training is not None for form in forms)
