"""What the view gives to the page of all files, with invented data; see `sample_pages`."""

from __future__ import annotations

from typing import Any

from submissions.views.travelled import DIRECTIONS, KINDS
from tests.portal.sample_pages import CHIPS, ago, file, page_of

type Data = dict[str, Any]

ASKED = {"from": "2026-11-01", "to": "", "direction": "", "kind": "NOTI", "state": "alarm"}


def received(number: int, state: str, reason: str = "", *, alarm: str = "", caused: list[str]) -> Data:
    at = ago(hours=number * 9)
    return {
        **file(f"FO.NOTI.999999.20261120.0004{number}.S"),
        "at": at,
        "day": at.date(),
        "direction": "received",
        "kind": "NOTI",
        "environment": "S",
        "state": state,
        "alarm": alarm,
        "reason": reason,
        "caused": caused,
        "batch": {"pk": 42, "at": ago(hours=14), "state": "answered"} if state == "applied" else None,
        "replay": None if state == "applied" else {"url": f"/replay/{number}", "label": "Read again"},
    }


def file_page() -> Data:
    sent = {
        **received(1, "applied", caused=["12 forms"]),
        **file("FI.FLAD.104217.20261120.P0042.S.1.1"),
        "direction": "sent",
        "kind": "FI",
        "state": "",
    }
    return {
        "nav": "channel",
        "asked": ASKED,
        "directions": DIRECTIONS,
        "kinds": KINDS,
        "chips": CHIPS,
        "page": page_of(
            [
                sent,
                received(2, "applied", caused=["Answered 12 declarations.", "Said 2 things again."]),
                received(3, "unmatched", "It is <of a test>.", alarm="of another environment", caused=[]),
                received(4, "unreadable", "?", caused=[]),
            ]
        ),
    }


FILE_PAGES = {
    "files": ("channels/file_list.html", file_page()),
    "no files": ("channels/file_list.html", {**file_page(), "page": page_of([])}),
}
