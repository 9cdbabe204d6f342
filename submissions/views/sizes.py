"""What the rights of all workers follow from: the size of an enterprise by year, and the sector agreements."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates import joint_committees
from mandates.models import Contract, Employer
from portal import audit, lists, tenancy
from portal.access import membership, mine, needs
from portal.models import Application, Profile
from submissions import rights
from submissions.entitlement import lineage
from submissions.models import EmployerSize, SectorAgreement
from submissions.right_words import decimal
from submissions.views.register_forms import AgreementForm, SizeForm

ALL = [Application.DECLARATIONS]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def size(request: HttpRequest, pk: int) -> HttpResponse:
    """The size of an enterprise by year, and the sector agreements that its workers come under."""
    employer = mine(Employer, pk=pk)
    form = SizeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            rights.set_size(employer, form.cleaned_data["year"], form.cleaned_data["fte"])
        messages.success(request, _("Kept. The rights of this year follow it at once."))
        return redirect("employer_size", pk)
    tenant = tenancy.current()
    sizes = EmployerSize.objects.filter(mandataire_id=tenant, employer=employer).order_by("-year")
    contracts = Contract.objects.filter(mandataire_id=tenant, worker__employer=employer)
    committees = set(contracts.order_by().values_list("joint_committee", flat=True).distinct())
    above = {code for number in committees for code in lineage(number)}
    agreed = SectorAgreement.objects.filter(mandataire_id=tenant, joint_committee__in=above)
    context = {
        "nav": "employers",
        "employer": employer,
        "sizes": [
            {"year": row.year, "before": row.year - 2, "after": row.year - 1, "fte": row.fte} for row in sizes
        ],
        "committees": [joint_committees.told(number) for number in sorted(committees)],
        "agreements": [
            agreement_row(row, may_remove=False) for row in agreed.order_by("joint_committee", "from_year")
        ],
        "form": form,
    }
    return render(request, "submissions/employer_size.html", context, status=422 if form.errors else 200)


def agreement_row(row: SectorAgreement, *, may_remove: bool) -> dict[str, Any]:
    """One step of a growth path as the pages show it."""
    remove = {
        "url": reverse("agreement_remove", args=[row.pk]),
        "label": _("Remove"),
        "reason_label": _("Why is it removed?"),
        "question": _("The rights of all workers under it are then worked out without it."),
    }
    agreed = rights.agreement_of(row)
    return {
        "number": row.number,
        "committee": joint_committees.told(row.joint_committee),
        "from_year": row.from_year,
        "until_year": row.until_year,
        "days": decimal(agreed.days),
        "small_days": "" if agreed.small_days is None else decimal(agreed.small_days),
        "remove": remove if may_remove else None,
    }


@require_safe
@needs(Profile.ENCODE)
def agreements(request: HttpRequest) -> HttpResponse:
    """The growth paths of all joint committees, as the house knows them."""
    may_change = _may_change(request)
    rows = SectorAgreement.objects.filter(mandataire_id=tenancy.current())
    page = lists.page_of(request, rows.order_by("joint_committee", "from_year"))
    page.object_list = [agreement_row(row, may_remove=may_change) for row in page.object_list]
    context = {"nav": "employers", "page": page, "may_change": may_change}
    return render(request, "submissions/agreement_list.html", context)


def _may_change(request: HttpRequest) -> bool:
    me = membership(request)
    return me.may(Profile.ADMINISTRATIVE) and me.reach(Application.DECLARATIONS) is None


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ADMINISTRATIVE, everywhere=ALL)
def add(request: HttpRequest) -> HttpResponse:
    """One more step of a growth path."""
    form = AgreementForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = SectorAgreement.objects.create(**form.cleaned_data)
                audit.record("agreement.added", made, data=_told(made))
        except IntegrityError:
            form.add_error(
                "from_year",
                _(
                    "Another agreement of this joint committee holds in these years: remove it, or choose other years."
                ),
            )
        else:
            messages.success(request, _("Added. The rights of all workers under it follow at once."))
            return redirect("agreements")
    context = {
        "nav": "employers",
        "form": form,
        "committees": list(joint_committees.joint_committees().values()),
    }
    return render(request, "submissions/agreement_add.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Profile.ADMINISTRATIVE, everywhere=ALL)
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """A step that counts no more: it was entered by mistake, or another one takes its place."""
    found = mine(SectorAgreement, pk=pk)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Give a reason: it is kept in the history."))
        return redirect("agreements")
    with transaction.atomic():
        audit.record("agreement.removed", found, reason=reason, data=_told(found))
        found.delete()
    messages.success(request, _("Removed. The rights of all workers under it follow at once."))
    return redirect("agreements")


def _told(row: SectorAgreement) -> dict[str, Any]:
    return {
        "name": row.number,
        "committee": row.joint_committee,
        "from_year": row.from_year,
        "until_year": row.until_year,
        "days": str(row.days),
        "small_days": None if row.small_days is None else str(row.small_days),
    }
