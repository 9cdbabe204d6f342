"""The list of declarations, and what a person does with one of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Any, NamedTuple

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from mandates.models import Employer
from mandates.numbers import NumberError, mask_in_text, parse_quarter, quarter_days
from portal import lists, sheets
from portal.access import membership, mine, needs
from portal.models import Profile
from portal.moving import LostRace
from portal.templatetags.presenting import quarter
from submissions import declaring, departing, figures, listings, questions
from submissions.models import Declaration
from submissions.views.figure_words import figure_chips

CHIPS = (
    ("", pgettext_lazy("declarations", "All")),
    ("draft", pgettext_lazy("declarations", "To complete")),
    ("ready", pgettext_lazy("declarations", "Ready")),
    ("on_its_way", pgettext_lazy("declarations", "On their way")),
    ("accepted", pgettext_lazy("declarations", "Accepted")),
    (questions.TESTED, pgettext_lazy("declarations", "Tested, not yet declared")),
    (questions.REMARKS, pgettext_lazy("declarations", "With remarks")),
    ("refused", pgettext_lazy("declarations", "Refused")),
    ("withdrawn", pgettext_lazy("declarations", "Withdrawn")),
)
COMPANY_CHIPS = (
    ("", pgettext_lazy("declarations", "All")),
    ("draft", pgettext_lazy("declarations", "To complete")),
    (questions.UNDER_WAY, pgettext_lazy("declarations", "On their way")),
    ("accepted", pgettext_lazy("declarations", "Accepted")),
    (questions.TESTED, pgettext_lazy("declarations", "Tested, not yet declared")),
    ("refused", pgettext_lazy("declarations", "Refused")),
    ("withdrawn", pgettext_lazy("declarations", "Withdrawn")),
)
"""For who works at a client: in his own words, without the stations of a set."""

LEFT_MEANWHILE = gettext_lazy(
    "Somebody else, or a departure, was faster. Look at the present state and decide again."
)


@require_safe
@needs(Profile.ENCODE)
def declarations(request: HttpRequest) -> HttpResponse:
    """Every declaration, newest first, filtered by state, employer, month of the answer, quarter, words and figure."""
    if _names_somebody(request, request.GET):
        return redirect("declarations")
    rows, kept, state, employer, month, period = _asked(request.GET)
    choices = CHIPS if membership(request).employer_id is None else COMPANY_CHIPS
    counts = questions.state_counts(rows)
    # Who sends to production at once never hears of tests.
    shown = [
        chip
        for chip in choices
        if chip[0] != questions.TESTED or counts[questions.TESTED] or state == chip[0]
    ]
    chips = lists.chips(shown, counts, state, kept)
    if month:
        label = _("Answered in %(month)s") % {"month": date_format(timezone.localtime(month[0]), "F Y")}
        chips.append(_clearing(label, lists.address(**{**kept, "month": "", "state": state})))
    if period:
        label = _("Trainings of %(quarter)s") % {"quarter": quarter(period)}
        chips.append(_clearing(label, lists.address(**{**kept, "quarter": "", "state": state})))
    if state == questions.TO_CORRECT:
        chips.append(_clearing(_("To correct"), lists.address(**kept)))
    chips += figure_chips(figures.asked(request.GET), {**kept, "state": state})
    if state:
        rows = questions.filtered(rows, state)
    context = {
        "nav": "declarations",
        "chips": chips,
        "leaves": departing.announced() if state == "ready" else [],
        "query": kept["q"],
        "hidden": {name: value for name, value in {**kept, "state": state}.items() if value and name != "q"},
        "kept": {**kept, "state": state},
        "export_url": reverse("declarations_export"),
        "employer": _employer_shown(employer, {**kept, "state": state, "employer": ""}),
    }
    return _list(request, rows.order_by("-id"), context, total=counts.get(state))


def _clearing(label: str, without: str) -> dict[str, Any]:
    """A filter that no other chip stands for, with the way to the list `without` it."""
    return {"label": f"{label} ×", "count": None, "url": without, "is_current": True}


def _names_somebody(request: HttpRequest, parameters: QueryDict) -> bool:
    """Whether a personal number is searched for, and says that it is not."""
    text = parameters.get("q", "")
    if mask_in_text(text) == text:
        return False
    messages.warning(
        request,
        _("Personal numbers are never searched: an address is kept in too many places. Search by name."),
    )
    return True


class _Asked(NamedTuple):
    """What the filters of the list ask for; `rows` still without the one on the state, which is counted."""

    rows: QuerySet[Declaration]
    kept: dict[str, str]
    state: str
    employer: Employer | None
    month: tuple[datetime, datetime] | None
    quarter: str


def _asked(parameters: QueryDict) -> _Asked:
    employer = _employer(parameters.get("employer", ""))
    month = _month(parameters.get("month", ""))
    text, state = parameters.get("q", ""), parameters.get("state", "")
    rows = questions.mine()
    if employer:
        rows = rows.filter(employer=employer)
    if month:
        rows = rows.filter(answered_at__gte=month[0], answered_at__lt=month[1])
    period = _quarter(parameters.get("quarter", ""))
    if period:
        rows = rows.filter(record__ends_on__range=quarter_days(period))
    figure = figures.asked(parameters)
    rows = figure.of(rows)
    kept = {
        **figure.kept,
        "employer": str(employer.pk) if employer else "",
        "month": parameters.get("month", "") if month else "",
        "quarter": period,
        "q": text,
    }
    state = state if state in questions.FILTERS else ""
    return _Asked(questions.search(rows, text), kept, state, employer, month, period)


@require_POST
@needs(Profile.ENCODE)
def export(request: HttpRequest) -> HttpResponseBase:
    """The list of declarations, as filtered, as a file."""
    if _names_somebody(request, request.POST):
        return redirect("declarations")
    rows, kept, state, *_others = _asked(request.POST)
    rows = questions.filtered(rows, state) if state else rows
    listing = listings.declarations(rows, order=("-pk",))
    return sheets.export(request, listing, "declarations", {**kept, "state": state})


def _list(
    request: HttpRequest, rows: QuerySet[Declaration], context: dict[str, Any], *, total: int | None = None
) -> HttpResponse:
    page = lists.page_of(request, rows, total=total, shown=questions.for_rows)
    page.object_list = questions.declaration_rows(page.object_list)
    return render(request, "submissions/declaration_list.html", {**context, "page": page})


def _employer(asked: str) -> Employer | None:
    """The employer of the filter; a number that is none is answered like one of somebody else."""
    if not asked:
        return None
    return mine(Employer, pk=int(asked) if asked.isascii() and asked.isdigit() else 0)


def _employer_shown(employer: Employer | None, without: dict[str, str]) -> dict[str, str] | None:
    if employer is None:
        return None
    return {"name": employer.name, "number": employer.number, "clear_url": lists.address(**without)}


def _month(asked: str) -> tuple[datetime, datetime] | None:
    """The first moment of the month `YYYY-MM` and of the next one, in Belgium; None for anything else."""
    try:
        first = date.fromisoformat(f"{asked}-01")
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError:
        return None
    return questions.first_of_month(first), questions.first_of_month(after)


def _quarter(asked: str) -> str:
    """The quarter `YYYYQ` in which trainings ended; nothing for anything else."""
    with suppress(NumberError):
        return parse_quarter(asked)
    return ""


# --- buttons --------------------------------------------------------------------------------------


@require_POST
@needs(Profile.ENCODE)
def complete(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a draft ready to leave, or says that something is still missing."""
    declaration = mine(Declaration.objects.select_related("record"), pk=pk)
    try:
        with transaction.atomic():
            missing = declaring.complete(declaration) if declaration.state == Declaration.State.DRAFT else {}
    except declaring.CannotDeclare as refusal:
        messages.error(request, str(refusal))
    except LostRace:
        messages.error(request, LEFT_MEANWHILE)
    else:
        if missing:
            messages.error(request, _("Something is missing or wrong: correct the fields first."))
        else:
            messages.success(
                request, _("Ready to leave. %(leaves)s") % {"leaves": departing.told(declaration.service)}
            )
    return redirect(questions.address_of(declaration))


