"""Which moves exist. A state that is not a key of its table does not exist; one without moves is final."""

from __future__ import annotations

from typing import Final

from channels.models import Drop, InboundFile
from portal.moving import Moves

_D, _F = Drop.State, InboundFile.State

DROP_MOVES: Final[Moves] = {
    _D.STARTED: {_D.GO_INTENDED, _D.FAILED, _D.UNKNOWN, _D.CONFIRMED},
    # Never straight to `failed`: after the intention only a look, an answer or a person can tell.
    _D.GO_INTENDED: {_D.CONFIRMED, _D.UNKNOWN},
    _D.UNKNOWN: {_D.STARTED, _D.GO_INTENDED, _D.CONFIRMED, _D.FAILED},
    # Only by a person who knows that the set never arrived, when its acknowledgement stays away.
    _D.CONFIRMED: {_D.FAILED},
    # Only by an answer: it proves that a set which a person gave up had left.
    _D.FAILED: {_D.CONFIRMED},
}

INBOUND_MOVES: Final[Moves] = {
    _F.STORED: {_F.APPLIED, _F.UNMATCHED, _F.UNREADABLE},
    _F.UNMATCHED: {_F.STORED},
    _F.UNREADABLE: {_F.STORED},
    _F.APPLIED: frozenset(),
}
