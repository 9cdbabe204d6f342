"""Two mandataires with their clients, their channels, and a simulated social security on the other side."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.utils import timezone
from lxml import etree

from channels.models import Channel, Credential, Drop, Envelope, EnvelopePart, InboundFile
from channels.naming import Prefix, parse_name
from portal import audit, tenancy
from portal.demo import loading
from portal.models import Event, Mandataire
from simulator.server import Simulator
from submissions import rebuilding
from submissions.conserving import Account, account
from submissions.models import Batch, Declaration
from submissions.states import ACCEPTED, DeclarationState
from submissions.sweeping import WORKS, Work
from submissions.wire.schemas import SYSTEM_FLUX
from tests import factories

WITHIN = 60.0
"""Seconds after which a condition that does not come true is a failure."""


def until(
    condition: Callable[[], object], *, within: float = WITHIN, told: Callable[[], object] = str
) -> None:
    """Polls until `condition` holds; fails with what `told` says when it does not come to that."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"it did not come to that within {within} s: {told()}"
        time.sleep(0.02)


@dataclass
class House:
    """The portal in the test database and the other side in `simulator`. `tenants`: ids by sender number."""

    simulator: Simulator
    tenants: dict[str, UUID]
    expected: dict[str, Counter[str]]
    """What the national registers will say of everything, by sender number."""
    untouched: set[str] = field(default_factory=set)
    """Names that lie in OUT and are nobody's answers."""

    # --- doing --------------------------------------------------------------------------------------

    def do(self, *works: Work) -> str:
        """Does what is due of these kinds, as `manage.py sweep --now` does. Returns what the command said."""
        said = io.StringIO()
        for work in works:
            call_command("sweep", "--now", only=work, stdout=said)
        return said.getvalue()

    def bring_to(self, work: Work) -> None:
        """Does everything that comes before `work`, so that it is due."""
        for earlier in WORKS[: WORKS.index(work)]:
            self.do(earlier)
            self.simulator.settle()

    def let_certificates_end(self) -> None:
        """Every certificate ends in some days: something to raise an alarm about."""
        for _ in self.scopes():
            Credential.objects.filter(kind="signing").update(expires_at=timezone.now() + timedelta(days=20))

    def settle(self, within: float = WITHIN) -> None:
        """Sweeps again and again until nothing waits on either side."""
        until(self._is_settled_after_a_sweep, within=within, told=self.tell)

    def _is_settled_after_a_sweep(self) -> bool:
        self.do(*WORKS)
        return self.is_settled()

    def is_settled(self) -> bool:
        """Whether nothing waits here, and everything over there is answered and fetched."""
        return not (
            any(account(mandataire).waiting for mandataire in self.tenants.values())
            or self.unapplied()
            or self.unanswered()
            or self.uncollected()
        )

    # --- asking -------------------------------------------------------------------------------------

    def scopes(self) -> Iterator[tuple[str, UUID]]:
        """Each sender number and its mandataire, whose scope is open meanwhile."""
        for sender, mandataire in self.tenants.items():
            with tenancy.scope(mandataire):
                yield sender, mandataire

    def channel(self, sender: str, **changes: object) -> Channel:
        """The channel of a sender; `changes` are written first. In no scope of the caller."""
        with tenancy.scope(self.tenants[sender]):
            if changes:
                Channel.objects.update(**changes)
            return Channel.objects.get()

    def drops(self, sender: str) -> list[str]:
        """The states of all attempts of a sender, in their order."""
        with tenancy.scope(self.tenants[sender]):
            return list(Drop.objects.order_by("pk").values_list("state", flat=True))

    def files(self, sender: str) -> Counter[str]:
        """How many answers of a sender are in which state."""
        with tenancy.scope(self.tenants[sender]):
            return Counter(InboundFile.objects.order_by("pk").values_list("state", flat=True))

    def unapplied(self) -> int:
        """Answers stored and not looked at."""
        return sum(InboundFile.objects.filter(state="stored").count() for _ in self.scopes())

    def home(self, sender: str) -> Path:
        """The directory which that sender sees over there."""
        return self.simulator.root / "home" / f"expediteur-{sender}"

    def uncollected(self) -> list[Path]:
        """Answers that lie over there."""
        return [
            path
            for sender in self.tenants
            for path in (self.home(sender) / "OUT").glob("*")
            if path.name not in self.untouched
        ]

    def unanswered(self) -> int:
        """Sets over there without a decision, and answers that are yet to be delivered."""
        ((sets,),) = self.ask_simulator("select count(*) from sets where state in ('taking', 'taken')")
        ((answers,),) = self.ask_simulator("select count(*) from answers where state <> 'delivered'")
        return int(sets) + int(answers)

    def ask_simulator(self, question: str) -> list[tuple[Any, ...]]:
        """Rows of the simulator's own memory, read beside it."""
        path = self.simulator.root / "state.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as memory:
            return memory.execute(question).fetchall()

    def account(self) -> Account:
        """Both mandataires together."""
        return sum((account(mandataire) for mandataire in self.tenants.values()), Account(Counter()))

    def tell(self) -> str:
        """Everything that helps to find out why something stands still."""
        lines = [str(self.account()), f"unanswered {self.unanswered()}", f"in OUT {self.uncollected()}"]
        for sender, _ in self.scopes():
            lines += [
                f"{sender}: {Channel.objects.get().last_error}",
                f"  batches {list(Batch.objects.order_by('pk').values_list('state', 'parked_reason'))}",
                f"  drops {list(Drop.objects.order_by('pk').values_list('state', 'error'))}",
                f"  files {list(InboundFile.objects.order_by('pk').values_list('name', 'state', 'reason'))}",
            ]
        return "\n".join(lines)

    # --- judging ------------------------------------------------------------------------------------

    def archived(self, sender: str = "") -> list[Path]:
        """Every set that was ever taken over there, in the order of its name."""
        return sorted((self.simulator.root / "archive").glob(f"{sender or '*'}/*/*"))

    def assert_all_is_well(self, *, parked: int = 0) -> None:
        """Everything is settled as the registers say, the law holds, nothing went twice, nothing was lost.

        `parked`: how many sets had to wait for a person.
        """
        for sender, mandataire in self.tenants.items():
            found = account(mandataire)
            assert found.breaks == []
            assert Counter(found.by_state) == self.expected[sender], self.tell()
            assert audit.verify(mandataire)[1] is None
        self.assert_rebuilt()
        self.assert_sent_once()
        self.assert_answers_are_here()
        for _ in self.scopes():
            assert set(Batch.objects.order_by("pk").values_list("state", flat=True)) == {"answered"}
        stopped = [Event.objects.filter(verb="batch.parked").count() for _ in self.scopes()]
        assert sum(stopped) == parked, "people are called when, and only when, they are needed"

    def assert_rebuilt(self) -> None:
        """The state of everything follows from the raw files and the Events."""
        for mandataire in self.tenants.values():
            assert list(rebuilding.check(mandataire)) == []

    def assert_sent_once(self) -> None:
        """What social security holds is what was sealed, each set once, and each declaration in one of them."""
        for sender, _mandataire in self.scopes():
            there = self.archived(sender)
            sealed = {envelope.stem: envelope for envelope in Envelope.objects.order_by("pk")}
            assert [path.name for path in there] == sorted(sealed), "a set was taken twice, or never"
            references: list[str] = []
            for path in there:
                self._assert_as_sealed(path, sealed[path.name])
                references += references_in(path)
            sent = Declaration.objects.filter(batch__isnull=False).order_by("pk")
            assert sorted(references) == sorted(sent.values_list("reference", flat=True))
            confirmed = (
                Drop.objects.filter(state="confirmed").order_by("pk").values_list("envelope_id", flat=True)
            )
            assert sorted(confirmed) == sorted(envelope.pk for envelope in sealed.values())
        taken = self.ask_simulator("select key from sets")
        assert len(taken) == len(set(taken)), "a name was used twice"
        assert not list(self.simulator.root.glob("home/*/IN/*.FLAD.*")), "something of a set stayed behind"

    def _assert_as_sealed(self, there: Path, envelope: Envelope) -> None:
        receipt = json.loads((there / "received.json").read_text("utf-8"))
        *files, go = receipt["files"]
        assert (go["name"], go["bytes"], go["uploads"]) == (receipt["marker"], 0, 1), "GO is empty and last"
        assert parse_name(go["name"]).prefix is Prefix.GO
        name, parts = envelope.name.as_set_name(), len(files) // 2
        hashes = {}
        for part in EnvelopePart.objects.filter(envelope=envelope).order_by("part"):
            hashes[name.fi(part.part, parts)] = hashlib.sha256(part.fi).hexdigest()
            hashes[name.fs(part.part, parts)] = hashlib.sha256(part.fs).hexdigest()
            assert part.fi_sha256 == hashlib.sha256(part.fi).hexdigest()
        assert {file["name"]: file["sha256"] for file in files} == hashes
        for file in receipt["files"]:
            assert hashlib.sha256((there / file["name"]).read_bytes()).hexdigest() == file["sha256"]
        decision = json.loads((there / "decided.json").read_text("utf-8"))
        assert (decision["result"], decision["refusals"]) == (1, [])

    def assert_answers_are_here(self) -> None:
        """Every answer that was delivered is stored here, and gone over there."""
        delivered = self.ask_simulator("select username, stem from answers where state = 'delivered'")
        for sender, _mandataire in self.scopes():
            files = InboundFile.objects.filter(deleted_there_at__isnull=False).order_by("pk")
            stored = {parse_name(name).stem for name in files.values_list("name", flat=True)}
            theirs = {stem for username, stem in delivered if username == f"expediteur-{sender}"}
            assert stored >= theirs, "an answer was lost"
            assert not InboundFile.objects.filter(deleted_there_at=None).exists()
        assert not self.uncollected()


