"""Files for the register, of every kind, and what the worker does with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mandates.models import Employer, Worker
from portal.spreadsheets.headings import headings_of
from submissions.importing import applying, keeping
from submissions.importing.kinds import KINDS
from submissions.models import RegisterImport
from tests import factories
from tests.people import Person

TRAINING = {
    "title": "Secourisme",
    "kind": "formal",
    "starts_on": "03/03/2025",
    "ends_on": "04/03/2025",
    "duration_unit": "jours",
    "duration_minutes": "2",
    "day_minutes": "7 h 36",
    "status": "followed",
    "charged_minutes": "15:12",
    "nature": "Sécurité",
    "funding": "employer",
}
"""Two days, as a row says it."""


def csv_of(kind: str, rows: Iterable[dict[str, str]], *, language: str = "fr") -> bytes:
    """A file with every column of the template."""
    columns = KINDS[kind].columns
    lines = [headings_of(columns.values(), language)]
    lines += [[row.get(name, "") for name in columns] for row in rows]
    return "\n".join(";".join(line) for line in lines).encode()


def training(of: Worker, number: int = 0, **cells: str) -> dict[str, str]:
    """A row about a worker."""
    reference = {"client_reference": f"R-{number}"} if number else {}
    return {"employer": of.employer.number, "niss": of.niss, **reference, **TRAINING, **cells}


def person(of: Employer, **cells: str) -> dict[str, str]:
    """A row about a new worker with a contract."""
    return {
        "employer": of.number,
        "niss": factories.new_niss(),
        "family_name": "Peeters",
        "given_name": "Jan",
        "joint_committee": "200",
        "entered_on": "01/02/2024",
        **cells,
    }


def contract(of: Worker, **cells: str) -> dict[str, str]:
    """A row about a contract of a worker."""
    about = {"employer": of.employer.number, "niss": of.niss, "joint_committee": "200"}
    return {**about, "entered_on": "01/02/2024", **cells}


def right(of: Worker, **cells: str) -> dict[str, str]:
    """A row that decides about the right of a worker in 2025."""
    about = {"employer": of.employer.number, "niss": of.niss, "right_year": "2025"}
    return {**about, "decision": "add", "right_minutes": "7 h 36", "reason": "CCT d'entreprise", **cells}


def row_of(kind: str, of: Worker, **cells: str) -> dict[str, str]:
    """A good row of any kind about a known worker."""
    make = {"trainings": training, "contracts": contract, "rights": right}.get(kind)
    row = make(of) if make else {**person(of.employer), "niss": of.niss}
    return row | cells


def uploaded(
    kind: str,
    rows: Sequence[dict[str, str]] | bytes,
    *,
    employer: Employer | None = None,
    declares: bool = True,
) -> RegisterImport:
    """A file that was taken in, in the open scope, and not looked at yet."""
    content = rows if isinstance(rows, bytes) else csv_of(kind, rows)
    return keeping.keep("registre.csv", [content], kind, employer=employer, declares=declares)


def worked(somebody: Person, made: RegisterImport) -> RegisterImport:
    """The import after the worker did what was due."""
    keeping.work(somebody.mandataire.pk, made.pk)
    with somebody.scope():
        return RegisterImport.objects.select_related("employer").get(pk=made.pk)


def applied(employer: Employer | None = None) -> RegisterImport:
    """A file of two workers, of which one was wrong, checked and applied in the open scope."""
    client = employer or factories.employer()
    made = uploaded("workers", [person(client), person(client, niss="1")], employer=employer)
    keeping.work(made.mandataire_id, made.pk)
    made.refresh_from_db()
    applying.begin(made, is_whole=False)
    keeping.work(made.mandataire_id, made.pk)
    made.refresh_from_db()
    assert (made.state, made.done, made.bad) == ("applied", 1, 1)
    return made
