"""An employer's word for a quarter: given by his own people, seen by the operator, taken back with a reason."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from lxml import html

from mandates.models import Employer
from mandates.numbers import quarter_after, quarter_days, quarter_of
from portal import tenancy
from portal.models import Event, Profile
from portal.moving import LostRace
from portal.templatetags.presenting import quarter
from submissions import signing_off
from submissions.models import Declaration, SignOff, TrainingRecord
from tests import factories
from tests.people import Person
from tests.submissions.test_views_declarations import messages_after
from tests.submissions.test_views_records import main_text, page_of

NOW = quarter_of(timezone.localdate())
LAST = quarter_after(NOW, -1)


@pytest.fixture
def company(operator: Person) -> Employer:
    with operator.scope():
        return factories.client(name="Boulangerie Zoé")


def at(operator: Person, company: Employer, profile: Profile = Profile.ADMINISTRATIVE) -> Person:
    member = factories.place(
        operator.mandataire, profile, employer=company, username=f"at-{profile}", last_name="Maes"
    )
    client = Client()
    client.force_login(member.user)
    return Person(member.user, operator.mandataire, client)


def training(company: Employer, day: date, state: str) -> Declaration:
    record = factories.record(factories.worker(company), starts_on=day, ends_on=day)
    return factories.declaration(record, state=state)


def sign(person: Person, company: Employer, code: str) -> str:
    return messages_after(person, reverse("quarter_sign_off", args=[company.pk]), quarter=code)


def test_a_quarter_is_signed_off_and_the_operator_sees_it(operator: Person, company: Employer) -> None:
    with operator.scope():
        training(company, quarter_days(LAST)[0], "ready")
    boss = at(operator, company)
    home = main_text(page_of(boss, "/"))
    assert f"Sign off {quarter(LAST)}" in home
    assert "1 training" in home
    assert "Signed off" in sign(boss, company, LAST)
    with operator.scope():
        signed = SignOff.objects.get()
        assert (signed.quarter, signed.signed_by) == (LAST, "Lou Maes")
        event = Event.objects.get(verb="quarter.signed_off")
        assert (event.subject_id, event.data) == (str(company.pk), {"quarter": LAST})
    page = main_text(page_of(operator, reverse("employer", args=[company.pk])))
    assert "by Lou Maes" in page
    assert f"{quarter(LAST)} signed off" in page


@pytest.mark.parametrize("state", ["draft", "refused"])
def test_what_waits_for_the_employer_comes_first(operator: Person, company: Employer, state: str) -> None:
    boss = at(operator, company)
    with operator.scope():
        declaration = training(company, quarter_days(LAST)[1], "draft")
        if state == "refused":
            batch = factories.sealed_batch(1, of=company)
            Declaration.objects.filter(pk=declaration.pk).update(
                state="refused", batch=batch, environment=batch.environment, part=9, position=9
            )
        training(company, quarter_days(NOW)[0], "ready")
    assert f"Sign off {quarter(LAST)}" not in main_text(page_of(boss, "/"))
    assert f"1 declaration of {quarter(LAST)} waits for you" in sign(boss, company, LAST)
    assert "Signed off" in sign(boss, company, NOW)
    with operator.scope():
        assert list(SignOff.objects.values_list("quarter", flat=True)) == [NOW]


def test_it_is_opened_again_with_a_reason_and_signed_anew(operator: Person, company: Employer) -> None:
    boss = at(operator, company)
    sign(boss, company, NOW)
    with operator.scope():
        first = SignOff.objects.get()
    address = reverse("quarter_reopen", args=[first.pk])
    assert "Give a reason" in messages_after(operator, address, reason=" ")
    assert "Open again" in messages_after(operator, address, reason="One was forgotten")
    assert "already" in messages_after(operator, address, reason="Twice")
    with operator.scope():
        first.refresh_from_db()
        assert (first.reason, first.reopened_by) == ("One was forgotten", "Lou Essai")
        assert Event.objects.get(verb="quarter.reopened").reason == "One was forgotten"
    assert "Signed off" in sign(boss, company, NOW)
    assert "signed off already" in sign(boss, company, NOW)
    with operator.scope():
        assert SignOff.objects.filter(reopened_at=None).count() == 1
        assert SignOff.objects.count() == 2


def edited(person: Person, record: TrainingRecord, **changes: str) -> str:
    """What the page says after the training was changed there."""
    address = reverse("record_edit", args=[record.pk])
    form = page_of(person, address).xpath("//main//form[.//*[@name='title']]")[0]
    sent = {name: value or "" for name, value in form.form_values()} | changes
    answer = person.client.post(address, sent, follow=True)
    assert answer.redirect_chain, main_text(html.fromstring(answer.content))
    return html.fromstring(answer.content).text_content()


def test_a_training_that_changes_takes_the_word_back(operator: Person, company: Employer) -> None:
    boss = at(operator, company)
    with operator.scope():
        record = training(company, quarter_days(LAST)[0], "draft").record
        Declaration.objects.filter(record=record).update(state="ready")
    for code in (LAST, NOW):
        assert "Signed off" in sign(boss, company, code)
    assert "Nothing was changed" in edited(operator, record)
    with operator.scope():
        assert SignOff.objects.filter(reopened_at=None).count() == 2
    assert f"{quarter(LAST)} had been signed off" in edited(operator, record, title="Autre titre")
    with operator.scope():
        ended = SignOff.objects.get(is_outdated=True)
        assert (ended.quarter, ended.reopened_by) == (LAST, "Lou Essai")
        event = Event.objects.get(verb="quarter.outdated")
        assert (event.subject_id, event.data) == (str(company.pk), {"quarter": LAST, "record": record.pk})
        assert SignOff.objects.get(reopened_at=None).quarter == NOW, "the other quarter stays signed off"
    for page in (page_of(boss, "/"), page_of(operator, reverse("employer", args=[company.pk]))):
        assert main_text(page).count("Changed after sign-off") == 1
        assert "Then Lou Essai changed a training" in main_text(page)
    assert f"{quarter(LAST)} to be signed off anew" in main_text(
        page_of(operator, reverse("employer", args=[company.pk]))
    )
    edited(operator, record, title="Encore un autre")
    with operator.scope():
        assert Event.objects.filter(verb="quarter.outdated").count() == 1
    assert "Signed off" in sign(boss, company, LAST)
    assert "Changed after sign-off" not in main_text(page_of(boss, "/"))


def test_a_training_that_moves_concerns_both_quarters(operator: Person, company: Employer) -> None:
    boss = at(operator, company)
    with operator.scope():
        record = training(company, quarter_days(LAST)[0], "ready").record
    for code in (LAST, NOW):
        sign(boss, company, code)
    with operator.scope():
        ended_on, record.ends_on = record.ends_on, quarter_days(NOW)[0]
        assert signing_off.note_change(record, ended_on) == [LAST, NOW]
        assert not SignOff.objects.filter(reopened_at=None).exists()


def test_a_cancelled_training_takes_the_word_back(operator: Person, company: Employer) -> None:
    boss = at(operator, company)
    with operator.scope():
        declaration = training(company, quarter_days(LAST)[0], "draft")
        batch = factories.sealed_batch(1, of=company)
        Declaration.objects.filter(pk=declaration.pk).update(
            state="accepted", batch=batch, part=9, position=9, ticket="0123456789ABC"
        )
    sign(boss, company, LAST)
    address = reverse("record_cancel", args=[declaration.record_id])
    messages_after(operator, address, reason=" ")
    with operator.scope():
        assert SignOff.objects.get().reopened_at is None, "nothing was cancelled"
    messages_after(operator, address, reason="Encodée deux fois")
    with operator.scope():
        assert SignOff.objects.get().is_outdated
    assert "Changed after sign-off" in main_text(page_of(boss, "/"))


def test_the_portal_itself_may_change_a_training(operator: Person, company: Employer) -> None:
    """A payroll system has no user here."""
    with operator.scope():
        record = training(company, quarter_days(LAST)[0], "ready").record
    boss = at(operator, company)
    sign(boss, company, LAST)
    with tenancy.scope(operator.mandataire.pk):
        assert signing_off.note_change(record) == [LAST]
    assert "Then a training changed" in main_text(page_of(boss, "/"))


def test_only_his_own_people_sign(operator: Person, company: Employer) -> None:
    assert "Only somebody who works at the employer" in sign(operator, company, NOW)
    with operator.scope(), pytest.raises(signing_off.CannotSignOff):
        signing_off.sign_off(company, NOW)
    assert "Sign off" not in main_text(page_of(operator, reverse("employer", args=[company.pk])))
    clerk = at(operator, company, Profile.ENCODE)
    assert clerk.client.post(reverse("quarter_sign_off", args=[company.pk])).status_code == 403
    assert "Sign off" not in main_text(page_of(clerk, "/"))
    with operator.scope():
        assert not SignOff.objects.exists()


@pytest.mark.parametrize("code", ["", "20994", "2025", "<b>", quarter_after(NOW, -4), quarter_after(NOW)])
def test_other_quarters_cannot_be_signed(operator: Person, company: Employer, code: str) -> None:
    assert "Only the present quarter" in sign(at(operator, company), company, code)


def test_a_second_click_changes_nothing(operator: Person, company: Employer) -> None:
    boss = at(operator, company)
    with boss.scope():
        signing_off.sign_off(company, NOW)
        with pytest.raises(LostRace):
            signing_off.sign_off(company, NOW)
        assert Event.objects.filter(verb="quarter.signed_off").count() == 1
