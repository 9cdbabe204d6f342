"""Pages of lists: cut out first, joined afterwards, in the order of the list."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from mandates.models import Employer
from portal import lists, tenancy
from tests import factories
from tests.people import Person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "expected"), [("1", "FE"), ("2", "DC"), ("3", "BA"), ("99", "BA"), ("x", "FE")]
)
def test_what_a_list_shows_is_joined_to_the_rows_of_the_page_only(
    operator: Person, monkeypatch: pytest.MonkeyPatch, asked: str, expected: str
) -> None:
    monkeypatch.setattr(lists, "PER_PAGE", 2)
    with operator.scope():
        for name in "CAEBFDZ":
            factories.employer(name=name)
        rows = (
            Employer.objects.filter(mandataire_id=tenancy.current()).exclude(name="Z").order_by("-name", "pk")
        )
        request = RequestFactory().get("/", {"page": asked})
        page = lists.page_of(request, rows, total=6, shown=lambda chosen: chosen.select_related("mandataire"))
        with CaptureQueriesContext(connection) as asked_for:
            found = [(row.name, row.mandataire.name) for row in page.object_list]
    assert found == [(name, "Secrétariat social A") for name in expected]
    assert len(asked_for) == 1
    assert "OFFSET" not in asked_for[0]["sql"]
