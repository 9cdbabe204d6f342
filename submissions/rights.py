"""The rights to training of workers, from what the register says now, and what people decide about them.

`rights_of(worker, year)` is all that others need: it is worked out anew each time, so it follows every contract,
training, size and agreement at once. `watching` tells in the history what a change did to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import ExtractYear
from django.utils import timezone
from django.utils.translation import gettext as _

from mandates.models import Contract, Employer, Worker
from portal import audit, tenancy
from portal.models import User
from portal.moving import LostRace
from portal.templatetags.presenting import person_name
from submissions.entitlement import Agreement, ByHand, Explanation, Facts, Term, explain
from submissions.models import Declaration, EmployerSize, ManualRight, SectorAgreement, TrainingRecord
from submissions.models.right import FIRST_YEAR
from submissions.states import ACCEPTED


class CannotGrant(ValueError):
    """The right cannot be decided, or taken back, as asked; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


def rights_of(worker: Worker, year: int) -> Explanation:
    """The right of one worker in a calendar year, with every step that leads to it. Five queries."""
    return rights_of_many([worker], year)[worker.pk]


def rights_of_many(workers: Collection[Worker], year: int) -> dict[int, Explanation]:
    """As `rights_of`, by the id of each worker: five queries, however many. Give it a page or a chunk."""
    return {pk: explain(facts, year) for pk, facts in facts_of(workers).items()}


def rights_by_year(worker: Worker, years: Collection[int]) -> dict[int, Explanation]:
    """As `rights_of`, for several years of one worker. Five queries."""
    facts = facts_of([worker])[worker.pk]
    return {year: explain(facts, year) for year in years}


def facts_of(workers: Collection[Worker]) -> dict[int, Facts]:
    """All that the rights of these workers follow from, by the id of each. Five queries, however many workers."""
    tenant, pks = tenancy.current(), [worker.pk for worker in workers]
    terms, by_hand = defaultdict[int, list[Term]](list), defaultdict[int, list[ByHand]](list)
    for row in Contract.objects.filter(mandataire_id=tenant, worker__in=pks).order_by("entered_on", "pk"):
        terms[row.worker_id].append(term_of(row))
    decided = ManualRight.objects.filter(mandataire_id=tenant, worker__in=pks, withdrawn_at=None)
    for one in decided.order_by("made_at", "pk"):
        by_hand[one.worker_id].append(ByHand(one.year, one.minutes, one.is_whole, one.reason))
    sizes = defaultdict[int, dict[int, Fraction]](dict)
    employers = {worker.employer_id for worker in workers}
    for size in EmployerSize.objects.filter(mandataire_id=tenant, employer__in=employers):
        sizes[size.employer_id][size.year] = Fraction(size.fte)
    used, agreed = used_by_year(pks), agreements()
    return {
        worker.pk: Facts(
            terms[worker.pk], sizes[worker.employer_id], agreed, by_hand[worker.pk], used.get(worker.pk, {})
        )
        for worker in workers
    }


def term_of(row: Contract) -> Term:
    """A contract as the calculation knows it: its regime as a share."""
    regime = Fraction(row.regime) / 100
    return Term(row.joint_committee, regime, row.day_minutes, row.entered_on, row.left_on)


def agreements() -> list[Agreement]:
    """Every step of the growth paths that the house knows. One query."""
    rows = SectorAgreement.objects.filter(mandataire_id=tenancy.current())
    return [agreement_of(row) for row in rows.order_by("joint_committee", "from_year")]


def agreement_of(row: SectorAgreement) -> Agreement:
    """A step of a growth path as the calculation knows it."""
    small = None if row.small_days is None else Fraction(row.small_days)
    return Agreement(
        row.joint_committee, row.number, row.from_year, row.until_year, Fraction(row.days), small
    )


def used_by_year(workers: Collection[int]) -> dict[int, dict[int, int]]:
    """Minutes charged to the right, by id of the worker and year in which the training ended. One query.

    Only trainings that were followed count, and not those that social security took off the account at our request.
    """
    rows = (
        followed(workers)
        .filter(charged_minutes__gt=0)
        .values_list("worker_id", ExtractYear("ends_on"))
        .annotate(minutes=Sum("charged_minutes"))
        .order_by()
    )
    found = defaultdict[int, dict[int, int]](dict)
    for worker, year, minutes in rows:
        found[worker][year] = found[worker].get(year, 0) + minutes
    return dict(found)


def followed(workers: Collection[int]) -> QuerySet[TrainingRecord]:
    """The trainings that these workers (ids) followed, less those that were taken off the account at our request."""
    tenant = tenancy.current()
    accepted = Declaration.objects.filter(mandataire_id=tenant, record=OuterRef("pk"), state__in=ACCEPTED)
    return (
        TrainingRecord.objects.filter(mandataire_id=tenant, worker__in=workers, status="followed")
        .annotate(standing=Subquery(accepted.order_by("-pk").values("kind")[:1]))
        .filter(Q(standing=None) | ~Q(standing=Declaration.Kind.CANCELLATION))
    )


