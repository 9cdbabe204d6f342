"""Signing in, by password and second factor or by passkey, signing out, and the language of the pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language as django_set_language

from portal import entering, factors, limits
from portal.models import User


class SignInView(LoginView):
    """Signs somebody in and speaks his language from the next page on."""

    redirect_authenticated_user = True

    def get_form(self, form_class: type[AuthenticationForm] | None = None) -> AuthenticationForm:
        """Leaves the focus to the summary of what was wrong, when something was."""
        form = super().get_form(form_class)
        if form.is_bound:
            form.fields["username"].widget.attrs.pop("autofocus", None)
        return form

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Looks at name and password, unless too many failed: then the password is not even looked at."""
        username = request.POST.get("username", "")
        key = limits.name_and_place(request, username)
        counted = limits.attempt(request, "sign_in", key)
        if counted is None:
            stopped = Stopped(request.POST, sentence=limits.wait(request, "sign_in", key))
            stopped.fields["username"].widget.attrs.pop("autofocus", None)
            return self.render_to_response(self.get_context_data(form=stopped), status=429)
        form = self.get_form()
        if not form.is_valid():
            entering.fail(username, "password")
            return self.form_invalid(form)
        counted.rollback()
        return self.form_valid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Goes on to the second factor of who has one; else signs him in."""
        user = form.get_user()
        if factors.held_by(user):
            entering.halfway(self.request, user, self.get_success_url())
            return redirect("sign_in_code")
        return _in(self.request, user, "password", self.get_success_url())


class Stopped(AuthenticationForm):
    """A form that says to wait, whatever was typed."""

    def __init__(self, data: Any, *, sentence: str) -> None:
        super().__init__(data=data)
        self._errors = forms.utils.ErrorDict({"__all__": self.error_class([sentence])})
        self.cleaned_data = {}


def _in(request: HttpRequest, user: User, how: str, next_page: str) -> HttpResponse:
    """Signs in, and speaks the language of the person from the next page on, as the choice on a page does."""
    entering.enter(request, user, how=how)
    response = redirect(next_page)
    remember(response, user.language)
    return response


class CodeForm(forms.Form):
    """A code: of the app, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        help_text=gettext_lazy("The six digits of the app, or one of your recovery codes (eight digits)."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


def check_code(user: User, code: str) -> str:
    """How the code proves who somebody is: `app` or `recovery`; nothing when it does not. It is used then."""
    if factors.check_app(user, code):
        return "app"
    return "recovery" if factors.check_recovery_code(user, code) else ""


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Asks for the second factor of whoever has just given his password."""
    found = entering.who_is_halfway(request)
    if found is None:
        messages.error(request, _("That took too long: sign in again."))
        return redirect("login")
    user, next_page = found
    kinds = {factor.type for factor in factors.held_by(user)}
    form, status = CodeForm(), 200
    if request.method == "POST":
        form, status = CodeForm(request.POST), 422
        counted = limits.attempt(request, "code", str(user.pk))
        if counted is None:
            form.add_error(None, limits.wait(request, "code", str(user.pk)))
            status = 429
        elif form.is_valid():
            how = check_code(user, form.cleaned_data["code"])
            if how:
                counted.rollback()
                return _in(request, user, how, next_page)
            entering.fail(user.username, "app")
            form.add_error("code", _("This code is wrong, too old or used already. Wait for the next one."))
        form.fields["code"].widget.attrs.pop("autofocus")
    context = {"form": form, "has_passkey": factors.PASSKEY in kinds, "has_app": factors.APP in kinds}
    return render(request, "registration/second_factor.html", context, status=status)


@require_safe
def passkey_options(request: HttpRequest) -> JsonResponse:
    """What the browser needs to prove a passkey: of who is signed in, of who gave his password, or of anybody."""
    found = entering.who_is_halfway(request)
    user = request.user if isinstance(request.user, User) else found[0] if found else None
    return JsonResponse(factors.options_to_prove(user))


@require_POST
def sign_in_passkey(request: HttpRequest) -> HttpResponse:
    """Signs in whoever proves a passkey: after his password, or without one."""
    found = entering.who_is_halfway(request)
    user = found[0] if found else None
    counted = limits.attempt(request, "passkey")
    if counted is None:
        messages.error(request, limits.wait(request, "passkey"))
        return redirect("login")
    try:
        proven = factors.prove_passkey(credential_of(request), user)
    except factors.NotThisPasskey:
        proven = None
    if proven is None or not proven.is_active:
        if user:
            entering.fail(user.username, "passkey")
        messages.error(request, _("This passkey was not accepted. Sign in with your password."))
        return redirect("sign_in_code" if user else "login")
    counted.rollback()
    return _in(
        request, proven, "passkey", found[1] if found else inside(request, request.POST.get("next", ""))
    )


def credential_of(request: HttpRequest) -> dict[str, Any]:
    """The answer of the browser about a passkey. Raises NotThisPasskey when it is none."""
    try:
        answer = forms.JSONField().clean(request.POST.get("credential", ""))
    except forms.ValidationError:
        answer = None
    if not isinstance(answer, dict):
        raise factors.NotThisPasskey
    return answer


def inside(request: HttpRequest, page: str) -> str:
    """The address, if it is one of the portal; else the home page."""
    if url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return page
    return resolve_url(settings.LOGIN_REDIRECT_URL)


class SignOutView(LogoutView):
    """Signs out, with an Event."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tells, then ends the session."""
        if isinstance(request.user, User):
            entering.tell(request.user, "member.signed_out")
        return super().post(request, *args, **kwargs)


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Changes the language of the pages; of whoever is signed in, for all his browsers."""
    response = django_set_language(request)
    language = request.POST.get("language", "")
    if (
        request.user.is_authenticated
        and language in dict(settings.LANGUAGES)
        and check_for_language(language)
    ):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return response


def remember(response: HttpResponse, language: str) -> None:
    """Keeps the language of the pages in the browser."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )
