"""The workers of an employer, and one worker with his contracts and rights."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates import employing, joint_committees
from mandates.employing import CannotEmploy
from mandates.models import Contract, Employer, Worker
from portal import lists, sheets
from portal.access import membership, mine, needs
from portal.models import Profile
from submissions import history, listings, rights, searching
from submissions.entitlement import Facts, explain
from submissions.models.right import FIRST_YEAR
from submissions.right_words import percent, right_of_year
from submissions.views.register_forms import ContractForm, NamesForm, WorkerForm


@require_safe
@needs(Profile.ENCODE)
def workers(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody who works or worked for an employer, with the present contract and the right of this year."""
    employer, query = mine(Employer, pk=pk), request.GET.get("q", "").strip()
    rows = searching.workers(query).filter(employer=employer)
    page = lists.page_of(request, rows.order_by("family_name", "given_name", "pk"))
    today = timezone.localdate()
    shown = list(page.object_list)
    facts = rights.facts_of(shown)
    page.object_list = [_row(worker, facts[worker.pk], today) for worker in shown]
    context = {"nav": "employers", "employer": employer, "query": query, "page": page, "year": today.year}
    context |= {"kept": {"q": query}, "files": _files(request, pk)}
    return render(request, "submissions/worker_list.html", context)


@require_POST
@needs(Profile.ENCODE)
def export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The list of an employer's workers, as filtered, as a file."""
    employer, query = mine(Employer, pk=pk), request.POST.get("q", "").strip()
    listing = listings.workers(searching.workers(query).filter(employer=employer), timezone.localdate())
    return sheets.export(request, listing, "workers", {"employer": employer.name, "q": query})


