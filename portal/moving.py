"""Guarded moves of state: whoever finds the old state makes the move, everybody else learns that it was made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import models


class LostRace(RuntimeError):
    """Somebody else moved the object first: nothing was changed, and doing it again would be doing it twice."""

    permanent = True
    ambiguous = False


class ForbiddenMove(ValueError):
    """The table of moves does not know this move: a programming error."""


type Moves = Mapping[str, Collection[str]]


def move(row: models.Model, moves: Moves, new: str, **changes: Any) -> None:
    """Moves `row` from the state it was read in to `new`, with other `changes`, in one guarded UPDATE.

    Raises ForbiddenMove when `moves` does not allow it, LostRace when the row is no longer in the state it was read in.
    """
    old = row.state  # type: ignore[attr-defined]
    if new not in moves[old]:
        raise ForbiddenMove(f"{type(row).__name__}: {old} -> {new}")
    manager = type(row)._default_manager
    if manager.filter(pk=row.pk, state=old).update(state=new, **changes) != 1:
        raise LostRace(f"{type(row).__name__} {row.pk} is no longer {old}")
    for name, value in {"state": new, **changes}.items():
        setattr(row, name, value)
