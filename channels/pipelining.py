"""Many small uploads over one SFTP session, with their requests in flight together.

At 20 ms a round trip latency decides, not bytes: one file after the other waits four times for each. Only the requests
an upload needs are spoken here (SFTP version 3, draft-ietf-secsh-filexfer-02), on the channel of a paramiko client
that waits for nothing. paramiko keeps several writes of one file in flight, but not several files.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from struct import Struct
from typing import Final, Protocol

type Content = Callable[[], bytes | None]
"""Fetches the bytes of a file when its turn comes; None when it is not to be put any more."""

type Request = tuple[int, bytes]
type Reply = tuple[int, bytes]
type Steps = Generator[Iterable[Request], list[Reply], int | None]

OPEN_AT_ONCE: Final = 32
"""Files open on the other side, at most: servers limit their number, and more hide no more latency."""

BYTES_AT_ONCE: Final = 8_000_000
"""Content held in memory; a larger file goes alone."""

_FIRST_NUMBER: Final = 1 << 30
"""Of our requests; paramiko counts its own from zero on the same channel."""

_PIECE: Final = 32_768  # Every server takes a write of this size.
_OPEN, _CLOSE, _WRITE, _STAT = 3, 4, 6, 17
_STATUS, _HANDLE, _ATTRIBUTES = 101, 102, 105
_WRITE_CREATE_TRUNCATE: Final = 0x02 | 0x08 | 0x10
_HAS_SIZE: Final = 0x01
_ERRNO: Final = {2: errno.ENOENT, 3: errno.EACCES}

_U32, _U64, _TWO, _HEAD = Struct(">I"), Struct(">Q"), Struct(">II"), Struct(">IBI")


class Wire(Protocol):
    """What is needed of a paramiko channel. Both raise TimeoutError or OSError when the connection is lost."""

    def sendall(self, data: bytes, /) -> None:
        """Sends everything, or raises."""

    def recv(self, size: int, /) -> bytes:
        """Some bytes; none at the end."""


class RefusedThere(OSError):
    """The server said no to one request: `errno` is ENOENT, EACCES or EIO, the text is the server's."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file that was put, or not: `size` as the server tells it, where it was asked, or the `refusal`."""

    path: str
    sent: int
    size: int | None = None
    refusal: RefusedThere | None = None


@dataclass(slots=True)
class _Upload:
    path: str
    sent: int
    steps: Steps
    replies: dict[int, Reply | None] = field(default_factory=dict)
    missing: int = 0

    def take(self, number: int, reply: Reply) -> bool:
        """Notes a reply; returns whether all that was asked has been answered."""
        self.replies[number] = reply
        self.missing -= 1
        return not self.missing


@dataclass(slots=True)
class _Pipeline:
    wire: Wire
    numbers: Iterator[int] = field(default_factory=lambda: count(_FIRST_NUMBER))
    asked: dict[int, _Upload] = field(default_factory=dict)
    buffer: bytearray = field(default_factory=bytearray)

    def ask(self, upload: _Upload, requests: Iterable[Request]) -> None:
        upload.replies = {}
        for kind, body in requests:
            number = next(self.numbers)
            upload.replies[number] = None
            upload.missing += 1
            self.asked[number] = upload
            self.wire.sendall(_HEAD.pack(len(body) + 5, kind, number) + body)

    def answer(self) -> tuple[_Upload, int, Reply]:
        while True:
            packet = self._packet()
            (number,) = _U32.unpack_from(packet, 1)
            # paramiko closes what it listed or read without waiting for the answer: that one comes to us.
            if number >= _FIRST_NUMBER:
                return self.asked.pop(number), number, (packet[0], packet[5:])

    def _packet(self) -> bytes:
        (length,) = _U32.unpack(self._bytes(4))
        return self._bytes(length)

    def _bytes(self, size: int) -> bytes:
        while len(self.buffer) < size:
            received = self.wire.recv(_PIECE)
            if not received:
                raise EOFError
            self.buffer += received
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken


