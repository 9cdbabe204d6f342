"""Files for the register: the uploads, one of them as progress, dry run and result, and what is done with it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mandates.views.mandates import DECIDED_MEANWHILE
from portal import audit, lists, tenancy
from portal.access import membership, mine, needs
from portal.models import Profile, User
from portal.moving import LostRace
from portal.templatetags.presenting import number
from portal.uploading import takes_files_up_to
from submissions import tasks
from submissions.importing import applying, exporting, keeping, opening, undoing
from submissions.importing.checking import typed
from submissions.importing.kinds import KINDS, TABLES
from submissions.importing.remaining import Remains, addresses
from submissions.importing.rows import NISS
from submissions.importing.telling import label
from submissions.importing.telling import told as told_fault
from submissions.models import RegisterImport
from submissions.states import RegisterImportState
from submissions.views.import_forms import FILE_NAMES, KIND_WORDS, MappingForm, RegisterFileForm
from submissions.views.import_words import told

_S, Kind = RegisterImportState, RegisterImport.Kind
_AT_WORK: Final = (_S.CHECKING, _S.APPLYING, _S.UNDOING)
_WITH_FORM: Final = 100_000
"""Bytes of the form around the file."""


def _imports() -> QuerySet[RegisterImport]:
    return RegisterImport.objects.filter(mandataire_id=tenancy.current()).select_related("employer")


@takes_files_up_to(opening.LIMITS.bytes + _WITH_FORM)
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def imports(request: HttpRequest) -> HttpResponse:
    """The form for a file, and every file so far, newest first."""
    is_sent = request.method == "POST"
    may_bring = membership(request).may(Profile.EXTENDED)
    sent = (request.POST, request.FILES) if is_sent else ()
    form = RegisterFileForm(*sent, may_bring=may_bring)
    if is_sent and form.is_valid():
        data = form.cleaned_data
        file, kind = data["file"], data["kind"]
        declares = kind == Kind.TRAININGS and data["declares"]
        made = keeping.keep(file.name, file.chunks(), kind, employer=data["employer"], declares=declares)
        _wake(made)
        return redirect("register_import", made.pk)
    page = lists.page_of(request, _imports().order_by("-pk"))
    people = User.objects.in_bulk({one.uploaded_by for one in page.object_list if one.uploaded_by})
    page.object_list = [
        told(one, people) | {"url": reverse("register_import", args=[one.pk])} for one in page.object_list
    ]
    kinds = [
        {
            "label": word,
            "template": reverse("register_import_template", args=[code]),
            "columns": [
                (column.label, column.is_needed, column.hint) for column in KINDS[code].columns.values()
            ],
        }
        for code, word in KIND_WORDS.items()
        if code in TABLES
    ]
    context = {
        "nav": "declarations",
        "title": _("Import into the register"),
        "subtitle": _("First you see what is wrong with which row; nothing is made before you decide."),
        "parent": _parents()[0],
        "states": "register_import",
        "columns_note": _(
            "Columns in any order, with headings in French, Dutch, German or English; what is not recognised you "
            "point out yourself."
        ),
        "done_label": _("Imported"),
        "form": form,
        "page": page,
        "kinds": kinds,
        "may_bring": may_bring,
        "may_archive": may_bring and tenancy.limit() is None,
    }
    return render(request, "imports/list.html", context, status=422 if form.errors else 200)


def _parents() -> list[dict[str, str]]:
    return [
        {"label": _("Declarations"), "url": reverse("declarations")},
        {"label": _("Import into the register"), "url": reverse("register_imports")},
    ]


def _wake(found: RegisterImport) -> None:
    # A broker that is down is logged and no more: the sweep does it once it is back.
    task = partial(tasks.register.delay, str(tenancy.current()), found.pk)
    transaction.on_commit(task, robust=True)


@require_safe
@needs(Profile.ENCODE)
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """The empty file to fill in, with headings in the reader's language."""
    if kind not in TABLES:
        raise Http404
    return HttpResponse(
        exporting.template(kind), content_type=_CSV, headers=_headers(str(FILE_NAMES[Kind(kind)]))
    )


_CSV: Final = "text/csv; charset=utf-8"


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Content-Type-Options": "nosniff"}


