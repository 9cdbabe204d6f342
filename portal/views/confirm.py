"""Asking once more who it is, before an act that counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal import audit, factors, limits
from portal.access import for_members, membership, note_confirmation
from portal.models import User
from portal.views.session import check_code, credential_of, inside

REASONS: Final[Mapping[str, str | Promise]] = {
    "send": gettext_lazy("You are about to send to social security, in production."),
    "people": gettext_lazy("You are about to change who may enter, or who may do what."),
    "keys": gettext_lazy("You are about to change the channel or its keys."),
    "archive": gettext_lazy("You are about to take the register with the personal numbers in full."),
    "factors": gettext_lazy("You are about to change how you sign in."),
}


class ConfirmForm(forms.Form):
    """The password or a code, whichever is at hand; only what the user has is asked."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label=gettext_lazy("Or the code of the app"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, user: User, has_app: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.how = user, ""
        if not user.has_usable_password():
            del self.fields["password"]
        if not has_app:
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        """Proves the user, or says what is wrong."""
        cleaned = super().clean() or {}
        password, code = cleaned.get("password"), cleaned.get("code")
        if password:
            if not self.user.check_password(password):
                self.add_error("password", _("This is not your password."))
        elif code:
            self.how = check_code(self.user, code)
            if not self.how:
                self.add_error(
                    "code", _("This code is wrong, too old or used already. Wait for the next one.")
                )
        else:
            self.add_error(None, _("Give your password or a code."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def confirm(request: HttpRequest) -> HttpResponse:
    """Asks for password, code or passkey, says why, and leads back to where the button is."""
    user = membership(request).user
    asked = request.POST if request.method == "POST" else request.GET
    why, back = asked.get("why", ""), inside(request, asked.get("next", ""))
    kinds = {factor.type for factor in factors.held_by(user)}
    has_app = factors.APP in kinds
    form, status = ConfirmForm(user=user, has_app=has_app), 200
    if request.method == "POST":
        form, status = ConfirmForm(request.POST, user=user, has_app=has_app), 422
        counted = limits.attempt(request, "confirm", str(user.pk))
        if counted is None:
            form = ConfirmForm(user=user, has_app=has_app)
            messages.error(request, limits.wait(request, "confirm", str(user.pk)))
            status = 429
        elif _is_proven(request, user, form):
            counted.rollback()
            if form.how == "recovery":
                audit.record("recovery.used", membership(request))
            return _go_back(request, back)
    context = {
        "nav": "",
        "form": form,
        "reason": REASONS.get(why, ""),
        "why": why,
        "next": back,
        "has_passkey": factors.PASSKEY in kinds,
    }
    return render(request, "portal/confirm.html", context, status=status)


def _is_proven(request: HttpRequest, user: User, form: ConfirmForm) -> bool:
    if "credential" not in request.POST:
        return form.is_valid()
    try:
        factors.prove_passkey(credential_of(request), user)
    except factors.NotThisPasskey:
        form.full_clean()
        form.errors.clear()
        form.add_error(None, _("This passkey was not accepted."))
        return False
    return True


def _go_back(request: HttpRequest, back: str) -> HttpResponse:
    note_confirmation(request)
    messages.info(request, _("Confirmed. Nothing was done yet: use the button again."))
    return redirect(back)
