"""Applying a preview: every good row once, whatever happens to the worker, and whoever comes in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from mandates import granting
from mandates.importing import applying, keeping
from mandates.models import Employer, Mandate, MandateImport, MandateImportRow
from mandates.states import MandateState
from mandates.tasks import apply_import
from portal import audit
from portal.models import Event
from portal.moving import LostRace
from submissions import sweeping, tasks
from tests import factories
from tests.mandates import scenes
from tests.people import Person
from tests.racing import race

committed = pytest.mark.django_db(transaction=True)


def upload(count: int, *rows: str) -> MandateImport:
    """A preview of new clients, and of these rows, which come first."""
    new = (f"{factories.new_enterprise_number()};Client {n};;nl;FLA;2026Q1;2026Q4" for n in range(count))
    return scenes.imported(scenes.rows_of(*rows, *new))


def begun(person: Person, count: int, *rows: str, is_whole: bool = False) -> MandateImport:
    with person.scope():
        made = upload(count, *rows)
        applying.begin(made, is_whole=is_whole)
    return made


def stands(person: Person, made: MandateImport) -> tuple[str, int, int]:
    """State, mandates made, rows to correct; checked against the rows themselves."""
    with person.scope():
        found = MandateImport.objects.get(pk=made.pk)
        assert found.rows.filter(state="applied").count() == found.done
        assert found.rows.filter(state="bad").count() == found.bad
        return found.state, found.done, found.bad


def verbs(person: Person) -> list[str]:
    with person.scope():
        return list(Event.objects.order_by("id").values_list("verb", flat=True))


# --- what is made ---------------------------------------------------------------------------------


def test_each_good_row_becomes_a_mandate_that_we_validated(operator: Person) -> None:
    with operator.scope():
        client = factories.employer(name="Delvaux")
        before = Event.objects.count()
    made = begun(operator, 1, f"{client.number};Autre nom;;;FLA;2026Q2;", "1;;;;FLA;2026Q1;")
    assert applying.apply(operator.mandataire.pk, made.pk) == 2
    assert stands(operator, made) == ("applied", 2, 1)
    with operator.scope():
        known, new = Mandate.objects.order_by("pk")
        assert (known.employer, known.starts_on, known.ends_on) == (client, date(2026, 4, 1), None)
        assert (new.employer.name, new.employer.language) == ("Client 0", "nl")
        assert (new.starts_on, new.ends_on) == (date(2026, 1, 1), date(2026, 12, 31))
        assert Employer.objects.get(pk=client.pk).name == "Delvaux"
        for mandate in (known, new):
            assert mandate.state == MandateState.PENDING
            assert mandate.validated_by_mandataire_at
            assert mandate.validated_by_employer_at is None
            granting.validate(mandate, granting.Party.EMPLOYER, scenes.pdf())
            assert mandate.state == MandateState.ACTIVE
        told = Event.objects.order_by("id")[before:]
        assert {event.actor_name for event in told} == {"operator"}
        assert [event.verb for event in told[:9]] == [
            "import.uploaded",
            "import.started",
            "employer.added",
            *("mandate.created", "mandate.created", "mandate.proposed", "mandate.proposed"),
            *("mandate.validated", "mandate.validated"),
        ]
        applied = Event.objects.get(verb="import.applied")
        assert applied.data == {"name": "mandats.csv", "mandates": 2, "bad": 1}
        one = Event.objects.get(verb="mandate.proposed", subject_id=str(new.pk))
        assert one.data == {"service": "FLA", "start": "2026-01-01", "end": "2026-12-31"}


def test_two_rows_of_one_new_client_make_him_once(operator: Person) -> None:
    number = factories.new_enterprise_number()
    made = begun(operator, 0, f"{number};Premier;;;FLA;2025Q1;2025Q2", f"{number};Second;;;FLA;2025Q3;")
    assert applying.apply(operator.mandataire.pk, made.pk) == 2
    with operator.scope():
        assert Employer.objects.get().name == "Premier"


def test_what_is_not_begun_is_not_applied_and_what_is_applied_not_again(operator: Person) -> None:
    with operator.scope():
        made = upload(2)
    assert applying.apply(operator.mandataire.pk, made.pk) == 0
    with operator.scope():
        applying.begin(made, is_whole=False)
        with pytest.raises(LostRace):
            applying.begin(MandateImport.objects.get(), is_whole=False)
    assert [applying.apply(operator.mandataire.pk, made.pk) for _ in range(3)] == [2, 0, 0]
    assert verbs(operator).count("mandate.created") == 2


def test_all_or_nothing_is_not_begun_with_a_bad_row_nor_anything_without_a_good_one(operator: Person) -> None:
    with operator.scope():
        with pytest.raises(LostRace):
            applying.begin(upload(1, "1;;;;FLA;2026Q1;"), is_whole=True)
        with pytest.raises(LostRace):
            applying.begin(upload(0, "1;;;;FLA;2026Q1;"), is_whole=False)


# --- between preview and apply --------------------------------------------------------------------


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_conflict_that_arose_meanwhile_becomes_a_fault_of_its_row(
    operator: Person, stranger: Person, is_whole: bool
) -> None:
    with operator.scope():
        ours, theirs = factories.employer(), factories.employer()
    rows = [f"{client.number};;;;FLA;2026Q1;" for client in (ours, theirs)]
    made = begun(operator, 2, *rows, is_whole=is_whole)
    with operator.scope():
        scenes.proposed(ours)
    with stranger.scope():
        scenes.granted(factories.employer(number=theirs.number))
    assert applying.apply(operator.mandataire.pk, made.pk) == (0 if is_whole else 2)
    assert stands(operator, made) == (("checked", 0, 2) if is_whole else ("applied", 2, 2))
    with operator.scope():
        faults = [row.faults[0][1] for row in made.rows.filter(state="bad").order_by("line")]
        assert "waits already" in faults[0]
        assert "Another mandataire holds" in faults[1]
        assert Employer.objects.filter(name__startswith="Client").count() == (0 if is_whole else 2)
    assert ("import.stopped" in verbs(operator)) is is_whole


def test_after_all_or_nothing_was_stopped_the_good_ones_may_still_be_applied(operator: Person) -> None:
    with operator.scope():
        client = factories.employer()
    made = begun(operator, 3, f"{client.number};;;;FLA;2026Q1;", is_whole=True)
    with operator.scope():
        scenes.proposed(client)
    applying.apply(operator.mandataire.pk, made.pk)
    with operator.scope():
        applying.begin(MandateImport.objects.get(), is_whole=False)
    assert applying.apply(operator.mandataire.pk, made.pk) == 3
    assert stands(operator, made) == ("applied", 3, 1)


def test_a_preview_is_thrown_away_only_as_long_as_it_is_one(operator: Person) -> None:
    with operator.scope():
        preview, applied = upload(1), scenes.applied(scenes.rows_of("0897223670;A;;;FLA;2026Q1;"))
        keeping.discard(preview)
        with pytest.raises(LostRace):
            keeping.discard(applied)
        assert list(MandateImport.objects.all()) == [applied]
        assert MandateImportRow.objects.count() == 1
        assert Event.objects.get(verb="import.discarded").data["sha256"] == preview.sha256


# --- workers --------------------------------------------------------------------------------------


class Killed(BaseException):
    """Nothing in the code catches it, as nothing catches SIGKILL."""


def deadly(function: Callable[..., Any], nth: int) -> Callable[..., Any]:
    """`function`, whose caller dies right after its nth call."""
    calls = 0

    def run(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = function(*args, **kwargs)
        if calls == nth:
            raise Killed
        return result

    return run


@committed
@pytest.mark.parametrize(
    ("module", "name", "nth", "left"),
    [
        (applying, "_apply_some", 2, 2),  # the second chunk is complete but for its commit
        (applying, "_apply_some", 4, 5),  # the end is noted, and not committed
        (granting, "propose_validated", 2, 2),  # in the middle of a chunk: nothing of it stays
        (applying, "_clients", 1, 0),  # the clients were made, and go again
    ],
)
def test_a_killed_worker_leaves_whole_chunks_and_the_next_one_goes_on(
    operator: Person, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, nth: int, left: int
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)
    made = begun(operator, 5)
    with monkeypatch.context() as armed:
        armed.setattr(module, name, deadly(getattr(module, name), nth))
        with pytest.raises(Killed):
            applying.apply(operator.mandataire.pk, made.pk)
    assert stands(operator, made) == ("applying", left, 0)
    with operator.scope():
        assert Mandate.objects.count() == Employer.objects.count() == left
    assert applying.apply(operator.mandataire.pk, made.pk) == 5 - left
    assert stands(operator, made) == ("applied", 5, 0)
    assert verbs(operator).count("mandate.created") == verbs(operator).count("employer.added") == 5
    assert audit.verify(operator.mandataire.pk)[1] is None


@committed
def test_two_workers_at_once_make_every_mandate_once(
    operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 3)
    made = begun(operator, 20)
    runners = [lambda: applying.apply(operator.mandataire.pk, made.pk)] * 2
    counts = race(*runners)
    assert sum(count for count in counts if isinstance(count, int)) == 20, counts
    assert stands(operator, made) == ("applied", 20, 0)
    assert verbs(operator).count("import.applied") == 1


@committed
def test_two_files_about_the_same_clients_meet_without_a_deadlock(
    operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each client is added once, and whoever comes second learns what the first one proposed."""
    monkeypatch.setattr(applying, "CHUNK", 10)
    rows = [f"{factories.new_enterprise_number()};A;;;FLA;2026Q1;" for _ in range(20)]
    one, other = begun(operator, 0, *rows), begun(operator, 0, *reversed(rows))
    made = race(*(lambda pk=pk: applying.apply(operator.mandataire.pk, pk) for pk in (one.pk, other.pk)))
    assert sum(count for count in made if isinstance(count, int)) == 20, made
    (_, first, bad), (_, second, worse) = stands(operator, one), stands(operator, other)
    assert (first + second, bad + worse) == (20, 20)
    with operator.scope():
        assert Employer.objects.count() == Mandate.objects.count() == 20


