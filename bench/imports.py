"""`make bench NAME=import N=100000`: N trainings in a file, 1 % of them wrong, checked and imported; and the bare cost.

The limit reads the same file with the same reader of the standard library and inserts the rows that are right into the
same tables, walls, keys and indexes included: a copy into a table of its own, then one INSERT per table. It checks
nothing, knows no chunk and leaves no Event. Ours is what the worker does, in a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import io
import multiprocessing
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from bench.ground import analyse, start
from portal.servers import provided

_WORKERS = 2_000
_WRONG = 100
"""One row of so many is wrong."""
_COLUMNS = (
    *(
        "Ondernemingsnummer",
        "INSZ",
        "Uw referentie",
        "Titel",
        "Soort",
        "Eerste dag",
        "Laatste dag",
        "Geteld in",
    ),
    *("Duur", "Normale dag", "Status", "Aangerekend", "Aard", "Betaald door", "Opleider", "Kostprijs"),
)


def main() -> None:
    """Measures both on tables filled alike, and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=100_000)
    count = parser.parse_args().n
    with provided():
        start()
        from tests.scratch import scratch_database

        with scratch_database("bench_import"):
            ours_at, bare_at = _house("A"), _house("B")
            ours_file, bare_file = (_file(*house, count) for house in (ours_at, bare_at))
            analyse()
            limit = _timed(bare, bare_at[0], bare_file, count)
            import_id = _take_in(ours_at[0], ours_file)
            analyse()
            checking, applying, before, peak = _in_a_worker(ours_at[0], import_id, count)
    sys.stdout.write(
        f"file: {len(ours_file) / 1e6:.1f} MB, {count} rows, {count // _WRONG} of them wrong\n"
        f"dry run {checking:.2f} s, import {applying:.2f} s\n"
        f"peak memory of the worker: {peak:.0f} MB (before: {before:.0f} MB)\n"
    )
    ours = checking + applying
    sys.stdout.write(f"import: ours {ours:.2f} s, limit {limit:.2f} s, ratio {ours / limit:.2f}\n")


