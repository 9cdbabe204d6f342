"""`make bench NAME=pages N=20000`: how long every page takes in an office with N mandates over N/4 clients.

Every address that answers a GET without arguments is found by walking the resolver; lists are asked with their
searches and filters too, and one object of each kind is opened. Requests pass the whole stack of the application,
signed in, with a real PostgreSQL under row-level security. The limit: a 95th percentile of 150 ms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from bench.ground import analyse, as_owner, start
from portal.servers import provided

LIMIT = 150.0
"""Milliseconds."""
REQUESTS = 40
WARM_UP = 3


class Timing(NamedTuple):
    """What one page took: milliseconds, of which the processor of this process (`cpu`, the mean), queries and bytes.

    On a busy machine `cpu` says what the page costs, p50 and p95 what its reader waited.
    """

    name: str
    p50: float
    p95: float
    cpu: float
    queries: int
    size: int


def main() -> None:
    """Prints a line for each page, and the slowest one last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=20_000, help="mandates")
    count = parser.parse_args().n
    with provided(), tempfile.TemporaryDirectory() as static:
        start()
        from django.conf import settings
        from django.core.management import call_command

        from tests.scratch import scratch_database

        settings.STATIC_ROOT = Path(static)
        settings.ALLOWED_HOSTS = ["testserver"]
        call_command("collectstatic", interactive=False, verbosity=0)
        import_module("portal.wsgi")  # as the server does, with what it does for the memory
        with scratch_database("bench_pages"):
            timings = measured(count)
    slowest = max(timings, key=lambda timing: timing.p95)
    sys.stdout.write(f"pages: p95 {slowest.p95:.0f} ms (slowest: {slowest.name})\n")


def measured(mandates: int) -> list[Timing]:
    """Fills two offices, a tenth as large the second, and asks every page of the first as its operator."""
    operator = _offices(mandates)
    sys.stdout.write(f"{'page':<44}{'p50':>8}{'p95':>8}{'cpu':>8}{'queries':>9}{'kB':>6}\n")
    timings = []
    for name, ask in pages(operator):
        timing = timed(name, ask)
        flag = "  above the limit" if timing.p95 > LIMIT else ""
        took = f"{timing.p50:>8.1f}{timing.p95:>8.1f}{timing.cpu:>8.1f}"
        sys.stdout.write(f"{name:<44}{took}{timing.queries:>9}{timing.size // 1024:>6}{flag}\n")
        sys.stdout.flush()
        timings.append(timing)
    return timings