@committed
def test_two_people_who_press_at_once_begin_it_once(operator: Person) -> None:
    with operator.scope():
        made = upload(2)

    answers = race(*[lambda: operator.client.post(f"/mandates/imports/{made.pk}/apply/").status_code] * 2)
    assert answers == [302, 302]
    assert verbs(operator).count("import.started") == 1
    assert stands(operator, made) == ("applying", 0, 0)


# --- what is due ----------------------------------------------------------------------------------


def due(at: Any) -> list[tuple[Any, int]]:
    return [(task.mandataire, task.identity) for task in sweeping.due(at) if task.work == "import"]


def test_the_sweep_takes_what_nobody_worked_on_lately(operator: Person, stranger: Person) -> None:
    with stranger.scope():
        upload(1)
    made = begun(operator, 1)
    now = timezone.now()
    assert due(now) == []
    assert due(now + timedelta(minutes=5)) == [(operator.mandataire.pk, made.pk)]
    sweeping.DOING["import"](operator.mandataire.pk, made.pk)
    assert stands(operator, made) == ("applied", 1, 0)
    assert due(now + timedelta(minutes=5)) == []


def test_the_task_does_what_the_sweep_does(operator: Person) -> None:
    made = begun(operator, 1)
    assert tasks.TASKS["import"] is apply_import
    apply_import(str(operator.mandataire.pk), made.pk)
    assert stands(operator, made) == ("applied", 1, 0)
