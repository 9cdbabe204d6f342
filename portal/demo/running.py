"""The processes of the demonstration, each a child that stops with this program."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from portal.servers.engine import dies_with_parent

_LISTENING = re.compile(r"simulator listening on \S+:(?P<port>\d+) host-key (?P<key>.+)")
_STOP_WITHIN = 15


@dataclass(frozen=True)
class Place:
    """Where the simulator listens, and the host key to pin."""

    port: int
    host_key: str


class DidNotStart(RuntimeError):
    """A process of the demonstration ended before it was ready; its log says why."""


def environment(*, is_hurried: bool) -> dict[str, str]:
    """The variables of the children: FLA reopened, short pauses, no second factor.

    `is_hurried` makes departures every 2 seconds.
    """
    return {
        **os.environ,
        "PORTAL_FLA_IS_REOPENED": "true",
        "PORTAL_IS_DEMO": "true",
        # Its users are fictitious, and nobody has their telephones.
        "PORTAL_SECOND_FACTOR_REQUIRED": "false",
        "PORTAL_CHANNEL_HOSTS": "sftp.socialsecurity.be,127.0.0.1",
        "PORTAL_DEPARTURE_EVERY": "2" if is_hurried else "30",
        "PORTAL_COLLECT_EVERY": "1" if is_hurried else "3",
        "PORTAL_SWEEP_EVERY": "0.5" if is_hurried else "1",
        "PORTAL_RETRY_AFTER": "5",
        "PORTAL_VAR": str(settings.CONFIG.var),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def child(
    name: str, command: list[str], logs: Path, variables: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `command` with its output in `logs/<name>.log`, and stops it on exit: first asked, then killed."""
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=variables,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def simulator(root: Path, logs: Path, *, port: int, switches: Mapping[str, object]) -> Iterator[Place]:
    """Runs the simulated social security on `root`; yields once it says where it listens."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in switches.items()]
    command = [sys.executable, "-m", "simulator", "--root", str(root), "--port", str(port), *options]
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "simulator.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = _LISTENING.match(line)
            if found is None:
                raise DidNotStart(f"The simulator did not start: see {logs / 'simulator.log'}.")
            yield Place(int(found["port"]), found["key"].strip())
        finally:
            process.terminate()
            process.wait(_STOP_WITHIN)
            if process.stdout:
                process.stdout.close()


def worker_command() -> list[str]:
    """A Celery worker of two processes, alone on its broker."""
    return [
        *(sys.executable, "-m", "celery", "-A", "portal.celery", "worker", "-l", "info"),
        *("--concurrency", "2", "--without-mingle", "--without-gossip"),
    ]


def beat_command() -> list[str]:
    """The alarm clock beside it. It keeps no file of what it did when: the database says what is due.

    A process of its own: started within the worker it is a fork of a process that is half way through its start.
    """
    return [
        *(sys.executable, "-m", "celery", "-A", "portal.celery", "beat", "-l", "info"),
        *("--scheduler", "celery.beat:Scheduler"),
    ]


def web_command(host: str, port: int) -> list[str]:
    """The portal itself, served by granian."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "portal.wsgi:application"),
        *("--host", host, "--port", str(port), "--workers", "1", "--blocking-threads", "4", "--no-ws"),
    ]


def free_port(host: str, wanted: int) -> int:
    """`wanted` when nobody listens there, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DidNotStart(f"No free port on {host}.")
