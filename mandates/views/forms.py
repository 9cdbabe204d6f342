"""Forms of clients and mandates. They offer quarters, never days."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mandates import procurations
from mandates.catalogue import MandateService
from mandates.granting import AHEAD, BACK, LATEST_END
from mandates.models import Mandate
from mandates.numbers import (
    NumberError,
    parse_enterprise_number,
    parse_onss_number,
    quarter_after,
    quarter_days,
    quarter_of,
)
from mandates.procurations import Pdf, UnfitPdf
from portal.templatetags.presenting import quarter

_REQUIRED: Final = {"required": _("This is needed: fill it in.")}


class EmployerForm(forms.Form):
    """A client to add. Numbers are read as people write them."""

    number = forms.CharField(
        label=_("Enterprise number (BCE)"),
        help_text=_("Ten digits, such as 0897.223.670."),
        error_messages=_REQUIRED,
    )
    name = forms.CharField(
        label=_("Name"),
        help_text=_("As in the Crossroads Bank for Enterprises."),
        max_length=200,
        error_messages=_REQUIRED,
    )
    onss_number = forms.CharField(
        label=_("ONSS number"),
        help_text=_("Nine digits, such as 1303875-93; may stay empty."),
        required=False,
    )
    language = forms.ChoiceField(
        label=_("Language of the client"), choices=settings.LANGUAGES, initial="fr", error_messages=_REQUIRED
    )

    def clean_number(self) -> str:
        """Ten digits."""
        try:
            return parse_enterprise_number(self.cleaned_data["number"])
        except NumberError as error:
            raise ValidationError(str(error)) from None

    def clean_onss_number(self) -> str:
        """Nine or ten digits, or nothing."""
        text: str = self.cleaned_data["onss_number"]
        try:
            return parse_onss_number(text) if text else ""
        except NumberError as error:
            raise ValidationError(str(error)) from None


class PdfField(forms.FileField):
    """A procuration: a PDF that was looked at. In Python: `procurations.Pdf`, or None."""

    widget = forms.FileInput(attrs={"accept": "application/pdf,.pdf"})

    def __init__(self, **kwargs: Any) -> None:
        sentence = _("Choose the signed procuration: a PDF of at most 5 MB.")
        kwargs["error_messages"] = dict.fromkeys(("required", "missing", "empty", "invalid"), sentence)
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> Pdf | None:
        """Reads and checks the file."""
        found = super().clean(data, initial)
        if not found:
            return None
        try:
            return procurations.read(found.name, found.read())
        except UnfitPdf as error:
            raise ValidationError(str(error)) from None


def _choices(codes: list[str]) -> list[tuple[str, str]]:
    return [(code, quarter(code)) for code in codes]


class ProposalForm(forms.Form):
    """From which quarter to which."""

    starts = forms.ChoiceField(
        label=_("From the first day of"),
        help_text=_("Another mandataire's mandate is taken over at the turn of a quarter."),
        error_messages=_REQUIRED,
    )
    ends = forms.ChoiceField(label=_("To the last day of"), required=False)

    def __init__(
        self, service: MandateService, today: date, data: Any = None, *, prepared: Mandate | None = None
    ) -> None:
        now = quarter_of(today)
        starts_on, ends_on = (prepared.starts_on, prepared.ends_on) if prepared else (today, None)
        chosen = {"starts": quarter_of(starts_on), "ends": quarter_of(ends_on) if ends_on else ""}
        super().__init__(data, initial=chosen)
        first = max(quarter_after(now, -BACK), quarter_of(service.opens_on) if service.opens_on else "")
        starts = [code for code in (quarter_after(now, n) for n in range(-BACK, AHEAD + 1)) if code >= first]
        ends = [quarter_after(now, n) for n in range(LATEST_END + 1)]
        # What was chosen when it was prepared stays among the choices, however long ago that was.
        starts = sorted({*starts, chosen["starts"]}) if prepared else starts
        ends = sorted({*ends, *filter(None, [chosen["ends"]])})
        self.fields["starts"].choices = _choices(starts)  # type: ignore[attr-defined]
        self.fields["ends"].choices = [("", _("without an end")), *_choices(ends)]  # type: ignore[attr-defined]

    def days(self) -> tuple[date, date | None]:
        """First and last day of what was chosen."""
        starts, ends = self.cleaned_data["starts"], self.cleaned_data["ends"]
        return quarter_days(starts)[0], quarter_days(ends)[1] if ends else None

    def clean(self) -> dict[str, Any]:
        """An end comes after its start."""
        starts, ends = self.cleaned_data.get("starts"), self.cleaned_data.get("ends")
        if starts and ends and ends < starts:
            self.add_error("ends", _("This quarter comes before the one in which the mandate starts."))
        return self.cleaned_data


class ProcurationForm(forms.Form):
    """The employer's validation."""

    procuration = PdfField(
        label=_("Signed procuration (PDF)"),
        help_text=_("Signed by somebody who may bind the employer; at most 5 MB. It is kept sealed."),
    )


class ImportForm(forms.Form):
    """A file of mandates; what it holds is looked at by `importing`."""

    file = forms.FileField(
        label=_("File of mandates"),
        help_text=_("CSV or .xlsx; at most 5 MB, 25,000 rows and 60 columns. It is kept sealed."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        error_messages=dict.fromkeys(
            ("required", "missing", "empty", "invalid"),
            _("Choose a file of mandates: CSV or .xlsx, at most 5 MB, and not empty."),
        ),
    )


class ClosureForm(forms.Form):
    """At the end of which quarter, and why."""

    ends = forms.ChoiceField(
        label=_("At the end of"),
        help_text=_("Until that day you go on declaring."),
        error_messages=_REQUIRED,
    )
    reason = forms.CharField(
        label=_("Why is it closed?"),
        help_text=_("It is kept in the history."),
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": 500}),
        max_length=500,
        error_messages=_REQUIRED,
    )
    procuration = PdfField(
        label=_("Procuration of the employer (PDF)"),
        help_text=_("Only when the employer asked for it; at most 5 MB."),
        required=False,
    )

    def __init__(self, mandate: Mandate, today: date, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        first = max(quarter_of(today), quarter_of(mandate.starts_on))
        codes = [quarter_after(first, n) for n in range(LATEST_END // 2)]
        if mandate.ends_on:
            codes = [code for code in codes if code < quarter_of(mandate.ends_on)]
        self.fields["ends"].choices = _choices(codes)  # type: ignore[attr-defined]

    def ends_on(self) -> date:
        """The last day of the quarter that was chosen."""
        return quarter_days(self.cleaned_data["ends"])[1]
