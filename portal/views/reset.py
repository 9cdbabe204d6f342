"""Taking away the second factor of a user who lost it."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal import admitting, factors
from portal.access import confirmed, needs
from portal.models import UserProfile
from portal.templatetags.presenting import person_name
from portal.views.member import administered


@require_http_methods(["GET", "HEAD", "POST"])
@needs(UserProfile.MANAGE)
@confirmed("people")
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what follows; takes the second factor away on the second click."""
    found = administered(request, pk)
    if request.method == "POST":
        try:
            with transaction.atomic():
                admitting.reset_factors(found)
        except admitting.Refused as refusal:
            messages.error(request, str(refusal))
        else:
            done = _("The second factor of %(who)s is gone; the next sign-in asks for a new one.")
            messages.success(request, done % {"who": person_name(found.user)})
        return redirect("member", found.pk)
    held = [factors.label(factor) for factor in factors.held_by(found.user)]
    return render(request, "portal/member_reset.html", {"nav": "team", "member": found, "factors": held})
