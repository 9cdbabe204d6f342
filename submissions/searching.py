"""One search over everything a person may see: clients, workers, trainings, declarations, sets and files.

Each group is cut off at AT_MOST; what is longer leads to the list that shows all of it. A NISS is looked up by its
blind index and finds people, and the forms of ready-made files that are about one of them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from channels.models import InboundFile
from channels.naming import BadFileName, same_set_key
from mandates import questions as clients
from mandates.models import NISS, Employer, FormerNumber, Worker
from mandates.numbers import NumberError, parse_enterprise_number, parse_niss, parse_onss_number
from portal import tenancy
from portal.lists import address
from portal.models import cipher
from portal.templatetags.presenting import bce, moment, onss
from submissions import questions
from submissions.models import Batch, CareerDocument, Declaration, RelayedFile, RelayedForm, TrainingRecord

AT_MOST: Final = 10
LONGEST: Final = 200
_BETWEEN: Final = str.maketrans("", "", " .-/\u00a0")


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: its name, where it stands, and what tells it from others of that name."""

    title: str
    url: str
    notes: tuple[str, ...] = ()
    state: tuple[str, str] | None = None
    """Kind of object and state, for the badge."""


@dataclass(slots=True)
class Group:
    """What was found of one kind; `more_url` leads to all of it when there is more than shown."""

    title: str
    hits: list[Hit] = field(default_factory=list)
    more_url: str = ""


def is_personal(text: str) -> bool:
    """Whether a text may be a NISS, or one with a digit lost: such a text never stands in an address."""
    digits = text.translate(_BETWEEN)
    if not digits.isdigit() or not 9 <= len(digits) <= 12:
        return False
    for parse in (parse_enterprise_number, parse_onss_number):
        with suppress(NumberError):
            parse(text)
            return False
    return True


def workers(text: str) -> QuerySet[Worker]:
    """Workers of all clients, by name, each word of whose name is in `text`."""
    rows = _workers()
    for word in text.split():
        rows = rows.filter(Q(family_name__icontains=word) | Q(given_name__icontains=word))
    return rows.order_by("family_name", "given_name", "pk")


def workers_numbered(text: str) -> QuerySet[Worker]:
    """The rows of the person of this NISS, also of one he had before. Raises NumberError with what is wrong with it."""
    index = cipher().blind_index(NISS, parse_niss(text))
    former = FormerNumber.objects.filter(
        mandataire_id=tenancy.current(), niss_index=index, undone_at=None
    ).values("worker_id")
    return _workers().filter(Q(niss_index=index) | Q(pk__in=former)).order_by("employer__name", "pk")


def _workers() -> QuerySet[Worker]:
    rows, limit = Worker.objects.filter(mandataire_id=tenancy.current()), tenancy.limit()
    return (rows if limit is None else rows.filter(employer_id__in=limit)).select_related("employer")


def of_clients(text: str) -> Group:
    """Clients by name, enterprise number or ONSS number."""
    found = clients.clients(text)[: AT_MOST + 1]
    return _group(_("Employers"), found, _client, reverse("employers") + address(q=text))


def of_workers(text: str) -> Group:
    """Workers by name."""
    found = workers(text)[: AT_MOST + 1]
    return _group(_("Workers"), found, worker_hit, reverse("search") + address(q=text, of="workers"))


def of_person(text: str) -> list[Group]:
    """Everything about the person of this NISS. Raises NumberError with what is wrong with it."""
    index = cipher().blind_index(NISS, parse_niss(text))
    forms = RelayedForm.objects.filter(mandataire_id=tenancy.current(), niss_index=index)
    relayed = questions.mine().filter(form__in=forms.order_by().values("pk"))
    return [
        Group(_("Workers"), [worker_hit(row) for row in workers_numbered(text)[:LONGEST]]),
        Group(_("Declarations"), [_declaration(row) for row in _newest(relayed)[:LONGEST]]),
    ]


