"""The states of a mandate and the table of moves between them, as the service MAHIS keeps them.

Whether an active mandate allows anything on a day is a matter of its dates, not of its state: closing one sets its last
day, and it stays active until then. So no clock has to run for a mandate to end, and the constraint that keeps two
mandataires apart goes on holding for quarters that have passed.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from mandates.numbers import quarter_days, quarter_of
from portal.moving import Moves

if TYPE_CHECKING:
    from mandates.models import Mandate


class MandateState(models.TextChoices):
    """Where the mandate stands between its two parties. `closed` is one that was taken back before it took effect."""

    TO_FINALISE = "to_finalise", _("to finalise")
    PENDING = "pending", _("pending")
    ACTIVE = "active", _("active")
    REFUSED = "refused", _("refused")
    CLOSED = "closed", _("closed")


class Party(models.TextChoices):
    """Who has to validate."""

    MANDATAIRE = "mandataire", _("the mandataire")
    EMPLOYER = "employer", _("the employer")


_S = MandateState


class ImportState(models.TextChoices):
    """Where a file of mandates stands: looked at and waiting for a decision, being applied, or done with.

    Without labels: the words of the pages are in `portal.templatetags.wording`.
    """

    CHECKED = "checked"
    APPLYING = "applying"
    APPLIED = "applied"


IMPORT_MOVES: Moves = {
    ImportState.CHECKED: (ImportState.APPLYING,),
    # Back when all or nothing was wanted, and one row could not be applied.
    ImportState.APPLYING: (ImportState.APPLIED, ImportState.CHECKED),
    ImportState.APPLIED: (),
}

OPEN: Final = (_S.TO_FINALISE, _S.PENDING)
"""Not yet decided: may still be taken back."""

MANDATE_MOVES: Moves = {
    _S.TO_FINALISE: (_S.PENDING, _S.CLOSED),
    _S.PENDING: (_S.ACTIVE, _S.REFUSED, _S.CLOSED),
    _S.ACTIVE: (),
    _S.REFUSED: (),
    _S.CLOSED: (),
}

STANDINGS: Final = (
    "to_finalise",
    "pending",
    "upcoming",
    "active",
    "ending",
    "ended",
    "refused",
    "withdrawn",
)
"""How a mandate stands on a day, for the pages: its state, with what the dates make of an active one."""


def standing(mandate: Mandate, day: date) -> str:
    """One of STANDINGS. `ending`: active, and its last day lies in the quarter of `day`."""
    if mandate.state == _S.CLOSED:
        return "withdrawn"
    if mandate.state != _S.ACTIVE:
        return mandate.state
    if mandate.starts_on > day:
        return "upcoming"
    if mandate.ends_on is None or mandate.ends_on > quarter_days(quarter_of(day))[1]:
        return "active"
    return "ending" if mandate.ends_on >= day else "ended"


def standing_filter(name: str, day: date) -> models.Q:
    """The rows that `standing` calls `name` on `day`."""
    last = quarter_days(quarter_of(day))[1]
    active, begun = models.Q(state=_S.ACTIVE), models.Q(starts_on__lte=day)
    match name:
        case "withdrawn":
            return models.Q(state=_S.CLOSED)
        case "upcoming":
            return active & models.Q(starts_on__gt=day)
        case "active":
            return active & begun & (models.Q(ends_on=None) | models.Q(ends_on__gt=last))
        case "ending":
            return active & begun & models.Q(ends_on__gte=day, ends_on__lte=last)
        case "ended":
            return active & begun & models.Q(ends_on__lt=day)
        case state:
            return models.Q(state=state)