@require_POST
@needs(Profile.ADMINISTRATIVE)
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Declares a refused declaration again, with the present content of its record."""
    declaration = mine(Declaration.objects.select_related("record"), pk=pk)
    try:
        with transaction.atomic():
            new = declaring.correct(declaration)
    except declaring.CannotDeclare as refusal:
        messages.error(request, str(refusal))
    else:
        tell_of(request, new)
        declaration = new
    return redirect(questions.address_of(declaration))


@require_POST
@needs(Profile.ADMINISTRATIVE)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes back a declaration that has not left; the reason goes into its history."""
    declaration = mine(Declaration, pk=pk)
    reason = request.POST.get("reason", "").strip()
    try:
        with transaction.atomic():
            if not reason:
                raise declaring.CannotDeclare(_("Give a reason: it is kept in the history."))
            declaring.withdraw(declaration, reason)
    except declaring.CannotDeclare as refusal:
        messages.error(request, str(refusal))
    except LostRace:
        messages.error(request, LEFT_MEANWHILE)
    else:
        messages.success(request, _("Withdrawn: this declaration does not leave."))
    return redirect(questions.address_of(declaration))


def tell_of(request: HttpRequest, new: Declaration) -> None:
    """Says what becomes of a declaration that was just made."""
    if new.state == Declaration.State.READY:
        messages.success(request, _("Declared. %(leaves)s") % {"leaves": departing.told(new.service)})
    else:
        messages.warning(request, _("Kept as a draft: correct the fields that are missing or wrong first."))
