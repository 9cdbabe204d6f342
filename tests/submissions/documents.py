"""CareerPro documents for the tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from channels.models import Channel
from mandates.models import Worker
from mandates.procurations import Pdf
from submissions import documenting
from submissions.models import Declaration
from tests import factories
from tests.submissions import relayed_files as files

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"
"""What every PDF has, and nothing else."""


def values_of(**changes: Any) -> dict[str, Any]:
    """What is said of a contract without an end, full-time, signed already."""
    values = {
        "contract": None,
        "category": "CONTRACT_BASE",
        "document_on": date(2026, 10, 1),
        "language": 2,
        "sign_status": 0,
        "sign_until": None,
        "sign_email": "",
        "using_employer_number": "",
        "duration_code": 0,
        "starts_on": date(2026, 10, 1),
        "ends_on": None,
        "contract_type": 0,
        "mean_hours": 3800,
        "reference_hours": 3800,
        "dimona_period": "",
    }
    return values | changes


def worker(**fields: Any) -> Worker:
    """A worker of a client whose documents may be sent."""
    return factories.worker(files.client("DOCUMENTS"), **fields)


def sent(through: Channel | None = None, of: Worker | None = None, **changes: Any) -> Declaration:
    """A document that waits for its departure."""
    return documenting.send(
        through or files.channel(), of or worker(), Pdf("contrat.pdf", PDF), values_of(**changes)
    )
