"""The way of a set in five steps, each with its proof."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from channels import standing
from channels.models import Drop
from portal.templatetags.presenting import moment, number
from submissions.models import Batch
from submissions.states import BatchState
from submissions.views.causes import refusals_of

type Step = dict[str, Any]


def steps(
    batch: Batch, counts: dict[str, Any], last_answer_at: datetime | None, drop: Drop | None
) -> list[Step]:
    """Sealed, dropped, receipt, answers, closed. `counts` is the row of the batch, `drop` its latest attempt."""
    is_over = batch.state in (BatchState.ANSWERED, BatchState.REJECTED)
    answered = counts["total"] - counts["waiting"]
    return [
        _step("sealed", bool(batch.sealed_at), _sealed(batch)),
        _dropped(batch, drop),
        _acknowledged(batch),
        _answered(batch, counts, answered, last_answer_at),
        {
            "key": "closed",
            "status": "done" if is_over else "todo",
            "proof": [_exact(batch.answered_at)] if batch.answered_at and is_over else [],
        },
    ]


def _step(key: str, is_done: bool, proof: list[str], *, is_current: bool = False) -> Step:
    return {"key": key, "status": "done" if is_done else "current" if is_current else "todo", "proof": proof}


def _exact(at: datetime) -> str:
    """The moment to the second: proof is read beside logs."""
    local = timezone.localtime(at)
    return f"{moment(at).rpartition(chr(160))[0]} {local:%H:%M:%S}".strip()


def _sealed(batch: Batch) -> list[str]:
    if batch.sealed_at is None or batch.envelope is None:
        return []
    lines = [_exact(batch.sealed_at)]
    if not batch.envelope.certificate:
        return [*lines, _("without signature: this environment wants none")]
    name = standing.certificate_name(batch.channel, batch.envelope.certificate)
    signed = _("signed with “%(name)s”") % {"name": name} if name else _("signed with an earlier certificate")
    return [*lines, signed]


def _dropped(batch: Batch, drop: Drop | None) -> Step:
    if batch.dropped_at or batch.acknowledged_at:
        at = batch.dropped_at or batch.acknowledged_at
        return _step("dropped", True, [_exact(at), _("FI and FS compared, GO last")] if at else [])
    if batch.state == BatchState.PARKED:
        return {"key": "dropped", "status": "failed", "proof": [_("waits for your decision")]}
    proof = [drop.error] if drop and drop.error else []
    return _step("dropped", False, proof, is_current=batch.state == BatchState.SEALED)


def _acknowledged(batch: Batch) -> Step:
    if batch.acknowledged_at is None:
        waits = batch.state == BatchState.DROPPED
        return _step("acknowledged", False, [_("awaited")] if waits else [], is_current=waits)
    proof = [_exact(batch.acknowledged_at)]
    if batch.ticket:
        proof.append(_("ticket %(ticket)s") % {"ticket": batch.ticket})
    if batch.state == BatchState.REJECTED:
        causes = [format_html("{}: {}", cause["code"], cause["title"]) for cause in refusals_of(batch)]
        return {"key": "acknowledged", "status": "failed", "proof": proof + causes}
    return _step("acknowledged", True, proof)


def _answered(batch: Batch, counts: dict[str, Any], answered: int, last_at: datetime | None) -> Step:
    if batch.state == BatchState.REJECTED:
        return _step("answered", False, [_("none: the file was not read")])
    proof = []
    if answered:
        proof.append(
            _("%(answered)s of %(total)s") % {"answered": number(answered), "total": number(counts["total"])}
        )
    if last_at:
        proof.append(_("the last at %(at)s") % {"at": moment(last_at)})
    is_current = batch.state == BatchState.ACKNOWLEDGED or bool(answered)
    return _step("answered", batch.state == BatchState.ANSWERED, proof, is_current=is_current)
