"""Acknowledgements, notifications and replaced numbers, as they come and as they should not."""

from datetime import date

import pytest
from lxml import etree

from submissions.wire.answers import (
    acknowledgements,
    notifications,
    replacements,
    root_kind,
)
from submissions.wire.hostile import Unreadable

from .answer_samples import ANOMALY, PROLOG, REMARK, acrf, acrf_form, idflux, noti, noti_form
from .samples import OFFICIAL


def test_a_positive_acknowledgement() -> None:
    (answer,) = acknowledgements(acrf(acrf_form()))
    assert answer.is_accepted
    assert not answer.is_refused
    assert answer.file_name == "GO.FLAD.104217.20251001.A0001.R.1"
    assert answer.ticket == "0A1B2C3D4E5F6"
    assert answer.error_ids == ()
    assert answer.header.identification == "ACRF001"
    assert answer.header.created_on == date(2025, 10, 2)
    assert answer.header.created_hour == "06:30:00.123"
    assert answer.header.attestation == 0
    assert answer.header.type_form == "FA"


def test_a_negative_acknowledgement_keeps_every_code_as_it_came() -> None:
    (answer,) = acknowledgements(acrf(acrf_form("0", ("ACRF-133", "WHAT-9"), ticket="")))
    assert answer.is_refused
    assert not answer.is_accepted
    assert answer.error_ids == ("ACRF-133", "WHAT-9")
    assert answer.ticket is None


@pytest.mark.parametrize("result", ["", "7", "yes", "01x", "-1", "٠"])
def test_a_result_that_says_neither_is_neither(result: str) -> None:
    (answer,) = acknowledgements(acrf(acrf_form(result)))
    assert not answer.is_accepted
    assert not answer.is_refused


def test_an_acknowledgement_may_speak_of_several_files() -> None:
    content = acrf(acrf_form(name="A"), acrf_form("0", name="B"), acrf_form(name="C"))
    assert [(a.file_name, a.is_accepted) for a in acknowledgements(content)] == [
        ("A", True),
        ("B", False),
        ("C", True),
    ]


def test_a_notification_says_what_became_of_a_form() -> None:
    (answer,) = notifications(noti(noti_form("P-7K2M", "0", ANOMALY)))
    assert answer.file_name == "GO.FLAD.104217.20251001.A0001.R.1"
    assert answer.file_ticket == "0A1B2C3D4E5F6"
    assert answer.references == ((1, 1, "P-7K2M"), (2, 2, "0A1B2C3D4E5F6"))
    assert answer.own_reference == "P-7K2M"
    assert answer.ticket == "0A1B2C3D4E600"
    assert answer.result_code == 0
    assert answer.diagnosis == ()
    assert answer.has_handled_original
    assert (answer.company_id, answer.nsso, answer.inss) == ("0897223670", "130387593", "85073003328")
    assert answer.header.identification == "NOTI001"


def test_an_anomaly_is_kept_whole() -> None:
    (answer,) = notifications(noti(noti_form(anomalies=ANOMALY + REMARK)))
    refused, remark = answer.anomalies
    assert refused.code == "00024-179"
    assert refused.tag == "INSS"
    assert refused.value == "85073003328"
    assert refused.klass == "B"
    assert refused.label == "Travailleur inconnu & refusé"
    assert refused.location == "1,1,8,4"
    assert (refused.line, refused.column) == (1, 2048)
    assert refused.path == "Quarter=20254 NOSSRegistrationNbr=130387593 CompanyID=897223670 INSS=***"
    assert (remark.code, remark.klass) == ("99005-420", "W")
    assert (remark.tag, remark.value, remark.label, remark.location) == (None,) * 4
    assert (remark.line, remark.column, remark.path) == (None,) * 3


def test_many_forms_stay_apart_and_in_order() -> None:
    content = noti(*(noti_form(f"P-{n}", str(n % 5), REMARK * (n % 3), f"T{n}") for n in range(50)))
    for n, answer in enumerate(notifications(content)):
        assert answer.own_reference == f"P-{n}"
        assert answer.ticket == f"T{n}"
        assert answer.result_code == n % 5
        assert len(answer.anomalies) == n % 3


def test_a_notification_of_almost_nothing() -> None:
    (answer,) = notifications(b"<NOTIFICATION><Form/></NOTIFICATION>")
    assert (answer.file_name, answer.ticket, answer.result_code, answer.own_reference) == (None,) * 4
    assert (answer.company_id, answer.nsso, answer.inss) == (None,) * 3
    assert answer.references == answer.diagnosis == answer.anomalies == ()
    assert not answer.has_handled_original


