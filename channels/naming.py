"""The names of files on the batch channel: what they say, and how to write one.

``KK.AAAA.EEEEEE.YYYYMMDD.SSSSS.V[.N[.M]]``: prefix, application, sender number, day of creation,
sequence, environment, number of parts, part. No extension, upper case only. The rules are those of
www.socialsecurity.be/site_fr/general/helpcentre/batch/files/directives and of the manual
"Créer les fichiers FI, FS et GO" (version 13).

Nothing here reads a clock, a disk or a database: a name is reserved elsewhere, before it is used.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MOST_PARTS: Final = 9
"""The number of parts is one digit."""

SEQUENCES_PER_PREFIX: Final = 36**4 - 1
"""How many sets one channel can name per application, day and environment: 1,679,615."""

SOCIAL_SECURITY: Final = "999999"
"""The sender number of everything that social security sends."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_APPLICATION: Final = re.compile(r"[A-Z0-9]{4}")
_SENDER: Final = re.compile(r"[0-9]{6}")
_DAY: Final = re.compile(r"[0-9]{8}")
_SEQUENCE: Final = re.compile(r"[0-9A-Z]{5}")
_PART: Final = re.compile(r"[1-9]")
_LONGEST_SHOWN: Final = 60


class BadFileName(ValueError):
    """A file name, or an element of one, that breaks the rules; ``str()`` is a translated sentence."""

    def __init__(self, sentence: str | Promise, values: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence, values)
        self.sentence = sentence
        self.values = dict(values or {})

    def __str__(self) -> str:
        return str(self.sentence) % self.values


class SequenceExhausted(OverflowError):
    """The channel has used all its sequences of the day for this application and environment."""

    def __str__(self) -> str:
        return str(
            _(
                "All %(count)d file names of this channel for this day are used. "
                "Send the rest tomorrow, or give the channel another first character."
            )
            % {"count": SEQUENCES_PER_PREFIX}
        )


class Environment(StrEnum):
    """The letter V of a name, and the directories that go with it at the root of the SFTP account."""

    PRODUCTION = "R"
    TEST = "T"
    SIMULATION = "S"

    @property
    def label(self) -> str:
        """The name of the environment in the reader's language."""
        match self:
            case Environment.PRODUCTION:
                return str(_("Production"))
            case Environment.TEST:
                return str(_("Circuit test"))
            case Environment.SIMULATION:
                return str(_("Simulation"))

    @property
    def upload_directory(self) -> str:
        """Where FI, FS and GO are put: ``IN``, ``INTEST`` or ``INTEST-S``."""
        return f"IN{self._directory_suffix}"

    @property
    def answer_directory(self) -> str:
        """Where answers wait: ``OUT``, ``OUTTEST`` or ``OUTTEST-S``."""
        return f"OUT{self._directory_suffix}"

    @property
    def requires_signature(self) -> bool:
        """Whether a set carries FS files, unless the channel says otherwise.

        The simulation wants none. Public texts disagree about the circuit test: live clients were
        refused without a signature there, so that is what we do when nothing else is known.
        """
        return self is not Environment.SIMULATION

    @property
    def _directory_suffix(self) -> str:
        return {"R": "", "T": "TEST", "S": "TEST-S"}[self.value]


def usual_directories() -> dict[str, list[str]]:
    """Per environment the directory of uploads and the one of answers, unless a channel was given others."""
    return {place.value: [place.upload_directory, place.answer_directory] for place in Environment}


class Prefix(StrEnum):
    """The first element: what the file is for."""

    DECLARATION = "FI"
    SIGNATURE = "FS"
    GO = "GO"
    CANCELLATION = "TD"
    ANSWER = "FO"
    COMPRESSED_ANSWER = "CO"


