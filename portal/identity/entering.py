"""The last step of signing in with the account of an organisation: from a member to a session."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import reverse

from portal import audit, entering, factors, tenancy
from portal.identity.models import IdentityProvider
from portal.models import Membership


def enter(request: HttpRequest, member: Membership, provider: IdentityProvider, onward: str) -> str:
    """Signs the member's user in, for the mandataire whose scope is open; returns where the browser goes next.

    Unless the provider vouches for a second factor, that is where his own is asked for, if he has one.

    The caller has opened the scope of the provider's mandataire in the name of that user, and has made sure that the
    account is linked to `member` and that neither he nor his user is blocked.
    """
    place, onward = str(tenancy.current()), onward or resolve_url("home")
    if not provider.vouches_for_second_factor and factors.held_by(member.user):
        entering.halfway(request, member.user, onward, provider=provider.label)
        request.session[entering.BOUND_TO] = place
        return reverse("sign_in_code")
    audit.record("identity.entered", member, data={"name": provider.label})
    login(request, member.user, backend=entering.BACKEND)
    request.session[factors.VOUCHED] = provider.vouches_for_second_factor
    request.session[entering.BOUND_TO] = place
    return onward
