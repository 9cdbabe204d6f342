"""The individual training account: what the law wants in it, on a page and in a print that says the same."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from weasyprint.urls import FatalURLFetchingError

from mandates.models import Worker
from mandates.numbers import make_niss
from submissions import accounts, printing
from submissions.models import Declaration
from submissions.models.right import FIRST_YEAR
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db
NISS = make_niss(date(1985, 7, 30), 33)


@pytest.fixture
def worker(operator: Person) -> Worker:
    with operator.scope():
        employer = factories.client(name="Boulangerie <Delvaux>")
        found = factories.worker(employer, niss=NISS, family_name="O'Connor", given_name="Síle")
        factories.contract(found, regime=80, joint_committee="118.03", entered_on=date(2024, 1, 1))
        for year in (2024, 2025):
            factories.size(employer, year)
        factories.agreement(joint_committee="118", number="123456/CO/118", from_year=2025, days=3)
        factories.record(
            found,
            title="Hygiène & HACCP",
            starts_on=date(2025, 3, 3),
            ends_on=date(2025, 3, 4),
            charged_minutes=456,
            status="followed",
        )
        return found


REQUIRED = (
    "O'Connor, Síle",
    "85.07.30-***.**",
    "Boulangerie <Delvaux>",
    "118.03",
    "80 %",
    "Training credit 2025",
    "2,4 days (18 h 14)",  # 3 days of the agreement, at 80 %
    "4 days (30 h 24)",  # carried over from 2024
    "1 day (7 h 36)",
    "5,4 days (41 h 02)",
    "123456/CO/118",
    "Hygiène & HACCP",
    "03/03/2025",
)


needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="needs pdftotext (poppler-utils)"
)


def read(content: bytes, file: Path) -> str:
    """The text of a PDF, as another program reads it."""
    file.write_bytes(content)
    return "".join(
        subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
        for command in (["pdftotext", "-layout", file, "-"], ["pdfinfo", file])
    )


def plain(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def test_the_page_shows_all_that_the_law_wants(operator: Person, worker: Worker) -> None:
    address = reverse("account", args=[worker.pk])
    text = plain(main_text(page_of(operator, f"{address}?from=2025&to=2025")))
    for part in REQUIRED:
        assert part in text, part
    assert NISS not in text
    assert "Training credit 2024" not in text
    assert "Training credit 2024" in plain(main_text(page_of(operator, f"{address}?from=2025&to=2024")))


def test_the_years_asked_for_are_put_in_bounds() -> None:
    today = date(2026, 11, 21)
    for asked, years in {
        ("", ""): (2023, 2026),
        ("2025", "2024"): (2024, 2025),
        ("1900", "9999"): (FIRST_YEAR, 2026),
        ("٢٠٢٤", "x"): (2023, 2026),
    }.items():
        assert accounts.range_of(*asked, today=today, earliest=FIRST_YEAR) == years


def test_a_training_that_was_cancelled_is_not_followed(operator: Person, worker: Worker) -> None:
    with operator.scope():
        record = worker.training_records.get()
        states = {"state": DeclarationState.WITHDRAWN}
        factories.declaration(record, kind=Declaration.Kind.CANCELLATION, **states)
        year = accounts.account(worker, 2025, 2025)["years"][0]
        assert [row["title"] for row in year["trainings"]] == ["Hygiène & HACCP"]
        record.status = "reserved"
        record.save()
        year = accounts.account(worker, 2025, 2025)["years"][0]
        assert (year["trainings"], plain(year["used"])) == ([], "0 day")


def test_an_account_without_anything_says_so(operator: Person) -> None:
    with operator.scope():
        worker = factories.worker()
    text = main_text(page_of(operator, reverse("account", args=[worker.pk])))
    assert "no contract in these years" in text
    assert operator.client.get(reverse("account_pdf", args=[worker.pk])).content.startswith(b"%PDF-")


@needs_poppler
def test_the_print_says_the_same(operator: Person, worker: Worker, tmp_path: Path) -> None:
    answer = operator.client.get(reverse("account_pdf", args=[worker.pk]) + "?from=2025&to=2025")
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    text = plain(read(answer.content, tmp_path / "account.pdf"))
    for part in REQUIRED:
        assert part in text, part
    assert NISS not in text
    assert f"{timezone.localdate():%d/%m/%Y}" in text
    assert "Tagged: yes" in text  # so that screen readers can read it
    assert "Title: Training account of O'Connor, Síle" in text


def test_a_document_fetches_nothing() -> None:
    fetcher = printing._fonts_only()
    for url in ("http://127.0.0.1:1/x.png", "file:///etc/passwd", "file:///etc/../etc/passwd"):
        with pytest.raises(FatalURLFetchingError):
            fetcher.fetch(url)


def test_the_queries_do_not_grow_with_the_workers(operator: Person, worker: Worker) -> None:
    def asked() -> int:
        with operator.scope():
            rows = list(Worker.objects.select_related("employer").filter(employer=worker.employer_id))
            with CaptureQueriesContext(connection) as queries:
                assert len(accounts.accounts(rows, 2024, 2025)) == len(rows)
        return len(queries)

    one = asked()
    with operator.scope():
        for _number in range(5):
            factories.record(factories.contract(factories.worker(worker.employer)).worker)
    assert asked() == one <= 6


def test_for_the_stranger_there_is_no_account(worker: Worker, stranger: Person) -> None:
    for name in ("account", "account_pdf"):
        assert stranger.client.get(reverse(name, args=[worker.pk])).status_code == 404
