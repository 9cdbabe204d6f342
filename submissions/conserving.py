"""The conservation law: every declaration that was ever created is somewhere, exactly once, and where it says it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Count

from channels.models import EnvironmentCode
from mandates import catalogue
from portal import tenancy
from submissions.models import Declaration
from submissions.states import LIVE, DeclarationState

_LAWS = {
    # What events say was created, against the rows that are there: nothing is lost, nothing comes from nowhere.
    "events say {0} declarations were created, the register holds {1}": """
        SELECT e.count, d.count FROM (SELECT count(*) FROM submissions_declaration) AS d, (
            SELECT coalesce(sum((data->>CASE verb WHEN 'course.encoded' THEN 'workers' ELSE 'count' END)::int), 0)
            FROM portal_event WHERE verb IN ('declaration.created', 'course.encoded')) AS e (count)
        WHERE e.count <> d.count""",
    # A form in a file without its declaration, or the other way round.
    "batch {0}: its files hold {1} forms, {2} declarations lie in it": """
        SELECT b.id, (SELECT coalesce(sum(p.forms_count), 0) FROM channels_envelopepart p
                      WHERE p.mandataire_id = b.mandataire_id AND p.envelope_id = b.envelope_id) AS forms,
               (SELECT count(*) FROM submissions_declaration d
                WHERE d.mandataire_id = b.mandataire_id AND d.batch_id = b.id) AS declarations
        FROM submissions_batch b WHERE b.state <> 'open' AND
              (SELECT coalesce(sum(p.forms_count), 0) FROM channels_envelopepart p
               WHERE p.mandataire_id = b.mandataire_id AND p.envelope_id = b.envelope_id)
           <> (SELECT count(*) FROM submissions_declaration d
               WHERE d.mandataire_id = b.mandataire_id AND d.batch_id = b.id)""",
    "batch {0} is {1}, and declaration {2} in it is {3}": """
        SELECT b.id, b.state, d.id, d.state FROM submissions_declaration d
        JOIN submissions_batch b ON b.mandataire_id = d.mandataire_id AND b.id = d.batch_id
        WHERE (b.state IN ('sealed', 'parked') AND d.state <> 'batched')
           OR (b.state = 'dropped' AND d.state NOT IN ('sent', 'accepted', 'accepted_with_remarks', 'refused'))
           OR (b.state = 'acknowledged' AND d.state NOT IN
               ('acknowledged', 'accepted', 'accepted_with_remarks', 'refused'))
           OR (b.state = 'answered' AND d.state NOT IN ('accepted', 'accepted_with_remarks', 'refused'))
           OR (b.state = 'rejected' AND d.state <> 'refused')
        LIMIT 20""",
    # The rule at the gate, looked back at. An end is never set before its own day, so it holds for good.
    "batch {0} holds declaration {1} of an employer without a mandate {2} on the day of sealing": """
        SELECT b.id, d.id, b.service FROM submissions_declaration d
        JOIN submissions_batch b ON b.mandataire_id = d.mandataire_id AND b.id = d.batch_id
        JOIN mandates_employer e ON e.mandataire_id = d.mandataire_id AND e.id = d.employer_id
        JOIN portal_mandataire t ON t.id = d.mandataire_id
        CROSS JOIN LATERAL (SELECT (b.sealed_at AT TIME ZONE 'Europe/Brussels')::date AS day) AS sealed
        WHERE e.number <> t.number AND NOT EXISTS (
            SELECT FROM mandates_mandate m WHERE m.mandataire_id = d.mandataire_id AND m.employer_id = e.id
            AND m.service = %(mandates)s::jsonb ->> b.service AND m.state = 'active' AND m.starts_on <= sealed.day
            AND (m.ends_on IS NULL OR m.ends_on >= sealed.day))
        LIMIT 20""",
    # The environments never mix: not in a file name, not in a set, not on an account.
    "batch {0} is for {1}, its files for {2}, named {3}": """
        SELECT b.id, b.environment, e.environment, e.stem FROM submissions_batch b
        JOIN channels_envelope e ON e.mandataire_id = b.mandataire_id AND e.id = b.envelope_id
        WHERE e.environment <> b.environment OR right(e.stem, 1) <> b.environment
        LIMIT 20""",
    "declaration {0} is for {1}, and lies in batch {2} for {3}": """
        SELECT d.id, d.environment, b.id, b.environment FROM submissions_declaration d
        JOIN submissions_batch b ON b.mandataire_id = d.mandataire_id AND b.id = d.batch_id
        WHERE d.environment <> b.environment
        LIMIT 20""",
    "declaration {0} is for {1}, and speaks of declaration {2} for {3}": """
        SELECT d.id, d.environment, e.id, e.environment FROM submissions_declaration d
        JOIN submissions_declaration e ON e.mandataire_id = d.mandataire_id AND e.id = d.replaces_id
        WHERE d.environment <> e.environment AND e.batch_id IS NOT NULL AND d.record_id IS NOT NULL
              AND d.kind <> 'original'
        LIMIT 20""",
    "training {0} stands {1} times on the account of production": """
        SELECT record_id, count(*) FILTER (WHERE kind = 'original') - count(*) FILTER (WHERE kind = 'cancellation')
        FROM submissions_declaration
        WHERE environment = 'R' AND record_id IS NOT NULL AND state IN ('accepted', 'accepted_with_remarks')
        GROUP BY record_id
        HAVING count(*) FILTER (WHERE kind = 'original') - count(*) FILTER (WHERE kind = 'cancellation') > 1
        LIMIT 20""",
    "declaration {0} was sent to production for {1}, which is {2} for {3}": """
        SELECT d.id, t.id, t.state, t.environment FROM submissions_declaration d
        JOIN submissions_declaration t ON t.mandataire_id = d.mandataire_id AND t.id = d.promotes_id
        WHERE t.environment NOT IN ('T', 'S') OR t.state NOT IN ('accepted', 'accepted_with_remarks')
           OR (t.record_id, t.form_id, t.document_id) IS DISTINCT FROM (d.record_id, d.form_id, d.document_id)
        LIMIT 20""",
    "envelope {0} left, and has {1} confirmed drops": """
        SELECT e.stem, count(d.id) FROM submissions_batch b
        JOIN channels_envelope e ON e.mandataire_id = b.mandataire_id AND e.id = b.envelope_id
        LEFT JOIN channels_drop d ON d.mandataire_id = e.mandataire_id AND d.envelope_id = e.id
              AND d.state = 'confirmed'
        WHERE b.state IN ('dropped', 'acknowledged', 'rejected', 'answered')
        GROUP BY e.stem HAVING count(d.id) <> 1""",
}


@dataclass(frozen=True)
class Account:
    """Where the declarations of one mandataire are, and every place where the law does not hold.

    `by_place` counts by environment (R, T, S, or "" for what goes with the channel and was not sealed yet) and state.
    """

    by_place: Counter[tuple[str, str]]
    breaks: list[str] = field(default_factory=list)

    @property
    def by_state(self) -> Counter[str]:
        """All of them, whatever their environment."""
        return self.within(*EnvironmentCode.values, "")

    def within(self, *environments: str) -> Counter[str]:
        """Those of these environments, by state."""
        found: Counter[str] = Counter()
        for (environment, state), count in self.by_place.items():
            if environment in environments:
                found[state] += count
        return found

    @property
    def created(self) -> int:
        """All of them."""
        return self.by_state.total()

    @property
    def waiting(self) -> int:
        """Those without a final state."""
        return sum(self.by_state[state] for state in LIVE)

    def __add__(self, other: Account) -> Account:
        return Account(self.by_place + other.by_place, self.breaks + other.breaks)

    def __str__(self) -> str:
        lines = [_sum("declared", self.within(EnvironmentCode.PRODUCTION, ""))]
        for environment, verb in _TESTS.items():
            if tested := self.within(environment):
                lines.append(_sum(verb, tested))
        return "; ".join(lines)


_TESTS: Final = {
    EnvironmentCode.TEST: "sent to the circuit test",
    EnvironmentCode.SIMULATION: "sent to the simulation",
}


def _sum(verb: str, states: Counter[str]) -> str:
    waiting = sum(states[state] for state in LIVE)
    line = (
        f"{states.total()} {verb} = {states[DeclarationState.ACCEPTED]} accepted "
        f"+ {states[DeclarationState.ACCEPTED_WITH_REMARKS]} accepted with remarks "
        f"+ {states[DeclarationState.REFUSED]} refused + {waiting} waiting"
    )
    withdrawn = states[DeclarationState.WITHDRAWN]
    return f"{line} + {withdrawn} withdrawn" if withdrawn else line


def account(mandataire: UUID) -> Account:
    """Counts the declarations of a mandataire by environment and state and checks every law."""
    with tenancy.scope(mandataire):
        rows = Declaration.objects.order_by().values_list("environment", "state").annotate(count=Count("id"))
        places = {(environment, state): count for environment, state, count in rows}
        return Account(Counter(places), list(_breaks()))


def _breaks() -> Iterator[str]:
    mandates = json.dumps({code: service.mandate for code, service in catalogue.services().items()})
    with connection.cursor() as cursor:
        for sentence, question in _LAWS.items():
            cursor.execute(question, {"mandates": mandates})
            for row in cursor.fetchall():
                yield sentence.format(*row)


def everybody() -> list[UUID]:
    """The ids of all mandataires of this installation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mandataire_id FROM portal_mandataires()")
        return [identity for (identity,) in cursor.fetchall()]