@dataclass(frozen=True, slots=True, order=True)
class SetName:
    """The name shared by all files of one set: FI and FS parts, and the GO that ends them.

    Raises `BadFileName` when an element breaks the rules. That the day is recent, and that the name
    was never used before, only the caller can know.
    """

    application: str
    sender: str
    day: date
    sequence: str
    environment: Environment

    def __post_init__(self) -> None:
        _check_application(self.application)
        _check_sender(self.sender)
        _check_sequence(self.sequence)
        object.__setattr__(self, "environment", _environment(self.environment))

    def __str__(self) -> str:
        return self.stem

    @property
    def stem(self) -> str:
        """What follows the prefix, without part numbers: ``DMFA.006400.20020423.00001.R``."""
        # Not strftime: it writes the years before 1000 with fewer than four digits on some systems.
        day = self.day.isoformat().replace("-", "")
        return f"{self.application}.{self.sender}.{day}.{self.sequence}.{self.environment.value}"

    def fi(self, part: int = 1, parts: int = 1) -> str:
        """The name of a declaration file: part 1 to `parts`."""
        return str(FileName(Prefix.DECLARATION, self, parts, part))

    def fs(self, part: int = 1, parts: int = 1) -> str:
        """The name of the signature of the FI with the same part number."""
        return str(FileName(Prefix.SIGNATURE, self, parts, part))

    def go(self, parts: int = 1) -> str:
        """The name of the empty file that starts the processing of `parts` FI files."""
        return str(FileName(Prefix.GO, self, parts))

    def td(self, parts: int = 1) -> str:
        """The name of the empty file that cancels the set."""
        return str(FileName(Prefix.CANCELLATION, self, parts))


@dataclass(frozen=True, slots=True, order=True)
class FileName:
    """Any name of the channel, ours or theirs. ``str()`` gives back exactly what was parsed.

    Answers and old declarations come without part numbers, so both are optional.
    """

    prefix: Prefix
    set_name: SetName
    parts: int | None = None
    part: int | None = None

    def __post_init__(self) -> None:
        for number in (self.parts, self.part):
            if number is not None and not 1 <= number <= MOST_PARTS:
                raise BadFileName(
                    _("A set has 1 to %(most)d parts, numbered from 1: %(number)d is outside."),
                    {"most": MOST_PARTS, "number": number},
                )
        if self.part is not None and (self.parts is None or self.part > self.parts):
            raise BadFileName(
                _("Part %(part)d cannot belong to a set of %(parts)s."),
                {"part": self.part, "parts": self.parts if self.parts is not None else "?"},
            )

    def __str__(self) -> str:
        tail = "".join(f".{number}" for number in (self.parts, self.part) if number is not None)
        return f"{self.prefix.value}.{self.stem}{tail}"

    @property
    def application(self) -> str:
        """Four characters: the service of a declaration, or the kind of an answer (``ACRF``, ``NOTI``...)."""
        return self.set_name.application

    @property
    def sender(self) -> str:
        """Six digits; `SOCIAL_SECURITY` on everything received."""
        return self.set_name.sender

    @property
    def day(self) -> date:
        """The day of creation, as the sender sees it."""
        return self.set_name.day

    @property
    def sequence(self) -> str:
        """Five characters of ``[0-9A-Z]``."""
        return self.set_name.sequence

    @property
    def environment(self) -> Environment:
        """Production, circuit test or simulation."""
        return self.set_name.environment

    @property
    def stem(self) -> str:
        """What follows the first dot, without part numbers."""
        return self.set_name.stem

    @property
    def is_from_social_security(self) -> bool:
        """Whether this is the name of an answer, not of something that we sent."""
        return self.sender == SOCIAL_SECURITY

    def with_prefix(self, prefix: Prefix) -> Self:
        """The same name with another prefix: the FO of a CO, the FS of an FO."""
        return type(self)(prefix, self.set_name, self.parts, self.part)


def parse_name(text: str) -> FileName:
    """Read a file name of six, seven or eight elements; raise `BadFileName` when it is not one."""
    elements = text.split(".")
    if not 6 <= len(elements) <= 8:
        raise BadFileName(
            _(
                "“%(name)s” has %(count)d elements between dots. A file name of the batch channel has "
                "6, 7 or 8, such as FI.DMFA.006400.20020423.00001.R.1.1."
            ),
            {"name": _shown(text), "count": len(elements)},
        )
    prefix, application, sender, day, sequence, environment, *numbers = elements
    if prefix not in _PREFIXES:
        raise BadFileName(
            _("“%(element)s” is no prefix: a file name starts with FI, FS, GO, TD, FO or CO, in capitals."),
            {"element": _shown(prefix)},
        )
    for number in numbers:
        if not _PART.fullmatch(number):
            raise BadFileName(
                _("“%(element)s” is no part number: parts are numbered with one digit, from 1 to 9."),
                {"element": _shown(number)},
            )
    parts, part = (*map(int, numbers), None, None)[:2]
    set_name = SetName(application, sender, _parse_day(day), sequence, _environment(environment))
    return FileName(Prefix(prefix), set_name, parts, part)


