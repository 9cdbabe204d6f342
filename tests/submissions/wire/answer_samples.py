"""Answers as social security would send them, written for these tests."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'
HEADER = (
    "<Identification>{identification}</Identification><FormCreationDate>2025-10-02</FormCreationDate>"
    "<FormCreationHour>06:30:00.123</FormCreationHour><AttestationStatus>0</AttestationStatus>"
    "<TypeForm>{type_form}</TypeForm>"
)


def acrf(*forms: str) -> bytes:
    return f"{PROLOG}<ACRF>{''.join(forms)}</ACRF>".encode()


def acrf_form(
    result: str = "1",
    errors: tuple[str, ...] = (),
    name: str = "GO.FLAD.104217.20251001.A0001.R.1",
    ticket: str = "0A1B2C3D4E5F6",
) -> str:
    given = f"<ReferenceOrigin>2</ReferenceOrigin><ReferenceNbr>{ticket}</ReferenceNbr>" if ticket else ""
    return (
        f"<Form>{HEADER.format(identification='ACRF001', type_form='FA')}"
        f"<FileReference><FileName>{name}</FileName>{given}</FileReference>"
        f"<ReceptionResult><ResultCode>{result}</ResultCode>"
        f"{''.join(f'<ErrorID>{error}</ErrorID>' for error in errors)}</ReceptionResult></Form>"
    )


def noti(*forms: str) -> bytes:
    return f"{PROLOG}<NOTIFICATION>{''.join(forms)}</NOTIFICATION>".encode()


ANOMALY = (
    "<AnomalyReport><ErrorID>00024-179</ErrorID><TagName>INSS</TagName><Value>85073003328</Value>"
    "<AnomalyClass>B</AnomalyClass><AnomalyLabel>Travailleur inconnu &amp; refusé</AnomalyLabel>"
    "<AnomalyLocation><LineNbr>1</LineNbr><ColumnNbr>2048</ColumnNbr>"
    "<Location>1,1,8,4</Location></AnomalyLocation>"
    "<Path><Quarter>20254</Quarter><NOSSRegistrationNbr>130387593</NOSSRegistrationNbr>"
    "<CompanyID>897223670</CompanyID><INSS>85073003328</INSS></Path></AnomalyReport>"
)
REMARK = "<AnomalyReport><ErrorID>99005-420</ErrorID><AnomalyClass>W</AnomalyClass></AnomalyReport>"


def noti_form(
    reference: str = "P-7K2M", result: str = "1", anomalies: str = "", ticket: str = "0A1B2C3D4E600"
) -> str:
    return (
        f"<Form>{HEADER.format(identification='NOTI001', type_form='FA')}"
        "<FileReference><FileName>GO.FLAD.104217.20251001.A0001.R.1</FileName>"
        "<ReferenceOrigin>2</ReferenceOrigin><ReferenceNbr>0A1B2C3D4E5F6</ReferenceNbr></FileReference>"
        f"<HandledOriginalForm>{HEADER.format(identification='FLAD001', type_form='SU')}"
        "</HandledOriginalForm>"
        f"<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>1</ReferenceOrigin>"
        f"<ReferenceNbr>{reference}</ReferenceNbr></Reference>"
        "<Reference><ReferenceType>2</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>"
        "<ReferenceNbr>0A1B2C3D4E5F6</ReferenceNbr></Reference>"
        "<EmployerId><NOSSRegistrationNbr>130387593</NOSSRegistrationNbr>"
        "<CompanyID>897223670</CompanyID></EmployerId>"
        "<NaturalPerson><NaturalPersonSequenceNbr>1</NaturalPersonSequenceNbr><INSS>85073003328</INSS>"
        "<WorkerName>D'HONDT</WorkerName></NaturalPerson>"
        "<HandledReference><ReferenceType>1</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>"
        f"<ReferenceNbr>{ticket}</ReferenceNbr></HandledReference>"
        f"<HandlingResult><ResultCode>{result}</ResultCode>{anomalies}</HandlingResult></Form>"
    )


def idflux(attestation: str = "0") -> bytes:
    header = HEADER.format(identification="IDFLUX", type_form="SU").replace(
        "<AttestationStatus>0<", f"<AttestationStatus>{attestation}<"
    )
    return (
        f"{PROLOG}<IDFLUX><Form>{header}"
        "<Reference><ReferenceType>1</ReferenceType><ReferenceOrigin>2</ReferenceOrigin>"
        "<ReferenceNbr>0A1B2C3D4E777</ReferenceNbr></Reference>"
        "<IdfluxInformation><JustificationCode>90</JustificationCode>"
        "<EffectiveStartingDate>2025-09-15</EffectiveStartingDate>"
        "<EmployerId><NOSSRegistrationNbr>130387593</NOSSRegistrationNbr>"
        "<CompanyID>0897223670</CompanyID></EmployerId>"
        "<ValidSituation><INSS>85073003328</INSS><WorkerName>PEETERS</WorkerName>"
        "<WorkerFirstName>Zoë</WorkerFirstName><WorkerBirthdate>1985-07-30</WorkerBirthdate>"
        "<WorkerSex>2</WorkerSex></ValidSituation>"
        "<OutdatedSituation><INSS>98472899765</INSS></OutdatedSituation>"
        "</IdfluxInformation></Form></IDFLUX>"
    ).encode()


def zipped(*members: tuple[str, bytes]) -> bytes:
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as out:
        for name, content in members:
            out.writestr(name, content)
    return archive.getvalue()
