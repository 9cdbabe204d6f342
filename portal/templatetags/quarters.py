"""The time line of mandates by quarters: a drawing made on the server, without a script.

The drawing repeats the table below it, so screen readers get one sentence and go on to the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from mandates.numbers import quarter_after, quarter_days, quarter_of
from portal.templatetags.icons import SIGNS
from portal.templatetags.presenting import day
from portal.templatetags.wording import STATES

register = template.Library()

BEFORE, AFTER = 3, 8
"""Quarters drawn before and after the present one."""
QUARTER: Final = 80
"""Width of a quarter in units of the drawing; a unit is a pixel on a wide screen."""
HEAD, LANE, BAR = 40, 34, 24
OVER: Final = 12
"""A bar runs this far over the edge when the mandate goes on beyond the quarters drawn, so that no end is seen."""
_LETTER: Final = 7.6
"""Width of an average letter of a bar, in units; generous, because faces differ."""
_SIGN: Final = 26


@register.simple_tag
def mandate_period(starts_on: date, ends_on: date | None) -> str:
    """The days of a mandate in words."""
    if ends_on is None and starts_on > timezone.localdate():
        return _("from %(start)s on, without an end") % {"start": day(starts_on)}
    if ends_on is None:
        return _("since %(start)s, without an end") % {"start": day(starts_on)}
    return _("from %(start)s to %(end)s") % {"start": day(starts_on), "end": day(ends_on)}


@dataclass(frozen=True, slots=True)
class Tick:
    """The start of a quarter; `year` is written at the first of each year and of the drawing."""

    x: int
    middle: int
    label: str
    year: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One mandate as a bar; the text stands in it, or beside it where it is too short."""

    y: int
    x: int
    width: int
    tone: str
    is_settled: bool
    sign: SafeString
    word: str
    text_x: int
    title: str

    @property
    def text_y(self) -> int:
        """The line on which the word stands."""
        return self.y + BAR // 2


def ticks(first: str, count: int, now: str) -> list[Tick]:
    """One for each of `count` quarters from `first` on."""
    codes = [quarter_after(first, place) for place in range(count)]
    return [
        Tick(
            x=place * QUARTER,
            middle=place * QUARTER + QUARTER // 2,
            label=_("Q%(quarter)s") % {"quarter": code[4]},
            year=code[:4] if place == 0 or code[4] == "1" else "",
            is_now=code == now,
        )
        for place, code in enumerate(codes)
    ]


def lanes(mandates: Iterable[Mapping[str, Any]], first: str, count: int) -> list[Lane]:
    """A bar for every mandate that touches the quarters drawn, in the order given."""
    start, end = quarter_days(first)[0], quarter_days(quarter_after(first, count - 1))[1]
    drawn: list[Lane] = []
    mandates = list(mandates)
    has_several = len({str(mandate["service"]) for mandate in mandates}) > 1
    for mandate in mandates:
        starts_on, ends_on = mandate["starts_on"], mandate["ends_on"]
        if starts_on > end or (ends_on and ends_on < start):
            continue
        left = _place(starts_on, first) if starts_on >= start else -OVER
        right = count * QUARTER + OVER
        if ends_on and ends_on <= end:
            right = _place(ends_on + timedelta(days=1), first)
        drawn.append(_lane(mandate, len(drawn), left, right, names_service=has_several))
    return drawn


def _lane(mandate: Mapping[str, Any], place: int, left: int, right: int, *, names_service: bool) -> Lane:
    """One bar. It names its service only beside bars of other services: the state is what changes."""
    wording = STATES["mandate"][mandate["standing"]]
    state, width = str(wording.word), right - left
    word = f"{mandate['service']}: {state}" if names_service else state
    seen = right - max(left, 0)
    needed = round(_SIGN + 10 + len(word) * _LETTER)
    text_x = max(left, 0) + 10
    if seen < needed:
        is_room = right + needed <= (BEFORE + 1 + AFTER) * QUARTER
        text_x = right + 8 if is_room else max(left - needed, 0)
    return Lane(
        y=HEAD + place * LANE + (LANE - BAR) // 2,
        x=left,
        width=width,
        tone=wording.tone,
        is_settled=mandate["standing"] not in ("to_finalise", "pending"),
        sign=mark_safe(SIGNS[wording.sign]),  # noqa: S308  (our own drawings)
        word=word,
        text_x=text_x,
        title=f"{mandate['service']}: {state}, {mandate_period(mandate['starts_on'], mandate['ends_on'])}",
    )


def _place(on: date, first: str) -> int:
    """Where the quarter that begins `on` this day begins in the drawing."""
    code = quarter_of(on)
    return (int(code[:4]) * 4 + int(code[4]) - int(first[:4]) * 4 - int(first[4])) * QUARTER


@register.inclusion_tag("components/mandate_timeline.html")
def mandate_timeline(mandates: Sequence[Mapping[str, Any]], today: date | None = None) -> dict[str, object]:
    """The mandates of one employer over twelve quarters, the present one marked.

    Each mandate: `starts_on`, `ends_on` (or None), `standing` (a state of a mandate in `wording`), `service` (name).
    """
    now = quarter_of(today or timezone.localdate())
    count = BEFORE + 1 + AFTER
    first = quarter_after(now, -BEFORE)
    drawn = lanes(mandates, first, count)
    return {
        "ticks": ticks(first, count, now),
        "lanes": drawn,
        "width": count * QUARTER,
        "quarter": QUARTER,
        "head": HEAD,
        "bar": BAR,
        "height": HEAD + max(len(drawn), 1) * LANE + 4,
        "text": _("Time line of the mandates by quarters; the table below says the same."),
    }
