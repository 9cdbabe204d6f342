"""File names as the receiver reads them: `KK.AAAA.EEEEEE.YYYYMMDD.SSSSS.V[.N[.M]]`.

Source: www.socialsecurity.be/site_fr/general/helpcentre/batch/ (files/directives) and annex 30 for the codes.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Environment = Literal["R", "T", "S"]

INBOX: dict[str, Environment] = {"IN": "R", "INTEST": "T", "INTEST-S": "S"}
OUTBOX: dict[str, str] = {"IN": "OUT", "INTEST": "OUTTEST", "INTEST-S": "OUTTEST-S"}
DIRECTORIES = (*INBOX, *OUTBOX.values())
PREFIXES = ("FI", "FS", "GO", "TD")
WRONG_DIRECTORY = {"R": "118", "T": "119", "S": "257"}
_UNFINISHED = (".part", ".filepart", ".tmp")
_DIGITS = re.compile(r"[0-9]+")
_SHAPED = re.compile(r"[A-Za-z0-9]{2}\.[^.]+\.[^.]+\.[^.]+\.[^.]+\.[^.]+")


@dataclass(frozen=True)
class Refusal:
    """One reason to refuse a whole set: a code of annex 30 (three digits) and the reason in plain words."""

    code: str
    why: str


@dataclass(frozen=True)
class Rules:
    """What the receiver tolerates in a name; everything the public pages leave open is a value here."""

    today: date
    max_age_days: int
    max_parts: int
    numeric_sequence: bool


def is_unfinished(name: str) -> bool:
    """Clients upload under a temporary name and rename into place: such names are not looked at."""
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def is_shaped(name: str) -> bool:
    """True when the name has the outline of an exchange file, whatever its prefix."""
    return _SHAPED.match(name) is not None


def prefix_of(name: str) -> str:
    """What precedes the first dot: FI, FS, GO, TD or something else."""
    return name.partition(".")[0]


def key_of(marker: str) -> str:
    """What binds the files of one set together, read from its GO (or TD): `AAAA.EEEEEE.YYYYMMDD.SSSSS.V`.

    A GO of the wrong shape binds the files that start like it.
    """
    elements = marker.split(".")[1:]
    return ".".join(elements[:5])


def belongs(name: str, key: str) -> bool:
    """True when the file `name` is an FI or FS of the set `key`."""
    prefix, _, rest = name.partition(".")
    return prefix in ("FI", "FS") and (rest == key or rest.startswith(key + "."))


def environment_of(key: str) -> str:
    """The environment letter of a set's key, empty when the key is too short to have one."""
    elements = key.split(".")
    return elements[4] if len(elements) > 4 else ""


def application_of(key: str) -> str:
    """The application code of a set's key (`FLAD`, `DIMN`...)."""
    return key.partition(".")[0]


def parts_announced(marker: str) -> int:
    """N of a GO whose name passed `check_marker`; names without a part suffix stand for one part."""
    elements = marker.split(".")
    return int(elements[6]) if len(elements) > 6 else 1


def check_marker(marker: str, sender: str, directory: str, rules: Rules) -> list[Refusal]:
    """Everything wrong with the name of a GO that `sender` left in `directory`."""
    elements = marker.split(".")
    if len(elements) not in (6, 7):
        return [Refusal("107", f"{marker}: a GO has 6 or 7 elements, not {len(elements)}")]
    _, application, number, day, sequence, environment = elements[:6]
    found: list[Refusal] = []
    if not re.fullmatch(r"[A-Z0-9]{4}", application) or not re.fullmatch(r"[0-9]{6}", number):
        found.append(Refusal("107", f"{marker}: application code or sender number of the wrong shape"))
    elif number != sender:
        found.append(Refusal("108", f"{marker}: the directory belongs to sender {sender}"))
    found += _check_day(day, rules)
    found += _check_sequence(sequence, rules)
    if environment not in ("R", "T", "S"):
        found.append(Refusal("117", f"environment {environment!r} is not R, T or S"))
    elif INBOX[directory] != environment:
        found.append(Refusal(WRONG_DIRECTORY[environment], f"environment {environment} left in {directory}"))
    if len(elements) == 7:
        found += _check_parts(elements[6], rules)
    return found


def _check_day(day: str, rules: Rules) -> list[Refusal]:
    if len(day) != 8:
        return [Refusal("109", f"date {day!r} has {len(day)} positions")]
    try:
        if not _DIGITS.fullmatch(day):
            raise ValueError(day)
        created = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return [Refusal("110", f"date {day!r} is not a day")]
    if created > rules.today:
        return [Refusal("111", f"date {day} lies after {rules.today}")]
    if created < rules.today - timedelta(days=rules.max_age_days):
        return [Refusal("126", f"date {day} is more than {rules.max_age_days} days old")]
    return []


def _check_sequence(sequence: str, rules: Rules) -> list[Refusal]:
    if len(sequence) != 5:
        return [Refusal("112", f"sequence {sequence!r} has {len(sequence)} positions")]
    if not re.fullmatch(r"[0-9A-Z]{5}", sequence):
        return [Refusal("367", f"sequence {sequence!r} holds something else than 0-9 and A-Z")]
    if rules.numeric_sequence and not _DIGITS.fullmatch(sequence):
        return [Refusal("113", f"sequence {sequence!r} is not numeric")]
    return [Refusal("127", "the sequence is zero")] if sequence == "00000" else []


def _check_parts(parts: str, rules: Rules) -> list[Refusal]:
    if len(parts) != 1:
        return [Refusal("114", f"number of parts {parts!r} has {len(parts)} positions")]
    if not _DIGITS.fullmatch(parts):
        return [Refusal("115", f"number of parts {parts!r} is not numeric")]
    if parts == "0":
        return [Refusal("116", "the number of parts is zero")]
    if int(parts) > rules.max_parts:
        return [Refusal("128", f"{parts} parts, at most {rules.max_parts} allowed")]
    return []


def check_parts(files: list[str], announced: int, *, is_signed: bool, may_sign: bool) -> list[Refusal]:
    """Whether the FI and FS of a set are the ones that its GO announces.

    `is_signed`: FS are required; `may_sign`: FS are tolerated.
    """
    found: list[Refusal] = []
    shape = {"FI": "131", "FS": "132"}
    counts = {"FI": "120", "FS": "122"}
    numbering = {"FI": "123", "FS": "124"}
    for prefix in ("FI", "FS"):
        mine = [name for name in files if prefix_of(name) == prefix]
        wanted = announced
        if prefix == "FS":
            if mine and not may_sign:
                found.append(Refusal("121", "no signature file is wanted here"))
                continue
            wanted = announced if is_signed or mine else 0
        wrong = [name for name in mine if len(name.split(".")) not in (6, 8)]
        if wrong:
            found.append(Refusal(shape[prefix], f"{wrong[0]}: {prefix} files have 6 or 8 elements"))
        elif len(mine) != wanted:
            found.append(Refusal(counts[prefix], f"{len(mine)} {prefix} for {wanted} announced"))
        elif {_part_suffix(name) for name in mine} != {
            (str(announced), str(part)) for part in range(1, wanted + 1)
        }:
            found.append(Refusal(numbering[prefix], f"{prefix} numbered {sorted(map(_part_suffix, mine))}"))
    return found


def _part_suffix(name: str) -> tuple[str, str]:
    elements = name.split(".")
    return (elements[6], elements[7]) if len(elements) == 8 else ("1", "1")


def part_number(name: str) -> int:
    """M of an FI or FS whose name passed `check_parts`."""
    return int(_part_suffix(name)[1])
