"""Official schemas: loading a directory of them, and judging files by the version they name."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from channels.models import Channel
from submissions import judging, relaying
from submissions.inspecting import Refused
from submissions.models import Declaration, PublishedSchema, RelayedFile
from submissions.wire.published import UnusableSchema, compile_schema, first_fault
from tests.submissions import relayed_files as files
from tests.submissions.wire.samples import OFFICIAL

pytestmark = pytest.mark.django_db

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
TYPES = f"""{HEAD}
  <xs:simpleType name="Status">
    <xs:restriction base="xs:string"><xs:enumeration value="0"/></xs:restriction>
  </xs:simpleType>
</xs:schema>""".encode()
DIMONA = f"""{HEAD}
  <xs:include schemaLocation="somewhere/types.xsd"/>
  <xs:element name="Dimona"><xs:complexType><xs:sequence>
    <xs:element name="Form" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="Identification" type="xs:string"/><xs:element name="FormCreationDate" type="xs:date"/>
      <xs:element name="FormCreationHour" type="xs:time"/><xs:element name="AttestationStatus" type="Status"/>
      <xs:any maxOccurs="unbounded" processContents="skip"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>""".encode()
SET = {"Dimona_20231.xsd": DIMONA, "types.xsd": TYPES}


@pytest.fixture
def channel(scope: None) -> Channel:
    return files.channel()


def wrong(content: bytes) -> bytes:
    """A Dimona whose first form has a status that no schema admits."""
    return content.replace(b"<AttestationStatus>0<", b"<AttestationStatus>85073003328<", 1)


def test_a_valid_file_is_kept_with_the_name_of_its_judge(channel: Channel) -> None:
    judging.load(SET)
    assert files.handed_over(channel).schema == "Dimona_20231.xsd"


def test_a_fault_is_told_by_line_and_column_and_quotes_nobody_s_number(channel: Channel) -> None:
    judging.load(SET)
    content = wrong(files.a_dimona(files.client()))
    line = next(n for n, text in enumerate(content.split(b"\n"), 1) if b"<AttestationStatus>8" in text)
    column = content.split(b"\n")[line - 1].index(b"<AttestationStatus>8") + 1
    with pytest.raises(Refused) as refusal:
        relaying.hand_over(channel, "d.xml", content)
    said = str(refusal.value)
    assert said.startswith(f"Line {line}, column {column}: ")
    assert "Dimona_20231.xsd" in said
    assert "AttestationStatus" in said
    assert "85073003328" not in said
    assert not RelayedFile.objects.exists()
    assert not Declaration.objects.exists()


def test_the_version_that_a_file_names_judges_it(channel: Channel) -> None:
    narrow = DIMONA.replace(b'type="Status"', b'type="xs:gYear"')
    judging.load(SET | {"Dimona_20261.xsd": narrow})
    client = files.client()
    assert relaying.hand_over(channel, "a.xml", files.a_dimona(client)).schema == "Dimona_20231.xsd"
    newer = files.a_dimona(client).replace(b"Dimona_20231", b"Dimona_20261")
    with pytest.raises(Refused, match=r"Dimona_20261\.xsd"):
        relaying.hand_over(channel, "b.xml", newer)
    named = b'xsi:noNamespaceSchemaLocation="Dimona_20231.xsd"'
    with pytest.raises(Refused, match=r"Dimona_20261\.xsd"):
        relaying.hand_over(channel, "c.xml", files.a_dimona(client).replace(named, b""))
    unknown = files.a_dimona(client).replace(b"Dimona_20231", b"Dimona_20264")
    assert relaying.hand_over(channel, "d.xml", unknown).schema == ""


def test_loading_again_tells_what_is_new_and_what_changed() -> None:
    assert judging.load(SET) == (["Dimona_20231.xsd", "types.xsd"], [], [])
    assert judging.load(SET) == ([], [], ["Dimona_20231.xsd", "types.xsd"])
    changed = {"types.xsd": TYPES.replace(b'"0"', b'"1"')}
    assert judging.load(changed) == ([], ["types.xsd"], [])
    assert PublishedSchema.objects.count() == 2
    stored = PublishedSchema.objects.get(name="Dimona_20231.xsd")
    assert (stored.root, stored.version) == ("Dimona", "20231")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"Dimona_20231.xsd": DIMONA}, "needs types.xsd, which is not there"),
        ({"Dimona_20231.xsd": b"<html/>"}, "is no XML schema"),
        ({"Dimona_20231.xsd": b"<broken"}, "Dimona_20231.xsd: "),
        (SET | {"types.xsd": TYPES.replace(b"xs:string", b"xs:nonsense")}, "Dimona_20231.xsd: "),
        (
            {"Dimona_20231.xsd": DIMONA.replace(b"somewhere/types.xsd", b"file:///etc/hostname")},
            "needs hostname",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_loads_nothing(given: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(UnusableSchema, match=sentence):
        judging.load(given)
    assert not PublishedSchema.objects.exists()


def test_the_command_loads_a_directory(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no schema"):
        call_command("load_schemas", tmp_path)
    for name, content in SET.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "readme.txt").write_text("no schema")
    said = io.StringIO()
    call_command("load_schemas", tmp_path, stdout=said)
    assert "Dimona_20231.xsd: loaded" in said.getvalue()
    assert "2 new, 0 replaced, 0 known already." in said.getvalue()
    (tmp_path / "types.xsd").write_bytes(b"<broken")
    with pytest.raises(CommandError, match="Nothing was loaded"):
        call_command("load_schemas", tmp_path)
    assert bytes(PublishedSchema.objects.get(name="types.xsd").content) == TYPES


def test_the_files_of_the_examples_are_valid_by_the_official_schemas(scope: None) -> None:
    examples = sorted(Path(__file__).parents[2].glob("examples/*/*-d*.xml"))
    assert len(examples) == 4
    if not OFFICIAL.is_dir():
        return

    def find(name: str) -> bytes | None:
        path = OFFICIAL / name
        return path.read_bytes() if path.is_file() else None

    made = [path.read_bytes() for path in examples]
    client = files.client()
    for content in (*made, files.a_dimona(client, 2), files.a_dmfa(client)):
        root, version = ("Dimona", "20231") if b"<Dimona" in content else ("DmfAOriginal", "20223")
        schema = compile_schema(f"{root}_{version}.xsd", find)
        assert first_fault(schema, content, max_bytes=1_000_000) is None
