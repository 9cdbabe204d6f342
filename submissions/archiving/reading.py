"""Reading an archive that somebody brings: hostile until every name, size and digest has been compared.

What the ZIP says of itself only serves to refuse early: what is unpacked is counted. Only dossiers are read; the tables
are for people. A dossier is read line by line, so that a client with thousands of workers is never held at once.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any, Final

from django.utils.translation import gettext_lazy as _

from portal.spreadsheets.reading import Pieces, Unreadable
from submissions.archiving.layout import DOSSIER, FORMAT, MANIFEST, NAME, VERSION

MOST_FILES: Final = 60_000
MOST_BYTES: Final = 2_000_000_000
"""Of all files together, unpacked."""
MOST_TIMES: Final = 200
"""How many times larger than the archive its files may be."""
LONGEST_LINE: Final = 500_000
"""Bytes of one worker, or of the head of a client."""
_MANIFEST_BYTES: Final = 20_000_000
_BLOCK: Final = 65_536
_ENTRY: Final = 512
"""Bytes of the directory for each file: a short name needs about a hundred."""
_END, _END_RECORD = b"PK\x05\x06", struct.Struct("<4s4H2LH")
_BEFORE, _BETWEEN, _AFTER = b', "workers": [\n', b",\n", b"]}\n"

DAMAGED: Final = _("This is not an archive of a register, or it is damaged. Take it anew where it was made.")
_NOT_WHOLE: Final = _("This archive is not whole: %(name)s is missing or was changed. Take it anew.")
_TOO_LARGE: Final = _("This archive is far too large once unpacked.")
_OTHER: Final = _("This archive is of a kind or version that this portal does not know: %(kind)s.")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of an archive: the head of a client (`worker` is empty), or one of its workers. Both are JSON.

    `place` says where it stands, for who has to look: folder and line.
    """

    number: str
    place: str
    head: str
    worker: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What the manifest says: whose archive it is, and how many clients and workers are in it."""

    origin_name: str
    origin_number: str
    employers: int
    workers: int


def check(pieces: Pieces) -> Contents:
    """Compares every file with the manifest. Raises Unreadable."""
    with _opened(pieces) as archive:
        return _compare(archive)


def _compare(archive: zipfile.ZipFile) -> Contents:
    told = _manifest(archive)
    listed = {one["name"]: (one["size"], one["sha256"]) for one in told["files"]}
    names = {member.filename for member in archive.infolist()} - {MANIFEST}
    if len(listed) != len(told["files"]) or listed.keys() != names:
        raise Unreadable(_NOT_WHOLE, {"name": min(listed.keys() ^ names, default=MANIFEST)})
    for name, (size, digest) in listed.items():
        found = hashlib.sha256()
        count = 0
        with archive.open(name) as stream:
            while count <= size and (block := stream.read(_BLOCK)):
                found.update(block)
                count += len(block)
        if (count, found.hexdigest()) != (size, digest):
            raise Unreadable(_NOT_WHOLE, {"name": name})
    whose = told["mandataire"]
    return Contents(whose["name"][:200], whose["number"][:10], told["employers"], told["workers"])


def lines(pieces: Pieces) -> Iterator[Line]:
    """Every client and worker of an archive that was checked, in its order. Raises Unreadable."""
    with _opened(pieces) as archive:
        for name in archive.namelist():
            if name.endswith(DOSSIER):
                with archive.open(name) as stream:
                    yield from _of_client(name.partition("/")[0], stream)


def _of_client(number: str, stream: IO[bytes]) -> Iterator[Line]:
    first = _next(stream)
    if not first.endswith(_BEFORE):
        raise Unreadable(DAMAGED)
    head = (first.removesuffix(_BEFORE) + b"}").decode()
    yield Line(number, f"{number}/{DOSSIER}:1", head, "")
    place = 1
    while (line := _next(stream)) != _AFTER:
        place += 1
        # An employer without workers has one empty line.
        if text := line.removesuffix(b"\n").removesuffix(_BETWEEN[:1]).decode():
            yield Line(number, f"{number}/{DOSSIER}:{place}", head, text)
    if stream.read(1):
        raise Unreadable(DAMAGED)


def _next(stream: IO[bytes]) -> bytes:
    line = stream.readline(LONGEST_LINE + 1)
    if len(line) > LONGEST_LINE or not line.endswith(b"\n"):
        raise Unreadable(DAMAGED)
    return line


@contextmanager
def _opened(pieces: Pieces) -> Iterator[zipfile.ZipFile]:
    """The archive, after all that it says of itself was found within bounds."""
    content = b"".join(pieces())
    _check_directory(content)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            _check_members(archive.infolist(), len(content))
            yield archive
    # What zipfile raises for a damaged archive, by way of the modules it stands on.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError,
            struct.error, OverflowError, IndexError, KeyError, UnicodeDecodeError):  # fmt: skip
        raise Unreadable(DAMAGED) from None


def _check_directory(content: bytes) -> None:
    """How many files there are, before a library makes an object of each."""
    position = content.rfind(_END, max(0, len(content) - 2**16 - _END_RECORD.size))
    if not content.startswith(b"PK\x03\x04") or position < 0 or len(content) - position < _END_RECORD.size:
        raise Unreadable(DAMAGED)
    _mark, disk, first, here, count, size, _offset, _note = _END_RECORD.unpack_from(content, position)
    if disk or first or here != count or count > MOST_FILES or size > _ENTRY * count:
        raise Unreadable(DAMAGED)


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    names = set[str]()
    for member in members:
        is_known = NAME.fullmatch(member.filename) and member.filename == member.orig_filename
        is_plain = not member.flag_bits & 0x1 and member.compress_type in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        )
        if not is_known or not is_plain or member.filename in names:
            raise Unreadable(DAMAGED)
        names.add(member.filename)
    if sum(member.file_size for member in members) > min(MOST_BYTES, MOST_TIMES * size):
        raise Unreadable(_TOO_LARGE)
    if MANIFEST not in names:
        raise Unreadable(_NOT_WHOLE, {"name": MANIFEST})


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    with archive.open(MANIFEST) as stream:
        content = stream.read(_MANIFEST_BYTES + 1)
    try:
        told = json.loads(content) if len(content) <= _MANIFEST_BYTES else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Unreadable(DAMAGED)
    if (told.get("format"), told.get("version")) != (FORMAT, VERSION):
        kind = f"{told.get('format')} {told.get('version')}"[:60]
        raise Unreadable(_OTHER, {"kind": kind})
    if not _is_sound(told):
        raise Unreadable(DAMAGED)
    return told


def _is_sound(told: dict[str, Any]) -> bool:
    whose, files = told.get("mandataire"), told.get("files")
    return (
        isinstance(whose, dict)
        and all(isinstance(whose.get(name), str) for name in ("name", "number"))
        and all(type(told.get(name)) is int for name in ("employers", "workers"))
        and isinstance(files, list)
        and all(
            isinstance(one, dict)
            and isinstance(one.get("name"), str)
            and type(one.get("size")) is int
            and isinstance(one.get("sha256"), str)
            for one in files
        )
    )
