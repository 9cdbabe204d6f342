"""Every service over one channel: trainings, a Dimona, a DmfA and documents, beside the files of other software."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from lxml import etree

from channels.models import Channel, EnvelopePart, InboundFile, LeftAnswer
from mandates.models import Employer, Worker
from mandates.procurations import Pdf
from portal import audit, tenancy
from portal.examples.relayed import Hired
from portal.models import ChannelProfile, Mandataire, Profile
from submissions import conserving, documenting, relaying
from submissions.models import Batch, Declaration, RelayedFile
from submissions.questions import address_of
from tests import factories
from tests.journeys.house import House
from tests.simulator.people import NOBODY
from tests.submissions import relayed_files as files
from tests.submissions.documents import PDF, values_of
from tests.submissions.wire import answer_samples as answers

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

CODES = ("DIMN", "DMFA", "ATDO")


def open_services(house: House, sender: str) -> list[Employer]:
    """Both sides know that the sender speaks for two of its clients in every service. Returns these clients."""
    with tenancy.scope(house.tenants[sender]):
        Channel.objects.update(services=["FLA", *CODES], max_file_bytes=50_000)
        spoken = Employer.objects.filter(mandates__service="FLA", training_records__isnull=False).distinct()
        clients = list(spoken.order_by("pk")[:2])
        for client in clients:
            for code in ("DIMONA", "DMFA", "DOCUMENTS"):
                files.mandate(client, code)
    registry_file, senders_file = (house.simulator.root / name for name in ("registry.json", "senders.json"))
    registry, senders = (json.loads(path.read_text("utf-8")) for path in (registry_file, senders_file))
    registry["mandates"] += [
        {"sender": sender, "employer": client.number, "application": code, "from": "2024-01-01", "to": None}
        for client in clients
        for code in CODES
    ]
    for row in senders["senders"]:
        row["applications"] += CODES
    registry_file.write_text(json.dumps(registry), "utf-8")
    senders_file.write_text(json.dumps(senders), "utf-8")
    return clients


def employed(house: House, client: Employer) -> list[Worker]:
    """Workers whom social security knows, still at this client: nothing about them is refused."""
    registry = json.loads((house.simulator.root / "registry.json").read_text("utf-8"))
    known = {worker["niss"] for worker in registry["workers"]}
    here = {
        one["niss"]
        for one in registry["employments"]
        if one["employer"] == client.number and one["to"] is None
    }
    found = [worker for worker in client.workers.order_by("pk") if worker.niss in known & here]
    assert found, client
    return found


# --- other software -------------------------------------------------------------------------------


def name_of(kind: str, day: str, sequence: str) -> str:
    """What follows the first dot in the names of an answer of production."""
    return f"{kind}.999999.{day}.{sequence}.R"


def about(file_name: str, reference: str) -> str:
    """A form about something that other software sent in this file, under a reference of its own."""
    return answers.noti_form(reference, ticket="9Z9Z9Z9Z9Z9Z9").replace(
        "GO.FLAD.104217.20251001.A0001.R.1", file_name
    )


def zipped(name: str, content: bytes) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        archive.writestr(name, content)
    return box.getvalue()


@dataclass
class OtherSoftware:
    """What other software of the same sender has in the directories over there, as it was put."""

    home: Path
    sender: str
    put: dict[Path, tuple[bytes, int, int]] = field(default_factory=dict)
    answers: set[str] = field(default_factory=set)
    """Names of the complete answers that are readable and not ours."""

    def place(self, directory: str, name: str, content: bytes) -> None:
        path = self.home / directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        seen = path.stat()
        self.put[path] = (content, seen.st_mtime_ns, seen.st_ino)

    def answered(self, rest: str, content: bytes, *, main: str = "FO") -> None:
        for prefix, inside in ((main, content), ("FS", b"bm90IG91cnM="), ("GO", b"")):
            self.place("OUT", f"{prefix}.{rest}", inside)
        self.answers.add(f"{main}.{rest}")

    def before(self) -> None:
        """An upload that is not finished, and answers of earlier days, to sets of several services."""
        for prefix, content in (("FI", b"<Dimona/>"), ("FS", b"bm90IG91cnM=")):
            self.place("IN", f"{prefix}.DIMN.{self.sender}.20261120.A0001.R.1.1", content)
        fla, dimona = (f"GO.{code}.{self.sender}.20261102.A0001.R.1" for code in ("FLAD", "DIMN"))
        day = "20261103"
        self.answered(name_of("ACRF", day, "0000A"), answers.acrf(answers.acrf_form(name=fla)))
        self.answered(name_of("ACRF", day, "0000B"), answers.acrf(answers.acrf_form(name=dimona)))
        self.answered(name_of("NOTI", day, "0000C"), answers.noti(about(fla, "FLA-OF-OTHERS")))
        self.answered(name_of("NOTI", day, "0000D"), answers.noti(about(dimona, "PAY-OF-OTHERS")))
        rest = name_of("NOTI", day, "0000E")
        self.answered(rest, zipped(f"FO.{rest}", answers.noti(about(fla, "ZIPPED"))), main="CO")

    def between(self) -> str:
        """The same on our day, with names among those of our answers. Returns the name of one that nobody can read."""
        day = f"{timezone.localdate():%Y%m%d}"
        dimona = f"GO.DIMN.{self.sender}.{day}.A0002.R.1"
        whole = answers.noti(about(dimona, "PAY-OF-OTHERS-2"))
        self.answered(name_of("DMNO", day, "0000A"), b"<DMNO001>%s</DMNO001>" % about(dimona, "DIM").encode())
        self.answered(name_of("NOTI", day, "A0A0A"), whole)
        self.answered(name_of("NOTI", day, "ZZZZZ"), whole)
        incomplete = name_of("NOTI", day, "ZZZZA")
        for prefix, content in (("FO", whole), ("FS", b"bm90IG91cnM=")):
            self.place("OUT", f"{prefix}.{incomplete}", content)
        self.place("OUT", "a-note-of-somebody.txt", b"Ne pas toucher.")
        rest = name_of("NOTI", day, "ZZZZB")
        self.answered(rest, whole[:-40])
        self.answers.remove(f"FO.{rest}")
        return f"FO.{rest}"

    def assert_untouched(self) -> None:
        """Every file is there, byte for byte, and nobody wrote to it or put another one in its place."""
        now = {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in self.put}
        assert now == self.put


def test_every_answer_finds_its_client_and_nothing_foreign_is_touched(house: House) -> None:
    sender = min(house.tenants)
    one, other = open_services(house, sender)
    others = OtherSoftware(house.home(sender), sender)
    others.before()
    house.do("collect")
    with tenancy.scope(house.tenants[sender]):
        channel = Channel.objects.get()
        known = [
            Hired(worker.niss, worker.family_name, worker.given_name) for worker in employed(house, one)[:2]
        ]
        sent = {
            "dimona.xml": files.a_dimona(one, [*known, Hired(NOBODY, "Personne", "Jean")], reference="PAY"),
            "dmfa.xml": files.a_dmfa(one, known, reference="DMFA-20263"),
            "autre.xml": files.a_dimona(
                other, [Hired(w.niss, w.family_name, w.given_name) for w in employed(house, other)[:1]]
            ),
        }
        for name, content in sent.items():
            relaying.hand_over(channel, name, content)
        for worker in (*employed(house, one)[:1], *employed(house, other)[:1]):
            documenting.send(channel, worker, Pdf("contrat.pdf", PDF), values_of())
    house.bring_to("collect")
    unreadable = others.between()
    house.untouched = {path.name for path in others.put}
    ours = sorted(path.name for path in house.uncollected())
    assert ours[0] < next(name for name in others.answers if "DMNO" in name) < ours[-1], "in between"
    house.settle()
    with tenancy.scope(house.tenants[sender]):
        states = {
            declaration.form.reference: (declaration.state, declaration.employer_id)
            for declaration in Declaration.objects.filter(form__isnull=False).select_related("form")
        }
        assert states.pop("PAY-3") == ("refused", one.pk)
        assert {"PAY-1", "PAY-2", "DMFA-20263"} < set(states)
        assert {state for state, _employer in states.values()} == {"accepted"}
        assert {employer for _state, employer in states.values()} == {one.pk, other.pk}
        documents = Declaration.objects.filter(document__isnull=False).order_by("pk")
        assert [(d.state, d.employer_id) for d in documents] == [("accepted", one.pk), ("accepted", other.pk)]
        assert len({d.batch_id for d in documents}) == 1, "documents travel together"
        refusal = Declaration.objects.get(form__reference="PAY-3").anomalies.get()
        assert (refusal.code, refusal.tag, refusal.field) == ("00024-179", "INSS", "")
        assert NOBODY not in refusal.value
        assert refusal.location.partition(" ")[0].isdigit(), "the line in their file"
        _assert_left_alone(others, unreadable)
        _assert_each_form_reached_its_client()
        parts = EnvelopePart.objects.filter(envelope__service__in=("DIMN", "DMFA"))
        assert sorted(part.fi for part in parts) == sorted(sent.values())
        assert sorted(file.content for file in RelayedFile.objects.all()) == sorted(sent.values())
        assert set(Batch.objects.values_list("service", flat=True)) == {"FLA", *CODES}
        assert set(Batch.objects.values_list("state", flat=True)) == {"answered"}
    found = conserving.account(house.tenants[sender])
    assert found.breaks == []
    assert found.waiting == 0
    assert audit.verify(house.tenants[sender])[1] is None
    archived = {path.name.split(".")[0] for path in house.archived(sender)}
    assert archived == {"FLAD", *CODES}
    others.assert_untouched()
    _assert_seen_by_its_client_alone(house, sender, [one, other])


def _assert_left_alone(others: OtherSoftware, unreadable: str) -> None:
    """What is not ours is listed and not stored; what nobody can read is copied, and left as well."""
    left = dict(LeftAnswer.objects.values_list("name", "kept__name"))
    assert left == {**dict.fromkeys(others.answers), unreadable: unreadable}
    (kept,) = InboundFile.objects.exclude(state="applied")
    assert (kept.name, kept.state, kept.deleted_there_at) == (unreadable, "unreadable", None)
    taken = InboundFile.objects.filter(state="applied")
    assert not taken.filter(deleted_there_at=None).exists()
    assert others.answers.isdisjoint(taken.values_list("name", flat=True))


def _assert_each_form_reached_its_client() -> None:
    """The employer that social security names in each answer is the one of the declaration that bears its ticket."""
    answered = {d.ticket: d for d in Declaration.objects.exclude(ticket="").select_related("employer")}
    assert len(answered) == Declaration.objects.count(), "each has its ticket"
    found = set()
    for file in InboundFile.objects.filter(state="applied", kind="NOTI"):
        content = file.content
        if file.name.startswith("CO."):
            content = zipfile.ZipFile(io.BytesIO(content)).read(file.name.replace("CO.", "FO.", 1))
        for form in etree.fromstring(content).iterfind("Form"):
            declaration = answered[form.findtext("HandledReference/ReferenceNbr")]
            company = form.findtext("EmployerId/CompanyID")
            assert company.zfill(10) == declaration.employer.number, file.name
            found.add(declaration.ticket)
    assert found == set(answered)


def _assert_seen_by_its_client_alone(house: House, sender: str, clients: list[Employer]) -> None:
    """Whoever works at a client opens what was answered about it; to everybody else it does not exist."""

    def works_at(mandataire: UUID, *profiles: Profile | ChannelProfile, at: Employer | None = None) -> Client:
        browser = Client()
        with tenancy.scope(mandataire):
            owner = Mandataire.objects.get(pk=mandataire)
        browser.force_login(factories.place(owner, *profiles, employer=at).user)
        return browser

    elsewhere = next(tenant for number, tenant in house.tenants.items() if number != sender)
    stranger = works_at(elsewhere, Profile.EXTENDED, ChannelProfile.SEE)
    bosses = {client.pk: works_at(house.tenants[sender], Profile.EXTENDED, at=client) for client in clients}
    with tenancy.scope(house.tenants[sender]):
        about_them = Declaration.objects.filter(employer__in=clients).order_by("pk")
        shown = [(row.employer_id, row.service, address_of(row), row.ticket) for row in about_them]
        names = set(InboundFile.objects.values_list("name", flat=True))
    assert {(client.pk, code) for client in clients for code in ("FLA", "DIMN", "ATDO")} <= {
        (employer, service) for employer, service, *_rest in shown
    }
    for employer, service, address, ticket in shown:
        for boss, browser in bosses.items():
            answer = browser.get(address)
            assert answer.status_code == (200 if boss == employer else 404), (service, address)
            assert (ticket in answer.content.decode()) == (boss == employer)
        assert stranger.get(address).status_code == 404
    page = stranger.get("/channel/").content.decode()
    assert not [name for name in names if name in page], "another organisation sees none of the files"
