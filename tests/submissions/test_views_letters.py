"""The pages of balance letters: what is offered, progress that may be left, the download, and whose they are."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.models import Event, Profile
from submissions import tasks
from submissions.letters import making
from submissions.models import BalanceLetters, LetterPart
from tests import factories
from tests.people import Person
from tests.submissions.letters_files import CONTENT, made
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db
LAST_YEAR = timezone.localdate().year - 1


def test_the_page_of_the_employer_offers_last_year_until_it_is_asked_for(
    operator: Person, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    woken = list[Any]()
    monkeypatch.setattr(tasks.letters, "delay", lambda *ids: woken.append(ids))
    with operator.scope():
        employer = factories.client()
        factories.contract(factories.worker(employer), entered_on=date(LAST_YEAR, 5, 1))
    page = reverse("employer", args=[employer.pk])
    offer = f"The balance letters of {LAST_YEAR} were not made yet"
    address = reverse("letters", args=[employer.pk])
    for where in (page, address):
        assert offer in main_text(page_of(operator, where)), where
    with django_capture_on_commit_callbacks(execute=True):
        answer = operator.client.post(address, {"year": str(LAST_YEAR)})
    with operator.scope():
        found = BalanceLetters.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("letters_job", args=[found.pk]))
    assert woken == [(str(operator.mandataire.pk), found.pk)]
    assert (found.year, found.total, found.asked_by) == (LAST_YEAR, 1, operator.user.pk)
    for where in (page, address):
        assert offer not in main_text(page_of(operator, where)), where
    again = operator.client.post(address, {"year": str(LAST_YEAR)}, follow=True)
    assert "being made already" in again.content.decode()


@pytest.mark.parametrize("year", ["", "2022", "9999", "٢٠٢٥", "x"])
def test_a_year_that_is_not_offered_makes_nothing(operator: Person, year: str) -> None:
    with operator.scope():
        employer = factories.contract().worker.employer
    answer = operator.client.post(reverse("letters", args=[employer.pk]), {"year": year}, follow=True)
    assert "Choose a year." in answer.content.decode()
    with operator.scope():
        assert not BalanceLetters.objects.exists()


def test_a_year_without_anybody_says_so(operator: Person) -> None:
    with operator.scope():
        employer = factories.client()
    answer = operator.client.post(reverse("letters", args=[employer.pk]), {"year": "2024"}, follow=True)
    assert "Nobody was employed in 2024" in answer.content.decode()


def test_progress_is_polled_until_it_is_over(operator: Person) -> None:
    with operator.scope():
        employer = factories.contract(entered_on=date(2025, 1, 1)).worker.employer
        found = making.ask(employer, 2025)
    page = reverse("letters_job", args=[found.pk])
    assert "hx-trigger" in operator.client.get(page).content.decode()
    fragment = operator.client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "0 letters of 1 made" in fragment.replace("letter of", "letters of")
    assert "<html" not in fragment
    with operator.scope():
        BalanceLetters.objects.update(state="done")
    assert operator.client.get(page, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_one_part_is_a_pdf_and_several_are_a_zip(operator: Person) -> None:
    with operator.scope():
        found = made(factories.client(), 2025)
    address = reverse("letters_download", args=[found.pk])
    answer = operator.client.post(address)
    assert (answer.content, answer["Content-Type"]) == (CONTENT, "application/pdf")
    assert answer["Content-Disposition"] == 'attachment; filename="balance-letters-2025.pdf"'
    assert "no-store" in answer["Cache-Control"]
    with operator.scope():
        other = LetterPart(of=found, number=1, worker_ids=[1], letters=1)
        other.content = b"%PDF-1.7 another"
        other.save()
    answer = operator.client.post(address)
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [CONTENT, b"%PDF-1.7 another"]
    with operator.scope():
        taken = Event.objects.filter(verb="letters.downloaded", subject_id=str(found.employer_id))
        assert [event.data["letters"] for event in taken.order_by("pk")] == [1, 2]
        found.move("deleted", due_at=None)
    assert operator.client.post(address).status_code == 404
    assert "kept long enough" in main_text(page_of(operator, reverse("letters_job", args=[found.pk])))


def test_letters_that_nobody_makes_can_be_gone_on_with(operator: Person) -> None:
    with operator.scope():
        employer = factories.contract(entered_on=date(2025, 1, 1)).worker.employer
        found = making.ask(employer, 2025)
    page = reverse("letters_job", args=[found.pk])
    assert "Nobody is at it" not in main_text(page_of(operator, page))
    with operator.scope():
        late = timezone.now() - making.PATIENCE - timedelta(seconds=1)
        BalanceLetters.objects.update(due_at=late, state="running", tries=2)
    assert "Nobody is at it" in main_text(page_of(operator, page))
    assert operator.client.post(reverse("letters_again", args=[found.pk])).status_code == 302
    with operator.scope():
        assert BalanceLetters.objects.get().tries == 0
        BalanceLetters.objects.update(state="failed")
    assert "could not all be made" in main_text(page_of(operator, page))


def test_an_employer_user_makes_those_of_his_own_company_only(operator: Person) -> None:
    with operator.scope():
        own, other = factories.client(), factories.client()
        for employer in (own, other):
            factories.contract(factories.worker(employer), entered_on=date(LAST_YEAR, 1, 1))
        theirs = made(other, 2024)
    client = Client()
    client.force_login(factories.place(operator.mandataire, Profile.ENCODE, employer=own).user)
    assert f"of {LAST_YEAR} were not made yet" in client.get("/").content.decode()
    for name, pk in (("letters", other.pk), ("letters_job", theirs.pk)):
        assert client.get(reverse(name, args=[pk])).status_code == 404
    for name, pk in (("letters", other.pk), ("letters_download", theirs.pk), ("letters_again", theirs.pk)):
        assert client.post(reverse(name, args=[pk]), {"year": str(LAST_YEAR)}).status_code == 404
    assert client.post(reverse("letters", args=[own.pk]), {"year": str(LAST_YEAR)}).status_code == 302
    with operator.scope():
        assert BalanceLetters.objects.get(employer=own).year == LAST_YEAR


def test_the_list_is_paginated_and_asks_the_same_for_more_rows(operator: Person) -> None:
    with operator.scope():
        employer = factories.client()
        made(employer, 2025)
    address = reverse("letters", args=[employer.pk])

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.client.get(address).status_code == 200
        return len(queries)

    asked()
    one = asked()
    with operator.scope():
        row = BalanceLetters.objects.get()
        BalanceLetters.objects.bulk_create(
            BalanceLetters(
                employer=employer,
                year=2024,
                state="deleted",
                total=1,
                asked_at=row.asked_at,
                asked_by=row.asked_by,
            )
            for _number in range(60)
        )
    assert asked() == one
    assert "?page=2" in operator.client.get(address).content.decode()
