"""The keys of the channel: given, taken over, removed. Public halves are shown; private ones have no page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from channels import checklist, judging, vault
from channels.generating import SshKind
from channels.models import Channel, Credential
from channels.signing import UnfitCertificate, load_certificate
from channels.unpacking import UnfitKey
from channels.views.forms import (
    AnswerForm,
    CertificateUploadForm,
    GenerateForm,
    RequestForm,
    SshUploadForm,
    TakeoverForm,
)
from channels.views.guarding import sees_set_up, sets_up, sets_up_by_button
from channels.views.setup import GET_OR_POST, the_channel
from portal.access import membership, mine

_Kind = Credential.Kind


@require_safe
@sees_set_up
def keys(request: HttpRequest) -> HttpResponse:
    """Every key, by kind: the one in use, the next one, earlier ones."""
    found = the_channel()
    rows = list(found.credentials.order_by("-usable_from", "-pk"))
    context = {
        "nav": "channel",
        "channel": found,
        "groups": [
            {"kind": kind.value, "title": title, "rows": _rows(rows, kind), "url": url}
            for kind, title, url in (
                (_Kind.SSH, _("SSH keys"), "channel_ssh_key"),
                (_Kind.SIGNING, _("Signing certificates"), "channel_certificate"),
                (_Kind.REST, _("Certificates of REST accounts"), "channel_rest"),
            )
        ],
        "request_row": next((row for row in rows if row.kind == _Kind.REQUEST), None),
        "warning": checklist.certificate_warning(found),
    }
    return render(request, "channels/keys.html", context)


def _rows(rows: list[Credential], kind: Credential.Kind) -> list[dict[str, Any]]:
    """Newest first, each with what it is now: next, in use, or earlier."""
    now, told = timezone.now(), []
    has_current = False
    for row in (row for row in rows if row.kind == kind):
        if kind is _Kind.REST:
            standing = "watched"
        else:
            standing = "next" if row.usable_from > now else ("earlier" if has_current else "current")
        has_current = has_current or standing == "current"
        told.append(
            {
                "pk": row.pk,
                "name": row.public.split()[0] if kind is _Kind.SSH else vault.common_name(row),
                "fingerprint": row.fingerprint,
                "standing": standing,
                "usable_from": row.usable_from,
                "expires_at": row.expires_at,
                "days": judging.days_left(row.expires_at, now) if row.expires_at else None,
                "takeover": TakeoverForm(auto_id=f"id_{row.pk}_%s")
                if standing in ("next", "earlier")
                else None,
            }
        )
    return told


# --- giving keys ----------------------------------------------------------------------------------


@sensitive_post_parameters("passphrase")
@require_http_methods(GET_OR_POST)
@sets_up
@sensitive_variables()
def ssh_key(request: HttpRequest) -> HttpResponse:
    """An SSH key made here, or one that is uploaded. `way` says which form was sent."""
    found = the_channel()
    has_one = vault.in_use(found, _Kind.SSH) is not None
    way = request.POST.get("way", "") if request.method == "POST" else ""
    generate = GenerateForm(
        request.POST if way == "generate" else None, has_one=has_one, auto_id="generate_%s"
    )
    files = request.FILES if way == "upload" else None
    upload = SshUploadForm(
        request.POST if way == "upload" else None, files, has_one=has_one, auto_id="upload_%s"
    )
    if way == "generate" and _stores(generate, lambda: _generate(found, generate)):
        return _told(
            request, _("The key is made. Its public half goes to Chaman, the private one never leaves.")
        )
    if way == "upload" and _stores(upload, lambda: _upload_ssh(found, upload)):
        return _told(request, _("The key is kept."))
    context = {
        "nav": "channel",
        "channel": found,
        "generate": generate,
        "upload": upload,
        "form": upload if way == "upload" else generate,
    }
    is_wrong = bool(generate.errors or upload.errors)
    return render(request, "channels/ssh_key.html", context, status=422 if is_wrong else 200)


def _generate(channel: Channel, form: GenerateForm) -> None:
    vault.generate_ssh_key(channel, SshKind(form.cleaned_data["kind"]), usable_from=form.usable_from())


@sensitive_variables()
def _upload_ssh(channel: Channel, form: SshUploadForm) -> None:
    vault.store_ssh_key(
        channel, form.cleaned_data["file"], passphrase=_passphrase(form), usable_from=form.usable_from()
    )


@sensitive_post_parameters("passphrase")
@require_http_methods(GET_OR_POST)
@sets_up
@sensitive_variables()
def certificate(request: HttpRequest) -> HttpResponse:
    """A certificate: requested, received for the request, or uploaded with its key. `way` says which form was sent."""
    found = the_channel()
    has_one = vault.in_use(found, _Kind.SIGNING) is not None
    waiting = found.credentials.filter(kind=_Kind.REQUEST).first()
    way = request.POST.get("way", "") if request.method == "POST" else ""

    def sent(name: str) -> tuple[Any, Any]:
        return (request.POST, request.FILES) if way == name else (None, None)

    owner = membership(request).mandataire
    ask = RequestForm(sent("request")[0], initial={"name": owner.name[:64]}, auto_id="request_%s")
    answer = AnswerForm(*sent("answer"), has_one=has_one, auto_id="answer_%s")
    upload = CertificateUploadForm(*sent("upload"), has_one=has_one, auto_id="upload_%s")
    if way == "request" and _stores(ask, lambda: _request(request, found, ask)):
        messages.success(request, _("The request is made. Download it, and send it to the issuer."))
        return redirect("channel_certificate")
    if way == "answer" and waiting and _stores(answer, lambda: _answer(waiting, answer)):
        return _told(request, _("The certificate belongs to its key, and is kept."))
    if way == "upload" and _stores(upload, lambda: _upload_certificate(found, upload)):
        return _told(request, _("The certificate and its key are kept."))
    shown = {"request": ask, "answer": answer}.get(way, upload)
    context = {
        "nav": "channel",
        "channel": found,
        "ask": ask,
        "answer": answer,
        "upload": upload,
        "waiting": waiting,
        "form": shown,
    }
    is_wrong = bool(shown.errors)
    return render(request, "channels/certificate.html", context, status=422 if is_wrong else 200)


def _request(request: HttpRequest, channel: Channel, form: RequestForm) -> None:
    owner = membership(request).mandataire
    vault.request_certificate(
        channel, name=form.cleaned_data["name"], organisation=owner.name, number=owner.number
    )


def _answer(waiting: Credential, form: AnswerForm) -> None:
    vault.answer_request(waiting, form.cleaned_data["file"], usable_from=form.usable_from())


@sensitive_variables()
def _upload_certificate(channel: Channel, form: CertificateUploadForm) -> None:
    vault.store_signing_file(
        channel,
        form.cleaned_data["file"],
        certificate=form.cleaned_data["certificate"] or None,
        passphrase=_passphrase(form),
        usable_from=form.usable_from(),
    )


def _stores(form: forms.Form, store: Callable[[], None]) -> bool:
    """Whether the form was in order and what it brought is kept; else the form says why, fault by fault."""
    if not form.is_valid():
        return False
    try:
        with transaction.atomic():
            store()
    except judging.Unfit as unfit:
        for finding in unfit.findings:
            form.add_error(None, f"{finding.fault} {finding.remedy}")
    except (UnfitKey, UnfitCertificate) as refusal:
        form.add_error("file" if "file" in form.fields else None, str(refusal))
    else:
        return True
    return False


@sensitive_variables()
def _passphrase(form: forms.Form) -> bytes | None:
    typed: str = form.cleaned_data["passphrase"]
    return typed.encode() if typed else None


def _told(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("channel_keys")


# --- one key --------------------------------------------------------------------------------------


@require_safe
@sees_set_up
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """The public half, as Chaman or the issuer wants it: .pub, .cer (DER) or .csr."""
    found = mine(Credential, pk=pk)
    match found.kind:
        case _Kind.SSH:
            content, name = f"{found.public}\n".encode(), f"portal-{found.pk}.pub"
        case _Kind.SIGNING | _Kind.REST:
            loaded = load_certificate(found.public.encode())
            content, name = loaded.public_bytes(serialization.Encoding.DER), f"portal-{found.pk}.cer"
        case _:
            content, name = found.public.encode(), f"portal-{found.pk}.csr"
    return HttpResponse(
        content,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_POST
@sets_up_by_button("channel_keys")
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets a key take over at once, or on the day that was chosen."""
    found = mine(Credential.objects.filter(kind__in=(_Kind.SSH, _Kind.SIGNING)), pk=pk)
    form = TakeoverForm(request.POST)
    if not form.is_valid():
        for error in form.errors["takes_over_on"]:
            messages.error(request, str(error))
        return redirect("channel_keys")
    try:
        vault.switch(found, form.usable_from() or timezone.now())
    except UnfitCertificate as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            _("The key takes over on that day.")
            if form.usable_from()
            else _("The key is in use from now on."),
        )
    return redirect("channel_keys")


@require_http_methods(GET_OR_POST)
@sets_up
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Removes a key for good, after saying what that means."""
    found = mine(Credential, pk=pk)
    if request.method == "POST":
        try:
            vault.remove(found)
        except UnfitKey as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Removed."))
        return redirect("channel_keys")
    is_in_use = found.kind != _Kind.REST and vault.in_use(the_channel(), _Kind(found.kind)) == found
    context = {"nav": "channel", "credential": found, "is_in_use": is_in_use}
    return render(request, "channels/key_remove.html", context)
