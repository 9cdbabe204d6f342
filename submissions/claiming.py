"""Whose an answer is, where other software collects from the same directory: ours if it speaks of what we sent.

The name of an answer tells nothing. Inside, an answer quotes the file it is about, our own reference, or a ticket that
an earlier answer gave; whatever its kind, these stand in elements called `FileName` and `ReferenceNbr`. A replaced
number (IDFL) speaks of a worker and of no file, so every software that knows him needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final

from django.db.models import Exists, OuterRef, Q

from channels.models import Channel, Drop, Envelope
from channels.naming import BadFileName, same_set_key
from channels.sharing import Whose
from mandates.models import NISS, Worker
from portal import tenancy
from portal.models import cipher
from submissions import addressing
from submissions.models import Batch, Declaration
from submissions.wire import answers
from submissions.wire.archives import unzip_single
from submissions.wire.hostile import iter_forms
from submissions.wire.schemas import SYSTEM_FLUX
from submissions.wire.unreadable import Unreadable

_CHUNK: Final = 2000
_NEED_FORMS: Final = (answers.ACRF, answers.NOTIFICATION, answers.IDFLUX)


@dataclass(frozen=True, slots=True)
class _Trace:
    """What one form of an answer quotes: keys of sets, and references and tickets."""

    sets: frozenset[str]
    numbers: frozenset[str]


def whose(channel: Channel, environment: str, name: str, content: bytes) -> Whose:
    """Whose an answer is. A `channels.sharing.Judge`; in the scope of the channel's mandataire.

    OURS when each of its forms speaks of something of ours, ANOTHERS when none does, else SHARED; SHARED also when it
    cannot be read to its end, and when its own name says that it is of another environment than the directory in which
    it lies: it is then kept for a person, and left for whoever else it may belong to.
    """
    if addressing.is_elsewhere(name, environment):
        return Whose.SHARED
    try:
        if name.startswith("CO."):
            _name, content = unzip_single(content)
        root = answers.root_kind(content)
        if root == answers.IDFLUX:
            return _whose_workers(content)
        total = ours = 0
        for chunk in batched(_traces(root, content), _CHUNK):
            total += len(chunk)
            ours += _count_ours(channel, environment, chunk)
    except Unreadable:
        return Whose.SHARED
    if not total and root in _NEED_FORMS:
        return Whose.SHARED
    if not ours:
        return Whose.ANOTHERS
    return Whose.OURS if ours == total else Whose.SHARED


def _traces(root: str, content: bytes) -> Iterator[_Trace]:
    tag = f"{{{SYSTEM_FLUX}}}Form" if root == answers.GENERIC else "Form"
    for form in iter_forms(content, tag):
        sets, numbers = set(), set()
        for element in form.iter("{*}FileName", "{*}ReferenceNbr"):
            text = (element.text or "").strip()
            if element.tag.endswith("ReferenceNbr"):
                numbers.add(text)
            else:
                sets.add(_key(text))
        yield _Trace(frozenset(sets - {""}), frozenset(numbers - {""}))


def _key(file_name: str) -> str:
    try:
        return same_set_key(file_name)
    except BadFileName:
        return ""


def _count_ours(channel: Channel, environment: str, chunk: Sequence[_Trace]) -> int:
    """How many of the forms speak of a set or a declaration of ours, in this environment. Three queries."""
    sets = {key for trace in chunk for key in trace.sets}
    numbers = {number for trace in chunk for number in trace.numbers}
    tenant = tenancy.current()
    # Not merely reserved: an answer about a set that never left here is about other software's, of the same name.
    left = Drop.objects.filter(
        Q(go_intended_at__isnull=False) | Q(state=Drop.State.CONFIRMED), envelope=OuterRef("pk")
    )
    known_sets = set(
        Envelope.objects.filter(
            Exists(left), mandataire_id=tenant, channel=channel, environment=environment, stem__in=sets
        ).values_list("stem", flat=True)
    )
    declared = Declaration.objects.filter(
        # A form of a ready-made file carries its makers' own reference.
        Q(reference__in=numbers) | Q(ticket__in=numbers) | Q(form__reference__in=numbers),
        mandataire_id=tenant,
        batch__channel=channel,
        batch__environment=environment,
    ).values_list("reference", "ticket", "form__reference")
    tickets = Batch.objects.filter(
        mandataire_id=tenant, channel=channel, environment=environment, ticket__in=numbers
    ).values_list("ticket", flat=True)
    known = {number for numbered in declared for number in numbered if number} | set(tickets)
    return sum(not (trace.sets.isdisjoint(known_sets) and trace.numbers.isdisjoint(known)) for trace in chunk)


def _whose_workers(content: bytes) -> Whose:
    """Never ours alone: other software has the same workers."""
    index = cipher().blind_index
    for chunk in batched(answers.replacements(content), _CHUNK):
        numbers = {number for one in chunk for number in (one.outdated_inss, one.valid_inss) if number}
        indexes = [index(NISS, number) for number in numbers]
        if Worker.objects.filter(mandataire_id=tenancy.current(), niss_index__in=indexes).exists():
            return Whose.SHARED
    return Whose.ANOTHERS
