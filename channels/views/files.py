"""Raw files as they travelled. They hold personal numbers in clear, so each download leaves an Event."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from channels.models import EnvelopePart, InboundFile
from channels.naming import parse_name
from portal import audit
from portal.access import mine, needs
from portal.models import Profile


def _download(content: bytes, name: str) -> HttpResponse:
    # Names follow the grammar of the channel or were checked against it: nothing in them needs quoting.
    return HttpResponse(
        content,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_safe
@needs(Profile.ADMINISTRATIVE)
def sent_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """One FI, FS or GO (empty), byte for byte as it left; 404 for the FS of an environment that wants none."""
    part = mine(EnvelopePart.objects.select_related("envelope"), pk=pk)
    if kind == "fs" and not part.fs_size:
        raise Http404
    envelope = part.envelope
    name = parse_name(f"FI.{envelope.stem}").set_name
    parts = EnvelopePart.objects.filter(envelope=envelope).count()
    match kind:
        case "fi":
            content, file_name = part.fi, name.fi(part.part, parts)
        case "fs":
            content, file_name = part.fs, name.fs(part.part, parts)
        case _:
            content, file_name = b"", name.go(parts)
    audit.record("file.downloaded", envelope, data={"name": file_name})
    return _download(content, file_name)


@require_safe
@needs(Profile.ADMINISTRATIVE)
def inbound_file(request: HttpRequest, pk: int) -> HttpResponse:
    """One answer, byte for byte as it lay in OUT."""
    file = mine(InboundFile, pk=pk)
    audit.record("file.downloaded", file, data={"name": file.name})
    return _download(file.content, file.name)
