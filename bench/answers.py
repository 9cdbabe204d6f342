"""`make bench NAME=answer N=100000`: N forms in NOTI files, one file per FI, applied in one sweep; and the bare cost.

The limit opens and parses the same files with the same parser, takes reference, ticket and result of each form, copies
them into a table of its own, and settles every declaration by one UPDATE under the same walls, with one INSERT for the
remarks. It knows no order, no contradiction, no file without a name, and leaves no Event. Ours is what the worker does:
it asks what is due and applies each file, in a process of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator
from itertools import batched
from typing import Any
from uuid import UUID

from bench.ground import analyse, in_a_worker, peak, start
from portal.servers import provided

_REMARKED, _REFUSED = 20, 25
"""One form of so many is accepted with a remark, or refused."""


def main() -> None:
    """Measures both on tables filled alike, and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=100_000)
    count = parser.parse_args().n
    with provided():
        start()
        from tests.scratch import scratch_database

        with scratch_database("bench_answer"):
            from bench import underway

            ours_at, bare_at = (underway.found(place, count) for place in range(2))
            for house in (ours_at, bare_at):
                _answer(house)
            analyse()
            limit = _timed(bare, bare_at, count)
            ours, before, most, size = in_a_worker(_work, ours_at, count)
    sys.stdout.write(
        f"files: {-(-count // underway.IN_A_FILE)}, {size / 1e6:.1f} MB, {count} forms\n"
        f"peak memory of the worker: {most:.0f} MB (before: {before:.0f} MB)\n"
        f"answer: ours {ours:.2f} s, limit {limit:.2f} s, ratio {ours / limit:.2f}\n"
    )


def _timed(work: Any, *arguments: Any) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


# --- the ground -----------------------------------------------------------------------------------


def _answer(mandataire: UUID) -> None:
    """Stores the answers to all that left, as collecting does."""
    from django.utils import timezone

    from bench.underway import IN_A_FILE
    from channels.models import FILE, Channel, InboundFile
    from portal import tenancy
    from portal.models import cipher
    from submissions.models import Declaration

    with tenancy.scope(mandataire):
        channel = Channel.objects.get()
        rows = Declaration.objects.order_by("batch_id", "part", "position")
        told = rows.values_list("reference", "batch__envelope__stem").iterator(chunk_size=IN_A_FILE)
        serial = 0
        for number, forms in enumerate(batched(told, IN_A_FILE)):
            lines = ["<NOTIFICATION>"]
            for reference, stem in forms:
                lines.append(_form(serial, reference, f"GO.{stem}.9"))
                serial += 1
            content = "".join((*lines, "</NOTIFICATION>")).encode()
            InboundFile.objects.create(
                channel=channel,
                environment="R",
                name=f"FO.NOTI.999999.20251002.{number:05}.R",
                sha256=hashlib.sha256(content).hexdigest(),
                size=len(content),
                content_sealed=cipher().seal_bytes(FILE, content),
                received_at=timezone.now(),
            )


_HEAD = (
    "<FormCreationDate>2025-10-02</FormCreationDate><FormCreationHour>06:30:00.123</FormCreationHour>"
    "<AttestationStatus>0</AttestationStatus>"
)
_REMARK = (
    "<AnomalyReport><ErrorID>99005-420</ErrorID><TagName>EndDate</TagName><Value>2025-09-30</Value>"
    "<AnomalyClass>W</AnomalyClass><AnomalyLabel>Date de fin</AnomalyLabel><AnomalyLocation><LineNbr>1</LineNbr>"
    "<ColumnNbr>2048</ColumnNbr><Location>1,1,8,4</Location></AnomalyLocation></AnomalyReport>"
)


def _form(serial: int, reference: str, go: str) -> str:
    is_refused = serial % _REFUSED == 3
    remarks = _REMARK if is_refused or serial % _REMARKED == 9 else ""
    return (
        f"<Form><Identification>NOTI001</Identification>{_HEAD}<TypeForm>FA</TypeForm><FileReference><FileName>{go}"
        "</FileName><ReferenceOrigin>2</ReferenceOrigin></FileReference><HandledOriginalForm><Identification>FLAD001"
        f"</Identification>{_HEAD}<TypeForm>SU</TypeForm></HandledOriginalForm><Reference><ReferenceType>1"
        f"</ReferenceType><ReferenceOrigin>1</ReferenceOrigin><ReferenceNbr>{reference}</ReferenceNbr></Reference>"
        "<EmployerId><NOSSRegistrationNbr>130387593</NOSSRegistrationNbr><CompanyID>897223670</CompanyID></EmployerId>"
        "<NaturalPerson><NaturalPersonSequenceNbr>1</NaturalPersonSequenceNbr><INSS>85073003328</INSS></NaturalPerson>"
        "<HandledReference><ReferenceType>1</ReferenceType><ReferenceOrigin>2</ReferenceOrigin><ReferenceNbr>"
        f"T{serial:012}</ReferenceNbr></HandledReference><HandlingResult><ResultCode>{int(not is_refused)}</ResultCode>"
        f"{remarks}</HandlingResult></Form>"
    )


