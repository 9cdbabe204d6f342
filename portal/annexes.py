"""The official texts of codes: what the annexes say that `manage.py load_annexes` loaded, asked by code and quarter.

Annexes are published in French and Dutch only (www.socialsecurity.be/docu_xml/). Other readers get the French text,
marked as such. Every process keeps the texts: it asks the database once a minute whether something new was loaded.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from portal.models import AnnexText, PublishedAnnex

FORMS: Final = 11
COMMITTEES: Final = 26
ERRORS: Final = 30

ASK_AGAIN_AFTER: Final = 60.0
"""Seconds after which a process asks whether an annex was loaded meanwhile."""


class InLanguage(str):
    """A text in another language than the page: a template shows it in an element that says which one it is.

    It is a plain text everywhere else. In an attribute of HTML write `str(text)` or leave it out.
    """

    __slots__ = ("language",)

    language: str

    def __new__(cls, text: str, language: str) -> InLanguage:
        """`language` is a code such as `fr`."""
        made = super().__new__(cls, text)
        made.language = language
        return made

    def __html__(self) -> SafeString:
        """The text as HTML, with its language."""
        return format_html('<span lang="{}">{}</span>', self.language, str.__str__(self))

    def __str__(self) -> str:
        return str.__str__(self)


@dataclass(frozen=True, slots=True)
class Text:
    """What an annex says of one code. `version`, `begins` and `ends` are quarters (YYYYQ)."""

    version: str
    begins: str
    ends: str
    fr: str
    nl: str

    def for_reader(self) -> str:
        """The text in the reader's language; the French one, marked, for who reads neither French nor Dutch."""
        match (get_language() or "fr")[:2]:
            case "fr":
                return self.fr
            case "nl":
                return self.nl
        return InLanguage(self.fr, "fr")


type Texts = Mapping[tuple[int, str], tuple[Text, ...]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a process knows: `stamp` tells whether something was loaded since, `until` when to ask (monotonic)."""

    until: float
    stamp: tuple[int, int]
    texts: Texts


_NOTHING: Final = Kept(0.0, (0, 0), {})
_kept: Kept = _NOTHING


def forget() -> None:
    """Makes this process ask the database at the next question."""
    global _kept
    _kept = _NOTHING


def _texts() -> Texts:
    global _kept
    kept, now = _kept, time.monotonic()
    if now < kept.until:
        return kept.texts
    # Two figures: an annex that took longer to load than a later one changes the count only.
    found = PublishedAnnex.objects.aggregate(newest=Max("pk"), count=Count("pk"))
    stamp = (found["newest"] or 0, found["count"])
    texts = kept.texts if stamp == kept.stamp else _read()
    _kept = Kept(now + ASK_AGAIN_AFTER, stamp, texts)
    return texts


def _read() -> Texts:
    rows = AnnexText.objects.order_by("-annex__version", "-annex_id", "-begins").values_list(
        "annex__number", "code", "annex__version", "begins", "ends", "fr", "nl"
    )
    found: defaultdict[tuple[int, str], list[Text]] = defaultdict(list)
    for number, code, *text in rows.iterator():
        found[number, code].append(Text(*text))
    return {key: tuple(texts) for key, texts in found.items()}


def present_quarter() -> str:
    """The quarter of today in Belgium, YYYYQ."""
    today = timezone.localdate()
    return f"{today.year:04d}{(today.month + 2) // 3}"


def text(annex: int, code: str, quarter: str = "") -> Text | None:
    """What the annex of this number says of `code` in a quarter (YYYYQ), today's if none is given; None if nothing.

    The version that held then counts, the latest that began no later; a code that it does not know, or not for that
    quarter, is looked up in the earlier ones, then in the later ones: an old text says more than a bare code.
    """
    known = _texts().get((annex, code), ())
    if not known:
        return None
    quarter = quarter or present_quarter()
    held = [one for one in known if one.version <= quarter]
    in_order = [*held, *(one for one in reversed(known) if one.version > quarter)]
    return next((one for one in in_order if one.begins <= quarter <= one.ends), in_order[0])


def loaded() -> list[PublishedAnnex]:
    """The version of each annex that counts today, by number. One query."""
    rows = PublishedAnnex.objects.filter(version__lte=present_quarter()).order_by("number", "-version", "-pk")
    return list(rows.distinct("number"))
