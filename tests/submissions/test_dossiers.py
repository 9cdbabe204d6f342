"""The complete file of a worker and of an employer: nothing missing, nothing of others, and told in the journal."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mandates.models import Worker
from mandates.numbers import make_niss
from portal import tenancy
from portal.models import Event
from submissions import dossiers
from submissions.fields import FIELDS
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db
NISS = make_niss(date(1985, 7, 30), 33)


@pytest.fixture
def worker(operator: Person) -> Worker:
    with operator.scope():
        found = factories.worker(factories.client(name="Hôtel « Fils »"), niss=NISS, family_name="O'Connor")
        factories.contract(found, regime=80, entered_on=date(2024, 1, 1))
        factories.size(found.employer, 2024)
        factories.manual_right(found)
        factories.former_number(found)
        return found


def taken(person: Person, name: str, pk: int) -> dict[str, Any]:
    answer: Any = person.client.post(reverse(name, args=[pk]))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    found: dict[str, Any] = json.loads(b"".join(answer.streaming_content))
    return found


def test_a_worker_with_all_that_is_kept_of_him(operator: Person, worker: Worker) -> None:
    with operator.scope():
        record = factories.record(worker, title='Sécurité "1"', client_reference="0001")
        declaration = factories.declaration(record, state=DeclarationState.DRAFT)
        factories.worker(worker.employer, family_name="Abts")
        former = worker.former_numbers.get()
    found = taken(operator, "worker_file", worker.pk)
    assert (found["format"], found["version"]) == ("mandataire.dossier", 2)
    assert found["employer"]["number"] == worker.employer.number
    assert found["employer"]["sizes"] == [{"year": 2024, "fte": "50.00"}]
    assert [mandate["service"] for mandate in found["employer"]["mandates"]] == ["FLA"]
    (one,) = found["workers"]
    assert (one["niss"], one["family_name"]) == (NISS, "O'Connor")
    assert len(one["former_numbers"][0]["niss"]) == 11
    assert one["former_numbers"][0]["replaced_at"][:10] == f"{former.replaced_at:%Y-%m-%d}"
    assert (one["contracts"][0]["regime"], one["contracts"][0]["entered_on"]) == ("80.00", "2024-01-01")
    assert one["manual_rights"][0]["reason"]
    assert {right["year"] for right in one["rights"]} == set(range(2023, timezone.localdate().year + 1))
    (training,) = one["trainings"]
    assert {field.name for field in FIELDS} <= set(training)
    assert (training["title"], training["client_reference"]) == ('Sécurité "1"', "0001")
    assert training["duration_minutes"] == record.duration_minutes
    assert [row["reference"] for row in training["declarations"]] == [declaration.reference]


def test_an_employer_with_every_worker_once(
    operator: Person, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dossiers, "PER_CHUNK", 2)
    with operator.scope():
        names = [factories.worker(worker.employer, family_name=f"W{place}").family_name for place in range(4)]
        factories.worker(family_name="Elsewhere")
    found = taken(operator, "employer_file", worker.employer_id)
    assert [one["family_name"] for one in found["workers"]] == ["O'Connor", *names]


def test_an_employer_without_workers_is_a_file_too(operator: Person) -> None:
    with operator.scope():
        employer = factories.employer()
    assert taken(operator, "employer_file", employer.pk)["workers"] == []


def test_the_journal_tells_who_took_it_and_no_number(operator: Person, worker: Worker) -> None:
    taken(operator, "worker_file", worker.pk)
    taken(operator, "employer_file", worker.employer_id)
    journal = main_text(page_of(operator, "/journal/"))
    assert "took the complete file of O'Connor" in journal
    assert "and its workers, with the personal numbers in full" in journal
    with operator.scope():
        assert NISS not in str(list(Event.objects.values_list("data", "reason")))
    assert "Complete file exported" in main_text(page_of(operator, reverse("worker", args=[worker.pk])))


def test_who_only_encodes_takes_no_file(colleague: Person, worker: Worker) -> None:
    for name, pk in (("worker_file", worker.pk), ("employer_file", worker.employer_id)):
        assert colleague.client.post(reverse(name, args=[pk])).status_code == 403
    assert "Complete file" not in main_text(page_of(colleague, reverse("worker", args=[worker.pk])))


def test_the_queries_of_a_chunk_do_not_grow_with_its_workers(operator: Person, worker: Worker) -> None:
    def asked() -> int:
        with operator.scope(), CaptureQueriesContext(connection) as queries:
            assert "".join(dossiers.of_employer(worker.employer, tenancy.reopener()))
        return len(queries)

    with operator.scope():
        factories.declaration(factories.record(worker), state=DeclarationState.DRAFT)
    one = asked()
    with operator.scope():
        for _number in range(5):
            another = factories.contract(factories.worker(worker.employer)).worker
            factories.declaration(factories.record(another), state=DeclarationState.DRAFT)
    assert asked() == one
