"""What the keeper asks of a server it keeps, and what both servers need to be run."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Protocol

from portal.servers.places import Places

_PR_SET_PDEATHSIG = 1
START_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
_LOG_KEPT_BYTES = 5_000_000


class Engine(Protocol):
    """One kind of server, with its state in one ``var/``."""

    stop_signal: signal.Signals
    """Makes it stop at once but cleanly."""

    def start(self) -> subprocess.Popen[bytes]:
        """Start it and return when it answers; on the same port as before if it is started again.

        Raises `ServersError` with the end of its log when it does not come up.
        """

    def variables(self) -> dict[str, str]:
        """The environment variables of its users; only after the first `start`."""


def free_port() -> int:
    """A loopback TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def spawn(
    command: list[str],
    places: Places,
    *,
    stop_signal: signal.Signals,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Run a server as our own foreground child which does not outlive us, not even when we are killed.

    It runs under the unprivileged account of `places`, writes where we write our errors, and gets
    nothing of our environment but what `clean_environment` keeps.
    """
    account = places.account
    return subprocess.Popen(
        command,
        cwd="/",
        env=clean_environment(),
        stdin=stdin,
        stdout=sys.stderr,
        stderr=sys.stderr,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=dies_with_parent(stop_signal),
    )


def clean_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """No PG* variable, no language: what the servers do and say depends on neither."""
    kept = {name: environ[name] for name in ("PATH", "TMPDIR", "DYLD_LIBRARY_PATH") if name in environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """Stop a server, by force when it takes more than `STOP_WITHIN_S` seconds."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def open_log(path: Path) -> IO[bytes]:
    """The log of a server, for appending; it is emptied when it has grown beyond 5 MB."""
    if path.stat().st_size > _LOG_KEPT_BYTES:
        os.truncate(path, 0)
    return path.open("ab")


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for a message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def kept_json(places: Places, name: str, fresh: dict[str, str]) -> dict[str, str]:
    """The secrets kept in ``var/secrets/NAME.json``; `fresh` ones are kept when there are none."""
    path = places.own("secrets") / f"{name}.json"
    if not path.exists():
        places.write_secret(path, json.dumps(fresh, indent=1))
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Linux: ask the kernel to send `stop_signal` when our thread is gone.

    Must run after the change of user, which clears the request; `subprocess` calls it there. Elsewhere a
    server orphaned by SIGKILL is found, and stopped, by the next start.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:  # it died before we had asked
            os._exit(1)

    return arm
