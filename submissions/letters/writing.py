"""Writing some letters as one PDF, each in the language of its worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import override

from mandates.models import Employer, Worker
from submissions import accounts, printing


def letters_of(workers: Sequence[Worker], year: int) -> list[SafeString]:
    """The letters about `year` as HTML, in the order of the workers. Seven queries for each language among them.

    Fetch `employer` and its `mandataire` with the workers. A year that is not over is told as it stands today.
    """
    today = timezone.localdate()
    state_on = min(today, date(year, 12, 31))
    told = defaultdict[str, list[Worker]](list)
    for worker in workers:
        told[language_of(worker)].append(worker)
    written: dict[int, SafeString] = {}
    for language, group in told.items():
        with override(language):
            found = accounts.accounts(group, year, year)
            written |= {worker.pk: _letter(found[worker.pk], language, state_on, today) for worker in group}
    return [written[worker.pk] for worker in workers]


def language_of(worker: Worker) -> str:
    """The language in which a worker is written to: his own, or his employer's where the portal does not know his."""
    known = dict(settings.LANGUAGES)
    return next((code for code in (worker.language, worker.employer.language) if code in known), "fr")


def pdf(letters: Collection[SafeString], employer: Employer, year: int) -> bytes:
    """The letters as one PDF, whose title is in the language of the employer. Nothing is asked of the database."""
    language = employer.language if employer.language in dict(settings.LANGUAGES) else "fr"
    with override(language):
        title = _("Balance letters of %(year)d, %(employer)s") % {"year": year, "employer": employer.name}
        context = {"letters": letters, "title": title, "language": language}
        return printing.pdf("submissions/letters_pdf.html", context)


def _letter(account: Mapping[str, Any], language: str, state_on: date, today: date) -> SafeString:
    right = account["years"][0]
    ends = [contract["left_on"] for contract in account["contracts"]]
    left_on = None if None in ends else max(ends)
    context = {
        "account": account,
        "right": right,
        "left_on": left_on if left_on and left_on < today else None,
        "is_over": right["until"] < today.year,
        "state_on": state_on,
        "today": today,
        "language": language,
        "mandataire": account["employer"].mandataire.name,
    }
    # Its own template escaped what needs it: what comes back is markup.
    return mark_safe(render_to_string("submissions/letter.html", context))  # noqa: S308
