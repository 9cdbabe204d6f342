"""The balance letters of a year: everybody gets one, once, in his language, whatever happens to the worker."""

from __future__ import annotations

import io
import os
import signal
import zipfile
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mandates.models import Employer, Worker
from mandates.numbers import make_niss
from portal import audit, tenancy
from portal.models import Event
from portal.moving import LostRace
from submissions import printing, sweeping
from submissions.letters import giving, making, writing
from submissions.models import BalanceLetters, LetterPart
from tests import factories
from tests.people import Person
from tests.submissions.letters_files import worked
from tests.submissions.test_accounts import needs_poppler, plain, read

pytestmark = pytest.mark.django_db
YEAR = 2025


def employ(employer: Employer, name: str, language: str = "fr", **contract: Any) -> Worker:
    worker = factories.worker(employer, family_name=name, given_name="Zoë", language=language)
    factories.contract(worker, **{"entered_on": date(2024, 1, 1), **contract})
    return worker


@pytest.fixture
def employer(operator: Person) -> Employer:
    with operator.scope():
        found = factories.client(name="Boulangerie <Delvaux>")
        for year in (2024, YEAR):
            factories.size(found, year)
        return found


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PER_PART", 2)


def asked(operator: Person, employer: Employer, workers: int) -> BalanceLetters:
    with operator.scope():
        for number in range(workers):
            employ(employer, f"Peeters {number:02}")
        return making.ask(employer, YEAR)


def text_of(operator: Person, found: BalanceLetters, folder: Path) -> str:
    with operator.scope():
        contents = [part.content for part in found.parts.order_by("number")]
    return "\f".join(read(content, folder / f"{place}.pdf") for place, content in enumerate(contents))


SAID = {
    "fr": ("Votre droit individuel à la formation : solde de 2025", "31 décembre 2028"),
    "nl": ("Uw individueel opleidingsrecht: saldo van 2025", "31 december 2028"),
    "de": ("Ihr individuelles Ausbildungsrecht: Saldo 2025", "31. Dezember 2028"),
    "en": ("Your individual right to training: balance of 2025", "31 December 2028"),
}


@needs_poppler
@pytest.mark.parametrize("language", SAID)
def test_a_letter_says_the_balance_in_the_language_of_its_worker(
    operator: Person, employer: Employer, tmp_path: Path, language: str
) -> None:
    niss = make_niss(date(1985, 7, 30), 33)
    with operator.scope():
        worker = factories.worker(
            employer, niss=niss, family_name="O'Connor <&>", given_name="Síle", language=language
        )
        factories.contract(worker, regime=80, entered_on=date(2024, 1, 1))
        when = {"starts_on": date(YEAR, 3, 3), "ends_on": date(YEAR, 3, 4)}
        factories.record(worker, title="Hygiène & HACCP", charged_minutes=456, status="followed", **when)
        found = making.ask(employer, YEAR)
    found = worked(operator, found)
    assert (found.state, found.done) == ("done", 1)
    text = plain(text_of(operator, found, tmp_path))
    title, until = SAID[language]
    if language != "en":
        assert "Your individual right" not in text
    for said in (title, until, "Síle O'Connor <&>", "Boulangerie <Delvaux>", "85.07.30-***.**", "31/12/2025"):
        assert said in text, said
    for figure in ("(30 h 24)", "(7 h 36)", "(53 h 12)", "Hygiène & HACCP", "03/03/2025"):
        assert figure in text, figure
    assert niss not in text
    assert "Tagged: yes" in text
    assert f"{timezone.localdate():%d/%m/%Y}" in text


@needs_poppler
def test_everybody_who_was_employed_gets_a_letter_in_the_order_of_the_names(
    operator: Person, employer: Employer, small_parts: None, tmp_path: Path
) -> None:
    with operator.scope():
        employ(employer, "Willems", "nl")
        employ(employer, "Adam", left_on=date(YEAR, 2, 1))
        employ(employer, "Before", left_on=date(YEAR - 1, 12, 31))
        employ(employer, "After", entered_on=date(YEAR + 1, 1, 1))
        employ(employer, "Claes", "de")
        employ(factories.client(), "Elsewhere")
        factories.worker(employer, family_name="Without a contract")
        found = making.ask(employer, YEAR)
    assert found.total == 3
    found = worked(operator, found)
    with operator.scope():
        assert list(found.parts.order_by("number").values_list("letters", flat=True)) == [2, 1]
    pages = text_of(operator, found, tmp_path).split("\f")
    names = [name for page in pages for name in ("Adam", "Claes", "Willems") if f"Zoë {name}" in page]
    assert names == ["Adam", "Claes", "Willems"]
    whole = plain(" ".join(pages))
    assert "01/02/2025" in whole  # what a leaver is told instead of a day until when
    for absent in ("Before", "After", "Elsewhere", "Without"):
        assert absent not in whole


