"""What the pages say of a code: in our words or the official ones, what to correct, and where."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml.html import HtmlElement

from portal.models import PublishedAnnex
from submissions import publishing
from submissions.models import Batch
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.annex_files import ERRORS, NAME
from tests.submissions.test_views_exports import csv_rows
from tests.submissions.test_views_records import page_of

pytestmark = pytest.mark.django_db

OFFICIAL = '//span[@lang="fr"][text()="Erreur de l\'essai"]'


@pytest.fixture
def loaded() -> PublishedAnnex:
    publishing.load([(NAME, ERRORS)])
    return PublishedAnnex.objects.get()


def corrections(tree: HtmlElement) -> list[tuple[str, str]]:
    """What each anomaly of a page says to correct, and where it leads."""
    parts = tree.xpath("//*[@class='anomaly-part'][dt='What to correct']/dd")
    return [
        (" ".join(part.text_content().split()), next(iter(part.xpath("./a/@href")), "")) for part in parts
    ]


def test_each_correction_leads_to_where_it_is_made(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused(
            ("00011-001", "title"), ("00024-179", ""), ("00011-155", ""), ("ACRF-125", ""), ("ACRF-120", "")
        )
        record = refusal.record
    assert corrections(page_of(operator, f"/records/{record.pk}/")) == [
        ("Title", reverse("record_edit", args=[record.pk]) + "#id_title"),
        ("The worker's data", reverse("worker", args=[record.worker_id])),
        ("The mandate", reverse("employer", args=[record.employer_id])),
        ("The channel", reverse("channel")),
        ("Nothing in the declarations: the batch is sent again", reverse("batch", args=[refusal.batch_id])),
    ]


def test_what_this_portal_does_not_hold_leads_nowhere(operator: Person) -> None:
    with operator.scope():
        refusal = scenes.refused(("00011-208", ""), ("00011-460", ""), ("00011-001", "Elsewhere"))
    assert corrections(page_of(operator, f"/records/{refusal.record_id}/")) == [
        ("The employment (Dimona)", ""),
        ("Nothing, if all is right", ""),
        ("Elsewhere", reverse("record_edit", args=[refusal.record_id])),
    ]


def test_what_was_accepted_with_a_remark_asks_for_nothing(operator: Person) -> None:
    with operator.scope():
        accepted = scenes.accepted()
        scenes.answer(accepted, accepted.State.ACCEPTED_WITH_REMARKS, [("00011-001", "title")])
    assert corrections(page_of(operator, f"/records/{accepted.record_id}/")) == [("Title", "")]


def test_official_words_are_on_every_page_in_their_language(operator: Person, loaded: PublishedAnnex) -> None:
    with operator.scope():
        refusal = scenes.refused(("00011-998", "title"))
    for address in (
        f"/records/{refusal.record_id}/",
        f"/records/{refusal.record_id}/edit/",
        "/declarations/",
        "/to-correct/",
        "/to-correct/?code=00011-998&tag=Title",
        "/",
    ):
        tree = page_of(operator, address)
        assert tree.xpath(OFFICIAL), address
        assert "&lt;span" not in operator.client.get(address).content.decode(), address


def test_the_file_has_code_cause_and_correction(operator: Person, loaded: PublishedAnnex) -> None:
    with operator.scope():
        channel = factories.channel()
        scenes.refused(("00011-998", "title"), through=channel)
        scenes.refused(("00024-179", ""), through=channel)
    rows = {row["Code"]: row for row in csv_rows(operator.client, reverse("to_correct_export"))}
    assert rows["00011-998"]["Cause"] == "Erreur de l'essai"
    assert rows["00011-998"]["What to correct"] == "What the raw line names"
    assert rows["00024-179"]["Cause"] == "Worker unknown to social security"
    assert rows["00024-179"]["What to correct"] == "The worker's data"
    assert rows["00024-179"]["What to do"].startswith("Compare the number")


def test_a_batch_that_was_refused_says_why_and_what_to_do(operator: Person, loaded: PublishedAnnex) -> None:
    with operator.scope():
        batch = scenes.rejected()
        Batch.objects.filter(pk=batch.pk).update(error_codes=["ACRF-133", "ACRF-998"])
    tree = page_of(operator, f"/batches/{batch.pk}/")
    (card,) = tree.xpath("//section[@aria-labelledby='refusals-title']")
    text = " ".join(card.text_content().split())
    assert "ACRF-133 The name of the file was not accepted" in text
    assert "Make sure that nobody else sent these declarations" in text
    assert "Nothing in the declarations: the batch is sent again" in text
    assert "Note the name of the file, tell whoever runs this portal" in text
    assert "raw line" not in text
    assert len(card.xpath("." + OFFICIAL)) == 1
    assert len(tree.xpath("//*[contains(@class, 'step-proof')]" + OFFICIAL)) == 1
    with operator.scope():
        other = scenes.acknowledged(through=batch.channel)
    assert not page_of(operator, f"/batches/{other.pk}/").xpath(
        "//section[@aria-labelledby='refusals-title']"
    )


@pytest.mark.parametrize("address", ["/to-correct/", "/declarations/"])
def test_official_words_cost_no_question_per_row(
    operator: Person, loaded: PublishedAnnex, address: str
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, address)
        return len(queries)

    with operator.scope():
        client, channel = factories.client(), factories.channel()
        scenes.refused(("00011-998", "title"), of=client, through=channel)
    page_of(operator, address)  # The texts are read once.
    few = questions()
    with operator.scope():
        for code in ("00011-999", "00011-998", "00011-997", "00011-001"):
            scenes.refused((code, "title"), of=client, through=channel)
    assert questions() == few


def test_the_page_of_the_channels_tells_what_is_loaded(operator: Person, loaded: PublishedAnnex) -> None:
    (card,) = page_of(operator, "/health/").xpath("//section[@aria-labelledby='annexes-title']")
    told = [" ".join(row.text_content().split()) for row in card.xpath(".//dl/div")]
    assert told[0].startswith("Annex 30, Error codes version 2024/1, 3 texts, loaded ")
    assert told[1] == "Annex 26, Joint committees not loaded: whoever runs this portal loads it"
