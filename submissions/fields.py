"""The one table of what a training record says: order, names, limits and words.

The writer of the payload (``submissions.wire.fla``), the forms of the pages, the import of spreadsheets and
the documentation page are all driven by `FIELDS`; `problems` judges the values of one record.

The content is that of a training ("formation") in the Federal Learning Account as its public documentation
lists it (Sigedis, "CareerPro FLA: Etablir le canal batch", 27/03/2024). The partner's own element names were
never widely published, so the elements and their order are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

type Kind = Literal["text", "date", "minutes", "choice", "money"]
type Label = str | Promise

FIRST_DAY = date(2000, 1, 1)
"""Earlier days are taken for typing mistakes."""
LAST_DAY = date(2099, 12, 31)
"""Later days are taken for typing mistakes."""
DAY_IN_MINUTES = 24 * 60

CONFIRMED = "CareerPro FLA: Etablir le canal batch (Sigedis, 27/03/2024)"
EXTENSION = "Optional extension of the same document"

_ILLEGAL = re.compile("[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Choice:
    """One admitted value of a field: how it is written on the wire, and its words for people."""

    wire: str
    label: Label


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a training record.

    `name` is the attribute in Python, `element` the element of the payload. `max_length` counts characters
    (text only). `minimum` and `maximum` bound the number (minutes for ``minutes``, euro cents for ``money``).
    `choices` maps the value in Python to the value on the wire. `source` says which document asks for it.
    """

    name: str
    element: str
    label: Label
    hint: Label
    required: bool
    kind: Kind
    max_length: int | None = None
    choices: Mapping[str, Choice] = field(default_factory=lambda: MappingProxyType({}))
    source: str = CONFIRMED
    minimum: int | None = None
    maximum: int | None = None


def _choices(**values: Label) -> Mapping[str, Choice]:
    return MappingProxyType({value: Choice(value.upper(), label) for value, label in values.items()})


# fmt: off
FIELDS: tuple[Field, ...] = (
    Field("title", "Title", _("Title"), _("The name under which the training is known."), True, "text", 200),
    Field("kind", "TrainingType", _("Type"), _("Formal: given by trainers, away from the work itself."),
          True, "choice", choices=_choices(formal=_("Formal"), informal=_("Informal"))),
    Field("starts_on", "StartDate", _("First day"), _("The day on which the training starts."), True, "date"),
    Field("ends_on", "EndDate", _("Last day"), _("The same as the first day for a training of one day."),
          True, "date"),
    Field("duration_unit", "DurationUnit", _("Counted in"), _("How the employer counts the training."),
          True, "choice", choices=_choices(hours=_("Hours"), days=_("Days"))),
    Field("duration_minutes", "DurationMinutes", _("Duration"), _("Hours and minutes, breaks not included."),
          True, "minutes", minimum=1, maximum=999_999),
    Field("day_minutes", "DayMinutes", _("Normal day"),
          _("The normal day of a full-timer at this employer: 7 h 36 in a week of 38 hours."),
          True, "minutes", minimum=60, maximum=720),
    Field("status", "Status", _("Status"), _("What became of the training."), True, "choice",
          choices=_choices(followed=_("Followed"), reserved=_("Reserved"), not_followed=_("Not followed"),
                           unsuitable=_("Unsuitable"))),
    Field("charged_minutes", "ChargedMinutes", _("Charged to the individual right"),
          _("The part of the duration that is taken from the worker's training right; may be 0."),
          True, "minutes", minimum=0, maximum=999_999),
    Field("nature", "Nature", _("Nature"), _("What the training is about: safety, language, computing..."),
          True, "text", 100),
    Field("result", "Result", _("Result"), _("Passed, attended, or whatever the trainer wrote."),
          False, "text", 100),
    Field("certificate", "Certificate", _("Certificate"), _("The certificate that the worker received."),
          False, "text", 200),
    Field("certificate_valid_until", "CertificateValidUntil", _("Certificate valid until"),
          _("The last day on which the certificate counts; empty if it never expires."), False, "date"),
    Field("funding", "Funding", _("Paid by"), _("Who bears the cost of the training."), True, "choice",
          choices=_choices(employer=_("Employer"), sector_fund=_("Sector fund"), public=_("Public authority"),
                           other=_("Other"))),
    Field("provider", "Provider", _("Provider"), _("Who gives the training."), False, "text", 200,
          source=EXTENSION),
    Field("working_hours", "WorkingHours", _("Working hours"),
          _("Whether the training takes place during working hours."), False, "choice", source=EXTENSION,
          choices=_choices(during=_("During working hours"), outside=_("Outside working hours"))),
    Field("cost_cents", "Cost", _("Cost"), _("In euros, without VAT; 0 if the training is free."),
          False, "money", source=EXTENSION, minimum=0, maximum=999_999_999),
    Field("domain", "Domain", _("Domain"), _("The sector or the family of skills of the training."),
          False, "text", 100, source=EXTENSION),
)
# fmt: on

BY_NAME: Mapping[str, Field] = MappingProxyType({item.name: item for item in FIELDS})
BY_ELEMENT: Mapping[str, Field] = MappingProxyType({item.element: item for item in FIELDS})


def has_illegal_characters(text: str) -> bool:
    """Whether `text` holds a character that no XML 1.0 document can carry, escaped or not.

    These are the control characters other than tab, line feed and carriage return, lone surrogates, U+FFFE
    and U+FFFF (www.w3.org/TR/xml/#charsets).
    """
    return _ILLEGAL.search(text) is not None


def is_empty(value: object) -> bool:
    """Whether a value counts as not given: None, or text that is empty or blank. Zero is a value."""
    return value is None or (isinstance(value, str) and not value.strip())


