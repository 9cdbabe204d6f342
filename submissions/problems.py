"""The things to do: equal answers of one client as one item, asked of the answers, beside what people decided.

Nothing keeps this list: an item is there as long as a declaration of it needs somebody, and whatever a declaration
becomes, whoever corrects it and in whichever order answers are applied, the next look is true. Decisions (owner, day
of return) are joined to it; a decision to do nothing is a `Settlement` of each declaration that the person saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from portal import tenancy
from portal.models import Membership, Profile
from portal.templatetags.presenting import person_name
from submissions import questions
from submissions.deadlines import Subject, deadline_of
from submissions.models import Anomaly, Declaration, Problem
from submissions.states import DeclarationState
from submissions.words import NOT_BLOCKING

NO_CODE: Final = "none"
"""Stands in an address for a refusal that gave no code."""

REFUSED, REMARKED = DeclarationState.REFUSED.value, DeclarationState.ACCEPTED_WITH_REMARKS.value


class Key(NamedTuple):
    """What makes answers equal. An empty `code` is a refusal that gave none."""

    employer: int
    service: str
    code: str
    tag: str

    @classmethod
    def asked(cls, employer: int, parameters: QueryDict) -> Key:
        """The key in an address: `service`, `code` and `tag`."""
        code = parameters.get("code", "")
        return cls(
            employer,
            parameters.get("service", ""),
            "" if code == NO_CODE else code,
            parameters.get("tag", ""),
        )

    @property
    def query(self) -> str:
        """As the address has it."""
        asked = {"service": self.service, "code": self.code or NO_CODE, "tag": self.tag}
        return urlencode({name: value for name, value in asked.items() if value})

    def url(self, name: str = "problem") -> str:
        """The page of the item, or one of its acts."""
        return f"{reverse(name, args=[self.employer])}?{self.query}"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do. `count` are declarations, `since` is the oldest answer, `deadline` the first legal day to end.

    `is_refusal` tells refusals from remarks on what was accepted.
    """

    key: Key
    employer_name: str
    employer_number: str
    count: int
    since: datetime | None
    deadline: date | None
    label: str
    is_refusal: bool
    owner: int | None = None
    snoozed_until: date | None = None
    owner_name: str = field(default="", compare=False)

    def is_snoozed(self, today: date) -> bool:
        """Whether somebody put it out of sight until a later day."""
        return self.snoozed_until is not None and self.snoozed_until > today


def _deadline(service: str, ended_on: date | None) -> date | None:
    """The last day to declare a training that ended on this day, where the calendar of its service speaks of it."""
    found = deadline_of(Subject.TRAINING, ended_on, service) if ended_on else None
    return found.day if found else None


_GROUPS: Final = """
SELECT d.employer_id, d.service, coalesce(a.code, ''), coalesce(a.tag, ''), e.name, e.number, count(DISTINCT d.id),
       min(d.answered_at), min(r.ends_on), coalesce(max(a.label), ''), p.owner_id, p.snoozed_until
FROM submissions_declaration d
JOIN mandates_employer e ON e.mandataire_id = d.mandataire_id AND e.id = d.employer_id
LEFT JOIN submissions_trainingrecord r ON r.mandataire_id = d.mandataire_id AND r.id = d.record_id
{anomalies}
LEFT JOIN submissions_problem p ON p.mandataire_id = d.mandataire_id AND p.employer_id = d.employer_id
     AND p.service = d.service AND p.code = coalesce(a.code, '') AND p.tag = coalesce(a.tag, '')
WHERE d.mandataire_id = %(tenant)s AND d.state = %(state)s
  AND NOT EXISTS (SELECT FROM submissions_declaration n WHERE n.mandataire_id = %(tenant)s
                  AND n.replaces_id = d.id AND n.replaces_id IS NOT NULL)
  AND NOT EXISTS (SELECT FROM submissions_settlement s WHERE s.mandataire_id = %(tenant)s AND s.declaration_id = d.id)
  {narrowed}
GROUP BY d.employer_id, d.service, a.code, a.tag, e.name, e.number, p.owner_id, p.snoozed_until
"""
# A refusal of which no anomaly blocks is one without a cause: left out, nobody would ever see it.
_BLOCKING: Final = (
    "LEFT JOIN submissions_anomaly a ON a.mandataire_id = d.mandataire_id AND a.declaration_id = d.id "
    "AND a.anomaly_class <> ALL(%(not_blocking)s)"
)
_ANY: Final = (
    "JOIN submissions_anomaly a ON a.mandataire_id = d.mandataire_id AND a.declaration_id = d.id "
    "AND d.kind <> 'cancellation'"
)


