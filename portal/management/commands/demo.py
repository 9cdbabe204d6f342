"""`manage.py demo`: the whole journey, from client files to a dashboard, against a simulated social security."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal import examples
from portal.config import local_secret
from portal.demo import loading, resetting, running
from submissions.conserving import Account, account, everybody

_DEFAULT = (1, 200, 12)  # seed, records and employers of the files in examples/
_TIME_TO_SIGN_IN = timedelta(seconds=25)  # So that whoever follows the address sees the sets leave.
_PATIENCE = 600  # Seconds without any progress after which `--once` gives up.


class Command(BaseCommand):
    """Loads example clients, starts everything, and serves the portal; with `--once`, until all is answered."""

    help = "Run the portal with example clients against a simulated social security."

    def add_arguments(self, parser: CommandParser) -> None:
        """Sizes, and whether to serve or to end."""
        parser.add_argument("--once", action="store_true", help="end when every declaration is answered")
        parser.add_argument(
            "--fresh", action="store_true", help="start over, forgetting earlier demonstrations"
        )
        parser.add_argument("--records", type=int, default=_DEFAULT[1])
        parser.add_argument("--employers", type=int, default=_DEFAULT[2])
        parser.add_argument("--seed", type=int, default=_DEFAULT[0])
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the demonstration; `--once` exits with 1 when something waits or the law is broken at the end."""
        state = Path(settings.CONFIG.var) / "demo"
        state.mkdir(parents=True, exist_ok=True)
        signal.signal(
            signal.SIGTERM, signal.default_int_handler
        )  # Asked to end is asked to stop the children first.
        try:
            with _alone(state), ExitStack() as stack:
                self._run(state, stack, options)
        except (running.DidNotStart, resetting.NotADemo) as error:
            raise CommandError(str(error)) from error

    def _run(self, state: Path, stack: ExitStack, options: dict[str, Any]) -> None:
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        password = local_secret(Path(settings.CONFIG.var), "demo_password", size=5)
        tenants = self._load(state, options, password)
        logs = state / "logs"
        variables = running.environment(is_hurried=options["once"])
        switches = {} if options["once"] else {"acrf_delay": 4, "noti_delay": 8}
        place = stack.enter_context(running.simulator(state / "simulator", logs, port=0, switches=switches))
        departs_at = None if options["once"] else timezone.now() + _TIME_TO_SIGN_IN
        senders = [
            loading.connect(
                mandataire, sender, port=place.port, host_key=place.host_key, departs_at=departs_at
            )
            for sender, mandataire in tenants.items()
        ]
        (state / "simulator" / "senders.json").write_text(json.dumps({"senders": senders}, indent=1))
        workers = [
            stack.enter_context(running.child(name, command, logs, variables))
            for name, command in (("worker", running.worker_command()), ("beat", running.beat_command()))
        ]
        if options["once"]:
            self._until_settled(*workers)
            return
        port = running.free_port(options["host"], options["port"])
        web = stack.enter_context(
            running.child("web", running.web_command(options["host"], port), logs, variables)
        )
        self._welcome(f"http://{options['host']}:{port}/", state, password)
        self._watch(*workers, web)

    def _load(self, state: Path, options: dict[str, Any], password: str) -> dict[str, UUID]:
        """Founds the mandataires unless an earlier run of the same size left them; returns their ids by sender."""
        size = (options["seed"], options["records"], options["employers"])
        folder, plan = state / "examples", state / "plan.json"
        shipped = Path(settings.BASE_DIR) / "examples"
        found = json.loads(plan.read_text()) if plan.exists() else {}
        is_same = found.get("size") == list(size) and {str(each) for each in everybody()} == set(
            found.get("tenants", {}).values()
        )
        if is_same and not (options["once"] or options["fresh"]):
            self.stdout.write("Going on with the demonstration that is there (--fresh starts over).")
            return {sender: UUID(identity) for sender, identity in found["tenants"].items()}
        shutil.rmtree(folder, ignore_errors=True)
        if size == _DEFAULT:
            shutil.copytree(shipped, folder)
        else:
            folder.mkdir(parents=True)
            examples.write(folder, seed=size[0], records=size[1], employers=size[2])
        clients = [json.loads(path.read_text()) for path in sorted(folder.glob("*/mandataire.json"))]
        if not resetting.is_empty():
            resetting.reset(state, {client["number"] for client in clients})
        shutil.rmtree(state / "simulator", ignore_errors=True)
        (state / "simulator").mkdir(parents=True)
        shutil.copy(folder / "registry.json", state / "simulator" / "registry.json")
        tenants = {client["sender"]: loading.load(folder / client["slug"], password) for client in clients}
        plan.write_text(json.dumps({"size": size, "tenants": {s: str(i) for s, i in tenants.items()}}))
        self.stdout.write(f"Loaded: {_total()}")
        return tenants

    def _until_settled(self, *workers: Popen[bytes]) -> None:
        """Waits until nothing is on its way any more, telling each change. Exits 1 when it does not come to that."""
        told, since = "", time.monotonic()
        while True:
            total = _total()
            if str(total) != told:
                told, since = str(total), time.monotonic()
                self.stdout.write(told)
            if not total.waiting:
                break
            ended = any(worker.poll() is not None for worker in workers)
            if ended or time.monotonic() - since > _PATIENCE:
                raise CommandError(f"The demonstration stands still; see {settings.CONFIG.var}/demo/logs.")
            time.sleep(0.25)
        for sentence in total.breaks:
            self.stderr.write(sentence)
        if total.breaks:
            sys.exit(1)

    def _welcome(self, address: str, state: Path, password: str) -> None:
        self.stdout.write(f"\nThe portal: {address}\n\n  user name          password    who")
        for path in sorted((state / "examples").glob("*/mandataire.json")):
            client = json.loads(path.read_text())
            for operator in client["operators"]:
                who = f"{client['name']}, profile {operator['profile']}"
                self.stdout.write(f"  {operator['username']:<18} {password}  {who}")
        self.stdout.write("\nCtrl-C stops everything. What leaves and comes back:")

    def _watch(self, *children: Popen[bytes]) -> None:
        """Tells how the declarations move, until interrupted or a child ends."""
        told = ""
        try:
            while all(child.poll() is None for child in children):
                line = str(_total())
                if line != told:
                    told = line
                    self.stdout.write(line)
                time.sleep(1)
        except KeyboardInterrupt:
            self.stdout.write("Stopping.")
            return
        raise CommandError(f"A process ended; see {settings.CONFIG.var}/demo/logs.")


def _total() -> Account:
    return sum((account(mandataire) for mandataire in everybody()), Account(Counter()))


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Refuses a second demonstration beside a running one: they would share, and empty, one database."""
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError("A demonstration is running already: stop it first.") from error
        yield
