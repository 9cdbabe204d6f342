"""The keeper of one server, a process of its own: see `portal.servers.locks`."""

import fcntl
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from portal.servers.engine import Engine, stop
from portal.servers.errors import ServersError
from portal.servers.locks import Files, opened
from portal.servers.places import Places
from portal.servers.postgres import Postgres
from portal.servers.valkey import Valkey

ENGINES: dict[str, Callable[[Places], Engine]] = {"postgres": Postgres, "valkey": Valkey}
News = queue.SimpleQueue[subprocess.Popen[bytes] | str]
"""A server that has died, or why to stop."""

_RESTARTS = 5
_RESTARTS_WITHIN_S = 60.0


def keep(name: str, places: Places) -> None:
    """Run the server `name` until nobody uses it or a signal says so."""
    files = Files(name, places)
    with opened(files.keeper) as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)  # who asks whether we live holds it for a moment
        news: News = queue.SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: news.put("told to stop"))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        engine = ENGINES[name](places)
        process = engine.start()
        try:
            places.write_secret(
                files.told, json.dumps({"pid": os.getpid(), "variables": engine.variables()}, indent=1)
            )
            _say("ready")
            _in_background(_tell_when_unused, files, news)
            _in_background(_tell_when_dead, process, news)
            deaths: list[float] = []
            while news.get() is process:
                now = time.monotonic()
                deaths = [death for death in deaths if death > now - _RESTARTS_WITHIN_S] + [now]
                if len(deaths) > _RESTARTS:
                    raise ServersError(f"{name} died {len(deaths)} times within {_RESTARTS_WITHIN_S:.0f} s")
                sys.stderr.write(f"{name} died with {process.returncode}: starting it again\n")
                process = engine.start()
                _in_background(_tell_when_dead, process, news)
        finally:
            files.told.unlink(missing_ok=True)
            stop(process, engine.stop_signal)


def _tell_when_unused(files: Files, news: News) -> None:
    """Wait until no user is left, and keep newcomers waiting from then on."""
    users = os.open(files.users, os.O_RDWR)
    fcntl.flock(users, fcntl.LOCK_EX)
    news.put("unused")


def _tell_when_dead(process: subprocess.Popen[bytes], news: News) -> None:
    process.wait()
    news.put(process)


def _in_background(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


def _say(text: str) -> None:
    """Answer the program that started us, and let go of its pipe."""
    os.write(1, text.encode())
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)


def main(name: str, var: str) -> None:
    """Say ``ready`` on stdout, or why not, and close it; then keep."""
    if os.fork():
        os._exit(0)  # the program that started us has nothing to wait for, and no child to reap
    try:
        keep(name, Places(Path(var)))
    except ServersError as error:
        _say(str(error))
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
