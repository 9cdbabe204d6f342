"""Charts as places in a drawing of fixed size: pure arithmetic, which templates turn into SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 760
HEIGHT: Final = 200
LEFT: Final = 44
"""Room for the scale."""
TOP: Final = 10
FOOT: Final = 26
"""Room for the names of the months."""
_PLOT: Final = HEIGHT - TOP - FOOT
_BASE: Final = TOP + _PLOT
_WIDEST: Final = 40


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a column, `kind` says of what."""

    kind: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale at `y`, and the value it stands for."""

    y: int
    value: int


@dataclass(frozen=True, slots=True)
class Column:
    """The pieces of one column from the foot up; `middle` is where its name stands."""

    middle: int
    pieces: tuple[Piece, ...]


def top_of(most: int) -> int:
    """The number at which a scale ends: 1, 2 or 5 times a power of ten, at least `most` and at least 2."""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= max(most, 2):
                return step * power
        power *= 10


def ticks(top: int) -> list[Tick]:
    """The foot, the middle and the top of a scale; no middle between two whole numbers."""
    values = [0, top] if top % 2 else [0, top // 2, top]
    return [Tick(_BASE - _PLOT * value // top, value) for value in values]


def middles(count: int) -> list[int]:
    """Where each of `count` columns has its middle."""
    room = WIDTH - LEFT
    return [LEFT + room * (2 * place + 1) // (2 * count) for place in range(count)]


def columns(counts: Sequence[Mapping[str, int]], top: int) -> Iterator[Column]:
    """A column for each of `counts`, whose pieces stand on one another in their order; what is zero has no piece.

    The edges are rounded, not the heights: so a column is as high as its sum, whatever it consists of.
    """
    wide = min(_WIDEST, (WIDTH - LEFT) * 7 // (10 * max(len(counts), 1)))
    for middle, parts in zip(middles(len(counts)), counts, strict=True):
        pieces, below = [], 0
        for kind, count in parts.items():
            lower, upper = _height(below, top), _height(below + count, top)
            below += count
            if count:
                # One refusal among thousands stays visible.
                high = max(upper - lower, 2)
                pieces.append(Piece(kind, middle - wide // 2, _BASE - lower - high, wide, high))
        yield Column(middle, tuple(pieces))


def _height(count: int, top: int) -> int:
    return round(_PLOT * count / top)


def rates(shares: Sequence[float | None]) -> tuple[list[str], list[tuple[int, int] | None]]:
    """The lines (as SVG `points`) through shares of a hundred, and the place of each; a gap where there is none."""
    places = [
        None if share is None else (middle, _BASE - round(_PLOT * share / 100))
        for middle, share in zip(middles(len(shares)), shares, strict=True)
    ]
    runs: list[list[str]] = [[]]
    for place in places:
        if place is None:
            runs.append([])
        else:
            runs[-1].append(f"{place[0]},{place[1]}")
    return [" ".join(run) for run in runs if len(run) > 1], places
