"""The page of a refusal: why, and whom to ask."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal import tenancy
from portal.models import Membership

SHOWN: Final = 10


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 with the reason and the local managers, so that nobody has to ask who they are."""
    managers: list[Membership] = []
    if tenancy.current_or_none():
        rows = Membership.objects.filter(mandataire_id=tenancy.current()).managers().select_related("user")
        managers = list(rows.order_by("user__last_name", "user__first_name", "pk")[:SHOWN])
    context = {"exception": str(exception), "managers": managers}
    return render(request, "403.html", context, status=403)
