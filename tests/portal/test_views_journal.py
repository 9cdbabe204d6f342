"""The journal: sentences, filters, going back by key, and a file that no spreadsheet executes."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from lxml import html

from portal import audit, sheets
from portal.models import Event, Membership, Profile, User
from portal.views import journal
from tests import factories
from tests.people import Person, signed_in

pytestmark = pytest.mark.django_db


def lines(answer: Any) -> list[str]:
    tree = html.document_fromstring(answer.content.decode())
    return [" ".join(p.text_content().split()) for p in tree.xpath("//ol[@class='events']/li/div/p[1]")]


def note(number: int, of: Person, verb: str = "member.blocked") -> None:
    member = Membership.objects.filter(mandataire_id=of.mandataire.pk).first()
    assert member
    for place in range(number):
        audit.record(verb, member, data={"who": f"Somebody {place:03}"})


def exported(answer: Any) -> list[list[str]]:
    content = b"".join(answer.streaming_content).decode()
    assert content.startswith("\ufeff")
    return list(csv.reader(io.StringIO(content[1:]), delimiter=";"))


# --- who ------------------------------------------------------------------------------------------


def test_managers_and_the_extended_profile_read_it_and_nobody_else(
    operator: Person, colleague: Person
) -> None:
    extended = signed_in(operator.mandataire, Profile.EXTENDED, "extended")
    clerk = signed_in(operator.mandataire, Profile.ADMINISTRATIVE, "clerk")
    for person, status in ((operator, 200), (extended, 200), (clerk, 403), (colleague, 403)):
        assert person.client.get("/journal/").status_code == status
        assert person.client.post("/journal/export/").status_code == status
        link = b'href="/journal/"' in person.client.get("/team/").content
        assert link is (status == 200)


def test_nobody_reads_the_journal_of_another_organisation(operator: Person, stranger: Person) -> None:
    with operator.scope():
        note(1, operator)
    assert lines(stranger.client.get("/journal/")) == []
    asked = {"person": str(operator.user.pk)}
    assert lines(stranger.client.get("/journal/", asked)) == []
    assert len(exported(stranger.client.post("/journal/export/", asked))) == 1


# --- what -----------------------------------------------------------------------------------------


def test_what_happened_to_everything_is_told_with_names_and_pages(operator: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch(2)
        name = str(batch.envelope)
        audit.record("employer.added", factories.employer(name="Boulangerie <Zoë>"))
        audit.record("record.changed", factories.record(title="Excel & co"), data={"fields": ["title"]})
    answer = operator.client.get("/journal/")
    told = lines(answer)
    assert told[0].startswith("Lou Essai changed “Excel & co”: ")
    assert told[1].startswith("Lou Essai added the employer Boulangerie <Zoë>")
    assert any(f"sealed the batch {name}" in line for line in told)
    assert f'href="/batches/{batch.pk}/"' in answer.content.decode()


def test_a_deleted_user_keeps_his_user_name_here(operator: Person, colleague: Person) -> None:
    with colleague.scope():
        note(1, operator)
    with operator.scope():
        Membership.objects.filter(user=colleague.user).delete()
        User.objects.filter(pk=colleague.user.pk).delete()
    assert lines(operator.client.get("/journal/"))[0].startswith("colleague blocked Somebody 000")


def test_a_personal_number_in_a_reason_is_masked(operator: Person) -> None:
    with operator.scope():
        audit.record("declaration.withdrawn", factories.declaration(), reason="Double of 85.07.30-033.28")
    shown = operator.client.get("/journal/").content.decode()
    assert "85.07.30-***.**" in shown
    assert "033.28" not in shown
    assert "033.28" not in str(exported(operator.client.post("/journal/export/")))


def test_filters_narrow_it(operator: Person, colleague: Person) -> None:
    today = timezone.localdate()
    with operator.scope():
        note(1, operator)
        audit.record("employer.added", factories.employer())
    with colleague.scope():
        note(2, operator)
    count = lambda **asked: len(lines(operator.client.get("/journal/", asked)))  # noqa: E731
    assert count() == 4
    assert count(person=str(colleague.user.pk)) == 2
    assert count(person="portal") == 0
    assert count(kind="people") == 3
    assert count(kind="clients", person=str(operator.user.pk)) == 1
    assert count(**{"from": str(today), "to": str(today)}) == 4
    assert count(to=str(today - timedelta(days=1))) == 0
    assert count(**{"from": str(today + timedelta(days=1))}) == 0


@pytest.mark.parametrize(
    "nonsense",
    [{"from": "x"}, {"to": "9999-99-99"}, {"to": "9999-12-31"}, {"person": "x"}, {"person": "9" * 40}, {"kind": "x"},
     {"before": "x"}, {"before": "9" * 40}, {"before": "²"}, {"person": "²"}],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_none(operator: Person, nonsense: dict[str, str]) -> None:
    with operator.scope():
        note(1, operator)
    assert len(lines(operator.client.get("/journal/", nonsense))) == 1


def test_pages_go_back_by_key_so_that_new_events_move_nothing(operator: Person) -> None:
    with operator.scope():
        note(journal.PER_PAGE + 10, operator)
    first = operator.client.get("/journal/?kind=people")
    assert len(lines(first)) == journal.PER_PAGE
    (older,) = html.document_fromstring(first.content.decode()).xpath("//a[@rel='next']/@href")
    assert "kind=people" in older
    with operator.scope():
        note(3, operator)
    second = operator.client.get(f"/journal/{older}")
    numbers = [line.split("Somebody ")[1][:3] for line in lines(second)]
    assert numbers == [f"{place:03}" for place in range(9, -1, -1)]
    assert not html.document_fromstring(second.content.decode()).xpath("//a[@rel='next']")


def test_a_page_of_many_kinds_keeps_to_its_queries(
    operator: Person, django_assert_max_num_queries: Any
) -> None:
    with operator.scope():
        for _ in range(3):
            batch = factories.sealed_batch(2) if not Event.objects.exists() else None
            if batch:
                note(10, operator)
        for _ in range(20):
            audit.record("employer.added", factories.employer())
            audit.record("record.changed", factories.record(), data={"fields": ["title"]})
    with django_assert_max_num_queries(24):
        assert len(lines(operator.client.get("/journal/"))) == journal.PER_PAGE


@pytest.mark.parametrize("kind", journal.KINDS)
def test_every_kind_is_a_filter(operator: Person, kind: str) -> None:
    with operator.scope():
        note(1, operator)
        batch = factories.sealed_batch()
        audit.record("file.replayed", factories.inbound(batch.channel, b"<x"))
        audit.record("batch.released", batch)
        audit.record("employer.added", factories.employer())
        audit.record("declaration.completed", factories.declaration())
        audit.record("channel.paused", batch.channel)
        kept = Event.objects.filter(subject_type__in=journal.KINDS[kind][1]).count()
    assert kept
    assert len(lines(operator.client.get("/journal/", {"kind": kind}))) == kept


def test_a_kind_of_several_objects_comes_in_one_order(
    operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of object is asked by itself; together they are the newest, over pages and chunks of the file."""
    monkeypatch.setattr(journal, "PER_PAGE", 3)
    monkeypatch.setattr(journal, "PER_CHUNK", 2)
    with operator.scope():
        worker = factories.worker()
        for number, is_worker in enumerate((False, True, True, False, False, True, False)):
            verb, subject = (
                ("worker.number_replaced", worker) if is_worker else ("employer.added", worker.employer)
            )
            audit.record(verb, subject, reason=f"R{number}")
            note(1, operator)
    pages, query = [], "?kind=clients"
    while query:
        tree = html.document_fromstring(operator.client.get(f"/journal/{query}").content.decode())
        pages.append([hint.text_content() for hint in tree.xpath("//ol[@class='events']//p[@class='hint']")])
        query = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
    assert pages == [["R6", "R5", "R4"], ["R3", "R2", "R1"], ["R0"]]
    _head, *rows = exported(operator.client.post("/journal/export/", {"kind": "clients"}))
    assert [row[4] for row in rows] == ["R6", "R5", "R4", "R3", "R2", "R1", "R0"]


