"""Mandates from a file: the uploads, one of them as preview, progress and result, and what is done with it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates import tasks
from mandates.catalogue import mandate_services
from mandates.importing import applying, exporting, keeping
from mandates.importing.columns import COLUMNS, told
from mandates.models import MandateImport, MandateImportRow
from mandates.states import ImportState
from mandates.views.forms import ImportForm
from mandates.views.mandates import DECIDED_MEANWHILE
from portal import lists, tenancy
from portal.access import mine, needs
from portal.models import Application, MandateProfile, User
from portal.moving import LostRace
from portal.spreadsheets.reading import Unreadable
from portal.templatetags.presenting import number, person_name, when

_for_importers: Final = needs(MandateProfile.MANAGE, everywhere=[Application.MANDATES])
"""A file may be about any client, and adds those that are not clients yet."""

_State = MandateImportRow.State
CHIPS: Final = (
    ("", pgettext_lazy("rows", "All")),
    (_State.BAD, pgettext_lazy("rows", "To correct")),
    (_State.GOOD, pgettext_lazy("rows", "Good")),
    (_State.APPLIED, pgettext_lazy("rows", "Applied")),
)
DELIMITERS: Final = {
    ";": gettext_lazy("separated by semicolons"),
    ",": gettext_lazy("separated by commas"),
    "\t": gettext_lazy("separated by tabs"),
}


def _imports() -> QuerySet[MandateImport]:
    """Without the bytes of the files, which no page needs."""
    return MandateImport.objects.filter(mandataire_id=tenancy.current()).defer("content_sealed")


@require_http_methods(["GET", "HEAD", "POST"])
@_for_importers
def imports(request: HttpRequest) -> HttpResponse:
    """The form for a file, and every file so far, newest first."""
    is_sent = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if is_sent else ImportForm()
    if is_sent and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = keeping.keep(file.name, file.read())
        except Unreadable as fault:
            form.add_error("file", ValidationError(str(fault)))
        else:
            address = reverse("mandate_import", args=[made.pk])
            return redirect(f"{address}?state={_State.BAD}" if made.bad else address)
    page = lists.page_of(request, _imports().order_by("-id"))
    people = User.objects.in_bulk({one.uploaded_by for one in page.object_list if one.uploaded_by})
    page.object_list = [
        _told(one, people) | {"url": reverse("mandate_import", args=[one.pk])} for one in page.object_list
    ]
    columns = [(column.label, column.is_needed, _HINTS[name]) for name, column in COLUMNS.items()]
    context = {
        "nav": "mandates",
        "title": _("Import mandates"),
        "subtitle": _("First you see what each row would do; nothing is made before you decide."),
        "parent": _parents()[0],
        "states": "import",
        "columns_note": _(
            "In any order, with headings in French, Dutch, German or English; other columns are left aside."
        ),
        "done_label": _("Mandates made"),
        "form": form,
        "page": page,
        "kinds": [
            {"label": _("Mandates"), "template": reverse("mandate_import_template"), "columns": columns}
        ],
    }
    return render(request, "imports/list.html", context, status=422 if form.errors else 200)


def _parents() -> list[dict[str, str]]:
    return [
        {"label": _("Mandates"), "url": reverse("mandates")},
        {"label": _("Import mandates"), "url": reverse("mandate_imports")},
    ]


_PLACES: Final = {name: place for place, name in enumerate(COLUMNS)}
_HINTS: Final = {
    "number": gettext_lazy("Ten digits, such as 0897.223.670."),
    "name": gettext_lazy("Only for enterprises that are not clients yet: they are added."),
    "onss_number": gettext_lazy("Nine digits, such as 1303875-93; only for new clients."),
    "language": gettext_lazy("Such as fr or nl; only for new clients."),
    "service": gettext_lazy("The code or the name of the service, such as FLA."),
    "starts": gettext_lazy("Such as 2026Q1, 2026/1, 1/2026 or the first day of the quarter."),
    "ends": gettext_lazy("Such as 2026Q4; empty for a mandate without an end."),
}


def _told(found: MandateImport, people: dict[int, User]) -> dict[str, Any]:
    uploader = person_name(people[found.uploaded_by]) if found.uploaded_by in people else ""
    good = found.total - found.bad - found.done
    return {
        "pk": found.pk,
        "name": found.name,
        "state": found.state,
        "is_whole": found.is_whole,
        "uploaded_at": found.uploaded_at,
        "ended_at": found.ended_at,
        "uploader": uploader,
        "about": [one for one in (when(found.uploaded_at), uploader, _kind(found)) if one],
        "total": found.total,
        "bad": found.bad,
        "done": found.done,
        "good": good,
        "expected": found.total,
        "passed": found.done + found.bad,
        "headline": _headline(found, good),
        "notes": _notes(found),
    }


def _headline(found: MandateImport, good: int) -> str:
    if found.state == ImportState.CHECKED:
        text = ngettext("%(good)s good row of %(total)s", "%(good)s good rows of %(total)s", good)
    else:
        text = ngettext(
            "%(done)s mandate of %(total)s made", "%(done)s mandates of %(total)s made", found.done
        )
    return text % {"good": number(good), "done": number(found.done), "total": number(found.total)}


def _notes(found: MandateImport) -> list[str]:
    """What comes next."""
    bad = {"bad": number(found.bad)}
    if found.state == ImportState.APPLYING:
        return []
    if found.state == ImportState.CHECKED:
        notes = [
            _(
                "Each good row becomes a mandate that you have validated. It is active once the procuration of the "
                "employer is added to it."
            )
        ]
        sentence = ngettext(
            "%(bad)s row is to correct. Correct it in your file and choose the file again, or import the good ones "
            "and leave it out.",
            "%(bad)s rows are to correct. Correct them in your file and choose the file again, or import the good "
            "ones and leave them out.",
            found.bad,
        )
        return [*notes, sentence % bad] if found.bad else notes
    if not found.bad:
        return [_("Every row became a mandate. Add the procurations of the employers to make them active.")]
    sentence = ngettext(
        "%(bad)s row was left out. Download it with the reason, correct it, and import that file.",
        "%(bad)s rows were left out. Download them with the reasons, correct them, and import that file.",
        found.bad,
    )
    return [sentence % bad]


def _kind(found: MandateImport) -> str:
    """How the file was read, in words."""
    if not found.delimiter:
        return _("workbook, first sheet")
    return f"CSV, {found.encoding}, {DELIMITERS[found.delimiter]}"


@require_safe
@_for_importers
def template(request: HttpRequest) -> HttpResponse:
    """The empty file to fill in, with headings in the reader's language."""
    return _csv(exporting.template(), pgettext("file name", "mandates"))


