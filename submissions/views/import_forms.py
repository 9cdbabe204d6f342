"""Forms of the files for the register."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mandates.models import Employer
from portal import tenancy
from submissions.importing.kinds import KINDS, TABLES
from submissions.importing.opening import LIMITS, faults_of
from submissions.importing.telling import label
from submissions.models import RegisterImport
from submissions.views.choosing import ClientField

KIND_WORDS: Final = {
    RegisterImport.Kind.WORKERS: _("Workers and their contracts"),
    RegisterImport.Kind.CONTRACTS: _("Contracts of known workers"),
    RegisterImport.Kind.TRAININGS: pgettext_lazy("file", "Trainings"),
    RegisterImport.Kind.RIGHTS: _("Rights decided by hand"),
    RegisterImport.Kind.ARCHIVE: _("Archive of a register (ZIP)"),
}
FILE_NAMES: Final = {
    RegisterImport.Kind.WORKERS: pgettext_lazy("file name", "workers"),
    RegisterImport.Kind.CONTRACTS: pgettext_lazy("file name", "contracts"),
    RegisterImport.Kind.TRAININGS: pgettext_lazy("file name", "trainings"),
    RegisterImport.Kind.RIGHTS: pgettext_lazy("file name", "rights"),
}
"""Of the templates."""
_NO_FILE: Final = _("Choose a file: CSV, .xlsx or an archive, at most 50 MB, and not empty.")


class RegisterFileForm(forms.Form):
    """A file, what it is about, and whom."""

    kind = forms.ChoiceField(label=_("What it holds"), choices=list(KIND_WORDS.items()))
    employer = ClientField(
        label=_("For which client"),
        help_text=_(
            "A part of the name, or the enterprise number. Empty when each row names its enterprise."
        ),
        required=False,
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or .xlsx; at most 50 MB, 100,000 rows and 100 columns. It is kept sealed."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,.zip"}),
        error_messages=dict.fromkeys(("required", "missing", "empty", "invalid"), _NO_FILE),
    )
    declares = forms.BooleanField(
        label=_("Also declare the trainings: they leave with the next batch"), required=False, initial=True
    )

    def __init__(self, *arguments: Any, may_bring: bool = False, **keywords: Any) -> None:
        """`may_bring`: whoever fills it in may bring an archive as well."""
        super().__init__(*arguments, **keywords)
        kinds = [choice for choice in KIND_WORDS.items() if may_bring or choice[0] in TABLES]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        if tenancy.limit() is None:
            return
        # Who is limited to some clients says which one it is.
        self.fields["employer"] = forms.ModelChoiceField(
            label=_("For which client"),
            queryset=Employer.objects.filter(mandataire_id=tenancy.current()).order_by("name", "pk"),
            empty_label=None,
            error_messages={"required": _("Choose the client that the file is about.")},
        )

    def clean_file(self) -> Any:
        """Not larger than what is read."""
        file = self.cleaned_data["file"]
        if file.size > LIMITS.bytes:
            raise ValidationError(_NO_FILE)
        return file


class MappingForm(forms.Form):
    """For each heading of a file the column that it is."""

    def __init__(self, found: RegisterImport, examples: list[str], data: Any = None) -> None:
        self.found = found
        super().__init__(data)
        columns = KINDS[found.kind].columns
        choices = [("", _("– leave aside –")), *((name, label(found.kind, name)) for name in columns)]
        for place, heading in enumerate(found.headings):
            example = examples[place] if place < len(examples) else ""
            self.fields[f"column{place}"] = forms.ChoiceField(
                label=heading or _("Column %(number)d, without a heading") % {"number": place + 1},
                help_text=_("Such as: %(example)s") % {"example": example} if example else "",
                choices=choices,
                required=False,
                initial=found.mapping[place],
            )

    def mapping(self) -> list[str]:
        """The column of each heading, in their order."""
        return [self.cleaned_data[name] for name in self.fields]

    def clean(self) -> dict[str, Any]:
        """Each needed column is there, and none is there twice."""
        names = [self.cleaned_data.get(name, "") for name in self.fields]
        missing, twice = faults_of(self.found, names)
        for sentence, faults in (
            (_("These columns are missing: %(columns)s. Say which headings they are."), missing),
            (_("These columns are chosen twice: %(columns)s. Leave one of the two aside."), twice),
        ):
            if faults:
                told = ", ".join(label(self.found.kind, name) for name in faults)
                self.add_error(None, ValidationError(sentence, params={"columns": told}))
        return self.cleaned_data
