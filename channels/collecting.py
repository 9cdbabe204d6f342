"""Fetches what waits in the directories of answers: read, store, commit, and only then delete over there.

Unless the channel is declared exclusive, a judge says of each answer whose it is, and only ours are deleted
(`channels.sharing`).

GO is deleted first, then FS, FO last. Without its GO an answer is not readable for anybody, so nobody ever
meets half of one; and as long as anything is left, FO is among it. After a crash in the middle FO is read
once more and deleted only when it is, to the byte, what is stored here: a new answer under an old name is
never taken for the old one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from channels import sftp, stopping
from channels.contact import note_contact
from channels.errors import ConnectionLost, NotThere, TooLarge, TransportError
from channels.locking import ChannelBusy, channel_lock
from channels.models import FILE, Channel, InboundFile, ReservedName
from channels.naming import FileName
from channels.sftp import Seen, Session
from channels.sharing import Judge, Memory, Whose, leave_alone
from channels.triples import Triple, group
from channels.vault import MissingKey
from portal import audit, tenancy
from portal.models import cipher

LARGEST_ANSWER: Final = 64_000_000
"""Bytes. Answers above 50 MB come zipped (www.socialsecurity.be/site_fr/general/helpcentre/batch/, sizecompression)."""

type Connect = Callable[[Channel], AbstractContextManager[Session]]


@dataclass(slots=True)
class Collected:
    """What one visit brought.

    `stored`: ids of new InboundFiles, oldest first. `repeated`: answers that were here already. `incomplete`:
    answers still being written. `deleted`: answers removed over there. `left`: answers that are not ours alone and
    stay there. `errors`: a sentence for each thing that went wrong. `is_stopped`: the channel may have no contact.
    """

    stored: list[int] = field(default_factory=list)
    repeated: int = 0
    incomplete: int = 0
    deleted: int = 0
    left: int = 0
    errors: list[str] = field(default_factory=list)
    is_busy: bool = False
    is_stopped: bool = False


def collect(
    mandataire: UUID,
    channel_id: int,
    *,
    judge: Judge = leave_alone,
    is_asked: bool = False,
    connect: Connect = sftp.connect,
) -> Collected:
    """Fetches every complete answer of a channel. May always be called again; one bad answer stops no other.

    `judge` says whose an answer is, on a channel that is not exclusive. `is_asked`: a person wants it, so a paused or
    broken channel is tried all the same. Runs outside of any transaction, because each answer is one. Never raises
    for what the other side does.
    """
    collected, failure = Collected(), None
    with tenancy.scope(mandataire):
        channel = Channel.objects.get(pk=channel_id)
        environments = _environments(channel)
    if not stopping.may_contact(channel, is_asked=is_asked):
        return Collected(is_stopped=True)
    try:
        with channel_lock(channel.pk), connect(channel) as session:
            visit = _Visit(mandataire, channel, session, collected, judge)
            for environment in environments:
                visit.fetch(environment)
    except ChannelBusy:
        collected.is_busy = True
        return collected
    except (TransportError, MissingKey) as error:
        collected.errors.append(str(error))
        failure = error
    if failure:
        note_contact(mandataire, channel.pk, failure)
    else:
        note_contact(mandataire, channel.pk, collected.errors[0] if collected.errors else "", is_reached=True)
    return collected


def _environments(channel: Channel) -> list[str]:
    """Where answers may come: the present environment of the channel, and all in which it ever took a name.

    Not simply all three: a portal that only tries out in the simulation must leave production alone.
    """
    used = (
        ReservedName.objects.filter(channel=channel)
        .order_by()
        .values_list("environment", flat=True)
        .distinct()
    )
    return [channel.environment, *sorted(set(used) - {channel.environment})]


@dataclass(slots=True)
class _Visit:
    mandataire: UUID
    channel: Channel
    session: Session
    collected: Collected
    judge: Judge
    _deleted: list[int] = field(default_factory=list)

    def fetch(self, environment: str) -> None:
        """Fetches everything in one directory. Raises ConnectionLost: then nothing else would work either."""
        with _noting(self.collected.errors):
            self._fetch_from(environment, self.session.listing_out(environment))

    def _fetch_from(self, environment: str, there: Mapping[str, Seen]) -> None:
        memory = Memory(self.mandataire, self.channel, environment, there)
        pending = {name for pk, name in self._pending(environment) if not memory.keeps(pk)}
        self._note_gone(pending - set(there))
        try:
            for triple in group(there):
                if triple.is_complete:
                    if not self.channel.is_exclusive and memory.knows(triple):
                        self.collected.left += len(triple.answers)
                        continue
                    with _noting(self.collected.errors):
                        self._take(environment, triple, memory)
                elif pending.intersection(map(str, triple.answers)):
                    with _noting(self.collected.errors):
                        self._finish_deleting(environment, triple)
                else:
                    self.collected.incomplete += 1
        finally:
            # Together, to spare a commit for each; after a kill the next visit notes them as gone.
            self._note_deleted(self._deleted)
            self._deleted.clear()

    def _take(self, environment: str, triple: Triple, memory: Memory) -> None:
        """Stores every answer of a set that is ours; only when all are, and are committed, does it go over there."""
        found: dict[str, InboundFile | None] = {}
        are_ours = True
        for answer in triple.answers:
            with _noting(self.collected.errors):
                try:
                    content = self.session.read(environment, str(answer), self._limit())
                except TooLarge as error:
                    if self.channel.is_exclusive:
                        raise
                    # Told now, and not at each visit: it may well be somebody else's.
                    self.collected.errors.append(str(error))
                    found[str(answer)], are_ours = None, False
                    continue
                except NotThere:
                    if self.channel.is_exclusive:
                        raise
                    return  # Whose it was has just taken it.
                whose = self._whose(environment, answer, content)
                are_ours &= whose is Whose.OURS
                is_kept = whose is not Whose.ANOTHERS
                signature = triple.signatures.get(answer)
                found[str(answer)] = self._store(environment, answer, content, signature) if is_kept else None
        if len(found) < len(triple.answers):
            return
        if are_ours:
            self._delete(environment, triple, [file for file in found.values() if file])
        else:
            memory.remember(found)
            self.collected.left += len(found)

    def _whose(self, environment: str, answer: FileName, content: bytes) -> Whose:
        if self.channel.is_exclusive:
            return Whose.OURS
        with tenancy.scope(self.mandataire):
            return self.judge(self.channel, environment, str(answer), content)

    def _store(
        self, environment: str, answer: FileName, content: bytes, signature: FileName | None
    ) -> InboundFile:
        signed = self.session.read(environment, str(signature), self._limit()) if signature else None
        sha256 = hashlib.sha256(content).hexdigest()
        with tenancy.scope(self.mandataire):
            same_name = InboundFile.objects.filter(channel=self.channel, name=str(answer))
            others = list(same_name.defer("content_sealed", "signature_sealed").order_by("pk"))
            for known in others:
                if known.sha256 == sha256:
                    self._note_repeated(known)
                    return known
            reason = _contradiction(len(others)) if others else ""
            box = cipher()
            file = InboundFile.objects.create(
                channel=self.channel,
                environment=environment,
                name=str(answer),
                sha256=sha256,
                size=len(content),
                content_sealed=box.seal_bytes(FILE, content),
                signature_sealed=box.seal_bytes(FILE, signed) if signed is not None else None,
                reason=reason,
                alarm=InboundFile.Alarm.CONTRADICTION if others else "",
                received_at=timezone.now(),
            )
            data = {"name": file.name, "sha256": sha256, "size": file.size}
            audit.record("file.stored", file, data=data)
            if others:
                audit.record(
                    "file.contradicts",
                    file,
                    reason=reason,
                    data={**data, "earlier": [other.pk for other in others]},
                )
        self.collected.stored.append(file.pk)
        return file

    def _limit(self) -> int:
        """How large an answer may be: a channel that sends small files is answered in files as large as ever."""
        return max(LARGEST_ANSWER, self.channel.max_file_bytes)

    def _note_repeated(self, file: InboundFile) -> None:
        self.collected.repeated += 1
        # Still to be deleted means that an earlier visit broke off, not that it was sent again.
        if file.deleted_there_at is not None:
            audit.record("file.repeated", file, data={"name": file.name, "sha256": file.sha256})

    def _delete(self, environment: str, triple: Triple, stored: list[InboundFile]) -> None:
        for name in (*triple.go, *triple.signatures.values(), *triple.answers):
            self.session.delete(environment, str(name))
        self._deleted.extend(file.pk for file in stored)
        self.collected.deleted += len(triple.answers)

    def _finish_deleting(self, environment: str, triple: Triple) -> None:
        """Answers whose GO is gone: the rest of an interrupted deletion, or new ones under an old name."""
        known: list[InboundFile] = []
        for answer in triple.answers:
            content = self.session.read(environment, str(answer), self._limit())
            with tenancy.scope(self.mandataire):
                file = InboundFile.objects.filter(
                    channel=self.channel,
                    name=str(answer),
                    sha256=hashlib.sha256(content).hexdigest(),
                    deleted_there_at__isnull=True,
                ).first()
            if file is None or self._whose(environment, answer, content) is not Whose.OURS:
                self.collected.incomplete += 1
                return
            known.append(file)
        self._delete(environment, triple, known)

    def _pending(self, environment: str) -> list[tuple[int, str]]:
        with tenancy.scope(self.mandataire):
            return list(self._undeleted().filter(environment=environment).values_list("pk", "name"))

    def _note_gone(self, names: set[str]) -> None:
        """What was to be deleted and is gone: an earlier visit was cut off just after its deletion."""
        if names:
            with tenancy.scope(self.mandataire):
                gone = list(self._undeleted().filter(name__in=names).values_list("pk", flat=True))
            self._note_deleted(gone)

    def _undeleted(self) -> models.QuerySet[InboundFile]:
        return InboundFile.objects.filter(channel=self.channel, deleted_there_at__isnull=True)

    def _note_deleted(self, identities: list[int]) -> None:
        if not identities:
            return
        with tenancy.scope(self.mandataire):
            files = list(self._undeleted().filter(pk__in=identities).only("pk", "name").order_by("pk"))
            self._undeleted().filter(pk__in=identities).update(deleted_there_at=timezone.now())
            for file in files:
                audit.record("file.deleted_there", file, data={"name": file.name})


@contextmanager
def _noting(errors: list[str]) -> Iterator[None]:
    """Lets one bad file stop no other. A lost connection stops them all: nothing else would work either."""
    try:
        yield
    except ConnectionLost:
        raise
    except TransportError as error:
        errors.append(str(error))


def _contradiction(earlier: int) -> str:
    return _(
        "Social security sent another file under this name before (%(count)d): both are kept, and this one is not "
        "applied. Compare them, and ask which one counts; if it is this one, read it again."
    ) % {"count": earlier}
