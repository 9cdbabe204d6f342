"""What the view gives to the page of a training record, with invented data; see `sample_pages`."""

from __future__ import annotations

from datetime import date

from submissions.fields import FIELDS
from tests.portal.sample_pages import COLLECT, EVENTS, NISS, SEND_AGAIN, TITLE, Data, ago, anomaly

FORMER = [
    {
        "pk": 1,
        "kind": "original",
        "state": "accepted",
        "environment": "R",
        "at": ago(days=400),
        "sent_at": ago(days=400),
        "answered_at": ago(days=400),
        "ticket": "0123456789ABC",
        "reference": "P-0123456789AB",
        "batch": None,
        "part": None,
        "position": None,
        "anomalies": [],
        "origin": "<Bureau d'avant>",
    }
]


def record_page() -> Data:
    known = {"title": TITLE, "kind": "formal", "starts_on": date(2025, 10, 2), "duration_minutes": 912}
    known |= {"funding": "employer", "cost_cents": 125_000}
    common = {"at": ago(hours=30), "part": 1, "position": 377, "sent_at": ago(hours=29)}
    return {
        "nav": "declarations",
        "again_url": "/trainings/new/?like=1",
        "course_url": "/trainings/1/",
        "record": {
            "pk": 1,
            "title": TITLE,
            "employer_name": "Transport & Logistique D'Haese",
            "employer_number": "0897223670",
            "worker_name": "O'Connor, Síle",
            "worker_niss": NISS,
            "state": "refused",
            "environment": "R",
        },
        "fields": [
            {
                "field": column,
                "value": known.get(column.name),
                "faults": ["Wrong."] if column.name == "title" else [],
            }
            for column in FIELDS
        ],
        "former": FORMER,
        "declarations": [
            {
                **common,
                "pk": 2,
                "kind": "modification",
                "state": "ready",
                "environment": "",
                "sent_at": None,
                "answered_at": None,
                "ticket": "",
                "reference": "",
                "batch": None,
                "anomalies": [],
            },
            {
                **common,
                "pk": 1,
                "kind": "original",
                "state": "refused",
                "environment": "R",
                "answered_at": ago(hours=20),
                "ticket": "3804UDVFMW3Z1",
                "reference": "a81f02",
                "batch": {"pk": 42, "at": ago(hours=29)},
                "anomalies": [anomaly(is_blocking=True), anomaly(is_blocking=False)],
            },
        ],
        "events": EVENTS,
        "actions": [{**COLLECT, "is_main": True}, SEND_AGAIN],
        "tested": "Tested, not yet declared.",
        "leaves": "It leaves at 16:30 today.",
        "waits": "",
        "edit_url": "/records/1/edit/",
    }


RECORD_PAGES: dict[str, tuple[str, Data]] = {"record": ("submissions/record_detail.html", record_page())}
