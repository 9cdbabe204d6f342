"""The list of things to do, the page of one of them, and its buttons."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from lxml import html

from portal.models import Event, Profile
from submissions import deciding, problems
from submissions.models import Declaration, Problem, TrainingRecord
from submissions.problems import Key
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person, signed_in
from tests.submissions import answers_about, scenes
from tests.submissions.test_views_declarations import rows
from tests.submissions.wire.answer_samples import noti

pytestmark = pytest.mark.django_db

LEFT = ("99004-152", "ends_on")


def key_of(declaration: Declaration, code: str = "99004-152", tag: str = "EndDate") -> Key:
    return Key(declaration.employer_id, "FLA", code, tag)


def page(client: Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return html.document_fromstring(answer.content.decode())


def said(client: Client, address: str, **data: str) -> str:
    """Presses a button and reads what the next page says."""
    answer = client.post(address, data, follow=True)
    assert answer.status_code == 200
    tree = html.document_fromstring(answer.content.decode())
    return " ".join(" ".join(found.text_content().split()) for found in tree.find_class("message"))


def text_of(tree: Any) -> str:
    return " ".join(tree.xpath("//main")[0].text_content().split())


# --- the list -------------------------------------------------------------------------------------


def test_one_row_for_each_problem_narrowed_by_cause_and_client(operator: Person) -> None:
    with operator.scope():
        channel, client = factories.channel(), factories.client(name="Boulangerie Delvaux")
        scenes.refused(LEFT, through=channel, of=client)
        scenes.refused(("99003-152", "starts_on"), LEFT, through=channel, of=client)
        scenes.refused(("98765-999", "WhoKnows"), through=channel, of=factories.client(name="Hotel Meir"))
    assert len(rows(operator, "/to-correct/")) == 3
    (row,) = rows(operator, "/to-correct/?code=99004-152&tag=EndDate")
    assert "Training after the worker left" in row
    assert "Boulangerie Delvaux" in row
    assert " 2 " in row
    assert rows(operator, "/to-correct/?code=99003-152&tag=EndDate") == []
    (unknown,) = rows(operator, "/to-correct/?q=meir")
    assert "98765-999" in unknown
    assert len(rows(operator, f"/to-correct/?q={client.number}")) == 2


def test_mine_put_off_and_remarks(operator: Person) -> None:
    with operator.scope():
        channel = factories.channel()
        one, two = (scenes.refused(through=channel, of=factories.client()) for _ in range(2))
        me = operator.user.memberships.get()
        deciding.assign(key_of(one), me)
        deciding.snooze(key_of(two), timezone.localdate() + timedelta(days=2))
        (remarked,) = scenes.acknowledged(through=channel).declarations.all()
        remark = [("99005-420", "duration_minutes")]
        scenes.answer(remarked, DeclarationState.ACCEPTED_WITH_REMARKS, remark, anomaly_class="W")
    states = {"": 1, "mine": 1, "later": 1, "remarks": 1, "no-such": 1}
    assert {state: len(rows(operator, f"/to-correct/?state={state}")) for state in states} == states
    assert "Lou Essai" in rows(operator, "/to-correct/?state=mine")[0]
    assert "put off until" in rows(operator, "/to-correct/?state=later")[0]
    assert "Remark" in rows(operator, "/to-correct/?state=remarks")[0]


def test_a_list_has_pages_of_fifty_and_asks_the_same(operator: Person) -> None:
    with operator.scope():
        batch = scenes.acknowledged(51, of=factories.client())
        for number, declaration in enumerate(batch.declarations.all()):
            scenes.answer(declaration, DeclarationState.REFUSED, [(f"{number:05}-152", "ends_on")])
    assert len(rows(operator, "/to-correct/")) == 50
    assert len(rows(operator, "/to-correct/?page=2")) == 1
    with CaptureQueriesContext(connection) as queries:
        operator.client.get("/to-correct/")
    assert len([q for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]) <= 10


# --- one ------------------------------------------------------------------------------------------


def test_the_page_says_what_happened_why_and_what_to_do_with_the_field_open(operator: Person) -> None:
    with operator.scope():
        batch = answers_about.dropped(1)
        (declaration,) = batch.declarations.all()
        report = (
            "<AnomalyReport><ErrorID>99004-152</ErrorID><TagName>EndDate</TagName>"
            "<Value>2025-03-04</Value><AnomalyClass>B</AnomalyClass></AnomalyReport>"
        )
        answers_about.receive(batch, noti(answers_about.verdict(declaration, "0", anomalies=report)))
        record = declaration.record
        assert record
        niss = record.worker.niss
    tree = page(operator.client, key_of(declaration).url())
    told = text_of(tree)
    assert "Social security refused 1 declaration on" in told
    assert "On the last day of the training the worker was no longer employed there" in told
    assert "If the last day is wrong, correct it." in told
    assert "The legal day to declare, 01/09/2025, has passed" in told
    (field,) = tree.xpath("//input[@autofocus]")
    assert (field.get("name"), field.get("value")) == (f"value_{declaration.pk}", "04/03/2025")
    (raw,) = tree.xpath("//pre")
    assert "<Value>2025-03-04</Value>" in raw.text_content()
    assert niss not in html.tostring(tree).decode()


def test_correcting_one_is_one_form(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        key = key_of(refusal)
    form = {f"value_{refusal.pk}": "03/03/2025", "how": "each"}
    told = said(operator.client, key.url("problem_correct"), **form)
    assert told == "1 declaration is corrected and ready. It leaves within a minute."
    with operator.scope():
        new = Declaration.objects.get(replaces=refusal)
        assert new.state == DeclarationState.READY
        assert TrainingRecord.objects.get(pk=refusal.record_id).ends_on == date(2025, 3, 3)
        assert Event.objects.get(verb="problem.corrected").data == {"count": 1}
    assert "Nothing is left to do here" in text_of(page(operator.client, key.url()))
    assert rows(operator, "/to-correct/") == []


def test_in_bulk_all_get_the_value_and_those_that_cannot_are_told(operator: Person) -> None:
    with operator.scope():
        client = factories.client()
        batch = scenes.acknowledged(3, of=client)
        refused = [
            scenes.answer(one, DeclarationState.REFUSED, [LEFT]) for one in batch.declarations.order_by("pk")
        ]
        late = refused[0].record
        assert late
        TrainingRecord.objects.filter(pk=late.pk).update(starts_on=date(2025, 6, 2), ends_on=date(2025, 6, 3))
        key = key_of(refused[0])
    form = {f"value_{one.pk}": "04/03/2025" for one in refused}
    told = said(operator.client, key.url("problem_correct"), how="all", all="05/03/2025", **form)
    assert "2 declarations are corrected and ready." in told
    assert "1 cannot take this value and stays as it was: The last day is before the first day" in told
    with operator.scope():
        assert problems.refused(key).count() == 1
        assert Declaration.objects.filter(replaces__isnull=False).count() == 2


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("31/02/2025", "Such as 21/11/2026"),
        ("", "Fill in this field"),
        ("01/01/1801", "The year 1801 cannot be right"),
        ("02/03/2025", "The last day is before the first day"),
    ],
)
def test_a_wrong_value_comes_back_with_its_fault_and_nothing_is_declared(
    operator: Person, value: str, sentence: str
) -> None:
    with operator.scope():
        refusal = scenes.refused()
    address = key_of(refusal).url("problem_correct")
    answer = operator.client.post(address, {f"value_{refusal.pk}": value, "how": "each"})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert f'value="{value}"' in answer.content.decode() or not value
    with operator.scope():
        assert not Declaration.objects.filter(replaces=refusal).exists()


def test_what_somebody_else_changed_is_not_overwritten(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        key = key_of(refusal)
    (seen,) = page(operator.client, key.url()).xpath(f"//input[@name='seen_{refusal.pk}']/@value")
    with operator.scope():
        record = TrainingRecord.objects.get(pk=refusal.record_id)
        record.nature = "Other"
        record.save()
    form = {f"value_{refusal.pk}": "03/03/2025", f"seen_{refusal.pk}": seen, "how": "each"}
    answer = operator.client.post(key.url("problem_correct"), form)
    assert answer.status_code == 422
    assert "Somebody else changed this training meanwhile" in answer.content.decode()


def test_an_unchanged_value_is_declared_again_as_it_is_by_the_other_button(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        key = key_of(refusal)
    form = {f"value_{refusal.pk}": "04/03/2025", "how": "each"}
    assert "Nothing was changed" in said(operator.client, key.url("problem_correct"), **form)
    assert "1 declaration is corrected and ready" in said(operator.client, key.url("problem_again"))
    assert said(operator.client, key.url("problem_again")) == ""
    with operator.scope():
        assert Declaration.objects.filter(replaces=refusal).count() == 1


def test_what_stands_on_a_later_page_is_corrected_there(operator: Person) -> None:
    with operator.scope():
        batch = scenes.acknowledged(52, of=factories.client())
        refused = [
            scenes.answer(one, DeclarationState.REFUSED, [LEFT]) for one in batch.declarations.order_by("pk")
        ]
        key = key_of(refused[0])
    tree = page(operator.client, key.url() + "&page=2")
    (form,) = tree.xpath("//form[contains(@action, '/correct/')]")
    names = [name for name in form.xpath(".//input/@name") if name.startswith("value_")]
    assert len(names) == 2
    sent = dict.fromkeys(names, "04/03/2025") | {names[0]: "03/03/2025", "how": "each"}
    assert "1 declaration is corrected and ready" in said(operator.client, form.get("action"), **sent)
    told = said(operator.client, form.get("action"), **{names[0]: "02/03/2025", "how": "each"})
    assert "somebody else was faster" in told


def test_a_mandate_is_mended_elsewhere_then_all_are_declared_again(operator: Person) -> None:
    with operator.scope():
        batch = scenes.acknowledged(3)
        for one in batch.declarations.all():
            scenes.answer(one, DeclarationState.REFUSED, [("00011-155", "CompanyID")])
        key = key_of(one, "00011-155", "CompanyID")
    tree = page(operator.client, key.url())
    assert "What is wrong is not in the training" in text_of(tree)
    assert not tree.xpath("//input[@autofocus]")
    assert "3 declarations are corrected and ready" in said(operator.client, key.url("problem_again"))


def test_a_worker_who_is_unknown_gets_the_right_number(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused(("00024-179", "INSS"))
        key, record, right = key_of(refusal, "00024-179", "INSS"), refusal.record, factories.new_niss()
        assert record
        former = record.worker.niss
    shown = operator.client.get(key.url()).content.decode()
    assert former not in shown
    name = f"value_{refusal.pk}"
    for wrong, sentence in (("123", "11 digits"), (former, "nothing would change")):
        answer = operator.client.post(key.url("problem_correct"), {name: wrong})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    told = said(operator.client, key.url("problem_correct"), **{name: right})
    assert "1 declaration is corrected and ready" in told
    with operator.scope():
        record.worker.refresh_from_db()
        assert record.worker.niss == right
        assert Declaration.objects.filter(replaces=refusal).count() == 1


def test_deciding_on_it(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        key, me = key_of(refusal), operator.user.memberships.get()
    client = operator.client
    said(client, key.url("problem_assign"), owner=str(me.pk))
    assert "Lou Essai works on it" in text_of(page(client, key.url()))
    said(client, key.url("problem_assign"), owner="")
    assert "Lou Essai works on it" not in text_of(page(client, key.url()))
    said(client, key.url("problem_comment"), text="Asked <the> client.")
    assert "Asked <the> client." in text_of(page(client, key.url()))
    assert "Write something" in said(client, key.url("problem_comment"), text=" ")
    assert "from tomorrow on" in said(client, key.url("problem_snooze"), until="2020-01-01")
    assert "from tomorrow on" in said(client, key.url("problem_snooze"), until="x")
    until = timezone.localdate() + timedelta(days=5)
    assert "Put off" in said(client, key.url("problem_snooze"), until=until.isoformat())
    said(client, key.url("problem_snooze"), until="")
    assert "Give a reason" in said(client, key.url("problem_close"), reason="")
    assert "Closed: 1 refusal is settled" in said(
        client, key.url("problem_close"), reason="Never took place."
    )
    assert "Never took place." in text_of(page(client, f"/records/{refusal.record_id}/"))
    assert "Opened again" in said(client, key.url("problem_reopen"))
    assert len(rows(operator, "/to-correct/")) == 1


def test_the_journal_tells_all_of_it(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused(of=factories.client(name="Hotel Meir"))
        key = key_of(refusal)
        deciding.assign(key, operator.user.memberships.get())
        deciding.comment(key, "Asked.")
        deciding.close(key, "No.")
    told = text_of(page(operator.client, "/journal/?kind=declarations"))
    assert "Lou Essai gave “Training after the worker left” of Hotel Meir to Lou Essai" in told
    assert "Lou Essai wrote about “Training after the worker left” of Hotel Meir" in told
    assert "Lou Essai closed “Training after the worker left” of Hotel Meir" in told


ACTS = ("correct", "again", "accept", "assign", "snooze", "close", "reopen")


@pytest.mark.parametrize("act", ACTS)
def test_the_colleague_may_not(operator: Person, colleague: Person, act: str) -> None:
    with operator.scope():
        refusal = scenes.refused()
    key = key_of(refusal)
    assert colleague.client.post(key.url(f"problem_{act}"), {"reason": "Mine"}).status_code == 403
    assert not page(colleague.client, key.url()).xpath(f"//form[contains(@action, '/{act}/')]")
    with operator.scope():
        assert not Problem.objects.exists()


def test_who_corrects_takes_what_nobody_has_and_leaves_the_rest(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
        key = key_of(refusal)
    clerk = signed_in(operator.mandataire, Profile.ADMINISTRATIVE, "clerk")
    with operator.scope():
        own, other = clerk.user.memberships.get().pk, operator.user.memberships.get()
    assert clerk.client.post(key.url("problem_assign"), {"owner": str(other.pk)}).status_code == 403
    assert clerk.client.post(key.url("problem_assign"), {"owner": str(own)}).status_code == 302
    with operator.scope():
        deciding.assign(key, other)
    assert clerk.client.post(key.url("problem_assign"), {"owner": str(own)}).status_code == 403
    with operator.scope():
        assert Problem.objects.get().owner == other


def test_the_stranger_finds_nothing(operator: Person, stranger: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
    for name in ("problem", *(f"problem_{act}" for act in ACTS), "problem_comment"):
        ask = stranger.client.get if name == "problem" else stranger.client.post
        assert ask(key_of(refusal).url(name)).status_code == 404


def test_at_the_client_he_corrects_his_own_and_decides_nothing_of_the_office(operator: Person) -> None:
    with operator.scope():
        channel, own = factories.channel(), factories.client(name="Hotel Meir")
        refusal = scenes.refused(through=channel, of=own)
        scenes.refused(through=channel, of=factories.client(name="Other"))
        at_client = factories.place(operator.mandataire, Profile.ADMINISTRATIVE, employer=own)
    client = Client()
    client.force_login(at_client.user)
    key = key_of(refusal)
    told = text_of(page(client, "/to-correct/"))
    assert "Training after the worker left" in told
    assert "Other" not in told
    assert "Put off" not in told
    tree = page(client, key.url())
    assert not tree.xpath("//pre")
    for act in ("assign", "snooze", "close", "reopen", "accept"):
        assert client.post(key.url(f"problem_{act}"), {"reason": "x"}).status_code == 403
    assert "1 declaration is corrected" in said(
        client, key.url("problem_correct"), how="each", **{f"value_{refusal.pk}": "03/03/2025"}
    )
    said(client, key.url("problem_comment"), text="It was the third of March.")
    with operator.scope():
        assert Event.objects.get(verb="problem.commented").reason == "It was the third of March."


def test_nothing_there_leads_back_to_the_list(operator: Person) -> None:
    with operator.scope():
        employer = factories.employer()
    answer = operator.client.get(reverse("problem", args=[employer.pk]))
    assert (answer.status_code, answer["Location"]) == (302, "/to-correct/")
    key = Key(employer.pk, "FLA", "99004-152", "EndDate")
    assert operator.client.post(key.url("problem_comment"), {"text": "x"})["Location"] == "/to-correct/"


def test_the_page_asks_the_same_however_many_declarations(operator: Person) -> None:
    def asked(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert operator.client.get(address).status_code == 200
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    with operator.scope():
        channel = factories.channel()
        few, many = scenes.acknowledged(2, through=channel), scenes.acknowledged(30, through=channel)
        for batch in (few, many):
            for one in batch.declarations.all():
                scenes.answer(one, DeclarationState.REFUSED, [LEFT])
        addresses = [key_of(batch.declarations.first()).url() for batch in (few, many)]  # type: ignore[arg-type]
    assert asked(addresses[0]) == asked(addresses[1]) <= 22


def test_the_way_from_home_leads_to_the_item_itself(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused()
    links = page(operator.client, "/").xpath("//a[contains(@class, 'todo-action')]/@href")
    assert key_of(refusal).url() in links
