"""The pages of an import: the upload, the preview, the decision, the progress, and the files that come back."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html

from mandates import tasks
from mandates.importing import applying, columns, exporting, keeping
from mandates.importing.columns import COLUMNS
from mandates.models import Mandate, MandateImport
from portal.models import Event, MandateProfile
from portal.spreadsheets import reading
from tests import factories
from tests.mandates import scenes
from tests.mandates.workbooks import workbook
from tests.people import Person
from tests.submissions.test_views_declarations import messages_after
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db
UPLOAD = "/mandates/imports/"
NUMBER = "0897223670"
GOOD = f"{NUMBER};Delvaux;;;FLA;2026Q1;"
BAD = "8,97E+08;Meir;;;FLA;2026Q1;"


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was enqueued: there is no broker here, and what the task does is tested without one."""
    enqueued: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks.apply_import, "delay", lambda *given: enqueued.append(given))
    return enqueued


def send(person: Person, content: bytes, name: str = "Mandats é.csv") -> Any:
    return person.client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})


def preview(person: Person, *rows: str) -> MandateImport:
    with person.scope():
        return scenes.imported(scenes.rows_of(*rows))


def buttons(tree: Any) -> list[str]:
    """What the buttons of the head say."""
    found = tree.xpath("//*[contains(@class, 'page-head')]//*[contains(@class, 'button')]")
    return [" ".join(one.text_content().split()) for one in found]


# --- uploading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_becomes_a_preview_that_says_how_it_was_read(operator: Person, kind: str) -> None:
    text = scenes.rows_of(GOOD)
    book = workbook([scenes.HEADINGS.split(";"), [897223670, "Delvaux", None, None, "FLA", "2026Q1"]])
    answer = send(operator, text.encode("cp1252") if kind == "csv" else book, f"Mandats.{kind}")
    with operator.scope():
        made = MandateImport.objects.get()
        assert made.content == (text.encode() if kind == "csv" else book)
    assert answer["Location"] == f"{UPLOAD}{made.pk}/"
    shown = main_text(page_of(operator, answer["Location"]))
    assert ("UTF-8, separated by semicolons" if kind == "csv" else "workbook, first sheet") in shown
    assert "1 good row of 1" in shown
    assert "0897.223.670" in shown
    assert "new client" in shown


def test_bad_rows_are_shown_first_each_with_its_fields(operator: Person) -> None:
    answer = send(operator, scenes.rows_of(GOOD, BAD).encode())
    assert answer["Location"].endswith("?state=bad")
    tree = page_of(operator, answer["Location"])
    (row,) = tree.xpath("//main//tbody/tr")
    text = " ".join(row.text_content().split())
    assert text.startswith("3 Meir 8,97E+08")
    assert "Enterprise number 8,97E+08 A spreadsheet has rounded this number" in text
    chips = [" ".join(chip.text_content().split()) for chip in tree.find_class("chip")]
    assert chips == ["All 2", "To correct 1", "Good 1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "Choose a file of mandates"),
        (b"", "Choose a file of mandates"),
        (b"Nom;Prenom\nA;B\n", "These columns are missing: Enterprise number, Service, First quarter"),
        (workbook([["Name", "Service"], ["=1+1", "FLA"]]), "holds formulas"),
        (b"x" * (reading.MAX_BYTES + 1), "too large"),
        (b"x" * 6_000_001, "Choose a file of mandates"),  # not even received
    ],
)
def test_a_file_that_will_not_do_gets_its_sentence_at_the_field(
    operator: Person, content: bytes | None, said: str
) -> None:
    answer = operator.client.post(UPLOAD) if content is None else send(operator, content)
    assert answer.status_code == 422
    tree = html.document_fromstring(answer.content.decode())
    assert said in tree.get_element_by_id("id_file_error").text_content()
    with operator.scope():
        assert not MandateImport.objects.exists()


def test_the_same_file_again_says_so_and_leads_to_the_first(operator: Person) -> None:
    first, second = preview(operator, GOOD), preview(operator, GOOD)
    assert "byte for byte" not in main_text(page_of(operator, f"{UPLOAD}{first.pk}/"))
    tree = page_of(operator, f"{UPLOAD}{second.pk}/")
    assert "byte for byte" in main_text(tree)
    assert f"{UPLOAD}{first.pk}/" in tree.xpath("//main//*[contains(@class, 'message')]//a/@href")


# --- deciding -------------------------------------------------------------------------------------


