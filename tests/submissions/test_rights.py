"""The rights as the register gives them: what is counted, what changes them, and what is told about it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from channels.models import Channel
from mandates import employing
from mandates.models import Contract, Worker
from portal.models import Event
from portal.moving import LostRace
from submissions import declaring, rights
from submissions.models import Declaration, SectorAgreement
from submissions.right_words import amount, days, decimal, steps
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes

pytestmark = pytest.mark.django_db
D = DeclarationState


@pytest.fixture
def worker(operator: Person) -> Worker:
    """Half time since July 2024 in an enterprise of 50, under an agreement of two days: the example of the house."""
    with operator.scope():
        made = factories.worker()
        factories.size(made.employer, 2024)
        factories.agreement(joint_committee="302", days="2", number="1/CO/302")
        factories.contract(made, joint_committee="302", regime=50, entered_on=date(2024, 7, 1))
    return made


def own(worker: Worker, year: int = 2024) -> int:
    return rights.rights_of(worker, year).own


def test_the_example_of_the_house(operator: Person, worker: Worker) -> None:
    with operator.scope():
        found = rights.rights_of(worker, 2024)
        assert (found.own, found.missing, found.day_minutes) == (228, (), 456)
        assert rights.rights_of(worker, 2025).missing == (2025,)


def test_its_steps_in_words(operator: Person, worker: Worker) -> None:
    with operator.scope(), translation.override("en"):
        told = [
            tuple(part.replace("\u00a0", " ") for part in step)
            for step in steps(rights.rights_of(worker, 2024))
        ]
    assert told == [
        (
            "Size of the enterprise",
            "50 full-time equivalents (average from Q4 2022 to Q3 2023). From 20 on, the law gives a full-timer "
            "5 days a year.",
            "5 days",
        ),
        (
            "Joint committee 302 – Industrie hôtelière",
            "Agreement 1/CO/302, step of the growth path from 2024: 2 days instead of 5 days.",
            "2 days",
        ),
        (
            "July to December",
            "6 months begun: 2 days × 50 % × 6/12 = 0,5 day. One day is 7 h 36.",
            "0,5 day (3 h 48)",
        ),
        ("Right of the year", "The sum of the months.", "0,5 day (3 h 48)"),
        (
            "Training taken",
            "What followed trainings that ended in the year were charged to the right.",
            "0 day",
        ),
        (
            "Remaining",
            "Right of the year and what was carried over, less the training taken.",
            "0,5 day (3 h 48)",
        ),
    ]


def test_every_step_has_its_words(operator: Person, worker: Worker) -> None:
    """Years before the law, without a size, with all that a person may decide, and at the end of a period."""
    with operator.scope():
        for year in range(2025, 2030):
            factories.size(worker.employer, year, "9" if year == 2026 else "15" if year == 2027 else "30")
        SectorAgreement.objects.update(days=1)
        factories.manual_right(worker, year=2025, minutes=-30)
        factories.manual_right(worker, year=2025, minutes=900, is_whole=True)
        factories.contract(
            worker, entered_on=date(2025, 3, 31), left_on=date(2025, 3, 31), day_minutes=431, regime=33
        )
        factories.record(worker, starts_on=date(2025, 3, 3), ends_on=date(2025, 3, 4), charged_minutes=9000)
        told = [step for year in range(2022, 2032) for step in steps(rights.rights_of(worker, year))]
    texts = {step.title for step in told}
    for title in (
        "Before the law",
        "No contract",
        "Set by hand",
        "Taken away by hand",
        "End of a period",
        "Carried over",
    ):
        assert title in texts
    assert any("the law wants 2 days at least" in step.text for step in told)
    assert any("rounded to the nearest minute" in step.text for step in told)
    assert any("beyond the right" in step.text for step in told)
    assert not any("%(" in part for step in told for part in step)


def test_numbers_as_people_write_them() -> None:
    assert [decimal(Fraction(*n)) for n in ((1, 2), (2, 1), (7, 3), (95, 24), (-1, 4), (1, 1000), (10, 1))] == [
        "0,5", "2", "2,33", "3,96", "-0,25", "0", "10",
    ]  # fmt: skip
    with translation.override("fr"):  # 1,5 is singular in French
        said = [days(Fraction(*n)) for n in ((0, 1), (1, 2), (3, 2), (2, 1))]
        assert [one.split()[0] for one in said] == ["0", "0,5", "1,5", "2"]
        assert len({one.split()[1] for one in said[:3]}) == 1 != len({one.split()[1] for one in said})
    with translation.override("en"):
        assert [days(Fraction(*n)) for n in ((1, 1), (3, 2))] == ["1 day", "1,5 days"]
        assert amount(-456, 456).replace("\u00a0", " ") == "-1 day (-7 h 36)"


# --- what is counted ------------------------------------------------------------------------------


def test_only_what_was_followed_and_charged_is_taken(operator: Person, worker: Worker) -> None:
    with operator.scope():
        day = {"starts_on": date(2024, 10, 1), "ends_on": date(2024, 10, 1), "charged_minutes": 60}
        factories.record(worker, **day)
        factories.record(worker, **{**day, "charged_minutes": 0})
        for status in ("reserved", "not_followed", "unsuitable"):
            factories.record(worker, **day, status=status)
        factories.record(worker, **{**day, "starts_on": date(2023, 12, 29), "ends_on": date(2024, 1, 2)})
        factories.record(factories.worker(worker.employer), **day)
        found = rights.rights_of(worker, 2024)
    assert (found.used, found.remaining) == (120, 108)


def test_a_training_taken_off_the_account_counts_no_more(operator: Person, worker: Worker) -> None:
    with operator.scope():
        day = {"starts_on": date(2024, 10, 1), "ends_on": date(2024, 10, 1), "charged_minutes": 60}
        channel = factories.channel()
        factories.active_mandate(worker.employer)
        kept, gone, refused = (factories.record(worker, **day) for _ in range(3))
        for record in (kept, gone, refused):
            declared(channel, factories.declaration(record), D.ACCEPTED)
        assert rights.rights_of(worker, 2024).used == 180
        declared(channel, declaring.cancel(gone), D.ACCEPTED)
        declared(channel, declaring.cancel(refused), D.REFUSED)
        assert rights.rights_of(worker, 2024).used == 120


def declared(through: Channel, declaration: Declaration, state: D) -> None:
    """Sent, and answered."""
    factories.seal(through)
    declaration.refresh_from_db()
    scenes.answer(declaration, state)


def test_as_many_questions_for_one_as_for_many(operator: Person, worker: Worker) -> None:
    with operator.scope():
        many = [factories.worker(worker.employer) for _ in range(12)]
        for one in many:
            factories.contract(one)
            factories.record(one)
        with CaptureQueriesContext(connection) as few:
            rights.rights_of(worker, 2024)
        with CaptureQueriesContext(connection) as more:
            found = rights.rights_of_many([worker, *many], 2025)
    assert len(few) == len(more) == 5
    assert {found[one.pk].used for one in many} == {912}


# --- what changes them ----------------------------------------------------------------------------


def change(worker: Worker, **values: object) -> None:
    (row,) = Contract.objects.filter(worker=worker)
    with transaction.atomic(), rights.watching(worker):
        employing.change(row, values)


def test_a_changed_contract_changes_the_right_and_tells_it(operator: Person, worker: Worker) -> None:
    with operator.scope():
        change(worker, regime=Decimal(100))
        assert own(worker) == 456
        told = Event.objects.get(verb="right.recalculated", subject_id=str(worker.pk))
        assert told.data["rights"]["2024"] == [228, 456]
        change(worker, entered_on=date(2024, 1, 1))
        assert own(worker) == 912
        assert Event.objects.filter(verb="right.recalculated").count() == 2
        change(worker, entered_on=date(2024, 1, 9))  # the month had begun anyway
        assert Event.objects.filter(verb="right.recalculated").count() == 2


def test_a_right_decided_by_hand_and_taken_back(operator: Person, worker: Worker) -> None:
    with operator.scope():
        made = rights.decide(worker, 2024, 60, is_whole=False, reason=" Agreed with the <union> ")
        assert (own(worker), made.reason, made.made_by) == (288, "Agreed with the <union>", "Lou Essai")
        with pytest.raises(rights.CannotGrant):
            rights.take_back(made, " ")
        rights.take_back(made, "A mistake")
        assert own(worker) == 228
        with pytest.raises(LostRace):
            rights.take_back(made, "Twice")
        told = {event.verb: event.reason for event in Event.objects.filter(subject_id=str(worker.pk))}
        assert told["right.decided"] == "Agreed with the <union>"
        assert told["right.taken_back"] == "A mistake"


def test_a_right_is_set_by_hand_once_and_with_a_reason(operator: Person, worker: Worker) -> None:
    with operator.scope():
        for reason, minutes in (("", 60), ("Below zero", -1)):
            with pytest.raises(rights.CannotGrant):
                rights.decide(worker, 2024, minutes, is_whole=True, reason=reason)
        first = rights.decide(worker, 2024, 60, is_whole=True, reason="Agreed")
        with pytest.raises(rights.CannotGrant, match="already"):
            rights.decide(worker, 2024, 90, is_whole=True, reason="Agreed")
        rights.take_back(first, "Otherwise")
        rights.decide(worker, 2024, 90, is_whole=True, reason="Agreed")
        assert own(worker) == 90


def test_a_size_is_set_and_set_again(operator: Person, worker: Worker) -> None:
    with operator.scope():
        rights.set_size(worker.employer, 2024, Decimal("9.99"))
        assert own(worker) == 0
        rights.set_size(worker.employer, 2025, Decimal(20))
        assert own(worker, 2025) == 456
        first, second = Event.objects.filter(verb="employer.size_set").order_by("pk")
        assert (first.data["before"], first.data["fte"]) == ("50.00", "9.99")
        assert (second.data["before"], second.data["year"]) == ("", 2025)


def test_two_agreements_of_a_committee_never_hold_at_once(operator: Person, worker: Worker) -> None:
    with operator.scope():
        SectorAgreement.objects.update(until_year=2024)
        factories.agreement(joint_committee="302", from_year=2025)
        factories.agreement(joint_committee="303", from_year=2024)
        for since, until in ((2024, 2024), (2020, None), (2030, None)):
            with pytest.raises(IntegrityError), transaction.atomic():
                factories.agreement(joint_committee="302", from_year=since, until_year=until)
