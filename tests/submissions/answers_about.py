"""What social security would answer to a set that was sealed in a test."""

from __future__ import annotations

from collections.abc import Iterable

from channels.models import Drop, InboundFile
from portal import tenancy
from submissions import answering
from submissions.models import Batch, Declaration
from submissions.states import DeclarationState
from tests import factories
from tests.submissions.wire.answer_samples import HEADER, acrf, acrf_form, noti

FILE_TICKET = "0A1B2C3D4E5F6"


def receive(batch: Batch, content: bytes, *, environment: str = "", name: str = "") -> InboundFile:
    """Stores an answer on the channel of a set and applies it."""
    file = factories.inbound(batch.channel, content, name=name, environment=environment or batch.environment)
    answering.apply(tenancy.current(), file.pk)
    file.refresh_from_db()
    return file


def go_name(batch: Batch) -> str:
    return f"GO.{batch.envelope.stem}.1"


def receipt(batch: Batch, *, is_accepted: bool = True, errors: tuple[str, ...] = (), name: str = "") -> bytes:
    """The ACRF of a set."""
    return acrf(
        acrf_form("1" if is_accepted else "0", errors, name=name or go_name(batch), ticket=FILE_TICKET)
    )


def ticket_of(declaration: Declaration) -> str:
    return f"{declaration.pk:013d}"


def verdict(
    declaration: Declaration,
    result: str = "1",
    *,
    anomalies: str = "",
    reference: str | None = None,
    file_name: str | None = None,
    ticket: str | None = None,
) -> str:
    """One form of a NOTI. An empty `reference` or `file_name` is left out, as they sometimes do."""
    reference = declaration.reference if reference is None else reference
    file_name = go_name(declaration.batch) if file_name is None else file_name  # type: ignore[arg-type]
    ours = (
        f"<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        f"<ReferenceNbr>{reference}</ReferenceNbr></Reference>"
    )
    file = (
        f"<FileReference><FileName>{file_name}</FileName><ReferenceOrigin>2</ReferenceOrigin></FileReference>"
    )
    return (
        f"<Form>{HEADER.format(identification='NOTI001', type_form='FA')}"
        f"{file if file_name else ''}{ours if reference else ''}"
        "<HandledReference><ReferenceType>1</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>"
        f"<ReferenceNbr>{ticket_of(declaration) if ticket is None else ticket}</ReferenceNbr></HandledReference>"
        f"<HandlingResult><ResultCode>{result}</ResultCode>{anomalies}</HandlingResult></Form>"
    )


def verdicts(declarations: Iterable[Declaration], result: str = "1", *, anomalies: str = "") -> bytes:
    """A NOTI with the same result for each."""
    return noti(*(verdict(each, result, anomalies=anomalies) for each in declarations))


def dropped(number: int, **fields: object) -> Batch:
    made = factories.sealed_batch(number, **fields)  # type: ignore[arg-type]
    now = made.sealed_at
    Drop.objects.create(
        envelope=made.envelope,
        state="confirmed",
        started_at=now,
        heartbeat_at=now,
        go_intended_at=now,
        ended_at=now,
    )
    made.move(Batch.State.DROPPED, dropped_at=now)
    Declaration.objects.filter(batch=made).update(state=DeclarationState.SENT)
    return made


def states(batch: Batch) -> list[str]:
    return [made.state for made in factories.declarations_of(batch)]


def again(batch: Batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)
