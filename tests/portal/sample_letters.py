"""What the views give to the pages of balance letters and correction requests; see `sample_pages`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms

from tests.portal.sample_mandates import EMPLOYER, page_of

type Data = dict[str, Any]

NOW = datetime(2026, 11, 20, 13, 12, tzinfo=UTC)
WORKER = SimpleNamespace(pk=4, employer=EMPLOYER)


def ago(**period: int) -> datetime:
    return NOW - timedelta(**period)


ASKED = {
    "pk": 3,
    "worker": "O'Connor & <Zoë>, Síle",
    "kind": "The figures are wrong",
    "how": "By e-mail",
    "record": "Excel <avancé>",
    "record_url": "/r/4",
    "text": "It lasted <2> days.\nAsk the trainer.",
    "received_on": date(2026, 11, 2),
    "state": "open",
    "reason": "",
    "noted_at": ago(hours=3),
    "noted_by": "Carine Dubois",
    "decided_at": None,
    "decided_by": "",
}
DECLINED = {
    **ASKED,
    "state": "declined",
    "reason": "One <day>.",
    "decided_at": ago(hours=1),
    "decided_by": "Lou",
}
CHIPS = [{"label": "To decide", "count": 2, "url": "?state=open", "is_current": True}]


class Outcome(forms.Form):
    """What accepting a request takes; the real one asks the database for trainings."""

    outcome = forms.ChoiceField(label="The training", choices=[("4", "Excel <avancé>")], required=False)
    reason = forms.CharField(label="What was done", widget=forms.Textarea, required=False)


def correction_page(row: Data, **changes: Any) -> Data:
    page = {"nav": "employers", "employer": EMPLOYER, "worker": WORKER, "request_": row, "outcome": None}
    return page | {"form": None, "encode_url": "", "decline": None} | changes


def letters(state: str, **changes: Any) -> Data:
    found = {"pk": 6, "year": 2025, "state": state, "total": 340, "done": 200, "asked_at": ago(hours=2)}
    return found | {"asked_by": "Carine Dubois", "ended_at": None, "kept_until": None} | changes


def letters_page(found: Data, **changes: Any) -> Data:
    page = {"nav": "employers", "employer": EMPLOYER, "found": found, "is_moving": False, "download": None}
    page |= {"files": 0, "size": 0, "left_out": 0, "again": None, "resume": None, "anew": None}
    return page | changes


READY = letters("done", done=340, ended_at=ago(hours=1), kept_until=NOW)
LETTERS = {"nav": "employers", "employer": EMPLOYER, "choices": [2026, 2025], "chosen": 2025, "kept_days": 30}
BUTTON = {"url": "/go/", "label": "Go <on>"}

LETTERS_PAGES: dict[str, tuple[str, Data]] = {
    "letters": (
        "submissions/letters_list.html",
        {**LETTERS, "missing": 2025, "page": page_of([READY, letters("deleted", asked_by="")])},
    ),
    "no letters": ("submissions/letters_list.html", {**LETTERS, "missing": None, "page": page_of([])}),
    "letters being made": (
        "submissions/letters_detail.html",
        letters_page(letters("running"), is_moving=True, resume=BUTTON),
    ),
    "letters that are ready": (
        "submissions/letters_detail.html",
        letters_page(READY, download=BUTTON, anew=BUTTON, files=7, size=412_000, left_out=1),
    ),
    "letters in one file": (
        "submissions/letters_detail.html",
        letters_page(READY, download=BUTTON, anew=BUTTON, files=1, size=41_000),
    ),
    "letters that failed": (
        "submissions/letters_detail.html",
        letters_page(letters("failed", ended_at=ago(hours=1)), again=BUTTON),
    ),
    "letters that are gone": (
        "submissions/letters_detail.html",
        letters_page(letters("deleted", ended_at=ago(hours=1)), anew=BUTTON),
    ),
    "correction requests": (
        "submissions/correction_list.html",
        {
            "nav": "employers",
            "employer": EMPLOYER,
            "worker": WORKER,
            "chips": CHIPS,
            "page": page_of([ASKED, DECLINED]),
        },
    ),
    "no correction requests": (
        "submissions/correction_list.html",
        {"nav": "employers", "employer": EMPLOYER, "worker": None, "chips": CHIPS, "page": page_of([])},
    ),
    "note a correction request": (
        "submissions/correction_new.html",
        {"nav": "employers", "worker": WORKER, "form": Outcome({"outcome": "9"})},
    ),
    "correction request to decide": (
        "submissions/correction_detail.html",
        correction_page(ASKED, form=Outcome(), decline={**BUTTON, "reason_label": "Why?"}),
    ),
    "correction request about a missing training": (
        "submissions/correction_detail.html",
        correction_page(
            {**ASKED, "record": "", "record_url": ""},
            form=Outcome({"outcome": "9"}),
            decline={**BUTTON, "reason_label": "Why?"},
            encode_url="/trainings/new/",
        ),
    ),
    "declined correction request": ("submissions/correction_detail.html", correction_page(DECLINED)),
    "accepted correction request": (
        "submissions/correction_detail.html",
        correction_page(
            {**DECLINED, "state": "accepted"}, outcome={"title": "Excel <avancé>", "url": "/r/4"}
        ),
    ),
}
