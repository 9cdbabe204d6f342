"""Documents that follow a published schema, made from the schema itself."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import pytest
from lxml import etree

from .samples import OFFICIAL

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
SCHEMAS: Final = {
    "ACRF": "ACRF_20231.xsd",
    "NOTIFICATION": "NOTIFICATION_20223.xsd",
    "IDFLUX": "IDFLUX_20231.xsd",
}
IMPOSSIBLE: Final = frozenset({"INSSUser"})
"""An optional number whose published pattern begins with an apostrophe: no number fits it."""
_FOREIGN: Final = "urn:somebody:else"


def path_of(root: str) -> Path:
    """Where the schema of a root lies; skips the test that asks for one that is not at hand."""
    path = OFFICIAL / SCHEMAS[root]
    if not path.exists():
        pytest.skip(
            f"the official schemas are not at {OFFICIAL.relative_to(OFFICIAL.parents[3])} (onss/official)"
        )
    return path


@cache
def validator(root: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(path_of(root)))


class Maker:
    """Makes documents of one schema. `takes` decides about an optional element, `counts` how often one repeats,
    `picks` which of so many alternatives; each is asked whenever there is something to decide."""

    def __init__(
        self,
        root: str,
        chance: Random,
        *,
        takes: Callable[[], bool],
        counts: Callable[[], int],
        picks: Callable[[int], int],
    ) -> None:
        self.schema = etree.parse(path_of(root)).getroot()
        self.root, self.chance = root, chance
        self.known = {(one.tag, one.get("name")): one for one in self.schema}
        self.takes, self.counts, self.picks = takes, counts, picks

    def document(self) -> etree._Element:
        return self._element(self._named("element", self.root))

    def names(self) -> set[str]:
        """Every element that a document of this schema may hold."""
        found: set[str] = set()
        waiting = [self._named("element", self.root)]
        while waiting:
            declared = waiting.pop()
            if declared.get("name") in found:
                continue
            found.add(declared.get("name"))
            kind = self._type(declared)
            while kind is not None:
                held = [one for one in kind.iter(f"{_XS}element") if one.get("maxOccurs") != "0"]
                waiting += [self._resolved(one) for one in held if one.get("ref") not in IMPOSSIBLE]
                base = kind.find(f"{_XS}complexContent/{_XS}extension")
                kind = None if base is None else self._named("complexType", base.get("base"))
        return found

    def _named(self, tag: str, name: str) -> etree._Element:
        return self.known[f"{_XS}{tag}", name]

    def _resolved(self, declared: etree._Element) -> etree._Element:
        return self._named("element", declared.get("ref")) if declared.get("ref") else declared

    def _type(self, declared: etree._Element) -> etree._Element | None:
        named = declared.get("type", "")
        if named and not named.startswith("xs:"):
            is_complex = (f"{_XS}complexType", named) in self.known
            return self._named("complexType" if is_complex else "simpleType", named)
        found = [one for one in declared if one.tag.endswith("Type")]
        return found[0] if found else None

    def _element(self, declared: etree._Element) -> etree._Element:
        made = etree.Element(declared.get("name"))
        kind = self._type(declared)
        if kind is not None and kind.tag == f"{_XS}complexType":
            self._fill(made, kind)
        else:
            made.text = _simple(self.chance, kind, declared.get("type", ""))
        return made

    def _fill(self, made: etree._Element, kind: etree._Element) -> None:
        extension = kind.find(f"{_XS}complexContent/{_XS}extension")
        if extension is not None:
            self._fill(made, self._named("complexType", extension.get("base")))
            kind = extension
        for group in kind:
            self._group(made, group)

    def _group(self, made: etree._Element, group: etree._Element) -> None:
        for _time in range(self._times(group)):
            if group.tag == f"{_XS}sequence":
                for one in group:
                    self._group(made, one)
            elif group.tag == f"{_XS}choice":
                alternatives = [one for one in group if one.get("maxOccurs") != "0"]
                self._group(made, alternatives[self.picks(len(alternatives))])
            elif group.tag == f"{_XS}element" and group.get("ref") not in IMPOSSIBLE:
                made.append(self._element(self._resolved(group)))
            elif group.tag == f"{_XS}any":
                etree.SubElement(made, f"{{{_FOREIGN}}}Own", given="yes").text = "own"

    def _times(self, group: etree._Element) -> int:
        least, most = int(group.get("minOccurs", "1")), group.get("maxOccurs", "1")
        if not least and not self.takes():
            return 0
        return max(least, 1, min(self.counts(), 9 if most == "unbounded" else int(most)))


def _simple(chance: Random, kind: etree._Element | None, named: str) -> str:
    """A text that the facets of a simple type admit."""
    restriction = None if kind is None else kind.find(f"{_XS}restriction")
    facets: dict[str, list[str]] = {}
    for facet in () if restriction is None else restriction:
        facets.setdefault(etree.QName(facet).localname, []).append(facet.get("value"))
    base = named if restriction is None else restriction.get("base")
    pattern = facets.get("pattern", [""])[0]
    if "enumeration" in facets:
        return chance.choice(facets["enumeration"])
    if pattern in _PATTERNS:
        return _PATTERNS[pattern](chance)
    if base == "xs:boolean":
        return chance.choice(("true", "false", "0", "1"))
    if base == "xs:date" or pattern == r"\d{4}-\d{2}-\d{2}":
        return str(date.fromordinal(chance.randint(700_000, 760_000)))
    if base in ("xs:integer", "xs:int", "xs:decimal"):
        digits = int(facets.get("totalDigits", ["9"])[0])
        least = int(facets.get("minInclusive", ["0"])[0])
        return str(chance.randint(least, int(facets.get("maxInclusive", [str(10**digits - 1)])[0])))
    exact = facets.get("length", [""])[0]
    least = int(exact or facets.get("minLength", ["1"])[0])
    most = int(exact or facets.get("maxLength", ["40"])[0])
    return "".join(chance.choices(_LETTERS, k=chance.randint(max(1, least), max(1, min(most, least + 40)))))


def _digits(*shape: str) -> Callable[[Random], str]:
    """Texts of one shape: 9 stands for any digit."""

    def make(chance: Random) -> str:
        return "".join(chance.choice(string.digits) if one == "9" else one for one in chance.choice(shape))

    return make


_LETTERS: Final = string.ascii_letters + string.digits + "éèçàüßïœ€ñ&<>\"'-./()"
_PATTERNS: Final[dict[str, Callable[[Random], str]]] = {
    r"(((0|1)\d)|(2[0-3]))[0-5]\d": _digits("0919", "1939", "2359"),
    r"(1|2|3)(0|1|2|3|4|5)\d{6}": _digits("10999999", "25999999"),
    r"0|00\d{9}|1\d{10}": _digits("0", "00199999999", "19999999999"),
    r"0|\d{9}|\d{10}": _digits("0", "199999999", "0999999999", "1899999999"),
    r"XXX|\d{3}|\d{3}(.)\d{2}|\d{3}(.)\d{2}(.)\d{2}": _digits("XXX", "999", "999.99", "999.99.99"),
    r"[+-]?\d{1,15}": _digits("-9", "999", "+9999"),
    r"[0]|\d{11}": _digits("0", "19999999999"),
    r"[A-Z]{2}[A-Za-z0-9]{0,28}": _digits("BE", "NLab999"),
    r"[\s\S]*\S[\s\S]*": _digits("une valeur 9"),
    r"\d{2}": _digits("99"),
    r"\d{2}:\d{2}:\d{2}.\d{3}": _digits("09:19:29.999", "13:59:59.999"),
    r"\d{3}": _digits("199"),
    r"\d{3},\d{2}": _digits("199,99"),
    r"\d{4}(1|2|3|4)": _digits("20191", "20194"),
    r"\d{4}-\d{2}": _digits("2919-11", "2919-02"),
    r"\p{L}": _digits("A", "é"),
}
