"""Across clients: whom to call, which channel is slow, which sets are overdue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.models import Mandataire
from submissions import calling, declaring, questions
from submissions.models import Batch, Declaration
from submissions.states import BatchState
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.test_figures import behind

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_scope(operator: Person) -> Iterator[None]:
    with operator.scope():
        yield


def aged(declaration: Declaration, days: int) -> Declaration:
    """So many days ago made, and answered if it was."""
    then = timezone.now() - timedelta(days=days)
    fields = {"created_at": then, **({"answered_at": then} if declaration.answered_at else {})}
    Declaration.objects.filter(pk=declaration.pk).update(**fields)
    return declaration


def draft(of: object) -> Declaration:
    return factories.declaration(factories.record(factories.worker(of)), state="draft")  # type: ignore[arg-type]


def test_who_has_waited_longest_is_called_first_and_each_count_opens_its_rows(operator: Person) -> None:
    through = factories.channel()
    late, later, fresh = (factories.client(name=name) for name in ("Late", "Later", "Fresh"))
    aged(scenes.refused(of=late, through=through), 4)
    scenes.refused(of=late, through=through)
    aged(draft(later), 9)
    aged(scenes.refused(of=later, through=through), 5)
    corrected = aged(scenes.refused(of=fresh, through=through), 20)
    declaring.correct(corrected)
    draft(fresh)
    answer = operator.client.get(reverse("calls"))
    rows = answer.context["page"].object_list
    assert [
        (row["name"], row["to_correct"]["count"], row["drafts"]["count"], row["days"]) for row in rows
    ] == [
        ("Later", 1, 1, 9),
        ("Late", 2, 0, 4),
    ]
    for row in rows:
        for figure in (row["to_correct"], row["drafts"]):
            assert behind(operator, figure["url"]) == figure["count"]


def test_a_channel_is_slow_when_it_takes_twice_as_long_as_before(operator: Person) -> None:
    now, (slow, usual, new) = (
        timezone.now(),
        [
            factories.channel(name=name, quality=quality)
            for name, quality in zip("ABC", Mandataire.Quality.values, strict=True)
        ],
    )
    for channel, lately in ((slow, 41), (usual, 39)):
        for days, minutes in (
            (1, lately),
            (2, lately),
            (3, 5000),
            (4, 1),
            (10, 20),
            (20, 20),
            (30, 20),
            (60, 1),
        ):
            batch = scenes.acknowledged(through=channel)
            dropped = now - timedelta(days=days)
            Batch.objects.filter(pk=batch.pk).update(
                state=BatchState.ANSWERED,
                dropped_at=dropped,
                acknowledged_at=dropped + timedelta(minutes=minutes),
                answered_at=dropped + timedelta(minutes=minutes + 60),
            )
    assert [(pace.channel, pace.sets, pace.is_slow) for pace in calling.paces(now)] == [
        (slow, 4, True),
        (usual, 4, False),
        (new, 0, False),
    ]
    for row in operator.client.get(reverse("calls")).context["paces"]:
        assert behind(operator, row["url"]) == row["sets"]
    first = calling.paces(now)[0]
    assert (first.receipt, first.receipt_before) == (timedelta(minutes=41), timedelta(minutes=20))


def test_overdue_is_what_should_have_moved_on() -> None:
    now, through = timezone.now(), factories.channel()
    parked = scenes.parked(through=through)
    silent, fresh, unanswered, waiting = (scenes.acknowledged(through=through) for _place in range(4))
    Batch.objects.filter(pk__in=[silent.pk, fresh.pk]).update(state=BatchState.DROPPED)
    Batch.objects.filter(pk=silent.pk).update(dropped_at=now - timedelta(days=1))
    Batch.objects.filter(pk=unanswered.pk).update(acknowledged_at=now - timedelta(days=3))
    assert waiting in questions.open_sets()
    assert calling.overdue(now) == sorted([silent, parked, unanswered], key=lambda batch: batch.pk)


def test_the_page_asks_the_same_however_many_clients(operator: Person) -> None:
    through = factories.channel()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            operator.client.get(reverse("calls"))
        return len(queries)

    aged(scenes.refused(of=factories.client(), through=through), 4)
    asked()
    few = asked()
    for _again in range(3):
        aged(scenes.refused(of=factories.client(), through=through), 4)
        aged(draft(factories.client()), 8)
    assert asked() == few <= 25