def matches(name: FileName, set_name: SetName) -> bool:
    """Whether `name` is that of a file of this set, whatever its prefix and its part numbers."""
    return name.set_name == set_name


def same_set_key(name: str | FileName) -> str:
    """What two names of the same set have in common: all that follows the first dot, less the part numbers.

    An acknowledgement quotes the name of the GO, or of an FI: the number of elements differs, the set is
    the same. Raises `BadFileName`.
    """
    return (parse_name(name) if isinstance(name, str) else name).stem


def is_file_name(text: str) -> bool:
    """Whether a text is the name of any file of the batch channel."""
    try:
        parse_name(text)
    except BadFileName:
        return False
    return True


def encode_sequence(prefix: str, counter: int) -> str:
    """Five characters: the channel's own first character, then `counter` in base 36.

    The sequence is free text to social security, unique per sender, day and environment. Other software
    may well use the same sender number, so each channel keeps to a first character of its own. The
    counter runs from 1, because a sequence of zeros is refused, to `SEQUENCES_PER_PREFIX`; beyond,
    `SequenceExhausted` is raised.
    """
    if len(prefix) != 1 or prefix not in _ALPHABET:
        raise BadFileName(
            _("“%(element)s” cannot start a sequence: one digit or one capital letter A to Z can."),
            {"element": _shown(prefix)},
        )
    if counter < 1:
        raise BadFileName(_("Sequences are counted from 1, not from %(counter)d."), {"counter": counter})
    if counter > SEQUENCES_PER_PREFIX:
        raise SequenceExhausted(counter)
    digits = []
    for _position in range(4):
        counter, digit = divmod(counter, 36)
        digits.append(_ALPHABET[digit])
    return prefix + "".join(reversed(digits))


def decode_sequence(sequence: str) -> tuple[str, int]:
    """The first character and the counter of a sequence; the inverse of `encode_sequence`.

    Sequences that other software chose decode as well: their counter may be 0.
    """
    _check_sequence(sequence)
    return sequence[0], int(sequence[1:], 36)


_PREFIXES: Final = frozenset(prefix.value for prefix in Prefix)


def _check_application(application: str) -> None:
    if not _APPLICATION.fullmatch(application):
        raise BadFileName(
            _("“%(element)s” is no application code: it has four capitals or digits, such as DMFA."),
            {"element": _shown(application)},
        )


def _check_sender(sender: str) -> None:
    if not _SENDER.fullmatch(sender) or sender == "000000":
        raise BadFileName(
            _("“%(element)s” is no sender number: it has six digits, such as 006400."),
            {"element": _shown(sender)},
        )


def _check_sequence(sequence: str) -> None:
    if not _SEQUENCE.fullmatch(sequence) or sequence == "00000":
        raise BadFileName(
            _("“%(element)s” is no sequence: it has five digits or capitals, not all of them zero."),
            {"element": _shown(sequence)},
        )


def _parse_day(text: str) -> date:
    if _DAY.fullmatch(text):
        # What eight digits that are no day (month 13, 30 February, year 0) raise is the sentence below.
        with suppress(ValueError):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    raise BadFileName(
        _("“%(element)s” is no day: a day that exists is expected as YYYYMMDD, such as 20240401."),
        {"element": _shown(text)},
    )


def _environment(letter: str) -> Environment:
    try:
        return Environment(letter)
    except ValueError:
        raise BadFileName(
            _("“%(element)s” is no environment: it is R (production), T (test) or S (simulation)."),
            {"element": _shown(letter)},
        ) from None


def _shown(text: str) -> str:
    """`text` for a sentence: what the other side calls a file may be long, and hold anything."""
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."
