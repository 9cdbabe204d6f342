"""Across all clients: whom to call today, which channel is slow, and which sets are overdue."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Min, Q, QuerySet
from django.utils import timezone

from channels.models import Channel
from mandates.models import Employer
from portal import tenancy
from submissions import questions
from submissions.models import Batch
from submissions.states import BatchState, DeclarationState

WAITED: Final = timedelta(days=3)
"""How long something may wait for a client before he is called."""
LATELY, BEFORE = timedelta(days=7), timedelta(days=37)
"""Whole days before today whose sets judge a channel, and, before these, those it is compared with: a month."""
SLOW: Final = 2
"""How many times as long as before an answer takes when a channel is called slow."""
_LEAST: Final = timedelta(minutes=10)
"""Below this no answer is called slow."""


@dataclass(slots=True)
class Call:
    """A client for whom something waits: refusals to correct and drafts to complete, and since when."""

    employer: int
    since: datetime
    to_correct: int = 0
    drafts: int = 0
    name: str = ""
    number: str = ""


def waiting(now: datetime) -> list[Call]:
    """Every client for whom something waits, with how much and since when; without their names. Two queries."""
    found: dict[int, Call] = {}
    refused = questions.to_correct().order_by().values_list("employer_id")
    for employer, count, oldest in refused.annotate(count=Count("pk"), oldest=Min("answered_at")):
        found[employer] = Call(employer, oldest or now, to_correct=count)
    drafts = questions.mine().filter(state=DeclarationState.DRAFT).order_by().values_list("employer_id")
    for employer, count, oldest in drafts.annotate(count=Count("pk"), oldest=Min("created_at")):
        call = found.setdefault(employer, Call(employer, oldest))
        call.drafts, call.since = count, min(call.since, oldest)
    return list(found.values())


def calls(found: Iterable[Call], now: datetime) -> list[Call]:
    """Those among them for whom something waits for `WAITED` or longer, the longest first.

    The counts are of all that waits for the client, also of what came since.
    """
    waited = [call for call in found if now - call.since >= WAITED]
    return sorted(waited, key=lambda call: (call.since, call.employer))


def name(page: list[Call]) -> list[Call]:
    """The calls of a page with the names of their clients. One query."""
    rows = Employer.objects.filter(mandataire_id=tenancy.current(), pk__in=[call.employer for call in page])
    known = {pk: (said, number) for pk, said, number in rows.values_list("pk", "name", "number")}
    for call in page:
        call.name, call.number = known[call.employer]
    return page


# --- channels and sets ----------------------------------------------------------------------------


def first_day(now: datetime) -> date:
    """The first of the days whose sets judge a channel."""
    return timezone.localdate(now) - LATELY


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Belgium."""
    return timezone.make_aware(datetime.combine(day, time.min))


def dropped(rows: QuerySet[Batch], channel: str, since: str) -> QuerySet[Batch]:
    """Those of `rows` of this channel that were dropped since a day (ISO); what is neither narrows nothing."""
    if channel.isascii() and channel.isdigit():
        rows = rows.filter(channel_id=int(channel[:18]))
    with suppress(ValueError):
        rows = rows.filter(dropped_at__gte=midnight(date.fromisoformat(since)))
    return rows


class Median(Aggregate):
    """The value in the middle: `percentile_cont(0.5)` of PostgreSQL."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)%(filter)s"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long social security took over the sets of a channel, lately and in the month before; medians.

    `receipt` is from the drop to the receipt, `answers` from the receipt to the last answer.
    """

    channel: Channel
    sets: int = 0
    receipt: timedelta | None = None
    answers: timedelta | None = None
    receipt_before: timedelta | None = None
    answers_before: timedelta | None = None

    @property
    def is_slow(self) -> bool:
        """Whether one of the two takes `SLOW` times as long as before."""
        pairs = ((self.receipt, self.receipt_before), (self.answers, self.answers_before))
        return any(now and before and now > max(before * SLOW, _LEAST) for now, before in pairs)


def paces(now: datetime) -> list[Pace]:
    """The pace of every channel, by name. Two queries.

    A set counts lately or before by when it was dropped.
    """
    tenant, since = tenancy.current(), midnight(first_day(now))
    lately, before = Q(dropped_at__gte=since), Q(dropped_at__lt=since)
    receipt = ExpressionWrapper(F("acknowledged_at") - F("dropped_at"), output_field=DurationField())
    answers = ExpressionWrapper(F("answered_at") - F("acknowledged_at"), output_field=DurationField())
    rows: Any = (
        Batch.objects.filter(mandataire_id=tenant, dropped_at__gte=since - (BEFORE - LATELY))
        .order_by()
        .values("channel")
        .annotate(
            sets=Count("pk", filter=lately),
            receipt=Median(receipt, filter=lately),
            answers=Median(answers, filter=lately),
            receipt_before=Median(receipt, filter=before),
            answers_before=Median(answers, filter=before),
        )
    )
    known = {row.pop("channel"): row for row in rows}
    channels = Channel.objects.filter(mandataire_id=tenant).order_by("name", "pk")
    return [Pace(channel, **known.get(channel.pk, {})) for channel in channels]


def overdue(now: datetime) -> list[Batch]:
    """The sets that should have moved on by now, oldest first: not left, without a receipt, or without answers.

    A set that waits for a decision is one of them at once. One query.
    """
    patience = timedelta(seconds=settings.CONFIG.answers_overdue_after)

    def is_late(batch: Batch) -> bool:
        if batch.state == BatchState.ACKNOWLEDGED:
            return batch.acknowledged_at is not None and now - batch.acknowledged_at > patience
        return batch.state == BatchState.PARKED or questions.is_overdue(batch)

    return [batch for batch in questions.open_sets() if is_late(batch)]
