"""Every service over one channel: trainings, a Dimona, a DmfA and documents, beside the files of other software."""

from __future__ import annotations

import json

import pytest

from channels.models import Channel, EnvelopePart, InboundFile
from mandates.models import Employer, Worker
from mandates.procurations import Pdf
from portal import audit, tenancy
from portal.examples.relayed import Hired
from submissions import conserving, documenting, relaying
from submissions.models import Batch, Declaration, RelayedFile
from tests.journeys.house import House
from tests.simulator.people import NOBODY
from tests.submissions import relayed_files as files
from tests.submissions.documents import PDF, values_of

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


def test_every_answer_finds_its_client_and_nothing_foreign_is_touched(house: House) -> None:
    sender = min(house.tenants)
    one, other = open_services(house, sender)
    foreign = {
        house.home(sender) / "IN" / f"{prefix}.DIMN.{sender}.20261120.A0001.R.1.1": content
        for prefix, content in (("FI", b"<Dimona/>"), ("FS", b"bm90IG91cnM="))
    }
    for path, content in foreign.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
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
        assert not InboundFile.objects.exclude(state="applied").exists()
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
    assert {path: path.read_bytes() for path in foreign} == foreign
