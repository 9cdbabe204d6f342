"""The tables of moves: what may follow what. Every move is a guarded update (see `portal.moving`)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models import EnvironmentCode
from portal.moving import Moves


class DeclarationState(models.TextChoices):
    """The life of one Form."""

    DRAFT = "draft", _("to complete")
    READY = "ready", _("ready to leave")
    BATCHED = "batched", _("in a sealed set")
    SENT = "sent", _("sent")
    ACKNOWLEDGED = "acknowledged", _("received by social security")
    ACCEPTED = "accepted", _("accepted")
    ACCEPTED_WITH_REMARKS = "accepted_with_remarks", _("accepted with remarks")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


class BatchState(models.TextChoices):
    """The life of one set."""

    OPEN = "open", _("being prepared")
    SEALED = "sealed", _("sealed")
    DROPPED = "dropped", _("dropped")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    REJECTED = "rejected", _("refused as a whole")
    ANSWERED = "answered", _("answered")
    PARKED = "parked", _("waiting for a decision")


_D, _B = DeclarationState, BatchState

ON_THE_WAY = (_D.BATCHED, _D.SENT, _D.ACKNOWLEDGED)
ACCEPTED = (_D.ACCEPTED, _D.ACCEPTED_WITH_REMARKS)
SETTLED = (*ACCEPTED, _D.REFUSED, _D.WITHDRAWN)
LIVE = (_D.DRAFT, _D.READY, *ON_THE_WAY)

TESTS = (EnvironmentCode.TEST, EnvironmentCode.SIMULATION)
"""Environments in which nothing counts as declared."""

# An answer proves everything before it: a NOTI may overtake its ACRF, and either may overtake our own note that the
# set was dropped. So the moves skip forward, and no answer moves anything back.
DECLARATION_MOVES: Moves = {
    _D.DRAFT: (_D.READY, _D.WITHDRAWN),
    _D.READY: (_D.DRAFT, _D.BATCHED, _D.WITHDRAWN),
    _D.BATCHED: (_D.SENT, _D.ACKNOWLEDGED, *ACCEPTED, _D.REFUSED),
    # Back only when a person found out that the set never arrived.
    _D.SENT: (_D.BATCHED, _D.ACKNOWLEDGED, *ACCEPTED, _D.REFUSED),
    _D.ACKNOWLEDGED: (*ACCEPTED, _D.REFUSED),
    _D.ACCEPTED: (),
    _D.ACCEPTED_WITH_REMARKS: (),
    _D.REFUSED: (),
    _D.WITHDRAWN: (),
}

BATCH_MOVES: Moves = {
    _B.OPEN: (_B.SEALED,),
    _B.SEALED: (_B.DROPPED, _B.PARKED, _B.ACKNOWLEDGED, _B.REJECTED, _B.ANSWERED),
    _B.PARKED: (_B.SEALED, _B.DROPPED, _B.ACKNOWLEDGED, _B.REJECTED, _B.ANSWERED),
    _B.DROPPED: (_B.SEALED, _B.ACKNOWLEDGED, _B.REJECTED, _B.ANSWERED),
    _B.ACKNOWLEDGED: (_B.ANSWERED,),
    _B.REJECTED: (),
    _B.ANSWERED: (),
}


def before(moves: Moves, state: str) -> list[str]:
    """The states from which `state` may be reached: what a set-based guarded update filters on."""
    return [old for old, reachable in moves.items() if state in reachable]


class RegisterImportState(models.TextChoices):
    """Where a file for the register stands. Its words are in `portal.templatetags.wording`.

    `mapping`: somebody has to say which columns are which. `checked`: a dry run that waits for a decision.
    """

    CHECKING = "checking"
    MAPPING = "mapping"
    CHECKED = "checked"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"
    UNREADABLE = "unreadable"
    DISCARDED = "discarded"


_R = RegisterImportState

REGISTER_IMPORT_MOVES: Moves = {
    _R.CHECKING: (_R.MAPPING, _R.CHECKED, _R.UNREADABLE),
    _R.MAPPING: (_R.CHECKING, _R.DISCARDED),
    # Checked once more after its columns were changed.
    _R.CHECKED: (_R.CHECKING, _R.APPLYING, _R.DISCARDED),
    # Back when all or nothing was wanted, and one row could not be applied.
    _R.APPLYING: (_R.APPLIED, _R.CHECKED),
    _R.APPLIED: (_R.UNDOING,),
    _R.UNDOING: (_R.UNDONE,),
    _R.UNDONE: (),
    _R.UNREADABLE: (_R.DISCARDED,),
    _R.DISCARDED: (),
}


class LettersState(models.TextChoices):
    """Where the balance letters of a year stand. Its words are in `portal.templatetags.wording`."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DELETED = "deleted"


class CorrectionState(models.TextChoices):
    """Where a request for a correction stands. Its words are in `portal.templatetags.wording`."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"


_L, _C = LettersState, CorrectionState

LETTERS_MOVES: Moves = {
    _L.DUE: (_L.RUNNING,),
    _L.RUNNING: (_L.DONE, _L.FAILED),
    _L.DONE: (_L.DELETED,),
    # Tried again because a person asked for it.
    _L.FAILED: (_L.DUE, _L.DELETED),
    _L.DELETED: (),
}

CORRECTION_MOVES: Moves = {
    _C.OPEN: (_C.ACCEPTED, _C.DECLINED),
    _C.ACCEPTED: (),
    _C.DECLINED: (),
}
