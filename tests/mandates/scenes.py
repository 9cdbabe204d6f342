"""Scenes for mandates: procurations, and mandates made through the room's own functions."""

from __future__ import annotations

from datetime import date

from mandates import granting, procurations
from mandates.importing import applying, keeping
from mandates.models import Employer, Mandate, MandateImport
from mandates.procurations import Pdf
from mandates.states import Party
from portal import tenancy
from tests import factories

HEADINGS = "Enterprise number;Name;ONSS number;Language;Service;First quarter;Last quarter"
PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\nxref\n0 1\ntrailer\n<< >>\nstartxref\n9\n%%EOF\n"
SINCE = date(2024, 4, 1)


def pdf(name: str = "procuration.pdf") -> Pdf:
    """A procuration that is a PDF."""
    return procurations.read(name, PDF)


def proposed(of: Employer | None = None, starts_on: date = SINCE, ends_on: date | None = None) -> Mandate:
    """A mandate that waits for both parties."""
    return granting.propose(of or factories.employer(), "FLA", starts_on, ends_on)


def granted(of: Employer | None = None, starts_on: date = SINCE, ends_on: date | None = None) -> Mandate:
    """A mandate that both parties validated."""
    mandate = proposed(of, starts_on, ends_on)
    granting.validate(mandate, Party.EMPLOYER, pdf())
    granting.validate(mandate, Party.MANDATAIRE)
    return mandate


def imported(text: str, name: str = "mandats.csv") -> MandateImport:
    """A file of mandates as a preview."""
    return keeping.keep(name, text.encode())


def applied(text: str) -> MandateImport:
    """A file of mandates whose good rows were applied."""
    made = imported(text)
    applying.begin(made, is_whole=False)
    applying.apply(tenancy.current(), made.pk)
    made.refresh_from_db()
    return made


def rows_of(*rows: str) -> str:
    """A CSV file: the headings of the template, then these rows."""
    return "\n".join([HEADINGS, *rows, ""])
