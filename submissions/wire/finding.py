"""Where an answer speaks of one declaration: found by its bytes, without reading the whole file as XML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from submissions.wire.dumping import masked
from submissions.wire.hostile import encoding_of, parse
from submissions.wire.unreadable import Unreadable

_OPENING: Final = re.compile(rb"<Form[ \t\r\n>]")
_CLOSING: Final = b"</Form>"
_REPORT: Final = "AnomalyReport"


@dataclass(frozen=True, slots=True)
class RawLine:
    """An element of an answer as text, personal numbers masked; `line` counts from 1 in the file."""

    text: str
    line: int


def raw_line(content: bytes, number: str, code: str, tag: str) -> RawLine | None:
    """The anomaly with this `code` and `tag` in the form that quotes `number` (our reference, or the ticket).

    The form is what stands between the tags around the number: a file of thousands is searched, and one form read. The
    whole form where it holds no such anomaly; None where the number or a readable form is not found.
    """
    at = content.find(f">{number}<".encode()) if number else -1
    if at < 0:
        return None
    # “<FormCreationDate” begins like a form.
    start = content.rfind(b"<Form", 0, at)
    while start >= 0 and not _OPENING.match(content, start):
        start = content.rfind(b"<Form", 0, start)
    end = content.find(_CLOSING, at)
    if start < 0 or end < 0:
        return None
    try:
        text = content[start : end + len(_CLOSING)].decode(encoding_of(content))
        form = parse(text.encode())
    except (Unreadable, UnicodeDecodeError):
        return None
    element = next(
        (
            report
            for report in form.iter(_REPORT)
            if (report.findtext("ErrorID") or "").strip() == code
            and (not tag or (report.findtext("TagName") or "").strip() == tag)
        ),
        form,
    )
    line = content.count(b"\n", 0, start) + (element.sourceline or 1)
    return RawLine(_written(element), line)


def _written(element: etree._Element) -> str:
    """The element as indented text, with every personal number masked, those in elements and those in texts."""
    for each in element.iter():
        name = etree.QName(each).localname
        each.text = masked(name, (each.text or "").strip()) or None
        each.tail = None
        for attribute, value in each.attrib.items():
            each.set(attribute, masked(etree.QName(attribute).localname, value))
    # `Value` quotes what stood in the element that `TagName` names.
    for value in element.iter("Value"):
        parent = value.getparent()
        tag = (parent.findtext("TagName") or "") if parent is not None else ""
        value.text = masked(tag, value.text or "") or None
    etree.indent(element, space="  ")
    text: str = etree.tostring(element, encoding="unicode")
    return text.strip()
