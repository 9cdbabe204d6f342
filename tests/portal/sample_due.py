"""What the views give to the pages of what is due, with invented data; see `sample_pages`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from submissions import deadlines
from tests.portal.sample_mandates import AT, CHIPS, NAME, due_row
from tests.portal.sample_pages import page_of

type Data = dict[str, Any]


def due_page(**changes: Any) -> Data:
    rows = [
        due_row(),
        due_row(
            7, working_day=None, is_ours=True, may_leave=False, left={"text": "9 days late", "tone": "bad"}
        ),
        due_row(8, due_on=None, is_ready=False, signed=SimpleNamespace(signed_by="Lou <Maes>", signed_at=AT)),
    ]
    return {
        "nav": "due",
        "chips": CHIPS,
        "quarters": ["20261", "20254"],
        "query": "<Delvaux>",
        "state": "ready",
        "kept": {"state": "ready", "quarter": "20254", "q": "<Delvaux>"},
        "page": page_of(rows),
        "rows": rows,
        "may_send": True,
        "rules": deadlines.RULES[:3],
        "other_rules": deadlines.RULES[3:],
        "sign_offs": [],
        **changes,
    }


def send_page(**changes: Any) -> Data:
    return {
        "nav": "due",
        "target": "R",
        "is_production": True,
        "tests": CHIPS,
        "lines_count": 2,
        "taken": 1240,
        "clients": 34,
        "left_out": [{"reason": "fields are missing", "todo": "Complete it.", "count": 3}],
        "obstacle": "",
        "fields": [("q", NAME), ("pick", "7-20254")],
        "asks_unsigned": True,
        "is_all_the_same": False,
        "back": "/due?q=x",
        **changes,
    }


DUE_PAGES: dict[str, tuple[str, Data]] = {
    "due": ("submissions/due_list.html", due_page()),
    "nothing due": (
        "submissions/due_list.html",
        due_page(page=page_of([]), rows=[], kept={}, may_send=False, query="", state=""),
    ),
    "due send": ("submissions/due_send.html", send_page()),
    "due simulate": (
        "submissions/due_send.html",
        send_page(
            target="S",
            is_production=False,
            obstacle="The channel is being set up.",
            asks_unsigned=False,
            taken=0,
        ),
    ),
    "due unsigned": ("submissions/due_send.html", send_page(is_all_the_same=True)),
}
