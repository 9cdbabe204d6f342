"""The pages of workers, contracts, sizes, agreements and rights."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mandates.models import Contract, Employer, Worker
from mandates.numbers import make_niss
from portal.models import Event, Profile
from submissions.models import EmployerSize, ManualRight, SectorAgreement
from tests import factories
from tests.people import Person
from tests.submissions.test_views_declarations import messages_after, rows
from tests.submissions.test_views_records import main_text, page_of

pytestmark = pytest.mark.django_db
CONTRACT = {"joint_committee": "302", "regime": "50", "day_minutes": "7 h 36", "entered_on": "01/07/2024"}


@pytest.fixture
def employer(operator: Person) -> Employer:
    with operator.scope():
        return factories.client(name="Hôtel & Fils <3")


@pytest.fixture
def worker(operator: Person, employer: Employer) -> Worker:
    with operator.scope():
        return factories.worker(employer)


def faults(person: Person, address: str, data: dict[str, str]) -> str:
    answer = person.client.post(address, data)
    assert answer.status_code == 422
    return answer.content.decode()


# --- workers --------------------------------------------------------------------------------------


def test_a_worker_is_taken_on_with_a_contract(operator: Person, employer: Employer) -> None:
    niss = make_niss(date(1985, 7, 30), 33)
    address = reverse("worker_new", args=[employer.pk])
    data = {"niss": niss, "family_name": "O'Connor", "given_name": "Síle", "language": "nl"}
    answer = operator.client.post(address, data)
    with operator.scope():
        made = Worker.objects.get()
        assert (made.niss, made.employer, made.language) == (niss, employer, "nl")
        assert answer["Location"] == reverse("contract_new", args=[made.pk])
    assert niss not in faults(operator, address, data | {"niss": "85073003329"})
    assert "is a worker of this employer already" in faults(operator, address, data)
    operator.client.post(answer["Location"], CONTRACT)
    with operator.scope():
        row = made.contracts.get()
        assert (row.joint_committee, row.regime, row.day_minutes) == ("302", 50, 456)
        assert (row.entered_on, row.left_on) == (date(2024, 7, 1), None)
        verbs = Event.objects.filter(subject_type="worker").order_by("pk").values_list("verb", flat=True)
        assert list(verbs) == ["worker.added", "contract.signed"]
        assert niss not in str(list(Event.objects.values_list("data", "reason")))


def test_a_name_is_corrected_and_the_number_stays(operator: Person, worker: Worker) -> None:
    address = reverse("worker_change", args=[worker.pk])
    with operator.scope():
        niss = worker.niss
    data = {"family_name": worker.family_name, "given_name": worker.given_name, "language": worker.language}
    assert "Nothing was changed" in messages_after(operator, address, **data)
    assert "This is needed" in faults(operator, address, data | {"given_name": " "})
    operator.client.post(address, data | {"given_name": "Noémie", "niss": make_niss(date(1990, 1, 1), 5)})
    with operator.scope():
        worker.refresh_from_db()
        assert (worker.given_name, worker.niss) == ("Noémie", niss)
        told = Event.objects.get(verb="worker.changed")
        assert (told.subject_id, told.data) == (str(worker.pk), {"fields": ["given_name"]})
    assert "Data of the worker corrected" in main_text(page_of(operator, reverse("worker", args=[worker.pk])))


def test_the_list_shows_masked_numbers_contracts_and_rights(operator: Person, worker: Worker) -> None:
    year = timezone.localdate().year
    with operator.scope():
        factories.size(worker.employer, year)
        factories.contract(worker, regime=50, entered_on=date(year, 1, 1))
        factories.worker(worker.employer, family_name="Abts", given_name="Jan")
        factories.worker(family_name="Elsewhere")
    address = reverse("workers", args=[worker.employer_id])
    first, second = rows(operator, address)
    assert first.startswith("Abts, Jan")
    assert "no present contract" in first
    assert "200 50 % 2,5 days (19 h) 2,5 days (19 h)" in second.replace("\u00a0", " ")
    with operator.scope():
        EmployerSize.objects.update(year=year - 1)
    unknown = rows(operator, address)[1]
    assert "Size not known at least 0 day" in unknown
    with operator.scope():
        number = worker.niss
    assert number not in str(page_of(operator, address).text_content())
    assert len(rows(operator, f"{address}?q=zoë+vanden")) == 1
    assert "Search with fewer words" in main_text(page_of(operator, f"{address}?q=nobody"))


def test_fifty_a_page_and_the_same_questions(operator: Person, worker: Worker) -> None:
    address = reverse("workers", args=[worker.employer_id])

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(operator, address)
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    few = asked()
    with operator.scope():
        for _ in range(54):
            factories.contract(factories.worker(worker.employer))
    assert asked() == few <= 16
    assert len(rows(operator, address)) == 50
    assert len(rows(operator, f"{address}?page=2")) == 5


def test_the_page_of_a_worker(operator: Person, worker: Worker) -> None:
    with operator.scope():
        factories.size(worker.employer, 2024)
        factories.contract(worker, joint_committee="302", entered_on=date(2024, 1, 1))
        factories.former_number(worker, "98472899765")
        factories.manual_right(worker, year=2024, minutes=456)
        number = worker.niss
    text = main_text(page_of(operator, reverse("worker", args=[worker.pk])))
    for part in (
        "302 – Industrie hôtelière",
        "01/01/2024",
        "98.47.28-***.**",
        "6 days (45 h 36)",
        "Size not known",
    ):
        assert part in text
    assert number not in text


# --- contracts ------------------------------------------------------------------------------------


def test_another_regime_is_another_contract(operator: Person, worker: Worker) -> None:
    with operator.scope():
        factories.size(worker.employer, 2024)
        factories.contract(worker, entered_on=date(2024, 1, 1))
    address = reverse("contract_new", args=[worker.pk])
    assert "more than 100 %" in faults(operator, address, CONTRACT)
    assert "begin later" in faults(
        operator, address, CONTRACT | {"replaces": "on", "entered_on": "01/01/2024"}
    )
    messages = messages_after(operator, address, **CONTRACT, replaces="on")
    assert "follows it at once" in messages
    with operator.scope():
        first, second = Contract.objects.order_by("entered_on")
        assert (first.left_on, second.entered_on) == (date(2024, 6, 30), date(2024, 7, 1))
        told = Event.objects.get(verb="right.recalculated")
        assert told.data["rights"]["2024"] == [2280, 1710]
    text = main_text(page_of(operator, reverse("worker", args=[worker.pk])))
    assert "Right to training changed: 2024: 38 h → 28 h 30" in text


def test_a_contract_is_corrected_and_ended(operator: Person, worker: Worker) -> None:
    with operator.scope():
        row = factories.contract(worker, joint_committee="302", regime=50, entered_on=date(2024, 7, 1))
    address = reverse("contract", args=[row.pk])
    assert "Nothing was changed" in messages_after(operator, address, **CONTRACT)
    operator.client.post(address, CONTRACT | {"regime": "62,5"})
    operator.client.post(address, CONTRACT | {"regime": "62,5", "left_on": "31/12/2024"})
    with operator.scope():
        row.refresh_from_db()
        assert (row.regime, row.left_on) == (Decimal("62.5"), date(2024, 12, 31))
        verbs = Event.objects.filter(verb__startswith="contract.").order_by("pk").values_list("verb", "data")
        (changed, data), (ended, end) = verbs
        assert (changed, data["fields"]) == ("contract.changed", ["regime"])
        assert (ended, end["end"]) == ("contract.ended", "2024-12-31")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"joint_committee": "198"}, "No joint committee has this number"),
        ({"joint_committee": "218"}, "existed no more on that day"),
        ({"joint_committee": ""}, "This is needed"),
        ({"regime": "0"}, "Write a number above 0, up to 100"),
        ({"regime": "101"}, "Write a number above 0, up to 100"),
        ({"regime": "a half"}, "Write a number with at most two decimals"),
        ({"day_minutes": "30 min"}, "A normal day lasts from 1 to 12 hours"),
        ({"day_minutes": "8"}, "Write hours and minutes"),
        ({"entered_on": "31/02/2024"}, "Write a day that exists"),
        ({"left_on": "30/06/2024"}, "The contract ends before it starts"),
    ],
)
def test_what_is_wrong_with_a_contract_is_told_beside_its_field(
    operator: Person, worker: Worker, changes: dict[str, str], sentence: str
) -> None:
    page = faults(operator, reverse("contract_new", args=[worker.pk]), CONTRACT | changes)
    assert sentence in page
    with operator.scope():
        assert not Contract.objects.exists()


def test_a_committee_may_be_chosen_with_its_name(operator: Person, worker: Worker) -> None:
    address = reverse("contract_new", args=[worker.pk])
    operator.client.post(address, CONTRACT | {"joint_committee": "302 – Industrie hôtelière"})
    with operator.scope():
        assert Contract.objects.get().joint_committee == "302"
    assert page_of(operator, address).xpath(
        "//datalist/option[@value='200 – Commission paritaire auxiliaire pour employés']"
    )


# --- sizes and agreements -------------------------------------------------------------------------


def test_the_size_of_a_year(operator: Person, worker: Worker) -> None:
    with operator.scope():
        factories.contract(worker, joint_committee="149.01")
        factories.agreement(joint_committee="149", number="7/CO/149")
        factories.agreement(joint_committee="302", number="8/CO/302")
    address = reverse("employer_size", args=[worker.employer_id])
    for fte in ("19,99", "20"):
        operator.client.post(address, {"year": "2024", "fte": fte})
    text = main_text(page_of(operator, address))
    for part in ("2024", "20.00", "Q4 2022 to Q3 2023", "149.01 – Électriciens", "7/CO/149"):
        assert part in text
    assert "8/CO/302" not in text
    with operator.scope():
        assert EmployerSize.objects.get().fte == 20
    for data in ({"year": "2022", "fte": "20"}, {"year": "2024", "fte": "-1"}, {"year": "2024", "fte": ""}):
        faults(operator, address, data)


def test_an_agreement_is_added_and_removed(operator: Person, colleague: Person) -> None:
    data = {
        "joint_committee": "302",
        "number": "9/CO/302",
        "from_year": "2024",
        "until_year": "2025",
        "days": "2,5",
    }
    address = reverse("agreement_add")
    assert colleague.client.post(address, data).status_code == 403
    assert operator.client.post(address, data)["Location"] == reverse("agreements")
    assert "Another agreement of this joint committee" in faults(
        operator, address, data | {"from_year": "2025"}
    )
    assert "comes before the first one" in faults(operator, address, data | {"until_year": "2023"})
    for person, buttons in ((operator, 1), (colleague, 0)):
        tree = page_of(person, reverse("agreements"))
        assert "302 – Industrie hôtelière 9/CO/302 2024–2025 2,5" in main_text(tree)
        assert len(tree.xpath("//main//form[contains(@action, 'remove')]")) == buttons
    with operator.scope():
        made = SectorAgreement.objects.get()
        assert (made.days, made.small_days) == (Decimal("2.5"), None)
    remove = reverse("agreement_remove", args=[made.pk])
    assert "Give a reason" in messages_after(operator, remove)
    operator.client.post(remove, {"reason": "Denounced"})
    with operator.scope():
        assert not SectorAgreement.objects.exists()
        assert Event.objects.get(verb="agreement.removed").reason == "Denounced"


# --- the right ------------------------------------------------------------------------------------


@pytest.fixture
def entitled(operator: Person, worker: Worker) -> Worker:
    """The example of the house: half a day."""
    with operator.scope():
        factories.size(worker.employer, 2024)
        factories.agreement(joint_committee="302", days="2", number="1/CO/302")
        factories.contract(worker, joint_committee="302", regime=50, entered_on=date(2024, 7, 1))
    return worker


def test_the_page_shows_the_steps(operator: Person, entitled: Worker) -> None:
    text = main_text(page_of(operator, reverse("right", args=[entitled.pk, 2024])))
    for part in (
        "50 full-time equivalents (average from Q4 2022 to Q3 2023)",
        "Agreement 1/CO/302, step of the growth path from 2024: 2 days instead of 5 days.",
        "6 months begun: 2 days × 50 % × 6/12 = 0,5 day. One day is 7 h 36.",
        "0,5 day (3 h 48)",
    ):
        assert part in text
    later = main_text(page_of(operator, reverse("right", args=[entitled.pk, 2025])))
    assert "The size of the enterprise is not known for 2025." in later
    for year in (2022, timezone.localdate().year + 2):
        assert operator.client.get(reverse("right", args=[entitled.pk, year])).status_code == 404


def test_a_right_is_decided_with_a_reason_and_taken_back(operator: Person, entitled: Worker) -> None:
    address = reverse("right", args=[entitled.pk, 2024])
    data = {"what": "take", "minutes": "1 h", "reason": "Left <early>"}
    assert "This is needed" in faults(operator, address, data | {"reason": ""})
    operator.client.post(address, data)
    text = main_text(page_of(operator, address))
    assert "Left <early>" in text
    assert "2 h 48" in text
    with operator.scope():
        decided = ManualRight.objects.get()
        assert (decided.minutes, decided.is_whole) == (-60, False)
    back = reverse("manual_right_take_back", args=[decided.pk])
    assert "Give a reason" in messages_after(operator, back)
    assert "Taken back" in messages_after(operator, back, reason="A mistake")
    assert "taken back already" in messages_after(operator, back, reason="A mistake")
    assert "2 h 48" not in main_text(page_of(operator, address))
    operator.client.post(address, {"what": "whole", "minutes": "15 h 12", "reason": "Agreed"})
    assert "already" in faults(operator, address, {"what": "whole", "minutes": "1 h", "reason": "Agreed"})
    assert "The right of the year is 2 days (15 h 12)" in main_text(page_of(operator, address))


# --- who reaches what -----------------------------------------------------------------------------


@pytest.fixture
def boss(operator: Person, entitled: Worker) -> Client:
    """Works at the client, and declares for it."""
    member = factories.place(operator.mandataire, Profile.ENCODE, employer=entitled.employer, username="boss")
    client = Client()
    client.force_login(member.user)
    return client


def test_an_employer_user_has_his_own_workers_and_nobody_else(
    operator: Person, entitled: Worker, boss: Client
) -> None:
    with operator.scope():
        other = factories.worker(family_name="Elsewhere")
        theirs = factories.contract(other)
        decided = factories.manual_right(other)
        number = factories.size(other.employer).employer_id
    year = 2024
    for name, args in (
        ("workers", [number]), ("worker_new", [number]), ("employer_size", [number]), ("worker", [other.pk]),
        ("contract_new", [other.pk]), ("contract", [theirs.pk]), ("right", [other.pk, year]),
    ):  # fmt: skip
        assert boss.get(reverse(name, args=args)).status_code == 404, name
    assert boss.post(reverse("manual_right_take_back", args=[decided.pk]), {"reason": "x"}).status_code == 404
    home = boss.get(reverse("home")).content.decode()
    assert reverse("workers", args=[entitled.employer_id]) in home
    page = boss.get(reverse("right", args=[entitled.pk, year])).content.decode()
    assert "0,5 day" in page
    assert boss.get(reverse("agreement_add")).status_code == 403
    answer = boss.post(
        reverse("contract_new", args=[entitled.pk]), CONTRACT | {"entered_on": "01/01/2025", "replaces": "on"}
    )
    assert answer.status_code == 302
    with operator.scope():
        assert entitled.contracts.count() == 2
        assert Event.objects.get(verb="contract.signed").actor_name == "boss"
    assert "Contract added" in boss.get(reverse("worker", args=[entitled.pk])).content.decode()
