"""Judges a file by an official schema, and says line, column and cause of its first fault.

Schemas come from the set that the installation loaded (www.socialsecurity.be/docu_xml/); what they include or import is
looked for in that set only, never on a disk or a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from lxml import etree

from submissions.wire.hostile import parse

type Find = Callable[[str], bytes | None]
"""The content of a schema by its file name, or None."""

_XSD: Final = "{http://www.w3.org/2001/XMLSchema}"


class UnusableSchema(ValueError):
    """A schema that cannot be compiled; ``str()`` says why, in the words of the compiler."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place where a file is not what its schema admits. `line` and `column` count from 1.

    `message` is the compiler's, in English. It may quote the content: mask it before it is shown.
    """

    line: int
    column: int
    message: str


def compile_schema(name: str, find: Find) -> etree.XMLSchema:
    """The schema of that file name. Raises `UnusableSchema` when it, or what it includes, is missing or wrong."""
    missing: list[str] = []

    class _LoadedSet(etree.Resolver):  # type: ignore[misc]
        def resolve(self, url: str, public_id: str, context: object) -> object:
            content = find(_file_name(url))
            if content is None:
                missing.append(_file_name(url))
                return self.resolve_string(b"<missing/>", context)
            return self.resolve_string(content, context)

    content = find(name)
    if content is None:
        raise UnusableSchema(f"{name} is not there")
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_LoadedSet())
    try:
        root = etree.fromstring(content, parser, base_url=name)
        if root.tag != f"{_XSD}schema":
            raise UnusableSchema(f"{name} is no XML schema: its root is {root.tag}")
        if root.getroottree().docinfo.internalDTD is not None:
            raise UnusableSchema(f"{name} has a document type declaration")
        return etree.XMLSchema(root)
    except etree.LxmlError as error:
        if missing:
            raise UnusableSchema(f"{name} needs {missing[0]}, which is not there") from None
        raise UnusableSchema(f"{name}: {error}") from None


def _file_name(url: str) -> str:
    return re.split(r"[/\\]", url)[-1]


def first_fault(schema: etree.XMLSchema, content: bytes, *, max_bytes: int) -> Fault | None:
    """Where `content` breaks the schema first, or None when it is valid. Raises `Unreadable` like `parse`."""
    root = parse(content, max_bytes=max_bytes)
    if schema.validate(root):
        return None
    error = schema.error_log[0]
    found = root.xpath(error.path) if error.path else []
    line, column = _place(content, root, found[0]) if found else (error.line or 1, 1)
    return Fault(line, column, error.message)


class _Found(Exception):
    pass


def _place(content: bytes, root: etree._Element, element: etree._Element) -> tuple[int, int]:
    """Line and column of the start tag of an element: libxml2 keeps no column, and lines up to 65535 only."""
    elements = root.iter(etree.Element)
    rank = next(number for number, one in enumerate(elements) if one is element)
    parser = expat.ParserCreate()
    seen, place = -1, (element.sourceline or 1, 1)

    def start(_name: str, _attributes: object) -> None:
        nonlocal seen, place
        seen += 1
        if seen == rank:
            place = (parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
            raise _Found

    parser.StartElementHandler = start
    # What libxml2 could read and expat cannot keeps the line that libxml2 gave.
    with suppress(_Found, expat.ExpatError):
        parser.Parse(content, True)
    return place
