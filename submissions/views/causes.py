"""Why something was refused or remarked on, as the pages tell it: in words, with the correction and the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone

from mandates.numbers import quarter_of
from portal import tenancy
from portal.models import ChannelProfile, MandateProfile, Membership
from submissions.fields import BY_ELEMENT, BY_NAME, Field
from submissions.models import Anomaly, Batch, Declaration
from submissions.states import BatchState, DeclarationState
from submissions.words import Correction, Words, is_blocking, words


def anomaly(found: Anomaly, declaration: Declaration, reader: Membership) -> dict[str, Any]:
    """One anomaly, as components/anomaly.html shows it. Asks nothing more than what came with both rows."""
    wording = words(found.code, found.label, declaration.quarter)
    raw = {
        "ErrorID": found.code,
        "AnomalyClass": found.anomaly_class,
        "TagName": found.tag,
        "Value": found.value,
        "AnomalyLabel": found.label,
        "Location": found.location,
    }
    file = None if tenancy.limit() is not None else found.inbound_file
    return {
        **_said(wording, found.code, found.anomaly_class, BY_NAME.get(found.field), found.tag),
        "correction_url": _way(wording.correction, found.field, declaration, reader),
        "raw": [(name, value) for name, value in raw.items() if value] if file else [],
        "file_name": file.name if file else "",
        "file_url": reverse("inbound_file", args=[file.pk]) if file else "",
        "at": file.received_at if file else None,
    }


def anomaly_elsewhere(told: Mapping[str, str], quarter: str) -> dict[str, Any]:
    """One anomaly as `anomaly`, of a declaration of another office (see `FormerDeclaration`): its files stayed there.

    `quarter` (YYYYQ) is that of the training. It leads nowhere, for nothing here was refused.
    """
    tag = told["tag"]
    wording = words(told["code"], told["label"], quarter)
    return {
        **_said(wording, told["code"], told["anomaly_class"], BY_ELEMENT.get(tag), tag),
        **dict.fromkeys(("correction_url", "file_name", "file_url"), ""),
        "raw": [],
        "at": None,
    }


def _said(wording: Words, code: str, anomaly_class: str, field: Field | None, tag: str) -> dict[str, Any]:
    meant = field.label if field else tag
    return {
        "title": wording.title,
        "code": code,
        "is_blocking": is_blocking(anomaly_class),
        "what": wording.what,
        "todo": wording.todo,
        "correction": meant if wording.correction is Correction.FIELD and meant else wording.correction.value,
    }


def _way(correction: Correction, field: str, declaration: Declaration, reader: Membership) -> str:
    """Where the correction is made, "" where this reader, or this portal, cannot; only for what was refused."""
    if declaration.state != DeclarationState.REFUSED:
        return ""
    is_limited = tenancy.limit() is not None
    about = declaration.record or declaration.document
    match correction:
        case Correction.FIELD if declaration.record_id is not None:
            return reverse("record_edit", args=[declaration.record_id]) + (f"#id_{field}" if field else "")
        case Correction.WORKER if about is not None:
            return reverse("worker", args=[about.worker_id])
        case Correction.EMPLOYER | Correction.MANDATE if reader.may(MandateProfile.SEE):
            return reverse("employer", args=[declaration.employer_id])
        case Correction.SET | Correction.PORTAL if not is_limited and declaration.batch_id is not None:
            return reverse("batch", args=[declaration.batch_id])
        case Correction.CHANNEL if reader.may(ChannelProfile.SEE):
            return reverse("channel")
    return ""


def refusals_of(batch: Batch) -> list[dict[str, Any]]:
    """Why a whole set was refused: each code of its receipt with title, what happened, what to do, what to correct."""
    if batch.state != BatchState.REJECTED:
        return []
    quarter = quarter_of(timezone.localdate(batch.sealed_at or batch.created_at))
    told = [(code, words(code, quarter=quarter)) for code in batch.error_codes]
    return [
        {
            "code": code,
            "title": one.title,
            "what": one.what,
            "todo": one.todo,
            "correction": one.correction.value,
        }
        for code, one in told
    ]
