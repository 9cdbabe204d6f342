"""The complete file of a worker or an employer. It holds personal numbers in full, so taking it is an Event."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from mandates.models import Employer, Worker
from portal import audit, tenancy
from portal.access import mine, needs
from portal.models import Profile
from submissions import dossiers


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


def _json(content: Iterable[str], name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        content,
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}-{timezone.localdate():%Y%m%d}.json"',
            "X-Content-Type-Options": "nosniff",
        },
    )
