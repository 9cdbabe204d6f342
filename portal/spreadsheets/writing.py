"""Cells for spreadsheets: what is text stays text, and nothing becomes a formula."""

from __future__ import annotations

import re
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_LOSES_DIGITS: Final = re.compile(r"0[0-9]+|[0-9]{11,}")
"""What a spreadsheet would take for a number, and not give back as it was: 11 digits turn into 8.5E+10 on a save."""


def cell(text: str) -> str:
    """The text of a cell: never a formula (CWE-1236), and never a number that loses its zeros in front."""
    is_unsafe = text.lstrip(" ").startswith(_FORMULA) or _LOSES_DIGITS.fullmatch(text)
    return f"'{text}" if is_unsafe else text
