"""Certificates of REST accounts: judged on one page, and kept only when somebody asks, to be warned before they end."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from channels import judging, unpacking, vault
from channels.judging import Finding, day
from channels.models import Credential
from channels.signing import UnfitCertificate, load_certificate
from channels.unpacking import UnfitKey
from channels.views.forms import LARGEST_KEY_FILE, RestCertificateForm
from channels.views.guarding import sees_set_up, sets_up_by_button
from channels.views.setup import GET_OR_POST, the_channel
from portal.access import typed


@sensitive_post_parameters("passphrase")
@require_http_methods(GET_OR_POST)
@sees_set_up
@sensitive_variables()
def check(request: HttpRequest) -> HttpResponse:
    """Judges a certificate by the rules of the REST channel, criterion by criterion. Nothing is kept."""
    the_channel()
    if request.method != "POST":
        return _page(request, RestCertificateForm(), _waiting(request))
    form = RestCertificateForm(request.POST, request.FILES)
    certificate = None
    if form.is_valid():
        passphrase = form.cleaned_data["passphrase"]
        try:
            certificate = unpacking.certificate_in(
                form.cleaned_data["file"], passphrase.encode() if passphrase else None
            )
        except (UnfitKey, UnfitCertificate) as refusal:
            form.add_error("file", str(refusal))
    # What was judged stands above; the form below is for the next one.
    return _page(request, form if certificate is None else RestCertificateForm(), certificate)


def _waiting(request: HttpRequest) -> x509.Certificate | None:
    """The certificate that was to be kept when a confirmation was asked first."""
    asked = typed(request, reverse("channel_rest_keep"))
    try:
        return load_certificate(asked.get("certificate", "").encode()) if asked else None
    except UnfitCertificate:
        return None


def _page(request: HttpRequest, form: forms.Form, certificate: x509.Certificate | None) -> HttpResponse:
    judged = _judged(certificate) if certificate else None
    context = {"nav": "channel", "form": form, "judged": judged}
    return render(request, "channels/rest_certificate.html", context, status=422 if form.errors else 200)


def _judged(certificate: x509.Certificate) -> dict[str, Any]:
    """Whose certificate it is, and every criterion with its rule and what was found."""
    found = judging.judge(certificate, judging.REST, now=timezone.now())
    pem = vault.as_pem(certificate)
    is_kept = Credential.objects.filter(
        kind=Credential.Kind.REST, fingerprint=vault.certificate_fingerprint(certificate)
    )
    return {
        "name": judging.common_name(certificate.subject),
        "issuer": judging.common_name(certificate.issuer),
        "fingerprint": vault.certificate_fingerprint(certificate),
        "findings": [{"finding": one, "rule": _rule(one, certificate)} for one in found],
        "faults": sum(not one.is_met for one in found),
        "is_kept": is_kept.exists(),
        "pem": pem,
    }


def _rule(finding: Finding, certificate: x509.Certificate) -> str:
    """What is asked, or, of days, what was found, unless the fault says it."""
    rules = {
        "key": _("Accepted: RSA of 2048, 3072 or 4096 bits, EC on P-384 or P-521."),
        "digest": _("Accepted: SHA-256, SHA-384 or SHA-512."),
        "usage": _("It must name digital signature."),
    }
    if finding.criterion in rules:
        return rules[finding.criterion]
    try:
        starts_at, ends_at = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except ValueError:  # What the criterion of the end says.
        return ""
    if not finding.is_met:
        return ""
    if finding.criterion == "starts":
        return _("Valid from %(day)s.") % {"day": day(starts_at)}
    return _("Valid until %(day)s.") % {"day": day(ends_at)}


@require_POST
@sets_up_by_button("channel_rest")
def keep(request: HttpRequest) -> HttpResponse:
    """Keeps a certificate that meets every criterion: its public half, all that was sent."""
    found = the_channel()
    content = request.POST.get("certificate", "").encode()[:LARGEST_KEY_FILE]
    try:
        vault.keep_rest_certificate(found, content)
    except (UnfitKey, UnfitCertificate) as refusal:
        messages.error(request, str(refusal))
        return redirect("channel_rest")
    messages.success(
        request, _("Kept. The portal warns 60, 30, 7 and 1 days before it ends, until it is removed.")
    )
    return redirect("channel_keys")
