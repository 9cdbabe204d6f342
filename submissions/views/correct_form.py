"""The fields to correct of one page of refusals: the element that social security named, once per declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mandates.numbers import NumberError, parse_niss
from submissions.fields import BY_ELEMENT, Field, judge
from submissions.models import Declaration
from submissions.views.forms import form_field

NUMBER: Final = frozenset({"INSS", "WorkerINSS"})
"""Elements that hold the worker's own number."""

ALL: Final = "all"
"""Name of the field whose value is for everybody."""


class NissField(forms.CharField):
    """A personal number as people write it. In Python: 11 digits, "" when it was left empty."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"inputmode": "numeric", "autocomplete": "off"}
        super().__init__(max_length=30, required=False, widget=forms.TextInput(attrs=attributes), **kwargs)

    def clean(self, value: Any) -> str:
        """The digits, or what is wrong with them in words."""
        text = super().clean(value)
        if not text:
            return ""
        try:
            return parse_niss(text)
        except NumberError as error:
            raise ValidationError(str(error)) from None


class CorrectForm(forms.Form):
    """One control for each declaration of a page; of several also one whose value all of them get.

    `column` is the field of the training that the answer names; None for the worker's number, which is never shown.
    Beside each control stands when its training was read: what somebody else changed meanwhile is not overwritten.
    """

    def __init__(
        self,
        rows: Sequence[Declaration],
        column: Field | None,
        data: Mapping[str, Any] | None = None,
        *,
        is_for_all: bool = False,
    ) -> None:
        self.rows, self.column, self.is_for_all = rows, column, is_for_all
        super().__init__(data, auto_id="id_%s")
        for row in rows:
            self.fields[f"value_{row.pk}"] = self._control(row)
            if row.record is not None and column is not None:
                seen = forms.CharField(widget=forms.HiddenInput, required=False)
                seen.initial = row.record.changed_at.isoformat()
                self.fields[f"seen_{row.pk}"] = seen
        if column is not None and (len(rows) > 1 or is_for_all):
            self.fields[ALL] = form_field(column)
            self.fields[ALL].help_text = ""
        if rows and not self.is_bound:
            # Whoever opens the page may type at once.
            self.fields[f"value_{rows[0].pk}"].widget.attrs["autofocus"] = True

    def _control(self, row: Declaration) -> forms.Field:
        if self.column is None:
            return NissField(
                label=gettext_lazy("Right personal number"),
                help_text=gettext_lazy("All 11 digits, as on the identity card."),
            )
        control = form_field(self.column)
        if row is not self.rows[0]:
            control.help_text = ""  # said once, beside the first
        control.initial = getattr(row.record, self.column.name) if row.record else None
        return control

    def controls(self) -> dict[int, forms.BoundField]:
        """The control of each declaration, by its id."""
        return {row.pk: self[f"value_{row.pk}"] for row in self.rows}

    def clean(self) -> dict[str, Any]:
        """Judges each value by itself; what does not fit together is judged where it is written."""
        cleaned = self.cleaned_data
        if self.column is not None:
            names = [ALL] if self.is_for_all else [f"value_{row.pk}" for row in self.rows]
            for name in names:
                self._judge(self.column, name)
        for row in () if self.is_for_all else self.rows:
            seen = cleaned.get(f"seen_{row.pk}")
            if seen and row.record is not None and seen != row.record.changed_at.isoformat():
                text = _("Somebody else changed this training meanwhile: look at its present value.")
                self.add_error(f"value_{row.pk}", text)
        return cleaned

    def _judge(self, column: Field, name: str) -> None:
        value = self.cleaned_data.get(name)
        if name in self.errors:
            return
        if value is None or value == "":
            if column.required or name == ALL:
                self.add_error(name, _("Fill in this field: the declaration cannot leave without it."))
        elif flaw := judge(column, value):
            self.add_error(name, _(flaw.sentence) % flaw.values)

    def changes(self) -> dict[int, dict[str, Any]]:
        """The values that differ from what stands in the register, by declaration."""
        if self.column is None:
            return {}
        name = self.column.name
        return {
            row.pk: {name: self._value(f"value_{row.pk}")}
            for row in self.rows
            if row.record is not None and self._value(f"value_{row.pk}") != getattr(row.record, name)
        }

    def numbers(self) -> dict[int, str]:
        """The personal numbers that were typed, by declaration."""
        return {row.pk: text for row in self.rows if (text := self.cleaned_data.get(f"value_{row.pk}"))}

    def for_all(self) -> dict[str, Any]:
        """The value for everybody, by the name of the field."""
        return {self.column.name: self._value(ALL)} if self.column else {}

    def _value(self, name: str) -> Any:
        value = self.cleaned_data[name]
        is_text = self.column is not None and self.column.kind in ("text", "choice")
        return "" if value is None and is_text else value


def column_of(tag: str, service: str) -> Field | None:
    """The field of a training that an element of the form holds."""
    return BY_ELEMENT.get(tag) if service == "FLA" else None


def takes_number(tag: str, service: str) -> bool:
    """Whether an element holds the number of the worker, of which the register has one to correct."""
    return tag in NUMBER and service == "FLA"
