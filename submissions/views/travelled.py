"""Everything sent and received, file by file: the page on which somebody looks what social security really said."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from channels.models import InboundFile
from portal import lists
from portal.access import membership, needs
from portal.models import ChannelProfile
from submissions import travelled
from submissions.travelled import Asked

CHIPS: Final = (
    ("", pgettext_lazy("files", "All")),
    (travelled.ALARM, pgettext_lazy("files", "Alarms")),
    (travelled.TO_LOOK_AT, pgettext_lazy("files", "To look at")),
    (InboundFile.State.STORED.value, pgettext_lazy("files", "Received")),
    (InboundFile.State.APPLIED.value, pgettext_lazy("files", "Processed")),
    (travelled.WAITING, pgettext_lazy("files", "Waiting to leave")),
    (travelled.LEFT, pgettext_lazy("files", "Sent")),
)
DIRECTIONS: Final = (
    (travelled.SENT, pgettext_lazy("files", "Sent")),
    (travelled.RECEIVED, pgettext_lazy("files", "Received")),
)
KINDS: Final = (
    ("FI", gettext_lazy("FI: declarations")),
    ("FS", gettext_lazy("FS: signatures")),
    ("GO", gettext_lazy("GO: start of the processing")),
    ("ACRF", gettext_lazy("ACRF: receipts")),
    ("NOTI", gettext_lazy("NOTI: answers")),
    ("IDFL", gettext_lazy("IDFL: replaced numbers")),
    (travelled.OTHER, gettext_lazy("Received, of another kind or not read yet")),
)


@require_safe
@needs(ChannelProfile.SEE)
def files(request: HttpRequest) -> HttpResponse:
    """Every file that travelled, newest first, by day, direction, kind and state."""
    kept, asked = _asked(request)
    counts = travelled.counts(asked)
    page = lists.page_of(request, travelled.files(asked), total=counts.get(asked.state, 0))
    page.object_list = travelled.rows(
        page.object_list, may_replay=membership(request).may(ChannelProfile.OPERATE)
    )
    context: dict[str, Any] = {
        "nav": "channel",
        "chips": lists.chips(CHIPS, counts, asked.state, kept),
        "page": page,
        "asked": {"from": "", "to": "", "direction": "", "kind": "", **kept, "state": asked.state},
        "directions": DIRECTIONS,
        "kinds": KINDS,
    }
    return render(request, "channels/file_list.html", context)


def _asked(request: HttpRequest) -> tuple[dict[str, str], Asked]:
    """The filters that mean something, as they stand in the address (without the state) and as what they ask."""
    given = request.GET
    asked = Asked(
        first=lists.day_of(given.get("from", "")),
        last=lists.day_of(given.get("to", "")),
        direction=_one_of(DIRECTIONS, given.get("direction", "")),
        kind=_one_of(KINDS, given.get("kind", "")),
        state=_one_of(CHIPS, given.get("state", "")),
    )
    kept = {
        "from": asked.first.isoformat() if asked.first else "",
        "to": asked.last.isoformat() if asked.last else "",
        "direction": asked.direction,
        "kind": asked.kind,
    }
    return {name: value for name, value in kept.items() if value}, asked


def _one_of(choices: Any, value: str) -> str:
    return value if value in {name for name, _label in choices} else ""
