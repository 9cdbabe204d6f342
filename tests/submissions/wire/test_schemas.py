"""Our schemas: they agree with the field table, and are no wider than the official one."""

import pytest
from lxml import etree

from submissions.fields import FIELDS
from submissions.wire.schemas import (
    FLA_NAMESPACE,
    envelope_schema,
    file_schema,
    fla_schema,
    source,
)

from .samples import official_schema, three_forms, writer

XS = "{http://www.w3.org/2001/XMLSchema}"


def whole_file(namespace: str = FLA_NAMESPACE) -> bytes:
    out = writer(namespace=namespace)
    return out.head + b"".join(out.form(form) for form in three_forms()) + out.foot


def payload_elements() -> dict[str, etree._Element]:
    root = etree.fromstring(source("fla.xsd"))
    return {e.get("name"): e for e in root.iterfind(f"{XS}element/{XS}complexType/{XS}sequence/{XS}element")}


def simple_type(name: str) -> etree._Element:
    (found,) = [
        t for t in etree.fromstring(source("fla.xsd")).iterfind(f"{XS}simpleType") if t.get("name") == name
    ]
    return found


def facet(element: etree._Element, name: str) -> str | None:
    found = simple_type(element.get("type")).find(f"{XS}restriction/{XS}{name}")
    return None if found is None else found.get("value")


def test_the_schema_has_the_elements_of_the_table_in_its_order() -> None:
    names = list(payload_elements())
    assert names[:4] == ["CompanyID", "INSS", "FamilyName", "GivenName"]
    assert names[4:] == [item.element for item in FIELDS]


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_the_schema_and_the_table_agree_on_a_field(item) -> None:
    element = payload_elements()[item.element]
    assert (element.get("minOccurs") != "0") == item.required
    if item.max_length is not None:
        assert facet(element, "maxLength") == str(item.max_length)
    if item.kind == "minutes":
        assert facet(element, "minInclusive") == str(item.minimum)
    if item.choices:
        admitted = simple_type(element.get("type")).iterfind(f"{XS}restriction/{XS}enumeration")
        assert [e.get("value") for e in admitted] == [choice.wire for choice in item.choices.values()]


def test_a_file_is_valid_against_our_schemas() -> None:
    document = etree.fromstring(whole_file())
    file_schema(FLA_NAMESPACE).assertValid(document)
    envelope_schema().assertValid(document)


@pytest.mark.parametrize("namespace", ["urn:other:1", "http://example.be/fla?a=1&b=2", "urn:l'apostrophe"])
def test_another_namespace_takes_the_place_of_ours(namespace: str) -> None:
    document = etree.fromstring(whole_file(namespace))
    file_schema(namespace).assertValid(document)
    assert not file_schema(FLA_NAMESPACE).validate(document)
    assert document.find(f".//{{{namespace}}}TrainingRecord") is not None


def test_the_whole_file_schema_judges_the_payload_too() -> None:
    document = etree.fromstring(whole_file().replace(b"<TrainingType>FORMAL<", b"<TrainingType>OTHER<", 1))
    assert not file_schema(FLA_NAMESPACE).validate(document)


def test_digits_of_other_scripts_are_no_digits() -> None:
    payload = etree.fromstring(whole_file()).find(f".//{{{FLA_NAMESPACE}}}TrainingRecord")
    payload.find(f"{{{FLA_NAMESPACE}}}INSS").text = "٨٥٠٧٣٠٠٣٣٢٨"
    assert not fla_schema(FLA_NAMESPACE).validate(payload)


def test_a_file_is_valid_against_the_official_schema_with_ours_beside_it(
    official: etree.XMLSchema,
) -> None:
    official.assertValid(etree.fromstring(whole_file()))


def test_the_official_schema_does_judge_the_payload(official: etree.XMLSchema) -> None:
    document = etree.fromstring(whole_file().replace(b"urn:portal:fla:1", b"urn:unknown"))
    assert not official.validate(document)


@pytest.fixture
def official() -> etree.XMLSchema:
    schema = official_schema()
    if schema is None:
        pytest.skip("the official schemas are not on this machine")
    return schema
