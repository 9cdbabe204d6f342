"""The one door to an object: this tenant's, or the same 404 as an object that never was."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from portal import tenancy
from portal.models import AnyProfile, Application, Membership

type View = Callable[..., HttpResponseBase]

_NOT_KEPT: Final = frozenset({"csrfmiddlewaretoken", "password", "passphrase", "secret", "niss"})
"""Fields that never wait in a session: it is kept in clear."""

_CONFIRMED_AT: Final = "confirmed_at"
_TYPED: Final = "typed"


def mine[Row: models.Model](rows: type[Row] | models.QuerySet[Row], **lookup: Any) -> Row:
    """The row of the current tenant that `lookup` names, or 404.

    Row-level security hides other tenants' rows already; the filter on the tenant is the second lock on the door, and
    lets the index that leads with the tenant serve.
    """
    return get_object_or_404(rows, mandataire_id=tenancy.current(), **lookup)


def membership(request: HttpRequest) -> Membership:
    """The membership under which the signed-in user acts, or 404 for a user without one."""
    found: Membership | None = getattr(request, "membership", None)
    if found is None:
        raise Http404
    return found


def needs(profile: AnyProfile, *, everywhere: Collection[Application] = ()) -> Callable[[View], View]:
    """Lets only members with this profile, or one that includes it, into a view; others get 403 with the reason.

    Inside the view only the employers exist to whom the member is limited in the profile's application. A view about
    the whole house names the applications that must be open to its reader for all clients: `everywhere`.
    """

    def may_enter(member: Membership) -> bool:
        return member.may(profile) and all(member.reach(application) is None for application in everywhere)

    def reason(member: Membership) -> str:
        if member.may(profile):
            return _("This is about all clients, and your access is limited to some.")
        return _(
            "Your profile does not allow this. Ask your local manager for the profile “%(profile)s”."
        ) % {"profile": profile.label}

    return _guard(may_enter, reason, profile.application)


def for_managers(view: View) -> View:
    """Lets only local managers into a view; others get 403 with the reason."""
    return _guard(lambda member: member.is_manager, lambda _member: _("Only a local manager may do this."))(
        view
    )


def for_members(view: View) -> View:
    """Lets every member into a view, whatever he holds: what concerns himself, and whom to ask.

    It opens no limit but that of an employer user: whatever it shows of clients it asks for under `reaching`.
    """
    return _guard(lambda _member: True, lambda _member: "")(view)


def reaching(member: Membership, application: Application) -> AbstractContextManager[None]:
    """Narrows what is shown beside a view's own matter to the employers that the member has in `application`."""
    return tenancy.within(member.reach(application))


def _guard(
    may_enter: Callable[[Membership], bool],
    reason: Callable[[Membership], str],
    application: Application | None = None,
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            member = membership(request)
            if not may_enter(member):
                raise PermissionDenied(reason(member))
            with tenancy.within(member.reach(application) if application else None):
                return view(request, *args, **kwargs)

        return guarded

    return decorate


def lead_to(request: HttpRequest, page: str) -> HttpResponse:
    """A redirect in the way the asker understands: htmx follows a 302 into its fragment, not into the page."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": page})
    return HttpResponseRedirect(page)


# --- acts that count ------------------------------------------------------------------------------


def note_confirmation(request: HttpRequest) -> None:
    """Whoever uses this session has just proven who he is."""
    request.session[_CONFIRMED_AT] = time.time()


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the sign-in, or its last confirmation, is younger than `CONFIRM_AFTER` seconds."""
    age = time.time() - float(request.session.get(_CONFIRMED_AT, 0))
    return 0 <= age < settings.CONFIRM_AFTER


def confirm_first(request: HttpRequest, why: str, back: str) -> HttpResponse:
    """Leads to the page that asks for a confirmation and then goes on to `back`, where the button is.

    `why` is a key of `portal.views.confirm.REASONS`. What was typed waits in the session for `typed`.
    """
    if request.method == "POST":
        fields = request.POST.copy()
        for name in _NOT_KEPT.intersection(fields):
            del fields[name]
        request.session[_TYPED] = [request.path, fields.urlencode()]
    return lead_to(request, f"{reverse('confirm')}?{urlencode({'why': why, 'next': back})}")


def typed(request: HttpRequest, path: str) -> QueryDict | None:
    """What was posted to `path` before a confirmation was asked, once; None when nothing was."""
    if request.session.get(_TYPED, [""])[0] != path:
        return None
    return QueryDict(request.session.pop(_TYPED)[1])


def confirmed(why: str, back: str = "") -> Callable[[View], View]:
    """Lets only a session into a view that was confirmed a short while ago; others are asked first.

    `back` names the page with the button, which takes the same arguments. Without it the view is such a page itself.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if is_confirmed(request):
                return view(request, *args, **kwargs)
            page = reverse(back, args=args, kwargs=kwargs) if back else request.path
            return confirm_first(request, why, page)

        return asked

    return decorate
