"""What comes after an answer: modifying and cancelling what was accepted, correcting what was refused."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from lxml import etree

from mandates.models import Mandate
from submissions import declaring
from submissions.declaring import CannotDeclare
from submissions.models import Declaration, TrainingRecord
from submissions.states import ACCEPTED, DeclarationState
from submissions.wire.schemas import SYSTEM_FLUX
from tests.journeys.house import House

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

ACCEPTED_STATE = DeclarationState.ACCEPTED


@pytest.fixture
def settled(house: House) -> House:
    """Everything was declared once and is answered."""
    house.settle()
    house.assert_all_is_well()
    return house


def _plain(house: House, sender: str) -> Declaration:
    """An accepted declaration of a worker of whom nothing else is declared. In an open scope."""
    for declaration in (
        Declaration.objects.filter(state=ACCEPTED_STATE).select_related("record__worker").order_by("pk")
    ):
        if (
            TrainingRecord.objects.filter(worker__niss_index=declaration.record.worker.niss_index).count()
            == 1
        ):
            return declaration
    pytest.fail(f"{sender} has no worker with one record only")


def _form_of(house: House, sender: str, reference: str) -> etree._Element:
    """The Form which social security holds under a reference of ours."""
    name = {"s": SYSTEM_FLUX}
    for path in (house.simulator.root / "archive" / sender).glob("*/*/FI.*"):
        for form in etree.parse(path).xpath(
            f"//s:Form[s:Reference/s:ReferenceNbr='{reference}']", namespaces=name
        ):
            return form
    pytest.fail(f"{reference} never arrived")


def _earlier(form: etree._Element) -> list[tuple[str | None, ...]]:
    """Type, origin and number of the references beside our own."""
    found = [
        tuple(child.text for child in reference) for reference in form.iterfind(f"{{{SYSTEM_FLUX}}}Reference")
    ]
    return [reference for reference in found if reference[0] != "1"]


def _titles(house: House, ticket: str) -> list[str]:
    """What stands on the account over there under a ticket."""
    return [
        title
        for (title,) in house.ask_simulator(
            f"select title from trainings where ticket = '{ticket}' and is_active"
        )
    ]


def test_modified_then_modified_again_then_cancelled(settled: House) -> None:
    sender = next(iter(settled.tenants))
    chain: list[tuple[str, str]] = []
    for scope_sender, _ in settled.scopes():
        if scope_sender == sender:
            original = _plain(settled, sender)
            record = original.record
            chain.append((original.reference, original.ticket))
    for title in ("Premiers secours, remise à niveau", "EHBO & “hercertificering” <niveau 2>"):
        for scope_sender, _ in settled.scopes():
            if scope_sender == sender:
                record = TrainingRecord.objects.get(pk=record.pk)
                record.title = title
                record.save()
                declaring.modify(record)
                with pytest.raises(CannotDeclare):
                    declaring.modify(record)
        chain.append(_settled_as(settled, sender, record, ACCEPTED_STATE))
        form = _form_of(settled, sender, chain[-1][0])
        assert form.findtext(f"{{{SYSTEM_FLUX}}}AttestationStatus") == "1"
        assert _earlier(form) == [("3", "2", chain[-2][1])]
        assert _titles(settled, chain[-1][1]) == [title]
        assert _titles(settled, chain[-2][1]) == [], "what was modified is no longer on the account"
    for scope_sender, _ in settled.scopes():
        if scope_sender == sender:
            declaring.cancel(TrainingRecord.objects.get(pk=record.pk))
    chain.append(_settled_as(settled, sender, record, ACCEPTED_STATE))
    form = _form_of(settled, sender, chain[-1][0])
    assert form.findtext(f"{{{SYSTEM_FLUX}}}AttestationStatus") == "3"
    assert _earlier(form) == [("3", "2", chain[-2][1])]
    assert [_titles(settled, ticket) for _reference, ticket in chain] == [[]] * 4
    for scope_sender, _ in settled.scopes():
        if scope_sender == sender:
            with pytest.raises(CannotDeclare):
                declaring.modify(TrainingRecord.objects.get(pk=record.pk))
    assert settled.account().breaks == []
    settled.assert_sent_once()


def _settled_as(house: House, sender: str, record: TrainingRecord, state: str) -> tuple[str, str]:
    """Lets everything settle; the reference and ticket of the latest declaration, which must be in `state`."""
    house.settle()
    for scope_sender, _ in house.scopes():
        if scope_sender == sender:
            latest = Declaration.objects.filter(record_id=record.pk).order_by("-pk")[0]
            assert (latest.state, latest.anomalies.count()) == (state, 0)
            assert len(latest.ticket) == 13
            return latest.reference, latest.ticket
    raise AssertionError(sender)


def test_what_was_refused_is_corrected_and_accepted(shipped: House) -> None:
    """Everything that the registers refuse is put right where the mistake is, and declared again."""
    shipped.settle()
    _mend_the_registers(shipped)
    corrected = 0
    for _ in shipped.scopes():
        for declaration in Declaration.objects.to_correct().order_by("pk"):
            codes = set(declaration.anomalies.order_by("pk").values_list("code", flat=True))
            record = declaration.record
            if codes & {"99000-272", "99000-334", "99003-152", "99004-152"}:
                _move_to_a_free_day(record)
            new = declaring.correct(declaration)
            assert (new.kind, new.earlier_ticket) == (Declaration.Kind.ORIGINAL, "")
            with pytest.raises(CannotDeclare):
                declaring.correct(declaration)
            corrected += 1
    assert corrected == sum(expected["refused"] for expected in shipped.expected.values()) > 0
    shipped.settle()
    for _ in shipped.scopes():
        assert not Declaration.objects.to_correct().exists()
        for record in TrainingRecord.objects.order_by("pk"):
            assert record.declarations.order_by("-pk")[0].state in ACCEPTED
    assert shipped.account().created == 200 + corrected
    assert shipped.account().breaks == []
    shipped.assert_sent_once()


def _mend_the_registers(house: House) -> None:
    """Every client's mandate is confirmed, and every worker known and employed since long."""
    path = house.simulator.root / "registry.json"
    registry = json.loads(path.read_text("utf-8"))
    for sender, _ in house.scopes():
        for mandate in Mandate.objects.order_by("pk"):
            registry["mandates"].append(
                {
                    "sender": sender,
                    "employer": mandate.employer_number,
                    "application": "FLAD",
                    "from": "2024-04-01",
                }
                | {"to": None}
            )
        for record in TrainingRecord.objects.select_related("worker", "employer").order_by("pk"):
            niss = record.worker.niss
            registry["workers"].append(
                {
                    "niss": niss,
                    "family_name": record.worker.family_name,
                    "given_name": record.worker.given_name,
                }
            )
            registry["employments"].append(
                {"employer": record.employer.number, "niss": niss, "from": "2010-01-01", "to": None}
            )
    path.write_text(json.dumps(registry), "utf-8")