def _house(name: str) -> tuple[UUID, list[tuple[str, str]]]:
    """An organisation with one client and its workers: their numbers."""
    from mandates.models import Employer, Worker
    from mandates.numbers import make_enterprise_number, make_niss, make_onss_number
    from portal import tenancy
    from portal.models import Mandataire

    quality = Mandataire.Quality.SOCIAL_SECRETARIAT
    number = make_enterprise_number(19_900_000 + ord(name))
    mandataire = Mandataire.found(name=name, number=number, quality=quality)
    with tenancy.scope(mandataire.pk):
        client = Employer.objects.create(number=number, onss_number=make_onss_number(1_300_000), name=name)
        nisses = [
            make_niss(date(1970, 1, 1) + timedelta(days=serial // 500), serial % 500 + 1)
            for serial in range(_WORKERS)
        ]
        workers = [Worker(employer=client, family_name="Peeters", given_name="Jan") for _ in nisses]
        for worker, niss in zip(workers, nisses, strict=True):
            worker.niss = niss
        Worker.objects.bulk_create(workers)
    return mandataire.pk, [(number, niss) for niss in nisses]


def _file(_mandataire: UUID, people: list[tuple[str, str]], count: int) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=";")
    writer.writerow(_COLUMNS)
    for serial in range(count):
        number, niss = people[serial % len(people)]
        day = date(2025, 1, 6) + timedelta(days=serial % 300)
        first = "30/02/2025" if serial % _WRONG == 7 else f"{day:%d/%m/%Y}"
        writer.writerow(
            (
                *(
                    number,
                    niss,
                    f"R-{serial:06}",
                    f"Veiligheid op de werf, deel {serial % 90}",
                    "formal",
                    first,
                ),
                *(
                    f"{day:%d/%m/%Y}",
                    "hours",
                    "7 h 36",
                    "7 h 36",
                    "followed",
                    "7:36",
                    "Veiligheid",
                    "employer",
                ),
                *("Constructiv opleidingen", "120,50"),
            )
        )
    return lines.getvalue().encode()


def _timed(work: object, *arguments: object) -> float:
    began = time.perf_counter()
    work(*arguments)  # type: ignore[operator]
    return time.perf_counter() - began


def _take_in(mandataire: UUID, content: bytes) -> int:
    from portal import tenancy
    from submissions.importing import keeping

    with tenancy.scope(mandataire):
        chunks = (content[at : at + 65_536] for at in range(0, len(content), 65_536))
        return keeping.keep("trainings.csv", chunks, "trainings", declares=True).pk


# --- ours -----------------------------------------------------------------------------------------


def _in_a_worker(mandataire: UUID, import_id: int, count: int) -> tuple[float, float, float, float]:
    """Seconds of the dry run and of the import, and megabytes before and at most: of a process that does only this."""
    from django.db import connections

    there = connections["default"].settings_dict["NAME"]
    with multiprocessing.get_context("spawn").Pool(1, _start_at, [there]) as pool:
        return pool.apply(_work, [mandataire, import_id, count])


def _start_at(database: str) -> None:
    from django.db import connections

    start()
    connections["default"].settings_dict["NAME"] = database


def _work(mandataire: UUID, import_id: int, count: int) -> tuple[float, float, float, float]:
    from portal import tenancy
    from submissions.importing import applying, keeping
    from submissions.models import Declaration, RegisterImport, TrainingRecord

    with tenancy.scope(mandataire):
        RegisterImport.objects.get(pk=import_id)
    before = _peak()
    checking = _timed(keeping.work, mandataire, import_id)
    with tenancy.scope(mandataire):
        found = RegisterImport.objects.get(pk=import_id)
        if (found.total, found.bad) != (count, count // _WRONG):
            sys.exit(
                f"the dry run found {found.bad} of {found.total} rows wrong: {found.state} {found.refusal}"
            )
        applying.begin(found, is_whole=False)
    took = _timed(keeping.work, mandataire, import_id)
    with tenancy.scope(mandataire):
        if (
            not TrainingRecord.objects.count()
            == Declaration.objects.ready().count()
            == count - count // _WRONG
        ):
            sys.exit("not every good row became a training that is ready to leave")
    return checking, took, before, _peak()


def _peak() -> float:
    # What getrusage tells begins with the peak of the process that started this one.
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


# --- the limit ------------------------------------------------------------------------------------


def bare(mandataire: UUID, content: bytes, count: int) -> None:
    """The shortest line from the bytes to the same rows."""
    from django.db import connection

    from mandates.models import NISS, Employer, Worker
    from portal import tenancy
    from portal.models import cipher

    with tenancy.scope(mandataire), connection.cursor() as cursor:
        client = Employer.objects.get().pk
        workers = {bytes(index): pk for index, pk in Worker.objects.values_list("niss_index", "pk")}
        cursor.execute(
            "CREATE TEMP TABLE bare (worker bigint, reference text, title text, starts date, ends date, nature text, "
            "provider text, cents integer) ON COMMIT DROP"
        )
        rows = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=";")
        next(rows)
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in rows:
                if row[5] == "30/02/2025":
                    continue
                worker = workers[cipher().blind_index(NISS, row[1])]
                first, last = ("-".join(reversed(row[at].split("/"))) for at in (5, 6))
                cents = int(row[15].replace(",", ""))
                copy.write_row((worker, row[2], row[3], first, last, row[12], row[14], cents))
        cursor.execute(
            "WITH made AS (INSERT INTO submissions_trainingrecord (mandataire_id, employer_id, worker_id, "
            "client_reference, title, kind, starts_on, ends_on, duration_unit, duration_minutes, day_minutes, status, "
            "charged_minutes, nature, result, certificate, funding, provider, working_hours, cost_cents, domain, "
            "created_at, changed_at) SELECT %s, %s, worker, reference, title, 'formal', starts, ends, 'hours', 456, "
            "456, 'followed', 456, nature, '', '', 'employer', provider, '', cents, '', now(), now() FROM bare "
            "RETURNING id) "
            "INSERT INTO submissions_declaration (mandataire_id, employer_id, record_id, service, kind, reference, "
            "state, earlier_ticket, ticket, environment, created_at) SELECT %s, %s, id, 'FLA', 'original', "
            "'P-' || upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 15)), 'ready', '', '', '', now() "
            "FROM made",
            [mandataire, client, mandataire, client],
        )
        if cursor.rowcount != count - count // _WRONG:
            sys.exit(f"{cursor.rowcount} rows instead of {count - count // _WRONG}")


if __name__ == "__main__":
    main()
