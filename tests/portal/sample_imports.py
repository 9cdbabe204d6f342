"""What the views give to the pages of files for the register, with invented data; see `sample_pages`."""

from __future__ import annotations

from typing import Any

from django import forms

from submissions.importing.kinds import KINDS, TABLES
from submissions.views.import_forms import KIND_WORDS
from tests.portal.sample_pages import TITLE, ago, page_of

type Data = dict[str, Any]


class Upload(forms.Form):
    """The fields of the page that takes a file; the real one asks the database for clients."""

    kind = forms.ChoiceField(label="What it holds", choices=[("workers", "Workers")])
    employer = forms.ChoiceField(label="For which client", choices=[("3", "Boulangerie <avancé>")])
    file = forms.FileField(label="File", help_text="CSV or .xlsx.")
    declares = forms.BooleanField(label="Also declare", required=False)


class Mapping(forms.Form):
    """The choices of a file with two headings."""

    column0 = forms.ChoiceField(
        label=TITLE, help_text="Such as: <x>", choices=[("", "–"), ("title", "Title")]
    )
    column1 = forms.ChoiceField(label="Column 2, without a heading", choices=[("", "–"), ("niss", "NISS")])


_PARENTS = [
    {"label": "Declarations", "url": "/declarations/"},
    {"label": "Import into the register", "url": "/imports/"},
]


def found(state: str, **changes: Any) -> Data:
    counts = {"total": 40, "bad": 2, "same": 3, "done": 0, "undone": 0, "kept": 0, "good": 35}
    return {
        "pk": 5,
        "name": f"{TITLE}.csv",
        "url": "/imports/5/",
        "note": f"Trainings · {TITLE}",
        "about": ["Trainings", TITLE, "Lou Essai"],
        "headline": "35 good rows of 40",
        "notes": ["Correct these rows in your file."],
        "facts": [("To import", 35), ("To correct", 2)],
        "state": state,
        "is_whole": False,
        "uploaded_at": ago(hours=2),
        "ended_at": None,
        "uploader": "Lou Essai",
        **counts,
        "expected": 40,
        "passed": 20,
        **changes,
    }


def detail(state: str, **changes: Any) -> Data:
    fault = {"field": "NISS", "text": f"The check digits do not fit: {TITLE}.", "typed": "850730*****"}
    page = page_of([{"line": 7, "faults": [fault, {"field": "Title", "text": "Fill in.", "typed": ""}]}])
    button = {"url": "/apply/", "label": "Import the 35 good rows", "is_main": True}
    return {
        "nav": "declarations",
        "found": found(state),
        "states": "register_import",
        "parents": _PARENTS,
        "url": "/imports/5/",
        "is_hidden": state in ("mapping", "unreadable"),
        "is_moving": state in ("checking", "applying", "undoing"),
        "refusal": "",
        "missing": [],
        "aside": [TITLE],
        "may_map": state == "checked",
        "earlier": {"url": "/imports/4/", "uploaded_at": ago(hours=30)},
        "decisions": [button] if state == "checked" else [],
        "resume": None,
        "undo": None,
        "discard": {"url": "/discard/", "label": "Throw away", "question": "The file goes."},
        "download": {"url": "/bad/", "label": "Download the rows to correct", "is_link": False},
        "kept": None,
        "page": page,
        **changes,
    }


def _kinds() -> list[Data]:
    return [
        {
            "label": KIND_WORDS[code],
            "template": f"/template/{code}/",
            "columns": [(one.label, one.is_needed, one.hint) for one in KINDS[code].columns.values()],
        }
        for code in TABLES
    ]


_LIST = {
    "nav": "declarations",
    "title": "Import into the register",
    "subtitle": "First you see what is wrong with which row.",
    "parent": _PARENTS[0],
    "states": "register_import",
    "columns_note": "Columns in any order.",
    "done_label": "Imported",
    "kinds": _kinds(),
}
_KEPT = [{"line": 3, "what": "Training", "reason": "It was sent.", "url": "/records/3"}]
_KEPT += [{"line": 4, "what": "Worker", "reason": "It is used.", "url": ""}]

IMPORT_PAGES: dict[str, tuple[str, Data]] = {
    "files for the register": (
        "imports/list.html",
        {
            **_LIST,
            "form": Upload(),
            "may_bring": True,
            "may_archive": True,
            "page": page_of([found("checked"), found("applied", done=38)]),
        },
    ),
    "no file for the register": (
        "imports/list.html",
        {**_LIST, "form": Upload({}), "page": page_of([])},
    ),
    "file for the register, checked": ("submissions/import_detail.html", detail("checked")),
    "archive of a register, checked": (
        "submissions/import_detail.html",
        detail(
            "checked",
            found=found(
                "checked", notes=["A row is a client or one of its workers.", "Mandates stay behind."]
            ),
        ),
    ),
    "archive of a register, to take": (
        "submissions/archive.html",
        {"nav": "declarations", "employers": 12, "workers": 4312, "trainings": 12903},
    ),
    "file for the register, being checked": (
        "submissions/import_detail.html",
        detail("checking", resume={"url": "/apply/", "label": "Go on now"}),
    ),
    "file for the register, undone": (
        "submissions/import_detail.html",
        detail(
            "undone",
            kept=page_of(_KEPT),
            page=None,
            found=found("undone", undone=30, kept=2, ended_at=ago(hours=1)),
        ),
    ),
    "file for the register, columns to name": (
        "submissions/import_detail.html",
        detail("mapping", missing=["Title"], page=page_of([])),
    ),
    "file for the register, unreadable": (
        "submissions/import_detail.html",
        detail("unreadable", refusal="This workbook holds macros.", page=page_of([])),
    ),
    "columns of a file": (
        "submissions/import_columns.html",
        {"nav": "declarations", "found": found("mapping"), "form": Mapping({})},
    ),
}
