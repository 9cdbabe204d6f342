"""One server, kept for as long as some program uses it.

The first program that needs a server starts a *keeper*, a process of its own which runs the server as its
child; programs that come later attach to it. Who uses it is known by file locks alone, which the kernel
releases however a program ends:

- ``run/NAME.users``: every user holds it shared. The keeper waits to have it exclusively; when it gets it,
  nobody is left, and it stops. A newcomer waits on it until the stopping is over.
- ``run/NAME.keeper``: the keeper holds it exclusively for life, so it also tells whether one is alive.
- ``run/NAME.starting``: held by the one user who looks for a keeper or starts one.

``run/NAME.json`` (mode 0600) is what the keeper tells its users: its pid and the environment variables.
A server that dies under its keeper is started again on the same port.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.servers.places import Places


class Files:
    """The files in ``run/`` by which the users of one server and its keeper know of each other."""

    def __init__(self, name: str, places: Places) -> None:
        run = places.own("run")
        self.users = run / f"{name}.users"
        self.keeper = run / f"{name}.keeper"
        self.starting = run / f"{name}.starting"
        self.told = run / f"{name}.json"
        self.log = places.own("log") / f"{name}.log"
        for path in (self.users, self.keeper, self.starting, self.log):
            places.touch(path)

    def keeper_lives(self) -> bool:
        """Whether a keeper holds its lock."""
        with opened(self.keeper) as lock:
            return not try_lock(lock, fcntl.LOCK_SH)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor of an existing file, to lock; what it locks is released with it."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, kind: int) -> bool:
    """Lock with `fcntl.LOCK_SH` or `fcntl.LOCK_EX`, unless somebody else is in the way."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
