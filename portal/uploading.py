"""Receiving files: in memory only, and only as large as the page that takes them says.

What people upload is kept sealed, so it never touches the disk in clear. Most pages take small files; a page that takes
larger ones says so with `takes_files_up_to`, and nothing larger is even received.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler

_LIMIT = "largest_upload"


def takes_files_up_to[View: Callable[..., Any]](limit: int) -> Callable[[View], View]:
    """Marks a view that takes uploads of up to `limit` bytes, form and all. It goes on top of the other decorators."""

    def mark(view: View) -> View:
        setattr(view, _LIMIT, limit)
        return view

    return mark


class OnlyInMemory(MemoryFileUploadHandler):
    """Receives files in memory up to the limit of the view; above it, no file arrives at all."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803  the name that Django calls it by
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Decides by the announced length, before a byte is read."""
        match = getattr(self.request, "resolver_match", None)
        limit = getattr(getattr(match, "func", None), _LIMIT, settings.FILE_UPLOAD_MAX_MEMORY_SIZE)
        self.activated = content_length <= limit
