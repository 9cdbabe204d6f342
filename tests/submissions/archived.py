"""Archives of registers: taken, changed by a hostile hand, and brought to another office."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils import timezone

from mandates.models import Worker
from portal import tenancy
from submissions.archiving import writing
from submissions.importing import applying, keeping
from submissions.models import RegisterImport
from submissions.states import DeclarationState
from tests import factories
from tests.people import Person
from tests.submissions.register_files import worked

MOMENT = timezone.make_aware(timezone.datetime(2025, 5, 6, 7, 8, 9))


def register() -> Worker:
    """A client with two workers, one of them with one of everything, in the open scope."""
    client = factories.client(name="Hôtel « Fils »", onss_number="130387593", language="nl")
    factories.size(client, 2024, "49.50")
    worker = factories.worker(client, niss=factories.new_niss(), family_name="=O'Connor", given_name="Zoé")
    factories.contract(worker, regime=80, entered_on=date(2024, 1, 1), joint_committee="149.01")
    factories.manual_right(worker, made_at=MOMENT)
    factories.former_number(worker)
    record = factories.record(worker, title='Sécurité "1"\n2', client_reference="0001", cost_cents=125000)
    refused = factories.declaration(record, state=DeclarationState.WITHDRAWN)
    refused.ticket = "0123456789ABC"
    refused.save()
    factories.correction_request(record)
    factories.former_declaration(record, created_at=MOMENT, anomalies=[])
    factories.record(worker, title="", client_reference="0002")
    factories.worker(client, family_name="Abts")
    factories.employer(name="Sans personne")
    return worker


def taken(person: Person) -> bytes:
    """The whole archive of an office."""
    with person.scope():
        reopen = tenancy.reopener()
    return b"".join(writing.of_all(reopen))


def files_of(content: bytes) -> dict[str, bytes]:
    """The files in an archive, by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive of these files, as they are."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def changed(content: bytes, change: Callable[[dict[str, bytes]], None], *, is_signed: bool = True) -> bytes:
    """The archive after somebody changed its files; with `is_signed` he also mended the manifest."""
    files = files_of(content)
    manifest = json.loads(files.pop("manifest.json"))
    change(files)
    if is_signed:
        manifest["files"] = [
            {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        ]
    return zipped({**files, "manifest.json": json.dumps(manifest).encode()})


def brought(person: Person, content: bytes) -> RegisterImport:
    """The archive given to another office, and looked at by the worker."""
    with person.scope():
        made = keeping.keep("archive.zip", [content], RegisterImport.Kind.ARCHIVE, declares=True)
    return worked(person, made)


def applied(person: Person, made: RegisterImport, *, is_whole: bool = True) -> RegisterImport:
    """The import after the worker applied it."""
    with person.scope():
        applying.begin(made, is_whole=is_whole)
    return worked(person, made)


def comparable(content: bytes) -> dict[str, Any]:
    """What an archive tells, without what another office cannot say the same: when, whose, and what stays behind."""
    found = {}
    for name, data in files_of(content).items():
        if not name.endswith("dossier.json"):
            continue
        told = json.loads(data)
        for key in ("made_at", "mandataire", "agreements"):
            del told[key]
        for key in ("mandates", "sign_offs"):
            del told["employer"][key]
        for worker in told["workers"]:
            del worker["documents"]
            for training in worker["trainings"]:
                del training["created_at"], training["changed_at"]
                for declared in training["declarations"]:
                    del declared["taken_over_from"]
                training["declarations"].sort(key=lambda one: one["reference"])
        found[name] = told
    return found
