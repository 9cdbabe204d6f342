"""What the views give to the pages of a training for many workers, with invented data."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.forms.utils import ErrorDict, ErrorList

from mandates.models import Employer
from submissions.fields import BY_NAME, FIELDS
from submissions.views.course_form import CourseForm
from tests.portal.sample_pages import NISS, TITLE, ago, page_of

type Data = dict[str, Any]

EMPLOYER = Employer(
    mandataire_id=UUID(int=2), pk=5, name="Transport & Logistique D'Haese", number="0897223670"
)
TYPED = {
    "key": str(UUID(int=1)),
    "draft": "",
    "title": TITLE,
    "starts_on": "02/10/2025",
    "ends_on": "03/10/2025",
    "duration_minutes": "2",
    "duration_unit": "days",
    "day_minutes": "7 h 36",
    "has_own_days": "on",
}
FACTS = {
    "title": TITLE,
    "starts_on": date(2025, 10, 2),
    "ends_on": date(2025, 10, 3),
    "duration_minutes": 912,
}


def judged(**faults: str) -> CourseForm:
    """A form that was sent, found to have these faults without asking any database."""
    form = CourseForm(EMPLOYER, TYPED)
    form.offer({"title": [TITLE], "nature": ["Sécurité"]})
    form._errors = ErrorDict({name: ErrorList([fault]) for name, fault in faults.items()})
    form.cleaned_data = {**dict.fromkeys(BY_NAME), **FACTS}
    return form


def base(step: int, form: CourseForm | None = None) -> Data:
    return {
        "nav": "course_new",
        "employer": EMPLOYER,
        "is_own": step == 2,
        "form": form or judged(),
        "step": step,
        "action": "/trainings/new/?employer=5",
        "chosen": "1,2,3",
    }


def training_page(form: CourseForm) -> Data:
    remove = {"url": "/training-templates/1/remove/", "label": "Remove", "question": "It goes."}
    return base(1, form) | {
        "templates": [
            {"name": TITLE, "is_for_all": True, "url": "?template=1", "remove": None},
            {"name": "HACCP", "is_for_all": False, "url": "?template=2", "remove": remove},
        ],
        "latest": [{"title": TITLE, "on": date(2025, 9, 1), "url": "?like=1"}],
    }


def person(pk: int, *, is_known: bool = True) -> Data:
    return {
        "pk": pk,
        "name": f"O'Connor, Síle {pk}",
        "niss": f"{NISS[:2]}.{NISS[2:4]}.{NISS[4:6]}-***.**",
        "groups": "jc:200 full" if is_known else "",
        "joint_committee": "200" if is_known else None,
        "regime": Decimal(100) if is_known else None,
        "own_day": None if pk % 2 else 432,
    }


def workers_page() -> Data:
    return base(2) | {
        "query": "síle",
        "total": 1200,
        "found": 1100,
        "not_shown": 100,
        "gone": 2,
        "groups": [{"value": "jc:200", "label": "Joint committee 200", "count": 900}],
        "rows": [person(pk, is_known=pk > 1) | {"is_chosen": pk == 2} for pk in (1, 2, 3)],
        "chosen_count": 4,
    }


def _record(pk: int) -> Data:
    return {"pk": pk, "title": TITLE, **{name: FACTS[name] for name in FACTS if name != "title"}}


def check_page(form: CourseForm) -> Data:
    marks = {"is_absent": True, "is_free": False, "is_again": True}
    clash = {"same": [_record(1)], "full": [_record(2)]}
    return base(3, form) | {
        "facts": [(column, FACTS.get(column.name)) for column in FIELDS],
        "rows": [
            person(1) | marks | {"clash": clash},
            person(2) | marks | {"clash": None},
            person(3) | marks | {"clash": None},
        ],
        "count": 40,
        "not_shown": 37,
        "same": 1,
        "full": 2,
        "silence": "There is no mandate FLA for this client. Propose one.",
        "may_keep_for_all": True,
        "template_name": TITLE,
        "is_template_for_all": True,
    }


def course_page() -> Data:
    rows = [
        _record(pk)
        | {
            "worker": {"masked_niss": person(pk)["niss"]},
            "status": "followed",
            "charged_minutes": 0,
            "state": state,
        }
        for pk, state in enumerate(("draft", "ready", "accepted", None), start=1)
    ]
    return {
        "nav": "declarations",
        "course": {"employer": EMPLOYER, "encoded_at": ago(hours=1), "encoded_by": "Carine <Dubois>"},
        "columns": BY_NAME,
        "page": page_of(rows * 30),
        "first": rows[0],
        "leaves": "It leaves at 16:30 today.",
        "again_url": "/trainings/new/?like=1",
        "ready": {"url": "/trainings/1/ready/", "label": "Make all ready to leave", "is_main": True},
        "drafts": 1,
    }


CLIENT = {"nav": "course_new", "query": '"><i>', "page": page_of([EMPLOYER])}

COURSE_PAGES: dict[str, tuple[str, Data]] = {
    "new training: client": ("submissions/course_client.html", CLIENT),
    "new training: no client": ("submissions/course_client.html", CLIENT | {"page": page_of([])}),
    "new training": ("submissions/course_training.html", training_page(judged())),
    "new training, wrongly": (
        "submissions/course_training.html",
        training_page(judged(title="Fill in this field.", funding="Choose."))
        | {"templates": [], "latest": []},
    ),
    "new training: workers": ("submissions/course_workers.html", workers_page()),
    "new training: nobody": (
        "submissions/course_workers.html",
        workers_page() | {"rows": [], "gone": 0, "not_shown": 0},
    ),
    "new training: check": ("submissions/course_check.html", check_page(judged())),
    "new training: plain check": (
        "submissions/course_check.html",
        check_page(judged()) | {"same": 0, "full": 0, "not_shown": 0, "silence": None, "template_name": ""},
    ),
    "course": ("submissions/course_detail.html", course_page()),
}
