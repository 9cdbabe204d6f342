"""What the frame around every page shows: whose it is, where it sends to, and how much is to be corrected."""

from __future__ import annotations

from django.http import HttpRequest

from channels import standing
from channels.models import Channel
from portal import tenancy
from portal.access import reaching
from portal.models import Application, Membership, Profile
from submissions import questions

_NOT_ASKED = object()


def channel_of(request: HttpRequest) -> Channel | None:
    """The channel of the mandataire, as far as the frame shows it, asked once per request."""
    found = getattr(request, "channel", _NOT_ASKED)
    if found is _NOT_ASKED:
        found = standing.channel_shown() if tenancy.current_or_none() else None
        note_channel(request, found)
    return found  # type: ignore[return-value]


def note_channel(request: HttpRequest, channel: Channel | None) -> None:
    """Spares the frame a query where the page has asked for the channel already."""
    request.channel = channel  # type: ignore[attr-defined]


def note_todo_count(request: HttpRequest, count: int) -> None:
    """Spares the frame a query where the page has counted already."""
    request.todo_count = count  # type: ignore[attr-defined]


def todo_count(request: HttpRequest) -> int:
    """Declarations to correct, as far as the reader may see any."""
    known: int | None = getattr(request, "todo_count", None)
    if known is None:
        member: Membership | None = getattr(request, "membership", None)
        known = 0
        if member is not None and member.may(Profile.ENCODE):
            with reaching(member, Application.DECLARATIONS):
                known = questions.to_correct().count()
        note_todo_count(request, known)
    return known
