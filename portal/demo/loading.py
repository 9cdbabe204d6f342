"""Brings the example files into the register, the way clients' files come: employers, workers, trainings."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from django.utils import timezone

from channels import vault
from channels.models import Channel, Credential, EnvironmentCode
from channels.signing import new_self_signed
from mandates.catalogue import mandate_service, service
from mandates.models import Contract, Employer, Mandate, Worker
from portal import audit, tenancy
from portal.examples import reading
from portal.examples.training import OPENED_ON
from portal.models import Grant, Mandataire, Membership, Profile, User
from portal.profiles import usual
from submissions.declaring import declare
from submissions.fields import FIELDS
from submissions.models import TrainingRecord
from submissions.models.right import EmployerSize, SectorAgreement

SERVICE = "FLA"
CARRIED = (SERVICE, "DIMN", "DMFA", "ATDO")
"""The services that a fresh channel of the demonstration carries: those for which there are example files, or pages."""

_DAYS_OF_CERTIFICATE = 365
_FTE: Final = {0: "6.00", 1: "14.50"}
_LARGE, _LARGE_DAYS = "48.00", 5
"""Full-time equivalents of a client whose workers have this many days a year; of all larger ones (training_law)."""
_AGREEMENT: Final = "000001/CO/000"


def load(folder: Path, password: str) -> UUID:
    """Founds the mandataire of one example folder with its people, clients and records. Returns its id."""
    data = json.loads((folder / "mandataire.json").read_text(encoding="utf-8"))
    mandataire = Mandataire.found(name=data["name"], number=data["number"], quality=data["quality"])
    with tenancy.scope(mandataire.id):
        audit.record("mandataire.founded", mandataire)
        for operator in sorted(data["operators"], key=lambda row: row["profile"] != Profile.EXTENDED):
            _operator(operator, password)
        mandates: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in data["mandates"]:
            mandates[row["employer"]].append(row)
        records: list[TrainingRecord] = []
        for row in data["employers"]:
            employer = _employer(row, mandates[row["number"]])
            records += _register(folder, employer, data["language"])
        declare(records, SERVICE)
    return mandataire.id


def _operator(row: dict[str, Any], password: str) -> None:
    user = User.objects.create_user(
        username=row["username"],
        email=row["email"],
        password=password,
        first_name=row["first_name"],
        last_name=row["last_name"],
        language=row["language"],
    )
    # Those with the extended profile come first; the first of all decides who may enter.
    member = Membership.objects.create(user=user, is_manager=not Membership.objects.exists())
    for profile in usual(Profile(row["profile"])).values():
        Grant.objects.create(member=member, application=profile.application, profile=profile)


def _employer(row: dict[str, Any], mandates: list[dict[str, Any]]) -> Employer:
    employer = Employer.objects.create(
        number=row["number"], onss_number=row["nsso"], name=row["name"], language=row["language"]
    )
    for mandate in mandates:
        Mandate.objects.create(
            employer=employer,
            employer_number=employer.number,
            service=mandate["service"],
            is_exclusive=mandate_service(mandate["service"]).is_exclusive,
            starts_on=mandate["from"],
            ends_on=mandate["to"],
            state=Mandate.State.ACTIVE,
        )
    audit.record("employer.added", employer)
    _rights(employer, row["right_days"], row["joint_committees"][0])
    return employer


def _rights(employer: Employer, days: int, committee: str) -> None:
    """What the right of `days` a year for a full-timer follows from: a size, and an agreement where the law says more.

    Fictitious like the client; without it no page could show a right.
    """
    years = range(OPENED_ON.year, timezone.localdate().year + 1)
    fte = _FTE.get(days, _LARGE)
    EmployerSize.objects.bulk_create(EmployerSize(employer=employer, year=year, fte=fte) for year in years)
    if days not in (*_FTE, _LARGE_DAYS):
        SectorAgreement.objects.create(
            joint_committee=committee, number=_AGREEMENT, from_year=years[0], days=days
        )


def _register(folder: Path, employer: Employer, language: str) -> list[TrainingRecord]:
    """Workers, contracts and trainings of one employer, in three bulk inserts."""
    rows = reading.read_workers(folder / f"{employer.number}-workers.csv", language)
    workers: dict[str, Worker] = {}
    for row in rows:
        if row.niss not in workers:
            workers[row.niss] = Worker(
                employer=employer,
                family_name=row.family_name,
                given_name=row.given_name,
                language=row.language,
            )
            workers[row.niss].niss = row.niss
    Worker.objects.bulk_create(workers.values(), batch_size=1000)
    Contract.objects.bulk_create(
        (
            Contract(
                worker=workers[row.niss],
                joint_committee=row.joint_committee,
                regime=row.regime_percent,
                day_minutes=row.day_minutes,
                entered_on=row.entered_on,
                left_on=row.left_on,
            )
            for row in rows
        ),
        batch_size=1000,
    )
    names = [item.name for item in FIELDS]
    trainings = reading.read_trainings(folder / f"{employer.number}-trainings.csv", language, rows)
    return TrainingRecord.objects.bulk_create(
        (
            TrainingRecord(
                employer=employer,
                worker=workers[row.niss],
                client_reference=row.reference,
                **{name: value for name, value in asdict(row).items() if name in names},
            )
            for row in trainings
        ),
        batch_size=1000,
    )


def connect(
    mandataire: UUID, sender: str, *, port: int, host_key: str, departs_at: datetime | None = None
) -> dict[str, Any]:
    """Opens the mandataire's channel to the simulator, or points it at where the simulator listens this time.

    Returns what the government's channel service would know of it: one entry of the simulator's `senders.json`.
    """
    with tenancy.scope(mandataire):
        owner = Mandataire.objects.get(pk=mandataire)
        channel = Channel.objects.filter(sender_number=sender).first()
        if channel is None:
            channel = _open_channel(owner, sender)
        Channel.objects.filter(pk=channel.pk).update(
            host="127.0.0.1", port=port, host_key=host_key, departs_at=departs_at, collects_at=None
        )
        keys = {row.kind: row for row in channel.credentials.all()}
        return {
            "number": sender,
            "name": owner.name,
            "username": channel.username,
            "ssh_keys": [keys[Credential.Kind.SSH].public],
            "certificates": [keys[Credential.Kind.SIGNING].fingerprint],
            "applications": [service(code).application_code for code in channel.services],
        }


def _open_channel(owner: Mandataire, sender: str) -> Channel:
    channel = Channel.objects.create(
        quality=owner.quality,
        name=f"SFTP {sender}",
        sender_number=sender,
        username=f"expediteur-{sender}",
        services=list(CARRIED),
        environment=EnvironmentCode.PRODUCTION,
    )
    audit.record("channel.opened", channel)
    private = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    vault.store_ssh_key(channel, private)
    vault.store_signing_key(channel, *new_self_signed(owner.name, _DAYS_OF_CERTIFICATE))
    return channel
