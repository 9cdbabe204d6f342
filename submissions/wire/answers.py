"""What social security answers: acknowledgements (ACRF), notifications (NOTI), replaced numbers (IDFL).

Structure: the partner's schemas ``ACRF``, ``NOTIFICATION`` and ``IDFLUX``
(www.socialsecurity.be/docu_xml/). The readers take more than these admit: any white space, elements they do
not know, codes nobody published. What is no number where one is expected is None; nothing is guessed. They
stream, and raise `Unreadable` for a document that is damaged or another than asked for, possibly after they
gave some forms: apply them in one transaction. Personal data stay out of ``repr()``, which ends up in logs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _
from lxml import etree

from submissions.wire.hostile import Unreadable, iter_forms, root_name

ACRF, NOTIFICATION, IDFLUX, GENERIC = "ACRF", "NOTIFICATION", "IDFLUX", "GenericXmlDocument"

REFUSED: Final = 0
ACCEPTED: Final = 1
PROPOSAL: Final = 2
PROVISIONAL: Final = 3
TIMED_OUT: Final = 4

BY_DECLARANT: Final = 1
"""ReferenceOrigin of a number that the declarant chose."""
BY_SOCIAL_SECURITY: Final = 2
"""ReferenceOrigin of a ticket of social security."""


TICKET_LENGTH: Final = 13
CODE_LENGTH: Final = 20
"""Characters; the codes that exist have 9. Of what is longer, the raw file has the rest."""


def usable_ticket(text: str | None) -> str:
    """A ticket of social security; "" for none, and for what is too long to be one."""
    return text if text and len(text) <= TICKET_LENGTH else ""


@dataclass(frozen=True, slots=True)
class Header:
    """What every form of an answer starts with. `created_hour` is as it came (HH:MM:SS.mmm, in Belgium)."""

    identification: str | None
    created_on: date | None
    created_hour: str | None
    attestation: int | None
    type_form: str | None


class Reference(NamedTuple):
    """A number of a form or file.

    `type`: 0 earlier form of another kind, 1 this form, 2 dossier, 3 earlier form of the same kind, 4 related
    form. `origin`: 1 declarant, 2 ticket of social security, 3 sector, 5 CBSS.
    """

    type: int | None
    origin: int | None
    number: str | None


@dataclass(frozen=True, slots=True)
class AnomalyReport:
    """One remark. `code` is five digits of zone or block, a dash, three digits of annex 30 of the glossaries.

    `klass`: B blocking, P percentage, NP non-percentage, NB non-blocking, D deduction, W warning, I
    investigation. `location` counts blocks from the root (``1,1,8,4``); `line` and `column` count in the
    file that was sent; `path` is the block that the remark is about
    (``Quarter=20251 INSS=***``), without personal number.
    """

    code: str
    tag: str | None
    value: str | None = field(repr=False)
    klass: str | None
    label: str | None
    location: str | None
    line: int | None
    column: int | None
    path: str | None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Whether one file was taken in. `ticket` is that of the file; `error_ids` look like ``ACRF-133``."""

    header: Header
    file_name: str | None
    ticket: str | None
    result_code: int | None
    error_ids: tuple[str, ...]

    @property
    def is_accepted(self) -> bool:
        """Said in so many words; what says neither yes nor no is not accepted, nor refused."""
        return self.result_code == ACCEPTED

    @property
    def is_refused(self) -> bool:
        return self.result_code == REFUSED


@dataclass(frozen=True, slots=True)
class Notification:
    """What became of one form.

    `file_name` and `file_ticket` are those of the file and may be absent; `ticket` is that of the form.
    `references` hold what was sent in the form, and sometimes the ticket of the file. `company_id` has 10
    digits again even where they dropped the first zero; `nsso` 9, or 10 when provisional; `inss` 11. `handled_on` and
    `handled_hour` are the moment of the form that was sent, as it stood there.
    """

    header: Header
    file_name: str | None
    file_ticket: str | None
    references: tuple[Reference, ...]
    ticket: str | None
    result_code: int | None
    diagnosis: tuple[str, ...]
    anomalies: tuple[AnomalyReport, ...]
    company_id: str | None
    nsso: str | None
    inss: str | None = field(repr=False)
    has_handled_original: bool
    handled_on: str | None = None
    handled_hour: str | None = None

    @property
    def own_reference(self) -> str | None:
        """Our own number of this form, if it came back."""
        return next((r.number for r in self.references if r.origin == BY_DECLARANT and r.type == 1), None)


