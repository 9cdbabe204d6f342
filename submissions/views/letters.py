"""The balance letters of an employer's workers: the years so far, one of them as progress and result, its file."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates.models import Employer
from portal import audit, lists, tenancy
from portal.access import mine, needs
from portal.models import Profile, User
from portal.moving import LostRace
from portal.templatetags.presenting import person_name
from submissions import correcting, tasks
from submissions.letters import giving, making
from submissions.models import BalanceLetters
from submissions.models.right import FIRST_YEAR
from submissions.states import CorrectionState, LettersState

_S = LettersState
_AT_WORK: Final = (_S.DUE, _S.RUNNING)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def letters(request: HttpRequest, pk: int) -> HttpResponse:
    """The letters made so far, newest first, and the year of which to make them next."""
    employer, today = mine(Employer, pk=pk), timezone.localdate()
    choices = list(range(today.year, FIRST_YEAR - 1, -1))
    if request.method == "POST":
        year = request.POST.get("year", "")
        if not (year.isascii() and year.isdigit() and int(year) in choices):
            messages.error(request, _("Choose a year."))
            return redirect("letters", pk)
        return _ask(request, employer, int(year))
    rows = BalanceLetters.objects.filter(mandataire_id=tenancy.current(), employer=employer)
    page = lists.page_of(request, rows.order_by("-pk"))
    page.object_list = _told(list(page.object_list))
    missing = making.missing_year(employer, today)
    context = {
        "nav": "employers",
        "employer": employer,
        "choices": choices,
        "chosen": missing or today.year,
        "missing": missing,
        "kept_days": making.kept_for().days,
        "page": page,
    }
    return render(request, "submissions/letters_list.html", context)


def _ask(request: HttpRequest, employer: Employer, year: int) -> HttpResponse:
    try:
        with transaction.atomic():
            made = making.ask(employer, year)
    except making.CannotMake as refusal:
        if refusal.is_live:
            messages.info(request, _("The letters of %(year)d are being made already.") % {"year": year})
        else:
            messages.error(
                request, _("Nobody was employed in %(year)d: there is no letter to write.") % {"year": year}
            )
        return redirect("letters", employer.pk)
    _wake(made)
    return redirect("letters_job", made.pk)


def _wake(found: BalanceLetters) -> None:
    # A broker that is down is logged and no more: the sweep does it once it is back.
    task = partial(tasks.letters.delay, str(tenancy.current()), found.pk)
    transaction.on_commit(task, robust=True)


def _told(found: list[BalanceLetters]) -> list[dict[str, Any]]:
    people = User.objects.in_bulk({one.asked_by for one in found if one.asked_by})
    return [
        {
            "pk": one.pk,
            "year": one.year,
            "state": one.state,
            "total": one.total,
            "done": one.done,
            "asked_at": one.asked_at,
            "asked_by": person_name(people[one.asked_by]) if one.asked_by in people else "",
            "ended_at": one.ended_at,
            "kept_until": one.due_at if one.state == _S.DONE else None,
        }
        for one in found
    ]


@require_safe
@needs(Profile.ENCODE)
def letters_job(request: HttpRequest, pk: int) -> HttpResponse:
    """The letters of one year. An htmx request gets the progress alone, and the whole page once it is over."""
    found = _mine(pk)
    is_moving = found.state in _AT_WORK
    context: dict[str, Any] = {
        "nav": "employers",
        "employer": found.employer,
        "found": _told([found])[0],
        "is_moving": is_moving,
    }
    if request.headers.get("HX-Request"):
        if not is_moving:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "submissions/letters_detail.html#progress", context)
    parts = giving.parts_of(found) if found.state == _S.DONE else []
    context |= {
        "download": _button(_("Download the letters"), "letters_download", pk) | {"is_main": True}
        if parts
        else None,
        "files": len(parts),
        "size": sum(part.size for part in parts),
        "left_out": found.total - sum(part.letters for part in parts) if found.state == _S.DONE else 0,
        "again": _button(_("Try again"), "letters_again", pk) if found.state == _S.FAILED else None,
        "resume": _button(_("Go on now"), "letters_again", pk) if _is_left_alone(found) else None,
        "anew": _button(_("Make them anew"), "letters", found.employer_id) | {"fields": {"year": found.year}}
        if found.state in (_S.DONE, _S.DELETED)
        else None,
    }
    return render(request, "submissions/letters_detail.html", context)


def _mine(pk: int) -> BalanceLetters:
    return mine(BalanceLetters.objects.select_related("employer"), pk=pk)


def _is_left_alone(found: BalanceLetters) -> bool:
    """Whether letters should go on and no worker came for them in the time of several sweeps."""
    late = timezone.now() - making.PATIENCE
    return found.state in _AT_WORK and found.due_at is not None and found.due_at <= late


def _button(text: str, name: str, pk: int) -> dict[str, Any]:
    return {"url": reverse(name, args=[pk]), "label": text}


@require_POST
@needs(Profile.ENCODE)
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Goes on with letters that failed or that nobody makes; what is written stays."""
    found = _mine(pk)
    try:
        with transaction.atomic():
            making.resume(found)
    except LostRace:
        messages.info(request, _("These letters are being made, or were made meanwhile."))
    else:
        _wake(found)
    return redirect("letters_job", pk)


@require_POST
@needs(Profile.ENCODE)
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The letters: one PDF, or a ZIP of several. The journal tells who took them."""
    found = _mine(pk)
    parts = giving.parts_of(found) if found.state == _S.DONE else []
    if not parts:
        raise Http404
    count = sum(part.letters for part in parts)
    audit.record(
        "letters.downloaded",
        found.employer,
        data={"letters_id": found.pk, "year": found.year, "letters": count},
    )
    if len(parts) == 1:
        return HttpResponse(
            parts[0].content, content_type="application/pdf", headers=_headers(f"{giving.name_of(found)}.pdf")
        )
    return StreamingHttpResponse(
        giving.zipped(found, parts, tenancy.reopener()),
        content_type="application/zip",
        headers=_headers(f"{giving.name_of(found)}.zip"),
    )


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}


def workers_told(employer: Employer) -> dict[str, Any]:
    """What the page of an employer says of letters and requests: the year to make, and how many wait. Two queries."""
    missing = making.missing_year(employer, timezone.localdate())
    make = None
    if missing:
        make = _button(_("Balance letters of %(year)d") % {"year": missing}, "letters", employer.pk)
        make |= {"fields": {"year": missing}}
    waiting = correcting.requests_of(employer).filter(state=CorrectionState.OPEN).count()
    return {"missing": missing, "make": make, "waiting": waiting}
