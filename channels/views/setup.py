"""The set-up of the channel, step by step: resumable, because every step is a fact of the channel itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from channels import checklist, setting_up, sftp, vault, verifying
from channels.errors import TransportError
from channels.models import Channel, Credential, EnvironmentCode
from channels.naming import Environment
from channels.views.forms import EnvironmentForm, ServerKeyForm, SettingsForm, StartForm
from channels.views.guarding import sets_up, sets_up_by_button
from portal import tenancy
from portal.access import membership, mine, typed

GET_OR_POST = ["GET", "HEAD", "POST"]


def the_channel() -> Channel:
    """The channel of the mandataire, or 404 before its set-up begins."""
    found = _found()
    return mine(Channel, pk=found.pk if found else 0)


def _found() -> Channel | None:
    return Channel.objects.filter(mandataire_id=tenancy.current()).order_by("pk").first()


@require_http_methods(GET_OR_POST)
@sets_up_by_button("channel_setup")
def setup(request: HttpRequest) -> HttpResponse:
    """The steps, and what is missing; before there is a channel, the question with which it begins."""
    found = _found()
    if request.method == "POST" or found is None:
        return _start(request, found)
    steps = checklist.steps(found)
    context = {
        "nav": "channel",
        "channel": found,
        "steps": steps,
        "next": checklist.next_step(steps),
        "done": sum(step.is_done for step in steps),
        "permissions": verifying.permission_labels(found),
        "noted": verifying.noted_labels(found),
        "warning": checklist.certificate_warning(found),
    }
    return render(request, "channels/setup.html", context)


def _status(request: HttpRequest, form: forms.Form) -> int:
    """A form that comes back after a confirmation says its faults, too, but nothing was refused."""
    return 422 if request.method == "POST" and form.errors else 200


def _start(request: HttpRequest, found: Channel | None) -> HttpResponse:
    owner = membership(request).mandataire
    initial = {"way": Channel.Way.EXISTING, "name": f"SFTP {owner.name}"[:100]}
    data = request.POST if request.method == "POST" else typed(request, request.path)
    form = StartForm(data, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            setting_up.open_channel(owner, Channel.Way(form.cleaned_data["way"]), form.cleaned_data["name"])
        except setting_up.CannotSetUp as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The set-up has begun. Go on whenever you like: every step is kept."))
        return redirect("channel_setup")
    context = {"nav": "channel", "form": form, "quality": owner.get_quality_display()}
    return render(request, "channels/setup_start.html", context, status=_status(request, form))


@require_http_methods(GET_OR_POST)
@sets_up
def change_settings(request: HttpRequest) -> HttpResponse:
    """Name, user, server, directories, services and limits."""
    found = the_channel()
    form = SettingsForm(found, request.POST if request.method == "POST" else typed(request, request.path))
    if request.method == "POST" and form.is_valid():
        try:
            changed = setting_up.change(found, **form.values())
        except setting_up.CannotSetUp as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, _("Changed.") if changed else _("Nothing was changed."))
            return redirect("channel_setup")
    context = {"nav": "channel", "channel": found, "form": form}
    return render(request, "channels/settings.html", context, status=_status(request, form))


@require_http_methods(GET_OR_POST)
@sets_up
def environment(request: HttpRequest) -> HttpResponse:
    """Where sets go from now on."""
    found = the_channel()
    initial = {"environment": found.environment}
    form = EnvironmentForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = Environment(form.cleaned_data["environment"])
        setting_up.send_in(found, chosen)
        messages.success(
            request, _("From now on sets are made for: %(environment)s.") % {"environment": chosen.label}
        )
        return redirect("channel_setup")
    places = [
        {
            "label": code.label,
            "uploads": found.upload_directory(code.value),
            "answers": found.answer_directory(code.value),
            "meaning": _MEANINGS[code](),
        }
        for code in reversed(EnvironmentCode)
    ]
    context = {"nav": "channel", "channel": found, "form": form, "places": places}
    return render(request, "channels/environment.html", context, status=422 if form.errors else 200)


_MEANINGS = {
    EnvironmentCode.SIMULATION: lambda: _("Checked and answered, and never registered. Sets are not signed."),
    EnvironmentCode.TEST: lambda: _("Tries the circuit from end to end; nothing counts as declared."),
    EnvironmentCode.PRODUCTION: lambda: _(
        "Counts: what is accepted is declared, and is changed only by a modification or a cancellation."
    ),
}


# --- Chaman ---------------------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@sets_up_by_button("channel_chaman")
def chaman(request: HttpRequest) -> HttpResponse:
    """What to fill in in Chaman, field by field; afterwards a person notes that it was done."""
    found = the_channel()
    if request.method == "POST":
        setting_up.note_chaman_told(found)
        messages.success(request, _("Noted. The verification shows whether it counts over there already."))
        return redirect("channel_setup")
    kinds = Credential.Kind
    certificate = vault.latest(found, kinds.SIGNING)
    context: dict[str, Any] = {
        "nav": "channel",
        "channel": found,
        "account": setting_up.account_name(found),
        "permissions": [*verifying.permission_labels(found), *verifying.noted_labels(found)],
        "certificate": certificate,
        "certificate_name": vault.common_name(certificate) if certificate else "",
        "ssh": vault.latest(found, kinds.SSH),
        "is_new": found.way == Channel.Way.NEW,
    }
    return render(request, "channels/chaman.html", context)


# --- the server -----------------------------------------------------------------------------------


@require_http_methods(GET_OR_POST)
@sets_up
def server(request: HttpRequest) -> HttpResponse:
    """The key of the server: asked for, shown, compared by a person, and kept."""
    found, line, error, form = the_channel(), "", "", None
    if request.method == "POST" and "line" in request.POST:
        form = ServerKeyForm(request.POST)
        line = request.POST["line"]
        if form.is_valid():
            try:
                setting_up.pin(found, form.cleaned_data["line"])
            except (setting_up.CannotSetUp, TransportError) as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, _("The key is kept: no other server gets anything from now on."))
            return redirect("channel_setup")
    elif request.method == "POST":
        try:
            line = verifying.ask_server_key(found)
        except TransportError as failure:
            error = str(failure)
        else:
            form = ServerKeyForm(initial={"line": line})
    context = {
        "nav": "channel",
        "channel": found,
        "kept": vault.ssh_fingerprint(found.host_key) if found.host_key else "",
        "may_ask": not (found.is_set_up and found.host_key),
        "shown": _fingerprint(line),
        "shown_kind": line.partition(" ")[0] if _fingerprint(line) else "",
        "error": error,
        "form": form,
    }
    return render(request, "channels/server.html", context, status=422 if form and form.errors else 200)


def _fingerprint(line: str) -> str:
    try:
        return vault.ssh_fingerprint(line) if sftp.pinned_keys(line) else ""
    except TransportError:
        return ""


@require_http_methods(GET_OR_POST)
@sets_up_by_button("channel_verify")
def verify(request: HttpRequest) -> HttpResponse:
    """Tries everything, and says line by line what holds."""
    found = the_channel()
    checks: list[verifying.Check] = []
    if request.method == "POST":
        checks = verifying.verify(found)
        if all(check.holds for check in checks):
            setting_up.note_verified(found)
    context = {
        "nav": "channel",
        "channel": found,
        "checks": checks,
        "faults": sum(bool(check.fault) for check in checks),
        "has_verified": bool(checks) and all(check.holds for check in checks),
    }
    return render(request, "channels/verify.html", context)


@require_http_methods(GET_OR_POST)
@sets_up
def service(request: HttpRequest) -> HttpResponse:
    """Puts the channel in service, after saying what that means."""
    found = the_channel()
    if request.method == "POST":
        try:
            setting_up.put_in_service(found)
        except setting_up.CannotSetUp as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The channel is in service."))
        return redirect("channel_setup")
    context = {"nav": "channel", "channel": found, "environment": Environment(found.environment).label}
    return render(request, "channels/service.html", context)
