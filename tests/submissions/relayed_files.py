"""Files of other software for the tests: whole, or with one thing in them that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import count

from channels.models import Channel
from mandates.models import Employer, Mandate
from portal.examples.relayed import Hired, dimona, dmfa
from submissions import enclosing, relaying
from submissions.models import Batch, RelayedFile
from tests import factories

SERVICES = ["FLA", "DIMN", "DMFA", "ATDO"]
MADE_ON = date(2026, 10, 5)
_serial = count(1)


def channel(**fields: object) -> Channel:
    """A channel that carries FLA, Dimona, DmfA and documents."""
    return factories.channel(**{"services": SERVICES, **fields})


def client(*mandates: str, **fields: object) -> Employer:
    """An employer with active mandates for these services, Dimona and DmfA unless told."""
    made = factories.employer(**fields)
    for code in mandates or ("DIMONA", "DMFA"):
        mandate(made, code)
    return made


def mandate(for_: Employer, code: str, **fields: object) -> Mandate:
    """A mandate that others may hold at the same time."""
    return factories.active_mandate(for_, **{"service": code, "is_exclusive": False, **fields})


def hired(number: int = 1) -> list[Hired]:
    """Workers who do not exist."""
    return [Hired(factories.new_niss(), "D'Haese & fils", "Zoë") for _ in range(number)]


def a_dimona(of: Employer, workers: Sequence[Hired] | int = 1, *, reference: str = "") -> bytes:
    """A Dimona of a client, one form for each worker."""
    workers = hired(workers) if isinstance(workers, int) else workers
    reference = reference or f"DIM{next(_serial)}"
    day = date(2026, 10, 1)
    return dimona(of.number, of.onss_number, workers, starts_on=day, made_on=MADE_ON, reference=reference)


def a_dmfa(of: Employer, workers: Sequence[Hired] | int = 2, *, reference: str = "") -> bytes:
    """A DmfA of a client: one form about all of its workers."""
    workers = hired(workers) if isinstance(workers, int) else workers
    reference = reference or f"DMFA{next(_serial)}"
    quarter = date(2026, 7, 1)
    return dmfa(of.number, of.onss_number, workers, quarter=quarter, made_on=MADE_ON, reference=reference)


def an_out(period: str = "123456789012", reference: str = "OUT1") -> bytes:
    """A Dimona OUT, which names a period and no employer."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Dimona><Form><Identification>DIMONA</Identification>'
        "<FormCreationDate>2026-10-05</FormCreationDate><FormCreationHour>08:30:00.000</FormCreationHour>"
        "<AttestationStatus>0</AttestationStatus><TypeForm>SU</TypeForm><Reference><ReferenceType>1</ReferenceType>"
        f"<ReferenceOrigin>1</ReferenceOrigin><ReferenceNbr>{reference}</ReferenceNbr></Reference><DimonaOut>"
        f"<DimonaPeriodId>{period}</DimonaPeriodId><EndingDate>2026-10-31</EndingDate></DimonaOut></Form></Dimona>"
    ).encode()


def handed_over(
    through: Channel | None = None, content: bytes = b"", *, name: str = "dimona.xml"
) -> RelayedFile:
    """A file that was taken and waits for its departure."""
    return relaying.hand_over(through or channel(), name, content or a_dimona(client(), 2))


def sealed(file: RelayedFile) -> Batch:
    """The set in which a file was sealed."""
    (batch,) = enclosing.seal_files(file.mandataire_id, file.channel_id, file.service)
    return Batch.objects.get(pk=batch)
