"""What one FI part says: its forms, or the reasons why it cannot be read.

Everything that arrives is hostile input: no entity, no DTD, no network.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from lxml import etree

from simulator import others
from simulator.names import Refusal

ENVELOPE = "{http://www.smals-mvm.be/xml/ns/systemFlux}"
TRAINING = "{urn:portal:fla:1}"
ENCODINGS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15"})
FORMS = {"FLAD": "FLAD001", "ATDO": "ATDO001"}
_DECLARED = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parent / "schemas" / "envelope.xsd")))


@dataclass(frozen=True)
class Reference:
    """A reference of a form; `element` is where it stands."""

    kind: str
    origin: str
    number: str
    element: Any


@dataclass(frozen=True)
class Training:
    """The payload of a training form: only what the verdict depends on. Times in minutes."""

    company: str
    niss: str
    title: str
    starts_on: date
    ends_on: date
    duration: int
    day: int
    status: str
    charged: int


@dataclass(frozen=True)
class Form:
    """One declaration form, in the words of its envelope. `company`, `workers`: who declares about whom, if it says."""

    identification: str
    created_on: str
    created_at: str
    status: str
    type_form: str
    references: tuple[Reference, ...]
    nsso: str
    training: Training | None
    element: Any
    company: str = ""
    workers: tuple[str, ...] = ()

    def earlier(self) -> Reference | None:
        """The ticket of the form that this one modifies or cancels: reference type 3, origin 2."""
        return next((one for one in self.references if (one.kind, one.origin) == ("3", "2")), None)

    def find_with(self, tag: str, value: str) -> Any:
        """The first element of that local name that holds `value`, of the payload before the envelope."""
        for namespace in (TRAINING, others.ATHENA, ENVELOPE, ""):
            for found in self.element.iter(namespace + tag):
                if (found.text or "").strip() == value:
                    return found
        return None

    def find(self, tag: str) -> Any:
        """The first element of that local name, of the payload before the envelope; None when absent."""
        for namespace in (TRAINING, others.ATHENA, ENVELOPE, ""):
            found = next(self.element.iter(namespace + tag), None)
            if found is not None:
                return found
        return None


def read_part(content: bytes, application: str, max_forms: int) -> tuple[list[Form], list[Refusal]]:
    """The forms of one FI, or what is wrong with it (annex 30: 138, 102, 205, 157, 275, 158, 312)."""
    declared = _DECLARED.match(content[:200])
    encoding = declared.group(1).decode("ascii", "replace").lower() if declared else "utf-8"
    if encoding not in ENCODINGS or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return [], [Refusal("138", f"encoding {encoding}")]
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        tree = etree.ElementTree(etree.fromstring(content, parser))
    except etree.XMLSyntaxError as fault:
        return [], [Refusal("102", str(fault))]
    if tree.docinfo.doctype:
        return [], [Refusal("102", "a document type declaration is not allowed")]
    if application in others.ROOTS:
        return _read_other(tree.getroot(), application)
    refusals = _check_outline(tree.getroot(), application, max_forms)
    if refusals:
        return [], refusals
    if not _SCHEMA.validate(tree):
        return [], [Refusal("312", str(_SCHEMA.error_log[0]))]
    try:
        forms = [_read_form(element) for element in tree.getroot().iterchildren(ENVELOPE + "Form")]
    except ValueError as fault:  # a day that a schema lets pass and no calendar has
        return [], [Refusal("312", str(fault))]
    if application == "FLAD" and any(form.training is None for form in forms):
        return [], [Refusal("312", "a form holds no training record")]
    if application == "ATDO" and (
        faults := [*filter(None, (others.document_fault(f.element) for f in forms))]
    ):
        return [], [Refusal("312", faults[0])]
    return forms, []


def _read_other(root: Any, application: str) -> tuple[list[Form], list[Refusal]]:
    """The forms of a service that has a root element of its own, in no namespace."""
    if refusals := others.check_outline(root, application):
        return [], refusals
    return [_read_plain(element) for element in root.iterchildren("Form")], []


def _read_plain(element: Any) -> Form:
    texts = {child.tag: (child.text or "").strip() for child in element if len(child) == 0}
    company, nsso, workers = others.parties(element)

    def text(part: Any, tag: str) -> str:
        return (part.findtext(tag) or "").strip()

    return Form(
        identification=texts["Identification"],
        created_on=texts["FormCreationDate"],
        created_at=texts["FormCreationHour"],
        status=texts["AttestationStatus"],
        type_form=texts["TypeForm"],
        references=tuple(
            Reference(
                text(part, "ReferenceType"), text(part, "ReferenceOrigin"), text(part, "ReferenceNbr"), part
            )
            for part in element.iterchildren("Reference")
        ),
        nsso=nsso,
        training=None,
        element=element,
        company=company,
        workers=workers,
    )


def _check_outline(root: Any, application: str, max_forms: int) -> list[Refusal]:
    if root.tag != ENVELOPE + "GenericXmlDocument":
        return [Refusal("158", f"root element {root.tag}")]
    forms = [child for child in root if child.tag == ENVELOPE + "Form"]
    strangers = [child.tag for child in root.iterchildren("*") if child.tag != ENVELOPE + "Form"]
    if strangers:
        return [Refusal("205", f"{strangers[0]} is not a Form")]
    if not forms:
        return [Refusal("157", "no form")]
    if len(forms) > max_forms:
        return [Refusal("275", f"{len(forms)} forms, at most {max_forms} allowed")]
    wanted = FORMS.get(application)
    for form in forms:
        identification = form.findtext(ENVELOPE + "Identification") or ""
        if wanted is not None and identification != wanted:
            return [Refusal("158", f"form {identification} in a file of {application}")]
    return []


def _read_form(element: Any) -> Form:
    texts = {child.tag: (child.text or "").strip() for child in element if len(child) == 0}
    references = tuple(
        Reference(part[0].text.strip(), part[1].text.strip(), part[2].text, part)
        for part in element.iterchildren(ENVELOPE + "Reference")
    )
    payload = next(element.iter(TRAINING + "TrainingRecord"), None)
    training = None if payload is None else _read_training(payload)
    company, workers = (
        others.document_parties(element) if training is None else (training.company, (training.niss,))
    )
    return Form(
        identification=texts[ENVELOPE + "Identification"],
        created_on=texts[ENVELOPE + "FormCreationDate"],
        created_at=texts[ENVELOPE + "FormCreationHour"],
        status=texts[ENVELOPE + "AttestationStatus"],
        type_form=texts[ENVELOPE + "TypeForm"],
        references=references,
        nsso=element.findtext(f"{ENVELOPE}ReferenceData/{ENVELOPE}EmployerId/{ENVELOPE}NOSSRegistrationNbr")
        or "",
        training=training,
        element=element,
        company=company,
        workers=workers,
    )


def _read_training(payload: Any) -> Training:
    texts = {child.tag: child.text or "" for child in payload.iterchildren("*")}

    def text(tag: str) -> str:
        return texts[TRAINING + tag].strip()

    return Training(
        company=text("CompanyID"),
        niss=text("INSS"),
        title=text("Title"),
        starts_on=date.fromisoformat(text("StartDate")),
        ends_on=date.fromisoformat(text("EndDate")),
        duration=int(text("DurationMinutes")),
        day=int(text("DayMinutes")),
        status=text("Status"),
        charged=int(text("ChargedMinutes")),
    )


def location_of(element: Any) -> str:
    """The rank of an element at every level from the root: `1,3,9,2,1,7` (AnomalyLocation / Location)."""
    ranks = []
    while element is not None:
        ranks.append(1 + sum(1 for _ in element.itersiblings("*", preceding=True)))
        element = element.getparent()
    return ",".join(str(rank) for rank in reversed(ranks))
