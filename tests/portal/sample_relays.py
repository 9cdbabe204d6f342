"""What the views give to the pages of ready-made files and documents, with invented data; see `sample_pages`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django import forms

from submissions.views.choosing import ClientField
from submissions.views.document_form import DocumentDataForm
from submissions.views.documents import ClientForm
from tests.portal.sample_mandates import EVENTS
from tests.portal.sample_pages import NISS, ago, anomaly, page_of, row

type Data = dict[str, Any]

NAME = "dimona <octobre> & suite.xml"
WITHDRAW = {
    "url": "/withdraw/",
    "label": "Withdraw the file",
    "reason_label": "Why?",
    "question": "Nothing of it leaves.",
}


class Upload(forms.Form):
    """The fields of the page that takes a file; the real one asks the database for clients."""

    file = forms.FileField(label="File", help_text="The content of one FI.")
    service = forms.ChoiceField(label="Service", choices=[("", "As the file says"), ("DIMN", "Dimona")])
    employer = ClientField(label="Client", help_text="A part of the name.", required=False)


def file_row(pk: int, **counts: Any) -> Data:
    none = dict.fromkeys(("ready", "waiting", "accepted", "refused"), 0)
    return {
        "pk": pk,
        "name": NAME,
        "service": "Dimona",
        "at": ago(hours=pk),
        "size": 612_345,
        "forms": 12,
        "employers": 2,
        "is_withdrawn": False,
        **none,
        **counts,
    }


def of_a_file(state: str) -> Data:
    return {
        **row(1, state, "Unknown worker"),
        "title": "Dimona",
        "worker_name": "",
        "worker_niss": NISS,
        "starts_on": None,
        "ends_on": None,
        "duration_minutes": None,
        "note": "DIMONA PAY-<1>",
    }


def of_a_document() -> Data:
    return {**row(2, "ready"), "title": "Payslip", "note": "fiche <octobre>.pdf", "duration_minutes": None}


FILES = [
    file_row(1, ready=12),
    file_row(2, waiting=3, accepted=8, refused=1),
    file_row(3, is_withdrawn=True),
]


def entry(**changes: Any) -> Data:
    return {
        "pk": 1,
        "kind": "original",
        "state": "refused",
        "at": ago(hours=30),
        "sent_at": ago(hours=29),
        "answered_at": ago(hours=20),
        "ticket": "3804UDVFMW3Z1",
        "reference": "a81f02",
        "batch": {"pk": 42, "at": ago(hours=29)},
        "part": 1,
        "position": 7,
        "anomalies": [anomaly(is_blocking=True)],
        **changes,
    }


def declaration_page() -> Data:
    return {
        "nav": "declarations",
        "declaration": {**of_a_file("refused"), **entry(), "service": "Dimona"},
        "form": SimpleNamespace(identification="DIMONA", reference="PAY-<1>", position=7, line=61),
        "form_name": "A form <by its name>",
        "file": {"name": NAME, "url": "/files/2"},
        "document": None,
        "replaces": SimpleNamespace(pk=1, reference="P-OLD"),
        "replaced_by": SimpleNamespace(pk=9, reference="P-NEW"),
        "actions": [],
        "correct_url": "/files/new/?corrects=2",
        "events": EVENTS,
    }


def document_declaration_page() -> Data:
    document = SimpleNamespace(
        name="fiche <octobre>.pdf",
        size=48_000,
        sha256="ab" * 32,
        document_on=date(2026, 10, 1),
        starts_on=date(2026, 10, 1),
        ends_on=None,
        get_language_display="French",
        get_sign_status_display="Signed already",
        get_duration_code_display="Without an end",
        get_contract_type_display="Full-time",
    )
    shown = entry(state="ready", sent_at=None, answered_at=None, batch=None, anomalies=[], ticket="")
    return {
        **declaration_page(),
        "declaration": {**of_a_document(), **shown, "service": "CareerPro Documents"},
        "form": None,
        "form_name": "",
        "file": None,
        "document": document,
        "replaces": None,
        "replaced_by": None,
        "actions": [WITHDRAW],
        "correct_url": "",
        "events": [],
    }


def new_file(data: dict[str, str] | None = None) -> Data:
    is_wrong = data is not None
    upload = Upload(data)
    if is_wrong:
        upload.fields["employer"].found = [
            "Boulangerie <avancé> (0897.223.670)",
            "Boulangerie & Co (0404.183.512)",
        ]
    return {
        "nav": "relays",
        "has_channel": True,
        "form": upload,
        "corrects": {"name": NAME, "url": "/files/2"} if is_wrong else None,
        "earlier": {"name": NAME, "at": ago(hours=2), "url": "/files/2"} if is_wrong else None,
    }


class Somebody(SimpleNamespace):
    """A worker whose contracts are given."""

    def __str__(self) -> str:
        return "O'Connor, Síle"


def new_document(data: dict[str, str] | None = None, **changes: Any) -> Data:
    contract = SimpleNamespace(
        pk=4,
        joint_committee="200",
        regime=Decimal("50.00"),
        day_minutes=456,
        entered_on=date(2024, 1, 1),
        left_on=None,
    )
    contracts = SimpleNamespace(order_by=lambda *_: [contract])
    worker: Any = Somebody(pk=5, masked_niss="85.07.30-***.**", language="nl", contracts=contracts)
    employer = SimpleNamespace(pk=3, name="Boulangerie <avancé>", number="0897223670")
    return {
        "nav": "documents",
        "refusal": "",
        "employer": employer,
        "worker": worker,
        "asked": ClientForm({"client": ""}) if data else ClientForm(),
        "has_clients": True,
        "workers": [worker],
        "form": DocumentDataForm(worker, data),
        **changes,
    }


RELAY_PAGES: dict[str, tuple[str, Data]] = {
    "files": (
        "submissions/relay_list.html",
        {"nav": "relays", "page": page_of(FILES), "kept": {}, "may_hand_over": True},
    ),
    "no files": (
        "submissions/relay_list.html",
        {"nav": "relays", "page": page_of([]), "may_hand_over": False},
    ),
    "file": (
        "submissions/relay_detail.html",
        {
            "nav": "relays",
            "file": {**FILES[1], "sha256": "ab" * 32, "schema": "Dimona_20231.xsd"},
            "corrects": SimpleNamespace(pk=1, name=NAME),
            "corrected_by": [SimpleNamespace(pk=3, name=NAME)],
            "page": page_of([of_a_file("refused")]),
            "actions": [WITHDRAW],
            "correct_url": "/files/new/?corrects=2",
            "events": EVENTS,
        },
    ),
    "file without schema": (
        "submissions/relay_detail.html",
        {
            "nav": "relays",
            "file": {**FILES[0], "sha256": "ab" * 32, "schema": ""},
            "corrects": None,
            "corrected_by": [],
            "page": page_of([of_a_file("ready")]),
            "actions": [],
            "correct_url": "",
            "events": [],
        },
    ),
    "new file": ("submissions/relay_new.html", new_file()),
    "new file, refused": ("submissions/relay_new.html", new_file({"service": "X"})),
    "new file without channel": ("submissions/relay_new.html", {**new_file(), "has_channel": False}),
    "declaration of a file": ("submissions/declaration_detail.html", declaration_page()),
    "declaration of a form alone": (
        "submissions/declaration_detail.html",
        {**declaration_page(), "file": None},
    ),
    "declaration of a document": ("submissions/declaration_detail.html", document_declaration_page()),
    "documents": (
        "submissions/document_list.html",
        {"nav": "documents", "page": page_of([of_a_document()]), "kept": {}, "may_send": True},
    ),
    "no documents": (
        "submissions/document_list.html",
        {"nav": "documents", "page": page_of([]), "may_send": False},
    ),
    "new document": ("submissions/document_new.html", new_document()),
    "new document, wrongly": ("submissions/document_new.html", new_document({"category": ""})),
    "new document, which worker": ("submissions/document_new.html", new_document(worker=None, form=None)),
    "new document, which client": (
        "submissions/document_new.html",
        new_document(worker=None, form=None, employer=None),
    ),
    "new document, refused": (
        "submissions/document_new.html",
        new_document(refusal="There is no active mandate.", form=None),
    ),
}
