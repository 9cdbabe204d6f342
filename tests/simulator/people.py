"""A fictitious world for the simulator: two senders, employers, workers; and sets made by hand.

Nothing of the portal is used to build a set: the simulator's tests have their own pen.
"""

import base64
import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from lxml import etree

from simulator.moments import today

ACME, BAKERY, UNKNOWN = "0897223670", "0477472701", "0206731645"
ANNA, BRAM, NOBODY = "85073003328", "17073003384", "29311104266"
SENDER, OTHER = "104217", "104318"


@dataclass(frozen=True)
class Signer:
    """A signing key with a self-signed certificate."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def der(self, content: bytes, *options: pkcs7.PKCS7Options) -> bytes:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(self.certificate, self.key, hashes.SHA256())
        chosen = options or (pkcs7.PKCS7Options.DetachedSignature,)
        return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary, *chosen])

    def sign(self, content: bytes) -> bytes:
        return base64.b64encode(self.der(content))


def make_signer(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None, *, days: tuple[int, int] = (-1, 365)
) -> Signer:
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Fictitious signer")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
        .sign(key, hashes.SHA256())
    )
    return Signer(key, certificate)


def world(*, senders: list[dict[str, Any]]) -> dict[str, Any]:
    """`registry.json` of a small country."""
    mandates = [
        {"sender": row["number"], "employer": ACME, "application": "FLAD", "from": "2024-04-01", "to": None}
        for row in senders[:1]
    ]
    return {
        "employers": [
            {"number": ACME, "nsso": "130387593", "name": "Acme"},
            {"number": BAKERY, "nsso": "125482497", "name": "Boulangerie"},
        ],
        "workers": [{"niss": niss, "family_name": "F", "given_name": "G"} for niss in (ANNA, BRAM)],
        "employments": [
            {"employer": ACME, "niss": ANNA, "from": "2023-01-01", "to": None},
            {"employer": ACME, "niss": BRAM, "from": "2023-01-01", "to": "2025-06-30"},
        ],
        "mandates": mandates,
        "rights": [{"niss": ANNA, "year": 2025, "minutes": 2280}],
    }


def write_world(root: Path, content: dict[str, Any]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "registry.json").write_text(json.dumps(content))


def write_senders(root: Path, senders: list[dict[str, Any]]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "senders.json").write_text(json.dumps({"senders": senders}))


def training(**changes: str | None) -> str:
    """A TrainingRecord; a change to None leaves the element out."""
    fields: dict[str, str | None] = {
        "CompanyID": ACME,
        "INSS": ANNA,
        "FamilyName": "D'Haese-Müller",
        "GivenName": "Anna",
        "Title": "Santé & sécurité <niveau 1>",
        "TrainingType": "FORMAL",
        "StartDate": "2025-03-03",
        "EndDate": "2025-03-04",
        "DurationUnit": "DAYS",
        "DurationMinutes": "912",
        "DayMinutes": "456",
        "Status": "FOLLOWED",
        "ChargedMinutes": "912",
        "Nature": "Safety",
        "Funding": "EMPLOYER",
        "Cost": "120.50",
    }
    fields.update(changes)
    inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in fields.items() if text is not None)
    return f'<TrainingRecord xmlns="urn:portal:fla:1">{inner}</TrainingRecord>'


def form(
    reference: str = "OWN-1",
    *,
    status: str = "0",
    earlier: str | None = None,
    identification: str = "FLAD001",
    created_on: str | None = None,
    payload: str | None = None,
    **changes: str | None,
) -> str:
    earlier_reference = ""
    if earlier is not None:
        earlier_reference = _reference("3", "2", earlier)
    return (
        f"<Form><Identification>{identification}</Identification>"
        f"<FormCreationDate>{created_on or today().isoformat()}</FormCreationDate>"
        "<FormCreationHour>10:11:12.131</FormCreationHour>"
        f"<AttestationStatus>{status}</AttestationStatus><TypeForm>SU</TypeForm>"
        f"{_reference('1', '1', reference)}{earlier_reference}"
        "<Data><DocumentDescription><TechnicalDescription><MimeType>application/xml</MimeType>"
        "<CharacterSet>UTF-8</CharacterSet><CharacterFormat>NATIVE</CharacterFormat>"
        "</TechnicalDescription></DocumentDescription>"
        f"<DocumentXML>{training(**changes) if payload is None else payload}</DocumentXML></Data></Form>"
    )


def _reference(kind: str, origin: str, number: str) -> str:
    return (
        f"<Reference><ReferenceType>{kind}</ReferenceType><ReferenceOrigin>{origin}</ReferenceOrigin>"
        f"<ReferenceNbr>{escape(number)}</ReferenceNbr></Reference>"
    )


def document(*forms: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<GenericXmlDocument xmlns="http://www.smals-mvm.be/xml/ns/systemFlux">'
        f"{''.join(forms)}</GenericXmlDocument>"
    ).encode()


def key(
    sequence: str = "A0001", *, day: str | None = None, environment: str = "R", code: str = "FLAD"
) -> str:
    return f"{code}.{SENDER}.{day or f'{today():%Y%m%d}'}.{sequence}.{environment}"


@dataclass
class Acrf:
    name: str
    file_name: str
    ticket: str
    result: str
    codes: list[str]


@dataclass
class Outcome:
    """One form of a NOTI."""

    name: str
    own: str
    ticket: str
    result: str
    anomalies: list[tuple[str, str, str, str]]
    locations: list[str]
    file_name: str | None
    references: list[tuple[str, str, str]]


@dataclass
class Client:
    """A sender's SFTP client, pinned to the simulator's host key."""

    username: str
    key: paramiko.PKey
    signer: Signer
    port: int
    host_key: str
    open_ones: list[paramiko.Transport] = field(default_factory=list)

    def transport(self, **disabled: list[str]) -> paramiko.Transport:
        transport = paramiko.Transport(("127.0.0.1", self.port), disabled_algorithms=disabled or None)
        self.open_ones.append(transport)
        blob = base64.b64decode(self.host_key.split()[1])
        transport.connect(hostkey=paramiko.Ed25519Key(data=blob), username=self.username, pkey=self.key)
        return transport

    def sftp(self) -> paramiko.SFTPClient:
        client = paramiko.SFTPClient.from_transport(self.transport())
        assert client is not None
        return client

    def close(self) -> None:
        for transport in self.open_ones:
            transport.close()

    def put(self, sftp: paramiko.SFTPClient, path: str, content: bytes) -> None:
        with sftp.open(path, "wb") as file:
            if content:
                file.write(content)

    def send(
        self,
        *parts: bytes,
        key: str,
        directory: str = "IN",
        signer: Signer | None = None,
        is_signed: bool = True,
        marker: str | None = None,
    ) -> None:
        """Upload a whole set, GO last."""
        sftp = self.sftp()
        count = len(parts)
        for number, content in enumerate(parts, 1):
            self.put(sftp, f"{directory}/FI.{key}.{count}.{number}", content)
            if is_signed:
                signature = (signer or self.signer).sign(content)
                self.put(sftp, f"{directory}/FS.{key}.{count}.{number}", signature)
        self.put(sftp, f"{directory}/{marker or f'GO.{key}.{count}'}", b"")
        sftp.close()


def answers(outbox: Path, kind: str) -> list[tuple[str, etree._Element]]:
    """The answers of one kind whose GO is there, in the order of their names."""
    found = []
    for path in sorted(outbox.glob(f"FO.{kind}.*")):
        rest = path.name.split(".")[1:]
        suffix = rest[5:6]
        assert (outbox / ".".join(["GO", *rest[:5], *suffix])).exists()
        found.append((path.name, etree.fromstring(path.read_bytes())))
    return found


def acrfs(outbox: Path) -> list[Acrf]:
    return [
        Acrf(
            name,
            root.findtext("Form/FileReference/FileName") or "",
            root.findtext("Form/FileReference/ReferenceNbr") or "",
            root.findtext("Form/ReceptionResult/ResultCode") or "",
            [one.text for one in root.iterfind("Form/ReceptionResult/ErrorID")],
        )
        for name, root in answers(outbox, "ACRF")
    ]


def outcomes(outbox: Path) -> list[Outcome]:
    found = []
    for name, root in answers(outbox, "NOTI"):
        for one in root.iterfind("Form"):
            references = [tuple(part.text for part in reference) for reference in one.iterfind("Reference")]
            found.append(
                Outcome(
                    name=name,
                    own=next(nbr for kind, origin, nbr in references if (kind, origin) == ("1", "1")),
                    ticket=one.findtext("HandledReference/ReferenceNbr") or "",
                    result=one.findtext("HandlingResult/ResultCode") or "",
                    anomalies=[
                        tuple(report.findtext(tag) for tag in ("ErrorID", "TagName", "Value", "AnomalyClass"))
                        for report in one.iterfind("HandlingResult/AnomalyReport")
                    ],
                    locations=[
                        place.text
                        for place in one.iterfind("HandlingResult/AnomalyReport/AnomalyLocation/Location")
                    ],
                    file_name=one.findtext("FileReference/FileName"),
                    references=references,
                )
            )
    return found
