"""The individual training account of a worker: its page, and its print."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from mandates.models import Worker
from portal.access import membership, mine, needs
from portal.models import Profile
from submissions import accounts, printing
from submissions.models.right import FIRST_YEAR
from submissions.views import corrections


@require_safe
@needs(Profile.ENCODE)
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """What the law wants to stand in the account, over the years that are asked for."""
    found = _asked(request, pk)
    choices = list(range(timezone.localdate().year, FIRST_YEAR - 1, -1))
    asked = corrections.latest_of(found["worker"])
    context = {"nav": "employers", "account": found, "choices": choices, "asked": asked}
    return render(request, "submissions/account.html", context)


@require_safe
@needs(Profile.ENCODE)
def account_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The same as a PDF."""
    found = _asked(request, pk)
    context = {
        "account": found,
        "today": timezone.localdate(),
        "mandataire": membership(request).mandataire.name,
    }
    return HttpResponse(
        printing.pdf("submissions/account_pdf.html", context),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="account-{pk}-{found["first"]}-{found["last"]}.pdf"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _asked(request: HttpRequest, pk: int) -> dict[str, Any]:
    worker = mine(Worker.objects.select_related("employer"), pk=pk)
    asked = request.GET
    years = accounts.range_of(
        asked.get("from", ""), asked.get("to", ""), today=timezone.localdate(), earliest=FIRST_YEAR
    )
    return accounts.account(worker, *years)