@dataclass(frozen=True, slots=True)
class Situation:
    """Who a worker is (`inss`...), or, in a few flows, under which ONSS number an employer is known."""

    inss: str | None = field(repr=False)
    family_name: str | None = field(repr=False)
    given_name: str | None = field(repr=False)
    birth_date: str | None = field(repr=False)
    sex: str | None = field(repr=False)
    nsso: str | None


@dataclass(frozen=True, slots=True)
class Replacement:
    """A number that was replaced: `outdated` became `valid` on `effective_on`; attestation 3 undoes it."""

    header: Header
    reference: Reference | None
    justification: str | None
    effective_on: date | None
    company_id: str | None
    nsso: str | None
    outdated: Situation
    valid: Situation

    @property
    def outdated_inss(self) -> str | None:
        """The number that the worker had; None when it is an employer's number that was replaced."""
        return self.outdated.inss

    @property
    def valid_inss(self) -> str | None:
        """The number that the worker has now."""
        return self.valid.inss


def root_kind(content: bytes) -> str:
    """`ACRF`, `NOTIFICATION`, `IDFLUX`, `GENERIC`, or what else the root is called; raises `Unreadable`."""
    return root_name(content)


def acknowledgements(content: bytes) -> Iterator[Acknowledgement]:
    """Every form of an ACRF, in order."""
    return _read(content, ACRF, acknowledgement_of)


def notifications(content: bytes) -> Iterator[Notification]:
    """Every form of a NOTIFICATION, in order."""
    return _read(content, NOTIFICATION, notification_of)


def replacements(content: bytes) -> Iterator[Replacement]:
    """Every form of an IDFLUX, in order."""
    return _read(content, IDFLUX, replacement_of)


def _read[T](content: bytes, root: str, read: Callable[[etree._Element], T]) -> Iterator[T]:
    found = root_name(content)
    if found != root:
        raise Unreadable(
            _("This document is “%(found)s” instead of “%(root)s”."), {"found": found, "root": root}
        )
    is_empty = True
    for form in iter_forms(content):
        is_empty = False
        yield read(form)
    if is_empty:
        raise Unreadable(_("The document holds no form."))


def acknowledgement_of(form: etree._Element) -> Acknowledgement:
    """One ``Form`` of an ACRF."""
    parts, _references = _split(form)
    file = _texts(parts.get("FileReference"))
    result = parts.get("ReceptionResult")
    errors = () if result is None else tuple(_text(e) for e in result if e.tag == "ErrorID")
    return Acknowledgement(
        _header(parts),
        file.get("FileName") or None,
        file.get("ReferenceNbr") or None,
        _number(_child_text(result, "ResultCode")),
        errors,
    )


def notification_of(form: etree._Element) -> Notification:
    """One ``Form`` of a NOTIFICATION."""
    parts, references = _split(form)
    file = _texts(parts.get("FileReference"))
    employer = _texts(parts.get("EmployerId"))
    handled = _texts(parts.get("HandledOriginalForm"))
    result_code, diagnosis, anomalies = None, [], []
    for part in parts.get("HandlingResult", ()):
        match part.tag:
            case "ResultCode":
                result_code = _number(part.text)
            case "Diagnosis":
                diagnosis.append(_text(part))
            case "AnomalyReport":
                anomalies.append(_anomaly(part))
    return Notification(
        _header(parts),
        file.get("FileName") or None,
        file.get("ReferenceNbr") or None,
        references,
        _child_text(parts.get("HandledReference"), "ReferenceNbr"),
        result_code,
        tuple(diagnosis),
        tuple(anomalies),
        _padded(employer.get("CompanyID"), 10),
        _padded(employer.get("NOSSRegistrationNbr"), 9) or employer.get("ProvisionalNSSONbr") or None,
        _padded(_child_text(parts.get("NaturalPerson"), "INSS"), 11),
        "HandledOriginalForm" in parts,
        handled.get("FormCreationDate") or None,
        handled.get("FormCreationHour") or None,
    )