def test_what_is_unknown_is_no_figure(operator: Person) -> None:
    with operator.scope():
        employer = factories.client()
        worker = employ(employer, "Claes", "en")
        worker.employer = Employer.objects.select_related("mandataire").get(pk=employer.pk)
        (letter,) = writing.letters_of([worker], YEAR)
    assert "the size of the enterprise is missing" in letter
    assert "at least 0 day" in plain(letter)


def test_a_language_that_nobody_knows_is_that_of_the_employer(operator: Person, employer: Employer) -> None:
    with operator.scope():
        worker = Worker(language="pl", employer=employer)
    employer.language = "nl"
    assert writing.language_of(worker) == "nl"
    employer.language = "xx"
    assert writing.language_of(worker) == "fr"


def test_they_are_made_once_at_a_time_and_for_somebody(operator: Person, employer: Employer) -> None:
    with operator.scope(), pytest.raises(making.CannotMake) as refusal:
        making.ask(employer, YEAR)
    assert not refusal.value.is_live
    found = asked(operator, employer, 1)
    with operator.scope(), pytest.raises(making.CannotMake) as refusal:
        making.ask(employer, YEAR)
    assert refusal.value.is_live
    worked(operator, found)
    with operator.scope():
        assert making.ask(employer, YEAR).pk != found.pk


def test_last_year_is_missing_until_its_letters_are_asked_for(operator: Person, employer: Employer) -> None:
    january = date(YEAR + 1, 1, 5)
    with operator.scope():
        assert making.missing_year(employer, january) is None  # nobody was employed
        employ(employer, "Claes")
        assert making.missing_year(employer, january) == YEAR
        assert making.missing_year(employer, date(2023, 5, 1)) is None  # before the law
        found = making.ask(employer, YEAR)
        assert making.missing_year(employer, january) is None
        BalanceLetters.objects.filter(pk=found.pk).update(state="failed")
        assert making.missing_year(employer, january) == YEAR


