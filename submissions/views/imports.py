"""Files for the register: the uploads, one of them as progress, dry run and result, and what is done with it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
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
from portal.templatetags.presenting import number, person_name
from portal.uploading import takes_files_up_to
from submissions import tasks
from submissions.importing import applying, exporting, keeping, opening, undoing
from submissions.importing.checking import typed
from submissions.importing.kinds import KINDS, TABLES
from submissions.importing.rows import NISS
from submissions.importing.telling import label, told
from submissions.models import RegisterImport
from submissions.states import RegisterImportState
from submissions.views.import_forms import KIND_WORDS, MappingForm, RegisterFileForm

_S = RegisterImportState
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
        declares = kind == RegisterImport.Kind.TRAININGS and data["declares"]
        made = keeping.keep(file.name, file.chunks(), kind, employer=data["employer"], declares=declares)
        _wake(made)
        return redirect("register_import", made.pk)
    page = lists.page_of(request, _imports().order_by("-pk"))
    people = User.objects.in_bulk({one.uploaded_by for one in page.object_list if one.uploaded_by})
    page.object_list = [_told(one, people) for one in page.object_list]
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
    context = {"nav": "declarations", "form": form, "page": page, "kinds": kinds, "may_bring": may_bring}
    context["may_archive"] = may_bring and tenancy.limit() is None
    return render(request, "submissions/import_list.html", context, status=422 if form.errors else 200)


def _wake(found: RegisterImport) -> None:
    # A broker that is down is logged and no more: the sweep does it once it is back.
    task = partial(tasks.register.delay, str(tenancy.current()), found.pk)
    transaction.on_commit(task, robust=True)


def _told(found: RegisterImport, people: dict[int, User]) -> dict[str, Any]:
    uploader = people.get(found.uploaded_by or 0)
    is_over = found.state in (_S.APPLIED, _S.UNDOING, _S.UNDONE)
    return {
        "pk": found.pk,
        "name": found.name,
        "kind": KIND_WORDS[RegisterImport.Kind(found.kind)],
        "state": found.state,
        "is_archive": found.kind not in TABLES,
        "employer": found.employer.name if found.employer else "",
        "declares": found.declares,
        "is_whole": found.is_whole,
        "uploaded_at": found.uploaded_at,
        "ended_at": found.ended_at,
        "uploader": person_name(uploader) if uploader else "",
        "total": found.total,
        "bad": found.bad,
        "same": found.same,
        "done": found.done,
        "undone": found.undone,
        "kept": found.kept,
        "good": 0 if is_over else max(0, found.total - found.bad - found.same - found.done),
        # A workbook does not tell beforehand how many rows it has.
        "expected": found.lines if found.state == _S.CHECKING else found.total,
        "passed": found.total if found.state == _S.CHECKING else found.done + found.bad + found.same,
    }


@require_safe
@needs(Profile.ENCODE)
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """The empty file to fill in, with headings in the reader's language."""
    if kind not in TABLES:
        raise Http404
    name = pgettext("file name", "workers") if kind == "workers" else pgettext("file name", "trainings")
    return HttpResponse(exporting.template(kind), content_type=_CSV, headers=_headers(name))


_CSV: Final = "text/csv; charset=utf-8"


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Content-Type-Options": "nosniff"}


@require_safe
@needs(Profile.ENCODE)
def register_import(request: HttpRequest, pk: int) -> HttpResponse:
    """One file. An htmx request gets the progress alone, and the whole page once it is over."""
    found = mine(_imports(), pk=pk)
    shown = _told(found, User.objects.in_bulk([found.uploaded_by] if found.uploaded_by else []))
    is_moving = found.state in _AT_WORK
    context: dict[str, Any] = {"nav": "declarations", "found": shown, "is_moving": is_moving}
    if request.headers.get("HX-Request"):
        if not is_moving:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "submissions/import_detail.html#progress", context)
    page = lists.page_of(request, found.faults.order_by("line"), total=found.bad)
    page.object_list = [
        {
            "line": row.line,
            "faults": [
                {"field": label(found.kind, fault[0]), "text": told(fault), "typed": fault[3]}
                for fault in row.faults
            ],
        }
        for row in page.object_list
    ]
    context |= {
        "page": page,
        "refusal": told(["", *found.refusal]) if found.refusal else "",
        "earlier": keeping.earlier(found),
        "aside": [
            heading
            for heading, name in zip(found.headings, found.mapping, strict=True)
            if heading and not name
        ],
        "kept": _kept(found) if found.kept else [],
        "decisions": _decisions(found, shown),
        "resume": _button(_("Go on now"), "register_import_apply", pk) if _is_left_alone(found) else None,
        "undo": _undo(found),
        "discard": _discard(found),
        "download": _button(_("Download the rows to correct"), "register_import_bad", pk)
        if found.bad and found.kind in TABLES
        else None,
        "may_map": found.state in (_S.MAPPING, _S.CHECKED) and found.kind in TABLES,
        "missing": _missing(found),
    }
    return render(request, "submissions/import_detail.html", context)


def _is_left_alone(found: RegisterImport) -> bool:
    """Whether an import should go on and no worker was seen at it lately."""
    return found.due_at is not None and found.due_at <= timezone.now()


def _missing(found: RegisterImport) -> list[str]:
    if found.state != _S.MAPPING:
        return []
    missing, twice = opening.faults_of(found, found.mapping)
    return [label(found.kind, name) for name in (*missing, *twice)]


_MOST_KEPT: Final = 200


def _kept(found: RegisterImport) -> list[dict[str, Any]]:
    """What an undo left, with the reason; a page of it, the rest is in the list of declarations."""
    kept: list[dict[str, Any]] = []
    for chunk in found.chunks.exclude(kept={}).order_by("number"):
        for name, rows in chunk.kept.items():
            for line, pk, reason in rows:
                url = reverse("record", args=[pk]) if name == "trainings" else ""
                kept.append({"line": line, "reason": _(reason), "url": url, "what": _WHAT[name]()})
        if len(kept) >= _MOST_KEPT:
            break
    return kept[:_MOST_KEPT]


_WHAT: Final = {
    "trainings": lambda: pgettext("kept", "Training"),
    "contracts": lambda: pgettext("kept", "Contract"),
    "workers": lambda: pgettext("kept", "Worker"),
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
