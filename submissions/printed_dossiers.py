"""The complete file on paper: a PDF of a worker, and of an employer as many as it takes, each of few workers.

A print of a thousand workers would hold all their pages at once; so they are printed some at a time, and more than fit
in one PDF leave as a ZIP of them, each printed when its turn comes. Personal numbers stand in it in full.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import batched
from typing import Any, Final

from django.utils import timezone, translation

from mandates import joint_committees
from mandates.models import Employer, Worker
from mandates.numbers import format_niss
from portal import tenancy
from portal.templatetags.presenting import number
from portal.templatetags.wording import KINDS, STATES
from submissions import dossiers, printing
from submissions.archiving.piping import Pipe
from submissions.dossiers import Reopen
from submissions.fields import BY_NAME
from submissions.models import CorrectionRequest
from submissions.right_words import amount, percent
from submissions.states import TESTS

PER_PDF: Final = 25
"""Workers of one PDF: a few megabytes and seconds."""


def of_worker(worker: Worker, reopen: Reopen) -> bytes:
    """The PDF of one worker, in the active language."""
    (pages,) = _prints(worker.employer, Worker.objects.filter(pk=worker.pk), reopen)
    return pages


def of_employer(employer: Employer, reopen: Reopen) -> bytes:
    """The PDF of an employer of at most PER_PDF workers, in the active language."""
    (pages,) = _prints(employer, Worker.objects.filter(employer=employer), reopen)
    return pages


def is_long(employer: Employer) -> bool:
    """Whether its workers do not fit in one PDF."""
    return Worker.objects.filter(mandataire_id=tenancy.current(), employer=employer)[PER_PDF:].exists()


def zipped(employer: Employer, reopen: Reopen) -> Iterator[bytes]:
    """The PDFs of an employer as a ZIP, by blocks: each leaves before the next one is printed."""
    pipe, language = Pipe(), translation.get_language() or "fr"
    with zipfile.ZipFile(pipe.file, "w", zipfile.ZIP_STORED) as archive:
        prints = _prints(employer, Worker.objects.filter(employer=employer), reopen, language)
        for place, pages in enumerate(prints, start=1):
            archive.writestr(f"{employer.number}-{place:04}.pdf", pages)
            yield from pipe.taken()
    yield from pipe.taken()


def _prints(employer: Employer, rows: Any, reopen: Reopen, language: str = "") -> Iterator[bytes]:
    language = language or translation.get_language() or "fr"
    with reopen():
        head = dossiers.head_of(employer)
    workers = dossiers.workers_of(rows, reopen, PER_PDF)
    for chunk in _chunks(workers):
        with translation.override(language):
            context = {
                "employer": head["employer"],
                "mandataire": head["mandataire"]["name"],
                "workers": [_worker(one) for one in chunk],
                "today": timezone.localdate(),
            }
            yield printing.pdf("submissions/dossier_pdf.html", context)


def _chunks(workers: Iterator[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """Some workers at a time; for whom nobody works a single empty lot, because he has a file too."""
    is_empty = True
    for chunk in batched(workers, PER_PDF):
        is_empty = False
        yield chunk
    if is_empty:
        yield ()


def _worker(told: dict[str, Any]) -> dict[str, Any]:
    """A worker as the template shows him: words instead of codes, durations instead of minutes."""
    return {
        "name": f"{told['family_name']}, {told['given_name']}",
        "niss": format_niss(told["niss"]),
        "former": [format_niss(one["niss"]) for one in told["former_numbers"] if one["undone_at"] is None],
        "contracts": [
            {
                **one,
                "committee": joint_committees.told(one["joint_committee"]),
                "regime": percent(Fraction(one["regime"]) / 100),
            }
            for one in told["contracts"]
        ],
        "rights": [{**one, "is_unknown": bool(one["years_without_a_size"])} for one in told["rights"]],
        "manual_rights": told["manual_rights"],
        "trainings": [_training(one) for one in told["trainings"]],
        "correction_requests": [
            {
                **one,
                "kind": CorrectionRequest.Kind(one["kind"]).label,
                "how": CorrectionRequest.How(one["how"]).label,
                "state": STATES["correction"][one["state"]].word,
            }
            for one in told["correction_requests"]
        ],
        "documents": told["documents"],
    }


def _training(told: dict[str, Any]) -> dict[str, Any]:
    status = BY_NAME["status"].choices.get(told["status"])
    return {
        **told,
        "declarations": [
            {
                **one,
                "kind": KINDS[one["kind"]],
                "state": STATES["declaration"][one["state"]].word,
                "is_test": one["environment"] in TESTS,
            }
            for one in told["declarations"]
        ],
        "status": status.label if status else "",
        "charged": amount(told["charged_minutes"], told["day_minutes"]) if told["day_minutes"] else number(0),
    }
