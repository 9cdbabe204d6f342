"""Elements as plain data, with and without the numbers of people."""

import pytest
from lxml import etree

from submissions.wire.dumping import dump, masked, plain


@pytest.mark.parametrize(
    ("xml", "data"),
    [
        ("<a/>", ""),
        ("<a> x </a>", "x"),
        ("<a><b>1</b><c/></a>", {"b": "1", "c": ""}),
        ("<a><b>1</b><b>2</b><b>3</b></a>", {"b": ["1", "2", "3"]}),
        ("<a><b><c>1</c></b><b>2</b></a>", {"b": [{"c": "1"}, "2"]}),
        ("<a x='1'>t</a>", {"@x": "1", "#text": "t"}),
        ("<a>t<b/></a>", {"b": "", "#text": "t"}),
        ("<a xmlns='urn:x'><b/></a>", {"@xmlns": "urn:x", "b": ""}),
        ("<a xmlns:x='urn:x' x:y='1'><x:b>2</x:b></a>", {"@y": "1", "b": {"@xmlns": "urn:x", "#text": "2"}}),
        ("<a>\n  <b> </b>\n</a>", {"b": ""}),
    ],
)
def test_an_element_as_data(xml: str, data: object) -> None:
    assert dump(etree.fromstring(xml), plain) == data


def test_every_text_goes_through_show() -> None:
    seen: list[tuple[str, str]] = []

    def show(name: str, text: str) -> str:
        seen.append((name, text))
        return "-"

    assert dump(etree.fromstring("<a k='v'><b>1</b></a>"), show) == {"@k": "-", "b": "-", "#text": "-"}
    assert ("k", "v") in seen
    assert ("b", "1") in seen


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("INSS", "85073003328", "85.07.30-***.**"),
        ("INSS", "85073003329", "85.07.30-***.**"),
        ("INSS", "8507300332", "***"),
        ("INSSUser", "'85073003328", "***"),
        ("INSS", "", ""),
        ("Value", "85073003328", "85.07.30-***.**"),
        ("Value", "85073003329", "85.07.30-***.**"),
        ("Label", "worker 85.07.30-033.28 unknown", "worker 85.07.30-***.** unknown"),
        ("CompanyID", "0897223670", "0897223670"),
        ("ReferenceNbr", "0A1B2C3D4E5F6", "0A1B2C3D4E5F6"),
        ("DimonaPeriodId", "850730033281", "850730033281"),
    ],
)
def test_numbers_of_people_are_masked(name: str, text: str, shown: str) -> None:
    assert masked(name, text) == shown
