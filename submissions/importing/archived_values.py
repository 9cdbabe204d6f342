"""What a line of an archive says, judged value by value as if a stranger had typed it. Asks the database nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.conf import settings
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_noop

from channels.models import EnvironmentCode
from mandates.models import Contract, Employer, Worker
from mandates.numbers import NumberError, parse_enterprise_number, parse_joint_committee, parse_onss_number
from portal.models import Mandataire
from submissions import dossiers
from submissions.fields import FIELDS, FIRST_DAY, LAST_DAY, has_illegal_characters, judge
from submissions.importing.cells import Unfit, niss, unfit
from submissions.models import Declaration, EmployerSize, FormerDeclaration, ManualRight, TrainingRecord
from submissions.states import DeclarationState

type Told = Mapping[str, Any]
type Faults = list[tuple[str, Unfit]]

_MOST: Final = 5_000
"""Things of one kind that one person has."""
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_WRONG: Final = gettext_noop(
    "“%(name)s” is not what it should be: the archive was made by other means, or changed."
)
_FORMAT: Final = gettext_noop("This client's file is of a kind or version that this portal does not know.")
_FOLDER: Final = gettext_noop("This client's file stands in the folder of another number.")
_LATER: Final = gettext_noop("The last day is before the first day: correct one of the two.")


def client_of(number: str, told: Told) -> dict[str, Any]:
    """The client of a head: name, numbers, language, sizes, and whose archive it is (`origin`). Raises Unfit."""
    if told.get("format") != dossiers.FORMAT or told.get("version") not in (1, dossiers.VERSION):
        raise Unfit(_FORMAT)
    employer, whose = _object(told, "employer"), _object(told, "mandataire")
    if _text(employer, "number", Employer) != number or _number(number) != number:
        raise Unfit(_FOLDER)
    onss = _text(employer, "onss_number", Employer)
    sizes = {
        _whole(one, "year", _FIRST_YEAR, _LAST_YEAR): _decimal(one, "fte", EmployerSize, Decimal(0))
        for one in _list(employer, "sizes")
    }
    return {
        "number": number,
        "onss_number": _parsed(onss, parse_onss_number) if onss else "",
        "name": _needed(employer, "name", Employer),
        "language": _language(employer),
        "sizes": sizes,
        "origin": {
            "name": _text(whose, "name", Mandataire),
            "number": _text(whose, "number", Mandataire),
        },
    }


def person_of(told: Told) -> tuple[dict[str, Any], Faults]:
    """A worker with all of his, as far as sound, and what is wrong with the rest, by part."""
    found: dict[str, Any] = {}
    faults: Faults = []
    parts: dict[str, Callable[[], Any]] = {
        "niss": lambda: niss(_string(told, "niss")),
        "family_name": lambda: _needed(told, "family_name", Worker),
        "given_name": lambda: _needed(told, "given_name", Worker),
        "language": lambda: _language(told),
        "contracts": lambda: [_contract(one) for one in _list(told, "contracts")],
        "manual_rights": lambda: [_right(one) for one in _list(told, "manual_rights")],
        "former_numbers": lambda: [_former(one) for one in _list(told, "former_numbers")],
        "trainings": lambda: [_training(one) for one in _list(told, "trainings")],
    }
    for name, read in parts.items():
        try:
            found[name] = read()
        except Unfit as error:
            faults.append((name, error))
    return found, faults


def _contract(told: Told) -> dict[str, Any]:
    entered, left = _day(told, "entered_on"), _day_or_none(told, "left_on")
    if left and left < entered:
        raise Unfit(_LATER)
    regime = _decimal(told, "regime", Contract, Decimal("0.01"))
    if regime > 100:
        raise _wrong("regime")
    return {
        "joint_committee": _parsed(_string(told, "joint_committee"), parse_joint_committee),
        "regime": regime,
        "day_minutes": _whole(told, "day_minutes", 1, 24 * 60),
        "entered_on": entered,
        "left_on": left,
    }


def _right(told: Told) -> dict[str, Any]:
    is_whole, minutes = told.get("is_whole"), _whole(told, "minutes", -(10**6), 10**6)
    if not isinstance(is_whole, bool) or (is_whole and minutes < 0):
        raise _wrong("is_whole")
    withdrawn_at = _moment_or_none(told, "withdrawn_at")
    withdrawn_reason = _string(told, "withdrawn_reason")
    if withdrawn_at and not withdrawn_reason:
        raise _wrong("withdrawn_reason")
    return {
        "year": _whole(told, "year", _FIRST_YEAR, _LAST_YEAR),
        "minutes": minutes,
        "is_whole": is_whole,
        "reason": _needed(told, "reason", ManualRight),
        "made_at": _moment(told, "made_at"),
        "made_by": _text(told, "made_by", ManualRight),
        "withdrawn_at": withdrawn_at,
        "withdrawn_by": _text(told, "withdrawn_by", ManualRight),
        "withdrawn_reason": withdrawn_reason,
    }


def _former(told: Told) -> dict[str, Any]:
    return {
        "niss": niss(_string(told, "niss")),
        "replaced_at": _moment(told, "replaced_at"),
        "undone_at": _moment_or_none(told, "undone_at"),
    }


def _training(told: Told) -> dict[str, Any]:
    """A training, complete or not: only what the register cannot be without is asked for."""
    values: dict[str, Any] = {"client_reference": _needed(told, "client_reference", TrainingRecord)}
    for item in FIELDS:
        value = told.get(item.name)
        column = TrainingRecord._meta.get_field(item.name)
        if value is None or value == "":
            if item.kind not in ("text", "choice") and not column.null:
                raise _wrong(item.name)
            values[item.name] = None if column.null else ""
            continue
        value = _day(told, item.name) if item.kind == "date" else value
        if flaw := judge(item, value):
            raise Unfit(flaw.sentence, flaw.values)
        values[item.name] = value
    if values["ends_on"] < values["starts_on"]:
        raise Unfit(_LATER)
    return {"values": values, "declarations": [_declaration(one) for one in _list(told, "declarations")]}


_NAMED: Final = ("reference", "service", "kind", "state", "ticket", "earlier_ticket")
_ANOMALY: Final = {"code": 20, "anomaly_class": 4, "tag": 100, "value": 200, "label": 300, "location": 200}
"""What an anomaly says, and how long that may be."""


def _declaration(told: Told) -> dict[str, Any]:
    origin = told.get("taken_over_from")
    if origin is not None and not isinstance(origin, dict):
        raise _wrong("taken_over_from")
    anomalies = []
    for one in _list(told, "anomalies"):
        said = {name: _string(one, name) for name in _ANOMALY}
        if any(len(text) > _ANOMALY[name] for name, text in said.items()):
            raise _wrong("anomalies")
        anomalies.append(said)
    environment = _text(told, "environment", FormerDeclaration) if "environment" in told else ""
    said = {name: _text(told, name, FormerDeclaration) for name in _NAMED}
    for name, value, known in (
        ("kind", said["kind"], Declaration.Kind.values),
        ("state", said["state"], DeclarationState.values),
        ("environment", environment, ("", *EnvironmentCode.values)),
    ):
        if value not in known:
            raise _wrong(name)
    return {
        **said,
        "environment": environment,
        "created_at": _moment(told, "created_at"),
        "sent_at": _moment_or_none(told, "sent_at"),
        "answered_at": _moment_or_none(told, "answered_at"),
        "anomalies": anomalies,
        "origin": origin
        and {"name": _text(origin, "name", Mandataire), "number": _text(origin, "number", Mandataire)},
    }


# --- values ---------------------------------------------------------------------------------------


def _wrong(name: str) -> Unfit:
    return Unfit(_WRONG, {"name": name})


def _object(told: Told, name: str) -> dict[str, Any]:
    found = told.get(name)
    if not isinstance(found, dict):
        raise _wrong(name)
    return found


def _list(told: Told, name: str) -> list[dict[str, Any]]:
    found = told.get(name)
    if not isinstance(found, list) or len(found) > _MOST or not all(isinstance(one, dict) for one in found):
        raise _wrong(name)
    return found


def _string(told: Told, name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str) or has_illegal_characters(found):
        raise _wrong(name)
    return found


def _text(told: Told, name: str, model: Any) -> str:
    """Text that fits the column."""
    found = _string(told, name)
    longest = model._meta.get_field(name).max_length
    if longest is not None and len(found) > longest:
        raise _wrong(name)
    return found


def _needed(told: Told, name: str, model: Any) -> str:
    found = _text(told, name, model)
    if not found.strip():
        raise _wrong(name)
    return found


def _language(told: Told) -> str:
    found = _string(told, "language")
    if found not in dict(settings.LANGUAGES):
        raise _wrong("language")
    return found


def _parsed(text: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(text)
    except NumberError as error:
        raise unfit(error) from None


def _number(text: str) -> str:
    return _parsed(text, parse_enterprise_number)


def _whole(told: Told, name: str, least: int, most: int) -> int:
    found = told.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise _wrong(name)
    return found


def _decimal(told: Told, name: str, model: Any, least: Decimal) -> Decimal:
    """A decimal that fits the column, from `least` on."""
    column = model._meta.get_field(name)
    try:
        found = Decimal(_string(told, name))
        exact = found.quantize(Decimal(1).scaleb(-column.decimal_places))
    except InvalidOperation:
        raise _wrong(name) from None
    most = Decimal(10) ** (column.max_digits - column.decimal_places)
    if not found.is_finite() or exact != found or not least <= found < most:
        raise _wrong(name)
    return exact


def _day(told: Told, name: str) -> date:
    try:
        found = date.fromisoformat(_string(told, name))
    except ValueError:
        raise _wrong(name) from None
    # A contract may have begun long before there was anything to declare.
    if not FIRST_DAY.replace(year=1930) <= found <= LAST_DAY:
        raise _wrong(name)
    return found


def _day_or_none(told: Told, name: str) -> date | None:
    return None if told.get(name) is None else _day(told, name)


def _moment(told: Told, name: str) -> datetime:
    try:
        found = parse_datetime(_string(told, name))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _wrong(name)
    return found


def _moment_or_none(told: Told, name: str) -> datetime | None:
    return None if told.get(name) is None else _moment(told, name)