# --- what changes them ----------------------------------------------------------------------------


@contextmanager
def watching(worker: Worker) -> Iterator[None]:
    """Tells in the worker's history what the change made inside does to his rights, up to the present year."""
    years = range(FIRST_YEAR, timezone.localdate().year + 1)
    before = rights_by_year(worker, years)
    yield
    after = rights_by_year(worker, years)
    changed = {
        str(year): [before[year].own, after[year].own]
        for year in years
        if before[year].own != after[year].own
    }
    if changed:
        audit.record("right.recalculated", worker, data={"rights": changed})


def set_size(employer: Employer, year: int, fte: Decimal) -> EmployerSize:
    """The size of an enterprise that decides the rights of `year`: average full-time equivalents."""
    Employer.objects.select_for_update().get(pk=employer.pk)
    row = EmployerSize.objects.filter(mandataire_id=tenancy.current(), employer=employer, year=year).first()
    before = "" if row is None else str(row.fte)
    row = row or EmployerSize(employer=employer, year=year)
    row.fte = fte
    row.save()
    audit.record("employer.size_set", employer, data={"year": year, "before": before, "fte": str(fte)})
    return row


def decide(worker: Worker, year: int, minutes: int, *, is_whole: bool, reason: str) -> ManualRight:
    """Adds minutes to the right of a year, or takes them away below zero, or makes them the whole right.

    Raises CannotGrant without a reason, or when the whole right of the year was decided already.
    """
    reason = reason.strip()
    if not reason:
        raise CannotGrant(_("Give a reason: it is kept in the history."))
    if is_whole and minutes < 0:
        raise CannotGrant(_("The right of a year is not below zero."))
    values: dict[str, Any] = {"year": year, "minutes": minutes, "is_whole": is_whole, "reason": reason}
    try:
        with transaction.atomic():
            made = ManualRight.objects.create(
                worker=worker, made_at=timezone.now(), made_by=_actor(), **values
            )
    except IntegrityError:
        raise CannotGrant(
            _("The right of this year was set by hand already: take that back first.")
        ) from None
    audit.record(
        "right.decided", worker, reason=reason, data={"year": year, "minutes": minutes, "is_whole": is_whole}
    )
    return made


def take_back(decided: ManualRight, reason: str) -> None:
    """What was decided counts no more. Raises CannotGrant without a reason, LostRace when it was taken back already."""
    reason = reason.strip()
    if not reason:
        raise CannotGrant(_("Give a reason: it is kept in the history."))
    rows = ManualRight.objects.filter(pk=decided.pk, withdrawn_at=None)
    now = timezone.now()
    if rows.update(withdrawn_at=now, withdrawn_by=_actor(), withdrawn_reason=reason) != 1:
        raise LostRace(f"manual right {decided.pk} was taken back")
    audit.record(
        "right.taken_back",
        decided.worker,
        reason=reason,
        data={"year": decided.year, "minutes": decided.minutes, "is_whole": decided.is_whole},
    )


def decide_many(decided: Iterable[ManualRight]) -> list[ManualRight]:
    """As `decide`, for what was checked before: in one statement, and the caller records the Event."""
    rows, now, actor = list(decided), timezone.now(), _actor()
    for row in rows:
        row.made_at, row.made_by = now, actor
    return ManualRight.objects.bulk_create(rows)


def take_back_many(decided: Collection[int], reason: str) -> int:
    """As `take_back`, by id: returns how many counted until now. The caller records the Event."""
    rows = ManualRight.objects.filter(mandataire_id=tenancy.current(), pk__in=decided, withdrawn_at=None)
    return rows.update(withdrawn_at=timezone.now(), withdrawn_by=_actor(), withdrawn_reason=reason)


def leaned_on(decided: Collection[ManualRight]) -> set[int]:
    """Those (ids) that training rests on which was noted after they were made.

    Without them a worker would have had more training than right in that year or a later one. Seven queries, however
    many.
    """
    if not decided:
        return set()
    tenant, workers = tenancy.current(), {row.worker_id for row in decided}
    first = min(row.made_at for row in decided)
    since = followed(workers).filter(charged_minutes__gt=0, changed_at__gt=first)
    busy = Worker.objects.filter(mandataire_id=tenant, pk__in=set(since.values_list("worker_id", flat=True)))
    known = facts_of(list(busy))
    found = set[int]()
    for row in decided:
        if (facts := known.get(row.worker_id)) is None:
            continue
        less = replace(facts, by_hand=_without(facts.by_hand, row))
        years = [year for year in facts.used if year >= row.year]
        if any(explain(less, year).beyond > explain(facts, year).beyond for year in years):
            found.add(row.pk)
        else:
            known[row.worker_id] = less
    return found


def _without(by_hand: Sequence[ByHand], row: ManualRight) -> list[ByHand]:
    rest, gone = list(by_hand), ByHand(row.year, row.minutes, row.is_whole, row.reason)
    if gone in rest:
        rest.remove(gone)
    return rest


def _actor() -> str:
    found = User.objects.filter(pk=tenancy.actor() or 0).first()
    return person_name(found) if found else ""
