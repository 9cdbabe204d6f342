"""The form of CareerPro documents: golden bytes, both schemas, and what is refused."""

import base64
from datetime import date
from typing import Any

import pytest
from lxml import etree

from submissions.wire.atdo import DocumentForm, DocumentWriter
from submissions.wire.generic import InvalidForm
from submissions.wire.published import compile_schema
from submissions.wire.schemas import SYSTEM_FLUX, athena_schema, source
from tests.submissions.documents import PDF

from .samples import CREATED_AT, GOLDEN, OFFICIAL

ATHENA = "http://socialsecurity.be/xml/ns/athenadocument"
NAMES = {"f": SYSTEM_FLUX, "a": ATHENA}


def form(**changes: Any) -> DocumentForm:
    given: dict[str, Any] = {
        "reference": "P-7K2M",
        "company_id": "0897223670",
        "nsso": "130387593",
        "inss": "85073003328",
        "category": "CONTRACT_BASE",
        "sign_status": 1,
        "sign_until": date(2026, 10, 31),
        "sign_email": "zoe@example.be",
        "using_employer_number": "0477472701",
        "document_on": date(2026, 10, 1),
        "language": 2,
        "duration_code": 1,
        "starts_on": date(2026, 10, 1),
        "ends_on": date(2026, 12, 31),
        "contract_type": 1,
        "mean_hours": 1900,
        "reference_hours": 3800,
        "dimona_period": "123456789012",
        "pdf": PDF,
    }
    return DocumentForm(**(given | changes))


BARE = {
    "reference": "P-7K2N",
    "nsso": None,
    "category": "PAYSLIP",
    "sign_status": 0,
    "sign_until": None,
    "sign_email": "",
    "using_employer_number": "",
    "duration_code": 0,
    "ends_on": None,
    "contract_type": 0,
    "mean_hours": 3800,
    "dimona_period": "",
}


def writer() -> DocumentWriter:
    return DocumentWriter(form_code="ATDO001", namespace=ATHENA, created_at=CREATED_AT)


def whole(*forms: DocumentForm) -> bytes:
    out = writer()
    return out.head + b"".join(out.form(one) for one in forms) + out.foot


def test_the_bytes_are_these() -> None:
    assert whole(form(), form(**BARE)) == (GOLDEN / "FI.ATDO.two-documents.xml").read_bytes()


def test_both_schemas_find_it_valid() -> None:
    document = etree.fromstring(whole(form(), form(**BARE)))
    payloads = document.xpath("//a:AthenaDocument", namespaces=NAMES)
    assert len(payloads) == 2
    for payload in payloads:
        athena_schema().assertValid(payload)
    if OFFICIAL.is_dir():
        both = (
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            f'<xs:import namespace="{ATHENA}" schemaLocation="athena.xsd"/>'
            f'<xs:import namespace="{SYSTEM_FLUX}" schemaLocation="official.xsd"/></xs:schema>'
        )
        official = (OFFICIAL / "GenericXmlDocument_20231.xsd").read_bytes()
        found = {"both": both.encode(), "athena.xsd": source("athena.xsd"), "official.xsd": official}
        compile_schema("both", found.get).assertValid(document)


def test_the_pdf_comes_out_as_it_went_in() -> None:
    document = etree.fromstring(whole(form(pdf=bytes(range(256)) * 5)))
    (text,) = document.xpath("//f:DocumentBase64/text()", namespaces=NAMES)
    assert base64.b64decode(text) == bytes(range(256)) * 5
    kinds = document.xpath("//f:Data//f:DocumentType/text()", namespaces=NAMES)
    assert kinds == ["MAIN", "ATTACHMENT"]
    assert document.xpath("//f:AttachmentId/text()", namespaces=NAMES) == ["ATDOPDF"]


def test_nothing_that_was_left_empty_is_written() -> None:
    document = etree.fromstring(whole(form(**BARE)))
    tags = {etree.QName(element).localname for element in document.iter()}
    absent = {"SignMaxDate", "SignEmail", "UsingEmployerCompanyID", "EndingDate", "DimonaPeriodId"}
    assert not tags & absent
    assert not document.xpath("//f:NOSSRegistrationNbr", namespaces=NAMES)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", "LETTER"),
        ("sign_status", 3),
        ("sign_email", "a@b"),
        ("sign_email", "a\x00b@example.be"),
        ("company_id", "897223670"),
        ("inss", "8507300332"),
        ("using_employer_number", "1"),
        ("language", 5),
        ("duration_code", 4),
        ("contract_type", 2),
        ("mean_hours", 10_000),
        ("reference_hours", -1),
        ("dimona_period", "12"),
    ],
)
def test_what_the_manual_does_not_know_is_refused_at_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidForm) as refusal:
        writer().form(form(**{field: value}))
    assert list(refusal.value.problems) == [field]
    assert "85073003328" not in repr(form())
