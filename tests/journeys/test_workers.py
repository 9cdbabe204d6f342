"""A real Celery worker with its beat, on the real broker, which lose everything they may lose in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from portal.demo import running
from tests.journeys.conftest import ROOT, variables
from tests.journeys.house import House, until

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

SECONDS = {"sweep_every": 0.3, "stale_after": 3, "retry_after": 1, "collect_every": 1}
PATIENCE = 180.0
"""Seconds for what takes ten on a machine that does nothing else."""


class Worker:
    """A worker and its beat, each the first of a process group of its own."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as output:
            self.processes = [
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                for command in (running.worker_command(), running.beat_command())
            ]

    def has_ended(self) -> bool:
        """Whether one of the two ended by itself."""
        return any(process.poll() is not None for process in self.processes)

    def kill(self) -> None:
        """Kills worker, its children and beat at once, as a machine that loses its power does."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()


type Start = Callable[[], Worker]


@pytest.fixture
def start(broker: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker with its beat; all of them are killed in the end.

    What they wrote is printed then: pytest shows it where a test failed.
    """
    workers: list[Worker] = []

    def start() -> Worker:
        log = tmp_path / f"worker-{len(workers)}.log"
        workers.append(Worker(log, variables(**SECONDS) | {"REDIS_URL": broker}))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        sys.stdout.write(worker.log.read_text()[-3000:])


def _settles(house: House, worker: Worker) -> None:
    until(lambda: house.is_settled() or worker.has_ended(), within=PATIENCE, told=house.tell)
    assert not worker.has_ended(), "the worker or its beat ended"
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
    until(conditions[moment], within=PATIENCE, told=house.tell)
    first.kill()
    assert house.account().breaks == []
    _settles(house, start())


def test_two_workers_at_once_do_nothing_twice(house: House, start: Start) -> None:
    workers = [start(), start()]
    _settles(house, workers[0])
    assert not workers[1].has_ended()
    assert [house.drops(sender) for sender in house.tenants] == [["confirmed"], ["confirmed"]]
