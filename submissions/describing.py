"""Says what any file of the batch channel is: its name, its forms, references, results and every anomaly.

Takes what we send (FI, FS, GO, TD) and what comes back (FO, CO), with its name, without, or the name alone.
Nothing is raised: what is wrong with a file is part of its description. Numbers of people are masked unless
asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from asn1crypto import cms
from django.utils.translation import gettext as _
from lxml import etree

from channels.naming import BadFileName, FileName, Prefix, parse_name
from channels.signing import BadSignature, decode_fs
from submissions.wire import answers
from submissions.wire.columns import one_line, pairs, table
from submissions.wire.dumping import dump, masked, plain
from submissions.wire.hostile import Unreadable, iter_forms, parse, unzip_single
from submissions.wire.schemas import SYSTEM_FLUX

type Show = Callable[[str, str], str]


class Kind(StrEnum):
    """What a file is for."""

    DECLARATION = "declaration"
    SIGNATURE = "signature"
    GO = "go"
    CANCELLATION = "cancellation of a set"
    ACKNOWLEDGEMENT = "acknowledgement"
    NOTIFICATION = "notification"
    REPLACEMENT = "replaced number"
    ANSWER = "answer"
    ARCHIVE = "zipped answer"
    UNKNOWN = "unknown"


_BY_ROOT: Final = {
    answers.ACRF: Kind.ACKNOWLEDGEMENT,
    answers.NOTIFICATION: Kind.NOTIFICATION,
    answers.IDFLUX: Kind.REPLACEMENT,
    answers.GENERIC: Kind.DECLARATION,
}
_BY_PREFIX: Final = {
    Prefix.DECLARATION: Kind.DECLARATION,
    Prefix.SIGNATURE: Kind.SIGNATURE,
    Prefix.GO: Kind.GO,
    Prefix.CANCELLATION: Kind.CANCELLATION,
    Prefix.ANSWER: Kind.ANSWER,
    Prefix.COMPRESSED_ANSWER: Kind.ARCHIVE,
}
_BY_APPLICATION: Final = {
    "ACRF": Kind.ACKNOWLEDGEMENT,
    "NOTI": Kind.NOTIFICATION,
    "IDFL": Kind.REPLACEMENT,
}
_READERS: Final[dict[Kind, Callable[[etree._Element], Any]]] = {
    Kind.ACKNOWLEDGEMENT: answers.acknowledgement_of,
    Kind.NOTIFICATION: answers.notification_of,
    Kind.REPLACEMENT: answers.replacement_of,
}


@dataclass(frozen=True, slots=True)
class Form:
    """One form: what is understood of it, by word, and all of it as plain data in `content`."""

    number: int
    understood: dict[str, Any]
    content: Any


@dataclass(frozen=True, slots=True)
class Description:
    """What a file is.

    `name` holds the elements of its name, `problems` sentences; `inside` describes what a CO holds;
    `content` is all of a document that has no forms.
    """

    kind: Kind
    name: dict[str, Any] | None = None
    size: int | None = None
    sha256: str | None = None
    root: str | None = None
    forms: tuple[Form, ...] = ()
    content: Any = None
    signature: dict[str, Any] | None = None
    inside: Description | None = None
    problems: tuple[str, ...] = field(default=())

    def as_data(self) -> dict[str, Any]:
        """Plain data without what is empty, fit for JSON."""
        names = ("name", "size", "sha256", "root", "content", "signature")
        given = {name: getattr(self, name) for name in names}
        data: dict[str, Any] = {"kind": str(self.kind)} | {k: v for k, v in given.items() if v is not None}
        if self.forms:
            data["forms"] = [{"number": f.number} | f.understood | {"content": f.content} for f in self.forms]
        if self.inside:
            data["inside"] = self.inside.as_data()
        return data | {"problems": list(self.problems)}

    def as_json(self) -> str:
        """The whole description as JSON."""
        return json.dumps(self.as_data(), ensure_ascii=False, indent=2, default=str)

    def as_columns(self) -> str:
        """The description as aligned text for a terminal, without the raw content of the forms."""
        lines = [one_line(self.name["text"]) if self.name else _("(no name)")]
        name = {k: v for k, v in (self.name or {}).items() if k != "text"}
        size = None if self.size is None else _("%(count)d bytes") % {"count": self.size}
        facts = [
            ("kind", self.kind),
            *name.items(),
            ("size", size),
            ("sha256", self.sha256),
            ("root", self.root),
        ]
        lines += pairs([*facts, ("forms", _count(self.forms))])
        lines += pairs((self.signature or {}).items())
        lines += _form_lines(self.forms)
        if self.problems:
            lines += ["", _("Problems"), *(f"  {one_line(problem)}" for problem in self.problems)]
        if self.inside:
            lines += ["", _("Inside"), self.inside.as_columns()]
        return "\n".join(lines)


def describe(name: str | None, content: bytes | None, *, reveal: bool = False) -> Description:
    """What the file of this name and content is; either may be None. `reveal` shows the numbers of people."""
    problems: list[str] = []
    parsed: FileName | None = None
    elements: dict[str, Any] | None = None
    if name is not None:
        try:
            parsed = parse_name(name)
        except BadFileName as error:
            problems.append(str(error))
        elements = {"text": name} | (_elements(parsed) if parsed else {})
    expected = _kind_of_name(parsed)
    if content is None:
        return Description(expected, elements, problems=tuple(problems))
    facts = _describe_content(content, expected, plain if reveal else masked, problems)
    return Description(
        name=elements,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        problems=tuple(problems),
        **facts,
    )


def _elements(name: FileName) -> dict[str, Any]:
    return {
        "prefix": name.prefix.value,
        "application": name.application,
        "sender": name.sender,
        "day": name.day.isoformat(),
        "sequence": name.sequence,
        "environment": name.environment.value,
        "parts": name.parts,
        "part": name.part,
    }


def _kind_of_name(name: FileName | None) -> Kind:
    if name is None:
        return Kind.UNKNOWN
    if name.prefix is Prefix.ANSWER:
        return _BY_APPLICATION.get(name.application, Kind.ANSWER)
    return _BY_PREFIX[name.prefix]


def _describe_content(content: bytes, expected: Kind, show: Show, problems: list[str]) -> dict[str, Any]:
    """The fields of a description that the bytes tell; what is wrong is added to `problems`."""
    if expected in (Kind.GO, Kind.CANCELLATION):
        if content:
            problems.append(_("This file should be empty: what it says is the name alone."))
        return {"kind": expected}
    if expected is Kind.ARCHIVE or content.startswith(b"PK"):
        return _describe_archive(content, show, problems)
    if expected is Kind.SIGNATURE or (expected is Kind.UNKNOWN and content.startswith(b"MI")):
        return _describe_signature(content, problems)
    return _describe_document(content, expected, show, problems)


def _describe_archive(content: bytes, show: Show, problems: list[str]) -> dict[str, Any]:
    try:
        name, unpacked = unzip_single(content)
    except Unreadable as error:
        problems.append(str(error))
        return {"kind": Kind.ARCHIVE}
    return {"kind": Kind.ARCHIVE, "inside": describe(name, unpacked, reveal=show is plain)}


def _describe_signature(content: bytes, problems: list[str]) -> dict[str, Any]:
    try:
        return {"kind": Kind.SIGNATURE, "signature": _signature(decode_fs(content))}
    except (BadSignature, ValueError, TypeError, KeyError, AttributeError, IndexError):
        # asn1crypto reads lazily: any look at a damaged structure may raise any of these.
        problems.append(_("This signature cannot be read: it is no CMS SignedData in base64."))
        return {"kind": Kind.SIGNATURE}


def _signature(der: bytes) -> dict[str, Any]:
    envelope = cms.ContentInfo.load(der, strict=True)
    if envelope["content_type"].native != "signed_data":
        raise ValueError("no signature")
    signed = envelope["content"]
    certificates = [choice.chosen for choice in signed["certificates"] if choice.name == "certificate"]
    digests = [signer["digest_algorithm"]["algorithm"].native for signer in signed["signer_infos"]]
    return {
        "detached": signed["encap_content_info"]["content"].native is None,
        "digest": ", ".join(digests),
        "certificate": "; ".join(one.subject.human_friendly for one in certificates),
        "issuer": "; ".join(one.issuer.human_friendly for one in certificates),
        "fingerprint": ", ".join(hashlib.sha256(one.dump()).hexdigest() for one in certificates),
        "valid until": ", ".join(one.not_valid_after.date().isoformat() for one in certificates),
    }


def _describe_document(content: bytes, expected: Kind, show: Show, problems: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": expected}
    forms: list[Form] = []
    try:
        root = facts["root"] = answers.root_kind(content)
        kind = facts["kind"] = _BY_ROOT.get(root, expected)
        if expected not in (kind, Kind.UNKNOWN, Kind.ANSWER):
            problems.append(_("By its name this is a file of another kind: its content decides here."))
        tag = f"{{{SYSTEM_FLUX}}}Form" if root == answers.GENERIC else "Form"
        for number, form in enumerate(iter_forms(content, tag), 1):
            forms.append(Form(number, _understood(form, kind, show), dump(form, show)))
        if not forms:
            problems.append(_("The document holds no form."))
            facts["content"] = dump(parse(content), show)
        elif kind is Kind.UNKNOWN:
            facts["kind"] = Kind.DECLARATION
    except Unreadable as error:
        problems.append(str(error))
    return facts | {"forms": tuple(forms)}


def _understood(form: etree._Element, kind: Kind, show: Show) -> dict[str, Any]:
    reader = _READERS.get(kind)
    facts = asdict(reader(form)) if reader else _declared(form)
    facts |= facts.pop("header", {})
    shown: dict[str, Any] = _shown(facts, show)
    return {name: value for name, value in shown.items() if value not in (None, "", (), [], {})}


def _declared(form: etree._Element) -> dict[str, Any]:
    """What the forms of all declarations share: header, references, employer, and the document they carry."""
    here = f"{{{SYSTEM_FLUX}}}" if form.tag.startswith("{") else ""

    def text(path: str) -> str | None:
        found = form.findtext("/".join(here + step for step in path.split("/")))
        return found.strip() if found else None

    references = [
        answers.Reference(*(_whole_or_text(e.text) for e in reference))
        for reference in form.iterfind(f"{here}Reference")
        if len(reference) == 3
    ]
    documents = form.xpath("*[local-name()='Data']/*[local-name()='DocumentXML']/*")
    return {
        "identification": text("Identification"),
        "created_on": text("FormCreationDate"),
        "created_hour": text("FormCreationHour"),
        "attestation": _whole(text("AttestationStatus")),
        "type_form": text("TypeForm"),
        "references": references,
        "company_id": text("ReferenceData/EmployerId/CompanyID"),
        "nsso": text("ReferenceData/EmployerId/NOSSRegistrationNbr"),
        "inss": next((e.text for d in documents for e in d if etree.QName(e).localname == "INSS"), None),
        "document": ", ".join(etree.QName(d).localname for d in documents),
    }


_ELEMENT: Final = {"inss": "INSS"}


def _shown(value: Any, show: Show, name: str = "") -> Any:
    match value:
        case answers.Reference():
            return _shown(value._asdict(), show)
        case dict():
            return {key: _shown(item, show, key) for key, item in value.items()}
        case list() | tuple():
            return [_shown(item, show, name) for item in value]
        case str():
            return show(_ELEMENT.get(name, name), value)
        case _:
            return value


_STATUS: Final = {0: "original", 1: "modification", 2: "duplicate", 3: "cancellation"}
_RESULT: Final = {
    answers.REFUSED: "refused",
    answers.ACCEPTED: "accepted",
    answers.PROPOSAL: "proposal",
    answers.PROVISIONAL: "provisional",
    answers.TIMED_OUT: "time-out",
}
_COLUMNS: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "status": lambda facts: _worded(facts.get("attestation"), _STATUS),
    "result": lambda facts: _worded(facts.get("result_code"), _RESULT),
    "reference": lambda facts: _references(facts, 1),
    "earlier": lambda facts: _references(facts, 3),
    "ticket": lambda facts: facts.get("ticket"),
    "file": lambda facts: facts.get("file_name"),
    "employer": lambda facts: facts.get("company_id"),
    "worker": lambda facts: facts.get("inss") or facts.get("outdated", {}).get("inss"),
    "becomes": lambda facts: facts.get("valid", {}).get("inss"),
    "document": lambda facts: facts.get("document"),
    "errors": lambda facts: " ".join(facts.get("error_ids", ())),
    "anomalies": lambda facts: len(facts.get("anomalies", ())) or None,
}
_ANOMALY_COLUMNS: Final = ("code", "klass", "tag", "value", "location", "line", "column", "path", "label")


def _worded(code: int | None, words: dict[int, str]) -> str | None:
    """A code with its word; a code without one as it came."""
    return None if code is None else f"{code} {words[code]}" if code in words else str(code)


def _references(facts: dict[str, Any], wanted: int) -> str:
    return " ".join(str(one["number"]) for one in facts.get("references", ()) if one["type"] == wanted)


def _count(forms: tuple[Form, ...]) -> str | None:
    """How many forms, and of answers how many of each result."""
    results = Counter(_RESULT.get(form.understood.get("result_code", -1), "") for form in forms)
    shown = ", ".join(f"{count} {word}" for word, count in sorted(results.items()) if word)
    return f"{len(forms)} ({shown})" if shown else f"{len(forms)}" if forms else None


def _whole(text: str | None) -> int | None:
    value = _whole_or_text(text)
    return value if isinstance(value, int) else None


def _whole_or_text(text: str | None) -> Any:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) == 1 else text


def _form_lines(forms: tuple[Form, ...]) -> list[str]:
    if not forms:
        return []
    rows = [[form.number, *(column(form.understood) for column in _COLUMNS.values())] for form in forms]
    lines = ["", _("Forms"), *table(["form", *_COLUMNS], rows)]
    anomalies = [
        [form.number, *(anomaly.get(column) for column in _ANOMALY_COLUMNS)]
        for form in forms
        for anomaly in form.understood.get("anomalies", ())
    ]
    if anomalies:
        titles = ["form", *("class" if column == "klass" else column for column in _ANOMALY_COLUMNS)]
        lines += ["", _("Anomalies"), *table(titles, anomalies)]
    return lines
