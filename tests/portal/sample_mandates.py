"""What the views give to the pages of clients and mandates, with invented data; see `sample_pages`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from django.core.paginator import Paginator

from mandates.catalogue import mandate_services
from mandates.states import STANDINGS
from mandates.views.forms import ClosureForm, EmployerForm, ProcurationForm, ProposalForm

type Data = dict[str, Any]

TODAY = date(2026, 11, 20)
AT = datetime(2026, 10, 2, 9, 30, tzinfo=UTC)
NAME = "Boulangerie <avancé> & Fils"
CHIPS = [
    {"label": "All", "count": 2, "url": "?", "is_current": True},
    {"label": "Pending", "count": 1, "url": "?state=pending", "is_current": False},
]
EMPLOYER = {"pk": 7, "name": NAME, "number": "0897223670", "onss_number": "130387593"}
PERIODS = {
    "ended": (date(2024, 4, 1), date(2026, 3, 31)),
    "ending": (date(2026, 4, 1), date(2026, 12, 31)),
    "upcoming": (date(2027, 1, 1), date(2027, 6, 30)),
}


def mandate(standing: str, pk: int = 3) -> Data:
    starts_on, ends_on = PERIODS.get(standing, (date(2026, 10, 1), None))
    return {
        "pk": pk,
        "service": "Federal Learning Account",
        "starts_on": starts_on,
        "ends_on": ends_on,
        "standing": standing,
        "by_mandataire_at": AT,
        "by_employer_at": None if standing == "pending" else AT,
        "reason": "The client <asks> for it" if standing in ("refused", "withdrawn") else "",
    }


MANDATES = [mandate(standing, pk) for pk, standing in enumerate(STANDINGS, 1)]
EVENTS = [
    {"at": AT, "text": "Mandate proposed to both parties", "actor": "Carine Dubois", "reason": "<asks>"}
]
FILE = SimpleNamespace(
    pk=5,
    name="procuration.pdf",
    get_purpose_display=lambda: "validation",
    sha256="ab" * 32,
    size=48_000,
    received_at=AT,
)


def page_of(rows: list[Data]) -> Any:
    return Paginator(rows, 50).page(1)


QUARTERS = [
    {
        "code": "20253",
        "trainings": 41,
        "waiting": 0,
        "signed": {"signed_by": "Zoë Maes", "signed_at": AT},
        "sign": None,
        "reopen": {"url": "/reopen", "label": "Open again", "reason_label": "Why is it opened again?"},
    },
    {"code": "20252", "trainings": 1, "waiting": 2, "signed": None, "sign": None, "reopen": None},
    {
        "code": "20251",
        "trainings": 0,
        "waiting": 0,
        "signed": None,
        "sign": {"url": "/sign", "label": "Sign off", "fields": {"quarter": "20251"}},
        "reopen": None,
    },
]


def due_row(pk: int = 6, **changes: Any) -> Data:
    """A line of what is due, as the pages show it."""
    figures = ("ready", "draft", "refused", "tested", "on_its_way", "under_way", "accepted")
    shown = {
        name: {"count": count, "url": f"/declarations?state={name}"} for count, name in enumerate(figures)
    }
    return {
        "key": f"{pk}-20254",
        "employer": pk,
        "name": NAME,
        "number": "0897223670",
        "quarter": "20254",
        "due_on": date(2025, 12, 31),
        "working_day": date(2025, 12, 30),
        "is_ours": False,
        "left": {"text": "9 days left", "tone": "warn"},
        "figures": shown,
        "brief": [{**shown["draft"], "label": "Fields missing"}],
        "is_unsigned": True,
        "signed": None,
        "may_leave": True,
        "is_ready": True,
        **changes,
    }


def client_page(**changes: Any) -> Data:
    return {
        "nav": "employers",
        "employer": EMPLOYER,
        "language": "French",
        "today": TODAY,
        "silences": ["Nothing leaves: the mandate waits."],
        "waiting_mandate": MANDATES[1],
        "mandates": MANDATES,
        "drawn": [one for one in MANDATES if one["standing"] not in ("refused", "withdrawn")],
        "declarations": [
            {"label": "Ready", "count": 3, "url": "/declarations?state=ready", "state": "ready"}
        ],
        "due": [due_row()],
        "quarters": QUARTERS,
        "told": {"missing": 2025, "make": {"url": "/letters/", "label": "Letters of 2025"}, "waiting": 2},
        "may_see_people": True,
        "may_admit": True,
        "people": [],
        "may_propose": True,
        "events": EVENTS,
        **changes,
    }


def mandate_page(standing: str, **changes: Any) -> Data:
    return {
        "nav": "mandates",
        "employer": EMPLOYER,
        "mandate": mandate(standing),
        "is_open": standing in ("to_finalise", "pending"),
        "form": ProcurationForm() if standing == "pending" else None,
        "actions": [{"url": "/validate", "label": "Validate for us", "is_main": True}]
        if standing == "pending"
        else [],
        "may_close": standing == "active",
        "may_download": True,
        "procurations": [] if standing == "pending" else [FILE],
        "events": EVENTS,
        **changes,
    }


def employers_page(rows: list[Data], query: str = "") -> Data:
    return {
        "nav": "employers",
        "chips": CHIPS,
        "query": query,
        "state": "with" if query else "",
        "kept": {"q": query},
        "page": page_of(rows),
        "may_add": True,
    }


def propose_page(data: Data | None = None) -> Data:
    form = ProposalForm(mandate_services()["FLA"], TODAY, data)
    return {
        "nav": "employers",
        "employer": EMPLOYER,
        "service": "Federal Learning Account",
        "chips": CHIPS,
        "form": form,
    }


MANDATE_PAGES: dict[str, tuple[str, Data]] = {
    "clients": (
        "mandates/employer_list.html",
        employers_page([{**EMPLOYER, "mandate": MANDATES[3]}, {**EMPLOYER, "mandate": None}], '"><i>'),
    ),
    "no clients": ("mandates/employer_list.html", employers_page([])),
    "client": ("portal/client.html", client_page()),
    "client without a mandate": (
        "portal/client.html",
        client_page(mandates=[], drawn=[], waiting_mandate=None, silences=["None."], events=[]),
    ),
    "add a client": ("mandates/employer_add.html", {"nav": "employers", "form": EmployerForm()}),
    "add a client, wrongly": (
        "mandates/employer_add.html",
        {"nav": "employers", "form": EmployerForm({"number": "0897223671", "name": "<asks>"})},
    ),
    "mandates": (
        "mandates/mandate_list.html",
        {
            "nav": "mandates",
            "chips": CHIPS,
            "query": "",
            "state": "",
            "kept": {},
            "page": page_of([{**one, "employer": EMPLOYER} for one in MANDATES]),
        },
    ),
    "mandate that waits": ("mandates/mandate_detail.html", mandate_page("pending")),
    "active mandate": ("mandates/mandate_detail.html", mandate_page("active")),
    "propose a mandate": ("mandates/mandate_propose.html", propose_page()),
    "propose a mandate, wrongly": (
        "mandates/mandate_propose.html",
        propose_page({"starts": "20264", "ends": "19001"}),
    ),
    "close a mandate": (
        "mandates/mandate_close.html",
        {
            "nav": "mandates",
            "employer": EMPLOYER,
            "mandate": mandate("active"),
            "form": ClosureForm(SimpleNamespace(starts_on=date(2026, 10, 1), ends_on=None), TODAY),
        },
    ),
}
