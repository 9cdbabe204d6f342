"""What the views give to the pages of figures and of calls, with invented data; see `sample_pages`."""

from __future__ import annotations

from typing import Any

from submissions.charting import Piece
from submissions.models import Batch
from tests.portal.sample_mandates import AT, CHIPS, EMPLOYER, NAME, due_row, page_of

type Data = dict[str, Any]

CELLS = [
    {"shown": str(count), "label": label, "url": f"/declarations?figure={label}" if count else ""}
    for count, label in (
        (12, "Declared"),
        (7, "Accepted"),
        (0, "With remarks"),
        (3, "Refused"),
        (2, "Waiting"),
    )
]
NAMES = [{"x": 100, "label": "10/26"}]
BARS = {
    "ticks": [{"y": 174, "value": "0"}, {"y": 10, "value": "20"}],
    "columns": [
        {
            "middle": 100,
            "title": f"October {NAME}: 12",
            "url": "/declarations",
            "pieces": [Piece("refused", 80, 9, 40, 5)],
        },
        {"middle": 200, "title": "November: 0", "url": "", "pieces": []},
    ],
    "names": NAMES,
    "is_print": False,
}
RATES = {
    "ticks": [{"y": 174, "value": "0 %"}],
    "lines": ["100,20 200,30"],
    "dots": [{"x": 100, "y": 20, "title": "October: 70,0 %"}],
    "names": NAMES,
}


def line(month: str) -> Data:
    return {"month": month, "is_total": not month, "cells": CELLS}


def figures_page(**changes: Any) -> Data:
    return {
        "nav": "employers",
        "employer": EMPLOYER,
        "period": "October 2026 – November 2026",
        "first": "2026-10",
        "last": "2026-11",
        "service": "FLA",
        "environment_asked": "R",
        "is_test": False,
        "cards": [
            {"label": "Declared", "shown": "12", "url": "/declarations", "tone": "mute", "note": ""},
            {"label": "Rate", "shown": "70,0 %", "url": "/declarations", "tone": "ok", "note": "of <what>"},
        ],
        "chips": CHIPS,
        "choices": [("2026-11", "November 2026"), ("2026-10", "October 2026")],
        "services": [("FLA", "Federal <Learning> Account")],
        "environments": [("R", "Production"), ("S", "Simulation")],
        "headings": [cell["label"] for cell in CELLS],
        "lines": [line("October 2026"), line("November 2026"), line("")],
        "bars": BARS,
        "rates": RATES,
        "causes": [
            {
                "title": "NISS <unknown>",
                "code": "00024-179",
                "count": 3,
                "url": "/declarations",
                "share": "25,0 %",
            }
        ],
        "due": [due_row()],
        "pdf_url": "/pdf",
        **changes,
    }


def calls_page(**changes: Any) -> Data:
    rows = [
        {
            "employer": 6,
            "name": NAME,
            "number": "0897223670",
            "to_correct": {"count": count, "url": "/declarations?state=to_correct"},
            "drafts": {"count": 3 - count, "url": "/declarations?state=draft"},
            "since": AT,
            "days": 9,
        }
        for count in (0, 3)
    ]
    pace = {
        "pk": 4, "name": "Channel <FLA>", "environment": "R", "sets": 12, "url": "/batches", "receipt": "41 min",
        "receipt_before": "20 min", "answers": "2 h", "answers_before": "–",
    }  # fmt: skip
    return {
        "nav": "calls",
        "waited_days": 3,
        "page": page_of(rows),
        "sees_sets": True,
        "may_see_channels": True,
        "paces": [{**pace, "is_slow": True}, {**pace, "is_slow": False}],
        "overdue": [{"pk": 9, "state": Batch.State.PARKED, "environment": "S", "since": AT, "total": 50}],
        "overdue_count": 30,
        **changes,
    }


FIGURE_PAGES: dict[str, tuple[str, Data]] = {
    "figures": ("submissions/figures.html", figures_page()),
    "figures of tests": (
        "submissions/figures.html",
        figures_page(
            is_test=True,
            environment_asked="S",
            environments=[("S", "Simulation")],
            causes=[],
            due=[],
            service="",
        ),
    ),
    "calls": ("submissions/calls.html", calls_page()),
    "nobody to call": (
        "submissions/calls.html",
        calls_page(page=page_of([]), paces=[], overdue=[], overdue_count=0),
    ),
    "calls of some clients": (
        "submissions/calls.html",
        calls_page(sees_sets=False, paces=[], overdue=[], overdue_count=0, may_see_channels=False),
    ),
}
