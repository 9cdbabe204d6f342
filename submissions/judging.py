"""The official schemas that the installation loaded: keeping them, and judging a file by the version it names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from submissions.models import PublishedSchema
from submissions.wire import published
from submissions.wire.published import Fault
from submissions.wire.relayed import Opening, version_of


class Loaded(NamedTuple):
    """What became of the schemas that were given: names, in order."""

    new: list[str]
    changed: list[str]
    same: list[str]


class Judgement(NamedTuple):
    """The name of the schema that judged a file, "" when none was loaded for it, and its first fault, if any."""

    schema: str
    fault: Fault | None


def load(files: Mapping[str, bytes]) -> Loaded:
    """Keeps schemas by file name, all of them or none; one of a known name takes the place of the earlier content.

    Raises `published.UnusableSchema` when one that names a version cannot be compiled with what was given and what is
    there already. No Event is written: these are publications of the partner, which belong to no mandataire.
    """
    before = dict(PublishedSchema.objects.values_list("name", "sha256"))
    loaded = Loaded([], [], [])
    for name in sorted(files):
        if version_of(name):
            published.compile_schema(name, lambda wanted: files.get(wanted) or _stored(wanted))
        digest = hashlib.sha256(files[name]).hexdigest()
        kind = loaded.new if name not in before else loaded.same if before[name] == digest else loaded.changed
        kind.append(name)
    with transaction.atomic():
        for name in (*loaded.new, *loaded.changed):
            root, version = version_of(name) or ("", "")
            PublishedSchema.objects.update_or_create(
                name=name,
                defaults={
                    "root": root,
                    "version": version,
                    "sha256": hashlib.sha256(files[name]).hexdigest(),
                    "content": files[name],
                },
            )
    return loaded


def judge(content: bytes, opening: Opening, *, max_bytes: int) -> Judgement:
    """Judges a file by the official schema of the version it names; by the latest one when it names none.

    A version that nobody loaded judges nothing: social security has the last word anyway, and a new quarter must not
    stop declarations until an administrator finds the time.
    """
    rows = PublishedSchema.objects.filter(~Q(version=""), root=opening.root)
    if opening.schema:
        rows = rows.filter(name=opening.schema)
    name = rows.order_by("-version").values_list("name", flat=True).first()
    if name is None:
        return Judgement("", None)
    schema = published.compile_schema(name, _stored)
    return Judgement(name, published.first_fault(schema, content, max_bytes=max_bytes))


def _stored(name: str) -> bytes | None:
    content = PublishedSchema.objects.filter(name=name).values_list("content", flat=True).first()
    return None if content is None else bytes(content)
