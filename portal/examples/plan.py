"""How many records of which fate, and at which employer: settled before a single person is invented.

Of all records 75 % are accepted, 15 % accepted with remarks and 10 % refused, each share rounded to the
nearest record; accepted takes what is left.

A record is refused when the national registers (`registry.json`) say otherwise than the client's files:

1. the employer is known (`00014-017`; the examples have no such mistake);
2. the sender holds a mandate for the employer on the day of sending (`00011-155`);
3. the worker is known (`00024-179`);
4. the worker was employed there on the first day (`99003-152`) and on the last (`99004-152`);
5. no training on the worker's account has the same title, first and last day (`99000-272`), and none shares a
   day with it (`99000-334`). What was refused is on no account; trainings of any employer are;
6. and accepted with a remark when the duration exceeds (last day - first day + 1) normal days of a
   full-timer (`99005-420`), or what is charged in the calendar year of the first day, this training included,
   exceeds the right (`99008-326`).

Every mishap breaks one rule only, but for a training after the worker left, which is wrong on both days.

Two records make a duplicate, an overlap or, together, more than the right: whichever of them comes first is
accepted and the other is not, so that the counts do not depend on the order of sending.
"""

import random
from collections import Counter
from dataclasses import dataclass
from enum import Enum


class Fate(Enum):
    """What a record, or a pair, is made for: the (first) anomaly code, and how many records it takes."""

    NO_MANDATE = ("00011-155", 1)
    UNKNOWN_WORKER = ("00024-179", 1)
    STARTS_AFTER_LEAVING = ("99003-152", 1)
    ENDS_AFTER_LEAVING = ("99004-152", 1)
    DUPLICATE = ("99000-272", 2)
    OVERLAP = ("99000-334", 2)
    TOO_LONG = ("99005-420", 1)
    OVER_RIGHT = ("99008-326", 1)
    OVER_RIGHT_TOGETHER = ("99008-326", 2)

    @property
    def code(self) -> str:
        """The anomaly code in the answer, such as `00024-179`."""
        return self.value[0]

    @property
    def size(self) -> int:
        """The number of records it takes; all but one of them are accepted."""
        return self.value[1]

    @property
    def is_remark(self) -> bool:
        return self in (Fate.TOO_LONG, Fate.OVER_RIGHT, Fate.OVER_RIGHT_TOGETHER)


@dataclass(frozen=True, slots=True)
class Counts:
    accepted: int = 0
    accepted_with_remarks: int = 0
    refused: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.accepted + other.accepted,
            self.accepted_with_remarks + other.accepted_with_remarks,
            self.refused + other.refused,
        )

    @property
    def total(self) -> int:
        return self.accepted + self.accepted_with_remarks + self.refused


@dataclass(frozen=True, slots=True)
class Share:
    """What one employer gets: its mishaps, and how many records without any."""

    mishaps: tuple[Fate, ...]
    ordinary: int
    has_mandate: bool = True

    @property
    def counts(self) -> Counts:
        remarks = sum(fate.is_remark for fate in self.mishaps)
        companions = sum(fate.size - 1 for fate in self.mishaps)
        return Counts(self.ordinary + companions, remarks, len(self.mishaps) - remarks)

    @property
    def codes(self) -> Counter[str]:
        return Counter(fate.code for fate in self.mishaps)


#: At most so many records at the employer whose mandate is unknown, and a fifth of all refusals.
FEW = 8

_REFUSALS = (
    Fate.UNKNOWN_WORKER,
    Fate.OVERLAP,
    Fate.STARTS_AFTER_LEAVING,
    Fate.DUPLICATE,
    Fate.ENDS_AFTER_LEAVING,
    Fate.UNKNOWN_WORKER,
)
_REMARKS = (Fate.TOO_LONG, Fate.OVER_RIGHT, Fate.TOO_LONG, Fate.OVER_RIGHT_TOGETHER)


def mix(records: int) -> Counts:
    """The outcome of `records` records: 150, 30 and 20 of 200."""
    refused = (records * 10 + 50) // 100
    remarks = (records * 15 + 50) // 100
    return Counts(records - refused - remarks, remarks, refused)


def share_out(rng: random.Random, records: int, employers: int, without_mandate: int | None) -> list[Share]:
    """One share per employer; every employer gets at least one record.

    `without_mandate` is the place of the employer whose mandate the registers miss, or None. Its mandate is
    only missing when there is a refusal to spend on it.
    """
    wanted = mix(records)
    alone = 0
    if without_mandate is not None and wanted.refused:
        alone = max(1, min(wanted.refused // 5, FEW, records - employers + 1))
    others = [place for place in range(employers) if not alone or place != without_mandate]
    sizes = _sizes(rng, records - alone, others)

    left = dict(sizes)
    mishaps: dict[int, list[Fate]] = {place: [] for place in others}
    slots = [place for place in others for _ in range(sizes[place])]
    rng.shuffle(slots)
    refusals = [_REFUSALS[i % len(_REFUSALS)] for i in range(wanted.refused - alone)]
    remarks = [_REMARKS[i % len(_REMARKS)] for i in range(wanted.accepted_with_remarks)]
    # Pairs first: they need an employer with two records to give.
    for fate in sorted(refusals + remarks, key=lambda fate: -fate.size):
        place = slots.pop()
        while not left[place]:
            place = slots.pop()
        fits = fate if fate.size <= left[place] else _single(fate)
        mishaps[place].append(fits)
        left[place] -= fits.size

    shares = {place: Share(tuple(mishaps[place]), left[place]) for place in others}
    if alone and without_mandate is not None:
        shares[without_mandate] = Share((Fate.NO_MANDATE,) * alone, 0, has_mandate=False)
    return [shares[place] for place in range(employers)]


def _single(fate: Fate) -> Fate:
    """The mishap of one record that stands in for a pair where there is room for one only."""
    return Fate.OVER_RIGHT if fate.is_remark else Fate.UNKNOWN_WORKER


def _sizes(rng: random.Random, records: int, places: list[int]) -> dict[int, int]:
    """Records per employer: one each, the rest by weights as uneven as those of real clients."""
    weights = [rng.randint(2, 12) for _ in places]
    spare = records - len(places)
    whole = sum(weights)
    sizes = {place: 1 + spare * weight // whole for place, weight in zip(places, weights, strict=True)}
    for place in places[: records - sum(sizes.values())]:
        sizes[place] += 1
    return sizes
