"""Anomaly codes in words: what happened, what to do about it, and what has to be mended.

An ErrorID is five digits of a zone (or `ACRF`), a dash and three digits of annex 30, the list of error codes that
social security publishes (www.socialsecurity.be/docu_xml/). The three digits carry the meaning, so a code of a zone
that this table does not name still gets the words of its number. A code without words of ours gets the official text,
when the installation has loaded the annex; one that nobody here knows is shown as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal import annexes
from submissions.fields import BY_ELEMENT
from submissions.words.parties import BY_CODE, PARTIES
from submissions.words.saying import LOOK_AT_BATCH, SEE_REFUSALS, Correction, Text, Words
from submissions.words.sets import SETS, TELL_US
from submissions.words.values import VALUES

__all__ = [
    "BY_CODE",
    "BY_NUMBER",
    "NOT_BLOCKING",
    "NO_CAUSE",
    "Correction",
    "Text",
    "Words",
    "heading",
    "is_blocking",
    "words",
]

NOT_BLOCKING = ("W", "NB", "I")
"""Classes of anomalies that never cause a refusal by themselves: warning, non-blocking, investigation."""

_OF_A_SET = "ACRF-"
"""How the codes begin that a receipt gives to a whole set: no line of a declaration is meant."""

BY_NUMBER: Mapping[str, Words] = MappingProxyType({**SETS, **VALUES, **PARTIES})

NO_CAUSE = Words(
    _("Refused without a cause"),
    _("Social security refused the declaration and did not say why."),
    _("Look at the answer as it came, and ask the contact centre of social security."),
    SEE_REFUSALS,
    Correction.UNKNOWN,
)


def words(code: str, label: str = "", quarter: str = "") -> Words:
    """The words of an ErrorID; those of an unknown one repeat it and the `label` that came with it.

    The official text of a code without words of ours is the one that holds in `quarter` (YYYYQ), that of today if none
    is given; in another language than the reader's it says so (`annexes.InLanguage`). An empty `code` means a refusal
    that came without any anomaly.
    """
    if not code:
        return NO_CAUSE
    number = code.rpartition("-")[2]
    return (
        BY_CODE.get(code)
        or BY_NUMBER.get(number)
        or _official(code, number, quarter)
        or _unknown(code, label)
    )


def heading(code: str, label: str = "", tag: str = "", quarter: str = "") -> Text:
    """The title of an ErrorID for a list, with the field it is about where the words do not name one themselves."""
    found = words(code, label, quarter)
    if not tag or code in BY_CODE or found.correction is not Correction.FIELD:
        return found.title
    field = BY_ELEMENT.get(tag)
    return gettext("%(title)s: %(field)s") % {"title": found.title, "field": field.label if field else tag}


def _official(code: str, number: str, quarter: str) -> Words | None:
    text = annexes.text(annexes.ERRORS, number, quarter)
    if text is None:
        return None
    what = gettext(
        "Social security answered with the code %(code)s. The title is its own text, from annex 30 of %(version)s."
    ) % {"code": code, "version": f"{text.version[:4]}/{text.version[4]}"}
    if code.startswith(_OF_A_SET):
        return Words(text.for_reader(), what, TELL_US, LOOK_AT_BATCH, Correction.PORTAL)
    todo = gettext("Look at the raw line: it names what is meant. Correct that, then declare again.")
    return Words(text.for_reader(), what, todo, gettext("Look"), Correction.UNKNOWN)


def _unknown(code: str, label: str) -> Words:
    title = label or gettext("Code %(code)s") % {"code": code}
    return Words(
        title,
        gettext("Social security answered with the code %(code)s, for which this portal has no words.")
        % {"code": code},
        gettext("Look at the raw line, and look the code up in annex 30 of social security."),
        gettext("Look"),
        Correction.UNKNOWN,
    )


def is_blocking(anomaly_class: str) -> bool:
    """Whether an anomaly of this class may be the cause of a refusal; an absent class is taken seriously."""
    return anomaly_class not in NOT_BLOCKING
