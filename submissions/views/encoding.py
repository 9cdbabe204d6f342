"""Encoding a training for many workers in three questions: which training, who, is it right?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from mandates import questions as clients
from mandates import speaking
from mandates.catalogue import mandate_service, services
from mandates.models import Employer
from portal import lists, tenancy
from portal.access import membership, mine, needs
from portal.lists import address
from portal.models import Profile
from submissions import departing, encoding, templating
from submissions.encoding import Asked, CannotEncode
from submissions.fields import FIELDS, is_empty
from submissions.models import TrainingRecord
from submissions.teams import Mate, found_by, groups, team
from submissions.views.course_form import CourseForm

SHOWN: Final = 1000
"""Workers listed on one page; a larger house searches among them, or takes groups and everybody."""


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def new(request: HttpRequest) -> HttpResponse:
    """Encodes a training: each page carries what was said on those before it, and nothing is kept before the last."""
    employer = _employer(request)
    if employer is None:
        return _clients(request)
    if request.method != "POST":
        known = templating.habits(employer, timezone.localdate())
        values, chosen = _beginning(request, employer, known)
        return _training(request, CourseForm(employer, initial=values), known, chosen=chosen)
    form, go = CourseForm(employer, request.POST), request.POST.get("go", "")
    if not form.is_valid() or go == "training":
        known = templating.habits(employer, timezone.localdate())
        status = 200 if form.is_valid() else 422
        return _training(request, form, known, chosen=_ids(request), status=status)
    match go:
        case "check":
            return _check(request, form)
        case "ready" | "draft":
            return _save(request, form)
        case _:
            return _workers(request, form)


def _employer(request: HttpRequest) -> Employer | None:
    """The company of an employer user; for others the client that the address names, None without one."""
    own, asked = membership(request).employer_id, request.GET.get("employer", "")
    rows = Employer.objects.select_related("mandataire")
    if own is not None:
        return mine(rows, pk=own)
    return mine(rows, pk=_number(asked)) if asked else None


def _clients(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "")
    page = lists.page_of(request, clients.clients(query))
    context = {"nav": "course_new", "query": query, "page": page}
    return render(request, "submissions/course_client.html", context)


def _beginning(
    request: HttpRequest, employer: Employer, known: templating.Habits
) -> tuple[dict[str, Any], list[int]]:
    """Values and workers to begin with: of a template, of an earlier training, or what is usual."""
    if asked := request.GET.get("like", ""):
        values, workers = templating.like(mine(TrainingRecord, pk=_number(asked), employer=employer))
        return {**known.values, **values}, workers
    if asked := request.GET.get("template", ""):
        template = mine(templating.templates(employer), pk=_number(asked))
        return {**known.values, **{name: template.values.get(name) for name in templating.KEPT}}, []
    return dict(known.values), []


# --- the three pages ------------------------------------------------------------------------------


def _context(request: HttpRequest, form: CourseForm, step: int) -> dict[str, Any]:
    own = membership(request).employer_id is not None
    query = "" if own else address(employer=str(form.employer.pk))
    return {
        "nav": "course_new",
        "employer": form.employer,
        "is_own": own,
        "form": form,
        "step": step,
        "action": reverse("course_new") + query,
    }


def _training(
    request: HttpRequest,
    form: CourseForm,
    known: templating.Habits,
    *,
    chosen: Iterable[int],
    status: int = 200,
) -> HttpResponse:
    form.offer(known.texts)
    employer, base = form.employer, _context(request, form, 1)
    may_remove = tenancy.limit() is None
    join = "&" if "?" in base["action"] else "?"
    context = {
        **base,
        "chosen": _joined(chosen),
        "templates": [
            {
                "name": row.name,
                "is_for_all": row.employer_id is None,
                "url": f"{base['action']}{join}template={row.pk}",
                "remove": {
                    "url": reverse("training_template_remove", args=[row.pk]),
                    "label": _("Remove"),
                    "question": _("The template goes; the trainings made from it stay."),
                    "fields": {"employer": employer.pk},
                }
                if may_remove or row.employer_id is not None
                else None,
            }
            for row in templating.templates(employer)
        ],
        "latest": [
            {"title": row.title, "on": row.starts_on, "url": f"{base['action']}{join}like={row.pk}"}
            for row in known.latest
        ],
    }
    return render(request, "submissions/course_training.html", context, status=status)


def _workers(request: HttpRequest, form: CourseForm, *, error: str = "") -> HttpResponse:
    mates = _team(form)
    chosen = {mate.worker.pk for mate in _chosen(request, mates)}
    query = request.POST.get("q", "")
    found = found_by(mates, query)
    shown = found[:SHOWN]
    if error:
        form.add_error(None, error)
    usual = form.cleaned_data.get("day_minutes")
    context = {
        **_context(request, form, 2),
        "query": query,
        "total": len(mates),
        "found": len(found),
        "not_shown": len(found) - len(shown),
        "gone": len(_ids(request) - {mate.worker.pk for mate in mates}),
        "groups": [_group(name, count) for name, count in groups(mates).items()],
        "rows": [_row(mate, usual) | {"is_chosen": mate.worker.pk in chosen} for mate in shown],
        "chosen_count": len(chosen),
        "chosen": _joined(chosen - {mate.worker.pk for mate in shown}),
    }
    return render(request, "submissions/course_workers.html", context, status=422 if error else 200)


def _check(request: HttpRequest, form: CourseForm, *, error: str = "") -> HttpResponse:
    mates = _chosen(request, _team(form))
    if not mates:
        return _workers(request, form, error=_("Choose at least one worker."))
    asked = _asked(request, form, mates)
    clashes = encoding.clashes(form.employer, asked)
    usual = asked.values["day_minutes"] if asked.has_own_days else None
    rows = [
        _row(mate, usual)
        | {
            "clash": clashes.get(mate.worker.pk),
            "is_absent": mate.worker.pk in asked.absent,
            "is_free": mate.worker.pk in asked.free,
            "is_again": mate.worker.pk in asked.again,
        }
        for mate in mates
    ]
    rows.sort(key=lambda row: row["clash"] is None)
    if error:
        form.add_error(None, error)
    first, said = next(iter(services().values())), encoding.charged(asked.values)
    context = {
        **_context(request, form, 3),
        "facts": [(column, said[column.name]) for column in FIELDS if not is_empty(said[column.name])],
        "rows": rows[:SHOWN],
        "not_shown": max(0, len(rows) - SHOWN),
        "count": len(mates),
        "same": sum(bool(clash.same) for clash in clashes.values()),
        "full": sum(bool(clash.full) for clash in clashes.values()),
        "chosen": _joined(mate.worker.pk for mate in mates),
        "silence": speaking.silence(
            form.employer,
            form.employer.mandates.filter(mandataire_id=tenancy.current()),
            mandate_service(first.mandate),
            timezone.localdate(),
        ),
        "may_keep_for_all": tenancy.limit() is None,
        "template_name": request.POST.get("template_name", ""),
        "is_template_for_all": "template_for_all" in request.POST,
    }
    return render(request, "submissions/course_check.html", context, status=422 if error else 200)


def _save(request: HttpRequest, form: CourseForm) -> HttpResponse:
    is_draft = form.is_draft or request.POST["go"] == "draft"
    asked = _asked(request, form, _chosen(request, _team(form)), is_draft=is_draft)
    name = request.POST.get("template_name", "").strip()[:100]
    for_all = "template_for_all" in request.POST and tenancy.limit() is None
    try:
        with transaction.atomic():
            made = encoding.encode(form.employer, asked)
            if name and made.made:
                templating.keep(name, asked.values, None if for_all else form.employer)
    except (CannotEncode, templating.NameTaken) as refusal:
        return _check(request, form, error=str(refusal))
    _tell(request, made, is_draft=is_draft)
    return redirect("course", made.course.pk)


def _tell(request: HttpRequest, made: encoding.Encoded, *, is_draft: bool) -> None:
    if not made.made:
        messages.info(
            request, _("This form was sent already: what it made is here, and nothing was made twice.")
        )
        return
    if is_draft:
        said = ngettext(
            "Kept as a draft for %(count)d worker.", "Kept as drafts for %(count)d workers.", made.made
        )
        next_ = _("Make them ready when they are complete.")
    else:
        said = ngettext("Declared for %(count)d worker.", "Declared for %(count)d workers.", made.made)
        next_ = departing.told(next(iter(services())))
    messages.success(request, f"{said % {'count': made.made}} {next_}")
    if made.left_out:
        left = ngettext(
            "%(count)d was left out: the same training stands in the register already.",
            "%(count)d were left out: the same training stands in the register already.",
            made.left_out,
        )
        messages.warning(request, left % {"count": made.left_out})


# --- what was said --------------------------------------------------------------------------------


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _listed(texts: Iterable[str]) -> set[int]:
    return {number for text in texts if (number := _number(text.strip()))}


def _ids(request: HttpRequest) -> set[int]:
    return _listed([*request.POST.getlist("worker"), *request.POST.get("chosen", "").split(",")])


def _joined(ids: Iterable[int]) -> str:
    return ",".join(map(str, sorted(ids)))


def _team(form: CourseForm) -> list[Mate]:
    return team(form.employer, form.cleaned_data["starts_on"], form.cleaned_data["ends_on"])


def _chosen(request: HttpRequest, mates: Sequence[Mate]) -> list[Mate]:
    """Those ticked one by one, with those of the groups ticked, and everybody whom the search found."""
    wanted, wanted_groups = _ids(request), set(request.POST.getlist("group"))
    if "everybody" in request.POST:
        # What was typed since, and not searched, narrows nothing.
        wanted |= {mate.worker.pk for mate in found_by(mates, request.POST.get("searched", ""))}
    return [mate for mate in mates if mate.worker.pk in wanted or wanted_groups & set(mate.groups)]


def _asked(request: HttpRequest, form: CourseForm, mates: Sequence[Mate], *, is_draft: bool = False) -> Asked:
    lists_of_ids = {name: _listed(request.POST.getlist(name)) for name in ("absent", "free", "again")}
    return Asked(
        key=form.cleaned_data["key"],
        values=form.values(),
        workers=[mate.worker.pk for mate in mates],
        has_own_days=form.cleaned_data["has_own_days"],
        is_draft=is_draft,
        **lists_of_ids,
    )


def _group(name: str, count: int) -> dict[str, Any]:
    labels = {"full": _("Full-time"), "part": _("Part-time")}
    label = labels.get(name) or _("Joint committee %(number)s") % {"number": name.removeprefix("jc:")}
    return {"value": name, "label": label, "count": count}


def _row(mate: Mate, usual: int | None) -> dict[str, Any]:
    """A worker as the lists show him; `own_day` only where it is another one than `usual`."""
    return {
        "pk": mate.worker.pk,
        "name": str(mate.worker),
        "niss": mate.worker.masked_niss,
        "groups": " ".join(mate.groups),
        "joint_committee": mate.joint_committee,
        "regime": mate.regime,
        "own_day": mate.day_minutes if usual and mate.day_minutes != usual else None,
    }
