"""What comes from outside and means harm, or is merely broken."""

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from submissions.wire.answers import acknowledgements, notifications, replacements, root_kind
from submissions.wire.hostile import Unreadable, iter_forms, parse, root_element, root_name

from .answer_samples import ANOMALY, acrf, acrf_form, idflux, noti, noti_form

BOMB = (
    b'<!DOCTYPE NOTIFICATION [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<NOTIFICATION><Form>&b;</Form></NOTIFICATION>"
)
BAD = {
    "nothing": b"",
    "white space": b" \n\t ",
    "text": b"hello",
    "a zip": b"PK\x03\x04aaaa",
    "only a declaration": b'<?xml version="1.0"?>',
    "an open comment": b"<!-- <Form/>",
    "an open instruction": b"<?php ",
    "a bomb": BOMB,
    "a doctype in lower case": BOMB.replace(b"DOCTYPE", b"doctype"),
    "a doctype after a comment": b"<!-- x --><?y z?>\n" + BOMB,
    "a doctype after a byte order mark": b"\xef\xbb\xbf" + BOMB,
    "an external entity": (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><NOTIFICATION><Form>&x;</Form></NOTIFICATION>'
    ),
    "an external subset": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a"><NOTIFICATION><Form/></NOTIFICATION>',
    "an unknown entity": b"<NOTIFICATION><Form>&nbsp;</Form></NOTIFICATION>",
    "UTF-16": "<NOTIFICATION><Form/></NOTIFICATION>".encode("utf-16"),
    "UTF-16 declared": '<?xml version="1.0" encoding="UTF-16"?><NOTIFICATION><Form/></NOTIFICATION>'.encode(
        "utf-16"
    ),
    "UTF-16 in ASCII": b'<?xml version="1.0" encoding="UTF-16"?><NOTIFICATION><Form/></NOTIFICATION>',
    "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?><NOTIFICATION>+ADw-Form/+AD4-</NOTIFICATION>',
    "Windows-1252": b'<?xml version="1.0" encoding="windows-1252"?><NOTIFICATION><Form/></NOTIFICATION>',
    "EBCDIC": b'<?xml version="1.0" encoding="cp037"?><NOTIFICATION><Form/></NOTIFICATION>',
    "Latin-1 with the mark of UTF-8": (
        b'\xef\xbb\xbf<?xml version="1.0" encoding="ISO-8859-1"?><NOTIFICATION><Form/></NOTIFICATION>'
    ),
    "Latin-1 that says it is UTF-8": b"<NOTIFICATION><Form>\xe9t\xe9</Form></NOTIFICATION>",
    "overlong UTF-8": b"<NOTIFICATION><Form>\xc0\xbc</Form></NOTIFICATION>",
    "a surrogate in UTF-8": b"<NOTIFICATION><Form>\xed\xa0\x80</Form></NOTIFICATION>",
    "a NUL": b"<NOTIFICATION><Form>\x00</Form></NOTIFICATION>",
    "a NUL by number": b"<NOTIFICATION><Form>&#0;</Form></NOTIFICATION>",
    "XML 1.1": b'<?xml version="1.1"?><NOTIFICATION><Form>&#1;</Form></NOTIFICATION>',
    "a declaration after white space": b' <?xml version="1.0"?><NOTIFICATION><Form/></NOTIFICATION>',
    "two roots": b"<NOTIFICATION><Form/></NOTIFICATION><NOTIFICATION/>",
    "text after the root": b"<NOTIFICATION><Form/></NOTIFICATION>x",
    "an open root": b"<NOTIFICATION><Form/>",
    "crossed tags": b"<NOTIFICATION><Form></NOTIFICATION></Form>",
    "an unbound prefix": b"<NOTIFICATION><x:Form/></NOTIFICATION>",
    "a doubled attribute": b"<NOTIFICATION><Form a='1' a='2'/></NOTIFICATION>",
    "depth": b"<NOTIFICATION><Form>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Form></NOTIFICATION>",
    "a very long text": b"<NOTIFICATION><Form>" + b"a" * 11_000_000 + b"</Form></NOTIFICATION>",
    "a doctype inside": b"<NOTIFICATION><!DOCTYPE a><Form/></NOTIFICATION>",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_bad_is_unreadable_whole_and_streamed(name: str) -> None:
    with pytest.raises(Unreadable) as whole:
        parse(BAD[name])
    with pytest.raises(Unreadable) as streamed:
        list(iter_forms(BAD[name]))
    with pytest.raises(Unreadable):
        list(notifications(BAD[name]))
    for error in (whole.value, streamed.value):
        assert str(error) == error.reason
        assert error.reason.endswith(".")


def test_the_doctype_is_refused_before_anything_is_parsed() -> None:
    for content in (BOMB, b"<!-- x -->" + BOMB):
        with pytest.raises(Unreadable, match="DOCTYPE"):
            next(iter_forms(content))
        with pytest.raises(Unreadable, match="DOCTYPE"):
            root_name(content)


def test_an_attack_reads_no_file(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    content = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>'.encode()
    with pytest.raises(Unreadable) as refused:
        parse(content)
    assert "s3cret" not in str(refused.value)


def test_an_inclusion_is_only_an_element(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    inclusion = f'<xi:include href="{secret.as_uri()}" parse="text"/>'
    root = parse(f'<a xmlns:xi="http://www.w3.org/2001/XInclude">{inclusion}</a>'.encode())
    assert b"s3cret" not in etree.tostring(root)


@pytest.mark.parametrize(
    "content",
    [
        b"<a>\xc3\xa9</a>",
        b"\xef\xbb\xbf<a>\xc3\xa9</a>",
        b'<?xml version="1.0" encoding="UTF-8"?><a>\xc3\xa9</a>',
        b"<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\r\n<a>\xc3\xa9</a>",
        b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>',
        b'<?xml version="1.0" encoding="iso-8859-1"?>\n<!-- \xe9 --><a>\xe9</a>',
        b'<?xml version="1.0"?><a>&#233;</a>',
        b"\n\n <a>\xc3\xa9</a>\n",
    ],
)
def test_what_is_good_is_read(content: bytes) -> None:
    root = parse(content)
    assert root.tag == root_name(content) == "a"
    assert root.text == "é"


def test_comments_and_instructions_are_gone() -> None:
    root = parse(b"<a><!-- x --><b/><?pi x?>t</a>")
    assert [child.tag for child in root] == ["b"]


def test_the_size_limit() -> None:
    content = b"<a>" + b" " * 100 + b"</a>"
    assert parse(content, max_bytes=len(content)).tag == "a"
    for read in (parse, root_name, lambda c, **k: list(iter_forms(c, **k))):
        with pytest.raises(Unreadable, match="106"):
            read(content, max_bytes=len(content) - 1)


def test_only_children_of_the_root_with_the_tag_are_forms() -> None:
    content = b"<a><Form n='1'><Form/></Form><x><Form/></x><Form n='2'/><Form xmlns='urn:y'/></a>"
    assert [form.get("n") for form in iter_forms(content)] == ["1", "2"]
    assert [len(form) for form in iter_forms(content)] == [1, 0]
    assert len(list(iter_forms(content, "{urn:y}Form"))) == 1
    assert list(iter_forms(b"<Form/>")) == []


def test_streaming_keeps_one_form_in_memory() -> None:
    content = noti(*(noti_form(f"P-{n}", anomalies=ANOMALY) for n in range(4000)))
    tracemalloc.start()
    try:
        seen = sum(len(form) > 0 for form in iter_forms(content))
        _size, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == 4000
    assert peak < len(content) / 4


def test_an_error_tells_the_place_but_not_the_content() -> None:
    content = acrf(acrf_form()).replace(b"</ACRF>", b"<INSS>85073003328</INSSS></ACRF>")
    with pytest.raises(Unreadable, match=r"line 1, column \d+") as refused:
        parse(content)
    assert "85073003328" not in str(refused.value)
    assert "INSS" not in str(refused.value)


SAMPLES = [
    acrf(acrf_form(), acrf_form("0", ("ACRF-133",))),
    noti(noti_form(anomalies=ANOMALY), noti_form()),
    idflux(),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sample that was cut, had pieces swapped, doubled or overwritten, or changed its encoding."""
    content = draw(st.sampled_from(SAMPLES))
    for _turn in range(draw(st.integers(1, 3))):
        a, b = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        match draw(st.sampled_from(["cut", "swap", "double", "overwrite", "insert", "encode"])):
            case "cut":
                content = content[:a] + content[b:]
            case "swap":
                middle = (a + b) // 2
                content = content[:a] + content[middle:b] + content[a:middle] + content[b:]
            case "double":
                content = content[:b] + content[a:]
            case "overwrite":
                noise = draw(st.binary(min_size=1, max_size=8))
                content = content[:a] + noise + content[a + len(noise) :]
            case "insert":
                piece = draw(
                    st.sampled_from(
                        [b"<Form>", b"</Form>", b"<!DOCTYPE a>", b"&x;", b"<![CDATA[", b"<?x", b"\x00"]
                    )
                )
                content = content[:a] + piece + content[a:]
            case "encode":
                content = content.decode("latin-1").encode(
                    draw(st.sampled_from(["utf-16", "utf-8", "cp037", "utf-7"]))
                )
    return content


@given(damaged())
@example(b"<NOTIFICATION><Form><HandlingResult>x<AnomalyReport/></HandlingResult></Form></NOTIFICATION>")
@settings(max_examples=300, deadline=None)
def test_damaged_answers_are_read_or_unreadable_and_nothing_else(content: bytes) -> None:
    for read in (acknowledgements, notifications, replacements, iter_forms):
        with suppress(Unreadable):
            list(read(content))
    with suppress(Unreadable):
        assert root_kind(content)
        assert etree.iselement(parse(content))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<Dimona/>", (None, "Dimona", {})),
        (b'<a:Dimona xmlns:a="urn:x"/>', ("urn:x", "Dimona", {})),
        (
            b'<Dimona xmlns:i="urn:i" i:at="D_20231.xsd" by="me"><broken',
            (None, "Dimona", {("urn:i", "at"): "D_20231.xsd", (None, "by"): "me"}),
        ),
    ],
)
def test_the_start_tag_is_read_without_what_follows(content: bytes, found: object) -> None:
    assert root_element(content) == found


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE a><a/>", b"<a b='", b"\xff\xfe<a/>"])
def test_a_start_tag_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        root_element(content)
