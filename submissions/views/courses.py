"""What was encoded together: its page, making its drafts ready; and throwing a template away."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from mandates.catalogue import services
from portal import lists, tenancy
from portal.access import membership, mine, needs
from portal.lists import address
from portal.models import Profile
from submissions import departing, encoding, templating
from submissions.fields import BY_NAME
from submissions.models import Course, Declaration, TrainingRecord, TrainingTemplate
from submissions.states import DeclarationState


@require_safe
@needs(Profile.ENCODE)
def course(request: HttpRequest, pk: int) -> HttpResponse:
    """The trainings that were encoded together, each with where it stands."""
    chosen = mine(Course.objects.select_related("employer"), pk=pk)
    tenant = tenancy.current()
    about = Declaration.objects.filter(mandataire_id=tenant, record=OuterRef("pk")).order_by("-id")
    records = TrainingRecord.objects.filter(mandataire_id=tenant, course=chosen).select_related("worker")
    rows = records.annotate(state=Subquery(about.values("state")[:1])).order_by("pk")
    page = lists.page_of(request, rows)
    drafts = Declaration.objects.filter(
        mandataire_id=tenant, record__course=chosen, state=DeclarationState.DRAFT
    ).count()
    leaves = any(row.state == DeclarationState.READY for row in page.object_list)
    own = membership(request).employer_id is not None
    again = {"like": str(page.object_list[0].pk)} if page.object_list else {}
    employer = {} if own else {"employer": str(chosen.employer_id)}
    context = {
        "nav": "declarations",
        "course": chosen,
        "columns": BY_NAME,
        "page": page,
        "first": page.object_list[0] if page.object_list else None,
        "leaves": departing.told(next(iter(services()))) if leaves else "",
        "again_url": reverse("course_new") + address(**employer, **again),
        "ready": {
            "url": reverse("course_ready", args=[chosen.pk]),
            "label": _("Make all ready to leave"),
            "is_main": True,
        }
        if drafts
        else None,
        "drafts": drafts,
    }
    return render(request, "submissions/course_detail.html", context)


@require_POST
@needs(Profile.ENCODE)
def make_ready(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes the complete drafts of a course ready to leave, in one go."""
    chosen = mine(Course.objects.select_related("employer"), pk=pk)
    made, incomplete = encoding.make_ready(chosen)
    if made:
        said = ngettext("%(count)d is ready to leave.", "%(count)d are ready to leave.", made)
        messages.success(request, f"{said % {'count': made}} {departing.told(next(iter(services())))}")
    if incomplete:
        said = ngettext(
            "%(count)d is not complete: open it and correct its fields.",
            "%(count)d are not complete: open them and correct their fields.",
            incomplete,
        )
        messages.warning(request, said % {"count": incomplete})
    if not made and not incomplete:
        messages.info(request, _("Nothing waits to be made ready."))
    return redirect("course", pk)


@require_POST
@needs(Profile.ENCODE)
def remove_template(request: HttpRequest, pk: int) -> HttpResponse:
    """Throws a template away. One for all clients goes only by the hand of who works for all of them."""
    template = mine(TrainingTemplate, pk=pk)
    if template.employer_id is None and tenancy.limit() is not None:
        messages.error(request, _("This template is for all clients: your access is limited to some."))
    else:
        templating.remove(template)
        messages.success(request, _("Removed. The trainings made from it stay."))
    return redirect(reverse("course_new") + address(employer=request.POST.get("employer", "")))