def items(*, of_refusals: bool = True, key: Key | None = None, employer: int | None = None) -> list[Item]:
    """Everything that waits, the most urgent first: the nearest deadline, then the oldest answer.

    As many as there are clients with a cause, whatever the declarations. Refusals, or remarks on what was accepted;
    of one `key`, or one employer, alone. One query.
    """
    limit = tenancy.limit()
    narrowed = ""
    parameters: dict[str, Any] = {"tenant": tenancy.current(), "not_blocking": list(NOT_BLOCKING)}
    if limit is not None:
        narrowed, parameters["limit"] = "AND d.employer_id = ANY(%(limit)s)", sorted(limit)
    if key is not None or employer is not None:
        narrowed += " AND d.employer_id = %(employer)s"
        parameters["employer"] = key.employer if key else employer
    parameters["state"] = REFUSED if of_refusals else REMARKED
    sql = _GROUPS.format(anomalies=_BLOCKING if of_refusals else _ANY, narrowed=narrowed)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    found = [
        Item(
            Key(employer_id, service, code, tag),
            name,
            number,
            count,
            since,
            _deadline(service, ended_on) if of_refusals else None,
            label,
            of_refusals,
            owner,
            snoozed_until,
        )
        for employer_id, service, code, tag, name, number, count, since, ended_on, label, owner, snoozed_until in rows
    ]
    if key is not None:
        found = [item for item in found if item.key == key]
    return sorted(found, key=_urgency)


def _urgency(item: Item) -> tuple[date, datetime, str, Key]:
    return (item.deadline or date.max, item.since or timezone.now(), item.employer_name, item.key)


def with_owners(page: Sequence[Item]) -> list[Item]:
    """The items of one page with the names of their owners. One query, and none when nobody works on them."""
    names = names_of({item.owner for item in page if item.owner})
    return [replace(item, owner_name=names.get(item.owner or 0, "")) for item in page]


def names_of(members: Iterable[int]) -> Mapping[int, str]:
    """The names of members, by id. One query, and none for nobody."""
    wanted = list(members)
    if not wanted:
        return {}
    rows = Membership.objects.filter(mandataire_id=tenancy.current(), pk__in=wanted).select_related("user")
    return {member.pk: person_name(member.user) for member in rows}


def colleagues() -> list[Membership]:
    """Those at the mandataire's own office who may be given something to do, by name. Two queries."""
    rows = Membership.objects.filter(mandataire_id=tenancy.current(), employer=None, is_blocked=False)
    everybody = rows.holding().select_related("user").order_by("user__last_name", "user__first_name", "pk")
    return [member for member in everybody if may_work(member)]


def may_work(member: Membership) -> bool:
    """Whether a member may correct what is refused, for somebody at least."""
    return member.may(Profile.ADMINISTRATIVE)


# --- causes ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Cause:
    """Why declarations wait for somebody: an anomaly code at an element of the form, and whose they are.

    `employers` are (name, number), by name; `keys` are the problems.
    """

    code: str
    tag: str
    label: str = ""
    count: int = 0
    employers: list[tuple[str, str]] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)


def causes() -> list[Cause]:
    """The causes of what waits to be corrected, the most frequent first, without what was put off. One query.

    A declaration refused for two causes counts for both.
    """
    found: dict[tuple[str, str], Cause] = {}
    today = timezone.localdate()
    waiting = [item for item in items() if not item.is_snoozed(today)]
    for item in sorted(waiting, key=lambda item: (item.employer_name, item.key)):
        cause = found.setdefault(
            (item.key.code, item.key.tag), Cause(item.key.code, item.key.tag, item.label)
        )
        cause.count += item.count
        cause.keys.append(item.key)
        if (whose := (item.employer_name, item.employer_number)) not in cause.employers:
            cause.employers.append(whose)
    return sorted(found.values(), key=lambda cause: (-cause.count, cause.code, cause.tag))


# --- one of them ----------------------------------------------------------------------------------


def decided(key: Key) -> Problem | None:
    """What people decided about it, if anything. One query."""
    return (
        Problem.objects.filter(
            mandataire_id=tenancy.current(),
            employer=key.employer,
            service=key.service,
            code=key.code,
            tag=key.tag,
        )
        .select_related("owner__user")
        .first()
    )


def refused(key: Key) -> QuerySet[Declaration]:
    """The refusals that stand in a problem."""
    rows = questions.to_correct().filter(employer=key.employer, service=key.service)
    return questions.with_cause(rows, key.code, key.tag)


def remarked(key: Key) -> QuerySet[Declaration]:
    """What was accepted with this remark, and still waits for somebody's look."""
    rows = Declaration.objects.remarked().filter(
        mandataire_id=tenancy.current(), employer=key.employer, service=key.service
    )
    anomalies = Anomaly.objects.filter(declaration=OuterRef("pk"), code=key.code, tag=key.tag)
    found: QuerySet[Declaration] = rows.filter(Exists(anomalies))
    return found


def one(key: Key) -> list[Item]:
    """The item of a key: refusals, remarks, or both. Two queries."""
    return [*items(key=key), *items(of_refusals=False, key=key)]
