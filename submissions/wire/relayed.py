"""Reads ready-made declaration files of other services: what they are, and whose forms lie in them.

These are files of other software, so they come through the same door as answers: without document type, entities or
network, in UTF-8 or ISO-8859-1. Nothing is changed or written again: the bytes that were read are the bytes
that travel. Structure: the partner's schemas (www.socialsecurity.be/docu_xml/). Where one of them was not at
hand, an employer is looked for wherever the usual elements stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _
from lxml import etree

from submissions.wire.answers import BY_DECLARANT, BY_SOCIAL_SECURITY
from submissions.wire.hostile import Unreadable, iter_forms, root_element

_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_VERSION: Final = re.compile(r"([A-Za-z0-9]+)_(\d{5})\.xsd")
_THIS, _EARLIER_SAME = 1, 3
"""ReferenceType of the form itself, and of the earlier form of the same kind."""

_EMPLOYER_IN: Final[Mapping[str, str]] = MappingProxyType(
    {"Dimona": "*/EmployerId", "DmfAOriginal": "EmployerDeclaration"}
)
"""Where the schemas at hand put the employer of a form, by root element."""

_ANYWHERE: Final = ".//EmployerId|.//EmployerDeclaration|.//Employer"
"""Where it is looked for in the others, before the whole form is searched."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the start tag of a file says. `schema` is the file name of its official schema, "" when it names none."""

    root: str
    schema: str


class NamedEmployer(NamedTuple):
    """An employer as a form names him. `company_id` has 10 digits, `nsso` 9 or 10; "" where nothing stands."""

    company_id: str
    nsso: str


@dataclass(frozen=True, slots=True)
class ReadForm:
    """One form of a file. `position` counts from 1; `line` is where it starts.

    `created_on` (YYYY-MM-DD) and `created_hour` are as they stand there, because an answer repeats them so. `reference`
    is the number its makers gave it (type 1, origin 1), `earlier_ticket` that of the form which it changes or cancels.
    `employers` are those it declares for, without repetition; `inss` is the one worker it is about, "" for
    none or many.
    """

    position: int
    line: int
    identification: str
    created_on: str
    created_hour: str
    attestation: int
    reference: str
    earlier_ticket: str
    employers: tuple[NamedEmployer, ...]
    inss: str = field(repr=False)


def opening(content: bytes, *, max_bytes: int) -> Opening:
    """Root element and version of a file; raises `Unreadable`. A root in a namespace is none of a relayed service."""
    namespace, root, attributes = root_element(content, max_bytes=max_bytes)
    if namespace is not None:
        raise Unreadable(
            _("The root element “%(root)s” stands in a namespace; the files of these services have none."),
            {"root": root},
        )
    location = attributes.get((_INSTANCE, "noNamespaceSchemaLocation"), "").strip()
    return Opening(root, re.split(r"[/\\]", location)[-1])


def version_of(schema: str) -> tuple[str, str] | None:
    """Root element and quarter (`YYYYQ`) of a schema named `<root>_<yyyyq>.xsd`; None for any other name."""
    match = _VERSION.fullmatch(schema)
    return (match[1], match[2]) if match else None


def forms(content: bytes, *, max_bytes: int) -> Iterator[ReadForm]:
    """Every form of a file, in order, one in memory at a time; raises `Unreadable`, possibly after some of them."""
    _namespace, root, _attributes = root_element(content, max_bytes=max_bytes)
    for position, form in enumerate(iter_forms(content, max_bytes=max_bytes), 1):
        yield _form(form, position, _EMPLOYER_IN.get(root, ""))


def _form(form: etree._Element, position: int, employer_in: str) -> ReadForm:
    attestation = _text(form, "AttestationStatus")
    reference, earlier = _references(form)
    return ReadForm(
        position=position,
        line=form.sourceline or 0,
        identification=_text(form, "Identification"),
        created_on=_text(form, "FormCreationDate"),
        created_hour=_text(form, "FormCreationHour"),
        attestation=int(attestation) if attestation in ("0", "1", "2", "3") else 0,
        reference=reference,
        earlier_ticket=earlier,
        employers=tuple(dict.fromkeys(_employers(form, employer_in))),
        inss=_only_worker(form),
    )


def _text(parent: etree._Element, tag: str) -> str:
    return (parent.findtext(tag) or "").strip()


def _references(form: etree._Element) -> tuple[str, str]:
    own = earlier = ""
    for reference in form.iterchildren("Reference"):
        kind, origin = _text(reference, "ReferenceType"), _text(reference, "ReferenceOrigin")
        number = _text(reference, "ReferenceNbr")
        if (kind, origin) == (str(_THIS), str(BY_DECLARANT)):
            own = own or number
        elif (kind, origin) == (str(_EARLIER_SAME), str(BY_SOCIAL_SECURITY)):
            earlier = earlier or number
    return own, earlier


def _employers(form: etree._Element, employer_in: str) -> Iterator[NamedEmployer]:
    blocks = form.xpath(employer_in or _ANYWHERE)
    if not blocks and not employer_in:
        # Numbers that stand by themselves are taken for the employer's: each of them must be a client, to be sure.
        yield from (NamedEmployer(_company(found.text), "") for found in form.iter("CompanyID"))
        return
    for block in blocks:
        named = NamedEmployer(
            _company(block.findtext("CompanyID")),
            _digits(block.findtext("NOSSRegistrationNbr"), 9)
            or _digits(block.findtext("ProvisionalNSSONbr"), 10),
        )
        if any(named):
            yield named


def _company(text: str | None) -> str:
    """Ten digits: a first zero may have been dropped. Zero stands for "none" in the schemas."""
    return _digits(text, 10)


def _digits(text: str | None, length: int) -> str:
    text = (text or "").strip()
    return text.zfill(length) if text.strip("0") else ""


def _only_worker(form: etree._Element) -> str:
    found = {(element.text or "").strip() for element in form.iter("INSS")} - {""}
    return found.pop() if len(found) == 1 else ""