@require_safe
@_for_importers
def mandate_import(request: HttpRequest, pk: int) -> HttpResponse:
    """One file with its rows. An htmx request gets the progress alone, and the whole page once it is over."""
    found = mine(_imports(), pk=pk)
    told_import = _told(found, User.objects.in_bulk([found.uploaded_by] if found.uploaded_by else []))
    is_moving = found.state == ImportState.APPLYING
    context: dict[str, Any] = {"found": told_import, "is_moving": is_moving, "url": request.path}
    if request.headers.get("HX-Request"):
        if not is_moving:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "imports/detail.html#progress", context)
    state = request.GET.get("state", "")
    state = state if state in _State.values else ""
    counts = {
        "": found.total,
        _State.BAD: found.bad,
        _State.GOOD: told_import["good"],
        _State.APPLIED: found.done,
    }
    rows = found.rows.filter(state=state) if state else found.rows.all()
    page = lists.page_of(request, rows.order_by("line"))
    page.object_list = [_row(row) for row in page.object_list]
    same = keeping.earlier(found)
    bad = _button(_("Download the rows to correct"), "mandate_import_bad", pk) | {"is_link": True}
    context |= {
        "nav": "mandates",
        "states": "import",
        "parents": _parents(),
        "is_hidden": False,
        "has_faults": any(row["faults"] for row in page.object_list),
        "earlier": same
        and {"url": reverse("mandate_import", args=[same.pk]), "uploaded_at": same.uploaded_at},
        "download": bad if found.bad else None,
        "undo": None,
        "chips": lists.chips(CHIPS, counts, state),
        "page": page,
        "decisions": _decisions(found, told_import),
        "resume": _button(_("Go on now"), "mandate_import_apply", pk) if _is_left_alone(found) else None,
        "discard": _discard(found),
    }
    return render(request, "mandates/import_detail.html", context)


