"""The envelope around any payload."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from lxml import etree

from submissions.wire.generic import CANCELLATION, MODIFICATION, ORIGINAL, EnvelopeWriter, InvalidForm
from submissions.wire.schemas import SYSTEM_FLUX, envelope_schema

NS = f"{{{SYSTEM_FLUX}}}"
PAYLOAD = b'<note xmlns="urn:any"><text>caf\xc3\xa9</text></note>'


def one_form(writer: EnvelopeWriter | None = None, **changes: Any) -> bytes:
    given: dict[str, Any] = {
        "reference": "R1",
        "attestation": ORIGINAL,
        "earlier_ticket": None,
        "company_id": "0897223670",
        "nsso": None,
    }
    moment = datetime(2025, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)
    out = writer or EnvelopeWriter(form_code="FLAD001", created_at=moment)
    return out.form(PAYLOAD, **(given | changes))


def parsed(form: bytes) -> etree._Element:
    document = etree.fromstring(EnvelopeWriter.head + form + EnvelopeWriter.foot)
    envelope_schema().assertValid(document)
    return document[0]


def texts(element: etree._Element, path: str) -> list[str]:
    return [e.text for e in element.iterfind("/".join(NS + step for step in path.split("/")))]


def test_an_original_has_one_reference_of_ours() -> None:
    form = parsed(one_form())
    assert texts(form, "Identification") == ["FLAD001"]
    assert texts(form, "AttestationStatus") == ["0"]
    assert texts(form, "TypeForm") == ["SU"]
    assert [[e.text for e in reference] for reference in form.iterfind(f"{NS}Reference")] == [
        ["1", "1", "R1"]
    ]


@pytest.mark.parametrize("attestation", [MODIFICATION, CANCELLATION])
def test_a_later_form_also_gives_the_ticket_of_the_earlier_one(attestation: int) -> None:
    form = parsed(one_form(attestation=attestation, earlier_ticket="0A1B2C3D4E5F6"))
    assert texts(form, "AttestationStatus") == [str(attestation)]
    assert [[part.text for part in reference] for reference in form.iterfind(f"{NS}Reference")] == [
        ["1", "1", "R1"],
        ["3", "2", "0A1B2C3D4E5F6"],
    ]


def test_the_payload_stands_alone_in_document_xml_byte_for_byte() -> None:
    form = one_form()
    assert b"<DocumentXML>" + PAYLOAD + b"</DocumentXML>" in form
    assert form.count(b"xmlns") == 1


@pytest.mark.parametrize(
    ("nsso", "expected"),
    [
        (None, {"CompanyID": "0897223670"}),
        ("130387593", {"NOSSRegistrationNbr": "130387593", "CompanyID": "0897223670"}),
        ("5000000120", {"ProvisionalNSSONbr": "5000000120", "CompanyID": "0897223670"}),
    ],
)
def test_the_employer_is_named_by_the_numbers_it_has(nsso: str | None, expected: dict[str, str]) -> None:
    employer = parsed(one_form(nsso=nsso)).find(f"{NS}ReferenceData/{NS}EmployerId")
    assert {etree.QName(e).localname: e.text for e in employer} == expected


@pytest.mark.parametrize(
    ("moment", "day", "hour"),
    [
        (datetime(2025, 1, 2, 3, 4, 5, 6999, tzinfo=UTC), "2025-01-02", "04:04:05.006"),
        (datetime(2025, 7, 31, 22, 30, tzinfo=UTC), "2025-08-01", "00:30:00.000"),
        (datetime(2024, 12, 31, 18, 0, tzinfo=timezone(timedelta(hours=-6))), "2025-01-01", "01:00:00.000"),
    ],
)
def test_day_and_hour_are_those_of_belgium(moment: datetime, day: str, hour: str) -> None:
    form = parsed(one_form(EnvelopeWriter(form_code="FLAD001", created_at=moment)))
    assert texts(form, "FormCreationDate") + texts(form, "FormCreationHour") == [day, hour]


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        EnvelopeWriter(form_code="FLAD001", created_at=datetime(2025, 1, 2))  # noqa: DTZ001


@pytest.mark.parametrize("form_code", ["", "flad001", "FLAD0001", "FL D", "<X>"])
def test_a_form_code_that_is_none_is_refused(form_code: str) -> None:
    writer = EnvelopeWriter(form_code=form_code, created_at=datetime.now(UTC))
    with pytest.raises(InvalidForm) as refused:
        one_form(writer)
    assert list(refused.value.problems) == ["form_code"]


def test_forms_of_many_employers_keep_to_their_own_frame() -> None:
    writer = EnvelopeWriter(form_code="FLAD001", created_at=datetime.now(UTC))
    employers = ["0897223670", "0477472701", "0206731645"] * 2
    for number, company_id in enumerate(employers):
        form = parsed(one_form(writer, company_id=company_id, reference=f"R{number}"))
        assert texts(form, "ReferenceData/EmployerId/CompanyID") == [company_id]
        assert texts(form, "Reference/ReferenceNbr") == [f"R{number}"]


def test_a_reference_that_looks_like_a_place_holder_is_just_a_reference() -> None:
    form = parsed(one_form(reference="earlier-reference", attestation=1, earlier_ticket="own-reference"))
    assert texts(form, "Reference/ReferenceNbr") == ["earlier-reference", "own-reference"]
