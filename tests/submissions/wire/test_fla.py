"""The payload: golden bytes, escaping, optional elements, and what is refused."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from submissions.fields import BY_NAME, FIELDS, problems
from submissions.wire.fla import FlaForm, InvalidForm
from submissions.wire.schemas import FLA_NAMESPACE, file_schema

from .samples import BARE, FULL, GOLDEN, form, official_schema, three_forms, writer

NS = f"{{{FLA_NAMESPACE}}}"
XML_TEXT = st.text(
    st.one_of(
        st.sampled_from("<>&\"'\t\n\r\x7f\x85\u2028\ufffd\U0010ffff]\\% "),
        st.characters(
            exclude_categories=["Cs"],
            exclude_characters="".join(map(chr, {*range(32), 0xFFFE, 0xFFFF} - {9, 10, 13})),
        ),
    ),
    min_size=1,
    max_size=100,
).filter(lambda text: not text.isspace())
ILLEGAL = st.sampled_from(
    ["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff"]
)


def parsed(one: FlaForm, **changes: Any) -> etree._Element:
    out = writer(**changes)
    document = etree.fromstring(out.head + out.form(one) + out.foot)
    namespace = changes.get("namespace", FLA_NAMESPACE)
    file_schema(namespace).assertValid(document)
    official = official_schema()
    if official is not None and namespace == FLA_NAMESPACE:
        official.assertValid(document)
    return document


def payload_of(one: FlaForm) -> dict[str, str]:
    record = parsed(one).find(f".//{NS}TrainingRecord")
    assert len({e.tag for e in record}) == len(record)
    return {etree.QName(e).localname: e.text for e in record}


def refusal(one: FlaForm) -> dict[str, list[str]]:
    with pytest.raises(InvalidForm) as refused:
        writer().form(one)
    assert refused.value.reference == one.reference
    assert all(refused.value.problems.values())
    assert one.inss not in str(refused.value)
    assert one.inss not in str(refused.value.problems)
    return refused.value.problems


def test_golden_bytes_of_an_original_a_modification_and_a_cancellation() -> None:
    out = writer()
    content = out.head + b"".join(out.form(one) for one in three_forms()) + out.foot
    assert content == (GOLDEN / "FI.FLAD.three-forms.xml").read_bytes()


def test_a_writer_that_has_written_others_writes_the_same_bytes() -> None:
    used = writer()
    for one in three_forms() * 2:
        assert used.form(one) == writer().form(one)


def test_nothing_but_forms_stands_between_root_and_forms() -> None:
    out = writer()
    forms = [out.form(one) for one in three_forms()]
    assert all(one.startswith(b"<Form><") and one.endswith(b"></Form>") for one in forms)
    content = out.head + b"".join(forms) + out.foot
    assert b"\n" not in content
    assert b"> <" not in content
    root = etree.fromstring(content)
    assert root.text is None
    assert [one.tail for one in root] == [None] * 3
    assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?><GenericXmlDocument ')


def test_a_full_payload_says_every_field_in_order() -> None:
    assert payload_of(form()) == {
        "CompanyID": "0897223670",
        "INSS": "85073003328",
        "FamilyName": "D'Hondt",
        "GivenName": "Zoë",
        "Title": "Premiers secours & “sécurité” <niveau 1>",
        "TrainingType": "FORMAL",
        "StartDate": "2025-03-03",
        "EndDate": "2025-03-04",
        "DurationUnit": "DAYS",
        "DurationMinutes": "912",
        "DayMinutes": "456",
        "Status": "FOLLOWED",
        "ChargedMinutes": "456",
        "Nature": "Sécurité",
        "Result": "Réussi",
        "Certificate": "Secouriste",
        "CertificateValidUntil": "2028-03-04",
        "Funding": "SECTOR_FUND",
        "Provider": "L'école d'été",
        "WorkingHours": "DURING",
        "Cost": "125.05",
        "Domain": "Prévention",
    }
    assert list(payload_of(form()))[4:] == [item.element for item in FIELDS]


@pytest.mark.parametrize("item", [item for item in FIELDS if not item.required], ids=lambda item: item.name)
def test_an_optional_field_is_absent_when_it_is_empty(item) -> None:
    for empty in (None, "", "  ") if item.kind == "text" else (None,):
        assert item.element not in payload_of(form(FULL | {item.name: empty}))
    assert item.element in payload_of(form(BARE | {item.name: FULL[item.name]}))


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (100, "1.00"), (999_999_999, "9999999.99")]
)
def test_cents_become_euros(cents: int, text: str) -> None:
    assert payload_of(form(FULL | {"cost_cents": cents}))["Cost"] == text


def test_another_namespace_is_declared_on_the_payload() -> None:
    document = parsed(form(), namespace="urn:other:1")
    assert document.find(".//{urn:other:1}TrainingRecord") is not None


@given(title=XML_TEXT, nature=XML_TEXT, family_name=XML_TEXT)
@settings(max_examples=150, deadline=None)
def test_every_text_that_xml_can_carry_arrives_unchanged(title: str, nature: str, family_name: str) -> None:
    record = FULL | {"title": title, "nature": nature}
    assert problems(record) == {}
    payload = payload_of(form(record, family_name=family_name))
    assert (payload["Title"], payload["Nature"], payload["FamilyName"]) == (title, nature, family_name)


@given(
    name=st.sampled_from([item.name for item in FIELDS if item.kind == "text"]),
    before=st.text(max_size=5).map("x".__add__),
    bad=ILLEGAL,
)
@settings(max_examples=60, deadline=None)
def test_a_character_that_xml_cannot_carry_is_refused_by_both(name: str, before: str, bad: str) -> None:
    record = FULL | {name: before + bad}
    assert list(problems(record)) == [name]
    assert list(refusal(form(record))) == [name]


@given(bad=ILLEGAL)
@settings(max_examples=10, deadline=None)
def test_names_with_illegal_characters_are_refused(bad: str) -> None:
    assert list(refusal(form(family_name=f"D{bad}"))) == ["family_name"]
    assert list(refusal(form(given_name=f"D{bad}"))) == ["given_name"]


WRONG: list[tuple[str, Any]] = [
    ("title", ""),
    ("title", None),
    ("title", "x" * 201),
    ("title", 12),
    ("kind", "FORMAL"),
    ("kind", ""),
    ("starts_on", None),
    ("starts_on", "2025-03-03"),
    ("starts_on", date(1899, 1, 1)),
    ("duration_minutes", 0),
    ("duration_minutes", "912"),
    ("duration_minutes", None),
    ("day_minutes", 8),
    ("charged_minutes", -1),
    ("result", "x" * 101),
    ("certificate_valid_until", date(2101, 1, 1)),
    ("funding", "bank"),
    ("working_hours", "DURING"),
    ("cost_cents", -1),
    ("cost_cents", 10**10),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_and_named(name: str, value: Any) -> None:
    assert name in BY_NAME
    assert list(refusal(form(FULL | {name: value}))) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("company_id", "897223670"),
        ("company_id", "2897223670"),
        ("company_id", "08972<3670"),
        ("company_id", "089722367\x00"),
        ("nsso", "13038759"),
        ("nsso", "999999999"),
        ("nsso", "1300000113"),
        ("inss", "8507300332"),
        ("inss", "٨٥٠٧٣٠٠٣٣٢٨"),
        ("family_name", ""),
        ("given_name", "x" * 101),
        ("attestation", 2),
        ("attestation", 7),
        ("reference", ""),
        ("reference", "a b"),
        ("reference", "x" * 65),
        ("reference", "<a>"),
        ("reference", "été"),
    ],
)
def test_a_wrong_part_of_the_form_is_refused_and_named(name: str, value: Any) -> None:
    ticket = "0A1B2C3D4E5F6" if name == "attestation" else None
    assert list(refusal(form(earlier_ticket=ticket, **{name: value}))) == [name]


@pytest.mark.parametrize(
    ("attestation", "ticket"),
    [(0, "0A1B2C3D4E5F6"), (1, None), (3, None), (1, ""), (3, "a b"), (1, "x" * 65)],
)
def test_only_a_modification_or_a_cancellation_speaks_of_an_earlier_form(
    attestation: int, ticket: str | None
) -> None:
    assert list(refusal(form(attestation=attestation, earlier_ticket=ticket))) == ["earlier_ticket"]


def test_a_refusal_leaves_the_writer_good() -> None:
    out = writer()
    before = out.form(form())
    for name, value in WRONG:
        with pytest.raises(InvalidForm):
            out.form(form(FULL | {name: value}))
        assert out.form(form()) == before


def test_a_form_does_not_tell_the_person_to_a_log() -> None:
    assert repr(form()) == "FlaForm('P-7K2M', attestation=0)"


def test_the_values_must_be_those_of_the_table() -> None:
    with pytest.raises(ValueError, match="zip"):
        writer().form(form()._replace(values=("alone",)))


@given(
    st.fixed_dictionaries(
        {item.name: st.sampled_from([FULL[item.name], BARE[item.name], None]) for item in FIELDS}
    )
)
@settings(max_examples=60, deadline=None)
def test_what_the_table_admits_can_be_written_and_what_it_refuses_cannot(record: dict[str, Any]) -> None:
    found = problems(record)
    if found:
        assert set(refusal(form(record))) == set(found)
    else:
        assert payload_of(form(record))["Title"] == record["title"]