def test_several_diagnoses_are_kept_as_they_came() -> None:
    result = "<ResultCode>2</ResultCode><Diagnosis>3</Diagnosis><Diagnosis>x</Diagnosis>"
    (answer,) = notifications(noti(f"<Form><HandlingResult>{result}</HandlingResult></Form>"))
    assert answer.result_code == 2
    assert answer.diagnosis == ("3", "x")


@pytest.mark.parametrize(
    ("employer", "company_id", "nsso"),
    [
        ("<ProvisionalNSSONbr>5000000120</ProvisionalNSSONbr><CompanyID>0</CompanyID>", None, "5000000120"),
        (
            "<NOSSRegistrationNbr>5482439</NOSSRegistrationNbr><CompanyID>1000000021</CompanyID>",
            "1000000021",
            "005482439",
        ),
        ("<CompanyID>abc</CompanyID>", "abc", None),
    ],
)
def test_the_employer_numbers_get_their_zeros_back(
    employer: str, company_id: str | None, nsso: str | None
) -> None:
    (answer,) = notifications(noti(f"<Form><EmployerId>{employer}</EmployerId></Form>"))
    assert (answer.company_id, answer.nsso) == (company_id, nsso)


def test_a_worker_without_number() -> None:
    (answer,) = notifications(noti("<Form><NaturalPerson><INSS>0</INSS></NaturalPerson></Form>"))
    assert answer.inss is None


def test_a_reference_of_another_type_is_not_ours() -> None:
    earlier = (
        "<Reference><ReferenceType>3</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        "<ReferenceNbr>OLD</ReferenceNbr></Reference><Reference><ReferenceType>x</ReferenceType></Reference>"
    )
    (answer,) = notifications(noti(f"<Form>{earlier}</Form>"))
    assert answer.own_reference is None
    assert answer.references == ((3, 1, "OLD"), (None, None, None))


@pytest.mark.parametrize("white", [" ", "\n", "\r\n\t", "\n    "])
def test_any_white_space_between_and_in_elements_is_accepted(white: str) -> None:
    plain = noti(noti_form("P-1", "0", ANOMALY), noti_form("P-2"))
    spaced = plain.decode().replace("><", f">{white}<").replace("</Value>", f"{white}</Value>")
    assert list(notifications(spaced.encode())) == list(notifications(plain))


def test_unknown_elements_and_foreign_forms_do_not_disturb() -> None:
    foreign = (
        "<ApplicationData><other xmlns='urn:x'><Form><Reference>1</Reference></Form></other>"
        "<Form><Reference><ReferenceNbr>NOT-OURS</ReferenceNbr></Reference></Form></ApplicationData>"
    )
    strange = "<Surprise a='1'><Form/></Surprise><ReceptionResult/>"
    form = noti_form("P-1", "0", ANOMALY).replace("<HandlingResult>", strange + "<HandlingResult>")
    form = form.replace("</Form>", foreign + "</Form>")
    (answer,) = notifications(noti(form).replace(b"</NOTIFICATION>", b"<Trailer/></NOTIFICATION>"))
    assert answer.own_reference == "P-1"
    assert answer.result_code == 0
    assert len(answer.anomalies) == 1


def test_comments_and_instructions_disappear_from_texts() -> None:
    form = noti_form("P-<!-- x -->7<?pi x?>K").replace("<ResultCode>1", "<!-- a --><ResultCode><![CDATA[1]]>")
    (answer,) = notifications(noti(form))
    assert answer.own_reference == "P-7K"
    assert answer.result_code == 1


def test_latin_1_is_read_when_it_is_declared() -> None:
    content = noti(noti_form(anomalies=ANOMALY)).decode().replace("UTF-8", "ISO-8859-1").encode("iso-8859-1")
    (answer,) = notifications(content)
    assert answer.anomalies[0].label == "Travailleur inconnu & refusé"


def test_numbers_that_are_none_stay_out() -> None:
    place = "<AnomalyLocation><LineNbr>1e3</LineNbr><ColumnNbr>-5</ColumnNbr></AnomalyLocation>"
    long = "9" * 5000
    (answer,) = notifications(
        noti(
            f"<Form><FormCreationDate>2025-02-30</FormCreationDate>"
            f"<AttestationStatus>{long}</AttestationStatus>"
            f"<HandlingResult><AnomalyReport>{place}</AnomalyReport></HandlingResult></Form>"
        )
    )
    assert answer.header.created_on is None
    assert answer.header.attestation is None
    assert (answer.anomalies[0].code, answer.anomalies[0].line, answer.anomalies[0].column) == (
        "",
        None,
        None,
    )


