"""A real Celery worker with its beat, on the real broker, which lose everything they may lose in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from portal.demo import running
from tests.journeys.conftest import ROOT, variables
from tests.journeys.house import House, until

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

type Start = Callable[[], subprocess.Popen[bytes]]

SECONDS = {"sweep_every": 0.3, "stale_after": 3, "retry_after": 1, "collect_every": 1}


@pytest.fixture
def start(broker: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker with its beat in a process group of its own; all of them are killed in the end."""
    workers: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / f"worker-{len(workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                running.worker_command(tmp_path),
                cwd=ROOT,
                env=variables(**SECONDS) | {"REDIS_URL": broker},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        kill(worker)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """Kills a worker, its children and its beat at once, as a machine that loses its power does."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def _settles(house: House, worker: subprocess.Popen[bytes]) -> None:
    until(lambda: house.is_settled() or worker.poll() is not None, told=house.tell)
    assert worker.poll() is None, "the worker ended"
    house.assert_all_is_well()


def test_the_worker_does_it_all_and_the_broker_forgets_everything_in_the_middle(
    house: House, start: Start, broker: str
) -> None:
    house.simulator.set_switches(hold_go=True)
    worker = start()
    until(lambda: len(house.archived()) == 2, told=house.tell)
    with redis.Redis.from_url(broker) as client:
        client.flushdb()
        house.simulator.set_switches(hold_go=None)
        # And again while answers are fetched and applied.
        until(lambda: any(house.files(sender) for sender in house.tenants), told=house.tell)
        client.flushdb()
    _settles(house, worker)


@pytest.mark.parametrize("moment", ["leaving", "collecting"])
def test_the_worker_is_killed_in_the_middle(house: House, start: Start, moment: str) -> None:
    conditions: dict[str, Callable[[], Any]] = {
        "leaving": lambda: any(house.drops(sender) for sender in house.tenants),
        "collecting": lambda: any(house.files(sender) for sender in house.tenants),
    }
    first = start()
    until(conditions[moment], told=house.tell)
    kill(first)
    assert house.account().breaks == []
    _settles(house, start())


def test_two_workers_at_once_do_nothing_twice(house: House, start: Start) -> None:
    workers = [start(), start()]
    _settles(house, workers[0])
    assert [worker.poll() for worker in workers] == [None, None]
    assert [house.drops(sender) for sender in house.tenants] == [["confirmed"], ["confirmed"]]
