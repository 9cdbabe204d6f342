"""A small SFTP server inside the test process, which breaks at exactly the place a test names.

It knows nothing of declarations: it keeps files, takes a set away when its GO is closed, and counts.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh

DIRECTORIES = ("IN", "OUT", "INTEST", "OUTTEST", "INTEST-S", "OUTTEST-S")


@dataclass
class Cut:
    """Cuts the connection at an operation (open, write, close, stat, remove, list) on a name that starts so.

    `is_after` lets the operation happen, so that only its answer is lost. Once, then it is gone.
    """

    operation: str
    starts_with: str = ""
    is_after: bool = False


@dataclass
class Faults:
    """What the server does wrong, until a test puts it right again."""

    cuts: list[Cut] = field(default_factory=list)
    short_after: int | None = None
    is_disk_full: bool = False
    is_in_listable: bool = True
    keeps_answers: bool = False
    unreadable: set[str] = field(default_factory=set)
    takes_sets: bool = True
    refuses_everybody: bool = False


class Server:
    """One account over `root`, on a free port of the loopback. `go_puts`, `puts`, `opened`: names, in order."""

    def __init__(
        self,
        root: Path,
        public_key: str,
        *,
        host_key: asyncssh.SSHKey | None = None,
        signature_algs: tuple[str, ...] = (),
    ) -> None:
        self.root, self._public_key = root, public_key
        self.host_key = host_key or asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self.faults = Faults()
        self.go_puts: list[str] = []
        self.puts: list[str] = []
        self.opened: list[str] = []
        self.connections = self.most_connections = self.connections_ever = 0
        self.most_open = 0
        self.signatures_seen: list[str] = []
        self._signature_algs = signature_algs
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._gate = threading.Event()
        self._gate.set()
        self.reached_gate = threading.Event()
        self._gated = ""
        for directory in DIRECTORIES:
            (root / directory).mkdir(parents=True, exist_ok=True)
        (root / "taken").mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._acceptor = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._acceptor.get_port()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.set()
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def host_key_line(self) -> str:
        return self.host_key.export_public_key().decode().strip()

    def names(self, directory: str = "IN") -> set[str]:
        return {path.name for path in (self.root / directory).iterdir()}

    def taken(self) -> set[str]:
        return self.names("taken")

    def cut(self, operation: str, starts_with: str = "", *, is_after: bool = False) -> None:
        self.faults.cuts.append(Cut(operation, starts_with, is_after))

    def hold(self, starts_with: str) -> None:
        """Makes the server wait before it opens a file of this name, until `let_go`; see `reached_gate`."""
        self._gated = starts_with
        self.reached_gate.clear()
        self._gate.clear()

    def let_go(self) -> None:
        self._gated = ""
        self._gate.set()

    def answer(
        self,
        name: str,
        content: bytes,
        *,
        directory: str = "OUT",
        signature: bytes | None = b"signature",
        has_go: bool = True,
    ) -> None:
        """Puts an answer where the client looks for it: FO or CO, FS, GO."""
        rest = name.split(".", 1)[1]
        out = self.root / directory
        (out / name).write_bytes(content)
        if signature is not None:
            (out / f"FS.{rest}").write_bytes(signature)
        if has_go:
            (out / f"GO.{rest}").write_bytes(b"")

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Door(self),
            sftp_factory=lambda channel: _Files(channel, self),
            server_host_keys=[self.host_key],
            signature_algs=self._signature_algs,
            password_auth=False,
            kbdint_auth=False,
            gss_host=None,
            encoding=None,
        )

    async def _close(self) -> None:
        self._acceptor.close()
        await self._acceptor.wait_closed()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def pass_gate(self, name: str) -> None:
        if self._gated and name.startswith(self._gated):
            self.reached_gate.set()
            await self._loop.run_in_executor(None, self._gate.wait)

    def take(self, name: str, directory: str) -> None:
        """GO is there: the whole set goes to where the client cannot see it."""
        stem = name.split(".", 1)[1].rsplit(".", 1)[0]
        for path in (self.root / directory).iterdir():
            if stem in path.name:
                path.rename(self.root / "taken" / path.name)


class _Door(asyncssh.SSHServer):
    def __init__(self, server: Server) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._server.connections += 1
        self._server.connections_ever += 1
        self._server.most_connections = max(self._server.most_connections, self._server.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections -= 1

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        if self._server._signature_algs:
            key.all_sig_algorithms = {name.encode() for name in self._server._signature_algs}
        mine = asyncssh.import_public_key(self._server._public_key)
        return not self._server.faults.refuses_everybody and key.public_data == mine.public_data


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: Any, server: Server) -> None:
        super().__init__(channel, chroot=bytes(server.root))
        self._server = server
        self._paths: dict[int, tuple[str, str]] = {}

    def _name(self, path: bytes) -> tuple[str, str]:
        directory, _, name = path.decode().lstrip("/").rpartition("/")
        return directory, name

    def _at(self, operation: str, name: str, *, is_after: bool = False) -> None:
        for cut in self._server.faults.cuts:
            if cut.operation == operation and name.startswith(cut.starts_with) and cut.is_after is is_after:
                self._server.faults.cuts.remove(cut)
                self.connection.abort()
                raise asyncssh.SFTPFailure("cut")

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        directory, name = self._name(path)
        await self._server.pass_gate(name)
        self._at("open", name)
        if name in self._server.faults.unreadable:
            raise asyncssh.SFTPPermissionDenied("not for you")
        file = super().open(path, pflags, attrs)
        self._server.opened.append(name)
        if pflags & asyncssh.FXF_WRITE:
            self._paths[id(file)] = directory, name
            self._server.most_open = max(self._server.most_open, len(self._paths))
            self._server.puts.append(name)
            if name.startswith("GO."):
                self._server.go_puts.append(name)
        try:
            self._at("open", name, is_after=True)
        except asyncssh.SFTPFailure:
            self._paths.pop(id(file), None)
            super().close(file)
            raise
        return file

    def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        self._at("write", self._paths[id(file_obj)][1])
        limit = self._server.faults.short_after
        if self._server.faults.is_disk_full:
            raise asyncssh.SFTPFailure("no space left on device")
        if limit is not None:
            file_obj.seek(offset)
            file_obj.write(data[: max(0, limit - offset)])
            return len(data)
        return super().write(file_obj, offset, data)  # type: ignore[return-value]

    def close(self, file_obj: Any) -> None:
        directory, name = self._paths.pop(id(file_obj), ("", ""))
        super().close(file_obj)
        self._at("close", name)
        if name.startswith("GO.") and self._server.faults.takes_sets:
            self._server.take(name, directory)
        self._at("close", name, is_after=True)

    def stat(self, path: bytes) -> Any:
        self._at("stat", self._name(path)[1])
        return super().stat(path)

    def remove(self, path: bytes) -> None:
        _directory, name = self._name(path)
        self._at("remove", name)
        if self._server.faults.keeps_answers:
            raise asyncssh.SFTPPermissionDenied("answers stay here")
        super().remove(path)
        self._at("remove", name, is_after=True)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        directory = path.decode().strip("/")
        self._at("list", directory)
        if directory.startswith("IN") and not self._server.faults.is_in_listable:
            raise asyncssh.SFTPPermissionDenied("this directory cannot be listed")
        async for entry in super().scandir(path):
            yield entry
