"""Formats of numbers, days and durations as people in Belgium write them, in every language of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mandates.numbers import format_enterprise_number, format_onss_number, mask_niss, quarter_of

register = template.Library()

NO_BREAK = "\u00a0"
"""Also between thousands: a point or a comma would be a decimal sign to half of the readers, and the narrow
space of typography is too narrow to be seen at the size of a table."""
DASH = "–"
SHORT_NAME_KEEPS = 4
"""Elements kept at the end of a shortened file name: sequence, environment, parts, part."""


class Person(Protocol):
    """Somebody who signs in."""

    def get_full_name(self) -> str: ...
    def get_username(self) -> str: ...


class Column(Protocol):
    """What the table of fields says of one value."""

    kind: str
    choices: Mapping[str, Any]


@register.filter
def bce(value: str) -> str:
    """An enterprise number (10 digits) as `0897.223.670`; a dash for nothing."""
    return format_enterprise_number(value) if value else DASH


@register.filter
def onss(value: str) -> str:
    """An ONSS number as `1303875-93`; a dash for nothing."""
    return format_onss_number(value) if value else DASH


@register.filter
def niss(value: str) -> str:
    """A personal number, masked: `85.07.30-***.**`; what was masked earlier stays as it is."""
    if not value:
        return DASH
    return value if "*" in value else mask_niss(value)


@register.filter
def duration(minutes: int | None) -> str:
    """Minutes as `7 h 36`, `15 h`, `45 min`; a dash for None."""
    if minutes is None:
        return DASH
    sign = "-" if minutes < 0 else ""
    hours, rest = divmod(abs(minutes), 60)
    if not hours:
        return f"{sign}{rest}{NO_BREAK}min"
    hours_text = f"{sign}{number(hours)}{NO_BREAK}h"
    return f"{hours_text}{NO_BREAK}{rest:02}" if rest else hours_text


@register.filter
def day(value: date | datetime | None) -> str:
    """A day as `21/11/2026`, in Belgian time; a dash for None."""
    if value is None:
        return DASH
    if isinstance(value, datetime):
        value = timezone.localtime(value)
    return f"{value:%d/%m/%Y}"


@register.filter
def quarter(value: date | str | None) -> str:
    """The quarter of a day, or a quarter given as `YYYYQ`, in words: `Q4 2026`; a dash for None."""
    if value is None:
        return DASH
    code = quarter_of(value) if isinstance(value, date) else value
    return _("Q%(quarter)s %(year)s") % {"quarter": code[4], "year": code[:4]}


@register.filter
def clock(value: datetime | None) -> str:
    """The time of day as `16:30`, in Belgian time; a dash for None."""
    return DASH if value is None else f"{timezone.localtime(value):%H:%M}"


@register.filter
def moment(value: datetime | None) -> str:
    """A moment as short as it stays clear: `14:12` today, `20/11 16:30` this year, else with the year.

    The moment is aware; it is shown in Belgian time. A dash stands for None.
    """
    if value is None:
        return DASH
    local, now = timezone.localtime(value), timezone.localtime()
    if local.date() == now.date():
        return f"{local:%H:%M}"
    if local.year == now.year:
        return f"{local:%d/%m}{NO_BREAK}{local:%H:%M}"
    return f"{local:%d/%m/%Y}{NO_BREAK}{local:%H:%M}"


@register.filter
def full_moment(value: datetime | None) -> str:
    """A moment for a title: `20 novembre, 11:00`, with the year when it is not this one; a dash for None."""
    if value is None:
        return DASH
    local = timezone.localtime(value)
    pattern = "j F" if local.year == timezone.localtime().year else "j F Y"
    return f"{spelled(local, pattern)}, {local:%H:%M}"


@register.filter
def spelled(value: date, pattern: str) -> str:
    """A day by a pattern of Django with the name of its month: `lundi 20 novembre` for `l j F`.

    German makes the number an ordinal, and parts it from the weekday: `Montag, 20. November`.
    """
    if get_language() == "de":
        pattern = pattern.replace("l j", "l, j").replace("j", "j.")
    return date_format(value, pattern)


@register.filter
def when(value: datetime | None) -> str | SafeString:
    """`moment` inside a `<time>` element, whose title tells the full date and second."""
    if value is None:
        return DASH
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%d/%m/%Y %H:%M:%S}",
        moment(value),
    )


@register.filter
def number(value: int | None) -> str:
    """A count with its thousands apart: `12 903`; a dash for None."""
    return DASH if value is None else f"{value:,}".replace(",", NO_BREAK)


@register.filter
def euros(cents: int | None) -> str:
    """An amount of euro cents as `1 250,00 €`; a dash for None."""
    if cents is None:
        return DASH
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{number(whole)},{rest:02}{NO_BREAK}€"


@register.filter
def percent(value: float | None) -> str:
    """A share of a hundred as `98,2 %`; a dash for None."""
    return DASH if value is None else f"{value:.1f}".replace(".", ",") + f"{NO_BREAK}%"


@register.filter
def shown(column: Column, value: Any) -> str:
    """The value of a field of a training in the reader's words; a dash for a value that was not given."""
    if value is None or value == "":
        return DASH
    match column.kind:
        case "choice":
            return str(column.choices[value].label)
        case "date":
            return day(value)
        case "minutes":
            return duration(value)
        case "money":
            return euros(value)
        case _:
            return str(value)


@register.filter
def size(octets: int | None) -> str:
    """The size of a file as `812 B`, `48 kB`, `3,2 MB` (decimal multiples); a dash for None."""
    if octets is None:
        return DASH
    if octets < 1_000:
        return f"{octets}{NO_BREAK}B"
    if octets < 999_500:
        return f"{round(octets / 1_000)}{NO_BREAK}kB"
    return f"{octets / 1_000_000:.1f}".replace(".", ",") + f"{NO_BREAK}MB"


@register.filter
def file_short(name: str) -> str:
    """A long file name by its kind and its end: `FI….P0042.S.2.1`; short names stay whole.

    The middle (application, sender, day) is the same for all files of a page.
    """
    elements = name.split(".")
    if len(elements) <= SHORT_NAME_KEEPS + 2:
        return name
    return f"{elements[0]}….{'.'.join(elements[-SHORT_NAME_KEEPS:])}"


@register.filter
def person_name(person: Person) -> str:
    """The full name of somebody, or the user name of who has none."""
    return person.get_full_name() or person.get_username()


@register.filter
def initials(person: Person) -> str:
    """Two letters for the round button of the menu: `CD` for Carine Dubois."""
    words = person_name(person).replace(".", " ").replace("-", " ").split()
    letters = [word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)]
    return "".join(letters).upper()