def of_trainings(text: str) -> Group:
    """Trainings by the client's reference or by title."""
    rows, limit = TrainingRecord.objects.filter(mandataire_id=tenancy.current()), tenancy.limit()
    rows = rows if limit is None else rows.filter(employer_id__in=limit)
    rows = rows.filter(Q(client_reference__iexact=text) | Q(title__icontains=text))
    found = rows.select_related("employer", "worker").order_by("-pk")[: AT_MOST + 1]
    return _group(_("Trainings"), found, _training, reverse("declarations") + address(q=text))


def of_declarations(text: str) -> Group:
    """Declarations by our reference, ticket, reference of a ready-made form, or name of a document."""
    tenant = tenancy.current()
    forms = RelayedForm.objects.filter(reference__iexact=text, mandataire_id=tenant)
    documents = CareerDocument.objects.filter(name__icontains=text, mandataire_id=tenant)
    found = (
        Q(reference=text.upper())
        | Q(ticket__iexact=text)
        | Q(form__in=forms.order_by().values("pk"))
        | Q(document__in=documents.order_by().values("pk"))
    )
    rows = _newest(questions.mine().filter(found))[: AT_MOST + 1]
    return _group(_("Declarations"), rows, _declaration, reverse("declarations") + address(q=text))


def of_files(text: str) -> list[Group]:
    """Sets by ticket or by the name of any of their files, answers by name, and ready-made files by name."""
    tenant = tenancy.current()
    asked = Q(ticket__iexact=text)
    with suppress(BadFileName):
        asked |= Q(envelope__stem=same_set_key(text.upper()))
    answers = InboundFile.objects.filter(mandataire_id=tenant, name__iexact=text)
    asked |= Q(envelope__in=answers.exclude(envelope=None).values("envelope_id"))
    sets = Batch.objects.filter(asked, mandataire_id=tenant)
    lost = answers.filter(envelope=None).defer("content_sealed", "signature_sealed").order_by("-pk")
    relays = RelayedFile.objects.filter(
        Q(name__icontains=text) | Q(exchange_name__iexact=text), mandataire_id=tenant
    )
    relayed = relays.defer("content_sealed").order_by("-pk")[: AT_MOST + 1]
    return [
        Group(_("Batches"), [_set(row) for row in questions.batch_rows(sets.order_by("-pk")[:AT_MOST])]),
        Group(
            _("Answers"),
            [Hit(row.name, reverse("files"), (moment(row.received_at),)) for row in lost[:AT_MOST]],
        ),
        _group(_("Ready-made files"), relayed, _relay, reverse("relays")),
    ]


def _group(title: str, rows: Any, hit: Any, whole: str) -> Group:
    found = [hit(row) for row in rows]
    return Group(title, found[:AT_MOST], whole if len(found) > AT_MOST else "")


def _newest(rows: QuerySet[Declaration]) -> QuerySet[Declaration]:
    return questions.for_rows(rows.order_by("-pk"))


def _client(row: Employer) -> Hit:
    notes = (bce(row.number), onss(row.onss_number)) if row.onss_number else (bce(row.number),)
    return Hit(row.name, reverse("employer", args=[row.pk]), notes)


def worker_hit(row: Worker) -> Hit:
    """A worker as a result of a search; fetch `employer` with the row."""
    return Hit(str(row), reverse("worker", args=[row.pk]), (row.masked_niss, row.employer.name))


def _training(row: TrainingRecord) -> Hit:
    notes = (row.client_reference, str(row.worker), row.employer.name)
    return Hit(row.title, reverse("record", args=[row.pk]), notes)


def _declaration(row: Declaration) -> Hit:
    shown = questions.declaration_rows([row])[0]
    notes = (row.reference, row.ticket, shown["worker_name"], row.employer.name)
    return Hit(shown["title"], shown["url"], tuple(filter(None, notes)), ("declaration", shown["state"]))


def _set(row: dict[str, Any]) -> Hit:
    notes = tuple(filter(None, (moment(row["at"]), row["ticket"])))
    return Hit(row["name"], reverse("batch", args=[row["pk"]]), notes, ("batch", row["state"]))


def _relay(row: RelayedFile) -> Hit:
    return Hit(row.name, reverse("relay", args=[row.pk]), (moment(row.handed_over_at),))
