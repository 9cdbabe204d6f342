"""The simulator as a whole: the SSH door, the worker behind it, and a handle for tests."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from simulator.deciding import Decider
from simulator.delivering import Deliverer
from simulator.intake import Intake
from simulator.registry import Sender, World
from simulator.sftp import Counter
from simulator.signatures import Seal
from simulator.store import Store
from simulator.switches import Switches

log = logging.getLogger(__name__)
BEAT = 0.1  # seconds between two looks at the clock and the switches
LEGACY = "ssh-rsa"


class _Door(asyncssh.SSHServer):
    """Log-in by public key only, with the keys of `senders.json` as they are at that moment."""

    def __init__(self, world: World, switches: Switches, guests: set[asyncssh.SSHServerConnection]) -> None:
        self._guests = guests
        self._world = world
        self._switches = switches
        self._is_refused = False

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember who is in."""
        self._conn = conn
        self._guests.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget who left."""
        self._guests.discard(self._conn)

    def begin_auth(self, username: str) -> bool:
        """Every user needs a key."""
        self._is_refused = self._switches.take("refuse_login")
        return True

    def public_key_auth_supported(self) -> bool:
        """Yes; passwords are not."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """True when the key is one of the sender's, and of the only kind that a switch may allow."""
        sender = self._world.senders().get(username)
        if sender is None or self._is_refused:
            return False
        if self._switches.flag("ssh_rsa_only"):
            # The key checks the algorithm named in the signature against this set, so SHA-2 signatures fail.
            key.all_sig_algorithms = {LEGACY.encode()}
            if key.algorithm != LEGACY.encode():
                return False
        return any(_same_key(key, line) for line in sender.ssh_keys)


def _same_key(key: asyncssh.SSHKey, line: str) -> bool:
    try:
        return asyncssh.import_public_key(line).public_data == key.public_data
    except asyncssh.KeyImportError:
        log.warning("a key in senders.json cannot be read: %.40s...", line)
        return False


