"""What workers say is wrong with their account: noted, decided once with what was done, told as sentences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mandates.models import Worker
from portal import tenancy
from portal.models import Event, Profile
from portal.moving import LostRace
from submissions import correcting, dossiers, merging
from submissions.models import CorrectionRequest, TrainingRecord
from tests import factories
from tests.people import Person
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db
SAID = "The course of <May> lasted two days."


@pytest.fixture
def record(operator: Person) -> TrainingRecord:
    with operator.scope():
        return factories.record(factories.worker(factories.client()), title="Excel & <co>")


def asks(**changes: str) -> dict[str, str]:
    today = timezone.localdate()
    return {"kind": "missing", "how": "phone", "text": SAID, "received_on": f"{today:%d/%m/%Y}", **changes}


def noted(operator: Person, record: TrainingRecord, **changes: Any) -> CorrectionRequest:
    with operator.scope():
        return factories.correction_request(record, **changes)


def test_from_the_account_to_the_decision(operator: Person, record: TrainingRecord) -> None:
    account = reverse("account", args=[record.worker_id])
    new = reverse("correction_new", args=[record.worker_id])
    assert new in operator.client.get(account).content.decode()
    answer = operator.client.post(new, asks(kind="figures", record=str(record.pk)))
    with operator.scope():
        found = CorrectionRequest.objects.get()
    page = reverse("correction", args=[found.pk])
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert (found.state, found.record_id, found.noted_by) == ("open", record.pk, "Lou Essai")
    shown = main_text(page_of(operator, page))
    for part in (SAID, "The figures are wrong", "By telephone", "Excel & <co>", "To decide"):
        assert part in shown, part
    assert "The figures are wrong" in main_text(page_of(operator, account))
    accepted = operator.client.post(
        reverse("correction_accept", args=[found.pk]), {"outcome": str(record.pk), "reason": "Two days now."}
    )
    assert accepted.status_code == 302
    shown = main_text(page_of(operator, page))
    for part in ("Accepted", "Excel & <co>", "Two days now.", "Lou Essai"):
        assert part in shown, part
    with operator.scope():
        told = {event.verb: event for event in Event.objects.filter(verb__startswith="correction.")}
        assert set(told) == {"correction.noted", "correction.accepted"}
        assert told["correction.accepted"].data["outcome"] == record.pk
        assert SAID not in str([event.data for event in told.values()])
    history = main_text(page_of(operator, reverse("worker", args=[record.worker_id])))
    assert "Correction of the account asked for" in history
    assert "Correction accepted" in history


def test_declining_needs_a_reason_and_happens_once(operator: Person, record: TrainingRecord) -> None:
    found = noted(operator, record)
    address = reverse("correction_decline", args=[found.pk])
    assert "Give a reason" in operator.client.post(address, follow=True).content.decode()
    operator.client.post(address, {"reason": "The list of the trainer says one day."})
    page = reverse("correction", args=[found.pk])
    assert "The list of the trainer says one day." in main_text(page_of(operator, page))
    late = operator.client.post(reverse("correction_accept", args=[found.pk]), {"reason": "x"}, follow=True)
    with operator.scope():
        assert CorrectionRequest.objects.get().state == "declined"
        with pytest.raises(LostRace):
            correcting.accept(found, record)  # read while it was still open
    assert late.redirect_chain


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"text": " "}, "This is needed"),
        ({"kind": ""}, "This is needed"),
        ({"kind": "strange"}, "Select a valid choice"),
        ({"received_on": f"{timezone.localdate() + timedelta(days=1):%d/%m/%Y}"}, "yet to come"),
        ({"kind": "not_mine"}, "Choose the training that is not"),
        ({"record": "own"}, "A missing training is not in this list"),
        ({"kind": "figures", "record": "other"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_noted_says_why(
    operator: Person, record: TrainingRecord, changes: dict[str, str], fault: str
) -> None:
    with operator.scope():
        other = factories.record(factories.worker(record.employer))
    given = asks(**changes)
    given["record"] = {"own": str(record.pk), "other": str(other.pk)}.get(given.get("record", ""), "")
    answer = operator.client.post(reverse("correction_new", args=[record.worker_id]), given)
    assert (answer.status_code, fault in answer.content.decode()) == (422, True)
    with operator.scope():
        assert not CorrectionRequest.objects.exists()


def test_accepting_says_what_was_done(operator: Person, record: TrainingRecord) -> None:
    found = noted(operator, record)
    with operator.scope():
        other = factories.record(factories.worker(record.employer))
        with pytest.raises(correcting.CannotDecide):
            correcting.accept(found, other, "of another worker")
    address = reverse("correction_accept", args=[found.pk])
    for given in ({}, {"outcome": str(other.pk)}):
        assert operator.client.post(address, given).status_code == 422
    assert operator.client.post(address, {"reason": "The contract was corrected."}).status_code == 302
    with operator.scope(), pytest.raises(IntegrityError), transaction.atomic():
        CorrectionRequest.objects.update(reason="", outcome=None)


def test_the_list_filters_counts_and_keeps_its_budget(operator: Person, record: TrainingRecord) -> None:
    noted(operator, record)
    noted(operator, record, state="declined", reason="No.", decided_at=timezone.now())
    address = reverse("corrections", args=[record.employer_id])

    def asked(query: str = "") -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.client.get(address + query).status_code == 200
        return len(queries)

    asked()
    two = asked()
    with operator.scope():
        for _number in range(60):
            factories.correction_request(factories.record(factories.worker(record.employer)))
    assert asked() == two
    assert "?page=2" in operator.client.get(address).content.decode()
    assert asked("?state=declined&page=9&worker=x") <= two
    assert main_text(page_of(operator, f"{address}?worker={record.worker_id}")).count(str(record.worker)) == 3
    assert main_text(page_of(operator, f"{address}?state=declined")).count("Declined") == 2
    assert operator.client.get(f"{address}?worker={10**9}").status_code == 404
    employer_page = main_text(page_of(operator, reverse("employer", args=[record.employer_id])))
    assert "Correction requests to decide: 61" in " ".join(employer_page.split())


def test_an_employer_user_notes_and_decides_for_his_own_company_only(
    operator: Person, record: TrainingRecord
) -> None:
    own = noted(operator, record)
    with operator.scope():
        theirs = factories.correction_request(factories.record(factories.worker(factories.client())))
        place = factories.place(operator.mandataire, Profile.ENCODE, employer=record.employer)
    client = Client()
    client.force_login(place.user)
    for name, pk in (("corrections", theirs.employer_id), ("correction", theirs.pk)):
        assert client.get(reverse(name, args=[pk])).status_code == 404
    assert client.get(reverse("correction_new", args=[theirs.worker_id])).status_code == 404
    for name in ("correction_accept", "correction_decline"):
        assert client.post(reverse(name, args=[theirs.pk]), {"reason": "x"}).status_code == 404
    assert client.post(reverse("correction_new", args=[record.worker_id]), asks()).status_code == 302
    assert client.post(reverse("correction_decline", args=[own.pk]), {"reason": "No."}).status_code == 302
    with operator.scope():
        assert CorrectionRequest.objects.get(pk=own.pk).state == "declined"
        assert CorrectionRequest.objects.get(pk=theirs.pk).state == "open"


def test_the_request_follows_its_worker(operator: Person, record: TrainingRecord) -> None:
    """Two rows of one person become one, and the complete file tells the request."""
    found = noted(operator, record)
    with operator.scope():
        other = factories.worker(record.employer)
        kept = merging.replace_number(record.worker, other.niss, source="FO.NOTI")
        found.refresh_from_db()
        assert (kept, found.worker_id) == (other, other.pk)
        assert not Worker.objects.filter(pk=record.worker_id).exists()
        whole = Worker.objects.select_related("employer").get(pk=other.pk)
        told = "".join(dossiers.of_worker(whole, tenancy.reopener()))
    assert '"text": "C\'était deux jours."' in told
