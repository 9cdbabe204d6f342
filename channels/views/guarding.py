"""Who may set up the channel and its keys, and when he is asked again who he is: what stands before each such view."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from portal.access import View, confirm_first, confirmed, is_confirmed, needs
from portal.models import ChannelProfile

_WHY = "keys"


def sees_set_up(view: View) -> View:
    """Lets in who holds the profile for it, or is a manager: for what only shows, public halves included."""
    return needs(ChannelProfile.MANAGE)(view)


def sets_up(view: View) -> View:
    """`sees_set_up`, after asking once more who it is.

    The page asks before it shows its form: an uploaded key could not wait for the answer.
    """
    return sees_set_up(confirmed(_WHY)(view))


def sets_up_by_button(page: str) -> Callable[[View], View]:
    """`sets_up` for a button on `page`, an address without arguments: looking at that page asks nothing."""

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST" or is_confirmed(request):
                return view(request, *args, **kwargs)
            return confirm_first(request, _WHY, reverse(page))

        return sees_set_up(asked)

    return decorate
