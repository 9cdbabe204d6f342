"""Handing the letters over: one PDF, or where there are many a ZIP of PDFs, written part by part as it is read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any, cast

from django.utils.translation import pgettext

from submissions.models import BalanceLetters, LetterPart

type Reopen = Callable[[], AbstractContextManager[None]]


def parts_of(found: BalanceLetters) -> list[LetterPart]:
    """The parts that hold letters, without their bytes, in order."""
    return list(found.parts.filter(letters__gt=0).defer("content_sealed", "worker_ids").order_by("number"))


def zipped(found: BalanceLetters, parts: list[LetterPart], reopen: Reopen) -> Iterator[bytes]:
    """A ZIP of the parts, by pieces: no more than one part is in memory. Each part is read in a scope of its own."""
    sink = _Sink()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_STORED) as archive:
        for place, part in enumerate(parts, start=1):
            with reopen():
                content = LetterPart.objects.get(pk=part.pk).content
            member = zipfile.ZipInfo(f"{name_of(found, place, len(parts))}.pdf", _moment(found))
            archive.writestr(member, content)
            yield sink.taken()
    yield sink.taken()


def name_of(found: BalanceLetters, place: int = 1, count: int = 1) -> str:
    """The name of a file, without its ending: `balance-letters-2025`, with `-02-20` behind it for a part."""
    name = f"{pgettext('file name', 'balance-letters')}-{found.year}"
    return name if count == 1 else f"{name}-{place:0{len(str(count))}}-{count}"


def _moment(found: BalanceLetters) -> tuple[int, int, int, int, int, int]:
    at = found.ended_at or found.asked_at
    return at.year, at.month, at.day, at.hour, at.minute, at.second


class _Sink:
    """Takes what `zipfile` writes and gives it on; it cannot be wound back, and says so by having no `tell`."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: Any) -> int:
        """Keeps the bytes until they are taken."""
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        content = bytes(self._waiting)
        self._waiting.clear()
        return content
