"""Changing the organisation for which one acts."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal import acting
from portal.access import for_members


@require_POST
@for_members
def choose(request: HttpRequest) -> HttpResponse:
    """Acts for another organisation of the user from the next page on; 404 for one that does not let him in.

    Nothing is written in any journal: each act names its organisation, because each has a journal of its own.
    """
    wanted = request.POST.get("organisation", "")
    for one in acting.organisations(request.places):  # type: ignore[attr-defined]
        if str(one.id) == wanted:
            acting.choose(request.session, one.id)
            told = _("You act for %(organisation)s now (%(quality)s).")
            messages.success(request, told % {"organisation": one.name, "quality": one.quality})
            return redirect("home")
    raise Http404
