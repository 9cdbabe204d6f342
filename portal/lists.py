"""What every list shares: pages of 50 rows, and filters that live in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode

from portal import tenancy

PER_PAGE: Final = 50


def page_of(
    request: HttpRequest,
    rows: QuerySet[Any] | Sequence[Any],
    *,
    total: int | None = None,
    shown: Callable[[QuerySet[Any]], QuerySet[Any]] | None = None,
) -> Page[Any]:
    """The page that the address asks for; the nearest one for a number that does not exist.

    `total` is the number of rows, for who has counted them already. `shown` joins to a queryset what the list shows of
    each row. It is asked for the rows of the page alone, in one more query, so that no page joins all the rows before
    it, nor those behind it.
    """
    paginator = Paginator(rows, PER_PAGE)
    if total is not None:
        paginator.count = total
    page = paginator.get_page(request.GET.get("page"))
    if shown is not None and isinstance(cut := page.object_list, QuerySet):
        # The ids as a list: of a subquery the planner knows no size, and joins everything else first.
        pks, order = list(cut.values_list("pk", flat=True)), cut.query.order_by
        chosen = cut.model._default_manager.filter(mandataire_id=tenancy.current(), pk__in=pks)
        page.object_list = shown(chosen.order_by(*order))
    return page


def address(**parameters: str) -> str:
    """A query string of the parameters that say something; `?` alone leads to the list without any."""
    return "?" + urlencode({name: value for name, value in parameters.items() if value})


def day_of(text: str) -> date | None:
    """A day of a filter (ISO), or None for what is none, or is one of another millennium."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2999 else None


def start_of(day: date) -> datetime:
    """The first moment of a day in Belgium."""
    return timezone.make_aware(datetime.combine(day, time.min))


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
