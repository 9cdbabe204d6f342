"""The page of what is due, and the way of what is chosen there to a test or to production."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from lxml import html

from channels.models import Channel
from mandates.models import Employer
from mandates.numbers import quarter_after, quarter_days, quarter_of
from portal.models import Profile
from portal.templatetags.presenting import quarter
from submissions import due, selecting
from submissions.models import Batch, Declaration
from submissions.states import DeclarationState
from submissions.views.due import shown
from tests import factories
from tests.people import Person, signed_in
from tests.submissions import scenes
from tests.submissions.test_signing_off import at
from tests.submissions.test_views_batches import Asked, asked
from tests.submissions.test_views_records import main_text, page_of

__all__ = ["asked"]

D = DeclarationState
NOW = quarter_of(timezone.localdate())
LAST = quarter_after(NOW, -1)


@pytest.fixture(autouse=True)
def reopened(settings: Any) -> None:
    """FLA takes declarations in production again."""
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": True})


def training(of: Employer, code: str = LAST, **fields: Any) -> Declaration:
    day = quarter_days(code)[0]
    record = factories.record(factories.worker(of), starts_on=day, ends_on=day)
    return factories.declaration(record, **fields)


@pytest.fixture
def clients(operator: Person) -> list[Employer]:
    """Two clients: of the first two are ready and one is a draft, of the second one is ready."""
    with operator.scope():
        first, second = factories.client(name="Atelier A"), factories.client(name="Boulangerie B")
        for state in (D.READY, D.READY, D.DRAFT):
            training(first, state=state)
        training(second)
        factories.channel()
    return [first, second]


def key(of: Employer, code: str = LAST) -> str:
    return f"{of.pk}-{code}"


def rows(page: html.HtmlElement) -> list[str]:
    found = page.xpath("//table[@data-rows]/tbody/tr")
    return [" ".join(row.text_content().split()).replace("\u00a0", " ") for row in found]


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def post(person: Person, **data: Any) -> list[str]:
    answer = person.client.post("/due/send/", data)
    assert answer.status_code == 302
    found = messages_of(answer)
    person.client.get("/due/")  # where they are read
    return found


# --- the page -------------------------------------------------------------------------------------


def test_each_client_has_a_line_with_its_figures_and_its_day(
    operator: Person, clients: list[Employer]
) -> None:
    page = page_of(operator, "/due/")
    first, second = rows(page)
    assert "Atelier A" in first
    assert quarter(LAST) in first
    assert "Boulangerie B" in second
    assert "our own date, not one of the law" in first
    figures = page.xpath("//table[@data-rows]/tbody/tr[1]//a[contains(@href, 'quarter=')]")
    assert [(link.text, link.get("href").rpartition("state=")[2]) for link in figures] == [
        ("2", "ready"),
        ("1", "draft"),
    ]
    for link in figures:
        opened = page_of(operator, link.get("href"))
        assert len(opened.xpath("//table[@data-rows]/tbody/tr")) == int(link.text)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Atelier A", "Boulangerie B"]),
        ("?state=draft", ["Atelier A"]),
        ("?state=refused", []),
        ("?state=nonsense", ["Atelier A", "Boulangerie B"]),
        ("?q=boulang", ["Boulangerie B"]),
        (f"?quarter={LAST}", ["Atelier A", "Boulangerie B"]),
        (f"?quarter={quarter_after(LAST, -1)}", []),
        ("?quarter=99999", ["Atelier A", "Boulangerie B"]),
        ("?state=declared", []),
    ],
)
def test_filters_narrow_the_list(
    operator: Person, clients: list[Employer], query: str, shown: list[str]
) -> None:
    found = page_of(operator, f"/due/{query}").xpath("//table[@data-rows]/tbody/tr/th/a/text()")
    assert found == shown


def test_a_client_is_found_by_its_number(operator: Person, clients: list[Employer]) -> None:
    number = clients[1].number
    spelled = f"{number[:4]}.{number[4:7]}.{number[7:]}"
    assert len(rows(page_of(operator, f"/due/?q={spelled}"))) == 1


def test_what_is_to_be_corrected_opens_without_what_was_corrected(operator: Person) -> None:
    with operator.scope():
        of = factories.client()
        channel = factories.channel()
        refused = [scenes.refused(of=of, through=channel) for _number in range(2)]
        factories.declaration(refused[0].record, replaces=refused[0], environment="S")
    page = page_of(operator, "/due/")
    (link,) = page.xpath("//table[@data-rows]//a[contains(@href, 'state=to_correct')]")
    assert link.text == "1"
    opened = page_of(operator, link.get("href"))
    assert len(opened.xpath("//table[@data-rows]/tbody/tr")) == 1
    chips = [" ".join(chip.text_content().split()) for chip in opened.find_class("chip")]
    assert f"Trainings of {quarter('20251')} ×" in chips
    assert "To correct ×" in chips


def test_a_long_list_comes_in_pages_and_asks_no_more_than_a_short_one(operator: Person) -> None:
    def counted() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, "/due/")
        return len(queries)

    with operator.scope():
        factories.channel()
        training(factories.client())
    page_of(operator, "/due/")
    few = counted()
    with operator.scope():
        for _number in range(55):
            training(factories.client())
    assert counted() == few <= 25
    assert len(rows(page_of(operator, "/due/"))) == 50
    assert len(rows(page_of(operator, "/due/?page=2"))) == 6


def test_an_employer_user_sees_his_own_company_in_his_words(
    operator: Person, clients: list[Employer]
) -> None:
    boss = at(operator, clients[0])
    page = page_of(boss, "/due/")
    text = main_text(page)
    assert "Boulangerie B" not in text
    assert "what you still have to complete" in text
    assert f"Sign off {quarter(NOW)}" in text
    assert not page.xpath("//input[@name='pick']")
    heads = [" ".join(head.text_content().split()) for head in page.xpath("//table[@data-rows]/thead//th")]
    assert "Client" not in heads
    assert "Ready to send" not in heads
    last = next(row for row in rows(page) if quarter(LAST) in row)
    assert "Not signed off yet" in last
    assert boss.client.get("/due/send/").status_code == 403


def test_who_may_not_send_has_no_boxes(operator: Person, clients: list[Employer]) -> None:
    clerk = signed_in(operator.mandataire, Profile.ADMINISTRATIVE, "clerk")
    page = page_of(clerk, "/due/")
    assert len(rows(page)) == 2
    assert not page.xpath("//input[@name='pick' or @name='everybody']")
    assert clerk.client.post("/due/send/", {"everybody": "1"}).status_code == 403


def test_the_page_of_a_client_tells_what_is_due_for_him(operator: Person, clients: list[Employer]) -> None:
    page = page_of(operator, reverse("employer", args=[clients[0].pk]))
    block = " ".join(page.xpath("string(//section[@aria-labelledby='due-title'])").split())
    assert "Ready to send: 2" in block
    assert "Fields missing: 1" in block
    assert page.xpath("//section[@aria-labelledby='due-title']//a[contains(@href, '/due/?q=')]")


def test_for_the_stranger_nothing_is_due(stranger: Person, clients: list[Employer]) -> None:
    assert rows(page_of(stranger, "/due/")) == []
    assert "Tick the lines" in post(stranger, pick=key(clients[0]), to="S")[0]


def test_the_calendar_tells_its_sources(operator: Person) -> None:
    text = main_text(page_of(operator, "/due/"))
    assert "Law of 20 October 2023" in text
    assert "postponed to 1 September 2025" in text


# --- choosing, simulating, sending ----------------------------------------------------------------


def test_the_check_says_what_leaves_and_what_does_not(operator: Person, clients: list[Employer]) -> None:
    page = page_of(operator, f"/due/send/?to=S&pick={key(clients[0])}")
    text = main_text(page)
    assert "2 declarations leave" in text
    assert "Fields are missing (1) Complete it: it is ready then." in text
    assert page.xpath("//input[@name='pick']/@value") == [key(clients[0])]
    with operator.scope():
        assert set(Declaration.objects.values_list("environment", flat=True)) == {""}


def test_a_choice_is_simulated_and_nothing_else(
    operator: Person,
    clients: list[Employer],
    asked: Asked,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        told = post(operator, pick=key(clients[0]), to="S")
    assert told[0].startswith("2 declarations are sealed and leave in a moment, in the simulation")
    assert told[1] == "Left out: fields are missing (1)."
    with operator.scope():
        channel = Channel.objects.get()
        assert asked == [("leave_chosen", [str(operator.mandataire.pk), channel.pk])]
        sealed = selecting.leave(operator.mandataire.pk, channel.pk, "S", {LAST: [clients[0].pk]})
        assert [batch.declarations_count for batch in Batch.objects.filter(pk__in=sealed)] == [2]
        assert Declaration.objects.get(employer=clients[1]).environment == ""
    assert "Nothing of what you chose is ready" in post(operator, pick=key(clients[0]), to="S")[0]


def test_all_of_the_filter_is_sent_also_from_other_pages(operator: Person, clients: list[Employer]) -> None:
    told = post(operator, everybody="1", state="ready", q="boulangerie", to="T")
    assert told[0].startswith("1 declaration is sealed")
    with operator.scope():
        places = dict(Declaration.objects.ready().values_list("employer__name", "environment"))
    assert places == {"Atelier A": "", "Boulangerie B": "T"}


@pytest.fixture
def long_ago(operator: Person) -> Iterator[None]:
    """The operator signed in so long ago that production asks who he is."""
    session = operator.client.session
    session["confirmed_at"] = 0
    session.save()
    return


def test_production_asks_who_it_is_and_comes_back_to_the_choice(
    operator: Person, clients: list[Employer], long_ago: None
) -> None:
    answer = operator.client.post("/due/send/", {"pick": key(clients[0]), "to": "R"})
    assert answer.status_code == 302
    where = answer.headers["Location"]
    assert where.startswith(reverse("confirm"))
    assert "pick%3D" in where
    assert "to%3DR" in where
    with operator.scope():
        assert set(Declaration.objects.values_list("environment", flat=True)) == {""}


def test_a_test_asks_for_no_confirmation(operator: Person, clients: list[Employer], long_ago: None) -> None:
    assert post(operator, pick=key(clients[0]), to="S")[0].startswith("2 declarations")


def test_what_the_client_did_not_sign_off_leaves_only_when_somebody_says_so(
    operator: Person, clients: list[Employer]
) -> None:
    at(operator, clients[0])
    chosen = {"pick": [key(clients[0]), key(clients[1])], "to": "R"}
    page = page_of(operator, f"/due/send/?to=R&pick={key(clients[0])}&pick={key(clients[1])}")
    text = main_text(page)
    assert "1 declaration leaves" in text
    assert "Not signed off by the client (2)" in text
    assert "Include what is not signed off" in text
    _confirm(operator)
    assert post(operator, **chosen)[0].startswith("1 declaration is sealed")
    assert post(operator, **chosen, unsigned="1")[0].startswith("3 declarations are sealed")


def _confirm(person: Person) -> None:
    session = person.client.session
    session["confirmed_at"] = time.time()
    session.save()


def test_nothing_chosen_says_what_to_do(operator: Person, clients: list[Employer]) -> None:
    assert post(operator, to="S") == ["Tick the lines that are to leave, or all of them."]
    assert operator.client.get("/due/send/").status_code == 302


def test_what_stands_in_the_way_is_told_instead_of_the_button(
    operator: Person, clients: list[Employer], settings: Any
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"fla_is_reopened": False})
    page = page_of(operator, f"/due/send/?to=R&pick={key(clients[0])}")
    assert "social security registers nothing any more" in main_text(page)
    assert not page.xpath("//main//button[text()[contains(., 'Send to production')]]")


def test_a_day_that_is_near_or_over_is_marked(operator: Person) -> None:
    with operator.scope():
        of = factories.client()
        for day in (date(2025, 3, 3), quarter_days(NOW)[1]):
            factories.declaration(factories.record(factories.worker(of), starts_on=day, ends_on=day))
    page = page_of(operator, "/due/")
    late, calm = page.find_class("due-left")
    assert "days late" in late.text_content()
    assert "due-left-bad" in late.get("class")
    assert "left" in calm.text_content()
    assert "due-left-bad" not in calm.get("class")


@pytest.mark.parametrize(
    ("today", "told"), [(date(2026, 10, 31), date(2026, 10, 30)), (date(2026, 11, 1), None)]
)
def test_the_last_working_day_is_told_until_the_last_day_is_over(
    monkeypatch: pytest.MonkeyPatch, today: date, told: date | None
) -> None:
    """The last day of October 2026 is a Saturday."""
    monkeypatch.setattr(timezone, "localdate", lambda: today)
    line = due.Line(employer=1, name="Atelier A", number="0897223670", quarter="20263")
    row = shown(line)
    assert (row["due_on"], row["working_day"]) == (date(2026, 10, 31), told)
