"""What the objects of Events are called, and where they are shown: one query per kind of object on the page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from channels.models import Channel, Credential, Envelope, InboundFile
from mandates.models import Employer, Mandate, MandateImport, Worker
from portal import tenancy
from portal.identity.models import IdentityProvider
from portal.models import AnyProfile, ChannelProfile, Event, MandateProfile, Membership, UserProfile
from submissions.models import (
    Batch,
    CareerDocument,
    Declaration,
    Problem,
    RegisterImport,
    RelayedFile,
    SectorAgreement,
    TrainingRecord,
)
from submissions.problems import Key
from submissions.words import heading


class Subject(NamedTuple):
    """The name of an object, or nothing, and the address of its page, or nothing."""

    name: str = ""
    url: str = ""


def subjects_of(events: Collection[Event]) -> dict[tuple[str, str], Subject]:
    """Name and page of each Event's object, by its kind and id. Objects that are gone are left out."""
    wanted: dict[str, set[str]] = {}
    for event in events:
        wanted.setdefault(event.subject_type, set()).add(event.subject_id)
    return {
        (kind, str(pk)): subject
        for kind, ids in wanted.items()
        if kind in _KINDS
        for pk, subject in _KINDS[kind]({int(identity) for identity in ids if identity.isdigit()})
    }


def may_open(reader: Membership, kind: str) -> bool:
    """Whether a reader of the journal may open the pages of this kind of object."""
    if kind == "identityprovider":
        return reader.is_manager
    return kind not in _NEEDS or reader.may(_NEEDS[kind])


type Found = Iterable[tuple[int, Subject]]


def _members(ids: set[int]) -> Found:
    for pk in Membership.objects.filter(mandataire_id=tenancy.current(), pk__in=ids).values_list(
        "pk", flat=True
    ):
        yield pk, Subject("", reverse("member", args=[pk]))


def _providers(ids: set[int]) -> Found:
    rows = IdentityProvider.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, label in rows.values_list("pk", "label"):
        yield pk, Subject(label, reverse("provider", args=[pk]))


def _batches(ids: set[int]) -> Found:
    rows = Batch.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, stem in rows.values_list("pk", "envelope__stem"):
        yield pk, Subject(stem or "", reverse("batch", args=[pk]))


def _declarations(ids: set[int]) -> Found:
    rows = Declaration.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, record, *names in rows.values_list(
        "pk", "record_id", "record__title", "document__name", "reference"
    ):
        url = reverse("record", args=[record]) if record else reverse("declaration", args=[pk])
        yield pk, Subject(_quoted(next(filter(None, names))), url)


def _relays(ids: set[int]) -> Found:
    rows = RelayedFile.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, name in rows.values_list("pk", "name"):
        yield pk, Subject(name, reverse("relay", args=[pk]))


def _documents(ids: set[int]) -> Found:
    rows = CareerDocument.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, name in rows.values_list("pk", "name"):
        yield pk, Subject(name)


def _records(ids: set[int]) -> Found:
    rows = TrainingRecord.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, title in rows.values_list("pk", "title"):
        yield pk, Subject(_quoted(title), reverse("record", args=[pk]))


def _files(ids: set[int]) -> Found:
    rows = InboundFile.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, name in rows.values_list("pk", "name"):
        yield pk, Subject(name)


def _envelopes(ids: set[int]) -> Found:
    rows = Envelope.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, stem in rows.values_list("pk", "stem"):
        yield pk, Subject(stem)


def _channels(ids: set[int]) -> Found:
    rows = Channel.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, name in rows.values_list("pk", "name"):
        yield pk, Subject(name, reverse("channel"))


def _credentials(ids: set[int]) -> Found:
    rows = Credential.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, fingerprint in rows.values_list("pk", "fingerprint"):
        yield pk, Subject(fingerprint, reverse("channel_keys"))


def _employers(ids: set[int]) -> Found:
    rows = Employer.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, name in rows.values_list("pk", "name"):
        yield pk, Subject(name, reverse("employer", args=[pk]))


def _mandates(ids: set[int]) -> Found:
    rows = Mandate.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, name in rows.values_list("pk", "employer__name"):
        yield pk, Subject(name, reverse("mandate", args=[pk]))


def _imports(ids: set[int]) -> Found:
    rows = MandateImport.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, name in rows.values_list("pk", "name"):
        yield pk, Subject(name, reverse("mandate_import", args=[pk]))


def _register_imports(ids: set[int]) -> Found:
    rows = RegisterImport.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, name in rows.values_list("pk", "name"):
        yield pk, Subject(name, reverse("register_import", args=[pk]))


def _workers(ids: set[int]) -> Found:
    for worker in Worker.objects.filter(mandataire_id=tenancy.current(), pk__in=ids):
        yield worker.pk, Subject(str(worker), reverse("worker", args=[worker.pk]))


def _agreements(ids: set[int]) -> Found:
    rows = SectorAgreement.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for pk, number in rows.values_list("pk", "number"):
        yield pk, Subject(number, reverse("agreements"))


def _problems(ids: set[int]) -> Found:
    rows = Problem.objects.filter(mandataire_id=tenancy.current(), pk__in=ids)
    for row in rows.select_related("employer"):
        title = heading(row.code, tag=row.tag)
        name = _("“%(title)s” of %(employer)s") % {"title": title, "employer": row.employer.name}
        yield row.pk, Subject(name, Key(row.employer_id, row.service, row.code, row.tag).url())


def _quoted(title: str) -> str:
    return _("“%(title)s”") % {"title": title} if title else ""


_NEEDS: Final[Mapping[str, AnyProfile]] = {
    "membership": UserProfile.SEE,
    "channel": ChannelProfile.SEE,
    "credential": ChannelProfile.MANAGE,
    "employer": MandateProfile.SEE,
    "mandate": MandateProfile.SEE,
    "mandateimport": MandateProfile.MANAGE,
}
"""The profile that opens the page of an object; of the others, whoever reads the journal may open it."""

_KINDS: Final[Mapping[str, Callable[[set[int]], Found]]] = {
    "membership": _members,
    "identityprovider": _providers,
    "batch": _batches,
    "declaration": _declarations,
    "trainingrecord": _records,
    "relayedfile": _relays,
    "careerdocument": _documents,
    "inboundfile": _files,
    "envelope": _envelopes,
    "channel": _channels,
    "credential": _credentials,
    "employer": _employers,
    "mandate": _mandates,
    "mandateimport": _imports,
    "registerimport": _register_imports,
    "worker": _workers,
    "sectoragreement": _agreements,
    "problem": _problems,
}
