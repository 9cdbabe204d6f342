"""What the other side says of Dimona, DmfA and CareerPro documents."""

import base64
import datetime as dt
from pathlib import Path

import pytest

from simulator.accounts import Accounts
from simulator.answers import Handled, Subject, render_noti
from simulator.content import Form, read_part
from simulator.moments import now, today
from simulator.registry import read_registry
from simulator.store import Store
from simulator.verdicts import Judge, Verdict
from tests.simulator import people

ACME_NSSO = "130387593"
HEAD = (
    "<Form><Identification>{form}</Identification><FormCreationDate>2026-10-05</FormCreationDate>"
    "<FormCreationHour>08:30:00.000</FormCreationHour><AttestationStatus>0</AttestationStatus><TypeForm>SU</TypeForm>"
    "<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
    "<ReferenceNbr>THEIRS-1</ReferenceNbr></Reference>"
)
ATHENA = (
    '<AthenaDocument xmlns="http://socialsecurity.be/xml/ns/athenadocument"><DocumentCategory>PAYSLIP</DocumentCategory>'
    "<InvolvedParts><CompanyID>{company}</CompanyID><INSS>{niss}</INSS></InvolvedParts></AthenaDocument>"
)


def dimona(niss: str = people.ANNA, company: str = people.ACME) -> bytes:
    return (
        "<Dimona>" + HEAD.format(form="DIMONA") + "<DimonaIn><StartingDate>2026-10-01</StartingDate>"
        f"<EmployerId><CompanyID>{company.lstrip('0')}</CompanyID></EmployerId>"
        f"<NaturalPerson><INSS>{niss}</INSS></NaturalPerson></DimonaIn></Form></Dimona>"
    ).encode()


def dmfa(*workers: str) -> bytes:
    found = "".join(f"<NaturalPerson><INSS>{niss}</INSS></NaturalPerson>" for niss in workers)
    return (
        "<DmfAOriginal>" + HEAD.format(form="DMFA") + "<EmployerDeclaration><Quarter>20263</Quarter>"
        f"<NOSSRegistrationNbr>{ACME_NSSO}</NOSSRegistrationNbr><CompanyID>{people.ACME}</CompanyID>{found}"
        "</EmployerDeclaration></Form></DmfAOriginal>"
    ).encode()


def document(pdf: bytes = b"%PDF-1.7\n", niss: str = people.ANNA) -> bytes:
    attachment = (
        "<Data><DocumentDescription><TechnicalDescription><MimeType>application/pdf</MimeType>"
        "<CharacterFormat>Base64</CharacterFormat></TechnicalDescription></DocumentDescription>"
        f"<DocumentNonXML><DocumentBase64>{base64.b64encode(pdf).decode()}</DocumentBase64></DocumentNonXML></Data>"
    )
    form = people.form(identification="ATDO001", payload=ATHENA.format(company=people.ACME, niss=niss))
    return people.document(form.replace("</Form>", f"{attachment}</Form>"))


def judged(content: bytes, application: str, tmp_path: Path) -> tuple[Form, Verdict]:
    world = people.world(senders=[{"number": people.SENDER}])
    world["mandates"] += [
        {
            "sender": people.SENDER,
            "employer": people.ACME,
            "application": code,
            "from": "2024-04-01",
            "to": None,
        }
        for code in ("DIMN", "DMFA", "ATDO")
    ]
    (form,), refusals = read_part(content, application, 500)
    assert refusals == []
    store = Store(tmp_path / "state.sqlite3")
    try:
        judge = Judge(read_registry(world), Accounts(store, "R"), people.SENDER, application, today())
        return form, judge.judge(form, "T1")
    finally:
        store.close()


@pytest.mark.parametrize(
    ("application", "content"),
    [("DIMN", dimona()), ("DMFA", dmfa(people.ANNA, people.BRAM)), ("ATDO", document())],
)
def test_what_the_registers_know_is_accepted(application: str, content: bytes, tmp_path: Path) -> None:
    form, verdict = judged(content, application, tmp_path)
    assert verdict == Verdict()
    assert form.company == people.ACME


def test_an_unknown_worker_is_pointed_at_among_many(tmp_path: Path) -> None:
    form, verdict = judged(dmfa(people.ANNA, people.NOBODY), "DMFA", tmp_path)
    (anomaly,) = verdict.anomalies
    assert (anomaly.code, anomaly.tag, anomaly.value) == ("00024-179", "INSS", people.NOBODY)
    assert form.find_with("INSS", people.NOBODY).text == people.NOBODY


def test_an_employer_of_nobody_is_refused(tmp_path: Path) -> None:
    _form, verdict = judged(dimona(company="0206731645"), "DIMN", tmp_path)
    assert [anomaly.code for anomaly in verdict.anomalies] == ["00014-017"]


def test_a_form_that_names_no_employer_is_taken(tmp_path: Path) -> None:
    content = (
        "<Dimona>" + HEAD.format(form="DIMONA") + "<DimonaOut><DimonaPeriodId>1</DimonaPeriodId></DimonaOut>"
        "</Form></Dimona>"
    )
    form, verdict = judged(content.encode(), "DIMN", tmp_path)
    assert (form.company, form.workers, verdict) == ("", (), Verdict())


@pytest.mark.parametrize(
    ("application", "content", "code"),
    [
        ("DIMN", dmfa(people.ANNA), "158"),
        ("DIMN", dimona().replace(b">DIMONA<", b">DMFA<"), "158"),
        ("DIMN", b"<Dimona/>", "157"),
        ("DIMN", b"<Dimona><Other/></Dimona>", "205"),
        ("DIMN", dimona().replace(b"DimonaIn>", b"DimonaHop>"), "312"),
        ("DIMN", dimona().replace(b"08:30:00.000", b"half past"), "312"),
        ("DIMN", dimona().replace(b"<TypeForm>SU</TypeForm>", b""), "312"),
        ("ATDO", document(pdf=b"GIF89a"), "312"),
        ("ATDO", document().replace(b"<DocumentBase64>", b"<DocumentBase64>*"), "312"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(application: str, content: bytes, code: str) -> None:
    forms, refusals = read_part(content, application, 500)
    assert (forms, [refusal.code for refusal in refusals]) == ([], [code])


def test_the_answer_repeats_reference_moment_employer_and_worker(tmp_path: Path) -> None:
    form, verdict = judged(dimona(), "DIMN", tmp_path)
    world = people.world(senders=[{"number": people.SENDER}])
    said = render_noti(
        Subject("GO.DIMN.1", "2632700000001"),
        [Handled(form, "2632700000002", verdict)],
        read_registry(world),
        now(),
        with_file_reference=True,
    ).decode()
    assert "<ReferenceNbr>THEIRS-1</ReferenceNbr>" in said
    assert "<FormCreationHour>08:30:00.000</FormCreationHour>" in said
    assert f"<INSS>{people.ANNA}</INSS>" in said
    assert f"<NOSSRegistrationNbr>{ACME_NSSO}</NOSSRegistrationNbr>" in said
    assert dt.date.fromisoformat(form.created_on) == dt.date(2026, 10, 5)
