"""Forms of a worker's request for a correction, and of what became of it."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mandates.models import Worker
from portal import tenancy
from portal.templatetags.presenting import day
from submissions.models import CorrectionRequest, TrainingRecord
from submissions.views.document_form import day_field

_REQUIRED: Final = {"required": gettext_lazy("This is needed: fill it in.")}
_MOST: Final = 200
"""Trainings to choose from, those that changed last first."""


def _trainings(worker: Worker) -> dict[str, TrainingRecord]:
    rows = TrainingRecord.objects.filter(mandataire_id=tenancy.current(), worker=worker)
    return {str(row.pk): row for row in rows.order_by("-changed_at", "-pk")[:_MOST]}


def _named(row: TrainingRecord) -> str:
    last = f" – {day(row.ends_on)}" if row.ends_on != row.starts_on else ""
    return f"{row.title}, {day(row.starts_on)}{last}"


class TrainingField(forms.ChoiceField):
    """One of the trainings of a worker. In Python: the TrainingRecord, or None."""

    def of(self, worker: Worker) -> None:
        """Offers the trainings of `worker`."""
        self._rows = _trainings(worker)
        self.choices = [("", "–"), *((pk, _named(row)) for pk, row in self._rows.items())]

    def clean(self, value: Any) -> Any:
        """The training that was chosen."""
        return self._rows.get(super().clean(value))


def _offer(form: forms.Form, name: str, worker: Worker) -> None:
    cast("TrainingField", form.fields[name]).of(worker)


class CorrectionForm(forms.Form):
    """What a worker says is wrong with his account."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What is wrong"),
        choices=CorrectionRequest.Kind.choices,
        widget=forms.RadioSelect,
        error_messages=_REQUIRED,
    )
    record = TrainingField(
        label=gettext_lazy("About which training"),
        help_text=gettext_lazy("Leave it empty when a training is missing."),
        required=False,
    )
    text = forms.CharField(
        label=gettext_lazy("What the worker says"),
        help_text=gettext_lazy("In the worker's words: which training, which day, which figure."),
        widget=forms.Textarea(attrs={"rows": 4, "maxlength": 2000}),
        max_length=2000,
        error_messages=_REQUIRED,
    )
    received_on = day_field(gettext_lazy("Received on"), hint=gettext_lazy("Such as 21/11/2026."))
    how = forms.ChoiceField(
        label=gettext_lazy("How the worker asked"),
        choices=CorrectionRequest.How.choices,
        error_messages=_REQUIRED,
    )

    def __init__(self, worker: Worker, data: Any = None, **initial: Any) -> None:
        super().__init__(data, initial={"received_on": timezone.localdate(), **initial})
        _offer(self, "record", worker)

    def clean_received_on(self) -> date:
        """Today or before."""
        received: date = self.cleaned_data["received_on"]
        if received > timezone.localdate():
            raise ValidationError(_("This day is yet to come: look at it again."))
        return received

    def clean(self) -> dict[str, Any]:
        """A training, where the request cannot be about none."""
        given = self.cleaned_data
        if "record" in given and given["record"] is None:
            if given.get("kind") == CorrectionRequest.Kind.NOT_MINE:
                self.add_error("record", _("Choose the training that is not the worker's."))
        elif given.get("kind") == CorrectionRequest.Kind.MISSING and given.get("record"):
            self.add_error("record", _("A missing training is not in this list: leave this empty."))
        return given


class AcceptForm(forms.Form):
    """What was done about a request that is accepted."""

    outcome = TrainingField(
        label=gettext_lazy("The training that was corrected or added"),
        help_text=gettext_lazy("Those that changed last come first."),
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("What was done"),
        help_text=gettext_lazy("Needed when no training is chosen, such as for a contract."),
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": 500}),
        max_length=500,
        required=False,
    )

    def __init__(self, found: CorrectionRequest, data: Any = None) -> None:
        super().__init__(data, initial={"outcome": str(found.record_id or "")})
        _offer(self, "outcome", found.worker)
