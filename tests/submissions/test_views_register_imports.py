"""The pages of files for the register: what they show, and what they cost."""

from __future__ import annotations

from typing import Any

from tests import factories
from tests.people import Person
from tests.submissions.register_files import training, uploaded, worked


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
