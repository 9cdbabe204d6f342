"""The own second factors: the app on a telephone, passkeys, and recovery codes."""

from __future__ import annotations

from functools import wraps
from typing import Any
from urllib.parse import quote

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import audit, entering, factors
from portal.access import View, confirmed, for_members, membership, typed
from portal.views.session import credential_of


class AppForm(forms.Form):
    """The first code of an app."""

    code = forms.CharField(
        label=gettext_lazy("Code that the app shows"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasskeyForm(forms.Form):
    """What to call a passkey."""

    name = forms.CharField(
        label=gettext_lazy("Name of this passkey"),
        max_length=60,
        help_text=gettext_lazy("So that you recognise it later, for instance: telephone, key on my ring."),
    )


def _by_own_means(view: View) -> View:
    """Keeps the account of one organisation from opening the others: a passkey opens all places of its user."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if entering.bound_to(request.session) and len(entering.homes_of(membership(request).user_id)) > 1:
            raise PermissionDenied(
                _(
                    "You came in with the account of one organisation and work for several. Sign in with your own "
                    "password to change how you sign in."
                )
            )
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@for_members
def security(request: HttpRequest) -> HttpResponse:
    """The factors there are, and those to add; the first page of who has to set one up."""
    asked = typed(request, reverse("passkey_new_options")) or typed(request, reverse("passkey_add"))
    return _page(request, PasskeyForm(initial={"name": asked.get("name", "")}) if asked else None)


def _page(request: HttpRequest, form: PasskeyForm | None = None, status: int = 200) -> HttpResponse:
    user = membership(request).user
    held = factors.held_by(user)
    context = {
        "nav": "",
        "app": next((factor for factor in held if factor.type == factors.APP), None),
        "passkeys": [
            {
                "pk": factor.pk,
                "name": factors.label(factor),
                "added": factor.created_at,
                "used": factor.last_used_at,
            }
            for factor in held
            if factor.type == factors.PASSKEY
        ],
        "has_factor": bool(held),
        "codes_left": factors.recovery_codes_left(user) if held else 0,
        "form": form or PasskeyForm(),
    }
    return render(request, "portal/security.html", context, status=status)


# --- the app --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@_by_own_means
@confirmed("factors")
def totp(request: HttpRequest) -> HttpResponse:
    """Shows the secret, as a picture and in letters, and asks for the first code."""
    me = membership(request)
    if any(factor.type == factors.APP for factor in factors.held_by(me.user)):
        return redirect("security")
    form, status = AppForm(), 200
    if request.method == "POST":
        form, status = AppForm(request.POST), 422
        if form.is_valid():
            if factors.activate_app(request, me.user, form.cleaned_data["code"]):
                audit.record("factor.added", me, data={"how": "app"})
                return _added(request)
            form.add_error(
                "code", _("The app shows another code now. Check the telephone's clock, try the next code.")
            )
    secret = factors.new_secret(request)
    in_fours = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return render(request, "portal/totp.html", {"nav": "", "form": form, "secret": in_fours}, status=status)


@require_safe
@for_members
def totp_qr(request: HttpRequest) -> HttpResponse:
    """The picture for the camera of the app, for the session that is setting it up and no other."""
    picture = factors.qr(request, membership(request).user)
    if not picture:
        return redirect("totp")
    return HttpResponse(picture, content_type="image/svg+xml")


@require_POST
@for_members
@_by_own_means
@confirmed("factors", back="security")
def totp_remove(request: HttpRequest) -> HttpResponse:
    """Forgets the app."""
    me = membership(request)
    for factor in factors.held_by(me.user):
        if factor.type == factors.APP:
            return _remove(request, factor)
    return redirect("security")


# --- passkeys -------------------------------------------------------------------------------------


@require_POST
@for_members
@_by_own_means
@confirmed("factors", back="security")
def passkey_new_options(request: HttpRequest) -> JsonResponse:
    """What the browser needs to make a passkey. The form comes along, so that its name outlasts a confirmation."""
    return JsonResponse(factors.options_to_add(membership(request).user))


@require_POST
@for_members
@_by_own_means
@confirmed("factors", back="security")
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Keeps the passkey that the browser made."""
    me, form = membership(request), PasskeyForm(request.POST)
    if form.is_valid():
        try:
            factors.add_passkey(me.user, form.cleaned_data["name"], credential_of(request))
        except factors.NotThisPasskey:
            form.add_error(
                None, _("The browser made no passkey that counts here. Try again, or take the app.")
            )
        else:
            audit.record("factor.added", me, data={"how": "passkey"})
            return _added(request)
    return _page(request, form, status=422)


@require_POST
@for_members
@_by_own_means
@confirmed("factors", back="security")
def passkey_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forgets a passkey."""
    own = Authenticator.objects.filter(user=membership(request).user, type=factors.PASSKEY)
    return _remove(request, get_object_or_404(own, pk=pk))


def _remove(request: HttpRequest, factor: Authenticator) -> HttpResponse:
    me = membership(request)
    if factors.must_have_second_factor(me) and len(factors.held_by(me.user)) == 1:
        messages.error(request, _("This is your only second factor: add another one before you remove it."))
        return redirect("security")
    name, kind = factors.label(factor), "passkey" if factor.type == factors.PASSKEY else "app"
    factor.delete()
    audit.record("factor.removed", me, data={"how": kind})
    messages.success(request, _("Removed: %(name)s.") % {"name": name})
    return redirect("security")


# --- recovery codes -------------------------------------------------------------------------------


def _added(request: HttpRequest) -> HttpResponse:
    """Goes on after a factor was added: with the first one come recovery codes."""
    user = membership(request).user
    messages.success(request, _("Added. It is asked at the next sign-in."))
    if factors.recovery_codes_left(user):
        return redirect("security")
    return _show_codes(request)


def _show_codes(request: HttpRequest) -> HttpResponse:
    me = membership(request)
    codes = factors.new_recovery_codes(me.user)
    audit.record("recovery.made", me)
    lines = [_("Recovery codes of %(name)s, each for one use:") % {"name": me.user.username}, "", *codes, ""]
    context: dict[str, Any] = {"nav": "", "codes": codes, "file": quote("\r\n".join(lines))}
    return render(request, "portal/recovery_codes.html", context)


@require_http_methods(["POST"])
@for_members
@_by_own_means
@confirmed("factors", back="security")
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Makes new recovery codes and shows them, this once. Those from before are worthless."""
    if not factors.held_by(membership(request).user):
        return redirect("security")
    return _show_codes(request)
