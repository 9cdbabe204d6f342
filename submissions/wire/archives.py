"""Zip archives from outside: social security zips an answer (FO) above 50 MB into a CO.

Rule: a CO holds exactly one FO (www.socialsecurity.be/site_fr/general/helpcentre/batch/, "sizecompression").
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from django.utils.translation import gettext_lazy as _

from channels.naming import BadFileName, Prefix, parse_name
from submissions.wire.unreadable import MAX_BYTES, Unreadable

_FILE, _END, _END_64 = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07"
_END_RECORD: Final = struct.Struct("<4s4H2LH")
_MAX_DIRECTORY: Final = 2**12
"""Bytes of the central directory: one entry of a short name needs about a hundred."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of an archive: its own bytes, those of what is in it, and how many times larger that may be."""

    max_zipped: int = 100 * 2**20
    max_bytes: int = MAX_BYTES
    max_ratio: int = 200


DEFAULT_LIMITS: Final = Limits()


def is_zip(content: bytes) -> bool:
    """Whether the bytes start as an archive does."""
    return content.startswith(_FILE)


def unzip_single(content: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[str, bytes]:
    """The name and the bytes of the only member, an FO; raises `Unreadable`.

    The sizes that the archive states about itself are only used to refuse early: what is unpacked is counted.
    """
    if len(content) > limits.max_zipped:
        raise Unreadable(
            _("The archive has %(size)d bytes; at most %(limit)d are read."),
            {"size": len(content), "limit": limits.max_zipped},
        )
    _check_directory(content)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            (member,) = archive.infolist()
            _check_member(member, limits)
            most = min(limits.max_bytes, limits.max_ratio * len(content))
            with archive.open(member) as stream:
                unpacked = stream.read(most + 1)
            if len(unpacked) > most:
                raise _too_large(limits)
            return member.filename, unpacked
    except Unreadable:
        raise
    # What zipfile raises for a damaged archive, by way of the modules it stands on.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError,
            struct.error, OverflowError, IndexError):  # fmt: skip
        raise _damaged() from None


def _check_directory(content: bytes) -> None:
    """One member, told by the directory at the end, before a library makes an object of each entry."""
    position = content.rfind(_END, -(2**16 + _END_RECORD.size))
    if not is_zip(content) or position < 0 or len(content) - position < _END_RECORD.size:
        raise _damaged()
    _mark, disk, first_disk, here, count, size, _offset, _comment = _END_RECORD.unpack_from(content, position)
    if content[max(position - 20, 0) :].startswith(_END_64) or disk or first_disk or here != count:
        raise _damaged()
    if count != 1:
        raise Unreadable(_("The archive holds %(count)d files instead of one."), {"count": count})
    if size > _MAX_DIRECTORY:
        raise _damaged()


def _check_member(member: zipfile.ZipInfo, limits: Limits) -> None:
    if member.flag_bits & 0x1:
        raise Unreadable(_("The archive is encrypted."))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(_("The archive is compressed in a way that is not read: only deflate is."))
    try:
        name = parse_name(member.orig_filename)
    except BadFileName:
        name = None
    if name is None or name.prefix is not Prefix.ANSWER or member.filename != member.orig_filename:
        raise Unreadable(_("The file in the archive does not have the name of an answer (FO)."))
    if member.file_size > min(limits.max_bytes, limits.max_ratio * max(member.compress_size, 1)):
        raise _too_large(limits)


def _damaged() -> Unreadable:
    return Unreadable(_("This is not a zip archive with one file, or it is damaged."))


def _too_large(limits: Limits) -> Unreadable:
    return Unreadable(
        _("The archive unpacks to more than %(limit)d bytes, or to more than %(ratio)d times its size."),
        {"limit": limits.max_bytes, "ratio": limits.max_ratio},
    )
