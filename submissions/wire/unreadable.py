"""What is said of bytes from outside that are not taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise

MAX_BYTES: Final = 200 * 2**20
"""Largest document that is parsed: social security zips what exceeds 50 MB, or 150 MB for one application."""


class Unreadable(ValueError):
    """Bytes from outside that are not taken; ``str()`` is a translated sentence that quotes no content."""

    def __init__(self, reason: str | Promise, values: Mapping[str, object] | None = None) -> None:
        super().__init__(reason, values)
        self._reason = reason
        self._values = dict(values or {})

    @property
    def reason(self) -> str:
        """The sentence, in the active language."""
        return str(self._reason) % self._values if self._values else str(self._reason)

    def __str__(self) -> str:
        return self.reason