def _anomaly(report: etree._Element) -> AnomalyReport:
    texts = _texts(report)
    place = _texts(report.find("AnomalyLocation")) if "AnomalyLocation" in texts else {}
    path = report.find("Path") if "Path" in texts else None
    return AnomalyReport(
        texts.get("ErrorID", ""),
        texts.get("TagName"),
        texts.get("Value"),
        texts.get("AnomalyClass"),
        texts.get("AnomalyLabel"),
        place.get("Location"),
        _number(place.get("LineNbr")),
        _number(place.get("ColumnNbr")),
        None if path is None else " ".join(f"{e.tag}={_path_text(e)}" for e in path),
    )


def replacement_of(form: etree._Element) -> Replacement:
    """One ``Form`` of an IDFLUX."""
    parts, references = _split(form)
    information = parts.get("IdfluxInformation")
    inside = {} if information is None else {e.tag: e for e in information}
    texts = _texts(information)
    employer = _texts(inside.get("EmployerId"))
    return Replacement(
        _header(parts),
        references[0] if references else None,
        texts.get("JustificationCode"),
        _day(texts.get("EffectiveStartingDate")),
        _padded(employer.get("CompanyID"), 10),
        _padded(employer.get("NOSSRegistrationNbr"), 9) or employer.get("ProvisionalNSSONbr") or None,
        _situation(inside.get("OutdatedSituation")),
        _situation(inside.get("ValidSituation")),
    )


def _situation(element: etree._Element | None) -> Situation:
    texts = _texts(element)
    return Situation(
        _padded(texts.get("INSS"), 11),
        texts.get("WorkerName"),
        texts.get("WorkerFirstName"),
        texts.get("WorkerBirthdate"),
        texts.get("WorkerSex"),
        _padded(texts.get("NOSSRegistrationNbr"), 9),
    )


_SINGLE: Final = frozenset({"FileReference", "ReceptionResult"})


def _split(form: etree._Element) -> tuple[dict[str, etree._Element], tuple[Reference, ...]]:
    """The parts of a form by tag, and its references, the one part read that comes more than once.

    Raises `Unreadable` for a second file or a second result: nobody can tell which of the two was meant.
    """
    parts: dict[str, etree._Element] = {}
    references: list[Reference] = []
    for part in form:
        tag = part.tag
        if tag == "Reference":
            texts = _texts(part)
            references.append(
                Reference(
                    _number(texts.get("ReferenceType")),
                    _number(texts.get("ReferenceOrigin")),
                    texts.get("ReferenceNbr") or None,
                )
            )
        elif tag in _SINGLE and tag in parts:
            raise Unreadable(_("A form of the document says “%(tag)s” twice."), {"tag": tag})
        else:
            parts[tag] = part
    return parts, tuple(references)


def _header(parts: dict[str, etree._Element]) -> Header:
    return Header(
        _text(parts.get("Identification")) or None,
        _day(_text(parts.get("FormCreationDate"))),
        _text(parts.get("FormCreationHour")) or None,
        _number(_text(parts.get("AttestationStatus"))),
        _text(parts.get("TypeForm")) or None,
    )


def _text(element: etree._Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def _path_text(element: etree._Element) -> str:
    return "***" if element.tag == "INSS" else _text(element)


def _child_text(element: etree._Element | None, tag: str) -> str | None:
    for child in () if element is None else element.iterchildren(tag):
        return _text(child) or None
    return None


def _texts(element: etree._Element | None) -> dict[str, str]:
    return {} if element is None else {e.tag: (e.text or "").strip() for e in element}


def _number(text: str | None) -> int | None:
    """A whole number of at most 15 digits, as the schemas have them."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _day(text: str | None) -> date | None:
    if text and len(text) == 10:
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None
    return None


def _padded(digits: str | None, length: int) -> str | None:
    """A number with the zeros in front that an integer loses; None for the 0 that stands for "unknown"."""
    if not digits or digits == "0":
        return None
    return digits.zfill(length) if digits.isdigit() else digits
