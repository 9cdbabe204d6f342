"""The words of figures, and of what a list of declarations was narrowed to when somebody followed one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from channels.models import EnvironmentCode
from portal import lists
from submissions.figures import ANSWERED, APPROVED, DECLARED, Asked, Period
from submissions.words import heading

LABELS: Final[Mapping[str, str | Promise]] = {
    DECLARED: pgettext_lazy("figures", "Declared"),
    "accepted": pgettext_lazy("figures", "Accepted without remarks"),
    "remarks": pgettext_lazy("figures", "With remarks"),
    "refused": pgettext_lazy("figures", "Refused"),
    "waiting": pgettext_lazy("figures", "Waiting"),
    ANSWERED: pgettext_lazy("figures", "Answered"),
    APPROVED: pgettext_lazy("figures", "Accepted"),
}


def month_words(first: date) -> str:
    """A month in words: `October 2026`."""
    return date_format(first, "F Y")


def period_words(period: Period) -> str:
    """A period in words: `October 2026`, or `January 2026 – October 2026`."""
    first, last = month_words(period.first), month_words(period.last)
    return first if first == last else f"{first} – {last}"


def figure_chips(asked: Asked, kept: Mapping[str, str]) -> list[dict[str, Any]]:
    """A chip for each thing that a figure narrows a list to, with the way to the list without it."""
    words: list[tuple[str, tuple[str, ...]]] = []
    if asked.figure:
        words.append((str(LABELS[asked.figure]), ("figure",)))
    if asked.period:
        label = _("Encoded in %(period)s") % {"period": period_words(asked.period)}
        words.append((label, ("from", "to")))
    if asked.service:
        words.append((asked.service, ("service",)))
    if asked.environment:
        words.append((str(EnvironmentCode(asked.environment).label), ("environment",)))
    if asked.code:
        words.append((str(heading(asked.code, "", asked.tag)), ("code", "tag")))
    return [
        {
            "label": f"{label} ×",
            "count": None,
            "url": lists.address(**{**kept, **dict.fromkeys(names, "")}),
            "is_current": True,
        }
        for label, names in words
    ]
