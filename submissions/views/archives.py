"""The archive of the register: what is in it and who may read it, and taking it. It is read again among the imports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from mandates.models import Employer, Worker
from portal import audit, tenancy
from portal.access import confirmed, membership, mine, needs
from portal.models import Application, Profile
from submissions.archiving import writing
from submissions.models import TrainingRecord

WHOLE: Final = [Application.DECLARATIONS]
"""The whole archive is about all clients."""


@require_safe
@needs(Profile.EXTENDED, everywhere=WHOLE)
def archive(request: HttpRequest) -> HttpResponse:
    """What the archive would hold, and what it means to take it."""
    tenant = tenancy.current()
    context = {
        "nav": "declarations",
        "employers": Employer.objects.filter(mandataire_id=tenant).count(),
        "workers": Worker.objects.filter(mandataire_id=tenant).count(),
        "trainings": TrainingRecord.objects.filter(mandataire_id=tenant).count(),
    }
    return render(request, "submissions/archive.html", context)


@require_POST
@needs(Profile.EXTENDED, everywhere=WHOLE)
@confirmed("archive", back="archive")
def download(request: HttpRequest) -> HttpResponseBase:
    """The archive of every client, written while it is read."""
    audit.record("archive.taken", membership(request).mandataire)
    return _zip(writing.of_all(tenancy.reopener()), "archive")


@require_POST
@needs(Profile.ADMINISTRATIVE)
@confirmed("archive", back="workers")
def employer_archive(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The archive of one client."""
    employer = mine(Employer, pk=pk)
    audit.record("employer.archive_taken", employer)
    return _zip(writing.of_employer(employer, tenancy.reopener()), f"archive-{employer.number}")


def _zip(content: Iterable[bytes], name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        content,
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}-{timezone.localdate():%Y%m%d}.zip"',
            "X-Content-Type-Options": "nosniff",
        },
    )
