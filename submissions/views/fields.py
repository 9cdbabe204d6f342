"""The documentation of what a training record says."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mandates.catalogue import service
from portal.access import needs
from portal.models import Profile
from submissions.fields import FIELDS
from submissions.wire.fla import PAYLOAD_ROOT


@require_safe
@needs(Profile.ENCODE)
def fields(request: HttpRequest) -> HttpResponse:
    """The table of fields, which drives the pages, the import and the payload."""
    fla = service("FLA")
    about = {
        "name": fla.name,
        "application": fla.application_code,
        "form": fla.form_code,
        "namespace": fla.namespace,
        "root": PAYLOAD_ROOT,
    }
    return render(request, "submissions/fields.html", {"nav": "fields", "service": about, "fields": FIELDS})
