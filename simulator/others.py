"""Forms of other services than the training account: Dimona, DmfA, and CareerPro documents.

Only what a verdict and an answer depend on is read: who declares, about whom, under which references. Structure:
www.socialsecurity.be/docu_xml/ and the manual "CareerPro Documents, envoi par batch" (01/09/2021).
"""

import base64
import binascii
import re
from typing import Any

from simulator.names import Refusal

ATHENA = "{http://socialsecurity.be/xml/ns/athenadocument}"
ENVELOPE = "{http://www.smals-mvm.be/xml/ns/systemFlux}"
ROOTS = {"DIMN": ("Dimona", "DIMONA"), "DMFA": ("DmfAOriginal", "DMFA")}
"""By application: the root element and the identification of its forms. They stand in no namespace."""

_HEAD = ("Identification", "FormCreationDate", "FormCreationHour", "AttestationStatus", "TypeForm")
_BODY = {
    "DIMN": ("DimonaIn", "DimonaOut", "DimonaUpdate", "DimonaCancel", "DailyRegistrationDeclaration"),
    "DMFA": ("EmployerDeclaration",),
}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOUR = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}")


def check_outline(root: Any, application: str) -> list[Refusal]:
    """Why a file of one of ROOTS is not read, in codes of annex 30 (158, 205, 157, 312)."""
    wanted_root, wanted_form = ROOTS[application]
    if root.tag != wanted_root:
        return [Refusal("158", f"root element {root.tag} in a file of {application}")]
    forms = list(root.iterchildren("*"))
    if not forms:
        return [Refusal("157", "no form")]
    for form in forms:
        if form.tag != "Form":
            return [Refusal("205", f"{form.tag} is not a Form")]
        identification = form.findtext("Identification") or ""
        if identification != wanted_form:
            return [Refusal("158", f"form {identification} in a file of {application}")]
        if fault := _form_fault(form, application):
            return [Refusal("312", f"line {form.sourceline}: {fault}")]
    return []


def _form_fault(form: Any, application: str) -> str:
    tags = [child.tag for child in form.iterchildren("*")]
    if tuple(tags[: len(_HEAD)]) != _HEAD:
        return "a form starts with " + ", ".join(_HEAD)
    texts = {child.tag: (child.text or "").strip() for child in form}
    if not _DAY.fullmatch(texts["FormCreationDate"]) or not _HOUR.fullmatch(texts["FormCreationHour"]):
        return "FormCreationDate or FormCreationHour of the wrong shape"
    body = [tag for tag in tags[len(_HEAD) :] if tag != "Reference"]
    if len(body) != 1 or body[0] not in _BODY[application]:
        return f"one of {', '.join(_BODY[application])} is expected"
    return ""


def parties(form: Any) -> tuple[str, str, tuple[str, ...]]:
    """Enterprise number (10 digits), ONSS number and workers of a form, "" and () for what it does not say."""
    company = _text(form, "CompanyID")
    nsso = _text(form, "NOSSRegistrationNbr")
    workers = dict.fromkeys((found.text or "").strip() for found in form.iter("INSS"))
    return company.zfill(10) if company.strip("0") else "", nsso, tuple(filter(None, workers))


def _text(form: Any, tag: str) -> str:
    found = next(form.iter(tag), None)
    return "" if found is None else (found.text or "").strip()


def document_parties(form: Any) -> tuple[str, tuple[str, ...]]:
    """Enterprise number and worker of a CareerPro document; "" and () when a form has no such payload."""
    involved = next(form.iter(f"{ATHENA}InvolvedParts"), None)
    if involved is None:
        return "", ()
    company = (involved.findtext(f"{ATHENA}CompanyID") or "").strip()
    niss = (involved.findtext(f"{ATHENA}INSS") or "").strip()
    return company.zfill(10), (niss,)


def document_fault(form: Any) -> str:
    """Why the attachment of a CareerPro document cannot be a PDF, or nothing."""
    if next(form.iter(f"{ATHENA}InvolvedParts"), None) is None:
        return ""
    content = form.findtext(f".//{ENVELOPE}DocumentBase64")
    if content is None:
        return "the document has no attachment"
    try:
        decoded = base64.b64decode("".join(content.split()), validate=True)
    except binascii.Error:
        return "the attachment is not base64"
    return "" if decoded[:1024].find(b"%PDF-") >= 0 else "the attachment is no PDF"
