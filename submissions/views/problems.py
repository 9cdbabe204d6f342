"""The list of things to do, and the page of one of them: what happened, why, what to do, and the field to correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from channels.models import InboundFile
from mandates.catalogue import services
from mandates.models import Employer
from portal import lists, sheets, tenancy
from portal.access import membership, mine, needs
from portal.models import MandateProfile, Membership, Profile
from portal.templatetags.presenting import person_name
from submissions import history, listings, problems, questions
from submissions.models import Declaration, Problem
from submissions.problems import NO_CODE, Item, Key
from submissions.views.correct_form import CorrectForm, column_of, takes_number
from submissions.wire.archives import unzip_single
from submissions.wire.finding import RawLine, raw_line
from submissions.wire.unreadable import Unreadable
from submissions.words import Correction, heading, words

MINE, LATER, REMARKS = "mine", "later", "remarks"
CHIPS = (
    ("", pgettext_lazy("problems", "To do")),
    (MINE, pgettext_lazy("problems", "Mine")),
    (LATER, pgettext_lazy("problems", "Put off")),
    (REMARKS, pgettext_lazy("problems", "Remarks")),
)
LATE_WITHIN = 7
"""Days before a deadline from which it is pointed out."""


def _cause(parameters: Mapping[str, str]) -> tuple[str, str] | None:
    """The cause by which the list is narrowed: code and element."""
    code = parameters.get("code", "")
    return ("" if code == NO_CODE else code, parameters.get("tag", "")) if code else None


@require_POST
@needs(Profile.ENCODE)
def export(request: HttpRequest) -> HttpResponseBase:
    """What was refused, as filtered by cause, as a file."""
    rows, cause = questions.to_correct(), _cause(request.POST)
    rows = questions.with_cause(rows, *cause) if cause else rows
    listing = listings.declarations(rows, order=("answered_at", "pk"))
    kept = {"code": request.POST.get("code", ""), "tag": request.POST.get("tag", "")}
    return sheets.export(request, listing, "to-correct", kept)


@require_safe
@needs(Profile.ENCODE)
def to_correct(request: HttpRequest) -> HttpResponse:
    """Everything that waits for somebody, one row for each problem; the nearest deadline first."""
    me, today = membership(request), timezone.localdate()
    state = request.GET.get("state", "")
    state = state if state in (MINE, LATER, REMARKS) else ""
    found = problems.items(of_refusals=state != REMARKS)
    cause, text = _cause(request.GET), request.GET.get("q", "").strip()
    if cause:
        found = [item for item in found if (item.key.code, item.key.tag) == cause]
    if text:
        digits = "" if any(map(str.isalpha, text)) else "".join(filter(str.isdigit, text))
        found = [
            item
            for item in found
            if text.casefold() in item.employer_name.casefold() or (digits and digits in item.employer_number)
        ]
    shown = {
        "": [item for item in found if not item.is_snoozed(today)],
        MINE: [item for item in found if item.owner == me.pk and not item.is_snoozed(today)],
        LATER: [item for item in found if item.is_snoozed(today)],
    }
    kept = {"code": request.GET.get("code", "") if cause else "", "tag": cause[1] if cause else "", "q": text}
    page = lists.page_of(request, shown.get(state, shown[""]))
    page.object_list = [_row(item, today) for item in problems.with_owners(list(page.object_list))]
    context = {
        "nav": "to_correct",
        "chips": _chips(state, {name: len(rows) for name, rows in shown.items()}, kept, me),
        "state": state,
        "query": text,
        "cause": heading(cause[0], found[0].label if found else "", cause[1]) if cause else "",
        "is_remarks": state == REMARKS,
        "hidden": {name: value for name, value in {**kept, "state": state}.items() if value and name != "q"},
        "kept": {name: kept[name] for name in ("code", "tag")},
        "export_url": reverse("to_correct_export"),
        "page": page,
    }
    return render(request, "submissions/problem_list.html", context)


def _chips(state: str, counts: dict[str, int], kept: dict[str, str], me: Membership) -> list[dict[str, Any]]:
    """The filters. Remarks are counted when they are looked at: each count reads all of them."""
    # Who works on it, and until when it waits, are matters of the office.
    offered = [chip for chip in CHIPS if me.employer_id is None or chip[0] in ("", REMARKS)]
    if state == REMARKS:
        counts = {REMARKS: counts[""]}
    return [
        {
            "label": label,
            "count": counts.get(name),
            "url": lists.address(**{**kept, "state": name}),
            "is_current": name == state,
        }
        for name, label in offered
    ]


def _row(item: Item, today: Any) -> dict[str, Any]:
    wording = words(item.key.code, item.label)
    service = services().get(item.key.service)
    return {
        "title": heading(item.key.code, item.label, item.key.tag),
        "todo": wording.todo,
        "tone": "bad" if item.is_refusal else "warn",
        "url": item.key.url(),
        "employer_name": item.employer_name,
        "employer_number": item.employer_number,
        "service": service.name if service else item.key.service,
        "count": item.count,
        "since": item.since,
        "days": (today - timezone.localtime(item.since).date()).days if item.since else None,
        "deadline": item.deadline,
        "is_late": bool(item.deadline and item.deadline < today),
        "is_near": bool(item.deadline and today <= item.deadline <= today + timedelta(days=LATE_WITHIN)),
        "owner": item.owner_name,
        "snoozed_until": item.snoozed_until if item.is_snoozed(today) else None,
    }


# --- one ------------------------------------------------------------------------------------------


@require_safe
@needs(Profile.ENCODE)
def problem(request: HttpRequest, pk: int) -> HttpResponse:
    """One thing to do; the declarations it is about with the field to correct in a form, and the line as it came."""
    employer = mine(Employer, pk=pk)
    return page_of(request, employer, Key.asked(employer.pk, request.GET))


def rows_of(request: HttpRequest, key: Key) -> Page[Declaration]:
    """The refusals of one page."""
    rows = problems.refused(key).order_by("answered_at", "id")
    page = lists.page_of(request, rows, shown=questions.for_rows)
    page.object_list = list(page.object_list)
    return page


def posted_rows(request: HttpRequest, key: Key) -> list[Declaration]:
    """The refusals of the page that was sent, as far as they still stand here: others may have left it meanwhile."""
    names = [name.removeprefix("value_") for name in request.POST if name.startswith("value_")]
    chosen = [int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 19][
        : lists.PER_PAGE
    ]
    rows = problems.refused(key).filter(pk__in=chosen).order_by("answered_at", "id")
    return list(questions.for_rows(rows))


def form_of(
    page: Sequence[Declaration], key: Key, data: Any = None, *, is_for_all: bool = False
) -> CorrectForm | None:
    """The fields to correct, or None where the correction lies elsewhere."""
    column = column_of(key.tag, key.service)
    with_record = [row for row in page if row.record is not None]
    if not with_record or (column is None and not takes_number(key.tag, key.service)):
        return None
    return CorrectForm(with_record, column, data, is_for_all=is_for_all)


def page_of(
    request: HttpRequest, employer: Employer, key: Key, form: CorrectForm | None = None, *, status: int = 200
) -> HttpResponse:
    """The page of a problem, with `form` as it was sent when something in it is to be corrected."""
    decided, found = problems.decided(key), problems.one(key)
    refusals = next((item for item in found if item.is_refusal), None)
    remarks = next((item for item in found if not item.is_refusal), None)
    if not found and decided is None:
        messages.info(request, _("Nothing waits here any more."))
        return redirect("to_correct")
    page = rows_of(request, key)
    if form is None:
        form = form_of(list(page.object_list), key)
    controls = form.controls() if form else {}
    remarked = problems.remarked(key).order_by("answered_at", "id") if remarks else Declaration.objects.none()
    others = list(questions.for_rows(remarked)[: lists.PER_PAGE])
    me, first = membership(request), next(iter([*page.object_list, *others]), None)
    label = (refusals or remarks).label if found else ""  # type: ignore[union-attr]
    context = {
        "nav": "to_correct",
        "employer": employer,
        "wording": _wording(key, label, first),
        "code": key.code,
        "item": _row(refusals or remarks, timezone.localdate()) if found else None,  # type: ignore[arg-type]
        "refused": refusals.count if refusals else 0,
        "remarked": remarks.count if remarks else 0,
        "page": page,
        "rows": [
            {**shown, "control": controls.get(row.pk), "row_pk": row.pk, "file_url": _file_url(row, me)}
            for row, shown in zip(page.object_list, questions.declaration_rows(page.object_list), strict=True)
        ],
        "remark_rows": questions.declaration_rows(others),
        "form": form,
        "for_all": form["all"] if form and "all" in form.fields else None,
        "raw": _raw(first, key),
        "owner": problems.names_of([decided.owner_id]).get(decided.owner_id, "")
        if decided and decided.owner_id
        else "",
        "events": history.of_problem(decided),
        "acts": _acts(me, key, decided, refusals, remarks),
        "employer_url": reverse("employer", args=[employer.pk]) if me.may(MandateProfile.SEE) else "",
        "back": reverse("to_correct"),
    }
    return render(request, "submissions/problem_detail.html", context, status=status)


def _wording(key: Key, label: str, first: Declaration | None) -> dict[str, Any]:
    """What the code means, in the words of the quarter of the first declaration, and what is to be mended."""
    quarter = first.quarter if first else ""
    told, column = words(key.code, label, quarter), column_of(key.tag, key.service)
    return {
        "title": heading(key.code, label, key.tag, quarter),
        "what": told.what,
        "todo": told.todo,
        "correction": column.label
        if column and told.correction is Correction.FIELD
        else told.correction.value,
    }


def _file_url(row: Declaration, me: Membership) -> str:
    """Where a corrected file is handed over, for a form of a ready-made one."""
    if row.form is None or tenancy.limit() is not None or not me.may(Profile.ADMINISTRATIVE):
        return ""
    return f"{reverse('relay_new')}?corrects={row.form.file_id}"


def _acts(
    me: Membership, key: Key, decided: Problem | None, refusals: Item | None, remarks: Item | None
) -> dict[str, Any]:
    """The addresses of what this reader may do, "" for what not."""
    corrects, at_office = me.may(Profile.ADMINISTRATIVE), me.employer_id is None
    works = at_office and me.may(Profile.EXTENDED)
    snoozed = bool(decided and decided.snoozed_until and decided.snoozed_until > timezone.localdate())
    settled = decided is not None and decided.settlements.exists()
    is_own = decided is not None and decided.owner_id == me.pk
    may = {
        "problem_correct": corrects and refusals,
        "problem_again": corrects and refusals,
        "problem_accept": works and remarks,
        "problem_assign": at_office and corrects and (refusals or remarks),
        "problem_snooze": works and refusals,
        "problem_close": works and refusals,
        "problem_reopen": works and settled,
        "problem_comment": True,
    }
    acts: dict[str, Any] = {
        name.removeprefix("problem_"): key.url(name) if allowed else "" for name, allowed in may.items()
    }
    people = problems.colleagues() if works and acts["assign"] else []
    return acts | {
        "people": [{"pk": one.pk, "name": person_name(one.user)} for one in people],
        "me": me.pk,
        "is_own": is_own,
        "is_snoozed": snoozed,
        "owner_pk": decided.owner_id if decided else None,
        "snoozed_until": decided.snoozed_until if decided and snoozed else None,
        "tomorrow": timezone.localdate() + timedelta(days=1),
        "company_note": pgettext("problems", "The people of this client read it too."),
    }


def _raw(row: Declaration | None, key: Key) -> dict[str, Any] | None:
    """The line of the answer as it came, personal numbers masked; None for who may not see files, which mix clients."""
    if row is None or tenancy.limit() is not None:
        return None
    anomaly = next((one for one in row.anomalies.all() if (one.code, one.tag) == (key.code, key.tag)), None)
    files = InboundFile.objects.filter(mandataire_id=tenancy.current())
    file = (
        files.filter(pk=anomaly.inbound_file_id).first()
        if anomaly
        else files.filter(envelope=row.batch.envelope_id, kind="NOTI").first()
        if row.batch and row.batch.envelope_id
        else None
    )
    if file is None:
        return None
    facts = {
        "ErrorID": anomaly.code if anomaly else "",
        "TagName": anomaly.tag if anomaly else "",
        "Value": anomaly.value if anomaly else "",
        "AnomalyLabel": anomaly.label if anomaly else "",
        "Location": anomaly.location if anomaly else "",
    }
    return {
        "found": _found(file, row, key),
        "facts": [(name, value) for name, value in facts.items() if value],
        "file_name": file.name,
        "file_url": reverse("inbound_file", args=[file.pk]),
        "at": file.received_at,
    }


def _found(file: InboundFile, row: Declaration, key: Key) -> RawLine | None:
    content = file.content
    try:
        if file.name.startswith("CO."):
            _name, content = unzip_single(content)
    except Unreadable:
        return None
    found = raw_line(content, row.reference, key.code, key.tag)
    return found or raw_line(content, row.ticket, key.code, key.tag)
