"""Answers that are cut, swapped, doubled and encoded wrongly: nothing crashes, and nothing moves that was not answered.

What may move is read from the same bytes by another parser. PORTAL_TRIES=20000 makes more tries than the few hundred.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random
from xml.etree import ElementTree

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from channels.naming import is_file_name
from portal import tenancy
from submissions import answering
from submissions.models import Batch
from tests import factories
from tests.submissions.answers_about import dropped, receipt, ticket_of, verdict
from tests.submissions.wire.answer_samples import ANOMALY, REMARK, idflux, noti, zipped
from tests.submissions.wire.samples import OFFICIAL
from tests.submissions.wire.schema_samples import SCHEMAS, Maker

TRIES = int(os.environ.get("PORTAL_TRIES", "200"))

SPLINTERS = (
    *(b"<", b">", b"&", b"]]>", b"<!--", b"\x00", b"\xff", b"\xed\xa0\x80", b"<?x?>", b"&amp;", b"&a;"),
    *(b"<!DOCTYPE a [<!ENTITY a 'b'>]>", b"</Form><Form>", b"<Form>", b"</NOTIFICATION>", b"<ResultCode>0"),
    *(
        b"<ResultCode>1</ResultCode>",
        b'<?xml version="1.0" encoding="ISO-8859-1"?>',
        b"\xef\xbb\xbf",
        b"1",
        b"0",
    ),
)
ENCODINGS = ("utf-16", "utf-16-be", "utf-7", "iso-8859-1", "cp1252", "utf-8-sig", "cp037")


class _Undone(Exception):
    """Takes back what one try did."""


# --- damage ---------------------------------------------------------------------------------------


def _cut(chance: Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _drop(chance: Random, content: bytes) -> bytes:
    start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    return content[:start] + content[end:]


def _double(chance: Random, content: bytes) -> bytes:
    start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    return content[:end] + content[start:]


def _swap(chance: Random, content: bytes) -> bytes:
    a, b, c, d = sorted(chance.randrange(len(content) + 1) for _ in range(4))
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def _spoil(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _insert(chance: Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(SPLINTERS) + content[at:]


def _encode(chance: Random, content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(chance.choice(ENCODINGS), "replace")


def _swap_elements(chance: Random, content: bytes) -> bytes:
    """Whole tags change places: what comes of it is often well-formed."""
    pieces = content.split(b"><")
    a, b = (chance.randrange(len(pieces)) for _ in range(2))
    pieces[a], pieces[b] = pieces[b], pieces[a]
    return b"><".join(pieces)


DAMAGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_cut, _drop, _double, _swap, _spoil, _spoil, _insert, _insert, _encode),
    *(_swap_elements, _swap_elements),
)


def _damaged(chance: Random, content: bytes) -> bytes:
    for _time in range(chance.choice((0, 1, 1, 1, 2, 4))):
        content = chance.choice(DAMAGES)(chance, content)
    return content


# --- what was sent --------------------------------------------------------------------------------


def _true_answers(batch: Batch) -> list[bytes]:
    first, second = factories.declarations_of(batch)
    return [
        receipt(batch),
        receipt(batch, is_accepted=False, errors=("ACRF-125",)),
        noti(verdict(first), verdict(second, "0", anomalies=ANOMALY)),
        noti(verdict(first, anomalies=REMARK), verdict(second, file_name="")),
        noti(verdict(first, "0", file_name=""), verdict(second, "4")),
        idflux(),
    ]


def _from_the_schema(chance: Random, batch: Batch) -> bytes:
    """An answer as the schema has it; in every second one, some of its numbers are those of our set."""
    maker = Maker(
        chance.choice(list(SCHEMAS)),
        chance,
        takes=lambda: chance.random() < 0.4,
        counts=lambda: chance.choice((1, 1, 2)),
        picks=chance.randrange,
    )
    document = maker.document()
    ours = [*(each.reference for each in factories.declarations_of(batch)), f"GO.{batch.envelope.stem}.1"]
    for element in document.iter("FileName", "ReferenceNbr"):
        if chance.random() < 0.5:
            element.text = ours[-1] if element.tag == "FileName" else chance.choice(ours[:-1])
    return etree.tostring(document)


# --- what may move --------------------------------------------------------------------------------


def _text(form: ElementTree.Element, path: str) -> str:
    return (form.findtext(path) or "").strip()


def _may_become(batch: Batch, content: bytes) -> tuple[set[str], dict[int, set[str]]]:
    """The states that these bytes may bring the set and each declaration to, read by another parser."""
    declarations = list(factories.declarations_of(batch))
    nothing: dict[int, set[str]] = {each.pk: set() for each in declarations}
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  our own damage, and no entity is ever defined but by us
    except (ElementTree.ParseError, ValueError, LookupError):
        return set(), nothing
    if b"<!DOCTYPE" in content:
        return set(), nothing
    sets: set[str] = set()
    for form in root.findall("Form"):
        name, result = _text(form, "FileReference/FileName"), _text(form, "ReceptionResult/ResultCode")
        is_ours = name.partition(".")[2].startswith(batch.envelope.stem)
        if root.tag == "ACRF" and is_ours and result.strip("0") in ("", "1") and result:
            sets.add("acknowledged" if result.strip("0") else "rejected")
            for states in nothing.values():
                states.add("acknowledged" if result.strip("0") else "refused")
        results = [
            _text(one, "") or (one.text or "").strip() for one in form.findall("HandlingResult/ResultCode")
        ]
        for each in declarations if root.tag == "NOTIFICATION" else ():
            numbers = {(one.text or "").strip() for one in form.iter("ReferenceNbr")}
            if (is_ours or not is_file_name(name)) and numbers & {each.reference, ticket_of(each)}:
                nothing[each.pk] |= (
                    {"accepted", "accepted_with_remarks"} if any(r.endswith("1") for r in results) else set()
                )
                nothing[each.pk] |= {"refused"} if any(r and not r.strip("0") for r in results) else set()
    if any(nothing.values()) and root.tag == "NOTIFICATION":
        sets.add("answered")
    return sets, nothing


def _assert_nothing_else_moves(batch: Batch, name: str, content: bytes, plain: bytes) -> None:
    sets, declarations = _may_become(batch, plain)
    try:
        with transaction.atomic():
            file = factories.inbound(batch.channel, content, name=name)
            assert answering.apply(tenancy.current(), file.pk) in ("applied", "unmatched", "unreadable")
            now = Batch.objects.get(pk=batch.pk)
            assert now.state in {"dropped", *sets}
            for each in factories.declarations_of(batch):
                assert each.state in {"sent", *declarations[each.pk]}
            raise _Undone
    except _Undone:
        pass


@settings(
    max_examples=TRIES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chance=st.integers(0, 2**64).map(Random))
def test_nothing_moves_that_was_not_answered(scope: None, two: Batch, chance: Random) -> None:
    has_schemas = (OFFICIAL / SCHEMAS["ACRF"]).exists()
    if has_schemas and chance.random() < 0.4:
        plain = _damaged(chance, _from_the_schema(chance, two))
    else:
        plain = _damaged(chance, chance.choice(_true_answers(two)))
    name = f"FO.NOTI.999999.20251002.{chance.randrange(1, 99999):05}.S"
    if chance.random() < 0.1:
        archive = zipped((name, plain))
        _assert_nothing_else_moves(two, f"CO{name[2:]}", archive, plain)
        damaged = _damaged(chance, archive)
        if damaged != archive:
            # The archive's own checksum tells: either it is refused, or its content is what it was.
            _assert_nothing_else_moves(two, f"CO{name[2:]}", damaged, plain)
    else:
        _assert_nothing_else_moves(two, name, plain, plain)


@pytest.fixture
def two(scope: None) -> Batch:
    """Two declarations that left."""
    return dropped(2)


def test_what_is_whole_does_move(two: Batch) -> None:
    """Else the test above could not fail."""
    moved = []
    for content in _true_answers(two)[:5]:
        sets, declarations = _may_become(two, content)
        file = factories.inbound(two.channel, content)
        with transaction.atomic():
            assert answering.apply(tenancy.current(), file.pk) == "applied"
            moved.append(([each.state for each in factories.declarations_of(two)], sets))
            transaction.set_rollback(False)
        assert any(declarations.values())
    assert moved[0] == (["acknowledged"] * 2, {"acknowledged"})
    assert moved[2][0] == ["accepted", "refused"]
