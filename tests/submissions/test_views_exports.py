"""The lists as files: exactly what is filtered, within the wall, and told in the journal."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from mandates.models import Worker
from mandates.numbers import make_niss
from portal import sheets
from portal.models import Application, Event, Profile
from submissions.states import BatchState, DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import documents, relayed_files
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db
NISS = make_niss(date(1985, 7, 30), 33)


def csv_rows(client: Client, address: str, **asked: str) -> list[dict[str, str]]:
    answer: Any = client.post(address, asked)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    text = b"".join(answer.streaming_content).decode()
    assert NISS not in text
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def xlsx_rows(client: Client, address: str, **asked: str) -> list[list[object]]:
    answer: Any = client.post(address, {**asked, "format": "xlsx"})
    assert answer["Content-Disposition"].endswith('.xlsx"')
    content = b"".join(answer.streaming_content)
    return [
        list(r) for r in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    ]


@pytest.fixture
def worker(operator: Person) -> Worker:
    with operator.scope():
        return factories.worker(factories.client(name="=Hôtel & Fils"), niss=NISS, family_name="O'Connor")


def test_declarations_as_filtered(operator: Person, worker: Worker) -> None:
    with operator.scope():
        record = factories.record(worker, title="-1+1", client_reference="0001")
        draft = factories.declaration(record, state=DeclarationState.DRAFT)
        factories.declaration(factories.record(title="Other"), state=DeclarationState.WITHDRAWN)
    export = reverse("declarations_export")
    assert len(csv_rows(operator.client, export)) == 2
    (row,) = csv_rows(operator.client, export, state="draft")
    assert row["Employer"] == "'=Hôtel & Fils"
    assert row["Enterprise number"] == sheets.enterprise_code(worker.employer.number)
    assert (row["NISS"], row["Declaration"]) == ("85.07.30-***.**", "'-1+1")
    assert row["First day"] == f"{record.starts_on:%d/%m/%Y}"
    assert row["Duration (hours)"].count(",") == 1
    assert row["Our reference"] == draft.reference
    assert csv_rows(operator.client, export, q="Other")[0]["Declaration"] == "Other"
    headings, line = xlsx_rows(operator.client, export, state="draft")
    told = dict(zip(headings, line, strict=False))
    assert (told["Employer"], told["Declaration"]) == ("=Hôtel & Fils", "-1+1")
    assert told["First day"] == record.starts_on
    answer = operator.client.post(export, {"q": NISS})
    assert answer.status_code == 302
    assert "never searched" in str([*get_messages(answer.wsgi_request)][-1])


def test_what_is_to_correct_by_cause(operator: Person) -> None:
    with operator.scope():
        refused = factories.declarations_of(factories.sealed_batch(2))
        for declaration in refused:
            declaration.move(DeclarationState.REFUSED, answered_at=timezone.now())
    export = reverse("to_correct_export")
    rows = csv_rows(operator.client, export)
    assert [row["Our reference"] for row in rows] == [one.reference for one in refused]
    assert len(csv_rows(operator.client, export, code="none")) == 2
    assert csv_rows(operator.client, export, code="00024-179", tag="x") == []


def test_clients_and_mandates_as_filtered(operator: Person, worker: Worker) -> None:
    with operator.scope():
        factories.employer(name="Auberge", onss_number="130387593")
    rows = csv_rows(operator.client, reverse("employers_export"))
    assert [row["Employer"] for row in rows] == ["'=Hôtel & Fils", "Auberge"]
    assert (rows[0]["Mandate"], rows[1]["Mandate"]) == ("Active", "None")
    assert rows[1]["ONSS number"] == "1303875-93"
    assert [
        r["Employer"] for r in csv_rows(operator.client, reverse("employers_export"), state="without")
    ] == ["Auberge"]
    (mandate,) = csv_rows(operator.client, reverse("mandates_export"), state="active")
    assert mandate["Employer"] == "'=Hôtel & Fils"
    assert mandate["First day"].count("/") == 2
    assert csv_rows(operator.client, reverse("mandates_export"), state="refused") == []


def test_sets_as_filtered(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        first, parked = factories.sealed_batch(2, through=channel), factories.sealed_batch(1, through=channel)
        answered = factories.declarations_of(first)[0]
        answered.move(DeclarationState.REFUSED, answered_at=timezone.now())
        parked.move(BatchState.PARKED, parked_reason="look")
    export = reverse("batches_export")
    newest, oldest = csv_rows(operator.client, export)
    assert (newest["State"], newest["Declarations"]) == ("Waits for your decision", "1")
    assert oldest["File"].startswith("FI.FLAD.")
    assert (oldest["Refused"], oldest["Waiting"], oldest["Clients"]) == ("1", "1", "1")
    assert [row["File"] for row in csv_rows(operator.client, export, state="parked")] == [newest["File"]]
    headings, line = xlsx_rows(operator.client, export, state="sealed")
    assert dict(zip(headings, line, strict=True))["File"] == oldest["File"]


def test_ready_made_files_and_documents(operator: Person) -> None:
    with operator.scope():
        channel = relayed_files.channel()
        file = relayed_files.handed_over(channel)
        declared = documents.sent(channel)
    (row,) = csv_rows(operator.client, reverse("relays_export"))
    assert (row["File"], row["Service"], row["Withdrawn"]) == (file.name, "Dimona", "no")
    assert (row["Forms"], row["Ready to leave"], row["Refused"]) == (str(file.forms_count),) * 2 + ("0",)
    (row,) = csv_rows(operator.client, reverse("documents_export"))
    assert row["Our reference"] == declared.reference


def test_users_as_searched(operator: Person, colleague: Person) -> None:
    niss = factories.new_niss()
    manager = factories.place(operator.mandataire, is_manager=True, niss=niss, last_name="=Peeters")
    client = Client()
    client.force_login(manager.user)
    export = reverse("users_export")
    everybody = csv_rows(client, export)
    assert {row["User name"] for row in everybody} >= {manager.user.username, "operator"}
    (row,) = csv_rows(client, export, last_name="peet", niss=niss)
    assert (row["Name"], row["Manager"], row["Profiles"]) == ("'=Peeters", "yes", "All applications")
    with operator.scope():
        events = list(
            Event.objects.filter(verb="list.exported").order_by("pk").values_list("data", flat=True)
        )
    assert events[-1] == {"list": "users", "format": "csv", "filter": {"last_name": "peet"}}
    assert colleague.client.post(export).status_code == 403


def test_lists_of_all_clients_are_not_for_who_is_limited(operator: Person, worker: Worker) -> None:
    with operator.scope():
        clerk = factories.place(operator.mandataire, Profile.ENCODE)
        clerk.grants.get(application=Application.DECLARATIONS).limits.create(employer=worker.employer)
    client = Client()
    client.force_login(clerk.user)
    for name in ("batches_export", "relays_export", "documents_export"):
        assert client.post(reverse(name)).status_code == 403


def test_workers_with_their_rights(operator: Person, worker: Worker) -> None:
    year = timezone.localdate().year
    export = reverse("workers_export", args=[worker.employer_id])
    with operator.scope():
        factories.contract(worker, regime=50, entered_on=date(year, 1, 1), joint_committee="149.01")
        factories.worker(worker.employer, family_name="Abts", given_name="Jan")
    row = csv_rows(operator.client, export)[1]
    assert (row["Family name"], row["NISS"]) == ("O'Connor", "85.07.30-***.**")
    assert (row["Joint committee"], row["Work regime (%)"]) == ("'149.01", "50,00")
    assert (row["Right of the year (days)"], row["Remaining (days)"]) == ("", "")  # no size, no figure
    with operator.scope():
        factories.size(worker.employer, year)
    row = csv_rows(operator.client, export)[1]
    assert (row["Right of the year (days)"], row["Remaining (days)"]) == ("2,50", "2,50")
    assert len(csv_rows(operator.client, export, q="abts")) == 1
    assert xlsx_rows(operator.client, export, q="connor")[1][8] == 2.5


def test_an_export_is_told_in_the_journal(operator: Person, worker: Worker) -> None:
    csv_rows(operator.client, reverse("employers_export"), q="auberge", format="csv")
    with operator.scope():
        event = Event.objects.get(verb="list.exported")
    assert event.data == {"list": "employers", "format": "csv", "filter": {"q": "auberge"}}
    assert "exported a list: Employers (CSV)" in main_text(page_of(operator, "/journal/"))


def test_a_limited_grant_exports_its_own_clients_only(operator: Person, worker: Worker) -> None:
    with operator.scope():
        for one in (worker, factories.worker(factories.client(name="Auberge"))):
            factories.declaration(factories.record(one), state=DeclarationState.DRAFT)
        other = one.employer
        clerk = factories.place(operator.mandataire, Profile.ENCODE)
        clerk.grants.get(application=Application.DECLARATIONS).limits.create(employer=other)
    client = Client()
    client.force_login(clerk.user)
    assert [row["Employer"] for row in csv_rows(client, reverse("declarations_export"))] == ["Auberge"]
    assert client.post(reverse("workers_export", args=[worker.employer_id])).status_code == 404


def test_a_list_longer_than_a_sheet_is_refused(
    operator: Person, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 0)
    answer = operator.client.post(reverse("employers_export"), {"format": "xlsx"})
    assert (answer.status_code, answer["Location"]) == (302, reverse("employers"))
    assert "choose CSV" in str([*get_messages(answer.wsgi_request)][-1])
    assert len(csv_rows(operator.client, reverse("employers_export"))) == 1


def test_the_stranger_exports_nothing_of_it(worker: Worker, stranger: Person) -> None:
    for name in ("employers_export", "mandates_export", "declarations_export", "to_correct_export"):
        assert csv_rows(stranger.client, reverse(name)) == []
