"""What the views give to each page, with invented data: the contract written on top of each template."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.paginator import Paginator

from submissions.fields import FIELDS
from tests.portal.sample_mandates import MANDATE_PAGES

type Data = dict[str, Any]

NOW = datetime(2026, 11, 20, 13, 12, tzinfo=UTC)
NISS = "85073003328"
TITLE = "Excel <avancé> & « tableaux croisés »"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class Operator:
    """Somebody signed in."""

    is_authenticated = True
    username = "carine"

    def get_full_name(self) -> str:
        return "Carine Dubois"

    def get_username(self) -> str:
        return "carine"


class Message:
    """A message of one level."""

    def __init__(self, level_tag: str) -> None:
        self.level_tag = level_tag

    def __str__(self) -> str:
        return f"A message of level {self.level_tag}."


def ago(**period: int) -> datetime:
    return NOW - timedelta(**period)


def batch(pk: int, state: str, accepted: int, remarks: int, refused: int, waiting: int) -> Data:
    return {
        "pk": pk,
        "at": ago(hours=pk),
        "name": f"FI.FLAD.104217.20261120.P00{pk}.S.2.1",
        "state": state,
        "environment": "S",
        "employers": 34,
        "files": 2,
        "total": accepted + remarks + refused + waiting,
        "accepted": accepted,
        "remarks": remarks,
        "refused": refused,
        "waiting": waiting,
        "ticket": "" if state == "dropped" else "3804UDVFMW3Z1",
        "reason": "",
    }


def file(name: str) -> Data:
    return {"name": name, "size": 612_345, "sha256": DIGEST, "url": f"/files/{name}"}


def row(position: int, state: str, cause: str = "") -> Data:
    return {
        "pk": position,
        "url": f"/records/{position}/",
        "note": "",
        "employer_name": "Transport & Logistique D'Haese",
        "employer_number": "0897223670",
        "worker_name": "O'Connor, Síle",
        "worker_niss": NISS,
        "title": TITLE,
        "starts_on": date(2025, 10, 2),
        "ends_on": date(2025, 10, 2 + position % 2),
        "duration_minutes": 456,
        "kind": ("original", "modification", "cancellation")[position % 3],
        "batch_pk": None if state == "ready" else 42,
        "batch_at": ago(hours=14),
        "part": 1,
        "position": position,
        "state": state,
        "environment": "" if state in ("draft", "ready") else "RST"[position % 3],
        "cause": cause,
        "cause_code": "00011-155" if cause else "",
        "todo": "Correct it." if cause else "",
        "correction": "The declaration" if cause else "",
    }


def anomaly(*, is_blocking: bool) -> Data:
    return {
        "title": "No mandate for the service",
        "code": "00011-155",
        "is_blocking": is_blocking,
        "what": "Social security knows no mandate between you and this employer.",
        "todo": "Extend the mandate, then send the declaration again.",
        "correction": "The mandate",
        "correction_url": "/employers/7/",
        "raw": [("ErrorID", "00011-155"), ("Value", "<0897223670>")],
        "file_name": "FO.NOTI.FLAD.104217.20261120.00042.S.1.1",
        "file_url": "/files/7",
        "at": ago(hours=2),
    }


STATES = (
    "refused",
    "accepted",
    "accepted_with_remarks",
    "acknowledged",
    "ready",
    "batched",
    "sent",
    "withdrawn",
    "draft",
    "tested",
)
ROWS = [row(place, STATES[place % len(STATES)], "a cause" if place % 2 else "") for place in range(1, 131)]
TONES = ("bad", "warn", "wait", "ok")
TODO = [
    {
        "tone": tone,
        "title": f"A {tone} thing",
        "sentence": "Boulangerie Delvaux (0897.223.670): 9 trainings refused.",
        "count": None if tone == "ok" else 9,
        "url": "/to-correct",
        "action": "Extend the mandate",
    }
    for tone in TONES
]
CHIPS = [
    {"label": "All", "count": 12_903, "url": "?", "is_current": False},
    {"label": "Refused", "count": None, "url": "?state=refused", "is_current": True},
]
EVENTS = [
    {"at": ago(minutes=7), "text": "320 answers applied", "actor": "", "reason": ""},
    {"at": ago(hours=9), "text": "Collected", "actor": "Carine Dubois", "reason": "A client <asks>"},
]
COLLECT = {"url": "/collect", "label": "Collect now"}
SEND_AGAIN = {
    "url": "/again",
    "label": "Send again in a new set",
    "reason_label": "Why send again?",
    "question": "The declarations go into a new set.",
    "fields": {"batch": "42"},
}
BATCHES = [
    batch(43, "dropped", 0, 0, 0, 420),
    batch(42, "acknowledged", 475, 25, 12, 308),
    batch(41, "answered", 1850, 54, 11, 0),
    batch(40, "parked", 0, 0, 0, 12),
]
CHANNEL = {
    "pk": 7,
    "name": "Channel of the secretariat",
    "state": "working",
    "host": "sftp.example.be",
    "port": 8022,
    "host_key": "SHA256:3vWb4dAKs7NQ2Lb2mYJm0cQm6nJr0hQy6hHnq7yTgE8",
    "username": "exemple",
    "quality": "Secrétariat social",
    "organisations": [],
    "sender_number": "104217",
    "environment": "S",
    "drop_folder": "INTEST-S",
    "collect_folder": "OUTTEST-S",
    "certificate": "Exemple 2026",
    "certificate_until": date(2027, 1, 1),
    "certificate_days": 41,
    "last_contact_at": ago(minutes=3),
    "last_answer_at": ago(minutes=7),
    "last_answer_kind": "NOTI",
    "last_error": "",
}
STEPS = [
    {"key": "sealed", "status": "done", "proof": ["11:00:02, signed with « Exemple 2026 »"]},
    {"key": "dropped", "status": "done", "proof": ["11:00:07, GO last"]},
    {"key": "acknowledged", "status": "failed", "proof": ["11:06:31"]},
    {"key": "answered", "status": "current", "proof": ["512 of 820", "the last at 14:08"]},
    {"key": "closed", "status": "todo", "proof": []},
]


def page_of(rows: list[Data], number: int = 1, per_page: int = 12) -> Any:
    return Paginator(rows, per_page).page(number)


def home() -> Data:
    client = {
        "name": "Hotel Meir",
        "number": "0897223670",
        "url": "?employer=3",
        "ready": 12,
        "on_its_way": 0,
    }
    return {
        "nav": "home",
        "today": date(2026, 11, 20),
        "is_moving": True,
        "next_departure": {"at": NOW + timedelta(minutes=134), "minutes": 134},
        "counters": {
            "to_correct": {"count": 23, "clients": 6, "oldest_days": 4},
            "ready": {"count": 184, "clients": 12},
            "on_its_way": {"count": 1240, "batches": 3, "acknowledged": 2},
            "accepted": {
                "count": 12_903,
                "first_time": 98.2,
                "tested": 0,
                "query": "?state=accepted&month=2026-11",
            },
        },
        "todo": TODO,
        "todo_total": 23,
        "channel": CHANNEL,
        "sees_batches": True,
        "latest_batches": BATCHES,
        "clients_count": 2,
        "clients_page": page_of([]),
        "clients": [
            {**client, "to_correct": 9, "accepted": 1201, "last_activity_at": NOW},
            {**client, "to_correct": 0, "accepted": 0, "last_activity_at": None},
        ],
        "messages": [Message(level) for level in ("success", "info", "warning", "error")],
    }


def home_of_a_beginner() -> Data:
    nothing = {
        "count": 0,
        "clients": 0,
        "oldest_days": 0,
        "batches": 0,
        "acknowledged": 0,
        "first_time": None,
        "tested": 0,
        "query": "?state=accepted&month=2026-11",
    }
    names = ("to_correct", "ready", "on_its_way", "accepted")
    return {
        **home(),
        "environment": "R",
        "next_departure": None,
        "counters": dict.fromkeys(names, nothing),
        "todo": [],
        "todo_total": 0,
        "todo_count": 0,
        "channel": None,
        "latest_batches": [],
        "clients_count": 0,
        "clients_page": page_of([]),
        "clients": [],
        "messages": [],
    }


def batch_page() -> Data:
    name = BATCHES[1]["name"]
    receipt = {"kind": "ACRF", "received_at": ago(hours=13), "state": "applied", "ticket": "3804UDVFMW3Z1"}
    notice = {"kind": "NOTI", "received_at": ago(hours=2), "state": "unmatched", "ticket": ""}
    return {
        "nav": "batches",
        "batch": BATCHES[1],
        "steps": STEPS,
        "progress": {
            "accepted": 475,
            "remarks": 25,
            "refused": 12,
            "waiting": 308,
            "last_at": ago(minutes=7),
        },
        "is_over": False,
        "actions": [COLLECT, SEND_AGAIN],
        "promotion": None,
        "refusals": [
            {
                "code": "ACRF-133",
                "title": "The name <of the file> was not accepted",
                "what": "A file of this name was sent before.",
                "todo": "Send the set again under a new name.",
                "correction": "Nothing in the declarations: the batch is sent again",
            }
        ],
        "parts": [{"number": 1, "forms": 500, "fi": file(name), "fs": file(name.replace("FI", "FS"))}],
        "answers": [{**file("FO.ACRF.1"), **receipt}, {**file("FO.NOTI.1"), **notice}],
        "drops": [{"started_at": ago(hours=14), "state": "confirmed", "detail": "GO last"}],
        "chips": CHIPS,
        "page": page_of(ROWS, 3),
        "events": EVENTS,
    }


def parked_batch() -> Data:
    nothing = {"accepted": 0, "remarks": 0, "refused": 0, "waiting": 12, "last_at": None}
    return {
        **batch_page(),
        "batch": {**BATCHES[3], "reason": "The line broke after GO: look before anything is sent again."},
        "progress": nothing,
        "is_over": True,
        "actions": [],
        "parts": [],
        "answers": [],
        "drops": [],
        "page": page_of([]),
        "events": [],
    }


def tested_batch() -> Data:
    return {
        **batch_page(),
        "batch": {**BATCHES[2], "environment": "T"},
        "is_over": True,
        "actions": [],
        "promotion": {
            "count": 1900,
            "obstacle": "The signing certificate has ended.",
            "left_out": [
                {
                    "reason": "changed since it was tested",
                    "todo": "Declare its <present> content.",
                    "count": 4,
                },
                {"reason": "refused in the test", "todo": "Correct it.", "count": 11},
            ],
            "left_out_count": 15,
            "action": SEND_AGAIN,
        },
        "page": page_of([{**shown, "fate": "Not for production"} for shown in ROWS], 1),
    }


def declaration_page() -> Data:
    return {
        "nav": "declarations",
        "chips": CHIPS,
        "leaves": ["What is ready: it leaves at 16:30 today."],
        "query": '"><i>',
        "hidden": {"state": "refused"},
        "kept": {"state": "refused", "q": '"><i>'},
        "export_url": "/declarations/export/",
        "employer": {"name": "Hotel Meir", "number": "0897223670", "clear_url": "?"},
        "page": page_of(ROWS, 3),
    }


def channel_page() -> Data:
    return {
        "nav": "channel",
        "channel": {**CHANNEL, "state": "failing", "last_error": "Nobody answers at sftp.example.be."},
        "may_set_up": True,
        "actions": [COLLECT],
        "to_look_at": 2,
    }


def fields_page() -> Data:
    service = {
        "application": "FLAD",
        "form": "FLAD001",
        "namespace": "urn:portal:fla:1",
        "root": "TrainingRecord",
    }
    return {"nav": "fields", "service": {"name": "Federal Learning Account", **service}, "fields": FIELDS}


PAGES: dict[str, tuple[str, Data]] = {
    "home": ("portal/home.html", home()),
    "home of a beginner": ("portal/home.html", home_of_a_beginner()),
    "batches": (
        "submissions/batch_list.html",
        {
            "nav": "batches",
            "page": page_of(BATCHES),
            "chips": CHIPS,
            "leaves": ["What is ready leaves soon."],
            "kept": {"state": "parked"},
        },
    ),
    "no batches": (
        "submissions/batch_list.html",
        {"nav": "batches", "page": page_of([]), "chips": [], "leaves": []},
    ),
    "batch": ("submissions/batch_detail.html", batch_page()),
    "parked batch": ("submissions/batch_detail.html", parked_batch()),
    "tested batch": ("submissions/batch_detail.html", tested_batch()),
    "declarations": ("submissions/declaration_list.html", declaration_page()),
    "channel": ("channels/channel_detail.html", channel_page()),
    "no channel": ("channels/channel_detail.html", {**channel_page(), "channel": None, "to_look_at": 0}),
    "fields": ("submissions/fields.html", fields_page()),
    **MANDATE_PAGES,
    "not found": ("404.html", {"nav": ""}),
    "not allowed": ("403.html", {"nav": "", "exception": "No.", "managers": [{"user": Operator()}]}),
}
