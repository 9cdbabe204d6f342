"""`manage.py load_annexes DIR`: keeps the official texts of error codes, joint committees and forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from submissions import publishing
from submissions.publishing import Loaded, UnusableAnnex
from submissions.wire.annexes import MOST_BYTES


class Command(BaseCommand):
    """Reads every `*.xml` of a directory; `<title>2022-1_30.xml` is version 2022/1 of annex 30."""

    help = "Load the official annexes (XML) of a directory: their texts are shown for codes without words of ours."

    def add_arguments(self, parser: CommandParser) -> None:
        """The directory."""
        parser.add_argument(
            "directory", type=Path, help="where the published annexes lie, as they were downloaded"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Loads all of them, or says which one stands in the way and loads none."""
        directory: Path = options["directory"]
        paths = sorted(directory.glob("*.xml"))
        if not paths:
            raise CommandError(f"{directory} holds no annex (*.xml).")
        try:
            done = publishing.load(_contents(paths))
        except UnusableAnnex as error:
            raise CommandError(f"Nothing was loaded. {error}") from None
        for found in done:
            self.stdout.write(_told(found))
        if not any(found.number for found in done):
            raise CommandError("None of these files is an annex that the portal uses (11, 26 or 30).")


def _contents(paths: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        with path.open("rb") as file:
            # One byte more than is ever read: too much is refused where it is read.
            yield path.name, file.read(MOST_BYTES + 1)


def _told(found: Loaded) -> str:
    if found.number is None:
        return f"{found.name}: left out, the portal does not use it"
    told = f"{found.name}: annex {found.number}, version {_version(found.version)}, {found.count} texts"
    if found.is_known:
        return f"{told}: known already"
    if not found.before:
        return f"{told}: loaded, the first version"
    changes = f"{found.new} new, {found.reworded} changed, {found.gone} gone"
    return f"{told}: loaded; compared with version {_version(found.before)}: {changes}"


def _version(quarter: str) -> str:
    return f"{quarter[:4]}/{quarter[4]}"
