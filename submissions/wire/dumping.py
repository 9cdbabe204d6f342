"""Any element as plain data, so that nothing of an answer is lost where only some of it is understood."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from lxml import etree

from mandates.numbers import mask_in_text, mask_niss

type Dump = str | dict[str, Any]

_PERSONAL: Final = frozenset({"INSS", "INSSUser", "SIS"})
_ELEVEN_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{11}(?![0-9A-Za-z])")


def dump(element: etree._Element, show: Callable[[str, str], str]) -> Dump:
    """The text of an element without children, else its children by local name, in order; a list where one
    repeats.

    Attributes are keyed ``@name``, a namespace other than the parent's ``@xmlns``, text beside children
    ``#text``. `show` is given each local name and text, and says what is shown: `masked`, or the text
    itself.
    """
    found: dict[str, Any] = {}
    parent = element.getparent()
    namespace = etree.QName(element).namespace
    if namespace and (parent is None or etree.QName(parent).namespace != namespace):
        found["@xmlns"] = namespace
    for name, value in element.attrib.items():
        found[f"@{etree.QName(name).localname}"] = show(etree.QName(name).localname, value)
    for child in element:
        name = etree.QName(child).localname
        value = dump(child, show)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    text = show(etree.QName(element).localname, (element.text or "").strip())
    if not found:
        return text
    if text:
        found["#text"] = text
    return found


def masked(name: str, text: str) -> str:
    """`text` without the personal numbers in it; what stands in an element for such a number is never shown
    whole.

    Numbers that do not pass the check are masked as well: the wrong number in an anomaly is still somebody's.
    """
    if name in _PERSONAL:
        return mask_niss(text) if text.isdigit() and len(text) == 11 else "***" if text else ""
    return _ELEVEN_DIGITS.sub(lambda found: mask_niss(found[0]), mask_in_text(text))


def plain(_name: str, text: str) -> str:
    """The text itself."""
    return text
