"""A directory of answers that other software of the same sender uses too: what is ours, and what is left alone.

One account has one directory of answers for all services and all software (see
www.socialsecurity.be/site_fr/general/helpcentre/batch/sftp/aboutsftp), so an answer may be somebody else's, and must
still be there when he comes. Names of answers carry the sender number of social security: only their content tells.
What stays is remembered by name, size and time, so that it is fetched twice at most: once when it is new, and once
later, because what makes an answer ours (the ticket in an earlier answer) may come in after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.utils import timezone

from channels.models import Channel, InboundFile, LeftAnswer
from channels.sftp import Seen
from channels.triples import Triple
from portal import audit, tenancy

LOOKS: Final = 2
LOOK_AGAIN_AFTER: Final = timedelta(hours=1)


class Whose(StrEnum):
    """Whose an answer is. OURS is kept here and deleted there; ANOTHERS is left; SHARED is kept here and left there.

    SHARED also stands for what nobody can read: it may be ours, and it may be somebody else's.
    """

    OURS = "ours"
    SHARED = "shared"
    ANOTHERS = "anothers"


type Judge = Callable[[Channel, str, str, bytes], Whose]
"""Says whose an answer is, from channel, environment (R, T or S), name and content. Called in the tenant's scope."""


def leave_alone(channel: Channel, environment: str, name: str, content: bytes) -> Whose:
    """The judge of who cannot tell: nothing is ours."""
    return Whose.ANOTHERS


class Memory:
    """What was left in one directory, as of the last visit; `there` is what lies in it now, by name."""

    def __init__(
        self, mandataire: UUID, channel: Channel, environment: str, there: Mapping[str, Seen]
    ) -> None:
        self._mandataire, self._channel, self._environment, self._there = (
            mandataire,
            channel,
            environment,
            there,
        )
        with tenancy.scope(mandataire):
            rows = {row.name: row for row in self._all()}
            self._forget([row for name, row in rows.items() if name not in there])
        self._rows = {name: row for name, row in rows.items() if name in there}
        self._kept = {row.kept_id for row in self._rows.values()}

    def knows(self, triple: Triple) -> bool:
        """Whether every answer of the set was looked into, is as it was then, and is not to be looked into again."""
        return all(self._is_known(str(answer)) for answer in triple.answers)

    def keeps(self, file_id: int) -> bool:
        """Whether this answer of ours stays over there."""
        return file_id in self._kept

    def remember(self, kept: Mapping[str, InboundFile | None]) -> None:
        """Notes that these answers stay where they are, each with our copy if there is one."""
        now = timezone.now()
        with tenancy.scope(self._mandataire):
            for name, file in kept.items():
                seen, earlier = self._there[name], self._rows.get(name)
                is_same = earlier is not None and (earlier.size, earlier.modified_at) == seen
                values = {
                    "size": seen.size,
                    "modified_at": seen.modified_at,
                    "looks": earlier.looks + 1 if earlier and is_same else 1,
                    "looked_at": now,
                    "kept": file,
                }
                self._rows[name], _is_new = LeftAnswer.objects.update_or_create(
                    channel=self._channel,
                    environment=self._environment,
                    name=name,
                    defaults=values,
                    create_defaults={**values, "first_seen_at": now},
                )

    def _is_known(self, name: str) -> bool:
        row = self._rows.get(name)
        if row is None or (row.size, row.modified_at) != self._there[name]:
            return False
        return row.looks >= LOOKS or row.looked_at > timezone.now() - LOOK_AGAIN_AFTER

    def _all(self) -> list[LeftAnswer]:
        rows = LeftAnswer.objects.filter(
            mandataire_id=self._mandataire, channel=self._channel, environment=self._environment
        )
        return list(rows.order_by("pk"))

    def _forget(self, gone: list[LeftAnswer]) -> None:
        """Somebody took them away over there: our copies no longer have an original."""
        if not gone:
            return
        LeftAnswer.objects.filter(pk__in=[row.pk for row in gone]).delete()
        kept = InboundFile.objects.filter(
            pk__in=[row.kept_id for row in gone if row.kept_id], deleted_there_at__isnull=True
        )
        for file in kept.only("pk", "name").order_by("pk"):
            audit.record("file.taken_there", file, data={"name": file.name})
        kept.update(deleted_there_at=timezone.now())
