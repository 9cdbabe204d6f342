"""What the views give to the pages of things to do, with invented data; see `sample_pages`."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from submissions.fields import BY_NAME
from submissions.views.correct_form import CorrectForm
from submissions.wire.finding import RawLine
from tests.portal.sample_mandates import EVENTS
from tests.portal.sample_pages import CHIPS, ROWS, ago, page_of

type Data = dict[str, Any]

TITLE = "Training after the <worker> left"
ROW: Data = {
    "title": TITLE,
    "todo": "If the last day is wrong, correct it & declare again.",
    "tone": "bad",
    "url": "/problem/1?service=FLA&code=99004-152&tag=EndDate",
    "employer_name": "Hotel <Meir>",
    "employer_number": "0897223670",
    "service": "Federal Learning Account",
    "count": 1204,
    "since": ago(hours=50),
    "days": 2,
    "deadline": date(2026, 1, 31),
    "is_late": True,
    "is_near": False,
    "owner": "Zoë <Peeters>",
    "snoozed_until": None,
}
NOBODY: Data = {
    **ROW,
    "tone": "warn",
    "deadline": None,
    "is_late": False,
    "owner": "",
    "snoozed_until": date(2026, 2, 1),
}


def list_page() -> Data:
    return {
        "nav": "to_correct",
        "chips": CHIPS,
        "state": "",
        "query": '"><i>',
        "cause": TITLE,
        "is_remarks": False,
        "hidden": {"code": "99004-152"},
        "kept": {"code": "99004-152", "tag": "EndDate"},
        "export_url": "/to-correct/export/",
        "page": page_of([ROW, NOBODY, {**ROW, "is_late": False, "is_near": True, "days": 1}]),
    }


def _form() -> CorrectForm:
    record = SimpleNamespace(ends_on=date(2025, 10, 2), changed_at=ago(hours=9))
    rows: Any = [SimpleNamespace(pk=pk, record=record) for pk in (1, 2)]
    return CorrectForm(rows, BY_NAME["ends_on"])


def acts(**changes: Any) -> Data:
    names = ("correct", "again", "accept", "assign", "snooze", "close", "reopen", "comment")
    return {
        **{name: f"/problem/1/{name}/?service=FLA" for name in names},
        "people": [{"pk": 3, "name": "Zoë <Peeters>"}],
        "me": 3,
        "owner_pk": None,
        "is_own": False,
        "is_snoozed": False,
        "snoozed_until": None,
        "tomorrow": date(2026, 1, 2),
        "company_note": "The people of this client read it too.",
        **changes,
    }


def detail_page(**changes: Any) -> Data:
    form = _form()
    controls = list(form.controls().values())
    page = page_of(ROWS, 3)
    return {
        "nav": "to_correct",
        "employer": SimpleNamespace(pk=1, name="Hotel <Meir>", number="0897223670"),
        "employer_url": "/employer/1",
        "wording": {
            "title": TITLE,
            "what": "On the last day & after.",
            "todo": "Correct it.",
            "correction": "The <declaration>",
        },
        "code": "99004-152",
        "item": ROW,
        "refused": 2,
        "remarked": 1,
        "page": page,
        "rows": [
            {**row, "control": control, "row_pk": pk, "file_url": ""}
            for pk, (row, control) in enumerate(zip(ROWS, controls, strict=False), 1)
        ],
        "remark_rows": ROWS[:1],
        "form": form,
        "for_all": form["all"],
        "raw": {
            "found": RawLine("<AnomalyReport>\n  <ErrorID>99004-152</ErrorID>\n</AnomalyReport>", 7),
            "facts": [("ErrorID", "99004-152")],
            "file_name": "FO.NOTI.104217.20251001.A0001.S",
            "file_url": "/files/1/",
            "at": ago(hours=3),
        },
        "owner": "Zoë <Peeters>",
        "events": EVENTS,
        "acts": acts(),
        "back": "/to-correct/",
        **changes,
    }


def done_page() -> Data:
    nothing = dict.fromkeys(("correct", "again", "accept", "assign", "snooze", "close"), "")
    return detail_page(
        item=None, refused=0, remarked=0, rows=[], remark_rows=[], form=None, for_all=None, raw=None, owner="",
        page=page_of([]), acts=acts(**nothing, people=[]),
    )  # fmt: skip


def elsewhere_page() -> Data:
    found: Any = detail_page()["raw"]
    return detail_page(
        form=None, for_all=None, remarked=0, remark_rows=[], raw={**found, "found": None},
        rows=[{**ROWS[0], "control": None, "row_pk": 1, "file_url": "/files/new/?corrects=1"}],
        acts=acts(is_snoozed=True, snoozed_until=date(2026, 2, 1), is_own=True, owner_pk=3),
    )  # fmt: skip


PROBLEM_PAGES: dict[str, tuple[str, Data]] = {
    "to correct": ("submissions/problem_list.html", list_page()),
    "nothing to correct": (
        "submissions/problem_list.html",
        {**list_page(), "page": page_of([]), "cause": "", "query": "", "hidden": {}},
    ),
    "problem": ("submissions/problem_detail.html", detail_page()),
    "problem elsewhere": ("submissions/problem_detail.html", elsewhere_page()),
    "problem that is done": ("submissions/problem_detail.html", done_page()),
}
