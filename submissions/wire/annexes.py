"""Reads the annexes of social security: lists of codes, each with its text in French and Dutch and its quarters.

They are published at www.socialsecurity.be/docu_xml/ as `<title>[_]<yyyy>-<q>_<number>.xml`; the name tells number and
version, which the document does not. What is read here: 11, forms; 26, joint committees; 30, error codes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from lxml import etree

from submissions.wire.hostile import Unreadable, iter_forms, root_name

MOST_BYTES: Final = 20_000_000
"""A hundred times the largest annex that was ever published."""
MOST_CHARACTERS: Final = 4000


class Kind(NamedTuple):
    """What tells one annex: its number, the element of one code, and what a code looks like."""

    number: int
    element: str
    code: re.Pattern[str]


KINDS: Final = {
    "form-identifications": Kind(11, "form-identification", re.compile(r"[A-Z][A-Z0-9]{1,6}")),
    "joint-committees": Kind(26, "joint-committee", re.compile(r"[0-9]{3}(\.[0-9]{2}){0,2}")),
    "error-codes": Kind(30, "error-code", re.compile(r"[0-9]{3}")),
}
"""The annexes that are read, by the root of their document."""

_NAME: Final = re.compile(r".*?_?([0-9]{4})-([1-4])_([0-9]{1,2})\.xml", re.IGNORECASE)
_YEAR: Final = re.compile(r"[0-9]{4}")


class Row(NamedTuple):
    """One text of one code, with its first and last quarter (YYYYQ)."""

    code: str
    begins: str
    ends: str
    fr: str
    nl: str


@dataclass(frozen=True, slots=True)
class Annex:
    """One version of an annex, read to its end. `version` is a quarter (YYYYQ)."""

    number: int
    version: str
    name: str
    sha256: str
    rows: tuple[Row, ...]


def read(name: str, content: bytes) -> Annex | None:
    """The annex in a file of this name; None for a sound document that is no annex that is read here.

    Raises `Unreadable` for anything else: damaged, without a code, with a code that has no text in both languages,
    that comes twice for the same quarter, or that does not look like one.
    """
    kind = KINDS.get(root_name(content, max_bytes=MOST_BYTES))
    if kind is None:
        return None
    match = _NAME.fullmatch(name)
    if match is None or int(match[3]) != kind.number:
        raise Unreadable(
            _(
                "Its content is annex %(number)d; its name should end in the version, such as 2022-1_%(number)d.xml."
            ),
            {"number": kind.number},
        )
    rows = tuple(_rows(content, kind))
    if not rows:
        raise Unreadable(_("The annex holds no code."))
    _refuse_overlaps(rows)
    return Annex(kind.number, match[1] + match[2], name, hashlib.sha256(content).hexdigest(), rows)


def _rows(content: bytes, kind: Kind) -> Iterator[Row]:
    for element in iter_forms(content, kind.element, max_bytes=MOST_BYTES):
        code = _text(element, "code")
        if not kind.code.fullmatch(code):
            raise _fault(element, _("line %(line)d: “%(code)s” is no code of this annex."), code)
        begins, ends = _quarter(element, "begin-validity", code), _quarter(element, "end-validity", code)
        if ends < begins:
            raise _fault(element, _("line %(line)d: the code %(code)s ends before it begins."), code)
        fr, nl = _text(element, "description/fr"), _text(element, "description/nl")
        if not (0 < len(fr) <= MOST_CHARACTERS and 0 < len(nl) <= MOST_CHARACTERS):
            raise _fault(
                element,
                _("line %(line)d: the code %(code)s has no usable text in French and in Dutch."),
                code,
            )
        yield Row(code, begins, ends, fr, nl)


def _quarter(element: etree._Element, name: str, code: str) -> str:
    year, number = _text(element, f"{name}/year"), _text(element, f"{name}/quarter")
    if not _YEAR.fullmatch(year) or number not in {"1", "2", "3", "4"}:
        raise _fault(element, _("line %(line)d: the code %(code)s has no quarters of validity."), code)
    return year + number


def _refuse_overlaps(rows: tuple[Row, ...]) -> None:
    before: Row | None = None
    for row in sorted(rows):
        if before and before.code == row.code and row.begins <= before.ends:
            raise Unreadable(_("The code %(code)s has two texts for the same quarter."), {"code": row.code})
        before = row


def _text(element: etree._Element, path: str) -> str:
    """The text at a path, with each stretch of white space as one space."""
    return " ".join((element.findtext(path) or "").split())


def _fault(element: etree._Element, sentence: str | Promise, code: str) -> Unreadable:
    return Unreadable(sentence, {"line": element.sourceline or 0, "code": code[:20]})
