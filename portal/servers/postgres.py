"""The embedded PostgreSQL: makes the cluster, runs it, lays the roles."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from portal.servers.engine import (
    START_WITHIN_S,
    clean_environment,
    free_port,
    kept_json,
    spawn,
    stop,
)
from portal.servers.errors import ServersError
from portal.servers.places import Places
from portal.servers.programs import Programs, found_programs
from portal.servers.roles import APP, OWNER, lay_embedded, url_of

DATABASE = "portal"
OLDEST = 15
_ADMIN = "postgres"
_LOOK_EVERY_S = 0.05


class Postgres:
    """A cluster in ``var/postgres/data`` on a free port of the loopback, for one keeper at a time.

    Every log-in is by password (SCRAM); the passwords are in ``var/secrets/postgres.json``, mode 0600.
    """

    stop_signal = signal.SIGINT  # "fast": open sessions are ended, nothing is to recover

    def __init__(self, places: Places) -> None:
        self._places = places
        self._home = places.home("postgres")
        self._data = self._home / "data"
        self._port: int | None = None
        self._passwords = kept_json(
            places, "postgres", {role: secrets.token_urlsafe(24) for role in (_ADMIN, OWNER, APP)}
        )

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, once the cluster is made; see `Engine.start`."""
        programs = self._programs()
        if not self._is_made():
            self._make(programs)
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            port = self._port or free_port()
            process = self._run(programs, port)
            admin = self._log_in(process, port, deadline)
            if admin is not None:
                break
            # It has ended. A run that was killed may be in the way for a moment (its processes are still
            # going, or hold the shared memory), or for good (its pid now belongs to another program).
            if time.monotonic() > deadline:
                raise ServersError(f"{programs} ends again and again.")
            self._clear_the_way()
            time.sleep(_LOOK_EVERY_S)
        with admin:
            lay_embedded(admin, DATABASE, self._passwords)
        self._port = port
        return process

    def variables(self) -> dict[str, str]:
        """The URLs of the application role and of the owner."""
        return {
            variable: url_of(role, self._passwords[role], f"127.0.0.1:{self._port}", DATABASE)
            for variable, role in (("DATABASE_URL", APP), ("DATABASE_OWNER_URL", OWNER))
        }

    def _is_made(self) -> bool:
        return (self._data / "PG_VERSION").exists()

    def _programs(self) -> Programs:
        tried = []
        made_by = int((self._data / "PG_VERSION").read_text().strip()) if self._is_made() else None
        for programs in found_programs(self._places):
            if programs.major == made_by or (made_by is None and programs.major >= OLDEST):
                return programs
            tried.append(str(programs))
        wanted = (
            f"The cluster in {self._data} needs PostgreSQL {made_by}" if made_by else "No PostgreSQL >= 15"
        )
        raise ServersError(
            f"{wanted}; found: {', '.join(tried) or 'none'}. Install it or name its directory in "
            "PORTAL_POSTGRES_BIN" + ("; or forget its data with --reset." if made_by else ".")
        )

    def _make(self, programs: Programs) -> None:
        """Make the cluster beside its place and move it there whole, so that a kill leaves none by half."""
        draft = self._home / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        password = self._home / "password"
        password.touch(mode=0o600)
        password.write_text(self._passwords[_ADMIN])
        account = self._places.account
        if account:
            os.chown(password, account.uid, account.gid)
        if programs.major >= 17:  # sorts and folds alike on every machine, whatever its C library
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
        else:
            locale = ["--locale=C.UTF-8"]
        made = subprocess.run(
            [
                str(programs.directory / "initdb"),
                f"--pgdata={draft}",
                f"--username={_ADMIN}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--data-checksums",
                "--encoding=UTF8",
                *locale,
            ],
            cwd="/",
            env=clean_environment(),
            capture_output=True,
            text=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
        password.unlink()
        if made.returncode != 0:
            raise ServersError(f"initdb of {programs} failed:\n{made.stderr.strip() or made.stdout.strip()}")
        draft.rename(self._data)

    def _run(self, programs: Programs, port: int) -> subprocess.Popen[bytes]:
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 200,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return spawn(
            [str(programs.directory / "postgres"), "-D", str(self._data), *options],
            self._places,
            stop_signal=self.stop_signal,
        )

    def _log_in(
        self, process: subprocess.Popen[bytes], port: int, deadline: float
    ) -> psycopg.Connection | None:
        """A session of the superuser as soon as there can be one; None when the server has ended."""
        url = url_of(_ADMIN, self._passwords[_ADMIN], f"127.0.0.1:{port}", "postgres")
        while process.poll() is None:
            try:
                return psycopg.connect(url, autocommit=True, connect_timeout=5)
            except psycopg.OperationalError as error:
                reason = ""
                if "password authentication failed" in str(error):
                    reason = f"{self._data} and the passwords in var/secrets do not belong together"
                elif time.monotonic() > deadline:
                    reason = f"no answer on port {port}: {error}"
                if reason:
                    stop(process, self.stop_signal)
                    raise ServersError(f"The embedded PostgreSQL: {reason}.") from None
                time.sleep(_LOOK_EVERY_S)
        return None

    def _clear_the_way(self) -> None:
        """After a kill: stop a server that still runs on our cluster, or drop the pid of a stranger.

        We are alone with the cluster: the keeper's lock says so.
        """
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        command = _command_of(pid)
        if str(self._data) in command:
            os.kill(pid, signal.SIGINT)
        else:
            pid_file.unlink(missing_ok=True)


def _command_of(pid: int) -> str:
    """The command line of a process, empty when there is none or it is not to be seen."""
    seen = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        return seen.read_bytes().replace(b"\0", b" ").decode(errors="replace") if seen.exists() else ""
    asked = ["ps", "-o", "args=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout
