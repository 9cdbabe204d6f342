"""`make bench NAME=dashboards N=1000000`: how long the dashboards take over N declarations of 2,000 clients.

Requests pass the whole stack of the application, signed in, with a real PostgreSQL under row-level security. The limit:
a 95th percentile of 200 ms. Each dashboard of a client is compared with a plain count before it is measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bench.ground import analyse, start
from bench.pages import Timing, timed
from portal.servers import provided

LIMIT: Final = 200.0
"""Milliseconds."""
CLIENTS: Final = 2_000
FILE_SIZE: Final = 1_000
"""Bytes of a sealed file: no dashboard reads one."""


def main() -> None:
    """Prints a line for each dashboard, and the slowest one last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=1_000_000, help="declarations")
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
        with scratch_database("bench_dashboards"):
            timings = measured(count)
    slowest = max(timings, key=lambda timing: timing.p95)
    sys.stdout.write(
        f"dashboards: p95 {slowest.p95:.0f} ms (limit {LIMIT:.0f} ms, slowest: {slowest.name})\n"
    )


def measured(declarations: int) -> list[Timing]:
    """Fills an office with 2,000 clients, and asks its dashboards as its operator."""
    from bench import office
    from portal.models import Profile
    from tests import factories, people

    operator = people.signed_in(factories.mandataire(), Profile.EXTENDED, "operator0")
    with operator.scope():
        channel = factories.channel(sender_number=str(office.SENDER), environment="R")
        office.furnish(channel, CLIENTS * 4, 0, declarations=declarations, file_size=FILE_SIZE)
    analyse()
    sys.stdout.write(f"{'dashboard':<44}{'p50':>8}{'p95':>8}{'cpu':>8}{'queries':>9}{'kB':>6}\n")
    timings = []
    for name, ask in dashboards(operator):
        timing = timed(name, ask)
        flag = "  above the limit" if timing.p95 > LIMIT else ""
        took = f"{timing.p50:>8.1f}{timing.p95:>8.1f}{timing.cpu:>8.1f}"
        sys.stdout.write(f"{name:<44}{took}{timing.queries:>9}{timing.size // 1024:>6}{flag}\n")
        sys.stdout.flush()
        timings.append(timing)
    return timings


def dashboards(operator: Any) -> Iterable[tuple[str, Callable[[], Any]]]:
    """(name, function that asks for it once) of every dashboard, and of lists behind their figures."""
    from django.urls import reverse

    from mandates.models import Employer

    get = operator.client.get
    with operator.scope():
        employer = Employer.objects.order_by("pk")[CLIENTS // 2]
        _compare(employer)
    page, rows = reverse("client_figures", args=[employer.pk]), reverse("declarations")
    for name, address in {
        "figures of a client, 12 months": page,
        "figures of a client, 36 months": f"{page}?from=2000-01&to=2099-12",
        "figures of a client, a month of FLA": f"{page}?from=2026-01&to=2026-01&service=FLA",
        "declarations behind a figure": f"{rows}?employer={employer.pk}&from=2000-01&to=2099-12&figure=accepted",
        "declarations behind an anomaly": f"{rows}?employer={employer.pk}&figure=declared&code=00024-179&tag=INSS",
        "clients to call": reverse("calls"),
        "clients to call, the last page": f"{reverse('calls')}?page=999999",
    }.items():
        yield name, lambda address=address: get(address)


def _compare(employer: Any) -> None:
    """Stops when a figure is not the number of its rows."""
    from submissions import figures
    from submissions.models import Declaration

    first, last = figures.month("2000-01"), figures.month("2099-12")
    if first is None or last is None:
        raise RuntimeError("These are months.")
    found = figures.dashboard(employer, figures.Period(first, last))
    for name, states in figures.STATES.items():
        plain = Declaration.objects.filter(employer=employer, environment="R", state__in=states).count()
        if found.total.counts[name] != plain:
            sys.exit(f"{name}: {found.total.counts[name]} on the dashboard, {plain} rows")


if __name__ == "__main__":
    main()
