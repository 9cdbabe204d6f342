"""What is stored follows from the raw files and the Events; whatever somebody changes beside them is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from channels import dropping
from channels.attempting import Attempt
from channels.models import Channel, Drop, InboundFile
from portal import audit, tenancy
from submissions import answering, declaring, rebuilding, sets
from submissions.models import Anomaly, Batch, Declaration
from tests import factories
from tests.people import Person
from tests.submissions.answers_about import receipt, receive, verdict
from tests.submissions.wire.answer_samples import ANOMALY, REMARK, noti


def came_in(batch: Batch, content: bytes) -> InboundFile:
    """Stores an answer with its Event, as collecting does, and applies it."""
    file = factories.inbound(batch.channel, content)
    audit.record("file.stored", file)
    answering.apply(tenancy.current(), file.pk)
    file.refresh_from_db()
    return file


def sealed(number: int) -> Batch:
    """A set on the one channel of these tests."""
    return factories.sealed_batch(number, through=Channel.objects.first())


def left(number: int) -> Batch:
    """A set that left by the portal's own steps, over there nobody."""
    batch = sealed(number)
    attempt = Attempt.begin(tenancy.current(), batch.envelope)
    attempt.intend()
    attempt.confirm()
    assert sets.prove_dropped(batch)
    return batch


@pytest.fixture
def answered(operator: Person) -> Iterator[Batch]:
    """A set with a receipt and an answer of each kind, in a scope."""
    with operator.scope():
        batch = left(3)
        fine, remarked, refused = factories.declarations_of(batch)
        came_in(batch, noti(verdict(fine), verdict(remarked, anomalies=REMARK)))
        came_in(batch, receipt(batch))
        came_in(batch, noti(verdict(refused, "0", anomalies=ANOMALY)))
        came_in(batch, b"garbage")
        came_in(batch, noti(verdict(fine, reference="P-ZZZZZZZZZZZZ", ticket="0A1B2C3D4E999")))
        yield batch


def differences() -> list[str]:
    return list(rebuilding.check(tenancy.current()))


def test_what_was_applied_follows(answered: Batch) -> None:
    answered.refresh_from_db()
    assert answered.state == "answered"
    assert differences() == []


def test_the_rest_of_a_life_follows_too(answered: Batch) -> None:
    """A correction, what is withdrawn, a set that is parked and released, one that is refused as a whole."""
    corrected = declaring.correct(Declaration.objects.get(state="refused"))
    declaring.withdraw(corrected, "Not needed.")
    parked = sealed(1)
    sets.park(parked, "Look at it.")
    released = sealed(1)
    Attempt.begin(tenancy.current(), released.envelope).doubt("the line broke")
    sets.park(released, "Look at it.")
    sets.release(released, "It is not there.")
    refused = left(2)
    came_in(refused, receipt(refused, is_accepted=False, errors=("ACRF-125", "ACRF-133")))
    came_in(refused, noti(verdict(factories.declarations_of(refused)[0])))
    proven = sealed(1)
    attempt = Attempt.begin(tenancy.current(), proven.envelope)
    attempt.intend()
    attempt.doubt("the line broke")
    came_in(proven, noti(verdict(factories.declarations_of(proven)[0], "0")))
    assert dropping.prove(proven.envelope) is not None
    assert differences() == []
    assert {batch.state for batch in Batch.objects.all()} == {"answered", "parked", "sealed", "rejected"}


def test_a_contradiction_follows_in_either_order(operator: Person) -> None:
    with operator.scope():
        for first, second in (("07", "08"), ("08", "07")):
            batch = left(1)
            (only,) = factories.declarations_of(batch)
            for hour, result in ((first, "0"), (second, "1")):
                came_in(batch, noti(verdict(only, result).replace("06:30:00", f"{hour}:30:00")))
        assert differences() == []
        assert set(Declaration.objects.values_list("state", flat=True)) == {"refused", "accepted"}


