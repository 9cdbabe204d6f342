"""The headings that people write above their columns, recognised in any of the four languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import override


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name on the pages, the heading of the template by language, and what else it may be called."""

    label: str | Promise
    headings: Mapping[str, str]
    others: tuple[str, ...] = ()
    is_needed: bool = False
    hint: str | Promise = ""


class Fault(NamedTuple):
    """What is wrong in one field of a row: the English sentence, which the catalogues know, and its values."""

    column: str
    sentence: str
    values: dict[str, Any] = {}


def plain(heading: str) -> str:
    """A heading without capitals, accents and signs: `N° d’entreprise` is `n d entreprise`."""
    letters = unicodedata.normalize("NFD", heading.casefold().replace("°", " "))
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", " ", kept).strip()


def by_heading(columns: Mapping[str, Column]) -> dict[str, str]:
    """The name of a column by each of its headings, as `plain` writes them."""
    return {
        plain(heading): name
        for name, column in columns.items()
        for heading in (*column.headings.values(), *column.others)
    }


def named(codes: Mapping[str, str | Promise]) -> dict[str, str]:
    """Codes by themselves and by their names in every language, without regard to case."""
    found = {code.casefold(): code for code in codes}
    for language, _label in settings.LANGUAGES:
        with override(language):
            found |= {str(label).casefold(): code for code, label in codes.items()}
    return found


def headings_of(columns: Iterable[Column], language: str) -> list[str]:
    """The headings of a template in a language."""
    return [column.headings.get(language, column.headings["en"]) for column in columns]