def _move_to_a_free_day(record: TrainingRecord) -> None:
    """Gives the training days on which its worker has no other."""
    length = record.ends_on - record.starts_on
    taken = [
        (other.starts_on, other.ends_on)
        for other in TrainingRecord.objects.exclude(pk=record.pk).filter(
            worker__niss_index=record.worker.niss_index
        )
    ]
    day = date(2024, 5, 6)
    while any(start <= day + length and day <= end for start, end in taken):
        day += timedelta(days=7)
    record.starts_on, record.ends_on = day, day + length
    record.save()


def test_a_set_refused_as_a_whole_is_sent_again_under_a_new_name(house: House) -> None:
    """The channel service does not know the certificate yet: the ACRF says 153, and nothing of the set was read."""
    path = house.simulator.root / "senders.json"
    known = path.read_text("utf-8")
    told = json.loads(known)
    for sender in told["senders"]:
        sender["certificates"] = []
    path.write_text(json.dumps(told), "utf-8")
    house.settle()
    batches = []
    for _ in house.scopes():
        (batch,) = {
            declaration.batch for declaration in Declaration.objects.select_related("batch").order_by("pk")
        }
        assert (batch.state, batch.error_codes) == ("rejected", ["ACRF-153"])
        assert set(Declaration.objects.order_by("pk").values_list("state", flat=True)) == {
            DeclarationState.REFUSED
        }
        batches.append(batch)
    path.write_text(known, "utf-8")
    again = 0
    for (sender, _), batch in zip(house.scopes(), batches, strict=True):
        count = declaring.send_again(batch)
        assert count == house.expected[sender].total()
        assert declaring.send_again(batch) == 0
        again += count
    house.settle()
    assert again == 24
    assert house.account().created == 48
    assert house.account().breaks == []
    for sender, _ in house.scopes():
        states = house.expected[sender] + type(house.expected[sender])(refused=house.expected[sender].total())
        assert Declaration.objects.filter(state="refused").count() == states["refused"]
        assert Declaration.objects.filter(state__in=ACCEPTED).count() == states.total() - states["refused"]
    names = [path.name for path in house.archived()]
    assert len(names) == len(set(names)) == 4