def test_what_somebody_built_on_is_not_taken_back_either(operator: Person) -> None:
    with operator.scope():
        batch = left(1)
        (only,) = factories.declarations_of(batch)
        came_in(batch, noti(verdict(only, "0")))
        only.refresh_from_db()
        declaring.correct(only)
        came_in(batch, noti(verdict(only).replace("06:30:00", "05:30:00")))
        assert differences() == []
        only.refresh_from_db()
        assert only.state == "refused"


def test_what_was_settled_before_answers_were_ordered_follows(answered: Batch) -> None:
    Declaration.objects.update(settled_by="")
    assert differences() == []


def _update(model: Any, wanted: dict[str, Any], changes: dict[str, Any]) -> Callable[[], None]:
    def change() -> None:
        assert model.objects.filter(**wanted).update(**changes)

    return change


BY_HAND: dict[str, tuple[Callable[[], None], str]] = {
    "an outcome": (
        _update(Declaration, {"state": "refused"}, {"state": "accepted"}),
        "is accepted, and refused follows",
    ),
    "a ticket": (_update(Declaration, {"state": "refused"}, {"ticket": "0A1B2C3D4E999"}), "has the ticket"),
    "which answer settled it": (
        _update(Declaration, {"state": "refused"}, {"settled_by": "2020-01-01T00:00:00.000 X"}),
        "was settled by",
    ),
    "a remark": (lambda: Anomaly.objects.all().delete() and None, "has this many remarks: 0, and 1 follows"),
    "a set": (_update(Batch, {}, {"state": "acknowledged"}), "is acknowledged, and answered follows"),
    "the ticket of a set": (_update(Batch, {}, {"ticket": ""}), "has the ticket , and 0A1B2C3D4E5F6 follows"),
    "an attempt": (_update(Drop, {}, {"state": "unknown"}), "is unknown, and confirmed follows"),
    "a file": (
        _update(InboundFile, {"state": "unmatched"}, {"state": "unreadable"}),
        "is unreadable, and unmatched follows",
    ),
    "a checksum": (
        _update(InboundFile, {"state": "unmatched"}, {"sha256": "0" * 64}),
        "has the checksum 000",
    ),
    "a kind": (
        _update(InboundFile, {"kind": "ACRF"}, {"kind": "NOTI"}),
        "is of the kind NOTI, and ACRF follows",
    ),
    "a place": (_update(Declaration, {"position": 3}, {"position": 4}), "is in part 1 at 4"),
    "a reference": (
        _update(Declaration, {"position": 1}, {"reference": "P-000000000000"}),
        "holds another declaration than was sent, in part 1 at 1",
    ),
}


@pytest.mark.parametrize("what", BY_HAND)
def test_what_is_changed_by_hand_is_found(answered: Batch, what: str) -> None:
    change, told = BY_HAND[what]
    change()
    found = differences()
    assert any(told in sentence for sentence in found), found


def test_a_withdrawal_that_nobody_made_is_found(operator: Person) -> None:
    with operator.scope():
        factories.ready(1)
        Declaration.objects.update(state="withdrawn")
        assert [line.partition(" is ")[2] for line in differences()] == [
            "withdrawn, and not withdrawn follows"
        ]


def test_the_command_tells_each_difference_and_ends_with_an_error(answered: Batch) -> None:
    out, err = StringIO(), StringIO()
    call_command("rebuild", "--check", stdout=out)
    assert out.getvalue() == "0 differences\n"
    Declaration.objects.filter(state="refused").update(state="accepted")
    with pytest.raises(SystemExit):
        call_command("rebuild", "--check", stdout=out, stderr=err)
    assert "is accepted, and refused follows" in err.getvalue()
    assert "85" + "073003328" not in err.getvalue()


def test_another_tenant_is_no_part_of_it(answered: Batch, stranger: Person) -> None:
    Declaration.objects.filter(state="refused").update(state="accepted")
    with stranger.scope():
        assert differences() == []
    assert receive(answered, receipt(answered)).state == "applied"
