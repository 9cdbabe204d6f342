"""Every answer that follows the published schemas is read completely: no field that they name is lost."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from submissions.describing import Kind, describe

from .schema_samples import SCHEMAS, Maker, validator

KINDS = {"ACRF": Kind.ACKNOWLEDGEMENT, "NOTIFICATION": Kind.NOTIFICATION, "IDFLUX": Kind.REPLACEMENT}
SHAPES = {
    "everything, once": (True, 1),
    "everything, and what may come often comes often": (True, 3),
    "only what must be there": (False, 1),
}


def fields_of(element: etree._Element, path: str = "") -> Counter[tuple[str, str]]:
    """Path and text of every element without children, as the document has them."""
    here = f"{path}/{etree.QName(element).localname}"
    if len(element) == 0:
        return Counter([(here, (element.text or "").strip())])
    return sum((fields_of(child, here) for child in element), Counter())


def fields_told(told: Any, path: str) -> Counter[tuple[str, str]]:
    """The same, as a description has them; of what is no element (`@given`) nothing."""
    if isinstance(told, list):
        return sum((fields_told(one, path) for one in told), Counter())
    if not isinstance(told, dict):
        return Counter([(path, told)])
    children = {name: one for name, one in told.items() if not name.startswith(("@", "#"))}
    if not children:
        return Counter([(path, told.get("#text", ""))])
    return sum((fields_told(one, f"{path}/{name}") for name, one in children.items()), Counter())


def assert_is_read_completely(root: str, document: etree._Element) -> None:
    content = etree.tostring(document, xml_declaration=True, encoding="UTF-8")
    validator(root).assertValid(etree.fromstring(content))
    found = describe(None, content, reveal=True)
    assert (found.kind, found.problems, found.root) == (KINDS[root], (), root)
    told = json.loads(found.as_json())["forms"]
    assert len(told) == len(document)
    for form, one in zip(document, told, strict=True):
        assert fields_told(one["content"], "/Form") == fields_of(form)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("root", SCHEMAS)
def test_every_field_that_the_schema_names_is_told(root: str, shape: str) -> None:
    is_full, times = SHAPES[shape]
    seen: set[str] = set()
    for alternative in range(4):
        chance = Random(alternative)
        maker = Maker(
            root,
            chance,
            takes=lambda: is_full,
            counts=lambda: times,
            picks=lambda count, at=alternative: min(at, count - 1),
        )
        document = maker.document()
        assert_is_read_completely(root, document)
        seen |= {etree.QName(element).localname for element in document.iter()} - {"Own"}
    if is_full:
        assert seen == maker.names(), "the samples hold every element of the schema"


@pytest.mark.parametrize("root", SCHEMAS)
@settings(max_examples=40, deadline=None)
@given(chance=st.integers(0, 2**32).map(Random))
def test_whatever_follows_the_schema_is_told(root: str, chance: Random) -> None:
    maker = Maker(
        root,
        chance,
        takes=lambda: chance.random() < 0.6,
        counts=lambda: chance.choice((1, 1, 2, 4)),
        picks=chance.randrange,
    )
    assert_is_read_completely(root, maker.document())


@pytest.mark.parametrize("root", SCHEMAS)
def test_the_command_tells_it_as_json(root: str, tmp_path: Path) -> None:
    maker = Maker(root, Random(1), takes=lambda: True, counts=lambda: 2, picks=lambda _count: 0)
    document = maker.document()
    path = tmp_path / "answer.xml"
    path.write_bytes(etree.tostring(document))
    out = StringIO()
    with pytest.raises(SystemExit):  # The name of the file is none of the channel: that is a problem.
        call_command("describe", str(path), "--json", "--reveal", stdout=out)
    (first, *_rest) = json.loads(out.getvalue())["forms"]
    assert fields_told(first["content"], "/Form") == fields_of(document[0])