def test_the_two_buttons_of_a_good_file(operator: Person, woken: list[tuple[str, int]]) -> None:
    with operator.scope():
        rows = [f"{factories.new_enterprise_number()};A;;;FLA;2026Q1;" for _ in range(2)]
    made = preview(operator, *rows)
    address = f"{UPLOAD}{made.pk}/"
    tree = page_of(operator, address)
    assert buttons(tree)[:2] == ["Import all 2 rows, or none", "Import the 2 good rows"]
    wholes = tree.xpath("//form[contains(@action, '/apply/')]")
    assert [form.xpath(".//input[@name='whole']/@value") for form in wholes] == [["1"], []]
    with TestCase.captureOnCommitCallbacks(execute=True):
        operator.client.post(f"{address}apply/", {"whole": "1"})
    assert woken == [(str(operator.mandataire.pk), made.pk)]
    with operator.scope():
        made.refresh_from_db()
        assert (made.state, made.is_whole, made.applied_by) == ("applying", True, operator.user.pk)
        assert Event.objects.get(verb="import.started").actor_name == "operator"


def test_with_a_bad_row_only_the_good_ones_are_offered(operator: Person) -> None:
    made = preview(operator, GOOD, BAD)
    found = buttons(page_of(operator, f"{UPLOAD}{made.pk}/"))
    assert found[:3] == ["Import the good row", "Download the rows to correct", "Throw away"]
    told = messages_after(operator, f"{UPLOAD}{made.pk}/apply/", whole="1")
    assert "Somebody else was faster" in told
    with operator.scope():
        assert MandateImport.objects.get().state == "checked"


def test_a_preview_is_thrown_away_after_a_question(operator: Person) -> None:
    made = preview(operator, BAD)
    tree = page_of(operator, f"{UPLOAD}{made.pk}/")
    (question,) = tree.xpath("//details[.//form[contains(@action, '/discard/')]]")
    assert "no mandate is touched" in question.text_content()
    assert not question.xpath(".//textarea")
    assert "Thrown away: mandats.csv" in messages_after(operator, f"{UPLOAD}{made.pk}/discard/")
    assert operator.client.get(f"{UPLOAD}{made.pk}/").status_code == 404


def test_what_is_applied_is_not_thrown_away(operator: Person) -> None:
    with operator.scope():
        made = scenes.applied(scenes.rows_of(GOOD))
    assert "Somebody else was faster" in messages_after(operator, f"{UPLOAD}{made.pk}/discard/")
    with operator.scope():
        assert MandateImport.objects.get() == made


# --- progress and result --------------------------------------------------------------------------


def fragment(person: Person, made: MandateImport) -> Any:
    return person.client.get(f"{UPLOAD}{made.pk}/", headers={"HX-Request": "true"})


def test_the_page_asks_again_while_rows_are_applied_and_is_whole_at_the_end(operator: Person) -> None:
    with operator.scope():
        rows = [f"{factories.new_enterprise_number()};A;;;FLA;2026Q1;" for _ in range(3)]
        made = scenes.imported(scenes.rows_of(*rows))
        applying.begin(made, is_whole=False)
    answer = fragment(operator, made)
    (part,) = html.fragments_fromstring(answer.content.decode().strip())
    assert (part.get("id"), part.get("hx-get")) == ("progress", f"{UPLOAD}{made.pk}/")
    assert part.xpath(".//progress/@max") == ["3"]
    assert "HX-Refresh" not in answer
    applying.apply(operator.mandataire.pk, made.pk)
    assert fragment(operator, made)["HX-Refresh"] == "true"
    tree = page_of(operator, f"{UPLOAD}{made.pk}/")
    assert "3 mandates of 3 made" in main_text(tree)
    assert not tree.xpath("//*[@hx-get]")
    with operator.scope():
        pages = {f"/mandates/{pk}/" for pk in Mandate.objects.values_list("pk", flat=True)}
    assert pages <= set(tree.xpath("//main//tbody//a/@href"))


def test_what_a_worker_left_is_gone_on_with_by_a_button(
    operator: Person, woken: list[tuple[str, int]]
) -> None:
    made = preview(operator, GOOD)
    with operator.scope():
        applying.begin(made, is_whole=False)
    address = f"{UPLOAD}{made.pk}/"
    assert "Nobody is at it" not in main_text(page_of(operator, address))
    with operator.scope():
        MandateImport.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert "Nobody is at it" in main_text(page_of(operator, address))
    with TestCase.captureOnCommitCallbacks(execute=True):
        operator.client.post(f"{address}apply/")
    assert woken == [(str(operator.mandataire.pk), made.pk)]
    with operator.scope():
        asked = Event.objects.filter(verb__in=("import.started", "import.resumed")).order_by("id")
        assert [event.verb for event in asked] == ["import.started", "import.resumed"]


