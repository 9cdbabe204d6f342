"""The other side breaks, lies, stammers or sulks. In the end everything is settled, and nothing went twice."""

from __future__ import annotations

from typing import Any

import asyncssh
import pytest

from channels import stopping
from channels.models import Channel, Drop, InboundFile, LeftAnswer
from portal import tenancy
from submissions import answering, sets
from submissions.models import Batch
from submissions.states import BatchState
from tests.journeys.house import House

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

BREAKS: dict[str, dict[str, Any]] = {
    "cut in the first FI": {"cut_after_bytes": 500},
    "cut in a later file": {"cut_after_bytes": 7_000},
    "cut before FI": {"cut_on_open": "FI"},
    "cut after FI": {"cut_on_close": "FI"},
    "cut before FS": {"cut_on_open": "FS"},
    "cut after FS": {"cut_on_close": "FS"},
    "cut before GO": {"cut_on_open": "GO"},
    "cut after GO": {"cut_on_close": "GO"},
    "a full disk": {"full_disk_after_bytes": 1000},
    "a full disk that nobody admits": {"short_file_after_bytes": 1000},
    "no log-in": {"refuse_login": True},
}
"""What breaks while a set leaves. It does so twice: once for each mandataire, or again for the same."""

ANSWERS: dict[str, dict[str, Any]] = {
    "in a zip": {"answer_as_zip": True},
    "twice, under another name": {"answer_twice": "other_name"},
    "twice, under the same name": {"answer_twice": "same_name"},
    "the NOTI before the ACRF": {"out_of_order": True, "noti_delay": 0.1},
    "with garbage beside them": {"garbage": True},
    "with garbage for an ACRF": {"garbage_only": "ACRF"},
    "without file reference": {"no_file_reference": True},
    "one NOTI for all parts": {"noti_per": "set"},
    "no listing of IN": {"no_listing": True},
}
"""How answers come. They all come so."""


@pytest.mark.parametrize("fault", BREAKS)
def test_something_breaks_while_a_set_leaves(house: House, fault: str) -> None:
    house.do("depart")
    house.simulator.set_switches(times=2, **BREAKS[fault])
    house.do("leave")
    assert any(Channel.objects.get().last_error for _ in house.scopes()), "the fault was never met"
    house.settle()
    house.assert_all_is_well()
    for _ in house.scopes():
        assert Channel.objects.get().last_error == "", "a channel that recovered says so"


@pytest.mark.parametrize("manner", ANSWERS)
def test_answers_come_as_nobody_wants_them(house: House, manner: str) -> None:
    house.simulator.set_switches(**ANSWERS[manner])
    if "garbage" in manner:  # What nobody can read is left where other software may collect, too.
        for sender in house.tenants:
            house.channel(sender, is_exclusive=True)
    house.settle()
    house.assert_all_is_well()
    unreadable = sum((house.files(sender)["unreadable"] for sender in house.tenants), 0)
    assert unreadable == (len(house.archived()) if "garbage" in manner else 0)


def test_the_connection_breaks_around_go_and_nothing_can_be_listed(house: House) -> None:
    """Only the ACRF can tell, and it does; until then nothing is sent again."""
    house.do("depart")
    house.simulator.set_switches(no_listing=True)
    house.simulator.set_switches(times=2, cut_on_close="GO")
    house.simulator.set_switches(hold_go=True)
    house.do("leave")
    house.do("leave")
    assert [house.drops(sender) for sender in house.tenants] == [["unknown"], ["unknown"]]
    house.simulator.set_switches(hold_go=None)
    house.settle()
    house.assert_all_is_well()


def test_go_never_arrived_and_nothing_can_be_listed_so_a_person_decides(house: House, settings: Any) -> None:
    house.do("depart")
    house.simulator.set_switches(no_listing=True)
    house.simulator.set_switches(times=2, cut_on_open="GO")
    house.do("leave", "leave", "leave", "collect")
    for _ in house.scopes():
        assert Batch.objects.get().state == BatchState.SEALED, "the acknowledgement may still tell"
        assert Drop.objects.get().state == Drop.State.UNKNOWN
    settings.CONFIG = settings.CONFIG.model_copy(update={"acknowledgement_overdue_after": 0})
    house.do("leave")
    assert house.archived() == []
    for _ in house.scopes():
        batch = Batch.objects.get()
        assert batch.state == BatchState.PARKED
        assert batch.parked_reason
        sets.release(batch, "The contact centre says that no GO came.")
    house.settle()
    house.assert_all_is_well(parked=2)
    assert [house.drops(sender) for sender in house.tenants] == [["failed", "confirmed"]] * 2