def _expected(count: int) -> dict[str, int]:
    states = [
        "refused" if at % _REFUSED == 3 else "accepted_with_remarks" if at % _REMARKED == 9 else "accepted"
        for at in range(count)
    ]
    return {state: states.count(state) for state in set(states)}


def _judge(mandataire: UUID, count: int) -> None:
    """Ends the measurement when not every declaration is settled as it was answered."""
    from django.db.models import Count

    from portal import tenancy
    from submissions.models import Anomaly, Declaration

    expected = _expected(count)
    with tenancy.scope(mandataire):
        rows = Declaration.objects.exclude(ticket="").order_by().values_list("state")
        found = dict(rows.annotate(count=Count("pk")))
        if found != expected or Anomaly.objects.count() != count - expected["accepted"]:
            sys.exit(f"{found} instead of {expected}, {Anomaly.objects.count()} remarks")


# --- ours -----------------------------------------------------------------------------------------


def _work(mandataire: UUID, count: int) -> tuple[float, float, float, int]:
    """Seconds of one sweep, megabytes before and at most, and the size of the files."""
    from django.db.models import Sum
    from django.utils import timezone

    from channels.models import InboundFile
    from portal import tenancy
    from submissions import sweeping
    from submissions.models import Batch

    with tenancy.scope(mandataire):
        size = InboundFile.objects.aggregate(size=Sum("size"))["size"]
    before = peak()
    took = _timed(_sweep, sweeping, mandataire, timezone.now())
    most = peak()
    _judge(mandataire, count)
    with tenancy.scope(mandataire):
        if set(Batch.objects.values_list("state", flat=True).distinct()) != {"answered"}:
            sys.exit("a set was not closed")
    return took, before, most, size


def _sweep(sweeping: Any, mandataire: UUID, now: Any) -> None:
    for due in sweeping.due(now):
        if due.work == "apply" and due.mandataire == mandataire:
            sweeping.DOING["apply"](due.mandataire, due.identity)


# --- the limit ------------------------------------------------------------------------------------


def bare(mandataire: UUID, count: int) -> None:
    """The shortest line from the stored files to the same rows."""
    from django.db import connection

    from channels.models import InboundFile
    from portal import tenancy

    with tenancy.scope(mandataire), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE bare (file bigint, reference text, ticket text, state text, code text, class text, "
            "tag text, value text, label text, location text) ON COMMIT DROP"
        )
        rows = _rows(list(InboundFile.objects.order_by("pk")))
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute("ANALYZE bare")
        cursor.execute(
            "WITH moved AS (UPDATE submissions_declaration d SET state = b.state, ticket = b.ticket, "
            "answered_at = now() FROM bare b WHERE d.reference = b.reference AND d.mandataire_id = %s "
            "AND d.state = 'sent' RETURNING d.id, b.*) "
            "INSERT INTO submissions_anomaly (mandataire_id, declaration_id, inbound_file_id, code, anomaly_class, "
            "tag, value, label, location, field) "
            "SELECT %s, id, file, code, class, tag, value, label, location, 'ends_on' FROM moved WHERE code <> ''",
            [mandataire, mandataire],
        )
        cursor.execute("UPDATE submissions_batch SET state = 'answered', answered_at = now()")
        cursor.execute("UPDATE channels_inboundfile SET state = 'applied', applied_at = now()")
    _judge(mandataire, count)


def _rows(files: list[Any]) -> Iterator[tuple[object, ...]]:
    """File, reference, ticket, state and remark of every form of these files."""
    from submissions.wire.hostile import iter_forms

    for file in files:
        for form in iter_forms(file.content):
            result = form.find("HandlingResult")
            remark = result.find("AnomalyReport")
            code = result[0].text
            state = "refused" if code == "0" else "accepted" if remark is None else "accepted_with_remarks"
            told = ("",) * 6
            if remark is not None:
                told = (*(child.text for child in remark[:1]), *_remark(remark))
            yield (
                *(file.pk, form.findtext("Reference/ReferenceNbr")),
                *(form.findtext("HandledReference/ReferenceNbr"), state, *told),
            )


def _remark(remark: Any) -> tuple[str, ...]:
    return tuple(
        remark.findtext(path)
        for path in ("AnomalyClass", "TagName", "Value", "AnomalyLabel", "AnomalyLocation/Location")
    )


if __name__ == "__main__":
    main()
