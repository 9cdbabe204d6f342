"""From a taken set to its answers: check, judge every form, and store the bytes of what will be answered.

One transaction holds verdicts, tickets, account entries and answers: a simulator that is killed decides
again from the start or not at all.
"""

import io
import sqlite3
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simulator import names
from simulator.accounts import Accounts
from simulator.answers import GARBAGE, Handled, Subject, render_acrf, render_noti
from simulator.checks import Checked, Taken, check_set
from simulator.intake import write_json
from simulator.moments import BRUSSELS, now
from simulator.names import Refusal
from simulator.registry import Registry, Sender, World
from simulator.signatures import Seal
from simulator.store import Store, in_base_36
from simulator.switches import Switches
from simulator.verdicts import Judge


@dataclass(frozen=True)
class _Answer:
    kind: str
    content: bytes
    due_at: float


class Decider:
    """Decides on sets, one at a time."""

    def __init__(self, root: Path, store: Store, switches: Switches, world: World, seal: Seal) -> None:
        self._root = root
        self._store = store
        self._switches = switches
        self._world = world
        self._seal = seal

    def decide(self, row: sqlite3.Row) -> None:
        """Decide on the set of one row of `sets` whose state is 'taken'."""
        sender = self._world.senders().get(row["username"]) or Sender(
            row["sender"], "", row["username"], (), frozenset(), frozenset()
        )
        taken = Taken(sender, row["directory"], row["marker"], self._root / row["archive"], row["preset"])
        registry = self._world.registry()
        moment = now()
        used = self._store.row(
            "select 1 from used_names where sender = ? and key = ?", sender.number, taken.key
        )
        today = moment.astimezone(BRUSSELS).date()
        checked = check_set(taken, registry, self._switches, today, is_name_used=used is not None)
        with self._store.transaction():
            if not self._store.run(
                "update sets set state = 'decided' where id = ? and state = 'taken'", row["id"]
            ):
                return  # a TD came in between
            subject = Subject(taken.marker, self._ticket(moment))
            self._store.run(
                "update sets set ticket = ?, result = ? where id = ?",
                subject.ticket,
                0 if checked.refusals else 1,
                row["id"],
            )
            if {"107", "108"}.isdisjoint(refusal.code for refusal in checked.refusals):
                self._store.run("insert or ignore into used_names values (?, ?)", sender.number, taken.key)
            answers = self._answer(taken, subject, checked, registry, moment)
            self._keep(row["id"], taken, answers, moment)
        _write_decision(taken, subject, checked.refusals)

    def _ticket(self, moment: datetime) -> str:
        """13 characters of [0-9A-Z], never given twice: year and day of the year, then a counter."""
        return f"{moment:%y%j}{in_base_36(self._store.count('ticket'), 8)}"

    def _answer(
        self, taken: Taken, subject: Subject, checked: Checked, registry: Registry, moment: datetime
    ) -> list[_Answer]:
        acrf_at = moment.timestamp() + self._switches.seconds("acrf_delay")
        noti_at = acrf_at + self._switches.seconds("noti_delay")
        acrf = render_acrf(subject, checked.refusals, moment)
        if checked.refusals:
            return self._spoil([_Answer("ACRF", acrf, acrf_at)])
        parts = self._judge(taken, checked, registry, moment)
        if self._switches.word("noti_per") == "set":
            parts = [[handled for part in parts for handled in part]]
        with_reference = not self._switches.take("no_file_reference")
        notis = [
            render_noti(subject, part, registry, moment, with_file_reference=with_reference) for part in parts
        ]
        if self._switches.take("out_of_order"):
            first = [_Answer("NOTI", content, acrf_at) for content in notis]
            return self._spoil([*first, _Answer("ACRF", acrf, noti_at)])
        return self._spoil(
            [_Answer("ACRF", acrf, acrf_at), *(_Answer("NOTI", one, noti_at) for one in notis)]
        )

    def _judge(
        self, taken: Taken, checked: Checked, registry: Registry, moment: datetime
    ) -> list[list[Handled]]:
        judge = Judge(
            registry,
            Accounts(self._store, names.environment_of(taken.key)),
            taken.sender.number,
            names.application_of(taken.key),
            moment.astimezone(BRUSSELS).date(),
        )
        parts = []
        for part in checked.parts:
            handled = []
            for form in part:
                ticket = self._ticket(moment)
                handled.append(Handled(form, ticket, judge.judge(form, ticket)))
            parts.append(handled)
        return parts

    def _spoil(self, answers: list[_Answer]) -> list[_Answer]:
        """Put garbage beside or in the place of the right answers, as the switches want it."""
        spoiled = self._switches.word("garbage_only")
        if any(answer.kind == spoiled for answer in answers):
            self._switches.use("garbage_only")
            answers = [
                _Answer(one.kind, GARBAGE if one.kind == spoiled else one.content, one.due_at)
                for one in answers
            ]
        if self._switches.take("garbage"):
            answers = [*answers, _Answer("NOTI", GARBAGE, answers[0].due_at)]
        return answers

    def _keep(self, set_id: int, taken: Taken, answers: list[_Answer], moment: datetime) -> None:
        zipped = self._switches.take("answer_as_zip")
        twice = self._switches.word("answer_twice")
        if twice:
            self._switches.use("answer_twice")
        for answer in answers:
            stem = self._insert(set_id, taken, answer, moment, zipped=zipped, state="pending")
            if twice == "other_name":
                self._insert(set_id, taken, answer, moment, zipped=zipped, state="pending")
            elif twice == "same_name":
                self._insert(set_id, taken, answer, moment, zipped=zipped, state="repeat", stem=stem)

    def _insert(
        self,
        set_id: int,
        taken: Taken,
        answer: _Answer,
        moment: datetime,
        *,
        zipped: bool,
        state: str,
        stem: str = "",
    ) -> str:
        day = f"{moment.astimezone(BRUSSELS):%Y%m%d}"
        environment = names.INBOX[taken.directory]
        if not stem:
            number = self._store.count(f"{answer.kind}.{day}.{environment}")
            stem = f"{answer.kind}.999999.{day}.{in_base_36(number, 5)}.{environment}"
        # Both styles of name occur on real answers; here each kind keeps to its own.
        part = ".1.1" if answer.kind == "NOTI" else ""
        content = _zip(f"FO.{stem}{part}", answer.content) if zipped else answer.content
        self._store.insert(
            "insert into answers"
            " (set_id, kind, username, directory, stem, part, zipped, content, signature, due_at, state)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            set_id,
            answer.kind,
            taken.sender.username,
            names.OUTBOX[taken.directory],
            stem,
            part,
            int(zipped),
            content,
            self._seal.sign(answer.content),
            answer.due_at,
            state,
        )
        return stem


def _zip(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def _write_decision(taken: Taken, subject: Subject, refusals: list[Refusal]) -> None:
    """`decided.json` beside the files: why a set was refused, in words that an ACRF has no room for."""
    decision = {
        "ticket": subject.ticket,
        "result": 0 if refusals else 1,
        "refusals": [{"code": refusal.code, "why": refusal.why} for refusal in refusals],
    }
    write_json(taken.archive / "decided.json", decision)
