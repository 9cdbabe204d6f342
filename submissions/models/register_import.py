"""A file for the register, of one kind of thing: its bytes, what is wrong with its rows, and what was made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db import models
from django.db.models import Q

from mandates.models import Employer
from portal.models import TenantKey, TenantModel, cipher
from portal.moving import move
from submissions.states import REGISTER_IMPORT_MOVES, RegisterImportState

_PURPOSE: Final = "register import"
_PIECE: Final = 1_000_000
"""Bytes sealed together: neither the request nor the worker holds a whole file twice."""


class RegisterImport(TenantModel):
    """One file. It is checked, applied and undone by the worker, chunk by chunk.

    `due_at` is set while the worker has to do something: the sweep takes what nobody worked on since. `attempt` counts
    who took it: whoever finds another number than his own stops, because somebody else is at it.
    """

    State = RegisterImportState

    class Kind(models.TextChoices):
        """What the rows are about; see `submissions.importing.kinds`."""

        WORKERS = "workers"
        CONTRACTS = "contracts"
        TRAININGS = "trainings"
        RIGHTS = "rights"
        ARCHIVE = "archive"

    # Whom all rows are about; without one they name their enterprises, and nobody limited to some clients sees it.
    employer = TenantKey(Employer, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    # Whether its trainings become declarations as well.
    declares = models.BooleanField(default=False)
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    # How a CSV file is read; empty for a workbook.
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.BigIntegerField(null=True)
    state = models.CharField(max_length=12, choices=RegisterImportState, default=RegisterImportState.CHECKING)
    # The headings as they stand in row `heading_line`, and the column that each of them is, by its place; "" for none.
    headings = models.JSONField(default=list)
    heading_line = models.PositiveIntegerField(default=0)
    mapping = models.JSONField(default=list)
    # A row whose day has its month in front: then no day of the file can be trusted that could be read both ways.
    month_first_line = models.PositiveIntegerField(null=True)
    # Why it cannot be read: [English sentence, values].
    refusal = models.JSONField(default=list)
    is_whole = models.BooleanField(default=False)
    applied_by = models.BigIntegerField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Rows, as far as they were read; `lines` is what they are expected to be, 0 where nobody knows.
    lines = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    undone = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["checking", "applying", "undoing"], due_at__isnull=False)
                | ~Q(state__in=["checking", "applying", "undoing"]) & Q(due_at=None),
                name="due_exactly_while_at_work",
            ),
        )
        indexes = (
            models.Index(fields=["mandataire", "sha256"], name="register_import_by_content"),
            models.Index(fields=["mandataire", "due_at"], name="register_import_by_turn"),
            models.Index(fields=["mandataire", "employer", "kind"], name="register_import_by_employer"),
        )

    def keep(self, chunks: Iterable[bytes]) -> None:
        """Saves the row, and the bytes of its file sealed piece by piece. Nothing is read of them yet."""
        digest = hashlib.sha256()
        self.size, self.sha256 = 0, ""
        self.save()
        for number, piece in enumerate(_pieces(chunks)):
            digest.update(piece)
            self.size += len(piece)
            sealed = cipher().seal_bytes(_PURPOSE, piece, subject=f"{self.pk}.{number}")
            ImportPiece.objects.create(of=self, number=number, content_sealed=sealed)
        self.sha256 = digest.hexdigest()
        self.save(update_fields=["size", "sha256"])

    def pieces(self) -> Iterator[bytes]:
        """The exact bytes of the file, piece by piece, each asked for when its turn comes."""
        number = 0
        while (
            sealed := self.sealed_pieces.filter(number=number)
            .values_list("content_sealed", flat=True)
            .first()
        ):
            yield cipher().open_bytes(_PURPOSE, bytes(sealed), subject=f"{self.pk}.{number}")
            number += 1

    def move(self, new: RegisterImportState, **changes: Any) -> None:
        """Moves to `new`, or raises LostRace when somebody else moved it first. The caller records the Event."""
        move(self, REGISTER_IMPORT_MOVES, new, **changes)


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= _PIECE:
            yield bytes(waiting[:_PIECE])
            del waiting[:_PIECE]
    if waiting:
        yield bytes(waiting)


class ImportPiece(TenantModel):
    """Some bytes of a file, sealed at rest: they hold personal numbers. They open in their own place only."""

    of = TenantKey(RegisterImport, on_delete=models.CASCADE, related_name="sealed_pieces")
    number = models.PositiveIntegerField()
    content_sealed = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "of", "number"], name="one_piece_per_place"),
        )


class ImportFault(TenantModel):
    """A row that cannot be applied, with its faults: [column, English sentence, values, what stands there].

    What stands there is masked: the file itself has it as it came.
    """

    of = TenantKey(RegisterImport, on_delete=models.CASCADE, related_name="faults")
    line = models.PositiveIntegerField()
    faults = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "of", "line"], name="one_fault_row_per_line"),
        )


class ImportChunk(TenantModel):
    """Rows applied in one transaction, up to row `through`. What makes "never twice" hold: there is one per number.

    `made` says what each row became: {"trainings": [[row, id], ...], ...}. After an undo, `kept` says what stays
    of it and why: {"trainings": [[row, id, reason], ...]}.
    """

    of = TenantKey(RegisterImport, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    through = models.PositiveIntegerField()
    made = models.JSONField()
    is_undone = models.BooleanField(default=False)
    kept = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["mandataire", "of", "number"], name="one_chunk_per_number"),
        )
