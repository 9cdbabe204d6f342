"""What a cell says: days, durations, amounts, words; and what a spreadsheet destroyed in it.

Every function takes the text of one cell and raises Unfit with the sentence for it. The same days and durations come
back thousands of times, so they are remembered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext_noop, override

from mandates.numbers import NumberError, parse_niss

_ISO: Final = re.compile(r"([12][0-9]{3})-([0-9]{1,2})-([0-9]{1,2})(?:[ T]00:00(?::00(?:\.0+)?)?)?")
_BELGIAN: Final = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([12][0-9]{3})(?: 0?0:00(?::00)?)?")
_SHORT_YEAR: Final = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2}")
_SERIAL: Final = re.compile(r"[2-6][0-9]{4}(?:[.,]0+)?")
_CLOCK: Final = re.compile(
    r"([0-9]{1,5})\s*(?:h|u|:|uur|heures?|Std\.?)\s*([0-5]?[0-9])?(?::00)?\s*(?:min\.?|m)?", re.I
)
_MINUTES: Final = re.compile(r"([0-9]{1,6})\s*(?:min|minutes?|minuten|Minuten)\.?", re.I)
_DECIMAL: Final = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,4}))?")
_AMOUNT: Final = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f']+")
_ROUNDED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}", re.I)
_ERROR: Final = re.compile(r"#[A-ZÉ0-9/_]{2,12}[!?]?|#{3,}", re.I)
_SUSPECT: Final = frozenset("=#0123456789")
_DIGITS: Final = re.compile(r"[0-9]+")


class Unfit(ValueError):
    """A cell that does not say what its column wants; told later, in the reader's language."""

    def __init__(self, sentence: str, values: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.values = sentence, dict(values or {})


class MonthFirst(Unfit):
    """A day with its month in front, as American spreadsheets write it: it says so of the whole file."""


def spoiled(text: str) -> None:
    """Raises Unfit for what no filled cell of any column should hold: a formula, its error, a rounded number."""
    first = text[0]
    if first not in _SUSPECT:
        return
    if first == "=":
        raise Unfit(
            gettext_noop("This is a formula. Copy the column, paste it as values, and save the file again.")
        )
    if first == "#" and _ERROR.fullmatch(text):
        raise Unfit(
            gettext_noop("A formula failed here, or the column is too narrow: write what should stand here.")
        )
    if ("E" in text or "e" in text) and _ROUNDED.fullmatch(text):
        raise Unfit(
            gettext_noop(
                "A spreadsheet has rounded this number and its last digits are lost. "
                "Format the column as text and enter it again."
            )
        )


@lru_cache(maxsize=20_000)
def day(text: str, *, month_first_line: int = 0) -> date:
    """A day: `21/11/2026` as written here, `2026-11-21`, or what a workbook keeps as a day.

    With `month_first_line`, the row that shows the file to have months in front, a day that could be read both ways is
    refused.
    """
    if iso := _ISO.fullmatch(text):
        return _existing(int(iso[1]), int(iso[2]), int(iso[3]))
    if found := _BELGIAN.fullmatch(text):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        if second > 12 and 1 <= first <= 12:
            raise MonthFirst(
                gettext_noop(
                    "This day has its month in front. Write the day first, such as 21/11/2026, in the whole column."
                )
            )
        if month_first_line and first <= 12 and first != second:
            raise Unfit(
                gettext_noop(
                    "Nobody knows which of the two is the month: row %(line)d of this file has it in front. "
                    "Write the year first, such as 2026-11-21."
                ),
                {"line": month_first_line},
            )
        return _existing(year, second, first)
    if _SHORT_YEAR.fullmatch(text):
        raise Unfit(gettext_noop("Write the year with four digits, such as 21/11/2026."))
    if _SERIAL.fullmatch(text):
        raise Unfit(
            gettext_noop(
                "This is the number by which a spreadsheet keeps a day. Format the column as a date, and save again."
            )
        )
    raise Unfit(gettext_noop("Write a day that exists, such as 21/11/2026."))


def _existing(year: int, month: int, number: int) -> date:
    try:
        return date(year, month, number)
    except ValueError:
        raise Unfit(
            gettext_noop("This day does not exist: such as 30 February. Write one that does.")
        ) from None


@lru_cache(maxsize=20_000)
def minutes(text: str, unit: int = 60) -> int:
    """A duration in minutes: `7 h 36`, `7:36`, `456 min`; a bare number counts in units of so many minutes.

    Raises Unfit for what is not a whole number of minutes: 7,6 hours is 7 h 36, 0,33 hours is nothing.
    """
    if found := _CLOCK.fullmatch(text):
        return int(found[1]) * 60 + int(found[2] or 0)
    if found := _MINUTES.fullmatch(text):
        return int(found[1])
    if found := _DECIMAL.fullmatch(text):
        exact = Decimal(f"{found[1]}.{found[2] or 0}") * unit
        if exact == int(exact):
            return int(exact)
        raise Unfit(
            gettext_noop("This is not a whole number of minutes. Write hours and minutes, such as 7 h 36.")
        )
    raise Unfit(gettext_noop("Write hours and minutes, such as 7 h 36, or 45 min."))


def cents(text: str) -> int:
    """An amount in euros, in cents: `1 250,00`, `1250.5`, `€ 80`."""
    found = _AMOUNT.fullmatch(_SPACES.sub("", text).strip("€").removesuffix("EUR"))
    if found is None:
        raise Unfit(gettext_noop("Write an amount in euros, such as 1250,00."))
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def percentage(text: str) -> Decimal:
    """A share of a full-timer, in percent: `80`, `79,95 %`."""
    found = _AMOUNT.fullmatch(_SPACES.sub("", text).removesuffix("%"))
    value = Decimal(f"{found[1]}.{found[2] or 0}") if found else Decimal(0)
    if not 0 < value <= 100:
        raise Unfit(gettext_noop("Write a percentage of a full-timer, above 0 and up to 100, such as 80."))
    return value


def niss(text: str) -> str:
    """The eleven digits of a NISS. Says so when it would be right with the zeros that a spreadsheet drops."""
    try:
        return parse_niss(text)
    except NumberError as error:
        if (
            error.flaw == "length"
            and len(text) in (9, 10)
            and _DIGITS.fullmatch(text)
            and _fits(text.zfill(11))
        ):
            raise Unfit(
                gettext_noop(
                    "A spreadsheet has dropped the zeros in front of this number. "
                    "Format the column as text and write all 11 digits."
                )
            ) from None
        raise unfit(error) from None


def _fits(digits: str) -> bool:
    try:
        return bool(parse_niss(digits))
    except NumberError:
        return False


def unfit(error: NumberError) -> Unfit:
    """The fault of a number, as the catalogues know its sentence."""
    with override(None):
        return Unfit(str(error.sentence), error.values)


def word(text: str, known: Mapping[str, str]) -> str:
    """One of the admitted words, by its code or by its name in any language."""
    if code := known.get(text.casefold()):
        return code
    raise Unfit(
        gettext_noop("This word is not known here. Write one of: %(codes)s."),
        {"codes": ", ".join(sorted(set(known.values())))},
    )
