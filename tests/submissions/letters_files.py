"""Balance letters, asked for and made, for whoever needs some."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from mandates.models import Employer
from submissions.letters import making
from submissions.models import BalanceLetters, LetterPart
from submissions.states import LettersState
from tests import factories
from tests.people import Person

CONTENT = b"%PDF-1.7 a letter"


def made(employer: Employer, year: int = 2025) -> BalanceLetters:
    """Letters that are ready to be downloaded, in the open scope. What stands in them was never laid out."""
    factories.contract(factories.worker(employer), entered_on=date(year, 1, 1))
    found = making.ask(employer, year)
    for part in LetterPart.objects.filter(of=found):
        part.content, part.letters = CONTENT, len(part.worker_ids)
        part.save()
    now = timezone.now()
    found.move(LettersState.RUNNING)
    found.move(LettersState.DONE, done=found.total, ended_at=now, due_at=now + making.kept_for())
    return found


def worked(somebody: Person, found: BalanceLetters) -> BalanceLetters:
    """The letters after the worker did all that was due."""
    while making.work(somebody.mandataire.pk, found.pk):
        pass
    with somebody.scope():
        return BalanceLetters.objects.select_related("employer").get(pk=found.pk)
