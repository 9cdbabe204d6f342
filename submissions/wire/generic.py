"""The envelope of the CareerPro flows, `GenericXmlDocument`, written form by form.

Structure: the partner's schema ``GenericXmlDocument`` (www.socialsecurity.be/docu_xml/) and the Sigedis
manual "CareerPro Documents, envoi par batch" (01/09/2021). A file is ``head``, the forms one after the
other, ``foot``. Not one character stands between the root and the forms, as the partner asks
(www.socialsecurity.be/site_fr/general/helpcentre/batch/), and no line break anywhere outside the texts: a
transfer in text mode then has nothing to translate, and the signature stays good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext
from lxml import etree

from submissions.wire.schemas import SYSTEM_FLUX, envelope_schema

MAX_FORMS: Final = 500
"""A file holds at most this many forms (www.socialsecurity.be/site_fr/general/helpcentre/batch/)."""

ORIGINAL: Final = 0
MODIFICATION: Final = 1
CANCELLATION: Final = 3

_BRUSSELS = ZoneInfo("Europe/Brussels")
_REFERENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/+-]{0,63}")
"""Our own references and the partner's tickets: no character that XML would have to escape."""
_OWN, _EARLIER, _HOLE = "own-reference", "earlier-reference", b'<payload xmlns="urn:payload"/>'


class InvalidForm(ValueError):
    """A form that cannot be written. `problems` maps the field to sentences; neither holds personal data."""

    def __init__(self, reference: str, problems: Mapping[str, list[str]]) -> None:
        self.reference = reference
        self.problems = dict(problems)
        super().__init__(f"form {reference!r} cannot be written: {', '.join(self.problems)}")


class EnvelopeWriter:
    """The envelope of one file: everything of a form but its payload.

    `form_code` is the identification of the form (at most 7 of ``[A-Z0-9]``); `created_at` an aware moment,
    written as day and hour in Belgium. All forms of a file carry the same moment.

    What surrounds the payload is the same for all forms of one employer and status, so each such frame is
    built and judged by the schema once, and kept as bytes.
    """

    head: Final = f'<?xml version="1.0" encoding="UTF-8"?><GenericXmlDocument xmlns="{SYSTEM_FLUX}">'.encode()
    foot: Final = b"</GenericXmlDocument>"

    def __init__(self, *, form_code: str, created_at: datetime) -> None:
        if created_at.utcoffset() is None:
            raise ValueError("created_at must know its time zone")
        local = created_at.astimezone(_BRUSSELS)
        self._form_code = form_code
        self._day = local.date().isoformat()
        self._hour = local.time().isoformat("milliseconds")
        self._frame = lru_cache(maxsize=MAX_FORMS)(self._build)

    def form(
        self,
        payload: bytes,
        *,
        reference: str,
        attestation: int,
        earlier_ticket: str | None,
        company_id: str,
        nsso: str | None,
    ) -> bytes:
        """One form around `payload`, an element as bytes in UTF-8 that has been validated and declares its
        namespace.

        `reference` is ours and comes back in the answer. `attestation` is `ORIGINAL`, `MODIFICATION` or
        `CANCELLATION`; the last two say which form they are about with `earlier_ticket`, the ticket that
        social security gave it. `company_id` has 10 digits; `nsso` has 9, or 10 starting with 5 when
        provisional. Raises `InvalidForm`.
        """
        if _REFERENCE.fullmatch(reference) is None:
            raise InvalidForm(reference, {"reference": [gettext("This reference cannot be sent.")]})
        if earlier_ticket is None:
            if attestation != ORIGINAL:
                sentence = gettext("The ticket of the earlier form is missing: wait for its answer.")
                raise InvalidForm(reference, {"earlier_ticket": [sentence]})
        elif attestation == ORIGINAL or _REFERENCE.fullmatch(earlier_ticket) is None:
            raise InvalidForm(reference, {"earlier_ticket": [gettext("This ticket cannot be sent.")]})
        try:
            start, middle, end, last = self._frame(attestation, company_id, nsso)
        except InvalidForm as problem:
            raise InvalidForm(reference, problem.problems) from None
        if earlier_ticket is None:
            return b"".join((start, reference.encode(), end, payload, last))
        return b"".join((start, reference.encode(), middle, earlier_ticket.encode(), end, payload, last))

    def _build(
        self, attestation: int, company_id: str, nsso: str | None
    ) -> tuple[bytes, bytes, bytes, bytes]:
        """The frame, cut at its holes: our reference, the earlier one (if any), and the payload."""
        root = etree.Element(_tag("GenericXmlDocument"), nsmap={None: SYSTEM_FLUX})
        try:
            self._fill(_inside(root, "Form"), attestation, company_id, nsso)
        except ValueError:
            raise InvalidForm("", {"company_id": [gettext("This number cannot be sent.")]}) from None
        schema = envelope_schema()
        if not schema.validate(root):
            raise InvalidForm(
                "", {_NAMES.get(tag, "form"): [_unexpected()] for tag in faulty_elements(schema)}
            )
        text = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
        text = text[text.index(b"<Form>") : -len(self.foot)]
        start, rest = text.split(_OWN.encode())
        rest, last = rest.split(_HOLE)
        if attestation == ORIGINAL:
            return start, b"", rest, last
        middle, end = rest.split(_EARLIER.encode())
        return start, middle, end, last

    def _fill(self, form: etree._Element, attestation: int, company_id: str, nsso: str | None) -> None:
        _put(form, Identification=self._form_code, FormCreationDate=self._day, FormCreationHour=self._hour)
        _put(form, AttestationStatus=str(attestation), TypeForm="SU")
        _put(_inside(form, "Reference"), ReferenceType="1", ReferenceOrigin="1", ReferenceNbr=_OWN)
        if attestation != ORIGINAL:
            _put(_inside(form, "Reference"), ReferenceType="3", ReferenceOrigin="2", ReferenceNbr=_EARLIER)
        employer = _inside(form, "ReferenceData", "EmployerId")
        if nsso is not None and len(nsso) == 10:
            _put(employer, ProvisionalNSSONbr=nsso)
        elif nsso is not None:
            _put(employer, NOSSRegistrationNbr=nsso)
        _put(employer, CompanyID=company_id)
        data = _inside(form, "Data")
        technical = _inside(data, "DocumentDescription", "TechnicalDescription")
        _put(technical, MimeType="application/xml", CharacterFormat="NATIVE", DocumentType="MAIN")
        _inside(data, "DocumentXML").append(etree.fromstring(_HOLE))


_NAMES = {
    "Identification": "form_code",
    "AttestationStatus": "attestation",
    "NOSSRegistrationNbr": "nsso",
    "ProvisionalNSSONbr": "nsso",
    "CompanyID": "company_id",
}


def faulty_elements(schema: etree.XMLSchema) -> list[str]:
    """Local names of the elements that `schema` refused in its last validation.

    Only the names are taken from its messages: these quote the values, which may be personal numbers.
    """
    found = (re.match(r"Element '(?:\{[^}]*\})?([^']+)'", error.message) for error in schema.error_log)
    return list(dict.fromkeys(match[1] for match in found if match))


def _unexpected() -> str:
    return gettext("This is not what social security expects: correct it in the record.")


def _tag(name: str) -> str:
    return f"{{{SYSTEM_FLUX}}}{name}"


def _put(parent: etree._Element, **texts: str) -> None:
    for name, text in texts.items():
        etree.SubElement(parent, _tag(name)).text = text


def _inside(parent: etree._Element, *names: str) -> etree._Element:
    for name in names:
        parent = etree.SubElement(parent, _tag(name))
    return parent
