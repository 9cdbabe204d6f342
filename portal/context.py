"""What every page knows: who is signed in for whom, and in which environment."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpRequest

from portal import acting
from portal.models import OF_CLIENTS, Application, ChannelProfile, MandateProfile, Membership, Profile
from portal.views import frame

_SIGNED_OUT = {
    "mandataire": "",
    "company": "",
    "quality": "",
    "organisations": [],
    "sender_number": "",
    "environment": "R",
    "todo_count": 0,
    "may": {},
}


def house(request: HttpRequest) -> dict[str, object]:
    """The variables of the frame, as `base.html` lists them. A page's own context wins over them."""
    must_set_up = getattr(request, "must_set_up", False)
    context: dict[str, object] = {"nav": "", "is_demo": settings.IS_DEMO, "must_set_up": must_set_up}
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return context | _SIGNED_OUT
    if must_set_up:
        return context | _SIGNED_OUT | {"mandataire": membership.mandataire.name}
    channel = frame.channel_of(request)
    everywhere = {application: membership.reach(application) is None for application in OF_CLIENTS}
    return context | {
        "company": membership.employer.name if membership.employer else "",
        "mandataire": membership.mandataire.name,
        "quality": membership.mandataire.get_quality_display(),
        "organisations": acting.organisations(getattr(request, "places", ())),
        "sender_number": channel.sender_number if channel else "",
        "environment": channel.environment if channel else "R",
        # Counted when the page is drawn, unless the page knows it already.
        "todo_count": partial(frame.todo_count, request),
        "may": {
            "declarations": membership.may(Profile.ENCODE),
            "batches": membership.may(Profile.ENCODE) and everywhere[Application.DECLARATIONS],
            "files": membership.may(Profile.ADMINISTRATIVE) and everywhere[Application.DECLARATIONS],
            "mandates": membership.may(MandateProfile.SEE),
            "channel": membership.may(ChannelProfile.SEE),
            "journal": membership.may(Profile.EXTENDED) and all(everywhere.values()),
        },
    }
