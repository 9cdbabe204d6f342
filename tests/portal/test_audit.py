"""Events: written with what they tell of, chained at commit, and any tampering found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import product

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from portal import audit, tenancy
from portal.models import Event, EventChain, Mandataire
from tests import factories
from tests.people import Person
from tests.racing import as_owner, race

type Write = Callable[[int], None]
type Chain = Callable[[int], Mandataire]


@pytest.fixture
def tenant(transactional_db: None) -> Mandataire:
    """Committed for good: the chain is made by commits."""
    return factories.mandataire()


@pytest.fixture
def write(tenant: Mandataire) -> Write:
    """Writes so many events, each in a transaction of its own."""

    def writing(number: int) -> None:
        for serial in range(number):
            with tenancy.scope(tenant.pk):
                audit.record("thing.done", tenant, data={"serial": serial})

    return writing


@pytest.fixture
def chain_of(transactional_db: None) -> Chain:
    """A fresh mandataire with so many events: emptying the tables takes longer than making one more."""

    def make(number: int) -> Mandataire:
        made = factories.mandataire()
        with tenancy.scope(made.pk):
            for serial in range(number):
                audit.record("thing.done", made, data={"serial": serial})
        return made

    return make


def fail_after_writing(tenant: Mandataire) -> None:
    """Rolls back a transaction, or a savepoint when one is open, in which something happened."""
    with tenancy.scope(tenant.pk):
        audit.record("thing.dropped", tenant)
        raise LookupError


# --- writing --------------------------------------------------------------------------------------


def test_an_event_says_who_did_what_to_what_and_why(operator: Person) -> None:
    before = timezone.now()
    with operator.scope():
        client = factories.employer()
        event = audit.record(
            "employer.renamed", client, reason="The notary wrote", data={"old": "A", "new": "B"}
        )
        event.refresh_from_db()
    assert (event.actor_id, event.actor_name) == (operator.user.pk, "operator")
    assert (event.verb, event.subject_type, event.subject_id) == (
        "employer.renamed",
        "employer",
        str(client.pk),
    )
    assert (event.reason, event.data) == ("The notary wrote", {"old": "A", "new": "B"})
    assert before <= event.at <= timezone.now()


def test_without_anybody_it_is_the_portal_itself(operator: Person) -> None:
    with tenancy.scope(operator.mandataire.pk):
        event = audit.record("thing.done", operator.mandataire)
    assert (event.actor_id, event.actor_name) == (None, "")


def test_the_name_stays_when_the_user_goes(operator: Person, colleague: Person) -> None:
    with colleague.scope():
        event = audit.record("thing.done", colleague.mandataire)
    with operator.scope():
        colleague.user.delete()
        event.refresh_from_db()
    assert event.actor_name == "colleague"


def test_there_is_no_event_outside_of_a_scope(db: None, operator: Person) -> None:
    with pytest.raises(tenancy.NoTenant):
        audit.record("thing.done", operator.mandataire)


def test_what_was_rolled_back_leaves_nothing(tenant: Mandataire, write: Write) -> None:
    write(2)
    with pytest.raises(LookupError):
        fail_after_writing(tenant)
    assert audit.verify(tenant.pk) == (2, None)
    write(1)
    assert audit.verify(tenant.pk) == (3, None)
    with tenancy.scope(tenant.pk):
        assert list(Event.objects.order_by("pk").values_list("position", flat=True)) == [1, 2, 3]


def test_a_savepoint_that_was_rolled_back_leaves_nothing(tenant: Mandataire) -> None:
    with tenancy.scope(tenant.pk):
        audit.record("thing.kept", tenant)
        with pytest.raises(LookupError):
            fail_after_writing(tenant)
        audit.record("thing.kept", tenant)
    assert audit.verify(tenant.pk) == (2, None)
    with tenancy.scope(tenant.pk):
        assert set(Event.objects.values_list("verb", flat=True)) == {"thing.kept"}


# --- the chain ------------------------------------------------------------------------------------


def test_a_mandataire_without_events_has_an_empty_chain(tenant: Mandataire) -> None:
    assert audit.verify(tenant.pk) == (0, None)


def test_events_are_chained_in_the_order_of_commits(tenant: Mandataire, write: Write) -> None:
    write(3)
    with tenancy.scope(tenant.pk):
        events = list(Event.objects.order_by("position"))
        chain = EventChain.objects.get()
    assert [event.data["serial"] for event in events] == [0, 1, 2]
    assert bytes(events[0].previous) == b""
    assert bytes(events[1].previous) == bytes(events[0].digest)
    assert bytes(events[2].previous) == bytes(events[1].digest)
    assert (chain.length, bytes(chain.head)) == (3, bytes(events[2].digest))
    assert audit.verify(tenant.pk) == (3, None)


def test_several_events_of_one_transaction_keep_their_order(tenant: Mandataire) -> None:
    with tenancy.scope(tenant.pk):
        for serial in range(5):
            audit.record("thing.done", tenant, data={"serial": serial})
    with tenancy.scope(tenant.pk):
        told = Event.objects.order_by("position").values_list("position", "data__serial")
        assert list(told) == [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4)]


def test_the_proof_reads_what_the_trigger_read(tenant: Mandataire) -> None:
    contents: list[dict[str, object]] = [
        {"text": "é € 漢 \N{GRINNING FACE}"},
        {"quotes": "\"'\\ \n\t \u2028", "empty": "", "none": None},
        {"numbers": [0, -1, 1.5, 10**18, 1e-9], "deep": {"z": 1, "a": [True, False]}},
        {},
    ]
    for content in contents:
        with tenancy.scope(tenant.pk):
            audit.record("thing.done", tenant, reason=str(content), data=content)
    assert audit.verify(tenant.pk) == (len(contents), None)


def test_the_proof_does_not_depend_on_the_clock_of_the_reader(tenant: Mandataire) -> None:
    """Summer time, the hour that comes twice, a leap day."""
    moments = ["2025-03-30T01:59:59.999999+00:00", "2025-10-26T00:30:00+00:00", "2024-02-29T23:00:00+00:00"]
    for moment in moments:
        with time_machine.travel(datetime.fromisoformat(moment), tick=False), tenancy.scope(tenant.pk):
            audit.record("thing.done", tenant)
    assert audit.verify(tenant.pk) == (len(moments), None)
    with as_owner(tenant.pk) as owner:
        owner.execute("SET TIME ZONE 'Pacific/Apia'")
        ((proven, _head),) = owner.execute("SELECT length, head FROM portal_eventchain").fetchall()
        told = owner.execute(f"SELECT {audit.CONTENT} FROM portal_event ORDER BY position").fetchall()
    assert proven == len(moments)
    with tenancy.scope(tenant.pk), connection.cursor() as cursor:
        cursor.execute(f"SELECT {audit.CONTENT} FROM portal_event ORDER BY position")
        assert cursor.fetchall() == told


def test_each_mandataire_has_a_chain_of_its_own(tenant: Mandataire, write: Write) -> None:
    other = factories.mandataire()
    write(2)
    with tenancy.scope(other.pk):
        audit.record("thing.done", other)
    write(1)
    assert audit.verify(tenant.pk) == (3, None)
    assert audit.verify(other.pk) == (1, None)


def test_writers_at_the_same_moment_chain_without_a_gap(tenant: Mandataire, write: Write) -> None:
    """They wait for each other at commit, and neither fails nor takes the other's place."""
    results = race(*[lambda: write(15) for _ in range(3)])
    assert results == [None, None, None]
    assert audit.verify(tenant.pk) == (45, None)