# --- the file -------------------------------------------------------------------------------------


def test_the_file_holds_everything_as_filtered_and_is_itself_an_event(
    operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PER_CHUNK", 4)
    with operator.scope():
        note(10, operator)
        audit.record("employer.added", factories.employer())
    answer = operator.client.post("/journal/export/", {"kind": "people"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="journal-')
    head, *rows = exported(answer)
    assert len(head) == 8
    assert [row[5] for row in rows] == ["journal.exported"] + ["member.blocked"] * 10
    assert rows[1][2:4] == ["Lou Essai", "Lou Essai blocked Somebody 009"]
    assert all(len(row) == 8 for row in rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  =", "|", "%"])
def test_no_cell_starts_a_formula(start: str) -> None:
    assert sheets.csv_cell(f"{start}cmd()") == f"'{start}cmd()"


def test_what_people_wrote_reaches_no_spreadsheet_as_a_formula(operator: Person) -> None:
    User.objects.filter(pk=operator.user.pk).update(first_name="=HYPERLINK(1)", last_name="")
    with operator.scope():
        audit.record("batch.parked", factories.sealed_batch(), reason="=1+1")
    for row in exported(operator.client.post("/journal/export/")):
        assert not [value for value in row if value.startswith(("=", "+", "-", "@"))]


def test_looking_at_the_file_is_a_post(operator: Person) -> None:
    assert operator.client.get("/journal/export/").status_code == 405