def test_fifty_rows_a_page_and_the_same_questions_however_many(operator: Person) -> None:
    with operator.scope():
        client = factories.client()
        rows = [f"{client.number};;;;FLA;2026Q1;", "8;;;;FLA;2026Q1;"] * 60
        few, many = (scenes.imported(scenes.rows_of(*part)) for part in (rows[:2], rows))

    def asked(made: MandateImport) -> int:
        with CaptureQueriesContext(connection) as queries:
            tree = page_of(operator, f"{UPLOAD}{made.pk}/")
        assert len(tree.xpath("//main//tbody/tr")) == min(made.total, 50)
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    assert asked(few) == asked(many) <= 14


def test_the_list_shows_every_file_with_its_figures(operator: Person, stranger: Person) -> None:
    preview(operator, GOOD, BAD)
    with stranger.scope():
        scenes.imported(scenes.rows_of(BAD), "theirs.csv")
    with CaptureQueriesContext(connection) as one:
        (row,) = page_of(operator, UPLOAD).xpath("//main//tbody/tr")
    text = " ".join(row.text_content().split())
    assert text.startswith("mandats.csv Waits for your decision 2 1 0")
    for _ in range(5):
        preview(operator, GOOD)
    with CaptureQueriesContext(connection) as six:
        assert len(page_of(operator, UPLOAD).xpath("//main//tbody/tr")) == 6
    assert len(one) == len(six)


# --- files that come back -------------------------------------------------------------------------


def parsed(answer: Any) -> list[list[str]]:
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def test_the_template_holds_headings_that_are_known(operator: Person) -> None:
    (headings,) = parsed(operator.client.get(f"{UPLOAD}template/"))
    assert columns.places(headings) == {name: place for place, name in enumerate(COLUMNS)}


def test_bad_rows_come_back_with_the_reason_and_may_be_imported_once_corrected(operator: Person) -> None:
    made = preview(
        operator,
        GOOD,
        "=CMD();@evil;+32;-1;|x;%y;\t",
        "0897223671;Zéro;;;FLA;2026Q1;",
        f"{NUMBER};;;;FLA;2026Q2;",
    )
    headings, *rows = parsed(operator.client.get(f"{UPLOAD}{made.pk}/to-correct/"))
    assert headings[7:] == ["Row of the file", "What is wrong"]
    assert [row[7] for row in rows] == ["3", "4", "5"]
    assert rows[0][:6] == ["'=CMD()", "'@evil", "'+32", "'-1", "'|x", "'%y"]
    assert rows[1][0] == "'0897223671"
    assert "check digits" in rows[1][8]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "|", "%"))]
    corrected = [headings, [f"'{NUMBER}", *rows[1][1:]]]
    text = "\r\n".join(";".join(row) for row in corrected)
    with operator.scope():
        again = keeping.keep("again.csv", text.encode())
        assert (again.total, again.bad) == (1, 0)
        assert again.rows.get().number == NUMBER


@pytest.mark.parametrize(
    ("text", "kept"),
    [("=1", "'=1"), (" @x", "' @x"), ("007", "'007"), ("0897.223.670", "0897.223.670"), ("A & B", "A & B")],
)
def test_no_cell_is_a_formula_or_loses_its_zeros(text: str, kept: str) -> None:
    assert exporting.cell(text) == kept


# --- who may --------------------------------------------------------------------------------------


def test_for_the_stranger_it_does_not_exist_and_the_colleague_may_not(
    operator: Person, stranger: Person, colleague: Person
) -> None:
    made = preview(operator, GOOD, BAD)
    for person, status in ((stranger, 404), (colleague, 403)):
        for path in ("", "to-correct/"):
            assert person.client.get(f"{UPLOAD}{made.pk}/{path}").status_code == status
        for path in ("apply/", "discard/"):
            assert person.client.post(f"{UPLOAD}{made.pk}/{path}").status_code == status
    with operator.scope():
        assert MandateImport.objects.get().state == "checked"
    assert send(colleague, scenes.rows_of(GOOD).encode()).status_code == 403


@pytest.mark.parametrize("works_at_a_client", [True, False])
def test_a_file_is_not_for_whoever_is_limited_to_some_clients(
    operator: Person, client: Client, works_at_a_client: bool
) -> None:
    """It would bring in other clients: the worker applies it in the name of the whole house."""
    made = preview(operator, GOOD)
    with operator.scope():
        one = factories.client()
    limit: dict[str, Any] = {"employer": one} if works_at_a_client else {"only": [one]}
    client.force_login(factories.place(operator.mandataire, MandateProfile.MANAGE, **limit).user)
    for path in ("", "template/", f"{made.pk}/", f"{made.pk}/to-correct/"):
        assert client.get(UPLOAD + path).status_code == 403
    for path in ("", f"{made.pk}/apply/", f"{made.pk}/discard/"):
        assert client.post(UPLOAD + path).status_code == 403
    assert UPLOAD not in client.get("/mandates/").content.decode()
    assert UPLOAD in operator.client.get("/mandates/").content.decode()
    with operator.scope():
        assert MandateImport.objects.get().state == "checked"
