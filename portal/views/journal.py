"""The journal: every act of the mandataire as a sentence, newest first, and all of it as a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from mandates.numbers import mask_in_text
from portal import audit, lists, telling, tenancy
from portal.access import membership, needs
from portal.models import Application, Event, Membership, Profile
from portal.sheets import Value, as_csv
from portal.templatetags.presenting import person_name
from portal.views.subjects import Subject, may_open, subjects_of
from submissions.history import LABELS

PER_PAGE: Final = 50
PER_CHUNK: Final = 1000
"""Events of the file that are read at once, each chunk in a transaction of its own."""

KINDS: Final[Mapping[str, tuple[Any, tuple[str, ...]]]] = {
    "people": (gettext_lazy("People and what they may do"), ("membership", "mandataire", "identityprovider")),
    "clients": (
        gettext_lazy("Clients and mandates"),
        ("employer", "worker", "contract", "mandate", "mandateimport"),
    ),
    "declarations": (
        gettext_lazy("Declarations"),
        ("declaration", "trainingrecord", "registerimport", "problem"),
    ),
    "batches": (gettext_lazy("Batches"), ("batch", "envelope", "drop")),
    "answers": (gettext_lazy("Answers"), ("inboundfile",)),
    "channel": (gettext_lazy("Channel"), ("channel", "credential")),
}
CLIENTS_OF: Final = (Application.DECLARATIONS, Application.MANDATES)
"""The journal tells of every client in both: whoever is limited in one reads what happened on the pages of his own."""

PORTAL: Final = "portal"
"""In the filter on persons: what the portal did by itself."""

_ALL_LABELS: Final = {**LABELS, **telling.DETAILS}


@require_safe
@needs(Profile.EXTENDED, everywhere=CLIENTS_OF)
def journal(request: HttpRequest) -> HttpResponse:
    """Fifty events at a time, going back from the one that the address names."""
    asked = _asked(request.GET)
    before = request.GET.get("before", "")
    if not (before.isascii() and before.isdigit() and len(before) < 19):
        before = ""
    events = _newest(asked, PER_PAGE + 1, int(before) if before else None)
    has_more, events = len(events) > PER_PAGE, events[:PER_PAGE]
    older = "?" + urlencode({**asked, "before": str(events[-1].pk)}) if has_more else ""
    members = Membership.objects.filter(mandataire_id=tenancy.current()).select_related("user")
    context = {
        "nav": "journal",
        "lines": [_line(membership(request), *told) for told in _told(events)],
        "older_url": older,
        "newest_url": "?" + urlencode(asked) if before else "",
        "asked": {"from": "", "to": "", "person": "", "kind": "", **asked},
        "kinds": [(name, label) for name, (label, _types) in KINDS.items()],
        "people": [
            (str(member.user_id), person_name(member.user))
            for member in members.order_by("user__last_name", "user__first_name", "pk")
        ],
        "portal": PORTAL,
    }
    return render(request, "portal/journal.html", context)


def _asked(parameters: Mapping[str, str]) -> dict[str, str]:
    """The filters that mean something; anything else is as if it were not there."""
    asked = {name: parameters.get(name, "") for name in ("from", "to", "person", "kind")}
    person = asked["person"]
    is_sound = {
        "from": lists.day_of(asked["from"]) is not None,
        "to": lists.day_of(asked["to"]) is not None,
        "person": person == PORTAL or (person.isascii() and person.isdigit() and len(person) < 19),
        "kind": asked["kind"] in KINDS,
    }
    return {name: value for name, value in asked.items() if value and is_sound[name]}


def _newest(asked: Mapping[str, str], count: int, before: int | None) -> list[Event]:
    """The newest events that the filters let through, of those with an id below `before`: at most `count`.

    Each kind of object is asked by itself, for the index on it: asked for several, the database would go back through
    all events until it has found enough of a rare one.
    """
    rows = _filtered(asked)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    kinds = KINDS[asked["kind"]][1] if "kind" in asked else ()
    newest, *others = [rows.filter(subject_type=kind)[:count] for kind in kinds] or [rows[:count]]
    return list(newest.union(*others, all=True).order_by("-id")[:count] if others else newest)


def _filtered(asked: Mapping[str, str]) -> QuerySet[Event]:
    """Newest first, by all filters but the kind."""
    rows = Event.objects.filter(mandataire_id=tenancy.current()).order_by("-id")
    first, last = lists.day_of(asked.get("from", "")), lists.day_of(asked.get("to", ""))
    if first:
        rows = rows.filter(at__gte=lists.start_of(first))
    if last:
        rows = rows.filter(at__lt=lists.start_of(last + timedelta(days=1)))
    if person := asked.get("person"):
        rows = rows.filter(Q(actor_id=None) if person == PORTAL else Q(actor_id=int(person)))
    return rows


def _told(events: Collection[Event]) -> Iterator[tuple[Event, str, str, Subject]]:
    """Each event with its actor, its sentence and its object. At most one query per kind of object, and one for all."""
    actors, subjects = telling.actors_of(events), subjects_of(events)
    for event in events:
        actor = telling.actor_name(event, actors)
        subject = subjects.get((event.subject_type, event.subject_id), Subject())
        yield event, actor, telling.sentence(event, actor, subject.name, _ALL_LABELS), subject


def _line(reader: Membership, event: Event, actor: str, sentence: str, subject: Subject) -> dict[str, Any]:
    url = subject.url if may_open(reader, event.subject_type) else ""
    reason = mask_in_text(event.reason)
    return {"at": event.at, "text": sentence, "reason": reason, "url": url, "actor": actor}


# --- the file -------------------------------------------------------------------------------------


@require_POST
@needs(Profile.EXTENDED, everywhere=CLIENTS_OF)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The journal, as filtered, oldest last: a file for spreadsheets, written while it is read."""
    asked = _asked(request.POST)
    audit.record("journal.exported", membership(request).mandataire, data={"filter": asked})
    lines = _file(tenancy.reopener(), asked, translation.get_language() or "fr")
    name = f"journal-{timezone.localdate():%Y%m%d}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _file(
    reopen: Callable[[], AbstractContextManager[None]], asked: Mapping[str, str], language: str
) -> Iterator[str]:
    """The lines of the file."""
    with translation.override(language):
        titles = (
            _("No."),
            _("Moment"),
            _("Person"),
            _("What happened"),
            _("Reason"),
            _("Act"),
            _("Object"),
            _("Id"),
        )
    yield from as_csv(titles, _rows(reopen, asked, language))


def _rows(
    reopen: Callable[[], AbstractContextManager[None]], asked: Mapping[str, str], language: str
) -> Iterator[tuple[Value, ...]]:
    """The events. The request is over by then, so each chunk opens the scope again."""
    before: int | None = None
    while True:
        with reopen(), translation.override(language):
            events = _newest(asked, PER_CHUNK, before)
            chunk = [_row(*told) for told in _told(events)]
        yield from chunk
        if len(events) < PER_CHUNK:
            return
        before = events[-1].pk


def _row(event: Event, actor: str, sentence: str, subject: Subject) -> tuple[Value, ...]:
    moment = timezone.localtime(event.at).isoformat(timespec="seconds")
    reason = mask_in_text(event.reason)
    return event.position, moment, actor, sentence, reason, event.verb, event.subject_type, event.subject_id
