"""What the page of the first set is given: before anything is ready, on its way, refused as a whole, and answered."""

from __future__ import annotations

from types import SimpleNamespace

from tests.portal.sample_pages import BATCHES, COLLECT, ROWS, STEPS, TODO, Data

CHANNEL = SimpleNamespace(name="Canal « Exemple »", environment="S")
PREPARING: Data = {
    "is_production": False,
    "environment": "Simulation",
    "ready": 12,
    "held_back": 0,
    "drafts": 0,
    "held": [],
    "may_hand_over": True,
    "send": {"url": "/send", "label": "Send now", "fields": {"environment": "S"}, "is_main": True},
}
NOTHING: Data = {
    **PREPARING,
    "is_production": True,
    "environment": "Production",
    "ready": 0,
    "held_back": 3,
    "drafts": 2,
    "send": None,
}


def page(**changes: object) -> tuple[str, Data]:
    """The page before anything left, and what is different."""
    nothing: Data = {
        "nav": "channel",
        "channel": CHANNEL,
        "is_answered": False,
        "is_moving": False,
        "address": "/channel/first-set/",
        "set": None,
        "collect": None,
        "preparing": None,
    }
    return "submissions/first_set.html", nothing | changes


def a_set(number: int) -> Data:
    """One set with its steps and declarations."""
    return {**BATCHES[number], "reason": "", "environment": "S", "steps": STEPS, "rows": ROWS[:2]}


FIRST_SET_PAGES: dict[str, tuple[str, Data]] = {
    "first set to prepare": page(preparing=PREPARING),
    "first set without anything": page(preparing={**NOTHING, "held": []}),
    "first set held back": page(preparing={**NOTHING, "held": TODO[:1]}),
    "first set asked for": page(preparing=PREPARING, is_moving=True),
    "first set under way": page(set=a_set(1), collect=COLLECT, is_moving=True),
    "first set answered": page(set=a_set(2), is_answered=True),
    "first set refused": page(set={**a_set(2), "state": "rejected", "rows": []}, preparing=PREPARING),
}