def upload(
    wire: Wire, files: Iterable[tuple[str, Content]], *, is_checked: bool, at_once: int = OPEN_AT_ONCE
) -> Iterator[Arrival]:
    """Puts every file under its path, over what was there, and yields each as it is done, in no promised order.

    `is_checked` asks for the size of each file after it was closed; `at_once` files are under way at most. A refusal
    concerns one file. A lost connection raises what `wire` raises, or EOFError: of what was not yielded by then nothing
    is known. To be read to its end.
    """
    line, waiting = _Pipeline(wire), iter(files)
    under_way: dict[str, _Upload] = {}
    has_more = True
    while has_more or under_way:
        while has_more and _has_room(under_way, at_once):
            found = next(waiting, None)
            has_more = found is not None
            if found is not None and (content := found[1]()) is not None:
                path = found[0]
                started = under_way[path] = _Upload(path, len(content), _steps(path, content, is_checked))
                line.ask(started, next(started.steps))
        if under_way:
            going, number, reply = line.answer()
            if going.take(number, reply) and (arrival := _go_on(line, going)):
                del under_way[going.path]
                yield arrival


def _has_room(under_way: dict[str, _Upload], at_once: int) -> bool:
    held = sum(going.sent for going in under_way.values())
    return not under_way or (len(under_way) < at_once and held < BYTES_AT_ONCE)


def _go_on(line: _Pipeline, going: _Upload) -> Arrival | None:
    """Asks what comes next; returns how it ended when nothing does."""
    try:
        requests = going.steps.send([reply for reply in going.replies.values() if reply])
    except StopIteration as done:
        return Arrival(going.path, going.sent, size=done.value)
    except RefusedThere as refusal:
        return Arrival(going.path, going.sent, refusal=refusal)
    line.ask(going, requests)
    return None


def _steps(path: str, content: bytes, is_checked: bool) -> Steps:
    """What is asked for one file; each step is sent when all of the one before is answered."""
    name = _string(path.encode())
    (opened,) = yield [(_OPEN, name + _TWO.pack(_WRITE_CREATE_TRUNCATE, 0))]
    handle = _string(_handle(opened))
    if content:
        written = yield (
            (_WRITE, handle + _U64.pack(at) + _string(content[at : at + _PIECE]))
            for at in range(0, len(content), _PIECE)
        )
        try:
            _expect_ok(written)
        except RefusedThere:
            yield [(_CLOSE, handle)]
            raise
    closed = yield [(_CLOSE, handle)]
    _expect_ok(closed)
    if not is_checked:
        return None
    (attributes,) = yield [(_STAT, name)]
    return _size(attributes)


# --- packets ----------------------------------------------------------------------------------------


def _string(value: bytes) -> bytes:
    return _U32.pack(len(value)) + value


def _handle(reply: Reply) -> bytes:
    kind, body = reply
    if kind != _HANDLE:
        raise _refusal(reply)
    return body[4:]


def _size(reply: Reply) -> int:
    kind, body = reply
    if kind != _ATTRIBUTES:
        raise _refusal(reply)
    (flags,) = _U32.unpack_from(body)
    if not flags & _HAS_SIZE:
        raise RefusedThere(errno.EIO, "the server does not tell the size of a file")
    size: int = _U64.unpack_from(body, 4)[0]
    return size


def _expect_ok(replies: list[Reply]) -> None:
    for reply in replies:
        if reply[0] != _STATUS or _U32.unpack_from(reply[1])[0] != 0:
            raise _refusal(reply)


def _refusal(reply: Reply) -> RefusedThere:
    """The refusal in a reply: a status with its text, or a packet that has no place here."""
    kind, body = reply
    if kind != _STATUS:
        return RefusedThere(errno.EIO, f"unexpected answer {kind}")
    (code,) = _U32.unpack_from(body)
    text = b""
    if len(body) >= 8:  # The oldest servers send the code alone.
        (length,) = _U32.unpack_from(body, 4)
        text = body[8 : 8 + length]
    return RefusedThere(_ERRNO.get(code, errno.EIO), text.decode(errors="replace") or f"status {code}")