def _row(worker: Worker, facts: Facts, today: date) -> dict[str, Any]:
    held = [term for term in facts.terms if term.holds_on(today)]
    return {
        "pk": worker.pk,
        "name": str(worker),
        "niss": worker.masked_niss,
        "committees": ", ".join(sorted({term.joint_committee for term in held})),
        "regime": percent(sum((term.regime for term in held), Fraction(0))) if held else "",
        "right": right_of_year(explain(facts, today.year)),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """A new worker; his contract is the next step."""
    employer = mine(Employer, pk=pk)
    form = WorkerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        try:
            with transaction.atomic():
                made = employing.take_on(employer, values.pop("niss"), values)
        except CannotEmploy as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            messages.success(request, _("Added. The contract is the next step."))
            return redirect("contract_new", made.pk)
    context = {"nav": "employers", "employer": employer, "worker": None, "form": form}
    return render(request, "submissions/worker_form.html", context, status=_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Names and language of a worker to correct. His number changes by an answer of social security only."""
    chosen = mine(Worker.objects.select_related("employer"), pk=pk)
    names = ("family_name", "given_name", "language")
    present = {name: getattr(chosen, name) for name in names}
    form = NamesForm(request.POST if request.method == "POST" else None, initial=present)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            changed = employing.rename(chosen, form.cleaned_data)
        if changed:
            messages.success(request, _("Corrected. Declarations that left keep the name they left under."))
        else:
            messages.info(request, _("Nothing was changed."))
        return redirect("worker", pk)
    context = {"nav": "employers", "employer": chosen.employer, "worker": chosen, "form": form}
    return render(request, "submissions/worker_form.html", context, status=_status(form))


@require_safe
@needs(Profile.ENCODE)
def worker(request: HttpRequest, pk: int) -> HttpResponse:
    """One worker: numbers, contracts, rights by year, history."""
    chosen = mine(Worker.objects.select_related("employer"), pk=pk)
    former = list(chosen.former_numbers.filter(undone_at=None).order_by("-replaced_at", "-pk"))
    today = timezone.localdate()
    years = rights.rights_by_year(chosen, range(FIRST_YEAR, today.year + 1))
    context = {
        "nav": "employers",
        "worker": chosen,
        "former": former,
        "contracts": [_contract(row, today) for row in chosen.contracts.order_by("-entered_on", "-pk")],
        "years": [right_of_year(years[year]) for year in sorted(years, reverse=True)],
        "events": history.of_worker(chosen, former),
        "files": [
            button
            for name, label in (("worker_file", _JSON), ("worker_file_pdf", _PDF))
            if (button := _file(request, name, pk, label, _WORKER_FILE))
        ],
    }
    return render(request, "submissions/worker_detail.html", context)


_WORKER_FILE: Final = gettext_lazy(
    "Everything the register knows of this worker, with the personal number in full. "
    "The journal keeps that you took it."
)
_EMPLOYER_FILE: Final = gettext_lazy(
    "Everything the register knows of this client and its workers, with the personal numbers in full. "
    "The journal keeps that you took it."
)


_EMPLOYER_ARCHIVE: Final = gettext_lazy(
    "The complete file with tables for a spreadsheet, as a ZIP that another office of this portal can read. It holds "
    "the personal numbers in full: keep it where only those may read it who must. The journal keeps that you took it."
)
_JSON: Final = gettext_lazy("Complete file (JSON)")
_PDF: Final = gettext_lazy("Complete file (PDF)")


def _files(request: HttpRequest, pk: int) -> list[dict[str, Any]]:
    """The buttons under which an employer's register leaves, for who may take it."""
    asked = (
        ("employer_file_pdf", _PDF, _EMPLOYER_FILE),
        ("employer_file", _JSON, _EMPLOYER_FILE),
        ("employer_archive", gettext_lazy("Archive (ZIP)"), _EMPLOYER_ARCHIVE),
    )
    return [button for ask in asked if (button := _file(request, ask[0], pk, *ask[1:]))]


def _file(
    request: HttpRequest, name: str, pk: int, label: str | Promise, question: str | Promise
) -> dict[str, Any] | None:
    """The button of a complete file, for who may take one."""
    if not membership(request).may(Profile.ADMINISTRATIVE):
        return None
    return {"url": reverse(name, args=[pk]), "label": label, "question": question}


def _contract(row: Contract, today: date) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "committee": joint_committees.told(row.joint_committee),
        "regime": percent(rights.term_of(row).regime),
        "day_minutes": row.day_minutes,
        "entered_on": row.entered_on,
        "left_on": row.left_on,
        "is_present": row.entered_on <= today and (row.left_on is None or today <= row.left_on),
    }


# --- contracts ------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def contract_new(request: HttpRequest, pk: int) -> HttpResponse:
    """A new contract, which may replace the present one."""
    chosen = mine(Worker.objects.select_related("employer"), pk=pk)
    present = chosen.contracts.filter(left_on=None).order_by("-entered_on", "-pk").first()
    form = ContractForm(request.POST if request.method == "POST" else None, follows=present)
    if request.method == "POST" and form.is_valid():
        ends = present if form.cleaned_data.get("replaces") else None
        try:
            with transaction.atomic(), rights.watching(chosen):
                employing.sign(chosen, form.values(), ends=ends)
        except CannotEmploy as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            messages.success(request, _("Contract added. The right to training follows it at once."))
            return redirect("worker", pk)
    return _contract_page(request, chosen, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    """A contract to correct or to end."""
    row = mine(Contract.objects.select_related("worker__employer"), pk=pk)
    form = ContractForm(request.POST if request.method == "POST" else None, contract=row)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic(), rights.watching(row.worker):
                changed = _keep(row, form.values())
        except CannotEmploy as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            if changed:
                messages.success(request, _("Contract changed. The right to training follows it at once."))
            else:
                messages.info(request, _("Nothing was changed."))
            return redirect("worker", row.worker_id)
    return _contract_page(request, row.worker, form, row)


def _keep(row: Contract, values: dict[str, Any]) -> bool:
    """Ends a contract when that is all that is asked, and corrects it otherwise; tells whether anything changed."""
    rest = {name: value for name, value in values.items() if name != "left_on"}
    ends = values["left_on"]
    if row.left_on is None and ends and all(getattr(row, name) == value for name, value in rest.items()):
        employing.end(row, ends)
        return True
    return bool(employing.change(row, values))


def _contract_page(request: HttpRequest, chosen: Worker, form: Form, row: Contract | None) -> HttpResponse:
    context = {
        "nav": "employers",
        "worker": chosen,
        "form": form,
        "is_new": row is None,
        "committees": list(joint_committees.joint_committees().values()),
    }
    return render(request, "submissions/contract_form.html", context, status=_status(form))


def _status(form: Form) -> int:
    return 422 if form.errors else 200
