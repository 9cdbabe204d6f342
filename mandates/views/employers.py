"""The list of clients, and adding one. The page of one client shows declarations too: see `portal.views.client`."""

from __future__ import annotations

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates import listings, questions
from mandates.models import Employer
from mandates.views.forms import EmployerForm
from portal import audit, lists, sheets
from portal.access import membership, needs
from portal.models import Application, MandateProfile

CHIPS = (
    ("", pgettext_lazy("clients", "All")),
    (questions.WITH, pgettext_lazy("clients", "With an active mandate")),
    (questions.WITHOUT, pgettext_lazy("clients", "Without an active mandate")),
    (questions.ENDING, pgettext_lazy("clients", "Ending this quarter")),
)


@require_safe
@needs(MandateProfile.SEE)
def employers(request: HttpRequest) -> HttpResponse:
    """Every client by name, filtered by mandate and by name or number."""
    me = membership(request)
    today = timezone.localdate()
    rows, query, state = _asked(request.GET)
    counts = questions.client_counts(rows, today)
    chips = lists.chips(CHIPS, counts, state, {"q": query})
    page = lists.page_of(request, questions.filtered(rows, state, today), total=counts[state])
    page.object_list = questions.client_rows(page.object_list, today)
    context = {
        "nav": "employers",
        "chips": chips,
        "query": query,
        "state": state,
        "kept": {"q": query, "state": state},
        "page": page,
        "may_add": me.may(MandateProfile.MANAGE) and me.reach(Application.MANDATES) is None,
    }
    return render(request, "mandates/employer_list.html", context)


def _asked(parameters: QueryDict) -> tuple[QuerySet[Employer], str, str]:
    """The clients that a text finds, the text, and the filter on their mandate."""
    query, state = parameters.get("q", ""), parameters.get("state", "")
    return questions.clients(query), query, state if state in questions.CLIENT_FILTERS else ""


@require_POST
@needs(MandateProfile.SEE)
def export(request: HttpRequest) -> HttpResponseBase:
    """The list of clients, as filtered, as a file."""
    today = timezone.localdate()
    rows, query, state = _asked(request.POST)
    listing = listings.clients(questions.filtered(rows, state, today), today)
    return sheets.export(request, listing, "employers", {"q": query, "state": state})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MandateProfile.MANAGE, everywhere=[Application.MANDATES])
def add(request: HttpRequest) -> HttpResponse:
    """A new client; its mandate is the next step."""
    form = EmployerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = Employer.objects.create(**form.cleaned_data)
                audit.record("employer.added", made)
        except IntegrityError:
            form.add_error(
                "number", _("This enterprise is one of your clients already: look it up in the list.")
            )
        else:
            messages.success(
                request,
                _("Added. It is your own enterprise: no mandate is needed.")
                if made.is_own
                else _("Added. Nothing leaves for this client before a mandate is active."),
            )
            return redirect("employer", made.pk)
    context = {"nav": "employers", "form": form}
    return render(request, "mandates/employer_add.html", context, status=422 if form.errors else 200)
