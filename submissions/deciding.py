"""What people decide about a problem: who works on it, until when it waits, that it is settled; and what they say.

Each decision is one transaction with its Event. The row of a problem is made with the first one, and locked by each.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import audit, tenancy
from portal.models import Membership, User
from portal.templatetags.presenting import person_name
from submissions import problems
from submissions.models import Declaration, Problem
from submissions.problems import Key

LONGEST: Final = 500
"""Characters of a comment or a reason."""
FURTHEST: Final = 366
"""Days for which something may be put off."""


class CannotDecide(ValueError):
    """What was asked makes no sense; the sentence says why and what to do."""

    permanent = True
    ambiguous = False


def _held(key: Key) -> Problem:
    """The row of a problem, made when there is none yet, and locked: decisions about it wait for each other."""
    named = {"employer_id": key.employer, "service": key.service, "code": key.code, "tag": key.tag}
    Problem.objects.bulk_create([Problem(**named)], ignore_conflicts=True)
    return Problem.objects.select_for_update(no_key=True).get(mandataire_id=tenancy.current(), **named)


def note(key: Key, verb: str, **data: Any) -> None:
    """Notes in the history of a problem what was done about its declarations."""
    _record(verb, _held(key), **data)


def _record(verb: str, problem: Problem, *, reason: str = "", **data: Any) -> None:
    audit.record(verb, problem, reason=reason, data=data)


def _said(text: str, sentence: str) -> str:
    """What somebody typed, cut to size. Raises CannotDecide with `sentence` when it is nothing."""
    text = text.strip()[:LONGEST]
    if not text:
        raise CannotDecide(sentence)
    return text


def assign(key: Key, owner: Membership | None) -> None:
    """Gives a problem to a member of the office, or to nobody. The same owner again changes nothing."""
    if owner is not None and (owner.employer_id is not None or owner.is_blocked):
        raise CannotDecide(_("Only somebody at the office can be given this."))
    problem = _held(key)
    if problem.owner_id == (owner.pk if owner else None):
        return
    Problem.objects.filter(pk=problem.pk).update(owner=owner)
    if owner is None:
        _record("problem.released", problem)
    else:
        _record("problem.assigned", problem, who=person_name(owner.user))


def snooze(key: Key, until: date) -> None:
    """Puts a problem out of sight until a day: from that day on it is there again."""
    left = (until - timezone.localdate()).days
    if not 0 < left <= FURTHEST:
        raise CannotDecide(_("Choose a day from tomorrow on, within a year."))
    problem = _held(key)
    Problem.objects.filter(pk=problem.pk).update(snoozed_until=until)
    _record("problem.snoozed", problem, until=until.isoformat())


def wake(key: Key) -> None:
    """Brings a problem that was put off back at once."""
    problem = _held(key)
    if Problem.objects.filter(pk=problem.pk, snoozed_until__isnull=False).update(snoozed_until=None):
        _record("problem.woken", problem)


def comment(key: Key, text: str) -> None:
    """Says something about a problem. It is an Event: nobody changes what was said."""
    text = _said(text, _("Write something first."))
    _record("problem.commented", _held(key), reason=text)


def close(key: Key, reason: str) -> int:
    """Settles every refusal of a problem: nothing more is to be done about them. Returns how many.

    What is refused later stands in the problem anew. Raises CannotDecide without a reason, or when nothing is left.
    """
    reason = _said(reason, _("Give a reason: it is kept in the history."))
    return _settle(key, problems.refused(key), "problem.closed", reason)


def accept(key: Key, reason: str = "") -> int:
    """Settles what was accepted with remarks: somebody saw the remarks, and it stays as it is. Returns how many."""
    return _settle(key, problems.remarked(key), "problem.accepted", reason.strip()[:LONGEST])


def _settle(key: Key, rows: QuerySet[Declaration], verb: str, reason: str) -> int:
    problem = _held(key)
    actor = User.objects.filter(pk=tenancy.actor() or 0).first()
    # In the order of their ids, so that what is decided at the same moment waits, and never for each other.
    found = list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submissions_settlement (mandataire_id, problem_id, declaration_id, settled_at, settled_by, "
            "reason) SELECT %s, %s, id, %s, %s, %s FROM unnest(%s::bigint[]) AS d (id) ON CONFLICT DO NOTHING",
            [
                tenancy.current(),
                problem.pk,
                timezone.now(),
                person_name(actor) if actor else "",
                reason,
                found,
            ],
        )
        count: int = cursor.rowcount
    if not count:
        raise CannotDecide(_("Nothing is left to decide here: somebody else was faster."))
    Problem.objects.filter(pk=problem.pk).update(snoozed_until=None)
    _record(verb, problem, reason=reason, count=count)
    return count


def reopen(key: Key) -> int:
    """Takes back what was settled in a problem: it is to be done after all. Returns how many declarations."""
    problem = _held(key)
    count, _by_model = problem.settlements.all().delete()
    if not count:
        raise CannotDecide(_("Nothing was settled here."))
    _record("problem.reopened", problem, count=count)
    return count