def references_in(archived: Path) -> list[str]:
    """Our own references in the declarations of a set, as social security holds them."""
    name = {"s": SYSTEM_FLUX}
    return [
        str(number)
        for path in sorted(archived.glob("FI.*"))
        for number in etree.parse(path).xpath(
            "//s:Form/s:Reference[s:ReferenceType='1' and s:ReferenceOrigin='1']/s:ReferenceNbr/text()",
            namespaces=name,
        )
    ]


def expected_of(folder: Path, slug: str) -> Counter[str]:
    """What the registers will say of the records of one mandataire, by state."""
    told = json.loads((folder / "expected.json").read_text("utf-8"))["by_mandataire"][slug]
    return Counter(
        {
            DeclarationState(state).value: told[state]
            for state in (*ACCEPTED, DeclarationState.REFUSED)
            if told[state]
        }
    )


def build(folder: Path, simulator: Simulator, *, max_file_bytes: int = 50_000_000) -> House:
    """Loads the mandataires of `folder`, connects them to `simulator`, and tells it who they are.

    `max_file_bytes` makes several parts and sets out of few records. The keys are those that all tests share.
    """
    shutil.copy(folder / "registry.json", simulator.root / "registry.json")
    tenants: dict[str, UUID] = {}
    expected: dict[str, Counter[str]] = {}
    senders = []
    for path in sorted(folder.glob("*/mandataire.json")):
        told = json.loads(path.read_text("utf-8"))
        sender = told["sender"]
        tenants[sender] = mandataire = loading.load(path.parent, factories.PASSWORD)
        expected[sender] = expected_of(folder, told["slug"])
        with tenancy.scope(mandataire):
            factories.channel(
                quality=Mandataire.objects.get(pk=mandataire).quality,
                sender_number=sender,
                username=f"expediteur-{sender}",
                environment="R",
                max_file_bytes=max_file_bytes,
            )
        senders.append(loading.connect(mandataire, sender, port=simulator.port, host_key=simulator.host_key))
    (simulator.root / "senders.json").write_text(json.dumps({"senders": senders}), "utf-8")
    return House(simulator, tenants, expected)
