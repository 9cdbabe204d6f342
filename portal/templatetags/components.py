"""The components of the pages: each a tag with plain arguments and one template in `components/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.core.paginator import Page
from django.template import Context
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal.templatetags.presenting import number
from portal.templatetags.wording import KINDS, SIGN_OF_TONE, STATES, STEPS

register = template.Library()

BAR_UNITS = 1000
"""Width of a bar in its own drawing; the page stretches it, so no style attribute is needed."""
LEAST_UNITS = 6
"""A single refusal among thousands stays visible."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar, in units of its drawing."""

    kind: str
    x: int
    width: int


def proportions(
    counts: Mapping[str, int], units: int = BAR_UNITS, least: int = LEAST_UNITS
) -> Iterator[Segment]:
    """The pieces of a bar in the order of `counts`; together exactly `units` wide, none below `least`.

    Zero counts have no piece; nothing comes out when all are zero.
    """
    present = [(kind, count) for kind, count in counts.items() if count > 0]
    total = sum(count for _kind, count in present)
    widths = [max(least, round(units * count / total)) for _kind, count in present]
    if widths:
        # What rounding and the smallest pieces took is given back by the widest.
        widths[widths.index(max(widths))] += units - sum(widths)
    x = 0
    for (kind, _count), width in zip(present, widths, strict=True):
        yield Segment(kind, x, width)
        x += width


@register.inclusion_tag("components/segments.html")
def segments(
    accepted: int, remarks: int, refused: int, waiting: int, *, large: bool = False
) -> dict[str, object]:
    """A bar of the answers of a batch. Numbers are declarations.

    What waits is the empty rest of the bar; before the first answer it is drawn as something on its way.
    """
    rest = "rest" if accepted or remarks or refused else "waiting"
    counts = {"accepted": accepted, "remarks": remarks, "refused": refused, rest: waiting}
    text = _("%(accepted)d accepted, %(remarks)d with remarks, %(refused)d refused, %(waiting)d waiting")
    return {
        "pieces": list(proportions(counts)),
        "large": large,
        "units": BAR_UNITS,
        "text": text % {"accepted": accepted, "remarks": remarks, "refused": refused, "waiting": waiting},
    }


@register.inclusion_tag("components/legend.html")
def legend(accepted: int, remarks: int, refused: int, waiting: int) -> dict[str, int]:
    """The figures of a bar in words, each with its colour."""
    return {"accepted": accepted, "remarks": remarks, "refused": refused, "waiting": waiting}


@register.inclusion_tag("components/badge.html")
def state_badge(kind: str, state: str) -> dict[str, object]:
    """The state of a `kind` of thing (declaration, batch, drop, inbound, channel): word, sign and tone.

    Raises KeyError for a state without words: no state ever shows its internal name.
    """
    return {"wording": STATES[kind][state]}


@register.inclusion_tag("components/environment_badge.html", takes_context=True)
def environment_badge(context: Context, code: str) -> dict[str, object]:
    """Where a thing went or goes (R, T or S): a test always says so, production where the page around it is of a test.

    Nothing for "": it goes with the channel, whose environment stands on every page.
    """
    return {"code": code, "page": context.get("environment", "R")}


@register.simple_tag
def state_word(kind: str, state: str) -> str:
    """The word of a state alone, for a sentence."""
    return str(STATES[kind][state].word)


@register.simple_tag
def batch_sentence(batch: Mapping[str, Any]) -> str:
    """Where a batch stands, in a few words.

    `batch`: state, total, accepted (without remarks), remarks, refused, waiting; numbers are declarations.
    """
    match batch["state"]:
        case "acknowledged":
            answered = batch["total"] - batch["waiting"]
            text = _("%(answered)s of %(total)s answered")
            return text % {"answered": number(answered), "total": number(batch["total"])}
        case "answered":
            accepted = batch["accepted"] + batch["remarks"]
            text = _("%(accepted)s accepted, %(refused)s refused")
            return text % {"accepted": number(accepted), "refused": number(batch["refused"])}
        case "dropped":
            return _("%(total)s, no receipt yet") % {"total": number(batch["total"])}
        case state:
            return f"{number(batch['total'])} · {STATES['batch'][state].word}"


@register.filter
def answered(counts: Mapping[str, Any]) -> int:
    """How many of `counts` (accepted, remarks, refused, waiting) have their answer."""
    return int(counts["accepted"] + counts["remarks"] + counts["refused"])


@register.simple_tag
def declaration_kind(kind: str) -> str:
    """What a declaration is: original, modification or cancellation."""
    return str(KINDS[kind])


@register.inclusion_tag("components/timeline.html")
def timeline(steps: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The way of a batch in five steps with their proof.

    Each step: `key` (sealed, dropped, acknowledged, answered, closed), `status` (done, current, todo,
    failed), `proof` (lines of text, already in the reader's language).
    """
    return {
        "steps": [
            {**step, "title": STEPS[step["key"]][1 if step["status"] == "failed" else 0]} for step in steps
        ]
    }


@register.inclusion_tag("components/counter.html")
def counter_card(
    label: str | Promise, count: int, url: str, *, note: str | Promise = "", tone: str = "mute"
) -> dict[str, object]:
    """One figure of the home page: the whole card leads to its list. Zero is never alarming."""
    return {"label": label, "count": count, "url": url, "note": note, "tone": tone if count else "mute"}


@register.inclusion_tag("components/todo_item.html")
def todo_item(item: Mapping[str, Any]) -> dict[str, object]:
    """One thing that waits for somebody: `tone`, `title`, `sentence`, `count`, `url` (or ""), `action`."""
    return {"item": item, "sign": SIGN_OF_TONE[item["tone"]]}


@register.inclusion_tag("components/empty_state.html")
def nothing_here(
    title: str | Promise,
    text: str | Promise = "",
    *,
    url: str = "",
    action: str | Promise = "",
    sign: str = "file",
) -> dict[str, object]:
    """An empty list that says what to do."""
    return {"title": title, "text": text, "url": url, "action": action, "sign": sign}


@register.inclusion_tag("components/filter_chips.html")
def filter_chips(chips: Iterable[Mapping[str, Any]], label: str | Promise = "") -> dict[str, object]:
    """Filters of a list as links: each `label`, `count` (None hides it), `url`, `is_current`."""
    return {"chips": chips, "label": label or _("Filter")}


@register.inclusion_tag("components/pagination.html")
def pagination(page: Page[Any]) -> dict[str, object]:
    """Links to the pages of a list; every other part of the request's address stays as it is."""
    numbers = list(page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1))
    return {"page": page, "numbers": numbers}


@register.inclusion_tag("components/post_button.html", takes_context=True)
def post_button(context: Context, action: Mapping[str, Any]) -> dict[str, object]:
    """A button that changes something, as a form of its own.

    `action`: `url`, `label`, `is_main`; with `question` (what will happen) it asks first, and with `reason_label`
    also for the reason, in a field named `reason`.
    """
    defaults = {"is_main": False, "reason_label": "", "typed": "", "question": "", "fields": {}}
    return {"action": {**defaults, **action}, "csrf_token": context.get("csrf_token")}


@register.simple_block_tag
def breadcrumbs(content: str) -> SafeString:
    """The way to this page; the content is a list of `<li>`, the last one with `aria-current="page"`."""
    return format_html(
        '<nav class="breadcrumbs" aria-label="{}"><ol>{}</ol></nav>', _("You are here"), content
    )