def test_others_have_their_turn_between(
    operator: Person, employer: Employer, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PARTS_PER_TURN", 2)
    found = asked(operator, employer, 5)
    assert making.work(operator.mandataire.pk, found.pk)
    with operator.scope():
        now = BalanceLetters.objects.get(pk=found.pk)
        assert (now.state, now.done) == ("running", 4)
    assert ("letters", operator.mandataire.pk, found.pk) in list(sweeping.due(timezone.now()))
    assert not making.work(operator.mandataire.pk, found.pk)
    with operator.scope():
        now = BalanceLetters.objects.get(pk=found.pk)
        assert (now.state, now.done) == ("done", 5)
        events = Event.objects.filter(verb__startswith="letters.").order_by("pk")
        assert [(event.verb, event.actor_name) for event in events] == [
            ("letters.asked", "operator"),
            ("letters.made", "operator"),
        ]
        assert Event.objects.get(verb="letters.made").data["letters"] == 5


def test_nobody_else_takes_what_is_being_made(operator: Person, employer: Employer) -> None:
    found = asked(operator, employer, 1)
    turn = making._take(operator.mandataire.pk, found.pk)
    assert turn is not None
    assert making._take(operator.mandataire.pk, found.pk) is None
    with operator.scope():
        BalanceLetters.objects.update(due_at=timezone.now())  # as if it had died
    assert making._take(operator.mandataire.pk, found.pk) is not None
    with pytest.raises(LostRace):
        making._make_next(turn)
    with operator.scope():
        assert not LetterPart.objects.filter(content_sealed__isnull=False).exists()


def test_a_worker_who_left_the_register_is_left_out(
    operator: Person, employer: Employer, small_parts: None
) -> None:
    found = asked(operator, employer, 3)
    with operator.scope():
        worker = Worker.objects.latest("pk")
        worker.contracts.all().delete()
        worker.delete()
    found = worked(operator, found)
    assert (found.state, found.done) == ("done", 3)
    with operator.scope():
        assert [part.letters for part in giving.parts_of(found)] == [2]


def test_what_cannot_be_made_is_tried_some_times_then_waits_for_a_person(
    operator: Person, employer: Employer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: Any) -> bytes:
        raise OSError("no more memory")

    found = asked(operator, employer, 1)
    with monkeypatch.context() as patched:
        patched.setattr(printing, "pdf", fails)
        for _attempt in range(making.MOST_TRIES):
            assert not making.work(operator.mandataire.pk, found.pk)
            with operator.scope():
                assert BalanceLetters.objects.get(pk=found.pk).state == "running"
                BalanceLetters.objects.update(due_at=timezone.now())
        making.work(operator.mandataire.pk, found.pk)
    with operator.scope():
        found = BalanceLetters.objects.select_related("employer").get(pk=found.pk)
        assert (found.state, found.done) == ("failed", 0)
        making.resume(found)
    assert worked(operator, found).state == "done"
    with operator.scope():
        assert Event.objects.filter(verb__in=["letters.failed", "letters.resumed"]).count() == 2
        with pytest.raises(LostRace):
            making.resume(BalanceLetters.objects.select_related("employer").get(pk=found.pk))


def test_they_are_deleted_in_the_end(operator: Person, employer: Employer) -> None:
    found = worked(operator, asked(operator, employer, 1))
    due = ("letters", operator.mandataire.pk, found.pk)
    now = timezone.now()
    assert due not in list(sweeping.due(now + making.kept_for() - timedelta(hours=1)))
    assert due in list(sweeping.due(now + making.kept_for() + timedelta(hours=1)))
    with operator.scope():
        BalanceLetters.objects.update(due_at=now)
    making.work(operator.mandataire.pk, found.pk)
    with operator.scope():
        found = BalanceLetters.objects.get(pk=found.pk)
        assert (found.state, found.due_at) == ("deleted", None)
        assert not LetterPart.objects.exists()
        assert Event.objects.filter(verb="letters.deleted").exists()


def test_a_zip_has_every_part_and_holds_one_at_a_time(
    operator: Person, employer: Employer, small_parts: None
) -> None:
    found = worked(operator, asked(operator, employer, 5))
    with operator.scope():
        parts, reopen = giving.parts_of(found), tenancy.reopener()
        contents = [part.content for part in found.parts.order_by("number")]
    pieces = list(giving.zipped(found, parts, reopen))
    assert max(map(len, pieces)) < max(map(len, contents)) + 1000
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist()] == contents
        assert archive.namelist() == [f"balance-letters-2025-{number}-3.pdf" for number in (1, 2, 3)]


def test_the_queries_of_a_part_do_not_grow_with_its_letters(operator: Person, employer: Employer) -> None:
    def queries() -> int:
        with operator.scope():
            rows = making.employed(employer, YEAR).select_related("employer__mandataire")
            with CaptureQueriesContext(connection) as captured:
                assert len(writing.letters_of(list(rows), YEAR)) == rows.count()
        return len(captured)

    with operator.scope():
        employ(employer, "Claes")
    one = queries()
    with operator.scope():
        for number in range(5):
            employ(employer, f"Peeters {number}")
    assert queries() == one <= 8


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_and_no_letter_is_there_twice(
    operator: Person, employer: Employer, small_parts: None
) -> None:
    found = asked(operator, employer, 7)
    assert killed_at_third_part(operator, found) == -signal.SIGKILL
    with operator.scope():
        now = BalanceLetters.objects.get(pk=found.pk)
        assert (now.state, now.done) == ("running", 4)
        sealed = {bytes(part.content_sealed) for part in LetterPart.objects.exclude(content_sealed=None)}
        assert len(sealed) == 2
    assert not making.work(operator.mandataire.pk, found.pk)  # it may still be at it
    with operator.scope():
        assert BalanceLetters.objects.get(pk=found.pk).done == 4
        BalanceLetters.objects.update(due_at=timezone.now())
    found = worked(operator, found)
    assert (found.state, found.done, found.attempt) == ("done", 7, 2)
    with operator.scope():
        parts = list(found.parts.order_by("number"))
        assert [part.letters for part in parts] == [2, 2, 2, 1]
        assert {bytes(part.content_sealed) for part in parts[:2]} == sealed
    assert audit.verify(operator.mandataire.pk)[1] is None


def killed_at_third_part(operator: Person, found: BalanceLetters) -> int:
    """Makes the letters in a process that dies when the third part is laid out and not kept."""
    connection.close()
    child = os.fork()
    if not child:
        try:
            calls, real = count(1), writing.pdf

            def dies(*arguments: Any) -> bytes:
                content = real(*arguments)
                if next(calls) == 3:
                    os.kill(os.getpid(), signal.SIGKILL)
                return content

            writing.pdf = dies
            making.work(operator.mandataire.pk, found.pk)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
