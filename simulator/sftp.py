"""One SFTP session of a sender: chrooted in his home, and as rude as the switches want it."""

import os
import posixpath
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncssh
from asyncssh import SFTPAttrs, SFTPFailure, SFTPName, SFTPPermissionDenied

from simulator import names
from simulator.switches import OFF, Switches

if TYPE_CHECKING:
    from simulator.intake import Intake
    from simulator.registry import Sender


@dataclass
class _Upload:
    directory: str
    name: str
    limit: int = OFF  # bytes after which the disk is full for this file
    is_silent: bool = False  # the disk is full but nobody says so


class Counter(asyncssh.SFTPServer):
    """The SFTP side of one connection. IN directories take files, OUT directories give them."""

    def __init__(
        self,
        channel: "asyncssh.SSHServerChannel[bytes]",
        sender: "Sender",
        intake: "Intake",
        switches: Switches,
        wake: Callable[[], None],
    ) -> None:
        super().__init__(channel, chroot=os.fsencode(intake.home(sender.username)))
        self._sender = sender
        self._intake = intake
        self._switches = switches
        self._wake = wake
        self._uploads: dict[int, _Upload] = {}
        self._uploaded = 0
        self._is_cut = False

    def _place(self, path: bytes) -> tuple[str, str]:
        """Directory and file name of a path as the client sees it; ('', '') for anything else."""
        parts = posixpath.normpath(posixpath.join(b"/", path)).lstrip(b"/").split(b"/")
        if len(parts) != 2:
            return "", ""
        return os.fsdecode(parts[0]), os.fsdecode(parts[1])

    def _may_write(self, path: bytes) -> tuple[str, str]:
        directory, name = self._place(path)
        if directory not in names.INBOX or not name:
            raise SFTPPermissionDenied("files are left in the IN directories only")
        if not name.isascii() or not name.isprintable():
            raise SFTPPermissionDenied("file names are printable ASCII")
        return directory, name

    def _arrived(self, directory: str, name: str) -> None:
        self._intake.arrived(self._sender, directory, name)
        self._wake()

    def _cut(self) -> None:
        """Cut the connection; whatever was asked is not answered."""
        self._is_cut = True
        self.connection.abort()
        raise SFTPFailure("connection cut")

    def _opened(self, path: bytes, file: object) -> object:
        directory, name = self._place(path)
        self._uploads[id(file)] = _Upload(directory, name)
        return file

    def _before_open(self, path: bytes) -> None:
        _, name = self._may_write(path)
        if names.prefix_of(name) == self._switches.word("cut_on_open"):
            self._switches.use("cut_on_open")
            self._cut()

    def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> object:
        """Open a file (SFTP version 3 and 4)."""
        if not pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT):
            return super().open(path, pflags, attrs)
        self._before_open(path)
        return self._opened(path, super().open(path, pflags, attrs))

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> object:
        """Open a file (SFTP version 5 and 6)."""
        writing = asyncssh.ACE4_WRITE_DATA | asyncssh.ACE4_APPEND_DATA
        if not desired_access & writing:
            return super().open56(path, desired_access, flags, attrs)
        self._before_open(path)
        return self._opened(path, super().open56(path, desired_access, flags, attrs))

    def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        """Write a piece of a file, unless a switch breaks it."""
        upload = self._uploads[id(file_obj)]
        cut_at = self._switches.number("cut_after_bytes")
        if cut_at != OFF and self._uploaded + len(data) > cut_at:
            self._store(file_obj, offset, data[: max(0, cut_at - self._uploaded)])
            self._switches.use("cut_after_bytes")
            self._cut()
        self._uploaded += len(data)
        if upload.limit == OFF:
            self._fill_disk(upload, offset + len(data))
        if upload.limit == OFF or offset + len(data) <= upload.limit:
            return self._store(file_obj, offset, data)
        self._store(file_obj, offset, data[: max(0, upload.limit - offset)])
        if not upload.is_silent:
            raise SFTPFailure("no space left on device")
        return len(data)

    def _fill_disk(self, upload: _Upload, end: int) -> None:
        for switch, is_silent in (("full_disk_after_bytes", False), ("short_file_after_bytes", True)):
            limit = self._switches.number(switch)
            if limit != OFF and end > limit:
                self._switches.use(switch)
                upload.limit, upload.is_silent = limit, is_silent
                return

    def _store(self, file_obj: Any, offset: int, data: bytes) -> int:
        if data:
            file_obj.seek(offset)
            file_obj.write(data)
        return len(data)

    def close(self, file_obj: object) -> None:
        """Close a file; one that was written has now arrived."""
        upload = self._uploads.pop(id(file_obj), None)
        super().close(file_obj)
        if upload is None:
            return
        self._arrived(upload.directory, upload.name)
        is_marked = names.prefix_of(upload.name) == self._switches.word("cut_on_close")
        # What was open at a cut is closed afterwards: one cut is enough, and a second would leave the others open.
        if is_marked and not self._is_cut and not self.connection.is_closed():
            self._switches.use("cut_on_close")
            self._cut()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename into place, never over another file."""
        self._may_write(oldpath)
        directory, name = self._may_write(newpath)
        super().rename(oldpath, newpath)
        self._arrived(directory, name)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename into place, over another file if there is one."""
        self._may_write(oldpath)
        directory, name = self._may_write(newpath)
        super().posix_rename(oldpath, newpath)
        self._arrived(directory, name)

    def remove(self, path: bytes) -> None:
        """Remove a file: an answer that was read, or an upload that was not taken yet."""
        directory, name = self._place(path)
        if directory not in names.DIRECTORIES or not name:
            raise SFTPPermissionDenied("only files in the exchange directories can be removed")
        super().remove(path)

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        """List a directory."""
        directory = os.fsdecode(posixpath.normpath(posixpath.join(b"/", path)).strip(b"/"))
        if directory in names.INBOX and self._switches.take("no_listing"):
            raise SFTPPermissionDenied("this directory cannot be listed")
        async for entry in super().scandir(path):
            yield entry

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Clients set times and modes after an upload: accepted, and of no effect."""
        if attrs.size is not None:
            self._may_write(path)
            super().setstat(path, SFTPAttrs(size=attrs.size))

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """As `setstat`."""
        self.setstat(path, attrs)

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """As `setstat`, on an open file."""
        if attrs.size is not None and id(file_obj) in self._uploads:
            super().fsetstat(file_obj, SFTPAttrs(size=attrs.size))

    def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        """The directories are fixed."""
        raise SFTPPermissionDenied("the directories are fixed")

    def rmdir(self, path: bytes) -> None:
        """The directories are fixed."""
        raise SFTPPermissionDenied("the directories are fixed")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """No links: they could lead out of the home directory."""
        raise SFTPPermissionDenied("links are not allowed")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        """No links: they could lead out of the home directory."""
        raise SFTPPermissionDenied("links are not allowed")
