"""How a client's two files look: headings, words, and the way dates, durations and amounts are written.

Both files are what a spreadsheet saves: UTF-8 with a byte order mark, `;` between the columns, CRLF at the
end of a row. One file lists the workers of an employer, one row per contract; the other lists trainings.

    date       31/12/2025
    duration   7:36 (hours and minutes), or in days of a full-timer: `1 jour`, `0,5 dag`, `2 dagen`
    amount     125,00 (EUR); 1250,00
    NISS       85.07.30-033.28 or 85073003328
    regime     percent of a full-timer: 80
"""

from datetime import date, datetime

ENCODING = "utf-8-sig"
DELIMITER = ";"
LINE_END = "\r\n"
DATE_FORMAT = "%d/%m/%Y"

WORKER_FIELDS = (
    "niss",
    "family_name",
    "given_name",
    "language",
    "joint_committee",
    "regime_percent",
    "day_length",
    "entered_on",
    "left_on",
)

TRAINING_FIELDS = (
    "reference",
    "niss",
    "title",
    "kind",
    "starts_on",
    "ends_on",
    "duration",
    "status",
    "charged",
    "nature",
    "result",
    "certificate",
    "certificate_valid_until",
    "funding",
    "provider",
    "working_hours",
    "cost",
    "domain",
)

HEADINGS: dict[str, dict[str, str]] = {
    "fr": {
        "niss": "NISS",
        "family_name": "Nom",
        "given_name": "Prénom",
        "language": "Langue",
        "joint_committee": "Commission paritaire",
        "regime_percent": "Régime de travail (%)",
        "day_length": "Durée d'une journée",
        "entered_on": "Date d'entrée",
        "left_on": "Date de sortie",
        "reference": "Référence",
        "title": "Intitulé",
        "kind": "Type",
        "starts_on": "Début",
        "ends_on": "Fin",
        "duration": "Durée",
        "status": "Statut",
        "charged": "Imputé au droit individuel",
        "nature": "Nature",
        "result": "Résultat",
        "certificate": "Certificat",
        "certificate_valid_until": "Valable jusqu'au",
        "funding": "Financement",
        "provider": "Organisme",
        "working_hours": "Heures de travail",
        "cost": "Coût (EUR)",
        "domain": "Domaine",
    },
    "nl": {
        "niss": "INSZ",
        "family_name": "Naam",
        "given_name": "Voornaam",
        "language": "Taal",
        "joint_committee": "Paritair comité",
        "regime_percent": "Arbeidsregime (%)",
        "day_length": "Dagduur",
        "entered_on": "Datum in dienst",
        "left_on": "Datum uit dienst",
        "reference": "Referentie",
        "title": "Titel",
        "kind": "Soort",
        "starts_on": "Begin",
        "ends_on": "Einde",
        "duration": "Duur",
        "status": "Status",
        "charged": "Aangerekend op het individueel recht",
        "nature": "Aard",
        "result": "Resultaat",
        "certificate": "Getuigschrift",
        "certificate_valid_until": "Geldig tot",
        "funding": "Financiering",
        "provider": "Opleidingsverstrekker",
        "working_hours": "Arbeidstijd",
        "cost": "Kostprijs (EUR)",
        "domain": "Domein",
    },
}

#: The word a client writes for each value of a closed list: language, field, value.
WORDS: dict[str, dict[str, dict[str, str]]] = {
    "fr": {
        "kind": {"formal": "formelle", "informal": "informelle"},
        "status": {
            "followed": "suivie",
            "reserved": "réservée",
            "not_followed": "non suivie",
            "unsuitable": "inadaptée",
        },
        "funding": {
            "employer": "employeur",
            "sector_fund": "fonds sectoriel",
            "public": "pouvoirs publics",
            "other": "autre",
        },
        "working_hours": {"during": "pendant", "outside": "en dehors", "": ""},
    },
    "nl": {
        "kind": {"formal": "formeel", "informal": "informeel"},
        "status": {
            "followed": "gevolgd",
            "reserved": "gereserveerd",
            "not_followed": "niet gevolgd",
            "unsuitable": "niet passend",
        },
        "funding": {
            "employer": "werkgever",
            "sector_fund": "sectorfonds",
            "public": "overheid",
            "other": "andere",
        },
        "working_hours": {"during": "tijdens", "outside": "buiten", "": ""},
    },
}

_DAYS = {"fr": ("jour", "jours"), "nl": ("dag", "dagen")}


def write_date(day: date | None) -> str:
    """31/12/2025; nothing for a day that is not known."""
    return "" if day is None else day.strftime(DATE_FORMAT)


def read_date(text: str) -> date | None:
    """The reverse of `write_date`. Raises ValueError on anything else."""
    if not text.strip():
        return None
    # A day has no time zone: strptime is only used for its format.
    return datetime.strptime(text.strip(), DATE_FORMAT).date()  # noqa: DTZ007


def write_hours(minutes: int) -> str:
    """7:36 for 456 minutes."""
    return f"{minutes // 60}:{minutes % 60:02d}"


def write_duration(minutes: int, unit: str, day_minutes: int, language: str) -> str:
    """`unit` is 'hours' (7:36) or 'days' (0,5 jour). Raises ValueError when it is no number of half days."""
    if unit == "hours":
        return write_hours(minutes)
    halves, rest = divmod(2 * minutes, day_minutes)
    if rest:
        raise ValueError(f"{minutes} minutes are no half days of {day_minutes} minutes")
    singular, plural = _DAYS[language]
    number = str(halves // 2) if halves % 2 == 0 else f"{halves // 2},5"
    # French counts 1,5 jour in the singular; Dutch writes 0 and 1,5 in the plural.
    is_single = halves < 4 if language == "fr" else halves in (1, 2)
    return f"{number} {singular if is_single else plural}"


def read_duration(text: str, day_minutes: int, language: str) -> tuple[int, str]:
    """Minutes and unit ('hours' or 'days') of `7:36` or `0,5 jour`. Raises ValueError on anything else."""
    number, _, word = text.strip().partition(" ")
    if word:
        if word not in _DAYS[language]:
            raise ValueError(f"unknown unit of duration: {text!r}")
        whole, _, half = number.partition(",")
        if half not in ("", "0", "5"):
            raise ValueError(f"only half days are counted: {text!r}")
        halves = 2 * int(whole) + (1 if half == "5" else 0)
        minutes, rest = divmod(halves * day_minutes, 2)
        if rest:
            raise ValueError(f"half a day of {day_minutes} minutes is no whole number of minutes")
        return minutes, "days"
    hours, colon, odd = number.partition(":")
    if not colon or len(odd) != 2 or int(odd) > 59:
        raise ValueError(f"not a duration: {text!r}")
    return 60 * int(hours) + int(odd), "hours"


def write_amount(cents: int | None) -> str:
    """125,00 for 12500 cents; nothing when the cost is not known."""
    return "" if cents is None else f"{cents // 100},{cents % 100:02d}"


def read_amount(text: str) -> int | None:
    """Cents of `125,00`. Raises ValueError on anything else."""
    if not text.strip():
        return None
    euros, comma, cents = text.strip().partition(",")
    if not comma or len(cents) != 2:
        raise ValueError(f"not an amount: {text!r}")
    return 100 * int(euros) + int(cents)


def read_niss(text: str) -> str:
    """The eleven digits, whatever stood between them. The check digits are not looked at here."""
    return "".join(sign for sign in text if sign.isdigit())
