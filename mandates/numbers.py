"""The numbers that Belgian social security knows people and enterprises by.

Enterprise number (BCE/KBO), establishment unit, ONSS/RSZ number, NISS/INSZ with its BIS variant, joint
committee, quarter and sender number: read from what people type or spreadsheets hold, checked, and written
in one form. Check digits as published in the glossaries of ``www.socialsecurity.be/docu_xml/``.

Stricter than general libraries on purpose: ASCII digits only, days that exist, sequences 001 to 998. A number
refused here costs a correction today; refused by social security it costs a declaration and some days. No
sentence repeats the number it is about: a NISS must not travel to logs inside an error.
"""

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Flaw = Literal["missing", "spreadsheet", "characters", "length", "kind", "check_digits", "date", "sequence"]
"""What is wrong with a number, for programs; the sentence says it to people."""

Bis = Literal["sex_unknown", "sex_known"]
"""Why a BIS number adds 20 or 40 to the month."""

_BRUSSELS: Final = ZoneInfo("Europe/Brussels")
_SEPARATORS: Final = str.maketrans("", "", " .-/\t\u00a0\u202f")
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]")
_SCIENTIFIC: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}")
_WHOLE_FLOAT: Final = re.compile(r"([0-9]{8,15})\.0")
_COUNTRY: Final = re.compile(r"\s*BE[\s.:-]*", re.IGNORECASE)
_JOINT_COMMITTEE: Final = re.compile(r"[1-9][0-9]{2}(?:\.[0-9]{2}){0,2}")
_QUARTER: Final = re.compile(r"([12][0-9]{3})\s*[-/.]?\s*[QqTtKk]?([1-4])")
_NO_SEQUENCE: Final = frozenset(("000", "999"))
_LONGEST_MONTH: Final = (31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NISS_IN_TEXT: Final = re.compile(
    r"(?<![0-9])[0-9]{2}S[0-9]{2}S[0-9]{2}S[0-9]{3}S[0-9]{2}(?![0-9])".replace(
        "S", "[ .\\-/\u00a0\u202f]{0,3}"
    )
)


class NumberError(ValueError):
    """A number that cannot be right.

    ``str()`` is a translated sentence: what is wrong and what to do. `flaw` says it to programs.
    """

    def __init__(
        self, flaw: Flaw, sentence: str | Promise, values: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(flaw, sentence, values)
        self.flaw: Flaw = flaw
        self.sentence = sentence
        self.values = dict(values or {})

    def __str__(self) -> str:
        return str(self.sentence) % self.values


# --- enterprises ----------------------------------------------------------------------------------


def parse_enterprise_number(text: str) -> str:
    """The ten digits of an enterprise number (BCE/KBO, ``CompanyID``); raise `NumberError`.

    ``0897.223.670``, ``BE 0897 223 670`` and nine digits without the leading zero are read as well.
    """
    digits = _digits(_COUNTRY.sub("", text, count=1) if _COUNTRY.match(text) else text)
    if len(digits) == 9:
        digits = f"0{digits}"
    if len(digits) != 10:
        raise _wrong_length(
            _("An enterprise number has 10 digits, this one %(found)d. Look for missing or doubled digits."),
            digits,
        )
    if digits[0] not in "01":
        raise NumberError(
            "kind",
            _(
                "An enterprise number starts with 0 or 1. Numbers that start with 2 to 8 belong to an "
                "establishment unit: give the number of the enterprise itself."
            ),
        )
    return _checked(digits, _fits_enterprise)


def parse_establishment_number(text: str) -> str:
    """The ten digits of an establishment unit number, ``2.143.678.935`` or plain; raise `NumberError`."""
    digits = _digits(_COUNTRY.sub("", text, count=1) if _COUNTRY.match(text) else text)
    if len(digits) != 10:
        raise _wrong_length(
            _(
                "An establishment unit number has 10 digits, this one %(found)d. "
                "Look for missing or doubled digits."
            ),
            digits,
        )
    if digits[0] not in "2345678":
        raise NumberError(
            "kind",
            _(
                "An establishment unit number starts with 2 to 8. Numbers that start with 0 or 1 belong to "
                "the enterprise: give the number of the place of work."
            ),
        )
    return _checked(digits, _fits_enterprise)


def format_enterprise_number(number: str) -> str:
    """``0897223670`` as people write it: ``0897.223.670``."""
    return f"{number[:4]}.{number[4:7]}.{number[7:]}"


def format_establishment_number(number: str) -> str:
    """``8999999993`` as people write it: ``8.999.999.993``."""
    return f"{number[0]}.{number[1:4]}.{number[4:7]}.{number[7:]}"


def make_enterprise_number(first_eight: int | str) -> str:
    """The enterprise or establishment number that starts with these eight digits, for examples and tests."""
    stem = f"{int(first_eight):08d}"
    return stem + check_digits_enterprise(stem)


def check_digits_enterprise(first_eight: str) -> str:
    """``97 - (first eight mod 97)``, two digits; 01 to 97."""
    return f"{97 - int(first_eight) % 97:02d}"


# --- ONSS -----------------------------------------------------------------------------------------


def parse_onss_number(text: str) -> str:
    """The digits of an ONSS/RSZ registration number; raise `NumberError`.

    Nine digits, the first 0 or 1, or a provisional number: ten digits, the first 5. The schemas treat it as
    an integer, so eight digits are read as nine that lost their zero. `is_provisional_onss` tells which.
    """
    digits = _digits(text)
    if len(digits) == 8:
        digits = f"0{digits}"
    if len(digits) == 10:
        if digits[0] != "5":
            raise NumberError(
                "kind",
                _(
                    "An ONSS number of 10 digits is provisional and starts with 5; an ordinary one has 9. "
                    "Check that this is not the enterprise number."
                ),
            )
    elif len(digits) != 9:
        raise _wrong_length(
            _(
                "An ONSS number has 9 digits, or 10 when it is provisional; this one has %(found)d. "
                "Look for missing or doubled digits."
            ),
            digits,
        )
    elif digits[0] not in "01":
        raise NumberError(
            "kind",
            _(
                "An ONSS number of 9 digits starts with 0 or 1. "
                "Check that this is not an enterprise number without its first zero."
            ),
        )
    return _checked(digits, _fits_onss)


def is_provisional_onss(number: str) -> bool:
    """Whether this ONSS number is a provisional one, which goes into an element of its own."""
    return len(number) == 10


def format_onss_number(number: str) -> str:
    """``130387593`` as people write it: ``1303875-93``."""
    return f"{number[:-2]}-{number[-2:]}"


def make_onss_number(stem: int | str, *, provisional: bool = False) -> str:
    """The ONSS number of these seven digits (provisional: eight, the first 5), for examples and tests."""
    digits = f"{int(stem):08d}" if provisional else f"{int(stem):07d}"
    return digits + check_digits_onss(digits)


def check_digits_onss(stem: str) -> str:
    """The two digits, 01 to 97, that make the whole number 96 modulo 97."""
    return f"{(95 - int(stem) * 100) % 97 + 1:02d}"


# --- people ---------------------------------------------------------------------------------------


def parse_niss(text: str, *, today: date | None = None) -> str:
    """The eleven digits of a NISS/INSZ, ordinary or BIS; raise `NumberError`.

    Month and day may be 00 (unknown); otherwise the day exists and does not come after `today`, by default
    the day in Brussels.
    """
    digits = text if len(text) == 11 and text.isascii() and text.isdigit() else _digits(text)
    if len(digits) != 11:
        raise _wrong_length(
            _(
                "A NISS has 11 digits, this one %(found)d. Look for missing or doubled digits; "
                "where a spreadsheet dropped zeros in front, format the column as text and write them again."
            ),
            digits,
        )
    if digits[6:9] in _NO_SEQUENCE:
        raise NumberError(
            "sequence",
            _("Digits 7 to 9 of a NISS run from 001 to 998. Compare the number with the identity card."),
        )
    century = _century(digits)
    if not _has_possible_date(digits, century):
        raise NumberError(
            "date",
            _(
                "A NISS starts with the date of birth as YYMMDD, and this date does not exist. "
                "Check the first six digits."
            ),
        )
    if century is None:
        raise _wrong_check_digits(digits, _fits_niss)
    if century == 2000 and _starts_after(digits, today or datetime.now(tz=_BRUSSELS).date()):
        raise NumberError(
            "date",
            _("According to this NISS the person is yet to be born. Compare it with the identity card."),
        )
    return digits


def is_bis(niss: str) -> bool:
    """Whether this NISS is a BIS number: of somebody who is not in the national register."""
    return niss[2] >= "2"


def birth_date(niss: str) -> date | None:
    """The date of birth that a valid NISS tells, or None where month or day is 00."""
    month, day = int(niss[2:4]) % 20, int(niss[4:6])
    if month == 0 or day == 0:
        return None
    return date((_century(niss) or 1900) + int(niss[:2]), month, day)


def format_niss(niss: str) -> str:
    """``85073003328`` as people write it: ``85.07.30-033.28``."""
    return f"{niss[:2]}.{niss[2:4]}.{niss[4:6]}-{niss[6:9]}.{niss[9:]}"


def mask_niss(niss: str) -> str:
    """What a screen may show without a reason: ``85.07.30-***.**``."""
    return f"{niss[:2]}.{niss[2:4]}.{niss[4:6]}-***.**"


def mask_in_text(text: str) -> str:
    """`text` with every valid NISS in it masked, written plain or with dots, dashes, slashes or spaces."""
    kept: list[str] = []
    position = 0
    found = _NISS_IN_TEXT.search(text)
    while found:
        niss = found[0].translate(_SEPARATORS)
        if _fits_niss(niss):
            kept += text[position : found.start()], mask_niss(niss)
            position = found.end()
            found = _NISS_IN_TEXT.search(text, position)
        else:
            # The digits of the next number may start inside what looked like one.
            found = _NISS_IN_TEXT.search(text, found.start() + 1)
    return "".join((*kept, text[position:])) if kept else text


def make_niss(birth: date, sequence: int, *, bis: Bis | None = None) -> str:
    """The NISS of an imaginary person: odd sequences are men, even ones women. For examples and tests."""
    if not 1 <= sequence <= 998:
        raise ValueError(f"a sequence runs from 1 to 998, not {sequence}")
    if not 1900 <= birth.year <= 2099:
        raise ValueError(f"a NISS tells years from 1900 to 2099, not {birth.year}")
    month = birth.month + {None: 0, "sex_unknown": 20, "sex_known": 40}[bis]
    stem = f"{birth.year % 100:02d}{month:02d}{birth.day:02d}{sequence:03d}"
    return stem + check_digits_niss(stem, born_from_2000=birth.year >= 2000)


def check_digits_niss(first_nine: str, *, born_from_2000: bool) -> str:
    """``97 - (first nine mod 97)``, a 2 being put before the nine for births from 2000."""
    return f"{97 - int(f'2{first_nine}' if born_from_2000 else first_nine) % 97:02d}"


# --- committees, quarters, senders ----------------------------------------------------------------


def parse_joint_committee(text: str) -> str:
    """A joint committee as ``999``, ``999.99`` or ``999.99.99``; raise `NumberError`.

    Only the form is checked: which committees exist changes by quarter.
    """
    number = text.strip()
    if not _JOINT_COMMITTEE.fullmatch(number):
        raise NumberError(
            "characters" if number else "missing",
            _(
                "A joint committee has three digits, then a dot and two digits for each subcommittee, "
                "such as 200, 140.03 or 329.01.02. A spreadsheet may have dropped a last zero (140.1)."
            ),
        )
    return number


def parse_quarter(text: str) -> str:
    """A quarter as ``YYYYQ``, such as ``20261``; ``2026/1``, ``2026-Q1`` and ``2026T1`` are read as well."""
    if found := _QUARTER.fullmatch(text.strip()):
        return found[1] + found[2]
    raise NumberError(
        "characters" if text.strip() else "missing",
        _("A quarter is the year and a digit from 1 to 4, such as 20261 for January to March 2026."),
    )


def quarter_of(day: date) -> str:
    """The quarter, ``YYYYQ``, in which a day falls."""
    return f"{day.year:04d}{(day.month + 2) // 3}"


def quarter_after(quarter: str, number: int = 1) -> str:
    """The quarter that comes `number` quarters after this one, or before it when negative."""
    place = int(quarter[:4]) * 4 + int(quarter[4]) - 1 + number
    return f"{place // 4:04d}{place % 4 + 1}"


def quarter_days(quarter: str) -> tuple[date, date]:
    """The first and the last day of a quarter."""
    year, last_month = int(quarter[:4]), int(quarter[4]) * 3
    return date(year, last_month - 2, 1), date(year, last_month, calendar.monthrange(year, last_month)[1])


def parse_sender_number(text: str) -> str:
    """The six digits of a sender number (numéro d'expéditeur); raise `NumberError`.

    It has no check digit, so a shorter number is not filled up with zeros: it may lack any of its digits.
    """
    digits = _digits(text)
    if len(digits) != 6:
        raise _wrong_length(
            _("A sender number has 6 digits, this one %(found)d. Write the zeros in front as well."), digits
        )
    if digits in ("000000", "999999"):
        raise NumberError(
            "kind",
            _(
                "This is not the number of a sender: 999999 is social security itself. "
                "Copy the number that came with the channel."
            ),
        )
    return digits


# --- what they share ------------------------------------------------------------------------------


def _digits(text: str) -> str:
    text = text.strip()
    if whole := _WHOLE_FLOAT.fullmatch(text):
        return whole[1]  # a spreadsheet's number cell, read as a decimal: nothing is lost
    digits = text.translate(_SEPARATORS)
    if not digits:
        raise NumberError("missing", _("The number is missing."))
    if _SCIENTIFIC.fullmatch(text):
        raise NumberError(
            "spreadsheet",
            _(
                "A spreadsheet has rounded this number (8.5E+10) and its last digits are lost. "
                "Format the column as text and enter the number again."
            ),
        )
    if strange := _NOT_A_DIGIT.search(digits):
        character = strange[0]
        raise NumberError(
            "characters",
            _(
                "Only digits belong in this number, with dots, dashes, slashes or spaces between them, "
                "but it has “%(character)s”. Look for a letter typed as a digit, such as O for 0 or l for 1."
            ),
            {
                "character": character
                if character.isascii() and character.isprintable()
                else f"U+{ord(character):04X}"
            },
        )
    return digits


def _wrong_length(sentence: Promise, digits: str) -> NumberError:
    return NumberError("length", sentence, {"found": len(digits)})


def _checked(digits: str, fits: Callable[[str], bool]) -> str:
    if not fits(digits):
        raise _wrong_check_digits(digits, fits)
    return digits


def _wrong_check_digits(digits: str, fits: Callable[[str], bool]) -> NumberError:
    # A swap that repairs the number is more often than not what happened, and easy to verify.
    swaps = [
        at
        for at in range(len(digits) - 1)
        if digits[at] != digits[at + 1] and fits(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])
    ]
    if len(swaps) == 1:
        return NumberError(
            "check_digits",
            _(
                "The check digits do not fit: there is a typing error. "
                "Digits %(first)d and %(second)d may have changed places."
            ),
            {"first": swaps[0] + 1, "second": swaps[0] + 2},
        )
    return NumberError(
        "check_digits",
        _(
            "The check digits do not fit: a digit is mistyped, or two have changed places. "
            "Compare the number with the document it comes from."
        ),
    )


def _fits_enterprise(digits: str) -> bool:
    return digits[8:] == check_digits_enterprise(digits[:8]) and int(digits[:8]) > 0


def _fits_onss(digits: str) -> bool:
    return digits[-2:] == check_digits_onss(digits[:-2]) and int(digits[:-2]) > 0


def _fits_niss(digits: str) -> bool:
    century = _century(digits)
    return century is not None and digits[6:9] not in _NO_SEQUENCE and _has_possible_date(digits, century)


def _century(digits: str) -> Literal[1900, 2000] | None:
    """The century of birth that the check digits tell, or None when they fit neither."""
    stem, rest = int(digits[:9]), 97 - int(digits[9:])
    # Check digits 98, 99 and 00 do not occur: they would stand for the same remainders as 01, 02 and 97.
    if not 0 <= rest < 97:
        return None
    if stem % 97 == rest:
        return 1900
    return 2000 if (2_000_000_000 + stem) % 97 == rest else None


def _has_possible_date(digits: str, century: Literal[1900, 2000] | None) -> bool:
    """Whether the first six digits are a day of that century (None: of either), or an unknown one."""
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    if month > 52 or month % 20 > 12:
        return False
    month %= 20
    # Month 00: unknown. Once the sequences of such a day are used up the day counts on: 00/01, 00/02.
    if day > _LONGEST_MONTH[month]:
        return False
    return month != 2 or day != 29 or (year % 4 == 0 and (year, century) != (0, 1900))


def _starts_after(digits: str, today: date) -> bool:
    """Whether somebody born from 2000 on with this NISS would be born after `today`."""
    year, month, day = 2000 + int(digits[:2]), int(digits[2:4]) % 20, int(digits[4:6])
    return (year, month, day if month else 0) > (today.year, today.month, today.day)
