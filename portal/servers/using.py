"""A program's use of an embedded server: attach to the one that runs, or have it started."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from portal.servers.engine import START_WITHIN_S, STOP_WITHIN_S, last_lines, open_log
from portal.servers.errors import ServersError
from portal.servers.locks import Files, opened, try_lock
from portal.servers.places import ROOT, Places

_LOOK_EVERY_S = 0.02


class Use:
    """The use of the server `name` of one ``var/``, which is started if need be. Raises `ServersError`."""

    def __init__(self, name: str, places: Places) -> None:
        self._files = Files(name, places)
        self.lock = os.open(self._files.users, os.O_RDWR)
        """Whoever inherits this descriptor uses the server too, for as long as it is open."""
        fcntl.flock(self.lock, fcntl.LOCK_SH)
        try:
            self.variables = _attach(name, places, self._files)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Stop using; and see the server stop when we were the last, so that nothing runs after us."""
        _was_last(self.lock, self._files)
        os.close(self.lock)


def forget(name: str, places: Places) -> None:
    """Remove the state of the server `name`; `ServersError` when somebody uses it."""
    files = Files(name, places)
    with opened(files.users) as users:
        if not _was_last(users, files):
            raise ServersError(f"The embedded {name} of {places.var} is in use: stop its programs first.")
        places.forget(name)
        (places.own("secrets") / f"{name}.json").unlink(missing_ok=True)


def _was_last(users: int, files: Files) -> bool:
    """Whether nobody else uses the server: then it has stopped, and nobody joins before `users` is closed."""
    if not try_lock(users, fcntl.LOCK_EX):
        # Others stay; or the keeper saw it first and is stopping.
        _wait_for_the_end(files, unless=lambda: try_lock(users, fcntl.LOCK_SH))
        if not try_lock(users, fcntl.LOCK_EX):
            return False
    _wait_for_the_end(files, unless=lambda: _tell_to_stop(files))
    return not files.keeper_lives()


def _tell_to_stop(files: Files) -> None:
    # A keeper that is still starting has told nothing yet; one that is stopping, nothing any more.
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(json.loads(files.told.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)


def _attach(name: str, places: Places, files: Files) -> dict[str, str]:
    with opened(files.starting) as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not files.keeper_lives():
            _start_keeper(name, places, files)
        # Otherwise: one that runs, or one whose starter was killed before it was ready.
        deadline = time.monotonic() + START_WITHIN_S
        while not files.told.exists():
            if not files.keeper_lives() or time.monotonic() > deadline:
                raise ServersError(f"The embedded {name} did not start:\n{last_lines(files.log)}")
            time.sleep(_LOOK_EVERY_S)
        variables: dict[str, str] = json.loads(files.told.read_text(encoding="utf-8"))["variables"]
        return variables


def _start_keeper(name: str, places: Places, files: Files) -> None:
    files.told.unlink(missing_ok=True)  # of a keeper that was killed
    with open_log(files.log) as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "portal.servers.keeper", name, str(places.var)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C at a terminal is for the program, not for its servers
        )
    answer, _ = keeper.communicate()  # closed when it is ready, or gone
    if answer.strip() != b"ready":
        reason = answer.decode(errors="replace").strip() or last_lines(files.log)
        raise ServersError(f"The embedded {name} did not start: {reason}")


def _wait_for_the_end(files: Files, *, unless: Callable[[], bool | None]) -> None:
    """Wait for the keeper to go, asking `unless` again and again whether that is in vain."""
    deadline = time.monotonic() + STOP_WITHIN_S
    while files.keeper_lives() and not unless() and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)