@require_safe
@needs(Profile.ENCODE)
def register_import(request: HttpRequest, pk: int) -> HttpResponse:
    """One file. An htmx request gets the progress alone, and the whole page once it is over."""
    found = mine(_imports(), pk=pk)
    shown = told(found, User.objects.in_bulk([found.uploaded_by] if found.uploaded_by else []))
    is_moving = found.state in _AT_WORK
    context: dict[str, Any] = {"found": shown, "is_moving": is_moving, "url": request.path}
    if request.headers.get("HX-Request"):
        if not is_moving:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "imports/detail.html#progress", context)
    missing = _missing(found)
    context |= {
        "nav": "declarations",
        "states": "register_import",
        "parents": _parents(),
        "is_hidden": bool(found.refusal or missing),
        # After an undo what stays is to look at; the rows to correct are in the file of them.
        "kept": _remaining(request, found) if found.kept else None,
        "page": None if found.kept else _faults(request, found),
        "refusal": told_fault(["", *found.refusal]) if found.refusal else "",
        "earlier": _earlier(found),
        "aside": [
            heading
            for heading, name in zip(found.headings, found.mapping, strict=True)
            if heading and not name
        ],
        "decisions": _decisions(found, shown),
        "resume": _button(_("Go on now"), "register_import_apply", pk) if _is_left_alone(found) else None,
        "undo": _undo(found),
        "discard": _discard(found),
        "download": _button(_("Download the rows to correct"), "register_import_bad", pk)
        if found.bad and not is_moving and found.kind in TABLES
        else None,
        "may_map": found.state in (_S.MAPPING, _S.CHECKED) and found.kind in TABLES,
        "missing": missing,
    }
    return render(request, "submissions/import_detail.html", context)


def _faults(request: HttpRequest, found: RegisterImport) -> Page[Any]:
    page = lists.page_of(request, found.faults.order_by("line"), total=found.bad)
    page.object_list = [
        {
            "line": row.line,
            "faults": [
                {"field": label(found.kind, fault[0]), "text": told_fault(fault), "typed": fault[3]}
                for fault in row.faults
            ],
        }
        for row in page.object_list
    ]
    return page


def _earlier(found: RegisterImport) -> dict[str, Any] | None:
    same = keeping.earlier(found)
    if same is None:
        return None
    return {"url": reverse("register_import", args=[same.pk]), "uploaded_at": same.uploaded_at}


def _is_left_alone(found: RegisterImport) -> bool:
    """Whether an import should go on and no worker was seen at it lately."""
    return found.due_at is not None and found.due_at <= timezone.now()


def _missing(found: RegisterImport) -> list[str]:
    if found.state != _S.MAPPING:
        return []
    missing, twice = opening.faults_of(found, found.mapping)
    return [label(found.kind, name) for name in (*missing, *twice)]


def _remaining(request: HttpRequest, found: RegisterImport) -> Page[Any]:
    """What an undo left, with the reason."""
    page = lists.page_of(request, Remains(found))
    piece = list(page.object_list)
    page.object_list = [
        {"line": one.line, "reason": _(one.reason), "url": url, "what": _WHAT[one.what]()}
        for one, url in zip(piece, addresses(piece), strict=True)
    ]
    return page


_WHAT: Final = {
    "trainings": lambda: pgettext("kept", "Training"),
    "contracts": lambda: pgettext("kept", "Contract"),
    "workers": lambda: pgettext("kept", "Worker"),
    "rights": lambda: pgettext("kept", "Right"),
}