def test_a_replaced_number() -> None:
    (answer,) = replacements(idflux())
    assert answer.outdated_inss == "98472899765"
    assert answer.valid_inss == "85073003328"
    assert (answer.valid.family_name, answer.valid.given_name) == ("PEETERS", "Zoë")
    assert (answer.valid.birth_date, answer.valid.sex) == ("1985-07-30", "2")
    assert answer.outdated.family_name is None
    assert answer.justification == "90"
    assert answer.effective_on == date(2025, 9, 15)
    assert (answer.company_id, answer.nsso) == ("0897223670", "130387593")
    assert answer.reference == (1, 2, "0A1B2C3D4E777")
    assert answer.header.attestation == 0


def test_a_replacement_taken_back() -> None:
    (answer,) = replacements(idflux("3"))
    assert answer.header.attestation == 3


def test_a_replacement_of_an_employer_number_has_no_worker() -> None:
    (answer,) = replacements(
        b"<IDFLUX><Form><IdfluxInformation><OutdatedSituation>"
        b"<NOSSRegistrationNbr>125482497</NOSSRegistrationNbr></OutdatedSituation></IdfluxInformation></Form></IDFLUX>"
    )
    assert answer.outdated.nsso == "125482497"
    assert answer.outdated_inss is answer.valid_inss is answer.reference is None


def test_personal_data_stay_out_of_reprs() -> None:
    (answer,) = notifications(noti(noti_form(anomalies=ANOMALY)))
    (replaced,) = replacements(idflux())
    for text in (repr(answer), repr(replaced)):
        for secret in ("85073003328", "98472899765", "PEETERS", "1985-07-30"):
            assert secret not in text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (acrf(acrf_form()), "ACRF"),
        (noti(noti_form()), "NOTIFICATION"),
        (idflux(), "IDFLUX"),
        (b"<GenericXmlDocument xmlns='urn:x'/>", "GenericXmlDocument"),
        (b"<flx:GenericXmlDocument xmlns:flx='urn:x'/>", "GenericXmlDocument"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <ACRF> --><?a b?>\n<Dimona\n/>", "Dimona"),
    ],
)
def test_the_root_tells_the_kind(content: bytes, kind: str) -> None:
    assert root_kind(content) == kind


@pytest.mark.parametrize("reader", [acknowledgements, notifications, replacements])
@pytest.mark.parametrize("content", [b"<Dimona/>", b"<acrf/>", b"<html></html>", b"hello", b"", b"  "])
def test_another_document_is_not_read(reader, content: bytes) -> None:
    with pytest.raises(Unreadable):
        list(reader(content))


@pytest.mark.parametrize(
    "content",
    [
        b"<NOTIFICATION/>",
        b"<NOTIFICATION>x</NOTIFICATION>",
        b"<NOTIFICATION xmlns='urn:x'><Form/></NOTIFICATION>",
    ],
)
def test_a_document_without_a_form_is_not_silently_nothing(content: bytes) -> None:
    with pytest.raises(Unreadable, match="no form"):
        list(notifications(content))


def test_a_document_cut_short_gives_its_forms_and_then_says_so() -> None:
    content = noti(noti_form("P-1"), noti_form("P-2"))
    reader = notifications(content[: content.rindex(b"<Form>") + 30])
    with pytest.raises(Unreadable, match="well-formed"):
        assert [answer.own_reference for answer in reader] == ["P-1"]


@pytest.mark.parametrize(
    ("schema", "content"),
    [
        ("ACRF_20231.xsd", acrf(acrf_form("0", ("ACRF-133", "ACRF-125")), acrf_form())),
        ("NOTIFICATION_20223.xsd", noti(noti_form(anomalies=ANOMALY), noti_form(anomalies=REMARK))),
        ("IDFLUX_20231.xsd", idflux()),
    ],
)
def test_our_samples_are_valid_against_the_official_schemas(schema: str, content: bytes) -> None:
    path = OFFICIAL / schema
    if not path.exists():
        pytest.skip("the official schemas are not on this machine")
    etree.XMLSchema(etree.parse(path)).assertValid(etree.fromstring(content))


def test_the_prolog_of_the_samples_is_that_of_an_answer() -> None:
    assert acrf(acrf_form()).startswith(PROLOG.encode())


@pytest.mark.parametrize("tag", ["FileReference", "ReceptionResult"])
def test_a_form_that_says_a_file_or_a_result_twice_is_not_guessed_at(tag: str) -> None:
    part = f"<{tag}><ResultCode>0</ResultCode></{tag}>"
    with pytest.raises(Unreadable, match=tag):
        list(acknowledgements(f"<ACRF><Form>{part}{part}</Form></ACRF>".encode()))
