"""What the national registers say about one form: accepted, accepted with remarks, or refused.

Anomaly codes are five digits of the zone and three of annex 30 (www.socialsecurity.be/docu_xml/). The zones
99xxx stand for the fields of the training record, whose official numbers were never published.
"""

from dataclasses import dataclass
from datetime import date

from simulator.accounts import Accounts
from simulator.content import Form, Reference, Training, location_of
from simulator.registry import Registry

MODIFICATION, CANCELLATION = "1", "3"
LABELS = {
    "003": "Invalid",
    "017": "Employer not in the register",
    "152": "No employment found for the given date",
    "155": "No mandate, or no longer a mandate",
    "179": "Unknown INSS",
    "272": "Already handled or declared",
    "326": "Info: balance calculated",
    "334": "Overlap",
    "420": "More days declared than the period has",
}
_ZONES = {
    "INSS": "00024",
    "CompanyID": "00014",
    "ReferenceNbr": "00022",
    "FormCreationDate": "00218",
    "StartDate": "99003",
    "EndDate": "99004",
    "DurationMinutes": "99005",
    "ChargedMinutes": "99008",
}


@dataclass(frozen=True)
class Anomaly:
    """One remark on one element of a form. `kind`: AnomalyClass, B blocking or W warning."""

    code: str
    kind: str
    tag: str
    value: str
    line: int
    location: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of one form."""

    anomalies: tuple[Anomaly, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """ResultCode 1: no anomaly blocks."""
        return all(anomaly.kind != "B" for anomaly in self.anomalies)


class Judge:
    """Gives the verdicts on the forms of one set, in their order, and moves the accounts accordingly."""

    def __init__(
        self, registry: Registry, accounts: Accounts, sender: str, application: str, today: date
    ) -> None:
        self._registry = registry
        self._accounts = accounts
        self._sender = sender
        self._application = application
        self._today = today

    def judge(self, form: Form, ticket: str) -> Verdict:
        """The verdict on `form`; when accepted, its training enters (or leaves) the account as `ticket`."""
        if form.training is None:  # another application: nothing is kept of it here
            return Verdict(tuple(self._party_anomalies(form)) if form.company else ())
        training = form.training
        found = self._form_anomalies(form) + self._party_anomalies(form)
        replacing = None
        if form.status in (MODIFICATION, CANCELLATION):
            earlier = form.earlier()
            replacing = self._accounts.current_ticket(earlier.number, training.company) if earlier else None
            if replacing is None:
                found.append(_unknown_ticket(form, earlier))
        if form.status != CANCELLATION:
            found += self._training_anomalies(form, training, replacing)
        verdict = Verdict(tuple(found))
        if verdict.is_accepted:
            if form.status != CANCELLATION:
                self._accounts.register(ticket, training, replacing)
            elif replacing is not None:
                self._accounts.cancel(replacing)
        return verdict

    def _form_anomalies(self, form: Form) -> list[Anomaly]:
        created = date.fromisoformat(form.created_on)
        if created > self._today or created.year < self._today.year - 1:
            return [_anomaly(form, "FormCreationDate", "003")]
        return []

    def _party_anomalies(self, form: Form) -> list[Anomaly]:
        found = []
        registry = self._registry
        if form.company not in registry.employers:
            found.append(_anomaly(form, "CompanyID", "017"))
        elif not registry.has_mandate(self._sender, form.company, self._application, self._today):
            found.append(_anomaly(form, "CompanyID", "155", zone="00011"))
        unknown = [niss for niss in form.workers if niss not in registry.workers]
        return found + [_anomaly(form, "INSS", "179", value=niss) for niss in unknown]

    def _training_anomalies(self, form: Form, training: Training, replacing: str | None) -> list[Anomaly]:
        found = []
        if training.ends_on < training.starts_on:
            return [_anomaly(form, "EndDate", "003")]
        if training.company in self._registry.employers and training.niss in self._registry.workers:
            for tag, day in (("StartDate", training.starts_on), ("EndDate", training.ends_on)):
                if not self._registry.is_employed(training.company, training.niss, day):
                    found.append(_anomaly(form, tag, "152"))
        if self._accounts.has_same(training, replacing):
            found.append(_anomaly(form, "StartDate", "272", zone="99000"))
        elif self._accounts.has_overlap(training, replacing):
            found.append(_anomaly(form, "StartDate", "334", zone="99000"))
        days = (training.ends_on - training.starts_on).days + 1
        if training.duration > days * training.day:
            found.append(_anomaly(form, "DurationMinutes", "420", kind="W"))
        right = self._registry.rights.get((training.niss, training.starts_on.year))
        if right is not None:
            charged = self._accounts.charged(training.niss, training.starts_on.year, replacing)
            if charged + training.charged > right:
                found.append(_anomaly(form, "ChargedMinutes", "326", kind="W"))
        return found


def _anomaly(
    form: Form, tag: str, code: str, *, zone: str = "", kind: str = "B", value: str | None = None
) -> Anomaly:
    """A remark on the first element of that name; on the one that holds `value`, when given."""
    element = form.find(tag) if value is None else form.find_with(tag, value)
    return Anomaly(
        code=f"{zone or _ZONES[tag]}-{code}",
        kind=kind,
        tag=tag,
        value=element.text or "",
        line=element.sourceline or 1,
        location=location_of(element),
    )


def _unknown_ticket(form: Form, earlier: Reference | None) -> Anomaly:
    if earlier is None:
        return Anomaly(
            "00022-003", "B", "ReferenceNbr", "", form.element.sourceline or 1, location_of(form.element)
        )
    number = earlier.element[2]
    return Anomaly(
        "00022-003", "B", "ReferenceNbr", earlier.number, number.sourceline or 1, location_of(number)
    )
