"""Rights from a file: each decision once, with its reason, and taken back as long as nothing rests on it."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from mandates.models import Worker
from portal.models import Event
from submissions import rights
from submissions.importing import applying, keeping, undoing
from submissions.importing.telling import told
from submissions.models import ManualRight, RegisterImport
from tests import factories
from tests.people import Person
from tests.racing import beside, wait_until_one_waits
from tests.submissions.register_files import csv_of, right, uploaded, worked
from tests.submissions.test_register_applying import applied, checked, killed_at_third_chunk, stands


@pytest.fixture
def worker(operator: Person) -> Worker:
    with operator.scope():
        return factories.worker(factories.client())


def rows_of(operator: Person, worker: Worker, *cells: dict[str, str]) -> list[dict[str, str]]:
    with operator.scope():
        return [right(worker, **each) for each in cells]


def on(day: date) -> dict[str, date]:
    return {"starts_on": day, "ends_on": day}


def decided() -> list[tuple[int, int, bool]]:
    rows = ManualRight.objects.filter(withdrawn_at=None).order_by("pk")
    return [(row.year, row.minutes, row.is_whole) for row in rows]


def test_a_file_decides_what_the_page_decides(operator: Person, worker: Worker) -> None:
    days = {"right_minutes": "2,5", "duration_unit": "jours", "day_minutes": "7 h 12"}
    hours = {"right_minutes": "38", "duration_unit": "uren"}
    rows = rows_of(
        operator,
        worker,
        {},
        {"decision": "Retirer du droit", "right_minutes": "1:30"},
        {"right_year": "2024", "decision": "WHOLE", **days},
        {"right_year": "2026", "reason": "Ancienneté", **hours},
    )
    made = checked(operator, "rights", rows)
    assert stands(made) == ("checked", 4, 0, 0, 0)
    with operator.scope():
        assert not ManualRight.objects.exists()
    assert stands(applied(operator, made)) == ("applied", 4, 0, 0, 4)
    with operator.scope():
        assert decided() == [(2025, 456, False), (2025, -90, False), (2024, 1080, True), (2026, 2280, False)]
        last = ManualRight.objects.latest("pk")
        assert (last.reason, last.made_by) == ("Ancienneté", "Lou Essai")
        assert rights.rights_of(worker, 2025).own == 456 - 90
        event = Event.objects.get(verb="register.rows_imported", subject_id=str(made.pk))
        assert (event.actor_name, event.data["rows"], event.data["rights_ids"][1]) == ("operator", 4, last.pk)


def test_a_template_in_each_language_is_recognised(operator: Person, worker: Worker) -> None:
    for language in ("fr", "nl", "de", "en"):
        with operator.scope():
            made = uploaded("rights", csv_of("rights", [right(worker, reason=language)], language=language))
        assert stands(worked(operator, made)) == ("checked", 1, 0, 0, 0)


WRONG = {
    "no year": ({"right_year": ""}, "right_year", "The year is missing."),
    "before the law": ({"right_year": "2022"}, "right_year", "Write a year from 2023 to"),
    "no year at all": ({"right_year": "25"}, "right_year", "Write a year from 2023 to"),
    "nothing decided": ({"decision": ""}, "decision", "Say what is decided"),
    "something else": ({"decision": "double"}, "decision", "Write one of: Add to the right, Take away"),
    "nothing said": ({"right_minutes": ""}, "right_minutes", "Say how much"),
    "nothing changed": ({"right_minutes": "0 h"}, "right_minutes", "This changes nothing"),
    "too much": ({"right_minutes": "1001 h"}, "right_minutes", "At most 1 000 hours"),
    "below zero": ({"right_minutes": "-7:36"}, "right_minutes", "Write hours and minutes"),
    "hours or days": ({"right_minutes": "5"}, "right_minutes", "Nobody knows whether this is hours or days"),
    "days of what": (
        {"right_minutes": "5", "duration_unit": "days"},
        "right_minutes",
        "says nothing without the normal day",
    ),
    "a long day": ({"day_minutes": "13 h"}, "day_minutes", "from 1 to 12 hours"),
    "no reason": ({"reason": ""}, "reason", "Give a reason"),
    "a long reason": ({"reason": "x" * 501}, "reason", "shorten it to at most 500"),
}


@pytest.mark.parametrize(("cells", "field", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_its_field(
    operator: Person, worker: Worker, cells: dict[str, str], field: str, said: str
) -> None:
    made = checked(operator, "rights", rows_of(operator, worker, cells, {}))
    assert stands(made) == ("checked", 2, 1, 0, 0)
    with operator.scope(), translation.override("en"):
        (fault,) = [one for one in made.faults.get().faults if one[0] == field]
        assert said in told(fault)


def test_the_same_decision_counts_once(operator: Person, worker: Worker) -> None:
    whole = {"right_year": "2024", "decision": "whole"}
    more = whole | {"right_minutes": "8 h"}
    rows = rows_of(operator, worker, {}, {}, whole, more, {"reason": "Autre"})
    made = checked(operator, "rights", rows)
    assert stands(made) == ("checked", 5, 2, 0, 0)
    with operator.scope():
        assert [(row.line, row.faults[0][2]) for row in made.faults.order_by("line")] == [
            (3, {"line": 2}),
            (5, {"line": 4}),
        ]
    assert stands(applied(operator, made)) == ("applied", 5, 2, 0, 3)
    again = checked(operator, "rights", rows_of(operator, worker, {}, more, {"reason": "Encore"}))
    assert stands(again) == ("checked", 3, 1, 1, 0)
    with operator.scope():
        assert keeping.earlier(uploaded("rights", rows)) == made, "the same bytes say so"
        assert "set by hand already" in again.faults.get(line=3).faults[0][1]


def test_a_right_that_was_set_by_hand_is_not_set_again(operator: Person, worker: Worker) -> None:
    made = checked(operator, "rights", rows_of(operator, worker, {"decision": "whole"}, {}))
    assert stands(made) == ("checked", 2, 0, 0, 0)
    with operator.scope():
        rights.decide(worker, 2025, 600, is_whole=True, reason="Accord")
    made = applied(operator, made)
    assert stands(made) == ("applied", 2, 1, 0, 1)
    with operator.scope():
        assert "set by hand already" in made.faults.get().faults[0][1]
        assert decided() == [(2025, 600, True), (2025, 456, False)]


def test_undoing_takes_the_decisions_back_and_loses_none(operator: Person, worker: Worker) -> None:
    rows = rows_of(operator, worker, {}, {"right_year": "2024"}, {"right_year": "2026"})
    made = applied(operator, checked(operator, "rights", rows))
    with operator.scope():
        by_hand = ManualRight.objects.get(year=2026)
        rights.take_back(by_hand, "Erreur")
        undoing.begin(made)
    made = worked(operator, made)
    assert (made.state, made.undone, made.kept) == ("undone", 2, 0)
    with operator.scope():
        assert decided() == []
        first = ManualRight.objects.get(year=2025)
        assert (first.withdrawn_by, "registre.csv" in first.withdrawn_reason) == ("Lou Essai", True)
        assert ManualRight.objects.get(year=2026).withdrawn_reason == "Erreur"


def test_undoing_keeps_a_right_that_training_was_counted_against_since(
    operator: Person, worker: Worker
) -> None:
    with operator.scope():
        factories.record(worker, charged_minutes=60, **on(date(2024, 3, 3)))
    rows = rows_of(operator, worker, {"right_year": "2024"}, {}, {"right_year": "2026"})
    made = applied(operator, checked(operator, "rights", rows))
    with operator.scope():
        factories.record(worker, charged_minutes=60, **on(date(2025, 3, 3)))
        kept = ManualRight.objects.get(year=2025)
        undoing.begin(made)
    made = worked(operator, made)
    assert (made.state, made.undone, made.kept) == ("undone", 1, 2)
    with operator.scope():
        reasons = {row: reason for row, _pk, reason in made.chunks.get().kept["rights"]}
        assert reasons == {2: undoing.LEANED_ON, 3: undoing.LEANED_ON}
        assert kept.pk in {pk for _row, pk, _reason in made.chunks.get().kept["rights"]}
        assert timezone.localdate().year >= 2026
    shown = operator.client.get(f"/imports/{made.pk}/").content.decode()
    assert f"/workers/{worker.pk}/rights/2025/" in shown


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_decide_it_once(operator: Person) -> None:
    """Nothing in the table keeps two equal decisions apart: the second import waits, and finds the first one's."""
    with operator.scope():
        worker = factories.worker(factories.client())
        pair = [uploaded("rights", [right(worker)]) for _ in range(2)]
    for made in pair:
        worked(operator, made)
        with operator.scope():
            applying.begin(RegisterImport.objects.get(pk=made.pk), is_whole=False)
    tenant = operator.mandataire.pk
    with ExitStack() as stack:
        with operator.scope():
            assert keeping.work(tenant, pair[0].pk) == 1
            second = stack.enter_context(beside(lambda: keeping.work(tenant, pair[1].pk)))
            wait_until_one_waits()
        assert second.result(timeout=10) == 0
    with operator.scope():
        assert decided() == [(2025, 456, False)]
        assert stands(RegisterImport.objects.get(pk=pair[1].pk)) == ("applied", 1, 0, 1, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", ["applying", "undoing"])
def test_killed_in_the_middle_each_decision_is_there_once(
    operator: Person, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)
    with operator.scope():
        worker = factories.worker(factories.client())
        made = uploaded("rights", [right(worker, reason=f"Décision {n}") for n in range(9)])
    made = worked(operator, made)
    with operator.scope():
        applying.begin(made, is_whole=False)
    if work == "undoing":
        made = worked(operator, made)
        with operator.scope():
            undoing.begin(made)
    assert killed_at_third_chunk(operator, made) == -signal.SIGKILL
    with operator.scope():
        assert len(decided()) == {"applying": 4, "undoing": 6}[work]
    made = worked(operator, made)
    assert made.state == {"applying": "applied", "undoing": "undone"}[work]
    with operator.scope():
        assert (len(decided()), ManualRight.objects.count()) == (9 if work == "applying" else 0, 9)


def test_the_account_of_a_worker_follows(operator: Person, worker: Worker) -> None:
    with operator.scope():
        factories.contract(worker, entered_on=date(2025, 1, 1))
        rights.set_size(worker.employer, 2025, Decimal(25))
        before = rights.rights_of(worker, 2025).own
    rows = rows_of(operator, worker, {"decision": "take", "right_minutes": "1 h"})
    applied(operator, checked(operator, "rights", rows))
    with operator.scope():
        assert rights.rights_of(worker, 2025).own == before - 60