class Simulator:
    """A running simulator in a thread of its own.

    `root`: its directory, with `senders.json` and `registry.json`. `port` 0 takes a free one. `switches`:
    positions at start, under those of `switches.json`.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        port: int = 0,
        host: str = "127.0.0.1",
        host_key_file: str | os.PathLike[str] | None = None,
        switches: Mapping[str, object] | None = None,
    ) -> None:
        self.root = Path(root).resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self.host = host
        self.port = port
        self.switches = Switches(self.root / "switches.json", switches)
        self._key = _host_key(Path(host_key_file) if host_key_file else self.root / "host-key")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._guests: set[asyncssh.SSHServerConnection] = set()
        self._thread: threading.Thread | None = None
        self._passed = threading.Condition()

    @property
    def host_key(self) -> str:
        """The public host key as one OpenSSH line: `ssh-ed25519 AAAA...`."""
        return " ".join(self._key.export_public_key("openssh").decode("ascii").split()[:2])

    def start(self) -> Self:
        """Start in a thread; return when it listens. Raises what kept it from listening."""
        listening: Future[None] = Future()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, args=(listening,), name="simulator", daemon=True)
        self._thread.start()
        listening.result()
        return self

    def _run(self, listening: "Future[None]") -> None:
        try:
            asyncio.run(self.run(lambda: listening.set_result(None)))
        except (OSError, ValueError, asyncssh.Error) as fault:
            if listening.done():
                raise
            listening.set_exception(fault)
        finally:
            if not listening.done():
                listening.set_exception(RuntimeError("the simulator ended before it listened"))

    def stop(self) -> None:
        """Close the door, let the worker finish what it holds, and end the thread."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.ask_to_stop)
            self._thread.join()
        self._thread = None

    def ask_to_stop(self) -> None:
        """End `run`; to be called in its own loop."""
        self._is_stopping = True
        self._wake.set()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def set_switches(self, times: int | None = None, **values: object) -> None:
        """Move switches; when this returns they hold for the next connection and the next file."""
        self.switches.set(times, **values)
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._apply(), self._loop).result()

    def settle(self, timeout: float = 10.0) -> None:
        """Wait until every set that came is answered, held sets apart. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        with self._passed:
            while not self._is_settled():
                if not self._passed.wait(deadline - time.monotonic()) or time.monotonic() > deadline:
                    raise TimeoutError(f"sets are still being processed after {timeout} s")

    def _is_settled(self) -> bool:
        if not self._intake.is_idle():
            return False
        waiting = self._store.row(
            "select 1 from sets where state in ('taking', ?)"
            " union all select 1 from answers where state = 'pending'",
            "taking" if self.switches.flag("hold_go") else "taken",
        )
        return waiting is None

    async def run(self, tell: Callable[[], None]) -> None:
        """Serve until asked to stop; `tell` is called once listening."""
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._store = Store(self.root / "state.sqlite3")
        self._world = World(self.root)
        self._intake = Intake(self.root, self._store, self.switches)
        self._decider = Decider(self.root, self._store, self.switches, self._world, Seal(self.root))
        self._deliverer = Deliverer(self.root, self._store)
        worker = ThreadPoolExecutor(1, thread_name_prefix="simulator-worker")
        try:
            self._intake.resume(self._senders())
            self._signature_algs = self._wanted_algs()
            self._acceptor = await asyncssh.listen(
                self.host,
                self.port,
                server_factory=lambda: _Door(self._world, self.switches, self._guests),
                sftp_factory=self._counter,
                server_host_keys=[self._key],
                signature_algs=self._signature_algs,
                password_auth=False,
                kbdint_auth=False,
                gss_host=None,
                encoding=None,
            )
            try:
                self.port = self._acceptor.get_port()
                tell()
                await self._beat(worker)
            finally:
                self._acceptor.close()
                for guest in list(self._guests):
                    guest.abort()
                    await guest.wait_closed()
                await self._acceptor.wait_closed()
        finally:
            worker.shutdown()
            self._store.close()

    def _counter(self, channel: "asyncssh.SSHServerChannel[bytes]") -> Counter:
        sender = self._world.senders()[channel.get_extra_info("username")]
        return Counter(channel, sender, self._intake, self.switches, self._wake.set)

    def _senders(self) -> list[Sender]:
        return list(self._world.senders().values())

    def _wanted_algs(self) -> tuple[str, ...]:
        """What the server says it accepts in `server-sig-algs`; () stands for everything usual."""
        return (LEGACY,) if self.switches.flag("ssh_rsa_only") else ()

    async def _apply(self) -> None:
        wanted = self._wanted_algs()
        if wanted != self._signature_algs:
            self._signature_algs = wanted
            self._acceptor.update(signature_algs=wanted)
        self._wake.set()

    async def _beat(self, worker: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while not self._is_stopping:
            await self._apply()
            self._wake.clear()
            await loop.run_in_executor(worker, self._work)
            with self._passed:
                self._passed.notify_all()
            try:
                await asyncio.wait_for(self._wake.wait(), BEAT)
            except TimeoutError:
                continue

    def _work(self) -> None:
        """One pass of the worker over whatever is due. One bad set does not stop the others."""
        try:
            self._intake.take_due()
            self._intake.sweep(self._senders())
            if not self.switches.flag("hold_go"):
                for row in self._store.rows("select * from sets where state = 'taken' order by id"):
                    self._decide(row["id"])
                    self._deliverer.deliver_due()
            self._deliverer.deliver_due()
        except Exception:
            log.exception("a pass of the simulator failed")

    def _decide(self, number: int) -> None:
        row = self._store.row("select * from sets where id = ? and state = 'taken'", number)
        if row is None:
            return
        try:
            self._decider.decide(row)
        except Exception:
            log.exception("set %s could not be decided and gets no answer", row["marker"])
            self._store.run("update sets set state = 'broken' where id = ?", number)


def _host_key(path: Path) -> asyncssh.SSHKey:
    """The host key in `path`, made when it is not there."""
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment="simulator")
        path.touch(mode=0o600)
        key.write_private_key(path)
    return asyncssh.read_private_key(path)
