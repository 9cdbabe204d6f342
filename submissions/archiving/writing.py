"""Writing an archive: a ZIP that leaves by blocks while the register is read, client by client.

Nothing of it is kept here, neither in memory nor on the disk. A download that broke off has no manifest and no
directory, so nobody takes it for a whole one; that it came to its end is an Event of its own.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from mandates.models import Employer, Worker
from portal import audit, tenancy
from portal.models import Mandataire
from submissions import dossiers
from submissions.archiving.layout import DOSSIER, FORMAT, MANIFEST, NOTE, TABLES, VERSION
from submissions.archiving.piping import Pipe
from submissions.archiving.tables import Tables
from submissions.dossiers import Reopen

PER_CHUNK: Final = 200
"""Clients asked for at once."""
_BLOCK: Final = 65_536


class _Archive:
    def __init__(self) -> None:
        self.pipe = Pipe()
        self.zip = zipfile.ZipFile(self.pipe.file, "w", zipfile.ZIP_DEFLATED)
        self.files: list[dict[str, Any]] = []

    def add(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Writes one file and notes it for the manifest; yields what is ready to leave."""
        digest, size = hashlib.sha256(), 0
        now = timezone.localtime()
        info = zipfile.ZipInfo(name, (now.year, now.month, now.day, now.hour, now.minute, now.second))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self.zip.open(info, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
                yield from self.pipe.taken(_BLOCK)
        self.files.append({"name": name, "size": size, "sha256": digest.hexdigest()})


def of_employer(employer: Employer, reopen: Reopen) -> Iterator[bytes]:
    """The archive of one client."""
    return _written([[employer.pk]], reopen)


def of_all(reopen: Reopen) -> Iterator[bytes]:
    """The archive of every client that the scope shows."""
    return _written(_employers(reopen), reopen)


def _employers(reopen: Reopen) -> Iterator[list[int]]:
    last = 0
    while True:
        with reopen():
            rows = Employer.objects.filter(mandataire_id=tenancy.current(), pk__gt=last).order_by("pk")
            chunk = list(rows.values_list("pk", flat=True)[:PER_CHUNK])
        if not chunk:
            return
        yield chunk
        last = chunk[-1]


def _written(chunks: Iterable[list[int]], reopen: Reopen) -> Iterator[bytes]:
    archive, language, workers = _Archive(), translation.get_language() or "fr", 0
    with translation.override(language):
        note = [_note().encode()]
    yield from archive.add(NOTE, note)
    for chunk in chunks:
        for pk in chunk:
            with reopen():
                employer = Employer.objects.get(pk=pk, mandataire_id=tenancy.current())
                head = dossiers.head_of(employer)
            with translation.override(language):
                tables = Tables()
            told = _Counted(dossiers.workers_of(Worker.objects.filter(employer=employer), reopen), tables)
            texts = dossiers.written(head, told)
            yield from archive.add(f"{employer.number}/{DOSSIER}", (text.encode() for text in texts))
            workers += told.count
            for name in TABLES:
                yield from archive.add(f"{employer.number}/{name}.csv", tables.content(name))
    manifest, digest = _manifest(archive, workers, reopen)
    yield from archive.add(MANIFEST, [manifest])
    archive.zip.close()
    with reopen():
        # It is whole: with this digest the file that somebody brings can be told from one that was changed.
        mandataire = Mandataire.objects.get(pk=tenancy.current())
        audit.record("archive.completed", mandataire, data={"workers": workers, "sha256": digest})
    yield from archive.pipe.taken()


class _Counted:
    """The workers as they pass, each put into the tables as well."""

    def __init__(self, workers: Iterator[dict[str, Any]], tables: Tables) -> None:
        self._workers, self._tables, self.count = workers, tables, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for worker in self._workers:
            self.count += 1
            self._tables.add(worker)
            yield worker


def _manifest(archive: _Archive, workers: int, reopen: Reopen) -> tuple[bytes, str]:
    """The list of all files, and its digest."""
    with reopen():
        mandataire = Mandataire.objects.get(pk=tenancy.current())
    told = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": timezone.now().isoformat(),
        "mandataire": {"name": mandataire.name, "number": mandataire.number},
        "employers": sum(one["name"].endswith(DOSSIER) for one in archive.files),
        "workers": workers,
        "files": archive.files,
    }
    content = json.dumps(told, ensure_ascii=False, indent=1).encode()
    return content, hashlib.sha256(content).hexdigest()


def _note() -> str:
    lines = (
        _("This archive holds all that a register of trainings knew of its clients, with personal numbers in full."),
        _("Keep it where only those may read it who must, and delete it when it has served."),
        "",
        _("One folder for each client, by its enterprise number:"),
        _("dossier.json: everything, one worker a line; durations in minutes, amounts in cents, days as 2026-11-21;"),
        _("the .csv files: the same as tables, for a spreadsheet."),
        "",
        _("manifest.json lists every file with its size and SHA-256; without it the archive is not whole."),
        _("Documents are named and not included. Another office of this portal can read the archive again."),
    )  # fmt: skip
    return "\r\n".join(lines) + "\r\n"
