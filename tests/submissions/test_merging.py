"""A BIS that becomes a NISS, and two rows of one person that become one."""

from __future__ import annotations

from datetime import date

import pytest

from channels.models import InboundFile
from mandates import employing
from mandates.models import Contract, FormerNumber, Worker
from portal.models import Event
from submissions import merging
from submissions.models import CareerDocument, ManualRight, TrainingRecord
from tests import factories
from tests.people import Person
from tests.submissions import documents

pytestmark = pytest.mark.django_db
BIS, NISS = "98472899765", "85073003328"


def test_the_former_number_stays_and_finds_the_worker(operator: Person) -> None:
    with operator.scope():
        somebody = factories.worker(niss=BIS)
        assert merging.replace_number(somebody, NISS, source="FO.IDFL").pk == somebody.pk
        (former,) = somebody.former_numbers.all()
        assert former.masked_niss.startswith("98.47.28")
        assert (former.merged_id, former.undone_at) == (None, None)
        for number in (BIS, NISS):
            assert employing.find(somebody.employer, number) == somebody
        with pytest.raises(employing.CannotEmploy):
            employing.take_on(somebody.employer, BIS, {"family_name": "A", "given_name": "B"})


def test_two_rows_of_one_person_become_one(operator: Person) -> None:
    with operator.scope():
        old = documents.worker(niss=BIS)
        new = factories.worker(old.employer, niss=NISS)
        training = factories.record(old)
        other = factories.record(new)
        document = documents.sent(None, old).document
        content = document.content
        earlier = factories.contract(old, entered_on=date(2023, 1, 1), left_on=date(2023, 12, 31))
        twice = [factories.contract(row, entered_on=date(2024, 1, 1)) for row in (old, new)]
        CareerDocument.objects.filter(pk=document.pk).update(contract=twice[0])
        decided = [factories.manual_right(row, is_whole=True) for row in (old, new)]
        before = factories.former_number(old)
        assert merging.replace_number(old, NISS, source="FO.IDFL") == new
        assert not Worker.objects.filter(pk=old.pk).exists()
        assert set(TrainingRecord.objects.filter(worker=new)) == {training, other}
        assert {row.pk for row in Contract.objects.filter(worker=new)} >= {earlier.pk, twice[1].pk}
        assert not Contract.objects.filter(pk=twice[0].pk).exists()
        moved = CareerDocument.objects.get(pk=document.pk)
        assert (moved.worker, moved.contract, moved.content) == (new, twice[1], content)
        assert [row.withdrawn_at is None for row in ManualRight.objects.order_by("pk")] == [False, True]
        assert {row.worker_id for row in ManualRight.objects.filter(pk__in=[one.pk for one in decided])} == {
            new.pk
        }
        assert {(row.merged_id, row.worker_id) for row in FormerNumber.objects.all()} == {
            (None, new.pk), (old.pk, new.pk),
        }  # fmt: skip
        assert FormerNumber.objects.filter(pk=before.pk, worker=new).exists()
        told = Event.objects.get(verb="worker.merged")
        assert told.subject_id == str(new.pk)
        assert told.data["trainings"] == 1
        assert BIS not in str(told.data)


def test_a_number_that_comes_back_is_former_no_more(operator: Person) -> None:
    with operator.scope():
        somebody = factories.worker(niss=BIS)
        merging.replace_number(somebody, NISS)
        merging.replace_number(somebody, BIS)
        somebody.refresh_from_db()
        assert somebody.niss == BIS
        assert employing.find(somebody.employer, NISS) is None
        assert FormerNumber.objects.get().undone_at is not None


def test_what_became_one_is_not_separated_by_machine(operator: Person) -> None:
    with operator.scope():
        old = factories.worker(niss=BIS)
        new = factories.worker(old.employer, niss=NISS)
        kept = merging.replace_number(old, NISS)
        with pytest.raises(merging.CannotSeparate):
            merging.replace_number(kept, BIS)
        assert Worker.objects.get().niss == NISS == new.niss
        assert not InboundFile.objects.exists()


def test_the_same_number_at_another_employer_is_another_row(operator: Person) -> None:
    with operator.scope():
        old, elsewhere = factories.worker(niss=BIS), factories.worker(niss=NISS)
        merging.replace_number(old, NISS)
        assert Worker.objects.filter(pk__in=[old.pk, elsewhere.pk]).count() == 2
