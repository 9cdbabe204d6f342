"""Aligned text for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

_WIDEST = 60


def pairs(rows: Iterable[tuple[str, object]], indent: str = "  ") -> list[str]:
    """Lines of a label and a value, the values below one another; rows without value are left out."""
    shown = [(label, one_line(value)) for label, value in rows if value is not None and value != ""]
    width = max((_width(label) for label, _value in shown), default=0)
    return [f"{indent}{_pad(label, width)}  {value}" for label, value in shown]


def table(titles: Sequence[str], rows: Iterable[Sequence[object]], indent: str = "  ") -> list[str]:
    """Lines of a table under `titles`; columns without any value are left out, long values are cut."""
    texts = [["" if value is None else _cut(one_line(value)) for value in row] for row in rows]
    if not texts:
        return []
    used = [at for at in range(len(titles)) if any(row[at] for row in texts)]
    widths = {at: max(_width(titles[at]), *(_width(row[at]) for row in texts)) for at in used}
    lines = [[titles[at] for at in used], *([row[at] for at in used] for row in texts)]
    return [
        indent + "  ".join(_pad(text, widths[at]) for at, text in zip(used, line, strict=True)).rstrip()
        for line in lines
    ]


def one_line(value: object) -> str:
    """One line, without the characters by which a file could drive the terminal."""
    return "".join(c if c.isprintable() else " " for c in str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _width(text: str) -> int:
    """Columns on a terminal: two for wide East Asian characters, none for combining marks."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
