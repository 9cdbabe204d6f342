"""Annexes as social security publishes them, with texts of our own."""

from __future__ import annotations

from collections.abc import Sequence

ROOTS = {11: "form-identification", 26: "joint-committee", 30: "error-code"}

type Row = tuple[str, str, str] | tuple[str, str, str, str, str]
"""Code, French, Dutch, and first and last quarter (YYYYQ) where it does not always hold."""


def code(annex: int, code: str, fr: str, nl: str, begins: str = "19001", ends: str = "99994") -> str:
    """One code of an annex."""

    def quarter(name: str, value: str) -> str:
        return f"<{name}><year>{value[:4]}</year><quarter>{value[4]}</quarter></{name}>"

    return (
        f"<{ROOTS[annex]}><code>{code}</code><description><nl>{nl}</nl><fr>{fr}</fr></description>"
        f"{quarter('begin-validity', begins)}{quarter('end-validity', ends)}</{ROOTS[annex]}>"
    )


def annex(number: int, rows: Sequence[Row]) -> bytes:
    """A whole annex."""
    root = f"{ROOTS[number]}s"
    inside = "\n".join(code(number, *row) for row in rows)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<!-- our own -->\n<{root}>\n{inside}\n</{root}>'.encode()


ERRORS = annex(
    30,
    [
        ("998", "Erreur de l'essai", "Fout van de proef"),
        ("999", "Encore\n      une erreur", "Nog een fout"),
        ("001", "Absent", "Afwezig"),
    ],
)
NAME = "Erreurs2024-1_30.xml"
