"""The form of a CareerPro document: the PDF, and what is said of it."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mandates import procurations
from mandates.models import Contract, Worker
from mandates.numbers import NumberError, parse_enterprise_number
from mandates.procurations import Pdf, UnfitPdf
from portal.templatetags.presenting import day
from submissions.models import CareerDocument
from submissions.views.forms import EurosField

_DAYS: Final = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%Y-%m-%d"]
_DIMONA: Final = re.compile(r"\d{12}")
_LANGUAGES: Final = {
    "nl": CareerDocument.Language.DUTCH,
    "fr": CareerDocument.Language.FRENCH,
    "de": CareerDocument.Language.GERMAN,
    "en": CareerDocument.Language.ENGLISH,
}
_REQUIRED: Final = {"required": gettext_lazy("This is needed: fill it in.")}


class HoursField(EurosField):
    """Hours a week as people write them: `38` or `36,5`. In Python: hundredths of hours."""

    def to_python(self, value: Any) -> Any:
        """Hundredths of hours, or None."""
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(_("Write hours a week, such as 38 or 36,5.")) from None


class DocumentPdfField(forms.FileField):
    """A document: a PDF that was looked at. In Python: `procurations.Pdf`."""

    widget = forms.FileInput(attrs={"accept": "application/pdf,.pdf"})

    def clean(self, data: Any, initial: Any = None) -> Pdf | None:
        """Reads and checks the file, by the same rules as a procuration."""
        found = super().clean(data, initial)
        if not found:
            return None
        try:
            return procurations.read(found.name, found.read())
        except UnfitPdf as error:
            raise ValidationError(str(error)) from None


def day_field(label: Any, *, hint: Any = "", required: bool = True) -> forms.DateField:
    """A day as people write it: text, because the browser's own control takes no pasting."""
    return forms.DateField(
        label=label,
        help_text=hint,
        required=required,
        input_formats=_DAYS,
        widget=forms.DateInput(format="%d/%m/%Y", attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            **_REQUIRED,
            "invalid": gettext_lazy("Write a day that exists, such as 21/11/2026."),
        },
    )


