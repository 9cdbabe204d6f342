"""Forms of workers, contracts, and what their rights to training follow from."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mandates import joint_committees
from mandates.models import Contract
from mandates.numbers import NumberError, parse_niss
from submissions.models.right import FIRST_YEAR, LAST_YEAR, LONGEST_REASON, MOST_MINUTES, Decision
from submissions.views.document_form import day_field
from submissions.views.forms import MinutesField

_REQUIRED: Final = {"required": gettext_lazy("This is needed: fill it in.")}
_NUMBER: Final = re.compile(r"\d{1,6}(?:[.,]\d{1,2})?")
SHORTEST_DAY, LONGEST_DAY = 60, 720
"""Minutes of a normal day: the bounds of `submissions.fields`."""


class NumberField(forms.CharField):
    """A number with two decimals at most, as people write it: `62,5`. In Python: Decimal, or None."""

    def __init__(self, *, most: int, is_positive: bool = False, **kwargs: Any) -> None:
        self.most, self.is_positive = most, is_positive
        super().__init__(
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **kwargs
        )

    def to_python(self, value: Any) -> Any:
        """The number, or None for nothing."""
        text = re.sub(r"\s", "", super().to_python(value) or "").removesuffix("%")
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            raise ValidationError(_("Write a number with at most two decimals, such as 62,5."))
        number = Decimal(text.replace(",", "."))
        if number > self.most or (self.is_positive and not number):
            sentence = (
                _("Write a number above 0, up to %(most)d.")
                if self.is_positive
                else _("Write a number up to %(most)d.")
            )
            raise ValidationError(sentence % {"most": self.most})
        return number

    def prepare_value(self, value: Any) -> Any:
        """A Decimal as `62,5`; what was typed stays as it was typed."""
        return f"{value.normalize():f}".replace(".", ",") if isinstance(value, Decimal) else value


def _committee_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Joint committee"),
        help_text=gettext_lazy("The number, such as 200 or 149.01: type, then choose."),
        error_messages=_REQUIRED,
        widget=forms.TextInput(attrs={"list": "joint-committees", "autocomplete": "off"}),
    )


def _checked_committee(text: str, on: date) -> str:
    """The number of what was chosen; its name may stand behind it."""
    try:
        return joint_committees.check(text.partition("–")[0], on)
    except NumberError as error:
        raise ValidationError(str(error)) from None


class NamesForm(forms.Form):
    """How a worker is called, and in which language he is written to."""

    family_name = forms.CharField(label=gettext_lazy("Family name"), max_length=100, error_messages=_REQUIRED)
    given_name = forms.CharField(label=gettext_lazy("Given name"), max_length=100, error_messages=_REQUIRED)
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the worker"),
        choices=settings.LANGUAGES,
        initial="fr",
        error_messages=_REQUIRED,
    )


class WorkerForm(NamesForm):
    """A worker to add. The number is read as people write it."""

    niss = forms.CharField(
        label=gettext_lazy("NISS or BIS number"),
        help_text=gettext_lazy("Eleven digits, with or without dots. It is kept sealed."),
        error_messages=_REQUIRED,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    field_order = ("niss",)

    def clean_niss(self) -> str:
        """Eleven digits."""
        try:
            return parse_niss(self.cleaned_data["niss"], today=timezone.localdate())
        except NumberError as error:
            raise ValidationError(str(error)) from None


class ContractForm(forms.Form):
    """A contract: new, or to be corrected or ended. `follows` is the open contract that a new one may replace."""

    joint_committee = _committee_field()
    regime = NumberField(
        label=gettext_lazy("Work regime (%)"),
        help_text=gettext_lazy("100 for a full-timer, 50 for half time."),
        most=100,
        is_positive=True,
        error_messages=_REQUIRED,
    )
    day_minutes = MinutesField(
        label=gettext_lazy("Normal day of a full-timer"),
        help_text=gettext_lazy("7 h 36 in a week of 38 hours, 7 h 12 in one of 36."),
        error_messages=_REQUIRED,
    )
    entered_on = day_field(gettext_lazy("Entered on"), hint=gettext_lazy("Such as 21/11/2026."))
    left_on = day_field(
        gettext_lazy("Left on"),
        hint=gettext_lazy("The last day of the contract; empty while it goes on."),
        required=False,
    )
    replaces = forms.BooleanField(
        label=gettext_lazy("It replaces the present contract, which ends the day before"), required=False
    )

    def __init__(
        self, data: Any = None, *, contract: Contract | None = None, follows: Contract | None = None
    ) -> None:
        shown = contract or follows
        names = ("joint_committee", "regime", "day_minutes")
        initial: dict[str, Any] = {name: getattr(shown, name) for name in names} if shown else {}
        if contract:
            initial |= {"entered_on": contract.entered_on, "left_on": contract.left_on}
        initial = {"regime": Decimal(100), "day_minutes": 456, "replaces": True, **initial}
        super().__init__(data, initial=initial)
        if follows is None or contract is not None:
            del self.fields["replaces"]

    def clean_day_minutes(self) -> int:
        """Within the bounds of a day of work."""
        minutes: int = self.cleaned_data["day_minutes"]
        if not SHORTEST_DAY <= minutes <= LONGEST_DAY:
            raise ValidationError(_("A normal day lasts from 1 to 12 hours."))
        return minutes

    def clean(self) -> dict[str, Any]:
        """Days in their order, and a joint committee that existed when the contract began."""
        given = self.cleaned_data
        entered, left = given.get("entered_on"), given.get("left_on")
        if entered and left and left < entered:
            self.add_error("left_on", _("The contract ends before it starts."))
        if "joint_committee" in given:
            try:
                given["joint_committee"] = _checked_committee(
                    given["joint_committee"], entered or timezone.localdate()
                )
            except ValidationError as error:
                self.add_error("joint_committee", error)
        return given

    def values(self) -> dict[str, Any]:
        """The columns of the contract."""
        return {name: value for name, value in self.cleaned_data.items() if name != "replaces"}


class SizeForm(forms.Form):
    """The size of an enterprise in one year."""

    year = forms.TypedChoiceField(
        label=gettext_lazy("Year of the right"), coerce=int, error_messages=_REQUIRED
    )
    fte = NumberField(
        label=gettext_lazy("Full-time equivalents"),
        help_text=gettext_lazy(
            "The average from the fourth quarter of two years before to the third of the year before: 19,5."
        ),
        most=999_999,
        error_messages=_REQUIRED,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"year": timezone.localdate().year})
        years = range(timezone.localdate().year + 1, FIRST_YEAR - 1, -1)
        self.fields["year"].choices = [(year, str(year)) for year in years]  # type: ignore[attr-defined]


class AgreementForm(forms.Form):
    """One step of the growth path of a sector agreement."""

    joint_committee = _committee_field()
    number = forms.CharField(
        label=gettext_lazy("Registration number"),
        help_text=gettext_lazy("Of the collective agreement, such as 183215/CO/200."),
        max_length=30,
        error_messages=_REQUIRED,
    )
    from_year = forms.IntegerField(
        label=gettext_lazy("From the year"),
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        error_messages=_REQUIRED,
    )
    until_year = forms.IntegerField(
        label=gettext_lazy("To the year"),
        help_text=gettext_lazy("Empty when no end is agreed."),
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        required=False,
    )
    days = NumberField(
        label=gettext_lazy("Days a year from 20 FTE on"),
        help_text=gettext_lazy("Of a full-timer; the law wants 2 at least."),
        most=60,
        error_messages=_REQUIRED,
    )
    small_days = NumberField(
        label=gettext_lazy("Days a year from 10 to 19 FTE"),
        help_text=gettext_lazy(
            "Empty when the agreement does not speak of them: then it is the 1 of the law."
        ),
        most=60,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Years in their order, and a joint committee that existed then."""
        given = self.cleaned_data
        since, until = given.get("from_year"), given.get("until_year")
        if since and until and until < since:
            self.add_error("until_year", _("This year comes before the first one."))
        if "joint_committee" in given and since:
            try:
                given["joint_committee"] = _checked_committee(given["joint_committee"], date(since, 1, 1))
            except ValidationError as error:
                self.add_error("joint_committee", error)
        return given


class DecisionForm(forms.Form):
    """What somebody decides by hand about the right of a year."""

    what = forms.ChoiceField(
        label=gettext_lazy("What is decided"), choices=Decision.choices, error_messages=_REQUIRED
    )
    minutes = MinutesField(
        label=gettext_lazy("How much"),
        help_text=gettext_lazy("Hours and minutes: one day is 7 h 36 in a week of 38 hours."),
        error_messages=_REQUIRED,
    )
    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        help_text=gettext_lazy("It is kept in the history."),
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": LONGEST_REASON}),
        max_length=LONGEST_REASON,
        error_messages=_REQUIRED,
    )

    def clean_minutes(self) -> int:
        """At most a thousand hours: more is a typing mistake."""
        minutes: int = self.cleaned_data["minutes"]
        if minutes > MOST_MINUTES:
            raise ValidationError(_("At most 1 000 hours: look at the figure again."))
        return minutes

    def decided(self) -> tuple[int, bool]:
        """Minutes, below zero when they are taken away, and whether they are the whole right."""
        what, minutes = self.cleaned_data["what"], self.cleaned_data["minutes"]
        return (-minutes if what == Decision.TAKE else minutes), what == Decision.WHOLE
