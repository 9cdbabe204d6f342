"""The providers of an organisation, for its managers: entering, changing, testing, switching on and off."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import lists, tenancy
from portal.access import confirmed, for_managers, mine
from portal.identity import providing
from portal.identity.faults import Unreachable
from portal.identity.models import IdentityLink, IdentityProvider
from portal.views.provider_forms import ProviderForm

FIELDS = (
    "label",
    "issuer",
    "client_id",
    "scopes",
    "acr_values",
    "vouches_for_second_factor",
)


@require_safe
@for_managers
def providers(request: HttpRequest) -> HttpResponse:
    """Every provider by name, with how many people have linked an account of it."""
    linked = (
        IdentityLink.objects.filter(mandataire=OuterRef("mandataire"), issuer=OuterRef("issuer"))
        .order_by()
        .values("issuer")
        .annotate(count=Count("pk"))
        .values("count")
    )
    rows = IdentityProvider.objects.filter(mandataire_id=tenancy.current()).annotate(
        linked=Coalesce(Subquery(linked, output_field=IntegerField()), 0)
    )
    page = lists.page_of(request, rows.order_by("label", "pk"))
    return render(request, "portal/provider_list.html", {"nav": "team", "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@for_managers
@confirmed("people")
def new(request: HttpRequest) -> HttpResponse:
    """Enters a provider; it stays switched off until it is complete and was seen to answer."""
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_managers
@confirmed("people")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes a provider; the secret is only ever written."""
    return _edit(request, mine(IdentityProvider, pk=pk))


def _edit(request: HttpRequest, found: IdentityProvider | None) -> HttpResponse:
    initial = {name: getattr(found, name) for name in FIELDS} if found else None
    posted = request.POST if request.method == "POST" else None
    form = ProviderForm(posted, initial=initial, provider=found)
    if form.is_valid():
        kept = found or IdentityProvider()
        was_enabled = kept.is_enabled
        changed = providing.keep(kept, **form.cleaned_data)
        if found is None:
            messages.success(request, _("Entered. Now register the portal there, with the address below."))
        elif was_enabled and not kept.is_enabled:
            messages.warning(request, _("Changed, and switched off: type the secret for the new issuer."))
        elif changed:
            messages.success(request, _("Changed."))
        return redirect("provider", kept.pk)
    context = {"nav": "team", "form": form, "provider": found}
    return render(request, "portal/provider_edit.html", context, status=422 if form.errors else 200)


@require_safe
@for_managers
def provider(request: HttpRequest, pk: int) -> HttpResponse:
    """What is known of a provider, and the address to register there."""
    return _page(request, mine(IdentityProvider, pk=pk))


def _page(request: HttpRequest, found: IdentityProvider, seen: dict[str, Any] | None = None) -> HttpResponse:
    links = IdentityLink.objects.filter(mandataire_id=tenancy.current(), issuer=found.issuer)
    context = {
        "nav": "team",
        "provider": found,
        "linked": links.count(),
        "back": request.build_absolute_uri(reverse("identity_back", args=[found.handle])),
        "seen": seen,
    }
    return render(request, "portal/provider.html", context)


@require_POST
@for_managers
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks the provider now, and shows what was found or why not."""
    found = mine(IdentityProvider, pk=pk)
    try:
        metadata = providing.test(found)
    except Unreachable as fault:
        return _page(request, found, {"problem": str(fault), "rows": []})
    rows = [
        (_("Signing in"), metadata.authorization_endpoint),
        (_("Exchange of the code"), metadata.token_endpoint),
        (_("Keys"), metadata.jwks_uri),
    ]
    return _page(request, found, {"problem": "", "rows": rows})


@require_POST
@for_managers
@confirmed("people", back="provider")
def switch_on(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets people in through a provider that is complete and answers."""
    found = mine(IdentityProvider, pk=pk)
    try:
        providing.switch_on(found)
    except (providing.Incomplete, Unreachable) as fault:
        messages.error(request, str(fault))
    else:
        messages.success(
            request,
            _("%(name)s is switched on. Everybody links the own account under “Your data”.")
            % {"name": found.label},
        )
    return redirect("provider", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@for_managers
@confirmed("people")
def switch_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what it means, and switches off on the second click."""
    found = mine(IdentityProvider, pk=pk)
    if request.method == "POST":
        providing.switch_off(found)
        messages.success(request, _("%(name)s is switched off.") % {"name": found.label})
        return redirect("provider", found.pk)
    links = IdentityLink.objects.filter(mandataire_id=tenancy.current(), issuer=found.issuer)
    context = {"nav": "team", "provider": found, "linked": links.count()}
    return render(request, "portal/provider_off.html", context)
