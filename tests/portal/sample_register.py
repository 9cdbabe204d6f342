"""What the views give to the pages of workers, contracts and rights, with invented data; see `sample_pages`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from mandates.joint_committees import joint_committees
from submissions.right_words import Told
from submissions.views.register_forms import (
    AgreementForm,
    ContractForm,
    DecisionForm,
    NamesForm,
    SizeForm,
    WorkerForm,
)
from tests.portal.sample_letters import ASKED
from tests.portal.sample_mandates import EMPLOYER, EVENTS, page_of

type Data = dict[str, Any]

AT = datetime(2026, 10, 2, 9, 30, tzinfo=UTC)
COMMITTEES = list(joint_committees().values())[:3]


class Worker(SimpleNamespace):
    """A worker with a name that wants escaping."""

    def __str__(self) -> str:
        return "O'Connor & <Zoë>, Síle"


WORKER = Worker(pk=4, masked_niss="85.07.30-***.**", employer=EMPLOYER)
RIGHT = {
    "year": 2025, "missing": (), "own": "2,5 days (19 h)", "carried": "0 day", "used": "1 day (7 h 36)",
    "remaining": "1,5 days (11 h 24)", "is_unknown": False,
}  # fmt: skip
UNKNOWN = {**RIGHT, "year": 2026, "missing": (2026,), "is_unknown": True, "own": "–"}
CONTRACTS = [
    {
        "pk": pk,
        "committee": "302 – Industrie hôtelière",
        "regime": "50 %",
        "day_minutes": 456,
        "entered_on": date(2024, 7, 1),
        "left_on": left,
        "is_present": left is None,
    }
    for pk, left in ((2, None), (1, date(2024, 6, 30)))
]
ROWS = [
    {"pk": 4, "name": "O'Connor & <Zoë>, Síle", "niss": "85.07.30-***.**", "committees": "302", "regime": "50 %",
     "right": RIGHT},
    {"pk": 5, "name": "Abts, Jan", "niss": "61.01.01-***.**", "committees": "", "regime": "", "right": UNKNOWN},
]  # fmt: skip
REMOVE = {"url": "/remove", "label": "Remove", "reason_label": "Why?", "question": "It counts no more."}
AGREEMENTS = [
    {"number": "1/CO/302", "committee": "302 – <Industrie>", "from_year": since, "until_year": until, "days": "3",
     "small_days": small, "remove": REMOVE}
    for since, until, small in ((2024, 2024, ""), (2025, 2026, "1,5"), (2027, None, ""))
]  # fmt: skip


def decision(*, withdrawn: bool) -> Data:
    row = SimpleNamespace(
        made_at=AT, made_by="Carine Dubois", reason="Agreed <with> him", is_whole=withdrawn,
        withdrawn_at=AT if withdrawn else None, withdrawn_by="Zoë Maes", withdrawn_reason="A mistake",
    )  # fmt: skip
    back = {"url": "/back", "label": "Take back", "reason_label": "Why?", "question": "It counts no more."}
    return {"row": row, "amount": "1 day (7 h 36)", "back": None if withdrawn else back}


def right_page(**changes: Any) -> Data:
    return {
        "nav": "employers",
        "worker": WORKER,
        "year": 2025,
        "years": [
            {"label": str(year), "count": None, "url": "?", "is_current": year == 2025}
            for year in (2024, 2025)
        ],
        "right": RIGHT,
        "steps": [Told("Size", "50 <FTE>", "5 days"), Told("Without", "a figure")],
        "decisions": [decision(withdrawn=False), decision(withdrawn=True)],
        "form": DecisionForm(),
        **changes,
    }


def worker_page(**changes: Any) -> Data:
    former = [
        SimpleNamespace(masked_niss="98.47.28-***.**", replaced_at=AT, merged_id=pk) for pk in (None, 3)
    ]
    return {
        "nav": "employers",
        "worker": WORKER,
        "files": [],
        "former": former,
        "contracts": CONTRACTS,
        "years": [UNKNOWN, RIGHT],
        "events": EVENTS,
        **changes,
    }


def workers_page(rows: list[Data], query: str = "") -> Data:
    return {
        "nav": "employers",
        "employer": EMPLOYER,
        "query": query,
        "year": 2026,
        "page": page_of(rows),
        "kept": {"q": query},
        "files": [REMOVE],
    }


def size_page(**changes: Any) -> Data:
    return {
        "nav": "employers",
        "employer": EMPLOYER,
        "sizes": [{"year": 2024, "before": 2022, "after": 2023, "fte": Decimal("19.50")}],
        "committees": ["302 – <Industrie>"],
        "agreements": AGREEMENTS,
        "form": SizeForm(),
        **changes,
    }


def contract_page(form: ContractForm, *, is_new: bool) -> Data:
    return {"nav": "employers", "worker": WORKER, "form": form, "is_new": is_new, "committees": COMMITTEES}


CONTRACT = SimpleNamespace(
    joint_committee="302", regime=Decimal(50), day_minutes=456, entered_on=date(2024, 7, 1), left_on=None
)

GROUPS = [
    {
        "title": "Workers",
        "hits": [
            {
                "title": "O'Connor & <Zoë>, Síle",
                "url": "/w/4",
                "notes": ("85.07.30-***.**", "Hôtel <3"),
                "state": None,
            },
            {"title": "Excel <avancé>", "url": "/r/4", "notes": (), "state": ("declaration", "accepted")},
        ],
        "more_url": "?all",
    }
]


def search_page(**changes: Any) -> Data:
    blank = {"nav": "search", "query": "", "shown": "", "refusal": "", "groups": [], "page": None}
    return blank | changes


TRAINING = {
    "title": "Excel <avancé>", "provider": "École & <Fils>", "starts_on": date(2025, 3, 1), "ends_on": date(2025, 3, 2),
    "duration_minutes": 456, "charged": "1 day (7 h 36)",
}  # fmt: skip
ACCOUNT = {
    "worker": WORKER,
    "employer": EMPLOYER,
    "niss": "85.07.30-***.**",
    "first": 2025,
    "last": 2026,
    "contracts": CONTRACTS,
    "years": [
        {
            **RIGHT,
            "path": [Told("Size", "50 <FTE>", "5 days"), Told("Without", "a figure")],
            "trainings": [TRAINING],
        },
        {**UNKNOWN, "path": [], "trainings": []},
    ],
}


REGISTER_PAGES: dict[str, tuple[str, Data]] = {
    "account": (
        "submissions/account.html",
        {"nav": "employers", "account": ACCOUNT, "choices": [2026, 2025], "asked": [ASKED]},
    ),
    "empty account": (
        "submissions/account.html",
        {
            "nav": "employers",
            "account": {**ACCOUNT, "contracts": [], "years": []},
            "choices": [2026, 2025],
            "asked": [],
        },
    ),
    "search": ("submissions/search.html", search_page()),
    "search that found": ("submissions/search.html", search_page(query='"><i>', groups=GROUPS)),
    "search of all workers": (
        "submissions/search.html",
        search_page(query="o'connor", groups=GROUPS, page=page_of(GROUPS)),
    ),
    "search of a number": ("submissions/search.html", search_page(shown="85.07.30-***.**", groups=GROUPS)),
    "search of no number": ("submissions/search.html", search_page(refusal="This number has <10> digits.")),
    "search in vain": ("submissions/search.html", search_page(query="nobody")),
    "workers": ("submissions/worker_list.html", workers_page(ROWS, '"><i>')),
    "no workers": ("submissions/worker_list.html", workers_page([])),
    "no such worker": ("submissions/worker_list.html", workers_page([], "nobody")),
    "add a worker": (
        "submissions/worker_form.html",
        {
            "nav": "employers",
            "employer": EMPLOYER,
            "worker": None,
            "form": WorkerForm({"family_name": "<asks>"}),
        },
    ),
    "change a worker": (
        "submissions/worker_form.html",
        {
            "nav": "employers",
            "employer": EMPLOYER,
            "worker": WORKER,
            "form": NamesForm({"given_name": "<a>"}),
        },
    ),
    "worker": ("submissions/worker_detail.html", worker_page()),
    "new worker": ("submissions/worker_detail.html", worker_page(former=[], contracts=[], events=[])),
    "add a contract": (
        "submissions/contract_form.html",
        contract_page(ContractForm(follows=CONTRACT), is_new=True),  # type: ignore[arg-type]
    ),
    "change a contract": (
        "submissions/contract_form.html",
        contract_page(ContractForm({"regime": "<a>"}, contract=CONTRACT), is_new=False),  # type: ignore[arg-type]
    ),
    "right": ("submissions/right.html", right_page()),
    "right that is not known": (
        "submissions/right.html",
        right_page(right=UNKNOWN, decisions=[], form=DecisionForm({"minutes": "<x>"})),
    ),
    "size": ("submissions/employer_size.html", size_page()),
    "no size": ("submissions/employer_size.html", size_page(sizes=[], committees=[], agreements=[])),
    "agreements": (
        "submissions/agreement_list.html",
        {"nav": "employers", "page": page_of(AGREEMENTS), "may_change": True},
    ),
    "no agreements": (
        "submissions/agreement_list.html",
        {"nav": "employers", "page": page_of([]), "may_change": False},
    ),
    "add an agreement": (
        "submissions/agreement_add.html",
        {"nav": "employers", "form": AgreementForm({"number": "<asks>"}), "committees": COMMITTEES},
    ),
}
