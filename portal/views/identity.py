"""Signing in with the account of an organisation, and linking such an account to oneself."""

from __future__ import annotations

import logging
from typing import NamedTuple
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates.numbers import NumberError, parse_enterprise_number
from portal import tenancy
from portal.access import confirmed, for_members, membership, mine
from portal.identity import entering, flows, linking, providing
from portal.identity.faults import NotTrusted, ProviderFault
from portal.identity.models import IdentityLink, IdentityProvider
from portal.models import Membership
from portal.views.session import remember

log = logging.getLogger(__name__)


class Door(NamedTuple):
    """An open provider, read in the scope of its mandataire, with its secret."""

    mandataire: UUID
    provider: IdentityProvider
    secret: str


class OrganisationForm(forms.Form):
    """Whose account somebody signs in with."""

    number = forms.CharField(
        label=gettext_lazy("Enterprise number (BCE) of your organisation"),
        max_length=20,
        help_text=gettext_lazy("For instance 0897.223.670"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def clean_number(self) -> str:
        """Ten digits; the sentence of the fault otherwise."""
        try:
            return parse_enterprise_number(self.cleaned_data["number"])
        except NumberError as error:
            raise ValidationError(str(error)) from error


# --- signing in ---------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Asks for the organisation, and offers its providers.

    An organisation that is not here and one without a provider get the same answer. A provider is a link and not a
    redirect: the browser would not follow one from a form to another site, since the content policy forbids it.
    """
    if request.user.is_authenticated:
        return redirect("home")
    form = OrganisationForm(request.POST if request.method == "POST" else None)
    providers: list[IdentityProvider] | None = None
    onward = _onward(request, request.POST.get("next") or request.GET.get("next", ""))
    if form.is_valid():
        found = providing.of_enterprise(form.cleaned_data["number"])
        providers = [_read(mandataire, pk) for mandataire, pk in found]
    context = {"form": form, "providers": providers, "next": onward}
    return render(request, "registration/find_provider.html", context, status=422 if form.errors else 200)


@require_safe
@transaction.non_atomic_requests
def start(request: HttpRequest, handle: UUID) -> HttpResponse:
    """Leaves for the provider. No transaction is held open while the provider is asked."""
    if request.user.is_authenticated:
        return redirect("home")
    provider = _open(handle).provider
    try:
        onward = _onward(request, request.GET.get("next", ""))
        return redirect(flows.begin(request.session, provider, _back(request, provider), onward=onward))
    except ProviderFault as fault:
        return _failed(request, provider, fault)


@require_safe
@transaction.non_atomic_requests
def back(request: HttpRequest, handle: UUID) -> HttpResponse:
    """Comes back from the provider: signs in, or links the account, or says why not and what to do."""
    way = flows.take(request.session, request.GET.get("state", ""), handle)
    if way is None:
        messages.error(
            request,
            _(
                "This sign-in was finished already, took more than ten minutes or began in another browser. "
                "Start again."
            ),
        )
        return _return(request)
    door = _open(handle)
    provider = door.provider
    try:
        subject = flows.redeem(provider, door.secret, way, request.GET.dict(), _back(request, provider))
    except ProviderFault as fault:
        return _failed(request, provider, fault)
    if way.linker is not None:
        return _link(request, door, subject, way.linker)
    if request.user.is_authenticated:
        return redirect("home")
    return _enter(request, door, subject, way.onward)


def _enter(request: HttpRequest, door: Door, subject: str, onward: str) -> HttpResponse:
    mandataire, provider, _secret = door
    with tenancy.scope(mandataire):
        member = linking.member_with(provider, subject)
    if member is None:
        messages.error(
            request,
            _(
                "%(name)s: this account is not linked to a user here yet. Sign in with your user name and password, "
                "then link it under “Your data”."
            )
            % {"name": provider.label},
        )
        return redirect("login")
    if member.is_blocked or not member.user.is_active:
        log.warning("A blocked member came back from the provider %s", provider.pk)
        messages.error(request, _("Your user is blocked here. Ask one of your managers."))
        return redirect("login")
    with tenancy.scope(mandataire, actor=member.user_id):
        answer = redirect(entering.enter(request, member, provider, _onward(request, onward)))
    remember(answer, member.user.language)
    return answer


# --- the own accounts ------------------------------------------------------------------------------------


@require_POST
@for_members
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows the way to the provider. Only this POST, with its token, begins a link: a page elsewhere that sends the
    browser on such a way could have somebody else's account linked to whoever is signed in.
    """
    provider = mine(IdentityProvider, pk=pk, is_enabled=True)
    linker = membership(request).pk
    try:
        address = flows.begin(request.session, provider, _back(request, provider), linker=linker)
    except ProviderFault as fault:
        return _failed(request, provider, fault)
    context = {"nav": "", "provider": provider, "address": address}
    return render(request, "portal/identity_link.html", context)


def _link(request: HttpRequest, door: Door, subject: str, linker: int) -> HttpResponse:
    me: Membership | None = getattr(request, "membership", None)
    provider = door.provider
    if me is None or me.pk != linker or tenancy.current() != door.mandataire:
        messages.error(request, _("You are no longer signed in as who began this. Nothing was linked."))
        return _return(request)
    try:
        linking.link(me, provider, subject)
    except linking.Taken as taken:
        messages.error(request, str(taken))
    else:
        messages.success(
            request, _("Linked: from now on you can sign in with %(name)s.") % {"name": provider.label}
        )
    return redirect("profile")


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@confirmed("factors")
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks, and unlinks an account of one's own on the second click."""
    me = membership(request)
    found = mine(IdentityLink.objects.select_related("member__user"), pk=pk, member=me)
    name = name_of(found.issuer)
    if request.method == "POST":
        linking.unlink(found, name)
        messages.success(request, _("Unlinked: %(name)s no longer signs you in.") % {"name": name})
        return redirect("profile")
    return render(request, "portal/identity_unlink.html", {"nav": "", "link": found, "name": name})


def name_of(issuer: str) -> str:
    """What people call an issuer: the label of its provider here, or its address once there is none."""
    rows = IdentityProvider.objects.filter(mandataire_id=tenancy.current(), issuer=issuer)
    return rows.order_by("-is_enabled", "pk").values_list("label", flat=True).first() or issuer


# --- what they share -----------------------------------------------------------------------------------


def _open(handle: UUID) -> Door:
    """The provider that an address names; 404 for one that is switched off or never was."""
    found = providing.behind(handle)
    if found is None:
        raise Http404
    mandataire, pk = found
    with tenancy.scope(mandataire):
        provider = IdentityProvider.objects.get(pk=pk)
        return Door(mandataire, provider, provider.secret)


def _read(mandataire: UUID, pk: int) -> IdentityProvider:
    with tenancy.scope(mandataire):
        return IdentityProvider.objects.get(pk=pk)


def _back(request: HttpRequest, provider: IdentityProvider) -> str:
    return request.build_absolute_uri(reverse("identity_back", args=[provider.handle]))


def _onward(request: HttpRequest, address: str) -> str:
    """Where somebody was going, if that is a page of the portal."""
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else ""


def _return(request: HttpRequest) -> HttpResponse:
    return redirect("profile" if request.user.is_authenticated else "login")


def _failed(request: HttpRequest, provider: IdentityProvider, fault: ProviderFault) -> HttpResponse:
    """Says what went wrong and what to do; the log learns the detail, which holds no token."""
    log.warning("The provider %s did not sign in: %s", provider.pk, fault.detail)
    if isinstance(fault, NotTrusted):
        sentence = _(
            "The answer of %(name)s was not accepted: %(why)s. Try again; if it stays so, tell your managers."
        )
    else:
        sentence = _(
            "%(name)s cannot be asked now. %(why)s Try again later; if it stays so, tell your managers."
        )
    said = [sentence % {"name": provider.label, "why": str(fault)}]
    if not request.user.is_authenticated:
        said.append(_("Meanwhile, sign in with your user name and password."))
    messages.error(request, " ".join(said))
    return _return(request)
