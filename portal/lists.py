"""What every list shares: pages of 50 rows, and filters that live in the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.http import urlencode

PER_PAGE: Final = 50


def page_of(request: HttpRequest, rows: QuerySet[Any] | list[Any], *, total: int | None = None) -> Page[Any]:
    """The page that the address asks for; the nearest one for a number that does not exist.

    `total` is the number of rows, for who has counted them already.
    """
    paginator = Paginator(rows, PER_PAGE)
    if total is not None:
        paginator.count = total
    return paginator.get_page(request.GET.get("page"))


def address(**parameters: str) -> str:
    """A query string of the parameters that say something; `?` alone leads to the list without any."""
    return "?" + urlencode({name: value for name, value in parameters.items() if value})


def chips(
    choices: Iterable[tuple[str, str | Promise]],
    counts: Mapping[str, int],
    current: str,
    kept: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Filters by state: (value, label) each, with its count; empty ones are left out unless chosen or first."""
    return [
        {
            "label": label,
            "count": counts.get(value, 0),
            "url": address(**{**(kept or {}), "state": value}),
            "is_current": value == current,
        }
        for place, (value, label) in enumerate(choices)
        if place == 0 or value == current or counts.get(value)
    ]
