"""Loads annexes of social security: dated versions of the official texts of codes, for the whole installation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from portal import annexes, audit, tenancy
from portal.models import AnnexText, PublishedAnnex
from submissions.conserving import everybody
from submissions.wire.annexes import Annex, Row, read
from submissions.wire.hostile import Unreadable


class UnusableAnnex(ValueError):
    """A file that cannot be loaded; ``str()`` names it and says why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one file. `number` is None for a document that is no annex that the portal uses.

    `before` is the version that was the latest until now, "" without one; `new`, `reworded` and `gone` count texts by
    comparison with it, and `count` all of them. `is_known`: this very content was loaded before.
    """

    name: str
    number: int | None = None
    version: str = ""
    is_known: bool = False
    count: int = 0
    before: str = ""
    new: int = 0
    reworded: int = 0
    gone: int = 0


def load(files: Iterable[tuple[str, bytes]]) -> list[Loaded]:
    """Adds the annexes among `files` (name, content), all of them or none, and says what became of each.

    A content that was loaded before changes nothing. Every mandataire finds an Event for each version that was added,
    for the words on his pages change. Raises `UnusableAnnex` for the first file that is damaged: then nothing changed.
    """
    done: list[Loaded] = []
    with transaction.atomic():
        for name, content in files:
            try:
                found = read(name, content)
            except Unreadable as error:
                raise UnusableAnnex(f"{name}: {error}") from None
            done.append(Loaded(name) if found is None else _keep(found))
    annexes.forget()
    return done


def _keep(found: Annex) -> Loaded:
    latest = PublishedAnnex.objects.filter(number=found.number).order_by("-version", "-pk").first()
    row, is_new = PublishedAnnex.objects.get_or_create(
        number=found.number,
        sha256=found.sha256,
        defaults={"version": found.version, "name": found.name[:100], "texts_count": len(found.rows)},
    )
    if not is_new:
        return Loaded(found.name, found.number, row.version, is_known=True, count=row.texts_count)
    AnnexText.objects.bulk_create(
        (AnnexText(annex=row, **text._asdict()) for text in found.rows), batch_size=1000
    )
    result = _compared(found, latest)
    for mandataire in everybody():
        with tenancy.scope(mandataire):
            audit.record(
                "annex.loaded",
                row,
                data={
                    "annex": found.number,
                    "version": f"{found.version[:4]}/{found.version[4]}",
                    "sha256": found.sha256,
                    "count": result.count,
                    "new": result.new,
                    "reworded": result.reworded,
                    "gone": result.gone,
                },
            )
    return result


def _compared(found: Annex, latest: PublishedAnnex | None) -> Loaded:
    fields = Row._fields
    rows = latest.texts.order_by("code", "begins").values_list(*fields) if latest else ()
    before = {(row[0], row[1]): Row(*row) for row in rows}
    now = {(row.code, row.begins): row for row in found.rows}
    return Loaded(
        found.name,
        found.number,
        found.version,
        count=len(now),
        before=latest.version if latest else "",
        new=len(now.keys() - before.keys()),
        reworded=sum(before[key] != now[key] for key in now.keys() & before.keys()),
        gone=len(before.keys() - now.keys()),
    )