class Flaw(NamedTuple):
    """What is wrong with one field: the English sentence, which the catalogues know, and its values."""

    sentence: str
    values: Mapping[str, object] = MappingProxyType({})


def problems(values: Mapping[str, object]) -> dict[str, list[str]]:
    """What keeps a record from being declared: sentences in the active language, by name of the field.

    `values` maps the names of `FIELDS` to Python values (str, date, int or None); a missing key counts as
    empty. The answer is empty when the record may leave. Keys that are no field are ignored.
    """
    return {name: [gettext(flaw.sentence) % flaw.values] for name, flaw in flaws(values).items()}


def flaws(values: Mapping[str, object], *, are_judged: bool = False) -> dict[str, Flaw]:
    """As `problems`, in no language: for what is kept and told later, to whoever looks.

    With `are_judged` the caller has asked `judge` about each value: only what is missing or does not fit together is
    looked for.
    """
    found: dict[str, Flaw] = {}
    for item in FIELDS:
        value = values.get(item.name)
        if value is None or is_empty(value):
            if item.required:
                found[item.name] = Flaw(
                    gettext_noop("Fill in this field: the declaration cannot leave without it.")
                )
        elif not are_judged and (flaw := judge(item, value)):
            found[item.name] = flaw
    _compare(values, found)
    return found


def judge(item: Field, value: object) -> Flaw | None:
    """The first thing wrong with one value by itself."""
    match item.kind:
        case "text":
            return _judge_text(item, value)
        case "date":
            return _judge_day(value)
        case "choice":
            if isinstance(value, str) and value in item.choices:
                return None
            return Flaw(
                gettext_noop("“%(value)s” is not one of the admitted values: choose %(values)s."),
                {
                    "value": _shown(value),
                    "values": ", ".join(item.choices),
                },
            )
        case "minutes" | "money":
            return _judge_number(item, value)


def _judge_text(item: Field, value: object) -> Flaw | None:
    if not isinstance(value, str):
        return Flaw(gettext_noop("This must be text."))
    if item.max_length is not None and len(value) > item.max_length:
        return Flaw(
            gettext_noop("This text has %(length)d characters: shorten it to at most %(limit)d."),
            {
                "length": len(value),
                "limit": item.max_length,
            },
        )
    if bad := _ILLEGAL.search(value):
        return Flaw(
            gettext_noop("Character %(position)d (U+%(code)04X) cannot be sent: type this text again."),
            {
                "position": bad.start() + 1,
                "code": ord(bad.group()),
            },
        )
    return None


def _judge_day(value: object) -> Flaw | None:
    if not isinstance(value, date) or isinstance(value, datetime):
        return Flaw(gettext_noop("This must be a day."))
    if not FIRST_DAY <= value <= LAST_DAY:
        return Flaw(
            gettext_noop("The year %(year)d cannot be right: give a year from %(first)d to %(last)d."),
            {
                "year": value.year,
                "first": FIRST_DAY.year,
                "last": LAST_DAY.year,
            },
        )
    return None


def _judge_number(item: Field, value: object) -> Flaw | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return Flaw(gettext_noop("This must be a whole number."))
    if item.minimum is not None and value < item.minimum:
        if item.minimum == 0:
            return Flaw(gettext_noop("This cannot be negative: give 0 or more."))
        if item.minimum == 1:
            return Flaw(gettext_noop("This must be more than zero."))
        return Flaw(
            gettext_noop("%(value)d minutes is too little: give at least %(limit)d minutes."),
            {
                "value": value,
                "limit": item.minimum,
            },
        )
    if item.maximum is not None and value > item.maximum:
        if item.kind == "money":
            return Flaw(
                gettext_noop("This amount is too high: give at most %(limit)d euros."),
                {"limit": item.maximum // 100},
            )
        return Flaw(
            gettext_noop("%(value)d minutes is too much: give at most %(limit)d minutes."),
            {
                "value": value,
                "limit": item.maximum,
            },
        )
    return None


def _compare(values: Mapping[str, object], found: dict[str, Flaw]) -> None:
    """The rules between fields; each is tried only when all its fields stand by themselves."""

    def day(name: str) -> date | None:
        value = values.get(name)
        return value if isinstance(value, date) and name not in found else None

    def number(name: str) -> int | None:
        value = values.get(name)
        return value if isinstance(value, int) and name not in found else None

    starts_on, ends_on = day("starts_on"), day("ends_on")
    duration, charged = number("duration_minutes"), number("charged_minutes")
    valid_until = day("certificate_valid_until")
    if starts_on and ends_on and ends_on < starts_on:
        found["ends_on"] = Flaw(gettext_noop("The last day is before the first day: correct one of the two."))
    elif starts_on and ends_on and duration:
        days = (ends_on - starts_on).days + 1
        if duration > days * DAY_IN_MINUTES:
            found["duration_minutes"] = Flaw(
                gettext_noop(
                    "%(hours)d hours do not fit in %(days)d days: correct the duration or the days."
                ),
                {"hours": -(-duration // 60), "days": days},
            )
    if duration is not None and charged is not None and charged > duration:
        found["charged_minutes"] = Flaw(
            gettext_noop("More is charged than the training lasts: lower this to at most %(limit)d minutes."),
            {"limit": duration},
        )
    if starts_on and valid_until and valid_until < starts_on:
        found["certificate_valid_until"] = Flaw(
            gettext_noop(
                "The certificate expires before the training starts: correct the day, or leave it empty."
            )
        )


def _shown(value: object) -> str:
    """A refused value, short enough for a sentence and without characters that upset a page."""
    return _ILLEGAL.sub("�", str(value))[:40]