def _is_left_alone(found: MandateImport) -> bool:
    """Whether an import should go on and no worker was seen at it lately."""
    return found.due_at is not None and found.due_at <= timezone.now()


def _row(row: MandateImportRow) -> dict[str, Any]:
    known = mandate_services().get(row.service)
    return {
        "line": row.line,
        "state": row.state,
        "number": row.number,
        "typed_number": row.cells.get("number", ""),
        "name": row.name,
        "is_new": row.is_new,
        "service": str(known.name) if known else row.cells.get("service", ""),
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "mandate": row.mandate_id,
        "faults": [
            {
                "field": capfirst(str(COLUMNS[column].label)),
                "text": told(column, *fault),
                "typed": row.cells.get(column, ""),
            }
            for column, *fault in sorted(row.faults, key=lambda one: _PLACES[one[0]])
        ],
    }


def _decisions(found: MandateImport, shown: dict[str, Any]) -> list[dict[str, Any]]:
    """The two buttons of a preview: everything or nothing, and whatever is good."""
    if found.state != ImportState.CHECKED or not shown["good"]:
        return []
    values = {"count": shown["good"], "shown": number(shown["good"])}
    good = ngettext("Import the good row", "Import the %(shown)s good rows", shown["good"]) % values
    some = _button(good, "mandate_import_apply", found.pk)
    if found.bad:
        return [some | {"is_main": True}]
    every = ngettext("Import the row", "Import all %(shown)s rows, or none", shown["good"]) % values
    whole = _button(every, "mandate_import_apply", found.pk) | {"fields": {"whole": "1"}, "is_main": True}
    return [whole, some]


def _discard(found: MandateImport) -> dict[str, Any] | None:
    if found.state != ImportState.CHECKED:
        return None
    question = _(
        "The file and this preview go; no mandate is touched. The history keeps that they were here."
    )
    return _button(_("Throw away"), "mandate_import_discard", found.pk) | {"question": question}


def _button(label: str, name: str, pk: int) -> dict[str, Any]:
    return {"url": reverse(name, args=[pk]), "label": label}


@require_POST
@_for_importers
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Has a preview applied by the worker; for one that was begun and left alone, does what the schedule does."""
    found = mine(_imports(), pk=pk)
    try:
        with transaction.atomic():
            if found.state == ImportState.APPLYING:
                applying.resume(found)
            else:
                applying.begin(found, is_whole="whole" in request.POST)
    except LostRace:
        messages.error(request, DECIDED_MEANWHILE)
    else:
        # A broker that is down is logged and no more: the sweep does it once it is back.
        task = partial(tasks.apply_import.delay, str(tenancy.current()), pk)
        transaction.on_commit(task, robust=True)
    return redirect("mandate_import", pk)


@require_POST
@_for_importers
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throws a preview away."""
    found = mine(_imports(), pk=pk)
    try:
        with transaction.atomic():
            keeping.discard(found)
    except LostRace:
        messages.error(request, DECIDED_MEANWHILE)
        return redirect("mandate_import", pk)
    messages.success(request, _("Thrown away: %(name)s. No mandate was touched.") % {"name": found.name})
    return redirect("mandate_imports")


@require_safe
@_for_importers
def bad_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows to correct, with the reason beside, ready to be corrected and imported again."""
    return _csv(exporting.bad_rows(mine(_imports(), pk=pk)), pgettext("file name", "to-correct"))


def _csv(content: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "X-Content-Type-Options": "nosniff",
        },
    )