def test_a_writer_that_fails_at_the_same_moment_leaves_no_gap(tenant: Mandataire, write: Write) -> None:
    def fail() -> None:
        for _ in range(15):
            with pytest.raises(LookupError):
                fail_after_writing(tenant)

    assert race(lambda: write(15), fail) == [None, None]
    assert audit.verify(tenant.pk) == (15, None)


def test_a_proof_during_writing_sees_one_moment(tenant: Mandataire, write: Write) -> None:
    """The head and the events are read together: what is committed in between is no break."""

    def prove() -> list[audit.Break]:
        proofs = [audit.verify(tenant.pk) for _ in range(40)]
        return [broken for _held, broken in proofs if broken]

    assert race(lambda: write(40), prove) == [None, []]
    assert audit.verify(tenant.pk) == (40, None)


# --- tampering, by somebody who owns the tables -----------------------------------------------------


CHANGES = [
    "verb = 'thing.undone'",
    "reason = 'another'",
    "actor_name = 'somebody else'",
    "actor_id = 7",
    "at = at + interval '1 microsecond'",
    "subject_id = '0'",
    "subject_type = 'batch'",
    "data = '{\"serial\": 9}'",
    "previous = sha256('')",
    "digest = sha256('')",
]


def test_a_changed_event_is_found(chain_of: Chain) -> None:
    for change, position in product(CHANGES, (1, 3, 5)):
        tenant = chain_of(5)
        with as_owner(tenant.pk) as owner:
            owner.execute(
                f"UPDATE portal_event SET {change} WHERE position = %s AND mandataire_id = %s",
                [position, tenant.pk],
            )
        held, broken = audit.verify(tenant.pk)
        assert held == position - 1, change
        assert broken == audit.Break(position, f"event {position} was changed"), change


def test_an_event_taken_out_is_found(chain_of: Chain) -> None:
    for position in (1, 3, 4):
        tenant = chain_of(5)
        with as_owner(tenant.pk) as owner:
            owner.execute(
                "DELETE FROM portal_event WHERE position = %s AND mandataire_id = %s", [position, tenant.pk]
            )
        held, broken = audit.verify(tenant.pk)
        assert held == position - 1
        assert broken == audit.Break(position, f"event {position} is missing")


