"""The signs of the pages, drawn on a grid of 16: inline, so that they take the colour of their text."""

from __future__ import annotations

from types import MappingProxyType

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

SIGNS = MappingProxyType(
    {
        "check": '<path d="m3 8.5 3.5 3.5L13 4.5"/>',
        "cross": '<path d="m4 4 8 8m0-8-8 8"/>',
        "alert": '<path d="M8 3v6M8 12.6v.1"/>',
        "question": '<path d="M5.4 5.6a2.6 2.6 0 1 1 3.9 2.3C8.4 8.4 8 8.9 8 9.8M8 12.8v.1"/>',
        "clock": '<circle cx="8" cy="8" r="5.5"/><path d="M8 5v3l2 1.5"/>',
        "dots": '<path d="M3.5 8v.1M8 8v.1M12.5 8v.1"/>',
        "arrow": '<path d="M3 8h10M9 4l4 4-4 4"/>',
        "pencil": '<path d="m3 13 .7-2.8L11 3l2 2-7.2 7.3z"/>',
        "minus": '<path d="M4 8h8"/>',
        "chevron": '<path d="m6 4 4 4-4 4"/>',
        "file": '<path d="M4 2.5h5l3 3v8H4zM9 2.5v3h3"/>',
        "pause": '<path d="M6 4v8M10 4v8"/>',
    }
)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An inline SVG sign that screen readers skip: the word beside it carries the meaning.

    Raises KeyError for a sign that is not in `SIGNS`.
    """
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(SIGNS[name]),  # noqa: S308  (our own drawings)
    )
