"""What is said of one cause, and the correction that it calls for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

type Text = str | Promise


class Correction(Enum):
    """What has to be mended, in words."""

    FIELD = _("The declaration")
    """The element that the anomaly names, or the declaration when it names none."""
    WORKER = _("The worker's data")
    EMPLOYER = _("The employer's data")
    MANDATE = _("The mandate")
    EMPLOYMENT = _("The employment (Dimona)")
    OTHER = _("One of the two declarations")
    SET = _("Nothing in the declarations: the batch is sent again")
    CHANNEL = _("The channel")
    PORTAL = _("Nothing that you can mend: whoever runs this portal")
    NOTHING = _("Nothing, if all is right")
    UNKNOWN = _("What the raw line names")


CORRECT = _("Correct")
CHECK = _("Check")
COMPARE = _("Compare")
SEE_REFUSALS = _("See the refusals")
LOOK_AT_BATCH = _("Look at the batch")
LOOK_AT_EMPLOYER = _("Look at the employer")


@dataclass(frozen=True, slots=True)
class Words:
    """One cause: a title, what happened, what to do, the label of the link that starts doing it, and what to mend."""

    title: Text
    what: Text
    todo: Text
    action: Text = CORRECT
    correction: Correction = Correction.FIELD
