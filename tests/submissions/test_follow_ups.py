"""Cancelling and correcting in every state: the right declaration is made, or it is said why not and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse

from submissions import declaring, promoting
from submissions.models import Batch, Declaration, TrainingRecord
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions import scenes
from tests.submissions.test_promoting import tried
from tests.submissions.test_selecting import reopened
from tests.submissions.test_views_declarations import messages_after
from tests.submissions.test_views_records import buttons, main_text, page_of

__all__ = ["reopened"]

D = DeclarationState

type Scene = Callable[[], TrainingRecord]


def draft() -> TrainingRecord:
    return factories.declaration(factories.record(nature=""), state=D.DRAFT).record


def ready() -> TrainingRecord:
    return factories.declaration().record


def batched() -> TrainingRecord:
    return factories.sealed_batch().declarations.get().record


def sent() -> TrainingRecord:
    return scenes.dropped().declarations.get().record


def acknowledged() -> TrainingRecord:
    return scenes.acknowledged().declarations.get().record


def refused() -> TrainingRecord:
    return scenes.refused().record


def accepted() -> TrainingRecord:
    found = scenes.accepted().record
    scenes.into_production()
    return found


def with_remarks() -> TrainingRecord:
    found = accepted()
    found.declarations.update(state=D.ACCEPTED_WITH_REMARKS)
    return found


def only_tested() -> TrainingRecord:
    return scenes.accepted().record


def promoted() -> TrainingRecord:
    """Tested, and on its way to production."""
    batch = tried(1, factories.channel())
    promoting.promote(batch)
    return factories.declarations_of(batch)[0].record


def withdrawn() -> TrainingRecord:
    return factories.declaration(state=D.WITHDRAWN).record


NOT_LEFT = "has not left yet: change the training, or withdraw"
AWAITS = "awaits its answer"
REFUSED = "refused it, so nothing of it is on its account"
NOTHING = "Only a training that social security has on its account"


@pytest.mark.parametrize(
    ("scene", "sentence"),
    [
        (draft, NOT_LEFT),
        (ready, NOT_LEFT),
        (promoted, NOT_LEFT),
        (batched, AWAITS),
        (sent, AWAITS),
        (acknowledged, AWAITS),
        (refused, REFUSED),
        (withdrawn, NOTHING),
    ],
)
@pytest.mark.parametrize("button", ["modify", "cancel"])
def test_what_is_not_on_the_account_says_what_to_do_instead(
    operator: Person, scene: Scene, sentence: str, button: str
) -> None:
    with operator.scope():
        record = scene()
        before = Declaration.objects.count()
    told = messages_after(operator, reverse(f"record_{button}", args=[record.pk]), reason="a mistake")
    assert sentence in told
    with operator.scope():
        assert Declaration.objects.count() == before


@pytest.mark.parametrize("scene", [accepted, with_remarks, only_tested])
@pytest.mark.parametrize(("button", "kind"), [("modify", "modification"), ("cancel", "cancellation")])
def test_what_is_on_the_account_is_followed_where_it_stands(
    operator: Person, scene: Scene, button: str, kind: str
) -> None:
    with operator.scope():
        record = scene()
        on_account = declaring.standing(record)
    assert on_account
    messages_after(operator, reverse(f"record_{button}", args=[record.pk]), reason="a mistake")
    with operator.scope():
        made = record.declarations.latest("pk")
    assert (made.kind, made.state, made.environment) == (kind, D.READY, on_account.environment)
    assert made.earlier_ticket == on_account.ticket != ""


@pytest.mark.parametrize("scene", [batched, sent, acknowledged])
def test_the_page_of_what_is_on_its_way_says_why_nothing_can_be_done(operator: Person, scene: Scene) -> None:
    with operator.scope():
        record = scene()
    page = page_of(operator, f"/records/{record.pk}/")
    assert AWAITS in main_text(page)
    assert buttons(page) == []


@pytest.mark.parametrize("scene", [draft, ready])
def test_what_has_not_left_is_withdrawn_instead_of_cancelled(operator: Person, scene: Scene) -> None:
    with operator.scope():
        record = scene()
        made = record.declarations.get()
    messages_after(operator, reverse("declaration_withdraw", args=[made.pk]), reason="a mistake")
    with operator.scope():
        assert [row.state for row in record.declarations.all()] == [D.WITHDRAWN]


def test_a_refusal_is_corrected_where_it_was_refused(operator: Person) -> None:
    with operator.scope():
        record = refused()
        was = record.declarations.get()
    messages_after(operator, reverse("declaration_correct", args=[was.pk]))
    with operator.scope():
        made = record.declarations.latest("pk")
    assert (made.kind, made.replaces_id, made.environment) == ("original", was.pk, was.environment)


def test_what_was_cancelled_by_mistake_is_declared_as_if_it_never_was(operator: Person) -> None:
    with operator.scope():
        record = only_tested()
        cancellation = declaring.cancel(record)
        factories.seal(Batch.objects.get().channel, environment="S")
        cancellation.refresh_from_db()
    address = f"/records/{record.pk}/"
    assert "declare" not in buttons(page_of(operator, address))
    with operator.scope():
        cancellation.move(D.ACCEPTED, ticket="0A1B2C3D4E5F7")
    assert "declare" in buttons(page_of(operator, address))
    messages_after(operator, reverse("record_declare", args=[record.pk]))
    with operator.scope():
        made = record.declarations.latest("pk")
    assert (made.kind, made.state, made.earlier_ticket) == ("original", D.READY, "")