class DocumentDataForm(forms.Form):
    """What the manual asks of a document, filled in from a contract of the worker as far as it says."""

    pdf = DocumentPdfField(
        label=gettext_lazy("Document (PDF)"),
        help_text=gettext_lazy("At most 5 MB. It is kept sealed, and sent as it is."),
        error_messages=dict.fromkeys(
            ("required", "missing", "empty", "invalid"),
            gettext_lazy("Choose the document: a PDF of at most 5 MB."),
        ),
    )
    category = forms.ChoiceField(
        label=gettext_lazy("Kind of document"), choices=CareerDocument.Category, error_messages=_REQUIRED
    )
    document_on = day_field(gettext_lazy("Date of the document"))
    language = forms.TypedChoiceField(
        label=gettext_lazy("Language of the document"),
        choices=CareerDocument.Language,
        coerce=int,
        error_messages=_REQUIRED,
    )
    sign_status = forms.TypedChoiceField(
        label=gettext_lazy("Signature"), choices=CareerDocument.Signing, coerce=int, error_messages=_REQUIRED
    )
    sign_until = day_field(gettext_lazy("To be signed by"), required=False)
    sign_email = forms.EmailField(
        label=gettext_lazy("E-mail for the signature"), required=False, min_length=5, max_length=250
    )
    contract = forms.ChoiceField(label=gettext_lazy("Contract in the register"), required=False)
    duration_code = forms.TypedChoiceField(
        label=gettext_lazy("Duration of the contract"),
        choices=CareerDocument.Duration,
        coerce=int,
        error_messages=_REQUIRED,
    )
    starts_on = day_field(gettext_lazy("Start of the contract"))
    ends_on = day_field(gettext_lazy("End of the contract"), required=False)
    contract_type = forms.TypedChoiceField(
        label=gettext_lazy("Working time"), choices=CareerDocument.Time, coerce=int, error_messages=_REQUIRED
    )
    mean_hours = HoursField(
        label=gettext_lazy("Hours a week"), help_text=gettext_lazy("Such as 19."), error_messages=_REQUIRED
    )
    reference_hours = HoursField(
        label=gettext_lazy("Hours a week of a full-timer"),
        help_text=gettext_lazy("Such as 38."),
        error_messages=_REQUIRED,
    )
    using_employer_number = forms.CharField(
        label=gettext_lazy("Enterprise number of the user"),
        help_text=gettext_lazy("Only when the worker works for another enterprise (temporary agency work)."),
        required=False,
    )
    dimona_period = forms.CharField(
        label=gettext_lazy("Dimona period"),
        help_text=gettext_lazy("12 digits; may stay empty."),
        required=False,
    )

    def __init__(self, worker: Worker, data: Any = None, files: Any = None) -> None:
        contracts = list(worker.contracts.order_by("-entered_on", "-pk"))
        super().__init__(data, files, initial=_initial(worker, contracts))
        self._contracts = {str(contract.pk): contract for contract in contracts}
        self.fields["contract"].choices = [  # type: ignore[attr-defined]
            *((pk, _named(contract)) for pk, contract in self._contracts.items()),
            ("", "–"),
        ]

    def clean_contract(self) -> Contract | None:
        """The contract, or None."""
        return self._contracts.get(self.cleaned_data["contract"])

    def clean_using_employer_number(self) -> str:
        """Ten digits, or nothing."""
        text: str = self.cleaned_data["using_employer_number"]
        try:
            return parse_enterprise_number(text) if text else ""
        except NumberError as error:
            raise ValidationError(str(error)) from None

    def clean_dimona_period(self) -> str:
        """Twelve digits, or nothing."""
        text = re.sub(r"\s", "", self.cleaned_data["dimona_period"])
        if text and not _DIMONA.fullmatch(text):
            raise ValidationError(_("A Dimona period has 12 digits."))
        return text

    def clean(self) -> dict[str, Any]:
        """Days in their order; an end exactly where the duration wants one; hours that a week has."""
        given = self.cleaned_data
        starts, ends = given.get("starts_on"), given.get("ends_on")
        if starts and ends and ends < starts:
            self.add_error("ends_on", _("The contract ends before it starts."))
        if given.get("duration_code") == CareerDocument.Duration.FIXED and not ends and "ends_on" in given:
            self.add_error("ends_on", _("A fixed term has an end: fill it in."))
        for name in ("mean_hours", "reference_hours"):
            if (given.get(name) or 0) > _HOURS_OF_A_WEEK:
                self.add_error(name, _("A week has 168 hours."))
        return given

    def values(self) -> dict[str, Any]:
        """The columns of the document."""
        return {name: value for name, value in self.cleaned_data.items() if name != "pdf"}


_HOURS_OF_A_WEEK: Final = 9999
"""Hundredths; the form of the partner has four digits."""


def _initial(worker: Worker, contracts: list[Contract]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "language": _LANGUAGES.get(worker.language, CareerDocument.Language.FRENCH),
        "document_on": timezone.localdate(),
    }
    if not contracts:
        return shown
    latest = contracts[0]
    full = latest.day_minutes * 5 * 100 // 60
    return {
        **shown,
        "contract": str(latest.pk),
        "starts_on": latest.entered_on,
        "ends_on": latest.left_on,
        "duration_code": CareerDocument.Duration.FIXED if latest.left_on else CareerDocument.Duration.OPEN,
        "contract_type": CareerDocument.Time.FULL if latest.regime == 100 else CareerDocument.Time.PART,
        "mean_hours": int(full * latest.regime / 100),
        "reference_hours": full,
    }


def _named(contract: Contract) -> str:
    period = f"{day(contract.entered_on)} – {day(contract.left_on) if contract.left_on else ''}".rstrip(" –")
    return f"{period} · {contract.joint_committee} · {contract.regime.normalize():f} %"
