"""Scenes for the pages: sets that left and came back, made through the portal's own functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from channels.models import Channel, InboundFile
from mandates.models import Employer
from submissions import sets
from submissions.fields import BY_NAME
from submissions.models import Anomaly, Batch, Declaration
from submissions.states import BatchState, DeclarationState
from tests import factories


def dropped(number: int = 1, *, through: Channel | None = None, of: Employer | None = None) -> Batch:
    """A set that left and has no receipt yet."""
    batch = factories.sealed_batch(number, through=through, of=of)
    batch.move(BatchState.DROPPED, dropped_at=timezone.now())
    batch.declarations.update(state=DeclarationState.SENT)
    return batch


def overdue() -> Batch:
    """Dropped so long ago that its receipt should have come."""
    batch = dropped()
    batch.dropped_at = timezone.now() - timedelta(days=1)
    batch.save(update_fields=["dropped_at"])
    return batch


def acknowledged(number: int = 1, *, through: Channel | None = None, of: Employer | None = None) -> Batch:
    """A set with its receipt."""
    batch = dropped(number, through=through, of=of)
    sets.acknowledge(batch, "3804UDVFMW3Z1")
    return batch


def answer(
    declaration: Declaration,
    state: DeclarationState,
    codes: Sequence[tuple[str, str]] = (),
    *,
    file: InboundFile | None = None,
    anomaly_class: str = "B",
) -> Declaration:
    """Settles one declaration, with an anomaly for each (code, field); the element is the field's."""
    assert declaration.batch is not None
    file = file or factories.inbound(
        declaration.batch.channel,
        b"<NOTIFICATION/>",
        kind="NOTI",
        state="applied",
        envelope=declaration.batch.envelope,
    )
    Declaration.objects.filter(pk=declaration.pk).update(
        state=state, ticket=f"T{declaration.pk:012d}", answered_at=timezone.now()
    )
    Anomaly.objects.bulk_create(
        Anomaly(
            declaration=declaration,
            inbound_file=file,
            code=code,
            anomaly_class=anomaly_class,
            field=field if field in BY_NAME else "",
            tag=BY_NAME[field].element if field in BY_NAME else field,
        )
        for code, field in codes
    )
    declaration.refresh_from_db()
    return declaration


def refused(
    *codes: tuple[str, str], of: Employer | None = None, through: Channel | None = None
) -> Declaration:
    """One declaration that came back refused."""
    (declaration,) = acknowledged(of=of, through=through).declarations.all()
    return answer(declaration, DeclarationState.REFUSED, codes or (("99004-152", "ends_on"),))


def accepted(*, of: Employer | None = None, through: Channel | None = None) -> Declaration:
    """One declaration that came back accepted."""
    (declaration,) = acknowledged(of=of, through=through).declarations.all()
    return answer(declaration, DeclarationState.ACCEPTED)


def into_production() -> None:
    """Whatever has left so far went to production instead, where FLA is closed: nothing could be sealed for it."""
    Batch.objects.update(environment="R")
    Declaration.objects.filter(batch__isnull=False).update(environment="R")


def rejected(number: int = 1, *, through: Channel | None = None) -> Batch:
    """A set that was refused as a whole, because its name was used before."""
    batch = dropped(number, through=through)
    file = factories.inbound(batch.channel, b"<ACRF/>", kind="ACRF", state="applied", envelope=batch.envelope)
    sets.reject(batch, "3804UDVFMW3Z1", ["ACRF-133"], file)
    return batch


def parked(number: int = 1, *, through: Channel | None = None) -> Batch:
    """A set that waits for a person."""
    batch = factories.sealed_batch(number, through=through)
    sets.park(batch, "The line broke after GO.")
    return batch
