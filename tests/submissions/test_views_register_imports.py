"""The pages of files for the register: what they show, and what they cost."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from lxml import html

from submissions.importing import applying, undoing
from submissions.importing.kinds import KINDS, TABLES
from tests import factories
from tests.people import Person
from tests.submissions.register_files import right, row_of, training, uploaded, worked

DAY = date(2025, 3, 3)


def test_pages_cost_the_same_however_many_files_and_faults_there_are(
    operator: Person, django_assert_max_num_queries: Any
) -> None:
    with operator.scope():
        worker = factories.worker(factories.client())
        rows = [training(worker, n, title="") for n in range(1, 61)]
        made = [uploaded("trainings", rows, employer=worker.employer if n % 2 else None) for n in range(4)]
    found = worked(operator, made[0])
    with django_assert_max_num_queries(20):
        shown = operator.client.get("/imports/")
    assert shown.content.decode().count("registre.csv") == 4
    with django_assert_max_num_queries(20):
        shown = operator.client.get(f"/imports/{found.pk}/")
    text = shown.content.decode()
    assert "0 good rows of 60" in text
    assert text.count("Fill in this field") == 50
    again = operator.client.get(f"/imports/{made[1].pk}/", headers={"HX-Request": "true"})
    assert "data-poll" in again.content.decode()
    over = operator.client.get(f"/imports/{found.pk}/", headers={"HX-Request": "true"})
    assert over["HX-Refresh"] == "true"
    assert "byte for byte" in operator.client.get(f"/imports/{made[3].pk}/").content.decode()


def test_every_row_that_an_undo_left_is_shown_page_by_page(
    operator: Person, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    """In the order of the file, however its chunks were taken back."""
    monkeypatch.setattr(applying, "CHUNK", 100)
    with operator.scope():
        worker = factories.worker(factories.client())
        made = uploaded("rights", [right(worker, reason=f"Décision {n}") for n in range(230)])
    made = worked(operator, made)
    with operator.scope():
        applying.begin(made, is_whole=False)
    made = worked(operator, made)
    with operator.scope():
        factories.record(worker, charged_minutes=230 * 456, starts_on=DAY, ends_on=DAY)
        undoing.begin(made)
    made = worked(operator, made)
    assert (made.state, made.undone, made.kept) == ("undone", 0, 230)
    seen = []
    for page in range(1, 6):
        with django_assert_max_num_queries(20):
            shown = operator.client.get(f"/imports/{made.pk}/?page={page}")
        tree = html.document_fromstring(shown.content.decode())
        rows = tree.xpath("//section[@aria-labelledby='kept-title']//tbody/tr")
        seen += [int(row.xpath("normalize-space(td)")) for row in rows]
        assert all(row.xpath(".//a/@href") == [f"/workers/{worker.pk}/rights/2025/"] for row in rows)
    assert seen == list(range(2, 232))
    assert "1 to 50 of 230" in operator.client.get(f"/imports/{made.pk}/").content.decode()


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_the_template_of_each_kind_is_recognised_as_it_comes(operator: Person, kind: str) -> None:
    answer = operator.client.get(f"/imports/template/{kind}/", headers={"Accept-Language": "nl"})
    with operator.scope():
        worker = factories.worker(factories.client())
        row = row_of(kind, worker)
        line = ";".join(row.get(name, "") for name in KINDS[kind].columns)
        made = uploaded(kind, answer.content + line.encode() + b"\n")
    made = worked(operator, made)
    assert (made.state, made.total, made.bad) == ("checked", 1, 0)
    page = operator.client.get("/imports/").content.decode()
    assert f'href="/imports/template/{kind}/"' in page
    assert f'<option value="{kind}"' in page
