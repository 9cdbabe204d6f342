"""Faults in the reader's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext

from portal.templatetags.presenting import quarter
from submissions.fields import BY_NAME
from submissions.importing.kinds import KINDS
from submissions.importing.rights import DECISION
from submissions.models.right import Decision


def told(fault: Sequence[Any]) -> str:
    """What is wrong, of [column, English sentence, values, what stands there]."""
    column, sentence, values, *_typed = fault
    text = gettext(sentence)
    if "codes" in values and column in BY_NAME:
        values = values | {"codes": ", ".join(str(one.label) for one in BY_NAME[column].choices.values())}
    if "codes" in values and column == DECISION:
        values = values | {"codes": ", ".join(map(str, Decision.labels))}
    if "quarter" in values:
        values = values | {"quarter": quarter(values["quarter"])}
    return text % values if values else text


def label(kind: str, column: str) -> str:
    """The name of a column."""
    found = KINDS[kind].columns.get(column)
    return capfirst(str(found.label)) if found else ""


def sentence(kind: str, fault: Sequence[Any]) -> str:
    """The name of the column, and what is wrong in it."""
    return f"{label(kind, fault[0])}: {told(fault)}"