def test_log_in_is_refused_for_a_while(house: House) -> None:
    house.simulator.set_switches(refuse_login=True)
    for _ in range(3):
        house.do("depart", "leave", "collect", "apply")
    assert house.archived() == []
    assert house.account().waiting == 24
    for _ in house.scopes():
        channel = Channel.objects.get()
        assert channel.username in channel.last_error
    house.simulator.set_switches(refuse_login=None)
    house.settle()
    house.assert_all_is_well()


def test_only_the_legacy_algorithm_and_a_key_that_cannot_speak_it(house: House) -> None:
    house.simulator.set_switches(ssh_rsa_only=True)
    house.do("depart", "leave")
    assert house.archived() == []
    house.simulator.set_switches(ssh_rsa_only=None)
    house.settle()
    house.assert_all_is_well()


@pytest.mark.parametrize(
    "moment", ["before leaving", "taken, and not processed", "answered, and not collected"]
)
def test_the_other_side_is_restarted(house: House, moment: str) -> None:
    house.do("depart")
    if moment != "before leaving":
        house.simulator.set_switches(hold_go=True)
        house.do("leave")
        if moment == "answered, and not collected":
            house.simulator.set_switches(hold_go=None)
            house.simulator.settle()
    house.simulator.stop()
    house.do("leave", "collect", "apply")
    house.simulator.set_switches(hold_go=None)
    house.simulator.start()
    house.settle()
    house.assert_all_is_well()


# --- answers that are not what they should be -----------------------------------------------------


@pytest.mark.parametrize("is_exclusive", [True, False])
def test_the_notification_is_garbage_and_the_right_one_comes_later(house: House, is_exclusive: bool) -> None:
    for sender in house.tenants:
        house.channel(sender, is_exclusive=is_exclusive)
    house.simulator.set_switches(garbage_only="NOTI")
    house.bring_to("apply")
    house.do("apply")
    assert house.account().waiting == 24, "garbage settles nothing"
    assert house.account().breaks == []
    for sender, _mandataire in house.scopes():
        files = house.files(sender)
        assert (files["applied"], files["unreadable"]) == (1, files.total() - 1)
        garbage = set(
            InboundFile.objects.filter(state="unreadable").order_by("pk").values_list("name", flat=True)
        )
        there = {path.name for path in (house.home(sender) / "OUT").glob("FO.*")}
        assert garbage
        assert there == (set() if is_exclusive else garbage)
        for file in InboundFile.objects.filter(state="unreadable").order_by("pk"):
            assert file.reason
            assert file.content, "what cannot be read is kept"
            answering.replay(file)
    house.do("apply")
    assert house.account().waiting == 24
    for sender, mandataire in house.tenants.items():
        _deliver_by_hand(house, sender, _all_accepted(house, sender))
        house.do("collect", "apply")
        with tenancy.scope(mandataire):
            assert Batch.objects.get().state == BatchState.ANSWERED
    assert str(house.account()).startswith("24 declared = 24 accepted")
    assert house.account().breaks == []
    house.assert_sent_once()