def _offices(mandates: int) -> Any:
    from django.db import transaction

    from bench import office
    from portal import tenancy
    from portal.models import Profile
    from tests import factories, people

    operators = []
    for place, size in enumerate((mandates, max(mandates // 10, 400))):
        operator = people.signed_in(factories.mandataire(), Profile.EXTENDED, f"operator{place}")
        operators.append(operator)
        with operator.scope():
            channel = factories.channel(sender_number=str(office.SENDER + place), environment="R")
            office.furnish(channel, size, place)
        with as_owner(), transaction.atomic(), tenancy.scope(operator.mandataire.pk):
            office.happen()
    analyse()
    return operators[0]


# --- which pages ----------------------------------------------------------------------------------


def pages(operator: Any) -> Iterable[tuple[str, Callable[[], Any]]]:
    """(name, function that asks for it once) of every page."""
    from urllib.parse import quote

    from django.urls import reverse

    get = operator.client.get
    for name, address in _lists():
        if get(address).status_code == 200:
            yield name, lambda address=address: get(address)
    with operator.scope():
        objects, queries = _objects(), _queries()
    for name, pk in objects.items():
        address = reverse(name, args=[pk])
        yield f"{name} (one)", lambda address=address: get(address)
    for name, asked in queries:
        query = "&".join(f"{key}={quote(str(value))}" for key, value in asked.items())
        address = f"{reverse(name)}?{query}"
        yield f"{name}?{query}", lambda address=address: get(address)
    for title, data in _searches():
        yield f"team, {title}", lambda data=data: operator.client.post(reverse("team"), data)


def _lists() -> Iterable[tuple[str, str]]:
    """Every address without arguments that wants a sign-in."""
    from django.urls import URLPattern, URLResolver, get_resolver, reverse

    def walk(patterns: Iterable[Any]) -> Iterable[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            else:
                yield pattern

    for pattern in walk(get_resolver().url_patterns):
        if not pattern.pattern.regex.groupindex and getattr(pattern.callback, "login_required", True):
            yield str(pattern.name), reverse(str(pattern.name))


def _objects() -> dict[str, int]:
    """An object in the middle of each kind that has a page."""
    from mandates.models import Employer, Mandate
    from portal.models import Membership
    from submissions.models import Batch, TrainingRecord

    kinds = {
        "employer": Employer, "client_figures": Employer, "mandate": Mandate, "record": TrainingRecord, "batch": Batch,
        "member": Membership,
    }  # fmt: skip
    found = {}
    for name, model in kinds.items():
        rows = model._default_manager.order_by("pk")
        found[name] = rows.values_list("pk", flat=True)[rows.count() // 2]
    return found


def _queries() -> list[tuple[str, dict[str, object]]]:
    """Lists as they are searched and filtered, in the parameters of their addresses."""
    from django.utils import timezone

    from mandates.models import Employer
    from portal.models import Membership
    from submissions.models import Declaration

    employer = Employer.objects.order_by("-pk").first()
    refused = Declaration.objects.filter(state="refused", anomalies__isnull=False).order_by("pk").first()
    member = Membership.objects.order_by("pk").last()
    if not (employer and refused and member):
        raise RuntimeError("The office is too small to be searched.")
    anomaly = refused.anomalies.order_by("pk")[0]
    return [
        *(("employers", {"state": state}) for state in ("with", "without", "ending")),
        ("employers", {"q": "dupont"}),
        ("employers", {"q": employer.number}),
        ("employers", {"page": 999999}),
        *(("mandates", {"state": state}) for state in ("pending", "active", "ending", "ended", "refused")),
        ("mandates", {"q": "boulangerie"}),
        ("mandates", {"page": 999999}),
        *(("declarations", {"state": state}) for state in ("ready", "on_its_way", "accepted", "refused")),
        ("declarations", {"q": "dupont"}),
        ("declarations", {"q": refused.reference}),
        ("declarations", {"employer": employer.pk}),
        ("declarations", {"month": f"{timezone.localdate():%Y-%m}", "state": "accepted"}),
        ("declarations", {"page": 999999}),
        ("to_correct", {"code": anomaly.code, "tag": anomaly.tag}),
        ("client_suggestions", {"q": "dupont"}),
        *(("due", {"state": state}) for state in ("ready", "unsigned", "declared")),
        ("due", {"page": 999999}),
        ("batches", {"page": 999999}),
        ("channel", {"state": "to_look_at"}),
        ("channel", {"page": 999999}),
        ("home", {"page": 999999}),
        ("team", {"page": 999999}),
        *(
            ("journal", {"kind": kind})
            for kind in ("people", "clients", "declarations", "batches", "answers")
        ),
        ("journal", {"person": member.user_id}),
        ("journal", {"person": "portal"}),
        ("journal", {"from": "2020-01-01", "to": f"{timezone.localdate()}"}),
        ("journal", {"from": "2020-01-01", "to": "2020-01-02", "kind": "channel"}),
    ]


def _searches() -> list[tuple[str, dict[str, str]]]:
    """The search of users, which is a POST."""
    return [
        ("by name", {"last_name": "peeters"}),
        ("by application", {"application": "declarations"}),
        ("the others", {"application": "channels", "others": "on"}),
    ]


# --- how long -------------------------------------------------------------------------------------


def timed(name: str, ask: Callable[[], Any]) -> Timing:
    from django.db import connection

    asked: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE")):
            asked.append(sql)
        return execute(sql, *rest)

    for _ in range(WARM_UP):
        response = ask()
        if response.status_code != 200:
            sys.exit(f"{name}: {response.status_code}")
    with connection.execute_wrapper(count):
        ask()
    took, cpu = [], time.process_time()
    for _ in range(REQUESTS):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / REQUESTS
    p95 = statistics.quantiles(took, n=20)[-1]
    return Timing(name, statistics.median(took), p95, cpu, len(asked), len(response.content))


if __name__ == "__main__":
    main()