def _decisions(found: RegisterImport, shown: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a dry run: everything or nothing, and whatever is good."""
    if found.state != _S.CHECKED or not shown["good"]:
        return []
    values = {"count": shown["good"], "shown": number(shown["good"])}
    good = ngettext("Import the good row", "Import the %(shown)s good rows", shown["good"]) % values
    some = _button(good, "register_import_apply", found.pk)
    if found.bad:
        return [some | {"is_main": True}]
    every = ngettext("Import the row", "Import all %(shown)s rows, or none", shown["good"]) % values
    whole = _button(every, "register_import_apply", found.pk) | {"fields": {"whole": "1"}, "is_main": True}
    return [whole, some]


def _undo(found: RegisterImport) -> dict[str, Any] | None:
    if found.state != _S.APPLIED or not found.done or found.kind not in TABLES:
        return None
    question = _(
        "What this file made goes, as long as it was not sent and nobody changed it; the rest is named."
    )
    return _button(_("Undo this import"), "register_import_undo", found.pk) | {"question": question}


def _discard(found: RegisterImport) -> dict[str, Any] | None:
    if found.state not in (_S.MAPPING, _S.CHECKED, _S.UNREADABLE):
        return None
    question = _("The file goes; nothing in the register is touched. The history keeps that it was here.")
    return _button(_("Throw away"), "register_import_discard", found.pk) | {"question": question}


def _button(text: str, name: str, pk: int) -> dict[str, Any]:
    return {"url": reverse(name, args=[pk]), "label": text}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Profile.ENCODE)
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Which heading is which column. The answer is remembered for the next such file of the same client."""
    found = mine(_imports(), pk=pk)
    if found.state not in (_S.MAPPING, _S.CHECKED) or found.kind not in TABLES:
        messages.error(request, DECIDED_MEANWHILE)
        return redirect("register_import", pk)
    is_sent = request.method == "POST"
    first = next(opening.rows_below(found), (0, []))[1]
    examples = [_example(found, place, text) for place, text in enumerate(first)]
    form = MappingForm(found, examples, request.POST if is_sent else None)
    if is_sent and form.is_valid():
        with transaction.atomic():
            keeping.map_columns(found, form.mapping())
        _wake(found)
        return redirect("register_import", pk)
    context = {"nav": "declarations", "found": found, "form": form}
    return render(request, "submissions/import_columns.html", context, status=422 if is_sent else 200)


def _example(found: RegisterImport, place: int, text: str) -> str:
    name = found.mapping[place] if place < len(found.mapping) else ""
    # Nobody knows yet what stands in a column that was not recognised: it may be a personal number, mistyped.
    is_number = sum(sign.isdigit() for sign in text) >= 9
    return typed(NISS if is_number else name, {NISS if is_number else name: text})


@require_POST
@needs(Profile.ENCODE)
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Has a file applied by the worker; for one that was begun and left alone, does what the schedule does."""
    found = mine(_imports(), pk=pk)
    if found.kind not in TABLES and not membership(request).may(Profile.EXTENDED):
        # It makes clients and rights too, which whoever only encodes does not.
        raise PermissionDenied(_("Ask a colleague with the extended profile: an archive makes clients too."))
    try:
        with transaction.atomic():
            if found.state in _AT_WORK:
                keeping.resume(found)
            else:
                applying.begin(found, is_whole="whole" in request.POST)
    except LostRace:
        messages.error(request, DECIDED_MEANWHILE)
    else:
        _wake(found)
    return redirect("register_import", pk)


@require_POST
@needs(Profile.ENCODE)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Has what a file made taken back by the worker."""
    found = mine(_imports(), pk=pk)
    try:
        with transaction.atomic():
            if found.state != _S.APPLIED:
                raise LostRace(f"import {pk} is {found.state}")
            undoing.begin(found)
    except LostRace:
        messages.error(request, DECIDED_MEANWHILE)
    else:
        _wake(found)
    return redirect("register_import", pk)


@require_POST
@needs(Profile.ENCODE)
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throws away a file that was not applied."""
    found = mine(_imports(), pk=pk)
    try:
        with transaction.atomic():
            if _discard(found) is None:
                raise LostRace(f"import {pk} is {found.state}")
            keeping.discard(found)
    except LostRace:
        messages.error(request, DECIDED_MEANWHILE)
        return redirect("register_import", pk)
    messages.success(
        request, _("Thrown away: %(name)s. The register was not touched.") % {"name": found.name}
    )
    return redirect("register_imports")


@require_POST
@needs(Profile.ENCODE)
def bad_rows(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The rows to correct, with the reason beside, ready to be corrected and imported again."""
    found = mine(_imports(), pk=pk)
    if not found.bad or found.kind not in TABLES:
        raise Http404
    # It holds personal numbers in full: the journal tells who took it.
    audit.record("register.downloaded", found, data={"name": found.name, "rows": found.bad})
    lines = exporting.bad_rows(found, tenancy.reopener(), get_language() or "fr")
    return StreamingHttpResponse(
        lines, content_type=_CSV, headers=_headers(pgettext("file name", "to-correct"))
    )
