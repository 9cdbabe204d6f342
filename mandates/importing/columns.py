"""The columns of the file, by the headings people write, and what a cell of each may hold.

A fault is kept as its English sentence and values, and told in the language of whoever looks: see `told`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext, gettext_noop, override
from django.utils.translation import gettext_lazy as _

from mandates.catalogue import mandate_services
from mandates.conflicts import Period
from mandates.granting import AHEAD, LATEST_END
from mandates.models import Employer
from mandates.numbers import (
    NumberError,
    parse_enterprise_number,
    parse_onss_number,
    quarter_after,
    quarter_days,
    quarter_of,
)
from portal.spreadsheets.headings import Column, Fault, by_heading, named, plain
from portal.spreadsheets.reading import Unreadable
from portal.templatetags.presenting import day

NUMBER, NAME, ONSS, LANGUAGE = "number", "name", "onss_number", "language"
SERVICE, STARTS, ENDS = "service", "starts", "ends"
_LONGEST_NAME: Final = Employer._meta.get_field("name").max_length or 0
_LONGEST_CELL: Final = 250


COLUMNS: Final[Mapping[str, Column]] = MappingProxyType(
    {
        NUMBER: Column(
            _("Enterprise number"),
            {
                "en": "Enterprise number",
                "fr": "Numéro d'entreprise",
                "nl": "Ondernemingsnummer",
                "de": "Unternehmensnummer",
            },
            (
                "Number", "Numéro", "Nummer", "Company number", "N° d'entreprise", "Numéro BCE", "N° BCE", "BCE",
                "KBO", "KBO-nummer", "ZUD", "ZDU", "ZDU-Nummer", "CompanyID",
            ),
            is_needed=True,
        ),
        NAME: Column(
            _("Name"),
            {"en": "Name", "fr": "Nom", "nl": "Naam", "de": "Name"},
            (
                "Dénomination", "Raison sociale", "Employeur", "Client", "Benaming", "Werkgever", "Klant",
                "Employer", "Company name", "Bezeichnung", "Firma", "Arbeitgeber", "Kunde",
            ),
        ),
        ONSS: Column(
            _("ONSS number"),
            {"en": "ONSS number", "fr": "Numéro ONSS", "nl": "RSZ-nummer", "de": "LSS-Nummer"},
            ("NSSO number", "N° ONSS", "ONSS", "RSZ", "LSS", "ONSS-nummer", "Matricule ONSS", "ONSS-Nummer"),
        ),
        LANGUAGE: Column(
            _("Language"),
            {"en": "Language", "fr": "Langue", "nl": "Taal", "de": "Sprache"},
            ("Langue du client", "Taal van de klant", "Language of the client"),
        ),
        SERVICE: Column(
            _("Service"),
            {"en": "Service", "fr": "Service", "nl": "Dienst", "de": "Dienst"},
            ("Application", "Toepassing", "Anwendung"),
            is_needed=True,
        ),
        STARTS: Column(
            _("First quarter"),
            {
                "en": "First quarter",
                "fr": "Premier trimestre",
                "nl": "Eerste kwartaal",
                "de": "Erstes Quartal",
            },
            (
                "From", "Start", "Du trimestre", "Trimestre de début", "Début", "Vanaf", "Begin", "Beginkwartaal",
                "Startkwartaal", "Ab", "Beginn", "Anfangsquartal",
            ),
            is_needed=True,
        ),
        ENDS: Column(
            _("Last quarter"),
            {
                "en": "Last quarter",
                "fr": "Dernier trimestre",
                "nl": "Laatste kwartaal",
                "de": "Letztes Quartal",
            },
            (
                "To", "Until", "End", "Au trimestre", "Trimestre de fin", "Fin", "Tot", "Einde", "Eindkwartaal",
                "Bis", "Ende", "Endquartal",
            ),
        ),
    }
)  # fmt: skip


_BY_HEADING: Final = by_heading(COLUMNS)


def knows(heading: str) -> bool:
    """Whether this is the heading of a column, in any of the four languages."""
    return plain(heading) in _BY_HEADING


def places(headings: Iterable[str]) -> dict[str, int]:
    """Where each column stands, from 0. Raises Unreadable when a needed one is missing or any is there twice."""
    found: dict[str, int] = {}
    for place, heading in enumerate(headings):
        name = _BY_HEADING.get(plain(heading))
        if name in found:
            raise Unreadable(
                gettext("The column “%(column)s” is there twice: remove one of them.")
                % {"column": COLUMNS[name].label}
            )
        if name:
            found[name] = place
    missing = [
        str(column.label) for name, column in COLUMNS.items() if column.is_needed and name not in found
    ]
    if missing:
        raise Unreadable(
            gettext(
                "These columns are missing: %(columns)s. The first row of the file names the columns; "
                "the template shows how."
            )
            % {"columns": ", ".join(missing)}
        )
    return found


# --- faults ---------------------------------------------------------------------------------------


def told(column: str, sentence: str, values: Mapping[str, Any]) -> str:
    """A fault in the reader's language. The code of a service becomes its name."""
    known = mandate_services().get(str(values.get("service", "")))
    return gettext(sentence) % ({**values, "service": known.name} if known else values)


# --- cells ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Read:
    """One row as it was understood: `cells` as they stand in the file, the rest as far as it is sound."""

    line: int
    cells: dict[str, str]
    number: str = ""
    onss_number: str = ""
    language: str = ""
    service: str = ""
    period: Period | None = None
    faults: list[Fault] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the client as the file gives it, or nothing."""
        return self.cells.get(NAME, "")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rows of one file are read by: where its columns stand, the present day, and what words mean."""

    where: Mapping[str, int]
    today: date
    languages: Mapping[str, str]
    services: Mapping[str, str]


