"""The complete file of a worker or an employer. It holds personal numbers in full, so taking it is an Event."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_POST

from mandates.models import Employer, Worker
from portal import audit, tenancy
from portal.access import mine, needs
from portal.models import Profile
from submissions import dossiers, printed_dossiers


@require_POST
@needs(Profile.ADMINISTRATIVE)
def worker_file(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """All that the register holds of one worker."""
    worker = mine(Worker.objects.select_related("employer"), pk=pk)
    audit.record("worker.file_exported", worker)
    return _json(dossiers.of_worker(worker, tenancy.reopener()), f"worker-{pk}")


@require_POST
@needs(Profile.ADMINISTRATIVE)
def employer_file(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """All that the register holds of one employer and his workers."""
    employer = mine(Employer, pk=pk)
    audit.record("employer.file_exported", employer)
    return _json(dossiers.of_employer(employer, tenancy.reopener()), f"employer-{employer.number}")


@require_POST
@needs(Profile.ADMINISTRATIVE)
def worker_file_pdf(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The same as a PDF."""
    worker = mine(Worker.objects.select_related("employer"), pk=pk)
    audit.record("worker.file_exported", worker, data={"format": "pdf"})
    pages = printed_dossiers.of_worker(worker, tenancy.reopener())
    return HttpResponse(pages, content_type="application/pdf", headers=_headers(f"worker-{pk}", "pdf"))


@require_POST
@needs(Profile.ADMINISTRATIVE)
def employer_file_pdf(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The same as a PDF; of many workers as a ZIP of several, written while they are printed."""
    employer = mine(Employer, pk=pk)
    audit.record("employer.file_exported", employer, data={"format": "pdf"})
    name, reopen = f"employer-{employer.number}", tenancy.reopener()
    if printed_dossiers.is_long(employer):
        content = printed_dossiers.zipped(employer, reopen)
        return StreamingHttpResponse(content, content_type="application/zip", headers=_headers(name, "zip"))
    pages = printed_dossiers.of_employer(employer, reopen)
    return HttpResponse(pages, content_type="application/pdf", headers=_headers(name, "pdf"))


def _headers(name: str, ending: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}-{timezone.localdate():%Y%m%d}.{ending}"',
        "X-Content-Type-Options": "nosniff",
    }


def _json(content: Iterable[str], name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        content,
        content_type="application/json",
        headers=_headers(name, "json"),
    )
