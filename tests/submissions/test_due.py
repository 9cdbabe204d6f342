"""What is due per client and quarter: each figure counts exactly the rows that its address opens."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mandates.models import Employer
from portal.models import Profile
from submissions import due, questions
from submissions.models import Declaration, SignOff
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes

D = DeclarationState
TODAY = date(2025, 10, 20)


@pytest.fixture(autouse=True)
def _in_scope(operator: Person) -> Any:
    with operator.scope():
        yield


def training(of: Employer, day: date, **fields: Any) -> Declaration:
    record = factories.record(factories.worker(of), starts_on=day, ends_on=day)
    return factories.declaration(record, **fields)


def signing(of: Employer) -> None:
    """Somebody of this client signs in here."""
    factories.place(of.mandataire, Profile.ADMINISTRATIVE, employer=of)


def declared(today: date, quarter: str = "") -> list[due.Line]:
    return due.declared_lines(today, due.lines(today), quarter=quarter)


def told(found: list[due.Line]) -> list[tuple[str, str, dict[str, int], bool]]:
    return [(line.name, line.quarter, dict(+line.figures), line.is_unsigned) for line in found]


def test_figures_stand_by_client_and_quarter_the_most_urgent_first() -> None:
    zoe, anna = factories.client(name="Zoé"), factories.client(name="anna")
    for day, state in (
        (date(2025, 7, 1), D.READY),
        (date(2025, 9, 30), D.READY),
        (date(2025, 9, 30), D.DRAFT),
        (date(2025, 10, 1), D.DRAFT),
        (date(2025, 8, 1), D.WITHDRAWN),
    ):
        training(zoe, day, state=state)
    training(anna, date(2025, 9, 1))
    assert told(due.lines(TODAY)) == [
        ("anna", "20253", {"ready": 1}, False),
        ("Zoé", "20253", {"ready": 2, "draft": 1}, False),
        ("Zoé", "20254", {"draft": 1}, False),
    ]
    assert told(due.lines(TODAY, employer=anna)) == [("anna", "20253", {"ready": 1}, False)]
    assert told(due.lines(TODAY, quarter="20254")) == [("Zoé", "20254", {"draft": 1}, False)]


def test_answers_count_until_they_are_declared() -> None:
    """All of `factories` end in the first quarter of 2025; sets of the factory go to the simulation."""
    of = factories.client()
    channel = factories.channel()
    refused = scenes.refused(of=of, through=channel)
    tested = scenes.accepted(of=of, through=channel)
    scenes.dropped(2, through=channel, of=of)
    (line,) = due.lines(TODAY)
    assert dict(+line.figures) == {"refused": 1, questions.TESTED: 1, "on_its_way": 2}
    assert line.is_open
    assert not line.is_behind(due.DECLARED)
    factories.declaration(refused.record, replaces=refused, environment="S")
    (line,) = due.lines(TODAY)
    assert dict(+line.figures) == {"ready": 1, questions.TESTED: 1, "on_its_way": 2}
    Declaration.objects.filter(pk=tested.pk).update(environment="R")
    (line,) = due.lines(TODAY)
    due.complete([line], TODAY)
    assert (line.figures[questions.TESTED], line.declared) == (0, 1)


def test_every_figure_opens_as_many_rows() -> None:
    of, other = factories.client(), factories.client()
    channel = factories.channel()
    for employer in (of, other):
        scenes.refused(of=employer, through=channel)
        scenes.accepted(of=employer, through=channel)
        scenes.dropped(2, through=channel, of=employer)
    for employer in (of, other):
        training(employer, date(2025, 2, 1), state=D.DRAFT)
        training(employer, date(2025, 2, 1))
    for line in due.lines(TODAY):
        for figure in due.FIGURES:
            name = questions.TO_CORRECT if figure == "refused" else figure
            rows = questions.filtered(questions.mine().filter(due.among([line.key])), name)
            assert rows.count() == line.figures[figure] > 0


def test_a_quarter_that_is_over_waits_for_the_word_of_a_client_who_signs_here() -> None:
    silent, signer = factories.client(name="A"), factories.client(name="B")
    training(silent, date(2025, 9, 1), state=D.WITHDRAWN)
    signing(signer)
    signing(signer)
    over = ["20251", "20252", "20253"]
    assert told(due.lines(TODAY)) == [("B", code, {}, True) for code in over]
    given = SignOff.objects.create(
        employer=signer, quarter="20252", signed_at=timezone.now(), signed_by="Lou"
    )
    assert [line.quarter for line in due.lines(TODAY)] == ["20251", "20253"]
    SignOff.objects.filter(pk=given.pk).update(reopened_at=timezone.now(), reason="something is missing")
    assert [line.quarter for line in due.lines(TODAY)] == over
    signer.members.update(is_blocked=True)
    assert due.lines(TODAY) == []


def test_what_is_all_declared_is_found_apart() -> None:
    of = factories.client(name="A")
    done = scenes.accepted(of=of)
    scenes.into_production()
    assert due.lines(TODAY) == []
    (line,) = declared(TODAY)
    assert (line.key, line.is_behind(due.DECLARED)) == ((of.pk, "20251"), True)
    assert declared(TODAY, "20244") == []
    assert declared(date(2026, 10, 20)) == []  # further back than what is shown
    assert declared(date(2026, 10, 20), "20251") == declared(TODAY)
    training(of, date(2025, 1, 5), state=D.DRAFT)
    assert declared(TODAY) == []
    assert done.employer_id == of.pk


def test_the_deadline_of_a_line_is_that_of_its_quarter() -> None:
    training(factories.client(), date(2025, 9, 1))
    (line,) = due.lines(TODAY)
    assert line.deadline
    assert (line.deadline.day, line.deadline.days_left(TODAY)) == (date(2025, 10, 31), 11)


def test_no_mandate_is_told_of_the_lines_of_a_page() -> None:
    with_one, without = factories.client(name="A"), factories.employer(name="B")
    for of in (with_one, without):
        training(of, date(2025, 9, 1))
    found = due.lines(TODAY)
    due.complete(found, TODAY)
    assert [line.may_leave for line in found] == [True, False]


def test_many_lines_ask_no_more_than_one() -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            found = due.lines(TODAY)
            due.complete(found[:50], TODAY)
        return len(queries)

    signing(factories.client())
    training(factories.client(), date(2025, 9, 1))
    few = asked()
    for _number in range(12):
        of = factories.client()
        signing(of)
        training(of, date(2025, 9, 1))
        training(of, date(2025, 4, 1), state=D.DRAFT)
    assert asked() == few <= 8


def test_another_mandataire_has_nothing_due_here(stranger: Person) -> None:
    training(factories.client(), date(2025, 9, 1))
    with stranger.scope():
        assert due.lines(TODAY) == []
