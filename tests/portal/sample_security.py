"""What the views give to the pages of signing in and second factors, with invented data; see `sample_pages`."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.models import User
from portal.views.confirm import ConfirmForm
from portal.views.security import AppForm, PasskeyForm
from portal.views.session import CodeForm
from tests.portal.sample_pages import Operator, ago

type Data = dict[str, Any]


class Nobody:
    """Somebody who did not sign in."""

    is_authenticated = False


class SignIn(forms.Form):
    """The fields of the page where one signs in."""

    username = forms.CharField(label="User name")
    password = forms.CharField(
        label="Password", widget=forms.PasswordInput, help_text="At least 12 characters."
    )


def sign_in(data: dict[str, str] | None = None) -> Data:
    nobody = {
        "nav": "",
        "mandataire": "",
        "quality": "",
        "organisations": [],
        "sender_number": "",
        "todo_count": 0,
    }
    return {**nobody, "form": SignIn(data), "next": "/", "user": Nobody()}


def second_step() -> Data:
    nobody = {"nav": "", "mandataire": "", "sender_number": "", "todo_count": 0, "user": Nobody()}
    return {**nobody, "form": CodeForm({"code": ""}), "has_passkey": True, "has_app": True}


def security() -> Data:
    passkeys = [{"pk": 4, "name": "Telephone", "added": ago(minutes=900), "used": ago(minutes=3)}]
    app = {"created_at": ago(minutes=900), "last_used_at": ago(minutes=60)}
    return {
        "nav": "",
        "app": app,
        "passkeys": passkeys,
        "has_factor": True,
        "codes_left": 9,
        "form": PasskeyForm(),
    }


def nothing_yet() -> Data:
    return {"app": None, "passkeys": [], "has_factor": False, "codes_left": 0, "must_set_up": True}


def confirmation() -> Data:
    user = User(password="argon2$not a hash")
    form = ConfirmForm(user=user, has_app=True)
    reason = "You are about to send."
    return {"nav": "", "form": form, "reason": reason, "why": "send", "next": "/", "has_passkey": True}


PERSON: Data = {"pk": 7, "user": Operator()}

SECURITY_PAGES: dict[str, tuple[str, Data]] = {
    "sign in": ("registration/login.html", sign_in()),
    "sign in, wrongly": ("registration/login.html", sign_in({"username": ""})),
    "second step, wrongly": ("registration/second_factor.html", second_step()),
    "security": ("portal/security.html", security()),
    "set up a second factor": ("portal/security.html", {**security(), **nothing_yet()}),
    "set up an app": ("portal/totp.html", {"nav": "", "form": AppForm(), "secret": "JBSW Y3DP EHPK 3PXP"}),
    "recovery codes": (
        "portal/recovery_codes.html",
        {"nav": "", "codes": ["01234567"] * 10, "file": "01234567"},
    ),
    "confirm": ("portal/confirm.html", confirmation()),
    "reset a second factor": (
        "portal/member_reset.html",
        {"nav": "team", "member": PERSON, "factors": ["App"]},
    ),
}
