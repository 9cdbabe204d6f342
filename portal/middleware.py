"""What every request passes: sign-in, second factor, the scope of its tenant, and no copy left in any cache."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.auth.middleware import LoginRequiredMiddleware as DjangoLoginRequired
from django.contrib.auth.views import redirect_to_login
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme

from portal import access, acting, factors, sessions, tenancy
from portal.entering import bound_to
from portal.models import Membership

type GetResponse = Callable[[HttpRequest], HttpResponseBase]


class LoginRequiredMiddleware(DjangoLoginRequired):
    """Asks for a sign-in everywhere; a fragment asked by htmx makes the whole page go to the sign-in page.

    What a button posted is lost with its session, and its address has no page: after the sign-in comes the page on
    which the button stood.
    """

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        """Redirects, in the way the asker understands: htmx follows a 302 into the fragment, not into the page."""
        response: HttpResponseRedirect
        if request.method in ("GET", "HEAD"):
            response = super().handle_no_permission(request, view_func)
        else:
            response = redirect_to_login(_page_of_button(request), self.get_login_url(view_func))
        if request.headers.get("HX-Request"):
            response.headers["HX-Redirect"] = response.url
            del response.headers["Location"]
            response.status_code = 204
        return response


def _page_of_button(request: HttpRequest) -> str:
    """The address, without its host, of the page from which something was posted; home when that is not known."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return reverse("home")
    return urlsplit(page)._replace(scheme="", netloc="", fragment="").geturl() or reverse("home")


class NoStoreMiddleware:
    """Keeps pages behind the sign-in out of every cache: the next user of the browser must not find them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Adds `Cache-Control: no-store` unless the view decided otherwise."""
        response = self.get_response(request)
        if "Cache-Control" not in response.headers:
            add_never_cache_headers(response)
        return response


class TenantMiddleware:
    """Opens the scope of the signed-in user's mandataire, and the limit of an employer user, around the whole request.

    Both this transaction and ATOMIC_REQUESTS are needed: this one carries the tenant, the inner one undoes what a
    failing view did before Django turns its exception into a page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Runs the request as a member of a mandataire, or without any tenant when nobody is signed in."""
        mandataire = self.mandataire_of(request)
        if mandataire is None:
            return self.get_response(request)
        user = request.user.pk or 0
        with tenancy.scope(mandataire, actor=user):
            own = Authenticator.objects.filter(user=OuterRef("user"), type__in=factors.FACTORS)
            members = Membership.objects.holding().select_related("mandataire", "user", "employer")
            members = members.annotate(has_factor=Exists(own))
            found = members.filter(user_id=user, is_blocked=False).first()
            request.membership = found  # type: ignore[attr-defined]
            # For who works at a client nothing else exists, whatever a view asks or forgets to ask.
            at_client = None if found is None or found.employer_id is None else [found.employer_id]
            with tenancy.within(at_client):
                return self.get_response(request)

    def mandataire_of(self, request: HttpRequest) -> UUID | None:
        """The mandataire that the user chose, if it still lets him in; else the first that does.

        Asked anew on each request: whoever is blocked where he acts goes on where he is not. A session that a provider
        opened acts for the mandataire of that provider, or for none.
        """
        if not request.user.is_authenticated:
            return None
        only = bound_to(request.session)
        places = [place for place in acting.open_to(request.user.pk or 0) if only in (None, place)]
        request.places = places  # type: ignore[attr-defined]
        return acting.chosen(request.session, places)


class SessionMiddleware:
    """Notes when and from where a session was last used: its user may look, and end it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Writes it down, once a minute, before the view runs."""
        if request.user.is_authenticated:
            sessions.see(request)
        return self.get_response(request)


class SecondFactorMiddleware:
    """Leads whoever has to set up a second factor to the page for it, and nowhere else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Notes for the frame whether there is nowhere else to go."""
        member: Membership | None = getattr(request, "membership", None)
        is_held = member is not None and factors.is_needed_still(request, member)
        request.must_set_up = is_held  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Nothing for whoever may go on."""
        match = request.resolver_match
        is_open = not getattr(view, "login_required", True)
        if is_open or match is None or match.url_name in factors.REACHABLE_WITHOUT:
            return None
        return access.lead_to(request, reverse("security")) if request.must_set_up else None  # type: ignore[attr-defined]