def test_closing_the_gap_is_found_as_well(tenant: Mandataire, write: Write) -> None:
    write(5)
    with as_owner(tenant.pk) as owner:
        owner.execute("DELETE FROM portal_event WHERE position = 3")
        owner.execute("UPDATE portal_event SET position = position - 1 WHERE position > 3")
    held, broken = audit.verify(tenant.pk)
    assert held == 2
    assert broken == audit.Break(3, "event 3 was changed")


def test_a_tail_cut_off_is_found(chain_of: Chain) -> None:
    """Every remaining event holds; only the head still knows how many there were."""
    for kept in (0, 1, 4):
        tenant = chain_of(5)
        with as_owner(tenant.pk) as owner:
            owner.execute(
                "DELETE FROM portal_event WHERE position > %s AND mandataire_id = %s", [kept, tenant.pk]
            )
        held, broken = audit.verify(tenant.pk)
        assert held == kept
        assert broken == audit.Break(kept + 1, f"the chain holds {kept} events, its head says 5")


def test_a_head_set_back_together_with_the_tail_is_found(tenant: Mandataire, write: Write) -> None:
    """A length alone is not enough: the head is the digest of the last event."""
    write(5)
    with as_owner(tenant.pk) as owner:
        owner.execute("DELETE FROM portal_event WHERE position = 5")
        owner.execute("UPDATE portal_eventchain SET length = 4")
    assert audit.verify(tenant.pk)[1] is not None


def test_a_head_taken_away_is_found(tenant: Mandataire, write: Write) -> None:
    write(2)
    with as_owner(tenant.pk) as owner:
        owner.execute("DELETE FROM portal_eventchain")
    assert audit.verify(tenant.pk) == (2, audit.Break(3, "the chain holds 2 events, its head says 0"))


def test_an_event_that_was_never_chained_is_found(tenant: Mandataire, write: Write) -> None:
    write(2)
    with as_owner(tenant.pk) as owner:
        owner.execute("UPDATE portal_event SET position = NULL WHERE position = 2")
        owner.execute("UPDATE portal_eventchain SET length = 1, head = (SELECT digest FROM portal_event "
                      "WHERE position = 1)")  # fmt: skip
    assert audit.verify(tenant.pk) == (1, audit.Break(2, "event 2 is missing"))


def test_two_events_that_changed_places_are_found(tenant: Mandataire, write: Write) -> None:
    write(4)
    with as_owner(tenant.pk) as owner:
        owner.execute("UPDATE portal_event SET position = 5 - position WHERE position IN (2, 3)")
    held, broken = audit.verify(tenant.pk)
    assert held == 1
    assert broken == audit.Break(2, "event 2 was changed")


def test_an_event_put_in_without_the_trigger_is_found(tenant: Mandataire, write: Write) -> None:
    write(2)
    with as_owner(tenant.pk) as owner:
        owner.execute("ALTER TABLE portal_event DISABLE TRIGGER chain")
        owner.commit()
        owner.execute(
            "INSERT INTO portal_event (mandataire_id, at, actor_name, verb, subject_type, subject_id, reason, data, "
            "position, previous, digest) SELECT mandataire_id, now(), '', 'thing.invented', '', '', '', '{}', 3, "
            "digest, sha256('invented') FROM portal_event WHERE position = 2"
        )
        owner.commit()
        owner.execute("ALTER TABLE portal_event ENABLE TRIGGER chain")
    held, broken = audit.verify(tenant.pk)
    assert held == 2
    assert broken == audit.Break(3, "event 3 was changed")


def test_what_the_application_puts_in_the_chained_columns_is_overwritten(
    tenant: Mandataire, write: Write
) -> None:
    """It may insert events, so it may try to choose their place."""
    write(1)
    with tenancy.scope(tenant.pk):
        Event.objects.create(
            at=timezone.now(), verb="thing.sneaked", subject_type="", subject_id="",
            position=99, previous=b"x", digest=b"y",
        )  # fmt: skip
    assert audit.verify(tenant.pk) == (2, None)


def test_a_long_chain_is_proven_in_pieces(tenant: Mandataire) -> None:
    with tenancy.scope(tenant.pk):
        for serial in range(2100):
            Event.objects.create(
                at=timezone.now(), verb="thing.done", subject_type="", subject_id=str(serial)
            )
    assert audit.verify(tenant.pk) == (2100, None)
    with as_owner(tenant.pk) as owner:
        owner.execute("UPDATE portal_event SET reason = 'x' WHERE position = 2050")
    assert audit.verify(tenant.pk) == (2049, audit.Break(2050, "event 2050 was changed"))
