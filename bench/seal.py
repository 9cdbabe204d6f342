"""`make bench NAME=seal N=20000`: N declarations, ready -> sealed, beside what nobody can avoid.

The limit reads the same rows under the same row-level security, opens the same sealed numbers, renders, validates
against the same schema, signs and writes plain files: no states, no positions, no events, no tenant checks, no copy in
the database.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

from lxml import etree

from bench.ground import analyse, fill, start
from portal.servers import provided

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<GenericXmlDocument xmlns="http://www.smals-mvm.be/xml/ns/systemFlux">'
)
_FOOT = "</GenericXmlDocument>"


def main() -> None:
    """Measures both in one run, each on a database filled alike, and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=20_000)
    count = parser.parse_args().n
    with provided():
        start()
        from tests.scratch import scratch_database

        with scratch_database("bench_seal"):
            tenants = fill(count)
            analyse()
            limit = min(_timed(straight, tenants, count) for _ in range(2))
            before = _peak()
            ours = _timed(sealed, tenants, count)
            sys.stdout.write(
                f"peak memory of the sealing process: {_peak():.0f} MB (before: {before:.0f} MB)\n"
            )
    sys.stdout.write(f"seal: ours {ours:.2f} s, limit {limit:.2f} s, ratio {ours / limit:.2f}\n")


class _Nothing:
    """A parser's target that builds nothing: the cheapest way to validate a file."""

    def start(self, tag: str, attributes: object) -> None: ...
    def end(self, tag: str) -> None: ...
    def data(self, text: str) -> None: ...
    def close(self) -> None: ...


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(work: Any, tenants: list[tuple[UUID, int]], count: int) -> float:
    began = time.perf_counter()
    done = sum(work(mandataire, channel) for mandataire, channel in tenants)
    took = time.perf_counter() - began
    if done != count:
        sys.exit(f"{work.__name__}: {done} of {count} forms")
    return took


def sealed(mandataire: UUID, channel: int) -> int:
    """Ours: everything the portal does, as a worker does it. Returns the number of forms."""
    from portal import tenancy
    from submissions.batching import seal_ready
    from submissions.models import Batch

    batches = seal_ready(mandataire, channel, "FLA")
    with tenancy.scope(mandataire):
        return sum(Batch.objects.filter(pk__in=batches).values_list("declarations_count", flat=True))


def straight(mandataire: UUID, channel_id: int) -> int:
    """The limit: the shortest straight line from rows to signed files. Returns the number of forms."""
    from django.db import connection

    from channels import vault
    from channels.models import Channel
    from channels.signing import encode_fs
    from mandates.models import NISS
    from portal import tenancy
    from portal.models import cipher
    from submissions.fields import FIELDS
    from submissions.wire.schemas import FLA_NAMESPACE, file_schema

    columns = ", ".join(f"r.{item.name}" for item in FIELDS)
    count = 0
    forms: list[str] = []
    with tenancy.scope(mandataire), tempfile.TemporaryDirectory() as folder, connection.cursor() as cursor:
        signer = vault.signer(Channel.objects.get(pk=channel_id))
        schema, open_text = file_schema(FLA_NAMESPACE), cipher().open_text

        def close() -> None:
            content = (_HEAD + "".join(forms) + _FOOT).encode()
            parser = etree.XMLParser(target=_Nothing(), schema=schema)
            etree.fromstring(content, parser)
            if len(parser.error_log):  # A parser with a target never raises on an invalid file.
                sys.exit(str(parser.error_log))
            name = Path(folder) / f"FI.{count}"
            name.write_bytes(content)
            name.with_suffix(".FS").write_bytes(encode_fs(signer.sign(content)))
            forms.clear()

        cursor.execute(
            f"SELECT d.reference, e.number, e.onss_number, w.niss_sealed, w.family_name, w.given_name, {columns} "
            "FROM submissions_declaration d JOIN submissions_trainingrecord r ON r.id = d.record_id "
            "JOIN mandates_worker w ON w.id = r.worker_id JOIN mandates_employer e ON e.id = d.employer_id "
            "WHERE d.state = 'ready'"
        )
        now = f"{datetime.now():%Y-%m-%d}", f"{datetime.now():%H:%M:%S}.000"  # noqa: DTZ005  any moment will do
        while rows := cursor.fetchmany(2000):
            for reference, company, onss, niss, family, given, *values in rows:
                forms.append(
                    _form(reference, company, onss, open_text(NISS, bytes(niss)), family, given, values, now)
                )
                count += 1
                if len(forms) == 500:
                    close()
        if forms:
            close()
    return count


def _text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return escape(str(value))


def _form(
    reference: str,
    company: str,
    onss: str,
    inss: str,
    family: str,
    given: str,
    values: list[Any],
    now: tuple[str, str],
) -> str:
    from submissions.fields import FIELDS
    from submissions.wire.schemas import FLA_NAMESPACE

    payload = []
    for field, value in zip(FIELDS, values, strict=True):
        if value is None or value == "":
            continue
        if field.choices:
            value = field.choices[value].wire
        elif field.kind == "money":
            value = f"{value // 100}.{value % 100:02}"
        payload.append(f"<{field.element}>{_text(value)}</{field.element}>")
    return (
        f"<Form><Identification>FLAD001</Identification><FormCreationDate>{now[0]}</FormCreationDate>"
        f"<FormCreationHour>{now[1]}</FormCreationHour><AttestationStatus>0</AttestationStatus>"
        f"<TypeForm>SU</TypeForm><Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        f"<ReferenceNbr>{reference}</ReferenceNbr></Reference><ReferenceData><EmployerId><NOSSRegistrationNbr>{onss}"
        f"</NOSSRegistrationNbr><CompanyID>{company}</CompanyID></EmployerId></ReferenceData><Data>"
        f"<DocumentDescription><TechnicalDescription><MimeType>application/xml</MimeType><CharacterFormat>NATIVE"
        f"</CharacterFormat><DocumentType>MAIN</DocumentType></TechnicalDescription></DocumentDescription><DocumentXML>"
        f'<TrainingRecord xmlns="{FLA_NAMESPACE}"><CompanyID>{company}</CompanyID><INSS>{inss}</INSS>'
        f"<FamilyName>{_text(family)}</FamilyName><GivenName>{_text(given)}</GivenName>{''.join(payload)}"
        f"</TrainingRecord></DocumentXML></Data></Form>"
    )


if __name__ == "__main__":
    main()
