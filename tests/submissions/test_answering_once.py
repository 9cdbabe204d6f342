"""Replaced numbers, and answers that several workers find at once: each is applied once, by one."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import OperationalError

from channels.models import InboundFile
from mandates.models import Worker
from portal import audit, tenancy
from portal.models import Event
from portal.moving import ForbiddenMove
from submissions import answering
from submissions.models import Anomaly, Batch
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.racing import as_owner, beside, kill, race, wait_until_one_waits
from tests.submissions.answers_about import (
    again,
    dropped,
    receipt,
    receive,
    states,
    verdicts,
)
from tests.submissions.wire.answer_samples import ANOMALY, idflux

D = DeclarationState


# --- IDFL -----------------------------------------------------------------------------------------


def test_a_replaced_number_is_replaced_in_the_register(batch: Batch) -> None:
    somebody = factories.worker(niss="98472899765")
    bystander = factories.worker()
    before = bystander.niss
    file = receive(batch, idflux(), environment="R")
    assert (file.state, file.kind) == ("applied", "IDFL")
    assert Worker.objects.get(pk=somebody.pk).niss == "85073003328"
    assert Worker.objects.get(pk=bystander.pk).niss == before
    told = Event.objects.get(verb="worker.number_replaced")
    assert told.subject_id == str(somebody.pk)
    assert "8507300" not in str(told.data)


def test_a_replaced_number_is_replaced_at_every_employer(batch: Batch) -> None:
    rows = [factories.worker(niss="98472899765") for _ in range(2)]
    receive(batch, idflux(), environment="R")
    assert {Worker.objects.get(pk=row.pk).niss for row in rows} == {"85073003328"}


def test_two_rows_of_one_person_become_one(batch: Batch) -> None:
    old = factories.worker(niss="98472899765")
    new = factories.worker(old.employer, niss="85073003328")
    training = factories.record(old)
    file = receive(batch, idflux(), environment="R")
    assert file.state == "applied"
    training.refresh_from_db()
    assert training.worker == new
    assert not Worker.objects.filter(pk=old.pk).exists()
    assert Event.objects.get(verb="worker.merged").data["file"] == file.name


def test_a_replacement_that_was_made_already_is_nothing_new(batch: Batch) -> None:
    factories.worker(niss="85073003328")
    assert receive(batch, idflux(), environment="R").state == "applied"


def test_a_replacement_of_somebody_unknown_matches_nothing(batch: Batch) -> None:
    assert receive(batch, idflux(), environment="R").state == "unmatched"


def test_a_replacement_that_is_undone_is_undone_in_the_register(batch: Batch) -> None:
    somebody = factories.worker(niss="98472899765")
    receive(batch, idflux(), environment="R")
    assert receive(batch, idflux("3"), environment="R").state == "applied"
    assert Worker.objects.get(pk=somebody.pk).niss == "98472899765"


def test_what_a_simulation_says_about_people_moves_nobody(batch: Batch) -> None:
    somebody = factories.worker(niss="98472899765")
    assert receive(batch, idflux(), environment="S").state == "unmatched"
    assert Worker.objects.get(pk=somebody.pk).niss == "98472899765"


# --- once, and by one -----------------------------------------------------------------------------


def test_an_applied_file_is_not_applied_again(batch: Batch) -> None:
    file = receive(batch, receipt(batch))
    assert answering.apply(tenancy.current(), file.pk) is None
    with pytest.raises(ForbiddenMove):
        answering.replay(file)


def test_a_file_of_another_tenant_is_not_applied(operator: Person, stranger: Person) -> None:
    with operator.scope():
        batch = dropped(1)
        file = factories.inbound(batch.channel, receipt(batch))
    assert answering.apply(stranger.mandataire.pk, file.pk) is None
    with operator.scope():
        assert InboundFile.objects.get().state == "stored"


def test_a_file_can_be_replayed_after_what_stood_in_its_way_is_mended(batch: Batch) -> None:
    """An IDFL came before the worker was in the register."""
    file = receive(batch, idflux(), environment="R")
    assert file.state == "unmatched"
    somebody = factories.worker(niss="98472899765")
    answering.replay(file)
    assert InboundFile.objects.get(pk=file.pk).state == "stored"
    assert answering.apply(tenancy.current(), file.pk) == "applied"
    assert Worker.objects.get(pk=somebody.pk).niss == "85073003328"


def test_workers_at_once_apply_a_file_once(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        batch = dropped(5)
        file = factories.inbound(
            batch.channel, verdicts(factories.declarations_of(batch), "0", anomalies=ANOMALY)
        )
    results = race(*[lambda: answering.apply(tenant, file.pk) for _ in range(3)])
    assert sorted(map(str, results)) == ["None", "None", "applied"]
    with tenancy.scope(tenant):
        assert Anomaly.objects.count() == 5
    assert audit.verify(tenant)[1] is None


def test_the_same_answer_in_two_files_at_once_is_no_contradiction(transactional_db: None) -> None:
    tenant = factories.mandataire().pk
    with tenancy.scope(tenant):
        batch = dropped(50)
        content = verdicts(factories.declarations_of(batch))
        files = [factories.inbound(batch.channel, content) for _ in range(3)]

    def apply(file: InboundFile) -> object:
        return answering.apply(tenant, file.pk)

    results = race(*[lambda file=file: apply(file) for file in files])
    assert results == ["applied"] * 3
    with tenancy.scope(tenant):
        assert set(InboundFile.objects.values_list("reason", flat=True)) == {""}
        assert again(batch).state == "answered"


@pytest.mark.parametrize("table", ["submissions_declaration", "submissions_anomaly", "portal_event"])
def test_killed_in_the_middle_the_file_is_as_it_was(transactional_db: None, table: str) -> None:
    tenant: UUID = factories.mandataire().pk
    with tenancy.scope(tenant):
        batch = dropped(3)
        content = verdicts(factories.declarations_of(batch), "0", anomalies=ANOMALY)
        file = factories.inbound(batch.channel, content)
    with as_owner() as owner:
        owner.execute(f"LOCK TABLE {table} IN SHARE MODE")
        with beside(lambda: answering.apply(tenant, file.pk)) as applying:
            kill(wait_until_one_waits())
            with pytest.raises(OperationalError):
                applying.result(timeout=10)
        owner.rollback()
    with tenancy.scope(tenant):
        assert InboundFile.objects.get().state == "stored"
        assert states(batch) == [D.SENT] * 3
        assert not Anomaly.objects.exists()
    assert answering.apply(tenant, file.pk) == "applied"
    with tenancy.scope(tenant):
        assert states(batch) == [D.REFUSED] * 3
        assert Anomaly.objects.count() == 3
