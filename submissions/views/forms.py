"""The form of a training record, made from the one table of fields, and judged by it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from portal.templatetags.presenting import duration
from submissions.fields import FIELDS, Field, problems
from submissions.models import TrainingRecord

_DURATION: Final = re.compile(
    r"(?:(?P<hours>\d{1,5})\s*(?:h|u|:)\s*(?P<minutes>[0-5]?\d)?|(?P<only>\d{1,6})\s*min)\.?", re.IGNORECASE
)
_AMOUNT: Final = re.compile(r"(?P<euros>\d{1,9})(?:[.,](?P<cents>\d{1,2}))?")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")


class MinutesField(forms.CharField):
    """A duration as people write it: `7 h 36`, `7:36`, `45 min`. In Python: minutes."""

    def to_python(self, value: Any) -> Any:
        """Minutes, or None. A bare number is refused: nobody knows whether it means hours or minutes."""
        text = _SPACES.sub(" ", super().to_python(value) or "").strip()
        if not text:
            return None
        found = _DURATION.fullmatch(text)
        if found is None:
            raise ValidationError(_("Write hours and minutes, such as 7 h 36, or 45 min."))
        if found["only"]:
            return int(found["only"])
        return int(found["hours"]) * 60 + int(found["minutes"] or 0)

    def prepare_value(self, value: Any) -> Any:
        """Minutes as `7 h 36`; what was typed stays as it was typed."""
        return duration(value).replace("\u00a0", " ") if isinstance(value, int) else value


class EurosField(forms.CharField):
    """An amount as people write it: `1 250,00`. In Python: cents."""

    def to_python(self, value: Any) -> Any:
        """Cents, or None."""
        text = _SPACES.sub("", super().to_python(value) or "").removesuffix("€")
        if not text:
            return None
        found = _AMOUNT.fullmatch(text)
        if found is None:
            raise ValidationError(_("Write an amount in euros, such as 1250,00."))
        return int(found["euros"]) * 100 + int((found["cents"] or "").ljust(2, "0"))

    def prepare_value(self, value: Any) -> Any:
        """Cents as `1250,00`; what was typed stays as it was typed."""
        return f"{value // 100},{value % 100:02}" if isinstance(value, int) else value


def form_field(column: Field) -> forms.Field:
    """The control of one column. Whether it may stay empty is for `problems` to say, in its own words."""
    common: dict[str, Any] = {"label": column.label, "help_text": column.hint, "required": False}
    match column.kind:
        case "choice":
            choices = [(value, choice.label) for value, choice in column.choices.items()]
            return forms.ChoiceField(choices=[("", "–"), *choices], **common)
        case "date":
            # Text, not the browser's own control: that one writes days as the browser likes, and takes no pasting.
            widget = forms.DateInput(format="%d/%m/%Y", attrs={"inputmode": "numeric", "autocomplete": "off"})
            common["help_text"] = format_lazy("{} {}", column.hint, _("Such as 21/11/2026."))
            formats = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%Y-%m-%d"]
            return forms.DateField(
                widget=widget,
                input_formats=formats,
                error_messages={"invalid": _("Write a day that exists, such as 21/11/2026.")},
                **common,
            )
        case "minutes":
            return MinutesField(**common)
        case "money":
            return EurosField(**common)
        case "text":
            return forms.CharField(**common)


class RecordForm(forms.Form):
    """Every field of a training record, filled in with what is known.

    `read_at` is the moment at which the record was read for this form: a change made meanwhile by somebody else is
    not overwritten in silence.
    """

    read_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, record: TrainingRecord, data: Mapping[str, Any] | None = None) -> None:
        self.record = record
        super().__init__(data, initial={**record.values(), "read_at": record.changed_at.isoformat()})
        for column in FIELDS:
            self.fields[column.name] = form_field(column)

    def clean(self) -> dict[str, Any]:
        """Judges the values by the table of fields: the same rules as imports and sending."""
        cleaned = {
            name: "" if value is None and name in _TEXT else value
            for name, value in self.cleaned_data.items()
        }
        for name, sentences in problems(cleaned).items():
            if name not in self.errors:
                self.add_error(name, sentences)
        if cleaned.get("read_at") != self.record.changed_at.isoformat():
            raise ValidationError(
                _("Somebody else changed this training meanwhile. Open it again, then make your change.")
            )
        return cleaned

    def changes(self) -> dict[str, Any]:
        """The columns whose value differs from the record's, with the new value."""
        return {
            column.name: self.cleaned_data[column.name]
            for column in FIELDS
            if self.cleaned_data[column.name] != getattr(self.record, column.name)
        }


_TEXT: Final = frozenset(column.name for column in FIELDS if column.kind in ("text", "choice"))
