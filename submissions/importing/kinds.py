"""The kinds of file that the register takes, in the one place that names them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from submissions.importing.archives import Archives
from submissions.importing.contracts import Contracts
from submissions.importing.rights import Rights
from submissions.importing.rows import Kind
from submissions.importing.trainings import Trainings
from submissions.importing.workers import Workers
from submissions.models import RegisterImport

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        RegisterImport.Kind.WORKERS: Workers(),
        RegisterImport.Kind.CONTRACTS: Contracts(),
        RegisterImport.Kind.TRAININGS: Trainings(),
        RegisterImport.Kind.RIGHTS: Rights(),
        RegisterImport.Kind.ARCHIVE: Archives(),
    }
)

TABLES: Final = (
    RegisterImport.Kind.WORKERS,
    RegisterImport.Kind.CONTRACTS,
    RegisterImport.Kind.TRAININGS,
    RegisterImport.Kind.RIGHTS,
)
"""Those that people make in a spreadsheet, with columns to point out, and rows to correct and give again."""
