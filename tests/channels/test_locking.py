"""One connection per channel at a time, and nobody waits in line for it."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from channels.locking import ChannelBusy, ChannelLock, LockLost, channel_lock
from tests.channels.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)


def try_lock(channel_id: int) -> str:
    try:
        with channel_lock(channel_id):
            return "ours"
    except ChannelBusy as busy:
        return str(busy)


def from_another_worker(channel_id: int) -> object:
    thread, results = in_thread(lambda: try_lock(channel_id))
    thread.join()
    return results[0]


def test_a_held_channel_is_refused_at_once_and_others_are_not() -> None:
    with channel_lock(1):
        assert from_another_worker(1) == str(ChannelBusy())
        assert from_another_worker(2) == "ours"
    assert from_another_worker(1) == "ours"


def test_it_is_given_back_whatever_happens() -> None:
    with pytest.raises(RuntimeError, match="inside"), channel_lock(1):
        raise RuntimeError("inside")
    assert from_another_worker(1) == "ours"


def test_it_outlives_transactions() -> None:
    with channel_lock(1) as lock:
        with transaction.atomic():
            transaction.set_rollback(True)
        with transaction.atomic():
            lock.verify()
        assert from_another_worker(1) == str(ChannelBusy())


def test_verify_knows_whose_it_is() -> None:
    with channel_lock(1) as lock:
        lock.verify()
        with pytest.raises(LockLost):
            ChannelLock(lock.key + 1).verify()
    with pytest.raises(LockLost) as lost:
        lock.verify()
    assert str(lost.value)


def test_another_session_does_not_hold_what_we_hold() -> None:
    def verify(lock: ChannelLock) -> str:
        try:
            lock.verify()
        except LockLost:
            return "lost"
        return "held"

    with channel_lock(1) as lock:
        thread, results = in_thread(lambda: verify(lock))
        thread.join()
    assert results == ["lost"]


def test_a_reconnection_loses_it_and_verify_says_so() -> None:
    with channel_lock(1) as lock:
        connection.close()
        with pytest.raises(LockLost):
            lock.verify()
        assert from_another_worker(1) == "ours"


def test_a_killed_session_gives_it_back() -> None:
    locked, done = threading.Event(), threading.Event()

    def hold() -> str:
        with channel_lock(1):
            locked.set()
            done.wait(10)
        return "ended well"

    thread, results = in_thread(hold)
    assert locked.wait(10)
    with connection.cursor() as cursor:
        # In this database only: other tests may share the server.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    done.set()
    thread.join()
    assert results == ["ended well"], "the loss of the lock is not an error of the block"
    assert try_lock(1) == "ours"


@pytest.mark.parametrize("channel_id", [1, 2**31, 2**62])
def test_any_id(channel_id: int) -> None:
    with channel_lock(channel_id) as lock:
        lock.verify()
        assert -(2**63) <= lock.key < 2**63
