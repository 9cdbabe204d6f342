"""The steps of a right to training in the reader's words, each with the figure it leads to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from math import ceil
from typing import Any, Final, NamedTuple

from django.utils.dates import MONTHS
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from mandates import joint_committees
from portal.templatetags.presenting import DASH, NO_BREAK, duration
from submissions.entitlement import Explanation, Step

HUNDREDTHS: Final = 100


class Told(NamedTuple):
    """One step: what it is, why, and its figure."""

    title: str
    text: str
    figure: str = ""


PATH: Final = frozenset(
    {"size", "size_missing", "base_law", "base_agreed", "base_raised", "whole_by_hand", "by_hand"}
)
"""The steps that say on what a right rests: size, growth path, and what was decided by hand."""


def steps(found: Explanation, only: Collection[str] = ()) -> list[Told]:
    """Every step of a right, in order, or those of the kinds in `only`."""
    return [
        _WORDS[step.kind](step, found.day_minutes) for step in found.steps if not only or step.kind in only
    ]


def decimal(value: Fraction) -> str:
    """A number as people write it, with two decimals at most, half up: `2`, `0,5`, `3,96`."""
    hundredths = int(abs(value) * HUNDREDTHS + Fraction(1, 2))
    whole, rest = divmod(hundredths, HUNDREDTHS)
    sign = "-" if value < 0 and hundredths else ""
    return f"{sign}{whole},{rest:02}".rstrip("0").rstrip(",") if rest else f"{sign}{whole}"


def days(value: Fraction) -> str:
    """A number of days: `0,5 day`, `2 days`."""
    # French counts as plural from two on, the other languages from above one.
    count = int(abs(value)) if (get_language() or "").startswith("fr") else ceil(abs(value))
    return ngettext("%(number)s day", "%(number)s days", max(count, 1)) % {"number": decimal(value)}


def amount(minutes: int | Fraction, day_minutes: int) -> str:
    """Minutes in days of `day_minutes`, with the hours beside them: `0,5 day (3 h 48)`."""
    exact = Fraction(minutes)
    if not exact:
        return days(exact)
    nearest = int(abs(exact) + Fraction(1, 2))
    return _("%(days)s (%(hours)s)") % {
        "days": days(exact / day_minutes),
        "hours": duration(nearest if exact > 0 else -nearest),
    }


def percent(share: Fraction) -> str:
    """A share as `50 %`."""
    return f"{decimal(share * 100)}{NO_BREAK}%"


def right_of_year(found: Explanation) -> dict[str, Any]:
    """The figures of a year as lists show them; `missing` are the years without a size of the enterprise.

    What rests on a size that is not known is no figure: the right of that year has none, what remains is at least that.
    """
    names = ("own", "carried", "used", "remaining")
    shown = {name: amount(getattr(found, name), found.day_minutes) for name in names}
    if found.missing:
        shown["remaining"] = _("at least %(amount)s") % {"amount": shown["remaining"]}
    if found.year in found.missing:
        shown["own"] = DASH
    return {
        "year": found.year,
        "missing": found.missing,
        "is_unknown": found.year in found.missing,
        **shown,
    }


def _plain(title: Callable[[], str], text: Callable[[], str]) -> Callable[[Step, int], Told]:
    """A step whose sentence takes the values as they are: years, and numbers of full-time equivalents."""

    def told(step: Step, day_minutes: int) -> Told:
        values = {name: _value(value) for name, value in step.values.items()}
        figure = "" if step.minutes is None else amount(step.minutes, day_minutes)
        return Told(title(), text() % values, figure)

    return told


def _value(value: Any) -> Any:
    return decimal(value) if isinstance(value, Fraction) else value


def _size(step: Step, _day: int) -> Told:
    year = step.values["year"]
    values = {
        "fte": decimal(step.values["fte"]),
        "year": year,
        "from": year - 2,
        "to": year - 1,
        "least": decimal(step.values["least"]),
        "days": days(step.values["days"]),
    }
    if not step.values["least"]:
        text = _(
            "%(fte)s full-time equivalents (average from Q4 %(from)d to Q3 %(to)d): below 10 there is no individual "
            "right."
        )
    else:
        text = _(
            "%(fte)s full-time equivalents (average from Q4 %(from)d to Q3 %(to)d). From %(least)s on, the law gives "
            "a full-timer %(days)s a year."
        )
    return Told(_("Size of the enterprise"), text % values, values["days"])


def _base(step: Step, _day: int) -> Told:
    values = step.values
    told = {
        "number": values["number"],
        "year": values.get("from_year"),
        "agreed": days(values.get("agreed", Fraction(0))),
        "law": days(values["law"]),
        "least": days(values["least"]),
    }
    match step.kind:
        case "base_agreed":
            text = _(
                "Agreement %(number)s, step of the growth path from %(year)s: %(agreed)s instead of %(law)s."
            )
        case "base_raised":
            text = _("Agreement %(number)s gives %(agreed)s, and the law wants %(least)s at least.")
        case _:
            text = _("No sector agreement for this size and year is known here: the %(law)s of the law.")
    title = _("Joint committee %(number)s") % {"number": joint_committees.told(values["joint_committee"])}
    return Told(title, text % told, days(values["days"]))


def _months(step: Step, day_minutes: int) -> Told:
    first, last, count = (step.values[name] for name in ("first", "last", "months"))
    if first == last:
        title = capfirst(str(MONTHS[first]))
    else:
        title = _("%(first)s to %(last)s") % {"first": capfirst(str(MONTHS[first])), "last": MONTHS[last]}
    factors = [
        _("%(days)s × %(regime)s × %(months)d/12 = %(result)s")
        % {
            "days": days(one["days"]),
            "regime": percent(one["regime"]),
            "months": count,
            "result": days(one["result"]),
        }
        for one in step.values["slices"]
    ]
    text = ngettext("%(count)d month begun: %(factors)s.", "%(count)d months begun: %(factors)s.", count) % {
        "count": count,
        "factors": "; ".join(factors),
    }
    for length in sorted({one["day_minutes"] for one in step.values["slices"]}):
        text += " " + _("One day is %(hours)s.") % {"hours": duration(length)}
    return Told(title, text, amount(step.minutes or 0, day_minutes))


def _calculated(step: Step, day_minutes: int) -> Told:
    exact = step.values["exact"]
    if exact.denominator == 1:
        text = _("The sum of the months.")
    else:
        text = _("The sum of the months, %(exact)s minutes, rounded to the nearest minute.") % {
            "exact": decimal(exact)
        }
    return Told(_("Right of the year"), text, amount(step.minutes or 0, day_minutes))


def _by_hand(step: Step, day_minutes: int) -> Told:
    minutes = step.values["minutes"]
    if step.kind == "whole_by_hand":
        title = _("Set by hand")
    else:
        title = _("Added by hand") if minutes >= 0 else _("Taken away by hand")
    text = _("%(amount)s: %(reason)s") % {
        "amount": amount(abs(minutes), day_minutes),
        "reason": step.values["reason"],
    }
    return Told(title, text, amount(step.minutes or 0, day_minutes))


def _year_before(step: Step, day_minutes: int) -> Told:
    values = {name: amount(step.values[name], day_minutes) for name in ("own", "carried", "used", "left")}
    text = _("Right %(own)s, carried over %(carried)s, training taken %(used)s.")
    return Told(_("Left of %(year)d") % {"year": step.values["year"]}, text % values, values["left"])


def _period_ended(step: Step, day_minutes: int) -> Told:
    values = {**step.values, "lost": amount(step.values["lost"], day_minutes)}
    text = _("The period from %(first)d to %(last)d is over: %(lost)s left at its end lapsed.")
    return Told(_("End of a period"), text % values, days(Fraction(0)))


def _beyond(step: Step, day_minutes: int) -> Told:
    text = _("%(beyond)s of training were given beyond the right; they take nothing from a later year.")
    values = {"beyond": amount(step.values["beyond"], day_minutes)}
    return Told(_("Remaining"), text % values, days(Fraction(0)))


_WORDS: Final[Mapping[str, Callable[[Step, int], Told]]] = {
    "before_the_law": _plain(
        lambda: _("Before the law"), lambda: _("The individual right to training exists since 2023.")
    ),
    "no_contract": _plain(
        lambda: _("No contract"), lambda: _("The register has no contract of this worker in %(year)d.")
    ),
    "size_missing": _plain(
        lambda: _("Size of the enterprise"),
        lambda: _("The size of the enterprise for %(year)d is not known: without it there is no figure."),
    ),
    "size": _size,
    "base_law": _base,
    "base_agreed": _base,
    "base_raised": _base,
    "months": _months,
    "calculated": _calculated,
    "by_hand": _by_hand,
    "whole_by_hand": _by_hand,
    "year_before": _year_before,
    "period_ended": _period_ended,
    "carried": _plain(
        lambda: _("Carried over"), lambda: _("What earlier years left, to be taken by the end of %(until)d.")
    ),
    "used": _plain(
        lambda: _("Training taken"),
        lambda: _("What followed trainings that ended in the year were charged to the right."),
    ),
    "remaining": _plain(
        lambda: _("Remaining"),
        lambda: _("Right of the year and what was carried over, less the training taken."),
    ),
    "beyond": _beyond,
}
