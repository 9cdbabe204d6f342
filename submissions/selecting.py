"""Sending what somebody chose: of these clients and quarters, what is ready, to a test or to production, now.

What is chosen gets its destination in the transaction of the request; sealing is woken after it. Should nobody wake, it
leaves with the next departure, for the destination says where. It passes the same doors as any other: the mandate of
the day, the dates of the service, the keys of the channel, and every declaration goes into one set only.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import stopping
from channels.enveloping import CannotSeal
from channels.models import Channel, EnvironmentCode
from channels.vault import MissingKey
from mandates.models import Employer
from portal import audit, tenancy
from submissions import due, promoting, questions
from submissions.batching import NotAllowed, seal_ready, today
from submissions.deadlines import SERVICE
from submissions.declaring import CannotDeclare
from submissions.due import Key
from submissions.models import Declaration
from submissions.states import LIVE, ON_THE_WAY, DeclarationState

log = logging.getLogger(__name__)

_PRODUCTION: Final = EnvironmentCode.PRODUCTION


class CannotSend(CannotDeclare):
    """Nothing that was chosen can leave now; the sentence says why and what to do."""


class Fate(models.TextChoices):
    """Whether a chosen declaration leaves; if not, why."""

    GOOD = "good", gettext_lazy("leaves")
    DRAFT = "draft", gettext_lazy("fields are missing")
    REFUSED = "refused", gettext_lazy("refused, and not corrected yet")
    UNSPOKEN = "unspoken", gettext_lazy("no mandate today")
    UNSIGNED = "unsigned", gettext_lazy("not signed off by the client")
    ELSEWHERE = "elsewhere", gettext_lazy("goes elsewhere, with what it follows")
    TESTED = "tested", gettext_lazy("tested already")
    ON_ITS_WAY = "on_its_way", gettext_lazy("on its way already")


TODO: Final[Mapping[Fate, str | Promise]] = {
    Fate.DRAFT: gettext_lazy("Complete it: it is ready then."),
    Fate.REFUSED: gettext_lazy("Correct the training and declare it again."),
    Fate.UNSPOKEN: gettext_lazy(
        "Propose a mandate to the client: until it is active nothing leaves for him."
    ),
    Fate.UNSIGNED: gettext_lazy("Ask the client to sign the quarter off, or send it all the same."),
    Fate.ELSEWHERE: gettext_lazy(
        "A correction, modification or cancellation goes where that of which it speaks went; send it there."
    ),
    Fate.TESTED: gettext_lazy("“Send to production”, on the page of its batch, declares it."),
    Fate.ON_ITS_WAY: gettext_lazy("Wait for its answer."),
}
"""What to do about what is left out."""


@dataclass(slots=True)
class Report:
    """What leaves of a choice and what does not: per fate, declarations and clients."""

    declarations: dict[Fate, int] = field(default_factory=dict)
    clients: dict[Fate, int] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        """Declarations that leave."""
        return self.declarations.get(Fate.GOOD, 0)

    @property
    def left_out(self) -> list[Fate]:
        """Why something does not leave, in the order of `Fate`."""
        return [fate for fate in Fate if fate is not Fate.GOOD and self.declarations.get(fate)]


def channel() -> Channel | None:
    """The channel over which the trainings leave."""
    rows = Channel.objects.filter(mandataire_id=tenancy.current(), services__contains=[SERVICE])
    return rows.order_by("id").first()


def check(found: Channel | None, environment: str) -> Channel:
    """The channel, when something could leave over it for `environment` (R, T or S); raises CannotSend otherwise."""
    if found is None:
        raise CannotSend(_("No channel carries this service yet."))
    try:
        promoting.check_may_leave(found, SERVICE, environment)
    except promoting.CannotPromote as refusal:
        raise CannotSend(str(refusal)) from None
    if not stopping.may_contact(found, is_asked=True):
        raise CannotSend(stopping.why(found))
    return found


def judged(keys: Collection[Key], environment: str, unsigned: Collection[Key] = ()) -> QuerySet[Any]:
    """What is open of these clients and quarters, each with its `fate`. `unsigned` are the keys left out for that."""
    speaking = Employer.objects.spoken_for(today().date(), SERVICE)
    ready = Q(state=DeclarationState.READY)
    # What follows nothing may go anywhere; everything else is about what is known in one environment only.
    is_free = Q(kind=Declaration.Kind.ORIGINAL, replaces=None, promotes=None)
    rows = questions.mine().filter(due.among(keys), service=SERVICE)
    refused = questions.filtered(rows, questions.TO_CORRECT).order_by().values("pk")
    live = Declaration.objects.filter(
        mandataire_id=OuterRef("mandataire_id"), record=OuterRef("record"), state__in=LIVE
    )
    tested = questions.filtered(rows, questions.TESTED).filter(~Exists(live)).order_by().values("pk")
    cases = [
        When(state=DeclarationState.DRAFT, then=Value(Fate.DRAFT)),
        When(state=DeclarationState.REFUSED, then=Value(Fate.REFUSED)),
        When(state__in=ON_THE_WAY, then=Value(Fate.ON_ITS_WAY)),
        When(~ready, then=Value(Fate.TESTED)),
        When(~Q(employer__in=speaking.values("pk")), then=Value(Fate.UNSPOKEN)),
        When(~is_free & ~Q(environment__in=("", environment)), then=Value(Fate.ELSEWHERE)),
    ]
    if unsigned:
        cases.append(When(due.among(unsigned), then=Value(Fate.UNSIGNED)))
    fate = Case(*cases, default=Value(Fate.GOOD), output_field=models.CharField())
    return rows.filter(Q(state__in=LIVE) | Q(pk__in=refused) | Q(pk__in=tested)).annotate(fate=fate)


def report(keys: Collection[Key], environment: str, unsigned: Collection[Key] = ()) -> Report:
    """What would leave of these clients and quarters. One query."""
    rows = judged(keys, environment, unsigned).order_by().values_list("fate")
    found = Report()
    for fate, count, clients in rows.annotate(count=Count("pk"), clients=Count("employer", distinct=True)):
        found.declarations[Fate(fate)], found.clients[Fate(fate)] = count, clients
    return found


def take(
    found: Channel, keys: Collection[Key], environment: str, unsigned: Collection[Key] = ()
) -> tuple[Report, dict[str, list[int]]]:
    """Gives what is ready of these clients and quarters its destination; returns the report, and what `leave` seals.

    In the transaction of the caller. What left meanwhile, or was taken back, is not touched. Raises CannotSend when
    nothing of it may leave.
    """
    check(found, environment)
    told = report(keys, environment, unsigned)
    good = judged(keys, environment, unsigned).filter(fate=Fate.GOOD).order_by().values("pk")
    rows = Declaration.objects.ready().filter(mandataire_id=tenancy.current(), pk__in=good)
    count = rows.update(environment=environment)
    if not count:
        raise CannotSend(_("Nothing of what you chose is ready to leave: see what each line is waiting for."))
    told.declarations[Fate.GOOD] = count
    left_out = {fate.value: told.declarations[fate] for fate in told.left_out}
    data = {"count": count, "clients": told.clients.get(Fate.GOOD, 0), "environment": environment}
    audit.record("channel.selection_asked", found, data=data | {"left_out": left_out})
    return told, _by_quarter(set(keys) - set(unsigned))


def leave(
    mandataire: UUID, channel_id: int, environment: str, chosen: Mapping[str, Collection[int]]
) -> list[int]:
    """Seals what `take` gave this destination, by quarter the ids of the clients. Returns the batches.

    Run twice it finds nothing left. What cannot be sealed now stays ready, and leaves with a later departure.
    """
    with tenancy.scope(mandataire):
        if not stopping.may_contact(Channel.objects.get(pk=channel_id), is_asked=True):
            return []
    keys = [(employer, quarter) for quarter, employers in chosen.items() for employer in employers]
    among = due.among(keys) & Q(environment=environment)
    try:
        return seal_ready(mandataire, channel_id, SERVICE, environment, among)
    except (NotAllowed, CannotSeal, MissingKey) as refusal:
        log.warning("channel %s, chosen for %s: %s", channel_id, environment, refusal)
        return []


def _by_quarter(keys: Iterable[Key]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for employer, quarter in sorted(keys):
        found.setdefault(quarter, []).append(employer)
    return found
