"""The one door for XML and archives that come from outside.

Answers are read as if an enemy had written them: bounded in size, without document type, entities, network,
comments or processing instructions, in UTF-8 or ISO-8859-1 only. `parse` and `iter_forms` use the same parser
settings; the limits of libxml2 on depth and on the length of texts stay on.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from lxml import etree

from submissions.wire.archives import Limits, unzip_single
from submissions.wire.unreadable import MAX_BYTES, Unreadable

__all__ = [
    "MAX_BYTES",
    "Limits",
    "Unreadable",
    "encoding_of",
    "iter_forms",
    "parse",
    "root_element",
    "root_name",
    "unzip_single",
]

_SETTINGS: Final[Mapping[str, Any]] = {
    "resolve_entities": False,
    "load_dtd": False,
    "dtd_validation": False,
    "no_network": True,
    "remove_comments": True,
    "remove_pis": True,
    "recover": False,
    "huge_tree": False,
}
_ENCODINGS: Final = {"utf-8": "utf-8", "iso-8859-1": "iso-8859-1", "us-ascii": "utf-8"}
_BOM: Final = codecs.BOM_UTF8
_WHITE: Final = re.compile(rb"[ \t\r\n]*")
_DECLARATION: Final = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')"""
    rb"""(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z0-9._-]{1,40})"|'([A-Za-z0-9._-]{1,40})'))?"""
    rb"""(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>"""
)
_ROOT: Final = re.compile(
    rb"<(?:[A-Za-z_][A-Za-z0-9_.-]{0,99}:)?([A-Za-z_][A-Za-z0-9_.-]{0,99})(?=[ \t\r\n/>])"
)


def root_name(content: bytes, *, max_bytes: int = MAX_BYTES) -> str:
    """The local name of the root element, found without parsing; raises `Unreadable`.

    The rest of the document is not looked at: that it is well-formed only `parse` or `iter_forms` can tell.
    """
    match = _ROOT.match(content, _root_position(content, max_bytes))
    if match is None:
        raise Unreadable(_("This is not an XML document: no element was found at its start."))
    return match[1].decode("ascii")


def root_element(
    content: bytes, *, max_bytes: int = MAX_BYTES
) -> tuple[str | None, str, dict[tuple[str | None, str], str]]:
    """Namespace, local name and attributes, by (namespace, name), of the root element; raises `Unreadable`.

    Nothing after its start tag is looked at.
    """
    _root_position(content, max_bytes)
    events = etree.iterparse(BytesIO(content), events=("start",), **_SETTINGS)
    try:
        _event, root = next(events)
    except etree.LxmlError as error:
        raise _not_well_formed(error) from None
    name = etree.QName(root)
    attributes = {(etree.QName(key).namespace, etree.QName(key).localname): v for key, v in root.items()}
    return name.namespace, name.localname, attributes


def parse(content: bytes, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """The root element of a document that came from outside; raises `Unreadable`."""
    _root_position(content, max_bytes)
    try:
        root = etree.fromstring(content, etree.XMLParser(**_SETTINGS))
    except etree.LxmlError as error:
        raise _not_well_formed(error) from None
    _refuse_document_type(root)
    return root


def iter_forms(content: bytes, tag: str = "Form", *, max_bytes: int = MAX_BYTES) -> Iterator[etree._Element]:
    """Each child of the root whose tag is `tag` (``{namespace}Form`` or ``Form``), one in memory at a time.

    An element is emptied when the next one is asked for. Raises `Unreadable`, possibly after some elements:
    whoever acts on them must be able to take that back.
    """
    _root_position(content, max_bytes)
    events = etree.iterparse(BytesIO(content), events=("end",), tag=tag, **_SETTINGS)
    try:
        for _event, element in events:
            parent = element.getparent()
            # A form may quote foreign XML that has a `Form` of its own: only the children of the root count.
            if parent is None or parent.getparent() is not None:
                continue
            yield element
            element.clear(keep_tail=False)
            while element.getprevious() is not None:
                del parent[0]
    except etree.LxmlError as error:
        raise _not_well_formed(error) from None
    _refuse_document_type(events.root)


def _root_position(content: bytes, max_bytes: int) -> int:
    """Where the root element starts. What may stand before it is a declaration, comments and instructions.

    The scan by bytes is sound because the two encodings admitted write ``<``, ``!`` and ``?`` as ASCII does.
    """
    if len(content) > max_bytes:
        raise Unreadable(
            _("The file has %(size)d bytes; at most %(limit)d are read."),
            {"size": len(content), "limit": max_bytes},
        )
    if not content.strip():
        raise Unreadable(_("The file is empty."))
    encoding_of(content)
    position = len(_BOM) if content.startswith(_BOM) else 0
    while True:
        position = _white_after(content, position)
        if content.startswith(b"<!--", position):
            end, closing = content.find(b"-->", position + 4), 3
        elif content.startswith(b"<?", position):
            end, closing = content.find(b"?>", position + 2), 2
        elif content.startswith(b"<!", position):
            raise Unreadable(
                _("The file has a document type declaration (DOCTYPE), which is never accepted.")
            )
        else:
            return position
        if end < 0:
            raise Unreadable(_("This is not an XML document: no element was found at its start."))
        position = end + closing


def _white_after(content: bytes, position: int) -> int:
    match = _WHITE.match(content, position)
    return match.end() if match else position


def encoding_of(content: bytes) -> str:
    """The encoding that the declaration names, UTF-8 if none; raises `Unreadable` for any other."""
    has_bom = content.startswith(_BOM)
    start = len(_BOM) if has_bom else 0
    if not content.startswith(b"<?xml", start):
        if content[:1] not in b"<\xef \t\r\n":
            raise Unreadable(_("This is not an XML document: no element was found at its start."))
        return "utf-8"
    match = _DECLARATION.match(content, start)
    if match is None:
        raise Unreadable(_("The XML declaration at the start of the file is not understood."))
    declared = (match[1] or match[2] or b"utf-8").decode("ascii").lower()
    encoding = _ENCODINGS.get(declared)
    if encoding is None or (has_bom and encoding != "utf-8"):
        raise Unreadable(
            _("The file is in the encoding “%(encoding)s”; only UTF-8 and ISO-8859-1 are read."),
            {"encoding": declared},
        )
    return encoding


def _refuse_document_type(root: etree._Element | None) -> None:
    if root is not None and root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(_("The file has a document type declaration (DOCTYPE), which is never accepted."))


def _not_well_formed(error: Exception) -> Unreadable:
    # The parser's own words may quote the content, which may hold personal numbers: only the place is told.
    line, column = getattr(error, "position", (0, 0))
    if not line:
        return Unreadable(_("The file is not well-formed XML."))
    return Unreadable(
        _("The file is not well-formed XML: see line %(line)d, column %(column)d."),
        {"line": line, "column": column},
    )
