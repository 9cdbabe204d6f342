"""What a ZIP is written into while somebody reads it: the bytes wait until they are taken, and are gone then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, cast


class Pipe:
    """Cannot be sought in, so the ZIP puts sizes and checksums behind each file instead of in front."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    @property
    def file(self) -> IO[bytes]:
        """As the library that writes a ZIP asks for it; it only writes and flushes."""
        return cast("IO[bytes]", self)

    def write(self, data: bytes) -> int:
        """Takes bytes. Returns how many."""
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def taken(self, least: int = 1) -> Iterator[bytes]:
        """What waits, once there are `least` bytes of it."""
        if len(self._waiting) >= least:
            yield bytes(self._waiting)
            self._waiting.clear()
