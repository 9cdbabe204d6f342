"""Finds the form of a ready-made file that an answer speaks of: its reference is not ours, and may be missing.

An answer repeats what the form said: its makers' reference, the moment it was made, the employer, the worker;
and it may name the file. Whatever it gives narrows the choice, and only a single form that is left is the one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from django.db.models import Q, QuerySet

from mandates.models import NISS
from portal.models import cipher
from submissions.models import Declaration
from submissions.states import ON_THE_WAY
from submissions.wire.answers import BY_SOCIAL_SECURITY, Notification

_OF_THE_FILE: Final = (2, 4)
"""ReferenceType of a dossier, and of a related form."""

type Answers = Sequence[tuple[Notification, int | None]]
"""Answers, each with the envelope that its file name speaks of, if any."""


class Relayed:
    """The relayed declarations that the answers of one chunk may be about: two queries, none when there are none."""

    def __init__(self, declarations: QuerySet[Declaration], answers: Answers) -> None:
        references = {answer.own_reference for answer, _envelope in answers if answer.own_reference}
        envelopes = {envelope for answer, envelope in answers if envelope and not answer.own_reference}
        tickets = {
            ticket
            for answer, envelope in answers
            if not (envelope or answer.own_reference)
            for ticket in _file_tickets(answer)
        }
        wanted = (
            Q(form__reference__in=references)
            | Q(batch__envelope_id__in=envelopes)
            | Q(batch__ticket__in=tickets)
        )
        rows = (
            declarations.filter(wanted, form__isnull=False)
            .select_related("form", "employer", "batch")
            .only(
                *("id", "state", "reference", "ticket", "record_id", "batch__envelope_id", "batch__ticket"),
                *("employer__number", "employer__onss_number", "form__reference", "form__created_on"),
                *("form__created_hour", "form__niss_index"),
            )
            .order_by("-id")
        )
        self._by_reference: dict[str, list[Declaration]] = defaultdict(list)
        self._by_envelope: dict[int, list[Declaration]] = defaultdict(list)
        self._by_ticket: dict[str, list[Declaration]] = defaultdict(list)
        for declaration in rows:
            self._by_reference[declaration.form.reference].append(declaration)
            self._by_envelope[declaration.batch.envelope_id].append(declaration)
            self._by_ticket[declaration.batch.ticket].append(declaration)

    def find(self, answer: Notification, envelope: int | None) -> Declaration | None:
        """The one declaration an answer can mean, or None when there is none or more than one."""
        if answer.own_reference:
            left = self._by_reference.get(answer.own_reference, [])
        elif envelope:
            left = self._by_envelope.get(envelope, [])
        else:
            left = [one for ticket in _file_tickets(answer) for one in self._by_ticket.get(ticket, [])]
        if envelope:
            left = [one for one in left if one.batch.envelope_id == envelope]
        elif tickets := _file_tickets(answer):
            left = [one for one in left if one.batch.ticket in ("", *tickets)]
        left = [one for one in left if _fits(one, answer)]
        if len(left) > 1:  # The same forms, sent again after their set was refused as a whole.
            left = [one for one in left if one.state in ON_THE_WAY]
        return left[0] if len(left) == 1 else None


def _file_tickets(answer: Notification) -> set[str]:
    """The tickets of the file that an answer quotes: beside its name, or as a reference of the dossier or related."""
    quoted = {
        one.number
        for one in answer.references
        if one.origin == BY_SOCIAL_SECURITY and one.type in _OF_THE_FILE
    }
    return {ticket for ticket in {answer.file_ticket, *quoted} if ticket}


def _fits(declaration: Declaration, answer: Notification) -> bool:
    """Whether nothing that an answer repeats contradicts the form. What either of them leaves out says nothing."""
    form, employer = declaration.form, declaration.employer
    index = cipher().blind_index(NISS, answer.inss) if answer.inss else None
    return (
        answer.handled_on in (None, form.created_on)
        and answer.handled_hour in (None, form.created_hour)
        and answer.company_id in (None, employer.number)
        and (not employer.onss_number or answer.nsso in (None, employer.onss_number))
        and (index is None or form.niss_index is None or bytes(form.niss_index) == index)
    )
