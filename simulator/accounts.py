"""The training accounts of workers: what the simulated registers remember of accepted forms.

Production, test and simulation never see each other.
"""

from datetime import date

from simulator.content import Training
from simulator.store import Store

OCCUPYING = ("FOLLOWED", "RESERVED")  # the other states of a training leave its days free


class Accounts:
    """The accounts of one environment."""

    def __init__(self, store: Store, environment: str) -> None:
        self._store = store
        self._environment = environment

    def current_ticket(self, ticket: str, employer: str) -> str | None:
        """The ticket under which a training first registered as `ticket` stands today, or None."""
        for _ in range(1000):
            row = self._store.row(
                "select employer, replaced_by, is_active from trainings where environment = ? and ticket = ?",
                self._environment,
                ticket,
            )
            if row is None or row["employer"] != employer:
                return None
            if row["is_active"]:
                return ticket
            if row["replaced_by"] is None:
                return None
            ticket = row["replaced_by"]
        return None

    def has_same(self, training: Training, leaving_out: str | None) -> bool:
        """True when the same worker, title and dates are registered already."""
        found = self._store.row(
            "select 1 from trainings where environment = ? and niss = ? and is_active and ticket <> ?"
            " and title = ? and starts_on = ? and ends_on = ?",
            self._environment,
            training.niss,
            leaving_out or "",
            training.title,
            training.starts_on.isoformat(),
            training.ends_on.isoformat(),
        )
        return found is not None

    def has_overlap(self, training: Training, leaving_out: str | None) -> bool:
        """True when another training occupies one of the days."""
        if training.status not in OCCUPYING:
            return False
        found = self._store.row(
            "select 1 from trainings where environment = ? and niss = ? and is_active and ticket <> ?"
            " and status in (?, ?) and starts_on <= ? and ends_on >= ?",
            self._environment,
            training.niss,
            leaving_out or "",
            *OCCUPYING,
            training.ends_on.isoformat(),
            training.starts_on.isoformat(),
        )
        return found is not None

    def charged(self, niss: str, year: int, leaving_out: str | None) -> int:
        """Minutes charged to the individual right of a worker for trainings that start in that year."""
        row = self._store.row(
            "select coalesce(sum(charged), 0) from trainings where environment = ? and niss = ? and is_active"
            " and ticket <> ? and starts_on between ? and ?",
            self._environment,
            niss,
            leaving_out or "",
            date(year, 1, 1).isoformat(),
            date(year, 12, 31).isoformat(),
        )
        return int(row[0]) if row is not None else 0

    def register(self, ticket: str, training: Training, replacing: str | None) -> None:
        """Put a training on the account; a modification takes the place of the earlier one."""
        self._store.run(
            "insert into trainings values (?, ?, ?, ?, ?, ?, ?, ?, ?, null, 1)",
            self._environment,
            ticket,
            training.company,
            training.niss,
            training.starts_on.isoformat(),
            training.ends_on.isoformat(),
            training.title,
            training.status,
            training.charged,
        )
        if replacing is not None:
            self._store.run(
                "update trainings set is_active = 0, replaced_by = ? where environment = ? and ticket = ?",
                ticket,
                self._environment,
                replacing,
            )

    def cancel(self, ticket: str) -> None:
        """Take a training off the account."""
        self._store.run(
            "update trainings set is_active = 0 where environment = ? and ticket = ?",
            self._environment,
            ticket,
        )
