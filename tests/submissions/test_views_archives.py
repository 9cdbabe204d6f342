"""Taking an archive, and bringing one, on the pages: who may, what is asked first, what the journal keeps."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from mandates.models import Employer, Worker
from portal.models import Application, Event, Profile
from submissions import printed_dossiers
from submissions.importing import keeping
from submissions.models import RegisterImport, TrainingRecord
from tests import factories
from tests.people import Person
from tests.submissions.archived import brought, files_of, register, taken
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(operator: Person) -> Worker:
    with operator.scope():
        return register()


def got(person: Person, name: str, *args: int) -> Any:
    answer: Any = person.client.post(reverse(name, args=args))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer


def test_the_page_warns_and_the_file_holds_every_client(operator: Person, worker: Worker) -> None:
    said = main_text(page_of(operator, reverse("archive")))
    assert "personal numbers in full" in said
    assert "Clients 2 Workers 2 Trainings 2" in " ".join(said.split())
    answer = got(operator, "archive_download")
    assert answer["Content-Type"] == "application/zip"
    files = files_of(b"".join(answer.streaming_content))
    with operator.scope():
        numbers = set(Employer.objects.values_list("number", flat=True))
        verbs = list(Event.objects.filter(verb__startswith="archive.").values_list("verb", flat=True))
    assert {name.partition("/")[0] for name in files if "/" in name} == numbers
    assert sorted(verbs) == ["archive.completed", "archive.taken"]
    journal = main_text(page_of(operator, "/journal/"))
    assert "took the archive of the whole register" in journal
    assert "was written to its end" in journal


def test_one_client_s_archive_holds_nobody_else(operator: Person, worker: Worker) -> None:
    answer = got(operator, "employer_archive", worker.employer_id)
    files = files_of(b"".join(answer.streaming_content))
    assert {name.partition("/")[0] for name in files if "/" in name} == {worker.employer.number}
    assert "Archive (ZIP)" in main_text(page_of(operator, reverse("workers", args=[worker.employer_id])))


def test_who_signed_in_a_while_ago_is_asked_again(operator: Person, worker: Worker) -> None:
    session = operator.client.session
    session["confirmed_at"] = session.get("confirmed_at", 0) - settings.CONFIRM_AFTER - 1
    session.save()
    for name, args in (("archive_download", []), ("employer_archive", [worker.employer_id])):
        answer = operator.client.post(reverse(name, args=args))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("confirm"))
    with operator.scope():
        assert not Event.objects.filter(verb__contains="archive").exists()


def test_who_is_limited_to_some_clients_takes_those_only(operator: Person, worker: Worker) -> None:
    with operator.scope():
        clerk = factories.place(operator.mandataire, Profile.EXTENDED)
        clerk.grants.get(application=Application.DECLARATIONS).limits.create(employer=worker.employer)
        other = factories.employer()
    client = Client()
    client.force_login(clerk.user)
    assert client.get(reverse("archive")).status_code == 403
    assert client.post(reverse("archive_download")).status_code == 403
    assert client.post(reverse("employer_archive", args=[other.pk])).status_code == 404
    assert client.get(reverse("register_imports")).status_code == 200


def test_an_archive_is_brought_looked_at_and_applied(
    operator: Person,
    stranger: Person,
    worker: Worker,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    file = SimpleUploadedFile("archive-0897223670.zip", taken(operator), "application/zip")
    with django_capture_on_commit_callbacks(execute=False):
        answer = stranger.client.post(reverse("register_imports"), {"kind": "archive", "file": file})
    assert answer.status_code == 302
    with stranger.scope():
        made = RegisterImport.objects.get()
    keeping.work(stranger.mandataire.pk, made.pk)
    shown = main_text(page_of(stranger, answer["Location"]))
    assert "is never declared again" in shown
    assert "Import all 4 rows, or none" in shown
    assert "Change the columns" not in shown
    stranger.client.post(reverse("register_import_apply", args=[made.pk]), {"whole": "1"})
    keeping.work(stranger.mandataire.pk, made.pk)
    shown = main_text(page_of(stranger, answer["Location"]))
    assert "4 rows of 4 imported" in shown
    assert "Undo this import" not in shown
    for name in ("register_import_undo", "register_import_columns"):
        assert stranger.client.post(reverse(name, args=[made.pk])).status_code == 302
    assert stranger.client.post(reverse("register_import_bad", args=[made.pk])).status_code == 404
    with stranger.scope():
        record = TrainingRecord.objects.get(client_reference="0001")
        assert RegisterImport.objects.get().state == "applied"
    page = main_text(page_of(stranger, reverse("record", args=[record.pk])))
    assert f"Taken over from the archive of {operator.mandataire.name}" in page
    assert "Taken over from the archive of Bureau d'avant" in page
    assert "0123456789ABC" in page
    # It stands at social security already: there is no button to declare it once more, and no way around it.
    assert "Declare" not in page.replace("declared", "")
    stranger.client.post(reverse("record_declare", args=[record.pk]))
    with stranger.scope():
        assert not record.declarations.exists()


def test_who_only_encodes_brings_none_and_applies_none(
    operator: Person, colleague: Person, worker: Worker
) -> None:
    content = taken(operator)
    file = SimpleUploadedFile("archive.zip", content, "application/zip")
    answer = colleague.client.post(reverse("register_imports"), {"kind": "archive", "file": file})
    assert answer.status_code == 422
    assert "archive" not in main_text(page_of(colleague, reverse("register_imports"))).lower()
    made = brought(operator, content)
    assert colleague.client.post(reverse("register_import_apply", args=[made.pk])).status_code == 403


def test_the_complete_file_is_printed(operator: Person, worker: Worker) -> None:
    for name, pk in (("worker_file_pdf", worker.pk), ("employer_file_pdf", worker.employer_id)):
        answer = got(operator, name, pk)
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-1.7")
    with operator.scope():
        nobody = Employer.objects.get(name="Sans personne")
    assert got(operator, "employer_file_pdf", nobody.pk).content.startswith(b"%PDF-1.7")
    with operator.scope():
        verbs = Event.objects.filter(data__format="pdf").values_list("verb", flat=True)
        assert sorted(verbs) == ["employer.file_exported", "employer.file_exported", "worker.file_exported"]


def test_many_workers_are_printed_some_at_a_time(
    operator: Person, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printed_dossiers, "PER_PDF", 1)
    answer = got(operator, "employer_file_pdf", worker.employer_id)
    content = b"".join(answer.streaming_content)
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        number = worker.employer.number
        assert found.namelist() == [f"{number}-0001.pdf", f"{number}-0002.pdf"]
        assert all(found.read(name).startswith(b"%PDF-1.7") for name in found.namelist())
