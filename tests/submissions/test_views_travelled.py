"""The page of everything sent and received."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels.models import EnvelopePart, InboundFile
from portal import tenancy
from portal.models import Event
from submissions import answering
from submissions.models import Batch
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.answers_about import dropped, receipt, receive, verdicts
from tests.submissions.test_views_declarations import messages_after
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db


def names(person: Person, query: str = "") -> list[str]:
    """The names of the files, in the order of the page."""
    tree = page_of(person, f"/channel/files/{query}")
    return [name.strip() for name in tree.xpath("//tbody//a[contains(@class, 'file-name')]/text()")]


def row_of(person: Person, name: str, query: str = "") -> str:
    """All that the row of one file says."""
    tree = page_of(person, f"/channel/files/{query}")
    (row,) = tree.xpath(f"//tbody/tr[th/a[normalize-space()='{name}']]")
    return " ".join(row.text_content().split()).replace("\u00a0", " ")


@pytest.fixture
def answered(operator: Person) -> Batch:
    """Two declarations that left for the circuit test in one file, with their receipt and their answers."""
    with operator.scope():
        batch = dropped(2, through=factories.channel(environment="T"))
        receive(batch, receipt(batch), name="FO.ACRF.999999.20251001.00001.T")
        receive(batch, verdicts(factories.declarations_of(batch)), name="FO.NOTI.999999.20251001.00002.T")
        return Batch.objects.select_related("channel", "envelope").get(pk=batch.pk)


def test_everything_sent_and_received_is_there(operator: Person, answered: Batch) -> None:
    assert answered.envelope is not None
    stem = answered.envelope.stem
    assert set(names(operator)) == {
        f"FI.{stem}.1.1",
        f"FS.{stem}.1.1",
        f"GO.{stem}.1",
        "FO.ACRF.999999.20251001.00001.T",
        "FO.NOTI.999999.20251001.00002.T",
    }


def test_each_row_says_what_the_file_caused(operator: Person, answered: Batch) -> None:
    assert answered.envelope is not None
    assert "2 forms" in row_of(operator, f"FI.{answered.envelope.stem}.1.1")
    assert "Receipt of 1 batch." in row_of(operator, "FO.ACRF.999999.20251001.00001.T")
    told = row_of(operator, "FO.NOTI.999999.20251001.00002.T")
    assert "Answered 2 declarations." in told
    assert "Batch of" in told
    assert page_of(operator, "/channel/files/").xpath(f"//tbody//a[@href='/batches/{answered.pk}/']")


def test_the_hash_is_that_of_the_bytes_that_are_downloaded(operator: Person, answered: Batch) -> None:
    tree = page_of(operator, "/channel/files/")
    rows = tree.xpath("//tbody/tr[th/a]")
    assert len(rows) == 5
    for row in rows:
        (address,) = row.xpath("th/a/@href")
        (shown,) = row.xpath(".//span[@class='hash']/text()")
        answer = operator.client.get(address)
        assert sha256(answer.content).hexdigest() == shown
        assert f'filename="{row.xpath("th/a/text()")[0].strip()}"' in answer["Content-Disposition"]
    with operator.scope():
        assert Event.objects.filter(verb="file.downloaded").count() == 5
        part = EnvelopePart.objects.get()
        assert operator.client.get(f"/files/sent/{part.pk}/fi/").content == part.fi


def test_what_has_not_left_has_no_go_yet(operator: Person) -> None:
    with operator.scope():
        batch = factories.sealed_batch(through=factories.channel(environment="T"))
        assert batch.envelope is not None
        stem = batch.envelope.stem
    assert set(names(operator)) == {f"FI.{stem}.1.1", f"FS.{stem}.1.1"}
    assert len(names(operator, "?state=waiting")) == 2
    assert names(operator, "?state=left") == []


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("?direction=sent", "FI FS GO"),
        ("?direction=received", "FO FO"),
        ("?kind=FS", "FS"),
        ("?kind=ACRF", "FO"),
        ("?kind=other", ""),
        ("?kind=IDFL&direction=sent", ""),
        ("?kind=FI&direction=received", ""),
        ("?state=left", "FI FS GO"),
        ("?state=applied", "FO FO"),
        ("?state=stored", ""),
        ("?state=waiting", ""),
        ("?state=applied&direction=sent", ""),
        ("?kind=nonsense&direction=x&state=y&from=z&to=2026-02-31", "FI FS GO FO FO"),
    ],
)
def test_filters(operator: Person, answered: Batch, query: str, kinds: str) -> None:
    assert sorted(name[:2] for name in names(operator, query)) == sorted(kinds.split())


def test_days_are_those_of_belgium(operator: Person) -> None:
    """Half past eleven in the evening in London is the next day in Belgium; each day has its line."""
    with operator.scope():
        channel = factories.channel()
        for hour, name in ((21, "A"), (23, "B")):
            at = datetime(2026, 3, 10, hour, 30, tzinfo=UTC)
            factories.inbound(
                channel, name.encode(), received_at=at, name=f"FO.NOTI.999999.20260310.0000{name}.S"
            )
    first, second = "FO.NOTI.999999.20260310.0000A.S", "FO.NOTI.999999.20260310.0000B.S"
    assert names(operator, "?to=2026-03-10") == [first]
    assert names(operator, "?from=2026-03-11") == [second]
    assert names(operator, "?from=2026-03-10&to=2026-03-11") == [second, first]
    tree = page_of(operator, "/channel/files/")
    days = [" ".join(day.text_content().split()) for day in tree.xpath("//tr[@class='day-row']")]
    assert days == ["Wednesday 11 March 2026", "Tuesday 10 March 2026"]


def test_the_chips_count_what_their_list_shows(operator: Person, answered: Batch) -> None:
    with operator.scope():
        factories.inbound(answered.channel, b"?", state="unreadable", reason="No XML.")
        receive(answered, b"<ACRF/>", name="FO.ACRF.999999.20251001.00009.S")
    tree = page_of(operator, "/channel/files/")
    chips = {
        chip.get("href"): int(chip.find_class("chip-count")[0].text_content())
        for chip in tree.find_class("chip")
    }
    assert chips == {
        "?": 7,
        "?state=alarm": 1,
        "?state=to_look_at": 2,
        "?state=applied": 2,
        "?state=left": 3,
    }
    assert {address: len(names(operator, address)) for address in chips} == chips


def test_an_alarm_says_why_and_can_be_read_again(operator: Person, answered: Batch) -> None:
    name = "FO.ACRF.999999.20251001.00009.R"
    with operator.scope():
        file = receive(answered, b"<ACRF/>", name=name)
    told = row_of(operator, name, "?state=alarm")
    assert "Alarm of another environment" in told
    assert "Nothing in it was applied" in told
    (address,) = page_of(operator, "/channel/files/?state=alarm").xpath("//tbody//form/@action")
    assert "read again" in messages_after(operator, address)
    with operator.scope():
        assert InboundFile.objects.get(pk=file.pk).state == "stored"
        assert answering.apply(tenancy.current(), file.pk) == "unmatched"
    assert "Alarm" in row_of(operator, name)


def test_the_colleague_sees_the_list_without_the_files(operator: Person, colleague: Person) -> None:
    with operator.scope():
        factories.inbound(factories.channel(), b"?", state="unmatched")
    tree = page_of(colleague, "/channel/files/")
    assert not tree.xpath("//tbody//a | //tbody//form")
    assert "FO.NOTI" in main_text(tree)


def test_the_stranger_finds_none_of_it(operator: Person, stranger: Person, answered: Batch) -> None:
    assert names(stranger) == []
    assert "No file here" in main_text(page_of(stranger, "/channel/files/"))


def test_a_page_costs_the_same_with_any_number_of_files(
    operator: Person, answered: Batch, django_assert_max_num_queries: Any
) -> None:
    with operator.scope():
        for number in range(3):
            scenes.dropped(2, through=answered.channel)
            factories.inbound(answered.channel, b"%d" % number)
    with CaptureQueriesContext(connection) as few:
        assert len(names(operator)) == 17
    with operator.scope():
        started = timezone.now()
        InboundFile.objects.bulk_create(
            InboundFile(
                channel=answered.channel,
                environment="T",
                name=f"FO.NOTI.999999.20251001.{number:05d}.T",
                sha256=f"{number:064x}",
                size=number,
                content_sealed=b"",
                state="applied",
                kind="NOTI",
                received_at=started - timedelta(minutes=number),
            )
            for number in range(2000)
        )
    with django_assert_max_num_queries(len(few)):
        assert len(names(operator)) == 50
    with django_assert_max_num_queries(len(few)), CaptureQueriesContext(connection) as deep:
        assert len(names(operator, "?page=41")) == 17
    assert not [query for query in deep.captured_queries if "content_sealed" in query["sql"]]