def _all_accepted(house: House, sender: str) -> bytes:
    """A NOTI that accepts everything of the only set of a sender."""
    with tenancy.scope(house.tenants[sender]):
        batch = Batch.objects.select_related("envelope").get()
        references = list(batch.declarations.order_by("pk").values_list("reference", flat=True))
    forms = "".join(
        "<Form><Identification>NOTI001</Identification><FormCreationDate>2026-01-05</FormCreationDate>"
        "<FormCreationHour>10:00:00.000</FormCreationHour><AttestationStatus>0</AttestationStatus>"
        f"<TypeForm>FA</TypeForm><FileReference><FileName>GO.{batch.envelope.stem}.1</FileName>"
        "<ReferenceOrigin>2</ReferenceOrigin><ReferenceNbr>26005000000AA</ReferenceNbr></FileReference>"
        "<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        f"<ReferenceNbr>{reference}</ReferenceNbr></Reference>"
        "<HandledReference><ReferenceType>1</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>"
        f"<ReferenceNbr>26005{number:08d}</ReferenceNbr></HandledReference>"
        "<HandlingResult><ResultCode>1</ResultCode></HandlingResult></Form>"
        for number, reference in enumerate(references)
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><NOTIFICATION>{forms}</NOTIFICATION>'.encode()


def _deliver_by_hand(
    house: House, sender: str, content: bytes, name: str = "NOTI.999999.20260105.HAND1.R"
) -> None:
    out = house.home(sender) / "OUT"
    (out / f"FO.{name}").write_bytes(content)
    (out / f"GO.{name}").touch()


@pytest.mark.parametrize("is_exclusive", [True, False])
def test_an_answer_to_somebody_else_is_left_alone_unless_there_is_nobody_else(
    house: House, is_exclusive: bool
) -> None:
    """Other software may send under the same sender number, and look for its answers in the same place."""
    sender = next(iter(house.tenants))
    house.channel(sender, is_exclusive=is_exclusive)
    house.bring_to("collect")
    theirs = (
        "<ACRF><Form><Identification>ACRF001</Identification><FormCreationDate>2026-01-05</FormCreationDate>"
        "<FormCreationHour>10:00:00.000</FormCreationHour><AttestationStatus>0</AttestationStatus>"
        f"<TypeForm>FA</TypeForm><FileReference><FileName>GO.DIMN.{sender}.20260105.00001.R.1</FileName>"
        "<ReferenceOrigin>2</ReferenceOrigin><ReferenceNbr>2600500000XYZ</ReferenceNbr></FileReference>"
        "<ReceptionResult><ResultCode>0</ResultCode><ErrorID>ACRF-133</ErrorID></ReceptionResult></Form></ACRF>"
    ).encode()
    name = "ACRF.999999.20260105.HAND2.R"
    _deliver_by_hand(house, sender, theirs, name)
    if not is_exclusive:
        house.untouched |= {f"FO.{name}", f"GO.{name}"}
    house.settle()
    house.assert_all_is_well()
    with tenancy.scope(house.tenants[sender]):
        if is_exclusive:
            file = InboundFile.objects.get(state="unmatched")
            assert file.content == theirs
            assert file.reason
        else:
            assert LeftAnswer.objects.get().name == f"FO.{name}"
            assert not InboundFile.objects.filter(name=f"FO.{name}").exists()
            assert (house.home(sender) / "OUT" / f"FO.{name}").read_bytes() == theirs
            assert (house.home(sender) / "OUT" / f"GO.{name}").exists()


# --- what the portal must leave alone -------------------------------------------------------------


def test_another_host_key_stops_everything_until_two_people_accept_it(house: House) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for sender in house.tenants:
        house.channel(sender, host_key=stranger)
    house.do("depart", "leave", "collect")
    for sender in house.tenants:
        assert list((house.home(sender) / "IN").glob("*")) == [], "not a byte was sent"
        assert "SHA256:" in house.channel(sender).last_error
        assert house.drops(sender) == ["failed"]
        assert house.channel(sender).is_paused
    assert house.archived() == []
    for sender, mandataire in house.tenants.items():
        channel = house.channel(sender)
        shown = stopping.fingerprint(channel.other_host_key)
        with tenancy.scope(mandataire, actor=1):
            stopping.propose_host_key(channel, shown, "read out by the contact centre")
        with tenancy.scope(mandataire, actor=2):
            stopping.accept_host_key(channel, shown)
    house.settle()
    house.assert_all_is_well()


def test_files_of_others_are_left_alone(house: House) -> None:
    day = "20261101"
    placed = []
    for sender in house.tenants:
        for directory, name in (
            ("IN", "readme.txt"),
            ("IN", f"FI.FLAD.{sender}.{day}.00001.S.1.1"),
            ("IN", f"FI.DIMN.{sender}.{day}.00001.R.1.1"),
            ("IN", ".hidden"),
            ("OUT", "notes.txt"),
            ("OUT", f"FO.NOTI.999999.{day}.00001.R"),  # still being written: its GO is not there
            ("OUT", f"GO.NOTI.999999.{day}.00002.R"),
            ("OUT", "FO.NOTI.999999"),
        ):
            path = house.home(sender) / directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"nobody's business")
            placed.append(path)
            if directory == "OUT":
                house.untouched.add(name)
    house.settle()
    for path in placed:
        assert path.read_bytes() == b"nobody's business"
    for sender in house.tenants:
        (house.home(sender) / "IN" / f"FI.FLAD.{sender}.{day}.00001.S.1.1").unlink()
    house.assert_all_is_well()


def test_a_go_that_is_not_ours_parks_the_set(house: House) -> None:
    """Somebody else used the name between reserving and leaving: nothing is sent over it."""
    sender = next(iter(house.tenants))
    house.do("depart")
    house.simulator.set_switches(cut_on_open="FS", times=2)
    house.do("leave")
    with tenancy.scope(house.tenants[sender]):
        envelope = Batch.objects.get().envelope
        # A worker that was killed leaves its attempt as it was; the sweep looks before it goes on.
        Drop.objects.filter(envelope=envelope).update(state="started", ended_at=None, error="")
        parts = envelope.parts.count()
    house.simulator.set_switches(leave_after_go=3600)
    (house.home(sender) / "IN" / f"GO.{envelope.stem}.{parts}").touch()
    house.do("leave")
    with tenancy.scope(house.tenants[sender]):
        batch = Batch.objects.get()
        assert batch.state == BatchState.PARKED
        assert batch.parked_reason
    assert house.account().breaks == []