def terms(headings: Iterable[str], today: date) -> Terms:
    """The terms for a file with these headings; see `places` for what it raises."""
    known = {code: one.name for code, one in mandate_services().items()}
    return Terms(places(headings), today, named(dict(settings.LANGUAGES)), named(known))


def understand(line: int, row: list[str], by: Terms) -> Read:
    """Reads the cells of one row; what is wrong with any of them is in its `faults`."""
    cells = {name: row[place][:_LONGEST_CELL] for name, place in by.where.items() if place < len(row)}
    found = Read(line, cells)
    found.number = _number(found, NUMBER, parse_enterprise_number)
    if cells.get(ONSS):
        found.onss_number = _number(found, ONSS, parse_onss_number)
    if len(found.name) > _LONGEST_NAME:
        sentence = gettext_noop("The name is too long: at most %(limit)d signs.")
        found.faults.append(Fault(NAME, sentence, {"limit": _LONGEST_NAME}))
    found.language = settings.LANGUAGES[0][0]
    if cells.get(LANGUAGE):
        sentence = gettext_noop("This language is not known here. Write one of: %(codes)s.")
        found.language = _word(found, LANGUAGE, by.languages, sentence)
    sentence = gettext_noop("This service is not known here. Write one of: %(codes)s.")
    found.service = _word(found, SERVICE, by.services, sentence)
    found.period = _period(found, by.today)
    return found


def _number(found: Read, name: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(found.cells.get(name, ""))
    except NumberError as error:
        # Without a language the sentence is the one the catalogues know it by.
        with override(None):
            found.faults.append(Fault(name, str(error.sentence), error.values))
        return ""


def _word(found: Read, name: str, known: Mapping[str, str], sentence: str) -> str:
    if code := known.get(found.cells.get(name, "").casefold()):
        return code
    found.faults.append(Fault(name, sentence, {"codes": ", ".join(sorted(set(known.values())))}))
    return ""


# --- quarters -------------------------------------------------------------------------------------

_YEAR_FIRST: Final = re.compile(r"([12][0-9]{3})\s*[-/.]?\s*[QTK]?\s*([1-4])", re.IGNORECASE)
_YEAR_LAST: Final = re.compile(
    r"[QTK]?\s*([1-4])(?:er|e|de|\.)?\s*(?:trimestre|trim\.|kwartaal|Quartal|[-/.])?\s*([12][0-9]{3})",
    re.IGNORECASE,
)
_ISO: Final = re.compile(r"([12][0-9]{3})-([0-9]{2})-([0-9]{2})(?:[ T]00:00(?::00)?)?")
_BELGIAN: Final = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([12][0-9]{3})")


def _period(found: Read, today: date) -> Period | None:
    """The days of a row's quarters, or None with the faults told."""
    first = _quarter(found, STARTS, first=True)
    last = _quarter(found, ENDS, first=False) if found.cells.get(ENDS) else None
    now = quarter_of(today)
    if first:
        opens_on = mandate_services()[found.service].opens_on if found.service else None
        if opens_on and first < quarter_of(opens_on):
            sentence = gettext_noop("The service opened on %(day)s only: choose a later quarter.")
            found.faults.append(Fault(STARTS, sentence, {"day": day(opens_on)}))
        if first > (latest := quarter_after(now, AHEAD)):
            sentence = gettext_noop("This lies too far ahead: at the latest %(quarter)s.")
            found.faults.append(Fault(STARTS, sentence, {"quarter": _written(latest)}))
    if last and last > (latest := quarter_after(now, LATEST_END)):
        sentence = gettext_noop("This lies too far ahead: at the latest %(quarter)s, or empty for no end.")
        found.faults.append(Fault(ENDS, sentence, {"quarter": _written(latest)}))
    if first and last and last < first:
        sentence = gettext_noop("This quarter comes before the one in which the mandate starts.")
        found.faults.append(Fault(ENDS, sentence))
    if not first or any(fault.column in (STARTS, ENDS) for fault in found.faults):
        return None
    return Period(quarter_days(first)[0], quarter_days(last)[1] if last else None)


def _written(code: str) -> str:
    return f"{code[:4]}Q{code[4]}"


def _quarter(found: Read, name: str, *, first: bool) -> str:
    """The quarter, `YYYYQ`, that a cell tells: as such, or by its first (or last) day."""
    typed = found.cells.get(name, "")
    if quarter_told := _YEAR_FIRST.fullmatch(typed):
        return quarter_told[1] + quarter_told[2]
    if quarter_told := _YEAR_LAST.fullmatch(typed):
        return quarter_told[2] + quarter_told[1]
    on = _day(typed)
    if on is None:
        sentence = gettext_noop("This is not a quarter. Write the year and the quarter, such as 2026Q1.")
        found.faults.append(Fault(name, sentence))
        return ""
    code = quarter_of(on)
    if on != quarter_days(code)[0 if first else 1]:
        sentence = (
            gettext_noop(
                "This day is not the first one of a quarter; a spreadsheet may have made it of 2/2026. "
                "Write the quarter, such as 2026Q1."
            )
            if first
            else gettext_noop("This day is not the last one of a quarter. Write the quarter, such as 2026Q4.")
        )
        found.faults.append(Fault(name, sentence))
        return ""
    return code


def _day(typed: str) -> date | None:
    if found := _ISO.fullmatch(typed):
        year, month, number = found.groups()
    elif found := _BELGIAN.fullmatch(typed):
        number, month, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(number))
    except ValueError:
        return None
