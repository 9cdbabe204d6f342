"""What any file of the channel is, in JSON and in columns."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.signing import encode_fs
from submissions.describing import Kind, describe

from .wire.answer_samples import ANOMALY, REMARK, acrf, acrf_form, idflux, noti, noti_form, zipped
from .wire.samples import GOLDEN

FI = "FI.FLAD.104217.20251001.A0001.R.1.1"
ACRF = "FO.ACRF.999999.20251002.00001.R"
NOTI = "FO.NOTI.999999.20251002.00001.R.1.1"
IDFL = "FO.IDFL.999999.20251002.00002.R"
SECRETS = ("85073003328", "98472899765", "85.07.30-033.28")


def golden() -> bytes:
    return (GOLDEN / "FI.FLAD.three-forms.xml").read_bytes()


def squeezed(columns: str) -> list[str]:
    """The lines of a text in columns, one space between the words."""
    return [" ".join(line.split()) for line in columns.splitlines()]


def test_a_declaration() -> None:
    found = describe(FI, golden())
    assert found.kind is Kind.DECLARATION
    assert found.problems == ()
    assert [form.number for form in found.forms] == [1, 2, 3]
    second = found.forms[1].understood
    assert second["identification"] == "FLAD001"
    assert second["attestation"] == 1
    assert second["references"] == [
        {"type": 1, "origin": 1, "number": "P-8B3C"},
        {"type": 3, "origin": 2, "number": "0A1B2C3D4E5F6"},
    ]
    assert second["company_id"] == "0897223670"
    assert second["document"] == "TrainingRecord"
    record = found.forms[0].content["Data"]["DocumentXML"]["TrainingRecord"]
    assert record["Title"] == "Premiers secours & “sécurité” <niveau 1>"
    assert record["@xmlns"] == "urn:portal:fla:1"
    assert record["INSS"] == "85.07.30-***.**"


def test_a_declaration_in_columns() -> None:
    lines = squeezed(describe(FI, golden()).as_columns())
    assert lines[0] == FI
    assert "kind declaration" in lines
    assert "sender 104217" in lines
    assert "forms 3" in lines
    assert "1 0 original P-7K2M 0897223670 85.07.30-***.** TrainingRecord" in lines
    assert "2 1 modification P-8B3C 0A1B2C3D4E5F6 0897223670 85.07.30-***.** TrainingRecord" in lines
    assert "3 3 cancellation P-9Q4T 0A1B2C3D4E5F7 0477472701 98.47.28-***.** TrainingRecord" in lines


def test_a_declaration_of_another_service_is_read_as_far_as_it_goes() -> None:
    content = (
        b"<DmfAOriginal><Form><Identification>DMFA</Identification><AttestationStatus>0</AttestationStatus>"
        b"<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        b"<ReferenceNbr>X1</ReferenceNbr></Reference><EmployerDeclaration><Quarter>20251</Quarter>"
        b"</EmployerDeclaration></Form></DmfAOriginal>"
    )
    for name in ("FI.DMFA.006400.20020423.00001.R.4.1", None):
        found = describe(name, content)
        assert found.kind is Kind.DECLARATION
        assert found.problems == ()
        assert found.forms[0].understood["references"] == [{"type": 1, "origin": 1, "number": "X1"}]
        assert found.forms[0].content["EmployerDeclaration"] == {"Quarter": "20251"}


def test_an_acknowledgement() -> None:
    found = describe(ACRF, acrf(acrf_form("0", ("ACRF-133", "ACRF-125")), acrf_form()))
    assert found.kind is Kind.ACKNOWLEDGEMENT
    data = json.loads(found.as_json())
    assert data["forms"][0]["error_ids"] == ["ACRF-133", "ACRF-125"]
    assert data["forms"][0]["result_code"] == 0
    assert data["forms"][0]["created_on"] == "2025-10-02"
    assert data["forms"][1]["ticket"] == "0A1B2C3D4E5F6"
    lines = squeezed(found.as_columns())
    assert "forms 2 (1 accepted, 1 refused)" in lines
    assert "1 0 original 0 refused 0A1B2C3D4E5F6 GO.FLAD.104217.20251001.A0001.R.1 ACRF-133 ACRF-125" in lines


def test_a_notification_tells_every_anomaly() -> None:
    found = describe(NOTI, noti(noti_form("P-1", "0", ANOMALY + REMARK), noti_form("P-2", "7", REMARK)))
    assert found.kind is Kind.NOTIFICATION
    data = json.loads(found.as_json())
    assert [len(form["anomalies"]) for form in data["forms"]] == [2, 1]
    assert data["forms"][0]["anomalies"][0] == {
        "code": "00024-179",
        "tag": "INSS",
        "value": "85.07.30-***.**",
        "klass": "B",
        "label": "Travailleur inconnu & refusé",
        "location": "1,1,8,4",
        "line": 1,
        "column": 2048,
        "path": "Quarter=20254 NOSSRegistrationNbr=130387593 CompanyID=897223670 INSS=***",
    }
    columns = found.as_columns()
    lines = squeezed(columns)
    assert columns.count("00024-179") == 1
    assert columns.count("99005-420") == 2
    assert any(line.startswith("1 00024-179 B INSS 85.07.30-***.** 1,1,8,4 1 2048") for line in lines)
    assert "2 99005-420 W" in lines
    assert any("0 refused P-1" in line for line in lines)
    assert any(" 7 P-2" in line for line in lines)


def test_all_of_an_answer_is_in_the_json_even_what_is_not_understood() -> None:
    extra = "<ApplicationData><x xmlns='urn:x' a='1'>deep<y/></x></ApplicationData>"
    found = describe(NOTI, noti(noti_form().replace("</Form>", extra + "</Form>")))
    content = json.loads(found.as_json())["forms"][0]["content"]
    assert content["ApplicationData"]["x"] == {"@xmlns": "urn:x", "@a": "1", "y": "", "#text": "deep"}
    assert content["NaturalPerson"]["WorkerName"] == "D'HONDT"
    assert len(content["Reference"]) == 2


def test_a_replaced_number() -> None:
    found = describe(IDFL, idflux())
    assert found.kind is Kind.REPLACEMENT
    data = json.loads(found.as_json())["forms"][0]
    assert data["outdated"]["inss"] == "98.47.28-***.**"
    assert data["valid"]["inss"] == "85.07.30-***.**"
    assert data["effective_on"] == "2025-09-15"
    assert "1 0 original 0897223670 98.47.28-***.** 85.07.30-***.**" in squeezed(found.as_columns())


SAMPLES = [
    (FI, golden()),
    (NOTI, noti(noti_form("P-1", "0", ANOMALY))),
    (
        NOTI,
        noti(noti_form(anomalies=ANOMALY.replace("<TagName>INSS</TagName>", "").replace("03328<", "03329<"))),
    ),
    (NOTI, noti(noti_form(anomalies=ANOMALY.replace("inconnu", "85.07.30-033.28 inconnu")))),
    (IDFL, idflux()),
    ("CO.IDFL.999999.20251002.00002.R", zipped((IDFL, idflux()))),
]


@pytest.mark.parametrize(("name", "content"), SAMPLES)
def test_personal_numbers_are_masked_everywhere(name: str, content: bytes) -> None:
    found = describe(name, content)
    for text in (found.as_json(), found.as_columns()):
        for secret in (*SECRETS, "85073003329"):
            assert secret not in text
        assert "85.07.30-***.**" in text


@pytest.mark.parametrize(("name", "content"), SAMPLES)
def test_personal_numbers_are_shown_when_asked_for(name: str, content: bytes) -> None:
    found = describe(name, content, reveal=True)
    assert "8507300332" in found.as_json()
    assert "8507300332" in found.as_columns()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (FI, Kind.DECLARATION),
        ("FS.FLAD.104217.20251001.A0001.R.1.1", Kind.SIGNATURE),
        ("GO.FLAD.104217.20251001.A0001.R.1", Kind.GO),
        ("TD.FLAD.104217.20251001.A0001.R.1", Kind.CANCELLATION),
        (ACRF, Kind.ACKNOWLEDGEMENT),
        (NOTI, Kind.NOTIFICATION),
        (IDFL, Kind.REPLACEMENT),
        ("FO.DMNO.999999.20251002.00001.R", Kind.ANSWER),
        ("CO.NOTI.999999.20251002.00001.R", Kind.ARCHIVE),
    ],
)
def test_a_name_alone_says_what_it_can(name: str, kind: Kind) -> None:
    found = describe(name, None)
    assert found.kind is kind
    assert found.size is found.sha256 is None
    assert found.problems == ()
    assert found.name is not None
    assert found.name["text"] == name
    assert found.name["environment"] == "R"
    assert squeezed(found.as_columns())[:2] == [name, f"kind {kind}"]


def test_the_elements_of_a_name() -> None:
    assert describe("FI.DMFA.006400.20020423.00001.T.4.1", None).as_data()["name"] == {
        "text": "FI.DMFA.006400.20020423.00001.T.4.1",
        "prefix": "FI",
        "application": "DMFA",
        "sender": "006400",
        "day": "2002-04-23",
        "sequence": "00001",
        "environment": "T",
        "parts": 4,
        "part": 1,
    }


def test_a_name_that_is_none_is_a_problem_and_the_content_still_counts() -> None:
    found = describe("answer.xml", noti(noti_form()))
    assert found.kind is Kind.NOTIFICATION
    assert len(found.problems) == 1
    assert "answer.xml" in found.problems[0]
    assert describe("nothing", None).kind is Kind.UNKNOWN


def test_an_empty_go_is_right_and_a_full_one_is_not() -> None:
    name = "GO.FLAD.104217.20251001.A0001.R.1"
    assert describe(name, b"").problems == ()
    assert describe(name, b"").size == 0
    assert "empty" in describe(name, b"x").problems[0]


def test_a_name_of_another_kind_than_the_content_is_told() -> None:
    found = describe(ACRF, noti(noti_form()))
    assert found.kind is Kind.NOTIFICATION
    assert "another kind" in found.problems[0]


def test_a_zipped_answer_is_described_with_what_is_inside() -> None:
    content = acrf(acrf_form())
    for name in ("CO.ACRF.999999.20251002.00001.R", None):
        found = describe(name, zipped((ACRF, content)))
        assert found.kind is Kind.ARCHIVE
        assert found.inside == describe(ACRF, content)
        assert json.loads(found.as_json())["inside"]["forms"][0]["result_code"] == 1
        assert ACRF in found.as_columns()


def test_a_zipped_answer_that_is_none() -> None:
    found = describe("CO.ACRF.999999.20251002.00001.R", acrf(acrf_form()))
    assert found.kind is Kind.ARCHIVE
    assert found.inside is None
    assert "zip" in found.problems[0]


def signature() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Secretariat of Nowhere")])
    now = datetime(2025, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    der = (
        PKCS7SignatureBuilder()
        .set_data(b"content")
        .add_signer(certificate, key, hashes.SHA256())
        .sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
    )
    return encode_fs(der)


def test_a_signature() -> None:
    content = signature()
    for name in ("FS.FLAD.104217.20251001.A0001.R.1.1", None):
        found = describe(name, content)
        assert found.kind is Kind.SIGNATURE
        assert found.problems == ()
        assert found.signature is not None
        assert found.signature["detached"] is True
        assert found.signature["digest"] == "sha256"
        assert found.signature["certificate"] == "Common Name: Secretariat of Nowhere"
        assert found.signature["valid until"] == "2026-01-01"
        assert "digest sha256" in squeezed(found.as_columns())


@pytest.mark.parametrize("content", [b"", b"hello", b"MIIB", b"-----BEGIN PKCS7-----", b"MAA="])
def test_a_signature_that_cannot_be_read(content: bytes) -> None:
    found = describe("FS.FLAD.104217.20251001.A0001.R.1.1", content)
    assert found.kind is Kind.SIGNATURE
    assert found.signature is None
    assert len(found.problems) == 1


def test_a_document_without_forms_is_shown_whole() -> None:
    found = describe(None, b"<Note><To>85073003328</To></Note>")
    assert found.content == {"To": "85.07.30-***.**"}
    assert "no form" in found.problems[0]
    assert found.kind is Kind.UNKNOWN


def test_a_file_cut_short_shows_what_came_before() -> None:
    content = noti(noti_form("P-1"), noti_form("P-2"))
    found = describe(NOTI, content[:-100])
    assert [form.understood["references"][0]["number"] for form in found.forms] == ["P-1"]
    assert "well-formed" in found.problems[0]


def test_a_file_cannot_drive_the_terminal() -> None:
    content = acrf(acrf_form("0", ("&#x9b;2J&#x202e;x",), name="a&#10;b"))
    columns = describe("a\x1b[2Jb", content).as_columns()
    assert all(c.isprintable() or c == "\n" for c in columns)
    assert "a b" in columns


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_still_described(sample: tuple[str, bytes], data: st.DataObject) -> None:
    name, content = sample
    start = data.draw(st.integers(0, len(content)))
    content = (
        content[:start]
        + data.draw(st.binary(max_size=12))
        + content[data.draw(st.integers(start, len(content))) :]
    )
    found = describe(
        data.draw(st.sampled_from([name, None, "x", "FS.FLAD.104217.20251001.A0001.R.1.1"])), content
    )
    assert found.size == len(content)
    assert json.loads(found.as_json())["kind"] == found.kind
    assert found.as_columns()


@given(st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_any_name_is_described(name: str) -> None:
    found = describe(name, None)
    assert found.name is not None
    assert found.as_columns()
