"""Sending an answered test to production: what may go, what is left out and why, and the button."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.access import confirmed, membership, mine, needs
from portal.models import Profile
from submissions import departing, promoting
from submissions.models import Batch, Declaration
from submissions.promoting import Fate


def promotion_of(request: HttpRequest, chosen: Batch) -> dict[str, Any] | None:
    """What the page of a set tells of its way to production; None for what was no test, or is not answered.

    Two queries. The button is there for who may press it, as long as there is something to send and it may leave.
    """
    if not promoting.is_offered(chosen):
        return None
    found = promoting.fates(chosen)
    obstacle = ""
    try:
        promoting.check_may_leave(chosen.channel, chosen.service)
    except promoting.CannotPromote as refusal:
        obstacle = str(refusal)
    may = membership(request).may(Profile.EXTENDED) and found[Fate.GOOD] and not obstacle
    return {
        "count": found[Fate.GOOD],
        "obstacle": obstacle if found[Fate.GOOD] else "",
        "left_out": [
            {"reason": fate.label, "todo": promoting.TODO[fate], "count": found[fate]}
            for fate in Fate
            if fate is not Fate.GOOD and found[fate]
        ],
        "left_out_count": found.total() - found[Fate.GOOD],
        "action": _button(chosen, found[Fate.GOOD]) if may else None,
    }


def _button(chosen: Batch, count: int) -> dict[str, Any]:
    question = ngettext(
        "%(count)d declaration is made for production from its record as it stands. It counts as declared once "
        "production accepts it.",
        "%(count)d declarations are made for production from their records as they stand. They count as declared "
        "once production accepts them.",
        count,
    )
    return {
        "url": reverse("batch_promote", args=[chosen.pk]),
        "label": _("Send to production"),
        "question": question % {"count": count},
    }


def fate_of(declaration: Declaration) -> str:
    """Why a declaration of `promoting.judged` does not go to production; "" for one that may."""
    fate = Fate(declaration.fate)  # type: ignore[attr-defined]
    return "" if fate is Fate.GOOD else _("Not for production: %(reason)s") % {"reason": fate.label}


@require_POST
@needs(Profile.EXTENDED)
@confirmed("send", back="batch")
def promote(request: HttpRequest, pk: int) -> HttpResponse:
    """Declares for production what this set tested; it leaves with the next departure, in sets of its own."""
    chosen = mine(Batch, pk=pk)
    try:
        with transaction.atomic():
            found = promoting.promote(chosen)
    except promoting.CannotPromote as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            _("Declared for production: %(count)d. %(leaves)s")
            % {"count": found[Fate.GOOD], "leaves": departing.told(chosen.service)},
        )
    return redirect("batch", pk)
