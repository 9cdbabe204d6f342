"""The form of a training for many workers, driven by the table of fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, cast
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mandates.models import Employer
from submissions import encoding
from submissions.fields import BY_NAME, FIELDS
from submissions.templating import SUGGESTED
from submissions.views.forms import MinutesField, form_field

_AMOUNT: Final = re.compile(r"(\d{1,5})(?:[.,](\d{1,2}))?")
_AMOUNTS: Final = ("duration_minutes", "charged_minutes")
_TEXTS: Final = frozenset(column.name for column in FIELDS if column.kind in ("text", "choice"))

GROUPS: Final = (
    (
        gettext_lazy("Which training, when, how long"),
        (
            *("title", "nature", "starts_on", "ends_on"),
            *("duration_minutes", "duration_unit", "kind", "status"),
        ),
        False,
    ),
    (
        gettext_lazy("What is charged, who pays"),
        ("charged_minutes", "day_minutes", "has_own_days", "funding", "working_hours"),
        True,
    ),
    (
        gettext_lazy("Result, certificate, provider, cost"),
        ("result", "certificate", "certificate_valid_until", "provider", "cost_cents", "domain"),
        True,
    ),
)
"""The fields as they are shown: title of the group, names, and whether it opens only when it is wanted."""


class AmountField(MinutesField):
    """A duration, or a bare number of what the training is counted in. In Python: minutes, or a Decimal."""

    def to_python(self, value: Any) -> Any:
        """Minutes, a number of hours or days, or None."""
        found = _AMOUNT.fullmatch(str(value or "").strip())
        if found:
            return Decimal(f"{found[1]}.{found[2] or 0}")
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(
                _("Write a number, such as 1 or 1,5, or hours and minutes: 7 h 36.")
            ) from None


_UNKNOWN: Final = dict.fromkeys(
    ("required", "invalid"),
    gettext_lazy("Open the page of a new training again: this form did not come from it."),
)


class CourseForm(forms.Form):
    """Every field of a training but the worker, with what is usual filled in.

    `key` stays the same from the first page to the last, so that the same form makes nothing twice. `draft` is "1"
    for a training that may still miss something. `chosen` carries the ids of the workers from page to page.
    """

    key = forms.UUIDField(widget=forms.HiddenInput, label=gettext_lazy("Form"), error_messages=_UNKNOWN)
    draft = forms.CharField(widget=forms.HiddenInput, required=False)
    has_own_days = forms.BooleanField(
        label=gettext_lazy("Other normal days count as they are"),
        help_text=gettext_lazy("A day is then as long as each worker's contract says."),
        required=False,
        initial=True,
    )

    def __init__(
        self,
        employer: Employer,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.employer = employer
        super().__init__(data, initial={"key": uuid4(), **_shown(initial or {})})
        for column in FIELDS:
            self.fields[column.name] = form_field(column)
        for name in _AMOUNTS:
            self.fields[name] = AmountField(label=str(BY_NAME[name].label), required=False)
        self.fields["duration_minutes"].help_text = _(
            "A number, such as 1 or 1,5, or 7 h 36. Breaks not included."
        )
        self.fields["charged_minutes"].help_text = _("Empty for the whole duration; 0 for nothing.")
        self.fields["ends_on"].help_text = _("Empty for a training of one day.")
        self.texts: Mapping[str, list[str]] = {}

    def offer(self, texts: Mapping[str, list[str]]) -> None:
        """Lets the fields offer what was typed before, by name of the field."""
        self.texts = {name: texts[name] for name in SUGGESTED if texts.get(name)}
        for name in self.texts:
            self.fields[name].widget.attrs["list"] = f"{name}_texts"

    @property
    def is_draft(self) -> bool:
        """Whether something may be missing still."""
        return str(self["draft"].value()) == "1"

    def groups(self) -> Iterator[dict[str, Any]]:
        """The groups of fields; one with a fault, or with something in it that is not usual, is open."""
        for title, names, may_close in GROUPS:
            bound = [self[name] for name in names]
            is_open = any(field.errors for field in bound)
            yield {"title": title, "fields": bound, "may_close": may_close, "is_open": is_open}

    def clean(self) -> dict[str, Any]:
        """The values of the table of fields, judged by it."""
        given = {column.name: self.cleaned_data.get(column.name) for column in FIELDS}
        values = {name: "" if value is None and name in _TEXTS else value for name, value in given.items()}
        values["ends_on"] = values["ends_on"] or (None if "ends_on" in self.errors else values["starts_on"])
        for name in _AMOUNTS:
            values[name] = self._minutes(values[name], values)
        for name, sentences in encoding.problems(values, is_draft=self.is_draft).items():
            if name not in self.errors and not (name == "ends_on" and "starts_on" in self.errors):
                self.add_error(name, sentences)
        if not self.errors and (
            sentence := encoding.signed_off(self.employer, cast(date, values["ends_on"]))
        ):
            self.add_error("ends_on", sentence)
        return {**self.cleaned_data, **values}

    def values(self) -> dict[str, Any]:
        """What was judged sound, by the names of the table of fields."""
        return {column.name: self.cleaned_data[column.name] for column in FIELDS}

    def _minutes(self, value: Any, values: Mapping[str, Any]) -> int | None:
        """Minutes of a number of days or hours, to the nearest one."""
        if not isinstance(value, Decimal):
            return value  # type: ignore[no-any-return]
        unit = values["day_minutes"] if values["duration_unit"] == "days" else 60
        return int((value * (unit or 0)).quantize(Decimal(1), ROUND_HALF_UP))


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values to begin with; what is counted in days is shown in days where that is a whole or a half."""
    shown = dict(values)
    day = values.get("day_minutes")
    for name in _AMOUNTS:
        minutes = values.get(name)
        if values.get("duration_unit") == "days" and day and minutes and minutes * 2 % day == 0:
            shown[name] = f"{Decimal(minutes) / day:.1f}".replace(".", ",").removesuffix(",0")
    if values.get("charged_minutes") is not None and values["charged_minutes"] == values.get(
        "duration_minutes"
    ):
        shown["charged_minutes"] = None
    elif values.get("charged_minutes") == 0:
        shown["charged_minutes"] = "0"
    return shown
