"""Uploads in flight together, against a server of a few lines that answers when and how a test says."""

from __future__ import annotations

import errno
from collections import deque
from struct import pack, unpack_from

import pytest

from channels import pipelining
from channels.pipelining import Arrival, upload

OPEN, CLOSE, WRITE, STAT = 3, 4, 6, 17


class Account:
    """The other side of the wire: keeps files, answers newest first, refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.handles: dict[bytes, str] = {}
        self.refused: dict[tuple[int, str], tuple[int, bytes]] = {}
        self.answers: deque[bytes] = deque()
        self.outgoing = b""
        self.most_open = self.most_held = 0
        self.is_gone_after: int | None = None
        self.stray = b""

    def sendall(self, data: bytes) -> None:
        (length,) = unpack_from(">I", data)
        kind, number = unpack_from(">BI", data, 4)
        assert length == len(data) - 4
        self.answers.appendleft(self._reply(kind, number, data[9:]))

    def recv(self, size: int) -> bytes:
        if self.is_gone_after is not None and self.is_gone_after <= 0:
            return b""
        if not self.outgoing:
            if self.is_gone_after is not None:
                self.is_gone_after -= 1
            self.outgoing = self.stray + self.answers.popleft()
            self.stray = b""
        # In small pieces: packets do not come in one.
        taken, self.outgoing = self.outgoing[:7], self.outgoing[7:]
        return taken

    def _reply(self, kind: int, number: int, body: bytes) -> bytes:
        (length,) = unpack_from(">I", body)
        first, rest = body[4 : 4 + length], body[4 + length :]
        path = first.decode() if kind in (OPEN, STAT) else self.handles[first]
        if refusal := self.refused.get((kind, path)):
            code, text = refusal
            return packet(101, number, pack(">II", code, len(text)) + text + pack(">I", 0))
        if kind == OPEN:
            assert rest == pack(">II", 0x1A, 0)
            handle = f"h{number}".encode()
            self.handles[handle] = path
            self.files[path] = bytearray()
            self.most_open = max(self.most_open, len(self.handles))
            return packet(102, number, pack(">I", len(handle)) + handle)
        if kind == WRITE:
            at, size = unpack_from(">QI", rest)
            piece = rest[12:]
            assert len(piece) == size <= 32_768
            kept = self.files[path]
            kept.extend(bytes(max(0, at + size - len(kept))))
            kept[at : at + size] = piece
        if kind == CLOSE:
            del self.handles[first]
        if kind == STAT:
            return packet(105, number, pack(">IQ", 1, len(self.files[path])))
        return packet(101, number, pack(">I", 0))


def packet(kind: int, number: int, body: bytes) -> bytes:
    return pack(">IBI", len(body) + 5, kind, number) + body


def put(account: Account, files: dict[str, bytes], *, is_checked: bool = True) -> dict[str, Arrival]:
    waiting = ((path, lambda content=content: content) for path, content in files.items())
    return {arrival.path: arrival for arrival in upload(account, waiting, is_checked=is_checked)}


def test_bytes_arrive_whatever_the_order_of_the_answers() -> None:
    account = Account()
    files = {f"IN/{size}": bytes(number % 251 for number in range(size)) for size in (0, 1, 32_768, 100_001)}
    arrivals = put(account, files)
    assert {path: bytes(content) for path, content in account.files.items()} == files
    assert arrivals == {
        path: Arrival(path, len(content), size=len(content)) for path, content in files.items()
    }
    assert account.handles == {}


def test_an_empty_file_is_not_looked_at_when_nobody_asks() -> None:
    account = Account()
    account.refused[STAT, "IN/GO"] = (2, b"taken")
    assert put(account, {"IN/GO": b""}, is_checked=False) == {"IN/GO": Arrival("IN/GO", 0)}


@pytest.mark.parametrize("step", [OPEN, WRITE, CLOSE, STAT])
@pytest.mark.parametrize(("code", "number"), [(2, errno.ENOENT), (3, errno.EACCES), (4, errno.EIO)])
def test_a_refusal_concerns_one_file_and_leaves_nothing_open(step: int, code: int, number: int) -> None:
    account = Account()
    account.refused[step, "IN/b"] = (code, b"not for you")
    arrivals = put(account, {f"IN/{name}": b"x" * 40_000 for name in "abc"})
    refusal = arrivals["IN/b"].refusal
    assert refusal is not None
    assert (refusal.errno, refusal.strerror) == (number, "not for you")
    assert [arrivals[f"IN/{name}"].size for name in "ac"] == [40_000, 40_000]
    assert set(account.handles.values()) == ({"IN/b"} if step == CLOSE else set())


def test_a_code_without_text_has_words_all_the_same() -> None:
    account = Account()
    account.refused[OPEN, "IN/a"] = (4, b"")
    refusal = put(account, {"IN/a": b"x"})["IN/a"].refusal
    assert refusal is not None
    assert refusal.strerror == "status 4"


def test_what_is_not_to_be_put_any_more_is_left_out() -> None:
    account = Account()
    files = [("IN/a", lambda: b"x"), ("IN/b", lambda: None), ("IN/c", lambda: b"y")]
    assert {arrival.path for arrival in upload(account, files, is_checked=True)} == {"IN/a", "IN/c"}
    assert set(account.files) == {"IN/a", "IN/c"}


def test_only_so_many_files_are_open_and_so_many_bytes_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelining, "BYTES_AT_ONCE", 250)
    account = Account()
    held: list[str] = []

    def content(path: str) -> bytes:
        held.append(path)
        return b"x" * 100

    done = 0
    for _arrival in upload(
        account, [(f"IN/{n}", lambda n=n: content(f"IN/{n}")) for n in range(9)], is_checked=True
    ):
        assert len(held) - done <= 3, "three of a hundred bytes pass the limit, a fourth waits"
        done += 1
    assert (done, account.most_open) == (9, 3)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_a_server_that_opens_few_files_is_not_asked_for_more(at_once: int) -> None:
    account = Account()
    files = [(f"IN/{n}", lambda: b"x") for n in range(9)]
    assert len(list(upload(account, files, is_checked=True, at_once=at_once))) == 9
    assert account.most_open == at_once


def test_an_answer_that_paramiko_did_not_wait_for_is_skipped() -> None:
    account = Account()
    account.stray = packet(101, 17, pack(">I", 0))
    assert put(account, {"IN/a": b"x"})["IN/a"].size == 1


def test_a_connection_that_ends_is_no_answer() -> None:
    account = Account()
    account.is_gone_after = 3
    with pytest.raises(EOFError):
        put(account, {f"IN/{n}": b"x" for n in range(3)})
