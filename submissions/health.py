"""How every channel of a mandataire fares: moments and ages, for its page, for the alarms and for the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q

from channels.models import Channel, Credential, InboundFile
from mandates.models import Mandate
from portal import tenancy
from submissions.batching import today
from submissions.models import Batch, Declaration
from submissions.states import BatchState


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one channel beside its row. Moments are None where there is none.

    `oldest_unsent_at`: when the oldest set that has not left was sealed. `oldest_unacknowledged_at`: when the oldest
    set without a receipt was dropped. `oldest_unanswered_at`: when the oldest set without all its answers was
    acknowledged. `contradicted_at`: when social security last contradicted itself. `not_for_here_at`: when the
    last answer came that is an alarm and was not applied.
    `certificate_until`: when the last signing certificate ends; `rest_until`: when the first one that is
    kept for a REST account does, because each stands for an account of its own until it is removed. `ready`:
    declarations that a departure would take.
    """

    last_set_at: datetime | None = None
    last_answer_at: datetime | None = None
    oldest_unsent_at: datetime | None = None
    oldest_unacknowledged_at: datetime | None = None
    oldest_unanswered_at: datetime | None = None
    contradicted_at: datetime | None = None
    not_for_here_at: datetime | None = None
    certificate_until: datetime | None = None
    rest_until: datetime | None = None
    unsent: int = 0
    parked: int = 0
    ready: int = 0


def of(channels: Sequence[Channel]) -> dict[int, Health]:
    """The health of these channels of the current mandataire, by id. Four queries, however many there are."""
    tenant = tenancy.current()
    found: dict[int, dict[str, Any]] = {channel.pk: {} for channel in channels}
    not_left = Q(state__in=[BatchState.SEALED, BatchState.PARKED])
    sets = Batch.objects.filter(mandataire_id=tenant, channel__in=found).order_by().values("channel")
    rows: list[Any] = list(
        sets.annotate(
            last_set_at=Max("dropped_at"),
            oldest_unsent_at=Min("sealed_at", filter=not_left),
            oldest_unacknowledged_at=Min("dropped_at", filter=Q(state=BatchState.DROPPED)),
            oldest_unanswered_at=Min("acknowledged_at", filter=Q(state=BatchState.ACKNOWLEDGED)),
            contradicted_at=Max("contradicted_at"),
            unsent=Count("pk", filter=Q(state=BatchState.SEALED)),
            parked=Count("pk", filter=Q(state=BatchState.PARKED)),
        )
    )
    answers = InboundFile.objects.filter(mandataire_id=tenant, channel__in=found).order_by().values("channel")
    rows += answers.annotate(
        last_answer_at=Max("received_at"),
        not_for_here_at=Max("received_at", filter=~Q(alarm="") & Q(state=InboundFile.State.UNMATCHED)),
    )
    certificates = Credential.objects.filter(
        mandataire_id=tenant, channel__in=found, expires_at__isnull=False
    )
    rows += (
        certificates.order_by()
        .values("channel")
        .annotate(
            certificate_until=Max("expires_at", filter=Q(kind=Credential.Kind.SIGNING)),
            rest_until=Min("expires_at", filter=Q(kind=Credential.Kind.REST)),
        )
    )
    for row in rows:
        found[row.pop("channel")].update(row)
    waiting = _ready_by_service()
    for channel in channels:
        found[channel.pk]["ready"] = sum(waiting.get(code, 0) for code in channel.services)
    return {pk: Health(**values) for pk, values in found.items()}


def _ready_by_service() -> dict[str, int]:
    """How many declarations with a mandate today are ready, by service."""
    speaking = Mandate.objects.active_on(
        today().date(),
        OuterRef("service"),  # type: ignore[arg-type]  # of the row outside
    ).filter(mandataire_id=tenancy.current(), employer=OuterRef("employer"))
    rows = Declaration.objects.ready().filter(Exists(speaking), mandataire_id=tenancy.current())
    return dict(rows.order_by().values_list("service").annotate(count=Count("pk")))
