"""The form of CareerPro Documents: one document of one worker, as data and as PDF.

Structure: the Sigedis manual "CareerPro Documents, envoi par batch" (01/09/2021). A form has two Data blocks: what is
said of the document, as XML judged by ``schemas/athena.xsd``, and the document itself in base64.
"""

from __future__ import annotations

import base64
from datetime import date, datetime
from typing import Final, NamedTuple

from django.utils.translation import gettext
from lxml import etree

from submissions.wire.generic import ORIGINAL, EnvelopeWriter, InvalidForm, faulty_elements
from submissions.wire.schemas import athena_schema

PAYLOAD_ROOT: Final = "AthenaDocument"
ATTACHMENT_ID: Final = "ATDOPDF"
_END: Final = b"</Form>"
_NAMES: Final = {
    "DocumentCategory": "category",
    "SignStatus": "sign_status",
    "SignMaxDate": "sign_until",
    "SignEmail": "sign_email",
    "CompanyID": "company_id",
    "INSS": "inss",
    "UsingEmployerCompanyID": "using_employer_number",
    "DocumentDate": "document_on",
    "Language": "language",
    "ContractDurationCode": "duration_code",
    "StartingDate": "starts_on",
    "EndingDate": "ends_on",
    "ContractType": "contract_type",
    "MeanWorkingHours": "mean_hours",
    "RefMeanWorkingHours": "reference_hours",
    "DimonaPeriodId": "dimona_period",
}
"""The field of a document behind each element."""


class DocumentForm(NamedTuple):
    """One document. Numbers and codes are those of the manual; `company_id` has 10 digits, `nsso` 9 or 10, `inss` 11.

    `mean_hours` and `reference_hours` are hundredths of hours a week. None and "" leave an element out.
    """

    reference: str
    company_id: str
    nsso: str | None
    inss: str
    category: str
    sign_status: int
    sign_until: date | None
    sign_email: str
    using_employer_number: str
    document_on: date
    language: int
    duration_code: int
    starts_on: date
    ends_on: date | None
    contract_type: int
    mean_hours: int
    reference_hours: int
    dimona_period: str
    pdf: bytes

    def __repr__(self) -> str:
        """Without the person: a form may end up in a log."""
        return f"DocumentForm({self.reference!r})"


class DocumentWriter:
    """Writes the forms of one FI file: ``head``, then up to 500 times ``form(...)``, then ``foot``."""

    head: Final = EnvelopeWriter.head
    foot: Final = EnvelopeWriter.foot

    def __init__(self, *, form_code: str, namespace: str, created_at: datetime) -> None:
        self._envelope = EnvelopeWriter(form_code=form_code, created_at=created_at)
        self._namespace = namespace
        self._schema = athena_schema()

    def form(self, form: DocumentForm) -> bytes:
        """The bytes of one form. Raises `InvalidForm`."""
        framed = self._envelope.form(
            self._payload(form),
            reference=form.reference,
            attestation=ORIGINAL,
            earlier_ticket=None,
            company_id=form.company_id,
            nsso=form.nsso,
        )
        return framed.removesuffix(_END) + _attachment(form) + _END

    def _payload(self, form: DocumentForm) -> bytes:
        root = etree.Element(self._tag(PAYLOAD_ROOT), nsmap={None: self._namespace})
        try:
            self._fill(root, form)
        except ValueError:  # A character that XML cannot carry; only the address of mail is free text.
            raise InvalidForm(form.reference, {"sign_email": [_unexpected()]}) from None
        if not self._schema.validate(root):
            fields = [_NAMES[tag] for tag in faulty_elements(self._schema) if tag in _NAMES] or ["form"]
            raise InvalidForm(form.reference, {name: [_unexpected()] for name in fields})
        payload: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
        return payload

    def _fill(self, root: etree._Element, form: DocumentForm) -> None:
        self._put(
            root,
            DocumentCategory=form.category,
            SignStatus=form.sign_status,
            SignMaxDate=form.sign_until,
            SignEmail=form.sign_email,
        )
        self._put(
            etree.SubElement(root, self._tag("InvolvedParts")),
            CompanyID=form.company_id,
            INSS=form.inss,
            UsingEmployerCompanyID=form.using_employer_number,
        )
        self._put(root, DocumentDate=form.document_on, Language=form.language)
        self._put(
            etree.SubElement(root, self._tag("ContractInformations")),
            ContractDurationCode=form.duration_code,
            StartingDate=form.starts_on,
            EndingDate=form.ends_on,
            ContractType=form.contract_type,
            MeanWorkingHours=form.mean_hours,
            RefMeanWorkingHours=form.reference_hours,
            DimonaPeriodId=form.dimona_period,
        )

    def _put(self, parent: etree._Element, **values: str | int | date | None) -> None:
        for name, value in values.items():
            if value is not None and value != "":
                etree.SubElement(parent, self._tag(name)).text = str(value)

    def _tag(self, name: str) -> str:
        return f"{{{self._namespace}}}{name}"


def _attachment(form: DocumentForm) -> bytes:
    """The second Data block. Base64 in one line: no line end for a transfer in text mode to change."""
    return b"".join(
        (
            b"<Data><DocumentDescription><TechnicalDescription><MimeType>application/pdf</MimeType>",
            b"<CharacterFormat>Base64</CharacterFormat>",
            f"<Language>{form.language:d}</Language>".encode(),
            f"<DocumentType>ATTACHMENT</DocumentType><AttachmentId>{ATTACHMENT_ID}</AttachmentId>".encode(),
            b"</TechnicalDescription></DocumentDescription><DocumentNonXML><DocumentBase64>",
            base64.b64encode(form.pdf),
            b"</DocumentBase64></DocumentNonXML></Data>",
        )
    )


def _unexpected() -> str:
    return gettext("This is not what social security expects: correct it.")
